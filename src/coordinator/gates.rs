//! Runs the commands of the gates on the integrated tree. What they mean is judged in the model.

use std::{
    mem,
    path::{Path, PathBuf},
    time::Duration,
};

use implementer_model::{
    evidence::{
        ask::Asked,
        following::StateRun,
        gathered::GateEvidence,
        recorded::{self, Recorded},
        results::{Results, TestResult},
    },
    findings::Finding,
    gate::{self, AskedBy, CommandReceipt, GateKind},
    ids::{Digest, ObjectId},
    run::{EvidencePlan, GateJob, GateRun},
    text,
};
use tokio_util::sync::CancellationToken;

use super::{
    context::WorkerContext,
    error::RunError,
    evidence,
    gate_ask::{ResultFolders, with_asked},
    gate_results::{self, Left},
    gate_tree::GateTree,
    gate_watch::{RewrittenTests, TestsWatch},
    room,
    workplace::Workplace,
};
use crate::{
    agent::{self, Ended, Exit, Launch},
    layout::{self, RunFile},
    run_dir::RunDirError,
    sandbox, untrusted,
};

/// How long a command of a gate has to end after it was asked to.
const GRACE: Duration = Duration::from_secs(10);

/// The most failed tests that a receipt names.
const FAILING_MAX: usize = 20;

/// The most output that a gate's log holds, in bytes.
const LOG_MAX: u64 = 64 * 1024 * 1024;

/// Where gates are run: a commit, and the folder of their logs in the run's folder.
#[derive(Debug, Clone)]
pub(super) struct GateTarget {
    commit: ObjectId,
    logs: PathBuf,
    is_base: bool,
}

impl GateTarget {
    /// The integrated commit, on which the gates are judged.
    fn integrated(commit: &ObjectId) -> Self {
        Self { commit: commit.clone(), logs: RunFile::Gates.name().into(), is_base: false }
    }

    /// An earlier commit, for bisecting.
    pub(super) fn earlier(commit: &ObjectId) -> Self {
        Self { commit: commit.clone(), logs: layout::bisect_logs(commit.short()), is_base: false }
    }

    /// The base, to see what was there before.
    pub(super) fn base(commit: &ObjectId) -> Self {
        Self { commit: commit.clone(), logs: layout::base_logs(), is_base: true }
    }

    /// A tree that is made to see what the tests notice.
    pub(super) fn experiment(commit: &ObjectId) -> Self {
        Self { commit: commit.clone(), logs: layout::experiment_logs(commit.short()), is_base: false }
    }
}

/// What the commands of a gate came to in one place.
#[derive(Debug, Default)]
pub(super) struct RanGate {
    pub(super) commands: Vec<CommandReceipt>,
    /// The results test by test of all commands that left some.
    pub(super) results: Option<Results>,
    /// The tests that failed: from results, else by the names that were printed.
    pub(super) failing: Vec<TestResult>,
    /// What went wrong in a recorder of ours.
    pub(super) recorder: Option<String>,
    /// What the commands changed of the tests.
    rewritten: RewrittenTests,
    /// What somebody should look at of that.
    put_back: Vec<Finding>,
}

/// Runs the gates one after another, each in a work tree of its own: tests may use ports and files that two gates at a
/// time would fight over. Of the tests it finds out what their own run cannot tell.
pub(super) async fn run(
    context: &WorkerContext,
    jobs: Vec<GateJob>,
    plan: &EvidencePlan,
    stop: CancellationToken,
    started: impl Fn(GateKind),
) -> Result<Vec<GateRun>, RunError> {
    let mut runs = Vec::new();
    for job in jobs {
        started(job.gate);
        let began_ms = context.now_ms();
        let mut ran = run_all(context, &job, GateTarget::integrated(&plan.head.commit), &stop).await?;
        let ended_ms = context.now_ms();
        if job.gate == GateKind::Tests && !ran.rewritten.is_empty() && !stop.is_cancelled() {
            // What the base changes of its tests itself is known from its own run.
            evidence::base(context, &job, &plan.base, &stop).await?;
        }
        ran.charge(context, &job);
        let mut evidence = if job.gate == GateKind::Tests {
            evidence::gather(context, &job, plan, &ran, &stop).await?
        } else {
            GateEvidence::default()
        };
        evidence.findings.extend(mem::take(&mut ran.put_back));
        let isolation = (!ran.commands.is_empty()).then(|| context.processes.sandbox.level());
        // Names of tests come from what an attempt wrote.
        let evidence = context.processes.secrets.taken_out_of(evidence);
        runs.push(GateRun { gate: job.gate, began_ms, ended_ms, commands: ran.commands, evidence, isolation });
    }
    Ok(runs)
}

