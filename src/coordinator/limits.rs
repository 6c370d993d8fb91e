//! What holds for a whole run: its time, and its money.

use implementer_model::{
    budget::{Dollars, Exhausted},
    findings::{Finding, FindingCode, Weight},
    handoff::AttemptRecord,
    ids::TaskId,
    schedule::{Event, Outcome, Task},
    text,
};

use super::{Run, progress::Observer};

impl Run {
    /// Returns when the run's time is up, in milliseconds since it began.
    pub(super) fn run_ends_ms(&self) -> Option<u64> {
        self.intake.config.limits.run_minutes.map(|minutes| minutes.saturating_mul(60_000))
    }

    /// Ends the run because its time is up: as a cancel does, so that it can be gone on with.
    pub(super) fn run_out_of_time(&mut self, observer: &mut dyn Observer) -> Event {
        let minutes = usize::try_from(self.intake.config.limits.run_minutes.unwrap_or_default()).unwrap_or(usize::MAX);
        self.out_of_time = Some(Finding {
            code: FindingCode::RunTimedOut,
            weight: Weight::Blocking,
            task: None,
            path: None,
            line: None,
            message: format!(
                "the run reached its time limit of {} and was ended; what was finished is kept, and the run can be gone \
                 on with",
                text::count(minutes, "minute")
            ),
        });
        self.cancel(observer)
    }

    /// Sets aside what an attempt at a task may cost.
    pub(super) fn reserve(&mut self, task: &Task) -> Result<Option<Dollars>, Exhausted> {
        let waiting = self.intake.schedule.tasks.iter().filter(|task| !self.records.contains_key(&task.id)).count();
        self.purse.reserve(&task.id, self.intake.config.cost(&task.subagent), waiting)
    }

    /// Takes what an attempt did cost out of the purse; one that never began costs nothing.
    pub(super) fn settle_cost(&mut self, task: &TaskId, record: &AttemptRecord) {
        match record.outcome {
            Outcome::NotRun => self.purse.release(task),
            _ => self.purse.settle(task, record.session.as_ref().and_then(|session| session.micro_dollars)),
        }
    }
}
