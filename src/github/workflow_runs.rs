//! Workflow runs: whether one is still at work, and ending one.

use http::Method;
use serde::Deserialize;

use super::{Github, GithubError, transport::Call};

/// A run of a workflow.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct WorkflowRun {
    /// Its id.
    pub id: u64,
    /// `queued`, `in_progress`, `completed` and others.
    pub status: Option<String>,
    /// Which attempt at it is the newest, from 1.
    #[serde(default)]
    pub run_attempt: Option<u64>,
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
    /// Reads a workflow run. Needs `actions: read` in private repositories.
    ///
    /// # Errors
    /// When there is none, or the token may not see it.
    pub async fn workflow_run(&self, id: u64) -> Result<WorkflowRun, GithubError> {
        self.fetch(&Call::get("reading a workflow run", self.path(&format!("actions/runs/{id}")))).await
    }

    /// Ends a workflow run. Needs `actions: write`.
    ///
    /// # Errors
    /// When it is over already (409), or the token may not.
    pub async fn cancel_workflow_run(&self, id: u64) -> Result<(), GithubError> {
        let path = self.path(&format!("actions/runs/{id}/cancel"));
        // GitHub's description gives this operation no body, not even an empty object.
        let call = Call { method: Method::POST, ..Call::get("cancelling a workflow run", path) };
        self.send(&call).await.map(drop)
    }
}
