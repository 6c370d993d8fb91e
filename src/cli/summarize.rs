//! `summarize`: the end of a fan-out.

use std::path::PathBuf;

use clap::Args;
use implementer_model::summary;

use super::{exit::Failure, jobs, run, show};
use crate::jobs::{Summarizing, summarize};

/// Recomputes integration, scope and landing, and writes the run's folder. Runs no code of the repository's.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    standing: jobs::Standing,
    /// The folder for everything that a run writes
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// What the job before said integration gives
    #[arg(long, value_name = "COMMIT")]
    head: Option<String>,
    /// The workflow was cancelled
    #[arg(long)]
    cancelled: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let (site, scratch) = arguments.standing.open_for_now()?;
    let summarizing =
        Summarizing { head: arguments.head.as_deref(), cancelled: arguments.cancelled, notes: Vec::new() };
    let handoff = run::runtime()?.block_on(summarize(&site, summarizing, &arguments.out, scratch.path()))?;
    show::out(&summary::render(&handoff));
    show::note(&format!("\nEverything is in {}", arguments.out.display()));
    Ok(run::code(&handoff))
}
