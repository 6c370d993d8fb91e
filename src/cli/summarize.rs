//! `summarize`: the end of a fan-out.

use std::path::PathBuf;

use clap::Args;
use implementer_model::summary;

use super::{exit::Failure, jobs, run, show};
use crate::{
    errors,
    jobs::{Counting, Summarizing, summarize},
};

/// Recomputes integration, scope and landing, and writes the run's folder. Runs no code of the repository's.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    standing: jobs::Standing,
    /// The folder for everything that a run writes
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The folder that `work --out` has kept, in the layout one-job
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
    /// What the job before said integration gives
    #[arg(long, value_name = "COMMIT")]
    head: Option<String>,
    /// The workflow was cancelled
    #[arg(long)]
    cancelled: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let (mut site, scratch) = arguments.standing.open_for_now()?;
    let mut notes = Vec::new();
    if let Some(kept) = &arguments.work
        && let Err(error) = site.add_kept(kept, Counting::All)
    {
        notes.push(format!("nothing of the work counts: {}", errors::chain(&error)));
    }
    let (head, cancelled) = (arguments.head.as_deref(), arguments.cancelled);
    let summarizing = Summarizing { head, cancelled, notes, why_open: None };
    let handoff = run::runtime()?.block_on(summarize(&site, summarizing, &arguments.out, scratch.path()))?;
    show::out(&summary::render(&handoff));
    show::note(&format!("\nEverything is in {}", arguments.out.display()));
    Ok(run::code(&handoff))
}
