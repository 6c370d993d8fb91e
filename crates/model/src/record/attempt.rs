//! One attempt at a task: its name, what is known when it starts, and what became of it.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FailureKind, Outcome};
use crate::{
    findings::Finding,
    ids::{Digest, ObjectId, TaskId},
    isolation::Level,
    patch::{Conflict, Patch},
    report::Report,
    session::Session,
};

/// One attempt at a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct AttemptRecord {
    /// The attempt's number, from 1.
    pub attempt: u32,
    /// Why there was another attempt; empty for the first.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub because: String,
    /// How it ended.
    pub outcome: Outcome,
    /// When it began, in milliseconds since the run began.
    pub started_ms: u64,
    /// When it ended, in milliseconds since the run began.
    pub ended_ms: u64,
    /// The exit code of its process, when it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// The digest of the brief that it was given.
    pub brief_digest: Digest,
    /// What its agent program says about the session, where there is such a program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Session>,
    /// What it said, when it said something valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Report>,
    /// What it changed, integrated or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<Patch>,
    /// What kept its process apart, where it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolation: Option<Level>,
    /// Why its patch could not be integrated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<Conflict>,
}

impl AttemptRecord {
    /// Returns how long it took, in milliseconds.
    #[must_use]
    pub fn duration_ms(&self) -> u64 {
        self.ended_ms.saturating_sub(self.started_ms)
    }
}

/// Names one attempt at a task. Written `TASK#ATTEMPT`, such as `feature#1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AttemptId {
    /// The task.
    pub task: TaskId,
    /// The attempt's number, from 1.
    pub attempt: u32,
}

impl AttemptId {
    #[must_use]
    pub fn new(task: TaskId, attempt: u32) -> Self {
        Self { task, attempt }
    }
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.task, self.attempt)
    }
}

/// Says that a text names no attempt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` names no attempt; write it as TASK#ATTEMPT, such as `feature#1`", crate::text::terminal(.0))]
pub struct InvalidAttemptId(pub String);

impl FromStr for AttemptId {
    type Err = InvalidAttemptId;

    fn from_str(text: &str) -> Result<Self, InvalidAttemptId> {
        let parsed = text.split_once('#').and_then(|(task, attempt)| {
            let attempt = attempt.parse().ok().filter(|number| *number > 0)?;
            Some(Self { task: TaskId::new(task).ok()?, attempt })
        });
        parsed.ok_or_else(|| InvalidAttemptId(text.to_owned()))
    }
}

/// What is recorded when a subagent's process is started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptStarted {
    #[serde(flatten)]
    pub id: AttemptId,
    /// The commit it started from.
    pub base: ObjectId,
    /// The digest of its brief.
    pub brief: Digest,
}

/// What is recorded when an attempt ended and was judged. Its patch, if any, is in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptEnded {
    pub task: TaskId,
    pub attempt: AttemptRecord,
    /// Why it ended so, in a sentence.
    #[serde(default)]
    pub reason: String,
    /// What was noticed about it.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// What its failure says about another attempt.
    #[serde(default)]
    pub failure: FailureKind,
}

impl AttemptEnded {
    #[must_use]
    pub fn id(&self) -> AttemptId {
        AttemptId::new(self.task.clone(), self.attempt.attempt)
    }
}

/// Start and end of the same attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRecords {
    started: AttemptStarted,
    ended: AttemptEnded,
}

/// Says that two records are not start and end of the same attempt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the attempt {started} started, and {ended} ended")]
pub struct OtherAttempt {
    started: AttemptId,
    ended: AttemptId,
}

impl AttemptRecords {
    /// Puts start and end together.
    ///
    /// # Errors
    /// When they are of different attempts.
    pub fn new(started: AttemptStarted, ended: AttemptEnded) -> Result<Self, OtherAttempt> {
        if started.id == ended.id() {
            Ok(Self { started, ended })
        } else {
            Err(OtherAttempt { ended: ended.id(), started: started.id })
        }
    }

    #[must_use]
    pub fn id(&self) -> &AttemptId {
        &self.started.id
    }

    #[must_use]
    pub fn started(&self) -> &AttemptStarted {
        &self.started
    }

    #[must_use]
    pub fn ended(&self) -> &AttemptEnded {
        &self.ended
    }

    /// Returns the patch, where there is one with anything in it.
    #[must_use]
    pub fn patch(&self) -> Option<&Patch> {
        self.ended.attempt.patch.as_ref().filter(|patch| !patch.is_empty())
    }

    #[must_use]
    pub fn into_parts(self) -> (AttemptStarted, AttemptEnded) {
        (self.started, self.ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_named_by_task_and_number() {
        let id: AttemptId = "feature#12".parse().unwrap();
        assert_eq!((id.task.as_str(), id.attempt, id.to_string().as_str()), ("feature", 12, "feature#12"));
        for bad in ["", "feature", "feature#0", "feature#-1", "Feature#1", "#1", "a#1#2", "../a#1"] {
            assert!(bad.parse::<AttemptId>().is_err(), "{bad}");
        }
    }
}
