//! The section `workflow` of the configuration: what the generated workflow looks like.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ids::SubagentName, limits::MATRIX_JOBS_MAX};

/// The runner of every job, unless the configuration says otherwise.
pub const DEFAULT_RUNNER: &str = "ubuntu-24.04";

/// The most waves, and the most waves of one round of rework, that a workflow may have. What GitHub takes depends on the jobs
/// of a wave, too: `generate` checks the size of the workflow.
pub const WAVES_MAX: u64 = 24;

/// The inputs of a dispatched workflow that are ours: the job, and a name for people.
pub const DISPATCH_OWN_INPUTS: [&str; 2] = ["job", "name"];

/// The most further inputs of a dispatched workflow: GitHub takes 25 ("Events that trigger workflows", docs.github.com), and
/// two are ours.
pub const DISPATCH_INPUTS_MAX: usize = 25 - DISPATCH_OWN_INPUTS.len();

/// The shortest and the longest time of the working job, in minutes ("Usage limits", docs.github.com: five days on a runner
/// of one's own).
pub const JOB_MINUTES: std::ops::RangeInclusive<u64> = 30..=5 * 24 * 60;

/// How long before the end of the working job no further work begins and what is finished is kept, in minutes.
const KEEPING_MINUTES: u64 = 20;

const DEFAULT_JOB_MINUTES: u64 = 350;
const DEFAULT_WAVES: u64 = 8;
const DEFAULT_REWORK_WAVES: u64 = 3;
const DEFAULT_JOBS_PER_WAVE: usize = 16;

/// How the work of a plan is spread over the jobs of a workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// Three jobs in a row: `plan`, one job that does all the work, `summarize`.
    #[default]
    OneJob,
    /// A matrix of jobs for each wave.
    Matrix,
}

impl Layout {
    /// All layouts.
    pub const ALL: [Self; 2] = [Self::OneJob, Self::Matrix];

    /// Returns the name that configuration and workflow use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OneJob => "one-job",
            Self::Matrix => "matrix",
        }
    }

    /// Finds the layout with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layout| layout.name() == name)
    }
}

/// What the generated workflow looks like.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct WorkflowConfig {
    /// The action, as `OWNER/REPO@COMMIT` with a full commit id, or `./` for the repository that holds the action.
    pub action: Option<String>,
    /// How the work is spread over jobs: `one-job`, which is the default, or `matrix`.
    pub layout: Layout,
    /// After how many minutes the working job of the layout `one-job` ends: 30 to 7200, 350 when left out. GitHub's own
    /// runners end every job after 360.
    #[schemars(range(min = 30, max = 7200))]
    pub job_minutes: Option<u64>,
    /// Whether the layout `one-job` runs the final gates once more in a job of their own, on a machine on which no subagent
    /// ever ran; false when left out.
    pub repeat_gates: bool,
    /// The labels of the runners: `[ubuntu-24.04]` when left out.
    pub runs_on: Option<Vec<String>>,
    /// How many waves the workflow has room for, those included that run again because of conflicts: 1 to 24, 8 when
    /// left out.
    #[schemars(range(min = 1, max = 24))]
    pub waves: Option<u64>,
    /// How many waves each round of rework has room for: 1 to 24, 3 when left out.
    #[schemars(range(min = 1, max = 24))]
    pub rework_waves: Option<u64>,
    /// The most jobs of one wave; further tasks share jobs: 1 to 256, 16 when left out.
    #[schemars(range(min = 1, max = 256))]
    pub jobs_per_wave: Option<u64>,
    /// Steps before the work of every subagent and before the gates, as a workflow has them: checkouts of tools, caches.
    pub setup: Vec<serde_json::Value>,
    /// Names of variables of `pass-environment` that are secrets of the repository.
    pub secrets: Vec<String>,
    /// What is different for single subagents.
    pub subagents: BTreeMap<SubagentName, WorkflowSubagent>,
    /// Whether the integrated commits are put on the branch `backend-implementer/pr-N`; false when left out. The job that
    /// writes gets `contents: write` then.
    pub branch: bool,
    /// The file of a workflow that is started when the implementation is complete, such as `submission.yml`. The job that
    /// writes gets `actions: write` then.
    pub on_complete: Option<String>,
}

