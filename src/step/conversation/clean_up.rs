//! What comes after a step that was killed: nothing of it stays in progress.

use implementer_model::{
    conversation::{comment, live},
    github_ids::RunKey,
    ids::ObjectId,
};

use super::{PullRequestContext, claim, own_comment, own_comment::OwnComment};
use crate::github::GithubError;

/// Concludes what the run with the pull's key left open on a pull request and its commit. Gives how much that was.
///
/// # Errors
/// When GitHub cannot be asked.
pub async fn clean_up(pull: &PullRequestContext, commit: &ObjectId) -> Result<usize, GithubError> {
    let mut mended = 0;
    let checks = match pull.github().check_runs(commit, None).await {
        Err(error) if error.is_forbidden() => Vec::new(),
        checks => checks?,
    };
    let ours = |key: RunKey| key.is_same_run(pull.run_key());
    for check in checks.iter().filter(|check| claim::is_open(check) && check.run_key().is_some_and(ours)) {
        claim::conclude_left_open(pull, check).await;
        mended += 1;
    }
    let me = pull.github().whoami().await?;
    let comments = pull.github().comments(pull.number).await?;
    let own = own_comment::find(&comments, &me);
    let claim = own.and_then(|comment| comment.body.as_deref()).and_then(comment::claim);
    if claim.is_some_and(ours) {
        let page = live::render_killed(pull.run_url());
        OwnComment::new(pull, &me, own).write(&page, None).await?;
        mended += 1;
    }
    Ok(mended)
}
