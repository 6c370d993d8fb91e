//! The end of a run: gates judged, hand-off put together, everything written.

use implementer_model::{
    findings::Finding,
    gate::{self, Receipt, SubagentVerdict},
    handoff::{Cost, HANDOFF_VERSION, Handoff, Implementation, Status, TaskRecord},
    ids::{Digest, ObjectId, TaskId},
    roster::Role,
    schedule::{Outcome, WhyNotRun},
    summary,
};

use super::{
    Run, RunError,
    gates::{GateRun, GateRuns},
    progress::{Observer, Progress},
    timeline::Timeline,
};
use crate::layout::{RunFile, refs};
use crate::{journal::Record, workspace::bundle};

impl Run {
    /// Turns what the gates' commands came to into receipts and findings.
    pub(super) fn judge_gates(&mut self, runs: GateRuns, observer: &mut dyn Observer) {
        // What an earlier round came to is in its record; these are about the tree as it is now.
        self.receipts.clear();
        self.gate_starts.clear();
        for GateRun { gate, began_ms, ended_ms, commands } in runs {
            let role = Role::ALL.into_iter().find(|role| role.gate() == Some(gate));
            let verdict = role.and_then(|role| self.verdict_of(role));
            let receipt = gate::judge(gate::Case {
                gate,
                tree: self.head.tree.clone(),
                commands,
                verdict,
                place: self.place.clone(),
                duration_ms: ended_ms.saturating_sub(began_ms),
            });
            observer.observe(&Progress::GateJudged { receipt: &receipt });
            self.journal.append(self.shop.now_ms(), Record::Judged { receipt: Box::new(receipt.clone()) });
            self.receipts.push(receipt);
            self.gate_starts.push(began_ms);
        }
    }

    /// Sums up what the subagents of a quality role had to say: all of them have to agree.
    fn verdict_of(&self, role: Role) -> Option<SubagentVerdict> {
        let mut verdicts = self
            .intake
            .schedule
            .tasks
            .iter()
            .filter(|task| task.role == role)
            .filter_map(|task| self.records.get(&task.id))
            .filter_map(SubagentVerdict::of_record)
            .collect::<Vec<_>>();
        let refused = verdicts.iter().position(|verdict| !verdict.passed);
        refused.map(|at| verdicts.swap_remove(at)).or_else(|| verdicts.pop())
    }

    /// Puts the hand-off together, judges it, and writes every file of the run.
    pub(super) async fn conclude(&mut self) -> Result<Handoff, RunError> {
        for kind in gate::GateKind::ALL {
            if !self.receipts.iter().any(|receipt| receipt.gate == kind) {
                self.receipts.push(self.not_run(kind));
                self.gate_starts.push(self.shop.now_ms());
            }
        }
        let mut handoff = self.handoff();
        tokio::task::block_in_place(|| self.write_bundle(&mut handoff))?;
        summary::conclude(&mut handoff);

        let run_dir = &self.shop.run_dir;
        let bytes = run_dir.write_json(RunFile::Handoff, &handoff)?;
        run_dir.write(RunFile::Summary, summary::render(&handoff).as_bytes())?;
        run_dir.write(RunFile::Report, summary::html::report(&handoff).as_bytes())?;
        run_dir.write_json(RunFile::Timeline, &Timeline::of(&handoff, &self.gate_starts))?;
        self.journal.append(
            self.shop.now_ms(),
            Record::Concluded {
                status: handoff.status,
                commit: handoff.result.commit.clone(),
                handoff: Digest::of(bytes),
            },
        );
        self.journal.sync().await?;
        Ok(handoff)
    }

    fn not_run(&self, kind: gate::GateKind) -> Receipt {
        let reason = if self.cancelled { "the run was cancelled before" } else { "the run ended before" };
        // A gate whose job left nothing is not one that failed.
        Receipt {
            gate: kind,
            tree: self.head.tree.clone(),
            state: gate::GateState::NotRun,
            reason: format!("{reason} this gate could be judged"),
            commands: Vec::new(),
            verdict: None,
            place: self.place.clone(),
            duration_ms: 0,
        }
    }

