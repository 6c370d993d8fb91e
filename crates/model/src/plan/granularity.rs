//! From what the source holds together to tasks: cut where owners differ or a call would be too large, joined where the
//! source is finer than a call is worth.

mod words;

use std::collections::HashMap;

use self::words::{about, warn_of_words, without_written};
use super::{
    draft::{Owner, RequirementDraft, TaskDraft, Who, Word},
    owners::{Owners, Settings},
    ownership::Ownership,
    source::Problems,
};
use crate::{
    limits::TASKS_MAX,
    plan::{domains, shape::Rules},
    roster::Role,
    text,
};

/// What the items of one task have in common: who does them, and whether they may run beside their neighbours.
type Key = (String, bool);

/// Gives every task its owner, and every item a task that its owner does.
pub(super) fn assign(
    tasks: Vec<TaskDraft>,
    owners: &Owners<'_>,
    settings: &Settings,
    rules: Rules,
    problems: &mut Problems<'_>,
) -> Vec<TaskDraft> {
    let mut assigned: Vec<TaskDraft> = Vec::new();
    for task in tasks {
        match task.owner {
            Owner::Named | Owner::Decided(_) => {
                let (task, written) = without_written(task, owners, rules);
                if let Some(written) = written {
                    assigned.extend(divide(&written, owners, settings, rules, problems));
                }
                let Some(task) = task else { continue };
                let task = TaskDraft { owner: Owner::Decided(Ownership::Named), stands_alone: true, ..task };
                let task = with_paths(task, owners, rules, problems);
                assigned.push(task);
            }
            Owner::Heading | Owner::Items => assigned.extend(divide(&task, owners, settings, rules, problems)),
        }
    }
    let mut joined = join(assigned, settings.least, settings.most, rules);
    let mut most = settings.most;
    while joined.len() > TASKS_MAX && rules.lenient && most < usize::MAX / 4 {
        most *= 2;
        let before = joined.len();
        joined.iter_mut().for_each(|task| task.stands_alone &= task.owner == Owner::Decided(Ownership::Named));
        joined = join(joined, most, most, rules);
        if joined.len() == before && most > 1 << 16 {
            break;
        }
    }
    if rules.items_name_files {
        follow_stages(&mut joined, owners);
    }
    joined
}

/// Lets the work of a stage wait for that of the stage before it. Stories wait for what comes before all of them and not for
/// each other, and what comes behind them waits for them all.
fn follow_stages(tasks: &mut [TaskDraft], owners: &Owners<'_>) {
    let is_story = |stage: &str| stage.to_lowercase().contains("story");
    // What the present stage waits for, and what it has itself, as far as it was read; stories that follow each other are one.
    let (mut before, mut own): (Vec<Word>, Vec<Word>) = (Vec::new(), Vec::new());
    let mut stage = String::new();
    for task in tasks.iter_mut().filter(|task| task.who.as_ref().is_some_and(|who| owners.makes(who))) {
        let name = task.headings.first().cloned().unwrap_or_default();
        if name != stage {
            let goes_on = is_story(&name) && is_story(&stage);
            if !goes_on && !own.is_empty() {
                before = std::mem::take(&mut own);
            }
            stage = name;
        }
        task.soft_needs.extend(before.iter().cloned());
        let id = task.requirements.iter().find_map(|made| made.id.as_ref());
        own.extend(id.map(|id| Word { text: id.text.clone(), at: task.at }));
    }
}

