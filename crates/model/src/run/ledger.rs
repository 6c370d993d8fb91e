//! The ledger: everything of a run that becomes the hand-off. It takes down what happened and decides nothing, until
//! [`Ledger::conclude`] makes the whole hand-off of it.

use std::collections::BTreeMap;

use super::{
    basis::{Basis, Head},
    facts::{Conclusion, Facts},
};
use crate::{
    evidence::gathered::GateEvidence,
    findings::{Finding, FindingCode, Weight},
    gate::{self, GateKind, GateState, Receipt},
    handoff::{Cost, HANDOFF_VERSION, Handoff, Implementation},
    ids::{Digest, TaskId},
    isolation::{Isolation, Level},
    patch::{Conflict, Patch},
    record::{AttemptEnded, Escalation, IntegratedCommit, Outcome, ReworkRound, Synthesis, TaskRecord},
    schedule::{Schedule, Task, Wave},
};

/// A gate that was judged, and when its commands began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedGate {
    pub receipt: Receipt,
    /// In milliseconds since the run began.
    pub began_ms: u64,
}

/// What a run wrote down so far.
#[derive(Debug, Clone)]
pub struct Ledger {
    schedule: Schedule,
    records: BTreeMap<TaskId, TaskRecord>,
    /// What was noticed about the attempt that counts, for each task.
    findings: BTreeMap<TaskId, Vec<Finding>>,
    /// What was noticed about the run as a whole.
    run_findings: Vec<Finding>,
    commits: Vec<IntegratedCommit>,
    synthesis: Vec<Synthesis>,
    gates: Vec<JudgedGate>,
    rework: Vec<ReworkRound>,
    escalations: Vec<Escalation>,
}

/// The bundle of a run, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// Its name beside the hand-off.
    pub file: String,
    pub digest: Digest,
}

/// How a run ended, for [`Ledger::conclude`].
#[derive(Debug, Clone)]
pub struct Ending {
    /// The program and its version.
    pub generator: String,
    /// When the run began, in RFC 3339.
    pub started: String,
    pub duration_ms: u64,
    /// What kept subagents and gates apart.
    pub isolation: Isolation,
    /// What was integrated last; the base when nothing was.
    pub head: Head,
    /// The ref of the implementation inside the bundle.
    pub reference: String,
    pub bundle: Option<Bundle>,
    pub cancelled: bool,
    /// Outcome and reason of each task that never began.
    pub not_begun: BTreeMap<TaskId, (Outcome, String)>,
    /// What was noticed at the end.
    pub noticed: Vec<Finding>,
    /// What was taken over from earlier processes.
    pub taken_over: TakenOver,
}

/// What a run took over from earlier processes.
#[derive(Debug, Clone, Copy, Default)]
pub struct TakenOver {
    /// How often the run was resumed.
    pub resumptions: u32,
    /// How many attempts were taken over.
    pub attempts: u32,
    /// What an earlier run took, whose work is kept, in milliseconds.
    pub earlier_ms: u64,
}

impl Ledger {
    #[must_use]
    pub fn new(schedule: Schedule) -> Self {
        Self {
            schedule,
            records: BTreeMap::new(),
            findings: BTreeMap::new(),
            run_findings: Vec::new(),
            commits: Vec::new(),
            synthesis: Vec::new(),
            gates: Vec::new(),
            rework: Vec::new(),
            escalations: Vec::new(),
        }
    }

    #[must_use]
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// Finds what became of a task so far; `None` while no attempt has ended.
    #[must_use]
    pub fn record(&self, task: &TaskId) -> Option<&TaskRecord> {
        self.records.get(task)
    }

    #[must_use]
    pub fn records(&self) -> &BTreeMap<TaskId, TaskRecord> {
        &self.records
    }

    #[must_use]
    pub fn commits(&self) -> &[IntegratedCommit] {
        &self.commits
    }

    #[must_use]
    pub fn gates(&self) -> &[JudgedGate] {
        &self.gates
    }

    #[must_use]
    pub fn rework(&self) -> &[ReworkRound] {
        &self.rework
    }

    #[must_use]
    pub fn escalations(&self) -> &[Escalation] {
        &self.escalations
    }

    /// Returns what was noticed about the attempt of a task that counts.
    #[must_use]
    pub fn findings_about(&self, task: &TaskId) -> &[Finding] {
        self.findings.get(task).map_or(&[], Vec::as_slice)
    }

