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
    /// The run of a workflow that it is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_run: Option<WorkflowRunRef>,
}

impl Provenance {
    /// Names the artifact that has the run's files; nothing outside of a workflow run.
    pub fn set_artifact(&mut self, name: Option<String>) {
        if let Some(run) = &mut self.workflow_run {
            run.artifact = name;
        }
    }
}

/// A run of a workflow on GitHub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct WorkflowRunRef {
    /// Where GitHub's pages are, such as `https://github.com`.
    pub server: String,
    /// `OWNER/REPO`.
    pub repository: String,
    /// Its id.
    pub run: u64,
    /// The artifact of it that has the files of the run; nothing where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<String>,
}

impl WorkflowRunRef {
    /// Returns the command that downloads the files of a run on a pull request of this repository into a folder, with the name
    /// of that folder. A hand-off is a file that anybody may have written: what could be more than a word of a shell, or could
    /// be read as another host, is none.
    #[must_use]
    pub fn download(&self, pull_request: &PullRequestRef) -> Option<(String, String)> {
        let is_word = |text: &str, further: &[u8]| {
            (1..=100).contains(&text.len())
                && text.starts_with(|c: char| c.is_ascii_alphanumeric())
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || further.contains(&b))
        };
        self.url()?;
        let host = self.server.trim_end_matches('/').split_once("://")?.1;
        let (owner, name) = self.repository.split_once('/')?;
        let artifact = self.artifact.as_deref()?;
        let is_plain = is_word(host, b"-.:")
            && [owner, name, artifact].iter().all(|text| is_word(text, b"-_."))
            && self.repository == pull_request.repository;
        // A run that is run again has its number, and another artifact for each attempt.
        let attempt = artifact.rsplit_once("-attempt-").map(|(_, attempt)| attempt).filter(|attempt| *attempt != "1");
        let folder = attempt
            .map_or_else(|| format!("run-{}", self.run), |attempt| format!("run-{}-attempt-{attempt}", self.run));
        let command =
            format!("gh run download {} --repo {host}/{owner}/{name} \\\n  --name {artifact} --dir {folder}", self.run);
        is_plain.then_some((command, folder))
    }

    /// Returns its page. A hand-off is a file that anybody may have written: an address that could be more than an address
    /// where it is shown is none.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        let is_plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~:/".contains(&b));
        let server = self.server.trim_end_matches('/');
        let is_web = server.starts_with("https://") || server.starts_with("http://");
        (is_web && is_plain(server) && is_plain(&self.repository))
            .then(|| format!("{server}/{}/actions/runs/{}", self.repository, self.run))
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_address_is_shown() {
        let url = |server: &str, repository: &str| {
            WorkflowRunRef { server: server.to_owned(), repository: repository.to_owned(), run: 7, artifact: None }
                .url()
        };
        assert_eq!(url("https://ghe.example/", "o/r").as_deref(), Some("https://ghe.example/o/r/actions/runs/7"));
        for (server, repository) in [("javascript:alert(1)", "o/r"), ("https://x", "o/r)](y"), ("https://x\n", "o/r")] {
            assert_eq!(url(server, repository), None, "{server} {repository}");
        }
    }
}