/// Divides the items of one section among those who do them.
fn divide(
    task: &TaskDraft,
    owners: &Owners<'_>,
    settings: &Settings,
    rules: Rules,
    problems: &mut Problems<'_>,
) -> Vec<TaskDraft> {
    // What lists its files, and steps that build on each other, are one piece of work.
    let all_paths = || {
        let mut paths = task.paths.clone();
        paths.extend(task.requirements.iter().flat_map(|made| made.paths.iter().cloned()));
        paths
    };
    let is_whole = rules.bodies_follow || !task.paths.is_empty() || task.requirements.is_empty();
    let whole = is_whole.then(|| {
        let paths = if task.paths.is_empty() { all_paths() } else { task.paths.clone() };
        let whole = RequirementDraft { text: task.title.clone(), paths, ..RequirementDraft::default() };
        owner_of(task, &whole, owners)
    });
    let mut groups: Vec<(Key, Who, Ownership, Vec<RequirementDraft>)> = Vec::new();
    for made in &task.requirements {
        let named = owners.named(&made.text, &made.detail).or_else(|| made.who.clone());
        let named = named.or_else(|| task.assigned.clone());
        let found = match (named, &whole) {
            (Some(who), _) => Some((who, Ownership::Named)),
            (None, Some(found)) => found.clone(),
            (None, None) => owner_of(task, made, owners),
        };
        let Some((who, why)) = found else {
            problems.error(
                "no-owner",
                made.at,
                format!("no subagent owns the item `{}`", text::truncate(&made.text, 80)),
                "head its section with a subagent or a domain, such as `## Feature`, or set `default-role` in the \
                 configuration",
            );
            continue;
        };
        let key = (who.name.as_str().to_owned(), made.parallel);
        match groups.iter_mut().find(|(known, ..)| *known == key) {
            Some((.., why_all, items)) => {
                *why_all = (*why_all).max(why);
                items.push(made.clone());
            }
            None => groups.push((key, who, why, vec![made.clone()])),
        }
    }
    if task.requirements.is_empty()
        && let Some(Some((who, why))) = whole
    {
        groups.push(((String::new(), false), who, why, Vec::new()));
    }
    let mut divided = Vec::new();
    let is_one = groups.len() == 1;
    let mut ordered: Vec<(Option<u8>, Vec<Word>)> = Vec::new();
    for (_, who, why, items) in groups {
        let waited = behind_numbered(&mut ordered, owners.rank(&who), &items);
        // What has an id is one task: others wait for it by that name.
        let most = if is_one && task.id.is_some() { usize::MAX } else { settings.most };
        for part in cut(items, most) {
            divided.push(TaskDraft {
                at: if is_one { task.at } else { part.first().map_or(task.at, |made| made.at) },
                id: if is_one { task.id.clone() } else { None },
                who: Some(who.clone()),
                title: task.title.clone(),
                notes: task.notes.clone(),
                touches: task.touches.clone(),
                needs: task.needs.clone(),
                soft_needs: task.soft_needs.iter().chain(&waited).cloned().collect(),
                parallel_with: task.parallel_with.clone(),
                owner: Owner::Decided(why),
                keys: task.keys.clone(),
                headings: task.headings.clone(),
                paths: task.paths.clone(),
                is_cross_cutting: task.is_cross_cutting,
                stands_alone: task.stands_alone,
                frame: task.frame,
                requirements: part,
                ..TaskDraft::default()
            });
        }
    }
    beside(&mut divided);
    divided.into_iter().map(|task| with_paths(task, owners, rules, problems)).collect()
}

/// Finds what the items of one subagent wait for in a numbered list of which others do what stands before: our phases would
/// have it the other way round, and the numbers say what is first.
fn behind_numbered(
    before: &mut Vec<(Option<u8>, Vec<Word>)>,
    rank: Option<u8>,
    items: &[RequirementDraft],
) -> Vec<Word> {
    let is_numbered = |made: &&RequirementDraft| made.keys.iter().any(|key| key.starts_with("place "));
    let Some(first) = items.first().filter(is_numbered).map(|made| made.range.start) else { return Vec::new() };
    let is_ahead = |(other, words): &&(Option<u8>, Vec<Word>)| {
        let starts = |word: &Word| word.text.strip_prefix("place ")?.parse::<usize>().ok();
        *other > rank && !words.is_empty() && words.iter().filter_map(starts).all(|start| start < first)
    };
    let waited = before.iter().filter(is_ahead).flat_map(|(_, words)| words.last().cloned()).collect();
    let own =
        items.iter().filter(is_numbered).map(|made| Word { text: super::items::place(made.range.start), at: made.at });
    before.push((rank, own.collect()));
    waited
}

