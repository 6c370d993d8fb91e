//! What follows from the end of an attempt: another one, a specialist, or nothing.

use super::{
    action::{Action, Notice},
    attempt_plan::{AttemptPlan, JudgedAttempt},
    escalation::{self, Specialist},
    history::Finished,
    retry,
    retry::Repetition,
    state::{Happened, Run},
};
use crate::{
    budget::Exhausted,
    findings::{Finding, FindingCode, Weight},
    ids::TaskId,
    record::{AttemptId, Escalation, FailureKind, Outcome, Request, TaskRecord},
    schedule::{Again, End, Event, Millis, Task},
    text,
};

/// The longest request to a specialist that is kept, in characters.
const REQUEST_MAX: usize = 2_000;

/// The longest request that a reason shows, in characters.
const REQUEST_SHOWN: usize = 300;

impl Run {
    /// Sets aside what an attempt may cost.
    ///
    /// # Errors
    /// When nothing is left for it.
    pub fn reserve(&mut self, plan: &mut AttemptPlan) -> Result<(), Exhausted> {
        let tasks = self.ledger.schedule().tasks.iter();
        let waiting = tasks.filter(|task| self.ledger.record(&task.id).is_none()).count();
        let own = self.basis.config.cost(&plan.task.subagent);
        plan.limits.budget = self.purse.reserve(&plan.id.task, own, waiting)?;
        Ok(())
    }

    /// Takes out what is known of an attempt that is about to start.
    pub fn take_finished(&mut self, plan: &AttemptPlan) -> Finished {
        self.history.take_finished(plan)
    }

    /// Counts an attempt that was taken over from an earlier process.
    pub fn taken_over(&mut self) {
        self.history.taken_over();
    }

    /// Takes down how an attempt ended. What follows is decided by [`Self::after_attempt`], once somebody has looked at
    /// what it changed.
    pub fn attempt_ended(&mut self, judged: JudgedAttempt) {
        let JudgedAttempt { ended, accepted } = judged;
        let (task, attempt) = (&ended.task, &ended.attempt);
        match attempt.outcome {
            Outcome::NotRun => self.purse.release(task),
            _ => self.purse.settle(task, attempt.session.as_ref().and_then(|session| session.micro_dollars)),
        }
        if let Some(patch) = accepted {
            self.accepted.insert(task.clone(), patch);
        }
        self.ledger.attempt_ended(ended);
    }

    /// Decides what follows from the end of an attempt: another one, a specialist, or nothing. `noticed` is what looking
    /// at its changes gave.
    pub fn after_attempt(
        &mut self,
        id: &AttemptId,
        failure: FailureKind,
        noticed: Vec<Finding>,
        happened: Happened,
        now: Millis,
    ) -> Vec<Action> {
        let task = &id.task;
        self.ledger.noticed(task, noticed);
        self.give_up_repeaters(task);
        let record = self.ledger.record(task).expect("invariant: the end of the attempt was taken down");
        let mut actions = Vec::new();
        if record.outcome == Outcome::Failed && failure == FailureKind::CannotStart && !self.cancelled {
            let message = format!(
                "no subagent can work: {task} could not ({}); the run was ended before more was paid for",
                record.reason
            );
            actions.extend(self.end_early(Some(task.clone()), message, now));
        }
        let record = self.ledger.record(task).expect("invariant: the end of the attempt was taken down");
        let may_repeat = self.basis.config.rework_rounds() > 0;
        if let Some(retry) = retry::after_end(record, failure, may_repeat) {
            let (task, attempt, because) = (task.clone(), id.attempt, retry.because);
            actions.push(Action::announce_again(&task, &because));
            let after = match happened {
                Happened::Now => retry.after_ms,
                // It was waited out when it happened.
                Happened::Before => 0,
            };
            actions.extend(self.handle(Event::Retry { task, attempt, because, after }, now));
            return actions;
        }
        let end = match record.outcome {
            Outcome::Passed => End::Passed,
            Outcome::Blocked => End::Blocked,
            _ => End::Failed,
        };
        // Who follows has to be known before the wave is over.
        let wants_help = end == End::Blocked || end == End::Passed && self.wants_help(task);
        let groups = if wants_help { self.escalate(task, &mut actions) } else { Vec::new() };
        actions.extend(self.handle(Event::Follow { groups }, now));
        actions.extend(self.handle(Event::Ended { task: task.clone(), attempt: id.attempt, end }, now));
        actions
    }

