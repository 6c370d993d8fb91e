//! The last step of reading, the same for both forms: ids are given, references resolved, and what cannot be run is told.

mod circles;
mod ids;
mod named;
mod references;

use std::collections::BTreeMap;

use self::{
    ids::{RequirementIds, task_ids},
    references::{Index, lift_phases, reaches},
};
use crate::{
    diagnostics::Position,
    ids::{Digest, SubagentName, TaskId},
    limits::{TASKS_MAX, TITLE_MAX},
    plan::{
        Plan, PlannedTask,
        accounting::{Fate, Placed, What},
        directives, domains,
        draft::{Draft, Owner, TaskDraft},
        implied::implied_tasks,
        ownership::Ownership,
        shape::Dialect,
        source::Problems,
    },
    roster::{Role, Roster},
    text,
};

/// What a draft is checked against.
pub(super) struct Checking<'c> {
    pub(super) source: &'c str,
    pub(super) digest: Digest,
    pub(super) roster: &'c Roster,
    /// Whether what the plan's author could not know is no error.
    pub(super) lenient: bool,
    /// Whether the author may not know us, so that what waits is followed as far as it can be.
    pub(super) may_be_foreign: bool,
}

/// Makes the plan of a draft. It may be run when no error has been told.
///
/// What became of the requirements is added to what the reader said of the text.
pub(super) fn finish(
    draft: Draft,
    checking: &Checking<'_>,
    placed: &mut Vec<Placed>,
    problems: &mut Problems<'_>,
) -> Plan {
    let Checking { source, digest, roster, lenient, may_be_foreign } = checking;
    check_work(&draft, problems);
    let mut ids = task_ids(&draft.tasks, problems);
    let planned_by: Vec<_> = draft.tasks.iter().map(|task| task.who.as_ref().map(|who| &who.name)).collect();
    let implied = implied(&planned_by, &ids, roster);
    // Behind the plan's own tasks stand those that always run: they can be needed too.
    ids.extend(implied.iter().map(|(_, id)| id.clone()));
    let mut needs: circles::Needs = vec![BTreeMap::new(); ids.len()];
    let mut parallel = needs.clone();
    // Beyond the limit the plan is refused as it is, and resolving would take long.
    if draft.tasks.len() <= TASKS_MAX {
        let done_by = planned_by.iter().copied().chain(implied.iter().map(|(name, _)| Some(name)));
        let index = Index::new(done_by, &ids, &draft.tasks, roster, *lenient);
        for (at, task) in draft.tasks.iter().enumerate() {
            needs[at] = index.resolve(at, &task.needs, "need", problems);
            parallel[at] = index.resolve(at, &task.parallel_with, "run beside", problems);
        }
        let mut is_spoken = false;
        let count = |needs: &circles::Needs| needs.iter().map(BTreeMap::len).sum::<usize>();
        if *may_be_foreign {
            circles::weaken(&ids, &index, &mut needs, problems);
            let named = count(&needs);
            circles::add_orders(&draft.order, &ids, &index, &mut needs, problems);
            for (at, task) in draft.tasks.iter().enumerate() {
                for (other, position) in index.weak(at, &task.soft_needs, task.requirements.first(), problems) {
                    // What a text mentions is followed as far as it makes sense.
                    if reaches(&needs, other, at) {
                        index.tell_circle(&ids[at], &ids[other], position, problems);
                    } else {
                        needs[at].entry(other).or_insert(position);
                    }
                }
            }
            is_spoken = count(&needs) > named;
        }
        if *lenient {
            for (at, task) in draft.tasks.iter().enumerate() {
                for other in named::features_of(at, &draft.tasks, roster) {
                    if !reaches(&needs, other, at) {
                        needs[at].entry(other).or_insert(task.at);
                    }
                }
            }
        }
        if *lenient || is_spoken {
            let always: Vec<SubagentName> = implied.iter().map(|(name, _)| (*name).clone()).collect();
            lift_phases(&draft.tasks, &always, roster, &needs, &mut parallel);
        }
        if !*may_be_foreign {
            circles::refuse(&ids, &needs, problems);
        }
    }
    let is_done: Vec<bool> = draft.tasks.iter().map(is_done).collect();
    let stands = |at: usize| !is_done.get(at).copied().unwrap_or_default();
    let names = |targets: &BTreeMap<usize, Position>| {
        targets.keys().filter(|at| stands(**at)).map(|at| ids[*at].clone()).collect::<Vec<_>>()
    };
    let mut requirement_ids = RequirementIds::new(&draft.tasks, *lenient, problems);
    let mut tasks = Vec::with_capacity(draft.tasks.len());
    for (at, task) in draft.tasks.into_iter().enumerate() {
        let given = requirement_ids.give(&ids[at], at, task.requirements);
        for (made, range) in &given {
            let fate = if made.done {
                Fate::Done
            } else {
                Fate::Requirement { task: ids[at].clone(), requirement: made.id.clone() }
            };
            let shown = Some((made.line, made.text.clone()));
            placed.push(Placed { shown, ..Placed::new(range.clone(), What::Item(fate)) });
        }
        let touches = directives::check_globs(task.touches, problems);
        let also_touches = directives::check_globs(task.also_touches, problems);
        // A task without a subagent has been told as an error, and one whose items are all ticked needs none.
        let Some(who) = task.who.filter(|_| stands(at)) else { continue };
        tasks.push(PlannedTask {
            id: ids[at].clone(),
            subagent: who.name,
            title: text::truncate(&task.title, TITLE_MAX),
            requirements: given.into_iter().map(|(made, _)| made).collect(),
            notes: task.notes,
            touches,
            also_touches,
            needs: names(&needs[at]),
            parallel_with: names(&parallel[at]),
            owner: if let Owner::Decided(why) = task.owner { why } else { Ownership::Named },
            reviewed: task.is_cross_cutting,
            line: task.at.line,
        });
    }
    Plan {
        source: (*source).to_owned(),
        digest: digest.clone(),
        dialect: Dialect::Ours,
        dialect_is_asked: false,
        title: draft.title.map(|title| text::truncate(&title, TITLE_MAX)),
        preamble: draft.preamble,
        out_of_scope: draft.out_of_scope,
        tasks,
        verification: draft.verification,
        acceptance: draft.acceptance,
        items: Vec::new(),
        context: Vec::new(),
    }
}

