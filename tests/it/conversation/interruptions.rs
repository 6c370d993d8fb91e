//! Two runs at once, cancelling, crashes, and a GitHub that fails.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use super::{ME, check, page, reply, shown_lock, stage_with_plan};
use crate::support::{
    action::{Acting, NUMBER, Stage},
    github::Fault,
};

/// Begins a run whose feature subagent waits until somebody opens the gate, and waits until it is at work.
fn begin_run(stage: &Stage) -> (Acting, std::path::PathBuf) {
    let gate = stage.fifo("gate");
    stage.bench.script(&json!({
        "feature": { "write": { "src/hello.py": "x\n" }, "wait_for": gate },
        "cli": { "write": { "cli/greet.py": "x\n" } },
    }));
    stage.happened("edited").expect(0);
    let lock = shown_lock(&page(stage));
    let event = stage.github.event_comment(NUMBER, "ada", &format!("/implement {lock}"));
    let running = stage.begin("issue_comment", &event, &[]);
    stage.github.wait_for("the feature subagent at work", |state| {
        let mut checks = state.checks.iter().filter(|check| check.external_id == format!("{}/1", running.run));
        checks.any(|check| check.name.ends_with("/ backend-feature-implementer") && check.status == "in_progress")
    });
    (running, gate)
}