    fn handoff(&self) -> Handoff {
        let schedule = &self.intake.schedule;
        let tasks: Vec<_> = schedule.tasks.iter().map(|task| self.record_of(&task.id)).collect();
        let mut findings: Vec<Finding> =
            schedule.tasks.iter().flat_map(|task| self.findings.get(&task.id).into_iter().flatten().cloned()).collect();
        findings.extend(self.receipts.iter().flat_map(gate::findings));
        findings.extend(self.against_the_record());
        findings.extend(self.base_moved());
        findings.extend(self.noted_elsewhere());
        findings.extend(self.out_of_time.clone());
        let cost = Cost::of(tasks.iter().flat_map(|record| &record.attempts));
        Handoff {
            version: HANDOFF_VERSION,
            generator: concat!("backend-implementer ", env!("CARGO_PKG_VERSION")).to_owned(),
            status: if self.cancelled { Status::Cancelled } else { Status::Incomplete },
            missing: Vec::new(),
            place: self.place.clone(),
            started: humantime::format_rfc3339_seconds(self.started).to_string(),
            duration_ms: self.shop.now_ms(),
            lock: self.intake.lock.clone(),
            provenance: self.intake.provenance.clone(),
            isolation: self.shop.sandbox.isolation().clone(),
            plan: self.intake.plan.clone(),
            schedule: schedule.clone(),
            result: Implementation {
                base: self.intake.base.commit.clone(),
                base_tree: self.intake.base.tree.clone(),
                commit: self.head.commit.clone(),
                tree: self.head.tree.clone(),
                commits: self.commits.clone(),
                reference: refs::IMPLEMENTATION.to_owned(),
                bundle: None,
                bundle_digest: None,
            },
            tasks,
            synthesis: self.synthesis.clone(),
            gates: self.receipts.clone(),
            criteria: Vec::new(),
            findings,
            rework: self.rework.clone(),
            escalations: self.escalations.clone(),
            resumptions: self.replay.resumptions,
            // In a fan-out nothing is taken over from a run that broke off: attempts are made elsewhere.
            replayed: if self.elsewhere.is_some() { 0 } else { self.replay.replayed },
            cost,
        }
    }

    /// Returns what became of a task; for one that never began, why.
    fn record_of(&self, id: &TaskId) -> TaskRecord {
        if let Some(record) = self.records.get(id) {
            return record.clone();
        }
        let (outcome, reason) = match self.machine.why_not_run(id) {
            Some(WhyNotRun::NeedNotPassed { need, outcome }) => {
                (Outcome::Blocked, format!("it needs `{need}`, which is {}", self.outcome_of(need, *outcome).name()))
            }
            _ => (Outcome::NotRun, self.why_not_begun(id)),
        };
        TaskRecord { id: id.clone(), outcome, reason, attempts: Vec::new() }
    }

    /// Returns how a task ended, as its record says: the machine tells fewer states apart.
    fn outcome_of(&self, id: &TaskId, otherwise: Outcome) -> Outcome {
        self.records.get(id).map_or(otherwise, |record| record.outcome)
    }

    /// Packs the implementation and every patch, integrated or not.
    fn write_bundle(&self, handoff: &mut Handoff) -> Result<(), RunError> {
        let mut refs: Vec<(String, ObjectId)> = self.patch_refs.clone();
        if self.head.commit != self.intake.base.commit {
            refs.push((refs::IMPLEMENTATION.to_owned(), self.head.commit.clone()));
        }
        if refs.is_empty() {
            return Ok(());
        }
        let path = self.shop.run_dir.path(RunFile::Bundle);
        let digest = bundle::write(&self.shop.store, &refs, &self.intake.base.commit, &path)?;
        handoff.result.bundle = Some(RunFile::Bundle.name().to_owned());
        handoff.result.bundle_digest = Some(digest);
        Ok(())
    }
}
