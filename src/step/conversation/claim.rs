//! One run at a time on a pull request: who was first goes on, the other says so.
//!
//! On one commit check runs decide: GitHub numbers them, so that of two runs exactly one sees itself first. Between
//! commits the comment tells, as far as it can be believed: a claim counts only while its workflow run is at work.

use std::time::{Duration, SystemTime};

use implementer_model::{
    conversation::{checks, comment},
    github_ids::{CheckRunId, RunKey},
    ids::ObjectId,
};

use super::{PullRequestContext, Snapshot};
use crate::github::{CheckOutput, CheckRun, CheckState, CheckStatus, CheckUpdate, GithubError, NewCheck};

/// How long a claim counts whose run cannot be asked about: the longest that a job on GitHub's own runners may take
/// ("Usage limits", docs.github.com).
const CLAIM_COUNTS: Duration = Duration::from_secs(6 * 60 * 60);

/// What came of a claim.
#[derive(Debug)]
pub(super) enum Claim {
    /// This run goes on.
    Won(CheckRuns),
    /// Another one is at work.
    Lost {
        /// What it is known by.
        by: RunKey,
    },
}

/// The check runs of this run: on which commit, and whether they can be written at all.
#[derive(Debug, Clone)]
pub(super) struct CheckRuns {
    /// The overall check run, where there is one.
    pub(super) overall: Option<CheckRunId>,
    /// Why there are none.
    pub(super) refused: Option<String>,
}

impl CheckRuns {
    /// Tells whether check runs can be written.
    pub(super) fn are_written(&self) -> bool {
        self.overall.is_some()
    }
}

/// Claims the pull request for this run, and concludes what a run that died left open.
pub(super) async fn claim(pull: &PullRequestContext, snapshot: &Snapshot) -> Result<Claim, GithubError> {
    if let Some(ours) = snapshot.own_comment()
        && let Some(by) = ours.body.as_deref().and_then(comment::claim)
        && !by.is_same_run(pull.run_key())
        && is_at_work(pull, &by, Some(&ours.updated_at)).await
    {
        return Ok(Claim::Lost { by });
    }
    if !snapshot.config.pull_request.checks() {
        let refused = Some("the configuration switches them off".to_owned());
        return Ok(Claim::Won(CheckRuns { overall: None, refused }));
    }
    let opened = open_check(pull, &snapshot.request.head.sha, checks::OVERALL).await;
    let without = |error: GithubError| {
        tracing::warn!(%error, "no check runs; the step summary and annotations have everything");
        Ok(Claim::Won(CheckRuns { overall: None, refused: Some(error.told()) }))
    };
    let opened = match opened {
        Err(error) if error.is_forbidden() => return without(error),
        opened => opened,
    };
    let others = match pull.github().check_runs(&snapshot.request.head.sha, None).await {
        Ok(others) => others,
        Err(error) => return without(error),
    };
    let ours = |check: &&CheckRun| check.name == checks::OVERALL && check.run_key().as_ref() == Some(pull.run_key());
    let mine = match opened {
        Ok(check) => check,
        // It may have been made all the same; the list tells.
        Err(error) => match others.iter().find(ours) {
            Some(check) => check.clone(),
            None => return without(error),
        },
    };
    let mut by = None;
    for other in others.iter().filter(|other| is_open(other) && other.id != mine.id) {
        let Some(key) = other.run_key() else { continue };
        if key.is_same_run(pull.run_key()) {
            // An earlier attempt at this very run began it; this one concludes it.
            if key != *pull.run_key() {
                conclude_left_open(pull, other).await;
            }
            continue;
        }
        if by.as_ref() == Some(&key) {
            continue;
        }
        // What an earlier attempt at this very run left open is left for good.
        let at_work = !key.is_same_run(pull.run_key()) && is_at_work(pull, &key, other.started_at.as_deref()).await;
        if !at_work {
            conclude_left_open(pull, other).await;
        } else if other.name == checks::OVERALL && other.id < mine.id {
            by = Some(key);
        }
    }
    let Some(by) = by else { return Ok(Claim::Won(CheckRuns { overall: Some(mine.id), refused: None })) };
    let output = CheckOutput {
        title: "Another run is at work".to_owned(),
        summary: format!("The run `{by}` was first; this one did nothing."),
        ..CheckOutput::default()
    };
    conclude(pull, mine.id, checks::Conclusion::Cancelled, &output).await?;
    Ok(Claim::Lost { by })
}

/// Tells whether the run known by `key` is still at work, in whichever attempt: a later one goes on with what an earlier
/// one left. `seen` is when it last gave a sign, in RFC 3339.
pub(super) async fn is_at_work(pull: &PullRequestContext, key: &RunKey, seen: Option<&str>) -> bool {
    if let Some(run) = key.run() {
        match pull.github().workflow_run(run).await {
            Ok(run) => return !run.is_over(),
            Err(error) => tracing::debug!(%error, %key, "cannot tell whether a run is at work"),
        }
    }
    let seen = seen.and_then(|seen| humantime::parse_rfc3339(seen).ok());
    // Both times are GitHub's: this machine's clock may be wrong.
    let (Some(seen), Some(now)) = (seen, pull.github().time()) else { return true };
    now.duration_since(seen).is_ok_and(|age| age < CLAIM_COUNTS)
}

/// Tells whether a check run is one of ours that is not concluded.
pub(super) fn is_open(check: &CheckRun) -> bool {
    let ours = check.name == checks::OVERALL || check.name.starts_with(checks::SUBAGENT_PREFIX);
    ours && check.status != CheckState::Completed
}

/// Concludes a check run that its own run did not.
pub(super) async fn conclude_left_open(pull: &PullRequestContext, check: &CheckRun) {
    let output = CheckOutput {
        title: "The run ended without a word".to_owned(),
        summary: "It was cancelled, lost its machine, or ran into the time limit of its job. \
                  The artifact of its workflow run has what it left."
            .to_owned(),
        ..CheckOutput::default()
    };
    if let Err(error) = conclude(pull, check.id, checks::Conclusion::Cancelled, &output).await {
        tracing::warn!(%error, check = check.name, "a check run that was left open cannot be concluded");
    }
}

/// Makes a check run that is in progress.
pub(super) async fn open_check(
    pull: &PullRequestContext,
    commit: &ObjectId,
    name: &str,
) -> Result<CheckRun, GithubError> {
    let started_at = now();
    let external_id = pull.run_key().to_string();
    let check = NewCheck {
        name,
        head_sha: commit,
        details_url: pull.run_url(),
        external_id: &external_id,
        started_at: &started_at,
        status: CheckStatus::InProgress,
        output: None,
    };
    pull.github().create_check(&check).await
}

/// Concludes a check run.
pub(super) async fn conclude(
    pull: &PullRequestContext,
    id: CheckRunId,
    conclusion: checks::Conclusion,
    output: &CheckOutput,
) -> Result<(), GithubError> {
    let completed_at = now();
    let status = CheckStatus::Completed { conclusion: conclusion.name(), completed_at: &completed_at };
    pull.github().update_check(id, &CheckUpdate { status, output: Some(output) }).await.map(drop)
}

/// Returns the time in RFC 3339, in whole seconds as GitHub has it.
pub(super) fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}
