//! Cancelling the run that is at work on a pull request, and finding which that is.

use std::path::Path;

use implementer_model::{
    conversation::{checks, comment, intent::Approval, replies},
    github_ids::RunKey,
};

use super::{
    PlanOptions, PullRequestContext, Snapshot,
    answer::{answer, react},
    approval, claim,
    error::ConversationError,
};
use crate::{
    errors,
    github::{GithubError, Reaction},
};

/// Cancels the run that is at work on a pull request.
///
/// # Errors
/// When GitHub cannot be asked, or whoever asks may not.
pub async fn cancel(
    pull: &PullRequestContext,
    approval: &Approval,
    options: &PlanOptions,
    scratch: &Path,
) -> Result<String, ConversationError> {
    react(pull, approval, Reaction::Eyes).await;
    let snapshot = Snapshot::read(pull, options, scratch).await?;
    let by = &approval.by.login;
    if let Err(error) = approval::check_who(pull, &snapshot, approval).await {
        if let ConversationError::Refused { reason, hint } = &error {
            answer(pull, approval, &replies::refusal(by, reason, hint), Reaction::Confused).await;
        }
        return Err(error);
    }
    let Some(key) = at_work(pull, &snapshot).await? else {
        answer(pull, approval, &replies::nothing_to_cancel(by), Reaction::Confused).await;
        return Ok("no run is at work on this pull request".to_owned());
    };
    let result = match key.run() {
        Some(run) => pull.github().cancel_workflow_run(run).await,
        None => {
            let page = replies::cannot_cancel(by, "it was not started by a workflow; end it where it runs", None);
            answer(pull, approval, &page, Reaction::Confused).await;
            return Ok(format!("the run {key} was not started by a workflow"));
        }
    };
    match result {
        Ok(()) => {
            react(pull, approval, Reaction::Rocket).await;
            Ok(format!("the run {key} is being cancelled"))
        }
        Err(error) => {
            let url = pull.repository.page_of_run(&key);
            answer(
                pull,
                approval,
                &replies::cannot_cancel(by, &errors::chain(&error), url.as_deref()),
                Reaction::Confused,
            )
            .await;
            Err(error.into())
        }
    }
}

/// How many runs that are over by their reports are asked after: a later attempt may be at work.
const CONCLUDED_ASKED: usize = 3;

/// Finds the run that is at work: by the open check run on the head, else by the claim in the comment, else by the
/// newest workflow runs, which somebody may have had run again.
async fn at_work(pull: &PullRequestContext, snapshot: &Snapshot) -> Result<Option<RunKey>, GithubError> {
    let checks = pull.github().check_runs(&snapshot.request.head.sha, Some(checks::OVERALL)).await?;
    let (open, over): (Vec<_>, Vec<_>) = checks.iter().partition(|check| claim::is_open(check));
    let mut keys: Vec<(RunKey, Option<&str>)> =
        open.iter().filter_map(|check| Some((check.run_key()?, check.started_at.as_deref()))).collect();
    let own = snapshot.own_comment().and_then(|own| Some((own.body.as_deref()?, own.updated_at.as_str())));
    if let Some((body, updated)) = own
        && let Some(key) = comment::claim(body)
    {
        keys.push((key, Some(updated)));
    }
    let past = own.map(|(body, _)| comment::history(body)).unwrap_or_default().into_iter().map(|past| past.run);
    let over = over.iter().rev().filter_map(|check| check.run_key()).chain(past);
    // Of a run on somebody's own machine nobody can ask whether it goes on.
    let mut over: Vec<_> = over.filter(|key| key.run().is_some()).collect();
    over.dedup_by(|a, b| a.is_same_run(b));
    let mut asked: Vec<RunKey> = vec![pull.run_key().clone()];
    for (key, seen) in keys {
        if asked.iter().any(|asked| asked.is_same_run(&key)) {
            continue;
        }
        if claim::is_at_work(pull, &key, seen).await {
            return Ok(Some(key));
        }
        asked.push(key);
    }
    for key in over.into_iter().take(CONCLUDED_ASKED) {
        let Some(run) = key.run().filter(|_| !asked.iter().any(|asked| asked.is_same_run(&key))) else { continue };
        if pull.github().workflow_run(run).await.is_ok_and(|run| !run.is_over()) {
            return Ok(Some(key));
        }
    }
    Ok(None)
}
