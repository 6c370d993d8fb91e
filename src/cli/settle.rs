//! `settle`: takes in what the jobs of a wave made, and says what comes next.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::{exit, exit::Failure, jobs, run::runtime};
use crate::jobs::{Brought, StateDir, awaited, settle};

/// Takes in the results of a wave or of the gates, and writes the next state.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    standing: jobs::Standing,
    /// A folder whose folders are the results of one job each; one named `slot-N` counts for the tasks of that job only
    #[arg(long, value_name = "DIR")]
    results: PathBuf,
    /// What the job before said integration gives
    #[arg(long, value_name = "COMMIT")]
    head: Option<String>,
    /// The folder for the next state; new or empty
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let (site, _scratch) = arguments.standing.open_for_now()?;
    let entries = std::fs::read_dir(&arguments.results)
        .with_context(|| format!("cannot read the results in {}", arguments.results.display()))
        .map_err(Failure::input)?;
    let mut folders: Vec<_> = entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
        .collect();
    folders.sort();
    let to = StateDir::new(&arguments.out);
    let settled = runtime()?.block_on(async {
        let awaited = awaited(&site).await?;
        // A folder with the name of a job's slot can only speak for what that job was given.
        let leg_of = |name: &str| {
            let slot = name.strip_prefix("slot-")?.parse::<usize>().ok()?;
            awaited.legs.iter().find(|leg| leg.slot == slot).cloned()
        };
        let found: Vec<_> =
            folders.into_iter().map(|(job, folder)| Brought { leg: leg_of(&job), job, folder }).collect();
        settle(&site, awaited, &found, &BTreeMap::new(), arguments.head.as_deref(), &to).await
    })?;
    jobs::print_next(&settled)?;
    Ok(exit::COMPLETE)
}