/// Decides who does an item: its paths and words, then the heading above it, then the default.
fn owner_of(task: &TaskDraft, made: &RequirementDraft, owners: &Owners<'_>) -> Option<(Who, Ownership)> {
    let found = owners.of_item_under(made.under, about(made), &made.text, &made.paths, &made.parts);
    let Some(heading) = task.who.as_ref().filter(|_| task.owner == Owner::Heading) else { return found };
    match found {
        Some((who, why))
            if who != *heading
                && (why == Ownership::Paths || owners.is_role(&who, Role::Tests) && why == Ownership::Words) =>
        {
            Some((who, why))
        }
        _ if !owners.writes(heading) && domains::asks_to_write(about(made)) => {
            owners.of_written(about(made), &made.paths)
        }
        _ => Some((heading.clone(), Ownership::Named)),
    }
}

/// Cuts items into parts of at most `most` open ones, as even as they can be.
fn cut(items: Vec<RequirementDraft>, most: usize) -> Vec<Vec<RequirementDraft>> {
    let open = items.iter().filter(|made| !made.done).count();
    let parts = open.div_ceil(most.max(1)).max(1);
    let size = open.div_ceil(parts).max(1);
    let mut cut: Vec<Vec<RequirementDraft>> = vec![Vec::new()];
    let mut held = 0;
    for made in items {
        if !made.done && held == size && cut.len() < parts {
            cut.push(Vec::new());
            held = 0;
        }
        held += usize::from(!made.done);
        if let Some(last) = cut.last_mut() {
            last.push(made);
        }
    }
    cut
}

/// Lets those whose items may all run beside their neighbours do so.
fn beside(tasks: &mut [TaskDraft]) {
    let name = |task: &TaskDraft| {
        let made = task.requirements.first()?;
        Some(Word { text: made.id.as_ref()?.text.clone(), at: made.at })
    };
    let names: Vec<Option<Word>> = tasks.iter().map(name).collect();
    let are_parallel =
        |task: &TaskDraft| !task.requirements.is_empty() && task.requirements.iter().all(|made| made.parallel);
    for (at, task) in tasks.iter_mut().enumerate() {
        if are_parallel(task) {
            let others = names.iter().enumerate().filter(|(other, _)| *other != at);
            task.parallel_with.extend(others.filter_map(|(_, name)| name.clone()));
        }
    }
}

/// Turns the paths that a task names into what it may touch, as far as its subagent may; what its items wait for is its
/// need.
///
/// A list of files is all that it may touch, and so are the paths of items of which the dialect says that each names its
/// files and that those marked as parallel touch no others. Any other path that an item names comes beside what its subagent
/// may touch anyway: who adds a command in a file of its own has to name it in another, too.
fn with_paths(mut task: TaskDraft, owners: &Owners<'_>, rules: Rules, problems: &mut Problems<'_>) -> TaskDraft {
    let open = || task.requirements.iter().filter(|made| !made.done);
    if let Some(who) = task.who.as_ref().filter(|_| task.touches.is_empty()) {
        warn_of_words(&task, who, owners, problems);
    }
    let soft: Vec<Word> = open().flat_map(|made| made.needs.iter().cloned()).collect();
    if task.touches.is_empty()
        && let Some(who) = &task.who
    {
        let is_list = !task.paths.is_empty();
        let has_own_files = |made: &RequirementDraft| made.parallel && made.names_all_paths();
        let is_all = is_list || (rules.items_name_files && open().next().is_some() && open().all(has_own_files));
        let mut mentioned: Vec<String> = match is_list {
            true => task.paths.clone(),
            false => open().flat_map(|made| made.paths.iter().cloned()).collect(),
        };
        // Tests speak of the code that they are written for.
        if !is_list && owners.is_role(who, Role::Tests) {
            mentioned.retain(|path| owners.has_in_scope(who, path));
        }
        let (mut touched, denied) = owners.permitted(who, &mentioned, task.owner);
        if !denied.is_empty() {
            problems.warning(
                "path-of-another",
                task.at,
                format!("`{}` may not touch {}", who.name, named(&denied)),
                "ask the subagent that may change it; nobody may change protected paths",
            );
        }
        let at = task.at;
        // A name without a folder may lie in any.
        let glob = |path: String| if path.contains('/') { path } else { format!("**/{path}") };
        if is_all {
            // A task that is given none of the paths it speaks of works where its subagent works.
            task.touches = touched.into_iter().map(|path| Word { text: glob(path), at }).collect();
        } else {
            touched.retain(|path| !owners.has_in_scope(who, path));
            task.also_touches = touched.into_iter().map(|path| Word { text: glob(path), at }).collect();
        }
    }
    task.soft_needs.extend(soft);
    task
}

