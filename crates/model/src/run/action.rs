//! What a run wants done. Whoever carries it out tells the run what came of it.

use super::{basis::Head, gate_job::GateJob};
use crate::{
    evidence::following::Followed,
    gate::Receipt,
    ids::TaskId,
    patch::Blob,
    record::{AttemptId, Record},
    roster::Phase,
    schedule::{StopReason, Task},
    scope::CheckedPatch,
};

/// What is to be done, in this order.
#[derive(Debug)]
pub enum Action {
    /// Write this down. It needs not be on the disk before what follows.
    Write(Record),
    /// Tell whoever watches.
    Announce(Notice),
    /// Start an attempt. Its end must be told at some time, also when it cannot be started.
    Start {
        id: AttemptId,
        /// Why there is another attempt; empty for the first.
        because: String,
    },
    /// Stop an attempt. Its end must still be told.
    Stop { task: TaskId, why: StopReason },
    /// Put these patches on top of each other, in this order.
    Integrate { wave: usize, patches: Vec<AcceptedPatch> },
    /// Run the commands of the gates on the integrated tree.
    RunGates(Vec<GateJob>),
    /// Stop the commands of the gates.
    StopGates,
    /// Find the first patch with which each command fails.
    FindCulprits(CulpritSearch),
    /// Keep the logs of the red gates from being written over: this round of rework begins.
    SetGateLogsAside { round: u32 },
    /// The run is over.
    Finish,
}

impl Action {
    pub(super) fn announce_again(task: &TaskId, because: &str) -> Self {
        Self::Announce(Notice::TaskAgain { task: task.clone(), because: because.to_owned() })
    }
}

/// A patch that may be integrated.
#[derive(Debug)]
pub struct AcceptedPatch {
    /// The attempt that made it.
    pub id: AttemptId,
    pub patch: CheckedPatch,
}

/// What is run again to find who made gates red.
#[derive(Debug)]
pub struct CulpritSearch {
    pub commands: Vec<RedCommand>,
    /// What was integrated, in order.
    pub commits: Vec<(TaskId, Head)>,
    /// The files of tests that patches changed, as the result has them; `None` where it has none.
    pub final_tests: Vec<(String, Option<Blob>)>,
}

/// A command that fails on the last of the integrated commits.
#[derive(Debug)]
pub struct RedCommand {
    /// The job that runs this command alone.
    pub job: GateJob,
    /// How long it took when it failed.
    pub took_ms: u64,
    /// What fails: tests by name, where they are known.
    pub followed: Followed,
}

/// What there is to tell whoever watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A specialist that the plan does not have gets a task.
    TaskAdded(Box<Task>),
    /// A task is called again.
    TaskAgain {
        task: TaskId,
        because: String,
    },
    /// The patches of a wave were integrated, as this many commits.
    Integrated {
        wave: usize,
        commits: usize,
    },
    PhaseEnded(Phase),
    GateJudged(Box<Receipt>),
    /// The run was asked to stop; what is running is being ended.
    Cancelling,
}
