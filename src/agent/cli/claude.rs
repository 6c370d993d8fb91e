//! Claude Code: `claude -p`, headless. What it does was measured with the version that is named below; the pitfalls are
//! told where they are met.

use std::collections::BTreeMap;

use implementer_model::{
    config::Permissions,
    environment::routes::Route,
    means::{Abilities, ToolControl},
    roster::{
        Access, McpServer, Transport,
        models::Vendor,
        tools::{WRITING, is_narrowed, server_of, tool_of},
    },
    session::{self, SessionEnd, Tokens},
};
use serde_json::{Value, json};

use super::dialect::{
    Call, Dialect, Invocation, Left, Reading, Tested, Used, events, last_line, micro_of, number_at, telling, text_at,
};
use crate::schemas;

/// The program.
#[derive(Debug)]
pub(super) struct Claude;

/// The tools of a subagent whose file names none: what changes files, and what looks at them.
const TOOLS: [&str; 7] = ["Bash", "Edit", "Glob", "Grep", "NotebookEdit", "Read", "Write"];

/// Gateways and clouds (Anthropic, "Environment variables", code.claude.com).
const ROUTES: [Route; 4] = [
    Route {
        when: &[],
        names: &[
            "ANTHROPIC_BASE_URL",
            "ANTHROPIC_BETAS",
            "ANTHROPIC_CUSTOM_HEADERS",
            "ANTHROPIC_DEFAULT_HAIKU_MODEL",
            "ANTHROPIC_DEFAULT_OPUS_MODEL",
            "ANTHROPIC_DEFAULT_SONNET_MODEL",
            "ANTHROPIC_MODEL",
            "ANTHROPIC_SMALL_FAST_MODEL",
            "CLAUDE_CODE_CLIENT_CERT",
            "CLAUDE_CODE_CLIENT_KEY",
            "CLAUDE_CODE_CLIENT_KEY_PASSPHRASE",
        ],
    },
    Route {
        when: &["CLAUDE_CODE_USE_BEDROCK"],
        names: &[
            "CLAUDE_CODE_USE_BEDROCK",
            "ANTHROPIC_BEDROCK_BASE_URL",
            "AWS_ACCESS_KEY_ID",
            "AWS_BEARER_TOKEN_BEDROCK",
            "AWS_PROFILE",
            "AWS_REGION",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "CLAUDE_CODE_SKIP_BEDROCK_AUTH",
        ],
    },
    Route {
        when: &["CLAUDE_CODE_USE_VERTEX"],
        names: &[
            "CLAUDE_CODE_USE_VERTEX",
            "ANTHROPIC_VERTEX_BASE_URL",
            "ANTHROPIC_VERTEX_PROJECT_ID",
            "CLAUDE_CODE_SKIP_VERTEX_AUTH",
            "CLOUD_ML_REGION",
            "GOOGLE_APPLICATION_CREDENTIALS",
            "GOOGLE_CLOUD_PROJECT",
        ],
    },
    Route {
        when: &["CLAUDE_CODE_USE_FOUNDRY"],
        names: &[
            "CLAUDE_CODE_USE_FOUNDRY",
            "ANTHROPIC_FOUNDRY_API_KEY",
            "ANTHROPIC_FOUNDRY_BASE_URL",
            "ANTHROPIC_FOUNDRY_RESOURCE",
            "CLAUDE_CODE_SKIP_FOUNDRY_AUTH",
        ],
    },
];

