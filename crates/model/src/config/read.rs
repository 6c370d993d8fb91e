//! Reads a configuration from its YAML tree, reporting everything that is wrong with it in one go.

mod agents;
mod fields;
pub(super) mod workflow;

#[cfg(test)]
pub(super) use self::agents::{AGENT_KEYS, LIMITS_KEYS, PRICE_KEYS, SETTINGS_KEYS};
use self::fields::{Field, FieldReader};
use super::{
    CONCURRENCY_MAX, CONFIG_MAX_BYTES, Config, DefaultRole, EvidenceConfig, GateConfig, Granularity, Nobody,
    PullRequestConfig, SetupCommand, SubagentConfig, planning::ITEMS_MAX, values,
};
use crate::{
    diagnostics::{Diagnostic, Position, Severity, sort},
    ids::SubagentName,
    isolation::Demand,
    limits::REWORK_ROUNDS_MAX,
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
    let mut reader = FieldReader { file, text, kinds, diagnostics: Vec::new() };
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

impl FieldReader<'_> {
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
}
