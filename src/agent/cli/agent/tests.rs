use implementer_model::{
    ids::{ObjectId, SubagentName, TaskId},
    roster::{Access, Origin, Role, Terms},
    scope::Scope,
};

use super::*;
use crate::{
    agent::{Exit, cli::kinds},
    errors,
};

fn subagent(model: Option<&str>) -> Subagent {
    Subagent {
        name: SubagentName::new("backend-datatypes").unwrap(),
        role: Role::DataTypes,
        description: String::new(),
        prompt: "You make types.".to_owned(),
        model: model.map(str::to_owned),
        tools: None,
        terms: Terms::default(),
        access: Access::Writes,
        scope: vec![],
        exclude: vec![],
        origin: Origin::BuiltIn,
    }
}

fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn agent(kind: &str, settings: AgentSettings, environment: &BTreeMap<String, String>) -> CliAgent {
    let kind = AgentKind::parse(kind, &kinds()).unwrap();
    CliAgent::new(&kind, settings, "/programs".as_ref(), "/supervisor".as_ref(), environment).unwrap()
}

#[test]
fn there_is_an_agent_of_every_kind_and_each_can_be_installed_in_the_version_it_was_tested_with() {
    assert_eq!(kinds(), ["command", "claude", "codex", "gemini", "opencode"]);
    for dialect in crate::agent::cli::DIALECTS {
        let tested = dialect.tested();
        let newest = Version::from(tested.to).to_string();
        assert!(tested.from <= tested.to && dialect.install().ends_with(&format!("@{newest}")), "{}", dialect.name());
    }
}

#[test]
fn a_model_is_asked_for_by_the_name_that_it_has_here() {
    let models = BTreeMap::from([("opus".to_owned(), "gpt-5.5".to_owned())]);
    let settings = AgentSettings { models, model: Some("gpt-5.5-mini".to_owned()), ..AgentSettings::default() };
    let codex = agent("codex", settings, &environment(&[]));
    let asked = |model| codex.model(&subagent(model)).0;
    assert_eq!(asked(Some("opus")).as_deref(), Some("gpt-5.5"));
    assert_eq!(asked(Some("o3")).as_deref(), Some("o3"));
    assert_eq!(asked(None).as_deref(), Some("gpt-5.5-mini"));
    let haiku = subagent(Some("haiku"));
    let (model, note) = codex.model(&haiku);
    assert_eq!(model.as_deref(), Some("gpt-5.5-mini"));
    insta::assert_snapshot!(note.unwrap(), @"the model `haiku` has no name for codex, which used `gpt-5.5-mini`: say under `agents.codex.models` what it is called");
    let claude = agent("claude", AgentSettings::default(), &environment(&[]));
    let model = |words| claude.model(&subagent(Some(words))).0;
    assert_eq!(model("opus").as_deref(), Some("opus"));
    assert_eq!(model("Claude Sonnet 4.5 (copilot)").as_deref(), Some("claude-sonnet-4-5"));
    let mut several = subagent(Some("GPT-5.4 (copilot)"));
    assert!(claude.model(&several).1.unwrap().contains("`GPT-5.4 (copilot)`"));
    several.terms.other_models = vec!["Claude Opus 4.6".to_owned()];
    assert_eq!(claude.model(&several), (Some("claude-opus-4-6".to_owned()), None), "the first that it can have");
}

#[test]
fn in_a_workflow_the_container_is_the_sandbox() {
    let permissions = |settings, pairs: &[(&str, &str)]| agent("codex", settings, &environment(pairs)).permissions;
    assert_eq!(permissions(AgentSettings::default(), &[]), Permissions::Own);
    assert_eq!(permissions(AgentSettings::default(), &[("GITHUB_ACTIONS", "true")]), Permissions::Full);
    let own = AgentSettings { permissions: Some(Permissions::Own), ..AgentSettings::default() };
    assert_eq!(permissions(own, &[("GITHUB_ACTIONS", "true")]), Permissions::Own);
}

