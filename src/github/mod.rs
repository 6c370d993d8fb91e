//! GitHub's REST interface, as far as a pull request's conversation needs it: pull requests, comments, check runs,
//! permissions, workflow runs.
//!
//! octocrab brings authentication and base URLs. What is retried, how long anybody waits and what a run may cost is
//! decided here, because octocrab's own retries would post a comment twice.

mod addresses;
mod artifacts;
mod checks;
mod comments;
mod edits;
mod error;
mod people;
mod pull_requests;
mod repository;
#[cfg(test)]
mod tests;
mod token;
mod transport;
mod usage;
mod workflow_dispatch;
mod workflow_runs;

pub use self::{
    addresses::Addresses,
    artifacts::{ARTIFACT_MAX_BYTES, Artifact, ArtifactError},
    checks::{Annotated, CheckOutput, CheckRun, CheckState, CheckStatus, CheckText, CheckUpdate, NewCheck},
    comments::{Comment, Reaction},
    edits::LastEdit,
    error::{GithubError, GithubErrorKind},
    people::{Permission, User},
    pull_requests::{Branch, ChangedFiles, PullRequest, PullRequestState},
    repository::{InvalidRepository, RepositoryName},
    token::{InvalidToken, parse_token},
    transport::{Github, Settings},
    usage::Usage,
    workflow_dispatch::{DispatchedRun, INPUTS_MAX},
    workflow_runs::WorkflowRun,
};
