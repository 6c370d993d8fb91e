//! Plans as data of any shape: JSON and YAML of tools that we do not know, and the todos above a document.

mod checks;
mod keys;

pub(super) use self::checks::commands_of;
use self::keys::{Key, elements, entries_of, name_of, scalar};
use super::status::{self, State, words};
use crate::{
    command,
    gate::GateKind,
    plan::{
        accounting::{Fate, Placed, Reason, What},
        directives,
        domains::{self, Fixed},
        draft::{Draft, Owner, RequirementDraft, TaskDraft, Who, Word},
        mentions,
        source::Problems,
        yaml_form::{PLAN_KEYS, Text},
    },
    roster::Roster,
    yaml::tree::{self, Node, Value},
};

/// How deep lists in lists are looked for. What lies deeper is told in the detail of what is above it.
const DEPTH_MAX: usize = 6;

/// Keys of lists that are work, beside what headings call the work.
const WORK: [&str; 22] = [
    "tasks",
    "steps",
    "todos",
    "items",
    "phases",
    "stages",
    "milestones",
    "stories",
    "user stories",
    "epics",
    "features",
    "work",
    "actions",
    "subtasks",
    "children",
    "sprints",
    "sections",
    "changes",
    "deliverables",
    "plan",
    "checklist",
    "issues",
];

/// Reads the plan in a text, when it is data and not in our own form, and something in it is work.
pub(in crate::plan) fn read<'s>(
    text: &Text,
    roster: &Roster,
    is_meant: bool,
    problems: &mut Problems<'s>,
) -> Option<Draft> {
    let root = tree::parse(&text.text).ok()?.root;
    if !is_meant && is_ours(&root) {
        return None;
    }
    let before = problems.count();
    let mut reader = DataReader { text, roster, problems, draft: Draft::default() };
    reader.value(&root, "", 0);
    let draft = reader.finish();
    if draft.tasks.iter().any(|task| !task.requirements.is_empty()) {
        return Some(draft);
    }
    problems.forget_from(before);
    None
}

/// Reads the todos in the front matter of a document.
pub(in crate::plan) fn todos<'s>(text: &Text, roster: &Roster, problems: &mut Problems<'s>) -> Draft {
    let mut reader = DataReader { text, roster, problems, draft: Draft::default() };
    if let Ok(tree) = tree::parse(&text.text)
        && let Value::Mapping(entries) = &tree.root.value
    {
        for (key, value) in entries {
            if ["todos", "tasks", "steps"].contains(&scalar(key).as_str()) {
                reader.value(value, "Todos", 1);
            }
        }
    }
    reader.finish()
}

/// Tells whether data is in our own form, so that what is wrong with it is told.
fn is_ours(root: &Node) -> bool {
    let Value::Mapping(entries) = &root.value else {
        return elements(root).iter().all(|node| entries_of(node).is_empty());
    };
    let is_key = |key: &Node| PLAN_KEYS.contains(&scalar(key).as_str());
    let tasks: Vec<&Node> =
        entries.iter().filter(|(key, _)| scalar(key) == "tasks").flat_map(|(_, value)| elements(value)).collect();
    let is_ours = |task: &&Node| {
        let mut keys = entries_of(task).iter().map(|(key, _)| scalar(key));
        keys.any(|key| ["role", "subagent", "requirements", "touches", "parallel-with"].contains(&key.as_str()))
    };
    let all_known = entries.iter().all(|(key, _)| is_key(key));
    (all_known && tasks.iter().all(|task| entries_of(task).is_empty())) || tasks.iter().any(is_ours)
}

fn is_list_of_items(node: &Node) -> bool {
    elements(node).iter().any(|node| name_of(node).is_some())
}

fn is_work(key: &str, value: &Node) -> bool {
    let is_named = WORK.contains(&key) || (domains::fixed(key) == Some(Fixed::Frame) && key != "quality");
    is_named && matches!(value.value, Value::Sequence(_) | Value::Mapping(_))
}

struct DataReader<'r, 's> {
    text: &'r Text,
    roster: &'r Roster,
    problems: &'r mut Problems<'s>,
    draft: Draft,
}

