//! How states look, and the words that all pages share.

pub(crate) use crate::wording::{diffstat, dollars, duration, lines, outcomes, tests};
use crate::{gate::GateState, schedule::Outcome};

/// The looks that a state can have: pictures group the many outcomes by what a reader does about them, and always say
/// the outcome itself in words beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Look {
    /// Nothing to do.
    Passed,
    /// Not judged yet: a preview.
    Planned,
    /// Never begun.
    NotRun,
    /// Stopped by people.
    Cancelled,
    /// Waits for somebody else.
    Blocked,
    /// Ran out of time, money or turns.
    TimedOut,
    /// Went wrong.
    Failed,
}

impl Look {
    /// Returns the look of an outcome.
    pub(super) fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Passed => Self::Passed,
            Outcome::Failed | Outcome::OutOfScope | Outcome::Unproven | Outcome::Unreported | Outcome::Conflicted => {
                Self::Failed
            }
            Outcome::Blocked => Self::Blocked,
            Outcome::TimedOut | Outcome::BudgetExhausted | Outcome::TurnsExhausted => Self::TimedOut,
            Outcome::Cancelled => Self::Cancelled,
            Outcome::NotRun => Self::NotRun,
        }
    }

    /// Returns the look of a gate's state.
    pub(super) fn of_gate(state: GateState) -> Self {
        match state {
            GateState::Passed => Self::Passed,
            GateState::Failed => Self::Failed,
            GateState::Skipped => Self::Blocked,
            GateState::NotRun => Self::NotRun,
        }
    }

    /// Returns the name of its class in pictures and pages.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Planned => "planned",
            Self::NotRun => "notrun",
            Self::Cancelled => "cancelled",
            Self::Blocked => "blocked",
            Self::TimedOut => "timedout",
            Self::Failed => "failed",
        }
    }
}
