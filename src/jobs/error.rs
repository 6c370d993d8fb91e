//! Why a job of the fan-out could not do its part.

use std::{io, path::PathBuf};

use implementer_model::{ids::SubagentName, record::InvalidAttemptId};

use crate::{
    agent::AgentError, coordinator::RunError, intake::IntakeError, journal::JournalError, kept::KeepError,
    run_dir::RunDirError, sandbox::SandboxError, untrusted::UntrustedError, workspace::WorkspaceError,
};

/// Says why a job of the fan-out could not do its part. What a subagent does wrong is never an error here.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// A file of a state, a result or a job cannot be read or written.
    #[error("cannot {doing} {path}")]
    File {
        /// `read` or `write`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file that another job may have made is none that is read.
    #[error(transparent)]
    Untrusted(#[from] UntrustedError),
    /// A state is not one that this program can go on with.
    #[error("{path} is not a state of a fan-out that this program can continue: {why}")]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// What is finished could not be kept.
    #[error(transparent)]
    Keep(#[from] KeepError),
    /// Something is to be done that is not due.
    #[error(
        "`{name}` is not what comes next: {next}. The job belongs to another state of the run; start the workflow again"
    )]
    NotDue {
        /// The attempt, or the gates.
        name: String,
        /// What does.
        next: String,
    },
    /// Nothing but a workflow of its own was to do the work, and there is none.
    #[error(
        "`{0}` has no workflow of its own: the configuration has no `workflow.subagents.{0}.dispatch` any more. Run \
         `backend-implementer generate` and start the workflow again"
    )]
    NotDispatched(SubagentName),
    /// The attempts of a job are different subagents'.
    #[error("the attempts of one job must be of one subagent, and these are of `{0}` and `{1}`")]
    Mixed(SubagentName, SubagentName),
    /// An attempt is named wrongly.
    #[error(transparent)]
    Name(#[from] InvalidAttemptId),
    /// No attempt is named.
    #[error("no attempt is named; name at least one as TASK#ATTEMPT, such as `feature#1`")]
    NothingNamed,
    /// Integration gave another commit here than in the job before.
    #[error(
        "integration gives {here} here, and gave {there} in the job before: the same base and patches must give the same \
         commit. Nothing is built on it; please report this"
    )]
    Diverged {
        /// The commit here.
        here: String,
        /// The commit there.
        there: String,
    },
    /// Plan, configuration or approval are wrong.
    #[error(transparent)]
    Intake(#[from] IntakeError),
    /// The repository, the object store or a work tree failed.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// The run could not be followed.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A folder could not be written.
    #[error(transparent)]
    RunDir(#[from] RunDirError),
    /// A journal cannot be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The agent cannot be used.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// Subagents or gates cannot be isolated as they have to be.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
}

impl JobError {
    pub(super) fn reading(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { doing: "read", path, source }
    }

    pub(super) fn writing(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { doing: "write", path, source }
    }
}
