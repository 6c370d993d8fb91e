//! What one agent file says, before role, configuration and built-in definitions fill what it leaves out.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    Access, Role, Terms,
    file::AgentFile,
    front_matter::{Document, Entry, Form, read, split_list, unquote},
    keys::{self, Fate, Misspelled},
    models, tools,
};
use crate::{
    config::values,
    diagnostics::{Diagnostic, Position, Severity},
    ids::{NAME_MAX, SubagentName},
    text::{nearest, truncate},
};

/// The largest agent file that is read, in bytes; no model takes a longer prompt.
pub const AGENT_FILE_MAX_BYTES: usize = 1024 * 1024;

/// The longest description that is made out of a prompt, in characters.
const DESCRIPTION_MAX: usize = 200;

/// An agent file as it stands; `None` is what it does not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Definition {
    pub(super) path: String,
    pub(super) name: SubagentName,
    pub(super) description: Option<String>,
    pub(super) prompt: String,
    pub(super) model: Option<Model>,
    /// The tools that are granted, in the vocabulary of Claude Code.
    pub(super) tools: Option<Vec<String>>,
    pub(super) terms: Terms,
    /// Whether the file is for planning only: `permissionMode: plan`.
    pub(super) plans_only: bool,
    pub(super) role: Option<Role>,
    pub(super) access: Option<Access>,
    pub(super) scope: Option<Vec<String>>,
    pub(super) exclude: Option<Vec<String>>,
    pub(super) aside: Aside,
}

/// What a file says that has no effect here, or is only worth a note.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Aside {
    /// Keys of agent programs that are not honoured.
    pub(super) keys: Vec<String>,
    /// Keys that no agent program knows.
    pub(super) unknown_keys: Vec<String>,
    /// Words for tools that have no counterpart.
    pub(super) tools: Vec<String>,
    /// Whether the file is called after its path.
    pub(super) named_by_path: bool,
    /// Whether there is front matter without a description.
    pub(super) undescribed: bool,
    /// Whether there is no front matter.
    pub(super) bare: bool,
}

impl Definition {
    /// Tells whether any tool that the file grants changes files.
    pub(super) fn has_writing_tool(&self) -> bool {
        let denied = |tool: &str| self.terms.denied_tools.iter().any(|denied| denied == tool);
        match &self.tools {
            Some(tools) => tools.iter().any(|call| tools::writes(call) && !denied(tools::tool_of(call))),
            None => ["Edit", "Write"].into_iter().any(|tool| !denied(tool)),
        }
    }
}

/// The model that a file asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Model {
    /// Whatever the agent CLI uses by itself.
    Inherit,
    /// An alias or a full name.
    Named(String),
}

impl Model {
    pub(super) fn parse(text: &str) -> Self {
        if models::is_no_choice(text) { Self::Inherit } else { Self::Named(text.to_owned()) }
    }

    pub(super) fn name(self) -> Option<String> {
        match self {
            Self::Inherit => None,
            Self::Named(name) => Some(name),
        }
    }
}

/// Reads one agent file; `None` when nothing can be made of it, or it is plainly none.
pub(super) fn define(file: &AgentFile, diagnostics: &mut Vec<Diagnostic>) -> Option<Definition> {
    let path = file.path.as_str();
    if file.content.len() > AGENT_FILE_MAX_BYTES {
        let message = format!("the agent file is longer than {AGENT_FILE_MAX_BYTES} bytes");
        let diagnostic = Diagnostic::new(Severity::Error, "agent-file-too-long", path, message);
        diagnostics.push(diagnostic.hint("a prompt is a page or two: move the rest into files that it names"));
        return None;
    }
    let text = match std::str::from_utf8(&file.content) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let valid = String::from_utf8_lossy(&file.content[..error.valid_up_to()]);
            let message = format!("the agent file is not UTF-8 from byte {} on", error.valid_up_to());
            let diagnostic = Diagnostic::new(Severity::Error, "not-utf8", path, message);
            let diagnostic = diagnostic.at(&valid, Position::of_offset(&valid, valid.len()));
            diagnostics.push(diagnostic.hint("save it as UTF-8, or move it out of the folder of agents"));
            return None;
        }
    };
    let document = read(text);
    let stem = stem(path);
    if document.form == Form::Absent && stem.eq_ignore_ascii_case("readme") {
        let message = "a README without front matter is no agent; it was left aside";
        diagnostics.push(Diagnostic::new(Severity::Note, "not-an-agent", path, message));
        return None;
    }
    DefinitionReader { path, text, diagnostics, aside: Aside::default() }.definition(document, stem)
}

/// Returns the name that an agent file has by its path.
fn stem(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or_default();
    file.strip_suffix(".agent.md").or_else(|| file.strip_suffix(".md")).unwrap_or(file)
}

