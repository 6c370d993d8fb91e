//! `action`: what the container runs. Reads the runner's environment, does what the event asks for, and reports where
//! people look.

use std::{cell::OnceCell, time::Duration};

use anyhow::Context as _;
use clap::Args;
use implementer_model::{
    config::AgentKind,
    conversation::{
        event,
        intent::{self, ActionCommand, ActionInputs, Approval, Intent},
        replies,
    },
    diagnostics::{Diagnostic, Severity},
    summary, text,
};
use serde_json::json;
use tokio::runtime::Runtime;

use super::{
    exit,
    exit::Failure,
    fan_out::{Assignment, DISPATCHED, JobCommand},
    run, show,
};
use crate::layout::RunFile;
use crate::{
    actions::{self, Level, Runner, RunnerError, WorkflowLog, annotation},
    agent,
    conversation::{self, Came, ConversationError, Desk, Previewed, RunOptions, SettingOptions},
    dispatched,
    execution::{self, Out, Resume},
    github::{Github, Pace, Reaction, Settings},
    intake::ConfigSource,
};

/// The state that says that the main step has begun; whoever finds it is the step after it.
const BEGAN: &str = "began";

/// The state that names the pull request and the commit that the main step has claimed.
const CLAIMED: &str = "claimed";

/// The state that says that everything was concluded.
const CONCLUDED: &str = "concluded";

/// The most annotations of one level that a step may make ("Workflow commands", docs.github.com: 10 warnings and 10
/// errors a step).
pub(super) const ANNOTATIONS_MAX: usize = 10;

/// Works as a step of GitHub Actions. Everything comes from the runner's environment.
#[derive(Debug, Args)]
pub(super) struct Arguments {}

pub(super) fn run(_: &Arguments) -> Result<u8, Failure> {
    let runner = Runner::new(agent::own_environment())?;
    // What is started here runs as the same user: it must not read our environment, which holds a token.
    agent::hide_from_other_processes().context("cannot protect this process's memory").map_err(Failure::outside)?;
    if runner.state(BEGAN).is_some() {
        return run::runtime()?.block_on(clean_up(&runner));
    }
    runner.save_state(BEGAN, "true")?;
    let assignment = Assignment::of(&runner)?;
    let step = Step { runner, log: WorkflowLog::begin(), runtime: run::runtime()?, agent: OnceCell::new(), assignment };
    // The client of GitHub starts a task of its own as soon as it is made.
    let inside = step.runtime.enter();
    let result = step.act();
    drop(inside);
    match result {
        Ok(code) => Ok(code),
        Err(failure) => {
            step.annotate(&failure);
            Err(failure)
        }
    }
}

/// One step of a workflow.
pub(super) struct Step {
    pub(super) runner: Runner,
    pub(super) log: WorkflowLog,
    pub(super) runtime: Runtime,
    /// The kind of agent that was asked for.
    agent: OnceCell<AgentKind>,
    /// What the step was told in one, as a workflow that does the work of a job elsewhere.
    pub(super) assignment: Option<Assignment>,
}

impl Step {
    fn act(&self) -> Result<u8, Failure> {
        if let Some(job) = self.runner.input("command").and_then(JobCommand::of) {
            return self.job(job);
        }
        let name = self.runner.event_name()?;
        let event = event::read(name, &self.runner.event()?).map_err(Failure::input)?;
        if let Some(agent) = self.agent_kind(event.filled_in("agent"))? {
            // Set once: a step acts once.
            let _ = self.agent.set(agent);
        }
        match intent::intent(&event, &self.inputs()?) {
            Intent::Nothing { because } => {
                self.log.line(&format!("Nothing to do: {because}"));
                self.runner.set_output("status", "nothing")?;
                Ok(exit::COMPLETE)
            }
            Intent::Refused { because, hint, answer } => {
                self.runner.set_output("status", "refused")?;
                if let Some((number, comment, author)) = answer {
                    let desk = desk(&self.runner, number)?;
                    self.runtime.block_on(async {
                        let _ = desk.github.react(comment, Reaction::Confused).await;
                        let reply = replies::refusal(&author.login, &because, &hint);
                        desk.github.post_comment(number, &reply).await
                    })?;
                }
                Err(Failure::input(anyhow::anyhow!("{because}; {hint}")))
            }
            Intent::Preview { number } => self.preview(number),
            Intent::Run { number, approval } if self.fans_out()? => self.begin(number, &approval, None),
            Intent::Retry { number, task, approval } if self.fans_out()? => {
                self.log.line(&format!("The plan runs again, for the sake of task {task}"));
                self.begin(number, &approval, Some(&task))
            }
            Intent::Run { number, approval } => self.run(number, &approval, None),
            Intent::Retry { number, task, approval } => {
                // Nothing of an earlier job is here any more, so that its other tasks run again, too.
                self.log.line(&format!("The plan runs again, for the sake of task {task}"));
                self.run(number, &approval, Some(task))
            }
            Intent::Cancel { number, approval } => {
                let desk = desk(&self.runner, number)?;
                let options = self.setting_options()?;
                let scratch = execution::scratch()?;
                let said = self.runtime.block_on(conversation::cancel(&desk, &approval, &options, scratch.path()))?;
                self.log.line(&said);
                self.runner.set_output("status", "nothing")?;
                self.tell_usage(&desk);
                Ok(exit::COMPLETE)
            }
        }
    }

