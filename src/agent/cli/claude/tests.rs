use std::collections::BTreeMap;

use implementer_model::budget::Dollars;
use serde_json::json;

use super::*;

/// Returns the arguments without the schema, which is long.
fn arguments(call: &Call<'_>) -> String {
    let mut arguments = Claude.invoke(call).arguments;
    let at = arguments.iter().position(|argument| argument == "--json-schema").unwrap();
    let schema: Value = serde_json::from_str(&arguments[at + 1]).unwrap();
    assert_eq!(schema["title"], "Report");
    assert!(schema.get("$schema").is_none(), "it refuses a meta schema that it does not know");
    arguments[at + 1] = "SCHEMA".to_owned();
    arguments.join(" ")
}

#[test]
fn a_writer_may_do_what_its_role_needs_and_nobody_is_asked() {
    let environment = BTreeMap::new();
    insta::assert_snapshot!(
        arguments(&Call::plain(&environment)),
        @"-p --output-format stream-json --verbose --setting-sources user --permission-prompts none --permission-mode acceptEdits --tools Bash,Edit,Glob,Grep,NotebookEdit,Read,Write --allowedTools Bash,Edit,Glob,Grep,NotebookEdit,Read,Write --append-system-prompt-file /scratch/role.md --json-schema SCHEMA --session-id 11111111-1111-8111-8111-111111111111 --strict-mcp-config"
    );
    let further = ["--fallback-model".to_owned(), "sonnet".to_owned()];
    let tools = ["Bash(git *)", "Bash(npm test)", "Read", "mcp__db__query"].map(str::to_owned);
    let all = Call {
        resume: Some("22222222-2222-4222-8222-222222222222"),
        model: Some("opus"),
        tools: Some(&tools),
        permissions: Permissions::Full,
        project_settings: true,
        turns: Some(12),
        budget: Dollars::parse("2.5"),
        arguments: &further,
        ..Call::plain(&environment)
    };
    insta::assert_snapshot!(
        arguments(&all),
        @"-p --output-format stream-json --verbose --setting-sources user,project --permission-prompts none --permission-mode dontAsk --tools Bash,Read --allowedTools Bash(git *),Bash(npm test),Read,mcp__db__query --append-system-prompt-file /scratch/role.md --json-schema SCHEMA --model opus --max-turns 12 --max-budget-usd 2.5 --resume 22222222-2222-4222-8222-222222222222 --fallback-model sonnet"
    );
    let names = |call: &Call<'_>| Claude.invoke(call).environment.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert!(names(&all).contains(&"IS_SANDBOX"), "as root it bypasses nothing otherwise");
    assert!(!names(&Call::plain(&environment)).contains(&"IS_SANDBOX"));
    assert!(names(&all).contains(&"CLAUDE_CODE_DISABLE_BACKGROUND_TASKS"));
}

#[test]
fn a_reader_has_no_tool_that_writes() {
    let environment = BTreeMap::new();
    let tools = ["Read", "Write", "Edit(src/**)", "Bash"].map(str::to_owned);
    for tools in [None, Some(&tools[..])] {
        let call = Call { access: Access::ReadOnly, tools, ..Call::plain(&environment) };
        let arguments = arguments(&call);
        assert!(arguments.contains("--permission-mode dontAsk"), "{arguments}");
        assert!(!arguments.contains("Write") && !arguments.contains("Edit"), "{arguments}");
        assert!(arguments.contains("Read") && arguments.contains("Bash"), "{arguments}");
    }
}

