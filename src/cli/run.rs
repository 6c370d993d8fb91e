//! `run`: coordinates everything.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use implementer_model::{
    gate::Place,
    handoff::{Handoff, Status},
    plan::PLAN_MAX_BYTES,
    summary,
};
use tokio::{runtime::Runtime, sync::watch};

use super::{exit, exit::Failure, show};
use crate::{
    agent::{self, Agent, CommandAgent},
    coordinator::{self, Setup, progress::Observer},
    intake::{self, ConfigSource, Intake, PlanText},
    run_dir::RunDir,
    workspace::{
        slots::{Slot, SlotPool},
        store::RunStore,
    },
};

/// Where a plan is looked for unless `--plan` names one.
const DEFAULT_PLAN: &str = ".backend-implementer/plan.md";

/// What is run on what: shared by `plan` and `run`.
#[derive(Debug, Args)]
pub(super) struct Subject {
    /// The plan; `-` reads it from standard input [default: .backend-implementer/plan.md in the repository]
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// The repository, or any folder inside it
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: PathBuf,
    /// The commit to start from
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    base: String,
    /// A configuration file in place of the one that the base commit has
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The most subagents that run at one time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
}

/// Coordinates everything.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    subject: Subject,
    /// The lock that was approved; the run is refused when plan, base or roster give another
    #[arg(long, value_name = "DIGEST")]
    lock: Option<String>,
    /// The kind of agent that does the work, in place of the configuration's
    #[arg(long, value_name = "NAME")]
    agent: Option<AgentName>,
    /// The time limit of every task, such as `90s` or `20m`, in place of the configuration's
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    time_limit: Option<Duration>,
    /// The folder for everything that the run writes [default: .backend-implementer/runs/RUN in the repository]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// What to print at the end
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum AgentName {
    /// Any executable that keeps to the documented contract
    Command,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    /// The Implementation Summary
    #[default]
    Human,
    /// The hand-off
    Json,
}

/// A run, asked for by `run` or by `demo`.
pub(super) struct Request<'a> {
    pub(super) subject: &'a Subject,
    pub(super) lock: Option<&'a str>,
    /// The command of the agent, in place of the configuration's.
    pub(super) command: Option<Vec<String>>,
    pub(super) time_limit: Option<Duration>,
    pub(super) out: Option<&'a Path>,
}

/// A run that came to its end.
pub(super) struct Ended {
    pub(super) handoff: Handoff,
    pub(super) folder: PathBuf,
}

impl Subject {
    /// Makes the subject that `demo` runs on.
    pub(super) fn at(repo: &Path) -> Self {
        Self { plan: None, repo: repo.to_owned(), base: "HEAD".to_owned(), config: None, jobs: None }
    }

    /// Reads everything that a run needs to know.
    pub(super) fn intake(&self, store: &RunStore, root: &Path, lock: Option<&str>) -> Result<Intake, Failure> {
        let plan = self.read_plan(root)?;
        let config = match &self.config {
            None => ConfigSource::Base,
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("cannot read the configuration {}", path.display()))
                    .map_err(Failure::input)?;
                ConfigSource::Text { name: path.display().to_string(), text }
            }
        };
        Ok(intake::take(store, &self.base, &plan, &config, self.jobs.map(usize::from), lock)?)
    }

    /// Returns the top folder of the repository's work tree.
    pub(super) fn root(&self) -> Result<PathBuf, Failure> {
        Ok(crate::workspace::new_repository::root_of(&self.repo)?)
    }

    fn read_plan(&self, root: &Path) -> Result<PlanText, Failure> {
        // One byte more than is allowed, so that the reader can say that it is too long.
        let limit = PLAN_MAX_BYTES as u64 + 1;
        let mut bytes = Vec::new();
        let name = match &self.plan {
            Some(path) if path.as_os_str() == "-" => {
                std::io::stdin()
                    .take(limit)
                    .read_to_end(&mut bytes)
                    .context("cannot read the plan from standard input")
                    .map_err(Failure::input)?;
                "standard input".to_owned()
            }
            named => {
                let (path, name) = match named {
                    Some(path) => (path.clone(), path.display().to_string()),
                    None => (root.join(DEFAULT_PLAN), DEFAULT_PLAN.to_owned()),
                };
                std::fs::File::open(&path)
                    .and_then(|file| file.take(limit).read_to_end(&mut bytes))
                    .with_context(|| {
                        format!("cannot read the plan {name}; name another with --plan, or write one (docs/plan.md)")
                    })
                    .map_err(Failure::input)?;
                name
            }
        };
        Ok(PlanText { name, bytes })
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let command = match arguments.agent {
        // The one kind there is; the configuration says which program it is.
        None | Some(AgentName::Command) => None,
    };
    let request = Request {
        subject: &arguments.subject,
        lock: arguments.lock.as_deref(),
        command,
        time_limit: arguments.time_limit,
        out: arguments.out.as_deref(),
    };
    let ended = execute(&request, &mut show::Live::new())?;
    match arguments.format {
        Format::Human => show::out(&summary::render(&ended.handoff)),
        Format::Json => show::json(&ended.handoff)?,
    }
    show::note(&format!("\nEverything is in {}", ended.folder.display()));
    Ok(code(&ended.handoff))
}

