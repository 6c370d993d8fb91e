//! A run: what happened goes in, what is to be done comes out. It reads no file, starts nothing and knows no clock, so
//! that every decision of the coordination can be tested on values.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    action::{AcceptedPatch, Action, Notice},
    basis::{Basis, Head},
    gate_job::GateRun,
    history::History,
    ledger::{Bundle, Ending, Ledger, TakenOver},
    retry,
    synthesis::synthesis,
};
use crate::{
    budget::Purse,
    findings::{Finding, FindingCode, Weight},
    handoff::Handoff,
    ids::{ObjectId, TaskId},
    isolation::Isolation,
    patch::Conflict,
    record::{AttemptId, IntegratedCommit, Outcome, Request, TaskRecord},
    schedule::{Again, Durations, Effect, Event, Machine, Millis, Schedule, WhyNotRun},
    scope::CheckedPatch,
    text,
};

/// The state of a run.
#[derive(Debug)]
pub struct Run {
    pub(super) basis: Basis,
    pub(super) machine: Machine,
    pub(super) ledger: Ledger,
    pub(super) history: History,
    pub(super) purse: Purse,
    pub(super) calls: Calls,
    /// What briefs speak of.
    known: Known,
    /// Passed patches that wait for their wave to be integrated.
    pub(super) accepted: BTreeMap<TaskId, CheckedPatch>,
    /// The last integrated commit: what the next wave starts from.
    pub(super) head: Head,
    pub(super) cancelled: bool,
    /// What the commands of the gates came to last, and on which tree.
    pub(super) last_gates: Option<(ObjectId, Vec<GateRun>)>,
}

/// Who is called again, and for what.
#[derive(Debug, Default)]
pub(super) struct Calls {
    /// What the next attempt at a task is asked for beside its requirements.
    pub(super) requests: BTreeMap<TaskId, Vec<Request>>,
    /// Tasks that are not called for rework any more: it changed nothing.
    pub(super) given_up: BTreeSet<TaskId>,
    /// Quality tasks that were called because their verdict was outdated, each with the tree.
    pub(super) for_tree: BTreeSet<(TaskId, ObjectId)>,
    /// Whether the author of tests was told what no test notices.
    pub(super) tests_asked: bool,
    /// Tasks that were asked for what their report leaves open.
    pub(super) reports_asked: BTreeSet<TaskId>,
}

/// What had become of the tasks when the group of tasks that runs began. Briefs speak of that, and not of what a sibling
/// may have done in the meantime: the same run has the same briefs, whoever is quicker.
#[derive(Debug, Default)]
struct Known {
    group: usize,
    records: BTreeMap<TaskId, TaskRecord>,
}

/// Whether something happens now, or happened in an earlier process or another job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    Now,
    Before,
}

/// What integrating the patches of a wave came to.
#[derive(Debug)]
pub struct Integration {
    pub wave: usize,
    /// The last commit, with all patches that did not conflict.
    pub head: Head,
    pub commits: Vec<IntegratedCommit>,
    pub conflicts: Vec<(TaskId, Vec<Conflict>)>,
}

/// What only the world knows about the end of a run.
#[derive(Debug)]
pub struct RunEnd {
    /// The program and its version.
    pub generator: String,
    /// When the run began, in RFC 3339.
    pub started: String,
    pub duration_ms: u64,
    /// What kept subagents and gates apart.
    pub isolation: Isolation,
    /// The ref of the implementation inside the bundle.
    pub reference: String,
    pub bundle: Option<Bundle>,
    /// What was noticed at the end.
    pub noticed: Vec<Finding>,
    /// The tasks of which an attempt is due that nobody makes any more, and why.
    pub abandoned: BTreeMap<TaskId, String>,
}

