//! The verdict of a gate in words and looks, the same on every page.

use super::wording::Look;
use crate::{
    gate::GateState,
    handoff::Handoff,
    run::{Facts, GateStanding},
};

/// Judges the three gates of a run, in order.
pub(super) fn standings(handoff: &Handoff) -> [GateStanding<'_>; 3] {
    crate::run::standings(&Facts::from_handoff(handoff))
}

impl GateStanding<'_> {
    /// Returns the verdict in words. A receipt that says "passed" for another run or tree must not read as a pass.
    pub(super) fn said(&self) -> &'static str {
        match (self.open(), self.state()) {
            (false, GateState::Passed) => "not accepted",
            (_, state) => state.name(),
        }
    }

    /// Returns the look of the verdict in pictures and pages.
    pub(super) fn look(&self) -> Look {
        match (self.open(), self.state()) {
            (false, GateState::Passed) => Look::Failed,
            (_, state) => Look::of_gate(state),
        }
    }

    /// Returns the mark of the verdict.
    pub(super) fn mark(&self) -> &'static str {
        self.look().mark()
    }
}
