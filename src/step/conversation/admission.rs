//! Whether a run may begin: who asks for it, what for, and whether the pull request is free.

use std::path::Path;

use implementer_model::{
    conversation::{
        command::Retry,
        intent::{Approval, Via},
        live::LiveHeader,
        replies,
    },
    ids::ObjectId,
    provenance::{Provenance, PullRequestRef, WorkflowRunRef},
    schedule::Schedule,
    text,
};

use super::{
    PlanOptions, PullRequestContext, Snapshot,
    answer::{answer, react},
    approval,
    claim::{self, CheckRuns, Claim},
    error::ConversationError,
    live::Reporter,
    own_comment::OwnComment,
    plan_source, preview,
};
use crate::{
    github::{PullRequest, PullRequestState, Reaction},
    intake::{Intake, PlanText},
};

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

/// A run that somebody asks for.
#[derive(Debug, Clone, Copy)]
pub struct RunAsked<'a> {
    /// The pull request.
    pub pull: &'a PullRequestContext,
    /// Who approves, and what.
    pub approval: &'a Approval,
    /// What the workflow says about the plan.
    pub options: &'a PlanOptions,
    /// What is run again; a task of it must be one of the plan's.
    pub retry: Option<&'a Retry>,
    /// The artifact that the run's files will be, where that is known.
    pub artifact: Option<&'a str>,
    /// A folder for what is fetched.
    pub scratch: &'a Path,
}

/// Checks who asks for what, and claims the pull request. `claimed` is called once nobody else can have it.
pub(super) async fn admit(asked: RunAsked<'_>, claimed: impl FnOnce(&ObjectId)) -> Result<Admitted, ConversationError> {
    let RunAsked { pull, approval, options, retry, artifact, scratch } = asked;
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
    check_task(retry.and_then(|retry| retry.task.as_deref()), &intake.schedule)?;
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
            artifact: artifact.map(str::to_owned),
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
