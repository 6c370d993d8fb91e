//! Reads the section `workflow`.

use serde_json::{Map, Value as Json};

use super::{Field, Reader};
use crate::{
    config::{
        WorkflowConfig,
        values::{self, Refused},
        workflow::{WAVES_MAX, WorkflowSubagent},
    },
    ids::SubagentName,
    workflow::matrix::LEGS_MAX,
    yaml::tree::{Node, Value},
};

pub(in crate::config) const WORKFLOW_KEYS: [&str; 10] = [
    "action",
    "runs-on",
    "waves",
    "rework-waves",
    "jobs-per-wave",
    "setup",
    "secrets",
    "subagents",
    "branch",
    "on-complete",
];
pub(in crate::config) const WORKFLOW_SUBAGENT_KEYS: [&str; 3] = ["runs-on", "setup", "work"];

impl Reader<'_> {
    pub(super) fn workflow(&mut self, field: Field) -> WorkflowConfig {
        let mut fields = self.keys(field, &WORKFLOW_KEYS);
        let mut number = |reader: &mut Self, name: &str, most: u64| {
            fields.remove(name).and_then(|field| reader.number(&field, 1..=most))
        };
        let mut config = WorkflowConfig {
            waves: number(self, "waves", WAVES_MAX),
            rework_waves: number(self, "rework-waves", WAVES_MAX),
            jobs_per_wave: number(self, "jobs-per-wave", LEGS_MAX as u64),
            ..WorkflowConfig::default()
        };
        config.action = fields.remove("action").and_then(|field| self.action(&field));
        config.branch = fields.remove("branch").and_then(|field| self.truth(&field)).unwrap_or_default();
        config.on_complete = fields.remove("on-complete").and_then(|field| self.workflow_file(&field));
        config.runs_on = fields.remove("runs-on").and_then(|field| self.labels(field));
        config.setup = fields.remove("setup").map(|field| self.steps(field)).unwrap_or_default();
        config.secrets = fields
            .remove("secrets")
            .map(|field| self.checked(field, "refused-environment", values::environment_name))
            .unwrap_or_default();
        for (name, field) in fields.remove("subagents").map(|field| self.entries(field)).unwrap_or_default() {
            match SubagentName::new(name.0.as_str()) {
                Ok(key) => drop(config.subagents.insert(key, self.workflow_subagent(field))),
                Err(error) => self.error(name.1, "invalid-name", error.to_string(), None),
            }
        }
        config
    }

    fn workflow_subagent(&mut self, field: Field) -> WorkflowSubagent {
        let mut fields = self.keys(field, &WORKFLOW_SUBAGENT_KEYS);
        WorkflowSubagent {
            runs_on: fields.remove("runs-on").and_then(|field| self.labels(field)),
            setup: fields.remove("setup").map(|field| self.steps(field)).unwrap_or_default(),
            work: fields.remove("work").map(|field| self.steps(field)).unwrap_or_default(),
        }
    }

    /// Reads what follows `uses:` for the action itself.
    fn action(&mut self, field: &Field) -> Option<String> {
        let action = self.word(field)?;
        if is_pinned(&action) {
            return Some(action);
        }
        let message = format!("`{}` names no pinned action", field.path);
        let hint = "write OWNER/REPO@COMMIT with all 40 digits of the commit of a release, or ./";
        self.error(field.node.position, "invalid-action", message, Some(hint.to_owned()));
        None
    }

    /// Reads the name of a workflow's file.
    fn workflow_file(&mut self, field: &Field) -> Option<String> {
        let file = self.word(field)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if file.chars().all(plain) && (file.ends_with(".yml") || file.ends_with(".yaml")) {
            return Some(file);
        }
        let message = format!("`{}` names no workflow file", field.path);
        let hint = "write its name alone, such as `submission.yml`".to_owned();
        self.error(field.node.position, "invalid-workflow", message, Some(hint));
        None
    }

    /// Reads the labels of a runner.
    fn labels(&mut self, field: Field) -> Option<Vec<String>> {
        let (at, path) = (field.node.position, field.path.clone());
        let before = self.diagnostics.len();
        let label = |text: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '=' | '/' | ':' | '+');
            if !text.is_empty() && text.len() <= 256 && text.chars().all(plain) {
                return Ok(());
            }
            Err(Refused { message: "is no label of a runner".to_owned(), hint: "such as `ubuntu-24.04`".to_owned() })
        };
        let labels = self.checked(field, "invalid-label", label);
        if labels.is_empty() && self.diagnostics.len() == before {
            let message = format!("`{path}` names no runner");
            self.error(at, "invalid-label", message, Some("leave the key out, or name a label".to_owned()));
        }
        Some(labels).filter(|labels| !labels.is_empty())
    }

    /// Reads steps of a workflow. What is in them is GitHub's business, but for what would make them no steps.
    fn steps(&mut self, field: Field) -> Vec<Json> {
        let Value::Sequence(items) = field.node.value else {
            self.wrong_type(&field, "a list of steps", None);
            return Vec::new();
        };
        let mut steps = Vec::new();
        for (index, node) in items.into_iter().enumerate() {
            let (at, path) = (node.position, format!("{}[{index}]", field.path));
            match json(node) {
                Json::Object(step) if step.contains_key("uses") != step.contains_key("run") => {
                    steps.push(Json::Object(step));
                }
                _ => {
                    let message = format!("`{path}` is no step");
                    let hint = "a step is a mapping with either `uses` or `run`".to_owned();
                    self.error(at, "invalid-step", message, Some(hint));
                }
            }
        }
        steps
    }
}

/// Tells whether `uses` names a full commit, or an action of the workflow's own repository.
fn is_pinned(action: &str) -> bool {
    if let Some(local) = action.strip_prefix("./") {
        return local.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/'));
    }
    let Some((repository, commit)) = action.split_once('@') else { return false };
    let name = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    repository.split('/').count() >= 2
        && repository.split('/').all(name)
        && commit.len() == 40
        && commit.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Turns a tree into plain values.
fn json(node: Node) -> Json {
    match node.value {
        Value::Null => Json::Null,
        Value::Literal(written) => match written.to_ascii_lowercase().as_str() {
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            // A number that JSON does not know, such as 0x10, stays the text that it is.
            _ => serde_json::from_str(&written).unwrap_or(Json::String(written)),
        },
        Value::Text(text) => Json::String(text),
        Value::Sequence(items) => Json::Array(items.into_iter().map(json).collect()),
        Value::Mapping(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                if let Value::Text(name) | Value::Literal(name) = key.value {
                    map.insert(name, json(value));
                }
            }
            Json::Object(map)
        }
    }
}
