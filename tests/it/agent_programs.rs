//! The real agent programs, headless, against a model of our own on loopback. `scripts/install-agents` installs them.

mod containment;
mod endings;
mod example;
mod jobs;
mod reports;

use std::{
    ops::Deref,
    path::{Path, PathBuf},
    process::Command,
    rc::Rc,
};

use implementer_model::{
    handoff::{AttemptRecord, Handoff},
    session::Session,
};
use serde_json::{Value, json};

use crate::support::{
    Bench, Called, Ran,
    model::{ScriptedModel, Step},
};

/// Returns the path of an agent program.
#[track_caller]
fn program(name: &str) -> PathBuf {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/agents/node_modules/.bin")).join(name);
    assert!(path.exists(), "{} is missing: run scripts/install-agents", path.display());
    path
}

/// The settings of an agent program for a model of ours, and the environment that they pass on.
struct Setup {
    agents: Value,
    environment: Vec<(&'static str, String)>,
}

impl Setup {
    /// Returns how `kind` is set up to speak with a model at `url`. `scratch` is a folder for files that it needs.
    fn new(kind: &str, url: &str, scratch: &Path) -> Self {
        let mut environment = match kind {
            "claude" => vec![
                ("ANTHROPIC_BASE_URL", url.to_owned()),
                ("ANTHROPIC_API_KEY", KEY.to_owned()),
                // It repeats requests for minutes otherwise.
                ("CLAUDE_CODE_MAX_RETRIES", "0".to_owned()),
            ],
            "codex" => vec![("SCRIPTED_KEY", KEY.to_owned())],
            "gemini" => vec![
                ("GEMINI_API_KEY", KEY.to_owned()),
                ("GOOGLE_GEMINI_BASE_URL", url.to_owned()),
                // It would start itself once more, with more memory.
                ("GEMINI_CLI_NO_RELAUNCH", "true".to_owned()),
            ],
            "opencode" => {
                let provider = json!({
                    "npm": "@ai-sdk/openai-compatible", "name": "Scripted",
                    "options": { "baseURL": format!("{url}/v1"), "apiKey": KEY }, "models": { "m": { "name": "m" } }
                });
                let path = scratch.join("opencode-providers.json");
                let config = json!({ "provider": { "scripted": provider }, "small_model": "scripted/m" });
                std::fs::write(&path, config.to_string()).expect("a file");
                vec![
                    ("OPENCODE_CONFIG", path.to_str().expect("UTF-8").to_owned()),
                    // It would ask a host of its makers which models there are.
                    ("OPENCODE_DISABLE_MODELS_FETCH", "1".to_owned()),
                ]
            }
            other => panic!("no agent {other}"),
        };
        let arguments: Vec<String> = match kind {
            "codex" => [
                "model_provider=scripted".to_owned(),
                "model_providers.scripted.name=\"scripted\"".to_owned(),
                format!("model_providers.scripted.base_url=\"{url}/v1\""),
                "model_providers.scripted.env_key=\"SCRIPTED_KEY\"".to_owned(),
                "model_providers.scripted.wire_api=\"responses\"".to_owned(),
                "model_providers.scripted.request_max_retries=0".to_owned(),
                "model_providers.scripted.stream_max_retries=0".to_owned(),
            ]
            .into_iter()
            .flat_map(|setting| ["-c".to_owned(), setting])
            .collect(),
            _ => Vec::new(),
        };
        let model = match kind {
            "claude" => "claude-sonnet-4-5",
            "codex" => "gpt-5.5",
            "gemini" => "gemini-2.5-pro",
            _ => "scripted/m",
        };
        let passed: Vec<_> = environment.iter().map(|(name, _)| *name).collect();
        let settings = json!({
            "program": program(kind), "arguments": arguments, "model": model, "pass-environment": passed,
            "models": { "opus": model, "sonnet": model, "haiku": model },
        });
        // Codex's sandbox needs rights that a container may not have; what it keeps from happening has tests of its own.
        let permissions = json!(if kind == "codex" { "full" } else { "own" });
        let mut agents = json!({ kind: settings });
        agents[kind]["permissions"] = permissions;
        environment.push(("SECRET_OF_THE_COORDINATOR", "nobody-may-see-this".to_owned()));
        environment.push(("GITHUB_TOKEN", "ghs_0123456789abcdef0123456789".to_owned()));
        Self { agents, environment }
    }
}

/// What the programs identify themselves with.
const KEY: &str = "sk-scripted-0123456789";

/// A repository with subagents that are an agent program.
struct Stand {
    bench: Rc<Bench>,
    environment: Vec<(&'static str, String)>,
}

/// A run, and the repository that it was made in.
struct RanHere {
    ran: Ran,
    _bench: Rc<Bench>,
}

impl Deref for RanHere {
    type Target = Ran;

