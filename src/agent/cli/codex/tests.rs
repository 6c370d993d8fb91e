use std::collections::BTreeMap;

use super::*;

#[test]
fn its_arguments_follow_what_it_may_do() {
    let environment = BTreeMap::from([("OPENAI_API_KEY".to_owned(), "sk".to_owned())]);
    let further = ["-c".to_owned(), "model_provider=\"mine\"".to_owned()];
    let invocation = Codex.invoke(&Call {
        resume: Some("0001-aaaa"),
        model: Some("gpt-5.5"),
        permissions: Permissions::Full,
        arguments: &further,
        ..Call::plain(&environment)
    });
    insta::assert_snapshot!(
        invocation.arguments.join(" "),
        @r#"exec --json --color never --skip-git-repo-check --disable plugins --sandbox danger-full-access --output-schema /scratch/schema.json --model gpt-5.5 -c model_provider="mine" resume 0001-aaaa -"#
    );
    assert_eq!(invocation.environment, [("CODEX_API_KEY", "sk".to_owned())]);
    let sandbox = |access| {
        let arguments = Codex.invoke(&Call { access, ..Call::plain(&environment) }).arguments;
        let at = arguments.iter().position(|argument| argument == "--sandbox").unwrap();
        arguments[at + 1].clone()
    };
    assert_eq!([sandbox(Access::Writes), sandbox(Access::ReadOnly)], ["workspace-write", "read-only"]);
}