/// Returns the exit code that a run ends with.
pub(super) fn code(handoff: &Handoff) -> u8 {
    match handoff.status {
        Status::Complete => exit::COMPLETE,
        Status::Incomplete => exit::INCOMPLETE,
        Status::Cancelled => exit::CANCELLED,
    }
}

/// Runs a request to its end.
pub(super) fn execute(request: &Request<'_>, observer: &mut dyn Observer) -> Result<Ended, Failure> {
    // What is started here runs as the same user: it must not read our environment, which may hold a token.
    agent::hide_from_other_processes().context("cannot protect this process's memory").map_err(Failure::outside)?;
    let root = request.subject.root()?;
    // Everything is checked before anything is left behind: the store is in the scratch folder until then.
    let scratch = scratch()?;
    let probe = RunStore::create(&root, &scratch.path().join("probe.git"))?;
    let mut intake = request.subject.intake(&probe, &root, request.lock)?;
    if let Some(limit) = request.time_limit {
        // A limit of less than a second would stop every task before it can begin.
        intake.schedule.tasks.iter_mut().for_each(|task| task.time_limit_s = limit.as_secs().max(1));
    }
    for warning in &intake.warnings {
        show::note(&format!("{warning}\n"));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")
        .map_err(Failure::outside)?;
    let supervisor = std::env::current_exe().context("cannot find our own executable").map_err(Failure::outside)?;
    let environment = agent::own_environment();
    let overrides = intake.config.subagents.iter();
    let mut agent = CommandAgent {
        command: request.command.clone().unwrap_or_else(|| intake.config.agent.command.clone()),
        overrides: overrides.filter_map(|(name, config)| Some((name.clone(), config.command.clone()?))).collect(),
        program_root: root.clone(),
        supervisor: supervisor.clone(),
        environment: environment.clone(),
    };
    // Held until the run is over: the programs are in it.
    let _base_checkout = find_programs(&mut agent, probe, &intake, scratch.path(), &runtime)?;

    let started = SystemTime::now();
    let run = run_id(started, intake.lock.digest.short());
    let run_dir = match request.out {
        Some(out) => RunDir::create(out)?,
        None => RunDir::create_default(&root, &run)?,
    };
    let store = RunStore::create(&root, &run_dir.path("store.git"))?;
    let folder = run_dir.root().to_owned();
    let setup = Setup {
        intake,
        store,
        run_dir,
        scratch: scratch.path().to_owned(),
        agent: Arc::new(agent),
        environment,
        supervisor,
        place: Place { run, workflow: None, platform: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH) },
    };
    let handoff = runtime.block_on(async {
        let (cancel, cancelled) = watch::channel(false);
        let signals = tokio::spawn(listen(cancel));
        let handoff = coordinator::run(setup, cancelled, observer).await;
        signals.abort();
        handoff
    })?;
    Ok(Ended { handoff, folder })
}

/// Checks that the program of every subagent can be run. A program of the repository's own is run as the base commit has
/// it, from a checkout of its own: neither what lies uncommitted nor a patch can put another in its place.
fn find_programs(
    agent: &mut CommandAgent,
    store: RunStore,
    intake: &Intake,
    scratch: &Path,
    runtime: &Runtime,
) -> Result<Option<Slot>, Failure> {
    let mut base_checkout = None;
    if agent.has_relative_program() {
        let pool = SlotPool::new(store, &scratch.join("programs"))?;
        let slot = runtime.block_on(pool.acquire(&intake.base.commit, None))?;
        agent.program_root = slot.path().to_owned();
        base_checkout = Some(slot);
    }
    for task in &intake.schedule.tasks {
        agent.check(&task.subagent)?;
    }
    Ok(base_checkout)
}

/// Makes the folder for work trees and temporary files. It lies outside the repository: build tools look for their
/// workspace in the folders above, and must not find the user's checkout there.
fn scratch() -> Result<tempfile::TempDir, Failure> {
    let parent = std::env::var_os("RUNNER_TEMP").map_or_else(std::env::temp_dir, PathBuf::from);
    tempfile::Builder::new()
        .prefix("backend-implementer-")
        .tempdir_in(&parent)
        .with_context(|| {
            format!("cannot make a folder for work trees in {}; set TMPDIR to a writable folder", parent.display())
        })
        .map_err(Failure::outside)
}

/// Names a run: when it began, and what it was approved for.
fn run_id(started: SystemTime, lock: &str) -> String {
    let time = humantime::format_rfc3339_millis(started).to_string();
    let time: String = time.chars().filter(char::is_ascii_digit).collect();
    format!("{time}-{lock}")
}

/// The first SIGINT or SIGTERM cancels the run, the second ends the process at once.
async fn listen(cancel: watch::Sender<bool>) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    let mut next = async || {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    next().await;
    cancel.send_replace(true);
    next().await;
    std::process::exit(i32::from(exit::CANCELLED));
}
