//! `init`: a repository gets what it needs, with the reasons, and what is there stays.

use std::fs;

use implementer_model::config::{AgentKind, Config, Layout};

use crate::support::Bench;

const CONFIG: &str = ".github/backend-implementer.yml";
const WORKFLOW: &str = ".github/workflows/backend-implementer.yml";
const PREVIEW: &str = ".github/workflows/backend-implementer-preview.yml";
const ACTION: &str = "acme/implementer@0123456789012345678901234567890123456789";

/// A repository without a configuration.
fn bare() -> Bench {
    let bench = Bench::new();
    fs::remove_file(bench.repo().join(CONFIG)).unwrap();
    bench
}

fn read(bench: &Bench, path: &str) -> String {
    fs::read_to_string(bench.repo().join(path)).unwrap()
}

fn config(bench: &Bench) -> Config {
    Config::read("c.yml", &read(bench, CONFIG), &backend_implementer::agent::kinds()).unwrap()
}

#[test]
fn configuration_and_workflow_are_written_with_the_reasons_and_never_over_anything() {
    let bench = bare();
    bench.write("requirements.txt", "pytest==8.3.0\n");
    bench.write("deep/.keep", "");
    let first = bench.call(["init", "--repo", "deep", "--action", ACTION]).expect(0);
    assert!(first.stdout.starts_with(&format!("wrote {CONFIG}\n")), "{}", first.stdout);
    assert!(first.stdout.contains(&format!("wrote {WORKFLOW}\nwrote {PREVIEW}\n")), "{}", first.stdout);
    assert!(
        first.stdout.contains("gate tests: python3 -m pytest: the tests are written for pytest"),
        "{}",
        first.stdout
    );
    assert!(first.stdout.contains("gh secret set ANTHROPIC_API_KEY"), "{}", first.stdout);
    let made = config(&bench);
    assert_eq!(made.agent.kind.as_ref().map(AgentKind::as_str), Some("claude"));
    assert_eq!(made.workflow.layout, Layout::OneJob);
    assert_eq!(made.workflow.action.as_deref(), Some(ACTION));
    bench.call(["generate", "--check"]).expect(0);
    bench.call(["agents"]).expect(0);

    bench.write(CONFIG, "workflow: { action: ./ }\n");
    let second = bench.call(["init", "--action", ACTION]).expect(0);
    assert!(second.stdout.contains(&format!("kept what is there: {CONFIG}")), "{}", second.stdout);
    for path in [WORKFLOW, PREVIEW] {
        assert!(second.stdout.contains(&format!("kept {path}")), "{}", second.stdout);
    }
    assert_eq!(read(&bench, CONFIG), "workflow: { action: ./ }\n");
}

#[test]
fn what_is_asked_for_counts_and_the_first_plan_is_one_that_can_be_run() {
    let bench = bare();
    fs::remove_file(bench.repo().join(".backend-implementer/plan.md")).unwrap();
    bench.call(["init", "--agent", "codex", "--layout", "matrix", "--action", ACTION, "--plan"]).expect(0);
    let made = config(&bench);
    assert_eq!(made.agent.kind.as_ref().map(AgentKind::as_str), Some("codex"));
    assert_eq!(made.workflow.layout, Layout::Matrix);
    assert!(read(&bench, WORKFLOW).contains("\n  wave-1:\n"));
    bench.commit("init");
    let shown = bench.call(["plan"]).expect(0);
    assert!(shown.stdout.contains("feature"), "{}", shown.stdout);
}

#[test]
fn the_key_and_the_gateway_that_are_set_are_named() {
    let bench = bare();
    let mut command = bench.program(["init", "--agent", "codex", "--action", ACTION]);
    command
        .env("CODEX_API_KEY", "key")
        .env("OPENAI_BASE_URL", "http://127.0.0.1:9")
        .env("https_proxy", "http://127.0.0.1:9");
    let called = crate::support::Called::of(command.output().unwrap()).expect(0);
    let made = config(&bench);
    let codex = made.agents.values().next().unwrap();
    assert_eq!(codex.pass_environment, ["CODEX_API_KEY", "OPENAI_BASE_URL", "https_proxy"]);
    assert!(called.stdout.contains("gh secret set CODEX_API_KEY\n"), "{}", called.stdout);
    assert!(called.stdout.contains("pass-environment OPENAI_BASE_URL: it is set here"), "{}", called.stdout);
}

#[test]
fn without_a_release_within_reach_the_next_step_says_what_to_put() {
    let bench = bare();
    let mut command = bench.program(["init"]);
    // Nobody listens there.
    command.env("GITHUB_SERVER_URL", "http://127.0.0.1:9");
    let called = crate::support::Called::of(command.output().unwrap()).expect(0);
    assert!(called.stdout.contains("put the commit of a release in place of the zeros"), "{}", called.stdout);
    let repository = env!("CARGO_PKG_REPOSITORY").rsplit_once(".com/").unwrap().1;
    let action = config(&bench).workflow.action.unwrap();
    assert_eq!(action, format!("{repository}@{}", "0".repeat(40)), "our own repository has its name from the manifest");
}
