//! From plan, roster and configuration to a schedule.

use std::collections::HashSet;

use super::{
    Schedule, Serialised, Task, Wave,
    draft::{Draft, error_at},
    order::Order,
    scopes, waves, widening,
};
use crate::{
    config::Config,
    diagnostics::{self, Diagnostic},
    ids::TaskId,
    plan::{Plan, PlannedTask, implied_tasks},
    roster::{Access, Role, Roster, Subagent},
    scope::{Overlaps, Scope},
};

/// Makes the schedule: which tasks there are, what each may touch, and in which waves they run.
///
/// `protected` are the globs of paths that no subagent may touch, and `files` the paths of the base tree, as far as
/// [`asks_for_files`](super::asks_for_files) asks for them. The same input always gives the same schedule.
///
/// - The three quality tasks are added where the plan has none of that role.
/// - A task comes after those that it needs, after all tasks of earlier phases, and within the quality phase tests come
///   before review before validation. `parallel_with` lifts the order of phases between two tasks, in both directions;
///   it lifts neither a need nor what follows through a third task.
/// - Tasks whose scopes may meet are put into different waves, in the order of the plan.
/// - A task of a catch-all subagent (one that may touch `**`) for which the plan gives no paths leaves the paths of the
///   other subagents' tasks in its phase to them.
/// - A task whose subagent's usual paths have no file in the repository may touch the code that is there.
///
/// # Errors
/// With everything that is wrong, in the order of the lines: `unknown-subagent`, `no-subagent`, `duplicate-id`,
/// `unknown-need`, `unknown-parallel-task`, `needs-later-phase`, `cycle`, `invalid-glob`, `touches-excluded`.
pub fn build(
    plan: &Plan,
    roster: &Roster,
    config: &Config,
    protected: &[String],
    files: &[String],
) -> Result<Schedule, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let mut drafts = drafts(plan, roster, config, &mut problems);
    scopes::assign(plan, roster, protected, &mut drafts, &mut problems);
    let widened = widening::widen(roster, protected, files, &mut drafts);
    let order = Order::new(plan, &drafts, &mut problems);
    if problems.iter().any(Diagnostic::is_error) {
        diagnostics::sort(&mut problems);
        return Err(problems);
    }

    let mut overlaps = Overlaps::new(drafts.iter().map(|draft| &draft.task.scope));
    let placed = waves::place(&order, |a, b| overlaps.between(a, b));
    let id = |at: usize| drafts[at].task.id.clone();
    let wave = |(at, members): (usize, &Vec<usize>)| Wave {
        number: at + 1,
        phase: members.iter().map(|at| drafts[*at].task.phase()).max().expect("invariant: no wave is empty"),
        tasks: members.iter().copied().map(id).collect(),
    };
    let serialised = placed.serialised.into_iter();
    let roles: HashSet<Role> = drafts.iter().map(|draft| draft.task.role).collect();
    Ok(Schedule {
        waves: placed.waves.iter().enumerate().map(wave).collect(),
        serialised: serialised
            .map(|(first, then, because)| Serialised { first: id(first), then: id(then), because })
            .collect(),
        widened,
        not_needed: Role::ALL.into_iter().filter(|role| role.gate().is_none() && !roles.contains(role)).collect(),
        concurrency: config.concurrency(),
        tasks: placed.waves.iter().flatten().map(|at| drafts[*at].task.clone()).collect(),
    })
}

/// Makes the plan's tasks and the quality tasks that it lacks, without their scopes, in the order of the plan.
fn drafts<'a>(plan: &'a Plan, roster: &'a Roster, config: &Config, problems: &mut Vec<Diagnostic>) -> Vec<Draft<'a>> {
    let mut taken: HashSet<TaskId> = HashSet::new();
    let mut roles: HashSet<Role> = HashSet::new();
    let mut drafts = Vec::with_capacity(plan.tasks.len() + 3);
    for planned in &plan.tasks {
        if !taken.insert(planned.id.clone()) {
            let message = format!("there are two tasks `{}`", planned.id);
            problems
                .push(error_at(plan, Some(planned.line), "duplicate-id", message).hint("give one of them another id"));
            continue;
        }
        let Some(subagent) = roster.get(&planned.subagent) else {
            let message = format!("the roster has no subagent `{}`", planned.subagent);
            let diagnostic = error_at(plan, Some(planned.line), "unknown-subagent", message);
            let names = roster.iter().map(|subagent| subagent.name.as_str());
            problems.push(match crate::text::nearest(planned.subagent.as_str(), names) {
                Some(name) => diagnostic.hint(format!("did you mean `{name}`?")),
                None => diagnostic,
            });
            continue;
        };
        roles.insert(subagent.role);
        drafts.push(planned_draft(planned, subagent, config));
    }
    for (role, id) in implied_tasks(&roles, &taken) {
        let Some(subagent) = roster.for_role(role) else {
            let message = format!("the roster has no subagent for {}, which always runs", role.title());
            problems.push(error_at(plan, None, "no-subagent", message));
            continue;
        };
        drafts.push(Draft {
            task: Task {
                id,
                subagent: subagent.name.clone(),
                role,
                title: role.title().to_owned(),
                planned: false,
                requirements: Vec::new(),
                notes: String::new(),
                scope: Scope { allow: Vec::new(), deny: [].into() },
                access: subagent.access,
                needs: Vec::new(),
                time_limit_s: config.time_limit(&subagent.name).as_secs(),
            },
            subagent,
            touches: &[],
            also_touches: &[],
            parallel_with: &[],
            line: None,
        });
    }
    drafts
}

fn planned_draft<'a>(planned: &'a PlannedTask, subagent: &'a Subagent, config: &Config) -> Draft<'a> {
    // What reads only may touch nothing, whatever the plan grants.
    let (touches, also_touches): (&[_], &[_]) = match subagent.access {
        Access::ReadOnly => (&[], &[]),
        Access::Writes => (&planned.touches, &planned.also_touches),
    };
    let mut needs: Vec<TaskId> = Vec::with_capacity(planned.needs.len());
    for need in &planned.needs {
        if !needs.contains(need) {
            needs.push(need.clone());
        }
    }
    Draft {
        task: Task {
            id: planned.id.clone(),
            subagent: subagent.name.clone(),
            role: subagent.role,
            title: planned.title.clone(),
            planned: true,
            requirements: planned.requirements.clone(),
            notes: planned.notes.clone(),
            scope: Scope { allow: Vec::new(), deny: [].into() },
            access: subagent.access,
            needs,
            time_limit_s: config.time_limit(&subagent.name).as_secs(),
        },
        subagent,
        touches,
        also_touches,
        parallel_with: &planned.parallel_with,
        line: Some(planned.line),
    }
}

#[cfg(test)]
mod tests;
