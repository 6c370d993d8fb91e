//! `plan`: everything that is wrong in one go, and what would happen when nothing is.

use serde_json::Value;

use crate::support::{Bench, snapshot};

#[test]
fn a_plan_is_shown_and_nothing_is_left_behind() {
    let bench = Bench::new();
    let before = snapshot(&bench.repo());
    let called = bench.call(["plan"]).expect(0);
    for text in ["Greeting", "Wave 1  phase 2 core", "backend-feature-implementer", "src/**", "Lock   sha256:"] {
        assert!(called.stdout.contains(text), "{text}\n{}", called.stdout);
    }
    assert_eq!(snapshot(&bench.repo()), before);
    assert!(std::fs::read_dir(bench.path("tmp")).unwrap().next().is_none());
}

#[test]
fn all_of_it_is_shown_where_somebody_asks() {
    let bench = Bench::new();
    let short = bench.call(["plan"]).expect(0).stdout;
    assert!(short.contains("more (-v)") && !short.contains("say hello"), "{short}");
    let whole = bench.call(["plan", "-v"]).expect(0).stdout;
    assert!(!whole.contains(" more ("), "{whole}");
    assert!(whole.contains("feature-1   say hello  (line 5)"), "{whole}");
}

#[test]
fn the_plan_may_come_from_standard_input_or_another_file() {
    let bench = Bench::new();
    std::fs::write(bench.path("other.md"), "# Other plan\n\n## CLI\n- greet\n").unwrap();
    let called = bench.call(["plan", "--plan", bench.path("other.md").to_str().unwrap()]).expect(0);
    assert!(called.stdout.contains("Other plan"));
    let input = std::fs::File::open(bench.path("other.md")).unwrap();
    let output = bench.program(["plan", "--plan", "-"]).stdin(input).output().unwrap();
    let called = crate::support::Called::of(output).expect(0);
    assert!(called.stdout.contains("standard input"), "{}", called.stdout);
}

#[test]
fn a_bad_plan_gives_every_diagnostic_in_one_go() {
    let bench = Bench::new();
    bench.write(
        ".backend-implementer/plan.md",
        "# P\n\n## `backend-fature-implementer`\n- x\n\n## CLI\nNeeds: nothing-here\n- y\n\n## Verification\n- tests: `a && b`\n",
    );
    let called = bench.call(["plan"]).expect(2);
    for text in [
        ".backend-implementer/plan.md:3:",
        "error[unknown-subagent]",
        "backend-feature-implementer",
        "error[unknown-need]",
        "error[shell-syntax]",
        "fix 3 problems before anything can run",
    ] {
        assert!(called.stderr.contains(text), "{text}\n{}", called.stderr);
    }
    assert!(called.stdout.is_empty());
}

#[test]
fn the_preview_for_machines_and_the_graph_are_there() {
    let bench = Bench::new();
    let preview: Value = serde_json::from_str(&bench.call(["plan", "--format", "json"]).expect(0).stdout).unwrap();
    assert_eq!(preview["schedule"]["waves"][0]["tasks"], serde_json::json!(["feature", "cli"]));
    let graph = bench.call(["plan", "--format", "mermaid"]).expect(0).stdout;
    assert!(graph.starts_with("flowchart") || graph.starts_with("graph"), "{graph}");
}

#[test]
fn overlapping_tasks_are_serialised_and_the_preview_says_why() {
    let bench = Bench::new();
    bench.write(
        ".backend-implementer/plan.md",
        "# P\n\n## Feature\nTouches: src/**\n- x\n\n## CLI\nTouches: src/main.py\n- y\n",
    );
    let called = bench.call(["plan"]).expect(0);
    assert!(called.stdout.contains("feature before cli"), "{}", called.stdout);
}

#[test]
fn a_task_for_which_the_repository_has_no_file_may_touch_its_code_and_plan_and_doctor_say_so() {
    let bench = Bench::new();
    bench.write("src/store.js", "");
    bench.write("test/store.test.js", "");
    bench.commit("A store");
    bench.write(
        ".backend-implementer/plan.md",
        "# P\n\n## Data model\n- Reservations in the store\n\n## Docker\n- A `Dockerfile`\n\nNot in this round: e-mail.\n",
    );
    let preview: Value = serde_json::from_str(&bench.call(["plan", "--format", "json"]).expect(0).stdout).unwrap();
    let task = &preview["schedule"]["tasks"][0];
    let listed = |key: &str| task["scope"][key].as_array().unwrap().iter().any(|glob| glob == "src/**");
    assert!(task["id"] == "data-types" && listed("allow") && !listed("deny"), "{task}");
    let shown = bench.call(["plan"]).expect(0).stdout;
    for text in [
        "note[scope-widened]: `data-types` may also touch `src/**`",
        "read as ours (headings name subagents or domains); 2 items",
        "not to be done: Not in this round: e-mail.",
    ] {
        assert!(shown.contains(text), "{text}\n{shown}");
    }
    let doctor = bench.call(["doctor", "--no-gates"]);
    assert!(doctor.stdout.contains("`data-types` may also touch `src/**`"), "{}", doctor.stdout);
}

#[test]
fn bad_surroundings_are_said_with_the_right_code() {
    let bench = Bench::new();
    let outside = bench.path("tmp");
    let called = bench.call(["plan", "--repo", outside.to_str().unwrap()]).expect(2);
    assert!(called.stderr.contains("not inside a git repository"), "{}", called.stderr);
    let called = bench.call(["plan", "--plan", "no-such-plan.md"]).expect(2);
    assert!(called.stderr.contains("no-such-plan.md"), "{}", called.stderr);
    let called = bench.call(["plan", "--base", "no-such-branch"]).expect(2);
    assert!(called.stderr.contains("no-such-branch"), "{}", called.stderr);
    bench.call(["no-such-command"]).expect(2);
    bench.call(["--help"]).expect(0);
}

#[test]
fn the_roster_is_listed_and_linted() {
    let bench = Bench::new();
    bench.write(
        ".claude/agents/backend-datatypes.md",
        "---\nname: backend-datatypes\ndescription: Our types: strict ones\nmodel: opus\n---\nYou write types.\n",
    );
    let called = bench.call(["agents"]).expect(0);
    assert!(called.stdout.contains(".claude/agents/backend-datatypes.md"), "{}", called.stdout);
    assert!(called.stdout.contains("8 subagents"), "{}", called.stdout);
    let listing: Value = serde_json::from_str(&bench.call(["agents", "--format", "json"]).expect(0).stdout).unwrap();
    assert_eq!(listing["subagents"].as_array().unwrap().len(), 8);
}

#[test]
fn an_unknown_configuration_key_has_a_place_and_a_suggestion() {
    let bench = Bench::new();
    bench.write(".github/backend-implementer.yml", "agent:\n  kind: command\n  comand: [x]\n");
    bench.commit("typo");
    let called = bench.call(["plan"]).expect(2);
    assert!(called.stderr.contains(".github/backend-implementer.yml:3:"), "{}", called.stderr);
    assert!(called.stderr.contains("command"), "{}", called.stderr);
}
