//! The end of a job: what the work trees hold now is captured, judged and packed.

use std::{fs, path::Path};

use implementer_model::{
    ids::Digest,
    isolation::Level,
    record::{AttemptId, Outcome},
    run::AttemptPlan,
};

use super::{
    attempt_work::{self, HowItEnded, Said},
    error::JobError,
    prepare::AttemptDir,
    results,
    site::Site,
};
use crate::{
    agent::{Conclusion, Ended, Exit, read_report},
    coordinator::{AttemptProcess, capture_and_judge, check_room},
    layout::{self, TaskFile},
    run_dir::RunDir,
    untrusted,
};

/// The largest file about the end of a process that is read, in bytes.
const HOW_MAX: u64 = 4 * 1024 * 1024;

/// The largest log that goes into a result, in bytes.
const LOG_MAX: u64 = crate::agent::OUTPUT_CAP;

/// What became of an attempt.
#[derive(Debug, Clone)]
pub struct Collected {
    /// Which it is.
    pub id: AttemptId,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, in a sentence.
    pub reason: String,
}

impl std::fmt::Display for Collected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}: {}", self.id, self.outcome.name(), implementer_model::text::terminal(&self.reason))
    }
}

/// Captures and judges what the attempts of a job left, and writes their results into folders below `out`. `succeeded`
/// tells how a step of the user's own ended that did the work in place of ours; where ours ran, its own word counts.
///
/// # Errors
/// When an attempt is not due, or the outside fails. What a subagent did is never an error.
pub async fn collect(
    site: &Site,
    ids: &[AttemptId],
    job: &Path,
    out: &Path,
    succeeded: bool,
) -> Result<Vec<Collected>, JobError> {
    let reached = site.look().await?;
    let mut collected = Vec::new();
    for plan in Site::due(reached, ids)? {
        collected.push(collect_one(site, &plan, job, out, succeeded).await?);
    }
    Ok(collected)
}

async fn collect_one(
    site: &Site,
    plan: &AttemptPlan,
    job: &Path,
    out: &Path,
    succeeded: bool,
) -> Result<Collected, JobError> {
    let dir = AttemptDir::new(job, &plan.id);
    let files = attempt_work::files(site, &dir)?;
    let now_ms = site.now_ms();
    let how = how_it_ended(&dir).unwrap_or_else(|| HowItEnded {
        process: Ok(by_own_step(succeeded, &dir)),
        // A step of the user's own reports by the file that every contract names.
        said: None,
        secrets: Vec::new(),
        isolation: Level::None,
        cancelled: false,
        ended_ms: now_ms,
    });
    let started_ms = read_bounded(&dir.started(), 32).and_then(|text| text.trim().parse().ok()).unwrap_or_else(|| {
        tracing::warn!(attempt = %plan.id, "the file with the start of the attempt is gone or damaged, so its duration is not known");
        now_ms
    });
    let by_file = || Conclusion { session: None, report: read_report(&files.report) };
    let conclusion = how.process.is_ok().then(|| how.said.map_or_else(by_file, Said::conclusion));
    // Times of another process are no more than a claim: they must at least be possible.
    let ended_ms = how.ended_ms.min(now_ms);
    let process = AttemptProcess {
        ended: how.process,
        conclusion,
        cancelled: how.cancelled,
        started_ms: started_ms.min(ended_ms),
        ended_ms,
        secrets: how.secrets,
        isolation: how.isolation,
    };

    let folder = out.join(layout::attempt_folder(&plan.id));
    fs::create_dir_all(&folder).map_err(JobError::writing(&folder))?;
    let kept = tempfile::tempdir().map_err(JobError::writing(std::env::temp_dir()))?;
    let run_dir = RunDir::create(kept.path())?;
    let files_dir = run_dir.begin_attempt(&plan.id.task, plan.id.attempt)?;
    let records = capture_and_judge(&site.store, &run_dir, plan, &files, process)?;
    let ended = records.ended();
    if ended.attempt.outcome != Outcome::Passed {
        // Without a result the wave is not settled, and the job is made again.
        check_room(&[&files.worktree, out])?;
    }
    let collected = Collected { id: plan.id.clone(), outcome: ended.attempt.outcome, reason: ended.reason.clone() };
    for file in [TaskFile::Report, TaskFile::InvalidReport, TaskFile::Patch] {
        let from = files_dir.join(file);
        if from.is_file() {
            fs::copy(&from, folder.join(file)).map_err(JobError::writing(folder.join(file)))?;
        }
    }
    fs::write(folder.join(TaskFile::Brief), &plan.brief).map_err(JobError::writing(&folder))?;
    // A log that cannot be kept changes nothing about the attempt.
    if let Err(error) = untrusted::copy_if_plain(&files.log, &folder.join(TaskFile::Log), LOG_MAX) {
        tracing::warn!(%error, log = %files.log.display(), "a log could not be kept");
    }
    results::write(site, plan, ended_ms, records, &folder)?;
    Ok(collected)
}

/// How the agent ended that our own step ran; nothing when that step did not run, or was ended itself.
fn how_it_ended(dir: &AttemptDir) -> Option<HowItEnded> {
    serde_json::from_str(&read_bounded(&dir.ended(), HOW_MAX)?).ok()
}

/// What is known of a step of the user's own.
fn by_own_step(succeeded: bool, dir: &AttemptDir) -> Ended {
    // A log that the step wrote where ours would be is as good as output.
    let log = read_bounded(&dir.log(), LOG_MAX).unwrap_or_default();
    Ended {
        exit: Exit::Code(i32::from(!succeeded)),
        stopped: false,
        out_of_turns: false,
        overstayed: false,
        answer_truncated: false,
        killed: false,
        leftovers: 0,
        survivors: 0,
        output_bytes: log.len() as u64,
        truncated: false,
        log_trouble: None,
        output_digest: Digest::from_content(&log),
        output_tail: String::new(),
        duration_ms: 0,
    }
}

/// Reads a plain file of a bounded size: what lies in a job's folder may be anything.
fn read_bounded(path: &Path, limit: u64) -> Option<String> {
    untrusted::read_text(path, limit).ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn of_the_folder_of_a_job_only_plain_files_of_their_size_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let (plain, link) = (folder.path().join("plain"), folder.path().join("link"));
        fs::write(&plain, "1234").unwrap();
        symlink(&plain, &link).unwrap();
        assert_eq!(read_bounded(&plain, 4).as_deref(), Some("1234"));
        assert_eq!(read_bounded(&plain, 3), None);
        assert_eq!(read_bounded(&link, 4), None);
        assert_eq!(read_bounded(folder.path(), 1 << 20), None);
        let kept = folder.path().join("kept");
        untrusted::copy_if_plain(&link, &kept, 4).unwrap();
        untrusted::copy_if_plain(&plain, &kept, 3).unwrap();
        assert!(!kept.exists());
        untrusted::copy_if_plain(&plain, &kept, 4).unwrap();
        assert_eq!(fs::read_to_string(kept).unwrap(), "1234");
    }
}
