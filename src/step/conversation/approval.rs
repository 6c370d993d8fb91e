//! Who may start a run, and whether what they approved is what is there. The model decides; here GitHub is asked.

use std::time::SystemTime;

use implementer_model::{
    conversation::{
        checks, comment,
        event::Actor,
        evidence::{self, Evidence, LastEdit},
        intent::{Approval, Via},
        shown,
    },
    github_ids::RunKey,
    lock::Lock,
    provenance::{ApprovalRecord, PlanOriginKind},
};

use super::{PullRequestContext, Snapshot, error::ConversationError, plan_source::FoundPlan};
use crate::github::{GithubError, Permission};

/// Checks that whoever asks may ask, and whoever had the workflow run again, too: people who may push, or bots that the
/// configuration names.
pub(super) async fn check_who(
    pull: &PullRequestContext,
    snapshot: &Snapshot,
    approval: &Approval,
) -> Result<(), ConversationError> {
    // GitHub lets only those start a workflow by hand who may push, bots included.
    let by_hand = approval.by.is_bot && approval.via == Via::Dispatch;
    if !by_hand {
        check_actor(pull, snapshot, &approval.by).await?;
    }
    match &approval.run_again_by {
        Some(again) if again.login != approval.by.login => check_actor(pull, snapshot, again).await,
        _ => Ok(()),
    }
}

async fn check_actor(pull: &PullRequestContext, snapshot: &Snapshot, by: &Actor) -> Result<(), ConversationError> {
    if by.is_bot {
        if snapshot.config.pull_request.bots.contains(&by.login) {
            return Ok(());
        }
        return Err(refused(
            format!("the bot {} is not on the list of bots that may approve", by.login),
            "name it in `pull-request.bots` of .github/backend-implementer.yml on the base branch",
        ));
    }
    if pull.github().permission(&by.login).await? >= Permission::Write {
        return Ok(());
    }
    Err(refused(
        format!("{} has no write permission on this repository", by.login),
        "ask somebody with write permission to approve the plan",
    ))
}

/// Checks that what was approved is what is there now, and gives the record of the approval.
pub(super) async fn check_what(
    pull: &PullRequestContext,
    snapshot: &Snapshot,
    approval: &Approval,
    found: &FoundPlan,
    lock: &Lock,
) -> Result<ApprovalRecord, ConversationError> {
    let short = lock.digest.short();
    let again = format!("look at the plan again, and comment `/implement {short}` to approve it as it is now");
    if let Some(named) = &approval.lock {
        lock.check(named).map_err(|mismatch| {
            let shown = snapshot.own_comment().and_then(|own| own.body.as_deref()).map(comment::shown_locks);
            let changed = shown::what_changed(&shown.unwrap_or_default(), named, lock, &snapshot.request.base.name);
            refused(format!("the lock {} was approved, and now it is {short}: {changed}", mismatch.expected), &again)
        })?;
    } else {
        let asked = Asked::new(pull, snapshot, approval, found).await?;
        let own = snapshot.own_comment();
        let evidence = Evidence {
            lock: lock.digest.as_str(),
            origin: Some(found.origin.kind),
            head: snapshot.request.head.sha.as_str(),
            body: snapshot.request.body.as_deref().unwrap_or(""),
            body_edit: asked.body_edit,
            plan_changed: found.changed.as_deref().and_then(parse_time),
            pull_request_changed: snapshot.request.updated_at.as_deref().and_then(parse_time),
            approved: approval.at.as_deref().and_then(parse_time),
            run_made: asked.run_made,
            attempt: asked.attempt,
            shown: own.and_then(|own| Some((comment::shown_lock(own.body.as_deref()?)?, parse_time(&own.updated_at)))),
            shown_edit: asked.shown_edit,
            checked: asked.checked.as_deref(),
        };
        evidence::check(&approval.via, &evidence).map_err(|reason| {
            let hint = match reason {
                evidence::NotApproved::LockNeeded => format!("give the input `lock`; now it is `{short}`"),
                evidence::NotApproved::RunAgain => {
                    format!("start it again, or give the input `lock`; now it is `{short}`")
                }
                _ => again.clone(),
            };
            refused(reason.to_string(), &hint)
        })?;
    }
    Ok(ApprovalRecord { by: approval.by.login.clone(), at: approval.at.clone(), via: approval.via.name() })
}

