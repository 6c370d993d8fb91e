//! One attempt at a task, from an empty work tree to a judged patch. Workers only send what happened; the loop owns the
//! state.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use implementer_model::{
    budget::{Dollars, Exhausted},
    findings::{Finding, FindingCode, Weight},
    handoff::AttemptRecord,
    ids::{Digest, ObjectId, TaskId},
    patch::{Change, FileMode},
    report::REPORT_MAX_BYTES,
    roster::Subagent,
    schedule::{Outcome, StopReason, Task},
    scope::{self, CheckedPatch, TreePaths},
    verdict::{self, Attempt, Ending},
};
use tokio::sync::watch;

use super::error::RunError;
use crate::{
    agent::{self, Agent, AgentError, Agents, Conclusion, Ended, Exit, Job, LaunchError},
    journal::Record,
    run_dir::{RunDir, RunDirError},
    workspace::{WorkspaceError, capture::Captured, patch_text, slots::SlotPool, store::RunStore},
};

/// What all workers of a run share.
pub(super) struct Shop {
    pub(super) store: RunStore,
    pub(super) pool: SlotPool,
    pub(super) run_dir: RunDir,
    /// Where subagents and gates have their HOME and TMPDIR; outside the repository, gone after the run.
    pub(super) scratch: PathBuf,
    pub(super) agents: Agents,
    /// Our own environment, from which variables are passed on to gates by name.
    pub(super) environment: BTreeMap<String, String>,
    /// Our own executable, which supervises what we start.
    pub(super) supervisor: PathBuf,
    pub(super) began: Instant,
    /// How long earlier processes of this run were at work, in milliseconds.
    pub(super) before_ms: u64,
    /// The paths of the tree that a patch was held against last: all patches of a wave have the same base.
    pub(super) tree_paths: Mutex<Option<(ObjectId, Arc<TreePaths>)>>,
}

impl Shop {
    /// Returns the paths of a tree, from the last call where it was for the same tree.
    pub(super) fn paths_of(&self, tree: &ObjectId) -> Result<Arc<TreePaths>, RunError> {
        let mut last = self.tree_paths.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, paths)) = &*last
            && known == tree
        {
            return Ok(Arc::clone(paths));
        }
        let paths = Arc::new(self.store.tree_paths(tree)?);
        *last = Some((tree.clone(), Arc::clone(&paths)));
        Ok(paths)
    }

    /// Returns the milliseconds since the run began.
    pub(super) fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(self.before_ms)
    }
}

/// What a worker is to do.
#[derive(Debug)]
pub struct Order {
    /// The task.
    pub task: Task,
    /// Who does it.
    pub subagent: Subagent,
    /// What does its work.
    pub agent: Arc<dyn Agent>,
    /// The attempt's number, from 1.
    pub attempt: u32,
    /// Why there is another attempt; empty for the first.
    pub because: String,
    /// The commit that the work tree stands at.
    pub base: ObjectId,
    /// The commit that the whole implementation started from.
    pub implementation_base: ObjectId,
    /// What the subagent is told.
    pub brief: String,
    /// Whether a patch of an earlier attempt is integrated.
    pub integrated: bool,
    /// Names of the variables that the subagent is given.
    pub pass_environment: Vec<String>,
    /// The most turns that it may take.
    pub turns: Option<u64>,
    /// The most dollars that it may cost: set aside for it.
    pub budget: Option<Dollars>,
    /// The tree whose agent files hold: that of the commit with the rules.
    pub rules: ObjectId,
}

/// What a worker tells the loop.
#[derive(Debug)]
pub(super) enum WorkerEvent {
    /// The work tree is there and the subagent's process is being started: its time runs from here.
    Started { task: TaskId, attempt: u32, base: ObjectId, brief: Digest },
    /// The attempt ended and was judged.
    Ended(Box<AttemptEnd>),
    /// Something that is not the subagent's fault failed: the run cannot go on.
    Broken(RunError),
}

/// What came out of an attempt.
#[derive(Debug)]
pub(super) struct AttemptEnd {
    pub(super) task: TaskId,
    pub(super) record: AttemptRecord,
    pub(super) reason: String,
    pub(super) findings: Vec<Finding>,
    /// The patch, when the attempt passed: proof that its scope was checked comes with it.
    pub(super) accepted: Option<CheckedPatch>,
    /// Whether it failed for a reason that may be gone soon.
    pub(super) transient: bool,
}

