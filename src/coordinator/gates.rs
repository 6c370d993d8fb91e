//! Runs the commands of the gates on the integrated tree. What they mean is judged in the model.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use implementer_model::{
    gate::{AskedBy, CommandReceipt, GateKind, TestCounts},
    ids::{Digest, ObjectId},
    run::{GateJob, GateRun},
    text,
};
use tokio::sync::watch;

use super::{
    context::WorkerContext,
    error::RunError,
    gate_counts::{self, CountError, Counting},
    quarters::Quarters,
};
use crate::{
    agent::{self, Ended, Exit, Launch},
    layout::{self, RunFile},
    run_dir::RunDirError,
};

/// How long a command of a gate has to end after it was asked to.
const GRACE: Duration = Duration::from_secs(10);

/// The most output that a gate's log holds, in bytes.
const LOG_MAX: u64 = 64 * 1024 * 1024;

/// Where gates are run: a commit, and the folder of their logs in the run's folder.
#[derive(Debug, Clone)]
pub(super) struct GateTarget {
    commit: ObjectId,
    logs: PathBuf,
}

impl GateTarget {
    /// The integrated commit, on which the gates are judged.
    pub(super) fn integrated(commit: &ObjectId) -> Self {
        Self { commit: commit.clone(), logs: RunFile::Gates.name().into() }
    }

    /// An earlier commit, for bisecting.
    pub(super) fn earlier(commit: &ObjectId) -> Self {
        Self { commit: commit.clone(), logs: layout::bisect_logs(commit.short()) }
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
            let slot = context.gate_pool.acquire(&target.commit, None).await?;
            for (number, (asked_by, argv)) in job.commands.iter().enumerate() {
                if *stop.borrow() {
                    break;
                }
                let place = CommandPlace {
                    context,
                    job: &job,
                    target: &target,
                    number: number + 1,
                    slot: slot.number(),
                    worktree: slot.path(),
                };
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
    slot: usize,
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
        let log = self.context.run_dir.path(self.target.logs.join(format!("{name}.log")));
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
            cell: None,
        };
        let since = std::time::SystemTime::now();
        let mut timed_out = false;
        let end = async {
            tokio::select! {
                () = tokio::time::sleep(self.job.time_limit) => timed_out = true,
                () = stopped(stop) => {}
            }
        };
        let quarters = Quarters::of_gate(&self.context.sandbox, self.slot, self.worktree, &scratch)
            .map_err(|source| RunDirError::Io { path: self.worktree.to_owned(), source })?;
        let ended = quarters.run(launch, 1, end).await;
        let receipt = match ended {
            Ok(ended) => {
                let (worktree, junit) = (self.worktree.to_owned(), self.job.junit.clone());
                let counted = gate_counts::count(Counting { worktree, junit, since, log }).await;
                self.receipt(asked_by, argv, &ended, timed_out, counted)
            }
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
        counted: Result<Option<TestCounts>, CountError>,
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
        let tests = counted.unwrap_or_else(|error| {
            trouble.get_or_insert(error.to_string());
            None
        });
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
}
