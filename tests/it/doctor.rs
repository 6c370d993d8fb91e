//! `doctor`: what a run here would miss is said before anybody is paid.

use std::fs;

use crate::support::{Bench, Called, PASSING_TEST};

const CONFIG: &str = ".github/backend-implementer.yml";

/// A repository whose tests gate runs this command.
fn bench(command: &str) -> Bench {
    let bench = Bench::on_disk();
    let config = fs::read_to_string(bench.repo().join(CONFIG)).unwrap();
    bench.write(CONFIG, &format!("{config}gates:\n  tests:\n    commands: [{command:?}]\n"));
    bench.commit("a gate");
    bench
}

/// The line about something.
fn line<'a>(called: &'a Called, about: &str) -> &'a str {
    let found = called.stdout.lines().find(|line| line.contains(about));
    found.unwrap_or_else(|| panic!("nothing about {about}\n{}", called.stdout))
}

#[test]
fn program_key_gate_tools_git_isolation_and_base_gates_are_looked_for() {
    let called = bench("python3 -m unittest -v").call(["doctor"]).expect(0);
    for about in ["agent command", "git ", "isolation", "gate tests: python3 -m unittest -v"] {
        line(&called, about);
    }
    let gate = line(&called, "gate tests on the last commit: python3 -m unittest -v");
    assert!(gate.starts_with("ok ") && gate.contains("passed in") && gate.contains("1 test"), "{gate}");
    assert!(called.stdout.ends_with("Nothing is missing.\n"), "{}", called.stdout);
}

#[test]
fn tests_that_are_red_before_anything_is_changed_are_missing_unless_nobody_asks() {
    let bench = bench("python3 -m unittest -v");
    bench.write("test_red.py", &PASSING_TEST.replace("1, 1", "1, 2"));
    bench.commit("red");
    // What lies in the checkout alone is not what a run starts from.
    fs::remove_file(bench.repo().join("test_red.py")).unwrap();
    let called = bench.call(["doctor"]).expect(3);
    let gate = line(&called, "on the last commit");
    assert!(
        gate.starts_with("MISSING") && gate.contains("1 test of") && gate.contains("before anything was changed"),
        "{gate}"
    );
    let called = bench.call(["doctor", "--no-gates"]).expect(0);
    assert!(!called.stdout.contains("on the last commit"), "{}", called.stdout);
}

#[test]
fn a_gate_whose_program_is_not_there_is_said_once() {
    let called = bench("no-such-runner --all").call(["doctor"]).expect(3);
    assert!(line(&called, "gate tests: no-such-runner").contains("the environment lacks `no-such-runner`"));
    assert!(!called.stdout.contains("on the last commit"), "{}", called.stdout);
}