impl Run {
    /// Makes the state of a run before its first task. `durations` say what earlier runs took.
    #[must_use]
    pub fn new(basis: Basis, schedule: Schedule, history: History, durations: &Durations) -> Self {
        Self {
            machine: Machine::new(&schedule).expecting(&schedule, durations),
            purse: Purse::new(basis.config.limits.run_cost),
            head: basis.base.clone(),
            ledger: Ledger::new(schedule),
            basis,
            history,
            calls: Calls::default(),
            known: Known::default(),
            accepted: BTreeMap::new(),
            cancelled: false,
            last_gates: None,
        }
    }

    /// Lets every task of a wave begin at once: what is said of the schedule stays as it was approved.
    #[must_use]
    pub fn with_open_waves(mut self) -> Self {
        self.machine = self.machine.with_open_waves();
        self
    }

    #[must_use]
    pub fn basis(&self) -> &Basis {
        &self.basis
    }

    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }

    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled
    }

    /// Tells whether an earlier process began this run.
    #[must_use]
    pub fn is_resumed(&self) -> bool {
        self.history.has_records()
    }

    /// Tells whether the time of the whole run is over.
    #[must_use]
    pub fn is_late(&self, now: Millis) -> bool {
        self.ends_at().is_some_and(|at| at <= now)
    }

    /// Returns when the time of the whole run is over.
    #[must_use]
    pub fn ends_at(&self) -> Option<Millis> {
        // What an earlier run took is not counted against this one.
        let began = self.history.kept_until_ms();
        self.basis.config.limits.run_minutes.map(|minutes| minutes.saturating_mul(60_000).saturating_add(began))
    }

    /// Returns when [`Self::tick`] is due next because of a task.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Millis> {
        self.machine.next_deadline()
    }

    /// Begins the run; ends it at once when a gate could not pass, before anything is paid for.
    pub fn begin(&mut self, now: Millis) -> Vec<Action> {
        match self.gate_without_a_command() {
            Some(why) => self.end_early(None, why, now),
            None => self.handle(Event::Begin, now),
        }
    }

    /// Takes in that time went by.
    pub fn tick(&mut self, now: Millis) -> Vec<Action> {
        self.handle(Event::Tick, now)
    }

    /// Takes in that the process of an attempt runs.
    pub fn attempt_started(&mut self, id: AttemptId, now: Millis) -> Vec<Action> {
        self.handle(Event::Started { task: id.task, attempt: id.attempt }, now)
    }

    /// Takes in what integrating a wave came to. A task whose patch conflicts is called again once.
    pub fn integrated(&mut self, integration: Integration, now: Millis) -> Vec<Action> {
        let Integration { wave, head, commits, conflicts } = integration;
        let mut actions = vec![Action::Announce(Notice::Integrated { wave, commits: commits.len() })];
        self.head = head;
        self.ledger.integrated(commits);
        let mut failed = Vec::new();
        let mut again = Vec::new();
        for (task, conflicts) in conflicts {
            self.ledger.conflicted(&task, conflicts);
            if let Some(because) = self.ledger.record(&task).and_then(retry::after_conflict) {
                actions.push(Action::announce_again(&task, &because));
                again.push(Again { task: task.clone(), because });
            }
            failed.push(task);
        }
        actions.extend(self.handle(Event::Follow { groups: vec![again] }, now));
        actions.extend(self.handle(Event::WaveIntegrated { wave, failed }, now));
        actions
    }

    /// Ends what runs and keeps what there is, because somebody asked for it.
    pub fn cancel(&mut self, now: Millis) -> Vec<Action> {
        self.cancelled = true;
        let mut actions = vec![Action::StopGates, Action::Announce(Notice::Cancelling)];
        actions.extend(self.handle(Event::Cancel, now));
        actions
    }

    /// Ends the run because its time is over: as a cancel does, so that it can be resumed.
    pub fn run_out_of_time(&mut self, now: Millis) -> Vec<Action> {
        let minutes = self.basis.config.limits.run_minutes.expect("invariant: only a run with a time limit is late");
        let minutes = text::count(usize::try_from(minutes).unwrap_or(usize::MAX), "minute");
        self.ledger.noticed_of_run(Finding {
            code: FindingCode::RunTimedOut,
            weight: Weight::Blocking,
            task: None,
            path: None,
            line: None,
            message: format!(
                "the run reached its time limit of {minutes} and was ended; finished work is kept, and the same command \
                 resumes the run"
            ),
        });
        self.cancel(now)
    }

    /// Notes that the run was cancelled where this process could not see it.
    pub fn was_cancelled(&mut self) {
        self.cancelled = true;
    }

    /// Takes note of what is done when a group of tasks begins.
    pub(super) fn know_group(&mut self) {
        let group = self.machine.groups_begun();
        if std::mem::replace(&mut self.known.group, group) != group {
            self.known.records.clone_from(self.ledger.records());
        }
    }

    /// Returns what is known of a task since its group began.
    pub(super) fn known_record(&self, task: &TaskId) -> Option<&TaskRecord> {
        self.known.records.get(task)
    }

    /// Makes the hand-off.
    #[must_use]
    pub fn conclude(&self, end: RunEnd) -> Handoff {
        let not_begun = |id: &TaskId| match self.machine.why_not_run(id) {
            Some(WhyNotRun::NeedNotPassed { need, outcome }) => {
                // The machine tells fewer states apart than the record.
                let outcome = self.ledger.record(need).map_or(*outcome, |record| record.outcome);
                (Outcome::Blocked, format!("it needs `{need}`, which is {}", outcome.name()))
            }
            _ => {
                let why = end.abandoned.get(id).map_or("the run ended before its turn", String::as_str);
                (Outcome::NotRun, why.to_owned())
            }
        };
        let tasks = self.ledger.schedule().tasks.iter().map(|task| &task.id);
        let without_record = tasks.filter(|id| self.ledger.record(id).is_none());
        let not_begun = without_record.map(|id| (id.clone(), not_begun(id))).collect();
        self.ledger.conclude(
            &self.basis,
            Ending {
                generator: end.generator,
                started: end.started,
                duration_ms: end.duration_ms,
                isolation: end.isolation,
                head: self.head.clone(),
                reference: end.reference,
                bundle: end.bundle,
                cancelled: self.cancelled,
                not_begun,
                noticed: end.noticed,
                taken_over: TakenOver {
                    resumptions: self.history.resumptions(),
                    attempts: self.history.replayed(),
                    earlier_ms: self.history.kept_until_ms(),
                },
            },
        )
    }

    /// Tells the machine what happened, and says what is to be done.
    pub(super) fn handle(&mut self, event: Event, now: Millis) -> Vec<Action> {
        let mut actions = Vec::new();
        for effect in self.machine.handle(event, now) {
            match effect {
                Effect::Start { task, attempt, because } => {
                    actions.push(Action::Start { id: AttemptId::new(task, attempt), because });
                }
                Effect::Stop { task, why, .. } => actions.push(Action::Stop { task, why }),
                Effect::Integrate { wave, tasks } => {
                    let patches = tasks.iter().filter_map(|task| self.take_accepted(task)).collect();
                    actions.push(Action::Integrate { wave, patches });
                }
                Effect::Synthesize { phase } => {
                    self.ledger.phase_ended(synthesis(&self.ledger, phase, &self.head.tree));
                    actions.push(Action::Announce(Notice::PhaseEnded(phase)));
                }
                Effect::JudgeGates => self.begin_gates(&mut actions, now),
                Effect::Finish => actions.push(Action::Finish),
            }
        }
        actions
    }

    /// Takes out the accepted patch of a task, when there is anything in it.
    fn take_accepted(&mut self, task: &TaskId) -> Option<AcceptedPatch> {
        let patch = self.accepted.remove(task).filter(|patch| !patch.patch().is_empty())?;
        let attempt = self.ledger.record(task).and_then(TaskRecord::last);
        let attempt = attempt.expect("invariant: a patch is accepted at the end of an attempt").attempt;
        Some(AcceptedPatch { id: AttemptId::new(task.clone(), attempt), patch })
    }
}

#[cfg(test)]
mod tests;