impl Dialect for Claude {
    fn name(&self) -> &'static str {
        "claude"
    }

    fn install(&self) -> &'static str {
        "npm install --global @anthropic-ai/claude-code@2.1.329"
    }

    fn tested(&self) -> Tested {
        Tested { from: [2, 1, 329], to: [2, 1, 329] }
    }

    fn credentials(&self) -> &'static [&'static str] {
        &[
            "ANTHROPIC_API_KEY",
            "ANTHROPIC_AUTH_TOKEN",
            "CLAUDE_CODE_OAUTH_TOKEN",
            "CLAUDE_CODE_USE_BEDROCK",
            "CLAUDE_CODE_USE_VERTEX",
            "CLAUDE_CODE_USE_FOUNDRY",
        ]
    }

    fn routes(&self) -> &'static [Route] {
        &ROUTES
    }

    fn keeps_budget(&self) -> bool {
        true
    }

    fn tells_cost(&self) -> bool {
        true
    }

    // Behind a gateway a name that no vendor has may be anything.
    fn model(&self, words: &str) -> Option<String> {
        super::model_of(words, Vendor::Anthropic)
    }

    fn abilities(&self) -> Abilities {
        let model = |words: &str| Claude.model(words);
        Abilities { tools: ToolControl::Calls, turns: true, effort: true, servers: true, skills: true, model }
    }

    fn invoke(&self, call: &Call<'_>) -> Invocation {
        let (tools, allowed) = tools(call);
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        let mut arguments = words(&["-p", "--output-format", "stream-json", "--verbose"]);
        let mut add = |flag: &str, value: String| arguments.extend([flag.to_owned(), value]);
        // Hooks and settings of a repository run under `-p` whether it is trusted or not.
        let sources = if call.project_settings { "user,project" } else { "user" };
        add("--setting-sources", sources.to_owned());
        // Nobody answers, so that whatever would ask is denied, and told.
        add("--permission-prompts", "none".to_owned());
        let mode = match (call.permissions, call.access) {
            // Any other mode lets more calls through than those that are allowed by name.
            _ if allowed.iter().any(|call| is_narrowed(call) || is_tool_of_server(call)) => "dontAsk",
            (Permissions::Full, _) => "bypassPermissions",
            (Permissions::Own, Access::Writes) => "acceptEdits",
            (Permissions::Own, Access::ReadOnly) => "dontAsk",
        };
        add("--permission-mode", mode.to_owned());
        add("--tools", tools.join(","));
        add("--allowedTools", allowed.join(","));
        if !call.denied.is_empty() {
            add("--disallowedTools", call.denied.join(","));
        }
        add("--append-system-prompt-file", call.role_file.display().to_string());
        add("--json-schema", schema());
        if let Some(model) = call.model {
            add("--model", model.to_owned());
        }
        if let Some(effort) = call.effort {
            add("--effort", effort.name().to_owned());
        }
        if let Some(turns) = call.turns {
            add("--max-turns", turns.to_string());
        }
        if let Some(budget) = call.budget {
            add("--max-budget-usd", budget.to_string());
        }
        match call.resume {
            Some(session) => add("--resume", session.to_owned()),
            None => add("--session-id", call.id.to_owned()),
        }
        if !call.servers.is_empty() {
            add("--mcp-config", json!({ "mcpServers": servers(call.servers) }).to_string());
        }
        if !call.project_settings {
            arguments.push("--strict-mcp-config".to_owned());
        }
        arguments.extend_from_slice(call.arguments);
        let mut environment = vec![
            // Without this a background subagent makes it print two results.
            ("CLAUDE_CODE_DISABLE_BACKGROUND_TASKS", "1".to_owned()),
            ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1".to_owned()),
            ("DISABLE_AUTOUPDATER", "1".to_owned()),
        ];
        if call.permissions == Permissions::Full {
            // As root it refuses to bypass permissions unless it is told that it is in a sandbox.
            environment.push(("IS_SANDBOX", "1".to_owned()));
        }
        Invocation { arguments, environment, last_words: &[&[("/type", "result")]], ..Invocation::default() }
    }

    fn read(&self, left: &Left<'_>) -> Reading {
        let mut reading = Reading::new(SessionEnd::NoResult { message: last_line(left.errors) });
        let mut result = None;
        for event in events(left.answer) {
            match text_at(&event, "/type") {
                Some("system") if text_at(&event, "/subtype") == Some("init") => {
                    reading.id = text_at(&event, "/session_id").map(str::to_owned);
                    reading.tell("model", text_at(&event, "/model").unwrap_or("unknown"));
                }
                Some("assistant") => tell_message(&mut reading, &event),
                // Background work makes it print several: the last one counts.
                Some("result") => result = Some(event),
                _ => {}
            }
        }
        let Some(result) = result else { return reading };
        reading.end = end_of(&result);
        reading.id = text_at(&result, "/session_id").map(str::to_owned).or(reading.id);
        reading.structured = result.get("structured_output").filter(|output| output.is_object()).cloned();
        reading.words = text_at(&result, "/result").map(str::to_owned);
        reading.turns = result.get("num_turns").and_then(Value::as_u64);
        reading.tokens = Used::ByCall(Tokens {
            input: number_at(&result, "/usage/input_tokens")
                .saturating_add(number_at(&result, "/usage/cache_creation_input_tokens")),
            cached_input: number_at(&result, "/usage/cache_read_input_tokens"),
            output: number_at(&result, "/usage/output_tokens"),
        });
        // After a resume the cost is that of the whole session; the usage is not.
        reading.micro_dollars = result.get("total_cost_usd").and_then(micro_of).map(Used::BySession);
        for denial in result.get("permission_denials").and_then(Value::as_array).into_iter().flatten() {
            let call = denial.get("tool_input").map(describe).unwrap_or_default();
            reading.deny(text_at(denial, "/tool_name").unwrap_or("unknown"), &call);
        }
        reading
    }
}

