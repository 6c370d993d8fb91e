//! Pull requests and the files that they change.

use implementer_model::{github_ids::PullRequestNumber, ids::ObjectId};
use serde::Deserialize;

use super::{
    Github, GithubError, User,
    transport::{Call, escaped},
};

/// A pull request, as far as we look at it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PullRequest {
    /// Its number.
    pub number: PullRequestNumber,
    /// Its id for GraphQL.
    #[serde(default)]
    pub node_id: Option<String>,
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

/// The most files of a pull request that GitHub lists ("List pull requests files", docs.github.com: 3,000).
const FILES_MAX: usize = 3_000;

/// The files that a pull request adds or changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedFiles {
    /// Their paths.
    pub paths: Vec<String>,
    /// Whether there may be more, which GitHub does not list.
    pub is_cut: bool,
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

    /// Lists the paths that a pull request adds or changes, as far as GitHub lists them.
    ///
    /// # Errors
    /// When GitHub cannot be asked.
    pub async fn changed_files(&self, number: PullRequestNumber) -> Result<ChangedFiles, GithubError> {
        let path = self.path(&format!("pulls/{number}/files"));
        let files: Vec<File> =
            self.fetch_all("listing the pull request's files", &path, |files: Vec<File>| files).await?;
        let is_cut = files.len() >= FILES_MAX;
        let paths = files.into_iter().filter(|file| file.status != "removed").map(|file| file.filename).collect();
        Ok(ChangedFiles { paths, is_cut })
    }

    /// Returns the commit at which a branch left another: what a pull request changes is what it changes since then.
    ///
    /// # Errors
    /// When one of them is not there, or GitHub cannot be asked.
    pub async fn merge_base(&self, base: &ObjectId, head: &ObjectId) -> Result<ObjectId, GithubError> {
        #[derive(Deserialize)]
        struct Comparison {
            merge_base_commit: Commit,
        }
        #[derive(Deserialize)]
        struct Commit {
            sha: ObjectId,
        }
        // One file is enough of what else it lists.
        let path = self.path(&format!("compare/{base}...{head}?per_page=1"));
        let comparison: Comparison = self.fetch(&Call::get("comparing the pull request's branches", path)).await?;
        Ok(comparison.merge_base_commit.sha)
    }

    /// Returns the id of a file's content in a commit; nothing when it has no such file.
    ///
    /// # Errors
    /// When GitHub cannot be asked.
    pub async fn blob_id(&self, file: &str, commit: &ObjectId) -> Result<Option<ObjectId>, GithubError> {
        #[derive(Deserialize)]
        struct Content {
            sha: ObjectId,
        }
        let escaped: Vec<_> = file.split('/').map(escaped).collect();
        let path = self.path(&format!("contents/{}?ref={commit}", escaped.join("/")));
        match self.fetch::<Content>(&Call::get("reading a file of the pull request's base", path)).await {
            Ok(content) => Ok(Some(content.sha)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}