impl DataReader<'_, '_> {
    fn finish(self) -> Draft {
        let mut draft = self.draft;
        let said = |line: u32, text: String, fate: Fate| Placed {
            shown: Some((line, text)),
            ..Placed::new(0..0, What::Item(fate))
        };
        let commands = draft
            .verification
            .iter()
            .map(|command| said(command.line, command::join(&command.argv), Fate::Command { gate: command.gate }));
        let criteria = draft.acceptance.iter().map(|one| said(one.line, one.text.clone(), Fate::Criterion));
        let placed: Vec<_> = commands.chain(criteria).collect();
        draft.placed.extend(placed);
        draft
    }

    fn value(&mut self, node: &Node, heading: &str, depth: usize) {
        match &node.value {
            Value::Sequence(nodes) => self.list(nodes, node, heading, State::Open, depth),
            Value::Mapping(entries) => {
                for (key, value) in entries {
                    self.entry(&scalar(key), value, depth);
                }
            }
            _ => {}
        }
    }

    fn entry(&mut self, key: &str, value: &Node, depth: usize) {
        let phrase = words(key);
        let fixed = domains::fixed(&phrase);
        match (&value.value, fixed) {
            (Value::Null, _) => {}
            _ if is_work(&phrase, value) && depth < DEPTH_MAX => self.value(value, key, depth + 1),
            (_, Some(Fixed::Verification(gate))) => self.checks(value, gate.unwrap_or(GateKind::Tests)),
            (_, Some(Fixed::Acceptance)) => self.criteria(value),
            (_, None) if depth == 0 && keys::parse(&phrase) == Key::Criteria => self.criteria(value),
            (_, Some(Fixed::Aside(reason))) => self.aside(key, value, reason),
            (Value::Text(text), _) | (Value::Literal(text), _) => {
                if depth == 0
                    && self.draft.title.is_none()
                    && ["title", "name", "feature", "project"].contains(&phrase.as_str())
                {
                    self.draft.title = Some(one_line(text));
                } else {
                    self.about(key, text);
                }
            }
            _ if is_list_of_items(value) && fixed.is_none() && depth < DEPTH_MAX => self.value(value, key, depth + 1),
            (Value::Mapping(_), _) if depth < DEPTH_MAX => self.value(value, key, depth + 1),
            _ => self.aside(key, value, Reason::Context),
        }
    }

    fn about(&mut self, key: &str, text: &str) {
        let line = format!("{}: {}", key, text.trim());
        if !self.draft.preamble.is_empty() {
            self.draft.preamble.push('\n');
        }
        self.draft.preamble.push_str(&line);
    }

    fn aside(&mut self, key: &str, value: &Node, reason: Reason) {
        for node in std::iter::once(value).filter(|node| elements(node).is_empty()).chain(elements(value)) {
            let text = one_line(&shown(node));
            if !text.is_empty() {
                self.place_aside(node, &text, key, reason);
                self.about(key, &text);
            }
        }
    }

    fn place_aside(&mut self, node: &Node, text: &str, section: &str, reason: Reason) {
        let what = What::Item(Fate::Aside { reason, section: section.to_owned() });
        let shown = Some((self.text.place(node.position).line, text.to_owned()));
        self.draft.placed.push(Placed { shown, ..Placed::new(0..0, what) });
    }