    /// Tells whether a run is begun as a fan-out, and not done here.
    fn fans_out(&self) -> Result<bool, RunnerError> {
        match self.runner.input("fan-out") {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(value) => {
                Err(RunnerError::Input { name: "fan-out", value: value.to_owned(), wanted: "give true or false" })
            }
        }
    }

    /// Notes what is claimed for the step after this one: without it only the next run cleans up, if this one is killed.
    pub(super) fn remember_claim(&self, number: u64, commit: &str) {
        if let Err(error) = self.runner.save_state(CLAIMED, &format!("{number} {commit}")) {
            tracing::warn!(%error, "what is claimed could not be saved for the step after this one");
        }
    }

    /// Notes that nothing is left to clean up after this step.
    pub(super) fn remember_conclusion(&self) -> Result<(), RunnerError> {
        self.runner.save_state(CONCLUDED, "true")
    }

    /// Returns the kind of agent that was asked for, by the action's input or by whoever started the workflow by hand.
    fn agent_kind(&self, filled_in: Option<&str>) -> Result<Option<AgentKind>, RunnerError> {
        let Some(name) = self.runner.input("agent").or(filled_in) else { return Ok(None) };
        let wanted = "there is no such agent; `backend-implementer run --help` lists those that there are";
        let kind = AgentKind::of(name, &agent::kinds());
        kind.map(Some).ok_or_else(|| RunnerError::Input { name: "agent", value: name.to_owned(), wanted })
    }

    fn inputs(&self) -> Result<ActionInputs, RunnerError> {
        let command = self.runner.input("command").filter(|command| *command != "auto");
        let wanted = "leave it out, or give plan, run, retry or cancel (or a job of a fan-out: prepare, collect, settle, summarize)";
        let command = command
            .map(|value| {
                ActionCommand::of(value).ok_or(RunnerError::Input { name: "command", value: value.to_owned(), wanted })
            })
            .transpose()?;
        let own = |name| self.runner.input(name).map(str::to_owned);
        let pull_request = self.runner.number("pr")?;
        Ok(ActionInputs { command, pull_request, lock: own("lock"), task: own("task") })
    }

    pub(super) fn setting_options(&self) -> Result<SettingOptions, Failure> {
        let workspace = self.runner.workspace()?;
        let config = match self.runner.input("config") {
            None => ConfigSource::Base,
            Some(path) => {
                let path = workspace.join(path);
                let text = std::fs::read_to_string(&path)
                    .with_context(|| {
                        format!(
                            "cannot read the configuration {}; the input `config` names a file of the workspace, which \
                             is empty without actions/checkout",
                            path.display()
                        )
                    })
                    .map_err(Failure::input)?;
                ConfigSource::Text { name: path.display().to_string(), text }
            }
        };
        let jobs = self.runner.number("jobs")?;
        if jobs.is_some_and(|jobs| !(1..=256).contains(&jobs)) {
            let value = jobs.map(|jobs| jobs.to_string()).unwrap_or_default();
            return Err(RunnerError::Input { name: "jobs", value, wanted: "give 1 to 256" }.into());
        }
        let concurrency = jobs.and_then(|jobs| usize::try_from(jobs).ok());
        let plan = self.runner.input("plan").map(str::to_owned);
        Ok(SettingOptions { plan, config, agent: self.agent.get().cloned(), concurrency })
    }

