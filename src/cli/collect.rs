//! `collect`: the end of a job of a fan-out.

use std::path::PathBuf;

use clap::Args;
use implementer_model::schedule::Outcome;

use super::{exit, exit::Failure, jobs, run::runtime, show};
use crate::jobs::{GATES, collect, collect_gates, parse_attempts};

/// Captures and judges what the attempts of a job left, or takes the receipts of the gates.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    standing: jobs::Standing,
    /// The attempts, as `TASK#ATTEMPT` with blanks between; `gates` for the job of the gates
    #[arg(long, value_name = "NAMES")]
    tasks: String,
    /// The folder of the job
    #[arg(long, value_name = "DIR")]
    job: PathBuf,
    /// The folder for the results; new or empty
    #[arg(long, value_name = "DIR")]
    results: PathBuf,
    /// A step of your own did the work, and failed
    #[arg(long)]
    failed: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    if arguments.tasks.trim() == GATES {
        collect_gates(&arguments.job, &arguments.results)?;
        return Ok(exit::COMPLETE);
    }
    let names = parse_attempts(&arguments.tasks)?;
    let (site, _scratch) = arguments.standing.open_for_now()?;
    let collected =
        runtime()?.block_on(collect(&site, &names, &arguments.job, &arguments.results, !arguments.failed))?;
    for attempt in &collected {
        show::out(&format!("{attempt}\n"));
    }
    // A job is green when all of its attempts passed.
    let passed = collected.iter().all(|attempt| attempt.outcome == Outcome::Passed);
    Ok(if passed { exit::COMPLETE } else { exit::INCOMPLETE })
}