/// Runs the commands of one gate, in one work tree.
pub(super) async fn run_one(
    context: &WorkerContext,
    job: &GateJob,
    target: GateTarget,
    stop: &CancellationToken,
) -> Result<RanGate, RunError> {
    let is_base = target.is_base;
    let mut ran = run_all(context, job, target, stop).await?;
    if !is_base {
        ran.charge(context, job);
    }
    Ok(ran)
}

/// Runs the commands, and notes what they change of the tests.
async fn run_all(
    context: &WorkerContext,
    job: &GateJob,
    target: GateTarget,
    stop: &CancellationToken,
) -> Result<RanGate, RunError> {
    let mut ran = RanGate::default();
    if job.commands.is_empty() || stop.is_cancelled() {
        return Ok(ran);
    }
    let slot = context.gate_pool.acquire(&target.commit, None).await?;
    let scratch = context.processes.scratch.join(format!("gate-{}-setup-{}", job.gate, slot.number()));
    let workplace = Workplace::of_gate(
        (&context.processes.sandbox, &context.processes.secrets),
        slot.number(),
        slot.path(),
        &scratch,
    )
    .map_err(|source| RunDirError::Io { path: slot.path().to_owned(), source })?;
    context.make_ready(&target.commit, slot.path(), &scratch, &workplace).await?;
    let mut watch = TestsWatch::begin(&slot, job)?;
    for (number, (asked_by, argv)) in job.commands.iter().enumerate() {
        if stop.is_cancelled() {
            break;
        }
        let place = CommandPlace {
            context,
            job,
            target: &target,
            number: number + 1,
            slot: slot.number(),
            worktree: slot.path(),
        };
        let (receipt, recorded) = place.run(*asked_by, argv, stop).await?;
        ran.take_in(receipt, recorded);
        ran.rewritten.push(watch.after_command()?);
    }
    Ok(ran)
}

