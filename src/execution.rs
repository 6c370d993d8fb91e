//! From an intake to a run: finds the programs, makes the run's folder, and lets the coordinator do its work.

pub mod base_gates;
mod folders;

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use implementer_model::{
    gate::Place,
    handoff::Handoff,
    ids::{ObjectId, TaskId},
    lock::Lock,
    record::{JOURNAL_VERSION, Record},
    run::{self, KeptRecords, Repeat},
};
use tokio_util::sync::CancellationToken;

use self::folders::run_folder;
pub use self::folders::{Scratch, run_id, scratch};
use crate::layout::{PROGRAMS, RUNS_DIR, RunFile};
use crate::{
    agent::{self, AgentError, Agents, Making},
    coordinator::{self, Resumed, RunError, SandboxSite, Setup, progress::Observer},
    errors,
    intake::Intake,
    journal::{Journal, Seal},
    kept::{self, KeptError},
    run_dir::{RunDir, RunDirError},
    sandbox::{Level, Sandbox, SandboxError},
    telemetry,
    workspace::{
        WorkspaceError,
        slots::{Slot, SlotPool},
        store::RunStore,
    },
};

/// What is to be run, and where.
#[derive(Debug)]
pub struct RunRequest {
    /// Plan, roster, configuration, schedule and lock.
    pub intake: Intake,
    /// The repository whose objects the run borrows.
    pub repository: PathBuf,
    /// A store on that repository, outside the run's folder, for what comes before the run.
    pub probe: RunStore,
    /// The commit from which programs of the repository's own are taken.
    pub programs: ObjectId,
    /// The command of the agent, in place of the configuration's.
    pub command: Option<Vec<String>>,
    /// The time limit of every task, in place of the configuration's.
    pub time_limit: Option<Duration>,
    /// Whether tests that are red on the base are the work.
    pub allow_red_base: bool,
    /// Where the run's folder goes.
    pub out: Out,
    /// Whether a run that broke off is resumed.
    pub resume: Resume,
    /// The workflow that this is a step of.
    pub workflow: Option<String>,
    /// The revision that was asked for as the base, where it may move.
    pub revision: Option<String>,
    /// What an earlier run of the same lock kept, where a task of it is run again.
    pub kept: Option<KeptByLastRun>,
}

/// What an earlier run of the same lock kept.
#[derive(Debug)]
pub struct KeptByLastRun {
    /// The folder with it.
    pub folder: PathBuf,
    /// The task that is run again although it passed; what else passed stays.
    pub again: Option<String>,
    /// Whether that task goes on from what it did, because something is open that it is to blame for; else it begins anew.
    pub goes_on: bool,
}

impl KeptByLastRun {
    /// Writes what the run in the folder `run` finished into the new folder `to`.
    ///
    /// # Errors
    /// When its journal is not ours, or nothing can be written.
    pub fn from_run(
        repository: &Path,
        run: &Path,
        intake: &Intake,
        (again, goes_on): (Option<&str>, bool),
        to: &Path,
    ) -> Result<Self, kept::KeepError> {
        kept::write_of_run(repository, run, &intake.lock, &intake.schedule, to)?;
        Ok(Self { folder: to.to_owned(), again: again.map(str::to_owned), goes_on })
    }

    /// Returns what somebody wants to be repeated, beside what did not pass.
    fn repeat<'a>(&'a self, task: Option<&'a TaskId>) -> Repeat<'a> {
        match (&self.again, task) {
            (None, _) => Repeat::Nothing,
            (Some(_), Some(task)) if self.goes_on => Repeat::GoingOn(task),
            (Some(again), _) => Repeat::Anew(again),
        }
    }
}

/// Whether a run that broke off is resumed.
///
/// What is taken over is believed: a folder is as trustworthy as whoever may write to it. On somebody's own machine that
/// is their own account; in a workspace it may be code of an earlier job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resume {
    /// Never: every run begins anew.
    Never,
    /// Where there is one of the same lock.
    WherePossible,
    /// Always; that there is none is an error.
    Required,
}

