//! Why a run could not be brought to its end.

use crate::{agent::AgentError, journal::JournalError, run_dir::RunDirError, workspace::WorkspaceError};

/// Says why a run could not be brought to its end. What a subagent does wrong is never an error here: it is a state.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The repository, the object store or a work tree failed.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// The folder of the run could not be written.
    #[error(transparent)]
    RunDir(#[from] RunDirError),
    /// The journal could not be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The agent cannot be used at all.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// The environment lacks something that the work needs. Nobody's work is to blame, and no task is marked for it.
    #[error("{0}")]
    Environment(String),
    /// The program itself failed; this is a defect.
    #[error("the coordinator failed: {0}; this is a defect of the program, please report it")]
    Defect(String),
}
