//! Objects and events in GitHub's shapes.

use serde_json::{Value, json};

use super::{
    FakeGithub, REPOSITORY,
    state::{CheckRun, Comment, PullRequest},
};

pub(super) fn user(login: &str) -> Value {
    let kind = if login.ends_with("[bot]") { "Bot" } else { "User" };
    json!({ "login": login, "id": login.len(), "node_id": login, "type": kind, "site_admin": false })
}

pub(super) fn node_of(pull: &PullRequest) -> String {
    format!("PR_{}", pull.number)
}

pub(super) fn pull_request(pull: &PullRequest, url: &str) -> Value {
    let side = |sha: &str, name: &str, repository: &str| json!({ "label": format!("octo:{name}"), "ref": name, "sha": sha, "repo": { "full_name": repository } });
    json!({
        "number": pull.number,
        "node_id": node_of(pull),
        "state": if pull.closed { "closed" } else { "open" },
        "title": "A pull request",
        "body": pull.body,
        "user": user(&pull.author),
        "html_url": format!("{url}/{REPOSITORY}/pull/{}", pull.number),
        "head": side(&pull.head_sha, "topic", &pull.head_repository),
        "base": side(&pull.base_sha, "main", REPOSITORY),
        "draft": false,
        "merged": pull.merged,
        "locked": pull.locked,
        "updated_at": pull.updated_at,
    })
}

pub(super) fn comment(comment: &Comment, url: &str) -> Value {
    json!({
        "id": comment.id,
        "node_id": comment.id.to_string(),
        "body": comment.body,
        "user": user(&comment.author),
        "html_url": format!("{url}/{REPOSITORY}/pull/{}#issuecomment-{}", comment.number, comment.id),
        "created_at": comment.created_at,
        "updated_at": comment.updated_at,
        "author_association": "MEMBER",
    })
}

pub(super) fn check_run(check: &CheckRun) -> Value {
    json!({
        "id": check.id,
        "name": check.name,
        "head_sha": check.head_sha,
        "external_id": check.external_id,
        "status": check.status,
        "conclusion": check.conclusion,
        "started_at": check.started_at,
        "completed_at": check.completed_at,
        "app": { "id": 1, "slug": check.app, "name": check.app },
        "output": { "title": check.title, "summary": check.summary, "annotations_count": check.annotations.len() },
    })
}

impl FakeGithub {
    /// Makes the payload of `pull_request`.
    pub(crate) fn event_pull_request(&self, number: u64, action: &str) -> Value {
        let pull = self.state().pulls.get(&number).expect("the pull request").clone();
        json!({ "action": action, "number": number, "pull_request": pull_request(&pull, &self.server_url()),
                "repository": { "full_name": REPOSITORY }, "sender": user(&pull.author) })
    }

    /// Makes the payload of a label that somebody set.
    pub(crate) fn event_labeled(&self, number: u64, label: &str, sender: &str) -> Value {
        let mut event = self.event_pull_request(number, "labeled");
        event["label"] = json!({ "name": label });
        event["sender"] = user(sender);
        event
    }

    /// Lets somebody comment, and makes the payload of `issue_comment`.
    pub(crate) fn event_comment(&self, number: u64, login: &str, body: &str) -> Value {
        let id = self.state().comment(number, login, body);
        let comment = self.comments(number).into_iter().find(|comment| comment.id == id).expect("the comment");
        json!({ "action": "created", "issue": { "number": number, "pull_request": { "url": "x" } },
                "comment": self::comment(&comment, &self.server_url()), "repository": { "full_name": REPOSITORY },
                "sender": user(login) })
    }

    /// Makes the payload of `merge_group`.
    #[expect(clippy::unused_self, reason = "as the other events")]
    pub(crate) fn event_merge_group(&self, head: &str) -> Value {
        json!({ "action": "checks_requested", "sender": user("github-merge-queue[bot]"),
                "merge_group": { "head_sha": head, "head_ref": "refs/heads/gh-readonly-queue/main/pr-7-x",
                                 "base_sha": "0".repeat(40), "base_ref": "refs/heads/main" } })
    }

    /// Makes the payload of `workflow_dispatch`.
    #[expect(clippy::unused_self, reason = "as the other events")]
    pub(crate) fn event_dispatch(&self, inputs: &Value, sender: &str) -> Value {
        json!({ "inputs": inputs, "ref": "refs/heads/main", "sender": user(sender) })
    }
}
