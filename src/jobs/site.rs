//! Where a job of the fan-out stands: a state, and a store that has everything of it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use implementer_model::{
    gate::Place,
    record::{AttemptId, Record, Timed},
    run::AttemptPlan,
    text,
    workflow::{self, Ahead},
};
use tokio_util::sync::CancellationToken;

use super::{
    agent,
    error::JobError,
    state::{Frozen, StateDir},
};
use crate::{
    agent::own_environment,
    coordinator::{Distribution, Reached, SandboxSite, Setup, Until, follow, open_sandbox},
    intake::{self, Intake, IntakeError, Sources},
    layout::RunFile,
    run_dir::RunDir,
    sandbox::Sandbox,
    workspace::{bundle, store::RunStore},
};

/// Reads names of attempts with blanks between, as a matrix has them.
///
/// # Errors
/// When one is none, or there is none at all.
pub fn parse_attempts(text: &str) -> Result<Vec<AttemptId>, JobError> {
    let ids: Vec<_> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    if ids.is_empty() { Err(JobError::NothingNamed) } else { Ok(ids) }
}

/// Where a job stands. Cheap to clone, but for what is finished so far.
#[derive(Debug, Clone)]
pub struct Site {
    /// What was decided when the fan-out began.
    pub frozen: Frozen,
    /// The repository whose objects are borrowed.
    pub repository: PathBuf,
    /// A store that has every patch so far.
    pub store: RunStore,
    /// Plan, configuration and roster, as they were approved: made once, because it is the same for every look.
    pub(super) intake: Arc<Intake>,
    pub(super) records: Vec<Timed>,
    pub(super) notes: Vec<String>,
    /// When the run began.
    pub(super) began: SystemTime,
    pub(super) state: StateDir,
    pub(super) folder: PathBuf,
    /// Whether the gates ran in the job in which the subagents worked.
    pub(super) gates_beside_subagents: bool,
}

impl Site {
    /// Names the artifact that the files of the run will be.
    pub fn set_artifact(&mut self, name: String) {
        Arc::make_mut(&mut self.intake).provenance.set_artifact(Some(name));
    }

    /// Opens a state on a repository that has its base and its rules; `folder` is new, or empty, and takes a store.
    ///
    /// # Errors
    /// When the state cannot be read, gives another lock than `lock`, or the repository lacks a commit.
    pub fn open(repository: &Path, state: &StateDir, folder: &Path, lock: Option<&str>) -> Result<Self, JobError> {
        let frozen = state.frozen()?;
        std::fs::create_dir_all(folder).map_err(JobError::writing(folder))?;
        let folder = folder.canonicalize().map_err(JobError::reading(folder))?;
        let store = RunStore::create(repository, &folder.join(RunFile::Store))?;
        let began = humantime::parse_rfc3339(&frozen.began).map_err(|error| JobError::State {
            path: state.root().to_owned(),
            why: format!("it says that it began at no time: {error}"),
        })?;
        let records = state.records()?;
        let notes = state.notes()?;
        if let Some(bundle) = state.bundle() {
            bundle::take_all(&store, &bundle)?;
        }
        // Fails when plan, base and roster are not what was approved.
        let intake = Arc::new(intake_of(&frozen, &store, state)?);
        if let Some(named) = lock {
            intake.lock.check(named).map_err(IntakeError::from)?;
        }
        Ok(Self {
            frozen,
            repository: repository.to_owned(),
            store,
            intake,
            records,
            notes,
            began,
            state: state.clone(),
            folder,
            gates_beside_subagents: false,
        })
    }

    /// Returns the state's folder.
    #[must_use]
    pub fn state(&self) -> &StateDir {
        &self.state
    }

    /// Returns the waves that follow each other while everything passes.
    #[must_use]
    pub fn ahead(&self) -> Ahead {
        workflow::ahead(&self.intake.schedule, &self.intake.config.workflow)
    }

