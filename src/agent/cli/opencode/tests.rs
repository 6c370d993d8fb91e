use std::collections::BTreeMap;

use implementer_model::roster::Access;

use super::*;

#[test]
fn it_works_as_an_agent_of_its_own() {
    let environment = BTreeMap::new();
    let reader = Call {
        role: "Role",
        model: Some("acme/m"),
        access: Access::ReadOnly,
        resume: Some("ses_1"),
        ..Call::plain(&environment)
    };
    let invocation = OpenCode.invoke(&reader);
    insta::assert_snapshot!(
        invocation.arguments.join(" "),
        @"run --format json --auto --agent implementer --model acme/m --session ses_1 --pure"
    );
    let (path, config) = &invocation.home[0];
    let config: Value = serde_json::from_str(config).unwrap();
    assert_eq!(*path, ".config/opencode/opencode.json");
    assert_eq!(config["agent"]["implementer"]["prompt"], "Role");
    assert_eq!(config["agent"]["implementer"]["tools"]["write"], false);
    assert!(invocation.environment.contains(&("OPENCODE_DISABLE_PROJECT_CONFIG", "1".to_owned())));
    let own = OpenCode.invoke(&Call { project_settings: true, ..Call::plain(&environment) });
    assert!(!own.arguments.contains(&"--pure".to_owned()) && own.environment.len() == 2);
    assert!(!own.home[0].1.contains("tools"));
}

fn read(lines: &[Value]) -> Reading {
    let answer: String = lines.iter().map(|line| format!("{line}\n")).collect();
    OpenCode.read(&Left { answer: &answer, errors: "", exit: Some(0) })
}

fn event(kind: &str, part: &Value) -> Value {
    json!({ "type": kind, "sessionID": "ses_1", "part": part })
}

fn finish(reason: &str, cost: f64) -> Value {
    let tokens = json!({ "input": 100, "output": 20, "reasoning": 5, "cache": { "read": 7, "write": 3 } });
    event("step_finish", &json!({ "reason": reason, "tokens": tokens, "cost": cost }))
}

#[test]
fn a_session_that_ended_well_is_read_whole() {
    let tool = json!({ "tool": "bash", "state": { "status": "completed", "input": { "command": "ls" } } });
    let reading = read(&[
        event("step_start", &json!({})),
        event("text", &json!({ "text": "I look." })),
        event("tool_use", &tool),
        finish("tool-calls", 0.5),
        event("step_start", &json!({})),
        event("text", &json!({ "text": "{\"version\":1}" })),
        finish("stop", 0.25),
    ]);
    assert_eq!((reading.end.clone(), reading.id.as_deref()), (SessionEnd::Completed, Some("ses_1")));
    assert_eq!((reading.words.as_deref(), reading.turns), (Some("{\"version\":1}"), Some(2)));
    assert_eq!(reading.tokens, Used::ByCall(Tokens { input: 206, cached_input: 14, output: 50 }));
    assert_eq!(reading.micro_dollars, Some(Used::ByCall(750_000)));
    assert_eq!(reading.story, ["says: I look.", "bash: ls", "says: {\"version\":1}"]);
}

#[test]
fn a_model_without_a_price_has_no_cost() {
    assert_eq!(read(&[finish("stop", 0.0)]).micro_dollars, None);
}

#[test]
fn every_way_of_ending_is_told_apart() {
    let error = |error: Value| json!({ "type": "error", "sessionID": "ses_1", "error": error });
    let api = error(json!({ "name": "APIError", "data": { "message": "no", "statusCode": 401 } }));
    assert_eq!(read(&[api]).end, SessionEnd::ModelError { status: Some(401), message: "no".to_owned() });
    assert_eq!(read(&[error(json!({ "name": "MessageAbortedError" }))]).end, SessionEnd::Interrupted);
    let unknown = read(&[error(json!({ "name": "UnknownError", "data": { "message": "model not found" } }))]).end;
    assert_eq!(unknown, SessionEnd::NoResult { message: "model not found".to_owned() });
    let cut = read(&[finish("length", 0.0)]).end;
    assert_eq!(cut, SessionEnd::NoResult { message: "its last step ended with `length`".to_owned() });
    assert!(matches!(read(&[finish("content-filter", 0.0)]).end, SessionEnd::Refused { .. }));
    assert_eq!(read(&[]).end, SessionEnd::NoResult { message: String::new() });
}

#[test]
fn a_tool_that_is_kept_from_it_is_a_denial() {
    let input = json!({ "tool": "write", "error": "Model tried to call unavailable tool 'write'" });
    let reading = read(&[event("tool_use", &json!({ "tool": "invalid", "state": { "input": input } }))]);
    assert_eq!(reading.denials[0].tool, "write");
    let state = json!({ "status": "error", "error": "The user rejected permission to use this tool", "input": { "command": "ls" } });
    let reading = read(&[event("tool_use", &json!({ "tool": "bash", "state": state }))]);
    assert_eq!((reading.denials[0].tool.as_str(), reading.denials[0].call.as_str()), ("bash", "ls"));
}

#[test]
fn what_a_file_forbids_and_brings_along_reaches_the_program() {
    let environment = BTreeMap::new();
    let denied = ["Bash", "WebFetch"].map(str::to_owned);
    let server = implementer_model::roster::McpServer {
        transport: Transport::Http("https://mcp.example".to_owned()),
        values: BTreeMap::new(),
    };
    let servers = BTreeMap::from([("docs".to_owned(), server)]);
    let call = Call { denied: &denied, servers: &servers, ..Call::plain(&environment) };
    let config: Value = serde_json::from_str(&OpenCode.invoke(&call).home[0].1).unwrap();
    assert_eq!(config["agent"]["implementer"]["tools"], json!({ "bash": false, "webfetch": false }));
    assert_eq!(config["mcp"]["docs"], json!({ "type": "remote", "url": "https://mcp.example", "headers": {} }));
    assert_eq!(OpenCode.model("openai/gpt-5").as_deref(), Some("openai/gpt-5"));
    assert_eq!(OpenCode.model("GPT-5"), None);
}
