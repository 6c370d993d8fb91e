//! What becomes of an attempt: what it left is kept, held against scope and report, and judged. The same for an attempt in
//! a run in one place and for one that a job made elsewhere.

use std::{path::Path, sync::Arc};

use implementer_model::{
    ids::{Digest, ObjectId},
    isolation::Level,
    patch::{Change, FileMode},
    record::{AttemptEnded, AttemptRecord, AttemptRecords, FailureKind, Outcome},
    report::REPORT_MAX_BYTES,
    run::{AttemptPlan, JudgedAttempt},
    scope::{self, TreePaths},
    verdict::{self, Attempt, Ending, InvalidReport, NoPatch},
};
use serde::{Deserialize, Serialize};

use super::{attempt_files::AttemptFiles, context::WorkerContext, error::RunError};
use crate::{
    agent::{self, AgentError, Conclusion, Ended, Exit, LaunchError, Secrets},
    errors,
    layout::TaskFile,
    run_dir::RunDir,
    untrusted,
    workspace::{WorkspaceError, agent_files, capture::Captured, patch_text, store::RunStore},
};

/// Where a secret of the run stands in a work tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SecretAt {
    /// The path of the file.
    pub path: String,
    /// The name of the variable that has it.
    pub name: String,
    /// The path as it may be shown: it may itself hold the secret.
    pub shown: String,
}

impl SecretAt {
    /// Looks for a secret in the path of a file and in its content, or in the target of a link.
    #[must_use]
    pub fn find(secrets: &Secrets, path: &str, content: &[u8]) -> Option<Self> {
        let name = secrets.find(path.as_bytes()).or_else(|| secrets.find(content))?.to_owned();
        Some(Self { path: path.to_owned(), name, shown: secrets.taken_out_of_text(path) })
    }
}

/// What the process of an attempt came to that a job made, before it is judged.
#[derive(Debug)]
pub struct AttemptProcess {
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
    /// Where secrets of the run stood when it ended.
    pub secrets: Vec<SecretAt>,
    /// What kept it apart.
    pub isolation: Level,
}

/// Captures what the attempt of a job left in the folder `files.worktree`, which held the attempt's base, judges it as a
/// run in one place does, and gives its records. What it made is kept in `run_dir`.
///
/// # Errors
/// When the outside fails: the disk, the object store.
pub fn capture_and_judge(
    store: &RunStore,
    run_dir: &RunDir,
    plan: &AttemptPlan,
    files: &AttemptFiles,
    process: AttemptProcess,
) -> Result<AttemptRecords, RunError> {
    let AttemptProcess { ended, conclusion, cancelled, started_ms, ended_ms, secrets, isolation } = process;
    let settings = plan.project_settings;
    let captured = agent_files::take_back_of(store, &files.worktree, &plan.base, &plan.rules, settings)
        .and_then(|()| store.capture_folder(&files.worktree, &plan.base))
        .and_then(|captured| {
            refused_with(store, captured, |change| Ok(secrets.iter().find(|found| found.path == change.path).cloned()))
        });
    let output = AttemptOutput {
        ended: ended.map_err(NotStarted::Launch),
        conclusion,
        captured,
        cancelled,
        started_ms,
        ended_ms,
        isolation,
    };
    let paths = |tree: &ObjectId| Ok(Arc::new(store.tree_paths(tree)?));
    let judged = keep_and_judge(store, run_dir, plan, files, output, paths)?;
    Ok(AttemptRecords::new(plan.started(), judged.ended).expect("invariant: both are made of the same plan"))
}

