//! What a workflow is told that does the work of a job, in its input `job`.

use serde::{Deserialize, Serialize};

use super::{Step, StepError};
use crate::actions::Runner;

/// The state that names the repository and the number of the run that is waited for.
pub(super) const DISPATCHED: &str = "dispatched";

/// The version of what a workflow is told.
const VERSION: u32 = 1;

/// What a workflow is told that does the work of a job: the inputs that the job itself would have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Assignment {
    version: u32,
    /// The repository of the pull request.
    repository: String,
    tasks: String,
    wave: String,
    slot: u64,
    state: String,
    head: String,
    lock: String,
}

impl Assignment {
    /// Reads the input `job`, where the step has one.
    pub(super) fn from_input(runner: &Runner) -> Result<Option<Self>, StepError> {
        let Some(text) = runner.input("job") else { return Ok(None) };
        let assignment: Self = serde_json::from_str(text).map_err(|error| StepError::Assignment(error.to_string()))?;
        if assignment.version != VERSION {
            let why = format!("it has version {}, and this program knows {VERSION}", assignment.version);
            return Err(StepError::Assignment(why));
        }
        Ok(Some(assignment))
    }

    /// Returns the repository of the pull request.
    pub(super) fn repository(&self) -> &str {
        &self.repository
    }

    /// Returns the number of the job within its matrix.
    pub(super) fn slot(&self) -> u64 {
        self.slot
    }

    /// Returns what stands in for an input of the action.
    pub(super) fn get(&self, input: &str) -> Option<&str> {
        match input {
            "tasks" => Some(&self.tasks),
            "wave" => Some(&self.wave),
            "state" => Some(&self.state),
            "head" => Some(&self.head),
            "lock" => Some(&self.lock),
            _ => None,
        }
    }
}

impl Step<'_> {
    /// What the workflow is told: what this job was told.
    pub(super) fn assignment(&self, wave: &str, slot: u64) -> Result<Assignment, StepError> {
        let required = |name| self.required(name).map(str::to_owned);
        Ok(Assignment {
            version: VERSION,
            repository: self.runner.repository()?.to_owned(),
            tasks: required("tasks")?,
            wave: wave.to_owned(),
            slot,
            state: required("state")?,
            head: required("head")?,
            lock: required("lock")?,
        })
    }
}
