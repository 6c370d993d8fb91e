use std::collections::BTreeMap;

use implementer_model::roster::Access;

use super::*;

#[test]
fn its_home_holds_its_settings_and_its_role() {
    let environment = BTreeMap::from([("GEMINI_API_KEY".to_owned(), "key".to_owned())]);
    let reader = Call {
        role: "Role",
        model: Some("gemini-2.5-pro"),
        access: Access::ReadOnly,
        turns: Some(9),
        ..Call::plain(&environment)
    };
    let invocation = Gemini.invoke(&reader);
    insta::assert_snapshot!(
        invocation.arguments.join(" "),
        @"--output-format stream-json --approval-mode yolo --skip-trust --model gemini-2.5-pro"
    );
    let settings: Value = serde_json::from_str(&invocation.home[0].1).unwrap();
    assert_eq!(settings["security"]["auth"]["selectedType"], "gemini-api-key");
    assert_eq!(settings["hooksConfig"]["enabled"], false, "hooks of a repository do not run");
    assert_eq!(settings["model"]["maxSessionTurns"], 9);
    assert_eq!(settings["tools"]["exclude"], json!(["write_file", "replace"]));
    assert_eq!(invocation.home[1], (".gemini/GEMINI.md", "Role".to_owned()));
    let resumed = Gemini.invoke(&Call { resume: Some("id"), ..Call::plain(&environment) }).arguments;
    assert!(resumed.ends_with(&["--resume".to_owned(), "latest".to_owned()]));
}

fn read(lines: &[Value], exit: i32) -> Reading {
    let answer: String = lines.iter().map(|line| format!("{line}\n")).collect();
    Gemini.read(&Left { answer: &answer, errors: "Ripgrep is not available.\n", exit: Some(exit) })
}

fn result(status: &str, error: &Value) -> Value {
    json!({ "type": "result", "status": status, "error": error,
            "stats": { "input_tokens": 300, "output_tokens": 60, "cached": 40, "tool_calls": 1 } })
}

#[test]
fn a_session_that_ended_well_is_read_whole() {
    let reading = read(
        &[
            json!({ "type": "init", "session_id": "s", "model": "gemini-2.5-pro" }),
            json!({ "type": "message", "role": "user", "content": "brief" }),
            json!({ "type": "message", "role": "assistant", "content": "I write.", "delta": true }),
            json!({ "type": "tool_use", "tool_name": "write_file", "tool_id": "w", "parameters": { "file_path": "a" } }),
            json!({ "type": "tool_result", "tool_id": "w", "status": "success" }),
            json!({ "type": "message", "role": "assistant", "content": "{\"ver", "delta": true }),
            json!({ "type": "message", "role": "assistant", "content": "sion\":1}", "delta": true }),
            result("success", &Value::Null),
        ],
        0,
    );
    assert_eq!((reading.end.clone(), reading.id.as_deref()), (SessionEnd::Completed, Some("s")));
    assert_eq!(reading.words.as_deref(), Some("{\"version\":1}"), "the words before a call are not the answer");
    assert_eq!(reading.tokens, Used::ByCall(Tokens { input: 260, cached_input: 40, output: 60 }));
    assert_eq!(reading.turns, Some(2));
}

#[test]
fn every_way_of_ending_is_told_apart() {
    let api = "[API Error: {\"error\":{\"message\":\"no\",\"code\":401,\"status\":\"X\"}}]";
    let cases = [
        (
            json!({ "type": "unknown", "message": api }),
            145,
            SessionEnd::ModelError { status: Some(401), message: api.to_owned() },
        ),
        (json!({ "type": "FatalTurnLimitedError", "message": "turns" }), 53, SessionEnd::TurnLimit),
        (json!({ "type": "FatalCancellationError", "message": "cancelled" }), 130, SessionEnd::Interrupted),
        (
            json!({ "type": "unknown", "message": "it broke" }),
            1,
            SessionEnd::NoResult { message: "it broke".to_owned() },
        ),
    ];
    for (error, exit, end) in cases {
        assert_eq!(read(&[result("error", &error)], exit).end, end);
    }
    assert_eq!(read(&[], 53).end, SessionEnd::TurnLimit, "by its exit code alone");
    let nothing = read(&[], 41).end;
    assert_eq!(nothing, SessionEnd::NoResult { message: "Ripgrep is not available.".to_owned() });
}

#[test]
fn a_tool_that_is_kept_from_it_is_a_denial() {
    let denied = json!({ "type": "tool_result", "tool_id": "write_file__write_file_1_0", "status": "error",
                         "error": { "type": "tool_not_registered", "message": "Tool \"write_file\" not found." } });
    let reading = read(&[denied, result("success", &Value::Null)], 0);
    assert_eq!(reading.denials[0].tool, "write_file");
    let failed =
        json!({ "type": "tool_result", "tool_id": "x", "status": "error", "error": { "type": "shell_execute_error" } });
    assert!(read(&[failed], 0).denials.is_empty(), "a command that failed was allowed");
}

#[test]
fn what_a_file_grants_and_brings_along_reaches_the_program() {
    let environment = BTreeMap::from([("K".to_owned(), "value".to_owned())]);
    let tools = ["Read", "Bash(git log:*)", "Edit", "mcp__db"].map(str::to_owned);
    let server = implementer_model::roster::McpServer {
        transport: Transport::Program(vec!["db-server".to_owned(), "-q".to_owned()]),
        values: BTreeMap::from([("KEY".to_owned(), "${K}".to_owned()), ("OTHER".to_owned(), "${O:-x}".to_owned())]),
    };
    let servers = BTreeMap::from([("db".to_owned(), server)]);
    let call = Call { tools: Some(&tools), servers: &servers, ..Call::plain(&environment) };
    let settings: Value = serde_json::from_str(&Gemini.invoke(&call).home[0].1).unwrap();
    let excluded = [
        "write_file",
        "run_shell_command",
        "glob",
        "list_directory",
        "search_file_content",
        "grep_search",
        "web_fetch",
        "google_web_search",
    ];
    assert_eq!(settings["tools"]["exclude"], json!(excluded), "of the shell only a part is granted, so that it goes");
    assert_eq!(settings["mcp"]["allowed"], json!(["db"]));
    let expected = json!({ "command": "db-server", "args": ["-q"], "env": { "KEY": "value", "OTHER": "x" } });
    assert_eq!(settings["mcpServers"]["db"], expected);
    assert_eq!(Gemini.model("Gemini 2.5 Pro (copilot)").as_deref(), Some("gemini-2.5-pro"));
    assert_eq!(Gemini.model("GPT-5"), None);
}
