//! Ids of tasks and requirements: the plan's own, and those that are made.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use crate::{
    ids::{NAME_MAX, RequirementId, TaskId},
    plan::{
        Requirement,
        draft::{RequirementDraft, TaskDraft},
        source::Problems,
    },
};

/// Gives every task its id: the plan's own, or one made from the role or subagent and a number.
pub(super) fn task_ids(tasks: &[TaskDraft], problems: &mut Problems<'_>) -> Vec<TaskId> {
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
pub(super) fn numbered(stem: &str, number: &str) -> String {
    let stem: String = stem.chars().take(NAME_MAX - number.len()).collect();
    stem.trim_end_matches('-').to_owned() + number
}

/// The requirement ids of a plan: its own, and those that are made from the task's id and a number.
pub(super) struct RequirementIds {
    /// The plan's own ids, by task and requirement.
    own: HashMap<(usize, usize), RequirementId>,
    taken: HashSet<RequirementId>,
}

impl RequirementIds {
    pub(super) fn new(tasks: &[TaskDraft], lenient: bool, problems: &mut Problems<'_>) -> Self {
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

    pub(super) fn give(
        &mut self,
        task: &TaskId,
        at: usize,
        drafts: Vec<RequirementDraft>,
    ) -> Vec<(Requirement, Range<usize>)> {
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
