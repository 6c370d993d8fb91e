//! Reads what an agent file grants and forbids. What cannot be read is taken for the narrowest that it could mean: a
//! restriction must not get lost.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Access, Effort, McpServer,
    definition::{DefinitionReader, plain},
    front_matter::{Entry, split_list, unquote},
    tools,
};
use crate::diagnostics::Severity;

impl DefinitionReader<'_> {
    /// Reads models; of a list, the preferred one stands first.
    pub(super) fn models(&mut self, entry: &Entry) -> Vec<String> {
        match &entry.value {
            Value::Array(models) => models.iter().filter_map(plain).map(|text| unquote(&text).to_owned()).collect(),
            _ => self.text(entry).map(|text| unquote(&text).to_owned()).into_iter().collect(),
        }
    }

    /// Reads tools, as a list or with commas between; `*` is every tool, as is nothing at all. What cannot be read
    /// grants only what reads.
    pub(super) fn tools(&mut self, entry: &Entry, servers: &Servers) -> Option<Vec<String>> {
        if switches(&entry.value).is_some() {
            return None;
        }
        let Some(words) = self.words(entry)? else {
            let message = format!("`{}` is no list of tools; it grants only the tools that read", entry.key);
            let hint = "write them as `tools: [Read, Grep, Edit]`";
            self.report(Severity::Warning, "unreadable-value", Some(entry.position), message, hint);
            return Some(["Read", "Grep", "Glob"].map(str::to_owned).to_vec());
        };
        let translated = translate(&words, servers);
        self.aside.tools.extend(translated.unknown);
        (!translated.all).then_some(translated.tools)
    }

    /// Reads tools that are forbidden. Where what is forbidden cannot be read, nothing but reading is granted.
    pub(super) fn denied(
        &mut self,
        entry: &Entry,
        servers: &Servers,
        granted: &mut Option<Vec<String>>,
        denied: &mut Vec<String>,
    ) {
        let words = match self.words(entry) {
            None => return,
            Some(Some(words)) => words,
            Some(None) => {
                let message = format!("`{}` is no list of tools; only the tools that read are granted", entry.key);
                let hint = "write them as `disallowedTools: [Write, Edit]`";
                self.report(Severity::Warning, "unreadable-value", Some(entry.position), message, hint);
                *granted = Some(["Read", "Grep", "Glob"].map(str::to_owned).to_vec());
                return;
            }
        };
        let translated = translate(&words, servers);
        if translated.all {
            *granted = Some(Vec::new());
        }
        for word in translated.unknown {
            match tools::misspelled(&word) {
                Some(tool) => {
                    let message = format!("`{}` in `{}` was read as `{tool}`", word.escape_debug(), entry.key);
                    self.report(Severity::Warning, "misspelled-tool", Some(entry.position), message, "write it so");
                    denied.push(tool.to_owned());
                }
                None => self.aside.tools.push(word),
            }
        }
        denied.extend(translated.tools.into_iter().flat_map(|tool| forbid(&tool)));
        denied.sort();
        denied.dedup();
    }

    /// Reads tools that opencode's form switches off: `tools: {write: false}`.
    pub(super) fn switched_off(&mut self, entry: &Entry, servers: &Servers, denied: &mut Vec<String>) {
        let off = switches(&entry.value).unwrap_or_default().into_iter().filter(|(_, on)| !on);
        let words: Vec<_> = off.map(|(tool, _)| tool).collect();
        let translated = translate(&words, servers);
        self.aside.tools.extend(translated.unknown);
        denied.extend(translated.tools.into_iter().flat_map(|tool| forbid(&tool)));
        denied.sort();
        denied.dedup();
    }

    /// Returns the words of a list; `None` inside when it cannot be read as one.
    #[expect(clippy::option_option, reason = "nothing written, something unreadable and a list are three things")]
    fn words(&self, entry: &Entry) -> Option<Option<Vec<String>>> {
        match &entry.value {
            Value::Null => None,
            Value::Object(_) | Value::Bool(_) | Value::Number(_) => Some(None),
            Value::Array(items) if items.iter().any(|item| !item.is_string()) => Some(None),
            Value::Array(items) => {
                let words = items.iter().filter_map(plain).map(|item| unquote(&item).to_owned());
                Some(Some(words.collect()))
            }
            value => plain(value).map(|text| Some(split_list(&text))),
        }
    }

    pub(super) fn turns(&mut self, entry: &Entry) -> Option<u64> {
        let number = plain(&entry.value).and_then(|text| text.parse::<u64>().ok()).filter(|number| *number > 0);
        if number.is_none() && !entry.value.is_null() {
            let message = "`maxTurns` is no number of turns, and a limit that cannot be kept is refused";
            let hint = "write a whole number from 1 on, or take it out";
            self.report(Severity::Error, "unreadable-limit", Some(entry.position), message, hint);
        }
        number
    }

    pub(super) fn effort(&mut self, entry: &Entry) -> Option<Effort> {
        let text = plain(&entry.value)?.to_lowercase();
        let effort = Effort::ALL.into_iter().find(|effort| effort.name() == text);
        if effort.is_none() {
            self.unreadable(entry, "one of `low`, `medium`, `high`, `xhigh` and `max`");
        }
        effort
    }

    /// Tells whether the mode of permissions is one that only plans. The others grant, which only the configuration
    /// does; one that is not known is taken for the narrowest.
    pub(super) fn plans_only(&mut self, entry: &Entry) -> bool {
        let word = plain(&entry.value).map(|text| unquote(&text).to_lowercase().replace(['-', '_'], ""));
        match word.as_deref() {
            Some("plan") => true,
            None if entry.value.is_null() => false,
            Some("default" | "manual" | "acceptedits" | "auto" | "dontask" | "bypasspermissions" | "delegate") => {
                self.aside.keys.push(entry.key.clone());
                false
            }
            _ => {
                let message =
                    "`permissionMode` is none that is known; it was read as `plan`, so that the subagent only reads";
                let hint = "it is one of `default`, `acceptEdits`, `dontAsk`, `bypassPermissions` and `plan`";
                self.report(Severity::Warning, "unknown-permission-mode", Some(entry.position), message, hint);
                true
            }
        }
    }

    pub(super) fn access(&mut self, entry: &Entry) -> Access {
        // What was meant to limit must not be lost.
        self.choice(entry, &Access::ALL.map(|access| (access.name(), access))).unwrap_or(Access::ReadOnly)
    }

    pub(super) fn is_by_name_only(&mut self, disabled: Option<&Entry>, infer: Option<&Entry>) -> bool {
        let truth = |entry: &Entry| match &entry.value {
            Value::Bool(truth) => Some(*truth),
            value => plain(value).and_then(|text| text.to_lowercase().parse().ok()),
        };
        match (disabled, infer) {
            (Some(disabled), _) => truth(disabled).unwrap_or(true),
            (None, Some(infer)) => !truth(infer).unwrap_or(true),
            (None, None) => false,
        }
    }

    /// Reads the MCP servers of a file: a map of definitions, or a list of names and of such maps.
    pub(super) fn servers<'e>(&mut self, entries: impl Iterator<Item = &'e Entry>) -> Servers {
        let mut servers = Servers::new();
        for entry in entries {
            let maps: Vec<&serde_json::Map<String, Value>> = match &entry.value {
                Value::Object(map) => vec![map],
                Value::Array(items) => {
                    for name in items.iter().filter_map(Value::as_str) {
                        servers.insert(name.to_owned(), None);
                    }
                    items.iter().filter_map(Value::as_object).collect()
                }
                value => {
                    let names = plain(value).map(|text| split_list(&text)).unwrap_or_default();
                    servers.extend(names.into_iter().map(|name| (name, None)));
                    Vec::new()
                }
            };
            for (name, value) in maps.into_iter().flatten() {
                let server = McpServer::parse(value);
                if server.is_none() && !value.is_null() {
                    let message = format!("the MCP server `{}` has neither `command` nor `url`", name.escape_debug());
                    self.report(Severity::Warning, "unreadable-server", Some(entry.position), message, "");
                }
                servers.insert(name.clone(), server);
            }
        }
        servers
    }
}

/// MCP servers by their names.
type Servers = BTreeMap<String, Option<McpServer>>;

fn translate(words: &[String], servers: &Servers) -> tools::Translated {
    let names: Vec<_> = servers.keys().map(String::as_str).collect();
    tools::translate(words.iter().map(String::as_str), &names)
}

/// Returns the tools that a prohibition reaches: who must not edit must not edit in another way either.
fn forbid(tool: &str) -> Vec<String> {
    match tool {
        "Edit" => vec!["Edit".to_owned(), "MultiEdit".to_owned()],
        "Agent" | "Task" => vec!["Agent".to_owned(), "Task".to_owned()],
        tool => vec![tool.to_owned()],
    }
}

/// Reads a map of tools that are switched on and off; `None` when it is none.
fn switches(value: &Value) -> Option<Vec<(String, bool)>> {
    let map = value.as_object().filter(|map| !map.is_empty())?;
    map.iter().map(|(tool, on)| Some((tool.clone(), on.as_bool()?))).collect()
}