impl RanGate {
    /// Returns what a followed failure is looked for in.
    pub(super) fn in_state(&self) -> StateRun<'_> {
        StateRun {
            succeeded: self.succeeded(),
            failing: &self.failing,
            results: self.results.as_ref(),
            output: self.commands.last().map_or("", |command| &command.output_tail),
        }
    }

    /// Holds against the commands what they changed of the tests.
    fn charge(&mut self, context: &WorkerContext, job: &GateJob) {
        let of_base = context.base_tests.get().filter(|_| job.gate == GateKind::Tests).map(|base| &base.rewritten);
        self.put_back = self.rewritten.charge(&mut self.commands, of_base);
    }

    /// Takes in one more command. What an earlier one ran as well counts once.
    fn take_in(&mut self, mut receipt: CommandReceipt, recorded: Option<Recorded>) {
        let recorded = recorded.unwrap_or_default();
        if let (Some(earlier), Some(now)) = (&self.results, &recorded.results) {
            let repeated = now.repeated_of(earlier);
            receipt.repeated = (!repeated.tests.is_empty()).then(|| repeated.counts());
        }
        self.commands.push(receipt);
        if let Some(results) = recorded.results {
            self.results.get_or_insert_default().add(results);
        }
        self.failing.extend(recorded.failing);
        self.recorder = self.recorder.take().or(recorded.recorder);
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

/// What a command came to.
struct RanCommand {
    receipt: CommandReceipt,
    /// What it left, where it ran.
    recorded: Option<Recorded>,
    /// What it was asked for and does not know.
    refused: Option<String>,
}

impl CommandPlace<'_> {
    /// Runs a command, asked for its results. A runner that does not know how it is asked runs once more as it is.
    async fn run(
        &self,
        asked_by: AskedBy,
        argv: &[String],
        stop: &CancellationToken,
    ) -> Result<(CommandReceipt, Option<Recorded>), RunError> {
        let RanCommand { receipt, recorded, refused } = self.run_once(asked_by, argv, true, stop).await?;
        let Some(option) = refused.filter(|_| !stop.is_cancelled()) else { return Ok((receipt, recorded)) };
        let mut plain = self.run_once(asked_by, argv, false, stop).await?;
        if let Some(recorded) = &mut plain.recorded {
            recorded.recorder.get_or_insert(format!("the runner does not know `{option}`"));
        }
        Ok((plain.receipt, plain.recorded))
    }

    async fn run_once(
        &self,
        asked_by: AskedBy,
        argv: &[String],
        for_results: bool,
        stop: &CancellationToken,
    ) -> Result<RanCommand, RunError> {
        let name = format!("{}-{}", self.job.gate, self.number);
        let log = self.context.run_dir.path(self.target.logs.join(format!("{name}.log")));
        let scratch = self.context.processes.scratch.join(format!("gate-{}-{name}", self.slot));
        if let Some(folder) = log.parent() {
            std::fs::create_dir_all(folder).map_err(|source| RunDirError::Io { path: folder.to_owned(), source })?;
        }
        let environment =
            agent::gate_environment(&self.context.processes.environment, &self.job.pass_environment, &scratch)?;
        let folders =
            ResultFolders::make(&scratch).map_err(|source| RunDirError::Io { path: scratch.clone(), source })?;
        let asked = if for_results { folders.ask(argv, self.worktree, self.job.gate) } else { Asked::plain(argv) };
        let environment = with_asked(environment, asked.environment.clone());
        let supervisor = &self.context.processes.supervisor;
        let launch = Launch {
            output_cap: LOG_MAX,
            grace: GRACE,
            ..Launch::new(asked.argv.clone(), self.worktree, environment, &log, supervisor)
        };
        let since = std::time::SystemTime::now();
        let mut timed_out = false;
        let end = async {
            tokio::select! {
                () = tokio::time::sleep(self.job.time_limit) => timed_out = true,
                () = stop.cancelled() => {}
            }
        };
        let workplace = Workplace::of_gate(
            (&self.context.processes.sandbox, &self.context.processes.secrets),
            self.slot,
            self.worktree,
            &scratch,
        )
        .map_err(|source| RunDirError::Io { path: self.worktree.to_owned(), source })?;
        let own = sandbox::place_of_program(&launch.argv) + 1;
        let ended = workplace.run(launch, own, end).await;
        let ran = match ended {
            Ok(ended) => {
                let succeeded = !ended.stopped && ended.exit.code() == Some(0);
                if !succeeded {
                    room::check(&[self.worktree, &scratch, self.context.run_dir.root()])?;
                }
                let recorded = gate_results::read(Left {
                    worktree: self.worktree.to_owned(),
                    results: folders.results,
                    junit: self.job.junit.clone(),
                    runner: asked.runner.clone(),
                    since,
                    log,
                    succeeded,
                })
                .await;
                let refused = (!succeeded && recorded.results.is_none())
                    .then(|| asked.refused_in(argv, &ended.output_tail))
                    .flatten();
                let receipt = self.receipt(asked_by, argv, &ended, timed_out, &recorded);
                RanCommand { receipt, recorded: Some(recorded), refused }
            }
            Err(error) => {
                let receipt = CommandReceipt {
                    argv: argv.to_vec(),
                    asked_by,
                    exit_code: None,
                    trouble: Some(error.to_string()),
                    duration_ms: 0,
                    tests: None,
                    repeated: None,
                    failing: Vec::new(),
                    missing_own: None,
                    log: None,
                    output_digest: Digest::from_content(b""),
                    output_tail: String::new(),
                };
                RanCommand { receipt, recorded: None, refused: None }
            }
        };
        let _ = untrusted::remove(&scratch);
        Ok(RanCommand { receipt: self.context.processes.secrets.taken_out_of(ran.receipt), ..ran })
    }

    fn receipt(
        &self,
        asked_by: AskedBy,
        argv: &[String],
        ended: &Ended,
        timed_out: bool,
        recorded: &Recorded,
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
        trouble = trouble.or_else(|| recorded.trouble.clone());
        let failing = recorded.failing.iter().take(FAILING_MAX).cloned().collect();
        let failed = !ended.stopped && ended.exit.code() != Some(0);
        let output = recorded::readable(&ended.output_tail);
        let missing_own =
            failed.then(|| gate::missing_of_repository(argv, &output, &GateTree::new(self.worktree))).flatten();
        CommandReceipt {
            argv: argv.to_vec(),
            asked_by,
            exit_code: if ended.stopped { None } else { ended.exit.code() },
            trouble,
            duration_ms: ended.duration_ms,
            tests: recorded.counts,
            repeated: None,
            failing,
            missing_own,
            log: Some(self.target.logs.join(format!("{}-{}.log", self.job.gate, self.number)).display().to_string()),
            output_digest: ended.output_digest.clone(),
            // The folder is gone when people read this; the paths in it are the repository's.
            output_tail: output.replace(&format!("{}/", self.worktree.display()), ""),
        }
    }
}
