//! `dispatch` as a step of GitHub Actions: starts the workflow that does the work of a job, waits for it, and uploads what
//! it made as the job's own result. And what such a workflow is told, in its input `job`.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, anyhow};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::{PREFIX, pack_folder};
use crate::{
    actions::{Level, Runner, annotation, artifacts::Packed},
    cli::{
        action::{Step, desk},
        exit::{self, Failure},
        jobs as names, run,
    },
    conversation::Desk,
    dispatched::{self, DispatchError, Pauses, Start, Waited},
    execution,
    gather::Bound,
    github::{Github, RepositoryName},
    jobs::{self, Assigned, Site},
};

/// The state that names the repository and the number of the run that is waited for.
pub(in crate::cli) const DISPATCHED: &str = "dispatched";

/// The version of what a workflow is told.
const VERSION: u32 = 1;

/// What a workflow is told that does the work of a job: the inputs that the job itself would have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(in crate::cli) struct Assignment {
    version: u32,
    /// The repository of the pull request.
    repository: String,
    tasks: String,
    wave: String,
    slot: u64,
    state: String,
    head: String,
    lock: String,
}

impl Assignment {
    /// Reads the input `job`, where the step has one.
    pub(in crate::cli) fn of(runner: &Runner) -> Result<Option<Self>, Failure> {
        let Some(text) = runner.input("job") else { return Ok(None) };
        let wrong = |why: &str| {
            Failure::input(anyhow!(
                "the input `job` is not what `dispatch` tells a workflow: {why}. Hand on the input of the workflow as it \
                 is: `job: ${{{{ inputs.job }}}}`"
            ))
        };
        let assignment: Self = serde_json::from_str(text).map_err(|error| wrong(&error.to_string()))?;
        if assignment.version != VERSION {
            return Err(wrong(&format!("it has version {}, and this program knows {VERSION}", assignment.version)));
        }
        Ok(Some(assignment))
    }

    /// Returns the repository of the pull request.
    pub(in crate::cli) fn repository(&self) -> &str {
        &self.repository
    }

    /// Returns the number of the job within its matrix.
    pub(in crate::cli) fn slot(&self) -> u64 {
        self.slot
    }

    /// Returns what stands in for an input of the action.
    pub(in crate::cli) fn get(&self, input: &str) -> Option<&str> {
        match input {
            "tasks" => Some(&self.tasks),
            "wave" => Some(&self.wave),
            "state" => Some(&self.state),
            "head" => Some(&self.head),
            "lock" => Some(&self.lock),
            _ => None,
        }
    }
}

/// What became of the work.
enum Brought {
    /// A result, and whether the run succeeded.
    Result(Packed, bool),
    /// Nobody waits any more.
    Cancelled,
}

impl Step {
    /// Lets another workflow do the work of a job.
    pub(in crate::cli) fn dispatch(&self) -> Result<u8, Failure> {
        let service = self.artifacts()?;
        let (tasks, wave, slot) = (names::names(self.required("tasks")?)?, self.required("wave")?, self.slot()?);
        let scratch = execution::scratch()?;
        let done = self.runtime.block_on(run::with_signals(async |cancelled| {
            let site = self.site(&scratch.path().join("site")).await?;
            let assigned = jobs::assigned(&site, &tasks).await?;
            let brought = self.bring(&site, &assigned, &scratch.path().join("brought.zip"), cancelled).await;
            let (packed, said) = match brought {
                Ok(Brought::Cancelled) => return Ok(exit::CANCELLED),
                Ok(Brought::Result(packed, true)) => (packed, Ok(exit::COMPLETE)),
                Ok(Brought::Result(packed, false)) => (packed, Ok(exit::INCOMPLETE)),
                // What went wrong is the attempt's end: the summary has to tell it, not the log alone.
                Err(failure) => {
                    let results = scratch.path().join("results");
                    jobs::record_failure(&site, &tasks, &failure.to_string(), &results).await?;
                    (pack_folder(&results, &scratch.path().join("failed.zip"), |_| false)?, Err(failure))
                }
            };
            let name = self.artifact_name(&format!("{wave}-{slot}"))?;
            let uploaded = service.upload(&name, &packed).await?;
            self.runner.set_slot(slot, &Bound::of(&uploaded))?;
            self.log.line(&format!("uploaded {name} ({} bytes)", packed.size));
            said
        }));
        // What was started is over, or was told to end.
        self.remember_conclusion()?;
        done
    }