#[test]
fn the_role_stands_in_its_configuration_however_it_is_written() {
    let environment = BTreeMap::new();
    let (path, config) = &Codex.invoke(&Call::plain(&environment)).home[0];
    insta::assert_snapshot!(format!("{path}\n{config}"), @r#"
    .codex/config.toml
    developer_instructions = "Say \"yes\".\nUse C:\\temp."
    check_for_update_on_startup = false

    [analytics]
    enabled = false
    "#);
}

fn read(answer: &str, errors: &str) -> Reading {
    Codex.read(&Left { answer, errors, exit: Some(0) })
}

const BEGIN: &str = "{\"type\":\"thread.started\",\"thread_id\":\"t-1\"}\n{\"type\":\"turn.started\"}\n";
const END: &str =
    "{\"type\":\"turn.completed\",\"usage\":{\"input_tokens\":300,\"cached_input_tokens\":60,\"output_tokens\":50}}\n";

#[test]
fn a_session_that_ended_well_is_read_whole() {
    let answer = format!(
        "{BEGIN}{}\n{}\n{}\n{}\n{END}",
        r#"{"type":"item.started","item":{"id":"0","type":"command_execution","command":"ls","status":"in_progress"}}"#,
        r#"{"type":"item.completed","item":{"id":"0","type":"command_execution","command":"ls","aggregated_output":"a\n","exit_code":0}}"#,
        r#"{"type":"item.completed","item":{"id":"1","type":"file_change","changes":[{"path":"/w/a.txt","kind":"add"}]}}"#,
        r#"{"type":"item.completed","item":{"id":"2","type":"agent_message","text":"{\"version\":1}"}}"#,
    );
    let reading = read(&answer, "");
    assert_eq!((reading.end.clone(), reading.id.as_deref()), (SessionEnd::Completed, Some("t-1")));
    assert_eq!((reading.words.as_deref(), reading.turns), (Some("{\"version\":1}"), Some(3)));
    assert_eq!(reading.tokens, Used::BySession(Tokens { input: 240, cached_input: 60, output: 50 }));
    assert_eq!(reading.story, ["runs: ls (exit code 0)", "changes: /w/a.txt", "says: {\"version\":1}"]);
    assert!(reading.micro_dollars.is_none(), "it does not tell what it costs");
}

#[test]
fn what_failed_at_the_model_is_told_with_its_status() {
    for (message, status) in [
        ("unexpected status 401 Unauthorized: no", Some(401)),
        ("exceeded retry limit, last status: 429 Too Many Requests", Some(429)),
        ("We’re currently experiencing high demand, which may cause temporary errors.", None),
        ("stream disconnected before completion: Transport error", None),
    ] {
        let event = serde_json::json!({ "type": "turn.failed", "error": { "message": message } });
        let end = read(&format!("{BEGIN}{event}\n"), "").end;
        assert_eq!(end, SessionEnd::ModelError { status, message: message.to_owned() });
    }
    let error = serde_json::json!({ "type": "error", "message": "it broke" });
    let end = SessionEnd::ModelError { status: None, message: "it broke".to_owned() };
    assert_eq!(read(&format!("{BEGIN}{error}\n"), "").end, end);
    assert_eq!(read(&format!("{BEGIN}{error}\n{END}"), "").end, SessionEnd::Completed, "it had tried again");
    let killed = read(BEGIN, "WARNING: x\nerror: bad session id\n");
    assert_eq!(killed.end, SessionEnd::NoResult { message: "error: bad session id".to_owned() });
}

#[test]
fn a_rejected_patch_is_found_among_its_errors() {
    let errors = "2026-11-25T19:49:25Z ERROR codex_core::tools::router: error=patch rejected: writing is blocked by \
                  read-only sandbox; rejected by user approval settings\n";
    let reading = read(&format!("{BEGIN}{END}"), errors);
    assert_eq!(reading.end, SessionEnd::Completed);
    assert_eq!(reading.denials[0].tool, "apply_patch");
    assert!(reading.denials[0].call.starts_with("patch rejected: writing is blocked"));
}

#[test]
fn a_sandbox_that_lets_nothing_run_is_no_success() {
    let command = |output: &str, code: i32| {
        let item = serde_json::json!({ "type": "command_execution", "command": "ls", "aggregated_output": output,
                                       "exit_code": code });
        format!("{}\n", serde_json::json!({ "type": "item.completed", "item": item }))
    };
    let blocked = command("bwrap: setting up uid map: Permission denied\n", 1);
    let end = read(&format!("{BEGIN}{blocked}{blocked}{END}"), "").end;
    assert_eq!(end, SessionEnd::SandboxFailed { message: "bwrap: setting up uid map: Permission denied".to_owned() });
    // A command that fails by itself, or one that went through, shows that it runs.
    for other in [command("no such file: bwrap\n", 2), command("a\n", 0)] {
        assert_eq!(read(&format!("{BEGIN}{blocked}{other}{END}"), "").end, SessionEnd::Completed, "{other}");
    }
}

#[test]
fn models_of_another_vendor_are_not_asked_for() {
    for model in ["opus", "sonnet", "haiku", "claude-sonnet-4-5", "us.anthropic.claude-opus-4"] {
        assert_eq!(Codex.model(model), None, "{model}");
    }
    for (words, model) in [("gpt-5.5", "gpt-5.5"), ("o3", "o3"), ("GPT-5.3-Codex (copilot)", "gpt-5.3-codex")] {
        assert_eq!(Codex.model(words).as_deref(), Some(model));
    }
}

#[test]
fn effort_and_servers_stand_in_its_configuration() {
    let environment = BTreeMap::from([("K".to_owned(), "a \"key\"".to_owned())]);
    let server = implementer_model::roster::McpServer {
        transport: Transport::Program(vec!["db".to_owned(), "--stdio".to_owned()]),
        values: BTreeMap::from([("KEY".to_owned(), "${K}".to_owned())]),
    };
    let servers = BTreeMap::from([("my db".to_owned(), server)]);
    let call = Call { effort: Some(Effort::Max), servers: &servers, ..Call::plain(&environment) };
    let config = Codex.invoke(&call).home[0].1.clone();
    assert!(config.contains("\nmodel_reasoning_effort = \"xhigh\"\n"), "{config}");
    let table = "[mcp_servers.\"my db\"]\ncommand = \"db\"\nargs = [\"--stdio\"]\n\n[mcp_servers.\"my db\".env]\n\
                 \"KEY\" = \"a \\\"key\\\"\"\n";
    assert!(config.ends_with(table), "{config}");
}