    /// Returns what was noticed about the run as a whole.
    #[must_use]
    pub fn run_findings(&self) -> &[Finding] {
        &self.run_findings
    }

    /// Goes through what was noticed about all tasks.
    pub fn task_findings(&self) -> impl Iterator<Item = &Finding> {
        self.findings.values().flatten()
    }

    /// Tells whether a patch of the task is integrated.
    #[must_use]
    pub fn has_integrated(&self, task: &TaskId) -> bool {
        self.commits.iter().any(|commit| commit.task == *task)
    }

    /// Finds the patch that a commit integrated.
    #[must_use]
    pub fn integrated_patch(&self, commit: &IntegratedCommit) -> Option<&Patch> {
        let attempts = &self.records.get(&commit.task)?.attempts;
        attempts.iter().find(|attempt| attempt.attempt == commit.attempt)?.patch.as_ref()
    }

    /// Returns the patches of a task that are integrated, in their order.
    pub fn integrated_patches_of(&self, task: &TaskId) -> impl Iterator<Item = &Patch> {
        self.commits
            .iter()
            .filter(move |commit| commit.task == *task)
            .filter_map(|commit| self.integrated_patch(commit))
    }

    /// Takes down the end of an attempt. What was noticed about how an earlier attempt at the same task went counts no more;
    /// what its patch did to the tree is found anew, over all patches of the task that are integrated.
    pub fn attempt_ended(&mut self, ended: AttemptEnded) {
        let AttemptEnded { task, attempt, reason, findings, .. } = ended;
        let record = self.records.entry(task.clone()).or_insert_with(|| TaskRecord {
            id: task.clone(),
            outcome: attempt.outcome,
            reason: String::new(),
            attempts: Vec::new(),
        });
        record.outcome = attempt.outcome;
        record.reason = reason;
        record.attempts.push(attempt);
        self.findings.insert(task, findings);
    }

    /// Takes down what was noticed about the attempt of a task that counts.
    pub fn noticed(&mut self, task: &TaskId, findings: impl IntoIterator<Item = Finding>) {
        self.findings.entry(task.clone()).or_default().extend(findings);
    }

    /// Takes down what was noticed about the run as a whole.
    pub fn noticed_of_run(&mut self, finding: Finding) {
        self.run_findings.push(finding);
    }

    pub fn integrated(&mut self, commits: Vec<IntegratedCommit>) {
        self.commits.extend(commits);
    }

    /// Takes down that the last patch of a task conflicts with what was integrated before it.
    pub fn conflicted(&mut self, task: &TaskId, conflicts: Vec<Conflict>) {
        let paths: Vec<_> = conflicts.iter().map(|conflict| conflict.path.as_str()).collect();
        let reason =
            format!("its patch and one that was integrated before it change the same places: {}", paths.join(", "));
        self.noticed(task, [Finding::about(task, FindingCode::Conflict, Weight::Blocking, reason.clone())]);
        let record =
            self.records.get_mut(task).expect("invariant: only a patch of an attempt that ended is integrated");
        let attempt = record.attempts.last_mut().expect("invariant: a record begins with an attempt");
        attempt.outcome = Outcome::Conflicted;
        attempt.conflicts = conflicts;
        record.outcome = Outcome::Conflicted;
        record.reason = reason;
    }

    /// Takes down what a phase came to; a phase that ran again is summed up again.
    pub fn phase_ended(&mut self, synthesis: Synthesis) {
        self.synthesis.retain(|earlier| earlier.phase != synthesis.phase);
        self.synthesis.push(synthesis);
        self.synthesis.sort_by_key(|synthesis| synthesis.phase);
    }

    /// Takes down the gates as they were judged last. What an earlier round came to is in its record of rework.
    pub fn gates_judged(&mut self, gates: Vec<JudgedGate>) {
        self.gates = gates;
    }

    pub fn rework_begun(&mut self, round: ReworkRound) {
        self.rework.push(round);
    }

    pub fn escalated(&mut self, escalation: Escalation) {
        self.escalations.push(escalation);
    }

    /// Puts a task into the schedule that the plan did not have, in a wave of its own. Gives the number of the wave.
    pub fn task_added(&mut self, task: Task) -> usize {
        let number = self.schedule.waves.iter().map(|wave| wave.number).max().map_or(1, |last| last + 1);
        self.schedule.waves.push(Wave { number, phase: task.phase(), tasks: vec![task.id.clone()] });
        self.schedule.not_needed.retain(|role| *role != task.role);
        self.schedule.tasks.push(task);
        number
    }

