//! What a plan would do, shown before anybody approves it. Runs nothing.

use std::path::Path;

use implementer_model::{
    conversation::{checks, comment, preview as pages, replies},
    diagnostics::Diagnostic,
    estimate::{Estimate, estimate},
    github_ids::CommentId,
    lock::Lock,
    schedule::Schedule,
};

use super::{
    PlanOptions, PullRequestContext, Snapshot, claim,
    error::ConversationError,
    overall,
    own_comment::{self, OwnComment},
    plan_source, publish,
};
use crate::{
    github::{GithubError, Reaction},
    intake::{self, Intake, IntakeError, Sources},
};

/// How many earlier runs an estimate rests on at most.
const EARLIER_RUNS: usize = 5;

/// What there is of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanState {
    /// There is none, and nobody says that there should be.
    None,
    /// It cannot be told which it is, or it is wrong.
    Wrong,
    /// It can run.
    Ready,
}

/// What was shown.
#[derive(Debug)]
pub struct Previewed {
    /// What there is of a plan.
    pub plan: PlanState,
    /// The page, as Markdown.
    pub page: String,
    /// The lock, the schedule, the plan's name; none when there is nothing that could run.
    pub ready: Option<(Lock, Schedule)>,
    /// What is wrong with the plan, and with which file of the head commit.
    pub problems: Vec<Diagnostic>,
    /// The plan's path in the head commit, where it is a file.
    pub plan_path: Option<String>,
    /// The comment, where there is one.
    pub comment: Option<CommentId>,
    /// What could not be reported where people look, and why.
    pub degraded: Vec<String>,
}

/// Shows what the plan of a pull request would do. `asked` is the comment that asks for it, and who wrote it.
///
/// # Errors
/// When GitHub cannot be asked, or the commits cannot be fetched. A plan that is wrong, or missing, is shown.
pub async fn preview(
    pull: &PullRequestContext,
    options: &PlanOptions,
    scratch: &Path,
    asked: Option<(CommentId, &str)>,
) -> Result<Previewed, ConversationError> {
    if let Some((comment, _)) = asked
        && let Err(error) = pull.github().react(comment, Reaction::Eyes).await
    {
        tracing::warn!(%error, "the comment could not be acknowledged");
    }
    // When the base branch's configuration is wrong, whoever reads the workflow's log can mend it.
    let snapshot = Snapshot::read(pull, options, scratch).await?;
    let mut shown = page(pull, &snapshot, options).await?;
    if let (PlanState::None, Some((_, login))) = (shown.plan, asked) {
        pull.github().post_comment(pull.number, &replies::no_plan(login)).await?;
    }
    if let Err(error) = publish(pull, &snapshot, &mut shown).await {
        tracing::warn!(%error, "the preview is in the step summary only");
        shown.degraded.push(error.told());
    }
    Ok(shown)
}

/// Takes in the plan of a pull request. Writes nothing on GitHub.
///
/// # Errors
/// When there is no plan, it is wrong, or GitHub cannot be asked.
pub async fn look(
    pull: &PullRequestContext,
    options: &PlanOptions,
    scratch: &Path,
) -> Result<Intake, ConversationError> {
    let snapshot = Snapshot::read(pull, options, scratch).await?;
    let found = plan_source::find(pull, &snapshot, options.plan.as_deref()).await?;
    let mut intake = take(&snapshot, options, &found, None)?;
    intake.provenance.origin = Some(found.origin);
    Ok(intake)
}

/// Makes the page. Writes nothing.
async fn page(
    pull: &PullRequestContext,
    snapshot: &Snapshot,
    options: &PlanOptions,
) -> Result<Previewed, ConversationError> {
    let mut notes = Vec::new();
    if snapshot.request.is_from_fork() {
        notes.push(pages::fork_note());
    }
    let found = match plan_source::find(pull, snapshot, options.plan.as_deref()).await {
        Ok(found) => found,
        Err(ConversationError::NoPlan) => {
            return Ok(Previewed::nothing(PlanState::None, pages::render_no_plan(&notes)));
        }
        Err(error @ (ConversationError::SeveralPlans(_) | ConversationError::PlanNotFound(_))) => {
            // A workflow that names a path asks for it on every pull request; most have no plan.
            let plan = match error {
                ConversationError::PlanNotFound(_) => PlanState::None,
                _ => PlanState::Wrong,
            };
            notes.push(implementer_model::text::markdown(&error.to_string()));
            return Ok(Previewed::nothing(plan, pages::render_no_plan(&notes)));
        }
        Err(error) => return Err(error),
    };
    let origin = pages::Source {
        name: &found.origin.name,
        url: found.origin.url.as_deref(),
        author: found.origin.author.as_deref(),
    };
    match take(snapshot, options, &found, None) {
        Ok(intake) => {
            let expected = expected(pull, snapshot, &intake.schedule).await;
            let page = pages::render(&pages::Preview {
                plan: &intake.plan,
                schedule: &intake.schedule,
                lock: &intake.lock,
                config: &intake.config,
                warnings: &intake.warnings,
                source: &origin,
                notes: &notes,
                estimate: expected.as_ref(),
            });
            Ok(Previewed {
                plan: PlanState::Ready,
                page,
                ready: Some((intake.lock, intake.schedule)),
                problems: intake.warnings,
                plan_path: found.path,
                comment: None,
                degraded: Vec::new(),
            })
        }
        Err(IntakeError::Invalid(problems)) => Ok(Previewed {
            plan: PlanState::Wrong,
            page: pages::render_problems(&problems, &origin, &notes),
            ready: None,
            problems,
            plan_path: found.path,
            comment: None,
            degraded: Vec::new(),
        }),
        Err(error) => Err(error.into()),
    }
}

