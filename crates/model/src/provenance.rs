//! Where the plan of a run is from, and who approved it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::Digest;

/// Where the plan of a run is from, and who approved it; empty for a run on a local file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Provenance {
    /// Where the plan was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<PlanOrigin>,
    /// Who approved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalRecord>,
    /// The pull request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_request: Option<PullRequestRef>,
}

/// Where a plan was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PlanOrigin {
    /// What kind of place.
    pub kind: PlanOriginKind,
    /// The place: a path, or words. Untrusted text.
    pub name: String,
    /// Who wrote it, as far as GitHub says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Its page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The SHA-256 of its bytes.
    pub digest: Digest,
}

/// The places where a plan is looked for on a pull request, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PlanOriginKind {
    /// A file of the head commit that the user named.
    Input,
    /// A file that the pull request adds or changes.
    File,
    /// The pull request's description.
    Body,
    /// A comment by somebody who may push.
    Comment,
}

/// Who approved a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ApprovalRecord {
    /// The login.
    pub by: String,
    /// When, in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// How: `comment`, `label NAME`, `workflow_dispatch` and so on.
    pub via: String,
}

/// The pull request that a run belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PullRequestRef {
    /// `OWNER/REPO`.
    pub repository: String,
    /// Its number.
    pub number: u64,
    /// The commit at its head when the run was approved.
    pub head: String,
}
