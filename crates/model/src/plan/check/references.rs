//! What the tasks of a plan are called by, and what waits for what.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::{
    cycles,
    diagnostics::Position,
    ids::{SubagentName, TaskId},
    plan::{
        domains,
        draft::{TaskDraft, Word},
        source::Problems,
    },
    roster::{Role, Roster},
    text,
};

/// What the tasks of a plan can be called by.
pub(super) struct Index<'d> {
    roster: &'d Roster,
    by_id: HashMap<&'d str, usize>,
    by_subagent: HashMap<&'d SubagentName, Vec<usize>>,
    /// What the plan itself calls tasks and items by: `task 2`, `t003`, `1.2`.
    by_key: HashMap<String, Vec<usize>>,
    /// The headings of the plan, in normal form, and what was made from each.
    by_heading: HashMap<String, Vec<usize>>,
    lenient: bool,
}

/// Finds the id that a heading begins with: `US-1 Request`, `US-2: Approve`.
fn leading_id(heading: &str) -> Option<&str> {
    let first = heading.split_whitespace().next()?.trim_matches([':', '[', ']', '(', ')', '*']);
    let (letters, number) = first.split_at(first.find(|c: char| !c.is_ascii_uppercase())?);
    let number = number.trim_start_matches('-');
    let is_number =
        number.starts_with(|c: char| c.is_ascii_digit()) && number.chars().all(|c| c.is_ascii_digit() || c == '.');
    (!letters.is_empty() && is_number).then_some(first)
}

/// Adds a task to those of a name, once.
fn add(names: &mut HashMap<String, Vec<usize>>, name: String, at: usize) {
    let known = names.entry(name).or_default();
    if known.last() != Some(&at) {
        known.push(at);
    }
}

impl<'d> Index<'d> {
    pub(super) fn new(
        done_by: impl Iterator<Item = Option<&'d SubagentName>>,
        ids: &'d [TaskId],
        tasks: &[TaskDraft],
        roster: &'d Roster,
        lenient: bool,
    ) -> Self {
        let mut by_key: HashMap<String, Vec<usize>> = HashMap::new();
        let mut by_heading: HashMap<String, Vec<usize>> = HashMap::new();
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
                add(&mut by_key, key, at);
            }
            for heading in task.headings.iter().chain([&task.title]) {
                add(&mut by_heading, domains::normal(heading), at);
                if let Some(id) = leading_id(heading) {
                    add(&mut by_key, domains::normal(id), at);
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
        Self { roster, by_id, by_subagent, by_key, by_heading, lenient }
    }

    /// Finds the tasks that words name, each with the place of the first word that names it.
    pub(super) fn resolve(
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
    pub(super) fn weak(&self, task: usize, words: &[Word]) -> Vec<(usize, Position)> {
        let targets = words.iter().filter_map(|word| {
            let known = self.by_key.get(&domains::normal(&word.text))?;
            Some(known.iter().filter(|at| **at != task).map(|at| (*at, word.at)))
        });
        targets.flatten().collect()
    }

    /// Finds the tasks that a subagent, a role or a heading names, and what it is called.
    ///
    /// The plain name of a role stands for all of its tasks. Any other word for a role does so only where it is no heading
    /// of the plan: "HTTP API" as a heading is that section and not all of the feature.
    fn group(&self, word: &str) -> Option<(Vec<usize>, String)> {
        let of = |name: &SubagentName| self.by_subagent.get(name).cloned().unwrap_or_default();
        if let Some(subagent) = SubagentName::new(word).ok().and_then(|name| self.roster.get(&name)) {
            return Some((of(&subagent.name), format!("`{}`", subagent.name)));
        }
        let normal = domains::normal(word);
        let is_plain = |role: &Role| [role.name(), role.title()].iter().any(|name| domains::normal(name) == normal);
        let plain = Role::ALL.into_iter().find(is_plain);
        if plain.is_none()
            && let Some(tasks) = self.by_heading.get(&normal)
        {
            return Some((tasks.clone(), format!("the section `{}`", text::truncate(word, 80))));
        }
        let role = plain.or_else(|| domains::role(&normal))?;
        let players = self.roster.iter().filter(|subagent| subagent.role == role);
        let mut tasks: Vec<usize> = players.flat_map(|subagent| of(&subagent.name)).collect();
        tasks.sort_unstable();
        Some((tasks, role.title().to_owned()))
    }
}

pub(super) fn check_cycles(ids: &[TaskId], needs: &[BTreeMap<usize, Position>], problems: &mut Problems<'_>) {
    let edges: Vec<Vec<usize>> = needs.iter().map(|needs| needs.keys().copied().collect()).collect();
    for cycle in cycles::find(&edges) {
        let (Some(first), Some(second)) = (cycle.first(), cycle.get(1)) else { continue };
        let Some(at) = needs[*first].get(second) else { continue };
        let path: Vec<_> = cycle.iter().chain([first]).map(|at| ids[*at].as_str()).collect();
        let message = format!("these tasks wait for one another: {}", path.join(" -> "));
        problems.error("cycle", *at, message, "take one `Needs:` out of the circle");
    }
}

/// Tells whether a task needs another, through others or directly.
pub(super) fn reaches(needs: &[BTreeMap<usize, Position>], from: usize, to: usize) -> bool {
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
pub(super) fn lift_phases(
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
