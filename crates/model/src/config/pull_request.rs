//! What happens on pull requests.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a plan file is looked for unless the configuration says otherwise.
pub const DEFAULT_PLAN_FILE: &str = ".backend-implementer/plan.md";

const DEFAULT_UPDATE_SECONDS: u64 = 15;

/// What happens on pull requests.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct PullRequestConfig {
    /// Globs of plan files that a pull request may add or change; `.backend-implementer/plan.md` when left out.
    pub plan_files: Option<Vec<String>>,
    /// The label that runs the plan when somebody with write permission sets it; none when left out.
    pub run_label: Option<String>,
    /// Exact logins of the bots that may approve and whose plans count, such as `planner[bot]`.
    pub bots: Vec<String>,
    /// Whether the comment is updated while a run goes on; true when left out.
    pub live_comment: Option<bool>,
    /// The fewest seconds between two updates of the comment: 5 to 600, 15 when left out.
    #[schemars(range(min = 5, max = 600))]
    pub update_seconds: Option<u64>,
    /// Whether check runs are made; true when left out.
    pub checks: Option<bool>,
}

impl PullRequestConfig {
    /// Returns the globs of plan files.
    #[must_use]
    pub fn plan_files(&self) -> Vec<String> {
        self.plan_files.clone().unwrap_or_else(|| vec![DEFAULT_PLAN_FILE.to_owned()])
    }

    /// Tells whether the comment is updated while a run goes on.
    #[must_use]
    pub fn live_comment(&self) -> bool {
        self.live_comment.unwrap_or(true)
    }

    /// Returns the shortest time between two updates of the comment.
    #[must_use]
    pub fn update_every(&self) -> Duration {
        Duration::from_secs(self.update_seconds.unwrap_or(DEFAULT_UPDATE_SECONDS))
    }

    /// Tells whether check runs are made.
    #[must_use]
    pub fn checks(&self) -> bool {
        self.checks.unwrap_or(true)
    }
}