/// Estimates what a plan takes from what comments of ours, on this pull request and on others, say of their last runs.
async fn expected(pull: &PullRequestContext, snapshot: &Snapshot, schedule: &Schedule) -> Option<Estimate> {
    let others = match pull.github().newest_comments().await {
        Ok(comments) => comments,
        // An estimate is a courtesy: the limits are there without it.
        Err(error) => {
            tracing::info!(%error, "the estimate does without earlier runs of other pull requests");
            Vec::new()
        }
    };
    let here = snapshot.own_comment();
    let elsewhere = others
        .iter()
        .filter(|comment| own_comment::is_ours(comment, &snapshot.me) && here.is_none_or(|here| here.id != comment.id));
    let runs: Vec<_> =
        here.into_iter().chain(elsewhere).filter_map(|found| comment::used(found.body.as_deref()?)).collect();
    estimate(schedule, &runs[..runs.len().min(EARLIER_RUNS)])
}

/// Takes the plan in, by the rules of the base branch.
pub(super) fn take(
    snapshot: &Snapshot,
    options: &PlanOptions,
    found: &plan_source::FoundPlan,
    lock: Option<&str>,
) -> Result<Intake, IntakeError> {
    intake::take(
        &snapshot.store,
        &Sources {
            base: snapshot.head.commit.as_str(),
            rules: Some(snapshot.rules.commit.as_str()),
            plan: &found.plan,
            config: &options.config,
            agent: options.agent.as_ref(),
            concurrency: options.concurrency,
            lock,
        },
    )
}

async fn publish(pull: &PullRequestContext, snapshot: &Snapshot, shown: &mut Previewed) -> Result<(), GithubError> {
    let found = snapshot.own_comment();
    // The comment tells of a run that is going on; the preview must not write over it.
    let claimed = found.and_then(|comment| comment.body.as_deref()).and_then(comment::claim);
    let at_work = match (&claimed, found) {
        (Some(key), Some(found)) => claim::is_at_work(pull, key, Some(&found.updated_at)).await,
        _ => false,
    };
    // The check run first: it is what a later approval without a lock is held against.
    if snapshot.config.pull_request.checks() {
        let ready = shown.ready.as_ref().map(|(lock, schedule)| (lock, schedule));
        let page = checks::of_plan(&shown.problems, shown.plan_path.as_deref(), ready);
        let lock = shown.ready.as_ref().map_or("", |(lock, _)| lock.digest.as_str());
        match publish::create_concluded(&pull.repository, &snapshot.request.head.sha, checks::PLAN, lock, &page).await {
            Err(error) if error.is_forbidden() => shown.degraded.push(error.told()),
            result => result?,
        }
        match overall::report(pull, snapshot, shown.plan).await {
            Err(error) if error.is_forbidden() => {}
            result => result?,
        }
    }
    if found.is_none() && shown.plan == PlanState::None {
        // Comments notify everybody who takes part.
        return Ok(());
    }
    if at_work {
        shown
            .degraded
            .push("a run is at work, and the comment shows it; this preview is in the step summary".to_owned());
        return Ok(());
    }
    let mut comment = OwnComment::new(pull, &snapshot.me, found);
    comment.show_lock(shown.ready.as_ref().map(|(lock, _)| lock));
    comment.write(&shown.page, None).await?;
    shown.comment = comment.id();
    shown.degraded.extend(comment.refused().map(GithubError::told));
    Ok(())
}

impl Previewed {
    fn nothing(plan: PlanState, page: String) -> Self {
        Self { plan, page, ready: None, problems: Vec::new(), plan_path: None, comment: None, degraded: Vec::new() }
    }
}
