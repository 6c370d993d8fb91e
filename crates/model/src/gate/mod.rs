//! Gates: the checks that must pass before submission, and their evidence.

mod judgement;
mod lacking;
mod proof;

pub use crate::{
    evidence::{
        counts,
        numbers::{CountSource, TestCounts},
        receipt::{AskedBy, CommandReceipt},
    },
    vocabulary::GateKind,
};
pub use judgement::{Case, findings, judge};
pub use lacking::{WorkTree, missing_of_repository};
pub use proof::{NotPassed, NotReady, PassedGate, ReadyForSubmission};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    evidence::gathered::GateEvidence,
    ids::{Digest, ObjectId, TaskId},
    isolation::Level,
    text,
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

/// The most tests that are named of a red gate, and the most lines of its output, in a terminal.
const TESTS_SHOWN: usize = 5;
const LINES_SHOWN: usize = 5;

impl Receipt {
    /// Says of a gate that is not passed which tests failed, what was printed last and where the log is; nothing of one that
    /// passed. For a terminal: each entry is one line.
    #[must_use]
    pub fn failure_lines(&self) -> Vec<String> {
        let red = self.commands.iter().filter(|command| command.exit_code != Some(0) || command.trouble.is_some());
        let mut lines = Vec::new();
        for command in red.filter(|_| self.state != GateState::Passed) {
            lines.extend(command.failing_tests(TESTS_SHOWN).map(|names| format!("failing: {names}")));
            let tail = command.telling_lines(LINES_SHOWN);
            lines.extend(tail.iter().map(|line| format!("| {}", text::truncate(&text::terminal(line), 160))));
            lines.extend(command.log.as_ref().map(|log| format!("log: {log} in the folder of the run")));
        }
        lines
    }
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
    /// Whether subagents of the run worked in the same job or on the same machine: then the receipt is the word of a place that
    /// they could reach.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub beside_subagents: bool,
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
    /// What kept its commands apart, where there were some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolation: Option<Level>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

#[cfg(test)]
mod tests;
