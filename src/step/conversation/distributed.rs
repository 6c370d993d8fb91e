//! A run on a pull request whose attempts are jobs of a workflow: told about at its beginning and at its end. In between
//! the Actions page shows the graph of the jobs itself.

use std::{path::Path, time::Duration};

use implementer_model::{
    conversation::{
        checks,
        intent::Approval,
        live::{Board, LiveHeader},
    },
    findings::Finding,
    github_ids::RunKey,
    ids::ObjectId,
};

use super::{
    ConversationError, PlanOptions, PullRequestContext, Reported,
    claim::CheckRuns,
    live::Reporter,
    own_comment::{self, OwnComment},
    run,
};
use crate::{
    execution::Executed,
    intake::{Intake, PlanText},
    workspace::store::RunStore,
};

/// A fan-out that may begin.
#[derive(Debug)]
pub struct Begun {
    /// Plan, roster, configuration, schedule and lock.
    pub intake: Intake,
    /// The plan as it came in.
    pub plan: PlanText,
    /// The commit with the rules.
    pub rules: ObjectId,
    /// The repository that was fetched.
    pub store: RunStore,
    /// Where it is.
    pub repository: std::path::PathBuf,
}

/// Checks who asks for what, claims the pull request, and says there that the run has begun.
///
/// # Errors
/// When the run is refused (which is answered on the pull request), or the outside fails.
pub async fn begin(
    pull: &PullRequestContext,
    approval: &Approval,
    options: &PlanOptions,
    retry: Option<&str>,
    scratch: &Path,
    claimed: impl FnOnce(&ObjectId),
) -> Result<Begun, ConversationError> {
    let admitted = run::admit(pull, approval, options, retry, scratch, claimed).await;
    let admitted = run::told(pull, approval, admitted).await?;
    let mut reporter = admitted.reporter(pull);
    if let Err(error) = reporter.begin(&Board::new(&admitted.intake.schedule)).await {
        tracing::warn!(%error, "the comment could not be written at the beginning");
    }
    let run::Admitted { snapshot, intake, plan, .. } = admitted;
    let rules = snapshot.rules.commit;
    Ok(Begun { intake, plan, rules, store: snapshot.store, repository: snapshot.repository })
}

/// Posts the summary of a fan-out, and concludes its check runs on `head`.
///
/// # Errors
/// When GitHub cannot be asked. What cannot be told in one place is told in another.
pub async fn conclude(
    pull: &PullRequestContext,
    head: &ObjectId,
    executed: Executed,
) -> Result<Reported, ConversationError> {
    let handoff = &executed.handoff;
    let me = pull.github().whoami().await?;
    let comments = pull.github().comments(pull.number).await?;
    let comment = OwnComment::new(pull, &me, own_comment::find(&comments, &me));
    let checks = match pull.github().check_runs(head, Some(checks::OVERALL)).await {
        Ok(found) => {
            // The attempt may be a later one than that of the job that opened it; then it was concluded once already.
            let ours = |key: RunKey| key.is_same_run(pull.run_key());
            let ours = found.iter().rev().find(|check| check.run_key().is_some_and(ours));
            CheckRuns { overall: ours.map(|check| check.id), refused: None }
        }
        Err(error) if error.is_forbidden() => CheckRuns { overall: None, refused: Some(error.told()) },
        Err(error) => return Err(error.into()),
    };
    let lock = handoff.lock.clone();
    let header = LiveHeader { lock: lock.digest.short().to_owned(), ..LiveHeader::default() };
    let no_updates: Option<Duration> = None;
    let mut reporter = Reporter::new(pull.clone(), head.to_owned(), comment, checks, header, no_updates);

    let mut board = Board::new(&handoff.schedule);
    for record in handoff.tasks.iter().filter(|record| !record.attempts.is_empty()) {
        board.started(&record.id, record.attempts.last().map_or(1, |attempt| attempt.attempt));
        let about = |finding: &&Finding| finding.task.as_ref() == Some(&record.id);
        let findings: Vec<_> = handoff.findings.iter().filter(about).cloned().collect();
        board.ended(record, &findings);
    }
    reporter.show_subagents(&board).await;
    reporter.conclude_open(&board).await;
    reporter.show_skipped(&board).await;
    run::finish(reporter, executed, &lock).await
}
