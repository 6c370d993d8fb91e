//! A run in the formats of other tools: findings as SARIF, gates as JUnit XML and CTRF, what ran when as a trace. All of
//! them are pure functions of the hand-off.

mod ctrf;
mod junit;
mod otlp;
mod sarif;
#[cfg(test)]
mod tests;
mod timeline;

pub use self::{
    ctrf::ctrf,
    junit::junit,
    otlp::otlp,
    sarif::sarif,
    timeline::{Timeline, timeline},
};

use crate::{command, gate::CommandReceipt, text};

/// Characters of a message or of an output that these files hold.
const TEXT_MAX: usize = 8_000;

/// Makes foreign text plain and bounded.
fn bounded(foreign: &str) -> String {
    text::truncate(&text::plain(foreign), TEXT_MAX)
}

/// Tells why a command of a gate is not well; `None` when it is.
fn trouble(command: &CommandReceipt) -> Option<String> {
    let failed = command.tests.is_some_and(|tests| tests.failed > 0);
    match (command.exit_code, &command.trouble) {
        (_, Some(trouble)) => Some(bounded(trouble)),
        (Some(0), None) if !failed => None,
        (Some(0), None) => Some("tests failed".to_owned()),
        (Some(code), None) => Some(format!("exit code {code}")),
        (None, None) => Some("no exit code".to_owned()),
    }
}

fn name(command: &CommandReceipt) -> String {
    text::line(&command::join(&command.argv))
}
