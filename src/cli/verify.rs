//! `verify`: proves a run offline.

use anyhow::Context as _;
use clap::Args;

use super::{exit, exit::Failure, run_folder::RunArgument, show};
use crate::verify::verify;

/// Proves a run offline.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    run: RunArgument,
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let scratch = tempfile::tempdir().context("cannot make a temporary folder").map_err(Failure::outside)?;
    let proof = verify(&arguments.run.target()?, &arguments.run.repo, scratch.path())?;
    show::out(if proof.holds() { "The record proves:\n" } else { "What was checked:\n" });
    for check in &proof.checks {
        match &check.found {
            Ok(evidence) => show::out(&format!("ok      {}: {evidence}\n", check.claim)),
            Err(wrong) => show::out(&format!("FAILED  {}: {wrong}\n", check.claim)),
        }
    }
    show::out("\nThe record cannot prove:\n");
    for open in &proof.cannot_prove {
        show::out(&format!("-       {open}\n"));
    }
    let status = proof.status.name();
    if proof.holds() {
        show::out(&format!("\nVerified: the record matches the commits. Result: {status}.\n"));
        Ok(exit::COMPLETE)
    } else {
        show::out("\nNot verified: do not submit this.\n");
        Ok(exit::INCOMPLETE)
    }
}