/// Tells whether everything of a task is ticked.
fn is_done(task: &TaskDraft) -> bool {
    !task.requirements.is_empty() && task.requirements.iter().all(|made| made.done)
}

fn check_work(draft: &Draft, problems: &mut Problems<'_>) {
    let tasks = &draft.tasks;
    let is_empty = |task: &&TaskDraft| task.requirements.is_empty() && task.notes.is_empty();
    if tasks.is_empty() && problems.has_error() {
        // Why there is none has been told.
        return;
    }
    if tasks.iter().all(|task| is_empty(&task)) {
        let at = tasks.first().map_or_else(Position::default, |task| task.at);
        let message = if tasks.is_empty() { "the plan has no task" } else { "no task of the plan has anything to do" };
        let hint = match draft.seen.as_slice() {
            [] => "head a section with a subagent or its domain, such as `## Feature`, and list what it is to do"
                .to_owned(),
            seen => {
                let sections: Vec<_> = seen.iter().take(8).map(|title| could_be(title)).collect();
                let more = seen.len() - sections.len();
                let more = if more > 0 { format!("; and {more} more") } else { String::new() };
                format!("these sections were seen, and none is work: {}{more}", sections.join("; "))
            }
        };
        problems.error("no-work", at, message, hint);
        return;
    }
    if tasks.iter().all(is_done) {
        let count = tasks.iter().map(|task| task.requirements.len()).sum();
        let message = format!("nothing is open: the plan has {}, and all are ticked", text::count(count, "item"));
        let hint = "untick what is to be done again, or add what is missing";
        problems.error("nothing-open", tasks.first().map_or_else(Position::default, |task| task.at), message, hint);
        return;
    }
    for task in tasks.iter().filter(is_empty) {
        let hint = "list what it is to do below its heading, or leave the heading out";
        problems.warning("empty-task", task.at, "this task has nothing to do", hint);
    }
    if let Some(task) = tasks.get(TASKS_MAX) {
        let message = format!("the plan has {} tasks; at most {TASKS_MAX} can be scheduled", tasks.len());
        problems.error("too-many-tasks", task.at, message, "split the plan, or put related items under one heading");
    }
}

/// Says what a section that is no work could be made.
fn could_be(title: &str) -> String {
    let title = text::truncate(title, 40);
    if domains::role(&domains::normal(&title)).is_some() {
        return format!("`{title}` (list what it is to do below it)");
    }
    let role = domains::role_of_words(&title).map_or("Feature", Role::title);
    format!("`{title}` (head it `{role}: {title}` to make it work)")
}

/// Returns the quality tasks that always run and that the plan does not have, with the subagent that does each.
fn implied(planned_by: &[Option<&SubagentName>], ids: &[TaskId], roster: &Roster) -> Vec<(SubagentName, TaskId)> {
    let roles = planned_by.iter().flatten().filter_map(|name| Some(roster.get(name)?.role)).collect();
    let implied = implied_tasks(&roles, &ids.iter().cloned().collect()).into_iter();
    // What nobody can do is told when the schedule is made.
    implied.filter_map(|(role, id)| Some((roster.for_role(role)?.name.clone(), id))).collect()
}
