//! How tasks and runs end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a task ended. Each is a state of its own: none of the others is "passed".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It did its work, within its scope, and its patch was integrated.
    Passed,
    /// The process failed, or its report says that the work could not be done.
    Failed,
    /// It changed what it may not touch; nothing of its patch was integrated.
    OutOfScope,
    /// It said that it was done, and had changed nothing.
    Unproven,
    /// It ended without a report, or with one that does not keep to the schema.
    Unreported,
    /// Its patch and one that was integrated before it change the same place in different ways.
    Conflicted,
    /// It said that it needs something that another specialist has to make, or a task that it needs did not pass.
    Blocked,
    /// It ran into its time limit.
    TimedOut,
    /// It used up its money, or the run's was used up before it could begin.
    BudgetExhausted,
    /// It used up its turns.
    TurnsExhausted,
    /// It was running when the run was cancelled.
    Cancelled,
    /// It never began.
    NotRun,
}

impl Outcome {
    /// Returns the state in words, for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::OutOfScope => "out of scope",
            Self::Unproven => "claimed, not done",
            Self::Unreported => "no report",
            Self::Conflicted => "conflict",
            Self::Blocked => "blocked",
            Self::TimedOut => "timed out",
            Self::BudgetExhausted => "budget exhausted",
            Self::TurnsExhausted => "turns exhausted",
            Self::Cancelled => "cancelled",
            Self::NotRun => "not run",
        }
    }
}

/// Whether the implementation is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// All tasks passed and all three gates passed on the final tree.
    Complete,
    /// Something is missing; `missing` says what.
    Incomplete,
    /// The run was cancelled.
    Cancelled,
}

impl Status {
    /// Returns the name in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Incomplete => "incomplete",
            Self::Cancelled => "cancelled",
        }
    }
}
