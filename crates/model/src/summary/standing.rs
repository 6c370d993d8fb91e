//! Where each gate stands, computed from the receipts alone. Anything but a receipt that says "passed", of this run and
//! on the final tree, keeps a gate shut.

use super::wording::Look;
use crate::{
    gate::{GateKind, GateState, Receipt},
    handoff::Handoff,
};

/// Where a gate stands.
pub(super) struct GateStanding<'a> {
    /// The gate.
    pub(super) gate: GateKind,
    /// Its receipts, in the order of the hand-off.
    pub(super) receipts: Vec<&'a Receipt>,
    /// Why it is shut, in a sentence without a full stop; `None` when it is open.
    pub(super) shut: Option<String>,
}

impl GateStanding<'_> {
    /// Tells whether it is open.
    pub(super) fn open(&self) -> bool {
        self.shut.is_none()
    }

    /// Returns the state to show: that of the first receipt that keeps the gate shut, else of the last.
    pub(super) fn state(&self) -> GateState {
        let bad = self.receipts.iter().find(|receipt| receipt.state != GateState::Passed);
        bad.or(self.receipts.last()).map_or(GateState::NotRun, |receipt| receipt.state)
    }

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

/// Judges one gate. Every receipt that there is for it has to be good: of two that disagree, the bad one counts.
pub(super) fn standing(handoff: &Handoff, gate: GateKind) -> GateStanding<'_> {
    let receipts: Vec<_> = handoff.gates.iter().filter(|receipt| receipt.gate == gate).collect();
    let shut = if receipts.is_empty() {
        Some(format!("The {gate} gate was not run: there is no receipt for it"))
    } else {
        receipts.iter().find_map(|receipt| objection(handoff, receipt))
    };
    GateStanding { gate, receipts, shut }
}

/// Judges the three gates, in order.
pub(super) fn standings(handoff: &Handoff) -> [GateStanding<'_>; 3] {
    GateKind::ALL.map(|gate| standing(handoff, gate))
}

fn objection(handoff: &Handoff, receipt: &Receipt) -> Option<String> {
    let gate = receipt.gate;
    if receipt.place.run != handoff.place.run || receipt.place.workflow != handoff.place.workflow {
        return Some(format!(
            "The {gate} gate has a receipt of another run ({}{}), which counts for nothing here",
            receipt.place.run,
            receipt.place.workflow.as_ref().map(|workflow| format!(", {workflow}")).unwrap_or_default(),
        ));
    }
    let why = || match receipt.reason.trim().trim_end_matches('.') {
        "" => "no reason was recorded".to_owned(),
        reason => reason.to_owned(),
    };
    match receipt.state {
        GateState::Failed => Some(format!("The {gate} gate failed: {}", why())),
        GateState::Skipped => Some(format!("The {gate} gate was skipped, which is not passing: {}", why())),
        GateState::NotRun => Some(format!("The {gate} gate was not run: {}", why())),
        GateState::Passed if receipt.tree != handoff.result.tree => Some(format!(
            "The {gate} gate passed on tree {}, but the final tree is {}",
            receipt.tree.short(),
            handoff.result.tree.short()
        )),
        GateState::Passed => None,
    }
}
