//! Gemini CLI: `gemini`, headless. What it does was measured with the version that is named below; the pitfalls are told
//! where they are met.

use implementer_model::{
    environment::routes::Route,
    means::{Abilities, ToolControl},
    roster::{Transport, models::Vendor},
    session::{self, SessionEnd, Tokens},
};
use serde_json::{Value, json};

use super::dialect::{
    Call, Dialect, Invocation, Left, Reading, Tested, Used, events, last_line, number_at, status_in, telling, text_at,
};

/// The program.
#[derive(Debug)]
pub(super) struct Gemini;

/// The tools of Claude Code, and what is called so here.
const TOOLS: [(&str, &str); 11] = [
    ("Write", "write_file"),
    ("Edit", "replace"),
    ("Bash", "run_shell_command"),
    ("Read", "read_file"),
    ("Read", "read_many_files"),
    ("Glob", "glob"),
    ("Glob", "list_directory"),
    ("Grep", "search_file_content"),
    ("Grep", "grep_search"),
    ("WebFetch", "web_fetch"),
    ("WebSearch", "google_web_search"),
];

/// The exit code with which it ends at its limit of turns.
const EXIT_TURN_LIMIT: i32 = 53;

impl Dialect for Gemini {
    fn name(&self) -> &'static str {
        "gemini"
    }

    fn install(&self) -> &'static str {
        "npm install --global @google/gemini-cli@0.61.0"
    }

    fn tested(&self) -> Tested {
        Tested { from: [0, 61, 0], to: [0, 61, 0] }
    }

    fn credentials(&self) -> &'static [&'static str] {
        &["GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_APPLICATION_CREDENTIALS"]
    }

    fn routes(&self) -> &'static [Route] {
        &[
            Route { when: &[], names: &["GEMINI_MODEL", "GOOGLE_GEMINI_BASE_URL"] },
            Route {
                when: &["GOOGLE_GENAI_USE_VERTEXAI"],
                names: &[
                    "GOOGLE_GENAI_USE_VERTEXAI",
                    "GOOGLE_APPLICATION_CREDENTIALS",
                    "GOOGLE_CLOUD_LOCATION",
                    "GOOGLE_CLOUD_PROJECT",
                    "GOOGLE_VERTEX_BASE_URL",
                ],
            },
        ]
    }

    fn model(&self, words: &str) -> Option<String> {
        super::model_of(words, Vendor::Google)
    }

    fn abilities(&self) -> Abilities {
        let model = |words: &str| Gemini.model(words);
        Abilities { tools: ToolControl::Names, turns: true, effort: false, servers: true, skills: false, model }
    }

    fn invoke(&self, call: &Call<'_>) -> Invocation {
        // Short of this mode it offers no shell to a model that nobody watches; it has no sandbox of its own.
        let mut arguments: Vec<String> =
            ["--output-format", "stream-json", "--approval-mode", "yolo", "--skip-trust"].map(str::to_owned).to_vec();
        if let Some(model) = call.model {
            arguments.extend(["--model".to_owned(), model.to_owned()]);
        }
        if call.resume.is_some() {
            // By number or "latest" only: its home has this one session.
            arguments.extend(["--resume".to_owned(), "latest".to_owned()]);
        }
        arguments.extend_from_slice(call.arguments);
        let auth = if call.environment.contains_key("GEMINI_API_KEY") { "gemini-api-key" } else { "vertex-ai" };
        let mut settings = json!({
            "general": { "disableAutoUpdate": true },
            "privacy": { "usageStatisticsEnabled": false },
            // A file `.env` of the work tree would say where its requests go, with its key.
            "advanced": { "ignoreLocalEnv": true },
            "security": { "auth": { "selectedType": auth } },
            "telemetry": { "enabled": false },
        });
        if !call.project_settings {
            settings["hooksConfig"] = json!({ "enabled": false });
            settings["mcp"] = json!({ "allowed": call.servers.keys().collect::<Vec<_>>() });
        }
        if !call.servers.is_empty() {
            settings["mcpServers"] = servers(call);
        }
        if let Some(turns) = call.turns {
            settings["model"] = json!({ "maxSessionTurns": turns });
        }
        let excluded: Vec<_> = TOOLS.iter().filter(|(tool, _)| !call.may_use(tool)).map(|(_, own)| own).collect();
        if !excluded.is_empty() {
            settings["tools"] = json!({ "exclude": excluded });
        }
        Invocation {
            arguments,
            home: vec![(".gemini/settings.json", settings.to_string()), (".gemini/GEMINI.md", call.role.to_owned())],
            last_words: &[&[("/type", "result")]],
            ..Invocation::default()
        }
    }

    fn read(&self, left: &Left<'_>) -> Reading {
        let mut reading = Reading::new(SessionEnd::NoResult { message: last_line(left.errors) });
        let (mut words, mut calls) = (String::new(), 0u64);
        for event in events(left.answer) {
            match text_at(&event, "/type") {
                Some("init") => reading.id = text_at(&event, "/session_id").map(str::to_owned),
                // An answer comes in pieces.
                Some("message") if text_at(&event, "/role") == Some("assistant") => {
                    words.push_str(text_at(&event, "/content").unwrap_or_default());
                }
                Some("tool_use") => {
                    calls += 1;
                    words.clear();
                    let call = event.get("parameters").map(describe).unwrap_or_default();
                    reading.tell(text_at(&event, "/tool_name").unwrap_or("a tool"), &call);
                }
                Some("tool_result") if is_denial(&event) => {
                    let tool = text_at(&event, "/tool_id").and_then(|id| id.split("__").next()).unwrap_or("a tool");
                    reading.deny(tool, text_at(&event, "/error/message").unwrap_or_default());
                }
                Some("result") => take_result(&mut reading, &event),
                _ => {}
            }
        }
        if !words.is_empty() {
            reading.tell("says", &words);
            reading.words = Some(words);
        }
        reading.turns = Some(calls + 1);
        if left.exit == Some(EXIT_TURN_LIMIT) {
            reading.end = SessionEnd::TurnLimit;
        }
        reading
    }
}