    /// Notes a task whose attempt brought nothing new: calling it for rework again would change nothing.
    fn give_up_repeaters(&mut self, task: &TaskId) {
        let called = self.ledger.rework().iter().flat_map(|round| &round.called).any(|call| call.task == *task);
        let repetition = self.ledger.record(task).and_then(|record| retry::repetition(record, called));
        // Who was asked for a better report needs not change a file.
        let is_open =
            |finding: &Finding| finding.code == FindingCode::UncoveredRequirement && finding.weight == Weight::Blocking;
        let answered = self.calls.reports_asked.contains(task) && !self.ledger.findings_about(task).iter().any(is_open);
        let repetition = repetition.filter(|repetition| *repetition != Repetition::NoAnswer || !answered);
        // What was tried once more on the same tree may well bring the same; on another tree it can pass.
        if repetition.is_some() && called {
            self.calls.given_up.insert(task.clone());
        }
        if repetition == Some(Repetition::SamePatch) {
            let message = "this attempt changed exactly what an earlier one had changed";
            self.ledger.noticed(task, [Finding::about(task, FindingCode::SamePatchAgain, Weight::Warning, message)]);
        }
    }

    fn wants_help(&self, task: &TaskId) -> bool {
        let report = self.ledger.record(task).and_then(TaskRecord::report);
        let task = self.ledger.schedule().task(task);
        task.zip(report).is_some_and(|(task, report)| escalation::wants_help(task, report))
    }

    /// Calls the specialists that a task names when it is blocked or left something undone, and then the task again. Gives
    /// the groups that follow; none when no specialist is called, and the record says why.
    fn escalate(&mut self, blocked: &TaskId, actions: &mut Vec<Action>) -> Vec<Vec<Again>> {
        let report = self.ledger.record(blocked).and_then(TaskRecord::report);
        let wanted = report.map_or_else(Vec::new, escalation::wanted);
        let mut groups = Vec::new();
        let mut helpers = Vec::new();
        let mut beside = Vec::new();
        for (name, request) in wanted {
            let is_there = |need: &TaskId| {
                self.machine.runs_in_this_group(need) || escalation::has_passed(self.ledger.record(need))
            };
            let can_begin = |task: &Task| task.needs.iter().all(is_there);
            let found = escalation::specialist_for(&self.ledger, &self.basis, blocked, &name, &request, can_begin);
            // Its work on this very plan is not in the tree yet: that comes first, and may be all that is needed.
            if let Ok(Specialist::Scheduled(task)) = &found
                && self.machine.runs_in_this_group(task)
            {
                beside.push(format!("`{task}`"));
                continue;
            }
            let (called, refused) = match found {
                Ok(Specialist::Scheduled(task)) => (Some(task), String::new()),
                Ok(Specialist::Added(task)) => (Some(self.add_task(&task, actions)), String::new()),
                Err(refused) => (None, refused.to_string()),
            };
            if let Some(task) = &called {
                let request_shown = text::truncate(&request, REQUEST_SHOWN);
                let because = format!("`{blocked}` needs it, and is retried after it: {request_shown}");
                actions.push(Action::announce_again(task, &because));
                let request = Request { from: format!("task {blocked}"), text: request.clone() };
                self.calls.requests.entry(task.clone()).or_default().push(request);
                helpers.push(format!("`{task}`"));
                groups.push(vec![Again { task: task.clone(), because }]);
            } else {
                let message = format!("{name} was not called, because {refused}");
                self.ledger.noticed(
                    blocked,
                    [Finding::about(blocked, FindingCode::EscalationRefused, Weight::Blocking, message)],
                );
            }
            self.ledger.escalated(Escalation {
                blocked: blocked.clone(),
                specialist: name,
                request: text::truncate(&request, REQUEST_MAX),
                called,
                refused,
            });
        }
        let because = match (helpers.as_slice(), beside.as_slice()) {
            ([], []) => return groups,
            (helpers, []) => format!("{} was called for what it needed", helpers.join(" and ")),
            ([], beside) => format!("{} ran beside it, and it needs that work", beside.join(" and ")),
            (helpers, beside) => {
                let (helpers, beside) = (helpers.join(" and "), beside.join(" and "));
                format!("{helpers} was called for what it needed, and {beside} ran beside it")
            }
        };
        if helpers.is_empty() {
            actions.push(Action::announce_again(blocked, &because));
        }
        groups.push(vec![Again { task: blocked.clone(), because }]);
        groups
    }

    /// Puts a task into the schedule that the plan does not have.
    fn add_task(&mut self, task: &Task, actions: &mut Vec<Action>) -> TaskId {
        let id = task.id.clone();
        actions.push(Action::Announce(Notice::TaskAdded(Box::new(task.clone()))));
        let wave = self.ledger.task_added(task.clone());
        self.machine.add(task, wave);
        id
    }
}
