//! Why a run could not be brought to its end.

use std::{io, path::PathBuf, sync::Arc};

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
    /// The set-up of the working copies failed.
    #[error(transparent)]
    Setup(Arc<SetupError>),
    /// The program itself failed; this is a defect.
    #[error("the coordinator failed: {0}; this is a defect of the program, please report it")]
    Defect(String),
}

/// Why a set-up came to nothing: the environment is not fit for the work, and nobody's work is to blame.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A program that a command calls is not there.
    #[error("the environment lacks `{program}`, which the set-up `{command}` needs: install it before the work begins")]
    Lacks {
        /// The program.
        program: String,
        /// The command, as it is shown.
        command: String,
    },
    /// A program that a command names by a path in the repository is not in the commit.
    #[error("the repository has no `{program}`, which the set-up `{command}` calls: commit it, or change `setup`")]
    NotInRepository {
        /// The path.
        program: String,
        /// The command, as it is shown.
        command: String,
    },
    /// A program that a command's own script calls is not there.
    #[error("the environment lacks what the set-up `{command}` calls (exit 127): {tail}")]
    LacksCalled {
        /// The command, as it is shown.
        command: String,
        /// The end of its output.
        tail: String,
    },
    /// A command could not be run.
    #[error("the set-up `{command}` could not be run")]
    NotRun {
        /// The command, as it is shown.
        command: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A command did not end in time.
    #[error("the set-up `{command}` reached its time limit; its log is {}", .log.display())]
    TimedOut {
        /// The command, as it is shown.
        command: String,
        /// Its log.
        log: PathBuf,
    },
    /// A command failed.
    #[error("the set-up `{command}` failed ({exit}): {tail}")]
    Failed {
        /// The command, as it is shown.
        command: String,
        /// How it ended.
        exit: String,
        /// The end of its output.
        tail: String,
    },
    /// It changes what would be taken for the work of a subagent.
    #[error("the set-up changes `{0}`, which git does not ignore: add what it makes to .gitignore")]
    NotIgnored(String),
    /// What it made cannot be kept or copied.
    #[error("what the set-up made cannot be copied")]
    Copy(#[source] io::Error),
    /// What it made cannot be looked at.
    #[error("what the set-up made cannot be compared with the commit")]
    Capture(#[source] WorkspaceError),
}
