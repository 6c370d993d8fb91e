//! Plans of other planners: every case with scripted subagents, folders, imports, and what lies uncommitted.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::support::{Bench, Called};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/crates/model/src/plan/cases");

pub(crate) fn preview(bench: &Bench, plan: &Path) -> Value {
    let called = bench.call(["plan", "--format", "json", "--plan", plan.to_str().unwrap()]).expect(0);
    serde_json::from_str(&called.stdout).unwrap()
}

/// Gives the repository gates that can pass, for plans that have no commands of their own.
fn with_gates(bench: &Bench) {
    let config = fs::read_to_string(bench.repo().join(".github/backend-implementer.yml")).unwrap();
    let gates =
        "gates:\n  tests: { commands: [python3 -m unittest -v] }\n  validation: { commands: [git --version] }\n";
    bench.write(".github/backend-implementer.yml", &format!("{config}{gates}"));
}

/// Finds a path that a task may write.
fn path_in(task: &Value) -> Option<String> {
    let id = task["id"].as_str().unwrap();
    let glob = task["scope"]["allow"][0].as_str().filter(|_| task["access"] == "writes")?;
    Some(match glob.split_once('*') {
        None if glob.ends_with('/') => format!("{glob}{id}.txt"),
        None => glob.to_owned(),
        Some((folder, _)) => format!("{folder}{id}.txt"),
    })
}

/// Returns a text without what Markdown needs around it.
fn words(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    plain.split_whitespace().take(12).collect::<Vec<_>>().join(" ")
}

#[test]
fn an_honest_run_of_every_case_is_complete_and_has_every_item_in_its_summary() {
    for case in fs::read_dir(CASES).unwrap().map(|entry| entry.unwrap().path()) {
        let bench = Bench::new();
        // The cases verify with programs that are not here.
        let text = fs::read_to_string(&case).unwrap();
        let text = ["pytest -q", "pytest tests/orders -q"]
            .iter()
            .fold(text, |text, command| text.replace(command, "python3 -m unittest -v"));
        let plan = bench.repo().join("plans").join(case.file_name().unwrap());
        bench.write(plan.strip_prefix(bench.repo()).unwrap().to_str().unwrap(), &text);
        with_gates(&bench);
        bench.commit("a plan");
        let shown = preview(&bench, &plan);
        let script = shown["schedule"]["tasks"].as_array().unwrap().iter().map(|task| {
            let written = path_in(task).map(|path| json!({ "write": { path: format!("{}\n", task["id"]) } }));
            (task["id"].as_str().unwrap().to_owned(), written.unwrap_or_else(|| json!({})))
        });
        bench.script(&Value::Object(script.collect()));
        let out = bench.path("out");
        bench.call(["run", "--plan", plan.to_str().unwrap(), "--out", out.to_str().unwrap()]).expect(0);
        let handoff: Value = serde_json::from_slice(&fs::read(out.join("handoff.json")).unwrap()).unwrap();
        assert_eq!(handoff["plan"]["items"], shown["plan"]["items"], "{}", case.display());
        let summary = fs::read_to_string(out.join("summary.md")).unwrap();
        let items = shown["plan"]["items"].as_array().unwrap();
        assert!(summary.contains(&format!("{} items:", items.len())), "{}\n{summary}", case.display());
        let lines: Vec<String> = summary.lines().map(words).collect();
        for item in items {
            let row = words(&format!("{} {}", item["line"], item["text"].as_str().unwrap()));
            assert!(
                lines.iter().any(|line| line.starts_with(&row) || row.starts_with(line) && line.contains(' ')),
                "{row}\n{summary}"
            );
        }
        let done = summary.matches("reports it done").count();
        let asked = items.iter().filter(|item| item["became"] == "requirement").count();
        assert_eq!(done, asked, "{}\n{summary}", case.display());
    }
}

#[test]
fn a_plan_of_which_nobody_does_anything_is_not_complete() {
    let bench = Bench::new();
    let case = Path::new(CASES).join("plan-mode.md");
    let tasks = preview(&bench, &case)["plan"]["tasks"].as_array().unwrap().clone();
    let nothing = tasks.iter().map(|task| (task["id"].as_str().unwrap().to_owned(), json!({})));
    bench.script(&Value::Object(nothing.collect()));
    bench.call(["run", "--plan", case.to_str().unwrap()]).expect(1);
}

#[test]
fn a_review_that_does_not_answer_what_the_plan_asks_of_all_of_the_work_keeps_the_run_from_complete() {
    let plan = "# P\n\n## Feature\nTouches: src/hello.py\n- say hello\n\n## Security\n- S1: Log no secrets in src/log.py\n\n\
                ## Verification\n- tests: `python3 -m unittest -v`\n- validation: `git --version`\n";
    for (report, code) in [
        (json!({}), 0),
        (json!({ "requirements": [] }), 1),
        (json!({ "requirements": [{ "id": "S1", "status": "not-done", "note": "it logs the key" }] }), 1),
    ] {
        let bench = Bench::new();
        bench.write(".backend-implementer/plan.md", plan);
        bench.commit("a plan");
        bench.script(&json!({
            "feature": { "write": { "src/hello.py": "print('hello')\n" } },
            "feature-2": { "write": { "src/log.py": "LOG = 1\n" } },
            "review": { "report": report },
        }));
        let out = bench.path("out");
        let called = bench.call(["run", "--out", out.to_str().unwrap()]).expect(code);
        let summary = fs::read_to_string(out.join("summary.md")).unwrap();
        assert_eq!(
            summary.contains("asks of all of the work") && summary.contains("`S1`"),
            code == 1,
            "{}{summary}",
            called.stderr
        );
        let brief = fs::read_to_string(out.join("tasks/review/brief.md")).unwrap();
        assert!(brief.contains("- `S1` Log no secrets"), "{brief}");
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
    with_gates(&bench);
    bench.commit("a folder");
    bench.script(&json!({ "feature": { "write": { "src/hello.py": "print('hello')\n" } } }));
    let out = bench.path("out");
    let folder = bench.repo().join("specs/001-hello");
    let called = bench.call(["plan", "--plan", folder.to_str().unwrap()]).expect(0);
    assert!(called.stdout.contains("read as spec-kit (boxes with T001); 1 item: 1 in 1 task"), "{}", called.stdout);
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
        let is_said = |line: &str| line.starts_with(&format!("{path}: warning[not-in-base]: "));
        called.stdout.lines().chain(called.stderr.lines()).any(is_said)
    };
    bench.write(".claude/agents/poet.md", "---\nname: poet\ndescription: Writes\nrole: feature\n---\nWrite.\n");
    bench.write("new-plan.md", "# P\n\n## Feature\n\n- say\n");
    let plan = bench.repo().join("new-plan.md");
    let called = bench.call(["plan", "--plan", plan.to_str().unwrap()]).expect(0);
    assert!(says(&called, ".claude/agents/poet.md") && says(&called, "new-plan.md"), "{}", called.stdout);
    // The plan is followed all the same; an agent file is not.
    let told = |path: &str| called.stdout.lines().find(|line| line.starts_with(path)).unwrap().to_owned();
    assert!(told("new-plan.md").contains("it is followed as it lies in your checkout"), "{}", called.stdout);
    assert!(told(".claude/agents/poet.md").contains("it does not count"), "{}", called.stdout);
    assert!(says(&bench.call(["agents"]).expect(0), ".claude/agents/poet.md"));
    bench.commit("all of it");
    let called = bench.call(["plan", "--plan", plan.to_str().unwrap()]).expect(0);
    assert!(!called.stdout.contains("not-in-base"), "{}", called.stdout);
}
