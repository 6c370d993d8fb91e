//! One attempt at a task, from an empty work tree to a judged patch. Workers only send what happened; the loop owns the
//! state.

use std::sync::Arc;

use implementer_model::{
    ids::ObjectId,
    record::Outcome,
    report::REPORT_MAX_BYTES,
    run::{AttemptPlan, Happened, JudgedAttempt},
    schedule::StopReason,
};
use tokio::sync::watch;

use super::{
    attempt_files::AttemptFiles,
    context::WorkerContext,
    detection,
    error::RunError,
    events::RunEvent,
    judging::{AttemptOutput, NotStarted, keep_and_judge, without_secrets},
    room,
    workplace::Workplace,
};
use crate::{
    agent::{Agent, Conclusion, Ended, Job, LaunchError},
    layout::{PROGRAMS, TaskFile},
    run_dir::RunDirError,
    untrusted,
};

/// Why an attempt was not made that was stopped before it had a work tree.
const NEVER_BEGAN: &str = "the run was stopped before it could begin";

/// Makes an attempt and tells the loop about it.
pub(super) async fn work(
    context: Arc<WorkerContext>,
    plan: AttemptPlan,
    agent: Arc<dyn Agent>,
    mut stop: watch::Receiver<Option<StopReason>>,
    tell: impl Fn(RunEvent),
) {
    let (task, integrated) = (plan.task.clone(), plan.integrated.clone());
    tell(match attempt(&context, plan, agent.as_ref(), stop.clone(), &tell).await {
        Ok(judged) => {
            // Here and not in the loop: that it takes long must keep nobody waiting.
            let stopped = stopped(&mut stop);
            let found = detection::found_in(&context.store, Some(&task), integrated, &judged, stopped).await;
            RunEvent::AttemptEnded(Box::new(judged), Happened::Now, Some(found))
        }
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
    let scratch = context.processes.scratch.join(format!("{}-{}", plan.id.task, plan.id.attempt));
    let programs = context.processes.scratch.join(PROGRAMS);
    let workplace =
        Workplace::of_attempt((&context.processes.sandbox, &context.processes.secrets), &slot, &scratch, &programs)
            .map_err(|source| RunDirError::Io { path: slot.path().to_owned(), source })?;
    context.make_ready(&plan.base, slot.path(), &scratch, &workplace).await?;
    let placed = slot.place_agent_files(&plan.rules, plan.project_settings).await?;
    let folder = context.run_dir.begin_attempt(&plan.id.task, plan.id.attempt)?;
    let files = AttemptFiles::create(&plan, slot.path(), &folder, &scratch)?;
    let job = files.job(&plan);
    context.run_dir.write(folder.join(TaskFile::Brief), plan.brief.as_bytes())?;
    tell(RunEvent::AttemptStarted(plan.started(), agent.last_step(&job)));
    let started_ms = context.now_ms();
    let mut ended = match agent.prepare(&job) {
        Ok(mut launch) => {
            launch.output_cap = context.limits.begin_log(launch.output_cap);
            let set_aside = launch.output_cap;
            let ended = workplace.run(launch, usize::MAX, stopped(&mut stop)).await;
            context.limits.end_log(set_aside, ended.as_ref().map_or(set_aside, |ended| ended.output_bytes));
            ended.map_err(NotStarted::Launch)
        }
        Err(error) => Err(NotStarted::Agent(error)),
    };
    let conclusion = match ended {
        Ok(mut first) => {
            let concluded = concluded(agent, &job, &mut first, &workplace, stopped(&mut stop)).await;
            let (conclusion, result) = match concluded {
                Ok(conclusion) => (Some(conclusion), Ok(first)),
                Err(error) => (None, Err(NotStarted::Launch(error))),
            };
            ended = result;
            conclusion
        }
        Err(_) => None,
    };
    let room = room::check(&[&files.worktree, &scratch, context.run_dir.root()]);
    let captured = match slot.take_back_agent_files(placed).await {
        Ok(()) if ended.is_ok() => slot.capture_last().await,
        Ok(()) => {
            let captured = slot.capture().await;
            if let Err(NotStarted::Launch(error)) = &ended
                && error.is_loss()
            {
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
    let captured = captured.and_then(|captured| context.limits.take_patch(captured));
    let captured = captured.and_then(|captured| without_secrets(context, captured));
    let conclusion = conclusion.map(|conclusion| conclusion.without(&context.processes.secrets));
    context
        .processes
        .secrets
        .take_out_of_file(&files.report, REPORT_MAX_BYTES as u64)
        .map_err(|source| RunDirError::Io { path: files.report.clone(), source })?;
    let ended_ms = context.now_ms();
    let cancelled = *stop.borrow() == Some(StopReason::Cancelled);
    let isolation = context.processes.sandbox.level();
    let paths = |tree: &ObjectId| context.paths_of(tree);
    let output = AttemptOutput { ended, conclusion, captured, cancelled, started_ms, ended_ms, isolation };
    let end =
        tokio::task::block_in_place(|| keep_and_judge(&context.store, &context.run_dir, &plan, &files, output, paths))?;
    if end.ended.attempt.outcome != Outcome::Passed {
        room?;
    }
    // The scratch folder may hold anything, in any mode; what cannot be removed goes with the run's scratch folder.
    let _ = untrusted::remove(&scratch);
    Ok(end)
}

/// Reads what a job came to. An agent that can resume its session is asked once more when its answer is no report;
/// `stop` ends that, too.
///
/// # Errors
/// When what was started to ask it could not be ended as a whole: then nothing counts that the job left.
pub async fn concluded(
    agent: &dyn Agent,
    job: &Job<'_>,
    ended: &mut Ended,
    workplace: &Workplace<'_>,
    stop: impl Future<Output = ()>,
) -> Result<Conclusion, LaunchError> {
    let first = agent.conclude(job, ended);
    if ended.stopped {
        return Ok(first);
    }
    Ok(match agent.repair(job, &first) {
        None => first,
        Some(Ok(launch)) => match workplace.run(launch, usize::MAX, stop).await {
            Ok(again) => {
                ended.leftovers = ended.leftovers.saturating_add(again.leftovers);
                agent.conclude_repair(job, first, &again)
            }
            Err(error) if error.is_loss() => return Err(error),
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
