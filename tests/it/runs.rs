//! `runs`, `show`, `logs` and `apply`: what people do after a run.

use crate::support::Bench;

#[test]
fn a_run_is_listed_shown_and_put_on_a_branch() {
    let bench = Bench::new();
    let ran = bench.call(["run"]).expect(0);
    assert!(ran.stdout.starts_with("Complete: ") && !ran.stdout.contains("##"), "{}", ran.stdout);
    let listed = bench.call(["runs"]).expect(0).stdout;
    let run = listed.split_whitespace().next().expect("a run is listed").to_owned();
    assert!(listed.contains("complete") && listed.lines().count() == 1, "{listed}");
    let whole = bench.call(["show", "--format", "markdown"]).expect(0).stdout;
    assert!(whole.starts_with("## Backend Implementation Complete\n"), "{whole}");
    let shown = bench.call(["show"]).expect(0).stdout;
    assert!(shown.starts_with("Complete: ") && !shown.contains("```"), "{shown}");
    assert!(shown.lines().count() <= 18, "{shown}");
    let proven = bench.call(["verify", &run]).expect(0).stdout;
    assert!(proven.contains("Verified: the record matches the commits. Result: complete."), "{proven}");
    let log = bench.call(["logs", &run, "feature"]).expect(0);
    assert!(log.stderr.contains("log.txt"), "{}", log.stderr);
    let applied = bench.call(["apply", &run, "--branch", "result"]).expect(0).stdout;
    assert!(applied.contains("on branch result"), "{applied}");
    let handoff = bench.call(["show", "--format", "json"]).expect(0).stdout;
    let handoff: serde_json::Value = serde_json::from_str(&handoff).unwrap();
    assert_eq!(bench.git(["rev-parse", "result"]).trim(), handoff["result"]["commit"].as_str().unwrap());
}

#[test]
fn what_is_not_there_is_said_with_what_is() {
    let bench = Bench::new();
    assert!(bench.call(["show"]).expect(2).stderr.contains("Start one with `backend-implementer run`"));
    bench.call(["run"]).expect(0);
    assert!(bench.call(["show", "nothing-like-it"]).expect(2).stderr.contains("`backend-implementer runs` lists them"));
    let listed = bench.call(["runs"]).expect(0).stdout;
    let run = listed.split_whitespace().next().expect("a run is listed").to_owned();
    assert!(bench.call(["logs", &run, "featuer"]).expect(2).stderr.contains("Did you mean feature?"));
    assert!(bench.call(["logs", &run, "gate:testz"]).expect(2).stderr.contains("Did you mean gate:tests?"));
    assert!(bench.call(["apply", &run, "--branch", "main..x"]).expect(3).stderr.contains("Name another branch"));
}

#[test]
fn a_gates_log_of_events_is_shown_as_what_they_say() {
    let bench = Bench::new();
    bench.call(["run"]).expect(0);
    let listed = bench.call(["runs"]).expect(0).stdout;
    let run = listed.split_whitespace().next().expect("a run is listed").to_owned();
    let log = bench.repo().join(".backend-implementer/runs").join(&run).join("gates/tests-1.log");
    let event =
        |output: &str| format!("{}\n", serde_json::json!({ "Action": "output", "Test": "TestTtl", "Output": output }));
    let begun = "{\"Action\":\"run\",\"Test\":\"TestTtl\"}\n";
    std::fs::write(&log, [begun, &event("    ttl_test.go:50: 201, not 400\n"), "plain\n"].concat()).unwrap();
    assert_eq!(bench.call(["logs", &run, "gate:tests"]).expect(0).stdout, "    ttl_test.go:50: 201, not 400\nplain\n");
}

#[test]
fn the_task_and_the_gate_of_one_name_have_logs_of_their_own() {
    let bench = Bench::new();
    bench.call(["run"]).expect(0);
    let listed = bench.call(["runs"]).expect(0).stdout;
    let run = listed.split_whitespace().next().expect("a run is listed").to_owned();
    let task = bench.call(["logs", &run, "tests"]).expect(0);
    assert!(task.stderr.contains("tasks/tests/log.txt"), "{}", task.stderr);
    let (_, command) =
        task.stderr.split_once("What the gate printed: backend-implementer ").expect("the gate is named");
    let gate = bench.call(command.lines().next().unwrap().split(' ')).expect(0);
    assert!(gate.stderr.contains("gates/tests-1.log") && gate.stdout.contains("Ran "), "{}", gate.stderr);
    let validation = bench.call(["logs", &run, "gate:validation"]).expect(0);
    assert!(validation.stdout.contains("git version"), "{}", validation.stdout);
}

