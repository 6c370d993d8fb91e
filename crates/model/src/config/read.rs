//! Reads a configuration from its YAML tree, reporting everything that is wrong with it in one go.

mod agents;
pub(super) mod workflow;

use std::{collections::BTreeMap, ops::RangeInclusive};

#[cfg(test)]
pub(super) use self::agents::{AGENT_KEYS, LIMITS_KEYS, PRICE_KEYS, SETTINGS_KEYS};
use super::{
    CONCURRENCY_MAX, CONFIG_MAX_BYTES, Config, DefaultRole, EvidenceConfig, GateConfig, Granularity, Nobody,
    PullRequestConfig, SetupCommand, SubagentConfig, TIME_LIMIT_MAX_MINUTES, planning::ITEMS_MAX, values,
};
use crate::{
    diagnostics::{Diagnostic, Position, Severity, sort},
    ids::SubagentName,
    isolation::Demand,
    limits::REWORK_ROUNDS_MAX,
    text::nearest,
    vocabulary::{Access, GateKind, Role},
    yaml::tree::{self, Node, Value},
};

pub(super) const CONFIG_KEYS: [&str; 18] = [
    "agent",
    "agents",
    "subagents",
    "protected-paths",
    "gates",
    "setup",
    "concurrency",
    "time-limit-minutes",
    "limits",
    "rework-rounds",
    "escalate-beyond-plan",
    "evidence",
    "default-role",
    "granularity",
    "pass-environment",
    "isolation",
    "pull-request",
    "workflow",
];
pub(super) const PULL_REQUEST_KEYS: [&str; 6] =
    ["plan-files", "run-label", "bots", "live-comment", "update-seconds", "checks"];
pub(super) const SUBAGENT_KEYS: [&str; 11] = [
    "role",
    "kind",
    "model",
    "scope",
    "exclude",
    "access",
    "time-limit-minutes",
    "turns",
    "cost",
    "command",
    "pass-environment",
];
pub(super) const EVIDENCE_KEYS: [&str; 5] = ["revert-proof", "require-proof", "allow-red-base", "mutants", "minutes"];
pub(super) const GRANULARITY_KEYS: [&str; 2] = ["most", "least"];
pub(super) const GATE_KEYS: [&str; 3] = ["commands", "time-limit-minutes", "junit"];
pub(super) const SETUP_KEYS: [&str; 3] = ["run", "files", "time-limit-minutes"];

