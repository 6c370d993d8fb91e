//! A hand-off with the tables by which the pages look its tasks up.

use std::ops::Deref;

pub(super) use crate::run::{TaskIndex, TaskView};
use crate::{
    handoff::Handoff,
    record::{Outcome, Status},
};

pub(super) struct RunIndex<'a> {
    pub(super) handoff: &'a Handoff,
    tasks: TaskIndex<'a>,
}

impl<'a> RunIndex<'a> {
    pub(super) fn new(handoff: &'a Handoff) -> Self {
        Self { handoff, tasks: TaskIndex::new(&handoff.schedule, &handoff.tasks, &handoff.result.commits) }
    }
}

impl<'a> Deref for RunIndex<'a> {
    type Target = TaskIndex<'a>;

    fn deref(&self) -> &TaskIndex<'a> {
        &self.tasks
    }
}

impl RunIndex<'_> {
    /// Tells whether somebody cancelled the run.
    pub(super) fn is_cancelled(&self) -> bool {
        self.handoff.status == Status::Cancelled || self.tasks().any(|view| view.outcome() == Outcome::Cancelled)
    }
}
