//! Pull requests and the files that they change.

use implementer_model::{github_ids::PullRequestNumber, ids::ObjectId};
use serde::Deserialize;

use super::{Github, GithubError, User, transport::Call};

/// A pull request, as far as we look at it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PullRequest {
    /// Its number.
    pub number: PullRequestNumber,
    /// Whether it is open.
    pub state: PullRequestState,
    /// Its description. Untrusted text.
    pub body: Option<String>,
    /// Who opened it; nobody when the account is gone.
    pub user: Option<User>,
    /// Its page.
    #[serde(default)]
    pub html_url: String,
    /// When anything about it last changed, in RFC 3339, by GitHub's clock.
    #[serde(default)]
    pub updated_at: Option<String>,
    /// Whether it was merged.
    #[serde(default)]
    pub merged: bool,
    /// Whether its conversation is locked: nobody but collaborators may comment.
    #[serde(default)]
    pub locked: bool,
    /// What is to be merged.
    pub head: Branch,
    /// What it is to be merged into.
    pub base: Branch,
}

/// Whether a pull request is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PullRequestState {
    /// It is.
    Open,
    /// It is not, be it merged or not.
    Closed,
}

/// One side of a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Branch {
    /// The commit at its tip.
    pub sha: ObjectId,
    /// The branch's name. Untrusted text.
    #[serde(rename = "ref")]
    pub name: String,
    /// Its repository; none when that was deleted.
    pub repo: Option<Repository>,
}

/// A repository, as far as we look at it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Repository {
    /// `OWNER/REPO`.
    pub full_name: String,
}

#[derive(Deserialize)]
struct File {
    filename: String,
    status: String,
}

impl PullRequest {
    /// Tells whether its head is in another repository than its base, or in one that is gone.
    #[must_use]
    pub fn is_from_fork(&self) -> bool {
        match (&self.head.repo, &self.base.repo) {
            (Some(head), Some(base)) => !head.full_name.eq_ignore_ascii_case(&base.full_name),
            _ => true,
        }
    }
}

impl Github {
    /// Reads a pull request. Asking again costs nothing while it is unchanged.
    ///
    /// # Errors
    /// When there is none, or GitHub cannot be asked.
    pub async fn pull_request(&self, number: PullRequestNumber) -> Result<PullRequest, GithubError> {
        self.fetch_if_changed(&Call::get("reading the pull request", self.path(&format!("pulls/{number}")))).await
    }

    /// Lists the paths that a pull request adds or changes; GitHub lists at most 3,000.
    ///
    /// # Errors
    /// When GitHub cannot be asked.
    pub async fn changed_files(&self, number: PullRequestNumber) -> Result<Vec<String>, GithubError> {
        let path = self.path(&format!("pulls/{number}/files"));
        let files: Vec<File> =
            self.fetch_all("listing the pull request's files", &path, |files: Vec<File>| files).await?;
        Ok(files.into_iter().filter(|file| file.status != "removed").map(|file| file.filename).collect())
    }
}
