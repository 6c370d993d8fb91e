//! The ids under which agent programs keep their sessions.

use crate::agent::Job;

/// Makes the id of an attempt's session: a UUID of version 8 (RFC 9562), the same for the same attempt, so that a log
/// can be found again.
pub(super) fn session_id(job: &Job<'_>) -> String {
    let digest = implementer_model::ids::Digest::of_parts([
        job.base.as_str().as_bytes(),
        job.task.as_str().as_bytes(),
        job.attempt.to_string().as_bytes(),
        job.scratch.as_os_str().as_encoded_bytes(),
    ]);
    let hex: String = digest.as_str().chars().rev().take(32).collect();
    format!("{}-{}-8{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}
