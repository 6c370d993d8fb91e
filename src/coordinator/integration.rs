//! Puts what a wave made on top of each other.

use implementer_model::{
    lock::Lock,
    record::{AttemptId, IntegratedCommit},
    run::{AcceptedPatch, Integration, Run},
    schedule::Task,
    text,
};

use super::error::RunError;
use crate::{
    layout::refs,
    workspace::{
        integrate::{Head, IntegrateError},
        message::CommitMessage,
        store::RunStore,
    },
};

/// Returns what the commit of a task's patch says. It follows from the lock and the task alone, so that `verify` can
/// make the same commit again.
#[must_use]
pub fn commit_message(lock: &Lock, task: &Task, attempt: u32) -> CommitMessage {
    let asked = task.requirements.iter().map(|requirement| format!("- {}", text::line(&requirement.text)));
    let body = asked.collect::<Vec<_>>().join("\n");
    CommitMessage {
        title: task.title.clone(),
        body: if body.is_empty() { body } else { format!("Asked for\n\n{body}") },
        task: task.id.clone(),
        subagent: task.subagent.clone(),
        attempt,
        lock: lock.digest.clone(),
    }
}

/// Returns what the commit of an attempt's patch says.
pub(super) fn message_of(run: &Run, id: &AttemptId) -> CommitMessage {
    let task = run.ledger().schedule().task(&id.task).expect("invariant: only tasks of the schedule have attempts");
    commit_message(&run.basis().lock, task, id.attempt)
}

/// Puts the passed patches of a wave on top of each other.
pub(super) fn integrate(
    run: &Run,
    store: &RunStore,
    wave: usize,
    patches: Vec<AcceptedPatch>,
) -> Result<Integration, RunError> {
    let start = run.head().clone();
    let mut integration = Integration { wave, head: start, commits: Vec::new(), conflicts: Vec::new() };
    for AcceptedPatch { id, patch } in patches {
        let head = Head { commit: integration.head.commit.clone(), tree: integration.head.tree.clone() };
        match store.integrate(&head, &patch, &message_of(run, &id)) {
            Ok(integrated) => {
                integration.head.commit = integrated.commit.clone();
                integration.head.tree = integrated.tree.clone();
                integration.commits.push(IntegratedCommit {
                    patch_ref: refs::patch(&id),
                    task: id.task,
                    attempt: id.attempt,
                    commit: integrated.commit,
                    tree: integrated.tree,
                    merged: integrated.merged,
                });
            }
            Err(IntegrateError::Conflict(conflicts)) => integration.conflicts.push((id.task, conflicts)),
            Err(IntegrateError::Workspace(error)) => return Err(error.into()),
        }
    }
    Ok(integration)
}