/// Keeps what an attempt made in the run's folder, and judges it.
pub(super) fn keep_and_judge(
    store: &RunStore,
    run_dir: &RunDir,
    plan: &AttemptPlan,
    files: &AttemptFiles,
    output: AttemptOutput,
    paths_of: impl Fn(&ObjectId) -> Result<Arc<TreePaths>, RunError>,
) -> Result<JudgedAttempt, RunError> {
    let folder = run_dir.task_dir(&plan.id.task);
    match &output.conclusion {
        Some(Conclusion { report: Ok(Some(read)), .. }) => {
            run_dir.write_json(folder.join(TaskFile::Report), &read.report)?;
        }
        Some(Conclusion { report: Err(_), .. }) => keep_invalid_report(&files.report, &folder),
        _ => {}
    }
    if let Ok(Captured { patch, .. }) = &output.captured
        && !patch.is_empty()
    {
        patch_text::write(store, patch, &folder.join(TaskFile::Patch))?;
    }
    let paths = match &output.captured {
        Ok(captured) if captured.patch.changes.iter().any(|change| change.old.is_none()) => {
            Some(paths_of(&captured.patch.base_tree)?)
        }
        _ => None,
    };
    Ok(judge(plan, output, paths.as_deref()))
}

/// Refuses a patch that holds the value of a secret which the run was given.
pub(super) fn without_secrets(context: &WorkerContext, captured: Captured) -> Result<Captured, WorkspaceError> {
    let secrets = &context.processes.secrets;
    if secrets.is_empty() {
        return Ok(captured);
    }
    tokio::task::block_in_place(|| {
        refused_with(&context.store, captured, |change| {
            let content = match change.new.as_ref().filter(|blob| blob.mode != FileMode::Gitlink) {
                Some(blob) => context.store.read_captured(&blob.id)?,
                None => Vec::new(),
            };
            Ok(SecretAt::find(secrets, &change.path, &content))
        })
    })
}

/// Refuses a patch with a change in which `secret` finds one: it would be in the bundle, and in the repository for good.
fn refused_with(
    store: &RunStore,
    captured: Captured,
    secret: impl Fn(&Change) -> Result<Option<SecretAt>, WorkspaceError>,
) -> Result<Captured, WorkspaceError> {
    let mut first = None;
    for change in &captured.patch.changes {
        let Some(found) = secret(change)? else { continue };
        // It must not lie in the run's folder either, which is kept and handed around.
        if let Some(blob) = &change.new {
            store.forget(&blob.id)?;
        }
        first.get_or_insert(found);
    }
    match first {
        None => Ok(captured),
        Some(SecretAt { shown, name, .. }) => Err(WorkspaceError::SecretWritten { path: shown, name }),
    }
}

/// Keeps what was written in place of a report, for whoever wants to know what went wrong: a plain file of a bounded
/// size, or nothing.
fn keep_invalid_report(report: &Path, folder: &Path) {
    let copied = untrusted::copy_if_plain(report, &folder.join(TaskFile::InvalidReport), REPORT_MAX_BYTES as u64);
    // That it is not valid is said elsewhere; that it could not be kept either changes nothing.
    if let Err(error) = copied {
        tracing::warn!(%error, report = %report.display(), "an invalid report could not be kept");
    }
}

/// Why a process never ran.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotStarted {
    #[error(transparent)]
    Agent(AgentError),
    #[error(transparent)]
    Launch(LaunchError),
}

/// Everything that an attempt left.
#[derive(Debug)]
pub(super) struct AttemptOutput {
    pub(super) ended: Result<Ended, NotStarted>,
    pub(super) conclusion: Option<Conclusion>,
    pub(super) captured: Result<Captured, WorkspaceError>,
    pub(super) cancelled: bool,
    pub(super) started_ms: u64,
    pub(super) ended_ms: u64,
    pub(super) isolation: Level,
}

/// Says why there is no patch.
fn no_patch(error: &WorkspaceError) -> NoPatch {
    let why = errors::chain(error);
    match error {
        WorkspaceError::SecretWritten { path, .. } => NoPatch::SecretWritten { path: path.clone(), why },
        _ => NoPatch::NotCaptured(why),
    }
}

