//! Taskmaster: JSON with tasks, their states, dependencies, details, test strategies and subtasks.

use serde_json::Value;

use super::{
    data,
    status::{self, State},
};
use crate::{
    gate::GateKind,
    json_size,
    plan::{
        accounting::{Fate, Placed, What},
        commands,
        draft::{CommandLine, Draft, Owner, RequirementDraft, TaskDraft, Who, Word},
        mentions,
        shape::Dialect,
        source::{Problems, Source},
    },
    roster::{Role, Roster},
};

/// The tasks of a file, by tag.
pub(in crate::plan) struct Tasks {
    tags: Vec<(String, Vec<Value>)>,
}

/// The most values of a file that is read: one with thousands of tasks has a tenth of them.
const VALUES_MAX: u64 = 200_000;

/// Finds the tasks of a Taskmaster file: a list of them, `tasks` with one, or tags that have `tasks`.
pub(in crate::plan) fn recognised(source: &str, text: &str, named: Option<Dialect>) -> Option<Tasks> {
    if named.is_some_and(|dialect| dialect != Dialect::Taskmaster) || !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let _ = source;
    // Before a tree is made of it: that takes a hundred times as much memory as the text.
    if json_size::values(text.as_bytes()).ok()? > VALUES_MAX {
        return None;
    }
    let root: Value = serde_json::from_str(text).ok()?;
    let list = |value: &Value| value.get("tasks").and_then(Value::as_array).or_else(|| value.as_array()).cloned();
    let tags = match list(&root) {
        Some(tasks) => vec![(String::new(), tasks)],
        None => {
            let tags = root.as_object()?.iter().filter(|(_, value)| value.get("tasks").is_some());
            tags.filter_map(|(tag, value)| Some((tag.clone(), list(value)?))).collect()
        }
    };
    let is_theirs = |task: &Value| {
        task.get("id").is_some()
            && task.get("title").is_some()
            && ["status", "dependencies", "details", "testStrategy"].iter().any(|key| task.get(key).is_some())
            && task.get("role").is_none()
            && task.get("subagent").is_none()
    };
    let is_theirs = tags.iter().flat_map(|(_, tasks)| tasks).any(is_theirs);
    (is_theirs || named == Some(Dialect::Taskmaster)).then_some(Tasks { tags })
}

fn state(task: &Value) -> State {
    status::state(&text(task, "status"))
}

/// Reads the tasks.
pub(in crate::plan) fn read<'s>(
    tasks: &Tasks,
    roster: &Roster,
    source: &Source<'s>,
    problems: &mut Problems<'s>,
) -> Draft {
    let tester = Who::of_role(Role::Tests, roster);
    let mut reader = TaskmasterReader {
        source,
        problems,
        strategies: Vec::new(),
        tester,
        draft: Draft::default(),
        from: 0,
        many: tasks.tags.len() > 1,
    };
    for (tag, tasks) in &tasks.tags {
        for task in tasks {
            if task.is_object() {
                reader.task(tag, task);
            } else {
                let at = source.position(reader.from);
                reader.problems.error(
                    "wrong-type",
                    at,
                    "a task is an object with `id` and `title`",
                    "leave out what is none",
                );
            }
        }
    }
    reader.draft.tasks.append(&mut reader.strategies);
    reader.draft
}

struct TaskmasterReader<'r, 's> {
    source: &'r Source<'s>,
    problems: &'r mut Problems<'s>,
    /// What the test strategies ask for, which stands behind all tasks.
    strategies: Vec<TaskDraft>,
    /// Who does what a test strategy asks for.
    tester: Option<Who>,
    draft: Draft,
    /// Where the last task was found: places are looked for behind it.
    from: usize,
    /// Whether there are several tags, so that ids need theirs.
    many: bool,
}

impl TaskmasterReader<'_, '_> {
    fn task(&mut self, tag: &str, task: &Value) {
        let id = self.id(tag, &id(task));
        let (title, at) = (text(task, "title"), self.find(&text(task, "title")));
        let subtasks: Vec<&Value> = task.get("subtasks").and_then(Value::as_array).into_iter().flatten().collect();
        let needs = self.needs(tag, task, None);
        let made = self.requirement(&id, task, at);
        let strategy = text(task, "testStrategy");
        let state = state(task);
        if let State::Aside(reason) = state {
            let what = |reason, title: &str| What::Item(Fate::Aside { reason, section: title.to_owned() });
            self.place(at, what(reason, &title), &title);
            for subtask in &subtasks {
                let at = self.find(&text(subtask, "title"));
                self.place(at, what(reason, &title), &text(subtask, "title"));
            }
            return;
        }
        let mut draft = TaskDraft {
            at: self.source.position(at),
            title: title.clone(),
            owner: Owner::Items,
            keys: vec![id.clone()],
            needs,
            stands_alone: subtasks.len() > 1,
            ..TaskDraft::default()
        };
        let is_done = matches!(state, State::Done);
        let mut open = 0;
        for subtask in &subtasks {
            let number = id_of(subtask);
            let at = self.find(&text(subtask, "title"));
            let id = format!("{id}.{number}");
            let mut made = self.requirement(&id, subtask, at);
            made.needs = self.needs(tag, subtask, Some(&draft.keys[0]));
            match self::state(subtask) {
                State::Aside(reason) => {
                    let what = What::Item(Fate::Aside { reason, section: title.clone() });
                    self.place(at, what, &made.text);
                    continue;
                }
                State::Done => made.done = true,
                State::Open => {
                    // Who ticks a task off has ticked its parts off.
                    made.done = is_done;
                    open += usize::from(!is_done);
                }
            }
            draft.requirements.push(made);
        }
        if subtasks.is_empty() || (!is_done && open == 0) {
            draft.requirements.push(RequirementDraft { done: is_done, ..made });
        } else {
            draft.notes = join(&[&text(task, "description"), &text(task, "details")]);
        }
        let tested: Vec<Word> = vec![Word { text: id.clone(), at: draft.at }];
        self.draft.tasks.push(draft);
        if !strategy.is_empty() && !self.takes_commands(&strategy) {
            self.strategy(&id, &title, &strategy, is_done, tested);
        }
    }

