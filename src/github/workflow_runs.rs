//! Workflow runs: whether one is still at work, and ending one.

use http::Method;
use implementer_model::github_ids::RunId;
use serde::Deserialize;

use super::{Github, GithubError, transport::Call};

/// A run of a workflow.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct WorkflowRun {
    /// Its id.
    pub id: RunId,
    /// `queued`, `in_progress`, `completed` and others.
    pub status: Option<String>,
    /// How it ended, such as `success`, `failure` and `cancelled`; none before that.
    #[serde(default)]
    pub conclusion: Option<String>,
    /// What its line in the list of runs says: the workflow's `run-name`, where it has one. Untrusted text.
    #[serde(default)]
    pub display_title: String,
    /// Which attempt at it is the newest, from 1.
    #[serde(default)]
    pub run_attempt: Option<u32>,
    /// When it was made, in RFC 3339, by GitHub's clock: all attempts at it have the same.
    #[serde(default)]
    pub created_at: Option<String>,
    /// Its page.
    #[serde(default)]
    pub html_url: String,
}

impl WorkflowRun {
    /// Tells whether it is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.status.as_deref() == Some("completed")
    }
}

impl Github {
    /// Reads a workflow run. Asking again costs nothing while it is unchanged. Needs `actions: read` in private repositories.
    ///
    /// # Errors
    /// When there is none, or the token may not see it.
    pub async fn workflow_run(&self, id: RunId) -> Result<WorkflowRun, GithubError> {
        self.fetch_if_changed(&Call::get("reading a workflow run", self.path(&format!("actions/runs/{id}")))).await
    }

    /// Ends a workflow run. Needs `actions: write`.
    ///
    /// # Errors
    /// When it is over already (409), or the token may not.
    pub async fn cancel_workflow_run(&self, id: RunId) -> Result<(), GithubError> {
        let path = self.path(&format!("actions/runs/{id}/cancel"));
        // GitHub's description gives this operation no body, not even an empty object.
        let call = Call { method: Method::POST, ..Call::get("cancelling a workflow run", path) };
        self.send(&call).await.map(drop)
    }
}
