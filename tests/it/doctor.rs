//! `doctor`: what a run here would miss is said before anybody is paid.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
};

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
    for about in ["agent command", "git ", "subagents", "isolation", "gate tests: python3 -m unittest -v"] {
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

#[test]
fn what_only_a_run_on_github_misses_does_not_count_here() {
    let bench = bench("python3 -m unittest -v");
    let config = fs::read_to_string(bench.repo().join(CONFIG)).unwrap();
    let zeros = format!("{config}workflow: {{ action: acme/implementer@{} }}\n", "0".repeat(40));
    bench.write(CONFIG, &zeros);
    bench.call(["generate"]).expect(0);
    bench.commit("a workflow");
    let here = bench.call(["doctor", "--no-gates"]).expect(0);
    assert!(line(&here, "names no commit of the action").starts_with("GITHUB "), "{}", here.stdout);
    assert!(here.stdout.contains("Nothing is missing for a run here. 2 things missing for a run on GitHub"));
    bench.call(["doctor", "--no-gates", "--github"]).expect(3);
}

#[test]
fn the_plan_is_read_as_a_run_would_read_it() {
    let bench = bench("python3 -m unittest -v");
    let plan = |text: &str| {
        bench.write(".backend-implementer/plan.md", text);
        bench.call(["doctor", "--no-gates"])
    };
    let called = plan("# P\n\n## Feature\n- x\n").expect(3);
    assert!(line(&called, "gate validation").contains("this gate cannot pass"), "{}", called.stdout);
    assert!(line(&called, "plan.md ").contains("tasks in"), "{}", called.stdout);
    let called = plan("# P\n\n## CLI\nNeeds: nothing-here\n- y\n").expect(3);
    assert!(line(&called, "nothing-here").starts_with("MISSING  .backend-implementer/plan.md:"), "{}", called.stdout);
    let called = plan("# P\n\n## Feature\n- x\n\n## Verification\n- validation: `no-such-program`\n").expect(3);
    assert!(line(&called, "the environment lacks `no-such-program`").starts_with("MISSING"), "{}", called.stdout);
    fs::remove_file(bench.repo().join(".backend-implementer/plan.md")).unwrap();
    let called = bench.call(["doctor", "--no-gates"]).expect(0);
    assert!(line(&called, "plan.md").starts_with("note"), "{}", called.stdout);
}

#[test]
fn a_configuration_that_no_run_would_see_is_missing() {
    let bench = Bench::new();
    bench.git(["rm", "--cached", "--quiet", CONFIG]);
    bench.git(["commit", "--quiet", "--message", "without it"]);
    let called = bench.call(["doctor", "--no-gates"]).expect(3);
    assert!(line(&called, CONFIG).contains("a run follows it as it is committed"), "{}", called.stdout);
}

fn program(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A repository whose agent is `claude`, in a folder of the `PATH` that holds nothing but links.
struct Linked {
    bench: Bench,
}

impl Linked {
    fn new() -> Self {
        // Memory that is shared is readable where there are no mounts of its own.
        let bench = Bench::on_disk();
        bench.write(CONFIG, "agent: { kind: claude }\nagents: { claude: { pass-environment: [ANTHROPIC_API_KEY] } }\n");
        bench.commit("claude");
        fs::create_dir(bench.path("links")).unwrap();
        Self { bench }
    }

    fn call(&self, command: &str) -> Called {
        let mut called = self.bench.program([command]);
        let path = std::env::split_paths(crate::support::path()).collect::<Vec<_>>();
        called.env("PATH", std::env::join_paths([self.bench.path("links")].into_iter().chain(path)).unwrap());
        called.env("ANTHROPIC_API_KEY", "key").env("ANTHROPIC_BASE_URL", "http://127.0.0.1:9");
        Called::of(called.output().unwrap())
    }
}

#[test]
fn the_agent_program_is_started_where_a_run_would_start_it() {
    let linked = Linked::new();
    let at = |path: &str| linked.bench.path(path);
    // It lies beside its packages, and is run by an interpreter that is a link, too.
    program(&at("elsewhere/node_modules/claude/words.sh"), "echo '2.1.329 (Claude Code)'\n");
    program(
        &at("elsewhere/node_modules/claude/cli/run"),
        &format!("#!/usr/bin/env own-sh\n. {}\n", at("elsewhere/node_modules/claude/words.sh").display()),
    );
    symlink(at("elsewhere/node_modules/claude/cli/run"), at("links/claude")).unwrap();
    fs::create_dir_all(at("shells/bin")).unwrap();
    fs::copy("/bin/sh", at("shells/bin/sh")).unwrap();
    symlink(at("shells/bin/sh"), at("links/own-sh")).unwrap();
    let called = linked.call("doctor");
    let agent = line(&called, "agent claude");
    assert!(agent.starts_with("ok ") && agent.contains("its program starts as in a run"), "{}", called.stdout);
    // The gateway that is set here would be lost, and that is said before anybody waits for it.
    let lost = "ANTHROPIC_BASE_URL is set here and not passed to claude";
    assert!(line(&called, lost).starts_with("note"), "{}", called.stdout);
    let run = linked.call("run");
    assert!(run.stderr.contains(lost), "{}", run.stderr);
}

#[test]
fn a_program_that_cannot_be_read_behind_the_walls_is_missing_with_what_to_do() {
    let linked = Linked::new();
    program(&linked.bench.path("elsewhere/claude"), "#!/bin/sh\necho '2.1.329 (Claude Code)'\n");
    let real = linked.bench.path("elsewhere/claude");
    program(&linked.bench.path("links/claude"), &format!("#!/bin/sh\nexec {}\n", real.display()));
    let called = linked.call("doctor");
    if !line(&called, "isolation").starts_with("ok ") {
        return;
    }
    let agent = line(&called, "agent claude");
    assert!(agent.starts_with("MISSING") && agent.contains("elsewhere/claude"), "{}", called.stdout);
    assert!(agent.contains("`agents.claude.program`"), "{}", called.stdout);
    assert_eq!(linked.call("run").code, 3, "and so no run begins");
}
