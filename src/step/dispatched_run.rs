//! Work that is done by a run of another workflow: started by an event, waited for, ended when nobody waits for it any
//! more, and what it uploaded found.

use std::time::Duration;

use implementer_model::{
    github_ids::{ArtifactId, RunId},
    ids::Digest,
    text,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    errors,
    github::{Artifact, Github, GithubError, GithubErrorKind, WorkflowRun},
};

/// How often a run is looked for in the list of runs when the answer to its start was lost, or does not name it.
const LOOKS: u32 = 5;

/// How long a run may take to end that was told to: GitHub gives its jobs five minutes for their last steps ("Workflow
/// cancellation reference", docs.github.com).
const ENDING: Duration = Duration::from_secs(6 * 60);

/// What is to be started.
#[derive(Debug, Clone)]
pub struct Start<'a> {
    /// The workflow's file.
    pub workflow: &'a str,
    /// The branch or tag that it is taken from.
    pub reference: &'a str,
    /// What the run is told, with its name among it.
    pub inputs: &'a [(&'a str, &'a str)],
    /// A name that no other run has. A workflow whose `run-name` holds it is found again when the answer to its start is
    /// lost.
    pub name: &'a str,
}

/// How often a run is asked after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pauses {
    /// The pause after the first question; each further one is half as long again.
    pub first: Duration,
    /// The longest pause. A question whose answer has not changed does not count against GitHub's limit.
    pub longest: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        Self { first: Duration::from_secs(1), longest: Duration::from_secs(60) }
    }
}

/// Why a run that was started is not waited for any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waited {
    /// It is over.
    Over(WorkflowRun),
    /// It had no time left and was asked to stop. It is as it was seen last.
    Late(WorkflowRun),
    /// Whoever waits was told to stop, and it was asked to stop.
    Cancelled,
}

/// Says why a workflow's run did not do the work.
#[derive(Debug, thiserror::Error)]
pub enum DispatchError {
    /// It could not be started.
    #[error("{workflow} in {repository} was not started")]
    NotStarted {
        /// The workflow's file.
        workflow: String,
        /// Its repository.
        repository: String,
        /// Why.
        source: GithubError,
    },
    /// Nobody knows which run it is.
    #[error(
        "GitHub did not say which run of {workflow} in {repository} it started, and none is named `{name}`. A run of it \
         may be at work"
    )]
    Unknown {
        /// The workflow's file.
        workflow: String,
        /// Its repository.
        repository: String,
        /// The name that it should have.
        name: String,
    },
    /// It cannot be waited for.
    #[error("run {run} in {repository} cannot be waited for")]
    OutOfSight {
        /// The run.
        run: RunId,
        /// Its repository.
        repository: String,
        /// Why.
        source: GithubError,
    },
    /// What it uploaded cannot be told.
    #[error("run {run} in {repository} ended ({conclusion}), and {why}")]
    NoResult {
        /// The run.
        run: RunId,
        /// Its repository.
        repository: String,
        /// How it ended.
        conclusion: String,
        /// Why there is nothing.
        why: String,
    },
}

impl DispatchError {
    /// Returns what to do about it, where the answer that was seen tells.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let source = match self {
            Self::NotStarted { source, .. } | Self::OutOfSight { source, .. } => source,
            Self::Unknown { .. } => {
                return Some(
                    "give the workflow `run-name: ${{ inputs.name }}`, so that its run can be found".to_owned(),
                );
            }
            Self::NoResult { .. } => return None,
        };
        match (self, &source.kind) {
            (Self::NotStarted { .. }, GithubErrorKind::Rejected { status: 422, .. }) => Some(
                "it has to be started by `workflow_dispatch`, and to take the inputs `job` and `name` and those of the \
                 configuration"
                    .to_owned(),
            ),
            (Self::NotStarted { .. }, GithubErrorKind::NotFound) => {
                Some("it has to be on the default branch of its repository, and the token must reach it".to_owned())
            }
            _ => source.hint(),
        }
    }
}

/// Starts a run, and gives its id. What was started is found again when the answer is lost.
///
/// # Errors
/// When it is not started, or nobody knows which it is.
pub async fn start(github: &Github, start: &Start<'_>, pauses: Pauses) -> Result<RunId, DispatchError> {
    let repository = github.settings().repository.to_string();
    let not_started = |source| DispatchError::NotStarted {
        workflow: start.workflow.to_owned(),
        repository: repository.clone(),
        source,
    };
    match github.dispatch_workflow(start.workflow, start.reference, start.inputs).await {
        Ok(Some(run)) => return Ok(run.id),
        Ok(None) => {}
        // It may have arrived: twice would be two runs.
        Err(error) if error.is_passing() => tracing::warn!(%error, "looking for the run in the list"),
        Err(error) => return Err(not_started(error)),
    }
    let mut pause = pauses.first;
    for _ in 0..LOOKS {
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(pauses.longest);
        let listed = github.dispatched_runs(start.workflow).await.map_err(not_started)?;
        if let Some(run) = listed.iter().find(|run| run.display_title.contains(start.name)) {
            return Ok(run.id);
        }
    }
    Err(DispatchError::Unknown { workflow: start.workflow.to_owned(), repository, name: start.name.to_owned() })
}

