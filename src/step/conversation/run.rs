//! A run on a pull request: approved, claimed, followed, told.

use std::{path::Path, time::Duration};

use implementer_model::{
    conversation::{
        checks,
        command::Retry,
        comment::{COMMENT_MAX_CHARS, Past},
        intent::Approval,
        live::Board,
    },
    estimate::RunUsage,
    github_ids::CommentId,
    handoff::{Handoff, Status},
    ids::ObjectId,
    lock::Lock,
    schedule::Schedule,
    summary, text,
};
use tokio_util::sync::CancellationToken;

use super::{
    PlanOptions, PullRequestContext,
    admission::{Admitted, RunAsked, admit},
    answer::told,
    error::ConversationError,
    keep::{self, Keep},
    live::{self, Reporter},
    publish,
};
use crate::{
    coordinator::progress::Observer,
    errors,
    execution::{self, Executed, Out, Resume, RunRequest},
    github::GithubError,
    step::gather::Bound,
};

/// What a run needs beside the pull request.
#[derive(Debug)]
pub struct RunOptions {
    /// What the user asked for beside the event.
    pub plan: PlanOptions,
    /// What is run again; a task of it must be one of the plan's.
    pub retry: Option<Retry>,
    /// The time limit of every task, in place of the configuration's.
    pub time_limit: Option<Duration>,
    /// Whether tests that are red on the base are the work.
    pub allow_red_base: bool,
    /// Where the run's folder goes.
    pub out: Out,
    /// Whether a run that broke off is resumed.
    pub resume: Resume,
    /// The workflow that this is a step of.
    pub workflow: Option<String>,
    /// Where what is finished is kept for `/implement retry`, and the run's files for people; nothing where there are no
    /// artifacts.
    pub keep: Option<Keep>,
}

/// What came of a run on a pull request.
#[derive(Debug)]
pub struct Reported {
    /// The run.
    pub executed: Executed,
    /// The comment, where there is one.
    pub comment: Option<CommentId>,
    /// What could not be reported where people look, and why.
    pub degraded: Vec<String>,
    /// Whether another attempt may report it.
    pub may_report_later: bool,
}

/// Runs the plan of a pull request that `approval` approves. `claimed` is called once this run has the pull request to
/// itself, before anything is started: from there on there is something to clean up.
///
/// # Errors
/// When the run is refused (which is answered on the pull request), or the outside fails.
pub async fn run(
    pull: &PullRequestContext,
    approval: &Approval,
    options: RunOptions,
    scratch: &Path,
    cancel: CancellationToken,
    observer: &mut dyn Observer,
    claimed: impl FnOnce(&ObjectId),
) -> Result<Reported, ConversationError> {
    told(pull, approval, attempt(pull, approval, options, scratch, cancel, observer, claimed).await).await
}

async fn attempt(
    pull: &PullRequestContext,
    approval: &Approval,
    options: RunOptions,
    scratch: &Path,
    cancel: CancellationToken,
    observer: &mut dyn Observer,
    claimed: impl FnOnce(&ObjectId),
) -> Result<Reported, ConversationError> {
    let (retry, artifact) = (options.retry.as_ref(), options.keep.as_ref().map(|keep| keep.files.as_str()));
    let asked = RunAsked { pull, approval, options: &options.plan, retry, artifact, scratch };
    let admitted = admit(asked, claimed).await?;
    let mut reporter = admitted.reporter(pull);
    let Admitted { snapshot, intake, .. } = admitted;
    let (lock, schedule) = (intake.lock.clone(), intake.schedule.clone());
    let kept = match &options.retry {
        None => None,
        Some(retry) => match keep::fetch(pull, &lock, retry, scratch).await {
            Ok(kept) => kept,
            Err(error) => {
                broken_off(&mut reporter, &errors::told(&error, error.hint())).await;
                return Err(error);
            }
        },
    };
    let request = RunRequest {
        programs: snapshot.rules.commit.clone(),
        intake,
        repository: snapshot.repository.clone(),
        probe: snapshot.store.clone(),
        command: None,
        time_limit: options.time_limit,
        allow_red_base: options.allow_red_base,
        out: options.out,
        resume: options.resume,
        workflow: options.workflow,
        revision: None,
        kept,
    };
    let keep = options.keep.as_ref();
    follow(reporter, request, keep, (&lock, &schedule), scratch, cancel, observer).await
}