    pub(super) fn time_limit(&self) -> Result<Option<Duration>, RunnerError> {
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

    fn preview(&self, number: u64) -> Result<u8, Failure> {
        let desk = desk(&self.runner, number)?;
        let options = self.setting_options()?;
        let scratch = execution::scratch()?;
        let shown = self.runtime.block_on(conversation::preview(&desk, &options, scratch.path()))?;
        self.runner.append_summary(&shown.page)?;
        self.annotate_problems(&shown);
        self.degraded(&shown.degraded)?;
        self.tell_usage(&desk);
        if let Some(comment) = shown.comment {
            self.runner.set_output("comment-id", &comment.to_string())?;
        }
        self.runner.set_output("status", "preview")?;
        match shown.ready {
            Some((lock, schedule)) => {
                self.log.line(&format!("Lock {}", lock.digest));
                self.runner.set_output("lock", lock.digest.as_str())?;
                let waves: Vec<_> = schedule.waves.iter().map(|wave| json!({ "tasks": wave.tasks })).collect();
                self.runner.set_output("waves", &json!(waves).to_string())?;
                Ok(exit::COMPLETE)
            }
            // A pull request without a plan is nothing wrong; one with a wrong plan is.
            None if shown.problems.is_empty() => Ok(exit::COMPLETE),
            None => Ok(exit::BAD_INPUT),
        }
    }

    fn run(&self, number: u64, approval: &Approval, retry: Option<String>) -> Result<u8, Failure> {
        let desk = desk(&self.runner, number)?;
        let workspace = self.runner.workspace()?;
        let out = match self.runner.input("out") {
            Some(out) => Out::Folder(workspace.join(out)),
            None => Out::Below(workspace.clone()),
        };
        let options = RunOptions {
            setting: self.setting_options()?,
            retry,
            time_limit: self.time_limit()?,
            out,
            // The workspace may hold what code of an earlier job has written there.
            resume: Resume::Never,
            workflow: self.runner.workflow().map(str::to_owned),
        };
        let scratch = execution::scratch()?;
        let mut live = show::Live::new();
        let claimed = |commit: &str| self.remember_claim(number, commit);
        let came = self.runtime.block_on(run::with_signals(async |cancelled| {
            conversation::run(&desk, approval, options, scratch.path(), cancelled, &mut live, claimed).await
        }));
        self.remember_conclusion()?;
        self.tell_usage(&desk);
        match came {
            Ok(came) => self.came(&came, &workspace),
            Err(ConversationError::OtherLabel(name)) => {
                self.log.line(&format!("Nothing to do: the label {name} runs nothing"));
                self.runner.set_output("status", "nothing")?;
                Ok(exit::COMPLETE)
            }
            Err(error) => {
                self.runner.set_output("status", "refused")?;
                Err(error.into())
            }
        }
    }

    pub(super) fn came(&self, came: &Came, workspace: &std::path::Path) -> Result<u8, Failure> {
        let handoff = &came.executed.handoff;
        self.runner.append_summary(&summary::render(handoff))?;
        // Later steps run as the workspace's owner, and on the host: paths of this container mean nothing to them.
        if let Err(error) = actions::give_to_owner_of(workspace, &came.executed.folder) {
            tracing::warn!(%error, "the run's files could not be given to the owner of the workspace");
        }
        let folder = came.executed.folder.strip_prefix(workspace).unwrap_or(&came.executed.folder);
        let path = |file: RunFile| folder.join(file).display().to_string();
        self.runner.set_output("status", handoff.status.name())?;
        self.runner.set_output("lock", handoff.lock.digest.as_str())?;
        self.runner.set_output("run-path", &folder.display().to_string())?;
        self.runner.set_output("summary-path", &path(RunFile::Summary))?;
        self.runner.set_output("handoff-path", &path(RunFile::Handoff))?;
        if let Some(comment) = came.comment {
            self.runner.set_output("comment-id", &comment.to_string())?;
        }
        self.degraded(&came.degraded)?;
        for missing in handoff.missing.iter().take(ANNOTATIONS_MAX) {
            self.log.command(&annotation(Level::Error, None, "Incomplete", missing));
        }
        self.log.line(&format!("The implementation is {}", handoff.status.name()));
        Ok(run::code(handoff))
    }

    /// Says in the log, and where the step's summary is read, what could not be reported elsewhere.
    fn degraded(&self, notes: &[String]) -> Result<(), RunnerError> {
        for note in notes {
            self.log.command(&annotation(Level::Warning, None, "Not reported everywhere", note));
            self.runner.append_summary(&format!("\n> Not reported everywhere: {}\n", text::markdown(note)))?;
        }
        Ok(())
    }

    pub(super) fn tell_usage(&self, desk: &Desk) {
        self.log.line(&format!("This run made {}", desk.github.usage()));
    }

    fn annotate_problems(&self, shown: &Previewed) {
        let of = |level: Severity| shown.problems.iter().filter(move |problem| problem.severity == level);
        let shown_ones = of(Severity::Error).take(ANNOTATIONS_MAX).chain(of(Severity::Warning).take(ANNOTATIONS_MAX));
        for problem in shown_ones {
            self.log.command(&annotation_of(problem, shown.plan_path.as_deref()));
        }
        for problem in &shown.problems {
            self.log.line(&problem.to_string());
        }
    }

    fn annotate(&self, failure: &Failure) {
        for problem in failure.diagnostics().iter().take(ANNOTATIONS_MAX) {
            self.log.command(&annotation_of(problem, None));
        }
        self.log.command(&annotation(Level::Error, None, "Backend Implementer", &failure.to_string()));
    }
}

/// Makes the annotation of a problem; on its line, when it is in a file of the repository.
fn annotation_of(problem: &Diagnostic, plan_path: Option<&str>) -> String {
    let level = match problem.severity {
        Severity::Error => Level::Error,
        Severity::Warning => Level::Warning,
        Severity::Note => Level::Notice,
    };
    let hint = problem.hint.as_ref().map(|hint| format!("\n{hint}")).unwrap_or_default();
    let in_file = plan_path == Some(problem.file.as_str());
    let line = problem.position.map_or(1, |position| position.line as usize);
    let place = in_file.then_some((problem.file.as_str(), line));
    let message = if in_file {
        format!("{}{hint}", problem.message)
    } else {
        format!("{}:{line}: {}{hint}", problem.file, problem.message)
    };
    annotation(level, place, &problem.code, &message)
}

/// Concludes what a main step that was killed left open.
async fn clean_up(runner: &Runner) -> Result<u8, Failure> {
    if runner.state(CONCLUDED).is_some() {
        show::note("The run concluded everything itself.");
        return Ok(exit::COMPLETE);
    }
    if let Some(started) = runner.state(DISPATCHED) {
        let (github, run) = Step::dispatched_run(runner, started)?;
        dispatched::end(&github, run).await;
        show::note(&format!("The step ended without a word; run {run}, which it was waiting for, was told to end."));
        return Ok(exit::COMPLETE);
    }
    let Some((number, commit)) = runner.state(CLAIMED).and_then(|claimed| claimed.split_once(' ')) else {
        show::note("Nothing was begun, so there is nothing to clean up.");
        return Ok(exit::COMPLETE);
    };
    let number = number.parse().context("the saved state names no pull request").map_err(Failure::outside)?;
    let mended = conversation::clean_up(&desk(runner, number)?, commit).await?;
    show::note(&format!("The run ended without a word; concluded for it: {}", text::count(mended, "report")));
    Ok(exit::COMPLETE)
}

/// Sits down at a pull request, as the runner says.
pub(super) fn desk(runner: &Runner, number: u64) -> Result<Desk, Failure> {
    desk_at(runner, number, runner.repository()?)
}

/// Sits down at a pull request of the repository `OWNER/REPO`.
pub(super) fn desk_at(runner: &Runner, number: u64, repository: &str) -> Result<Desk, Failure> {
    let token = runner
        .token()
        .context("there is no token; give the action's input `token`, whose default is the workflow's own")
        .map_err(Failure::input)?;
    let github = Github::new(Settings {
        api_url: runner.api_url().to_owned(),
        graphql_url: runner.graphql_url().to_owned(),
        token: token.into(),
        repository: repository.parse().map_err(Failure::input)?,
        pace: Pace::default(),
    })?;
    let server_url = runner.server_url().to_owned();
    Ok(Desk { github, number, run_key: runner.run_key()?, run_url: Some(runner.run_url()?), server_url })
}
