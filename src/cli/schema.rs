//! `schema`: prints a JSON schema.

use clap::{Args, ValueEnum};

use super::{exit, exit::Failure, show};
use crate::schemas;

/// Prints a JSON schema.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Of what
    of: Schema,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Schema {
    /// The plan in YAML or JSON
    Plan,
    /// The report that a subagent writes
    Report,
    /// The hand-off that a run writes
    Handoff,
    /// The configuration
    Config,
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    show::out(match arguments.of {
        Schema::Plan => schemas::PLAN,
        Schema::Report => schemas::REPORT,
        Schema::Handoff => schemas::HANDOFF,
        Schema::Config => schemas::CONFIG,
    });
    Ok(exit::COMPLETE)
}