#[test]
fn commits_say_what_was_asked_for_and_a_branch_is_only_moved_forward() {
    let bench = Bench::new();
    bench.call(["run"]).expect(0);
    bench.call(["apply", "--branch", "result"]).expect(0);
    let log = bench.git(["log", "--format=%s%n%b", "main..result"]);
    assert!(log.contains("Feature\nAsked for\n\n    - say hello\n"), "{log}");
    bench.git(["branch", "other", "main"]);
    bench.git(["switch", "--quiet", "other"]);
    bench.write("own.txt", "x\n");
    bench.commit("somebody's own");
    bench.git(["switch", "--quiet", "main"]);
    let refused = bench.call(["apply", "--branch", "other"]).expect(3).stderr;
    assert!(refused.contains("with commits that are not in the result"), "{refused}");
    let command = |said: &str| {
        let (_, command) = said.split_once("hint: `backend-implementer ").expect("a command is told");
        command.split('`').next().unwrap().to_owned()
    };
    let told = command(&refused);
    assert!(told.starts_with("apply ") && told.ends_with(" --branch other-2"), "{refused}");
    bench.call(told.split(' ')).expect(0);
    let third = bench.call(["apply", "--branch", "other"]).expect(3).stderr;
    assert!(command(&third).ends_with(" --branch other-2"), "what has the result already can be used: {third}");

    // The end of a run names a branch that can be used.
    let next =
        |said: &str| said.lines().find(|line| line.contains("backend-implementer apply ")).unwrap().trim().to_owned();
    let shown = bench.call(["show"]).expect(0).stdout;
    assert!(!next(&shown).contains("--branch"), "{shown}");
    bench.git(["branch", "backend-implementation", "other"]);
    let shown = bench.call(["show"]).expect(0).stdout;
    assert!(next(&shown).ends_with(" --branch backend-implementation-2"), "{shown}");
    bench.call(next(&shown).split(' ').skip(1)).expect(0);
    assert_eq!(bench.git(["rev-parse", "backend-implementation-2"]), bench.git(["rev-parse", "result"]));
}

#[test]
fn an_incomplete_run_and_a_forged_one_are_not_applied() {
    let bench = Bench::new();
    bench.script(&serde_json::json!({ "feature": { "exit": 1 }, "cli": { "write": { "cli/greet.py": "x\n" } } }));
    bench.call(["run"]).expect(1);
    let refused = bench.call(["apply"]).expect(1);
    assert!(
        refused.stderr.contains("Nothing was changed") && refused.stderr.contains("--incomplete"),
        "{}",
        refused.stderr
    );
    let shown = bench.call(["show", "--format", "human"]).expect(0).stdout;
    assert!(shown.contains("  fix      feature failed"), "{shown}");
}

#[test]
fn a_complete_run_is_not_forgotten_behind_a_newer_one() {
    let bench = Bench::new();
    bench.call(["run"]).expect(0);
    let complete = bench.call(["runs"]).expect(0).stdout.split_whitespace().next().expect("a run").to_owned();
    let again = bench.call(["run"]).expect(0).stderr;
    assert!(again.contains(&format!("`backend-implementer apply {complete}` takes its result")), "{again}");
    // The newest run integrated nothing.
    bench.script(&serde_json::json!({ "*": { "exit": 1 } }));
    bench.write("unrelated.txt", "another lock\n");
    bench.commit("another base");
    let other = bench.call(["run"]).expect(1).stderr;
    assert!(!other.contains("takes its result"), "{other}");
    let newest = bench.call(["runs"]).expect(0).stdout.split_whitespace().next().expect("a run").to_owned();
    let refused = bench.call(["apply"]).expect(1).stderr;
    assert!(refused.contains(&format!("the run {newest} is incomplete")), "{refused}");
    assert!(refused.contains("An older run is complete: `backend-implementer apply "), "{refused}");
    let named = bench.call(["apply", &newest]).expect(1).stderr;
    assert!(!named.contains("An older run"), "it was named: {named}");

    bench.call(["apply", &complete]).expect(0);
    bench.git(["switch", "--quiet", "backend-implementation"]);
    let refused = bench.call(["apply", &complete]).expect(3).stderr;
    assert!(refused.contains("`backend-implementation` is checked out in ") && !refused.contains("fatal"), "{refused}");
    assert!(refused.contains("Switch to another branch there"), "{refused}");
}

