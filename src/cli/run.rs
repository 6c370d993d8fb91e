//! `run`: coordinates everything.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use implementer_model::{
    command,
    config::{AgentKind, CONFIG_MAX_BYTES},
    handoff::{Handoff, Status},
    plan::{Dialect, PLAN_MAX_BYTES},
    wording::page,
};
use tokio::runtime::Runtime;

use super::{
    event_lines, exit,
    exit::Failure,
    live::Live,
    pull_request::{self, PullRequestName},
    retry, run_folder,
    show::{self, Format},
};
use crate::{
    agent,
    coordinator::progress::Observer,
    execution::{self, Executed, Out, Resume, RunRequest},
    intake::{self, ConfigSource, Intake, PlanText, Sources, plan_files},
    runtime::{self, with_signals},
    step::conversation::PlanOptions,
    uncommitted, untrusted,
    workspace::store::RunStore,
};

/// Where a plan is looked for unless `--plan` names one.
const DEFAULT_PLAN: &str = ".backend-implementer/plan.md";

/// What is run on what: shared by `plan` and `run`.
#[derive(Debug, Args)]
pub(super) struct Subject {
    /// The plan, a file or a folder; `-` reads it from standard input [default: .backend-implementer/plan.md in the repository]
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// The dialect of the plan, in place of what its shape says
    #[arg(long, value_name = "NAME", value_parser = dialect())]
    dialect: Option<Dialect>,
    /// The repository, or any folder inside it
    #[arg(long, value_name = "DIR", default_value = ".", conflicts_with = "pr")]
    repo: PathBuf,
    /// The commit to start from
    #[arg(long, value_name = "REV", default_value = "HEAD", conflicts_with = "pr")]
    base: String,
    /// A pull request in place of a repository: plan and commits come from GitHub, and `--plan` is a path in its head
    /// commit. Needs GITHUB_TOKEN or GH_TOKEN
    #[arg(long, value_name = "OWNER/REPO#N")]
    pub(super) pr: Option<PullRequestName>,
    /// A configuration file to use instead of the one in the base commit
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The kind of agent that does the work, instead of the configuration's
    #[arg(long, value_name = "NAME", value_parser = agent_kind())]
    agent: Option<AgentKind>,
    /// The most subagents that run at one time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
}

/// Reads the name of a kind of agent, and offers those that there are.
fn agent_kind() -> impl TypedValueParser<Value = AgentKind> {
    let kinds = agent::kinds();
    PossibleValuesParser::new(kinds.clone()).try_map(move |name| AgentKind::parse(&name, &kinds).ok_or("no such agent"))
}

/// Reads the name of a dialect, and offers those that there are.
pub(super) fn dialect() -> impl TypedValueParser<Value = Dialect> {
    let of = |name: String| Dialect::ALL.into_iter().find(|dialect| dialect.name() == name).ok_or("no such dialect");
    PossibleValuesParser::new(Dialect::ALL.map(Dialect::name)).try_map(of)
}

/// Coordinates everything.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    subject: Subject,
    /// The lock that was approved; the run is refused when plan, base or roster give another
    #[arg(long, value_name = "DIGEST")]
    lock: Option<String>,
    /// The time limit of every task, such as `90s` or `20m`, instead of the configuration's
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    time_limit: Option<Duration>,
    /// Go on although the tests are red on the base, because making them green is the work
    #[arg(long)]
    allow_red_base: bool,
    /// The folder for everything that the run writes [default: .backend-implementer/runs/RUN in the repository]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Resume the interrupted run of the same lock, and fail when there is none. Without this, an interrupted run is
    /// resumed where there is one
    #[arg(long)]
    resume: bool,
    /// Repeat what did not pass in the last run of the same lock, and call again whoever is to blame for what is open there;
    /// what else passed stays. TASK is repeated in any case
    #[arg(long, value_name = "TASK", num_args = 0..=1, default_missing_value = "", conflicts_with_all = ["resume", "pr"])]
    retry: Option<String>,
    /// What to print [default: human]
    #[arg(long, value_enum)]
    format: Option<Format>,
}