impl AttemptEnd {
    /// Returns what the journal has of the attempt.
    pub(super) fn to_record(&self) -> Record {
        Record::Ended {
            task: self.task.clone(),
            attempt: Box::new(self.record.clone()),
            reason: self.reason.clone(),
            findings: self.findings.clone(),
            transient: self.transient,
        }
    }
}

/// Works an order off and tells the loop about it.
pub(super) async fn work(
    shop: Arc<Shop>,
    order: Order,
    stop: watch::Receiver<Option<StopReason>>,
    tell: impl Fn(WorkerEvent),
) {
    tell(match attempt(&shop, order, stop, &tell).await {
        Ok(end) => WorkerEvent::Ended(Box::new(end)),
        Err(error) => WorkerEvent::Broken(error),
    });
}

async fn attempt(
    shop: &Shop,
    order: Order,
    mut stop: watch::Receiver<Option<StopReason>>,
    tell: &impl Fn(WorkerEvent),
) -> Result<AttemptEnd, RunError> {
    let slot = tokio::select! {
        slot = shop.pool.acquire(&order.base, Some(&order.task.id)) => slot?,
        () = stopped(&mut stop) => return Ok(no_process(order, shop.now_ms(), Outcome::NotRun, NEVER_BEGAN)),
    };
    let placed = slot.place_agent_files(&order.rules, order.agent.uses_project_settings()).await?;
    let folder = shop.run_dir.begin_attempt(&order.task.id, order.attempt)?;
    let scratch = shop.scratch.join(format!("{}-{}", order.task.id, order.attempt));
    let files = Files::make(&order, slot.path(), &folder, &scratch)?;
    let job = files.job(&order);
    shop.run_dir.write(&folder.join("brief.md"), order.brief.as_bytes())?;
    let brief_digest = Digest::of(&order.brief);

    tell(WorkerEvent::Started {
        task: order.task.id.clone(),
        attempt: order.attempt,
        base: order.base.clone(),
        brief: brief_digest.clone(),
    });
    let started_ms = shop.now_ms();
    let ended = match order.agent.prepare(&job) {
        Ok(launch) => agent::run(&launch, stopped(&mut stop)).await.map_err(NotStarted::Launch),
        Err(error) => Err(NotStarted::Agent(error)),
    };
    let conclusion = match &ended {
        Ok(ended) => Some(concluded(order.agent.as_ref(), &job, ended, stopped(&mut stop)).await),
        Err(_) => None,
    };
    let captured = match slot.take_back_agent_files(placed).await {
        Ok(()) if ended.as_ref().is_ok_and(|ended| ended.survivors == 0) => slot.capture_last().await,
        // What could not be ended may go on writing: then the next one looks at everything again.
        Ok(()) => {
            let captured = slot.capture().await;
            drop(slot);
            captured
        }
        Err(error) => {
            drop(slot);
            Err(error)
        }
    };
    let captured = captured.and_then(|captured| without_secrets(shop, &order, captured));
    let ended_ms = shop.now_ms();
    let cancelled = *stop.borrow() == Some(StopReason::Cancelled);
    let paths = |tree: &ObjectId| shop.paths_of(tree);
    let left = Left { ended, conclusion, captured, cancelled, started_ms, ended_ms };
    let end = tokio::task::block_in_place(|| keep_and_judge(&shop.store, &shop.run_dir, &order, &files, left, paths))?;
    // The scratch folder may hold anything, in any mode; what cannot be removed goes with the run's scratch folder.
    let _ = std::fs::remove_dir_all(&scratch);
    Ok(end)
}

/// What an attempt elsewhere came to, before it is judged.
#[derive(Debug)]
pub struct Process {
    /// How its process ended, or why there was none.
    pub ended: Result<Ended, LaunchError>,
    /// What it said, where it ran.
    pub conclusion: Option<Conclusion>,
    /// Whether it was stopped because the run was cancelled.
    pub cancelled: bool,
    /// When it began, in milliseconds since the run began.
    pub started_ms: u64,
    /// When it ended, in milliseconds since the run began.
    pub ended_ms: u64,
    /// The paths at which secrets that it was given stood when it ended, each with the name of the variable.
    pub secrets: Vec<(String, String)>,
}

