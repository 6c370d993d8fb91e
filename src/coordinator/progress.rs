//! What the coordinator says while it works. It never prints: whoever shows a run listens here.

use std::sync::Arc;

use implementer_model::{
    findings::Finding,
    gate::{GateKind, Receipt},
    handoff::TaskRecord,
    ids::TaskId,
    roster::Phase,
    schedule::{Schedule, Task},
};

pub use crate::agent::LastStep;

/// One step of a run, as it happens.
#[derive(Debug)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// The run begins.
    Begun {
        /// What will be followed.
        schedule: &'a Schedule,
    },
    /// A subagent's process was started.
    TaskStarted {
        /// The task.
        task: &'a TaskId,
        /// The attempt, from 1.
        attempt: u32,
        /// Where its last step is seen.
        last_step: &'a Arc<LastStep>,
    },
    /// A subagent ended and was judged. What an earlier process of the run, or a job, had finished is only told so.
    TaskEnded {
        /// The task.
        task: &'a TaskId,
        /// What became of it so far; the attempt that ended is the last.
        record: &'a TaskRecord,
        /// What was noticed about that attempt.
        findings: &'a [Finding],
        /// Whether it was finished before: it began and ended then.
        kept: bool,
    },
    /// A specialist that the plan does not have gets a task.
    TaskAdded {
        /// The task.
        task: &'a Task,
    },
    /// A task is called again.
    TaskAgain {
        /// The task.
        task: &'a TaskId,
        /// Why.
        reason: &'a str,
    },
    /// The patches of a wave were integrated.
    Integrated {
        /// The number of the wave.
        wave: usize,
        /// How many commits it gave.
        commits: usize,
    },
    /// A phase came to its end.
    PhaseEnded {
        /// The phase.
        phase: Phase,
    },
    /// The commands of a gate are about to run.
    GateStarted {
        /// The gate.
        gate: GateKind,
    },
    /// A gate was judged.
    GateJudged {
        /// Its receipt.
        receipt: &'a Receipt,
    },
    /// The run was asked to stop; what is running is being ended.
    Cancelling,
}

/// Whoever wants to see a run while it goes on.
pub trait Observer {
    /// Takes notice of a step. Must return quickly: the coordinator waits for it.
    fn observe(&mut self, progress: &Progress<'_>);
}

/// Looks away.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn observe(&mut self, _: &Progress<'_>) {}
}