/// Waits for a run to end, for at most `limit`. When that is over, or `cancel` says so, the run is told to end.
///
/// # Errors
/// When it cannot be asked after any more; it is told to end then.
pub async fn wait(
    github: &Github,
    run: RunId,
    limit: Duration,
    pauses: Pauses,
    cancel: CancellationToken,
) -> Result<Waited, DispatchError> {
    let deadline = Instant::now() + limit;
    let seen = tokio::select! {
        seen = until_over(github, run, deadline, pauses) => seen?,
        () = cancel.cancelled() => {
            end(github, run).await;
            return Ok(Waited::Cancelled);
        }
    };
    if seen.is_over() {
        return Ok(Waited::Over(seen));
    }
    end(github, run).await;
    // Its last steps may still upload what there is.
    tokio::select! {
        seen = until_over(github, run, Instant::now() + ENDING, pauses) => Ok(Waited::Late(seen?)),
        () = cancel.cancelled() => Ok(Waited::Cancelled),
    }
}

/// Asks after a run until it is over, or the deadline has come.
async fn until_over(
    github: &Github,
    run: RunId,
    deadline: Instant,
    pauses: Pauses,
) -> Result<WorkflowRun, DispatchError> {
    let out_of_sight = |source| {
        let repository = github.settings().repository.to_string();
        DispatchError::OutOfSight { run, repository, source }
    };
    let mut pause = pauses.first;
    let mut last: Option<WorkflowRun> = None;
    loop {
        let unanswered = match github.workflow_run(run).await {
            Ok(seen) if seen.is_over() => return Ok(seen),
            Ok(seen) => {
                last = Some(seen);
                None
            }
            // A GitHub that is away is waited for as long as the run is.
            Err(error) if error.is_passing() => {
                tracing::warn!(%error, %run, "asking again");
                Some(error)
            }
            Err(error) => {
                end(github, run).await;
                return Err(out_of_sight(error));
            }
        };
        let now = Instant::now();
        if now >= deadline {
            match (last, unanswered) {
                (Some(seen), _) => return Ok(seen),
                (None, Some(error)) => {
                    end(github, run).await;
                    return Err(out_of_sight(error));
                }
                (None, None) => unreachable!("an answer that is no error is kept"),
            }
        }
        tokio::time::sleep_until(deadline.min(now + pause)).await;
        pause = (pause.mul_f64(1.5)).min(pauses.longest);
    }
}

/// Tells a run to end. One that is over already is as good.
pub async fn end(github: &Github, run: RunId) {
    match github.cancel_workflow_run(run).await {
        Ok(()) => tracing::info!(%run, "the run was asked to stop"),
        Err(error) if matches!(error.kind, GithubErrorKind::Rejected { status: 409, .. }) => {}
        Err(error) => tracing::warn!(%error, %run, "the run could not be asked to stop"),
    }
}

/// Finds the one artifact of a run that is named `name`, with the digest that GitHub says it has.
///
/// # Errors
/// When there is none, or more than one, or GitHub does not say what its digest is.
pub async fn result(github: &Github, run: &WorkflowRun, name: &str) -> Result<(ArtifactId, Digest), DispatchError> {
    let repository = github.settings().repository.to_string();
    let conclusion = text::truncate(&text::plain(run.conclusion.as_deref().unwrap_or("it did not say how")), 40);
    let none = |why: String| DispatchError::NoResult { run: run.id, repository, conclusion, why };
    let artifacts = match github.artifacts(run.id).await {
        Ok(artifacts) => artifacts,
        Err(error) => {
            return Err(none(format!("its artifacts cannot be listed, because {}", errors::chain(&error))));
        }
    };
    let named: Vec<&Artifact> = artifacts.iter().filter(|artifact| artifact.name == name).collect();
    match named.as_slice() {
        [] => Err(none(format!("uploaded no artifact `{name}`"))),
        [artifact] => {
            let digest = artifact.digest.as_deref().and_then(|digest| Digest::new(digest).ok());
            let digest = digest.ok_or_else(|| none(format!("GitHub does not say which digest `{name}` has")))?;
            Ok((artifact.id, digest))
        }
        several => Err(none(format!("uploaded {} artifacts `{name}`: none of them counts", several.len()))),
    }
}
