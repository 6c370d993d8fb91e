//! Starting workflows: events that a workflow's token causes start nothing by themselves, but for this one.

use implementer_model::github_ids::RunId;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Github, GithubError, GithubErrorKind, WorkflowRun,
    transport::{Call, escaped},
};

/// The most inputs that a dispatch may have ("Events that trigger workflows", docs.github.com: 25).
pub const INPUTS_MAX: usize = 25;

/// A run that a dispatch started, as far as GitHub said.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DispatchedRun {
    /// Its id.
    #[serde(rename = "workflow_run_id")]
    pub id: RunId,
    /// Its page.
    #[serde(default)]
    pub html_url: String,
}

impl Github {
    /// Starts the workflow in the file `workflow` on `reference`, with these inputs. Needs `actions: write`. Gives the run;
    /// nothing, where a server does not say which it is.
    ///
    /// # Errors
    /// When there is no such workflow, it takes no dispatch or other inputs, or the token may not.
    pub async fn dispatch_workflow(
        &self,
        workflow: &str,
        reference: &str,
        inputs: &[(&str, &str)],
    ) -> Result<Option<DispatchedRun>, GithubError> {
        let operation = "starting the workflow";
        if inputs.len() > INPUTS_MAX {
            let kind = GithubErrorKind::Malformed(format!("{} inputs, and GitHub takes {INPUTS_MAX}", inputs.len()));
            return Err(GithubError { operation, kind });
        }
        let inputs: serde_json::Map<String, Value> =
            inputs.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
        // Without being asked, versions of the interface before 2026-03-10 do not say which run it is.
        let body = json!({ "ref": reference, "inputs": inputs, "return_run_details": true });
        let path = self.path(&format!("actions/workflows/{}/dispatches", escaped(workflow)));
        let answer = self.send(&Call::post(operation, path, &body)).await?;
        if answer.body.is_empty() {
            return Ok(None);
        }
        answer.json().map(Some)
    }

    /// Lists the newest runs of the workflow in the file `workflow` that were started by a dispatch; GitHub lists a run
    /// some time after it was started. Needs `actions: read`.
    ///
    /// # Errors
    /// When there is no such workflow, or GitHub cannot be asked.
    pub async fn dispatched_runs(&self, workflow: &str) -> Result<Vec<WorkflowRun>, GithubError> {
        #[derive(Deserialize)]
        struct Page {
            workflow_runs: Vec<WorkflowRun>,
        }
        let rest = format!("actions/workflows/{}/runs?event=workflow_dispatch&per_page=50", escaped(workflow));
        let page: Page = self.fetch(&Call::get("looking for the started run", self.path(&rest))).await?;
        Ok(page.workflow_runs)
    }
}
