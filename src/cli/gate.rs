//! `gate`: runs the gates on the integrated tree.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::{exit, exit::Failure, jobs, run, show};
use crate::{agent, jobs::gate, runtime::with_signals};

/// Runs the gates' commands on the integrated tree, on this machine and with its tools.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    standing: jobs::Standing,
    /// The folder of the job
    #[arg(long, value_name = "DIR")]
    job: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    // What is started here runs as the same user: it must not read our environment.
    agent::hide_from_other_processes().context("cannot protect this process's memory").map_err(Failure::outside)?;
    let (site, scratch) = arguments.standing.open_for_now()?;
    let gated = with_signals(async |cancelled| gate(&site, &arguments.job, scratch.path(), cancelled).await);
    for line in run::runtime()?.block_on(gated)? {
        show::out(&format!("{line}\n"));
    }
    Ok(exit::COMPLETE)
}