/// Captures what an attempt elsewhere left in the folder `files.worktree`, which held the attempt's base, judges it as a
/// run in one place does, and gives what the journal has of it. What it made is kept in `run_dir`.
///
/// # Errors
/// When the outside fails: the disk, the object store.
pub fn capture_and_judge(
    store: &RunStore,
    run_dir: &RunDir,
    order: &Order,
    files: &Files,
    process: Process,
) -> Result<[Record; 2], RunError> {
    let Process { ended, conclusion, cancelled, started_ms, ended_ms, secrets } = process;
    let settings = order.agent.uses_project_settings();
    let captured = store
        .take_back_agent_files(&files.worktree, &order.base, &order.rules, settings)
        .and_then(|()| store.capture_folder(&files.worktree, &order.base))
        .and_then(|captured| {
            refused_with(store, captured, |change| {
                let found = secrets.iter().find(|(path, _)| *path == change.path);
                Ok(found.map(|(_, name)| name.clone()))
            })
        });
    let left = Left { ended: ended.map_err(NotStarted::Launch), conclusion, captured, cancelled, started_ms, ended_ms };
    let paths = |tree: &ObjectId| Ok(Arc::new(store.tree_paths(tree)?));
    let end = keep_and_judge(store, run_dir, order, files, left, paths)?;
    Ok([started(order), end.to_record()])
}

/// Makes what the journal has of an attempt of which nothing usable came.
#[must_use]
pub fn nothing_came(order: Order, now_ms: u64, reason: &str) -> [Record; 2] {
    let started = started(&order);
    let finding = Finding::about(&order.task.id, FindingCode::SubagentFailed, Weight::Blocking, reason);
    let mut end = no_process(order, now_ms, Outcome::Failed, reason);
    end.findings.push(finding);
    [started, end.to_record()]
}

fn started(order: &Order) -> Record {
    Record::Started {
        task: order.task.id.clone(),
        attempt: order.attempt,
        base: order.base.clone(),
        brief: Digest::of(&order.brief),
    }
}

/// Keeps what an attempt made in the run's folder, and judges it.
fn keep_and_judge(
    store: &RunStore,
    run_dir: &RunDir,
    order: &Order,
    files: &Files,
    left: Left,
    paths_of: impl Fn(&ObjectId) -> Result<Arc<TreePaths>, RunError>,
) -> Result<AttemptEnd, RunError> {
    let folder = run_dir.task_dir(&order.task.id);
    match &left.conclusion {
        Some(Conclusion { report: Ok(Some(read)), .. }) => {
            run_dir.write_json(&folder.join("report.json"), &read.report)?;
        }
        Some(Conclusion { report: Err(_), .. }) => keep_invalid_report(&files.report, &folder),
        _ => {}
    }
    if let Ok(Captured { patch, .. }) = &left.captured
        && !patch.is_empty()
    {
        patch_text::write(store, patch, &folder.join("patch.diff"))?;
    }
    let paths = match &left.captured {
        Ok(captured) if captured.patch.changes.iter().any(|change| change.old.is_none()) => {
            Some(paths_of(&captured.patch.base_tree)?)
        }
        _ => None,
    };
    Ok(judge(order, Digest::of(&order.brief), left, paths.as_deref()))
}

/// Reads what a job came to. An agent that can go on with its session is asked once more when its answer is no report;
/// `stop` ends that, too.
pub async fn concluded(agent: &dyn Agent, job: &Job<'_>, ended: &Ended, stop: impl Future<Output = ()>) -> Conclusion {
    let first = agent.conclude(job, ended);
    if ended.stopped {
        return first;
    }
    match agent.repair(job, &first) {
        None => first,
        Some(Ok(launch)) => match agent::run(&launch, stop).await {
            Ok(again) => agent.conclude_repair(job, first, &again),
            Err(error) => {
                tracing::warn!(%error, task = %job.task, "a subagent could not be asked for its report again");
                first
            }
        },
        Some(Err(error)) => {
            tracing::warn!(%error, task = %job.task, "a subagent could not be asked for its report again");
            first
        }
    }
}

/// Refuses a patch that holds the value of a secret which its subagent was given.
fn without_secrets(shop: &Shop, order: &Order, captured: Captured) -> Result<Captured, WorkspaceError> {
    let secrets = agent::Secrets::of(&shop.environment, &order.pass_environment);
    if secrets.is_empty() {
        return Ok(captured);
    }
    tokio::task::block_in_place(|| {
        refused_with(&shop.store, captured, |change| {
            let Some(blob) = change.new.as_ref().filter(|blob| blob.mode != FileMode::Gitlink) else { return Ok(None) };
            Ok(secrets.find(&shop.store.read_blob(&blob.id)?).map(str::to_owned))
        })
    })
}

