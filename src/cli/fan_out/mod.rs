//! The jobs of a fan-out as steps of GitHub Actions: what they download, do and upload. Each works on folders through
//! the same functions as the commands of the same names.

mod begin;
mod dispatch;
mod settle;
mod summarize;
mod work;

use std::{fs, path::Path};

use anyhow::{Context as _, anyhow};
use implementer_model::ids::ObjectId;

pub(super) use self::dispatch::{Assignment, DISPATCHED};
use super::{
    action::{Step, desk, desk_at},
    exit::Failure,
};
use crate::layout::refs;
use crate::{
    actions::artifacts::{ArtifactService, Packed, pack},
    agent,
    conversation::Desk,
    execution::blocking,
    gather::{self, Bound},
    github::Github,
    jobs::{Settled, Site, StateDir},
    workspace::fetch::{self, Wanted},
};

/// What the names of all artifacts of ours begin with.
const PREFIX: &str = "backend-implementer";

/// The folder of a job, in the workspace; the generated workflow names it, too.
const JOB: &str = ".backend-implementer/job";

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
    pub(super) fn of(name: &str) -> Option<Self> {
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

impl Step {
    /// Does the part of one job of the fan-out.
    pub(super) fn job(&self, command: JobCommand) -> Result<u8, Failure> {
        match command {
            JobCommand::Prepare => self.prepare(),
            JobCommand::Dispatch => self.dispatch(),
            JobCommand::Collect => self.collect(),
            JobCommand::Settle => self.settle(),
            JobCommand::Summarize => self.summarize(),
        }
    }

    /// Uploads a state and says what comes next.
    async fn publish(
        &self,
        service: &ArtifactService,
        state: &StateDir,
        wave: &str,
        settled: &Settled,
        scratch: &Path,
    ) -> Result<(), Failure> {
        let packed = pack_folder(state.root(), &scratch.join("state.zip"), |_| false)?;
        let uploaded = service.upload(&self.artifact_name(&format!("state-{wave}"))?, &packed).await?;
        self.runner.set_output("state", &Bound::of(&uploaded))?;
        self.runner.set_output("head", settled.head.as_str())?;
        let (dispatched, here): (Vec<_>, Vec<_>) = settled.legs.iter().partition(|leg| leg.dispatched);
        for (name, legs) in [("matrix", here), ("dispatch", dispatched)] {
            // Nothing, where there is no job: a matrix must not be empty.
            let matrix = if legs.is_empty() { Ok(String::new()) } else { serde_json::to_string(&legs) };
            let matrix = matrix.context("the matrix cannot be written").map_err(Failure::outside)?;
            self.runner.set_output(name, &matrix)?;
        }
        self.runner.set_output("gates", if settled.gates { "true" } else { "false" })?;
        self.log.line(&format!("{}; the implementation is at {}", settled.next, settled.head.short()));
        Ok(())
    }

    /// Downloads the state that the job begins with, fetches its commits, and opens it in `folder`.
    async fn site(&self, folder: &Path) -> Result<Site, Failure> {
        let said = self.required("state")?;
        let binding = Bound::parse(said).ok_or_else(|| {
            Failure::input(anyhow!("the input `state` names no artifact; it is an output of the job before"))
        })?;
        let (zip, state) = (folder.join("state.zip"), StateDir::new(&folder.join("state")));
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot make {}", folder.display()))
            .map_err(Failure::outside)?;
        let desk = self.origin()?;
        gather::download(&desk.github, &binding, &zip, state.root())
            .await
            .map_err(|why| Failure::outside(anyhow!("the state of the job before cannot be had: {why}")))?;
        let frozen = state.frozen()?;
        let remote = desk.remote();
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

    fn artifacts(&self) -> Result<ArtifactService, Failure> {
        Ok(ArtifactService::of(&agent::own_environment())?)
    }

    fn github(&self) -> Result<Github, Failure> {
        Ok(desk(&self.runner, 0)?.github)
    }

    /// Returns the pull request's repository, which is not that of the workflow where another one started this.
    fn origin(&self) -> Result<Desk, Failure> {
        match &self.assignment {
            Some(assignment) => desk_at(&self.runner, 0, assignment.repository()),
            None => desk(&self.runner, 0),
        }
    }

    /// Returns an input, or what a workflow was told that does the work of a job elsewhere.
    fn given(&self, name: &'static str) -> Option<&str> {
        self.runner.input(name).or_else(|| self.assignment.as_ref()?.get(name))
    }

    fn required(&self, name: &'static str) -> Result<&str, Failure> {
        let missing =
            || Failure::input(anyhow!("the input `{name}` is missing; `backend-implementer generate` writes it"));
        self.given(name).ok_or_else(missing)
    }

    /// Returns the number of the job within its matrix.
    fn slot(&self) -> Result<u64, Failure> {
        let assigned = self.assignment.as_ref().map(Assignment::slot);
        Ok(self.runner.number("slot")?.or(assigned).unwrap_or(0))
    }

    fn run_number(&self) -> Result<u64, Failure> {
        let key = self.runner.run_key()?;
        let run = key.split_once('/').and_then(|(run, _)| run.parse().ok());
        run.ok_or_else(|| Failure::outside(anyhow!("the runner's `GITHUB_RUN_ID` is no number")))
    }

    fn attempt_suffix(&self) -> String {
        let attempt = self.runner.run_key().ok().and_then(|key| key.split_once('/').map(|(_, n)| n.to_owned()));
        format!("-attempt-{}", attempt.unwrap_or_else(|| "1".to_owned()))
    }

    /// Names an artifact of this attempt at the run: names are never used twice.
    fn artifact_name(&self, what: &str) -> Result<String, Failure> {
        Ok(format!("{PREFIX}-{what}{}", self.attempt_suffix()))
    }
}

fn pack_folder(folder: &Path, to: &Path, skip: impl Fn(&Path) -> bool) -> Result<Packed, Failure> {
    pack(folder, to, skip).with_context(|| format!("cannot pack {}", folder.display())).map_err(Failure::outside)
}