/// A folder with a program of this name that prints a version.
fn installed(name: &str) -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join(name);
    fs::write(&program, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

#[test]
fn what_is_missing_is_said_before_a_run_with_what_to_do() {
    let told = |agent: &CliAgent, passed: &[&str], limited: bool| {
        let passed: Vec<_> = passed.iter().map(|&name| name.to_owned()).collect();
        agent.check(&subagent(None), &passed, limited).map_err(|error| errors::told(&error, error.hint()))
    };
    let nowhere = tempfile::tempdir().unwrap();
    let path = |folder: &tempfile::TempDir| folder.path().to_str().unwrap().to_owned();
    let missing = agent("claude", AgentSettings::default(), &environment(&[("PATH", &path(&nowhere))]));
    let error = told(&missing, &[], false).unwrap_err().replace(&path(&nowhere), "PATH");
    insta::assert_snapshot!(error, @"claude cannot be called for `backend-datatypes`: the program `claude` was not found on PATH (PATH): install it, or name it by its absolute path. To fix it: install it by `npm install --global @anthropic-ai/claude-code@2.1.329`");

    let folder = installed("claude");
    let with_key = environment(&[("PATH", &path(&folder)), ("ANTHROPIC_API_KEY", "k")]);
    let claude = agent("claude", AgentSettings::default(), &with_key);
    assert!(told(&claude, &[], false).unwrap_err().contains("is given no credential: none of ANTHROPIC_API_KEY"));
    assert!(told(&claude, &["ANTHROPIC_AUTH_TOKEN"], false).is_err(), "named, but not set");
    assert_eq!(told(&claude, &["ANTHROPIC_API_KEY"], true), Ok(()), "it tells what it costs");

    let folder = installed("codex");
    let here = environment(&[("PATH", &path(&folder))]);
    let codex = agent("codex", AgentSettings::default(), &here);
    assert_eq!(told(&codex, &[], false), Ok(()));
    assert!(told(&codex, &[], true).unwrap_err().contains("set `agents.codex.prices`"));
    let prices = BTreeMap::from([("default".to_owned(), implementer_model::budget::Price::default())]);
    let priced = agent("codex", AgentSettings { prices, ..AgentSettings::default() }, &here);
    assert_eq!(told(&priced, &[], true), Ok(()));
}

fn ended(exit: Exit, tail: &str) -> Ended {
    Ended {
        exit,
        stopped: false,
        out_of_turns: false,
        overstayed: false,
        answer_truncated: false,
        killed: false,
        leftovers: 0,
        survivors: 0,
        output_bytes: 0,
        truncated: false,
        log_trouble: None,
        output_digest: implementer_model::ids::Digest::from_content(""),
        output_tail: tail.to_owned(),
        duration_ms: 0,
    }
}

#[test]
fn versions_that_were_not_tested_are_told_and_old_ones_refused() {
    let probed = |settings: AgentSettings, tail: &str, exit| {
        let agent = agent("claude", settings, &environment(&[]));
        let probed = agent.probed(&ended(exit, tail)).map(|()| agent.version.get().unwrap().to_string());
        probed.map_err(|error| errors::told(&error, error.hint()))
    };
    let default = AgentSettings::default;
    assert_eq!(probed(default(), "2.1.329 (Claude Code)\n", Exit::Code(0)).unwrap(), "2.1.329");
    assert_eq!(probed(default(), "2.2.0 (Claude Code)\n", Exit::Code(0)).unwrap(), "2.2.0", "newer ones are used");
    insta::assert_snapshot!(probed(default(), "1.0.9 (Claude Code)\n", Exit::Code(0)).unwrap_err(), @"claude 1.0.9 is older than 2.1.329, the oldest version that was tested with. To fix it: install it by `npm install --global @anthropic-ai/claude-code@2.1.329`, or set `agents.claude.old-version: true` to use it all the same");
    let old = AgentSettings { old_version: true, ..default() };
    assert_eq!(probed(old, "1.0.9", Exit::Code(0)).unwrap(), "1.0.9");
    assert!(
        probed(default(), "not it\n", Exit::Code(0)).unwrap_err().contains("gives no version (exit code 0): not it")
    );
    assert!(probed(default(), "2.1.329", Exit::Code(3)).unwrap_err().contains("exit code 3"));
}

/// A job in a folder of its own.
struct Stand {
    folder: tempfile::TempDir,
    task: TaskId,
    subagent: Subagent,
    scope: Scope,
    base: ObjectId,
    passed: Vec<String>,
}

impl Stand {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("scratch")).unwrap();
        // As the supervisor makes it.
        fs::write(folder.path().join("log.txt"), "").unwrap();
        Self {
            folder,
            task: TaskId::new("types").unwrap(),
            subagent: subagent(None),
            scope: Scope { allow: vec![], deny: [].into() },
            base: ObjectId::new("b".repeat(40)).unwrap(),
            passed: vec!["OPENAI_API_KEY".to_owned()],
        }
    }

    fn with<T>(&self, attempt: u32, go: impl FnOnce(&Job<'_>) -> T) -> T {
        let path = |name: &str| self.folder.path().join(name);
        go(&Job {
            task: &self.task,
            attempt,
            subagent: &self.subagent,
            scope: &self.scope,
            access: Access::Writes,
            base: &self.base,
            worktree: &path("worktree"),
            brief: &path("brief.md"),
            report: &path("scratch/report.json"),
            log: &path("log.txt"),
            scratch: &path("scratch"),
            turns: Some(5),
            budget: None,
            time_limit: Duration::from_secs(60),
            pass_environment: &self.passed,
        })
    }

    fn answer(&self, name: &str, lines: &str) {
        fs::write(self.folder.path().join("scratch").join(name), lines).unwrap();
    }
}

