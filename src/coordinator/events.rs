//! What happens outside the loop.

use implementer_model::{
    findings::Finding,
    gate::GateKind,
    record::{AttemptStarted, Culprits},
    run::{GateRun, Happened, JudgedAttempt},
};

use super::error::RunError;
use crate::agent::LastStep;

/// What workers and gates tell the loop.
#[derive(Debug)]
pub(super) enum RunEvent {
    /// The work tree is there and the subagent's process is being started: its time runs from here. What it
    /// does last is seen in the second.
    AttemptStarted(AttemptStarted, LastStep),
    /// An attempt ended and was judged: now, or in an earlier process or another job. The last is what was found in its
    /// patch, where somebody has looked at it.
    AttemptEnded(Box<JudgedAttempt>, Happened, Option<Vec<Finding>>),
    /// Something that is not the subagent's fault failed: the run cannot go on.
    WorkerFailed(RunError),
    GateStarted(GateKind),
    /// The tests gate ran on the base, beside the first subagents: why it is red there, when it is.
    BaseRan(Result<Option<String>, RunError>),
    GatesRan(Result<Vec<GateRun>, RunError>),
    CulpritsFound(Result<Culprits, RunError>),
}