#[test]
fn what_a_file_forbids_and_asks_for_reaches_the_program() {
    let environment = BTreeMap::new();
    let denied = ["Bash(rm *)", "Edit", "MultiEdit"].map(str::to_owned);
    let program = |argv: &[&str]| McpServer {
        transport: Transport::Program(argv.iter().map(|&word| word.to_owned()).collect()),
        values: BTreeMap::from([("KEY".to_owned(), "${DB_KEY}".to_owned())]),
    };
    let servers = BTreeMap::from([("db".to_owned(), program(&["db-server", "--stdio"]))]);
    let skills = ["deploying".to_owned()];
    let call = Call {
        denied: &denied,
        effort: Some(implementer_model::roster::Effort::High),
        servers: &servers,
        skills: &skills,
        permissions: Permissions::Full,
        ..Call::plain(&environment)
    };
    insta::assert_snapshot!(
        arguments(&call),
        @r#"-p --output-format stream-json --verbose --setting-sources user --permission-prompts none --permission-mode bypassPermissions --tools Bash,Glob,Grep,NotebookEdit,Read,Write --allowedTools Bash,Glob,Grep,NotebookEdit,Read,Write,mcp__db --disallowedTools Bash(rm *),Edit,MultiEdit --append-system-prompt-file /scratch/role.md --json-schema SCHEMA --effort high --session-id 11111111-1111-8111-8111-111111111111 --mcp-config {"mcpServers":{"db":{"args":["--stdio"],"command":"db-server","env":{"KEY":"${DB_KEY}"},"type":"stdio"}}} --strict-mcp-config"#
    );
    let with_settings = arguments(&Call { project_settings: true, ..call });
    assert!(
        with_settings.contains("--tools Bash,Glob,Grep,NotebookEdit,Read,Write,Skill --allowedTools"),
        "{with_settings}"
    );
    assert!(with_settings.contains(",Skill(deploying)"), "{with_settings}");
    let tools = ["Read", "mcp__db__query", "mcp__other__x"].map(str::to_owned);
    let narrow = arguments(&Call { tools: Some(&tools), servers: &servers, ..Call::plain(&environment) });
    assert!(narrow.contains("--permission-mode dontAsk --tools Read --allowedTools Read,mcp__db__query "), "{narrow}");
}

#[test]
fn models_of_another_vendor_are_not_asked_for() {
    for (words, model) in [
        ("opus", Some("opus")),
        ("Claude Sonnet 4.5 (copilot)", Some("claude-sonnet-4-5")),
        ("our-gateway/some-model", Some("our-gateway/some-model")),
        ("GPT-4.1", None),
        ("Gemini 2.5 Pro (copilot)", None),
    ] {
        assert_eq!(Claude.model(words).as_deref(), model, "{words}");
    }
}

fn read(lines: &[Value], exit: i32) -> Reading {
    let answer: String = lines.iter().map(|line| format!("{line}\n")).collect();
    Claude.read(&Left { answer: &answer, errors: "", exit: Some(exit) })
}

/// A result as version 2.1.329 prints it, with what differs.
fn result(differs: &Value) -> Value {
    let mut result = json!({
        "type": "result", "subtype": "success", "is_error": false, "num_turns": 3, "session_id": "s", "result": "done",
        "total_cost_usd": 0.0018, "stop_reason": "end_turn", "terminal_reason": "completed", "api_error_status": null,
        "usage": { "input_tokens": 100, "cache_creation_input_tokens": 20, "cache_read_input_tokens": 7,
                   "output_tokens": 60 },
        "permission_denials": []
    });
    let fields = result.as_object_mut().unwrap();
    fields.extend(differs.as_object().unwrap().clone());
    result
}

#[test]
fn a_session_that_ended_well_is_read_whole() {
    let report = json!({ "version": 1, "status": "completed", "summary": "did it" });
    let reading = read(
        &[
            json!({ "type": "system", "subtype": "init", "session_id": "s", "model": "claude-sonnet-4-5" }),
            json!({ "type": "assistant", "message": { "content": [
                { "type": "text", "text": "I look." },
                { "type": "tool_use", "name": "Bash", "input": { "command": "cat a\nb", "description": "x" } }] } }),
            result(&json!({ "structured_output": report })),
        ],
        0,
    );
    assert_eq!((reading.end.clone(), reading.id.as_deref()), (SessionEnd::Completed, Some("s")));
    assert_eq!((reading.structured.as_ref(), reading.turns), (Some(&report), Some(3)));
    assert_eq!(reading.tokens, Used::ByCall(Tokens { input: 120, cached_input: 7, output: 60 }));
    assert_eq!(reading.micro_dollars, Some(Used::BySession(1_800)), "the cost is that of the session");
    assert_eq!(reading.story, ["model: claude-sonnet-4-5", "says: I look.", "Bash: cat a\n    b"]);
}