fn judge(plan: &AttemptPlan, output: AttemptOutput, paths: Option<&TreePaths>) -> JudgedAttempt {
    let AttemptOutput { ended, conclusion, captured, cancelled, started_ms, ended_ms, isolation } = output;
    let task = &plan.task;
    let (patch, left_out) = match captured {
        Ok(captured) => (Ok(captured.patch), captured.left_out),
        Err(error) => (Err(no_patch(&error)), Vec::new()),
    };
    let checked = patch.clone().map(|patch| scope::check(patch, &task.scope, task.access, paths));
    let violations = match &checked {
        Ok(Err(out_of_scope)) => out_of_scope.violations.as_slice(),
        _ => &[],
    };
    let left_out: Vec<_> = left_out.into_iter().map(|left| (left.path, left.why.to_string())).collect();
    let ending = match &ended {
        Err(NotStarted::Launch(error)) if error.is_loss() => Ending::Lost(errors::chain(error)),
        Err(error) => Ending::NotStarted(errors::chain(error)),
        Ok(ended) if ended.stopped && cancelled => Ending::Cancelled,
        Ok(ended) if ended.stopped && !ended.out_of_turns => Ending::Stopped,
        // It was done, and was ended because it stayed: what it said and did counts.
        Ok(ended) if ended.overstayed => Ending::Exited(0),
        Ok(ended) => match ended.exit {
            Exit::Code(code) => Ending::Exited(code),
            Exit::Signal(signal) => Ending::Signalled(signal),
        },
    };
    let (session, report) = match conclusion {
        Some(Conclusion { session, report }) => (session, report.map_err(|error| InvalidReport(errors::chain(&error)))),
        None => (None, Ok(None)),
    };
    let printed = ended.as_ref().map_or("", |ended| ended.output_tail.as_str());
    let verdict = verdict::judge(&Attempt {
        task,
        ending,
        last_line: printed.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default(),
        session: session.as_ref(),
        report: report.as_ref().map(|read| read.as_ref().map(|read| &read.report)).map_err(Clone::clone),
        patch: patch.as_ref().map_err(Clone::clone),
        integrated: !plan.integrated.is_empty(),
        violations,
        left_out: &left_out,
        leftovers: ended.as_ref().map_or(0, |ended| ended.leftovers),
        output_truncated: ended.as_ref().is_ok_and(|ended| ended.truncated),
    });
    let failure = match (verdict.outcome, &ended, &session) {
        (Outcome::Failed, Err(NotStarted::Launch(error)), _) if error.is_transient() => FailureKind::Transient,
        (Outcome::Failed, Err(NotStarted::Launch(error)), _) if error.is_loss() => FailureKind::Final,
        (Outcome::Failed, Err(_), _) => FailureKind::CannotStart,
        (Outcome::Failed, Ok(_), Some(session)) => session.end.failure(),
        (Outcome::Failed, Ok(ended), None) if ended.exit.code() == Some(agent::EXIT_TRANSIENT) => {
            FailureKind::Transient
        }
        _ => FailureKind::Ordinary,
    };
    let ended = AttemptEnded {
        task: task.id.clone(),
        attempt: AttemptRecord {
            attempt: plan.id.attempt,
            because: plan.because.clone(),
            outcome: verdict.outcome,
            started_ms,
            ended_ms,
            exit_code: ended.ok().and_then(|ended| ended.exit.code()),
            brief_digest: Digest::from_content(&plan.brief),
            session,
            report: report.ok().flatten().map(|read| read.report),
            patch: patch.ok(),
            isolation: Some(isolation),
            conflicts: Vec::new(),
        },
        reason: verdict.reason,
        findings: verdict.findings,
        failure,
    };
    let accepted = match checked {
        Ok(Ok(checked)) if verdict.outcome == Outcome::Passed => Some(checked),
        _ => None,
    };
    JudgedAttempt { ended, accepted }
}