/// What is different for one subagent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct WorkflowSubagent {
    /// The labels of its runner.
    pub runs_on: Option<Vec<String>>,
    /// Steps before its work, after those for all.
    pub setup: Vec<serde_json::Value>,
    /// Steps that do its work in place of the configured agent, such as an agent of the marketplace.
    pub work: Vec<serde_json::Value>,
    /// A workflow that does its work, started for each of its jobs; nothing else of this entry may stand beside it.
    pub dispatch: Option<WorkflowDispatch>,
}

/// A workflow that does the work of a subagent as a run of its own: on runners that are another repository's, or for longer
/// than a job of this workflow may take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WorkflowDispatch {
    /// Its file, such as `validation.yml`. It is started by `workflow_dispatch` and takes the input `job`.
    pub workflow: String,
    /// Its repository, as `OWNER/REPO`: that of the pull request when left out.
    #[serde(default)]
    pub repository: Option<String>,
    /// The branch or tag with the workflow: the branch that the pull request goes into when left out, in another repository
    /// its default branch.
    #[serde(default, rename = "ref")]
    pub reference: Option<String>,
    /// The name of a secret with a token that may start it and read what it uploads. Another repository needs one.
    #[serde(default)]
    pub token: Option<String>,
    /// Further inputs of the workflow, the same for every run.
    #[serde(default)]
    pub inputs: BTreeMap<String, String>,
}

impl WorkflowConfig {
    /// Returns after how many minutes the working job of the layout `one-job` ends.
    #[must_use]
    pub fn job_minutes(&self) -> u64 {
        self.job_minutes.unwrap_or(DEFAULT_JOB_MINUTES).clamp(*JOB_MINUTES.start(), *JOB_MINUTES.end())
    }

    /// Returns after how many minutes the working job stops its subagents, so that there is time to keep what they finished.
    #[must_use]
    pub fn work_minutes(&self) -> u64 {
        self.job_minutes() - KEEPING_MINUTES
    }

    /// Returns how many waves there is room for.
    #[must_use]
    pub fn waves(&self) -> u64 {
        self.waves.unwrap_or(DEFAULT_WAVES).clamp(1, WAVES_MAX)
    }

    /// Returns how many waves each round of rework has room for.
    #[must_use]
    pub fn rework_waves(&self) -> u64 {
        self.rework_waves.unwrap_or(DEFAULT_REWORK_WAVES).clamp(1, WAVES_MAX)
    }

    /// Returns the most jobs of one wave.
    #[must_use]
    pub fn jobs_per_wave(&self) -> usize {
        let own = self.jobs_per_wave.and_then(|jobs| usize::try_from(jobs).ok());
        own.unwrap_or(DEFAULT_JOBS_PER_WAVE).clamp(1, MATRIX_JOBS_MAX)
    }

    /// Returns the labels of a subagent's runner.
    #[must_use]
    pub fn runs_on(&self, subagent: &SubagentName) -> Vec<String> {
        let own = self.subagents.get(subagent).and_then(|subagent| subagent.runs_on.clone());
        own.unwrap_or_else(|| self.coordinator_runs_on())
    }

    /// Returns the workflow that does a subagent's work, where one does.
    #[must_use]
    pub fn dispatch(&self, subagent: &SubagentName) -> Option<&WorkflowDispatch> {
        self.subagents.get(subagent)?.dispatch.as_ref()
    }

    /// Tells whether any subagent's work is done by a workflow of its own.
    #[must_use]
    pub fn dispatches(&self) -> bool {
        self.subagents.values().any(|subagent| subagent.dispatch.is_some())
    }

    /// Returns the labels of the runners of all jobs that run no subagent.
    #[must_use]
    pub fn coordinator_runs_on(&self) -> Vec<String> {
        self.runs_on.clone().unwrap_or_else(|| vec![DEFAULT_RUNNER.to_owned()])
    }
}