fn signal(acting: &Acting, signal: Signal) {
    let pid = Pid::from_raw(acting.child.id().try_into().unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// No check run of ours is open.
#[track_caller]
fn assert_all_concluded(stage: &Stage) {
    for check in stage.github.checks(&stage.head()) {
        assert_eq!(check.status, "completed", "{}\n{}", check.name, stage.github.transcript());
    }
}

#[test]
fn of_two_runs_at_once_the_second_says_who_won() {
    for checks in [true, false] {
        let stage = stage_with_plan();
        if !checks {
            let config = stage.bench.git(["show", "main:.github/backend-implementer.yml"]);
            let config = format!("{config}\npull-request:\n  checks: false\n");
            stage.push_to_base(&[(".github/backend-implementer.yml", &config)]);
            stage.happened("opened").expect(0);
            let gate = stage.fifo("gate");
            stage.bench.script(&json!({ "*": { "wait_for": gate } }));
            let lock = shown_lock(&page(&stage));
            let event = stage.github.event_comment(NUMBER, "ada", &format!("/implement {lock}"));
            let running = stage.begin("issue_comment", &event, &[]);
            stage.github.wait_for("the claim", |state| {
                state.comments.iter().any(|comment| comment.author == ME && comment.body.contains(": at work "))
            });
            second_loses(&stage, &running, &lock);
            signal(&running, Signal::TERM);
            running.finish(&stage).expect(130);
            continue;
        }
        let (running, gate) = begin_run(&stage);
        let lock = stage.happened("synchronize").expect(0).output("lock").to_owned();
        second_loses(&stage, &running, &lock);
        stage.open(&gate);
        let ran = running.finish(&stage).expect(0);
        assert_eq!(ran.output("status"), "complete");
        assert!(page(&stage).contains("## Backend Implementation Complete"));
        assert_all_concluded(&stage);
        assert_eq!(check(&stage, "Backend Implementer / backend-feature-implementer").1, "success");
    }
}

fn second_loses(stage: &Stage, first: &Acting, lock: &str) {
    let second = stage.say("grace", &format!("/implement {lock}")).expect(2);
    assert_eq!(second.output("status"), "refused");
    let reply = reply(stage);
    assert!(
        reply.contains("another run is at work") && reply.contains(&format!("/actions/runs/{}", first.run)),
        "{reply}"
    );
    assert!(page(stage).contains("Running"), "the comment is still the first one's\n{}", page(stage));
}

#[test]
fn a_cancelled_run_concludes_everything_and_says_so() {
    let stage = stage_with_plan();
    stage.happened("opened").expect(0);
    stage.say("ada", "/implement cancel").expect(0);
    assert!(reply(&stage).contains("There is nothing to cancel"), "{}", reply(&stage));

    let (running, _gate) = begin_run(&stage);
    stage.say("eve", "/implement cancel").expect(2);
    assert!(reply(&stage).contains("eve has no write permission"), "{}", reply(&stage));
    stage.say("grace", "/implement cancel").expect(0);
    let story = stage.github.state().story.join("\n");
    assert!(story.contains(&format!("{ME} cancels run {}", running.run)), "{story}");
    // What the runner does then.
    signal(&running, Signal::INT);
    let ran = running.finish(&stage).expect(130);
    assert_eq!(ran.output("status"), "cancelled");
    assert!(page(&stage).contains("**cancelled**, lock"), "{}", page(&stage));
    assert_all_concluded(&stage);
    assert_eq!(check(&stage, "Backend Implementer").1, "cancelled");
    assert_eq!(check(&stage, "Backend Implementer / backend-feature-implementer").1, "cancelled");
    let after = stage.after(&ran).expect(0);
    assert!(after.stderr.contains("The run concluded everything itself"), "{}", after.stderr);
}

#[test]
fn a_run_that_was_run_again_is_found_by_cancel() {
    let stage = stage_with_plan();
    stage.happened("opened").expect(0);
    let ran = stage.say("ada", "/implement").expect(0);
    // By all reports it is over; somebody had it run again.
    stage.github.state().runs.insert(ran.run, ("in_progress".to_owned(), 2));
    stage.say("grace", "/implement cancel").expect(0);
    let story = stage.github.state().story.join("\n");
    assert!(story.contains(&format!("{ME} cancels run {}", ran.run)), "{story}");
}

#[test]
fn what_a_killed_run_left_open_is_concluded_by_what_comes_after_it() {
    let stage = stage_with_plan();
    let (running, _gate) = begin_run(&stage);
    signal(&running, Signal::KILL);
    let killed = running.finish(&stage);
    assert!(stage.github.checks(&stage.head()).iter().any(|check| check.status != "completed"));
    let after = stage.after(&killed).expect(0);
    assert!(after.stderr.contains("The run was killed"), "{}", after.stderr);
    assert_all_concluded(&stage);
    assert!(page(&stage).contains("ended without a word"), "{}", page(&stage));
}

#[test]
fn what_a_killed_run_left_open_is_concluded_by_the_next_run() {
    let stage = stage_with_plan();
    let (running, gate) = begin_run(&stage);
    signal(&running, Signal::KILL);
    drop(running.finish(&stage));
    std::fs::remove_file(&gate).unwrap();
    stage.bench.script(&json!({ "feature": { "write": { "src/hello.py": "x\n" } },
                                "cli": { "write": { "cli/greet.py": "x\n" } } }));
    stage.say("ada", "/implement").expect(0);
    assert_all_concluded(&stage);
    assert!(page(&stage).contains("## Backend Implementation Complete"), "{}", page(&stage));
}

#[test]
fn a_github_that_fails_now_and_then_gets_one_comment_and_every_state() {
    let stage = stage_with_plan();
    let retry_after = |seconds: &str| vec![("retry-after", seconds.to_owned())];
    stage.github.state().faults = vec![
        // The comment arrives, its answer does not.
        Fault::unanswered("POST", "/issues/7/comments"),
        Fault::status("GET", "/pulls/7", 1, 500),
        Fault::status("GET", "/issues/7/comments", 1, 503),
        Fault { headers: retry_after("1"), ..Fault::status("POST", "/check-runs", 1, 403) },
    ];
    stage.happened("opened").expect(0);
    let lock = shown_lock(&page(&stage));
    assert!(stage.github.state().faults.iter().all(|fault| fault.times == 0));
    stage.github.state().faults = vec![
        Fault { headers: retry_after("1"), ..Fault::status("PATCH", "/check-runs/", 1, 429) },
        Fault::status("PATCH", "/check-runs/", 1, 500),
        Fault::status("PATCH", "/issues/comments/", 2, 502),
        Fault::status("POST", "/reactions", 1, 422),
        // The overall check run is made, its answer does not arrive.
        Fault::unanswered("POST", "/check-runs"),
    ];
    let ran = stage.say("ada", &format!("/implement {lock}")).expect(0);
    assert_eq!(ran.output("status"), "complete");
    assert!(page(&stage).contains("## Backend Implementation Complete"), "{}", page(&stage));
    assert_all_concluded(&stage);
    assert_eq!(check(&stage, "Backend Implementer").1, "success");
}

#[test]
fn a_github_that_goes_away_in_mid_run_loses_nothing_that_was_made() {
    let stage = stage_with_plan();
    let (running, gate) = begin_run(&stage);
    stage.github.state().faults = ["GET", "POST", "PATCH"]
        .map(|method| Fault {
            headers: vec![("retry-after", "1000".to_owned())],
            ..Fault::status(method, "/", usize::MAX, 429)
        })
        .to_vec();
    stage.open(&gate);
    let ran = running.finish(&stage).expect(0);
    assert_eq!(ran.output("status"), "complete");
    assert!(ran.workspace.join(ran.output("handoff-path")).is_file());
    assert!(ran.summary.contains("## Backend Implementation Complete"), "{}", ran.summary);
    assert!(ran.called.stdout.contains("Not reported everywhere"), "{}", ran.called.stdout);
    // The next run says what this one could not.
    stage.github.state().faults.clear();
    stage.bench.script(&json!({ "feature": { "write": { "src/hello.py": "x\n" } },
                                "cli": { "write": { "cli/greet.py": "x\n" } } }));
    stage.say("ada", "/implement").expect(0);
    assert_all_concluded(&stage);
}