    /// Starts the workflow, waits for it, and downloads what it made to `zip`.
    async fn bring(
        &self,
        site: &Site,
        assigned: &Assigned,
        zip: &Path,
        cancelled: watch::Receiver<bool>,
    ) -> Result<Brought, Failure> {
        let (wave, slot) = (self.required("wave")?, self.slot()?);
        let Assigned { subagent, dispatch, minutes } = assigned;
        let own = desk(&self.runner, 0)?;
        let github = self.github_of(&own, dispatch.repository.as_deref())?;
        let reference = match &dispatch.reference {
            Some(reference) => reference.clone(),
            None => self.branch_for(site, &own.github, &github).await?,
        };
        let (repository, workflow) = (github.settings().repository.to_string(), dispatch.workflow.as_str());
        let name =
            format!("{} for {} ({}, {wave}/{slot})", self.required("tasks")?, self.runner.repository()?, own.run_key);
        let job =
            serde_json::to_string(&self.assignment(wave, slot)?).context("what the workflow is told cannot be written");
        let job = job.map_err(Failure::outside)?;
        let further = dispatch.inputs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let inputs: Vec<_> = [("job", job.as_str()), ("name", name.as_str())].into_iter().chain(further).collect();
        let start = Start { workflow, reference: &reference, inputs: &inputs, name: &name };
        let pauses = Pauses::default();
        if *cancelled.borrow() {
            return Ok(Brought::Cancelled);
        }
        let run = dispatched::start(&github, &start, pauses).await?;
        self.runner.save_state(DISPATCHED, &format!("{repository} {run}"))?;
        self.log.line(&format!(
            "{subagent} works in {workflow} of {repository} on {reference}: {}/{repository}/actions/runs/{run}",
            self.runner.server_url()
        ));
        let limit = Duration::from_secs(minutes * 60);
        let ended = match dispatched::wait(&github, run, limit, pauses, cancelled).await? {
            Waited::Cancelled => {
                self.log.line(&format!("cancelled: run {run} was told to end"));
                return Ok(Brought::Cancelled);
            }
            Waited::Late(ended) => {
                let said =
                    format!("run {run} in {repository} was not done after {minutes} minutes, and was told to end");
                self.log.command(&annotation(Level::Warning, None, "Too late", &said));
                ended
            }
            Waited::Over(ended) => ended,
        };
        self.tell_usage(&Desk { github: github.clone(), ..own });
        let attempt = ended.run_attempt.unwrap_or(1);
        let name = format!("{}-{wave}-{slot}-attempt-{attempt}", PREFIX);
        let (id, digest) = dispatched::result(&github, &ended, &name).await?;
        let lost = |why: String| DispatchError::NoResult {
            run,
            repository: repository.clone(),
            conclusion: ended.conclusion.clone().unwrap_or_default(),
            why,
        };
        github.download_artifact(id, &digest, zip).await.map_err(|error| lost(error.to_string()))?;
        let size = std::fs::metadata(zip).map_err(|error| lost(error.to_string()))?.len();
        let succeeded = ended.conclusion.as_deref() == Some("success");
        Ok(Brought::Result(Packed { path: zip.to_owned(), size, digest }, succeeded))
    }

    /// What the workflow is told: what this job was told.
    fn assignment(&self, wave: &str, slot: u64) -> Result<Assignment, Failure> {
        let required = |name| self.required(name).map(str::to_owned);
        Ok(Assignment {
            version: VERSION,
            repository: self.runner.repository()?.to_owned(),
            tasks: required("tasks")?,
            wave: wave.to_owned(),
            slot,
            state: required("state")?,
            head: required("head")?,
            lock: required("lock")?,
        })
    }

    /// Returns the client for the repository of a workflow.
    fn github_of(&self, own: &Desk, repository: Option<&str>) -> Result<Github, Failure> {
        let token = self.runner.input("dispatch-token");
        match (repository, token) {
            (None, None) => Ok(own.github.clone()),
            (Some(_), None) => Err(Failure::input(anyhow!(
                "there is no token for another repository: the secret that `dispatch.token` names is empty"
            ))),
            (repository, Some(token)) => {
                let repository: RepositoryName = match repository {
                    Some(repository) => repository.parse().map_err(Failure::input)?,
                    None => own.github.settings().repository.clone(),
                };
                Ok(own.github.elsewhere(repository, token.to_owned().into())?)
            }
        }
    }

    /// Returns the branch with the workflow, where the configuration names none.
    async fn branch_for(&self, site: &Site, own: &Github, github: &Github) -> Result<String, Failure> {
        let pull = site.frozen.provenance.pull_request.as_ref();
        let branch = match pull.filter(|_| own.settings().repository == github.settings().repository) {
            Some(pull) => own.pull_request(pull.number).await.map(|pull| pull.base.name),
            None => github.default_branch().await,
        };
        Ok(branch?)
    }

    /// Finds the run that a step was waiting for when it was killed, from what the step saved.
    pub(in crate::cli) fn dispatched_run(runner: &Runner, said: &str) -> Result<(Github, u64), Failure> {
        let unknown = || Failure::outside(anyhow!("the saved state names no run: {said}"));
        let (repository, run) = said.split_once(' ').ok_or_else(unknown)?;
        let run = run.parse().map_err(|_| unknown())?;
        let own = desk(runner, 0)?.github;
        let github = match runner.input("dispatch-token") {
            Some(token) => own.elsewhere(repository.parse().map_err(Failure::input)?, token.to_owned().into())?,
            None => own,
        };
        Ok((github, run))
    }
}
