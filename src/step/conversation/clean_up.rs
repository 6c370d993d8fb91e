//! What comes after a step that was killed: nothing of it stays in progress.

use implementer_model::conversation::{comment, live};

use super::{PullRequestContext, claim, own_comment, own_comment::OwnComment};
use crate::github::GithubError;

/// Concludes what the run with the pull's key left open on a pull request and its commit. Gives how much that was.
///
/// # Errors
/// When GitHub cannot be asked.
pub async fn clean_up(pull: &PullRequestContext, commit: &str) -> Result<usize, GithubError> {
    let mut mended = 0;
    let checks = match pull.github().check_runs(commit, None).await {
        Err(error) if error.is_forbidden() => Vec::new(),
        checks => checks?,
    };
    for check in
        checks.iter().filter(|check| claim::is_open(check) && check.external_id.as_deref() == Some(pull.run_key()))
    {
        claim::conclude_left_open(pull, check).await;
        mended += 1;
    }
    let me = pull.github().whoami().await?;
    let comments = pull.github().comments(pull.number).await?;
    let ours = own_comment::find(&comments, &me);
    let claim = ours.and_then(|comment| comment.body.as_deref()).and_then(comment::claim);
    if claim.as_deref() == Some(pull.run_key()) {
        let page = live::render_killed(pull.run_url());
        OwnComment::new(pull, &me, ours).write(&page, None).await?;
        mended += 1;
    }
    Ok(mended)
}
