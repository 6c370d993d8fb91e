//! The gates, and the rounds of rework that follow when they do not pass.

use super::{
    action::{Action, CulpritSearch, Notice, RedCommand},
    basis::{Basis, Head},
    gate_job::{GateJob, GateRun},
    judgement, outdated,
    rework::{self, RedGates},
    state::{Happened, Run},
};
use crate::{
    evidence::{following::Followed, restore},
    gate::GateKind,
    ids::TaskId,
    patch::changes_of,
    record::{Call, Culprits, IntegratedCommit, Record, ReworkRound},
    schedule::{Again, Event, Millis},
};

impl Run {
    /// Calls the reviewer again when the tree moved after it had read it; else runs the gates.
    pub(super) fn begin_gates(&mut self, actions: &mut Vec<Action>, now: Millis) {
        let again = outdated::outdated_verdicts(&self.ledger, &self.head.tree, &self.calls.for_tree);
        if again.is_empty() {
            match self.last_gates.take().filter(|(tree, _)| *tree == self.head.tree) {
                // Whoever was called changed nothing: what the commands came to on this very tree still holds.
                Some((_, runs)) => actions.extend(self.gates_ran(runs, Happened::Before, now)),
                None => {
                    if let round @ 1.. = self.rounds_begun() {
                        actions.push(Action::SetGateLogsAside { round });
                    }
                    actions.push(Action::RunGates(self.gate_jobs()));
                }
            }
            return;
        }
        for Again { task, because } in &again {
            self.calls.for_tree.insert((task.clone(), self.head.tree.clone()));
            let request = outdated::look_again(&self.ledger, task);
            self.calls.requests.entry(task.clone()).or_default().push(request);
            actions.push(Action::announce_again(task, because));
        }
        actions.extend(self.handle(Event::GatesJudged { again }, now));
    }

    /// Returns what the gates have to run.
    #[must_use]
    pub fn gate_jobs(&self) -> Vec<GateJob> {
        let Basis { plan, config, .. } = &self.basis;
        GateKind::ALL.map(|gate| GateJob::new(plan, config, gate)).into()
    }

    /// Returns what the tests gate has to run.
    #[must_use]
    pub fn tests_job(&self) -> GateJob {
        GateJob::new(&self.basis.plan, &self.basis.config, GateKind::Tests)
    }

    /// Returns what the commands of the gates came to on this very tree before.
    #[must_use]
    pub fn gates_ran_before(&self, jobs: &[GateJob], now: Millis) -> Option<Vec<GateRun>> {
        self.history.gate_runs(jobs, &self.head.tree, self.rounds_begun(), now)
    }

    /// Takes out who was found to be to blame on this very commit before.
    pub fn culprits_found_before(&mut self) -> Option<Culprits> {
        self.history.take_culprits(&self.head.commit, self.rounds_begun())
    }

    fn rounds_begun(&self) -> u32 {
        u32::try_from(self.ledger.rework().len()).expect("invariant: rounds of rework are few")
    }

    /// Judges the gates by what their commands came to, and decides what follows: the end, or looking for culprits.
    pub fn gates_ran(&mut self, runs: Vec<GateRun>, happened: Happened, now: Millis) -> Vec<Action> {
        self.last_gates = Some((self.head.tree.clone(), runs.clone()));
        let judged = judgement::judge_gates(&self.basis.plan, &self.ledger, runs, &self.head.tree, &self.basis.place);
        let mut actions = Vec::new();
        for receipt in judged.iter().map(|judged| Box::new(judged.receipt.clone())) {
            actions.push(Action::Announce(Notice::GateJudged(receipt.clone())));
            if happened == Happened::Now {
                actions.push(Action::Write(Record::Judged { receipt }));
            }
        }
        self.ledger.gates_judged(judged);
        let rounds_left = self.rounds_begun() < self.history.rounds_max(self.basis.config.rework_rounds());
        if self.cancelled || !rounds_left {
            actions.extend(self.handle(Event::GatesJudged { again: Vec::new() }, now));
        } else {
            actions.push(Action::FindCulprits(self.culprit_search()));
        }
        actions
    }

