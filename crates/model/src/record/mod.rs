//! What is recorded about a run while it goes on. Briefs, decisions, the journal and the hand-off are made of these values.

mod attempt;
mod call;
mod entry;
mod outcome;
mod retried;
mod task;

pub use self::{
    attempt::{AttemptEnded, AttemptId, AttemptRecord, AttemptRecords, AttemptStarted, InvalidAttemptId, OtherAttempt},
    call::{Call, Escalation, Request, ReworkRound},
    entry::{Culprits, JOURNAL_VERSION, Record, Timed},
    outcome::Status,
    retried::Retried,
    task::{IntegratedCommit, Synthesis, TaskRecord},
};
pub use crate::vocabulary::{FailureKind, Outcome};