    /// Takes a test strategy for commands when it is nothing else: they are run, and nobody has to write them.
    fn takes_commands(&mut self, strategy: &str) -> bool {
        let Some(found) = data::commands_of(strategy) else { return false };
        let at = self.find(strategy);
        for text in found {
            let line = CommandLine { gate: GateKind::Tests, text: &text, at: self.source.position(at) };
            let made = commands::split(line, self.problems);
            if made.is_some() {
                self.place(at, What::Item(Fate::Command { gate: GateKind::Tests }), &text);
            }
            let made = made.filter(|made| self.draft.verification.iter().all(|other| other.argv != made.argv));
            self.draft.verification.extend(made);
        }
        true
    }

    /// Makes work for the tests of a test strategy.
    fn strategy(&mut self, id: &str, title: &str, strategy: &str, done: bool, needs: Vec<Word>) {
        let at = self.find(strategy);
        let position = self.source.position(at);
        let made = RequirementDraft {
            at: position,
            id: Some(Word { text: format!("{id}.tests"), at: position }),
            text: format!("Test {title}: {}", one_line(strategy)),
            done,
            range: at..at,
            ..RequirementDraft::default()
        };
        self.strategies.push(TaskDraft {
            at: position,
            title: format!("Tests of {title}"),
            who: self.tester.clone(),
            owner: Owner::Heading,
            requirements: vec![made],
            needs,
            ..TaskDraft::default()
        });
    }

    fn requirement(&self, id: &str, task: &Value, at: usize) -> RequirementDraft {
        let (title, description) = (text(task, "title"), text(task, "description"));
        let detail = join(&[&description, &text(task, "details")]);
        // That of a task is work of its own.
        let strategy = text(task, "testStrategy");
        let detail = match id.rsplit_once('.').is_some_and(|(parent, _)| !self.many || parent.contains('.')) {
            true if !strategy.is_empty() => join(&[&detail, &format!("Test strategy: {strategy}")]),
            _ => detail,
        };
        let position = self.source.position(at);
        RequirementDraft {
            at: position,
            id: Some(Word { text: id.to_owned(), at: position }),
            paths: mentions::changed(&format!("{title}\n{detail}")),
            text: one_line(&title),
            detail,
            range: at..at,
            ..RequirementDraft::default()
        }
    }

    /// Returns what a task or subtask depends on; the ids of a subtask are those of its siblings.
    fn needs(&self, tag: &str, task: &Value, parent: Option<&str>) -> Vec<Word> {
        let ids = task.get("dependencies").and_then(Value::as_array).into_iter().flatten().map(scalar);
        let at = self.source.position(self.from);
        ids.filter(|id| !id.is_empty())
            .map(|id| {
                let text = match parent {
                    Some(parent) if !id.contains('.') => format!("{parent}.{id}"),
                    _ => self.id(tag, &id),
                };
                Word { text, at }
            })
            .collect()
    }

    fn id(&self, tag: &str, id: &str) -> String {
        if self.many { format!("{tag}.{id}") } else { id.to_owned() }
    }

    fn place(&mut self, at: usize, what: What, text: &str) {
        let line = self.source.position(at).line;
        let shown = Some((line, one_line(text)));
        self.draft.placed.push(Placed { shown, ..Placed::new(at..at, what) });
    }

    /// Finds where a text stands in the source: behind what was found before it.
    fn find(&mut self, text: &str) -> usize {
        let written = serde_json::to_string(text).expect("invariant: a text can be written");
        if let Some(at) = self.source.text[self.from..].find(&written) {
            self.from += at;
        }
        self.from
    }
}

fn text(task: &Value, key: &str) -> String {
    match task.get(key) {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Array(lines)) => lines.iter().map(scalar).collect::<Vec<_>>().join("\n"),
        _ => String::new(),
    }
}

fn id(task: &Value) -> String {
    id_of(task)
}

fn id_of(task: &Value) -> String {
    task.get("id").map(scalar).unwrap_or_default()
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn join(parts: &[&str]) -> String {
    parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("\n\n")
}
