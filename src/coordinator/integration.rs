//! Puts what a wave made on top of each other, and sums up what a phase came to.

use std::collections::{BTreeMap, BTreeSet};

use implementer_model::{
    findings::{Finding, FindingCode, Weight},
    handoff::{IntegratedCommit, Synthesis},
    ids::TaskId,
    lock::Lock,
    patch::Conflict,
    roster::Phase,
    schedule::{Outcome, Task},
};

use super::{
    Run, RunError,
    progress::{Observer, Progress},
};
use crate::layout::refs;
use crate::{
    journal::Record,
    workspace::{
        integrate::{Head, IntegrateError},
        message::CommitMessage,
    },
};

/// Returns what the commit of a task's patch says. It follows from the lock and the task alone, so that `verify` can
/// make the same commit again.
#[must_use]
pub fn commit_message(lock: &Lock, task: &Task, attempt: u32) -> CommitMessage {
    CommitMessage {
        title: task.title.clone(),
        body: String::new(),
        task: task.id.clone(),
        subagent: task.subagent.clone(),
        attempt,
        lock: lock.digest.clone(),
    }
}

impl Run {
    pub(super) fn message(&self, task: &TaskId, attempt: u32) -> Result<CommitMessage, RunError> {
        let task = self.intake.schedule.task(task);
        let task = task.ok_or_else(|| RunError::Defect("a task that is not scheduled ended".to_owned()))?;
        Ok(commit_message(&self.intake.lock, task, attempt))
    }

    /// Puts the passed patches of a wave on top of each other. Gives the tasks whose patch could not be had.
    pub(super) async fn integrate(
        &mut self,
        wave: usize,
        tasks: &[TaskId],
        observer: &mut dyn Observer,
    ) -> Result<Vec<TaskId>, RunError> {
        let mut failed = Vec::new();
        let mut commits = Vec::new();
        for task in tasks {
            let Some(checked) = self.accepted.remove(task) else { continue };
            if checked.patch().is_empty() {
                continue;
            }
            let attempt = self.records.get(task).map_or(1, |record| u32::try_from(record.attempts.len()).unwrap_or(1));
            let message = self.message(task, attempt)?;
            let integrated = tokio::task::block_in_place(|| self.shop.store.integrate(&self.head, &checked, &message));
            match integrated {
                Ok(integrated) => {
                    self.head = Head { commit: integrated.commit.clone(), tree: integrated.tree.clone() };
                    commits.push(IntegratedCommit {
                        task: task.clone(),
                        attempt,
                        commit: integrated.commit,
                        tree: integrated.tree,
                        patch_ref: refs::patch(task, attempt),
                        merged: integrated.merged,
                    });
                }
                Err(IntegrateError::Conflict(conflicts)) => {
                    self.conflicted(task, conflicts);
                    failed.push(task.clone());
                }
                Err(IntegrateError::Workspace(error)) => return Err(error.into()),
            }
        }
        observer.observe(&Progress::Integrated { wave, commits: commits.len() });
        let head = self.head.commit.clone();
        self.journal.append(self.shop.now_ms(), Record::Integrated { wave, commits: commits.clone(), head });
        self.commits.extend(commits);
        // What the next wave builds on has to survive a crash before the next wave begins.
        self.journal.sync().await?;
        Ok(failed)
    }

    /// Writes down that a patch could not be had beside those that were integrated before it.
    fn conflicted(&mut self, task: &TaskId, conflicts: Vec<Conflict>) {
        let paths: Vec<_> = conflicts.iter().map(|conflict| conflict.path.as_str()).collect();
        let reason =
            format!("its patch and one that was integrated before it change the same places: {}", paths.join(", "));
        let finding = Finding::about(task, FindingCode::Conflict, Weight::Blocking, reason.clone());
        self.findings.entry(task.clone()).or_default().push(finding);
        if let Some(record) = self.records.get_mut(task) {
            record.outcome = Outcome::Conflicted;
            record.reason = reason;
            if let Some(attempt) = record.attempts.last_mut() {
                attempt.outcome = Outcome::Conflicted;
                attempt.conflicts = conflicts;
            }
        }
    }

    /// Sums up what a phase came to.
    pub(super) fn synthesise(&mut self, phase: Phase) {
        let schedule = &self.intake.schedule;
        let of_phase = |id: &TaskId| schedule.task(id).is_some_and(|task| task.phase() == phase);
        let mut synthesis = Synthesis {
            phase,
            tree: self.head.tree.clone(),
            tasks: BTreeMap::new(),
            files_changed: 0,
            lines_added: 0,
            lines_removed: 0,
        };
        for task in schedule.tasks.iter().filter(|task| task.phase() == phase) {
            let outcome = self.records.get(&task.id).map_or(Outcome::NotRun, |record| record.outcome);
            synthesis.tasks.insert(task.id.clone(), outcome);
        }
        let mut paths = BTreeSet::new();
        for commit in self.commits.iter().filter(|commit| of_phase(&commit.task)) {
            let attempts = self.records.get(&commit.task).map_or(&[][..], |record| &record.attempts);
            let made = attempts.iter().find(|attempt| attempt.attempt == commit.attempt);
            let Some(patch) = made.and_then(|attempt| attempt.patch.as_ref()) else { continue };
            let (added, removed) = patch.line_counts();
            synthesis.lines_added += added;
            synthesis.lines_removed += removed;
            paths.extend(patch.changes.iter().map(|change| change.path.as_str()));
        }
        synthesis.files_changed = paths.len();
        self.synthesis.retain(|earlier| earlier.phase != phase);
        self.synthesis.push(synthesis);
        self.synthesis.sort_by_key(|synthesis| synthesis.phase);
    }
}
