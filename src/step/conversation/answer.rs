//! Short answers to whoever asked for something: a reaction, a reply, and why a run was refused.

use implementer_model::conversation::{
    intent::{Approval, Via},
    replies,
};

use super::{PullRequestContext, error::ConversationError};
use crate::{errors, github::Reaction};

/// Answers a run that was refused on the pull request.
pub(super) async fn told<T>(
    pull: &PullRequestContext,
    approval: &Approval,
    result: Result<T, ConversationError>,
) -> Result<T, ConversationError> {
    match result {
        Err(ConversationError::Refused { reason, hint }) => {
            let reply = replies::refusal(&approval.by.login, &reason, &hint);
            answer(pull, approval, &reply, Reaction::Confused).await;
            Err(ConversationError::Refused { reason, hint })
        }
        Err(error)
            if matches!(
                error,
                ConversationError::NoPlan | ConversationError::SeveralPlans(_) | ConversationError::PlanNotFound(_)
            ) || !error.diagnostics().is_empty() =>
        {
            let hint = "fix it; the comment of the Backend Implementer shows what is wrong";
            answer(
                pull,
                approval,
                &replies::refusal(&approval.by.login, &errors::chain(&error), hint),
                Reaction::Confused,
            )
            .await;
            Err(error)
        }
        result => result,
    }
}

/// Acknowledges a comment. A reaction that does not arrive is no reason to stop.
pub(super) async fn react(pull: &PullRequestContext, approval: &Approval, reaction: Reaction) {
    if let Via::Comment { id } = approval.via
        && let Err(error) = pull.github().react(id, reaction).await
    {
        tracing::warn!(%error, "the comment could not be acknowledged");
    }
}

/// Answers a comment. Whoever started a run in another way reads the log.
pub(super) async fn answer(pull: &PullRequestContext, approval: &Approval, reply: &str, reaction: Reaction) {
    if let Via::Comment { .. } = approval.via {
        react(pull, approval, reaction).await;
        if let Err(error) = pull.github().post_comment(pull.number, reply).await {
            tracing::warn!(%error, "the answer could not be posted");
        }
    }
}
