//! `completions` and `man`: for the shell.

use std::io;

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::{Cli, exit, exit::Failure};

/// Prints completions for a shell.
#[derive(Debug, Args)]
pub(super) struct CompletionsArguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn completions(arguments: &CompletionsArguments) -> Result<u8, Failure> {
    clap_complete::generate(arguments.shell, &mut Cli::command(), "backend-implementer", &mut io::stdout());
    Ok(exit::COMPLETE)
}

/// Prints the man page.
#[derive(Debug, Args)]
pub(super) struct ManArguments {}

pub(super) fn man(_: &ManArguments) -> Result<u8, Failure> {
    let page = clap_mangen::Man::new(Cli::command());
    page.render(&mut io::stdout()).context("cannot write the man page").map_err(Failure::outside)?;
    Ok(exit::COMPLETE)
}
