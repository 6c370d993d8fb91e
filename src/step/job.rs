//! The jobs of a fan-out as steps of GitHub Actions: what they download, do and upload. Each works on folders through
//! the same functions as the commands of the same names.

use std::{fs, path::Path, sync::Arc};

use implementer_model::{ids::ObjectId, workflow::Ahead};
use serde_json::json;

use super::{
    RepositoryContext, Step, StepEnd, StepError,
    assignment::Assignment,
    gather::{self, Bound},
    repository_context,
};
use crate::{
    agent,
    artifacts::{ArtifactService, Packed, pack},
    github::Github,
    jobs::{Settled, Site, StateDir},
    layout::refs,
    runtime::blocking,
    workspace::fetch::{self, Wanted},
};

/// What the names of all artifacts of ours begin with.
pub(super) const PREFIX: &str = "backend-implementer";

/// The folder of a job, in the workspace; the generated workflow names it, too.
pub(super) const JOB: &str = ".backend-implementer/job";

/// A job of the fan-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JobCommand {
    Prepare,
    Dispatch,
    Collect,
    Settle,
    Summarize,
}

impl JobCommand {
    /// Returns the job whose name this is.
    pub(super) fn parse(name: &str) -> Option<Self> {
        match name {
            "prepare" => Some(Self::Prepare),
            "dispatch" => Some(Self::Dispatch),
            "collect" => Some(Self::Collect),
            "settle" => Some(Self::Settle),
            "summarize" => Some(Self::Summarize),
            _ => None,
        }
    }
}

impl Step<'_> {
    /// Does the part of one job of the fan-out.
    pub(super) fn job(&self, command: JobCommand) -> Result<StepEnd, StepError> {
        match command {
            JobCommand::Prepare => self.prepare(),
            JobCommand::Dispatch => self.dispatch(),
            JobCommand::Collect => self.collect(),
            JobCommand::Settle => self.settle(),
            JobCommand::Summarize => self.summarize(),
        }
    }

    /// Uploads a state and says what comes next.
    pub(super) async fn publish(
        &self,
        service: &ArtifactService,
        state: &StateDir,
        wave: &str,
        settled: &Settled,
        scratch: &Path,
    ) -> Result<(), StepError> {
        let packed = pack_folder(state.root(), &scratch.join("state.zip"), |_| false)?;
        let uploaded = service.upload(&self.artifact_name(&format!("state-{wave}"))?, &packed).await?;
        self.runner.set_output("state", &Bound::say(&uploaded))?;
        self.runner.set_output("head", settled.head.as_str())?;
        let (dispatched, here): (Vec<_>, Vec<_>) = settled.legs.iter().partition(|leg| leg.dispatched);
        for (name, legs) in [("matrix", here), ("dispatch", dispatched)] {
            // Nothing, where there is no job: a matrix must not be empty.
            let matrix = if legs.is_empty() { String::new() } else { json!(legs).to_string() };
            self.runner.set_output(name, &matrix)?;
        }
        self.runner.set_output("gates", if settled.gates { "true" } else { "false" })?;
        self.log.line(&format!("{}; the implementation is at {}", settled.next, settled.head.short()));
        Ok(())
    }

    /// Downloads the state that the job begins with, fetches its commits, and opens it in `folder`.
    pub(super) async fn site(&self, folder: &Path) -> Result<Site, StepError> {
        let said = self.required("state")?;
        let binding = Bound::parse(said).ok_or(StepError::NoState)?;
        let (zip, state) = (folder.join("state.zip"), StateDir::new(&folder.join("state")));
        fs::create_dir_all(folder).map_err(StepError::file("make", folder))?;
        let origin = self.origin()?;
        gather::download(&self.source(origin.github.clone()), &binding, &zip, state.root())
            .await
            .map_err(StepError::StateLost)?;
        let frozen = state.frozen()?;
        let remote = origin.remote();
        let (base, rules): (ObjectId, ObjectId) = (frozen.base.clone(), frozen.rules.clone());
        let into = folder.join("repository.git");
        let repository = blocking(move || {
            let wanted =
                [Wanted { from: base.as_str(), to: refs::HEAD }, Wanted { from: rules.as_str(), to: refs::RULES }];
            // Of a pull request of one commit on itself there is only one to fetch.
            fetch::fetch(&remote, if base == rules { &wanted[..1] } else { &wanted }, &into)
        })
        .await?;
        Ok(Site::open(&repository, &state, &folder.join("site"), self.given("lock"))?)
    }

    /// Says which waves follow the first one while everything passes: their jobs need nobody to tell them.
    pub(super) fn announce_waves(&self, site: &Site, first: &Settled) -> Result<(), StepError> {
        let Ahead { waves, then_gates } = site.ahead();
        // Where something is done already, the plan's own waves are not what comes.
        if waves.first() != Some(&first.legs) {
            return Ok(());
        }
        for (number, legs) in (1..).zip(&waves).skip(1) {
            self.runner.set_matrix(number, &json!(legs).to_string())?;
        }
        let last = if then_gates { format!("wave-{}", waves.len()) } else { String::new() };
        Ok(self.runner.set_output("last", &last)?)
    }

    pub(super) fn artifacts(&self) -> Result<ArtifactService, StepError> {
        Ok(ArtifactService::from_environment(&agent::own_environment())?)
    }

    /// Returns where artifacts are read. The service knows what this attempt at our own run uploaded, and nothing else: a later
    /// attempt reads what an earlier one left through REST, and so does a workflow that does the work of another's job.
    pub(super) fn source(&self, github: Github) -> gather::Source {
        let own = self.assignment.is_none() && self.runner.attempt().is_ok_and(|attempt| attempt == 1);
        let service = own.then(|| self.artifacts().ok()).flatten().map(Arc::new);
        gather::Source { github, service }
    }

    /// Returns the pull request's repository, which is not that of the workflow where another one started this.
    pub(super) fn origin(&self) -> Result<RepositoryContext, StepError> {
        match &self.assignment {
            Some(assignment) => repository_context(&self.runner, assignment.repository()),
            None => self.repository(),
        }
    }

    /// Returns an input, or what a workflow was told that does the work of a job elsewhere.
    pub(super) fn given(&self, name: &'static str) -> Option<&str> {
        self.runner.input(name).or_else(|| self.assignment.as_ref()?.get(name))
    }

    pub(super) fn required(&self, name: &'static str) -> Result<&str, StepError> {
        self.given(name).ok_or(StepError::MissingInput(name))
    }

    /// Returns the number of the job within its matrix.
    pub(super) fn slot(&self) -> Result<u64, StepError> {
        let assigned = self.assignment.as_ref().map(Assignment::slot);
        Ok(self.runner.number("slot")?.or(assigned).unwrap_or(0))
    }

    pub(super) fn attempt_suffix(&self) -> Result<String, StepError> {
        Ok(format!("-attempt-{}", self.runner.attempt()?))
    }

    /// Names an artifact of this attempt at the run: names are never used twice.
    pub(super) fn artifact_name(&self, what: &str) -> Result<String, StepError> {
        Ok(format!("{PREFIX}-{what}{}", self.attempt_suffix()?))
    }
}

pub(super) fn pack_folder(folder: &Path, to: &Path, skip: impl Fn(&Path) -> bool) -> Result<Packed, StepError> {
    pack(folder, to, skip).map_err(StepError::file("pack", folder))
}