const SECRET: &str = "sk-0123456789";

fn codex() -> CliAgent {
    let dollars = |text| Dollars::parse(text).unwrap();
    let price = implementer_model::budget::Price { input: dollars("1"), cached_input: None, output: dollars("10") };
    let prices = BTreeMap::from([("default".to_owned(), price)]);
    agent("codex", AgentSettings { prices, ..AgentSettings::default() }, &environment(&[("OPENAI_API_KEY", SECRET)]))
}

fn codex_answer(words: &str, input: u64) -> String {
    let message = serde_json::json!({ "type": "item.completed", "item": { "type": "agent_message", "text": words } });
    format!(
        "{{\"type\":\"thread.started\",\"thread_id\":\"t-1\"}}\n{message}\n{{\"type\":\"turn.completed\",\"usage\":\
         {{\"input_tokens\":{input},\"cached_input_tokens\":0,\"output_tokens\":10}}}}\n"
    )
}

#[test]
fn a_launch_gives_the_brief_on_standard_input_and_keeps_the_answer_apart() {
    let stand = Stand::new();
    stand.with(1, |job| {
        let launch = codex().prepare(job).unwrap();
        assert_eq!(launch.input.as_deref(), Some(job.brief));
        let answer = launch.answer.unwrap();
        assert_eq!(answer.turns, Some(TurnLimit { prefix: "{\"type\":\"item.started\"".to_owned(), max: 5 }));
        assert!(launch.argv.iter().map(String::len).sum::<usize>() < 2_000, "nothing long in its arguments");
        assert_eq!(launch.secrets, [SECRET, SECRET], "also under the name that it is given it again");
        let home = job.scratch.join("home");
        assert!(fs::read_to_string(home.join(".codex/config.toml")).unwrap().contains("You make types."));
        let names: Vec<_> = launch.environment.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "CI",
                "CODEX_API_KEY",
                "HOME",
                "IMPLEMENTER_BASE",
                "IMPLEMENTER_TASK",
                "OPENAI_API_KEY",
                "PATH",
                "TERM",
                "TMPDIR"
            ]
        );
    });
}

#[test]
fn sessions_have_ids_that_differ_between_attempts_and_can_be_found_again() {
    let stand = Stand::new();
    let ids = [1, 2, 1].map(|attempt| stand.with(attempt, session_id));
    assert_eq!(ids[0], ids[2]);
    assert_ne!(ids[0], ids[1]);
    let parts: Vec<_> = ids[0].split('-').map(str::len).collect();
    assert_eq!(parts, [8, 4, 4, 4, 12], "{}", ids[0]);
    assert!(ids[0].chars().all(|c| c == '-' || c.is_ascii_hexdigit()), "{}", ids[0]);
    assert_eq!(ids[0].as_bytes()[14], b'8', "version 8");
}

#[test]
fn an_answer_that_is_no_report_is_asked_for_once_more_and_what_was_used_is_not_counted_twice() {
    let stand = Stand::new();
    let report = format!("{{\"version\": 1, \"status\": \"completed\", \"summary\": \"with {SECRET}\"}}");
    stand.with(1, |job| {
        let codex = codex();
        stand.answer("answer.jsonl", &codex_answer(&format!("All done with {SECRET}."), 1_000_000));
        let first = codex.conclude(job, &ended(Exit::Code(0), ""));
        assert!(matches!(first.report, Ok(None)));
        let session = first.session.as_ref().unwrap();
        assert_eq!(session.answer.as_deref(), Some("All done with [redacted]."));
        assert_eq!(session.micro_dollars, Some(1_000_100));
        // What a program has put in the place of our files is neither followed nor written.
        let precious = stand.folder.path().join("precious");
        fs::write(&precious, "precious").unwrap();
        for name in ["role.md", "repair.md", "repair.jsonl"] {
            let _ = fs::remove_file(job.scratch.join(name));
            std::os::unix::fs::symlink(&precious, job.scratch.join(name)).unwrap();
        }
        let launch = codex.repair(job, &first).unwrap().unwrap();
        assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
        fs::remove_file(job.scratch.join("repair.jsonl")).unwrap();
        assert!(launch.argv.windows(2).any(|words| words == ["resume", "t-1"]), "{:?}", launch.argv);
        let asked = fs::read_to_string(launch.input.unwrap()).unwrap();
        assert!(asked.contains("There is no JSON object in it."), "{asked}");

        // After a resume the program tells what the whole session used.
        stand.answer("repair.jsonl", &codex_answer(&report, 1_200_000));
        let second = codex.conclude_repair(job, first, &ended(Exit::Code(0), ""));
        assert_eq!(second.report.as_ref().unwrap().as_ref().unwrap().report.summary, "with [redacted]");
        let session = second.session.as_ref().unwrap();
        assert_eq!((session.repairs, session.answer.as_deref()), (1, None));
        assert_eq!((session.tokens.input, session.micro_dollars), (1_200_000, Some(1_200_100)));
        assert!(codex.repair(job, &second).is_none());
        let log = fs::read_to_string(job.log).unwrap();
        assert!(log.contains("--- codex was asked for its report again") && !log.contains(SECRET), "{log}");
    });
}