/// Reads one file, and collects what there is to say about it.
pub(super) struct DefinitionReader<'a> {
    path: &'a str,
    text: &'a str,
    diagnostics: &'a mut Vec<Diagnostic>,
    pub(super) aside: Aside,
}

impl DefinitionReader<'_> {
    fn definition(mut self, mut document: Document<'_>, stem: &str) -> Option<Definition> {
        self.form(&document.form);
        self.keys(&mut document.entries);
        let entry = |key: &str| document.entries.iter().find(|entry| entry.key == key);
        let name = self.name(entry("name"), &document.form, stem)?;
        let prompt = document.body.trim().to_owned();
        let description = entry("description").and_then(|entry| self.text(entry)).map(|text| unescape(&text));
        if description.is_none() && document.form != Form::Absent {
            self.aside.undescribed = true;
        }
        let description = description.or_else(|| first_sentence(&prompt));
        let model = entry("model").map(|entry| self.models(entry)).unwrap_or_default();
        let servers = self.servers(entry("mcpServers").into_iter().chain(entry("mcp-servers")));
        let mut granted = entry("tools").or_else(|| entry("allowed-tools")).and_then(|e| self.tools(e, &servers));
        let mut denied_tools = Vec::new();
        for entry in document.entries.iter().filter(|entry| entry.key == "disallowedTools") {
            self.denied(entry, &servers, &mut granted, &mut denied_tools);
        }
        if let Some(entry) = entry("tools") {
            self.switched_off(entry, &servers, &mut denied_tools);
        }
        let mut models = model.into_iter().map(|text| Model::parse(&text));
        let model = models.next();
        let terms = Terms {
            denied_tools,
            max_turns: entry("maxTurns").and_then(|entry| self.turns(entry)),
            effort: entry("effort").and_then(|entry| self.effort(entry)),
            other_models: models.filter_map(Model::name).collect(),
            servers,
            skills: entry("skills").and_then(|entry| self.list(entry)).unwrap_or_default(),
            by_name_only: self.is_by_name_only(entry("disable-model-invocation"), entry("infer")),
        };
        Some(Definition {
            path: self.path.to_owned(),
            name,
            description,
            prompt,
            model,
            tools: granted,
            terms,
            plans_only: entry("permissionMode").is_some_and(|entry| self.plans_only(entry)),
            role: entry("role").and_then(|entry| self.choice(entry, &Role::ALL.map(|role| (role.name(), role)))),
            access: entry("access").map(|entry| self.access(entry)),
            scope: entry("scope").and_then(|entry| self.globs(entry)),
            exclude: entry("exclude").and_then(|entry| self.globs(entry)),
            aside: self.aside,
        })
    }

    pub(super) fn report(
        &mut self,
        severity: Severity,
        code: &str,
        at: Option<Position>,
        message: impl Into<String>,
        hint: &str,
    ) {
        let diagnostic = Diagnostic::new(severity, code, self.path, message);
        let diagnostic = match at {
            Some(at) => diagnostic.at(self.text, at),
            None => diagnostic,
        };
        self.diagnostics.push(if hint.is_empty() { diagnostic } else { diagnostic.hint(hint) });
    }

    fn form(&mut self, form: &Form) {
        let top = Some(Position { line: 1, column: 1 });
        match form {
            Form::Strict => {}
            Form::Lenient(error) => {
                let message = format!("the front matter is not YAML ({}); it was read line by line", error.message);
                let hint = "put the value in quotes, or on indented lines below `description: |`";
                self.report(Severity::Warning, "lenient-front-matter", error.position, message, hint);
            }
            Form::Unclosed => {
                let message = "a line `---` opens front matter, but none closes it; all of it was taken for the prompt";
                let hint = "close it with another line `---`";
                self.report(Severity::Warning, "unclosed-front-matter", top, message, hint);
            }
            Form::Absent => {
                self.aside.bare = true;
            }
        }
    }

    /// Looks for keys that stand twice, that are misspelled, and that are not honoured: what limits a subagent must not
    /// get lost.
    fn keys(&mut self, entries: &mut [Entry]) {
        let written: BTreeSet<String> = entries.iter().map(|entry| entry.key.clone()).collect();
        let mut seen = BTreeSet::new();
        for entry in entries {
            let (key, position) = (entry.key.clone(), entry.position);
            if !seen.insert(key.clone()) {
                let message = format!("the key `{key}` is there twice; the first one counts");
                self.report(Severity::Warning, "duplicate-key", Some(position), message, "take one of them out");
            }
            if let Some(Misspelled(meant)) = keys::meant(&key)
                && !written.contains(meant)
            {
                let message = format!("the key `{}` was read as `{meant}`", key.escape_debug());
                self.report(Severity::Warning, "misspelled-key", Some(position), message, &format!("write `{meant}`"));
                meant.clone_into(&mut entry.key);
                continue;
            }
            match keys::fate(&key) {
                Some(Fate::Honoured) => {}
                Some(_) => self.aside.keys.push(key),
                None => self.aside.unknown_keys.push(key),
            }
        }
    }

    fn name(&mut self, entry: Option<&Entry>, form: &Form, stem: &str) -> Option<SubagentName> {
        if let Some(entry) = entry
            && let Some(text) = plain(&entry.value)
        {
            match SubagentName::new(unquote(&text)) {
                Ok(name) => return Some(name),
                Err(error) => {
                    let hint = "its file's name is used instead";
                    self.report(Severity::Warning, "unusable-name", Some(entry.position), error.to_string(), hint);
                }
            }
        } else if !matches!(form, Form::Absent | Form::Unclosed) {
            self.aside.named_by_path = true;
        }
        let printable: String = stem.chars().filter(|c| !c.is_control()).take(NAME_MAX).collect();
        if let Ok(name) = SubagentName::new(printable.trim()) {
            return Some(name);
        }
        let message = "neither the front matter nor the file gives a name that can be used";
        self.report(Severity::Error, "no-name", None, message, "add a `name`, such as `backend-search-indexer`");
        None
    }

    /// Reads text; a list or a map in its place is left aside, with a warning.
    pub(super) fn text(&mut self, entry: &Entry) -> Option<String> {
        match &entry.value {
            Value::Array(_) | Value::Object(_) => {
                self.unreadable(entry, "text");
                None
            }
            value => plain(value),
        }
    }

    pub(super) fn unreadable(&mut self, entry: &Entry, wanted: &str) {
        let message = format!("`{}` is not {wanted}; it was left aside", entry.key);
        self.report(Severity::Warning, "unreadable-value", Some(entry.position), message, "");
    }

    pub(super) fn list(&mut self, entry: &Entry) -> Option<Vec<String>> {
        match &entry.value {
            Value::Null => None,
            Value::Object(_) => {
                self.unreadable(entry, "a list");
                None
            }
            Value::Array(items) => Some(
                items
                    .iter()
                    .filter_map(plain)
                    .map(|item| unquote(&item).to_owned())
                    .filter(|i| !i.is_empty())
                    .collect(),
            ),
            value => plain(value).map(|text| split_list(&text)),
        }
    }

    fn globs(&mut self, entry: &Entry) -> Option<Vec<String>> {
        if entry.value.is_object() {
            let message = format!("`{}` is not a list of globs, and a limit that cannot be kept is refused", entry.key);
            self.report(Severity::Error, "unreadable-limit", Some(entry.position), message, "write it as a list");
        }
        let mut globs = self.list(entry)?;
        globs.retain(|glob| match values::glob(glob) {
            Ok(()) => true,
            Err(refused) => {
                let message = format!("`{}` in `{}` {}", glob.escape_debug(), entry.key, refused.message);
                self.report(Severity::Error, "invalid-glob", Some(entry.position), message, &refused.hint);
                false
            }
        });
        Some(globs)
    }

    /// Reads one of a few words. A word that is near to one of them is an error; another one was written for another
    /// program, whose `role` is free text, and is left aside.
    pub(super) fn choice<T: Copy>(&mut self, entry: &Entry, choices: &[(&'static str, T)]) -> Option<T> {
        let text = self.text(entry)?;
        let word = unquote(&text).to_lowercase().replace([' ', '_'], "-");
        if let Some(&(_, choice)) = choices.iter().find(|(name, _)| *name == word) {
            return Some(choice);
        }
        let names = || choices.iter().map(|(name, _)| *name);
        let shown = truncate(&text, NAME_MAX);
        let message = format!("`{}` cannot be `{}`", entry.key, shown.escape_debug());
        let code = format!("unknown-{}", entry.key);
        if let Some(near) = nearest(&word, names()) {
            let hint = format!("did you mean `{near}`?");
            self.report(Severity::Error, &code, Some(entry.position), message, &hint);
        } else {
            let all = names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let hint = format!("it is one of {all}");
            let instead = if entry.key == "access" { "it was read as `read-only`" } else { "it was left aside" };
            let message = format!("{message}; {instead}");
            self.report(Severity::Warning, &code, Some(entry.position), message, &hint);
        }
        None
    }
}

/// Returns a scalar as text, unless it is empty.
pub(super) fn plain(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// Turns the two characters `\n` into a line break: agent programs write descriptions on one line and read them so.
fn unescape(text: &str) -> String {
    text.replace("\\r\\n", "\n").replace("\\n", "\n").replace("\\t", "\t").trim().to_owned()
}

/// Returns the beginning of a prompt as a description: its first line that is no heading.
fn first_sentence(prompt: &str) -> Option<String> {
    let line =
        prompt.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with(['#', '-', '<', '`']))?;
    Some(truncate(line, DESCRIPTION_MAX))
}
