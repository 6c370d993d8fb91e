//! Runs the commands of the gates on the integrated tree. What they mean is judged in the model.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use implementer_model::{
    gate::{self, AskedBy, CommandReceipt, GateKind, TestCounts},
    ids::{Digest, ObjectId},
    text,
};
use tokio::sync::watch;

use super::{
    error::RunError,
    gate_counts::{self, CountError, Counting},
    quarters::Quarters,
    worker::Shop,
};
use crate::{
    agent::{self, Ended, Exit, Launch},
    intake::Intake,
    layout::{self, RunFile},
    run_dir::RunDirError,
    workspace::integrate::Head,
};

/// How long a command of a gate has to end after it was asked to.
const GRACE: Duration = Duration::from_secs(10);

/// The most output that a gate's log holds, in bytes.
const LOG_MAX: u64 = 64 * 1024 * 1024;

/// What one gate has to run.
#[derive(Debug, Clone)]
pub(super) struct GateJob {
    pub(super) gate: GateKind,
    commit: ObjectId,
    commands: Vec<(AskedBy, Vec<String>)>,
    junit: Vec<String>,
    time_limit: Duration,
    pass_environment: Vec<String>,
    /// The folder of the logs, in the run's folder.
    logs: PathBuf,
}

impl GateJob {
    /// Returns the programs and arguments that it runs, in order.
    pub(super) fn argvs(&self) -> impl Iterator<Item = &Vec<String>> {
        self.commands.iter().map(|(_, argv)| argv)
    }

    /// Returns the same job on another commit, for bisecting.
    pub(super) fn at(&self, commit: &ObjectId) -> Self {
        Self { commit: commit.clone(), logs: layout::bisect_logs(commit.short()), ..self.clone() }
    }
}

/// What the commands of one gate came to.
#[derive(Debug)]
pub(super) struct GateRun {
    pub(super) gate: GateKind,
    pub(super) began_ms: u64,
    pub(super) ended_ms: u64,
    pub(super) commands: Vec<CommandReceipt>,
}

/// What all gates came to, in order.
pub(super) type GateRuns = Vec<GateRun>;

/// Collects what each gate has to run.
pub(super) fn jobs(intake: &Intake, head: &Head) -> Vec<GateJob> {
    let Intake { plan, config, .. } = intake;
    let job = |gate| GateJob {
        gate,
        commit: head.commit.clone(),
        commands: gate::commands(plan, config, gate),
        junit: config.gates.get(&gate).map(|gate| gate.junit.clone()).unwrap_or_default(),
        time_limit: config.gate_time_limit(gate),
        pass_environment: config.pass_environment.clone(),
        logs: RunFile::Gates.name().into(),
    };
    GateKind::ALL.into_iter().map(job).collect()
}

/// Makes the job of one command of a gate, to be run on other commits than the last.
pub(super) fn bisect_job(intake: &Intake, gate: GateKind, command: (AskedBy, Vec<String>)) -> GateJob {
    GateJob {
        gate,
        commit: intake.base.commit.clone(),
        commands: vec![command],
        junit: Vec::new(),
        time_limit: intake.config.gate_time_limit(gate),
        pass_environment: intake.config.pass_environment.clone(),
        logs: RunFile::Gates.name().into(),
    }
}

/// Runs the gates one after another, each in a work tree of its own: tests may use ports and files that two gates at a
/// time would fight over.
pub(super) async fn run(
    shop: &Shop,
    jobs: Vec<GateJob>,
    mut stop: watch::Receiver<bool>,
    started: impl Fn(GateKind),
) -> Result<GateRuns, RunError> {
    let mut runs = Vec::new();
    for job in jobs {
        started(job.gate);
        let began_ms = shop.now_ms();
        let mut commands = Vec::new();
        if !job.commands.is_empty() && !*stop.borrow() {
            let slot = shop.gate_pool.acquire(&job.commit, None).await?;
            let scratch = shop.scratch.join(format!("gate-{}-setup", job.gate));
            let quarters = Quarters::of_gate(&shop.sandbox, slot.number(), slot.path(), &scratch)
                .map_err(|source| RunDirError::Io { path: slot.path().to_owned(), source })?;
            shop.make_ready(&job.commit, slot.path(), &scratch, &quarters).await?;
            for (number, (asked_by, argv)) in job.commands.iter().enumerate() {
                if *stop.borrow() {
                    break;
                }
                let place =
                    CommandPlace { shop, job: &job, number: number + 1, slot: slot.number(), worktree: slot.path() };
                commands.push(place.run(*asked_by, argv, &mut stop).await?);
            }
        }
        runs.push(GateRun { gate: job.gate, began_ms, ended_ms: shop.now_ms(), commands });
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
    shop: &'a Shop,
    job: &'a GateJob,
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
        let log = self.shop.run_dir.path(self.job.logs.join(format!("{name}.log")));
        let scratch = self.shop.scratch.join(format!("gate-{name}"));
        if let Some(folder) = log.parent() {
            std::fs::create_dir_all(folder).map_err(|source| RunDirError::Io { path: folder.to_owned(), source })?;
        }
        let environment = agent::gate_environment(&self.shop.environment, &self.job.pass_environment, &scratch)?;
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
            supervisor: self.shop.supervisor.clone(),
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
        let quarters = Quarters::of_gate(&self.shop.sandbox, self.slot, self.worktree, &scratch)
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
