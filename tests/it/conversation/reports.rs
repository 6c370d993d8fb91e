//! What people see: check runs, annotations, the comment while a run goes on, and what does not fit.

use serde_json::{Value, json};

use super::{ME, PLAN_FILE, check, page, shown_lock, stage_with_plan};
use crate::support::{
    PLAN,
    action::{NUMBER, Stage},
};

/// Runs what the last preview shows.
fn run(stage: &Stage, code: i32) -> crate::support::action::Acted {
    stage.happened("edited").expect(0);
    stage.say("ada", &format!("/implement {}", shown_lock(&page(stage)))).expect(code)
}

#[test]
fn every_way_to_end_has_its_check_run() {
    let plan = format!("{PLAN}\n## Deployment\nNeeds: feature\nTouches: deploy/**\n- ship\n");
    let stage = Stage::new("", &[(PLAN_FILE, &plan)]);
    stage.bench.script(&json!({
        "feature": { "write": { "elsewhere/x.py": "x\n" } },
        "cli": { "wait_for": stage.fifo("never") },
        "review": { "report": { "findings": findings(120) } },
    }));
    stage.happened("edited").expect(0);
    let event = stage.github.event_comment(NUMBER, "ada", &format!("/implement {}", shown_lock(&page(&stage))));
    stage.act("issue_comment", &event, &[("time-limit", "8s")]).expect(1);

    let ended = |name: &str| check(&stage, &format!("Backend Implementer / {name}"));
    assert_eq!(ended("backend-feature-implementer").0, ["in_progress", "failure"]);
    assert_eq!(ended("backend-cli-implementer").0, ["in_progress", "timed_out"]);
    assert_eq!(ended("backend-deployment-agent").0, ["skipped"]);
    assert_eq!(ended("backend-unit-test-generator").1, "success");
    assert_eq!(check(&stage, "Backend Implementer").1, "failure");

    let checks = stage.github.checks(&stage.head());
    let review = checks.iter().find(|check| check.name.ends_with("reviewer")).unwrap();
    assert_eq!(review.annotations.len(), 120, "in fifties, none dropped");
    assert_eq!(review.annotations[119]["start_line"], 120);
    assert!(review.summary.contains("backend-code-quality-reviewer"), "{}", review.summary);
    assert!(review.text.contains("### review"), "{}", review.text);
}

fn findings(count: u32) -> Vec<Value> {
    let finding = |line| json!({ "severity": "warning", "path": "src/hello.py", "line": line, "message": "look here" });
    (1..=count).map(finding).collect()
}

#[test]
fn the_comment_follows_a_run_and_comes_back_when_somebody_deletes_it() {
    let stage = stage_with_plan();
    let config = stage.bench.git(["show", "main:.github/backend-implementer.yml"]);
    let config = format!("{config}\npull-request:\n  update-seconds: 5\n");
    stage.push_to_base(&[(".github/backend-implementer.yml", &config)]);
    let spoof = "<!-- backend-implementer -->\n<!-- backend-implementer: at work 1/1 -->\nNothing to see here.\n";
    let spoofed = stage.github.state().comment(NUMBER, "eve", spoof);
    let gate = stage.fifo("gate");
    stage.bench.script(&json!({
        "feature": { "write": { "src/hello.py": "x\n" }, "wait_for": gate },
        "cli": { "write": { "cli/greet.py": "x\n" } },
    }));
    stage.happened("opened").expect(0);
    let lock = shown_lock(&page(&stage));
    let running =
        stage.begin("issue_comment", &stage.github.event_comment(NUMBER, "ada", &format!("/implement {lock}")), &[]);
    stage.github.wait_for("a live update", |state| {
        state.comments.iter().any(|comment| comment.author == ME && comment.body.contains("**running**"))
    });
    let live = stage.github.only_comment_of(NUMBER, ME);
    assert!(live.body.contains(&format!("at work {}/1 -->", running.run)), "{}", live.body);
    assert!(live.body.contains("**1 of 5 tasks passed**, 1 running"), "{}", live.body);
    stage.github.state().delete_comment(live.id);
    stage.open(&gate);
    running.finish(&stage).expect(0);
    let summary = stage.github.only_comment_of(NUMBER, ME);
    assert_ne!(summary.id, live.id);
    assert!(summary.body.contains("## Backend Implementation Complete"), "{}", summary.body);
    let comments = stage.github.comments(NUMBER);
    assert_eq!(comments.iter().find(|comment| comment.id == spoofed).unwrap().bodies, [spoof]);
}

#[test]
fn a_summary_beyond_the_limit_is_cut_at_a_section_and_stands_whole_in_the_step_summary() {
    let stage = stage_with_plan();
    let long = "a sentence that goes on and on ".repeat(18);
    let items: Vec<_> =
        (0..60).map(|n| json!({ "label": "core-functionality", "text": format!("{n} {long}") })).collect();
    stage.bench.script(&json!({
        "feature": { "write": { "src/hello.py": "x\n" }, "report": { "items": items } },
        "cli": { "write": { "cli/greet.py": "x\n" }, "report": { "items": items } },
        "tests": { "report": { "items": items } },
        "review": { "report": { "items": items, "findings": findings(200) } },
    }));
    let ran = run(&stage, 0);
    let body = page(&stage);
    assert!(body.chars().count() <= 65_536, "{}", body.chars().count());
    assert!(body.contains("### Next Phase Input for Backend Submission"), "{body}");
    assert!(ran.summary.chars().count() > 65_536, "{}", ran.summary.chars().count());
    assert!(body.contains("> A comment does not hold all of this summary; it is complete there. [Log"), "{body}");
}

#[test]
fn without_permission_for_check_runs_the_rest_goes_on() {
    let stage = stage_with_plan();
    stage.github.state().tokens.get_mut("ghs_workflow").unwrap().checks = false;
    let shown = stage.happened("opened").expect(0);
    assert!(shown.called.stdout.contains("::warning title=Not reported everywhere::"), "{}", shown.called.stdout);
    let lock = shown_lock(&page(&stage));
    let ran = stage.say("ada", &format!("/implement {lock}")).expect(0);
    assert!(page(&stage).contains("> no check runs: "), "{}", page(&stage));
    assert!(ran.summary.contains("no check runs"), "{}", ran.summary);
    // Without a check run there is no trustworthy memory of what was shown.
    stage.say("ada", "/implement").expect(2);
}
