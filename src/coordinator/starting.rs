//! The start of an attempt: what is finished already is taken over, what nobody can pay for ends at once.

use std::sync::Arc;

use implementer_model::{
    patch::Blob,
    record::{AttemptId, AttemptRecord, Outcome},
    run::{AgentTraits, AttemptPlan, Finished, Happened, JudgedAttempt, Run},
    scope,
};

use super::{context::WorkerContext, error::RunError};
use crate::{agent::Agent, layout::TaskFile, workspace::patch_text};

/// How an attempt starts.
pub(super) enum Start {
    /// It is to be made.
    Make(Box<AttemptPlan>, Arc<dyn Agent>),
    /// It ended without being made here.
    Ended(Box<JudgedAttempt>, Happened),
}

/// Where the finished attempts of a run come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// From an earlier process, whose objects may be torn.
    EarlierProcess,
    /// From jobs: git has taken every object in. `keep_files` says that the run's folder is one to keep.
    Jobs { keep_files: bool },
}

/// Starts an attempt.
pub(super) fn start(
    run: &mut Run,
    context: &WorkerContext,
    id: AttemptId,
    because: String,
    source: Source,
) -> Result<Start, RunError> {
    let task = run.ledger().schedule().task(&id.task).expect("invariant: only tasks of the schedule start");
    let agent = Arc::clone(context.agents.of(&task.subagent)?);
    let traits = AgentTraits { manner: agent.manner(), project_settings: agent.uses_project_settings() };
    let mut plan = run.plan_attempt(id, because, traits, |blob| text_of(context, blob));
    if let Some(judged) = take_over(run, context, &plan, source)? {
        return Ok(Start::Ended(Box::new(judged), Happened::Before));
    }
    if let Err(exhausted) = run.reserve(&mut plan) {
        let ended = plan.not_affordable(context.now_ms(), &exhausted);
        return Ok(Start::Ended(Box::new(JudgedAttempt { ended, accepted: None }), Happened::Now));
    }
    Ok(Start::Make(Box::new(plan), agent))
}

/// The most bytes of a file that a brief shows.
const TEXT_MAX: u64 = 512 * 1024;

fn text_of(context: &WorkerContext, blob: &Blob) -> Option<String> {
    context.store.read_text(&blob.id, TEXT_MAX)
}

/// Takes over the result of an attempt that is finished. `None` when there is none, or not everything of it is there:
/// then it is made again.
fn take_over(
    run: &mut Run,
    context: &WorkerContext,
    plan: &AttemptPlan,
    source: Source,
) -> Result<Option<JudgedAttempt>, RunError> {
    let ended = match run.take_finished(plan) {
        Finished::Unknown => return Ok(None),
        Finished::Outdated => {
            tracing::info!(attempt = %plan.id, "what it starts from is another now: it is done again");
            return Ok(None);
        }
        Finished::Usable(ended) => *ended,
    };
    let record = &ended.attempt;
    let is_whole = |patch| match source {
        Source::EarlierProcess => context.store.holds(patch),
        Source::Jobs { .. } => context.store.lists(patch),
    };
    if record.patch.as_ref().is_some_and(|patch| !tokio::task::block_in_place(|| is_whole(patch))) {
        tracing::warn!(attempt = %plan.id, "not everything of its patch is there: it is done again");
        return Ok(None);
    }
    let accepted = match (&record.patch, record.outcome) {
        (Some(patch), Outcome::Passed) => {
            let adds = patch.changes.iter().any(|change| change.old.is_none());
            let paths = if adds { Some(context.paths_of(&patch.base_tree)?) } else { None };
            match scope::check(patch.clone(), &plan.task.scope, plan.task.access, paths.as_deref()) {
                Ok(checked) => Some(checked),
                Err(_) => return Ok(None),
            }
        }
        _ => None,
    };
    run.taken_over();
    if source == (Source::Jobs { keep_files: true }) {
        write_files(context, plan, record)?;
    }
    Ok(Some(JudgedAttempt { ended, accepted }))
}

/// Writes the files of an attempt that a job made.
fn write_files(context: &WorkerContext, plan: &AttemptPlan, record: &AttemptRecord) -> Result<(), RunError> {
    let run_dir = &context.run_dir;
    let folder = run_dir.begin_attempt(&plan.id.task, plan.id.attempt)?;
    run_dir.write(folder.join(TaskFile::Brief), plan.brief.as_bytes())?;
    if let Some(report) = &record.report {
        run_dir.write_json(folder.join(TaskFile::Report), report)?;
    }
    if let Some(patch) = record.patch.as_ref().filter(|patch| !patch.is_empty()) {
        tokio::task::block_in_place(|| patch_text::write(&context.store, patch, &folder.join(TaskFile::Patch)))?;
    }
    Ok(())
}
