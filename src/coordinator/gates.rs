//! Runs the commands of the gates on the integrated tree. What they mean is judged in the model.

use std::{path::Path, time::Duration};

use implementer_model::{
    gate::{AskedBy, CommandReceipt, GateKind, TestCounts, counts},
    ids::{Digest, ObjectId},
    run::{GateJob, GateRun},
    scope::{CompiledScope, Scope},
    text,
};
use tokio::sync::watch;

use super::{context::WorkerContext, error::RunError};
use crate::{
    agent::{self, Ended, Exit, Launch},
    run_dir::RunDirError,
};

/// How long a command of a gate has to end after it was asked to.
const GRACE: Duration = Duration::from_secs(10);

/// The most output that a gate's log holds, in bytes.
const LOG_MAX: u64 = 64 * 1024 * 1024;

/// The largest JUnit file that is read, in bytes.
const JUNIT_MAX: u64 = 64 * 1024 * 1024;

/// The folder of the gates' logs in the run's folder.
pub(super) const LOGS: &str = "gates";

/// Where gates are run: a commit, and the folder of their logs in the run's folder.
#[derive(Debug, Clone)]
pub(super) struct GateTarget {
    commit: ObjectId,
    logs: String,
}

impl GateTarget {
    /// The integrated commit, on which the gates are judged.
    pub(super) fn integrated(commit: &ObjectId) -> Self {
        Self { commit: commit.clone(), logs: LOGS.to_owned() }
    }

    /// An earlier commit, for bisecting.
    pub(super) fn earlier(commit: &ObjectId) -> Self {
        Self { commit: commit.clone(), logs: format!("{LOGS}/bisect-{}", commit.short()) }
    }
}

/// Runs the gates one after another, each in a work tree of its own: tests may use ports and files that two gates at a
/// time would fight over.
pub(super) async fn run(
    context: &WorkerContext,
    jobs: Vec<GateJob>,
    target: GateTarget,
    mut stop: watch::Receiver<bool>,
    started: impl Fn(GateKind),
) -> Result<Vec<GateRun>, RunError> {
    let mut runs = Vec::new();
    for job in jobs {
        started(job.gate);
        let began_ms = context.now_ms();
        let mut commands = Vec::new();
        if !job.commands.is_empty() && !*stop.borrow() {
            let slot = context.pool.acquire(&target.commit, None).await?;
            for (number, (asked_by, argv)) in job.commands.iter().enumerate() {
                if *stop.borrow() {
                    break;
                }
                let place =
                    CommandPlace { context, job: &job, target: &target, number: number + 1, worktree: slot.path() };
                commands.push(place.run(*asked_by, argv, &mut stop).await?);
            }
        }
        runs.push(GateRun { gate: job.gate, began_ms, ended_ms: context.now_ms(), commands });
    }
    Ok(runs)
}

/// Completes when the gates are to be stopped; never when the loop is gone, because then the process ends as a whole.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let gone = stop.wait_for(|stop| *stop).await.is_err();
    if gone {
        std::future::pending::<()>().await;
    }
}

struct CommandPlace<'a> {
    context: &'a WorkerContext,
    job: &'a GateJob,
    target: &'a GateTarget,
    number: usize,
    worktree: &'a Path,
}

