//! Calls of tasks beyond the schedule: rework after a red gate, and specialists that a task turned out to need.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{ObjectId, SubagentName, TaskId};

/// One round of rework, for the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ReworkRound {
    /// Its number, from 1.
    pub number: u32,
    /// The tree that was not good enough.
    pub tree: ObjectId,
    /// What was wrong with it.
    pub because: Vec<String>,
    /// Who was called again.
    pub called: Vec<Call>,
}

/// A task that was called again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Call {
    /// The task.
    pub task: TaskId,
    /// Why this one.
    pub because: String,
}

/// A specialist that another task turned out to need, for the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Escalation {
    /// The task that could not go on.
    pub blocked: TaskId,
    /// The specialist that it named.
    pub specialist: SubagentName,
    /// What it needs, in its own words. Untrusted text.
    pub request: String,
    /// The specialist's task that was called; none when it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called: Option<TaskId>,
    /// Why it was not called; empty when it was.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub refused: String,
}

/// What a subagent is asked for beside its requirements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who asks: a gate or a task.
    pub from: String,
    /// What for. Untrusted text.
    pub text: String,
}
