//! What the keys of an item say, in the words that labels and columns have for it as well.

use crate::{
    plan::{
        dialect::status::{self, words},
        verification, waits,
    },
    yaml::tree::{Node, Value},
};

/// Keys that name an item, the more telling first.
const NAMES: [&str; 32] = [
    "title",
    "name",
    "content",
    "task",
    "summary",
    "subject",
    "story",
    "action",
    "step",
    "do",
    "todo",
    "goal",
    "text",
    "description",
    "desc",
    "what",
    "item",
    "requirement",
    "instruction",
    "objective",
    "headline",
    "label",
    "titel",
    "aufgabe",
    "beschreibung",
    "titre",
    "tâche",
    "título",
    "tarea",
    "tarefa",
    "标题",
    "タイトル",
];
/// Keys of what an item is called by.
const IDS: [&str; 11] =
    ["id", "key", "number", "ref", "taskid", "task id", "step id", "item id", "identifier", "nr", "no"];
/// Keys of what an item waits for, beside the words of labels and columns.
const NEEDS: [&str; 13] = [
    "dependson",
    "blockedby",
    "needs",
    "need",
    "requires",
    "require",
    "after",
    "follows",
    "wait for",
    "waits",
    "prereqs",
    "upstream",
    "nach",
];

/// What the value of a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// What the item is called by.
    Id,
    /// What it waits for.
    Needs,
    /// How it is checked: commands, or words.
    Check,
    /// Commands that check it, where it is commands: `test: npm test`.
    MayCheck,
    /// What must hold for it.
    Criteria,
    /// How far it is.
    Status,
    /// Anything else.
    Other,
}

/// Finds what a key in normal form says.
pub(super) fn parse(phrase: &str) -> Key {
    const CRITERIA: &str = "accept|accepts|accepted|acceptance test|acceptance tests|acs|ac|expect|expects|expected|expected result|must hold";
    const MAY_CHECK: &str =
        "test|tests|test strategy|validate|validation|proof|lint|smoke test|unit test|unit tests|tested by";
    let holds = |words: &str| words.split('|').any(|word| word == phrase);
    if IDS.contains(&phrase) {
        Key::Id
    } else if NEEDS.contains(&phrase) || waits::heads(phrase) {
        Key::Needs
    } else if status::is_status(phrase) {
        Key::Status
    } else if holds(MAY_CHECK) {
        Key::MayCheck
    } else if holds(CRITERIA) || verification::is_for_criteria(phrase) {
        Key::Criteria
    } else if verification::heads_checks(phrase) {
        Key::Check
    } else {
        Key::Other
    }
}

pub(super) fn elements(node: &Node) -> &[Node] {
    if let Value::Sequence(nodes) = &node.value { nodes } else { &[] }
}

pub(super) fn entries_of(node: &Node) -> &[(Node, Node)] {
    if let Value::Mapping(entries) = &node.value { entries } else { &[] }
}

pub(super) fn scalar(node: &Node) -> String {
    match &node.value {
        Value::Text(text) | Value::Literal(text) => text.trim().to_owned(),
        _ => String::new(),
    }
}

/// Finds the key that names an item, and the name: by a key that is known for it; else by the longest text of an item of
/// which another key is known.
pub(super) fn name_of(node: &Node) -> Option<(String, String)> {
    let entries = entries_of(node);
    let is_name = |text: &str| !text.is_empty() && !text.bytes().all(|byte| byte.is_ascii_digit());
    let named = NAMES.iter().find_map(|name| {
        let (_, value) = entries.iter().find(|(key, _)| words(&scalar(key)) == *name)?;
        let text = scalar(value);
        is_name(&text).then(|| ((*name).to_owned(), text))
    });
    let is_other = |key: &str| parse(key) == Key::Other;
    let is_item = || entries.len() > 1 && entries.iter().any(|(key, _)| !is_other(&words(&scalar(key))));
    named.or_else(|| {
        let texts = entries.iter().map(|(key, value)| (words(&scalar(key)), scalar(value)));
        let texts = texts.filter(|(key, text)| is_other(key) && is_name(text) && text.contains(' '));
        texts.max_by_key(|(_, text)| text.chars().count()).filter(|_| is_item())
    })
}
