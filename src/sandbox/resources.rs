//! What a confined program may take of the machine, as far as a process can be told without a control group.

use std::{fs, io};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The most processes and threads that the user of a slot has at a time. Builds of large projects have some hundred.
const PROCESSES_MAX: u64 = 4096;

/// How much earlier than the coordinator a process is ended when memory runs out, of at most 1000 (proc(5), `oom_score_adj`): it
/// takes little, and would take the run with it.
const ENDED_EARLIER: i32 = 500;

const OOM_SCORE: &str = "/proc/self/oom_score_adj";

/// Limits the calling process and all that it will start. `own_user` says whether its user runs nothing else: the number of
/// processes is counted for each user.
///
/// # Errors
/// When the system refuses a limit.
pub(super) fn limit(own_user: bool) -> io::Result<()> {
    // Where it cannot be written, as below a `/proc` that is read-only, memory is shared as before.
    if let Err(error) = end_earlier() {
        tracing::debug!(%error, "who is ended first when memory runs out is left to the kernel");
    }
    // A core dump holds what the program had in memory, its keys among it, and takes as much room.
    lower(Resource::Core, 0)?;
    if own_user {
        lower(Resource::Nproc, PROCESSES_MAX)?;
    }
    Ok(())
}

/// Adds to what we have from whoever started us: a step of a workflow has 500 already.
fn end_earlier() -> io::Result<()> {
    let now: i32 = fs::read_to_string(OOM_SCORE)?.trim().parse().map_err(io::Error::other)?;
    fs::write(OOM_SCORE, now.saturating_add(ENDED_EARLIER).min(1000).to_string())
}

fn lower(resource: Resource, limit: u64) -> io::Result<()> {
    let lowered = |now: Option<u64>| Some(now.map_or(limit, |now| now.min(limit)));
    let now = getrlimit(resource);
    Ok(setrlimit(resource, Rlimit { current: lowered(now.current), maximum: lowered(now.maximum) })?)
}
