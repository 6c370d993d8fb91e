//! What becomes of subagents that fail, hang, lie, leave their scope or say nothing: each its own state, finding and
//! text, and the siblings' work is kept.

use implementer_model::{findings::FindingCode, handoff::Status, schedule::Outcome};
use serde_json::{Value, json};

use crate::support::{Bench, Ran};

const GREET: &str = "print('greet')\n";

/// Runs the plan with a feature subagent that does `feature` and a CLI subagent that does its work.
fn run_with(feature: &Value) -> (Bench, Ran) {
    let bench = Bench::new();
    bench.script(&json!({ "feature": feature, "cli": { "write": { "cli/greet.py": GREET } } }));
    let ran = bench.run([]);
    (bench, ran)
}

/// Checks the state, finding and text of the feature task, and that the CLI's patch was integrated all the same.
#[track_caller]
fn expect(ran: Ran, outcome: Outcome, finding: FindingCode, text: &str) -> Ran {
    let ran = ran.expect(1);
    let handoff = ran.handoff();
    let record = handoff.tasks.iter().find(|record| record.id.as_str() == "feature").expect("a record");
    assert_eq!(record.outcome, outcome, "{}", record.reason);
    assert!(record.reason.contains(text), "{}", record.reason);
    assert!(
        handoff.findings.iter().any(|found| found.code == finding && found.task.as_ref() == Some(&record.id)),
        "{:#?}",
        handoff.findings
    );
    assert_eq!(handoff.status, Status::Incomplete);
    let integrated: Vec<_> = handoff.result.commits.iter().map(|commit| commit.task.as_str()).collect();
    assert_eq!(integrated, ["cli"], "the sibling's work is kept, the other's is not integrated");
    assert!(ran.summary().starts_with("## Backend Implementation Incomplete"), "{}", ran.summary());
    assert!(ran.summary().contains(outcome.name()), "{}", ran.summary());
    ran
}

#[test]
fn a_failing_subagent_is_failed_and_its_patch_is_kept() {
    let (_bench, ran) = run_with(&json!({ "write": { "src/half.py": "x = 1\n" }, "exit": 7 }));
    let ran = expect(ran, Outcome::Failed, FindingCode::SubagentFailed, "exit code 7");
    let patch = String::from_utf8(ran.read_bytes("tasks/feature/patch.diff")).unwrap();
    assert!(patch.contains("src/half.py"), "{patch}");
}

#[test]
fn a_subagent_that_says_it_failed_is_failed() {
    let report = json!({ "status": "failed", "summary": "the API does not allow it" });
    let (_bench, ran) = run_with(&json!({ "report": report }));
    expect(ran, Outcome::Failed, FindingCode::SubagentFailed, "the API does not allow it");
}

#[test]
fn a_lying_subagent_is_found_out() {
    let (_bench, ran) = run_with(&json!({}));
    expect(ran, Outcome::Unproven, FindingCode::ClaimedButUnchanged, "changed nothing");
}

#[test]
fn a_subagent_outside_its_scope_gets_nothing_integrated() {
    let (_bench, ran) = run_with(
        &json!({ "write": { "src/hello.py": "x\n", "README.md": "mine\n", "src/../.github/workflows/x.yml": "on: push\n" } }),
    );
    let ran = expect(ran, Outcome::OutOfScope, FindingCode::ScopeViolation, "README.md");
    let handoff = ran.handoff();
    let paths: Vec<_> = handoff.findings.iter().filter(|found| found.code == FindingCode::ScopeViolation).collect();
    assert_eq!(paths.len(), 2, "{paths:#?}");
}

#[test]
fn a_subagent_without_a_report_is_told_apart() {
    let (_bench, ran) = run_with(&json!({ "write": { "src/hello.py": "x\n" }, "no_report": true }));
    expect(ran, Outcome::Unreported, FindingCode::NoReport, "without writing a report");
}

#[test]
fn an_invalid_report_is_no_report() {
    let (_bench, ran) = run_with(
        &json!({ "write": { "src/hello.py": "x\n" }, "raw_report": "{\"version\": 1, \"statsu\": \"completed\"}" }),
    );
    let ran = expect(ran, Outcome::Unreported, FindingCode::InvalidReport, "statsu");
    assert!(String::from_utf8(ran.read_bytes("tasks/feature/report.invalid.json")).unwrap().contains("statsu"));
}

#[test]
fn a_blocked_subagent_names_the_specialist() {
    let report = json!({
        "status": "blocked",
        "summary": "there is no type for it",
        "limitations": [{ "text": "a Greeting type", "needs": "backend-datatypes" }],
    });
    let (_bench, ran) = run_with(&json!({ "report": report }));
    let ran = expect(ran, Outcome::Blocked, FindingCode::SubagentBlocked, "backend-datatypes");
    assert!(ran.summary().contains("backend-datatypes"), "{}", ran.summary());
}

#[test]
fn a_missing_program_is_said_before_anything_starts() {
    let bench = Bench::new();
    bench.write(".github/backend-implementer.yml", "agent:\n  kind: command\n  command: [no-such-program-here]\n");
    bench.commit("another agent");
    let ran = bench.run([]).expect(3);
    assert!(ran.called.stderr.contains("no-such-program-here"), "{}", ran.called.stderr);
    assert!(!ran.out.exists(), "nothing is left behind that would stand in the way of the next run");
}

#[test]
fn a_requirement_that_is_only_half_done_keeps_the_run_incomplete() {
    let report = json!({ "requirements": [{ "id": "feature-1", "status": "partial", "note": "no farewell yet" }] });
    let (_bench, ran) = run_with(&json!({ "write": { "src/hello.py": "x\n" }, "report": report }));
    let ran = ran.expect(1);
    assert_eq!(ran.outcomes()["feature"], Outcome::Passed);
    let handoff = ran.handoff();
    let found =
        handoff.findings.iter().find(|found| found.code == FindingCode::UncoveredRequirement).expect("a finding");
    assert!(found.message.contains("no farewell yet"), "{}", found.message);
}

#[test]
fn a_need_that_did_not_pass_blocks_what_needs_it_and_nothing_else() {
    let bench = Bench::new();
    bench.write(
        ".backend-implementer/plan.md",
        "# P\n\n## Feature\nTouches: src/**\n- one\n\n## Feature {#second}\nTouches: lib/**\nNeeds: feature\n- two\n\n\
         ## CLI\nTouches: cli/**\n- three\n\n## Verification\n- tests: `python3 -m unittest`\n\
         - validation: `git --version`\n",
    );
    bench.commit("plan");
    bench.script(&json!({ "feature": { "exit": 1 }, "cli": { "write": { "cli/greet.py": GREET } } }));
    let ran = bench.run([]).expect(1);
    let outcomes = ran.outcomes();
    assert_eq!(outcomes["second"], Outcome::Blocked);
    assert_eq!(outcomes["cli"], Outcome::Passed);
    assert_eq!(outcomes["tests"], Outcome::Passed);
    let handoff = ran.handoff();
    let second = handoff.tasks.iter().find(|record| record.id.as_str() == "second").unwrap();
    assert!(second.attempts.is_empty(), "it never began");
    assert!(second.reason.contains("feature"), "{}", second.reason);
}
