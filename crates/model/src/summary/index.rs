//! A hand-off with the tables by which the pages look its tasks up.

use std::ops::Deref;

use crate::handoff::Handoff;
pub(super) use crate::run::{TaskIndex, TaskView};

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
