//! `init`: a repository without anything gets what it needs, and what is there stays.

use std::fs;

use implementer_model::config::{AgentKind, Config};

use crate::support::Bench;

#[test]
fn a_configuration_that_is_read_and_the_ready_workflow_are_written_once() {
    let bench = Bench::new();
    let path = bench.repo().join(".github/backend-implementer.yml");
    fs::remove_file(&path).unwrap();
    fs::create_dir(bench.repo().join("deep")).unwrap();
    let first = bench.call(["init", "--repo", "deep"]).expect(0);
    assert!(
        first.stdout.starts_with("wrote .github/backend-implementer.yml\nwrote .github/workflows/"),
        "{}",
        first.stdout
    );
    let text = fs::read_to_string(&path).unwrap();
    let config = Config::read("c.yml", &text, &backend_implementer::agent::kinds()).unwrap();
    assert_eq!(config.agent.kind.as_ref().map(AgentKind::as_str), Some("claude"));
    let ready = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/workflows/backend-implementer.yml"));
    let workflow = bench.repo().join(".github/workflows/backend-implementer.yml");
    assert_eq!(fs::read_to_string(&workflow).unwrap(), ready.unwrap());

    // What is commented out is right, too: uncommented it is read, and says what the defaults are or more.
    let uncommented: String = text
        .lines()
        .map(|line| {
            line.strip_prefix("  # ")
                .map_or_else(|| line.strip_prefix("# ").unwrap_or(line).to_owned(), |rest| format!("  {rest}"))
        })
        .filter(|line| {
            line.starts_with(' ')
                || line.split_once(':').is_some_and(|(key, _)| key.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'))
        })
        .fold(String::new(), |all, line| all + &line + "\n");
    let all = Config::read("c.yml", &uncommented, &backend_implementer::agent::kinds())
        .unwrap_or_else(|errors| panic!("{errors:#?}\n{uncommented}"));
    assert_eq!(
        (all.rework_rounds(), all.concurrency()),
        (Config::default().rework_rounds(), Config::default().concurrency())
    );
    assert_eq!(all.pull_request.run_label.as_deref(), Some("implement"));

    fs::write(&path, "mine").unwrap();
    let second = bench.call(["init"]).expect(0);
    assert!(second.stdout.contains("kept what is there: .github/backend-implementer.yml"), "{}", second.stdout);
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
}
