//! Reads the section `workflow`.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::fields::{Field, FieldReader, quoted};
use crate::{
    config::{
        WorkflowConfig,
        values::{self, Refused},
        workflow::{
            DISPATCH_INPUTS_MAX, DISPATCH_OWN_INPUTS, JOB_MINUTES, Layout, WAVES_MAX, WorkflowDispatch,
            WorkflowSubagent,
        },
    },
    ids::SubagentName,
    limits::MATRIX_JOBS_MAX,
    yaml::tree::{Node, Value},
};

pub(in crate::config) const WORKFLOW_KEYS: [&str; 13] = [
    "action",
    "layout",
    "job-minutes",
    "repeat-gates",
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
pub(in crate::config) const WORKFLOW_SUBAGENT_KEYS: [&str; 4] = ["runs-on", "setup", "work", "dispatch"];
pub(in crate::config) const WORKFLOW_DISPATCH_KEYS: [&str; 5] = ["workflow", "repository", "ref", "token", "inputs"];

impl FieldReader<'_> {
    pub(super) fn workflow(&mut self, field: Field) -> WorkflowConfig {
        let mut fields = self.keys(field, &WORKFLOW_KEYS);
        let mut number = |reader: &mut Self, name: &str, most: u64| {
            fields.remove(name).and_then(|field| reader.number(&field, 1..=most))
        };
        let mut config = WorkflowConfig {
            waves: number(self, "waves", WAVES_MAX),
            rework_waves: number(self, "rework-waves", WAVES_MAX),
            jobs_per_wave: number(self, "jobs-per-wave", MATRIX_JOBS_MAX as u64),
            ..WorkflowConfig::default()
        };
        config.layout = fields.remove("layout").and_then(|field| self.layout(&field)).unwrap_or_default();
        config.job_minutes = fields.remove("job-minutes").and_then(|field| self.number(&field, JOB_MINUTES));
        config.repeat_gates = fields.remove("repeat-gates").and_then(|field| self.truth(&field)).unwrap_or_default();
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

    fn layout(&mut self, field: &Field) -> Option<Layout> {
        let word = self.word(field)?;
        let layout = Layout::parse(&word);
        if layout.is_none() {
            let message = format!("`{}` names no layout", field.path);
            let names: Vec<_> = Layout::ALL.into_iter().map(|layout| format!("`{}`", layout.name())).collect();
            self.error(field.node.position, "invalid-layout", message, Some(format!("write {}", names.join(" or "))));
        }
        layout
    }

    fn workflow_subagent(&mut self, field: Field) -> WorkflowSubagent {
        let mut fields = self.keys(field, &WORKFLOW_SUBAGENT_KEYS);
        let dispatch = fields.remove("dispatch");
        // What is done elsewhere has its runner, its steps and its secrets there.
        if dispatch.is_some() {
            for (name, field) in std::mem::take(&mut fields) {
                let message = format!("`{}` has no meaning beside `dispatch`", field.path);
                let hint = format!("give the dispatched workflow its own `{name}`");
                self.error(field.node.position, "dispatched", message, Some(hint));
            }
        }
        WorkflowSubagent {
            runs_on: fields.remove("runs-on").and_then(|field| self.labels(field)),
            setup: fields.remove("setup").map(|field| self.steps(field)).unwrap_or_default(),
            work: fields.remove("work").map(|field| self.steps(field)).unwrap_or_default(),
            dispatch: dispatch.and_then(|field| self.workflow_dispatch(field)),
        }
    }

    fn workflow_dispatch(&mut self, field: Field) -> Option<WorkflowDispatch> {
        let (at, path) = (field.node.position, field.path.clone());
        let hint = match &field.node.value {
            Value::Mapping(_) | Value::Null => None,
            Value::Text(file) => Some(format!("write `{{ workflow: {} }}`", quoted(file))),
            _ => Some("write `{ workflow: validation.yml }`".to_owned()),
        };
        if hint.is_some() {
            self.wrong_type(&field, "a mapping", hint);
            return None;
        }
        let mut fields = self.keys(field, &WORKFLOW_DISPATCH_KEYS);
        let workflow = match fields.remove("workflow") {
            Some(field) => self.workflow_file(&field),
            None => {
                let message = format!("`{path}` names no workflow");
                let hint = "say which it is: `workflow: validation.yml`".to_owned();
                self.error(at, "invalid-workflow", message, Some(hint));
                None
            }
        };
        let repository = fields.remove("repository").and_then(|field| {
            let word = self.word(&field)?;
            let valid = word.split('/').count() == 2 && word.split('/').all(is_name);
            if !valid {
                let message = format!("`{}` names no repository", field.path);
                self.error(field.node.position, "invalid-repository", message, Some("write OWNER/REPO".to_owned()));
            }
            valid.then_some(word)
        });
        let reference = fields.remove("ref").and_then(|field| {
            let word = self.word(&field)?;
            let valid = is_branch(&word);
            if !valid {
                let message = format!("`{}` names no branch or tag", field.path);
                let hint = "write its short name, such as `main`".to_owned();
                self.error(field.node.position, "invalid-ref", message, Some(hint));
            }
            valid.then_some(word)
        });
        let token = fields.remove("token").and_then(|field| {
            let word = self.word(&field)?;
            if let Err(refused) = values::environment_name(&word) {
                let message = format!("`{}` {}", field.path, refused.message);
                self.error(field.node.position, "refused-environment", message, Some(refused.hint));
            }
            Some(word)
        });
        let inputs = fields.remove("inputs").map(|field| self.inputs(field)).unwrap_or_default();
        if repository.is_some() && token.is_none() {
            let message = format!("`{path}` names another repository, and no token for it");
            let hint = "a workflow's own token reaches its own repository alone: name a secret with one, `token: NAME`";
            self.error(at, "no-token", message, Some(hint.to_owned()));
        }
        Some(WorkflowDispatch { workflow: workflow?, repository, reference, token, inputs })
    }

    /// Reads the further inputs of a workflow that is started.
    fn inputs(&mut self, field: Field) -> BTreeMap<String, String> {
        let (at, path) = (field.node.position, field.path.clone());
        let mut inputs = BTreeMap::new();
        for ((name, at), field) in self.entries(field) {
            let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
            if DISPATCH_OWN_INPUTS.contains(&name.as_str()) || !plain || name.is_empty() {
                let message = format!("`{}` cannot be an input", name.escape_debug());
                let hint =
                    format!("inputs are letters, digits, `-` and `_`, and {} are ours", DISPATCH_OWN_INPUTS.join(", "));
                self.error(at, "invalid-input", message, Some(hint));
                continue;
            }
            match field.node.value {
                Value::Text(text) | Value::Literal(text) => drop(inputs.insert(name, text)),
                _ => self.wrong_type(&field, "text", None),
            }
        }
        if inputs.len() > DISPATCH_INPUTS_MAX {
            let message = format!("`{path}` has {} inputs, and there is room for {DISPATCH_INPUTS_MAX}", inputs.len());
            self.error(at, "invalid-input", message, None);
        }
        inputs
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
    repository.split('/').count() >= 2
        && repository.split('/').all(is_name)
        && commit.len() == 40
        && commit.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Tells whether `part` can be a part of a repository's name.
fn is_name(part: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !part.is_empty() && !matches!(part, "." | "..") && part.chars().all(plain)
}

/// Tells whether `name` can be the short name of a branch or a tag: a part of what git allows, which needs no quotes
/// anywhere.
fn is_branch(name: &str) -> bool {
    let part = |part: &str| is_name(part) && !part.starts_with('.') && !part.ends_with(".lock");
    name.len() <= 255 && !name.starts_with('-') && !name.contains("..") && name.split('/').all(part)
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