/// Refuses a patch with a change in which `secret` finds one: it would be in the bundle, and in the repository for good.
fn refused_with(
    store: &RunStore,
    captured: Captured,
    secret: impl Fn(&Change) -> Result<Option<String>, WorkspaceError>,
) -> Result<Captured, WorkspaceError> {
    let mut first = None;
    for change in &captured.patch.changes {
        let Some(name) = secret(change)? else { continue };
        // It must not lie in the run's folder either, which is kept and handed around.
        if let Some(blob) = &change.new {
            store.forget(&blob.id)?;
        }
        first.get_or_insert((change.path.clone(), name));
    }
    match first {
        None => Ok(captured),
        Some((path, name)) => Err(WorkspaceError::SecretWritten { path, name }),
    }
}

/// Keeps what was written in place of a report, for whoever wants to know what went wrong: a plain file of a bounded
/// size, or nothing.
fn keep_invalid_report(report: &Path, folder: &Path) {
    let plain = std::fs::symlink_metadata(report)
        .is_ok_and(|metadata| metadata.is_file() && metadata.len() <= REPORT_MAX_BYTES as u64);
    // That it is not valid is said elsewhere; that it could not be kept either changes nothing.
    if plain && let Err(error) = std::fs::copy(report, folder.join("report.invalid.json")) {
        tracing::warn!(%error, report = %report.display(), "an invalid report could not be kept");
    }
}

/// Why a process never ran.
#[derive(Debug, thiserror::Error)]
enum NotStarted {
    #[error(transparent)]
    Agent(AgentError),
    #[error(transparent)]
    Launch(LaunchError),
}

/// Everything that an attempt left.
#[derive(Debug)]
struct Left {
    ended: Result<Ended, NotStarted>,
    conclusion: Option<Conclusion>,
    captured: Result<Captured, WorkspaceError>,
    cancelled: bool,
    started_ms: u64,
    ended_ms: u64,
}

/// Completes when the attempt is to be stopped; never when the loop is gone, because then the process ends as a whole.
async fn stopped(stop: &mut watch::Receiver<Option<StopReason>>) {
    let gone = stop.wait_for(Option::is_some).await.is_err();
    if gone {
        std::future::pending::<()>().await;
    }
}

/// The files and folders of an attempt.
#[derive(Debug)]
pub struct Files {
    /// The work tree.
    pub worktree: PathBuf,
    /// What the subagent is told.
    pub brief: PathBuf,
    /// Where it writes its report.
    pub report: PathBuf,
    /// Where its output goes.
    pub log: PathBuf,
    /// Where it has its home and its temporary files.
    pub scratch: PathBuf,
}

impl Files {
    /// Makes the folder and the brief of an attempt.
    ///
    /// # Errors
    /// When one of them cannot be written.
    pub fn make(order: &Order, worktree: &Path, folder: &Path, scratch: &Path) -> Result<Self, RunError> {
        let io_error = |path: &Path| {
            let path = path.to_owned();
            move |source| RunError::RunDir(RunDirError::Io { path, source })
        };
        std::fs::create_dir_all(scratch).map_err(io_error(scratch))?;
        // The subagent gets a copy: what the run keeps is what was said, whatever becomes of the copy.
        let brief = scratch.join("brief.md");
        std::fs::write(&brief, &order.brief).map_err(io_error(&brief))?;
        Ok(Self {
            worktree: worktree.to_owned(),
            brief,
            report: scratch.join("report.json"),
            log: folder.join("log.txt"),
            scratch: scratch.to_owned(),
        })
    }

    /// Returns the job that is to be done with them.
    #[must_use]
    pub fn job<'a>(&'a self, order: &'a Order) -> Job<'a> {
        Job {
            task: &order.task.id,
            attempt: order.attempt,
            subagent: &order.subagent,
            scope: &order.task.scope,
            access: order.task.access,
            base: &order.implementation_base,
            worktree: &self.worktree,
            brief: &self.brief,
            report: &self.report,
            log: &self.log,
            scratch: &self.scratch,
            turns: order.turns,
            budget: order.budget,
            time_limit: Duration::from_secs(order.task.time_limit_s),
            pass_environment: &order.pass_environment,
        }
    }
}

