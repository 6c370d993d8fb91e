//! Codex: `codex exec`, headless. What it does was measured with the version that is named below; the pitfalls are told
//! where they are met.

use implementer_model::{
    config::Permissions,
    environment::routes::Route,
    means::{Abilities, ToolControl},
    roster::{Access, Effort, Transport, models::Vendor},
    session::{self, SessionEnd, Tokens},
};
use serde_json::Value;

use super::dialect::{
    Call, Dialect, Invocation, Left, Reading, Tested, Used, events, last_line, number_at, status_in, text_at,
};

/// The program.
#[derive(Debug)]
pub(super) struct Codex;

impl Dialect for Codex {
    fn name(&self) -> &'static str {
        "codex"
    }

    fn install(&self) -> &'static str {
        "npm install --global @openai/codex@0.169.0"
    }

    fn tested(&self) -> Tested {
        Tested { from: [0, 169, 0], to: [0, 169, 0] }
    }

    // A provider of one's own has a key of any name.
    fn credentials(&self) -> &'static [&'static str] {
        &[]
    }

    fn keys(&self) -> &'static [&'static str] {
        &["OPENAI_API_KEY", "CODEX_API_KEY", "AZURE_OPENAI_API_KEY"]
    }

    fn routes(&self) -> &'static [Route] {
        const NAMES: [&str; 4] = ["CODEX_CA_CERTIFICATE", "OPENAI_BASE_URL", "OPENAI_ORGANIZATION", "OPENAI_PROJECT"];
        &[Route { when: &[], names: &NAMES }]
    }

    fn model(&self, words: &str) -> Option<String> {
        super::model_of(words, Vendor::OpenAi)
    }

    // It has no flag for tools: what it may do is its sandbox's affair.
    fn abilities(&self) -> Abilities {
        let model = |words: &str| Codex.model(words);
        Abilities { tools: ToolControl::Nothing, turns: true, effort: true, servers: true, skills: false, model }
    }

    fn invoke(&self, call: &Call<'_>) -> Invocation {
        let mut arguments = vec!["exec".to_owned()];
        let mut add = |words: &[&str]| arguments.extend(words.iter().map(|&word| word.to_owned()));
        add(&["--json", "--color", "never", "--skip-git-repo-check", "--disable", "plugins"]);
        let sandbox = match (call.permissions, call.access) {
            (Permissions::Full, _) => "danger-full-access",
            (Permissions::Own, Access::Writes) => "workspace-write",
            (Permissions::Own, Access::ReadOnly) => "read-only",
        };
        add(&["--sandbox", sandbox]);
        add(&["--output-schema", &call.strict_schema.display().to_string()]);
        if let Some(model) = call.model {
            add(&["--model", model]);
        }
        // Before the word that makes it go on with a session: what comes behind is another command's.
        arguments.extend_from_slice(call.arguments);
        let mut add = |words: &[&str]| arguments.extend(words.iter().map(|&word| word.to_owned()));
        if let Some(session) = call.resume {
            add(&["resume", session]);
        }
        // Its prompt comes on standard input, of any length.
        add(&["-"]);
        // JSON's strings are TOML's basic strings, but for the one control character that JSON leaves alone.
        let role = Value::from(call.role.replace('\u{7f}', ""));
        let effort = call.effort.map(|effort| format!("model_reasoning_effort = \"{}\"\n", effort_of(effort)));
        let config = format!(
            "developer_instructions = {role}\ncheck_for_update_on_startup = false\n{}\n[analytics]\nenabled = false\n{}",
            effort.unwrap_or_default(),
            servers(call),
        );
        let mut environment = Vec::new();
        if let (Some(key), None) = (call.environment.get("OPENAI_API_KEY"), call.environment.get("CODEX_API_KEY")) {
            // Headless it reads this name alone.
            environment.push(("CODEX_API_KEY", key.clone()));
        }
        Invocation {
            arguments,
            environment,
            home: vec![(".codex/config.toml", config)],
            // It has no limit of its own. Every call of a tool begins with such a line.
            turn_prefix: Some("{\"type\":\"item.started\""),
            last_words: &[&[("/type", "turn.completed")], &[("/type", "turn.failed")]],
        }
    }

    // A command is told when it begins, too: it may take long.
    fn last_step(&self, printed: &str) -> Option<String> {
        let mut reading = Reading::new(SessionEnd::Interrupted);
        for event in events(printed) {
            if matches!(text_at(&event, "/type"), Some("item.started" | "item.completed")) {
                tell_item(&mut reading, &event["item"]);
            }
        }
        reading.last_step()
    }

    fn read(&self, left: &Left<'_>) -> Reading {
        let mut reading = Reading::new(SessionEnd::NoResult { message: last_line(left.errors) });
        let (mut calls, mut blocked, mut why_blocked) = (0u64, 0u64, String::new());
        for event in events(left.answer) {
            match text_at(&event, "/type") {
                Some("thread.started") => reading.id = text_at(&event, "/thread_id").map(str::to_owned),
                Some("turn.completed") => {
                    reading.end = SessionEnd::Completed;
                    // After a resume this is what the whole session used.
                    let cached = number_at(&event, "/usage/cached_input_tokens");
                    reading.tokens = Used::BySession(Tokens {
                        input: number_at(&event, "/usage/input_tokens").saturating_sub(cached),
                        cached_input: cached,
                        output: number_at(&event, "/usage/output_tokens"),
                    });
                }
                Some("turn.failed") => {
                    reading.end = model_error(text_at(&event, "/error/message").unwrap_or_default());
                }
                Some("error") if matches!(reading.end, SessionEnd::NoResult { .. }) => {
                    reading.end = model_error(text_at(&event, "/message").unwrap_or_default());
                }
                Some("item.completed") => {
                    let item = &event["item"];
                    tell_item(&mut reading, item);
                    match text_at(item, "/type") {
                        Some("agent_message") => reading.words = text_at(item, "/text").map(str::to_owned),
                        Some("command_execution") => {
                            calls += 1;
                            if let Some(why) = why_sandbox_failed(item) {
                                blocked += 1;
                                why_blocked = why;
                            }
                        }
                        Some("file_change" | "mcp_tool_call" | "web_search") => calls += 1,
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        reading.turns = Some(calls + 1);
        // Where its sandbox cannot be set up every command fails, and it still ends well.
        if blocked > 0 && blocked == calls && reading.end == SessionEnd::Completed {
            reading.end = SessionEnd::SandboxFailed { message: why_blocked };
        }
        // A patch that its sandbox refuses shows nowhere but among its errors.
        for line in left.errors.lines().filter(|line| line.contains("patch rejected")) {
            reading.deny("apply_patch", line.split_once("error=").map_or(line, |(_, why)| why));
        }
        reading
    }
}

/// Returns its word for an effort: it knows none above `xhigh`.
fn effort_of(effort: Effort) -> &'static str {
    if effort == Effort::Max { Effort::XHigh.name() } else { effort.name() }
}

/// Returns the servers as its configuration has them. JSON's strings and lists of them are TOML's.
fn servers(call: &Call<'_>) -> String {
    let mut config = String::new();
    for (name, server) in call.servers {
        let table = format!("mcp_servers.{}", Value::from(name.as_str()));
        config.push_str(&format!("\n[{table}]\n"));
        let values = match &server.transport {
            Transport::Program(argv) => {
                let command = argv.first().map(String::as_str).unwrap_or_default();
                let arguments = Value::from(argv.get(1..).unwrap_or_default());
                config.push_str(&format!("command = {}\nargs = {arguments}\n", Value::from(command)));
                "env"
            }
            Transport::Http(url) | Transport::Events(url) => {
                config.push_str(&format!("url = {}\n", Value::from(url.as_str())));
                "http_headers"
            }
        };
        config.push_str(&format!("\n[{table}.{values}]\n"));
        for (key, value) in call.values_of(server) {
            config.push_str(&format!("{} = {}\n", Value::from(key), Value::from(value)));
        }
    }
    config
}

fn model_error(message: &str) -> SessionEnd {
    let shown = session::shortened(message, session::TEXT_MAX);
    SessionEnd::ModelError { status: status_in(message), message: shown }
}

/// Returns why the sandbox let a command not run, when it was the sandbox that failed.
fn why_sandbox_failed(item: &Value) -> Option<String> {
    let output = text_at(item, "/aggregated_output").unwrap_or_default();
    let failed = item.get("exit_code").and_then(Value::as_i64).is_some_and(|code| code != 0);
    let line = output.lines().find(|line| {
        let line = line.trim_start();
        ["bwrap:", "codex-linux-sandbox", "landlock", "seccomp", "sandbox error"]
            .iter()
            .any(|sign| line.starts_with(sign))
            || line.contains("error applying Landlock")
    })?;
    failed.then(|| session::shortened(line, session::TEXT_MAX))
}

fn tell_item(reading: &mut Reading, item: &Value) {
    match text_at(item, "/type") {
        Some("agent_message") => reading.tell("says", text_at(item, "/text").unwrap_or_default()),
        Some("command_execution") => {
            let code = item.get("exit_code").and_then(Value::as_i64).map(|code| format!(" (exit code {code})"));
            let command = text_at(item, "/command").unwrap_or_default();
            reading.tell("runs", &format!("{command}{}", code.unwrap_or_default()));
        }
        Some("file_change") => {
            let changes = item.get("changes").and_then(Value::as_array).into_iter().flatten();
            let paths: Vec<_> = changes.filter_map(|change| text_at(change, "/path")).collect();
            reading.tell("changes", &paths.join(", "));
        }
        Some("error") => reading.tell("error", text_at(item, "/message").unwrap_or_default()),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
