//! Approvals that cannot be checked are none: what changed after them, what GitHub does not say, what was run again.

use serde_json::{Value, json};

use super::{check_names, page, shown_lock, stage_with_plan};
use crate::support::{
    PLAN,
    action::{NUMBER, Stage},
    github::Fault,
};

/// Names the label that runs a plan.
fn with_label(stage: &Stage) {
    let config = stage.bench.git(["show", "main:.github/backend-implementer.yml"]);
    let config = format!("{config}\npull-request:\n  run-label: implement\n");
    stage.push_to_base(&[(".github/backend-implementer.yml", &config)]);
}

fn in_description(plan: &str) -> String {
    format!("```backend-plan\n{plan}```\n")
}

fn nothing_ran(stage: &Stage) {
    assert!(
        check_names(stage).iter().all(|name| name == "Backend Implementer / plan"),
        "{}",
        stage.github.transcript()
    );
}

#[test]
fn a_plan_that_is_swapped_after_the_label_was_set_does_not_run() {
    let stage = Stage::new(&in_description(PLAN), &[]);
    with_label(&stage);
    let label = stage.github.event_labeled(NUMBER, "implement", "ada");
    let swapped = PLAN.replace("say hello", "open a back door");
    stage.github.state().edit_body(NUMBER, &in_description(&swapped));
    let refused = stage.act("pull_request", &label, &[]).expect(2);
    assert!(refused.called.stderr.contains("changed after the label was set"), "{}", refused.called.stderr);
    nothing_ran(&stage);
}

#[test]
fn what_github_does_not_answer_is_no_approval() {
    let stage = Stage::new(&in_description(PLAN), &[]);
    with_label(&stage);
    let label = stage.github.event_labeled(NUMBER, "implement", "ada");
    stage.github.state().faults.push(Fault::status("GET", "/check-runs", usize::MAX, 500));
    let stopped = stage.act("pull_request", &label, &[]).expect(3);
    assert!(stopped.called.stderr.contains("Re-run failed jobs"), "{}", stopped.called.stderr);
    assert!(stage.github.checks(&stage.head()).is_empty(), "{}", stage.github.transcript());
    // Nothing was lost by it.
    stage.github.state().faults.clear();
    stage.act("pull_request", &label, &[]).expect(0);
}

#[test]
fn a_workflow_started_by_hand_runs_what_was_there_when_it_was_started() {
    let stage = stage_with_plan();
    let inputs = json!({ "pr": NUMBER.to_string() });
    let payload = stage.github.event_dispatch(&inputs, "ada");
    let refused = |stage: &Stage, payload: &Value, words: &str| {
        let ran = stage.act("workflow_dispatch", payload, &[]).expect(2);
        assert!(ran.called.stderr.contains(words), "{}", ran.called.stderr);
        nothing_ran(stage);
    };
    stage.github.state().pulls.get_mut(&NUMBER).unwrap().updated_at = "2099-01-01T00:00:00Z".to_owned();
    refused(&stage, &payload, "the pull request changed after the workflow was started");
    stage.github.state().pulls.get_mut(&NUMBER).unwrap().updated_at = "not a time".to_owned();
    refused(&stage, &payload, "GitHub does not say whether the pull request changed");
    stage.github.state().pulls.get_mut(&NUMBER).unwrap().updated_at = "2020-01-01T00:00:00Z".to_owned();
    // A later attempt has no authority of the first.
    stage.attempt.set(2);
    refused(&stage, &payload, "the workflow was re-run");
    stage.triggering_actor.set("eve");
    stage.happened("opened").expect(0);
    let lock = shown_lock(&page(&stage));
    let named = stage.github.event_dispatch(&json!({ "pr": NUMBER.to_string(), "lock": lock }), "ada");
    refused(&stage, &named, "eve has no write permission");
    stage.triggering_actor.set("grace");
    stage.act("workflow_dispatch", &named, &[]).expect(0);
}

