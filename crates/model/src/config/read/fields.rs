//! Fields of a configuration: taken by their keys, with everything that is wrong with them noted.

use std::{collections::BTreeMap, ops::RangeInclusive};

use crate::{
    config::{TIME_LIMIT_MAX_MINUTES, values},
    diagnostics::{Diagnostic, Position, Severity},
    text::nearest,
    yaml::tree::{Node, Value},
};

/// A value with the dotted path of keys that leads to it.
pub(super) struct Field {
    pub(super) path: String,
    pub(super) node: Node,
}

pub(super) struct FieldReader<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
    pub(super) kinds: &'a [&'a str],
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl FieldReader<'_> {
    pub(super) fn truth(&mut self, field: &Field) -> Option<bool> {
        match &field.node.value {
            Value::Literal(word) if word == "true" => Some(true),
            Value::Literal(word) if word == "false" => Some(false),
            _ => {
                self.wrong_type(field, "`true` or `false`", None);
                None
            }
        }
    }

    pub(super) fn error(&mut self, at: Position, code: &str, message: String, hint: Option<String>) {
        let mut diagnostic = Diagnostic::new(Severity::Error, code, self.file, message).at(self.text, at);
        diagnostic.hint = hint;
        self.diagnostics.push(diagnostic);
    }

    pub(super) fn wrong_type(&mut self, field: &Field, wanted: &str, hint: Option<String>) {
        let what = if field.path.is_empty() { "the configuration".to_owned() } else { format!("`{}`", field.path) };
        let message = format!("{what} must be {wanted}, not {}", field.node.value.kind());
        self.error(field.node.position, "wrong-type", message, hint);
    }

    pub(super) fn unknown_key(&mut self, key: &str, at: Position, path: &str, keys: &[&str]) {
        let what = if path.is_empty() { "the configuration".to_owned() } else { format!("`{path}`") };
        // A key of another style is the key that is meant: `protected_paths`, `protectedPaths`.
        let same = |a: &str, b: &str| {
            let plain = |text: &str| text.replace(['-', '_'], "").to_lowercase();
            plain(a) == plain(b)
        };
        let meant = keys.iter().copied().find(|&known| same(known, key)).or_else(|| nearest(key, keys.iter().copied()));
        let hint = meant.map_or_else(|| format!("the keys are {}", list(keys)), |key| format!("did you mean `{key}`?"));
        self.error(at, "unknown-key", format!("{what} has no key `{}`", key.escape_debug()), Some(hint));
    }

    /// Takes a mapping apart; nothing at all is an empty one, as a key with only comments below it is.
    pub(super) fn entries(&mut self, field: Field) -> Vec<((String, Position), Field)> {
        match field.node.value {
            Value::Mapping(entries) => {
                let mut named = Vec::with_capacity(entries.len());
                for (key, node) in entries {
                    let (Value::Text(name) | Value::Literal(name)) = key.value else {
                        let message = format!("a key must be text, not {}", key.value.kind());
                        self.error(key.position, "unknown-key", message, None);
                        continue;
                    };
                    let path = if field.path.is_empty() { name.clone() } else { format!("{}.{name}", field.path) };
                    named.push(((name, key.position), Field { path, node }));
                }
                named
            }
            Value::Null => Vec::new(),
            _ => {
                self.wrong_type(&field, "a mapping of keys and values", None);
                Vec::new()
            }
        }
    }

    /// Takes a mapping with known keys apart, leaving out what is null.
    pub(super) fn keys(&mut self, field: Field, keys: &[&str]) -> BTreeMap<String, Field> {
        let path = field.path.clone();
        let mut known = BTreeMap::new();
        for ((key, at), field) in self.entries(field) {
            if !keys.contains(&key.as_str()) {
                self.unknown_key(&key, at, &path, keys);
            } else if field.node.value != Value::Null {
                known.insert(key, field);
            }
        }
        known
    }

    pub(super) fn word(&mut self, field: &Field) -> Option<String> {
        match &field.node.value {
            Value::Text(text) if !text.trim().is_empty() && !text.chars().any(char::is_control) => {
                Some(text.trim().to_owned())
            }
            Value::Text(_) => {
                let message = format!("`{}` must be text in one line", field.path);
                self.error(field.node.position, "invalid-value", message, None);
                None
            }
            _ => {
                self.wrong_type(field, "text", Some("put it in quotes".to_owned()));
                None
            }
        }
    }

    pub(super) fn number(&mut self, field: &Field, range: RangeInclusive<u64>) -> Option<u64> {
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        let Value::Literal(written) = &field.node.value else {
            self.wrong_type(field, &wanted, None);
            return None;
        };
        // Decimal digits only: `0x10` and `010` mean other numbers to other readers.
        let is_plain = written.bytes().all(|b| b.is_ascii_digit()) && (written == "0" || !written.starts_with('0'));
        let accepted = written.parse().ok().filter(|number| is_plain && range.contains(number));
        if accepted.is_none() {
            let code = if written.parse::<i128>().is_ok() { "out-of-range" } else { "wrong-type" };
            let message = format!("`{}` must be {wanted}, not {written}", field.path);
            self.error(field.node.position, code, message, None);
        }
        accepted
    }

    pub(super) fn minutes(&mut self, fields: &mut BTreeMap<String, Field>) -> Option<u64> {
        fields.remove("time-limit-minutes").and_then(|field| self.number(&field, 1..=TIME_LIMIT_MAX_MINUTES))
    }

    pub(super) fn choice<T: Copy>(&mut self, field: &Field, choices: &[(&str, T)]) -> Option<T> {
        let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
        let Value::Text(text) = &field.node.value else {
            self.wrong_type(field, &format!("one of {}", list(&names)), None);
            return None;
        };
        let chosen = choices.iter().find(|(name, _)| name == text).map(|&(_, choice)| choice);
        if chosen.is_none() {
            let message =
                format!("`{}` cannot be `{}`: it is one of {}", field.path, text.escape_debug(), list(&names));
            let hint = nearest(text, names.iter().copied()).map(|name| format!("did you mean `{name}`?"));
            self.error(field.node.position, "unknown-value", message, hint);
        }
        chosen
    }

    pub(super) fn texts(&mut self, field: Field) -> Vec<(Position, String)> {
        let Value::Sequence(items) = field.node.value else {
            let hint = match &field.node.value {
                Value::Text(text) => Some(format!("write `[{}]`", quoted(text))),
                _ => None,
            };
            self.wrong_type(&field, "a list", hint);
            return Vec::new();
        };
        let mut texts = Vec::with_capacity(items.len());
        for (index, node) in items.into_iter().enumerate() {
            match node.value {
                Value::Text(text) => texts.push((node.position, text)),
                _ => {
                    let item = Field { path: format!("{}[{index}]", field.path), node };
                    self.wrong_type(&item, "text", Some("put it in quotes".to_owned()));
                }
            }
        }
        texts
    }

    pub(super) fn checked(
        &mut self,
        field: Field,
        code: &str,
        check: impl Fn(&str) -> Result<(), values::Refused>,
    ) -> Vec<String> {
        let path = field.path.clone();
        let mut accepted = Vec::new();
        for (at, text) in self.texts(field) {
            match check(&text) {
                Ok(()) => accepted.push(text),
                Err(refused) => {
                    let shown = text.escape_debug();
                    self.error(at, code, format!("`{shown}` in `{path}` {}", refused.message), Some(refused.hint));
                }
            }
        }
        accepted
    }

    pub(super) fn globs(&mut self, field: Field) -> Option<Vec<String>> {
        Some(self.checked(field, "invalid-glob", values::glob))
    }

    pub(super) fn environment(&mut self, fields: &mut BTreeMap<String, Field>) -> Vec<String> {
        let field = fields.remove("pass-environment");
        field.map(|field| self.checked(field, "refused-environment", values::environment_name)).unwrap_or_default()
    }

    /// Reads a program and its arguments.
    pub(super) fn argv(&mut self, field: Field) -> Option<Vec<String>> {
        if let Value::Text(text) = &field.node.value {
            let words = shlex::split(text).unwrap_or_else(|| vec![text.clone()]);
            let words: Vec<_> = words.iter().map(|word| quoted(word)).collect();
            self.wrong_type(&field, "a list", Some(format!("write `[{}]`", words.join(", "))));
            return None;
        }
        let (path, at) = (field.path.clone(), field.node.position);
        let before = self.diagnostics.len();
        let argv: Vec<_> = self.texts(field);
        if self.diagnostics.len() > before {
            return None;
        }
        if argv.first().is_none_or(|(_, program)| program.trim().is_empty()) {
            let message = format!("`{path}` names no program");
            self.error(at, "invalid-command", message, Some("leave the key out, or name one".to_owned()));
            return None;
        }
        if let Some((at, _)) = argv.iter().find(|(_, word)| word.contains('\0')) {
            let message = format!("a word of `{path}` holds a NUL, which no program can be given");
            self.error(*at, "invalid-command", message, None);
            return None;
        }
        Some(argv.into_iter().map(|(_, word)| word).collect())
    }
}

pub(super) fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Writes `text` as YAML would in a flow list: bare where it can be.
pub(super) fn quoted(text: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    if text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(bare) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "''"))
}
