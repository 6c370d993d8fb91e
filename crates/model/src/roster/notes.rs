//! What there is to say about a whole folder of agent files, each thing once: six hundred notes hide the one that
//! matters.

use std::collections::BTreeMap;

use super::{
    Role,
    definition::Definition,
    keys::{self, Fate},
};
use crate::{
    config::CONFIG_PATH,
    diagnostics::{Diagnostic, Severity},
    ids::SubagentName,
    text,
    wording::page,
};

/// How many names a note shows before the rest is only counted.
const SHOWN: usize = 8;

/// A role that nobody said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuessedRole {
    /// The subagent.
    pub subagent: SubagentName,
    /// The role that it is given.
    pub role: Role,
    /// Whether tools, name or description told it; else it is the role of whoever tells nothing.
    pub told: bool,
}

/// Says which roles were guessed, as a block that can be pasted into the configuration; nothing when there are none.
#[must_use]
pub fn roles_to_confirm<'a>(guessed: impl IntoIterator<Item = &'a GuessedRole>) -> Option<Diagnostic> {
    let guessed: Vec<_> = guessed.into_iter().collect();
    if guessed.is_empty() {
        return None;
    }
    let line = |guess: &&GuessedRole| {
        let unsure = if guess.told { "" } else { "  # nothing tells it" };
        format!("\n      {}: {{ role: {} }}{unsure}", quoted(guess.subagent.as_str()), guess.role.name())
    };
    let lines: String = guessed.iter().map(line).collect();
    let many = text::count(guessed.len(), "subagent");
    let message = format!("nothing says the role of {many}; tools, name and description decided");
    let hint = format!("correct what is wrong and paste it into {CONFIG_PATH}\n    subagents:{lines}");
    Some(Diagnostic::new(Severity::Note, "roles-guessed", CONFIG_PATH, message).hint(hint))
}

/// Writes a name as a key of YAML.
fn quoted(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ' ' | '.'))
        && !["true", "false", "null", "yes", "no", "on", "off"].contains(&name.to_lowercase().as_str());
    // A string of JSON is one of YAML.
    if plain { name.to_owned() } else { serde_json::Value::from(name).to_string() }
}

/// Says which files belong to the pipeline itself and are no subagents.
pub(super) fn of_pipeline(left: &[Definition]) -> Option<Diagnostic> {
    let first = left.first()?;
    let names: Vec<_> = left.iter().map(|definition| format!("`{}`", definition.name)).collect();
    let message = format!("{} belong to the pipeline itself and are no subagents", names.join(", "));
    let hint = "give a file a `role` if its subagent is to be called";
    let file = folder(first.path.as_str());
    Some(Diagnostic::new(Severity::Note, "pipeline-file", file, message).hint(hint))
}

/// Says what the files of a folder hold that has no effect, and how they could be written better.
pub(super) fn of_folder(definitions: &[Definition]) -> Vec<Diagnostic> {
    let mut notes = Vec::new();
    let Some(first) = definitions.first() else { return notes };
    let file = folder(first.path.as_str());
    let mut note = |severity, code: &str, message: String, hint: &str| {
        notes.push(Diagnostic::new(severity, code, file, message).hint(hint));
    };
    let keys = counted(definitions, |definition| &definition.aside.keys);
    for (key, who) in &keys {
        if let Some(Fate::Unkept(what)) = keys::fate(key) {
            let names = listed(who.iter().map(|name| format!("`{name}`")));
            let message = format!("`{key}` of {names} have no effect here: {what}");
            note(
                Severity::Warning,
                "restriction-not-kept",
                message,
                "put it into `tools`, `disallowedTools` or `exclude`",
            );
        }
    }
    let without_effect = keys.iter().filter_map(|(key, who)| {
        let files = text::count(who.len(), "file");
        match keys::fate(key) {
            Some(Fate::Harmless(why)) => Some(format!("`{key}` in {files} ({why})")),
            Some(Fate::ForPeople) => Some(format!("`{key}` in {files}")),
            Some(Fate::Honoured) => Some(format!("`{key}` in {files} (only the configuration grants permissions)")),
            _ => None,
        }
    });
    let without_effect: Vec<_> = without_effect.collect();
    if !without_effect.is_empty() {
        let message = format!("keys without effect here: {}", without_effect.join("; "));
        note(Severity::Note, "key-not-honoured", message, "they can stay; other programs may read them");
    }
    let unknown = counted(definitions, |definition| &definition.aside.unknown_keys);
    if !unknown.is_empty() {
        let message = format!("keys that no agent program knows: {}", in_files(&unknown));
        note(Severity::Note, "unknown-key", message, &format!("{} lists the keys that are read", page("agents.md")));
    }
    let words = counted(definitions, |definition| &definition.aside.tools);
    if !words.is_empty() {
        let message =
            format!("words for tools that nothing here has, so that they grant nothing: {}", in_files(&words));
        note(Severity::Note, "unknown-tool", message, &format!("{} lists the words that are read", page("agents.md")));
    }
    let bare: Vec<_> = definitions.iter().filter(|definition| definition.aside.bare).collect();
    if !bare.is_empty() {
        let message = format!(
            "{} without front matter, all of which was taken for the prompt: {}",
            text::count(bare.len(), "file"),
            listed(bare.iter().map(|definition| definition.path.clone())),
        );
        let hint = "begin it with `name` and `description` between two lines `---`";
        note(Severity::Note, "no-front-matter", message, hint);
    }
    let undescribed: Vec<_> = definitions.iter().filter(|definition| definition.aside.undescribed).collect();
    if !undescribed.is_empty() {
        let names = listed(undescribed.iter().map(|definition| format!("`{}`", definition.name)));
        let message = format!("files without a `description`: {names}");
        note(Severity::Warning, "missing-description", message, "say in a sentence what each is for");
    }
    let named: Vec<_> = definitions.iter().filter(|definition| definition.aside.named_by_path).collect();
    if !named.is_empty() {
        let names = listed(named.iter().map(|definition| format!("`{}`", definition.name)));
        let message = format!("files without a `name`, called after their paths: {names}");
        note(Severity::Note, "missing-name", message, "add a `name`");
    }
    notes
}

/// Returns the folder that a note about many files stands for.
fn folder(path: &str) -> &str {
    let agents = path.find("agents/").map(|at| at + "agents".len());
    agents.map_or(path, |end| &path[..end])
}

/// Counts words over the files, with the names of those that have them.
fn counted<'d>(
    definitions: &'d [Definition],
    words: impl Fn(&'d Definition) -> &'d Vec<String>,
) -> BTreeMap<&'d str, Vec<&'d str>> {
    let mut counted: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for definition in definitions {
        for word in words(definition) {
            let who = counted.entry(word).or_default();
            if who.last() != Some(&definition.name.as_str()) {
                who.push(definition.name.as_str());
            }
        }
    }
    counted
}

/// Lists words with the number of files that have them, the most frequent first.
fn in_files(counted: &BTreeMap<&str, Vec<&str>>) -> String {
    let mut words: Vec<_> = counted.iter().map(|(word, who)| (who.len(), *word)).collect();
    words.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    listed(words.into_iter().map(|(files, word)| {
        let word = text::truncate(&word.escape_debug().to_string(), 60);
        if files == 1 { format!("`{word}`") } else { format!("`{word}` in {files} files") }
    }))
}

/// Joins words, and only counts those behind the first few.
pub(crate) fn listed(words: impl Iterator<Item = String>) -> String {
    text::listed(words, SHOWN)
}