#[test]
fn a_retry_repeats_what_did_not_pass_and_keeps_the_rest() {
    let bench = Bench::new();
    assert!(bench.call(["run", "--retry"]).expect(2).stderr.contains("run without --retry"), "there was no run");
    bench.script(&serde_json::json!({ "feature": { "write": { "src/hello.py": "x\n" } }, "cli": { "exit": 1 } }));
    let broken = bench.call(["run"]).expect(1).stdout;
    assert!(broken.contains("\n  next     1. Repeat cli; what passed is kept\n"), "{broken}");
    assert!(broken.contains("\n              backend-implementer run --retry\n"), "{broken}");
    let first = bench.call(["show", "--format", "json"]).expect(0).stdout;

    let unknown = bench.call(["run", "--retry", "clii"]).expect(2).stderr;
    assert!(unknown.contains("the plan has no task clii") && unknown.contains("Did you mean cli?"), "{unknown}");
    bench.script(&serde_json::json!({ "feature": { "exit": 1 }, "cli": { "write": { "cli/greet.py": "x\n" } } }));
    let again = bench.call(["run", "--retry"]).expect(0);
    let brief = newest_brief(&bench, "cli");
    assert!(brief.contains("## What to fix") && brief.contains("- Attempt 1 of an earlier run: failed"), "{brief}");
    assert!(brief.contains("subagent-failed: its process ended with exit code 1"), "{brief}");
    assert!(again.stderr.contains("Keeping what passed in "), "{}", again.stderr);
    assert!(!again.stderr.contains("interrupted"), "nothing was: {}", again.stderr);
    let page = bench.call(["show", "--format", "markdown"]).expect(0).stdout;
    assert!(page.contains("of an earlier run of the same lock.") && !page.contains("interrupted"), "{page}");
    let second = bench.call(["show", "--format", "json"]).expect(0).stdout;
    let took = |handoff: &str, key: &str| serde_json::from_str::<serde_json::Value>(handoff).unwrap()[key].as_u64();
    assert!(took(&second, "earlier-ms") > Some(0) && took(&first, "earlier-ms").is_none(), "{second}");
    let patch_of = |handoff: &str, task: &str| {
        let handoff: serde_json::Value = serde_json::from_str(handoff).unwrap();
        let records = handoff["tasks"].as_array().unwrap();
        let record = records.iter().find(|record| record["id"] == task).unwrap();
        record["attempts"].as_array().unwrap().last().unwrap()["patch"].clone()
    };
    assert_eq!(patch_of(&first, "feature"), patch_of(&second, "feature"), "it would have failed, had it been called");
    assert!(bench.call(["run", "--retry"]).expect(2).stderr.contains("is complete"), "nothing is left to repeat");

    // A task that passed is repeated when it is named; another plan has nothing to keep.
    bench.call(["run", "--retry", "feature"]).expect(1);
    bench.write(".backend-implementer/plan.md", "# Another\n\n## Feature\n- something else\n");
    bench.call(["run", "--retry"]).expect(2);
}

#[test]
fn a_retry_of_a_run_that_stayed_red_calls_whoever_is_to_blame_with_the_failing_test() {
    let bench = Bench::new();
    let guard = "import pathlib\nimport unittest\n\nclass Guard(unittest.TestCase):\n    def test_no_bug(self):\n        \
                 self.assertNotIn('bug', ''.join(p.read_text() for p in pathlib.Path('.').glob('*/*.py')))\n";
    bench.write("test_guard.py", guard);
    bench.commit("a guard");
    let hello = |text: &str| serde_json::json!({ "write": { "src/hello.py": text } });
    let cli = serde_json::json!({ "write": { "cli/greet.py": "x\n" } });
    bench.script(&serde_json::json!({ "feature#1": hello("bug\n"), "feature": hello("bug 2\n"), "cli": cli }));
    let broken = bench.call(["run"]).expect(1).stdout;
    assert!(broken.contains("Or let feature try once more; all other work is kept\n"), "{broken}");
    assert!(broken.contains("backend-implementer run --retry feature\n"), "{broken}");
    bench.script(&serde_json::json!({ "feature": hello("mended\n"), "cli": { "exit": 1 }, "tests": { "exit": 1 } }));
    let mended = bench.call(["run", "--retry"]).expect(0);
    let started: Vec<_> = mended.stderr.lines().filter(|line| line.trim_start().starts_with("start ")).collect();
    let of_tasks: Vec<_> = started.iter().filter(|line| !line.contains("gate")).collect();
    assert_eq!(of_tasks.len(), 2, "the task and the reviewer: {}", mended.stderr);
    assert!(of_tasks[0].contains("feature "), "{of_tasks:?}");
    let brief = newest_brief(&bench, "feature");
    assert!(brief.contains("From the tests gate") && brief.contains("test_no_bug"), "{brief}");
}

/// Returns what the last run told a task.
fn newest_brief(bench: &Bench, task: &str) -> String {
    let listed = bench.call(["runs"]).expect(0).stdout;
    let run = listed.split_whitespace().next().expect("a run is listed");
    let brief = bench.repo().join(format!(".backend-implementer/runs/{run}/tasks/{task}/brief.md"));
    std::fs::read_to_string(brief).unwrap()
}

#[test]
fn events_come_as_lines_of_json() {
    let bench = Bench::new();
    let ran = bench.call(["run", "--format", "json-lines"]).expect(0);
    let events: Vec<serde_json::Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    assert_eq!(events[0]["event"], "begun");
    assert_eq!(events.last().unwrap()["event"], "ended");
    assert!(events.iter().any(|event| event["event"] == "task-ended" && event["outcome"] == "passed"));
}
