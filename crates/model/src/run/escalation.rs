//! A subagent that is blocked names a specialist: whether and in which task that one is called.

use std::collections::BTreeSet;

use super::{basis::Basis, ledger::Ledger};
use crate::{
    ids::{RequirementId, SubagentName, TaskId},
    plan::Requirement,
    record::{Outcome, TaskRecord},
    report::{ClaimStatus, Report},
    roster::{Access, Subagent},
    schedule::Task,
    scope::Scope,
    text,
};

/// The longest request that becomes the requirement of a task, in characters.
const REQUIREMENT_MAX: usize = 1_000;

/// How often one specialist is called for one task, each time in another task of its own.
const CALLS_MAX: usize = 2;

/// The shortest word by which a request and a task are held to be about the same, in characters.
const WORD_MIN: usize = 3;

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
    #[error(
        "its task `{task}` runs only after `{blocked}`, so that neither could begin; the plan says who needs whom with `Needs:`"
    )]
    Needs { task: TaskId, blocked: TaskId },
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

/// Finds the task in which a specialist is called for a blocked task: of several the one that the request is about.
/// `can_begin` tells whether everything that a task needs is there, or comes with the group that runs.
///
/// # Errors
/// When it is not called.
pub(super) fn specialist_for(
    ledger: &Ledger,
    basis: &Basis,
    blocked: &TaskId,
    name: &SubagentName,
    request: &str,
    can_begin: impl Fn(&Task) -> bool,
) -> Result<Specialist, Refused> {
    let schedule = ledger.schedule();
    let subagent = basis.roster.get(name).ok_or(Refused::NotInRoster)?;
    if schedule.task(blocked).is_some_and(|task| task.subagent == *name) {
        return Err(Refused::Itself);
    }
    let earlier =
        ledger.escalations().iter().filter(|earlier| earlier.blocked == *blocked && earlier.specialist == *name);
    let called: Vec<&TaskId> = earlier.filter_map(|earlier| earlier.called.as_ref()).collect();
    let of_specialist: Vec<&Task> = schedule.tasks.iter().filter(|task| task.subagent == *name).collect();
    if called.len() >= CALLS_MAX.min(of_specialist.len().max(1)) {
        return Err(Refused::CalledBefore);
    }
    if let Some(first) = of_specialist.first() {
        let fresh = of_specialist.iter().filter(|task| !called.contains(&&task.id));
        let free: Vec<&Task> = fresh.copied().filter(|task| waits_for(ledger, &task.id, blocked).is_none()).collect();
        return match closest(&free, request, can_begin) {
            Some(task) => Ok(Specialist::Scheduled(task.id.clone())),
            None => Err(waits_for(ledger, &first.id, blocked).unwrap_or(Refused::CalledBefore)),
        };
    }
    if !basis.config.escalate_beyond_plan {
        return Err(Refused::BeyondPlan);
    }
    Ok(Specialist::Added(Box::new(new_task(ledger, basis, blocked, subagent, request))))
}

/// Tells whether `task` waits for `other`: it is blocked and its specialist waits, by one call or several, or the plan lets it
/// begin only after the other. Gives why it is not called then.
fn waits_for(ledger: &Ledger, task: &TaskId, other: &TaskId) -> Option<Refused> {
    let mut seen = BTreeSet::new();
    let mut waiting = vec![task];
    while let Some(next) = waiting.pop() {
        if !seen.insert(next) {
            continue;
        }
        let called = ledger.escalations().iter().filter(|escalation| escalation.blocked == *next);
        waiting.extend(called.filter_map(|escalation| escalation.called.as_ref()));
        if !has_passed(ledger.record(next)) {
            let needs = ledger.schedule().task(next).into_iter().flat_map(|task| &task.needs);
            waiting.extend(needs);
        }
        if next != task && next == other {
            let directly = ledger.schedule().task(task).is_some_and(|task| task.needs.contains(other));
            let (task, blocked) = (task.clone(), other.clone());
            return Some(if directly { Refused::Needs { task, blocked } } else { Refused::Waits { task, blocked } });
        }
    }
    None
}

/// Tells whether the last attempt at a task passed.
pub(super) fn has_passed(record: Option<&TaskRecord>) -> bool {
    record.is_some_and(|record| record.outcome == Outcome::Passed)
}

/// Finds the task whose words the request has most of, leaving out those that all of these tasks have; of equals the first,
/// and such as can begin before such as cannot.
fn closest<'a>(tasks: &[&'a Task], request: &str, can_begin: impl Fn(&Task) -> bool) -> Option<&'a Task> {
    let request = words(request);
    let of_tasks: Vec<BTreeSet<String>> = tasks.iter().map(|task| words_of(task)).collect();
    let tells_apart = |word: &&String| !of_tasks.iter().all(|words| words.contains(*word));
    let shared = |at: usize| of_tasks[at].intersection(&request).filter(tells_apart).count();
    let best = (0..tasks.len()).max_by_key(|at| (can_begin(tasks[*at]), shared(*at), std::cmp::Reverse(*at)))?;
    Some(tasks[best])
}

fn words_of(task: &Task) -> BTreeSet<String> {
    let requirements = task.requirements.iter().flat_map(|requirement| [&requirement.text, &requirement.detail]);
    [&task.title, &task.notes].into_iter().chain(requirements).flat_map(|text| words(text)).collect()
}

/// Returns the words of a text, small, and without the letter that most plurals end with.
fn words(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
    let words = words.map(|word| word.strip_suffix('s').map(str::to_owned).unwrap_or(word));
    words.filter(|word| word.chars().count() >= WORD_MIN).collect()
}

/// Tells whether a task that passed has left something undone that it names a specialist for.
#[must_use]
pub(super) fn wants_help(task: &Task, report: &Report) -> bool {
    let undone = |status| matches!(status, ClaimStatus::Partial | ClaimStatus::NotDone);
    task.access == Access::Writes
        && report.requirements.iter().any(|claim| undone(claim.status))
        && report.limitations.iter().any(|limitation| limitation.needs.is_some())
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
