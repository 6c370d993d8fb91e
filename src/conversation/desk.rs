//! Where a conversation takes place, and who we are in it.

use crate::{github::Github, workspace::fetch::Remote};

/// One pull request, seen from one run.
#[derive(Debug, Clone)]
pub struct Desk {
    /// GitHub, as our token sees the repository.
    pub github: Github,
    /// The pull request.
    pub number: u64,
    /// What this run is known by: `RUN/ATTEMPT` in a workflow, `local/…` elsewhere.
    pub run_key: String,
    /// The page of the workflow run.
    pub run_url: Option<String>,
    /// Where GitHub's pages and repositories are, such as `https://github.com`.
    pub server_url: String,
}

impl Desk {
    /// Returns the address from which the repository is fetched.
    #[must_use]
    pub fn repository_url(&self) -> String {
        format!("{}/{}", self.server_url, self.github.settings().repository)
    }

    /// Returns where its commits are fetched from and pushed to, with the token.
    #[must_use]
    pub fn remote(&self) -> Remote {
        Remote { url: self.repository_url(), token: Some(self.github.settings().token.clone()) }
    }

    /// Returns the page of the pull request.
    #[must_use]
    pub fn page(&self) -> String {
        format!("{}/pull/{}", self.repository_url(), self.number)
    }

    /// Returns the page of another run, where it is one of a workflow.
    pub(super) fn page_of_run(&self, key: &str) -> Option<String> {
        let (run, _) = key.split_once('/')?;
        run.bytes().all(|byte| byte.is_ascii_digit()).then(|| format!("{}/actions/runs/{run}", self.repository_url()))
    }
}
