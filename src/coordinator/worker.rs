//! One attempt at a task, from an empty work tree to a judged patch. Workers only send what happened; the loop owns the
//! state.

use std::sync::Arc;

use implementer_model::{
    ids::ObjectId,
    record::Outcome,
    run::{AttemptPlan, Happened, JudgedAttempt},
    schedule::StopReason,
};
use tokio::sync::watch;

use super::{
    attempt_files::AttemptFiles,
    context::WorkerContext,
    error::RunError,
    events::RunEvent,
    judging::{AttemptOutput, NotStarted, keep_and_judge, without_secrets},
};
use crate::{
    agent::{self, Agent, Conclusion, Ended, Job},
    layout::TaskFile,
};

/// Why an attempt was not made that was stopped before it had a work tree.
const NEVER_BEGAN: &str = "the run was stopped before it could begin";

/// Makes an attempt and tells the loop about it.
pub(super) async fn work(
    context: Arc<WorkerContext>,
    plan: AttemptPlan,
    agent: Arc<dyn Agent>,
    stop: watch::Receiver<Option<StopReason>>,
    tell: impl Fn(RunEvent),
) {
    tell(match attempt(&context, plan, agent.as_ref(), stop, &tell).await {
        Ok(judged) => RunEvent::AttemptEnded(Box::new(judged), Happened::Now),
        Err(error) => RunEvent::WorkerFailed(error),
    });
}

async fn attempt(
    context: &WorkerContext,
    plan: AttemptPlan,
    agent: &dyn Agent,
    mut stop: watch::Receiver<Option<StopReason>>,
    tell: &impl Fn(RunEvent),
) -> Result<JudgedAttempt, RunError> {
    let slot = tokio::select! {
        slot = context.pool.acquire(&plan.base, Some(&plan.id.task)) => slot?,
        () = stopped(&mut stop) => {
            let ended = plan.without_process(context.now_ms(), Outcome::NotRun, NEVER_BEGAN);
            return Ok(JudgedAttempt { ended, accepted: None });
        }
    };
    let placed = slot.place_agent_files(&plan.rules, plan.project_settings).await?;
    let folder = context.run_dir.begin_attempt(&plan.id.task, plan.id.attempt)?;
    let scratch = context.scratch.join(format!("{}-{}", plan.id.task, plan.id.attempt));
    let files = AttemptFiles::create(&plan, slot.path(), &folder, &scratch)?;
    let job = files.job(&plan);
    context.run_dir.write(&folder.join(TaskFile::Brief), plan.brief.as_bytes())?;
    tell(RunEvent::AttemptStarted(plan.started()));
    let started_ms = context.now_ms();
    let mut ended = match agent.prepare(&job) {
        Ok(launch) => agent::run(&launch, stopped(&mut stop)).await.map_err(NotStarted::Launch),
        Err(error) => Err(NotStarted::Agent(error)),
    };
    let conclusion = match &mut ended {
        Ok(ended) => Some(concluded(agent, &job, ended, stopped(&mut stop)).await),
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
    let captured = captured.and_then(|captured| without_secrets(context, &plan, captured));
    let ended_ms = context.now_ms();
    let cancelled = *stop.borrow() == Some(StopReason::Cancelled);
    let paths = |tree: &ObjectId| context.paths_of(tree);
    let output = AttemptOutput { ended, conclusion, captured, cancelled, started_ms, ended_ms };
    let end =
        tokio::task::block_in_place(|| keep_and_judge(&context.store, &context.run_dir, &plan, &files, output, paths))?;
    // The scratch folder may hold anything, in any mode; what cannot be removed goes with the run's scratch folder.
    let _ = std::fs::remove_dir_all(&scratch);
    Ok(end)
}

/// Reads what a job came to. An agent that can go on with its session is asked once more when its answer is no report;
/// `stop` ends that, too.
pub async fn concluded(
    agent: &dyn Agent,
    job: &Job<'_>,
    ended: &mut Ended,
    stop: impl Future<Output = ()>,
) -> Conclusion {
    let first = agent.conclude(job, ended);
    if ended.stopped {
        return first;
    }
    match agent.repair(job, &first) {
        None => first,
        Some(Ok(launch)) => match agent::run(&launch, stop).await {
            Ok(again) => {
                // What it started and could not be ended is there, whichever of its processes has begun it.
                ended.survivors = ended.survivors.saturating_add(again.survivors);
                ended.leftovers = ended.leftovers.saturating_add(again.leftovers);
                agent.conclude_repair(job, first, &again)
            }
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

/// Completes when the attempt is to be stopped; never when the loop is gone, because then the process ends as a whole.
async fn stopped(stop: &mut watch::Receiver<Option<StopReason>>) {
    let gone = stop.wait_for(Option::is_some).await.is_err();
    if gone {
        std::future::pending::<()>().await;
    }
}
