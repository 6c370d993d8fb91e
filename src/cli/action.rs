//! `action`: what the container runs.

use clap::Args;

use super::{exit, exit::Failure, live::Live, show};
use crate::step::{self, StepEnd};

/// Works as a step of GitHub Actions. Everything comes from the runner's environment.
#[derive(Debug, Args)]
pub(super) struct Arguments {}

pub(super) fn run(_: &Arguments) -> Result<u8, Failure> {
    Ok(match step::act(&mut Live::new(), show::note)? {
        StepEnd::Done => exit::COMPLETE,
        StepEnd::Incomplete => exit::INCOMPLETE,
        StepEnd::BadInput => exit::BAD_INPUT,
        StepEnd::Cancelled => exit::CANCELLED,
    })
}
