//! A step of GitHub Actions: what the container does. It reads the runner's environment, does what the event or the
//! input `command` asks for, and reports where people look.
//!
//! A step has a [`RepositoryContext`]; those that work on a pull request have a [`PullRequestContext`]. What is said on
//! the pull request is in [`conversation`].

mod annotations;
mod assignment;
mod begin;
mod clean_up;
mod collect;
mod context;
pub mod conversation;
mod dispatch;
pub mod dispatched_run;
mod error;
mod event;
pub mod gather;
mod job;
mod one_job;
mod prepare;
mod pull_request;
mod summarize;
mod unsettled;
mod wave_results;

use std::{cell::OnceCell, time::Duration};

use implementer_model::{
    config::{AgentKind, CONFIG_MAX_BYTES},
    github_ids::PullRequestNumber,
    handoff::Status,
    ids::ObjectId,
};
use tokio::runtime::Runtime;

use self::{assignment::Assignment, conversation::PlanOptions, job::JobCommand};
pub use self::{
    context::{PullRequestContext, RepositoryContext},
    error::StepError,
};
use crate::{
    actions::{Runner, RunnerError, WorkflowLog},
    agent,
    coordinator::progress::Observer,
    github::{Github, Settings},
    http::Pace,
    intake::ConfigSource,
    runtime,
};

/// The state that says that the main step has begun; whoever finds it is the step after it.
const BEGAN: &str = "began";

/// The state that names the pull request and the commit that the main step has claimed.
const CLAIMED: &str = "claimed";

/// The state that says that everything was concluded.
const CONCLUDED: &str = "concluded";

/// The most annotations of one level that a step may make ("Workflow commands", docs.github.com: 10 warnings and 10
/// errors a step).
const ANNOTATIONS_MAX: usize = 10;

/// How a step ended that did what it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepEnd {
    /// What was asked for is done; a run is complete.
    Done,
    /// The implementation is not complete.
    Incomplete,
    /// The plan is wrong, and the preview says how.
    BadInput,
    /// It was cancelled.
    Cancelled,
}

impl From<Status> for StepEnd {
    fn from(status: Status) -> Self {
        match status {
            Status::Complete => Self::Done,
            Status::Incomplete => Self::Incomplete,
            Status::Cancelled => Self::Cancelled,
        }
    }
}

/// One step of a workflow.
struct Step<'a> {
    runner: Runner,
    log: WorkflowLog,
    runtime: Runtime,
    /// The kind of agent that was asked for.
    agent: OnceCell<AgentKind>,
    /// What the step was told in one, as a workflow that does the work of a job elsewhere.
    assignment: Option<Assignment>,
    /// Shows a run in the log while it goes on.
    observer: std::cell::RefCell<&'a mut dyn Observer>,
}

/// Works as a step of GitHub Actions. Everything comes from the runner's environment. `observer` shows a run in the log
/// while it goes on; `note` writes a line to the log of the step that comes after a step that was killed.
///
/// # Errors
/// When the step cannot do what it is asked for. It is annotated.
pub fn act(observer: &mut dyn Observer, note: impl Fn(&str)) -> Result<StepEnd, StepError> {
    let runner = Runner::new(agent::own_environment())?;
    // What is started here runs as the same user: it must not read our environment, which holds a token.
    agent::hide_from_other_processes()
        .map_err(|source| StepError::Process { doing: "protect this process's memory", source })?;
    let runtime = runtime::start().map_err(|source| StepError::Process { doing: "start the runtime", source })?;
    if runner.state(BEGAN).is_some() {
        return runtime.block_on(clean_up::clean_up(&runner, note));
    }
    runner.save_state(BEGAN, "true")?;
    let assignment = Assignment::from_input(&runner)?;
    let observer = std::cell::RefCell::new(observer);
    let step = Step { runner, log: WorkflowLog::begin(), runtime, agent: OnceCell::new(), assignment, observer };
    // The client of GitHub starts a task of its own as soon as it is made.
    let inside = step.runtime.enter();
    let result = step.act();
    drop(inside);
    result.inspect_err(|error| step.annotate(error))
}

impl Step<'_> {
    fn act(&self) -> Result<StepEnd, StepError> {
        match self.runner.input("command").and_then(JobCommand::parse) {
            Some(job) => self.job(job),
            None => self.act_on_event(),
        }
    }

    /// Returns the repository of the workflow.
    fn repository(&self) -> Result<RepositoryContext, StepError> {
        repository_context(&self.runner, self.runner.repository()?)
    }

    /// Returns a pull request of the workflow's repository.
    fn pull_request(&self, number: PullRequestNumber) -> Result<PullRequestContext, StepError> {
        Ok(PullRequestContext { repository: self.repository()?, number })
    }

    /// Notes what is claimed for the step after this one: without it only the next run cleans up, if this one is killed.
    fn remember_claim(&self, number: PullRequestNumber, commit: &ObjectId) {
        if let Err(error) = self.runner.save_state(CLAIMED, &format!("{number} {commit}")) {
            tracing::warn!(%error, "what is claimed could not be saved for the step after this one");
        }
    }

    /// Notes that nothing is left to clean up after this step.
    fn remember_conclusion(&self) -> Result<(), RunnerError> {
        self.runner.save_state(CONCLUDED, "true")
    }

    fn plan_options(&self) -> Result<PlanOptions, StepError> {
        let workspace = self.runner.workspace()?;
        let config = match self.runner.input("config") {
            None => ConfigSource::Base,
            Some(path) => {
                let path = workspace.join(path);
                let text = crate::untrusted::read_named_text(&path, CONFIG_MAX_BYTES)
                    .map_err(|source| StepError::Config { path: path.clone(), source })?;
                ConfigSource::Text { name: path.display().to_string(), text }
            }
        };
        let jobs = self.runner.number("jobs")?;
        if let Some(jobs) = jobs.filter(|jobs| !(1..=256).contains(jobs)) {
            let value = jobs.to_string();
            return Err(RunnerError::Input { name: "jobs", value, wanted: "give 1 to 256" }.into());
        }
        let concurrency = jobs.and_then(|jobs| usize::try_from(jobs).ok());
        let plan = self.runner.input("plan").map(str::to_owned);
        Ok(PlanOptions { plan, config, agent: self.agent.get().cloned(), concurrency })
    }

    fn time_limit(&self) -> Result<Option<Duration>, RunnerError> {
        self.runner
            .input("time-limit")
            .map(|value| {
                let wanted = "give a duration such as `90s` or `20m`";
                humantime::parse_duration(value).map_err(|_| RunnerError::Input {
                    name: "time-limit",
                    value: value.to_owned(),
                    wanted,
                })
            })
            .transpose()
    }

    /// Says how many requests were made.
    fn tell_usage(&self, github: &Github) {
        self.log.line(&format!("This run made {}", github.usage()));
    }
}

/// Looks at the repository `OWNER/REPO`, as the runner says.
fn repository_context(runner: &Runner, repository: &str) -> Result<RepositoryContext, StepError> {
    let token = runner.token().ok_or(StepError::NoToken)?;
    let github = Github::new(Settings {
        api_url: runner.api_url().to_owned(),
        graphql_url: runner.graphql_url().to_owned(),
        token: token.into(),
        repository: repository.parse()?,
        pace: Pace::default(),
    })?;
    let server_url = runner.server_url().to_owned();
    Ok(RepositoryContext { github, run_key: runner.run_key()?, run_url: Some(runner.run_url()?), server_url })
}