/// Where a run's folder goes.
#[derive(Debug, Clone)]
pub enum Out {
    /// It is this folder.
    Folder(PathBuf),
    /// It is a new one in the default place below this folder.
    Below(PathBuf),
}

impl Out {
    /// Returns where the run's folder is, or in which folder it will be.
    fn place(&self) -> PathBuf {
        match self {
            Self::Folder(folder) => folder.clone(),
            Self::Below(folder) => folder.join(RUNS_DIR),
        }
    }
}

/// A run that came to its end.
#[derive(Debug)]
pub struct Executed {
    /// Everything about it.
    pub handoff: Handoff,
    /// Its folder.
    pub folder: PathBuf,
}

/// Says why a run could not be begun, or brought to its end.
#[derive(Debug, thiserror::Error)]
pub enum ExecutionError {
    /// Something of this process's own surroundings is not as it must be.
    #[error("cannot {doing}")]
    Surroundings {
        /// What was being done.
        doing: String,
        /// What the system said.
        source: io::Error,
    },
    /// Subagents cannot be isolated as they have to be.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// A subagent's program cannot be used.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// The repository cannot be used.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// The run's folder cannot be made.
    #[error(transparent)]
    RunDir(#[from] RunDirError),
    /// The run broke off.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// A run that can begin: every program was found, and its folder is there.
#[derive(Debug)]
pub struct Prepared {
    setup: Setup,
    resumed: Option<Resumed>,
    keeps: bool,
    folder: PathBuf,
    /// Held until the run is over: programs of the repository's own are in it.
    _programs: Option<Slot>,
}

/// Prepares a run. Everything is checked before its folder is made: what cannot begin leaves nothing behind.
///
/// # Errors
/// When a program is missing, or the folder cannot be made.
pub async fn prepare(request: RunRequest, scratch: &Path) -> Result<Prepared, ExecutionError> {
    let surroundings = |doing: &str| {
        let doing = doing.to_owned();
        move |source| ExecutionError::Surroundings { doing, source }
    };
    let RunRequest {
        mut intake,
        repository,
        probe,
        programs,
        command,
        time_limit,
        allow_red_base,
        out,
        resume,
        workflow,
        revision,
        kept,
    } = request;
    // What is started here runs as the same user: it must not read our environment, which may hold a token.
    agent::hide_from_other_processes().map_err(surroundings("protect this process's memory"))?;
    intake.config.evidence.allow_red_base |= allow_red_base;
    if let Some(limit) = time_limit {
        // A limit of less than a second would stop every task before it can begin.
        intake.schedule.tasks.iter_mut().for_each(|task| task.time_limit_s = limit.as_secs().max(1));
    }
    let supervisor = std::env::current_exe().map_err(surroundings("find our own executable"))?;
    let environment = agent::own_environment();
    let sandbox = coordinator::open_sandbox(&SandboxSite {
        intake: &intake,
        store: &probe,
        repository: &repository,
        run: &out.place(),
        scratch,
        executable: &supervisor,
        environment: &environment,
    })?;
    let (agents, checkout) =
        find_agents(&intake, command, probe, &programs, (scratch, &sandbox), &supervisor, &environment).await?;

    let run = run_id(SystemTime::now(), intake.lock.digest.short());
    let seal = Seal::own().map_err(surroundings("make a key for the journal"))?;
    let (run_dir, resumed) = run_folder(&out, &run, &intake.lock, resume, &seal)?;
    let store_dir = run_dir.path(RunFile::Store);
    let (store, run) = match &resumed {
        Some(resumed) => {
            // What lies beside a journal that says nothing may be anybody's.
            let store = if !resumed.records.is_empty() && store_dir.join("HEAD").is_file() {
                RunStore::reopen(&repository, &store_dir)?
            } else {
                let _ = std::fs::remove_dir_all(&store_dir);
                RunStore::create(&repository, &store_dir)?
            };
            (store, resumed.run().map_or(run, str::to_owned))
        }
        None => (RunStore::create(&repository, &store_dir)?, run),
    };
    let keeps = resumed.is_none() && kept.is_some();
    let resumed = match (resumed, kept) {
        (None, Some(kept)) => keep_passed(&kept, &intake.lock, (&run, &store), &run_dir, seal).await?,
        (resumed, _) => resumed,
    };
    let folder = run_dir.root().to_owned();
    let sandbox = sandbox.of_run(&folder, &store.object_folders());
    let platform = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
    let setup = Setup {
        intake,
        store,
        run_dir,
        scratch: scratch.to_owned(),
        agents,
        sandbox,
        environment,
        supervisor,
        place: Place { run, workflow, platform, beside_subagents: true },
        revision,
    };
    Ok(Prepared { setup, resumed, keeps, folder, _programs: checkout })
}

impl Prepared {
    /// Returns the run's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Tells whether it resumes a run that was interrupted. One that only keeps what an earlier run finished is new.
    #[must_use]
    pub fn is_resumed(&self) -> bool {
        self.resumed.is_some() && !self.keeps
    }

    /// Returns the run's name.
    #[must_use]
    pub fn run(&self) -> &str {
        &self.setup.place.run
    }

    /// Runs to the end. `cancel` ends what runs and keeps what is finished.
    ///
    /// # Errors
    /// When the outside fails in a way that no state of a task can express.
    pub async fn run_to_end(
        self,
        cancel: CancellationToken,
        observer: &mut dyn Observer,
    ) -> Result<Executed, ExecutionError> {
        let environment = self.setup.environment.clone();
        let handoff = coordinator::run(self.setup, self.resumed, cancel, observer).await?;
        if let Err(error) = telemetry::send(&self.folder, &environment).await {
            let why = errors::chain(&error);
            tracing::warn!("{why}. The run is not touched by that; its trace is trace.otlp.json");
        }
        Ok(Executed { handoff, folder: self.folder })
    }
}

/// Begins a journal with what passed in the last run of the same lock. Nothing, when that is not what it should be: then the
/// whole plan runs.
async fn keep_passed(
    kept: &KeptByLastRun,
    lock: &Lock,
    (name, store): (&str, &RunStore),
    run_dir: &RunDir,
    seal: Seal,
) -> Result<Option<Resumed>, ExecutionError> {
    let unlocked = || Err(KeptError::NoBeginning);
    let finished = match kept::read(&kept.folder, lock, None, store, unlocked) {
        Ok(finished) => finished,
        Err(error) => {
            let why = errors::chain(&error);
            tracing::warn!("what the last run kept does not count, so the whole plan runs: {why}");
            return Ok(None);
        }
    };
    let task = kept.again.as_deref().and_then(|task| TaskId::new(task).ok());
    let KeptRecords { records: finished, attempts, retried } = run::keep(finished, kept.repeat(task.as_ref()));
    tracing::info!(attempts, again = kept.again.as_deref(), "attempts of the last run stay");
    let begun = Record::Begun { version: JOURNAL_VERSION, run: name.to_owned(), lock: lock.clone() };
    let mut records: Vec<_> = std::iter::once((0, begun)).chain(finished).collect();
    let until = records.iter().map(|(at_ms, _)| *at_ms).max().unwrap_or_default();
    records.push((until, Record::Kept(retried)));
    let journal = Journal::create_sealed(&run_dir.path(RunFile::Journal), seal).map_err(RunError::from)?;
    for (at_ms, record) in &records {
        journal.append(*at_ms, record.clone());
    }
    journal.sync().await.map_err(RunError::from)?;
    Ok(Some(Resumed { journal, records }))
}

/// Finds the agents of all subagents, and checks that they can be called. A program of the repository's own is run as
/// `commit` has it, from a checkout of its own: neither what lies uncommitted nor a patch can put another in its place.
async fn find_agents(
    intake: &Intake,
    command: Option<Vec<String>>,
    store: RunStore,
    commit: &ObjectId,
    (scratch, sandbox): (&Path, &Sandbox),
    supervisor: &Path,
    environment: &BTreeMap<String, String>,
) -> Result<(Agents, Option<Slot>), ExecutionError> {
    let config = &intake.config;
    let isolated = sandbox.level() != Level::None;
    let mut making =
        Making { config, command, own_steps: false, isolated, program_root: scratch, supervisor, environment };
    let mut checkout = None;
    if making.has_relative_program() {
        let pool = SlotPool::new(store, &scratch.join(PROGRAMS))?;
        checkout = Some(pool.acquire(commit, None).await?);
    }
    if let Some(slot) = &checkout {
        making.program_root = slot.path();
    }
    // Escalation may call subagents that the plan does not have: those are made, too, and checked when it comes to that.
    let agents = making.make(intake.roster.iter().map(|subagent| &subagent.name))?;
    let called = intake.schedule.tasks.iter().filter_map(|task| intake.roster.get(&task.subagent));
    let lost = agents.lost_variables(config, called.clone())?;
    lost.iter().for_each(|lost| tracing::warn!("{lost}"));
    agents.check(config, called, (sandbox, scratch)).await?;
    Ok((agents, checkout))
}

#[cfg(test)]
mod tests {
    use implementer_model::ids::Digest;

    use super::*;

    #[tokio::test]
    async fn a_run_that_broke_off_is_gone_on_with_only_where_that_is_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let lock = Lock::new(
            Digest::from_content("plan"),
            ObjectId::new("1".repeat(40)).unwrap(),
            Digest::from_content("roster"),
        );
        let below = Out::Below(folder.path().to_owned());
        let seal = Seal::of_process().unwrap();
        let nothing = run_folder(&below, "r1", &lock, Resume::Required, &seal);
        assert!(matches!(nothing, Err(ExecutionError::RunDir(RunDirError::NothingToResume { .. }))));

        let (run_dir, resumed) = run_folder(&below, "r1", &lock, Resume::WherePossible, &seal).unwrap();
        assert!(resumed.is_none());
        let journal = Journal::create_sealed(&run_dir.path(RunFile::Journal), seal.clone()).unwrap();
        journal.append(0, Record::Begun { version: JOURNAL_VERSION, run: "r1".to_owned(), lock: lock.clone() });
        journal.sync().await.unwrap();
        // It is at work.
        let at_work = run_folder(&below, "r2", &lock, Resume::WherePossible, &seal);
        assert!(matches!(at_work, Err(ExecutionError::RunDir(RunDirError::AtWork { .. }))));
        drop((journal, run_dir));

        let (run_dir, resumed) = run_folder(&below, "r2", &lock, Resume::Never, &seal).unwrap();
        assert!(resumed.is_none() && run_dir.root().ends_with("r2"));
        let (run_dir, resumed) = run_folder(&below, "r3", &lock, Resume::WherePossible, &seal).unwrap();
        assert!(run_dir.root().ends_with("r1"));
        assert_eq!(resumed.unwrap().run(), Some("r1"));
        // What another key sealed is passed over.
        let (run_dir, resumed) =
            run_folder(&below, "r3b", &lock, Resume::WherePossible, &Seal::of_process().unwrap()).unwrap();
        assert!(resumed.is_none() && run_dir.root().ends_with("r3b"));
        let other = Lock::new(
            Digest::from_content("other"),
            ObjectId::new("1".repeat(40)).unwrap(),
            Digest::from_content("roster"),
        );
        let (run_dir, resumed) = run_folder(&below, "r4", &other, Resume::WherePossible, &seal).unwrap();
        assert!(resumed.is_none() && run_dir.root().ends_with("r4"));
    }
}