    /// Says how a task ended, whatever its last attempt says.
    #[cfg(test)]
    pub(crate) fn set_outcome(&mut self, task: &TaskId, outcome: Outcome) {
        self.records.get_mut(task).unwrap().outcome = outcome;
    }

    /// Makes the hand-off.
    #[must_use]
    pub fn conclude(&self, basis: &Basis, ending: Ending) -> Handoff {
        let gates = self.all_receipts(basis, &ending);
        let tasks: Vec<_> = self.schedule.tasks.iter().map(|task| self.final_record(&task.id, &ending)).collect();
        let about_tasks = self.schedule.tasks.iter().flat_map(|task| self.findings_about(&task.id));
        let mut findings: Vec<_> = about_tasks.cloned().collect();
        findings.extend(gates.iter().flat_map(gate::findings));
        findings.extend(ending.noticed);
        findings.extend(self.run_findings.iter().cloned());
        let (bundle, bundle_digest) = ending.bundle.map(|bundle| (bundle.file, bundle.digest)).unzip();
        let result = Implementation {
            base: basis.base.commit.clone(),
            base_tree: basis.base.tree.clone(),
            commit: ending.head.commit,
            tree: ending.head.tree,
            commits: self.commits.clone(),
            reference: ending.reference,
            bundle,
            bundle_digest,
        };
        let facts = Facts {
            place: &basis.place,
            cancelled: ending.cancelled,
            schedule: &self.schedule,
            tasks: &tasks,
            result: &result,
            gates: &gates,
            findings: &findings,
        };
        let Conclusion { status, missing, criteria } = facts.judge();
        // Each may have run in a job of its own, on a machine of its own.
        let of_attempts = tasks.iter().flat_map(|record| &record.attempts).filter_map(|attempt| attempt.isolation);
        let levels: Vec<Level> = of_attempts.chain(gates.iter().filter_map(|receipt| receipt.isolation)).collect();
        Handoff {
            version: HANDOFF_VERSION,
            generator: ending.generator,
            status,
            missing,
            place: basis.place.clone(),
            isolation: ending.isolation.at_most(levels),
            started: ending.started,
            duration_ms: ending.duration_ms,
            earlier_ms: ending.taken_over.earlier_ms,
            lock: basis.lock.clone(),
            provenance: basis.provenance.clone(),
            plan: basis.plan.clone(),
            schedule: self.schedule.clone(),
            cost: Cost::from_attempts(tasks.iter().flat_map(|record| &record.attempts)),
            result,
            tasks,
            synthesis: self.synthesis.clone(),
            gates,
            criteria,
            findings,
            rework: self.rework.clone(),
            escalations: self.escalations.clone(),
            resumptions: ending.taken_over.resumptions,
            replayed: ending.taken_over.attempts,
        }
    }

    /// Returns the receipts of all gates; a gate that was never judged was not run.
    fn all_receipts(&self, basis: &Basis, ending: &Ending) -> Vec<Receipt> {
        let mut receipts: Vec<_> = self.gates.iter().map(|judged| judged.receipt.clone()).collect();
        for gate in GateKind::ALL {
            if receipts.iter().any(|receipt| receipt.gate == gate) {
                continue;
            }
            let reason = if ending.cancelled { "the run was cancelled before" } else { "the run ended before" };
            receipts.push(Receipt {
                gate,
                tree: ending.head.tree.clone(),
                state: GateState::NotRun,
                reason: format!("{reason} this gate could be judged"),
                commands: Vec::new(),
                verdict: None,
                evidence: GateEvidence::default(),
                place: basis.place.clone(),
                isolation: None,
                duration_ms: 0,
            });
        }
        receipts
    }

    fn final_record(&self, id: &TaskId, ending: &Ending) -> TaskRecord {
        if let Some(record) = self.records.get(id) {
            return record.clone();
        }
        let (outcome, reason) =
            ending.not_begun.get(id).cloned().expect("invariant: whoever ends a run says why a task never began");
        TaskRecord { id: id.clone(), outcome, reason, attempts: Vec::new() }
    }
}

#[cfg(test)]
mod tests;
