//! Every way in which a session can end that is no success, with the real programs.

use std::process::Stdio;

use implementer_model::{handoff::Status, schedule::Outcome, session::SessionEnd};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use super::{Stand, attempts, done, feature, findings, last_session, writes};
use crate::support::model::{ScriptedModel, Step};

/// A model whose first attempt at the feature ends so, and whose second works.
fn once(fault: Step) -> ScriptedModel {
    ScriptedModel::start(move |asked| match (asked.task.as_str(), asked.attempt, asked.done) {
        ("feature", 1, _) => fault.clone(),
        ("feature", _, 0) => Step::Create("src/hello.py".to_owned(), "print('hello')\n".to_owned()),
        ("cli", _, 0) => Step::Create("cli/greet.py".to_owned(), "print('greet')\n".to_owned()),
        _ => Step::Report(done(&[])),
    })
}

fn is_tried_again(kind: &str, fault: Step, status: Option<u16>) {
    let model = once(fault);
    let handoff = Stand::new(kind, &model, json!({})).run([]).expect(0).handoff();
    let attempts = attempts(&handoff, "feature");
    assert_eq!(attempts.iter().map(|attempt| attempt.outcome).collect::<Vec<_>>(), [Outcome::Failed, Outcome::Passed]);
    let end = &attempts[0].session.as_ref().unwrap().end;
    assert!(matches!(end, SessionEnd::ModelError { status: found, .. } if *found == status), "{kind}: {end:?}");
    assert!(attempts[1].because.contains("could not reach its model"), "{}", attempts[1].because);
}

fn stays_wrong(kind: &str, status: u16) {
    let model = feature(vec![Step::Fail(status)]);
    let ran = Stand::new(kind, &model, json!({})).run([]).expect(1);
    let handoff = ran.handoff();
    assert_eq!(attempts(&handoff, "feature").len(), 1, "what is wrong stays wrong");
    let session = last_session(&handoff, "feature");
    assert!(
        matches!(&session.end, SessionEnd::ModelError { status: Some(found), .. } if *found == status),
        "{kind}: {session:?}"
    );
    assert!(findings(&handoff, "feature")[0].starts_with("model-failed: "), "{:?}", findings(&handoff, "feature"));
    assert_eq!(ran.outcomes()["cli"], Outcome::Passed, "the sibling is integrated all the same");
}

#[test]
fn claude_is_tried_again_when_its_model_is_limited() {
    is_tried_again("claude", Step::Fail(429), Some(429));
}

#[test]
fn claude_is_tried_again_when_its_model_fails() {
    is_tried_again("claude", Step::Fail(500), Some(500));
}

#[test]
fn claude_is_tried_again_when_its_stream_is_cut() {
    is_tried_again("claude", Step::Cut, None);
}

#[test]
fn codex_is_tried_again_when_its_model_is_limited() {
    is_tried_again("codex", Step::Fail(429), Some(429));
}

#[test]
fn codex_is_tried_again_when_its_model_fails() {
    is_tried_again("codex", Step::Fail(500), None);
}

#[test]
fn codex_is_tried_again_when_its_stream_is_cut() {
    is_tried_again("codex", Step::Cut, None);
}

#[test]
fn a_wrong_key_is_not_tried_again() {
    for kind in ["claude", "codex", "gemini", "opencode"] {
        stays_wrong(kind, 401);
    }
}

#[test]
fn a_refusal_is_told_as_one() {
    let model = feature(vec![Step::Refuse]);
    let handoff = Stand::new("claude", &model, json!({})).run([]).expect(1).handoff();
    assert!(matches!(last_session(&handoff, "feature").end, SessionEnd::Refused { .. }));
    assert!(findings(&handoff, "feature")[0].starts_with("model-refused: the model refused: "));
    assert_eq!(attempts(&handoff, "feature").len(), 1);
}

/// Steps that never end: they write a file, and then look at it again and again.
fn endless() -> Vec<Step> {
    let look = || Step::Run("cat src/hello.py".to_owned());
    let create = Step::Create("src/hello.py".to_owned(), "half\n".to_owned());
    std::iter::once(create).chain((0..30).map(|_| look())).collect()
}

fn runs_out_of_turns(kind: &str) {
    let handoff = Stand::new(
        kind,
        &feature(endless()),
        json!({ "subagents": { "backend-feature-implementer": { "turns": 3 } } }),
    )
    .run([])
    .expect(1)
    .handoff();
    let attempt = &attempts(&handoff, "feature")[0];
    assert_eq!(attempt.outcome, Outcome::TurnsExhausted, "{kind}: {attempt:?}");
    assert_eq!(attempt.session.as_ref().unwrap().end, SessionEnd::TurnLimit);
    let paths: Vec<_> = attempt.patch.as_ref().unwrap().changes.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(paths, ["src/hello.py"], "{kind}: the partial patch is kept");
    assert!(!handoff.result.commits.iter().any(|commit| commit.task.as_str() == "feature"), "and not integrated");
}

#[test]
fn every_program_can_be_held_to_its_turns() {
    for kind in ["claude", "codex", "gemini", "opencode"] {
        runs_out_of_turns(kind);
    }
}

#[test]
fn a_budget_that_is_used_up_is_a_state_of_its_own_and_the_partial_patch_is_kept() {
    let config = json!({ "subagents": { "backend-feature-implementer": { "cost": 0.001 } } });
    let ran = Stand::new("claude", &feature(endless()), config).run([]).expect(1);
    let handoff = ran.handoff();
    let attempt = &attempts(&handoff, "feature")[0];
    assert_eq!(attempt.outcome, Outcome::BudgetExhausted);
    assert!(attempt.patch.as_ref().is_some_and(|patch| !patch.is_empty()));
    let spent = attempt.session.as_ref().unwrap().micro_dollars.unwrap();
    assert!((1_000..5_000).contains(&spent), "{spent}");
    assert!(ran.summary().contains("budget exhausted"), "{}", ran.summary());
}

