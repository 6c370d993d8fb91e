//! The last step of reading, the same for both forms: ids are given, references resolved, and what cannot be run is told.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::{
    cycles,
    diagnostics::Position,
    ids::{Digest, NAME_MAX, RequirementId, SubagentName, TaskId},
    limits::TASKS_MAX,
    plan::{
        Plan, PlannedTask, Requirement, directives, domains,
        draft::{Draft, RequirementDraft, TaskDraft, Word},
        implied::implied_tasks,
        source::Problems,
    },
    roster::Roster,
    text,
};

/// Makes the plan of a draft. It may be run when no error has been told.
pub(super) fn finish(draft: Draft, source: &str, digest: Digest, roster: &Roster, problems: &mut Problems<'_>) -> Plan {
    check_work(&draft.tasks, problems);
    let mut ids = task_ids(&draft.tasks, problems);
    let planned_by: Vec<_> = draft.tasks.iter().map(|task| task.who.as_ref().map(|who| &who.name)).collect();
    let implied = implied(&planned_by, &ids, roster);
    // Behind the plan's own tasks stand those that always run: they can be needed too.
    ids.extend(implied.iter().map(|(_, id)| id.clone()));
    let mut needs = vec![BTreeMap::new(); ids.len()];
    let mut parallel = needs.clone();
    // Beyond the limit the plan is refused as it is, and resolving would take long.
    if draft.tasks.len() <= TASKS_MAX {
        let done_by = planned_by.into_iter().chain(implied.iter().map(|(name, _)| Some(name)));
        let index = Index::new(done_by, &ids, roster);
        for (at, task) in draft.tasks.iter().enumerate() {
            needs[at] = index.resolve(at, &task.needs, "need", problems);
            parallel[at] = index.resolve(at, &task.parallel_with, "run beside", problems);
        }
        check_cycles(&ids, &needs, problems);
    }
    let names = |targets: &BTreeMap<usize, Position>| targets.keys().map(|at| ids[*at].clone()).collect::<Vec<_>>();
    let mut requirement_ids = RequirementIds::new(&draft.tasks, problems);
    let mut tasks = Vec::with_capacity(draft.tasks.len());
    for (at, task) in draft.tasks.into_iter().enumerate() {
        let requirements = requirement_ids.give(&ids[at], at, task.requirements);
        let touches = directives::check_globs(task.touches, problems);
        // A task without a subagent has been told as an error.
        let Some(who) = task.who else { continue };
        tasks.push(PlannedTask {
            id: ids[at].clone(),
            subagent: who.name,
            title: task.title,
            requirements,
            notes: task.notes,
            touches,
            needs: names(&needs[at]),
            parallel_with: names(&parallel[at]),
            line: task.at.line,
        });
    }
    Plan {
        source: source.to_owned(),
        digest,
        title: draft.title,
        preamble: draft.preamble,
        tasks,
        verification: draft.verification,
        acceptance: draft.acceptance,
    }
}

