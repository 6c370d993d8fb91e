//! Ledgers, what runs rest on, and conclusions for tests, made of the hand-offs of the fixtures.

use super::{Basis, Conclusion, Facts, Head, JudgedGate, Ledger};
use crate::{
    config::Config,
    gate::GateKind,
    handoff::Handoff,
    plan::VerificationCommand,
    record::{AttemptEnded, TaskRecord},
    roster,
};

/// Makes the ledger that a hand-off was concluded from.
pub(crate) fn ledger(handoff: &Handoff) -> Ledger {
    let mut ledger = Ledger::new(handoff.schedule.clone());
    for record in &handoff.tasks {
        let TaskRecord { id, outcome, reason, attempts } = record;
        for attempt in attempts {
            let ended = AttemptEnded {
                task: id.clone(),
                attempt: attempt.clone(),
                reason: reason.clone(),
                findings: Vec::new(),
                failure: crate::record::FailureKind::default(),
            };
            ledger.attempt_ended(ended);
        }
        if !attempts.is_empty() {
            ledger.set_outcome(id, *outcome);
        }
    }
    for finding in &handoff.findings {
        match &finding.task {
            Some(task) => ledger.noticed(task, [finding.clone()]),
            None => ledger.noticed_of_run(finding.clone()),
        }
    }
    ledger.integrated(handoff.result.commits.clone());
    let gates = handoff.gates.iter().cloned();
    ledger.gates_judged(gates.map(|receipt| JudgedGate { receipt, began_ms: 0 }).collect());
    handoff.rework.iter().cloned().for_each(|round| ledger.rework_begun(round));
    handoff.escalations.iter().cloned().for_each(|escalation| ledger.escalated(escalation));
    ledger
}

/// Judges a hand-off that was written by hand, and puts in what it comes to.
pub(crate) fn conclude(handoff: &mut Handoff) {
    let Conclusion { status, missing, criteria } = Facts::from_handoff(handoff).judge();
    handoff.status = status;
    handoff.missing = missing;
    handoff.criteria = criteria;
}

/// Makes what the run of a hand-off rests on, with the built-in subagents and no configuration.
pub(crate) fn basis(handoff: &Handoff) -> Basis {
    let config = Config::default();
    let mut plan = handoff.plan.clone();
    // A gate without a command ends a run before it begins.
    for gate in [GateKind::Tests, GateKind::Validation] {
        if !plan.verification.iter().any(|command| command.gate == gate) {
            plan.verification.push(VerificationCommand { gate, argv: vec!["check".to_owned()], line: 1 });
        }
    }
    Basis {
        plan,
        roster: roster::load(&[], &config).roster,
        config,
        lock: handoff.lock.clone(),
        provenance: handoff.provenance.clone(),
        place: handoff.place.clone(),
        base: Head { commit: handoff.result.base.clone(), tree: handoff.result.base_tree.clone() },
        rules: handoff.result.base_tree.clone(),
    }
}
