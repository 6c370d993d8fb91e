//! What a run is judged by, and what that comes to: status, what is missing, and the seven criteria.

use super::{criteria, task_index::TaskIndex};
use crate::{
    findings::Finding,
    gate::{Place, Receipt},
    handoff::{CriterionVerdict, Handoff, Implementation},
    record::{Status, TaskRecord},
    schedule::Schedule,
};

/// What a run is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Where the run took place: receipts of another place count for nothing.
    pub place: &'a Place,
    /// Whether somebody cancelled the run.
    pub cancelled: bool,
    /// What was planned.
    pub schedule: &'a Schedule,
    /// What became of the tasks.
    pub tasks: &'a [TaskRecord],
    /// What was integrated.
    pub result: &'a Implementation,
    /// The receipts of the gates.
    pub gates: &'a [Receipt],
    /// Everything that was noticed.
    pub findings: &'a [Finding],
}

/// What the facts of a run come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conclusion {
    pub status: Status,
    /// What keeps the implementation from being complete; empty when nothing does. Untrusted text.
    pub missing: Vec<String>,
    pub criteria: Vec<CriterionVerdict>,
}

impl<'a> Facts<'a> {
    /// Takes the facts of a hand-off, so that whoever verifies it can judge it again.
    #[must_use]
    pub fn from_handoff(handoff: &'a Handoff) -> Self {
        Self {
            place: &handoff.place,
            cancelled: handoff.status == Status::Cancelled,
            schedule: &handoff.schedule,
            tasks: &handoff.tasks,
            result: &handoff.result,
            gates: &handoff.gates,
            findings: &handoff.findings,
        }
    }

    /// Judges the run.
    #[must_use]
    pub fn judge(&self) -> Conclusion {
        Conclusion {
            status: criteria::status(self),
            missing: criteria::missing(self),
            criteria: criteria::criteria(self),
        }
    }

    pub(super) fn index(&self) -> TaskIndex<'a> {
        TaskIndex::new(self.schedule, self.tasks, &self.result.commits)
    }
}