#[test]
fn what_the_run_may_cost_is_set_aside_before_anybody_begins() {
    // Every session costs about 0.0012 dollars: two requests of 100 and 20 tokens.
    let model = feature(writes("src/hello.py", "print('hello')\n"));
    let stand = Stand::whole("claude", &model, json!({ "limits": { "run-cost": 0.002, "cost": 0.002 } }));
    let ran = stand.run(["--jobs", "1"]).expect(1);
    let handoff = ran.handoff();
    let exhausted: Vec<_> = handoff.tasks.iter().filter(|task| task.outcome == Outcome::BudgetExhausted).collect();
    assert!(!exhausted.is_empty(), "{:?}", ran.outcomes());
    assert!(exhausted.iter().any(|task| task.reason.contains("it was not begun")), "{exhausted:#?}");
    assert!(handoff.cost.micro_dollars.unwrap() < 5_000, "{:?}", handoff.cost);
}

#[test]
fn a_hanging_model_ends_with_the_time_limit() {
    for kind in ["claude", "codex"] {
        let handoff =
            Stand::new(kind, &feature(vec![Step::Hang]), json!({})).run(["--time-limit", "4s"]).expect(1).handoff();
        assert_eq!(attempts(&handoff, "feature")[0].outcome, Outcome::TimedOut, "{kind}");
    }
}

#[test]
fn a_cancel_reaches_a_program_that_waits_for_its_model() {
    let model = feature(vec![Step::Hang]);
    let stand = Stand::new("claude", &model, json!({}));
    let out = stand.bench.path("out");
    let mut command = stand.program(["run", "--out", out.to_str().unwrap()]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    model.wait_for(|asked| asked.task == "feature");
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    let handoff = implementer_model::handoff::Handoff::read(&std::fs::read(out.join("handoff.json")).unwrap()).unwrap();
    assert_eq!((handoff.status, attempts(&handoff, "feature")[0].outcome), (Status::Cancelled, Outcome::Cancelled));
}

#[test]
fn a_denied_tool_is_told_although_the_session_ended_well() {
    let outside = json!({ "command": "echo x", "description": "x" });
    let tools = "---\nname: backend-feature-implementer\ndescription: d\ntools: Read, Write\n---\nBuild features.\n";
    let steps = vec![
        Step::Create("src/hello.py".to_owned(), "print('hello')\n".to_owned()),
        Step::Call("Bash".to_owned(), outside),
        Step::Report(done(&["src/hello.py"])),
    ];
    let model = feature(steps);
    let stand = Stand::prepared("claude", &model, json!({}), |bench| {
        bench.write(".claude/agents/backend-feature-implementer.md", tools);
    });
    let handoff = stand.run([]).expect(0).handoff();
    let asked = model.asked().into_iter().find(|asked| asked.task == "feature").unwrap();
    assert_eq!(asked.tools, ["Read", "StructuredOutput", "Write"], "the tools of its file, and no other");
    assert!(asked.body.contains("Build features."), "its role is in its system prompt");
    let _ = handoff;

    // Codex tells of a patch that its sandbox rejects on standard error alone.
    let reviewer = |asked: &crate::support::model::Asked| match (asked.task.as_str(), asked.done) {
        ("feature", 0) => Step::Create("src/hello.py".to_owned(), "print('hello')\n".to_owned()),
        ("cli", 0) => Step::Create("cli/greet.py".to_owned(), "print('greet')\n".to_owned()),
        ("review", 0) => Step::Create("src/sneaky.py".to_owned(), "x\n".to_owned()),
        _ => Step::Report(done(&[])),
    };
    let model = ScriptedModel::start(reviewer);
    let reviewer = json!({ "agents": { "codex": { "permissions": "own" } },
                           "subagents": { "backend-code-quality-reviewer": { "kind": "codex" } } });
    let handoff = Stand::new("codex", &model, reviewer).run([]).handoff();
    let told = findings(&handoff, "review");
    assert!(
        told.iter()
            .any(|finding| finding.starts_with("tool-denied: the tool apply_patch was not allowed: patch rejected"))
            || told.iter().any(|finding| finding.starts_with("sandbox-failed")),
        "{told:?}"
    );
}

#[test]
fn as_root_claude_bypasses_its_permissions_where_the_container_is_the_sandbox() {
    let model = feature(writes("src/hello.py", "print('hello')\n"));
    let config = json!({ "agents": { "claude": { "permissions": "full" } } });
    let handoff = Stand::new("claude", &model, config).run([]).expect(0).handoff();
    assert_eq!(attempts(&handoff, "feature")[0].outcome, Outcome::Passed);
}

#[test]
fn what_passed_its_limit_unseen_is_told() {
    let price = json!({ "default": { "input": 1, "output": 1 } });
    let config = json!({ "agents": { "codex": { "prices": price } },
                         "subagents": { "backend-feature-implementer": { "cost": "0.000001" } } });
    let model = feature(writes("src/hello.py", "print('hello')\n"));
    let handoff = Stand::new("codex", &model, config).run([]).expect(0).handoff();
    let told = findings(&handoff, "feature");
    assert!(told.iter().any(|finding| finding.contains("more than its limit of 0.000001")), "{told:?}");
}
