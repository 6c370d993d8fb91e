//! Why a step could not do its part.

use std::{io, path::PathBuf};

use implementer_model::{conversation::event::EventError, diagnostics::Diagnostic};

use super::{
    conversation::{ConversationError, NotUploaded},
    dispatched_run::DispatchError,
    gather::DownloadError,
};
use crate::{
    actions::RunnerError,
    artifacts::UploadError,
    errors,
    execution::ExecutionError,
    github::{GithubError, InvalidRepository},
    intake::IntakeError,
    jobs::JobError,
    workspace::WorkspaceError,
};

/// Says why a step could not do its part.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// This is no step, or one of its inputs cannot be.
    #[error(transparent)]
    Runner(#[from] RunnerError),
    /// The payload of the event is not what GitHub documents.
    #[error(transparent)]
    Event(#[from] EventError),
    /// What the event asks for is refused.
    #[error("{because}")]
    Refused {
        /// Why.
        because: String,
        /// What to do.
        hint: String,
    },
    /// A file of the workspace that an input names cannot be read.
    #[error("cannot read the configuration {path}")]
    Config {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no token.
    #[error("there is no token")]
    NoToken,
    /// A repository's name is none.
    #[error(transparent)]
    Repository(#[from] InvalidRepository),
    /// An input of a job is missing.
    #[error("the input `{0}` is missing")]
    MissingInput(&'static str),
    /// The input `state` names no artifact.
    #[error("the input `state` names no artifact; it is an output of the job before")]
    NoState,
    /// The state of the job before cannot be downloaded.
    #[error("cannot read the state of the previous job")]
    StateLost(#[source] DownloadError),
    /// Results of a wave may be there, and cannot be fetched.
    #[error("nothing is settled, because results cannot be read: {}", .0.join("; "))]
    ResultsNotHere(Vec<String>),
    /// The files of the run are no artifact.
    #[error(transparent)]
    NotUploaded(#[from] NotUploaded),
    /// The summary is made, and could not be posted.
    #[error("the summary could not be reported: {}", .0.join("; "))]
    NotReported(Vec<String>),
    /// The outputs of the jobs before cannot be read.
    #[error("the input `{input}` is not the JSON of a job's outputs")]
    Outputs {
        /// The input.
        input: &'static str,
        /// Why.
        source: serde_json::Error,
    },
    /// The input `job` is not what `dispatch` tells a workflow.
    #[error("the input `job` is not what `dispatch` tells a workflow: {0}")]
    Assignment(String),
    /// The plan has more waves than the workflow has jobs for.
    #[error("the plan has {waves} waves, and the workflow has room for {room}")]
    TooManyWaves {
        /// Those of the plan.
        waves: u64,
        /// Those of the workflow.
        room: u64,
    },
    /// The state does not name a pull request.
    #[error("the state is of no pull request: there is nowhere to post the summary")]
    NoPullRequest,
    /// The branch for the result is the pull request's own.
    #[error("`{0}` is the pull request's own branch, and that is never pushed to")]
    OwnBranch(String),
    /// There is no token for the repository of a workflow.
    #[error("there is no token for another repository: the secret that `dispatch.token` names is empty")]
    NoDispatchToken,
    /// What the main step has saved cannot be read.
    #[error("the state that the step saved cannot be read: {0}")]
    SavedState(String),
    /// A file or folder of the job cannot be used.
    #[error("cannot {doing} {path}")]
    File {
        /// What was being done.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something of this process's own surroundings is not as it must be.
    #[error("cannot {doing}")]
    Process {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// GitHub could not be asked or told.
    #[error(transparent)]
    Github(#[from] GithubError),
    /// The conversation could not go on.
    #[error(transparent)]
    Conversation(#[from] ConversationError),
    /// A run could not be begun.
    #[error(transparent)]
    Execution(#[from] ExecutionError),
    /// A job could not do its part.
    #[error(transparent)]
    Job(#[from] JobError),
    /// An artifact was not uploaded.
    #[error(transparent)]
    Upload(#[from] UploadError),
    /// Another workflow did not do the work.
    #[error(transparent)]
    Dispatch(#[from] DispatchError),
    /// The repository could not be fetched, read or pushed to.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
}

impl StepError {
    /// Makes the failure of something that was done to a file.
    pub(super) fn file(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { doing, path, source }
    }

    /// Tells whether nobody's work is the reason, but GitHub, the way to it, or this machine.
    #[must_use]
    pub fn is_of_the_platform(&self) -> bool {
        match self {
            Self::Github(source)
            | Self::Dispatch(DispatchError::NotStarted { source, .. } | DispatchError::OutOfSight { source, .. }) => {
                source.is_of_the_platform()
            }
            Self::Upload(_)
            | Self::File { .. }
            | Self::Process { .. }
            | Self::StateLost(_)
            | Self::ResultsNotHere(_) => true,
            _ => false,
        }
    }

    /// Returns what is wrong with plan, configuration or agent files, where that is the reason.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        match self {
            Self::Conversation(error) => error.diagnostics(),
            Self::Job(JobError::Intake(IntakeError::Invalid(diagnostics))) => diagnostics,
            _ => &[],
        }
    }

    /// Says what happened, why, and what to do.
    #[must_use]
    pub fn told(&self) -> String {
        errors::told(self, self.hint())
    }

    /// Returns what to do about it, where it is not clear from what happened.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Refused { hint, .. } => hint.clone(),
            Self::Config { .. } => {
                "the input `config` names a file of the workspace, which is empty without actions/checkout".to_owned()
            }
            Self::ResultsNotHere(_) | Self::NotReported(_) | Self::StateLost(_) => {
                "use “Re-run failed jobs”: finished work is kept, and this job continues from there".to_owned()
            }
            Self::Upload(UploadError::Refused { why, .. }) if why.to_ascii_lowercase().contains("quota") => {
                "free artifact storage of the account, then use “Re-run failed jobs”".to_owned()
            }
            Self::Upload(UploadError::Refused { .. }) => {
                "use “Re-run failed jobs” once GitHub takes artifacts again: finished work is kept".to_owned()
            }
            Self::NoToken => "give the action's input `token`, whose default is the workflow's own".to_owned(),
            Self::MissingInput(_) => "`backend-implementer generate` writes it".to_owned(),
            Self::Assignment(_) => "hand on the input of the workflow as it is: `job: ${{ inputs.job }}`".to_owned(),
            Self::TooManyWaves { waves, .. } => {
                format!("set `workflow.waves` to {waves} or more and run `backend-implementer generate`")
            }
            Self::Conversation(error) => return error.hint(),
            Self::Github(error) => return error.hint(),
            Self::Execution(ExecutionError::Agent(error)) | Self::Job(JobError::Agent(error)) => return error.hint(),
            Self::Dispatch(error) => return error.hint(),
            _ => return None,
        })
    }
}
