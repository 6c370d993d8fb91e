//! `schema`: prints a JSON schema.

use clap::{Args, ValueEnum};
use implementer_model::{config, handoff, plan, report};

use super::{exit, exit::Failure, show};

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
    let schema = match arguments.of {
        Schema::Plan => plan::schema(),
        Schema::Report => report::schema(),
        Schema::Handoff => handoff::schema(),
        Schema::Config => config::schema(&crate::agent::kinds()),
    };
    show::json(&schema)?;
    Ok(exit::COMPLETE)
}