impl CommandPlace<'_> {
    async fn run(
        &self,
        asked_by: AskedBy,
        argv: &[String],
        stop: &mut watch::Receiver<bool>,
    ) -> Result<CommandReceipt, RunError> {
        let name = format!("{}-{}", self.job.gate, self.number);
        let log = self.context.run_dir.path(&format!("{}/{name}.log", self.target.logs));
        let scratch = self.context.scratch.join(format!("gate-{name}"));
        if let Some(folder) = log.parent() {
            std::fs::create_dir_all(folder).map_err(|source| RunDirError::Io { path: folder.to_owned(), source })?;
        }
        let environment = agent::gate_environment(&self.context.environment, &self.job.pass_environment, &scratch)?;
        let launch = Launch {
            argv: argv.to_vec(),
            directory: self.worktree.to_owned(),
            secrets: agent::secrets_in(&environment),
            environment,
            input: None,
            log: log.clone(),
            answer: None,
            output_cap: LOG_MAX,
            grace: GRACE,
            supervisor: self.context.supervisor.clone(),
        };
        let before = std::time::SystemTime::now();
        let mut timed_out = false;
        let end = async {
            tokio::select! {
                () = tokio::time::sleep(self.job.time_limit) => timed_out = true,
                () = stopped(stop) => {}
            }
        };
        let ended = agent::run(&launch, end).await;
        let receipt = match ended {
            Ok(ended) => self.receipt(asked_by, argv, &ended, timed_out, &log, before),
            Err(error) => CommandReceipt {
                argv: argv.to_vec(),
                asked_by,
                exit_code: None,
                trouble: Some(error.to_string()),
                duration_ms: 0,
                tests: None,
                output_digest: Digest::of(b""),
                output_tail: String::new(),
            },
        };
        let _ = std::fs::remove_dir_all(&scratch);
        Ok(receipt)
    }

    fn receipt(
        &self,
        asked_by: AskedBy,
        argv: &[String],
        ended: &Ended,
        timed_out: bool,
        log: &Path,
        before: std::time::SystemTime,
    ) -> CommandReceipt {
        let mut trouble = match (ended.stopped, ended.exit) {
            (true, _) if timed_out => Some(format!(
                "it was stopped after its time limit of {}",
                text::count(usize::try_from(self.job.time_limit.as_secs()).unwrap_or(usize::MAX), "second")
            )),
            (true, _) => Some("it was stopped: the run was cancelled".to_owned()),
            (false, Exit::Signal(_)) => Some(format!("it was ended by {}", ended.exit)),
            (false, Exit::Code(_)) => None,
        };
        let tests = match self.junit(before) {
            Ok(Some(counts)) => Some(counts),
            Ok(None) => counts::from_output(&String::from_utf8_lossy(&std::fs::read(log).unwrap_or_default())),
            Err(why) => {
                trouble.get_or_insert(why);
                None
            }
        };
        CommandReceipt {
            argv: argv.to_vec(),
            asked_by,
            exit_code: if ended.stopped { None } else { ended.exit.code() },
            trouble,
            duration_ms: ended.duration_ms,
            tests,
            output_digest: ended.output_digest.clone(),
            output_tail: ended.output_tail.clone(),
        }
    }

    /// Reads the JUnit files that the command wrote. Files that were in the tree already say nothing about this run.
    fn junit(&self, before: std::time::SystemTime) -> Result<Option<TestCounts>, String> {
        if self.job.junit.is_empty() {
            return Ok(None);
        }
        let scope = Scope { allow: self.job.junit.clone(), deny: Vec::new() };
        let wanted = CompiledScope::new(&scope).map_err(|error| error.to_string())?;
        let mut found: Option<TestCounts> = None;
        let mut folders = vec![self.worktree.to_owned()];
        while let Some(folder) = folders.pop() {
            let entries = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
            for entry in entries.flatten() {
                let (path, Ok(kind)) = (entry.path(), entry.file_type()) else { continue };
                if kind.is_dir() && entry.file_name() != ".git" {
                    folders.push(path);
                    continue;
                }
                let Some(relative) = path.strip_prefix(self.worktree).ok().and_then(Path::to_str) else { continue };
                let written = |metadata: &std::fs::Metadata| metadata.modified().is_ok_and(|at| at >= before);
                let Ok(metadata) = entry.metadata() else { continue };
                if !kind.is_file() || !wanted.allows(relative) || !written(&metadata) {
                    continue;
                }
                if metadata.len() > JUNIT_MAX {
                    return Err(format!("the JUnit file {relative} is larger than {JUNIT_MAX} bytes"));
                }
                let xml = std::fs::read_to_string(&path).map_err(|error| format!("{relative}: {error}"))?;
                let counts = counts::from_junit(&xml).map_err(|error| format!("{relative}: {error}"))?;
                found = Some(found.map_or(counts, |sum| sum.plus(counts)));
            }
        }
        Ok(found)
    }
}