#[test]
fn a_comment_without_a_lock_counts_only_for_what_our_comment_showed_before_it() {
    let stage = stage_with_plan();
    stage.happened("opened").expect(0);
    let comment = stage.github.event_comment(NUMBER, "ada", "/implement");
    // Somebody changes our comment after the approval, so that nobody knows what it showed.
    let mut state = stage.github.state();
    let ours = state.comments.iter_mut().find(|comment| comment.author == super::ME).unwrap();
    ours.updated_at = "2099-01-01T00:00:00Z".to_owned();
    drop(state);
    let refused = stage.act("issue_comment", &comment, &[]).expect(2);
    assert!(refused.called.stderr.contains("changed after they were shown to you"), "{}", refused.called.stderr);
    nothing_ran(&stage);
}

#[test]
fn who_edited_a_text_last_is_asked_and_not_guessed() {
    let stage = stage_with_plan();
    stage.happened("opened").expect(0);
    // A person wrote something else into our comment before the approval, and left the lock as it was.
    let edited = |by: &str| {
        let mut state = stage.github.state();
        let ours = state.comments.iter_mut().find(|comment| comment.author == super::ME).unwrap();
        ours.edited = Some((ours.updated_at.clone(), by.to_owned()));
    };
    edited("eve");
    let refused = stage.say("ada", "/implement").expect(2);
    let said = "somebody else edited the comment that shows the plan";
    assert!(refused.called.stderr.contains(said), "{}", refused.called.stderr);
    edited(super::ME);
    stage.github.state().edits_unknown = true;
    let refused = stage.say("ada", "/implement").expect(2);
    assert!(refused.called.stderr.contains("GitHub does not say who edited"), "{}", refused.called.stderr);
    nothing_ran(&stage);
    stage.github.state().edits_unknown = false;
    stage.say("ada", "/implement").expect(0);

    // A description that was changed and changed back after the label was set is not what was labelled.
    let stage = Stage::new(&in_description(PLAN), &[]);
    with_label(&stage);
    let label = stage.github.event_labeled(NUMBER, "implement", "ada");
    stage.github.state().pulls.get_mut(&NUMBER).unwrap().edited_at = Some("2099-01-01T00:00:00Z".to_owned());
    let refused = stage.act("pull_request", &label, &[]).expect(2);
    assert!(refused.called.stderr.contains("changed after the label was set"), "{}", refused.called.stderr);
    stage.github.state().edits_unknown = true;
    let refused = stage.act("pull_request", &label, &[]).expect(2);
    assert!(
        refused.called.stderr.contains("GitHub does not say when the plan was changed"),
        "{}",
        refused.called.stderr
    );
    nothing_ran(&stage);
}

#[test]
fn a_runner_that_does_not_say_which_attempt_it_is_approves_nothing() {
    let stage = stage_with_plan();
    stage.attempt.set(0);
    let inputs = json!({ "pr": NUMBER.to_string() });
    let refused = stage.act("workflow_dispatch", &stage.github.event_dispatch(&inputs, "ada"), &[]).expect(2);
    assert!(refused.called.stderr.contains("GITHUB_RUN_ATTEMPT"), "{}", refused.called.stderr);
    nothing_ran(&stage);
}

#[test]
fn a_token_with_what_copying_leaves_works_and_a_bad_one_is_refused_in_words() {
    let mut stage = stage_with_plan();
    stage.token = "ghs_workflow\n".to_owned();
    stage.happened("opened").expect(0);
    for bad in ["ghs_work\nflow", "ghs_w\u{f6}rkflow"] {
        stage.token = bad.to_owned();
        let refused = stage.happened("opened").expect(2);
        assert!(refused.called.stderr.contains("a character that no token has"), "{}", refused.called.stderr);
        assert!(!refused.called.stderr.contains("panicked") && !refused.called.stderr.contains("rkflow"));
    }
}
