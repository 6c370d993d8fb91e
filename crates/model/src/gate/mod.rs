//! Gates: the checks that must pass before submission, and their evidence.

pub use crate::evidence::counts;
mod judgement;
mod proof;

pub use crate::vocabulary::GateKind;
pub use judgement::{Case, findings, judge};
pub use proof::{NotPassed, NotReady, PassedGate, ReadyForSubmission};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    evidence::{gathered::GateEvidence, results::TestResult},
    ids::{Digest, ObjectId, TaskId},
};

/// What became of a gate. Failed, skipped and not run are three other things than passed, and none of them opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GateState {
    /// It ran on the tree that its receipt names, and everything was well.
    Passed,
    /// It ran, and something was wrong.
    Failed,
    /// It ran, but what it ran said that it did nothing, such as a suite in which every test was skipped.
    Skipped,
    /// It did not run.
    NotRun,
}

impl GateState {
    /// Returns the state in words, for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::NotRun => "not run",
        }
    }
}

/// Where the counts of a receipt came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CountSource {
    /// JUnit XML that the command wrote.
    Junit,
    /// The closing lines that a known test runner printed.
    Output,
}

/// How many tests a command ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TestCounts {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed or ended in an error.
    pub failed: u64,
    /// Tests that were skipped.
    pub skipped: u64,
    /// Where the numbers came from.
    pub source: CountSource,
}

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

/// What the reviewer (or another quality subagent) contributed to its gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct SubagentVerdict {
    /// The task that gave the verdict.
    pub task: TaskId,
    /// The tree that it had before it, and that the verdict is about.
    pub tree: ObjectId,
    /// Whether it completed its work and objects to nothing.
    pub passed: bool,
    /// Why not, or what it rests on.
    pub reason: String,
    /// The digest of its report, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report_digest: Option<Digest>,
    /// How many findings block.
    pub blocking_findings: usize,
}

/// Where a receipt was made, so that a receipt of another run or attempt is not taken for this one's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Place {
    /// The id of the run.
    pub run: String,
    /// The workflow run and attempt, when there is one: `RUN_ID/ATTEMPT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// Operating system and processor, such as `linux-x86_64`.
    pub platform: String,
}

/// The evidence of one gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Receipt {
    /// The gate.
    pub gate: GateKind,
    /// The tree on which it was judged.
    pub tree: ObjectId,
    /// What became of it.
    pub state: GateState,
    /// Why, in a sentence.
    pub reason: String,
    /// The commands that ran, in order.
    pub commands: Vec<CommandReceipt>,
    /// What the gate's subagent had to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<SubagentVerdict>,
    /// What was found out beside its own run.
    #[serde(default, skip_serializing_if = "GateEvidence::is_empty")]
    pub evidence: GateEvidence,
    /// Where it was judged.
    pub place: Place,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

#[cfg(test)]
mod tests;