    /// Returns the milliseconds since the run began.
    pub(super) fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
    }

    /// Takes what is finished from another state of the same run. What was approved stays as it is here.
    ///
    /// # Errors
    /// When it cannot be read, or is of something else that was approved.
    pub fn take_progress(&mut self, state: &StateDir) -> Result<(), JobError> {
        let other = state.frozen()?;
        if other.lock != self.frozen.lock || other.run != self.frozen.run {
            let why = "it is of another run".to_owned();
            return Err(JobError::State { path: state.root().to_owned(), why });
        }
        if let Some(bundle) = state.bundle() {
            bundle::take_patches(&self.store, &bundle)?;
        }
        self.records = state.records()?;
        self.notes = state.notes()?;
        Ok(())
    }

    /// Makes the gates of the tree that the run has come to due once more: what is known of them is forgotten.
    ///
    /// # Errors
    /// When the run cannot be followed.
    pub async fn repeat_gates(&mut self) -> Result<(), JobError> {
        self.gates_beside_subagents = false;
        let tree = self.look().await?.head.tree;
        self.records.retain(|(_, record)| !matches!(record, Record::Judged { receipt } if receipt.tree == tree));
        Ok(())
    }

    /// Goes through the run as far as it is known, with nothing kept.
    pub(super) async fn look(&self) -> Result<Reached, JobError> {
        let scratch = tempfile::tempdir_in(&self.folder).map_err(JobError::writing(&self.folder))?;
        let run_dir = RunDir::create(&scratch.path().join("run"))?;
        let never = CancellationToken::new();
        self.follow(&self.records, run_dir, scratch.path(), self.distribution(false, Until::Open), never).await
    }

    pub(super) fn distribution(&self, gates_here: bool, until: Until) -> Distribution {
        Distribution {
            began: self.began,
            gates_here,
            until,
            cancelled: false,
            notes: self.notes.clone(),
            why_open: "no job of the workflow was left for it".to_owned(),
        }
    }

    /// Takes the records of an attempt out. `false` when there are none.
    pub(super) fn forget(&mut self, id: &AttemptId) -> bool {
        let before = self.records.len();
        self.records.retain(|(_, record)| match record {
            Record::Started(started) => started.id != *id,
            Record::Ended(ended) => ended.id() != *id,
            _ => true,
        });
        self.records.len() < before
    }

    /// Goes through the run with these records.
    pub(super) async fn follow(
        &self,
        records: &[Timed],
        run_dir: RunDir,
        scratch: &Path,
        distribution: Distribution,
        cancel: CancellationToken,
    ) -> Result<Reached, JobError> {
        let intake = Intake::clone(&self.intake);
        let platform = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
        let executable = std::env::current_exe().map_err(JobError::reading("our own executable"))?;
        let environment = own_environment();
        // Who only goes through a run starts nothing.
        let sandbox = if distribution.gates_here {
            self.open_sandbox(&executable, &environment, scratch)?.of_run(run_dir.root(), &self.store.object_folders())
        } else {
            Sandbox::none()
        };
        let setup = Setup {
            agents: agent::nobody(&intake)?,
            intake,
            store: self.store.clone(),
            run_dir,
            scratch: scratch.to_owned(),
            sandbox,
            environment,
            supervisor: executable,
            place: Place {
                run: self.frozen.run.clone(),
                workflow: self.frozen.workflow.clone(),
                platform,
                beside_subagents: self.gates_beside_subagents,
            },
            revision: None,
        };
        Ok(follow(setup, records.to_vec(), distribution, cancel).await?)
    }

    /// Opens the sandbox that the configuration asks for, for what this job starts.
    pub(super) fn open_sandbox(
        &self,
        executable: &Path,
        environment: &BTreeMap<String, String>,
        scratch: &Path,
    ) -> Result<Sandbox, JobError> {
        Ok(open_sandbox(&SandboxSite {
            intake: &self.intake,
            store: &self.store,
            repository: &self.repository,
            run: &self.folder,
            scratch,
            executable,
            environment,
        })?)
    }

    /// Finds the attempts of these names among those that come next.
    pub(super) fn due(reached: Reached, names: &[AttemptId]) -> Result<Vec<AttemptPlan>, JobError> {
        let next = describe(&reached);
        let mut open = reached.open;
        let mut plans = Vec::new();
        for name in names {
            let found = open.iter().position(|plan| plan.id == *name);
            let at = found.ok_or_else(|| JobError::NotDue { name: name.to_string(), next: next.clone() })?;
            plans.push(open.swap_remove(at));
        }
        Ok(plans)
    }
}

/// Reads plan, configuration and roster again: what they give must be what was approved.
fn intake_of(frozen: &Frozen, store: &RunStore, state: &StateDir) -> Result<Intake, JobError> {
    let Frozen { rules, base, .. } = frozen;
    let plan = frozen.plan().ok_or_else(|| JobError::State {
        path: state.root().to_owned(),
        why: "its plan cannot be decoded".to_owned(),
    })?;
    let sources = Sources {
        base: base.as_str(),
        rules: Some(rules.as_str()),
        plan: &plan,
        config: &frozen.config(),
        agent: frozen.agent.as_ref(),
        concurrency: None,
        lock: Some(frozen.lock.digest.as_str()),
    };
    let mut intake = intake::take(store, &sources)?;
    intake.provenance = frozen.provenance.clone();
    if let Some(limit) = frozen.time_limit_s {
        intake.schedule.tasks.iter_mut().for_each(|task| task.time_limit_s = limit.max(1));
    }
    Ok(intake)
}

/// Says what comes next.
pub(super) fn describe(reached: &Reached) -> String {
    if reached.gates_due {
        return "the gates are due".to_owned();
    }
    if reached.open.is_empty() {
        return "everything is done".to_owned();
    }
    format!("due: {}", text::listed(reached.open.iter().map(|plan| format!("`{}`", plan.id)), 5))
}
