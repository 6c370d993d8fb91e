//! A task on its way into the schedule.

use super::Task;
use crate::{
    diagnostics::{Diagnostic, Position, Severity},
    ids::TaskId,
    plan::Plan,
    roster::Subagent,
};

/// A task on its way into the schedule, with what is needed to place it.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub(super) task: Task,
    pub(super) subagent: &'a Subagent,
    pub(super) touches: &'a [String],
    pub(super) also_touches: &'a [String],
    pub(super) parallel_with: &'a [TaskId],
    /// The line of its heading; `None` for a task that the plan does not have.
    pub(super) line: Option<u32>,
}

impl Draft<'_> {
    /// Makes an error diagnostic at the heading of the task.
    pub(super) fn error(&self, plan: &Plan, code: &str, message: impl Into<String>) -> Diagnostic {
        error_at(plan, self.line, code, message)
    }
}

/// Makes an error diagnostic at a line of the plan.
pub(super) fn error_at(plan: &Plan, line: Option<u32>, code: &str, message: impl Into<String>) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(Severity::Error, code, &plan.source, message);
    diagnostic.position = line.map(|line| Position { line, column: 1 });
    diagnostic
}
