//! The overall check where no run reports it: a required check that is never reported keeps everybody waiting.

use implementer_model::{
    conversation::{checks, comment},
    ids::ObjectId,
};

use super::{PlanState, PullRequestContext, Snapshot, publish};
use crate::github::{CheckRun, CheckState, GithubError};

/// Reports the overall check on the head as it stands. A run that is at work, or was, has said more than this can.
pub(super) async fn report(pull: &PullRequestContext, snapshot: &Snapshot, plan: PlanState) -> Result<(), GithubError> {
    let head = &snapshot.request.head.sha;
    if plan == PlanState::None {
        let newest = newest(pull, head).await?;
        if newest.is_some_and(|check| check.status != CheckState::Completed) {
            return Ok(());
        }
        return create(pull, head, &checks::no_plan()).await;
    }
    let Some(branch) = result_branch(pull, snapshot).await? else {
        // Without a run nothing was reported on this head but, perhaps, that it had no plan.
        return match newest(pull, head).await? {
            Some(check) if check.conclusion.as_deref() == Some(checks::Conclusion::Neutral.name()) => {
                create(pull, head, &checks::plan_waits()).await
            }
            _ => Ok(()),
        };
    };
    create(pull, head, &checks::carried_over(&branch)).await
}

/// Returns the commit of our result branch, when the head has the very tree of it and it is a proven result.
async fn result_branch(pull: &PullRequestContext, snapshot: &Snapshot) -> Result<Option<ObjectId>, GithubError> {
    let history = snapshot.own_comment().and_then(|own| own.body.as_deref()).map(comment::history);
    // Nothing was ever completed: nobody needs to be asked.
    if !history.is_some_and(|runs| runs.iter().any(|run| run.status == "complete")) {
        return Ok(None);
    }
    let head = &snapshot.request.head.sha;
    if newest(pull, head).await?.is_some() {
        return Ok(None);
    }
    let name = super::result_branch_name(pull.number);
    let Some((commit, tree)) = pull.github().branch(&name).await? else { return Ok(None) };
    if tree != snapshot.head.tree {
        return Ok(None);
    }
    let proven = newest(pull, &commit).await?.is_some_and(|check| check.conclusion.as_deref() == Some("success"));
    Ok(proven.then_some(commit))
}

/// Finds the overall check run on a commit that GitHub numbered last.
async fn newest(pull: &PullRequestContext, commit: &ObjectId) -> Result<Option<CheckRun>, GithubError> {
    let checks = pull.github().check_runs(commit, Some(checks::OVERALL)).await?;
    Ok(checks.into_iter().max_by_key(|check| check.id))
}

async fn create(pull: &PullRequestContext, head: &ObjectId, page: &checks::CheckPage) -> Result<(), GithubError> {
    let key = pull.run_key().to_string();
    publish::create_concluded(&pull.repository, head, checks::OVERALL, &key, page).await
}