    fn deref(&self) -> &Ran {
        &self.ran
    }
}

impl RanHere {
    #[track_caller]
    fn expect(self, code: i32) -> Self {
        Self { ran: self.ran.expect(code), ..self }
    }
}

impl Stand {
    /// Makes one for the small plan in which the feature's subagent is an agent program, and the others are scripts:
    /// with further configuration.
    fn new(kind: &str, model: &ScriptedModel, config: Value) -> Self {
        Self::prepared(kind, model, config, |_| {})
    }

    /// Makes one in which all subagents are an agent program.
    fn whole(kind: &str, model: &ScriptedModel, mut config: Value) -> Self {
        merge(&mut config, json!({ "agent": { "kind": kind } }));
        Self::new(kind, model, config)
    }

    /// Makes one with further files of the repository.
    fn prepared(kind: &str, model: &ScriptedModel, config: Value, files: impl FnOnce(&Bench)) -> Self {
        let bench = Bench::on_disk();
        let Setup { agents, environment } = Setup::new(kind, model.url(), &bench.path("home"));
        let place = bench.repo().join(".github/backend-implementer.yml");
        let text = std::fs::read_to_string(place).expect("a configuration");
        let mut whole: Value = serde_yaml::from_str(&text).expect("YAML");
        merge(
            &mut whole,
            json!({ "agents": agents, "subagents": { "backend-feature-implementer": { "kind": kind } } }),
        );
        merge(&mut whole, config);
        bench.write(".github/backend-implementer.yml", &whole.to_string());
        files(&bench);
        bench.commit("an agent program");
        Self { bench: Rc::new(bench), environment }
    }

    fn program<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = self.bench.program(arguments);
        command.envs(self.environment.iter().map(|(name, value)| (*name, value.as_str())));
        command
    }

    fn run<'a>(&self, further: impl IntoIterator<Item = &'a str>) -> RanHere {
        let out = self.bench.path("out");
        let out_text = out.to_str().expect("UTF-8").to_owned();
        let mut command = self.program(["run", "--out", &out_text]);
        command.args(further);
        let ran = Ran { called: Called::of(command.output().expect("the program runs")), out };
        RanHere { ran, _bench: Rc::clone(&self.bench) }
    }
}

/// Puts the fields of `more` into `whole`, deeply.
fn merge(whole: &mut Value, more: Value) {
    match (whole, more) {
        (Value::Object(whole), Value::Object(more)) => {
            for (key, value) in more {
                merge(whole.entry(key).or_insert(Value::Null), value);
            }
        }
        (whole, more) => *whole = more,
    }
}

/// A report of work that is done.
fn done(files: &[&str]) -> Value {
    json!({ "version": 1, "status": "completed", "summary": "It is done.", "files": files })
}

/// The steps of a subagent that writes one file.
fn writes(path: &str, content: &str) -> Vec<Step> {
    vec![Step::Create(path.to_owned(), content.to_owned()), Step::Report(done(&[path]))]
}

/// What the small plan's subagents do beside the one that a test is about.
fn others() -> Vec<(&'static str, Vec<Step>)> {
    vec![("cli", writes("cli/greet.py", "print('greet')\n")), ("*", vec![Step::Report(done(&[]))])]
}

/// A model that gives the feature these steps, and the others theirs.
fn feature(steps: Vec<Step>) -> ScriptedModel {
    ScriptedModel::steps(others().into_iter().chain([("feature", steps)]))
}

#[track_caller]
fn attempts<'a>(handoff: &'a Handoff, task: &str) -> &'a [AttemptRecord] {
    &handoff.tasks.iter().find(|record| record.id.as_str() == task).expect("a record").attempts
}

#[track_caller]
fn last_session<'a>(handoff: &'a Handoff, task: &str) -> &'a Session {
    attempts(handoff, task).last().expect("an attempt").session.as_ref().expect("a session")
}

/// Returns the findings about a task as `code: message`.
fn findings(handoff: &Handoff, task: &str) -> Vec<String> {
    let about =
        |finding: &&implementer_model::findings::Finding| finding.task.as_ref().is_some_and(|id| id.as_str() == task);
    let findings = handoff.findings.iter().filter(about);
    findings.map(|finding| format!("{}: {}", finding.code.name(), finding.message)).collect()
}

/// Checks that the key stands in no file below a folder.
#[track_caller]
fn key_is_nowhere_below(folder: &Path) {
    let mut folders = vec![folder.to_owned()];
    let mut looked = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let content = std::fs::read(&path).expect("a file");
                assert!(!content.windows(KEY.len()).any(|bytes| bytes == KEY.as_bytes()), "{}", path.display());
                looked += 1;
            }
        }
    }
    assert!(looked > 3, "{looked} files are too few");
}
