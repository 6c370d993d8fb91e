//! A run on a pull request: approved, claimed, followed, told.

use std::{path::Path, time::Duration};

use implementer_model::{
    conversation::{
        checks,
        comment::{self, COMMENT_MAX_CHARS, Past},
        intent::{Approval, Via},
        live::{Board, LiveHeader},
        replies,
    },
    github_ids::{CommentId, RunKey},
    handoff::Handoff,
    ids::ObjectId,
    lock::Lock,
    provenance::{Provenance, PullRequestRef, WorkflowRunRef},
    schedule::Schedule,
    summary, text,
};
use tokio_util::sync::CancellationToken;

use super::{
    PlanOptions, PullRequestContext, Snapshot, approval,
    claim::{self, CheckRuns, Claim},
    error::ConversationError,
    keep::{self, Keep},
    live::{self, Reporter},
    own_comment::OwnComment,
    plan_source, preview, publish,
};
use crate::{
    coordinator::progress::Observer,
    execution::{self, Executed, Out, Resume, RunRequest},
    github::{GithubError, PullRequest, PullRequestState, Reaction},
    intake::{Intake, PlanText},
    step::gather::Bound,
};

/// What a run needs beside the pull request.
#[derive(Debug)]
pub struct RunOptions {
    /// What the user asked for beside the event.
    pub plan: PlanOptions,
    /// The task that is run again; it must be one of the plan's.
    pub retry: Option<String>,
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
    /// Where what is finished is kept for `/implement retry`; nothing where there are no artifacts.
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

/// Answers a run that was refused on the pull request.
pub(super) async fn told<T>(
    pull: &PullRequestContext,
    approval: &Approval,
    result: Result<T, ConversationError>,
) -> Result<T, ConversationError> {
    match result {
        Err(ConversationError::Refused { reason, hint }) => {
            let reply = replies::refusal(&approval.by.login, &reason, &hint);
            answer(pull, approval, &reply, Reaction::Confused).await;
            Err(ConversationError::Refused { reason, hint })
        }
        Err(error)
            if matches!(
                error,
                ConversationError::NoPlan | ConversationError::SeveralPlans(_) | ConversationError::PlanNotFound(_)
            ) || !error.diagnostics().is_empty() =>
        {
            let hint = "fix it; the comment of the Backend Implementer shows what is wrong";
            answer(pull, approval, &replies::refusal(&approval.by.login, &error.to_string(), hint), Reaction::Confused)
                .await;
            Err(error)
        }
        result => result,
    }
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
    let admitted = admit(pull, approval, &options.plan, options.retry.as_deref(), scratch, claimed).await?;
    let mut reporter = admitted.reporter(pull);
    let Admitted { snapshot, intake, .. } = admitted;
    let (lock, schedule) = (intake.lock.clone(), intake.schedule.clone());
    let kept = match &options.retry {
        None => None,
        Some(task) => match keep::fetch(pull, &lock, task, scratch).await {
            Ok(kept) => kept,
            Err(error) => {
                broken_off(&mut reporter, &error.to_string()).await;
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

/// A run that may begin: approved, and the only one at work on its pull request.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) snapshot: Snapshot,
    pub(super) intake: Intake,
    pub(super) plan: PlanText,
    checks: CheckRuns,
    header: LiveHeader,
}

impl Admitted {
    /// Makes who tells about the run.
    pub(super) fn reporter(&self, pull: &PullRequestContext) -> Reporter {
        let snapshot = &self.snapshot;
        let mut comment = OwnComment::new(pull, &snapshot.me, snapshot.own_comment());
        comment.show_lock(Some(&self.intake.lock));
        let pull_request = &snapshot.config.pull_request;
        let every = pull_request.live_comment().then(|| pull_request.update_every());
        let head = snapshot.request.head.sha.clone();
        Reporter::new(pull.clone(), head, comment, self.checks.clone(), self.header.clone(), every)
    }
}

/// Checks who asks for what, and claims the pull request.
pub(super) async fn admit(
    pull: &PullRequestContext,
    approval: &Approval,
    options: &PlanOptions,
    retry: Option<&str>,
    scratch: &Path,
    claimed: impl FnOnce(&ObjectId),
) -> Result<Admitted, ConversationError> {
    react(pull, approval, Reaction::Eyes).await;
    let snapshot = Snapshot::read(pull, options, scratch).await?;
    check_label(&snapshot, approval)?;
    if let Some((reason, hint)) = standing(&snapshot.request) {
        return Err(ConversationError::Refused { reason: reason.to_owned(), hint: hint.to_owned() });
    }
    if snapshot.request.is_from_fork() {
        let reason = "pull requests from forks are shown, never run: their code would meet this repository's secrets";
        let hint = "push the branch to this repository, and open the pull request from there";
        return Err(ConversationError::Refused { reason: reason.to_owned(), hint: hint.to_owned() });
    }
    approval::check_who(pull, &snapshot, approval).await?;
    let found = plan_source::find(pull, &snapshot, options.plan.as_deref()).await?;
    let mut intake = preview::take(&snapshot, options, &found, None)?;
    check_task(retry, &intake.schedule)?;
    let record = approval::check_what(pull, &snapshot, approval, &found, &intake.lock).await?;
    intake.provenance = Provenance {
        origin: Some(found.origin.clone()),
        approval: Some(record.clone()),
        pull_request: Some(PullRequestRef {
            repository: pull.github().settings().repository.to_string(),
            number: pull.number.get(),
            head: snapshot.request.head.sha.to_string(),
        }),
        workflow_run: pull.repository.run_key.run().map(|run| WorkflowRunRef {
            server: pull.repository.server_url.clone(),
            repository: pull.github().settings().repository.to_string(),
            run: run.get(),
        }),
    };
    let checks = match claim::claim(pull, &snapshot).await? {
        Claim::Won(checks) => checks,
        Claim::Lost { by } => {
            let url = pull.repository.page_of_run(&by);
            answer(
                pull,
                approval,
                &replies::busy(&approval.by.login, &url.unwrap_or_else(|| by.to_string())),
                Reaction::Confused,
            )
            .await;
            let reason = format!("the run {by} is at work on this pull request");
            let hint = "wait for it, or comment `/implement cancel`".to_owned();
            return Err(ConversationError::Busy { reason, hint });
        }
    };
    claimed(&snapshot.request.head.sha);
    let header = LiveHeader {
        lock: intake.lock.digest.short().to_owned(),
        plan: found.origin.name.clone(),
        run_url: pull.run_url().map(str::to_owned),
        approved_by: record.by,
    };
    Ok(Admitted { snapshot, intake, plan: found.plan, checks, header })
}

/// Says why a pull request cannot be worked on as it stands, and what to do.
fn standing(request: &PullRequest) -> Option<(&'static str, &'static str)> {
    if request.merged {
        return Some(("the pull request is merged", "put the plan on a new pull request"));
    }
    if request.state != PullRequestState::Open {
        return Some(("the pull request is closed", "reopen it, or put the plan on an open pull request"));
    }
    if request.locked {
        return Some((
            "the conversation of the pull request is locked, so that nothing could be reported there",
            "unlock the conversation",
        ));
    }
    None
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
        Ok(executed) => {
            reporter.show_skipped(&board).await;
            let kept = match keep {
                Some(keep) => keep::upload(keep, &repository, &executed.folder, (lock, schedule), scratch).await,
                None => None,
            };
            finish(reporter, executed, lock, kept.as_ref()).await
        }
        Err(error) => {
            broken_off(&mut reporter, &error.to_string()).await;
            Err(error.into())
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
    reporter.comment.remember(Past {
        run: reporter.pull.run_key().clone(),
        status: handoff.status.name().to_owned(),
        lock: lock.digest.short().to_owned(),
        commit: handoff.result.commit.as_str().chars().take(12).collect(),
        date: handoff.started.chars().take(10).collect(),
    });
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

/// Cancels the run that is at work on a pull request.
///
/// # Errors
/// When GitHub cannot be asked, or whoever asks may not.
pub async fn cancel(
    pull: &PullRequestContext,
    approval: &Approval,
    options: &PlanOptions,
    scratch: &Path,
) -> Result<String, ConversationError> {
    react(pull, approval, Reaction::Eyes).await;
    let snapshot = Snapshot::read(pull, options, scratch).await?;
    let by = &approval.by.login;
    if let Err(error) = approval::check_who(pull, &snapshot, approval).await {
        if let ConversationError::Refused { reason, hint } = &error {
            answer(pull, approval, &replies::refusal(by, reason, hint), Reaction::Confused).await;
        }
        return Err(error);
    }
    let Some(key) = at_work(pull, &snapshot).await? else {
        answer(pull, approval, &replies::nothing_to_cancel(by), Reaction::Confused).await;
        return Ok("no run is at work on this pull request".to_owned());
    };
    let result = match key.run() {
        Some(run) => pull.github().cancel_workflow_run(run).await,
        None => {
            let page = replies::cannot_cancel(by, "it was not started by a workflow; end it where it runs", None);
            answer(pull, approval, &page, Reaction::Confused).await;
            return Ok(format!("the run {key} was not started by a workflow"));
        }
    };
    match result {
        Ok(()) => {
            react(pull, approval, Reaction::Rocket).await;
            Ok(format!("the run {key} is being cancelled"))
        }
        Err(error) => {
            let url = pull.repository.page_of_run(&key);
            answer(pull, approval, &replies::cannot_cancel(by, &error.to_string(), url.as_deref()), Reaction::Confused)
                .await;
            Err(error.into())
        }
    }
}

/// How many runs that are over by their reports are asked after: a later attempt may be at work.
const CONCLUDED_ASKED: usize = 3;

/// Finds the run that is at work: by the open check run on the head, else by the claim in the comment, else by the
/// newest workflow runs, which somebody may have had run again.
async fn at_work(pull: &PullRequestContext, snapshot: &Snapshot) -> Result<Option<RunKey>, GithubError> {
    let checks = pull.github().check_runs(&snapshot.request.head.sha, Some(checks::OVERALL)).await?;
    let (open, over): (Vec<_>, Vec<_>) = checks.iter().partition(|check| claim::is_open(check));
    let mut keys: Vec<(RunKey, Option<&str>)> =
        open.iter().filter_map(|check| Some((check.run_key()?, check.started_at.as_deref()))).collect();
    let own = snapshot.own_comment().and_then(|own| Some((own.body.as_deref()?, own.updated_at.as_str())));
    if let Some((body, updated)) = own
        && let Some(key) = comment::claim(body)
    {
        keys.push((key, Some(updated)));
    }
    let past = own.map(|(body, _)| comment::history(body)).unwrap_or_default().into_iter().map(|past| past.run);
    let over = over.iter().rev().filter_map(|check| check.run_key()).chain(past);
    // Of a run on somebody's own machine nobody can ask whether it goes on.
    let mut over: Vec<_> = over.filter(|key| key.run().is_some()).collect();
    over.dedup_by(|a, b| a.is_same_run(b));
    let mut asked: Vec<RunKey> = vec![pull.run_key().clone()];
    for (key, seen) in keys {
        if asked.iter().any(|asked| asked.is_same_run(&key)) {
            continue;
        }
        if claim::is_at_work(pull, &key, seen).await {
            return Ok(Some(key));
        }
        asked.push(key);
    }
    for key in over.into_iter().take(CONCLUDED_ASKED) {
        let Some(run) = key.run().filter(|_| !asked.iter().any(|asked| asked.is_same_run(&key))) else { continue };
        if pull.github().workflow_run(run).await.is_ok_and(|run| !run.is_over()) {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

/// Refuses a label that the configuration does not name.
fn check_label(snapshot: &Snapshot, approval: &Approval) -> Result<(), ConversationError> {
    match &approval.via {
        Via::Label { name, .. } if snapshot.config.pull_request.run_label.as_deref() != Some(name) => {
            Err(ConversationError::OtherLabel(name.clone()))
        }
        _ => Ok(()),
    }
}

/// Refuses to run a task again that there is not.
fn check_task(task: Option<&str>, schedule: &Schedule) -> Result<(), ConversationError> {
    let Some(task) = task else { return Ok(()) };
    if schedule.tasks.iter().any(|other| other.id.as_str() == task) {
        return Ok(());
    }
    let ids: Vec<_> = schedule.tasks.iter().map(|task| format!("`{}`", task.id)).collect();
    let reason = format!("the plan has no task `{}`", text::plain(&text::truncate(task, 80)).replace('`', "'"));
    Err(ConversationError::Refused { reason, hint: format!("name one of {}", ids.join(", ")) })
}

/// Acknowledges a comment. A reaction that does not arrive is no reason to stop.
async fn react(pull: &PullRequestContext, approval: &Approval, reaction: Reaction) {
    if let Via::Comment { id } = approval.via
        && let Err(error) = pull.github().react(id, reaction).await
    {
        tracing::warn!(%error, "the comment could not be acknowledged");
    }
}

/// Answers a comment. Whoever started a run in another way reads the log.
async fn answer(pull: &PullRequestContext, approval: &Approval, reply: &str, reaction: Reaction) {
    if let Via::Comment { .. } = approval.via {
        react(pull, approval, reaction).await;
        if let Err(error) = pull.github().post_comment(pull.number, reply).await {
            tracing::warn!(%error, "the answer could not be posted");
        }
    }
}