/// Returns the tools that there are, and the calls that need no permission.
fn tools(call: &Call<'_>) -> (Vec<String>, Vec<String>) {
    let granted: Vec<String> = match call.tools {
        Some(tools) => tools.to_vec(),
        None => {
            let servers = call.servers.keys().map(|server| format!("mcp__{server}"));
            TOOLS.map(str::to_owned).into_iter().chain(servers).collect()
        }
    };
    // Skills are files of the repository, which are there only with its settings.
    let skills = call.skills.iter().filter(|_| call.project_settings).map(|skill| format!("Skill({skill})"));
    let denied = |tool: &str| call.denied.iter().any(|denied| denied == tool);
    let is_there = |tool: &str| {
        let given = |server| call.project_settings || call.servers.contains_key(server);
        server_of(tool).is_none_or(given)
    };
    let may = |call_of: &String| {
        let tool = tool_of(call_of);
        (call.access == Access::Writes || !WRITING.contains(&tool)) && !denied(tool) && is_there(tool)
    };
    let allowed: Vec<String> = granted.into_iter().chain(skills).filter(may).collect();
    let mut names: Vec<String> = Vec::new();
    // Tools of servers are not built in, and cannot be named there.
    for tool in allowed.iter().map(|call| tool_of(call)).filter(|tool| server_of(tool).is_none()) {
        if !names.iter().any(|name| name == tool) {
            names.push(tool.to_owned());
        }
    }
    (names, allowed)
}

/// Tells whether a call is of a single tool of a server, and not of all that the server has.
fn is_tool_of_server(call: &str) -> bool {
    server_of(call).is_some_and(|server| call.len() > "mcp__".len() + server.len() && !call.ends_with("__*"))
}

/// Returns servers as its configuration has them. It puts variables of the environment in by itself.
fn servers(servers: &BTreeMap<String, McpServer>) -> Value {
    let server = |server: &McpServer| match &server.transport {
        Transport::Program(argv) => {
            json!({ "type": "stdio", "command": argv.first(), "args": argv.get(1..), "env": server.values })
        }
        Transport::Http(url) => json!({ "type": "http", "url": url, "headers": server.values }),
        Transport::Events(url) => json!({ "type": "sse", "url": url, "headers": server.values }),
    };
    servers.iter().map(|(name, definition)| (name.clone(), server(definition))).collect()
}

/// Returns the schema of a report as the program takes it: it knows no reference to a meta schema.
fn schema() -> String {
    let schema = serde_json::from_str::<serde_json::Map<String, Value>>(schemas::REPORT);
    let mut schema = schema.expect("invariant: a published schema is an object");
    schema.remove("$schema");
    Value::Object(schema).to_string()
}

/// Understands how a session ended. An error of the interface comes as a success with `is_error`, an interrupt with the
/// exit code 0.
fn end_of(result: &Value) -> SessionEnd {
    let subtype = text_at(result, "/subtype").unwrap_or_default();
    let reason = text_at(result, "/terminal_reason").unwrap_or_default();
    let message = || {
        let first = text_at(result, "/errors/0").or_else(|| text_at(result, "/result"));
        session::shortened(first.unwrap_or(reason), session::TEXT_MAX)
    };
    if subtype == "error_max_turns" || reason == "max_turns" {
        return SessionEnd::TurnLimit;
    }
    if subtype == "error_max_budget_usd" || reason == "budget_exhausted" {
        return SessionEnd::Budget;
    }
    // It gave up asking the model for an answer of the right form: we ask once more ourselves.
    if subtype == "error_max_structured_output_retries" {
        return SessionEnd::Completed;
    }
    if result.get("is_error").and_then(Value::as_bool) == Some(false) && !subtype.starts_with("error") {
        return SessionEnd::Completed;
    }
    if text_at(result, "/stop_reason") == Some("refusal") {
        return SessionEnd::Refused { message: message() };
    }
    let status = result.get("api_error_status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
    if status.is_some() || reason == "api_error" {
        return SessionEnd::ModelError { status, message: message() };
    }
    if ["abort", "interrupt", "cancel"].iter().any(|word| reason.contains(word)) {
        return SessionEnd::Interrupted;
    }
    SessionEnd::NoResult { message: message() }
}

fn tell_message(reading: &mut Reading, event: &Value) {
    for block in event.pointer("/message/content").and_then(Value::as_array).into_iter().flatten() {
        match text_at(block, "/type") {
            Some("text") => reading.tell("says", text_at(block, "/text").unwrap_or_default()),
            Some("tool_use") => {
                let call = block.get("input").map(describe).unwrap_or_default();
                reading.tell(text_at(block, "/name").unwrap_or("a tool"), &call);
            }
            _ => {}
        }
    }
}

fn describe(input: &Value) -> String {
    telling(input, &["command", "file_path", "path", "pattern", "url", "prompt"])
}

#[cfg(test)]
mod tests;