/// A run, asked for by `run` or by `demo`.
pub(super) struct Request<'a> {
    pub(super) subject: &'a Subject,
    pub(super) lock: Option<&'a str>,
    /// The command of the agent, instead of the configuration's.
    pub(super) command: Option<Vec<String>>,
    pub(super) time_limit: Option<Duration>,
    pub(super) allow_red_base: bool,
    pub(super) out: Option<&'a Path>,
    pub(super) resume: Resume,
    /// The task of the last run that is repeated, or nothing for what did not pass.
    pub(super) retry: Option<&'a str>,
}

impl Subject {
    /// Makes the subject that `demo` runs on.
    pub(super) fn at(repo: &Path) -> Self {
        let (base, repo) = ("HEAD".to_owned(), repo.to_owned());
        Self { plan: None, dialect: None, repo, base, pr: None, config: None, agent: None, jobs: None }
    }

    /// Makes the subject that `doctor` looks at.
    pub(super) fn of_plan(repo: &Path, plan: Option<&Path>) -> Self {
        Self { plan: plan.map(Path::to_owned), ..Self::at(repo) }
    }

    /// Reads the plan that is named, or the usual one where it is there.
    pub(super) fn plan_that_is_there(&self, root: &Path) -> Result<Option<PlanText>, Failure> {
        let is_there = self.plan.is_some() || root.join(DEFAULT_PLAN).exists();
        is_there.then(|| self.read_plan(root)).transpose()
    }

    /// Reads everything that a run needs to know.
    pub(super) fn intake(&self, store: &RunStore, root: &Path, lock: Option<&str>) -> Result<Intake, Failure> {
        let plan = self.read_plan(root)?;
        let config = self.read_config()?;
        let sources = Sources {
            base: &self.base,
            rules: None,
            plan: &plan,
            config: &config,
            agent: self.agent.as_ref(),
            concurrency: self.jobs.map(usize::from),
            lock,
        };
        let mut intake = intake::take(store, &sources)?;
        let plan = self.plan_in_repository(root);
        intake.warnings.extend(uncommitted::find(root, store, &intake.rules, plan.as_deref())?);
        Ok(intake)
    }

    /// Returns the path of the plan in the repository, when it is a file there.
    fn plan_in_repository(&self, root: &Path) -> Option<String> {
        let Some(path) = &self.plan else { return Some(DEFAULT_PLAN.to_owned()) };
        let path = std::fs::canonicalize(path).ok()?;
        let inside = path.strip_prefix(std::fs::canonicalize(root).ok()?).ok()?;
        inside.to_str().filter(|inside| !inside.is_empty()).map(str::to_owned)
    }

    /// Returns what to look for on a pull request.
    pub(super) fn plan_options(&self) -> Result<PlanOptions, Failure> {
        let plan = self.plan.as_deref().map(|path| {
            let path = path.to_str().filter(|path| *path != "-");
            path.map(str::to_owned).context("with `--pr`, `--plan` is a path in the pull request's head commit")
        });
        Ok(PlanOptions {
            plan: plan.transpose().map_err(Failure::input)?,
            config: self.read_config()?,
            agent: self.agent.clone(),
            concurrency: self.jobs.map(usize::from),
        })
    }

    pub(super) fn read_config(&self) -> Result<ConfigSource, Failure> {
        let Some(path) = &self.config else { return Ok(ConfigSource::Base) };
        let text = untrusted::read_named_text(path, CONFIG_MAX_BYTES)
            .with_context(|| format!("cannot read the configuration {}", path.display()))
            .map_err(Failure::input)?;
        Ok(ConfigSource::Text { name: path.display().to_string(), text })
    }

    /// Returns the top folder of the repository's work tree.
    pub(super) fn root(&self) -> Result<PathBuf, Failure> {
        Ok(crate::workspace::new_repository::root_of(&self.repo)?)
    }