/// Returns the servers as its settings have them.
fn servers(call: &Call<'_>) -> Value {
    let server = |(name, server): (&String, _)| {
        let values = call.values_of(server);
        let definition = match &server.transport {
            Transport::Program(argv) => json!({ "command": argv.first(), "args": argv.get(1..), "env": values }),
            Transport::Http(url) => json!({ "httpUrl": url, "headers": values }),
            Transport::Events(url) => json!({ "url": url, "headers": values }),
        };
        (name.clone(), definition)
    };
    call.servers.iter().map(server).collect()
}

/// Tells whether a call was not allowed: the tool is not there for it, or a policy says no.
fn is_denial(event: &Value) -> bool {
    text_at(event, "/status") == Some("error")
        && matches!(text_at(event, "/error/type"), Some("tool_not_registered" | "policy_violation"))
}

fn take_result(reading: &mut Reading, result: &Value) {
    let cached = number_at(result, "/stats/cached");
    reading.tokens = Used::ByCall(Tokens {
        input: number_at(result, "/stats/input_tokens").saturating_sub(cached),
        cached_input: cached,
        output: number_at(result, "/stats/output_tokens"),
    });
    let message = text_at(result, "/error/message").unwrap_or_default();
    let kind = text_at(result, "/error/type").unwrap_or_default();
    let shown = || session::shortened(message, session::TEXT_MAX);
    reading.end = match text_at(result, "/status") {
        Some("success") => SessionEnd::Completed,
        _ if kind == "FatalTurnLimitedError" => SessionEnd::TurnLimit,
        _ if kind.contains("Cancel") => SessionEnd::Interrupted,
        _ if message.contains("[API Error") => SessionEnd::ModelError { status: status_in(message), message: shown() },
        _ => SessionEnd::NoResult { message: shown() },
    };
}

fn describe(parameters: &Value) -> String {
    telling(parameters, &["command", "file_path", "path", "pattern", "prompt"])
}

#[cfg(test)]
mod tests;
