//! The state of one task.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{Effect, End, Millis, StopReason};
use crate::{
    ids::TaskId,
    roster::Phase,
    schedule::{Outcome, Task},
};

/// What a task is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskState {
    /// Its turn has not come.
    Waiting,
    /// It runs.
    Running {
        /// The attempt, from 1.
        attempt: u32,
        /// Since when.
        since: Millis,
    },
    /// It was told to stop and has not ended.
    Stopping {
        /// The attempt, from 1.
        attempt: u32,
        /// Why it was told to stop.
        why: StopReason,
    },
    /// It has an outcome. It may still run again, when the gates ask for it.
    Done(Outcome),
}

/// Why a task was not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhyNotRun {
    /// A task that it needs did not pass.
    NeedNotPassed {
        /// That task.
        need: TaskId,
        /// How that ended.
        outcome: Outcome,
    },
    /// The run was over before its turn came.
    RunEnded,
}

#[derive(Debug, Clone)]
pub(super) struct TaskSlot {
    pub(super) id: TaskId,
    pub(super) phase: Phase,
    /// The number of its wave; `None` when the schedule has it in none, so that it never runs.
    pub(super) wave: Option<usize>,
    /// What it needs, and where that is; a need that the schedule does not have has no place.
    pub(super) needs: Vec<(TaskId, Option<usize>)>,
    limit: Millis,
    /// How long an attempt is likely to take, where anything is known.
    pub(super) expected: Option<Millis>,
    /// Whether the process of the attempt is known to run.
    running: bool,
    pub(super) state: TaskState,
    pub(super) attempts: u32,
    /// Why the next attempt is made; empty for the first.
    pub(super) because: String,
    /// Before when the next attempt must not begin.
    pub(super) not_before: Millis,
    pub(super) why_not_run: Option<WhyNotRun>,
}

impl TaskSlot {
    pub(super) fn new(task: &Task, places: &HashMap<TaskId, usize>) -> Self {
        Self {
            id: task.id.clone(),
            phase: task.phase(),
            wave: None,
            needs: task.needs.iter().map(|need| (need.clone(), places.get(need).copied())).collect(),
            limit: task.time_limit_s.saturating_mul(1000),
            expected: None,
            running: false,
            state: TaskState::Waiting,
            attempts: 0,
            because: String::new(),
            not_before: 0,
            why_not_run: None,
        }
    }

    pub(super) fn start(&mut self, now: Millis) -> Effect {
        self.attempts += 1;
        self.running = false;
        self.why_not_run = None;
        self.state = TaskState::Running { attempt: self.attempts, since: now };
        Effect::Start { task: self.id.clone(), attempt: self.attempts, because: std::mem::take(&mut self.because) }
    }

    pub(super) fn started(&mut self, now: Millis) {
        if let TaskState::Running { since, .. } = &mut self.state
            && !std::mem::replace(&mut self.running, true)
        {
            *since = now;
        }
    }

    /// Returns when the attempt that runs is out of time; `None` when none runs or it was told to stop already.
    pub(super) fn deadline(&self) -> Option<Millis> {
        match self.state {
            TaskState::Running { since, .. } => since.checked_add(self.limit),
            _ => None,
        }
    }

    /// Asks for the attempt that runs to be stopped, once.
    pub(super) fn stop(&mut self, why: StopReason) -> Option<Effect> {
        let TaskState::Running { attempt, .. } = self.state else { return None };
        self.state = TaskState::Stopping { attempt, why };
        Some(Effect::Stop { task: self.id.clone(), attempt, why })
    }

    pub(super) fn ended(&mut self, end: End) -> Outcome {
        let stopped = match self.state {
            TaskState::Stopping { why, .. } => Some(why),
            _ => None,
        };
        let outcome = match (stopped, end) {
            (Some(StopReason::TimedOut), _) => Outcome::TimedOut,
            // It was done before the stop reached it, and nothing that finished is lost.
            (_, End::Passed) => Outcome::Passed,
            (Some(StopReason::Cancelled), _) => Outcome::Cancelled,
            (None, End::Failed) => Outcome::Failed,
            (None, End::Blocked) => Outcome::Blocked,
        };
        self.state = TaskState::Done(outcome);
        outcome
    }

    /// Tells whether it passed already, and nobody has asked for another attempt.
    pub(super) fn is_done_without_reason(&self) -> bool {
        self.state == TaskState::Done(Outcome::Passed) && self.because.is_empty()
    }

    /// Notes that another attempt is to be made, not before a time. Gives false when it was told to stop.
    pub(super) fn retry(&mut self, because: String, not_before: Millis) -> bool {
        let goes_on = matches!(self.state, TaskState::Running { .. });
        if goes_on {
            self.state = TaskState::Waiting;
            self.because = because;
            self.not_before = not_before;
        }
        goes_on
    }

    /// Notes that it cannot run. What an earlier attempt came to stays.
    pub(super) fn block(&mut self, why: WhyNotRun) {
        if self.state == TaskState::Waiting {
            self.state = TaskState::Done(Outcome::Blocked);
            self.why_not_run = Some(why);
        }
    }

    /// Notes that its turn will not come any more.
    pub(super) fn close(&mut self) {
        if self.state == TaskState::Waiting {
            self.state = TaskState::Done(Outcome::NotRun);
            self.why_not_run = Some(WhyNotRun::RunEnded);
        }
    }
}