#[test]
fn every_way_of_ending_is_told_apart() {
    let api = |status: Value| {
        json!({ "is_error": true, "terminal_reason": "api_error", "api_error_status": status,
                                      "stop_reason": "stop_sequence", "result": "API Error: overloaded" })
    };
    let model_error =
        |status: Option<u16>| SessionEnd::ModelError { status, message: "API Error: overloaded".to_owned() };
    let cases = [
        // An error of the interface comes as a success.
        (api(json!(401)), model_error(Some(401))),
        (api(json!(529)), model_error(Some(529))),
        (api(json!(null)), model_error(None)),
        (
            json!({ "is_error": true, "subtype": "error_max_turns", "terminal_reason": "max_turns" }),
            SessionEnd::TurnLimit,
        ),
        (
            json!({ "is_error": true, "subtype": "error_max_budget_usd", "terminal_reason": "budget_exhausted" }),
            SessionEnd::Budget,
        ),
        (
            json!({ "is_error": true, "stop_reason": "refusal", "terminal_reason": "api_error", "result": "I can't" }),
            SessionEnd::Refused { message: "I can't".to_owned() },
        ),
        // What SIGINT leaves, with the exit code 0.
        (json!({ "is_error": true, "terminal_reason": "aborted_streaming" }), SessionEnd::Interrupted),
        (json!({ "is_error": true, "subtype": "error_max_structured_output_retries" }), SessionEnd::Completed),
        (
            json!({ "is_error": true, "subtype": "error_during_execution", "errors": ["it broke"] }),
            SessionEnd::NoResult { message: "it broke".to_owned() },
        ),
        // A field that is not there says nothing good.
        (json!({ "is_error": null }), SessionEnd::NoResult { message: "done".to_owned() }),
    ];
    for (differs, end) in cases {
        for exit in [0, 1] {
            assert_eq!(read(&[result(&differs)], exit).end, end, "{differs}");
        }
    }
}

#[test]
fn the_last_of_several_results_counts() {
    let reading = read(&[result(&json!({ "result": "first" })), result(&json!({ "result": "second" }))], 0);
    assert_eq!(reading.words.as_deref(), Some("second"));
}

#[test]
fn a_denied_tool_is_told_although_all_ended_well() {
    let denials = json!([{ "tool_name": "Bash", "tool_use_id": "t", "tool_input": { "command": "curl http://x" } }]);
    let reading = read(&[result(&json!({ "permission_denials": denials }))], 0);
    assert_eq!(reading.end, SessionEnd::Completed);
    assert_eq!((reading.denials[0].tool.as_str(), reading.denials[0].call.as_str()), ("Bash", "curl http://x"));
}

#[test]
fn without_a_result_there_is_what_it_said_last() {
    let left = Left { answer: "", errors: "warning\nerror: unknown option '--x'\n", exit: Some(1) };
    assert_eq!(Claude.read(&left).end, SessionEnd::NoResult { message: "error: unknown option '--x'".to_owned() });
    let cut = "{\"type\":\"system\",\"subtype\":\"init\",\"session_id\":\"s\"}\n{\"type\":\"resu";
    let reading = Claude.read(&Left { answer: cut, errors: "", exit: Some(143) });
    assert_eq!((reading.end, reading.id.as_deref()), (SessionEnd::NoResult { message: String::new() }, Some("s")));
}
