//! Reads what the configuration says about agent programs and limits.

use std::collections::BTreeMap;

use super::fields::{Field, FieldReader, list};
use crate::{
    budget::{DOLLARS_MAX, Dollars, Price},
    config::agents::{AgentConfig, AgentKind, AgentSettings, Limits, Permissions, RUN_MINUTES_MAX, TURNS_MAX},
    text::nearest,
    yaml::tree::Value,
};

pub(in crate::config) const AGENT_KEYS: [&str; 2] = ["kind", "command"];
pub(in crate::config) const SETTINGS_KEYS: [&str; 10] = [
    "program",
    "arguments",
    "model",
    "models",
    "permissions",
    "project-settings",
    "old-version",
    "mcp-servers",
    "pass-environment",
    "prices",
];
pub(in crate::config) const LIMITS_KEYS: [&str; 4] = ["turns", "cost", "run-cost", "run-minutes"];
pub(in crate::config) const PRICE_KEYS: [&str; 3] = ["input", "cached-input", "output"];

impl FieldReader<'_> {
    pub(super) fn agent(&mut self, field: Field) -> AgentConfig {
        let mut fields = self.keys(field, &AGENT_KEYS);
        AgentConfig {
            kind: fields.remove("kind").and_then(|field| self.kind(&field)),
            command: fields.remove("command").and_then(|field| self.argv(field)).unwrap_or_default(),
        }
    }

    /// Reads the name of a kind of agent.
    pub(super) fn kind(&mut self, field: &Field) -> Option<AgentKind> {
        let kinds = self.kinds;
        let choices: Vec<_> = kinds.iter().map(|kind| (*kind, *kind)).collect();
        let chosen = self.choice(field, &choices)?;
        AgentKind::parse(chosen, kinds)
    }

    /// Reads the settings of agent programs, by their kinds. The kind `command` has none.
    pub(super) fn agents(&mut self, field: Field) -> BTreeMap<AgentKind, AgentSettings> {
        let programs: Vec<_> = self.kinds.iter().copied().filter(|kind| *kind != AgentKind::COMMAND).collect();
        let mut agents = BTreeMap::new();
        for ((name, at), field) in self.entries(field) {
            if let Some(kind) = AgentKind::parse(&name, &programs) {
                agents.insert(kind, self.settings(field));
                continue;
            }
            let hint = match nearest(&name, programs.iter().copied()) {
                _ if AGENT_KEYS.contains(&name.as_str()) => format!("did you mean `agent.{name}`?"),
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", list(&programs)),
            };
            let message = format!("`agents` has no key `{}`", name.escape_debug());
            self.error(at, "unknown-key", message, Some(hint));
        }
        agents
    }

    fn settings(&mut self, field: Field) -> AgentSettings {
        let mut fields = self.keys(field, &SETTINGS_KEYS);
        let permissions = Permissions::ALL.map(|permissions| (permissions.name(), permissions));
        AgentSettings {
            program: fields.remove("program").and_then(|field| self.word(&field)),
            arguments: fields.remove("arguments").map(|field| self.arguments(field)).unwrap_or_default(),
            model: fields.remove("model").and_then(|field| self.word(&field)),
            models: fields.remove("models").map(|field| self.models(field)).unwrap_or_default(),
            permissions: fields.remove("permissions").and_then(|field| self.choice(&field, &permissions)),
            project_settings: self.flag(&mut fields, "project-settings"),
            old_version: self.flag(&mut fields, "old-version"),
            mcp_servers: fields.remove("mcp-servers").map(|field| self.arguments(field)).unwrap_or_default(),
            pass_environment: self.environment(&mut fields),
            prices: fields.remove("prices").map(|field| self.prices(field)).unwrap_or_default(),
        }
    }

    fn flag(&mut self, fields: &mut BTreeMap<String, Field>, key: &str) -> bool {
        fields.remove(key).and_then(|field| self.truth(&field)).unwrap_or_default()
    }

    fn arguments(&mut self, field: Field) -> Vec<String> {
        let path = field.path.clone();
        let mut arguments = Vec::new();
        for (at, word) in self.texts(field) {
            if word.contains('\0') {
                let message = format!("a word of `{path}` holds a NUL, which no program can be given");
                self.error(at, "invalid-command", message, None);
            } else {
                arguments.push(word);
            }
        }
        arguments
    }

    fn models(&mut self, field: Field) -> BTreeMap<String, String> {
        let entries = self.entries(field);
        entries.into_iter().filter_map(|((name, _), field)| Some((name, self.word(&field)?))).collect()
    }

    fn prices(&mut self, field: Field) -> BTreeMap<String, Price> {
        let mut prices = BTreeMap::new();
        for ((model, at), field) in self.entries(field) {
            let path = field.path.clone();
            let mut fields = self.keys(field, &PRICE_KEYS);
            let mut of = |key: &str| fields.remove(key).and_then(|field| self.dollars(&field));
            let (input, cached_input, output) = (of("input"), of("cached-input"), of("output"));
            match (input, output) {
                (Some(input), Some(output)) => drop(prices.insert(model, Price { input, cached_input, output })),
                _ => {
                    let message = format!("`{path}` needs both `input` and `output`");
                    self.error(at, "missing-key", message, Some("in dollars for a million tokens".to_owned()));
                }
            }
        }
        prices
    }

    pub(super) fn limits(&mut self, field: Field) -> Limits {
        let mut fields = self.keys(field, &LIMITS_KEYS);
        Limits {
            turns: self.turns(&mut fields),
            cost: self.cost(&mut fields, "cost"),
            run_cost: self.cost(&mut fields, "run-cost"),
            run_minutes: fields.remove("run-minutes").and_then(|field| self.number(&field, 1..=RUN_MINUTES_MAX)),
        }
    }

    pub(super) fn turns(&mut self, fields: &mut BTreeMap<String, Field>) -> Option<u64> {
        fields.remove("turns").and_then(|field| self.number(&field, 1..=TURNS_MAX))
    }

    /// Reads a limit in dollars: nothing at all is no limit that anybody means.
    pub(super) fn cost(&mut self, fields: &mut BTreeMap<String, Field>, key: &str) -> Option<Dollars> {
        let field = fields.remove(key)?;
        let dollars = self.dollars(&field)?;
        if dollars == Dollars::default() {
            let message = format!("`{}` must be more than 0: with nothing to spend, nothing can be done", field.path);
            self.error(field.node.position, "out-of-range", message, None);
            return None;
        }
        Some(dollars)
    }

    fn dollars(&mut self, field: &Field) -> Option<Dollars> {
        let (Value::Literal(text) | Value::Text(text)) = &field.node.value else {
            self.wrong_type(field, "an amount of dollars", None);
            return None;
        };
        let dollars = Dollars::parse(text);
        if dollars.is_none() {
            let message = format!(
                "`{}` must be dollars from 0 to {DOLLARS_MAX}, with at most six places behind the point, not {}",
                field.path,
                text.escape_debug()
            );
            self.error(field.node.position, "out-of-range", message, Some("such as `2.50`".to_owned()));
        }
        dollars
    }
}
