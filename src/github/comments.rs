//! Comments on a pull request, and reactions to them.

use http::Method;
use implementer_model::github_ids::{CommentId, PullRequestNumber};
use serde::Deserialize;
use serde_json::json;

use super::{
    Github, GithubError, User,
    transport::{Call, Patience},
};

/// A comment in the conversation of a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Comment {
    /// Its id.
    pub id: CommentId,
    /// Its id for GraphQL.
    #[serde(default)]
    pub node_id: Option<String>,
    /// Its text. Untrusted, whoever wrote it.
    pub body: Option<String>,
    /// Who wrote it; nobody when the account is gone.
    pub user: Option<User>,
    /// Its page.
    #[serde(default)]
    pub html_url: String,
    /// When it was written, in RFC 3339.
    pub created_at: String,
    /// When it was last changed, in RFC 3339.
    pub updated_at: String,
}

/// How a comment is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// Seen, and being looked after.
    Eyes,
    /// Going ahead.
    Rocket,
    /// Refused.
    Confused,
}

impl Reaction {
    fn content(self) -> &'static str {
        match self {
            Self::Eyes => "eyes",
            Self::Rocket => "rocket",
            Self::Confused => "confused",
        }
    }
}

impl Github {
    /// Lists all comments of a pull request, the oldest first.
    ///
    /// # Errors
    /// When GitHub cannot be asked.
    pub async fn comments(&self, number: PullRequestNumber) -> Result<Vec<Comment>, GithubError> {
        let path = self.path(&format!("issues/{number}/comments"));
        self.fetch_all("listing the pull request's comments", &path, |comments: Vec<Comment>| comments).await
    }

    /// Lists the hundred comments of the whole repository that changed last, those of issues included: one page, one
    /// request.
    ///
    /// # Errors
    /// When GitHub cannot be asked.
    pub async fn newest_comments(&self) -> Result<Vec<Comment>, GithubError> {
        let path = self.path("issues/comments?sort=updated&direction=desc&per_page=100");
        self.fetch(&Call::get("listing the newest comments of the repository", path)).await
    }

    /// Posts a comment. Never repeated when it may have arrived.
    ///
    /// # Errors
    /// When GitHub refuses, or its answer does not arrive.
    pub async fn post_comment(&self, number: PullRequestNumber, body: &str) -> Result<Comment, GithubError> {
        let body = json!({ "body": body });
        let path = self.path(&format!("issues/{number}/comments"));
        self.fetch(&Call::post("posting a comment", path, &body)).await
    }

    /// Changes a comment. `live` is for one of many updates, of which only the last matters.
    ///
    /// # Errors
    /// When it is gone, or GitHub refuses.
    pub async fn update_comment(&self, id: CommentId, body: &str, live: bool) -> Result<Comment, GithubError> {
        let body = json!({ "body": body });
        let path = self.path(&format!("issues/comments/{id}"));
        let patience = if live { Patience::Live } else { Patience::Told };
        let call = Call { patience, ..Call::patch("updating the comment", path, &body) };
        self.fetch(&call).await
    }

    /// Deletes a comment; one that is gone already is as good.
    ///
    /// # Errors
    /// When GitHub refuses.
    pub async fn delete_comment(&self, id: CommentId) -> Result<(), GithubError> {
        let path = self.path(&format!("issues/comments/{id}"));
        let call = Call { method: Method::DELETE, ..Call::get("deleting a comment of ours", path) };
        match self.send(&call).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    /// Reacts to a comment. GitHub keeps one reaction of a kind, so that doing it twice does no harm.
    ///
    /// # Errors
    /// When GitHub refuses.
    pub async fn react(&self, comment: CommentId, reaction: Reaction) -> Result<(), GithubError> {
        let body = json!({ "content": reaction.content() });
        let path = self.path(&format!("issues/comments/{comment}/reactions"));
        let call = Call { repeatable: true, ..Call::post("reacting to a comment", path, &body) };
        self.send(&call).await.map(drop)
    }
}