/// Runs the request and tells about it, whatever comes.
async fn follow(
    mut reporter: Reporter,
    request: RunRequest,
    keep: Option<&Keep>,
    (lock, schedule): (&Lock, &Schedule),
    scratch: &Path,
    cancel: CancellationToken,
    observer: &mut dyn Observer,
) -> Result<Reported, ConversationError> {
    let (board, mut keeper, changes) = live::board(Board::new(schedule), observer);
    let first = board_of(&board);
    if let Err(error) = reporter.begin(&first).await {
        tracing::warn!(%error, "the comment could not be written at the beginning");
    }
    let repository = request.repository.clone();
    let executed = match execution::prepare(request, scratch).await {
        Err(error) => Err(error),
        Ok(prepared) => {
            let running = async {
                let executed = prepared.run_to_end(cancel, &mut keeper).await;
                // The reporter's loop ends with the keeper.
                drop(keeper);
                executed
            };
            let (executed, ()) = tokio::join!(running, reporter.follow(&board, changes));
            executed
        }
    };
    let board = board_of(&board);
    reporter.show_subagents(&board).await;
    reporter.conclude_open(&board).await;
    match executed {
        Ok(mut executed) => {
            reporter.show_skipped(&board).await;
            let mut kept = None;
            if let Some(keep) = keep {
                kept = keep::upload(keep, &repository, &executed.folder, (lock, schedule), scratch).await;
                // Before the comment, which says that it is there. GitHub kills what does not end soon after it was cancelled.
                if executed.handoff.status == Status::Cancelled {
                    executed.handoff.provenance.set_artifact(None);
                } else if let Err(error) =
                    keep::upload_files(&keep.service, &keep.files, &executed.folder, scratch).await
                {
                    let why = errors::chain(&error);
                    tracing::warn!("the run's files could not be uploaded, and are in its folder alone: {why}");
                    executed.handoff.provenance.set_artifact(None);
                }
            }
            finish(reporter, executed, lock, kept.as_ref()).await
        }
        Err(error) => {
            let error = ConversationError::from(error);
            broken_off(&mut reporter, &errors::told(&error, error.hint())).await;
            Err(error)
        }
    }
}

fn board_of(board: &std::sync::Mutex<Board>) -> Board {
    board.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
}

/// Posts the summary and concludes the overall check.
pub(super) async fn finish(
    mut reporter: Reporter,
    executed: Executed,
    lock: &Lock,
    kept: Option<&Bound>,
) -> Result<Reported, ConversationError> {
    let handoff = &executed.handoff;
    let mut degraded: Vec<_> = reporter.checks.refused.iter().map(|why| format!("no check runs: {why}")).collect();
    let moved = head_moved(&reporter, handoff).await;
    let past = Past {
        run: reporter.pull.run_key().clone(),
        status: handoff.status.name().to_owned(),
        lock: lock.digest.short().to_owned(),
        commit: handoff.result.commit.as_str().chars().take(12).collect(),
        date: handoff.started.chars().take(10).collect(),
    };
    reporter.comment.remember(past, RunUsage::from_handoff(handoff));
    let page = final_page(reporter.pull.run_url(), moved.iter().chain(&degraded), handoff);
    let mut may_report_later = false;
    if let Err(error) = reporter.comment.write(&page, None).await {
        tracing::error!(%error, "the summary could not be posted; it is in the step summary");
        may_report_later |= error.is_of_the_platform();
        degraded.push(error.told());
    }
    degraded.extend(reporter.comment.refused().map(GithubError::told));
    let mut overall = checks::overall(handoff);
    if let Some(kept) = kept {
        checks::note_kept(&mut overall, &kept.to_string(), lock);
    }
    if let Some(id) = reporter.checks.overall
        && let Err(error) = publish::conclude(&reporter.pull, id, &overall).await
    {
        tracing::error!(%error, "the overall check run could not be concluded");
        may_report_later |= error.is_of_the_platform();
        degraded.push(error.told());
    }
    Ok(Reported { comment: reporter.comment.id(), executed, degraded, may_report_later })
}

/// Makes the page of a run that is over: what is to be said above it, where everything is, the summary as far as it
/// fits.
fn final_page<'a>(run_url: Option<&str>, notes: impl Iterator<Item = &'a String>, handoff: &Handoff) -> String {
    let mut page: String = notes.map(|note| format!("> {}\n\n", text::markdown(note))).collect();
    // Room for these notes, the history and the note about what was cut.
    let room = COMMENT_MAX_CHARS - 4_000 - page.chars().count().min(COMMENT_MAX_CHARS - 4_000);
    let complete = summary::render(handoff);
    let fits = complete.chars().count() <= room;
    if let Some(url) = run_url {
        let why = if fits { "" } else { "A comment does not hold all of this summary; it is complete there. " };
        page.push_str(&format!("> {why}[Log, step summary and artifacts of the run]({url}).\n\n"));
    }
    page.push_str(&if fits { complete } else { summary::render_within(handoff, room) });
    page
}

/// Says so when the pull request has another head by now: what was made is for the one that was approved.
async fn head_moved(reporter: &Reporter, handoff: &Handoff) -> Option<String> {
    let request = reporter.pull.github().pull_request(reporter.pull.number).await.ok()?;
    (request.head.sha != reporter.commit).then(|| {
        format!(
            "The pull request's head has moved to {} since this was approved; the implementation is for {}.",
            request.head.sha.short(),
            handoff.result.base.short()
        )
    })
}

/// Tells that a run broke off, everywhere where it was said to be at work.
async fn broken_off(reporter: &mut Reporter, error: &str) {
    let page = implementer_model::conversation::live::render_broken_off(&reporter.header, error);
    if let Err(error) = reporter.comment.write(&page, None).await {
        tracing::error!(%error, "the comment could not be updated to say that the run was interrupted");
    }
    if let Some(id) = reporter.checks.overall {
        let page = checks::broken_off(error);
        if let Err(error) = publish::conclude(&reporter.pull, id, &page).await {
            tracing::error!(%error, "the overall check run could not be concluded");
        }
    }
}
