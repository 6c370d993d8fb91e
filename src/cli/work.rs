//! `work`: runs the agent for the attempts of a job that `prepare` has prepared.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::{exit, exit::Failure, jobs, run, show};
use crate::{
    agent,
    jobs::{AttemptName, work},
    runtime::with_signals,
};

/// Runs the agent for every attempt of a job, on this machine and with its tools.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    standing: jobs::Standing,
    /// The attempts, as `TASK#ATTEMPT` with blanks between
    #[arg(long, value_name = "NAMES")]
    tasks: String,
    /// The folder of the job
    #[arg(long, value_name = "DIR")]
    job: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    // What is started here runs as the same user: it must not read our environment.
    agent::hide_from_other_processes().context("cannot protect this process's memory").map_err(Failure::outside)?;
    let names = AttemptName::parse_list(&arguments.tasks)?;
    let (site, scratch) = arguments.standing.open_for_now()?;
    run::runtime()?.block_on(with_signals(async |cancelled| {
        work(&site, &names, &arguments.job, scratch.path(), cancelled.clone()).await?;
        if *cancelled.borrow() {
            return Ok(exit::CANCELLED);
        }
        show::note("What became of it is judged by the step after this one.");
        Ok(exit::COMPLETE)
    }))
}
