//! `dispatch` as a step of GitHub Actions: starts the workflow that does the work of a job, waits for it, and uploads what
//! it made as the job's own result.

use std::{path::Path, time::Duration};

use implementer_model::github_ids::{PullRequestNumber, RunId};
use tokio_util::sync::CancellationToken;

use super::{
    RepositoryContext, Step, StepEnd, StepError,
    assignment::DISPATCHED,
    dispatched_run::{self, DispatchError, Pauses, Start, Waited},
    gather::Bound,
    job::{PREFIX, pack_folder},
    repository_context,
};
use crate::{
    actions::{Level, Runner, annotation},
    artifacts::Packed,
    errors, execution,
    github::{Github, RepositoryName},
    jobs::{self, Assigned, Site},
    runtime::with_signals,
};

/// What became of the work.
enum Fetched {
    /// A result, and whether the run succeeded.
    Result(Packed, bool),
    /// Nobody waits any more.
    Cancelled,
}

impl Step<'_> {
    /// Lets another workflow do the work of a job.
    pub(super) fn dispatch(&self) -> Result<StepEnd, StepError> {
        let service = self.artifacts()?;
        let (tasks, wave, slot) =
            (jobs::parse_attempts(self.required("tasks")?)?, self.required("wave")?, self.slot()?);
        let scratch = execution::scratch()?;
        let done = self.runtime.block_on(with_signals(async |cancelled| {
            let site = self.site(&scratch.path().join("site")).await?;
            let assigned = jobs::assigned(&site, &tasks).await?;
            let fetched = self.fetch_result(&site, &assigned, &scratch.path().join("fetched.zip"), cancelled).await;
            let (packed, said) = match fetched {
                Ok(Fetched::Cancelled) => return Ok(StepEnd::Cancelled),
                Ok(Fetched::Result(packed, true)) => (packed, Ok(StepEnd::Done)),
                Ok(Fetched::Result(packed, false)) => (packed, Ok(StepEnd::Incomplete)),
                // What the platform did is no verdict on the work: the job fails, and can be run again.
                Err(failure) if failure.is_of_the_platform() => return Err(failure),
                // What went wrong is the attempt's end: the summary has to tell it, not the log alone.
                Err(failure) => {
                    let results = scratch.path().join("results");
                    jobs::record_failure(&site, &tasks, &failure.told(), &results).await?;
                    (pack_folder(&results, &scratch.path().join("failed.zip"), |_| false)?, Err(failure))
                }
            };
            let name = self.artifact_name(&format!("{wave}-{slot}"))?;
            let uploaded = service.upload(&name, &packed).await?;
            self.runner.set_slot(slot, &Bound::say(&uploaded))?;
            self.log.line(&format!("uploaded {name} ({} bytes)", packed.size));
            said
        }));
        // What was started is over, or was asked to stop.
        self.remember_conclusion()?;
        done
    }

    /// Starts the workflow, waits for it, and downloads what it made to `zip`.
    async fn fetch_result(
        &self,
        site: &Site,
        assigned: &Assigned,
        zip: &Path,
        cancelled: CancellationToken,
    ) -> Result<Fetched, StepError> {
        let (wave, slot) = (self.required("wave")?, self.slot()?);
        let Assigned { subagent, dispatch, minutes } = assigned;
        let own = self.repository()?;
        let github = self.github_of(&own, dispatch.repository.as_deref())?;
        let reference = match &dispatch.reference {
            Some(reference) => reference.clone(),
            None => self.branch_for(site, &own.github, &github).await?,
        };
        let (repository, workflow) = (github.settings().repository.to_string(), dispatch.workflow.as_str());
        let name =
            format!("{} for {} ({}, {wave}/{slot})", self.required("tasks")?, self.runner.repository()?, own.run_key);
        let job = serde_json::json!(self.assignment(wave, slot)?).to_string();
        let further = dispatch.inputs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let inputs: Vec<_> = [("job", job.as_str()), ("name", name.as_str())].into_iter().chain(further).collect();
        let start = Start { workflow, reference: &reference, inputs: &inputs, name: &name };
        let pauses = Pauses::default();
        if cancelled.is_cancelled() {
            return Ok(Fetched::Cancelled);
        }
        let run = dispatched_run::start(&github, &start, pauses).await?;
        self.runner.save_state(DISPATCHED, &format!("{repository} {run}"))?;
        self.log.line(&format!(
            "{subagent} works in {workflow} of {repository} on {reference}: {}/{repository}/actions/runs/{run}",
            self.runner.server_url()
        ));
        let limit = Duration::from_secs(minutes * 60);
        let ended = match dispatched_run::wait(&github, run, limit, pauses, cancelled).await? {
            Waited::Cancelled => {
                self.log.line(&format!("cancelled: run {run} was asked to stop"));
                return Ok(Fetched::Cancelled);
            }
            Waited::Late(ended) => {
                let said =
                    format!("run {run} in {repository} was not done after {minutes} minutes and was asked to stop");
                self.log.command(&annotation(Level::Warning, None, "Too late", &said));
                ended
            }
            Waited::Over(ended) => ended,
        };
        self.tell_usage(&github);
        let attempt = ended.run_attempt.unwrap_or(1);
        let name = format!("{}-{wave}-{slot}-attempt-{attempt}", PREFIX);
        let (id, digest) = dispatched_run::result(&github, &ended, &name).await?;
        let lost = |why: String| DispatchError::NoResult {
            run,
            repository: repository.clone(),
            conclusion: ended.conclusion.clone().unwrap_or_default(),
            why,
        };
        github.download_artifact(id, &digest, zip).await.map_err(|error| lost(errors::chain(&error)))?;
        let size = std::fs::metadata(zip).map_err(|error| lost(errors::chain(&error)))?.len();
        let succeeded = ended.conclusion.as_deref() == Some("success");
        Ok(Fetched::Result(Packed { path: zip.to_owned(), size, digest }, succeeded))
    }

    /// Returns the client for the repository of a workflow.
    fn github_of(&self, own: &RepositoryContext, repository: Option<&str>) -> Result<Github, StepError> {
        let token = self.runner.input("dispatch-token");
        match (repository, token) {
            (None, None) => Ok(own.github.clone()),
            (Some(_), None) => Err(StepError::NoDispatchToken),
            (repository, Some(token)) => {
                let repository: RepositoryName = match repository {
                    Some(repository) => repository.parse()?,
                    None => own.github.settings().repository.clone(),
                };
                Ok(own.github.elsewhere(repository, token.to_owned().into())?)
            }
        }
    }

    /// Returns the branch with the workflow, where the configuration names none.
    async fn branch_for(&self, site: &Site, own: &Github, github: &Github) -> Result<String, StepError> {
        let pull = site.frozen.provenance.pull_request.as_ref();
        let branch = match pull.filter(|_| own.settings().repository == github.settings().repository) {
            Some(pull) => own.pull_request(PullRequestNumber::new(pull.number)).await.map(|pull| pull.base.name),
            None => github.default_branch().await,
        };
        Ok(branch?)
    }
}

/// Finds the run that a step was waiting for when it was killed, from what the step saved.
pub(super) fn dispatched_run(runner: &Runner, said: &str) -> Result<(Github, RunId), StepError> {
    let unknown = || StepError::SavedState(format!("`{said}` names no run"));
    let (repository, run) = said.split_once(' ').ok_or_else(unknown)?;
    let run = run.parse().map_err(|_| unknown())?;
    let own = repository_context(runner, runner.repository()?)?.github;
    let github = match runner.input("dispatch-token") {
        Some(token) => own.elsewhere(repository.parse()?, token.to_owned().into())?,
        None => own,
    };
    Ok((github, run))
}
