//! What became of tasks and phases, and what was integrated of them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AttemptRecord, Outcome};
use crate::{
    ids::{ObjectId, TaskId},
    patch::MergedPath,
    report::Report,
    roster::Phase,
};

/// What became of one task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TaskRecord {
    /// The task.
    pub id: TaskId,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, in a sentence.
    pub reason: String,
    /// Its attempts, in order.
    pub attempts: Vec<AttemptRecord>,
}

impl TaskRecord {
    /// Returns the attempt that counts: the last.
    #[must_use]
    pub fn last(&self) -> Option<&AttemptRecord> {
        self.attempts.last()
    }

    /// Returns the report of the attempt that counts.
    #[must_use]
    pub fn report(&self) -> Option<&Report> {
        self.last()?.report.as_ref()
    }
}

/// One patch as it was integrated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct IntegratedCommit {
    /// The task whose patch it is.
    pub task: TaskId,
    /// The attempt that made the patch, from 1.
    pub attempt: u32,
    /// The commit.
    pub commit: ObjectId,
    /// Its tree.
    pub tree: ObjectId,
    /// The ref inside the bundle that holds the patch as the subagent made it, on its own base.
    pub patch_ref: String,
    /// The paths whose content is a merge.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged: Vec<MergedPath>,
}

/// What a phase came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Synthesis {
    /// The phase.
    pub phase: Phase,
    /// The tree at its end.
    pub tree: ObjectId,
    /// The tasks of the phase and how they ended.
    pub tasks: BTreeMap<TaskId, Outcome>,
    /// Files changed by the phase's integrated patches.
    pub files_changed: usize,
    /// Lines added by them.
    pub lines_added: u64,
    /// Lines removed by them.
    pub lines_removed: u64,
}