#[test]
fn an_invalid_report_is_sent_back_with_what_is_wrong_and_kept_as_text_when_it_stays_so() {
    let stand = Stand::new();
    stand.with(1, |job| {
        let codex = codex();
        stand
            .answer("answer.jsonl", &codex_answer("{\"version\": 1, \"status\": \"finished\", \"summary\": \"s\"}", 1));
        let first = codex.conclude(job, &ended(Exit::Code(0), ""));
        let launch = codex.repair(job, &first).unwrap().unwrap();
        let asked = fs::read_to_string(launch.input.unwrap()).unwrap();
        assert!(asked.contains("unknown variant `finished`"), "{asked}");
        stand.answer("repair.jsonl", &codex_answer("Sorry, I am done.", 1));
        let second = codex.conclude_repair(job, first, &ended(Exit::Code(0), ""));
        assert!(!has_report(&second.report));
        assert_eq!(second.session.unwrap().answer.as_deref(), Some("Sorry, I am done."));
    });
}

#[test]
fn an_answer_is_read_from_a_plain_file_only() {
    let stand = Stand::new();
    stand.with(1, |job| {
        let elsewhere = stand.folder.path().join("elsewhere");
        fs::write(&elsewhere, codex_answer("{\"version\": 1, \"status\": \"completed\", \"summary\": \"s\"}", 1))
            .unwrap();
        std::os::unix::fs::symlink(&elsewhere, job.scratch.join("answer.jsonl")).unwrap();
        let conclusion = codex().conclude(job, &ended(Exit::Code(0), "last words"));
        assert!(!has_report(&conclusion.report));
        assert_eq!(conclusion.session.unwrap().end, SessionEnd::NoResult { message: "last words".to_owned() });
    });
}

#[test]
fn who_did_not_end_well_is_not_asked_again() {
    let stand = Stand::new();
    stand.with(1, |job| {
        let codex = codex();
        stand.answer("answer.jsonl", "{\"type\":\"thread.started\",\"thread_id\":\"t-1\"}\n{\"type\":\"turn.failed\",\"error\":{\"message\":\"unexpected status 500\"}}\n");
        let first = codex.conclude(job, &ended(Exit::Code(1), ""));
        assert!(codex.repair(job, &first).is_none());
        let counted = Ended { out_of_turns: true, stopped: true, ..ended(Exit::Signal(15), "") };
        let end = codex.conclude(job, &counted).session.unwrap().end;
        assert_eq!(end, SessionEnd::TurnLimit, "stopped by us because of its turns");
    });
}

#[test]
fn whatever_a_program_says_is_read_without_panic() {
    let stand = Stand::new();
    let nonsense = [
        "",
        "\u{0}\u{ff}",
        "{}",
        "{\"type\":null}",
        "{\"type\":\"result\"}",
        "{\"type\":\"item.completed\"}",
        "{\"type\":\"turn.completed\",\"usage\":{\"input_tokens\":-1,\"cached_input_tokens\":18446744073709551615}}",
        "{\"type\":\"step_finish\",\"part\":{\"tokens\":{\"input\":18446744073709551615,\"cache\":{\"write\":9}}}}",
        "{\"type\":\"assistant\",\"message\":{\"content\":[1,{\"type\":\"tool_use\"}]}}",
        "[]",
        "{\"type\":\"result\",\"status\":\"error\",\"is_error\":true,\"api_error_status\":99999999}",
    ];
    for dialect in crate::agent::cli::DIALECTS {
        let agent = agent(dialect.name(), AgentSettings::default(), &environment(&[]));
        for text in nonsense {
            stand.answer("answer.jsonl", text);
            let conclusion = stand.with(1, |job| agent.conclude(job, &ended(Exit::Code(0), "")));
            assert!(!has_report(&conclusion.report), "{text}");
        }
    }
}
