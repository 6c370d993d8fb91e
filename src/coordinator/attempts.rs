//! How attempts begin, and what follows from their end.

use std::sync::Arc;

use implementer_model::{
    findings::{Finding, FindingCode, Weight},
    handoff::TaskRecord,
    ids::TaskId,
    schedule::{Again, End, Event, Outcome},
};
use tokio::sync::watch;

use super::{
    Happened, Order, Run, RunError,
    judging::{self, AttemptEnd},
    progress::{Observer, Progress},
    worker::{self, WorkerEvent},
};
use crate::layout::refs;

/// Tells whether an attempt that ended is worth another at once, why, and after how many milliseconds: a violation of
/// the scope is explained once, and what is transient is waited out.
fn retry(record: &TaskRecord, transient: bool) -> Option<(String, u64)> {
    let last = record.last()?;
    if last.outcome == Outcome::OutOfScope {
        let before = record.attempts.iter().filter(|attempt| attempt.outcome == Outcome::OutOfScope).count();
        return (before == 1).then(|| (format!("it left its scope, and is told so: {}", record.reason), 0));
    }
    // Attempts that are alike in a row; what passed in between ends the row.
    let row = record.attempts.iter().rev().take_while(|attempt| attempt.outcome == last.outcome).count();
    let tries = u32::try_from(row).unwrap_or(u32::MAX);
    (transient && tries < TRANSIENT_ATTEMPTS).then(|| {
        let wait = TRANSIENT_WAIT_MS << (tries - 1);
        (format!("what failed may be gone by now: {}", record.reason), wait)
    })
}

/// How often a task is attempted at most when what fails is transient, and the wait before the second attempt in
/// milliseconds; each further wait is twice as long.
const TRANSIENT_ATTEMPTS: u32 = 3;
const TRANSIENT_WAIT_MS: u64 = 1_000;

impl Run {
    /// Sends a worker off with everything it has to know.
    pub(super) fn start(&mut self, id: &TaskId, attempt: u32, because: String) -> Result<(), RunError> {
        let defect = |what: &str| RunError::Defect(format!("{what} of `{id}` is missing"));
        let task = self.intake.schedule.task(id).cloned().ok_or_else(|| defect("the task"))?;
        let subagent = self.intake.roster.get(&task.subagent).cloned().ok_or_else(|| defect("the subagent"))?;
        let brief = self.brief(&task, &subagent, attempt);
        if self.take_over(&task, attempt, &because, &brief)? {
            return Ok(());
        }
        let pass_environment = self.intake.config.environment(&subagent.name).into_iter().map(str::to_owned).collect();
        let base = self.head.commit.clone();
        let implementation_base = self.intake.base.commit.clone();
        let integrated = self.commits.iter().any(|commit| commit.task == task.id);
        let budget = self.reserve(&task);
        let config = &self.intake.config;
        let order = Order {
            agent: Arc::clone(self.shop.agents.of(&subagent.name)?),
            turns: subagent.max_turns(config),
            budget: budget.as_ref().copied().unwrap_or_default(),
            rules: self.intake.rules.tree.clone(),
            task,
            subagent,
            attempt,
            because,
            base,
            implementation_base,
            brief,
            integrated,
            pass_environment,
        };
        if let Err(exhausted) = budget {
            let end = judging::not_affordable(&self.shop, order, &exhausted);
            let _ = self.events.send(Happened::Worker(WorkerEvent::Ended(Box::new(end))));
            return Ok(());
        }
        if self.elsewhere.is_some() {
            self.open.push(order);
            return Ok(());
        }
        let (stop, stopped) = watch::channel(None);
        self.stops.insert(id.clone(), stop);
        let (shop, events) = (Arc::clone(&self.shop), self.events.clone());
        self.workers.spawn(async move {
            worker::work(shop, order, stopped, |event| {
                // A loop that is gone has no use for it.
                let _ = events.send(Happened::Worker(event));
            })
            .await;
        });
        Ok(())
    }

    pub(super) fn attempt_ended(
        &mut self,
        end: AttemptEnd,
        observer: &mut dyn Observer,
    ) -> Result<Vec<Event>, RunError> {
        let AttemptEnd { task, record, reason, findings, accepted, transient } = end;
        self.stops.remove(&task);
        self.settle_cost(&task, &record);
        let attempt = record.attempt;
        let end = match record.outcome {
            Outcome::Passed => End::Passed,
            Outcome::Blocked => End::Blocked,
            _ => End::Failed,
        };
        if let Some(patch) = record.patch.as_ref().filter(|patch| !patch.is_empty()) {
            let message = self.message(&task, attempt)?;
            let commit = tokio::task::block_in_place(|| self.shop.store.patch_commit(patch, &message))?;
            self.patch_refs.push((refs::patch(&task, attempt), commit));
        }
        if let Some(checked) = accepted {
            self.accepted.insert(task.clone(), checked);
        }
        let outcome = record.outcome;
        let kept = self.records.entry(task.clone()).or_insert_with(|| TaskRecord {
            id: task.clone(),
            outcome,
            reason: String::new(),
            attempts: Vec::new(),
        });
        kept.outcome = outcome;
        kept.reason = reason;
        kept.attempts.push(record);
        observer.observe(&Progress::TaskEnded { task: &task, record: kept, findings: &findings });
        let retry = retry(kept, transient);
        let report = kept.report().filter(|_| end == End::Blocked).cloned();
        let noticed = kept.last().cloned().map_or_else(Vec::new, |attempt| {
            // It reads what was changed.
            tokio::task::block_in_place(|| self.detect(&task, &attempt))
        });
        self.findings.insert(task.clone(), findings.into_iter().chain(noticed).collect());
        if self.give_up_repeaters(&task) {
            let message = "this attempt changed exactly what an earlier one had changed";
            let finding = Finding::about(&task, FindingCode::SamePatchAgain, Weight::Warning, message);
            self.findings.entry(task.clone()).or_default().push(finding);
        }
        if let Some((because, after)) = retry {
            observer.observe(&Progress::TaskAgain { task: &task, reason: &because });
            return Ok(vec![Event::Retry { task, attempt, because, after }]);
        }
        let help = report.and_then(|report| self.escalate(&task, &report, observer));
        // What follows has to be known before the wave is over.
        Ok(help.into_iter().chain([Event::Ended { task, attempt, end }]).collect())
    }

    /// Calls tasks again whose patch could not be had beside others, on what was integrated: each once.
    pub(super) fn conflicted_again(&self, failed: &[TaskId], observer: &mut dyn Observer) -> Vec<Again> {
        let once = |task: &&TaskId| {
            let record = self.records.get(*task);
            record.is_some_and(|record| {
                record.attempts.iter().filter(|attempt| !attempt.conflicts.is_empty()).count() == 1
            })
        };
        let again = |task: &TaskId| {
            let because = "its patch could not be had beside another that was integrated before it".to_owned();
            observer.observe(&Progress::TaskAgain { task, reason: &because });
            Again { task: task.clone(), because }
        };
        failed.iter().filter(once).map(again).collect()
    }
}
