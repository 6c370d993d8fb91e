//! Where each gate stands, computed from the receipts alone. Anything but a receipt that says "passed", of this run and
//! on the final tree, keeps a gate shut.

use super::Facts;
use crate::gate::{CommandReceipt, GateKind, GateState, Receipt, TestCounts};

/// Where a gate stands.
pub(crate) struct GateStanding<'a> {
    /// The gate.
    pub(crate) gate: GateKind,
    /// Its receipts, in the order in which they were judged.
    pub(crate) receipts: Vec<&'a Receipt>,
    /// Why it is shut, in a sentence without a full stop; `None` when it is open.
    pub(crate) shut: Option<String>,
}

impl GateStanding<'_> {
    /// Tells whether it is open.
    pub(crate) fn open(&self) -> bool {
        self.shut.is_none()
    }

    /// Adds up the tests of its commands; `None` where none was counted.
    pub(crate) fn tests(&self) -> Option<TestCounts> {
        CommandReceipt::total(self.receipts.iter().flat_map(|receipt| &receipt.commands))
    }

    /// Returns the state to show: that of the first receipt that keeps the gate shut, else of the last.
    pub(crate) fn state(&self) -> GateState {
        let bad = self.receipts.iter().find(|receipt| receipt.state != GateState::Passed);
        bad.or(self.receipts.last()).map_or(GateState::NotRun, |receipt| receipt.state)
    }
}

/// Judges one gate. Every receipt that there is for it has to be good: of two that disagree, the bad one counts.
pub(crate) fn standing<'a>(facts: &Facts<'a>, gate: GateKind) -> GateStanding<'a> {
    let receipts: Vec<_> = facts.gates.iter().filter(|receipt| receipt.gate == gate).collect();
    let shut = if receipts.is_empty() {
        Some(format!("The {gate} gate was not run: there is no receipt for it"))
    } else {
        receipts.iter().find_map(|receipt| objection(facts, receipt))
    };
    GateStanding { gate, receipts, shut }
}

/// Judges the three gates, in order.
pub(crate) fn standings<'a>(facts: &Facts<'a>) -> [GateStanding<'a>; 3] {
    GateKind::ALL.map(|gate| standing(facts, gate))
}

fn objection(facts: &Facts<'_>, receipt: &Receipt) -> Option<String> {
    let gate = receipt.gate;
    if receipt.place.run != facts.place.run || receipt.place.workflow != facts.place.workflow {
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
        GateState::Passed if receipt.tree != facts.result.tree => Some(format!(
            "The {gate} gate passed on tree {}, but the final tree is {}",
            receipt.tree.short(),
            facts.result.tree.short()
        )),
        GateState::Passed => None,
    }
}