    /// Begins a round of rework with whoever is to blame; ends the run when nobody is.
    pub fn culprits_found(&mut self, found: Culprits, happened: Happened, now: Millis) -> Vec<Action> {
        let mut actions = Vec::new();
        let number = self.rounds_begun() + 1;
        let rework::Calls { because, mut calls, of_tests, of_reports } = self.choose(number, &found);
        self.calls.tests_asked |= of_tests;
        self.calls.reports_asked.extend(of_reports);
        if happened == Happened::Now {
            actions.push(Action::Write(Record::Bisected { head: self.head.commit.clone(), found }));
        }
        let mut again = Vec::new();
        if !because.is_empty() && !self.cancelled {
            let mut called = Vec::new();
            let order: Vec<_> = self.ledger.schedule().tasks.iter().map(|task| task.id.clone()).collect();
            for task in order {
                let Some((because, requests)) = calls.remove(&task) else { continue };
                actions.push(Action::announce_again(&task, &because));
                self.calls.requests.entry(task.clone()).or_default().extend(requests);
                again.push(Again { task: task.clone(), because: because.clone() });
                called.push(Call { task, because });
            }
            self.ledger.rework_begun(ReworkRound { number, tree: self.head.tree.clone(), because, called });
        }
        actions.extend(self.handle(Event::GatesJudged { again }, now));
        actions
    }

    /// Chooses who is called again. Where a run begins that repeats a part of an earlier one, whoever was called last there
    /// has another try, and so has a task that somebody named.
    fn choose(&mut self, round: u32, found: &Culprits) -> rework::Calls {
        let taken_up: Vec<_> = self.history.retries_after(round - 1).map(|retried| retried.task.clone()).collect();
        if !taken_up.is_empty() {
            self.calls.reports_asked.clear();
            let last = self.ledger.rework().last();
            let called_last =
                |task: &TaskId| last.is_some_and(|last| last.called.iter().any(|call| call.task == *task));
            self.calls.given_up.retain(|task| !called_last(task) && !taken_up.contains(&Some(task.clone())));
        }
        let mut chosen = rework::choose(&self.red_gates(round, found));
        if chosen.calls.is_empty() && !taken_up.is_empty() {
            self.calls.given_up.clear();
            chosen = rework::choose(&self.red_gates(round, found));
        }
        for task in taken_up.into_iter().flatten() {
            chosen.call_for_what_is_open(&task, &self.red_gates(round, found));
        }
        chosen
    }

    fn red_gates<'a>(&'a self, round: u32, found: &'a Culprits) -> RedGates<'a> {
        RedGates {
            round,
            ledger: &self.ledger,
            found,
            base_is_the_work: self.base_is_the_work(),
            tests_asked: self.calls.tests_asked,
            reports_asked: &self.calls.reports_asked,
            given_up: &self.calls.given_up,
        }
    }

    fn culprit_search(&self) -> CulpritSearch {
        let receipts = self.ledger.gates().iter().map(|judged| &judged.receipt);
        let red = receipts.filter(|receipt| rework::is_red(receipt)).filter_map(|receipt| {
            let command = rework::failed_command(receipt)?;
            let command_alone = (command.asked_by, command.argv.clone());
            let job = GateJob::with_only(&self.basis.config, receipt.gate, command_alone);
            let followed = Followed::new(&command.failing, &command.output_tail);
            Some(RedCommand { job, took_ms: command.duration_ms, followed })
        });
        let commits = self.ledger.commits();
        let head = |commit: &IntegratedCommit| Head { commit: commit.commit.clone(), tree: commit.tree.clone() };
        let of_tests = changes_of(commits.iter().filter_map(|commit| self.ledger.integrated_patch(commit)));
        let of_tests = of_tests.into_iter().filter(|change| restore::belongs_to_tests(&change.path));
        CulpritSearch {
            commands: red.collect(),
            commits: commits.iter().map(|commit| (commit.task.clone(), head(commit))).collect(),
            final_tests: of_tests.map(|change| (change.path, change.new)).collect(),
        }
    }
}