pub(super) fn read(file: &str, text: &str, kinds: &[&str]) -> Result<Config, Vec<Diagnostic>> {
    if text.len() > CONFIG_MAX_BYTES {
        let message = format!("the configuration is longer than {CONFIG_MAX_BYTES} bytes");
        let diagnostic = Diagnostic::new(Severity::Error, "configuration-too-long", file, message);
        return Err(vec![diagnostic.hint("globs and scripts keep lists out of it")]);
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { file, text, kinds, diagnostics: Vec::new() };
    let config = match tree::parse(text) {
        Ok(tree) => {
            if let Some(duplicate) = tree.duplicate_key {
                let at = duplicate.position.unwrap_or(Position { line: 1, column: 1 });
                reader.error(at, "duplicate-key", duplicate.message, Some("keep one of them".to_owned()));
            }
            reader.config(tree.root)
        }
        Err(error) => {
            let message = format!("this is not YAML: {}", error.message);
            let diagnostic = Diagnostic::new(Severity::Error, "invalid-yaml", file, message);
            return Err(vec![match error.position {
                Some(position) => diagnostic.at(text, position),
                None => diagnostic,
            }]);
        }
    };
    if reader.diagnostics.is_empty() {
        return Ok(config);
    }
    sort(&mut reader.diagnostics);
    Err(reader.diagnostics)
}

/// A value with the dotted path of keys that leads to it.
struct Field {
    path: String,
    node: Node,
}

struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    kinds: &'a [&'a str],
    diagnostics: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn config(&mut self, node: Node) -> Config {
        let mut fields = self.keys(Field { path: String::new(), node }, &CONFIG_KEYS);
        let mut config = Config::default();
        if let Some(agent) = fields.remove("agent") {
            config.agent = self.agent(agent);
        }
        config.agents = fields.remove("agents").map(|field| self.agents(field)).unwrap_or_default();
        for (name, field) in fields.remove("subagents").map(|field| self.entries(field)).unwrap_or_default() {
            match SubagentName::new(name.0.as_str()) {
                Ok(key) => drop(config.subagents.insert(key, self.subagent(field))),
                Err(error) => self.error(name.1, "invalid-name", error.to_string(), None),
            }
        }
        for (name, field) in fields.remove("gates").map(|field| self.entries(field)).unwrap_or_default() {
            let kinds = GateKind::ALL.map(|kind| (kind.name(), kind));
            match kinds.iter().find(|(kind, _)| *kind == name.0) {
                Some(&(_, kind)) => drop(config.gates.insert(kind, self.gate(field))),
                None => self.unknown_key(&name.0, name.1, "gates", &kinds.map(|(name, _)| name)),
            }
        }
        config.setup = fields.remove("setup").map(|field| self.setup_commands(field)).unwrap_or_default();
        config.protected_paths = fields.remove("protected-paths").and_then(|field| self.globs(field));
        config.concurrency = fields
            .remove("concurrency")
            .and_then(|field| self.number(&field, 1..=CONCURRENCY_MAX as u64))
            .and_then(|number| usize::try_from(number).ok());
        config.time_limit_minutes = self.minutes(&mut fields);
        config.limits = fields.remove("limits").map(|field| self.limits(field)).unwrap_or_default();
        config.rework_rounds = fields
            .remove("rework-rounds")
            .and_then(|field| self.number(&field, 0..=u64::from(REWORK_ROUNDS_MAX)))
            .and_then(|number| u32::try_from(number).ok());
        config.escalate_beyond_plan =
            fields.remove("escalate-beyond-plan").and_then(|field| self.truth(&field)).unwrap_or_default();
        if let Some(field) = fields.remove("evidence") {
            config.evidence = self.evidence(field);
        }
        let roles = Role::ALL.map(|role| (role.name(), DefaultRole::Role(role)));
        let choices = [&roles[..], &[("none", DefaultRole::Nobody(Nobody::None))]].concat();
        config.default_role = fields.remove("default-role").and_then(|field| self.choice(&field, &choices));
        config.granularity = fields.remove("granularity").map(|field| self.granularity(field)).unwrap_or_default();
        config.pass_environment = self.environment(&mut fields);
        config.isolation = fields
            .remove("isolation")
            .and_then(|field| self.choice(&field, &Demand::ALL.map(|demand| (demand.name(), demand))));
        if let Some(field) = fields.remove("pull-request") {
            config.pull_request = self.pull_request(field);
        }
        if let Some(field) = fields.remove("workflow") {
            config.workflow = self.workflow(field);
        }
        config
    }

    fn subagent(&mut self, field: Field) -> SubagentConfig {
        let mut fields = self.keys(field, &SUBAGENT_KEYS);
        SubagentConfig {
            role: fields
                .remove("role")
                .and_then(|field| self.choice(&field, &Role::ALL.map(|role| (role.name(), role)))),
            kind: fields.remove("kind").and_then(|field| self.kind(&field)),
            model: fields.remove("model").and_then(|field| self.word(&field)),
            scope: fields.remove("scope").and_then(|field| self.globs(field)),
            exclude: fields.remove("exclude").and_then(|field| self.globs(field)),
            access: fields
                .remove("access")
                .and_then(|field| self.choice(&field, &Access::ALL.map(|access| (access.name(), access)))),
            time_limit_minutes: self.minutes(&mut fields),
            turns: self.turns(&mut fields),
            cost: self.cost(&mut fields, "cost"),
            command: fields.remove("command").and_then(|field| self.argv(field)),
            pass_environment: self.environment(&mut fields),
        }
    }

    fn evidence(&mut self, field: Field) -> EvidenceConfig {
        let mut fields = self.keys(field, &EVIDENCE_KEYS);
        let mut config = EvidenceConfig::default();
        let truth = |reader: &mut Self, field: Option<Field>, or: bool| {
            field.and_then(|field| reader.truth(&field)).unwrap_or(or)
        };
        config.revert_proof = truth(self, fields.remove("revert-proof"), config.revert_proof);
        config.require_proof = truth(self, fields.remove("require-proof"), config.require_proof);
        config.allow_red_base = truth(self, fields.remove("allow-red-base"), config.allow_red_base);
        let mutants = fields.remove("mutants").and_then(|field| self.number(&field, 0..=100));
        config.mutants = mutants.map_or(0, |mutants| u32::try_from(mutants).expect("invariant: at most 100"));
        config.minutes = fields.remove("minutes").and_then(|field| self.number(&field, 0..=240));
        config
    }

    fn granularity(&mut self, field: Field) -> Granularity {
        let mut fields = self.keys(field, &GRANULARITY_KEYS);
        let mut items = |key: &str| {
            let field = fields.remove(key)?;
            self.number(&field, 1..=ITEMS_MAX).and_then(|number| usize::try_from(number).ok())
        };
        Granularity { most: items("most"), least: items("least") }
    }

    fn gate(&mut self, field: Field) -> GateConfig {
        let mut fields = self.keys(field, &GATE_KEYS);
        GateConfig {
            commands: fields
                .remove("commands")
                .map(|field| self.checked(field, "invalid-command", values::command))
                .unwrap_or_default(),
            time_limit_minutes: self.minutes(&mut fields),
            junit: fields.remove("junit").and_then(|field| self.globs(field)).unwrap_or_default(),
        }
    }

    /// Reads the commands that make a working copy ready.
    fn setup_commands(&mut self, field: Field) -> Vec<SetupCommand> {
        let Field { path: all, node } = field;
        let Value::Sequence(entries) = node.value else {
            let field = Field { path: all, node };
            let hint = "write a list: `- run: npm ci`, with `files: [package-lock.json]` below it".to_owned();
            self.wrong_type(&field, "a list of commands", Some(hint));
            return Vec::new();
        };
        let mut commands = Vec::new();
        for (at, node) in entries.into_iter().enumerate() {
            let position = node.position;
            let path = format!("{all}[{at}]");
            let mut keys = self.keys(Field { path: path.clone(), node }, &SETUP_KEYS);
            let run = match keys.remove("run") {
                Some(field) => self.word(&field).filter(|run| match values::command(run) {
                    Ok(()) => true,
                    Err(refused) => {
                        self.error(field.node.position, "invalid-command", refused.message, Some(refused.hint));
                        false
                    }
                }),
                None => {
                    let message = format!("`{path}` has no command");
                    self.error(position, "no-command", message, Some("say what is run: `run: npm ci`".to_owned()));
                    None
                }
            };
            let files = keys.remove("files").and_then(|field| self.globs(field)).unwrap_or_default();
            let time_limit_minutes = self.minutes(&mut keys);
            commands.extend(run.map(|run| SetupCommand { run, files, time_limit_minutes }));
        }
        commands
    }

    fn pull_request(&mut self, field: Field) -> PullRequestConfig {
        let mut fields = self.keys(field, &PULL_REQUEST_KEYS);
        PullRequestConfig {
            plan_files: fields.remove("plan-files").and_then(|field| self.globs(field)),
            run_label: fields.remove("run-label").and_then(|field| self.word(&field)),
            bots: fields
                .remove("bots")
                .map(|field| self.checked(field, "invalid-login", values::bot_login))
                .unwrap_or_default(),
            live_comment: fields.remove("live-comment").and_then(|field| self.truth(&field)),
            update_seconds: fields.remove("update-seconds").and_then(|field| self.number(&field, 5..=600)),
            checks: fields.remove("checks").and_then(|field| self.truth(&field)),
        }
    }

    fn truth(&mut self, field: &Field) -> Option<bool> {
        match &field.node.value {
            Value::Literal(word) if word == "true" => Some(true),
            Value::Literal(word) if word == "false" => Some(false),
            _ => {
                self.wrong_type(field, "`true` or `false`", None);
                None
            }
        }
    }

    fn error(&mut self, at: Position, code: &str, message: String, hint: Option<String>) {
        let mut diagnostic = Diagnostic::new(Severity::Error, code, self.file, message).at(self.text, at);
        diagnostic.hint = hint;
        self.diagnostics.push(diagnostic);
    }

    fn wrong_type(&mut self, field: &Field, wanted: &str, hint: Option<String>) {
        let what = if field.path.is_empty() { "the configuration".to_owned() } else { format!("`{}`", field.path) };
        let message = format!("{what} must be {wanted}, not {}", field.node.value.kind());
        self.error(field.node.position, "wrong-type", message, hint);
    }

    fn unknown_key(&mut self, key: &str, at: Position, path: &str, keys: &[&str]) {
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
    fn entries(&mut self, field: Field) -> Vec<((String, Position), Field)> {
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
    fn keys(&mut self, field: Field, keys: &[&str]) -> BTreeMap<String, Field> {
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

    fn word(&mut self, field: &Field) -> Option<String> {
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

    fn number(&mut self, field: &Field, range: RangeInclusive<u64>) -> Option<u64> {
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

    fn minutes(&mut self, fields: &mut BTreeMap<String, Field>) -> Option<u64> {
        fields.remove("time-limit-minutes").and_then(|field| self.number(&field, 1..=TIME_LIMIT_MAX_MINUTES))
    }

    fn choice<T: Copy>(&mut self, field: &Field, choices: &[(&str, T)]) -> Option<T> {
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

    fn texts(&mut self, field: Field) -> Vec<(Position, String)> {
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

    fn checked(
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

    fn globs(&mut self, field: Field) -> Option<Vec<String>> {
        Some(self.checked(field, "invalid-glob", values::glob))
    }

    fn environment(&mut self, fields: &mut BTreeMap<String, Field>) -> Vec<String> {
        let field = fields.remove("pass-environment");
        field.map(|field| self.checked(field, "refused-environment", values::environment_name)).unwrap_or_default()
    }

    /// Reads a program and its arguments.
    fn argv(&mut self, field: Field) -> Option<Vec<String>> {
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

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Writes `text` as YAML would in a flow list: bare where it can be.
fn quoted(text: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    if text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(bare) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "''"))
}