fn named(paths: &[String]) -> String {
    text::listed(paths.iter().map(|path| format!("`{}`", text::truncate(path, 80))), 3)
}

/// Joins neighbours of one subagent that are too small for a call of their own.
fn join(tasks: Vec<TaskDraft>, least: usize, most: usize, rules: Rules) -> Vec<TaskDraft> {
    let open = |task: &TaskDraft| task.requirements.iter().filter(|made| !made.done).count();
    let mut joined: Vec<TaskDraft> = Vec::with_capacity(tasks.len());
    // How many of its own a task began with: what has grown by joining is still made of small ones.
    let mut small: HashMap<usize, bool> = HashMap::new();
    for task in tasks {
        // What waits for others, and what others may wait for, would wait for itself once it were joined.
        let is_free = task.needs.is_empty() || task.keys.is_empty();
        let is_small = open(&task) < least && !task.stands_alone && is_free;
        let last = joined.len().wrapping_sub(1);
        let fits = joined.last().is_some_and(|before| {
            is_small
                && *small.get(&last).expect("invariant: what was put among the joined was weighed")
                && before.frame == task.frame
                // Where stages follow each other, a task has a place in one of them.
                && (!rules.items_name_files || before.headings.first() == task.headings.first())
                && before.who == task.who
                && before.id.is_none()
                && task.id.is_none()
                && before.touches.is_empty() == task.touches.is_empty()
                && before.requirements.iter().all(|made| made.parallel)
                    == task.requirements.iter().all(|made| made.parallel)
                && before.is_cross_cutting == task.is_cross_cutting
                && open(before) + open(&task) <= most
        });
        match joined.last_mut().filter(|_| fits) {
            Some(before) => absorb(before, task),
            None => {
                small.insert(joined.len(), is_small);
                joined.push(task);
            }
        }
    }
    joined
}

fn absorb(into: &mut TaskDraft, task: TaskDraft) {
    if into.title != task.title && !task.title.is_empty() {
        let mut title = into.title.clone();
        if title.chars().count() < 60 {
            title.push_str("; ");
            title.push_str(&task.title);
        } else if !title.ends_with('…') {
            title.push_str("; …");
        }
        into.title = title;
    }
    if into.notes != task.notes {
        into.add_note(&task.notes);
    }
    into.owner = match (into.owner, task.owner) {
        (Owner::Decided(one), Owner::Decided(other)) => Owner::Decided(one.max(other)),
        (one, _) => one,
    };
    into.requirements.extend(task.requirements);
    into.touches.extend(task.touches);
    into.also_touches.extend(task.also_touches);
    into.headings.extend(task.headings);
    into.needs.extend(task.needs);
    into.soft_needs.extend(task.soft_needs);
    into.parallel_with.extend(task.parallel_with);
    into.keys.extend(task.keys);
}
