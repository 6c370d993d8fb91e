//! The last step of reading, the same for both forms: ids are given, references resolved, and what cannot be run is told.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    ops::Range,
};

use crate::{
    cycles,
    diagnostics::Position,
    ids::{Digest, NAME_MAX, RequirementId, SubagentName, TaskId},
    limits::TASKS_MAX,
    plan::{
        Plan, PlannedTask, Requirement,
        accounting::{Fate, Placed, What},
        directives, domains,
        draft::{Draft, Owner, RequirementDraft, TaskDraft, Word},
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
    let Checking { source, digest, roster, lenient } = checking;
    check_work(&draft, problems);
    let mut ids = task_ids(&draft.tasks, problems);
    let planned_by: Vec<_> = draft.tasks.iter().map(|task| task.who.as_ref().map(|who| &who.name)).collect();
    let implied = implied(&planned_by, &ids, roster);
    // Behind the plan's own tasks stand those that always run: they can be needed too.
    ids.extend(implied.iter().map(|(_, id)| id.clone()));
    let mut needs = vec![BTreeMap::new(); ids.len()];
    let mut parallel = needs.clone();
    // Beyond the limit the plan is refused as it is, and resolving would take long.
    if draft.tasks.len() <= TASKS_MAX {
        let done_by = planned_by.iter().copied().chain(implied.iter().map(|(name, _)| Some(name)));
        let index = Index::new(done_by, &ids, &draft.tasks, roster, *lenient);
        for (at, task) in draft.tasks.iter().enumerate() {
            needs[at] = index.resolve(at, &task.needs, "need", problems);
            parallel[at] = index.resolve(at, &task.parallel_with, "run beside", problems);
        }
        if *lenient {
            for (at, task) in draft.tasks.iter().enumerate() {
                for (other, position) in index.weak(at, &task.soft_needs) {
                    // What a text mentions is a hint: it is followed as far as it makes sense.
                    if !reaches(&needs, other, at) {
                        needs[at].entry(other).or_insert(position);
                    }
                }
            }
            lift_phases(&draft.tasks, roster, &needs, &mut parallel);
        }
        check_cycles(&ids, &needs, problems);
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
        // A task without a subagent has been told as an error, and one whose items are all ticked needs none.
        let Some(who) = task.who.filter(|_| stands(at)) else { continue };
        tasks.push(PlannedTask {
            id: ids[at].clone(),
            subagent: who.name,
            title: task.title,
            requirements: given.into_iter().map(|(made, _)| made).collect(),
            notes: task.notes,
            touches,
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
        title: draft.title,
        preamble: draft.preamble,
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

/// Tells whether a task needs another, through others or directly.
fn reaches(needs: &[BTreeMap<usize, Position>], from: usize, to: usize) -> bool {
    let mut seen = HashSet::new();
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        if at == to {
            return true;
        }
        if seen.insert(at) {
            open.extend(needs[at].keys());
        }
    }
    false
}

/// Lets what is needed run as early as what needs it: the plan's author does not know our phases.
fn lift_phases(
    tasks: &[TaskDraft],
    roster: &Roster,
    needs: &[BTreeMap<usize, Position>],
    parallel: &mut [BTreeMap<usize, Position>],
) {
    let rank =
        |task: &TaskDraft| task.who.as_ref().and_then(|who| roster.get(&who.name)).map(|subagent| subagent.role.rank());
    let Some(ranks) = tasks.iter().map(rank).collect::<Option<Vec<u8>>>() else { return };
    let mut effective = ranks.clone();
    let mut changed = true;
    while changed {
        changed = false;
        for (at, rank) in effective.clone().into_iter().enumerate() {
            for need in needs[at].keys().filter(|need| **need < tasks.len()) {
                if effective[*need] > rank {
                    effective[*need] = rank;
                    changed = true;
                }
            }
        }
    }
    for at in 0..tasks.len() {
        for other in 0..tasks.len() {
            // The phases would put `at` behind `other`, and what is needed would not.
            if ranks[other] < ranks[at] && effective[other] >= effective[at] {
                parallel[at].entry(other).or_insert(tasks[at].at);
            }
        }
    }
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
                format!("these sections were seen, and none is work: {}", sections.join("; "))
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
    let role = domains::role_of_words(&title).map_or("Feature", Role::title);
    format!("`{title}` (head it `{role}: {title}` to make it work)")
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
    fn new(tasks: &[TaskDraft], lenient: bool, problems: &mut Problems<'_>) -> Self {
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
                            if lenient {
                                problems.warning("duplicate-id", word.at, message, "the second gets another id");
                            } else {
                                let hint = "give each requirement an id of its own";
                                problems.error("duplicate-id", word.at, message, hint);
                            }
                        }
                        None => {
                            lines.insert(id.clone(), word.at.line);
                            own.insert((task, item), id);
                        }
                    },
                    // Its task gives it another.
                    Err(_) if lenient => {}
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

    fn give(&mut self, task: &TaskId, at: usize, drafts: Vec<RequirementDraft>) -> Vec<(Requirement, Range<usize>)> {
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
            let made =
                Requirement { id, text: draft.text, detail: draft.detail, done: draft.done, line: draft.at.line };
            requirements.push((made, draft.range));
        }
        requirements
    }
}

/// What the tasks of a plan can be called by.
struct Index<'d> {
    roster: &'d Roster,
    by_id: HashMap<&'d str, usize>,
    by_subagent: HashMap<&'d SubagentName, Vec<usize>>,
    /// What the plan itself calls tasks and items by: `task 2`, `t003`, `1.2`.
    by_key: HashMap<String, Vec<usize>>,
    lenient: bool,
}

impl<'d> Index<'d> {
    fn new(
        done_by: impl Iterator<Item = Option<&'d SubagentName>>,
        ids: &'d [TaskId],
        tasks: &[TaskDraft],
        roster: &'d Roster,
        lenient: bool,
    ) -> Self {
        let mut by_key: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, task) in tasks.iter().enumerate() {
            let made = task.requirements.iter();
            let own = made.clone().filter_map(|made| made.id.as_ref()).map(|id| domains::normal(&id.text));
            for key in task
                .keys
                .iter()
                .map(|key| domains::normal(key))
                .chain(made.flat_map(|made| made.keys.clone()))
                .chain(own)
            {
                let known = by_key.entry(key).or_default();
                if known.last() != Some(&at) {
                    known.push(at);
                }
            }
        }
        let mut by_subagent: HashMap<_, Vec<usize>> = HashMap::new();
        for (at, name) in done_by.enumerate() {
            if let Some(name) = name {
                by_subagent.entry(name).or_default().push(at);
            }
        }
        let by_id = ids.iter().enumerate().map(|(at, id)| (id.as_str(), at)).collect();
        Self { roster, by_id, by_subagent, by_key, lenient }
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
            let keyed = self.by_key.get(&domains::normal(&word.text));
            if let Some(targets) = keyed {
                found.extend(targets.iter().filter(|at| **at != task).map(|at| (*at, word.at)));
                continue;
            }
            let Some((targets, called)) = self.group(&word.text) else {
                let names = self.by_id.keys().copied().collect::<BTreeSet<_>>();
                let hint = match problems.suggest(&lower, names) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "name the id of a task, a subagent, or a domain such as Data Types".to_owned(),
                };
                let message = format!("there is no task `{shown}` to {verb}");
                if self.lenient {
                    problems.warning("unknown-need", word.at, message, hint);
                } else {
                    problems.error("unknown-need", word.at, message, hint);
                }
                continue;
            };
            let others: Vec<_> = targets.iter().copied().filter(|at| *at != task).collect();
            if others.is_empty() && self.lenient {
                continue;
            }
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

    /// Finds the tasks that items speak of by the plan's own numbering; what is no such thing was not meant as one.
    fn weak(&self, task: usize, words: &[Word]) -> Vec<(usize, Position)> {
        let targets = words.iter().filter_map(|word| {
            let known = self.by_key.get(&domains::normal(&word.text))?;
            Some(known.iter().filter(|at| **at != task).map(|at| (*at, word.at)))
        });
        targets.flatten().collect()
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