fn check_work(tasks: &[TaskDraft], problems: &mut Problems<'_>) {
    let is_empty = |task: &&TaskDraft| task.requirements.is_empty() && task.notes.is_empty();
    if tasks.iter().all(|task| is_empty(&task)) {
        let at = tasks.first().map_or(Position { line: 1, column: 1 }, |task| task.at);
        let message = if tasks.is_empty() { "the plan has no task" } else { "no task of the plan has anything to do" };
        let hint = "head a section with a subagent or its domain, such as `## Feature`, and list what it is to do";
        problems.error("no-work", at, message, hint);
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

/// Gives every task its id: the plan's own, or one made from the role or subagent and a number.
fn task_ids(tasks: &[TaskDraft], problems: &mut Problems<'_>) -> Vec<TaskId> {
    let mut taken: HashMap<TaskId, u32> = HashMap::new();
    let mut own: Vec<Option<TaskId>> = Vec::with_capacity(tasks.len());
    for task in tasks {
        let given = task.id.as_ref().and_then(|word| match TaskId::new(word.text.as_str()) {
            Ok(id) => Some((id, word.at)),
            Err(error) => {
                let hint = TaskId::slug(&word.text).map_or_else(String::new, |slug| format!("write `{slug}`"));
                problems.error("bad-id", word.at, error.to_string(), hint);
                None
            }
        });
        own.push(given.and_then(|(id, at)| match taken.get(&id) {
            Some(first) => {
                let message = format!("the task id `{id}` stands on line {first} and on line {}", at.line);
                problems.error("duplicate-id", at, message, "give each task an id of its own");
                None
            }
            None => {
                taken.insert(id.clone(), at.line);
                Some(id)
            }
        }));
    }
    let mut numbers: HashMap<String, u32> = HashMap::new();
    let derived = tasks.iter().zip(own).map(|(task, own)| {
        own.unwrap_or_else(|| {
            let stem = task.who.as_ref().map_or(task.title.as_str(), |who| who.id_stem.as_str());
            let stem = TaskId::slug(stem).map_or_else(|| "task".to_owned(), String::from);
            let number = numbers.entry(stem.clone()).or_insert(0);
            loop {
                *number += 1;
                let id = if *number == 1 { stem.clone() } else { numbered(&stem, &format!("-{number}")) };
                if let Ok(id) = TaskId::new(id)
                    && !taken.contains_key(&id)
                {
                    taken.insert(id.clone(), task.at.line);
                    return id;
                }
            }
        })
    });
    derived.collect()
}

/// Puts a number behind a stem, which is cut where both would be too long.
fn numbered(stem: &str, number: &str) -> String {
    let stem: String = stem.chars().take(NAME_MAX - number.len()).collect();
    stem.trim_end_matches('-').to_owned() + number
}

/// Returns the quality tasks that always run and that the plan does not have, with the subagent that does each.
fn implied(planned_by: &[Option<&SubagentName>], ids: &[TaskId], roster: &Roster) -> Vec<(SubagentName, TaskId)> {
    let roles = planned_by.iter().flatten().filter_map(|name| Some(roster.get(name)?.role)).collect();
    let implied = implied_tasks(&roles, &ids.iter().cloned().collect()).into_iter();
    // What nobody can do is told when the schedule is made.
    implied.filter_map(|(role, id)| Some((roster.for_role(role)?.name.clone(), id))).collect()
}

/// The requirement ids of a plan: its own, and those that are made from the task's id and a number.
struct RequirementIds {
    /// The plan's own ids, by task and requirement.
    own: HashMap<(usize, usize), RequirementId>,
    taken: HashSet<RequirementId>,
}

impl RequirementIds {
    fn new(tasks: &[TaskDraft], problems: &mut Problems<'_>) -> Self {
        let mut own = HashMap::new();
        let mut lines: HashMap<RequirementId, u32> = HashMap::new();
        for (task, draft) in tasks.iter().enumerate() {
            for (item, requirement) in draft.requirements.iter().enumerate() {
                let Some(word) = &requirement.id else { continue };
                match RequirementId::new(word.text.as_str()) {
                    Ok(id) => match lines.get(&id) {
                        Some(first) => {
                            let message = format!(
                                "the requirement id `{id}` stands on line {first} and on line {}",
                                word.at.line
                            );
                            problems.error("duplicate-id", word.at, message, "give each requirement an id of its own");
                        }
                        None => {
                            lines.insert(id.clone(), word.at.line);
                            own.insert((task, item), id);
                        }
                    },
                    Err(error) => problems.error(
                        "bad-id",
                        word.at,
                        error.to_string(),
                        "write an id such as `R1` or `users.patch-1`",
                    ),
                }
            }
        }
        Self { own, taken: lines.into_keys().collect() }
    }

    fn give(&mut self, task: &TaskId, at: usize, drafts: Vec<RequirementDraft>) -> Vec<Requirement> {
        let mut requirements = Vec::with_capacity(drafts.len());
        let mut number = 0;
        for (item, draft) in drafts.into_iter().enumerate() {
            number = number.max(item);
            let own = self.own.remove(&(at, item));
            let id = own.unwrap_or_else(|| {
                loop {
                    number += 1;
                    if let Ok(id) = RequirementId::new(numbered(task.as_str(), &format!("-{number}")))
                        && self.taken.insert(id.clone())
                    {
                        return id;
                    }
                }
            });
            requirements.push(Requirement {
                id,
                text: draft.text,
                detail: draft.detail,
                done: draft.done,
                line: draft.at.line,
            });
        }
        requirements
    }
}

/// What the tasks of a plan can be called by.
struct Index<'d> {
    roster: &'d Roster,
    by_id: HashMap<&'d str, usize>,
    by_subagent: HashMap<&'d SubagentName, Vec<usize>>,
}

impl<'d> Index<'d> {
    fn new(done_by: impl Iterator<Item = Option<&'d SubagentName>>, ids: &'d [TaskId], roster: &'d Roster) -> Self {
        let mut by_subagent: HashMap<_, Vec<usize>> = HashMap::new();
        for (at, name) in done_by.enumerate() {
            if let Some(name) = name {
                by_subagent.entry(name).or_default().push(at);
            }
        }
        let by_id = ids.iter().enumerate().map(|(at, id)| (id.as_str(), at)).collect();
        Self { roster, by_id, by_subagent }
    }

    /// Finds the tasks that words name, each with the place of the first word that names it.
    fn resolve(
        &self,
        task: usize,
        words: &[Word],
        verb: &str,
        problems: &mut Problems<'_>,
    ) -> BTreeMap<usize, Position> {
        let mut found = BTreeMap::new();
        let mut seen = HashSet::new();
        for word in words.iter().filter(|word| seen.insert(word.text.as_str())) {
            let shown = text::truncate(&word.text, 80);
            let lower = word.text.to_lowercase();
            if let Some(at) = self.by_id.get(lower.as_str()).copied() {
                if at == task {
                    let message = format!("task `{shown}` cannot {verb} itself");
                    problems.error("self-need", word.at, message, "name another task, or leave it out");
                } else {
                    found.entry(at).or_insert(word.at);
                }
                continue;
            }
            let Some((targets, called)) = self.group(&word.text) else {
                let names = self.by_id.keys().copied().collect::<BTreeSet<_>>();
                let hint = match problems.suggest(&lower, names) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "name the id of a task, a subagent, or a domain such as Data Types".to_owned(),
                };
                problems.error("unknown-need", word.at, format!("there is no task `{shown}` to {verb}"), hint);
                continue;
            };
            let others: Vec<_> = targets.iter().copied().filter(|at| *at != task).collect();
            if others.is_empty() && targets.is_empty() {
                let message = format!("the plan has no task for {called} to {verb}");
                problems.error("unknown-need", word.at, message, "add a section for it, or leave it out");
            } else if others.is_empty() {
                let message = format!("`{shown}` names only this task, which cannot {verb} itself");
                problems.error("self-need", word.at, message, "name another task, or leave it out");
            }
            for at in others {
                found.entry(at).or_insert(word.at);
            }
        }
        found
    }

    /// Finds the tasks of a subagent or of a role, and what it is called.
    fn group(&self, word: &str) -> Option<(Vec<usize>, String)> {
        let of = |name: &SubagentName| self.by_subagent.get(name).cloned().unwrap_or_default();
        if let Some(subagent) = SubagentName::new(word).ok().and_then(|name| self.roster.get(&name)) {
            return Some((of(&subagent.name), format!("`{}`", subagent.name)));
        }
        let role = domains::role(&domains::normal(word))?;
        let players = self.roster.iter().filter(|subagent| subagent.role == role);
        let mut tasks: Vec<usize> = players.flat_map(|subagent| of(&subagent.name)).collect();
        tasks.sort_unstable();
        Some((tasks, role.title().to_owned()))
    }
}

fn check_cycles(ids: &[TaskId], needs: &[BTreeMap<usize, Position>], problems: &mut Problems<'_>) {
    let edges: Vec<Vec<usize>> = needs.iter().map(|needs| needs.keys().copied().collect()).collect();
    for cycle in cycles::find(&edges) {
        let (Some(first), Some(second)) = (cycle.first(), cycle.get(1)) else { continue };
        let Some(at) = needs[*first].get(second) else { continue };
        let path: Vec<_> = cycle.iter().chain([first]).map(|at| ids[*at].as_str()).collect();
        let message = format!("these tasks wait for one another: {}", path.join(" -> "));
        problems.error("cycle", *at, message, "take one `Needs:` out of the circle");
    }
}
