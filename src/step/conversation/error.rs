//! Why a conversation could not go on.

use implementer_model::{diagnostics::Diagnostic, wording::page};

use crate::{
    execution::ExecutionError, github::GithubError, intake::IntakeError, step::gather::DownloadError,
    workspace::WorkspaceError,
};

/// Says why a conversation could not go on. What is answered on the pull request, such as a refusal, is none.
#[derive(Debug, thiserror::Error)]
pub enum ConversationError {
    /// GitHub could not be asked or told.
    #[error(transparent)]
    Github(#[from] GithubError),
    /// The commits could not be fetched or read.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// The run could not be begun or ended.
    #[error(transparent)]
    Execution(#[from] ExecutionError),
    /// Plan, configuration or agent files are wrong.
    #[error(transparent)]
    Intake(#[from] IntakeError),
    /// The pull request has no plan.
    #[error(
        "the pull request has no plan: add `.backend-implementer/plan.md` to it, or write one in its description or a \
         comment, see {}",
        page("pull-request.md")
    )]
    NoPlan,
    /// Several files could be the plan.
    #[error("several files of the pull request could be the plan: {}; name one with the input `plan`", .0.join(", "))]
    SeveralPlans(Vec<String>),
    /// A plan was named that is not there.
    #[error("the pull request's head has no file `{}`: the input `plan` names a path in it", implementer_model::text::terminal(.0))]
    PlanNotFound(String),
    /// Another run has the pull request.
    #[error("refused: {reason}")]
    Busy {
        /// Why.
        reason: String,
        /// What to do.
        hint: String,
    },
    /// What the last run finished may be there, and cannot be fetched.
    #[error("what the last run finished cannot be downloaded, and nothing is done twice: {}", crate::errors::chain(.0))]
    KeptNotHere(DownloadError),
    /// A label was set that runs nothing.
    #[error("the label `{}` runs nothing", implementer_model::text::terminal(.0))]
    OtherLabel(String),
    /// What was asked for was refused, and the answer says why.
    #[error("refused: {reason}")]
    Refused {
        /// Why.
        reason: String,
        /// What to do.
        hint: String,
    },
}

impl ConversationError {
    /// Returns what to do about it, where it is not clear from what happened.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Busy { hint, .. } | Self::Refused { hint, .. } => Some(hint.clone()),
            Self::Github(error) => error.hint(),
            Self::Execution(ExecutionError::Agent(error)) => error.hint(),
            Self::KeptNotHere(_) => {
                Some("comment again when GitHub answers, or approve the whole plan with `/implement LOCK`".to_owned())
            }
            _ => None,
        }
    }

    /// Returns what is wrong with plan, configuration or agent files, where that is the reason.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        match self {
            Self::Intake(IntakeError::Invalid(diagnostics)) => diagnostics,
            _ => &[],
        }
    }
}
