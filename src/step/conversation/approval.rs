//! Who may start a run, and whether what they approved is what is there.

use std::time::SystemTime;

use implementer_model::{
    conversation::{
        checks,
        intent::{Approval, Via},
    },
    lock::Lock,
    provenance::ApprovalRecord,
};

use super::{PullRequestContext, Snapshot, error::ConversationError};
use crate::github::{GithubError, Permission};

/// Checks that whoever asks may ask: a person who may push, or a bot that the configuration names.
pub(super) async fn check_who(
    pull: &PullRequestContext,
    snapshot: &Snapshot,
    approval: &Approval,
) -> Result<(), ConversationError> {
    let by = &approval.by;
    if by.is_bot {
        // GitHub lets only those start a workflow by hand who may push, bots included.
        let allowed = approval.via == Via::Dispatch || snapshot.config.pull_request.bots.contains(&by.login);
        return if allowed {
            Ok(())
        } else {
            Err(refused(
                format!("the bot {} is not on the list of bots that may approve", by.login),
                "name it in `pull-request.bots` of .github/backend-implementer.yml on the base branch",
            ))
        };
    }
    if pull.github().permission(&by.login).await? >= Permission::Write {
        Ok(())
    } else {
        Err(refused(
            format!("{} has no write permission on this repository", by.login),
            "ask somebody with write permission to approve the plan",
        ))
    }
}

/// Checks that what was approved is what is there now, and gives the record of the approval.
pub(super) async fn check_what(
    pull: &PullRequestContext,
    snapshot: &Snapshot,
    approval: &Approval,
    lock: &Lock,
) -> Result<ApprovalRecord, ConversationError> {
    let short = lock.digest.short();
    let again = format!("look at the plan again, and comment `/implement {short}` to approve it as it is now");
    match (&approval.lock, &approval.via) {
        (Some(named), _) => lock.check(named).map_err(|mismatch| {
            let named = mismatch.expected;
            let reason = format!("the lock {named} was approved, but plan, base commit and roster now give {short}");
            refused(reason, &again)
        })?,
        (None, Via::Comment { .. }) => {
            let at = approval.at.as_deref().and_then(parse_time);
            let shown = shown_at(pull, snapshot, at).await;
            let same = shown.as_ref().is_ok_and(|shown| shown.as_deref() == Some(lock.digest.as_str()));
            if !same {
                let reason = match shown {
                    Ok(Some(_)) => "plan, base commit or roster changed after they were shown to you".to_owned(),
                    Ok(None) => "nothing was shown for this commit before your comment".to_owned(),
                    Err(error) => format!("what was shown to you cannot be established: {error}"),
                };
                return Err(refused(reason, &again));
            }
        }
        (None, Via::Label { head, .. }) => {
            let shown = shown_at(pull, snapshot, None).await.unwrap_or_default();
            if *head != snapshot.request.head.sha || shown.is_some_and(|shown| shown != lock.digest.as_str()) {
                return Err(refused("the pull request changed after the label was set".to_owned(), &again));
            }
        }
        // Whoever starts the workflow or the program by hand takes what is there.
        (None, Via::Dispatch | Via::Local) => {}
        (None, Via::Input) => {
            let reason = "a workflow that names the pull request must name the lock that it approves".to_owned();
            return Err(refused(reason, &format!("give the input `lock`; now it is `{short}`")));
        }
    }
    Ok(ApprovalRecord { by: approval.by.login.clone(), at: approval.at.clone(), via: approval.via.name() })
}

/// Returns the lock that the newest preview of this very commit showed, at the time `until` or before. It is read from
/// check runs that only our own app can change, not from comments.
async fn shown_at(
    pull: &PullRequestContext,
    snapshot: &Snapshot,
    until: Option<SystemTime>,
) -> Result<Option<String>, GithubError> {
    let app = snapshot.me.strip_suffix("[bot]");
    let previews = pull.github().check_runs(&snapshot.request.head.sha, Some(checks::PLAN)).await?;
    let newest = previews
        .into_iter()
        .filter(|check| check.app.as_ref().and_then(|made_by| made_by.slug.as_deref()) == app || app.is_none())
        .filter_map(|check| Some((parse_time(check.completed_at.as_deref()?)?, check.id, check.external_id?)))
        .filter(|(at, ..)| until.is_none_or(|until| *at <= until))
        .max();
    Ok(newest.map(|(.., lock)| lock))
}

fn parse_time(text: &str) -> Option<SystemTime> {
    humantime::parse_rfc3339(text).ok()
}

fn refused(reason: String, hint: &str) -> ConversationError {
    ConversationError::Refused { reason, hint: hint.to_owned() }
}