    /// Takes a list of items: those with items below them are tasks, and the others are one together.
    fn list(&mut self, nodes: &[Node], list: &Node, heading: &str, above: State, depth: usize) {
        let at = self.text.place(list.position);
        let title = if heading.is_empty() { "Tasks".to_owned() } else { capitalised(&one_line(heading)) };
        let who = domains::role(&words(&title)).and_then(|role| Who::of_role(role, self.roster));
        let owner = if who.is_some() { Owner::Heading } else { Owner::Items };
        let mut task = TaskDraft { at, title, who, owner, frame: self.draft.tasks.len(), ..TaskDraft::default() };
        let first = self.draft.tasks.len();
        for node in nodes {
            let children: Vec<&Node> = entries_of(node)
                .iter()
                .filter(|(key, value)| is_work(&words(&scalar(key)), value) && !elements(value).is_empty())
                .map(|(_, value)| value)
                .collect();
            let state = match state_of(node) {
                State::Open => above,
                own => own,
            };
            let made = self.requirement(node);
            if !matches!(state, State::Aside(_)) {
                self.checks_of_item(node, &made.text, state == State::Done);
            }
            if let State::Aside(reason) = state {
                self.place_aside(node, &made.text, heading, reason);
                for below in children.iter().flat_map(|list| elements(list)) {
                    let text = one_line(&name_of(below).map_or_else(|| shown(below), |(_, name)| name));
                    self.place_aside(below, &text, heading, reason);
                }
                continue;
            }
            if children.is_empty() || depth >= DEPTH_MAX {
                if !made.text.is_empty() {
                    task.requirements.push(RequirementDraft { done: state == State::Done, ..made });
                }
                continue;
            }
            let own = self.draft.tasks.len();
            for list in children {
                self.list(elements(list), list, &made.text, state, depth + 1);
            }
            for task in &mut self.draft.tasks[own..] {
                task.stands_alone = true;
                task.keys.extend(made.keys.iter().cloned());
                task.soft_needs.extend(made.needs.iter().cloned());
                task.add_note(&made.detail);
            }
        }
        if let Some(made) = task.requirements.first() {
            // What stands before the others comes before them.
            let is_before = |other: &TaskDraft| made.at.line < other.at.line;
            let behind = self.draft.tasks[first..].iter().position(is_before);
            self.draft.tasks.insert(behind.map_or(self.draft.tasks.len(), |behind| first + behind), task);
        }
    }

    /// Makes a requirement of an item, with everything that it says beside its name.
    fn requirement(&self, node: &Node) -> RequirementDraft {
        let at = self.text.place(node.position);
        let mut made = RequirementDraft { at, ..RequirementDraft::default() };
        let Some((name, text)) = name_of(node) else {
            let whole = shown(node);
            let (first, rest) = whole.trim().split_once('\n').unwrap_or((whole.trim(), ""));
            made.paths = mentions::changed(&whole);
            (made.text, made.detail) = (one_line(first), rest.trim().to_owned());
            return made;
        };
        let (mut detail, mut about) = (Vec::new(), Vec::new());
        for (key, value) in entries_of(node) {
            let (key, phrase) = (scalar(key), words(&scalar(key)));
            let is_child = is_work(&phrase, value);
            if phrase == name || is_child || status::is_status(&phrase) || matches!(value.value, Value::Null) {
                continue;
            }
            match keys::parse(&phrase) {
                Key::Id => {
                    let id = scalar(value);
                    made.keys.push(domains::normal(&id));
                    made.id = Some(Word { text: id, at });
                    continue;
                }
                Key::Needs => {
                    let names = elements(value).iter().map(scalar).chain([scalar(value)]);
                    let names = names.filter(|name| !name.is_empty() && !directives::is_none(name));
                    made.needs.extend(names.map(|text| Word { text, at }));
                }
                _ => {}
            }
            let said = shown(value);
            if !said.is_empty() {
                detail.push(format!("- {key}: {}", said.trim().replace('\n', "\n  ")));
                // What a check runs on is not what the work is about.
                about.extend(detail.last().filter(|_| keys::parse(&phrase) != Key::Check).cloned());
            }
        }
        made.detail = detail.join("\n");
        made.paths = mentions::changed(&format!(
            "{text}
{}",
            about.join(
                "
"
            )
        ));
        made.text = one_line(&text);
        made
    }
}

fn state_of(node: &Node) -> State {
    let status = entries_of(node).iter().find(|(key, _)| status::is_status(&words(&scalar(key))));
    status.map_or(State::Open, |(_, value)| status::state(&scalar(value)))
}

/// Shows a value as text.
fn shown(node: &Node) -> String {
    match &node.value {
        Value::Null => String::new(),
        Value::Text(text) | Value::Literal(text) => text.trim().to_owned(),
        Value::Sequence(nodes) => {
            nodes.iter().map(shown).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("; ")
        }
        Value::Mapping(entries) => {
            let entry = |(key, value): &(Node, Node)| format!("{}: {}", scalar(key), shown(value));
            entries.iter().map(entry).collect::<Vec<_>>().join(", ")
        }
    }
}

/// Writes a key as a title.
fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
