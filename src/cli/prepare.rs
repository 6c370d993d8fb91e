//! `prepare`: the beginning of a job of a fan-out.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{exit, exit::Failure, jobs, run::runtime, show};
use crate::jobs::{parse_attempts, prepare};

/// Checks out the tree of every attempt of a job, and writes its brief.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    standing: jobs::Standing,
    /// The attempts, as `TASK#ATTEMPT` with blanks between
    #[arg(long, value_name = "NAMES")]
    tasks: String,
    /// The folder of the job; new or empty
    #[arg(long, value_name = "DIR")]
    job: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let names = parse_attempts(&arguments.tasks)?;
    // The work trees borrow from this store: it stays as long as the job's folder.
    let site = arguments.standing.open(&arguments.job.join(crate::layout::JobFile::Site))?;
    let prepared = runtime()?.block_on(prepare(&site, &names, &arguments.job))?;
    let lines: Vec<_> = prepared
        .iter()
        .map(|attempt| {
            let (worktree, brief, report) = (&attempt.worktree, &attempt.brief, &attempt.report);
            json!({ "attempt": attempt.id.to_string(), "worktree": worktree, "brief": brief, "report": report })
        })
        .collect();
    show::json(&lines)?;
    Ok(exit::COMPLETE)
}
