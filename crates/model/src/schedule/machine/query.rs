//! What can be asked of the machine.

use super::{Machine, Millis, Step, TaskState, WhyNotRun};
use crate::{ids::TaskId, vocabulary::Outcome};

impl Machine {
    /// Returns when the next attempt runs into its time limit, or may begin; an [`Event::Tick`](super::Event::Tick) is due then.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Millis> {
        let limits = self.active.iter().filter_map(|at| self.tasks[*at].deadline());
        let retries = self.current.iter().flat_map(|current| &current.retries).map(|at| self.tasks[*at].not_before);
        limits.chain(retries.filter(|_| self.active.len() < self.concurrency)).min()
    }

    /// Tells whether the run is over.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.step == Step::Finished
    }

    /// Returns the number of the wave that runs or is being integrated.
    #[must_use]
    pub fn wave(&self) -> Option<usize> {
        self.current.as_ref().map(|batch| batch.number)
    }

    /// Tells whether a task belongs to the group that runs: whoever runs beside it does not see its work yet.
    #[must_use]
    pub fn runs_in_this_group(&self, task: &TaskId) -> bool {
        let at = self.places.get(task);
        self.current.as_ref().zip(at).is_some_and(|(batch, at)| batch.tasks.contains(at))
    }

    /// Returns how many groups of tasks have begun: waves, and parts of waves that ran again.
    #[must_use]
    pub fn groups_begun(&self) -> usize {
        self.groups
    }

    /// Returns the state of a task; `None` when the schedule has no such task.
    #[must_use]
    pub fn state(&self, task: &TaskId) -> Option<TaskState> {
        Some(self.tasks[*self.places.get(task)?].state)
    }

    /// Returns how many attempts at a task were started.
    #[must_use]
    pub fn attempts(&self, task: &TaskId) -> u32 {
        self.places.get(task).map_or(0, |at| self.tasks[*at].attempts)
    }

    /// Returns why a task was not run, once that is certain.
    #[must_use]
    pub fn why_not_run(&self, task: &TaskId) -> Option<&WhyNotRun> {
        self.tasks[*self.places.get(task)?].why_not_run.as_ref()
    }

    /// Goes through the tasks that have an outcome, in the order of the schedule; when the run is over, all of them.
    /// A task that passed can still fail while its wave is not integrated.
    pub fn outcomes(&self) -> impl Iterator<Item = (&TaskId, Outcome)> {
        self.tasks.iter().filter_map(|slot| match slot.state {
            TaskState::Done(outcome) => Some((&slot.id, outcome)),
            _ => None,
        })
    }
}
