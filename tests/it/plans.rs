//! Plans of other planners: every case with scripted subagents, folders, imports, and what lies uncommitted.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::support::{Bench, Called};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/crates/model/src/plan/cases");

pub(crate) fn preview(bench: &Bench, plan: &Path) -> Value {
    let called = bench.call(["plan", "--format", "json", "--plan", plan.to_str().unwrap()]).expect(0);
    serde_json::from_str(&called.stdout).unwrap()
}

#[test]
fn a_run_of_every_case_has_every_item_in_its_summary() {
    for case in fs::read_dir(CASES).unwrap().map(|entry| entry.unwrap().path()) {
        let bench = Bench::new();
        let shown = preview(&bench, &case);
        let script: serde_json::Map<_, _> = shown["plan"]["tasks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|task| (task["id"].as_str().unwrap().to_owned(), json!({})))
            .collect();
        bench.script(&Value::Object(script));
        let out = bench.path("out");
        let called = bench.call(["run", "--plan", case.to_str().unwrap(), "--out", out.to_str().unwrap()]);
        // Nobody did anything, so that the run cannot be complete.
        called.expect(1);
        let handoff: Value = serde_json::from_slice(&fs::read(out.join("handoff.json")).unwrap()).unwrap();
        assert_eq!(handoff["plan"]["items"], shown["plan"]["items"], "{}", case.display());
        let summary = fs::read_to_string(out.join("summary.md")).unwrap();
        let count = shown["plan"]["items"].as_array().unwrap().len();
        assert!(summary.contains(&format!("{count} items:")), "{}\n{summary}", case.display());
    }
}

#[test]
fn a_plan_with_an_item_that_nobody_owns_cannot_run() {
    let bench = Bench::new();
    let config = fs::read_to_string(bench.repo().join(".github/backend-implementer.yml")).unwrap();
    bench.write(".github/backend-implementer.yml", &format!("{config}default-role: none\n"));
    bench.write(".backend-implementer/plan.md", "# P\n\n## Feature\n\n- say\n\n## Somewhere\n\n- do it\n");
    bench.commit("nobody");
    let called = bench.call(["run"]).expect(2);
    assert!(called.stderr.contains("plan.md:9:") && called.stderr.contains("error[no-owner]"), "{}", called.stderr);
}

#[test]
fn a_folder_is_a_plan_and_what_stands_beside_it_is_context() {
    let bench = Bench::new();
    bench.write("specs/001-hello/tasks.md", "# Tasks: Hello\n\n- [ ] T001 Say hello in src/hello.py\n");
    bench.write("specs/001-hello/spec.md", "# Spec\n\nThe greeting is warm.\n");
    bench.write(".specify/memory/constitution.md", "Every word counts.\n");
    bench.commit("a folder");
    bench.script(&json!({ "feature": { "write": { "src/hello.py": "print('hello')\n" } } }));
    let out = bench.path("out");
    let folder = bench.repo().join("specs/001-hello");
    let called = bench.call(["plan", "--plan", folder.to_str().unwrap()]).expect(0);
    assert!(called.stdout.contains("read as spec-kit; 1 item: 1 in 1 task"), "{}", called.stdout);
    assert!(called.stdout.contains("spec.md") && called.stdout.contains("constitution.md"), "{}", called.stdout);
    bench.call(["run", "--plan", folder.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    let brief = fs::read_to_string(out.join("tasks/feature/brief.md")).unwrap();
    assert!(brief.contains("The greeting is warm.") && brief.contains("Every word counts."), "{brief}");
}

#[test]
fn a_plan_is_imported_and_gives_the_same_tasks() {
    let bench = Bench::new();
    for case in fs::read_dir(CASES).unwrap().map(|entry| entry.unwrap().path()) {
        let to = bench.path("imported.md");
        let called = bench.call(["import", case.to_str().unwrap(), "--to", to.to_str().unwrap()]).expect(0);
        assert!(called.stdout.is_empty());
        let ids = |preview: &Value| -> Vec<(String, String)> {
            let tasks = preview["plan"]["tasks"].as_array().unwrap();
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            tasks.iter().map(|task| (text(&task["id"]), text(&task["subagent"]))).collect()
        };
        assert_eq!(ids(&preview(&bench, &case)), ids(&preview(&bench, &to)), "{}", case.display());
    }
    let text = bench.call(["import", &format!("{CASES}/kiro-tasks.md")]).expect(0).stdout;
    assert!(text.contains("## `backend-cli-implementer`"), "{text}");
}

#[test]
fn what_lies_uncommitted_is_said() {
    let bench = Bench::new();
    let says = |called: &Called, path: &str| {
        let is_said = |line: &str| {
            let Some((named, also)) = line.split_once(": warning[not-in-base]: found in your checkout, not in base ")
            else {
                return false;
            };
            named == path || also.ends_with(&format!(": commit it (also {path})"))
        };
        called.stdout.lines().chain(called.stderr.lines()).any(is_said)
    };
    bench.write(".claude/agents/poet.md", "---\nname: poet\ndescription: Writes\nrole: feature\n---\nWrite.\n");
    bench.write("new-plan.md", "# P\n\n## Feature\n\n- say\n");
    let plan = bench.repo().join("new-plan.md");
    let called = bench.call(["plan", "--plan", plan.to_str().unwrap()]).expect(0);
    assert!(says(&called, ".claude/agents/poet.md") && says(&called, "new-plan.md"), "{}", called.stdout);
    assert!(says(&bench.call(["agents"]).expect(0), ".claude/agents/poet.md"));
    bench.commit("all of it");
    let called = bench.call(["plan", "--plan", plan.to_str().unwrap()]).expect(0);
    assert!(!called.stdout.contains("not-in-base"), "{}", called.stdout);
}
