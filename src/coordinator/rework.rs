//! What happens when the gates do not pass: whoever is to blame is called again, a bounded number of times.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use implementer_model::{
    gate::{GateKind, SubagentVerdict},
    ids::TaskId,
    rework::{self, Call, Choice, ReworkRound, Situation},
    roster::Role,
    schedule::{Again, Event, Outcome},
};

use super::{
    Happened, Run, RunError, bisect,
    bisect::Suspect,
    gates,
    progress::{Observer, Progress},
};
use crate::layout::{self, RunFile};

impl Run {
    /// Decides what follows from the gates' receipts: the end, or, after looking for culprits, another round.
    pub(super) fn after_gates(&mut self) -> Option<Event> {
        let rounds = u32::try_from(self.rework.len()).unwrap_or(u32::MAX);
        if self.cancelled || rounds >= self.intake.config.rework_rounds() {
            return Some(Event::GatesJudged { again: Vec::new() });
        }
        let suspects: Vec<_> = self
            .receipts
            .iter()
            .filter(|receipt| rework::is_red(receipt))
            .filter_map(|receipt| {
                let command = rework::failed_command(receipt)?;
                let job = gates::bisect_job(&self.intake, receipt.gate, (command.asked_by, command.argv.clone()));
                Some(Suspect { job, took_ms: command.duration_ms })
            })
            .collect();
        let commits: Vec<_> = self.commits.iter().map(|commit| (commit.task.clone(), commit.commit.clone())).collect();
        let (shop, events) = (Arc::clone(&self.shop), self.events.clone());
        if let Some(culprits) = self.replay.culprits(&self.head.commit) {
            let _ = events.send(Happened::Culprits(Ok(culprits)));
            return None;
        }
        if self.elsewhere.as_ref().is_some_and(|elsewhere| !elsewhere.gates_here) {
            // Whoever ran the gates has looked for culprits; that nothing is known names nobody.
            let _ = events.send(Happened::Culprits(Ok(BTreeMap::new())));
            return None;
        }
        let (base, stop) = (self.intake.base.commit.clone(), self.stop_gates.subscribe());
        self.workers.spawn(async move {
            let culprits = bisect::culprits(&shop, suspects, &base, &commits, &stop).await;
            let _ = events.send(Happened::Culprits(culprits));
        });
        None
    }

    /// Begins a round of rework with whoever is to blame; the end, when nobody is.
    pub(super) fn begin_round(
        &mut self,
        culprits: &BTreeMap<GateKind, TaskId>,
        observer: &mut dyn Observer,
    ) -> Result<Event, RunError> {
        let number = u32::try_from(self.rework.len() + 1).unwrap_or(u32::MAX);
        let findings: Vec<_> = self.findings.values().flatten().cloned().collect();
        let Choice { because, mut calls } = rework::choose(&Situation {
            round: number,
            schedule: &self.intake.schedule,
            records: &self.records,
            commits: &self.commits,
            receipts: &self.receipts,
            findings: &findings,
            culprits,
            given_up: &self.given_up,
        });
        if because.is_empty() || self.cancelled {
            return Ok(Event::GatesJudged { again: Vec::new() });
        }
        let mut called = Vec::new();
        let mut again = Vec::new();
        let order: Vec<_> = self.intake.schedule.tasks.iter().map(|task| task.id.clone()).collect();
        for task in order {
            let Some((because, requests)) = calls.remove(&task) else { continue };
            observer.observe(&Progress::TaskAgain { task: &task, reason: &because });
            self.requests.entry(task.clone()).or_default().extend(requests);
            again.push(Again { task: task.clone(), because: because.clone() });
            called.push(Call { task, because });
        }
        self.rework.push(ReworkRound { number, tree: self.head.tree.clone(), because, called });
        if !again.is_empty() {
            // The logs of the gates that were red stay beside those that come.
            self.shop.run_dir.set_aside(RunFile::Gates, layout::gates_before_rework(number))?;
        }
        Ok(Event::GatesJudged { again })
    }

    /// Finds the quality subagents whose verdict is about another tree than the one that the gates are judged on: the
    /// reviewer, because a review counts for the tree that it read, and whoever objected to what was changed since.
    pub(super) fn outdated_verdicts(&mut self) -> Vec<Again> {
        let mut again = Vec::new();
        for task in self.intake.schedule.tasks.iter().filter(|task| task.role.gate().is_some()) {
            let Some(record) = self.records.get(&task.id) else { continue };
            let Some(read) = record.last().and_then(|attempt| attempt.patch.as_ref()).map(|patch| &patch.base_tree)
            else {
                continue;
            };
            let objects = SubagentVerdict::of_record(record).is_some_and(|verdict| !verdict.passed);
            let reason = match (task.role, objects) {
                (Role::Review, _) => "the tree changed after its review, and a review counts for the tree that it read",
                (_, true) => "the tree changed after it had objected",
                _ => continue,
            };
            if record.outcome == Outcome::Passed
                && *read != self.head.tree
                && self.asked_again.insert((task.id.clone(), self.head.tree.clone()))
            {
                again.push(Again { task: task.id.clone(), because: reason.to_owned() });
            }
        }
        again
    }

    /// Notes tasks whose attempt changed exactly what an earlier one had: calling them again changes nothing.
    pub(super) fn give_up_repeaters(&mut self, task: &TaskId) -> bool {
        let Some(record) = self.records.get(task) else { return false };
        let Some(last) = record.last().and_then(|attempt| attempt.patch.as_ref()) else { return false };
        let earlier = record.attempts.iter().rev().skip(1).filter_map(|attempt| attempt.patch.as_ref());
        let asked = !last.is_empty() || record.attempts.len() > 1;
        let same = asked && earlier.into_iter().any(|patch| !patch.is_empty() && patch.changes == last.changes);
        // A call for rework that changes nothing is the same as no answer.
        let nothing = last.is_empty() && record.attempts.len() > 1 && self.was_called_for_rework(task);
        if same || nothing {
            self.given_up.insert(task.clone());
        }
        same
    }

    fn was_called_for_rework(&self, task: &TaskId) -> bool {
        let called: BTreeSet<_> = self.rework.iter().flat_map(|round| &round.called).map(|call| &call.task).collect();
        called.contains(task)
    }
}
