//! What is kept of a command of a gate: what ran, how it ended, what it printed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{numbers::TestCounts, results::TestResult};
use crate::ids::Digest;

/// The evidence of one command of a gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CommandReceipt {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Whether the plan or the configuration asked for it.
    pub asked_by: AskedBy,
    /// The exit code; `None` when a signal ended it or it never began.
    pub exit_code: Option<i32>,
    /// Why there is no exit code: the signal, the time limit, or why it could not be started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// How many tests it ran, when it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tests: Option<TestCounts>,
    /// The tests that failed, by name, where its runner wrote results: the first of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failing: Vec<TestResult>,
    /// The digest of its whole output.
    pub output_digest: Digest,
    /// The end of its output, bounded.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub output_tail: String,
}

/// Who asked for a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AskedBy {
    /// The plan's Verification section.
    Plan,
    /// The repository's configuration.
    Configuration,
}

impl AskedBy {
    /// Returns the name in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Configuration => "configuration",
        }
    }
}
