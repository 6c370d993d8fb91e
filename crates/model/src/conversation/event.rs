//! The event that started a workflow, as far as we look at it. Payloads are read leniently: GitHub adds to them.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{
    github_ids::{CommentId, PullRequestNumber},
    ids::ObjectId,
};

/// Somebody who did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The login.
    pub login: String,
    /// Whether it is an app, and not a person.
    pub is_bot: bool,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Something happened to a pull request.
    PullRequest {
        /// What: `opened`, `synchronize`, `labeled` and others.
        action: String,
        /// The pull request.
        number: PullRequestNumber,
        /// The commit at its head when it happened.
        head: ObjectId,
        /// The label, for `labeled`.
        label: Option<String>,
        /// The description as it was when it happened. Untrusted.
        body: String,
        /// When it happened by GitHub's clock, in RFC 3339, as far as the payload says.
        at: Option<String>,
        /// Who did it.
        sender: Actor,
    },
    /// Somebody commented.
    Comment {
        /// What: `created`, `edited` or `deleted`.
        action: String,
        /// The issue or pull request.
        number: PullRequestNumber,
        /// Whether it is a pull request.
        on_pull_request: bool,
        /// The comment.
        id: CommentId,
        /// Its text. Untrusted.
        body: String,
        /// Who wrote it.
        author: Actor,
        /// When, in RFC 3339.
        created_at: String,
    },
    /// Pull requests are about to be merged together, and the checks on what comes out are awaited.
    MergeGroup {
        /// The commit that comes out.
        head: ObjectId,
    },
    /// Somebody started the workflow by hand.
    Dispatch {
        /// What they filled in.
        inputs: BTreeMap<String, String>,
        /// Who.
        sender: Actor,
    },
    /// Anything else.
    Other {
        /// The event's name.
        name: String,
        /// Who caused it, where the payload says so.
        sender: Option<Actor>,
    },
}

impl Event {
    /// Returns what somebody filled in who started the workflow by hand; nothing for other events.
    #[must_use]
    pub fn filled_in(&self, name: &str) -> Option<&str> {
        match self {
            Self::Dispatch { inputs, .. } => {
                inputs.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
            }
            _ => None,
        }
    }
}

/// Says why an event cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the payload of the event `{name}` cannot be read: {reason}")]
pub struct EventError {
    name: String,
    reason: String,
}

#[derive(Deserialize)]
struct RawUser {
    login: String,
    #[serde(default, rename = "type")]
    kind: String,
}

impl From<RawUser> for Actor {
    fn from(user: RawUser) -> Self {
        Self { login: user.login, is_bot: user.kind == "Bot" }
    }
}

#[derive(Deserialize)]
struct RawPullRequestEvent {
    action: String,
    number: PullRequestNumber,
    pull_request: RawPullRequest,
    label: Option<RawLabel>,
    sender: RawUser,
}

#[derive(Deserialize)]
struct RawPullRequest {
    head: RawBranch,
    body: Option<String>,
    updated_at: Option<String>,
}

#[derive(Deserialize)]
struct RawBranch {
    sha: ObjectId,
}

#[derive(Deserialize)]
struct RawLabel {
    name: String,
}

#[derive(Deserialize)]
struct RawCommentEvent {
    action: String,
    issue: RawIssue,
    comment: RawComment,
}

#[derive(Deserialize)]
struct RawIssue {
    number: PullRequestNumber,
    pull_request: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct RawComment {
    id: CommentId,
    body: Option<String>,
    user: Option<RawUser>,
    created_at: String,
}

#[derive(Deserialize)]
struct RawDispatchEvent {
    #[serde(default)]
    inputs: Option<BTreeMap<String, serde_json::Value>>,
    sender: RawUser,
}

#[derive(Deserialize)]
struct RawMergeGroupEvent {
    merge_group: RawMergeGroup,
}

#[derive(Deserialize)]
struct RawMergeGroup {
    head_sha: ObjectId,
}

#[derive(Deserialize)]
struct RawOtherEvent {
    sender: Option<RawUser>,
}

/// Reads the payload of the event `name`.
///
/// # Errors
/// When it is no JSON, or misses what such an event has.
pub fn read(name: &str, payload: &[u8]) -> Result<Event, EventError> {
    fn parse<'a, T: Deserialize<'a>>(name: &str, payload: &'a [u8]) -> Result<T, EventError> {
        serde_json::from_slice(payload)
            .map_err(|error| EventError { name: crate::text::terminal(name), reason: error.to_string() })
    }
    match name {
        "pull_request" => {
            let event: RawPullRequestEvent = parse(name, payload)?;
            Ok(Event::PullRequest {
                action: event.action,
                number: event.number,
                head: event.pull_request.head.sha,
                body: event.pull_request.body.unwrap_or_default(),
                at: event.pull_request.updated_at,
                label: event.label.map(|label| label.name),
                sender: event.sender.into(),
            })
        }
        "issue_comment" => {
            let RawCommentEvent { action, issue, comment } = parse(name, payload)?;
            Ok(Event::Comment {
                action,
                number: issue.number,
                on_pull_request: issue.pull_request.is_some_and(|value| !value.is_null()),
                id: comment.id,
                body: comment.body.unwrap_or_default(),
                // Whose account is gone is nobody.
                author: comment.user.map_or(Actor { login: "ghost".to_owned(), is_bot: false }, Into::into),
                created_at: comment.created_at,
            })
        }
        "merge_group" => {
            let event: RawMergeGroupEvent = parse(name, payload)?;
            Ok(Event::MergeGroup { head: event.merge_group.head_sha })
        }
        "workflow_dispatch" => {
            let event: RawDispatchEvent = parse(name, payload)?;
            let text = |value: serde_json::Value| match value {
                serde_json::Value::String(text) => text,
                other => other.to_string(),
            };
            let inputs = event.inputs.unwrap_or_default();
            Ok(Event::Dispatch {
                inputs: inputs.into_iter().map(|(key, value)| (key, text(value))).collect(),
                sender: event.sender.into(),
            })
        }
        _ => {
            let event: RawOtherEvent = parse(name, payload)?;
            Ok(Event::Other { name: name.to_owned(), sender: event.sender.map(Into::into) })
        }
    }
}
