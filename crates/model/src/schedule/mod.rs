//! The schedule: which tasks there are, in which phases and waves they run, and the state machine that runs them.

mod build;
mod draft;
mod durations;
mod machine;
mod order;
mod scopes;
#[cfg(test)]
mod testing;
mod waves;
mod widening;

use std::collections::{BTreeMap, BTreeSet};

pub use crate::vocabulary::Outcome;
pub use build::build;
pub use durations::Durations;
pub use machine::{ATTEMPTS_MAX, Again, Effect, End, Event, Machine, Millis, StopReason, TaskState, WhyNotRun};
pub use widening::{Widened, asks_for_files};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{SubagentName, TaskId},
    plan::Requirement,
    roster::{Access, Phase, Role},
    scope::{Scope, exclusions_that_matter},
};

/// One task as it will run: the plan's piece of work with everything the roster and the configuration say about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// The subagent that does it.
    pub subagent: SubagentName,
    /// The part that the subagent plays.
    pub role: Role,
    /// The heading in the plan, or the role for a task that the plan does not have but that always runs.
    pub title: String,
    /// Whether the plan asks for it. The three quality tasks run all the same.
    pub planned: bool,
    /// What is to be done.
    pub requirements: Vec<Requirement>,
    /// Free text of the plan's section.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub notes: String,
    /// The paths it may touch.
    pub scope: Scope,
    /// Whether it may change anything at all.
    pub access: Access,
    /// The tasks that must have passed before it begins: the plan's `Needs`.
    pub needs: Vec<TaskId>,
    /// The time limit of one attempt, in seconds.
    pub time_limit_s: u64,
}

impl Task {
    /// Returns the phase in which it runs.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.role.phase()
    }
}

/// Tasks that run side by side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Wave {
    /// The wave's number, from 1.
    pub number: usize,
    /// The phase it belongs to; where a plan widened the parallelism over a border of phases, the latest.
    pub phase: Phase,
    /// Its tasks, in the order in which their patches are integrated.
    pub tasks: Vec<TaskId>,
}

/// Two tasks that could have run side by side but for their paths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Serialised {
    /// The one that runs first.
    pub first: TaskId,
    /// The one that has to wait.
    pub then: TaskId,
    /// Why, such as "both may touch `src/api/**`".
    pub because: String,
}

/// The tasks, and the waves in which they run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Schedule {
    /// All tasks, in the order of the waves.
    pub tasks: Vec<Task>,
    /// The waves, in order.
    pub waves: Vec<Wave>,
    /// What was put one after the other because of its paths.
    pub serialised: Vec<Serialised>,
    /// The tasks that may touch more than their subagents usually do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub widened: Vec<Widened>,
    /// The roles that the plan does not need.
    pub not_needed: Vec<Role>,
    /// The most tasks that run at one time.
    pub concurrency: usize,
}

impl Schedule {
    /// Finds a task.
    #[must_use]
    pub fn task(&self, id: &TaskId) -> Option<&Task> {
        self.tasks.iter().find(|task| &task.id == id)
    }

    /// Maps each task to the number of its wave.
    #[must_use]
    pub fn wave_of(&self) -> BTreeMap<&TaskId, usize> {
        self.waves.iter().flat_map(|wave| wave.tasks.iter().map(move |id| (id, wave.number))).collect()
    }

    /// Maps each task to its exclusions that are worth a reader's time: they could take something from what it may touch, and
    /// are not among the `protected` paths, which are everybody's.
    #[must_use]
    pub fn exclusions_that_matter(&self, protected: &BTreeSet<String>) -> BTreeMap<&TaskId, Vec<&String>> {
        let scopes: Vec<_> = self.tasks.iter().map(|task| &task.scope).collect();
        let of_tasks = self.tasks.iter().map(|task| &task.id).zip(exclusions_that_matter(&scopes));
        let of_its_own = |globs: Vec<_>| globs.into_iter().filter(|glob| !protected.contains(*glob)).collect();
        of_tasks.map(|(id, globs)| (id, of_its_own(globs))).collect()
    }
}