    pub(super) fn read_plan(&self, root: &Path) -> Result<PlanText, Failure> {
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
                bytes = plan_files::read(&path, &name)
                    .with_context(|| {
                        format!(
                            "cannot read the plan {name}; name another with --plan, or write one, see {}",
                            page("plan.md")
                        )
                    })
                    .map_err(Failure::input)?;
                name
            }
        };
        Ok(PlanText { name, bytes, first_line: 1, dialect: self.dialect })
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let request = Request {
        subject: &arguments.subject,
        lock: arguments.lock.as_deref(),
        command: None,
        time_limit: arguments.time_limit,
        allow_red_base: arguments.allow_red_base,
        out: arguments.out.as_deref(),
        resume: match (arguments.resume, &arguments.retry) {
            (true, _) => Resume::Required,
            (false, Some(_)) => Resume::Never,
            (false, None) => Resume::WherePossible,
        },
        retry: arguments.retry.as_deref(),
    };
    let mut live: Box<dyn Observer> = match arguments.format {
        Some(Format::JsonLines) => Box::new(event_lines::EventLines),
        _ => Box::new(Live::new()),
    };
    let ended = match &request.subject.pr {
        Some(name) => pull_request::execute(name, &request, &mut *live),
        None => execute(&request, &mut *live),
    };
    // What is drawn goes away before anything else is printed.
    drop(live);
    let ended = ended?;
    // Apart from what was told while it went on.
    show::note("");
    show::ended(arguments.format, &ended.handoff, &ended.folder, Some(&resume_command()))?;
    Ok(code(&ended.handoff))
}

/// Returns the command line that resumes this run: the same one.
fn resume_command() -> String {
    let mut arguments: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    if let Some(program) = arguments.first_mut() {
        "backend-implementer".clone_into(program);
    }
    if !arguments.iter().any(|word| word == "--resume") {
        arguments.push("--resume".to_owned());
    }
    command::join(&arguments)
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
pub(super) fn execute(request: &Request<'_>, observer: &mut dyn Observer) -> Result<Executed, Failure> {
    let root = request.subject.root()?;
    let scratch = execution::scratch()?;
    let probe = RunStore::create(&root, &scratch.path().join("probe.git"))?;
    let intake = request.subject.intake(&probe, &root, request.lock)?;
    for warning in &intake.warnings {
        show::note(&format!("{warning}\n"));
    }
    let kept = match request.retry {
        Some(again) => {
            Some(retry::last_run(&root, &intake, Some(again).filter(|again| !again.is_empty()), scratch.path())?)
        }
        None => None,
    };
    let complete = match (&kept, request.resume) {
        (None, Resume::WherePossible) => run_folder::complete_run_of(&root, &intake.lock),
        _ => None,
    };
    let request = RunRequest {
        kept,
        programs: intake.base.commit.clone(),
        intake,
        probe,
        command: request.command.clone(),
        time_limit: request.time_limit,
        allow_red_base: request.allow_red_base,
        out: request.out.map_or_else(|| Out::Below(root.clone()), |out| Out::Folder(out.to_owned())),
        resume: request.resume,
        workflow: None,
        revision: Some(request.subject.base.clone()),
        repository: root,
    };
    runtime()?.block_on(async {
        let prepared = execution::prepare(request, scratch.path()).await?;
        if prepared.is_resumed() {
            let folder = prepared.folder().display();
            show::note(&format!("Resuming the interrupted run in {folder}. Remove the folder to start again."));
        } else if let Some(name) = complete {
            show::note(&format!(
                "The run {name} did the same plan on the same commit and is complete: `backend-implementer apply {name}` takes \
                 its result. This run does all of it again."
            ));
        }
        Ok(with_signals(async |cancelled| prepared.run_to_end(cancelled, observer).await).await?)
    })
}

/// Starts the runtime on which everything waits.
///
/// # Errors
/// When the system gives no threads.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    runtime::start().context("cannot start the runtime").map_err(Failure::outside)
}
