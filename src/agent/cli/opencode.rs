//! opencode: `opencode run`, headless. What it does was measured with the version that is named below; the pitfalls are
//! told where they are met.

use implementer_model::{
    environment::routes::Route,
    means::{Abilities, ToolControl},
    roster::Transport,
    session::{self, SessionEnd, Tokens},
};
use serde_json::{Value, json};

use super::dialect::{
    Call, Dialect, Invocation, Left, Reading, Tested, Used, events, last_line, micro_of, number_at, telling, text_at,
};

/// The program.
#[derive(Debug)]
pub(super) struct OpenCode;

/// The tools of Claude Code, and what is called so here.
const TOOLS: [(&str, &str); 11] = [
    ("Edit", "edit"),
    ("Write", "write"),
    ("Edit", "patch"),
    ("Bash", "bash"),
    ("Read", "read"),
    ("Glob", "glob"),
    ("Glob", "list"),
    ("Grep", "grep"),
    ("WebFetch", "webfetch"),
    ("WebSearch", "websearch"),
    ("Agent", "task"),
];

/// The agent of its own that it works as.
const AGENT: &str = "implementer";

impl Dialect for OpenCode {
    fn name(&self) -> &'static str {
        "opencode"
    }

    fn install(&self) -> &'static str {
        "npm install --global opencode-ai@1.18.33"
    }

    fn tested(&self) -> Tested {
        Tested { from: [1, 18, 33], to: [1, 18, 33] }
    }

    // It speaks with any provider.
    fn credentials(&self) -> &'static [&'static str] {
        &[]
    }

    /// Those of the providers that most people have (models.dev).
    fn keys(&self) -> &'static [&'static str] {
        &[
            "ANTHROPIC_API_KEY",
            "OPENAI_API_KEY",
            "GEMINI_API_KEY",
            "GOOGLE_GENERATIVE_AI_API_KEY",
            "OPENROUTER_API_KEY",
            "OPENCODE_API_KEY",
            "AWS_BEARER_TOKEN_BEDROCK",
            "AZURE_API_KEY",
            "DEEPSEEK_API_KEY",
            "GROQ_API_KEY",
            "MISTRAL_API_KEY",
            "XAI_API_KEY",
        ]
    }

    fn routes(&self) -> &'static [Route] {
        &[
            Route { when: &["AZURE_API_KEY"], names: &["AZURE_RESOURCE_NAME"] },
            Route { when: &["AWS_BEARER_TOKEN_BEDROCK"], names: &["AWS_REGION"] },
        ]
    }

    fn tells_cost(&self) -> bool {
        true
    }

    // Its models are named `provider/model`.
    fn model(&self, words: &str) -> Option<String> {
        words.contains('/').then(|| words.to_owned())
    }

    fn abilities(&self) -> Abilities {
        let model = |words: &str| OpenCode.model(words);
        Abilities { tools: ToolControl::Names, turns: true, effort: false, servers: true, skills: false, model }
    }

    fn invoke(&self, call: &Call<'_>) -> Invocation {
        let mut arguments: Vec<String> =
            ["run", "--format", "json", "--auto", "--agent", AGENT].map(str::to_owned).to_vec();
        if let Some(model) = call.model {
            arguments.extend(["--model".to_owned(), model.to_owned()]);
        }
        if let Some(session) = call.resume {
            arguments.extend(["--session".to_owned(), session.to_owned()]);
        }
        let mut environment = vec![
            ("OPENCODE_DISABLE_AUTOUPDATE", "1".to_owned()),
            // Its home is new for every attempt, so that it would load language servers every time.
            ("OPENCODE_DISABLE_LSP_DOWNLOAD", "1".to_owned()),
        ];
        if !call.project_settings {
            // Plugins and servers that the repository names would run.
            arguments.push("--pure".to_owned());
            environment.push(("OPENCODE_DISABLE_PROJECT_CONFIG", "1".to_owned()));
        }
        arguments.extend_from_slice(call.arguments);
        let mut agent = json!({ "description": "A subagent", "mode": "primary", "prompt": call.role });
        let off = TOOLS.iter().filter(|(tool, _)| !call.may_use(tool));
        let off: serde_json::Map<_, _> = off.map(|(_, own)| ((*own).to_owned(), false.into())).collect();
        if !off.is_empty() {
            agent["tools"] = off.into();
        }
        // Providers stand in a file that `OPENCODE_CONFIG` names; the two are joined.
        let mut config = json!({ "autoupdate": false, "share": "disabled", "agent": { AGENT: agent } });
        if !call.servers.is_empty() {
            config["mcp"] = servers(call);
        }
        Invocation {
            arguments,
            environment,
            home: vec![(".config/opencode/opencode.json", config.to_string())],
            // It has no limit of its own that ends a session. Every step begins with such a line.
            turn_prefix: Some("{\"type\":\"step_start\""),
            last_words: &[&[("/type", "step_finish"), ("/part/reason", "stop")]],
        }
    }

    fn read(&self, left: &Left<'_>) -> Reading {
        let mut reading = Reading::new(SessionEnd::NoResult { message: last_line(left.errors) });
        let (mut tokens, mut micro, mut steps) = (Tokens::default(), None, 0u64);
        for event in events(left.answer) {
            reading.id = text_at(&event, "/sessionID").map(str::to_owned).or(reading.id);
            let part = &event["part"];
            match text_at(&event, "/type") {
                Some("step_start") => {
                    steps += 1;
                    reading.words = None;
                }
                Some("text") => {
                    let text = text_at(part, "/text").unwrap_or_default();
                    reading.tell("says", text);
                    reading.words = Some(format!("{}{text}", reading.words.take().unwrap_or_default()));
                }
                Some("tool_use") => take_tool(&mut reading, part),
                Some("step_finish") => {
                    tokens = tokens.plus(Tokens {
                        input: number_at(part, "/tokens/input").saturating_add(number_at(part, "/tokens/cache/write")),
                        cached_input: number_at(part, "/tokens/cache/read"),
                        output: number_at(part, "/tokens/output").saturating_add(number_at(part, "/tokens/reasoning")),
                    });
                    // A model without a price costs nothing, as it says: that is no figure.
                    let cost = part.get("cost").and_then(micro_of).filter(|cost| *cost > 0);
                    micro = cost.map(|cost| micro.unwrap_or(0u64).saturating_add(cost)).or(micro);
                    // The last step says whether the model was done, or cut off.
                    reading.end = match text_at(part, "/reason") {
                        Some("stop") => SessionEnd::Completed,
                        Some("content-filter") => SessionEnd::Refused { message: "its filter stopped it".to_owned() },
                        other => SessionEnd::NoResult {
                            message: format!("its last step ended with `{}`", other.unwrap_or("nothing")),
                        },
                    };
                }
                Some("error") => reading.end = error_of(&event),
                _ => {}
            }
        }
        reading.turns = Some(steps);
        reading.tokens = Used::ByCall(tokens);
        reading.micro_dollars = micro.map(Used::ByCall);
        reading
    }
}

