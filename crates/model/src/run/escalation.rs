//! A subagent that is blocked names a specialist: whether and in which task that one is called.

use std::collections::BTreeSet;

use super::{basis::Basis, ledger::Ledger};
use crate::{
    ids::{RequirementId, SubagentName, TaskId},
    plan::Requirement,
    report::Report,
    roster::Subagent,
    schedule::Task,
    scope::Scope,
    text,
};

/// The longest request that becomes the requirement of a task, in characters.
const REQUIREMENT_MAX: usize = 1_000;

/// The task in which a specialist is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Specialist {
    /// One that the schedule has.
    Scheduled(TaskId),
    /// One that the plan does not have.
    Added(Box<Task>),
}

/// Why a specialist is not called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error("the roster has no such subagent")]
    NotInRoster,
    #[error("it is the subagent that is blocked")]
    Itself,
    #[error("it was called for this task before, and the task is still blocked")]
    CalledBefore,
    #[error("its task `{task}` is itself waiting for `{blocked}`")]
    Waits { task: TaskId, blocked: TaskId },
    #[error("the plan has no task for it; give it a section in the plan, or set `escalate-beyond-plan`")]
    BeyondPlan,
}

/// Lists the specialists that a report names, each once with everything that it is needed for.
#[must_use]
pub(super) fn wanted(report: &Report) -> Vec<(SubagentName, String)> {
    let mut wanted: Vec<(SubagentName, String)> = Vec::new();
    for limitation in &report.limitations {
        let Some(name) = &limitation.needs else { continue };
        match wanted.iter_mut().find(|(other, _)| other == name) {
            Some((_, request)) => {
                request.push('\n');
                request.push_str(&limitation.text);
            }
            None => wanted.push((name.clone(), limitation.text.clone())),
        }
    }
    wanted
}

/// Finds the task in which a specialist is called for a blocked task.
///
/// # Errors
/// When it is not called.
pub(super) fn specialist_for(
    ledger: &Ledger,
    basis: &Basis,
    blocked: &TaskId,
    name: &SubagentName,
    request: &str,
) -> Result<Specialist, Refused> {
    let schedule = ledger.schedule();
    let subagent = basis.roster.get(name).ok_or(Refused::NotInRoster)?;
    if schedule.task(blocked).is_some_and(|task| task.subagent == *name) {
        return Err(Refused::Itself);
    }
    let mut before = ledger.escalations().iter().filter(|earlier| earlier.called.is_some());
    if before.any(|earlier| earlier.blocked == *blocked && earlier.specialist == *name) {
        return Err(Refused::CalledBefore);
    }
    if let Some(task) = schedule.tasks.iter().find(|task| task.subagent == *name) {
        if waits_for(ledger, &task.id, blocked) {
            return Err(Refused::Waits { task: task.id.clone(), blocked: blocked.clone() });
        }
        return Ok(Specialist::Scheduled(task.id.clone()));
    }
    if !basis.config.escalate_beyond_plan {
        return Err(Refused::BeyondPlan);
    }
    Ok(Specialist::Added(Box::new(new_task(ledger, basis, blocked, subagent, request))))
}

/// Tells whether `task` is blocked and, by one escalation or several, waits for `other`.
fn waits_for(ledger: &Ledger, task: &TaskId, other: &TaskId) -> bool {
    let mut seen = BTreeSet::new();
    let mut waiting = vec![task];
    while let Some(task) = waiting.pop() {
        if !seen.insert(task) {
            continue;
        }
        let called = ledger.escalations().iter().filter(|escalation| escalation.blocked == *task);
        for next in called.filter_map(|escalation| escalation.called.as_ref()) {
            if next == other {
                return true;
            }
            waiting.push(next);
        }
    }
    false
}

fn new_task(ledger: &Ledger, basis: &Basis, blocked: &TaskId, subagent: &Subagent, request: &str) -> Task {
    let id = free_id(ledger, subagent.role.name());
    let words: Vec<_> = text::plain(request).split_whitespace().map(str::to_owned).collect();
    let requirement = Requirement {
        id: RequirementId::new(format!("{id}-1")).expect("invariant: a role's name and two numbers are short"),
        text: text::truncate(&words.join(" "), REQUIREMENT_MAX),
        detail: String::new(),
        done: false,
        line: 1,
    };
    let mut deny = subagent.exclude.clone();
    deny.extend(basis.config.protected_paths());
    Task {
        title: format!("{} for {blocked}", subagent.role.title()),
        subagent: subagent.name.clone(),
        role: subagent.role,
        planned: false,
        requirements: vec![requirement],
        notes: String::new(),
        scope: Scope { allow: subagent.scope.clone(), deny: deny.into() },
        access: subagent.access,
        needs: Vec::new(),
        time_limit_s: basis.config.time_limit(&subagent.name).as_secs(),
        id,
    }
}

/// Finds the first id that no task has: the name, then the name with a number.
fn free_id(ledger: &Ledger, name: &str) -> TaskId {
    let names = (1_u32..).map(|number| if number == 1 { name.to_owned() } else { format!("{name}-{number}") });
    names
        .map(|name| TaskId::new(name).expect("invariant: a role's name with a number is an id"))
        .find(|id| ledger.schedule().task(id).is_none())
        .expect("invariant: a schedule has fewer tasks than there are numbers")
}

#[cfg(test)]
mod tests;
