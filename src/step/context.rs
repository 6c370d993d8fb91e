//! Which repository a step works for, and which pull request, where it works for one.

use implementer_model::github_ids::{PullRequestNumber, RunKey};

use crate::{github::Github, workspace::fetch::Remote};

/// A repository on GitHub, seen from one run. Nothing in here needs a pull request.
#[derive(Debug, Clone)]
pub struct RepositoryContext {
    /// GitHub, as our token sees the repository.
    pub github: Github,
    /// What this run is known by: `RUN/ATTEMPT` in a workflow, `local/…` elsewhere.
    pub run_key: RunKey,
    /// The page of the workflow run.
    pub run_url: Option<String>,
    /// Where GitHub's pages and repositories are, such as `https://github.com`.
    pub server_url: String,
}

impl RepositoryContext {
    /// Returns the address from which the repository is fetched.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}/{}", self.server_url, self.github.settings().repository)
    }

    /// Returns where its commits are fetched from and pushed to, with the token.
    #[must_use]
    pub fn remote(&self) -> Remote {
        Remote { url: self.url(), token: Some(self.github.settings().token.clone()) }
    }

    /// Returns the page of another run, where it is one of a workflow.
    pub(super) fn page_of_run(&self, key: &RunKey) -> Option<String> {
        key.run().map(|run| format!("{}/actions/runs/{run}", self.url()))
    }
}

/// A pull request of a repository, seen from one run.
#[derive(Debug, Clone)]
pub struct PullRequestContext {
    /// Its repository.
    pub repository: RepositoryContext,
    /// Its number.
    pub number: PullRequestNumber,
}

impl PullRequestContext {
    /// Returns GitHub, as our token sees the repository.
    #[must_use]
    pub fn github(&self) -> &Github {
        &self.repository.github
    }

    /// Returns what this run is known by.
    #[must_use]
    pub fn run_key(&self) -> &RunKey {
        &self.repository.run_key
    }

    /// Returns the page of the workflow run.
    #[must_use]
    pub fn run_url(&self) -> Option<&str> {
        self.repository.run_url.as_deref()
    }

    /// Returns the page of the pull request.
    #[must_use]
    pub fn page(&self) -> String {
        format!("{}/pull/{}", self.repository.url(), self.number)
    }
}