/// Returns the servers as its configuration has them.
fn servers(call: &Call<'_>) -> Value {
    let server = |(name, server): (&String, _)| {
        let values = call.values_of(server);
        let definition = match &server.transport {
            Transport::Program(argv) => json!({ "type": "local", "command": argv, "environment": values }),
            Transport::Http(url) | Transport::Events(url) => json!({ "type": "remote", "url": url, "headers": values }),
        };
        (name.clone(), definition)
    };
    call.servers.iter().map(server).collect()
}

fn take_tool(reading: &mut Reading, part: &Value) {
    let tool = text_at(part, "/tool").unwrap_or("a tool");
    let input = part.pointer("/state/input");
    let describe = |input| telling(input, &["command", "filePath", "path", "pattern", "prompt"]);
    let call = input.map(describe).unwrap_or_default();
    reading.tell(tool, &call);
    // A tool that is not there for it is called `invalid`, with the name that was asked for.
    if tool == "invalid" {
        let asked = text_at(part, "/state/input/tool").unwrap_or("unknown");
        reading.deny(asked, text_at(part, "/state/input/error").unwrap_or_default());
    }
    let error = text_at(part, "/state/error").unwrap_or_default();
    if error.contains("denied") || error.contains("rejected") || error.contains("prevents you") {
        reading.deny(tool, &call);
    }
}

fn error_of(event: &Value) -> SessionEnd {
    let message = text_at(event, "/error/data/message").or_else(|| text_at(event, "/error/name")).unwrap_or_default();
    let message = session::shortened(message, session::TEXT_MAX);
    let status = event.pointer("/error/data/statusCode").and_then(Value::as_u64);
    match text_at(event, "/error/name") {
        Some("MessageAbortedError") => SessionEnd::Interrupted,
        Some("APIError" | "ProviderAuthError") => {
            SessionEnd::ModelError { status: status.and_then(|status| u16::try_from(status).ok()), message }
        }
        _ => SessionEnd::NoResult { message },
    }
}

#[cfg(test)]
mod tests;
