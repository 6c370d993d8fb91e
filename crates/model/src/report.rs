//! The report: what a subagent says it did. JSON against a published schema; untrusted, always.

mod answer;
mod read;

pub use answer::{from_answer, from_value, strict_schema};
pub use read::{FILES_MAX, LIST_MAX, PATH_MAX, ReadReport, ReportError, SUMMARY_MAX, TEXT_MAX};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    findings::Weight,
    ids::{RequirementId, SubagentName},
};

/// The version of the report format that this program reads and publishes.
pub const REPORT_VERSION: u32 = 1;

/// The largest report that is read, in bytes.
pub const REPORT_MAX_BYTES: usize = 1024 * 1024;

/// Returns the JSON schema of a report, as it is published.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Report).to_value()
}

/// What a subagent says about its work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Report {
    /// The version of this format: 1.
    #[schemars(extend("const" = REPORT_VERSION))]
    pub version: u32,
    /// Whether the work is done.
    pub status: ReportStatus,
    /// What was done, in a paragraph.
    #[schemars(length(min = 1, max = SUMMARY_MAX))]
    pub summary: String,
    /// What became of each requirement of the task.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = LIST_MAX))]
    pub requirements: Vec<RequirementClaim>,
    /// The paths that were changed, relative to the root of the repository.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = FILES_MAX))]
    pub files: Vec<String>,
    /// Lines for the Implementation Summary, each under one of its labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = LIST_MAX))]
    pub items: Vec<SummaryItem>,
    /// What was run to check the work.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = LIST_MAX))]
    pub evidence: Vec<Evidence>,
    /// What could not be done, and who could.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = LIST_MAX))]
    pub limitations: Vec<Limitation>,
    /// What is wrong with the code, as a reviewer sees it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = LIST_MAX))]
    pub findings: Vec<ReportedFinding>,
}

/// Whether the work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReportStatus {
    /// Everything asked for is done.
    Completed,
    /// It cannot go on without something that another specialist has to make; `limitations` names it.
    Blocked,
    /// It could not be done.
    Failed,
}

/// What became of one requirement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RequirementClaim {
    /// The requirement's id, as the brief gave it.
    pub id: RequirementId,
    /// What became of it.
    pub status: ClaimStatus,
    /// How, or why not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// For `already-done`: the paths where the work is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = LIST_MAX))]
    pub paths: Vec<String>,
    /// For `already-done`: the tests that show it, by the names that their runner gives them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = LIST_MAX))]
    pub tests: Vec<String>,
}

impl RequirementClaim {
    /// Tells whether it says that nothing was to be done, and names something that shows it.
    #[must_use]
    pub fn is_shown_done_already(&self) -> bool {
        self.status == ClaimStatus::AlreadyDone && !(self.paths.is_empty() && self.tests.is_empty())
    }
}

/// What a subagent says became of a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClaimStatus {
    /// All of it.
    Done,
    /// Some of it.
    Partial,
    /// None of it.
    NotDone,
    /// All of it was there before the task began; `paths` and `tests` show it.
    AlreadyDone,
}

/// A line for the Implementation Summary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SummaryItem {
    /// The label under which it belongs.
    pub label: Label,
    /// The line.
    pub text: String,
}

/// The labels of the Implementation Summary that subagents can write under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Label {
    /// Infrastructure Implemented: cloud resources.
    CloudResources,
    /// Infrastructure Implemented: data types.
    DataTypes,
    /// Infrastructure Implemented: configuration.
    Configuration,
    /// Feature Implementation: core functionality.
    CoreFunctionality,
    /// Feature Implementation: API endpoints.
    ApiEndpoints,
    /// Feature Implementation: CLI integration.
    CliIntegration,
    /// Feature Implementation: business logic.
    BusinessLogic,
    /// Quality Assurance: unit tests.
    UnitTests,
    /// Quality Assurance: code review.
    CodeReview,
    /// Quality Assurance: integration testing.
    IntegrationTesting,
    /// Quality Assurance: performance validation.
    PerformanceValidation,
    /// Deployment Readiness: deployment configuration.
    DeploymentConfiguration,
    /// Deployment Readiness: environment preparation.
    EnvironmentPreparation,
    /// Deployment Readiness: validation results.
    ValidationResults,
    /// Next Phase Input: deployment instructions.
    DeploymentInstructions,
    /// Documentation that was written, for the criterion "documented".
    Documentation,
}

/// Something that was run to check the work. A claim: the gates run their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Evidence {
    /// What was run.
    pub command: String,
    /// Its exit code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// What it showed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub result: String,
}

/// Something that could not be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Limitation {
    /// What, and why.
    pub text: String,
    /// The subagent that could do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<SubagentName>,
}

/// Something wrong with the code, as a subagent sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ReportedFinding {
    /// How much it weighs: `blocking` keeps the review gate shut.
    pub severity: Weight,
    /// The path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The line, from 1.
    #[schemars(range(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// What is wrong.
    pub message: String,
}