/// What GitHub is asked for beside what was read anyway. A question that it does not answer ends the step: nothing is
/// taken for granted.
struct Asked {
    checked: Option<String>,
    run_made: Option<SystemTime>,
    attempt: u32,
    body_edit: Option<LastEdit>,
    shown_edit: Option<LastEdit>,
}

impl Asked {
    async fn new(
        pull: &PullRequestContext,
        snapshot: &Snapshot,
        approval: &Approval,
        found: &FoundPlan,
    ) -> Result<Self, ConversationError> {
        let shown_edit = match (&approval.via, snapshot.own_comment()) {
            (Via::Comment { .. }, Some(own)) => last_edit(pull, snapshot, own.node_id.as_deref()).await?,
            _ => None,
        };
        let body_edit = match approval.via {
            Via::Label { .. } | Via::Dispatch if found.origin.kind == PlanOriginKind::Body => {
                last_edit(pull, snapshot, snapshot.request.node_id.as_deref()).await?
            }
            _ => None,
        };
        let checked = match approval.via {
            Via::Comment { .. } | Via::Label { .. } => checked_lock(pull, snapshot).await?,
            Via::Dispatch | Via::Input | Via::Local => None,
        };
        let (run_made, attempt) = match (&approval.via, pull.run_key()) {
            (Via::Dispatch, RunKey::Workflow { run, attempt }) => {
                let run = pull.github().workflow_run(*run).await?;
                (run.created_at.as_deref().and_then(parse_time), *attempt)
            }
            (_, RunKey::Workflow { attempt, .. }) => (None, *attempt),
            (_, RunKey::Local(_)) => (None, 1),
        };
        Ok(Self { checked, run_made, attempt, body_edit, shown_edit })
    }
}

/// Asks for the last edit of a text; nothing, where GitHub does not say.
async fn last_edit(
    pull: &PullRequestContext,
    snapshot: &Snapshot,
    node: Option<&str>,
) -> Result<Option<LastEdit>, GithubError> {
    let Some(node) = node else { return Ok(None) };
    let edit = pull.github().last_edit(node).await?;
    Ok(edit.and_then(|edit| match &edit.last_edited_at {
        None => Some(LastEdit::Never),
        Some(at) => parse_time(at).map(|at| LastEdit::Edited { at, by_us: edit.is_by(&snapshot.me) }),
    }))
}

/// Returns the lock of the newest preview of this very commit, from its check run. Which is the newest, GitHub's numbers
/// tell: times in it are the writer's words.
async fn checked_lock(pull: &PullRequestContext, snapshot: &Snapshot) -> Result<Option<String>, GithubError> {
    let app = snapshot.me.strip_suffix("[bot]");
    let previews = match pull.github().check_runs(&snapshot.request.head.sha, Some(checks::PLAN)).await {
        // Who may not see them has none.
        Err(error) if error.is_forbidden() => return Ok(None),
        previews => previews?,
    };
    let by_us = |slug: Option<&str>| app.is_none() || slug == app;
    let ours = previews.into_iter().filter(|check| by_us(check.app.as_ref().and_then(|app| app.slug.as_deref())));
    Ok(ours.max_by_key(|check| check.id).and_then(|check| check.external_id))
}

fn parse_time(text: &str) -> Option<SystemTime> {
    humantime::parse_rfc3339(text).ok()
}

fn refused(reason: String, hint: &str) -> ConversationError {
    ConversationError::Refused { reason, hint: hint.to_owned() }
}