/// Ends an attempt for which no money is left.
pub(super) fn not_affordable(shop: &Shop, order: Order, why: &Exhausted) -> AttemptEnd {
    let reason = format!("{why}; it was not begun");
    let finding = Finding::about(&order.task.id, FindingCode::BudgetExhausted, Weight::Blocking, reason.clone());
    let mut end = no_process(order, shop.now_ms(), Outcome::BudgetExhausted, &reason);
    end.findings.push(finding);
    end
}

const NEVER_BEGAN: &str = "the run was stopped before it could begin";

/// The end of an attempt of which no process is known.
fn no_process(order: Order, now: u64, outcome: Outcome, reason: &str) -> AttemptEnd {
    AttemptEnd {
        record: AttemptRecord {
            attempt: order.attempt,
            because: order.because,
            outcome,
            started_ms: now,
            ended_ms: now,
            exit_code: None,
            brief_digest: Digest::of(&order.brief),
            session: None,
            report: None,
            patch: None,
            conflicts: Vec::new(),
        },
        task: order.task.id,
        reason: reason.to_owned(),
        findings: Vec::new(),
        accepted: None,
        transient: false,
    }
}

fn judge(order: &Order, brief_digest: Digest, left: Left, paths: Option<&TreePaths>) -> AttemptEnd {
    let Left { ended, conclusion, captured, cancelled, started_ms, ended_ms } = left;
    let task = &order.task;
    let secret_in = match &captured {
        Err(WorkspaceError::SecretWritten { path, .. }) => Some(path.clone()),
        _ => None,
    };
    let (patch, left_out) = match captured {
        Ok(captured) => (Ok(captured.patch), captured.left_out),
        Err(error) => (Err(error.to_string()), Vec::new()),
    };
    let checked = patch.clone().map(|patch| scope::check(patch, &task.scope, task.access, paths));
    let violations = match &checked {
        Ok(Err(out_of_scope)) => out_of_scope.violations.as_slice(),
        _ => &[],
    };
    let left_out: Vec<_> = left_out.into_iter().map(|left| (left.path, left.why.to_string())).collect();
    let ending = match &ended {
        Err(error) => Ending::NotStarted(error.to_string()),
        Ok(ended) if ended.stopped && cancelled => Ending::Cancelled,
        Ok(ended) if ended.stopped && !ended.out_of_turns => Ending::Stopped,
        Ok(ended) => match ended.exit {
            Exit::Code(code) => Ending::Exited(code),
            Exit::Signal(signal) => Ending::Signalled(signal),
        },
    };
    let (session, report) = match conclusion {
        Some(Conclusion { session, report }) => (session, report.map_err(|error| error.to_string())),
        None => (None, Ok(None)),
    };
    let verdict = verdict::judge(&Attempt {
        task,
        ending,
        session: session.as_ref(),
        report: report.as_ref().map(|read| read.as_ref().map(|read| &read.report)).map_err(Clone::clone),
        patch: patch.as_ref().map_err(Clone::clone),
        secret_in: secret_in.as_deref(),
        integrated: order.integrated,
        violations,
        left_out: &left_out,
        leftovers: ended.as_ref().map_or(0, |ended| ended.leftovers),
        output_truncated: ended.as_ref().is_ok_and(|ended| ended.truncated),
    });
    let transient = verdict.outcome == Outcome::Failed
        && match &ended {
            Err(NotStarted::Launch(error)) => error.is_transient(),
            Err(NotStarted::Agent(_)) => false,
            Ok(ended) => match &session {
                Some(session) => session.end.is_transient(),
                None => ended.exit.code() == Some(agent::EXIT_TRANSIENT),
            },
        };
    AttemptEnd {
        task: task.id.clone(),
        transient,
        record: AttemptRecord {
            attempt: order.attempt,
            because: order.because.clone(),
            outcome: verdict.outcome,
            started_ms,
            ended_ms,
            exit_code: ended.ok().and_then(|ended| ended.exit.code()),
            brief_digest,
            session,
            report: report.ok().flatten().map(|read| read.report),
            patch: patch.ok(),
            conflicts: Vec::new(),
        },
        reason: verdict.reason,
        findings: verdict.findings,
        accepted: match checked {
            Ok(Ok(checked)) if verdict.outcome == Outcome::Passed => Some(checked),
            _ => None,
        },
    }
}
