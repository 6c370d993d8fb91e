//! What the machine hears and what it says.

use serde::{Deserialize, Serialize};

use crate::{ids::TaskId, roster::Phase};

/// What happened. An event that does not fit the state (late, repeated, about an unknown task or an old attempt)
/// changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// The run begins.
    Begin,
    /// The subagent's process runs. The time limit counts from here; until then, from the effect that asked for it.
    Started {
        /// The task.
        task: TaskId,
        /// The attempt, from 1.
        attempt: u32,
    },
    /// The attempt is over and judged: report read, patch captured and held against its scope.
    Ended {
        /// The task.
        task: TaskId,
        /// The attempt, from 1.
        attempt: u32,
        /// How it went.
        end: End,
    },
    /// The attempt is over and did not pass, but is worth another one in the same wave: a violation that can be
    /// explained, an agent that could not be reached. A task that was told to stop, or has
    /// [`ATTEMPTS_MAX`](super::ATTEMPTS_MAX) attempts behind it, has failed instead.
    Retry {
        /// The task.
        task: TaskId,
        /// The attempt that is over, from 1.
        attempt: u32,
        /// Why another, for the record.
        because: String,
        /// How long to wait before it.
        after: super::Millis,
    },
    /// These tasks run after the current wave is integrated and before the next begins: one group after another, the
    /// tasks of a group side by side. Those that cannot run again are left out, as with [`Event::GatesJudged`].
    Follow {
        /// The groups, in order.
        groups: Vec<Vec<Again>>,
    },
    /// The patches of a wave are integrated.
    WaveIntegrated {
        /// The wave's number.
        wave: usize,
        /// The tasks whose patch could not be integrated.
        failed: Vec<TaskId>,
    },
    /// The gates are judged.
    GatesJudged {
        /// The tasks that have to run again; the gates are judged again after them. A task with [`ATTEMPTS_MAX`](super::ATTEMPTS_MAX)
        /// attempts behind it, or with a need that did not pass, does not run again.
        again: Vec<Again>,
    },
    /// Somebody wants the run to end: nothing new starts, what runs is stopped, what passed is kept.
    Cancel,
    /// Nothing but that time went by.
    Tick,
}

/// How an attempt went, as the coordinator judged it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// The work is done, within its scope.
    Passed,
    /// It is not, or not within its scope.
    Failed,
    /// It needs something that another specialist has to make.
    Blocked,
}

/// A task that has to run again, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Again {
    /// The task.
    pub task: TaskId,
    /// Why, for the record.
    pub because: String,
}

/// What is to be done, in this order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Start an attempt. [`Event::Ended`] must follow at some time, also when the process cannot be started.
    Start {
        /// The task.
        task: TaskId,
        /// The attempt, from 1.
        attempt: u32,
        /// Why there is another attempt; empty for the first.
        because: String,
    },
    /// Stop an attempt. [`Event::Ended`] must follow.
    Stop {
        /// The task.
        task: TaskId,
        /// The attempt, from 1.
        attempt: u32,
        /// Why.
        why: StopReason,
    },
    /// Integrate the patches of these tasks. [`Event::WaveIntegrated`] must follow.
    Integrate {
        /// The wave's number. A wave some of whose tasks ran again is integrated again, with those tasks.
        wave: usize,
        /// The tasks that passed, in the order of integration; at least one.
        tasks: Vec<TaskId>,
    },
    /// Write down what the phase came to: its last task is integrated. Comes again when tasks of the phase ran again.
    Synthesize {
        /// The phase.
        phase: Phase,
    },
    /// Judge the gates on the integrated tree. [`Event::GatesJudged`] must follow.
    JudgeGates,
    /// The run is over. Nothing follows.
    Finish,
}

/// Why an attempt is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopReason {
    /// It ran into its time limit.
    TimedOut,
    /// The run was cancelled.
    Cancelled,
}
