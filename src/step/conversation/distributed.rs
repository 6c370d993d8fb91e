//! A run on a pull request whose attempts are jobs of a workflow: told about at its beginning and at its end. In between
//! the Actions page shows the graph of the jobs itself.

use std::{collections::BTreeMap, time::Duration};

use implementer_model::{
    conversation::{
        checks,
        live::{Board, LiveHeader},
    },
    findings::Finding,
    handoff::Handoff,
    ids::ObjectId,
    lock::Lock,
};

use super::{
    ConversationError, PullRequestContext, Reported,
    admission::{self, RunAsked},
    answer,
    claim::CheckRuns,
    live::Reporter,
    own_comment::{self, OwnComment},
    publish, run,
};
use crate::{
    execution::Executed,
    github::{CheckRun, GithubError},
    intake::{Intake, PlanText},
    step::gather::Bound,
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
pub async fn begin(asked: RunAsked<'_>, claimed: impl FnOnce(&ObjectId)) -> Result<Begun, ConversationError> {
    let admitted = admission::admit(asked, claimed).await;
    let admitted = answer::told(asked.pull, asked.approval, admitted).await?;
    let mut reporter = admitted.reporter(asked.pull);
    if let Err(error) = reporter.begin(&Board::new(&admitted.intake.schedule)).await {
        tracing::warn!(%error, "the comment could not be written at the beginning");
    }
    let admission::Admitted { snapshot, intake, plan, .. } = admitted;
    let rules = snapshot.rules.commit;
    Ok(Begun { intake, plan, rules, store: snapshot.store, repository: snapshot.repository })
}

/// Posts the summary of a fan-out, and concludes its check runs on `head`. `kept` is the artifact with what it finished.
///
/// # Errors
/// When GitHub cannot be asked. What cannot be told in one place is told in another.
pub async fn conclude(
    pull: &PullRequestContext,
    head: &ObjectId,
    executed: Executed,
    kept: Option<&Bound>,
) -> Result<Reported, ConversationError> {
    let handoff = &executed.handoff;
    let me = pull.github().whoami().await?;
    let comments = pull.github().comments(pull.number).await?;
    let mut comment = OwnComment::new(pull, &me, own_comment::find(&comments, &me));
    let mut earlier = BTreeMap::new();
    let checks = match pull.github().check_runs(head, None).await {
        Ok(found) => {
            // The attempt may be a later one than that of the job that opened it, and may find it concluded.
            let ours = |check: &&CheckRun| check.run_key().is_some_and(|key| key.is_same_run(pull.run_key()));
            let ours: Vec<_> = found.iter().filter(ours).collect();
            let overall = ours.iter().filter(|check| check.name == checks::OVERALL).max_by_key(|check| check.id);
            earlier = ours.iter().map(|check| (check.name.clone(), check.id)).collect();
            CheckRuns { overall: overall.map(|check| check.id), refused: None }
        }
        Err(error) if error.is_forbidden() => CheckRuns { overall: None, refused: Some(error.told()) },
        Err(error) => return Err(error.into()),
    };
    let lock = handoff.lock.clone();
    comment.show_lock(Some(&lock));
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
    reporter.take_over(&board, &earlier);
    reporter.show_subagents(&board).await;
    reporter.conclude_open(&board).await;
    reporter.show_skipped(&board).await;
    run::finish(reporter, executed, &lock, kept).await
}

/// Returns the artifact with what the last run of this lock finished, as its overall check names it.
///
/// # Errors
/// When GitHub cannot be asked.
pub async fn kept_by_last_run(pull: &PullRequestContext, lock: &Lock) -> Result<Option<Bound>, GithubError> {
    let checks = pull.github().check_runs(&lock.base, Some(checks::OVERALL)).await?;
    let newest_first = checks.iter().rev().filter_map(|check| check.output.as_ref()?.summary.as_deref());
    Ok(newest_first.filter_map(|summary| checks::kept(summary, lock)).find_map(Bound::parse))
}

/// Reports the overall check on the commit of a complete result, once that is on GitHub.
///
/// # Errors
/// When GitHub cannot be told.
pub async fn report_result(pull: &PullRequestContext, handoff: &Handoff) -> Result<(), GithubError> {
    let key = pull.run_key().to_string();
    let page = checks::overall(handoff);
    publish::create_concluded(&pull.repository, &handoff.result.commit, checks::OVERALL, &key, &page).await
}
