//! The name of a repository, checked, so that it can stand in a path.

use std::{fmt, str::FromStr};

use implementer_model::ids::ObjectId;
use serde::Deserialize;

use super::{
    Github, GithubError,
    transport::{Call, escaped},
};

/// A repository as `OWNER/REPO`. Holds only characters that GitHub allows in names, so that it is safe in a URL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryName {
    owner: String,
    name: String,
}

/// Says that something is no repository's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no repository; write it as OWNER/REPO", implementer_model::text::terminal(.0))]
pub struct InvalidRepository(pub String);

impl RepositoryName {
    /// Returns who owns it.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Returns its name without the owner.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Github {
    /// Returns the name of the repository's default branch.
    ///
    /// # Errors
    /// When there is no such repository, or the token may not see it.
    pub async fn default_branch(&self) -> Result<String, GithubError> {
        #[derive(Deserialize)]
        struct Repository {
            default_branch: String,
        }
        let path = format!("/repos/{}", self.settings().repository);
        let repository: Repository = self.fetch(&Call::get("reading the repository", path)).await?;
        Ok(repository.default_branch)
    }
}

impl Github {
    /// Returns commit and tree at the tip of a branch; nothing when there is no such branch.
    ///
    /// # Errors
    /// When GitHub cannot be asked.
    pub async fn branch(&self, name: &str) -> Result<Option<(ObjectId, ObjectId)>, GithubError> {
        #[derive(Deserialize)]
        struct Branch {
            commit: Tip,
        }
        #[derive(Deserialize)]
        struct Tip {
            sha: ObjectId,
            commit: Commit,
        }
        #[derive(Deserialize)]
        struct Commit {
            tree: Tree,
        }
        #[derive(Deserialize)]
        struct Tree {
            sha: ObjectId,
        }
        let path = self.path(&format!("branches/{}", escaped(name)));
        match self.fetch::<Branch>(&Call::get("reading the branch with the result", path)).await {
            Ok(Branch { commit }) => Ok(Some((commit.sha, commit.commit.tree.sha))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl FromStr for RepositoryName {
    type Err = InvalidRepository;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let valid = |part: &str| {
            !part.is_empty()
                && part.len() <= 100
                && !matches!(part, "." | "..")
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        };
        match text.split_once('/') {
            Some((owner, name)) if valid(owner) && valid(name) => {
                Ok(Self { owner: owner.to_owned(), name: name.to_owned() })
            }
            _ => Err(InvalidRepository(text.to_owned())),
        }
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}
