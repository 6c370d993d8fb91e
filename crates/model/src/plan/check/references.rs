//! What the tasks of a plan are called by, and what waits for what.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
};

use crate::{
    diagnostics::Position,
    ids::{SubagentName, TaskId},
    plan::{
        counts, domains,
        draft::{RequirementDraft, TaskDraft, Word},
        source::Problems,
        waits,
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
    /// What counts the headings around tasks, `phase 2`, and what they are called without that.
    by_outer: HashMap<String, Vec<usize>>,
    /// The form of the names that the plan gives to its parts: letters, with 0 for every number.
    forms: HashSet<String>,
    /// What has been told already: a part of a task that was divided says what the others say.
    told: RefCell<HashSet<(Position, String)>>,
    lenient: bool,
}

/// Returns the form of a name: `t003` and `t014` have the same.
fn form(name: &str) -> String {
    let mut form = String::with_capacity(name.len());
    for c in name.chars() {
        match c.is_ascii_digit() {
            true if form.ends_with('0') => {}
            true => form.push('0'),
            false => form.push(c),
        }
    }
    form
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

/// Tells whether a name in normal form is a count: `phase 2`.
fn is_count(name: &str) -> bool {
    counts::count(name).is_some_and(|(.., len)| len == name.len())
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
        let mut by_outer: HashMap<String, Vec<usize>> = HashMap::new();
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
                let english = domains::counted_in_english(heading);
                let called = counts::counted(&english).1.into_iter().chain([counts::name_behind_count(heading)]);
                if let Some(letter) = counts::letter(heading) {
                    add(&mut by_key, letter, at);
                }
                for name in called.filter(|name| !name.is_empty()) {
                    add(&mut by_outer, domains::normal(&name), at);
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
        let forms = by_key.keys().map(|key| form(key)).collect();
        Self { roster, by_id, by_subagent, by_key, by_heading, by_outer, forms, told: RefCell::default(), lenient }
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
                if at == task && self.lenient {
                    let message = format!("task `{shown}` cannot {verb} itself");
                    self.warn("self-need", word.at, message, "this is left out", problems);
                } else if at == task {
                    let message = format!("task `{shown}` cannot {verb} itself");
                    problems.error("self-need", word.at, message, "name another task, or leave it out");
                } else {
                    found.entry(at).or_insert(word.at);
                }
                continue;
            }
            let normal = domains::normal(&word.text);
            let keyed = self.by_key.get(&normal).or_else(|| self.by_outer.get(&normal).filter(|_| is_count(&normal)));
            if let Some(targets) = keyed {
                found.extend(targets.iter().filter(|at| **at != task).map(|at| (*at, word.at)));
                continue;
            }
            let Some((targets, called)) = self.group(&word.text) else {
                let spoken = if self.lenient { self.spoken(&word.text) } else { Vec::new() };
                if !spoken.is_empty() {
                    found.extend(spoken.into_iter().filter(|at| *at != task).map(|at| (at, word.at)));
                    continue;
                }
                let names = self.by_id.keys().copied().collect::<BTreeSet<_>>();
                let hint = match problems.suggest(&lower, names) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "name the id of a task, a subagent, or a domain such as Data Types".to_owned(),
                };
                let message = format!("there is no task `{shown}` to {verb}");
                if self.lenient {
                    self.warn("unknown-need", word.at, message, hint, problems);
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

    /// Finds the tasks that a sentence speaks of: "the Storage phase being complete".
    fn spoken(&self, text: &str) -> Vec<usize> {
        let references = waits::of_line(&format!("depends on {text}"));
        let found: Vec<usize> = references.iter().filter_map(|name| self.find(name)).flatten().collect();
        if found.is_empty() { self.find(&waits::bare_name(text)).unwrap_or_default() } else { found }
    }

    /// Tells something about a place in the plan once.
    fn warn(&self, code: &str, at: Position, message: String, hint: impl Into<String>, problems: &mut Problems<'_>) {
        if self.told.borrow_mut().insert((at, message.clone())) {
            problems.warning(code, at, message, hint);
        }
    }

    /// Finds what the plan itself calls by a name: by its numbering, by a heading, or by a heading without its count.
    fn find(&self, name: &str) -> Option<Vec<usize>> {
        let normal = domains::normal(name);
        let maps = [&self.by_key, &self.by_outer, &self.by_heading];
        if let Some(found) = maps.iter().find_map(|names| names.get(&normal)) {
            return Some(found.clone());
        }
        let (word, last) = normal.rsplit_once(' ').unwrap_or(("", &normal));
        // An item is called by its number, whatever a sentence calls the items: "step 2".
        if matches!(word, "task" | "step" | "item" | "story")
            && let Some(found) = self.by_key.get(last)
        {
            return Some(found.clone());
        }
        // "All user stories" are those that are counted.
        let one = normal
            .strip_suffix("ies")
            .map(|stem| format!("{stem}y "))
            .or_else(|| Some(format!("{} ", normal.strip_suffix('s')?)))?;
        let counted = self.by_key.iter().chain(&self.by_outer).filter(|(key, _)| {
            key.strip_prefix(one.as_str()).is_some_and(|number| number.starts_with(|c: char| c.is_ascii_digit()))
        });
        let all: BTreeSet<usize> = counted.flat_map(|(_, found)| found.iter().copied()).collect();
        (!all.is_empty()).then(|| all.into_iter().collect())
    }

    /// Tells whether a name is plainly meant for a part of the plan: it is counted, or as the plan numbers its parts.
    fn is_of_plan(&self, name: &str) -> bool {
        let normal = domains::normal(name);
        is_count(&normal) || (self.forms.contains(&form(&normal)) && normal.contains(|c: char| c.is_ascii_digit()))
    }

    /// Tells that a part of the plan is named that it does not have.
    fn tell_unknown(&self, name: &str, at: Position, problems: &mut Problems<'_>) {
        let message = format!("there is no task `{}` to need", text::truncate(name, 80));
        self.warn(
            "unknown-need",
            at,
            message,
            "name a part of this plan, as its heading or its number has it",
            problems,
        );
    }

    /// Tells that a need closes a circle and is not held.
    pub(super) fn tell_circle(&self, who: &TaskId, on: &TaskId, at: Position, problems: &mut Problems<'_>) {
        let message = format!("`{who}` cannot wait for `{on}`, which waits for `{who}` already");
        self.warn("cycle", at, message, "this is left out: take one of them out of the plan", problems);
    }

    /// Finds the tasks that items and sentences speak of; what is no part of the plan was not meant as one.
    ///
    /// `first` is the first item of the task. A list with numbers is an order: a task that begins before an item does not wait
    /// for it as a whole because a later item of its does.
    pub(super) fn weak(
        &self,
        task: usize,
        words: &[Word],
        first: Option<&RequirementDraft>,
        problems: &mut Problems<'_>,
    ) -> Vec<(usize, Position)> {
        let mut targets = Vec::new();
        for word in words {
            if word.text == waits::EVERYTHING {
                targets.extend((0..task).map(|at| (at, word.at)));
                continue;
            }
            let place = word.text.strip_prefix("place ").and_then(|place| place.parse::<usize>().ok());
            let begins_before = |place: usize| first.is_some_and(|made| place > made.range.start && word.at != made.at);
            match self.find(&word.text) {
                Some(known) if place.is_some_and(begins_before) && known.iter().any(|at| *at != task) => {
                    let message = "this item waits for one of another task, and its own task begins before that";
                    let hint = "give the item a section of its own to have that order";
                    self.warn("cycle", word.at, message.to_owned(), hint, problems);
                }
                Some(known) => targets.extend(known.into_iter().filter(|at| *at != task).map(|at| (at, word.at))),
                None if self.is_of_plan(&word.text) => self.tell_unknown(&word.text, word.at, problems),
                None => {}
            }
        }
        targets
    }

    /// Finds the tasks that names in a list of dependencies mean, and the names that mean nothing.
    pub(super) fn named<'n>(&self, names: &'n [String]) -> (BTreeSet<usize>, Vec<&'n str>) {
        let (mut found, mut unknown) = (BTreeSet::new(), Vec::new());
        for name in names {
            let is_plain = || {
                Role::ALL
                    .iter()
                    .any(|role| [role.name(), role.title()].iter().any(|role| domains::normal(role) == *name))
            };
            match self
                .find(name)
                .or_else(|| self.group(name).filter(|_| is_plain() || name.contains('-')).map(|(tasks, _)| tasks))
            {
                Some(tasks) if !tasks.is_empty() => found.extend(tasks),
                _ => unknown.push(name.as_str()),
            }
        }
        (found, unknown)
    }

    /// Tells what a list of dependencies names that is no part of the plan, where the rest of the line is one.
    pub(super) fn tell_unknown_of(
        &self,
        unknown: &[&str],
        is_line_of_plan: bool,
        at: Position,
        problems: &mut Problems<'_>,
    ) {
        for name in unknown.iter().filter(|name| is_line_of_plan || self.is_of_plan(name)) {
            self.tell_unknown(name, at, problems);
        }
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

/// Lets what is needed run as early as what needs it: the plan's author does not know our phases. `implied` are those who
/// always run, behind the plan's own tasks.
pub(super) fn lift_phases(
    tasks: &[TaskDraft],
    implied: &[SubagentName],
    roster: &Roster,
    needs: &[BTreeMap<usize, Position>],
    parallel: &mut [BTreeMap<usize, Position>],
) {
    let rank = |name: &SubagentName| roster.get(name).map(|subagent| subagent.role.rank());
    let planned = tasks.iter().map(|task| rank(&task.who.as_ref()?.name));
    let Some(ranks) = planned.chain(implied.iter().map(rank)).collect::<Option<Vec<u8>>>() else { return };
    let mut effective = ranks.clone();
    let mut changed = true;
    while changed {
        changed = false;
        for (at, rank) in effective.clone().into_iter().enumerate() {
            for need in needs[at].keys() {
                if effective[*need] > rank {
                    effective[*need] = rank;
                    changed = true;
                }
            }
        }
    }
    for at in 0..tasks.len() {
        for other in 0..ranks.len() {
            // The phases would put `at` behind `other`, and what is needed would not.
            if ranks[other] < ranks[at] && effective[other] >= effective[at] {
                parallel[at].entry(other).or_insert(tasks[at].at);
            }
        }
    }
}
