//! One attempt at a task, from an empty work tree to a judged patch. Workers only send what happened; the loop owns the
//! state.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use implementer_model::{
    budget::Dollars,
    ids::{Digest, ObjectId, TaskId},
    roster::Subagent,
    schedule::{Outcome, StopReason, Task},
    scope::TreePaths,
};
use tokio::sync::watch;

use super::{
    error::RunError,
    judging::{AttemptEnd, Left, NEVER_BEGAN, NotStarted, keep_and_judge, no_process, without_secrets},
    quarters::Quarters,
    setup::{SetupPlace, WorkingCopySetup},
};
use crate::layout::{PROGRAMS, TaskFile};
use crate::{
    agent::{Agent, Agents, Conclusion, Ended, Job, LaunchError, report_folder},
    run_dir::{RunDir, RunDirError},
    sandbox::Sandbox,
    workspace::{slots::SlotPool, store::RunStore},
};

/// What all workers of a run share.
pub(super) struct Shop {
    pub(super) store: RunStore,
    pub(super) pool: SlotPool,
    /// The slots of gates, which no attempt has had.
    pub(super) gate_pool: SlotPool,
    pub(super) sandbox: Sandbox,
    pub(super) run_dir: RunDir,
    /// Where subagents and gates have their HOME and TMPDIR; outside the repository, gone after the run.
    pub(super) scratch: PathBuf,
    pub(super) agents: Agents,
    /// Our own environment, from which variables are passed on to gates by name.
    pub(super) environment: BTreeMap<String, String>,
    /// Our own executable, which supervises what we start.
    pub(super) supervisor: PathBuf,
    /// What makes working copies ready.
    pub(super) setup: WorkingCopySetup,
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

    /// Makes a working copy ready for what runs in it.
    pub(super) async fn make_ready(
        &self,
        commit: &ObjectId,
        worktree: &Path,
        scratch: &Path,
        quarters: &Quarters<'_>,
    ) -> Result<(), RunError> {
        let place = SetupPlace {
            store: &self.store,
            commit,
            worktree,
            scratch,
            sandbox: &self.sandbox,
            quarters,
            environment: &self.environment,
            supervisor: &self.supervisor,
        };
        self.setup.make_ready(&place).await
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
    let scratch = shop.scratch.join(format!("{}-{}", order.task.id, order.attempt));
    let programs = shop.scratch.join(PROGRAMS);
    let quarters = Quarters::of_attempt(&shop.sandbox, &slot, &scratch, &programs)
        .map_err(|source| RunDirError::Io { path: slot.path().to_owned(), source })?;
    shop.make_ready(&order.base, slot.path(), &scratch, &quarters).await?;
    let placed = slot.place_agent_files(&order.rules, order.agent.uses_project_settings()).await?;
    let folder = shop.run_dir.begin_attempt(&order.task.id, order.attempt)?;
    let files = Files::make(&order, slot.path(), &folder, &scratch)?;
    let job = files.job(&order);
    shop.run_dir.write(&folder.join(TaskFile::Brief), order.brief.as_bytes())?;
    let brief_digest = Digest::of(&order.brief);

    tell(WorkerEvent::Started {
        task: order.task.id.clone(),
        attempt: order.attempt,
        base: order.base.clone(),
        brief: brief_digest.clone(),
    });
    let started_ms = shop.now_ms();
    let mut ended = match order.agent.prepare(&job) {
        Ok(launch) => quarters.run(launch, usize::MAX, stopped(&mut stop)).await.map_err(NotStarted::Launch),
        Err(error) => Err(NotStarted::Agent(error)),
    };
    let conclusion = match ended {
        Ok(mut first) => {
            let concluded = concluded(order.agent.as_ref(), &job, &mut first, &quarters, stopped(&mut stop)).await;
            let (conclusion, result) = match concluded {
                Ok(conclusion) => (Some(conclusion), Ok(first)),
                Err(error) => (None, Err(NotStarted::Launch(error))),
            };
            ended = result;
            conclusion
        }
        Err(_) => None,
    };
    let captured = match slot.take_back_agent_files(placed).await {
        Ok(()) if ended.is_ok() => slot.capture_last().await,
        Ok(()) => {
            let captured = slot.capture().await;
            if let Err(NotStarted::Launch(error @ (LaunchError::Lost { .. } | LaunchError::Survived { .. }))) = &ended {
                // Whatever it was that ran there, nobody else is to meet it.
                slot.give_up(error.to_string());
            }
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

/// Reads what a job came to. An agent that can go on with its session is asked once more when its answer is no report;
/// `stop` ends that, too.
///
/// # Errors
/// When what was started to ask it could not be ended as a whole: then nothing counts that the job left.
pub async fn concluded(
    agent: &dyn Agent,
    job: &Job<'_>,
    ended: &mut Ended,
    quarters: &Quarters<'_>,
    stop: impl Future<Output = ()>,
) -> Result<Conclusion, LaunchError> {
    let first = agent.conclude(job, ended);
    if ended.stopped {
        return Ok(first);
    }
    Ok(match agent.repair(job, &first) {
        None => first,
        Some(Ok(launch)) => match quarters.run(launch, usize::MAX, stop).await {
            Ok(again) => {
                ended.leftovers = ended.leftovers.saturating_add(again.leftovers);
                agent.conclude_repair(job, first, &again)
            }
            Err(error @ (LaunchError::Lost { .. } | LaunchError::Survived { .. })) => return Err(error),
            Err(error) => {
                tracing::warn!(%error, task = %job.task, "a subagent could not be asked for its report again");
                first
            }
        },
        Some(Err(error)) => {
            tracing::warn!(%error, task = %job.task, "a subagent could not be asked for its report again");
            first
        }
    })
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
        let brief = scratch.join(TaskFile::Brief);
        std::fs::write(&brief, &order.brief).map_err(io_error(&brief))?;
        Ok(Self {
            worktree: worktree.to_owned(),
            brief,
            report: report_folder(scratch).join(TaskFile::Report),
            log: folder.join(TaskFile::Log),
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
