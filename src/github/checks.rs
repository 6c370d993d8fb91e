//! Check runs.

use implementer_model::{
    github_ids::{CheckRunId, RunKey},
    ids::ObjectId,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Github, GithubError,
    transport::{Call, escaped, json},
};

/// A check run on a commit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CheckRun {
    /// Its id.
    pub id: CheckRunId,
    /// Its name.
    pub name: String,
    /// Whether it is over.
    pub status: CheckState,
    /// How it ended.
    pub conclusion: Option<String>,
    /// What its maker wrote on it.
    pub external_id: Option<String>,
    /// When it began, in RFC 3339.
    pub started_at: Option<String>,
    /// When it ended, in RFC 3339.
    pub completed_at: Option<String>,
    /// The app that made it.
    pub app: Option<App>,
    /// Its page.
    #[serde(default)]
    pub html_url: Option<String>,
    /// What it says.
    #[serde(default)]
    pub output: Option<CheckText>,
}

/// What a check run says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CheckText {
    /// Markdown.
    #[serde(default)]
    pub summary: Option<String>,
}

/// The state of a check run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// Not begun.
    Queued,
    /// At work.
    InProgress,
    /// Over.
    Completed,
    /// Waiting for something else, or what GitHub may add.
    #[serde(other)]
    Waiting,
}

impl CheckRun {
    /// Returns the run of ours that made it, where one wrote itself on it.
    #[must_use]
    pub fn run_key(&self) -> Option<RunKey> {
        self.external_id.as_deref()?.parse().ok()
    }
}

/// The app that made a check run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct App {
    /// Its name in URLs, `github-actions` for workflows' own tokens.
    pub slug: Option<String>,
}

/// What a check run's page says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct CheckOutput {
    /// Its heading.
    pub title: String,
    /// Markdown, at most 65,535 characters.
    pub summary: String,
    /// Markdown with the details, at most 65,535 characters.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// At most fifty; further ones are appended by further updates.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub annotations: Vec<Annotated>,
}

/// An annotation as GitHub takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Annotated {
    /// The path in the tree.
    pub path: String,
    /// The first line, from 1.
    pub start_line: u32,
    /// The last line.
    pub end_line: u32,
    /// `notice`, `warning` or `failure`.
    pub annotation_level: &'static str,
    /// Its heading.
    pub title: String,
    /// Plain text.
    pub message: String,
}

/// A check run that is to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewCheck<'a> {
    /// Its name.
    pub name: &'a str,
    /// The commit that it is about.
    pub head_sha: &'a ObjectId,
    /// The page with the details.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details_url: Option<&'a str>,
    /// What we want to find on it again.
    pub external_id: &'a str,
    /// When it began, in RFC 3339.
    pub started_at: &'a str,
    /// Its state.
    #[serde(flatten)]
    pub status: CheckStatus<'a>,
    /// What its page says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<&'a CheckOutput>,
}

/// A change of a check run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckUpdate<'a> {
    /// Its new state.
    #[serde(flatten)]
    pub status: CheckStatus<'a>,
    /// What its page says; annotations are appended to those that are there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<&'a CheckOutput>,
}

/// The state of a check run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum CheckStatus<'a> {
    /// At work.
    InProgress,
    /// Over.
    Completed {
        /// How, in GitHub's words.
        conclusion: &'a str,
        /// When, in RFC 3339.
        completed_at: &'a str,
    },
}

#[derive(Deserialize)]
struct Page {
    check_runs: Vec<CheckRun>,
}

impl Github {
    /// Lists the newest check run of each name and app on a commit; `name` asks for those of one name alone.
    ///
    /// # Errors
    /// When GitHub cannot be asked.
    pub async fn check_runs(&self, commit: &ObjectId, name: Option<&str>) -> Result<Vec<CheckRun>, GithubError> {
        let filter = name.map(|name| format!("&check_name={}", escaped(name))).unwrap_or_default();
        // `latest`, GitHub's default, would hide an older one that is still in progress.
        let path = self.path(&format!("commits/{commit}/check-runs?filter=all{filter}"));
        self.fetch_all("listing the check runs", &path, |page: Page| page.check_runs).await
    }

    /// Makes a check run.
    ///
    /// # Errors
    /// When the token may not (403 for users' tokens: only apps may), or the commit is not there.
    pub async fn create_check(&self, check: &NewCheck<'_>) -> Result<CheckRun, GithubError> {
        let operation = "making a check run";
        let body: Value = json(operation, check)?;
        self.fetch(&Call::post(operation, self.path("check-runs"), &body)).await
    }

    /// Changes a check run. Not repeated when it has annotations and may have arrived: they would be there twice.
    ///
    /// # Errors
    /// When the token may not: only the app that made a check run can change it.
    pub async fn update_check(&self, id: CheckRunId, update: &CheckUpdate<'_>) -> Result<CheckRun, GithubError> {
        let operation = "updating a check run";
        let body: Value = json(operation, update)?;
        let repeatable = update.output.is_none_or(|output| output.annotations.is_empty());
        let path = self.path(&format!("check-runs/{id}"));
        self.fetch(&Call { repeatable, ..Call::patch(operation, path, &body) }).await
    }
}
