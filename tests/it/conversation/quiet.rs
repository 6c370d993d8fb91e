//! What is said where there is no plan, and the check that branch protection waits for.

use super::{ME, PLAN_FILE, check, check_names, page, reply, shown_lock, stage_with_plan};
use crate::support::{
    PLAN,
    action::{NUMBER, Stage},
    fan_out::Jobs,
    github::Fault,
};

const OVERALL: &str = "Backend Implementer";

#[test]
fn a_pull_request_without_a_plan_gets_no_comment_and_a_neutral_check() {
    for body in ["Fix a typo.", "## Plan\n\n<!-- Describe your plan here -->\n\n## Tests\n\nNone.\n"] {
        let stage = Stage::new(body, &[]);
        stage.happened("opened").expect(0);
        stage.happened("synchronize").expect(0);
        assert!(stage.github.comments(NUMBER).is_empty(), "{}", stage.github.transcript());
        assert_eq!(check(&stage, OVERALL).1, "neutral");
    }
}

#[test]
fn a_plan_that_is_added_to_a_head_without_one_keeps_the_check_shut_until_it_is_implemented() {
    let stage = Stage::new("Fix a typo.", &[]);
    stage.happened("opened").expect(0);
    stage.github.state().edit_body(NUMBER, &format!("```backend-plan\n{PLAN}```\n"));
    stage.happened("edited").expect(0);
    assert_eq!(check(&stage, OVERALL).1, "action_required");
    let lock = shown_lock(&page(&stage));
    stage.say("ada", &format!("/implement {lock}")).expect(0);
    assert_eq!(check(&stage, OVERALL).1, "success");
    // A preview has no say about a run.
    stage.happened("edited").expect(0);
    assert_eq!(check(&stage, OVERALL).1, "success");
    // The plan goes away: what was said about it is taken back in the one comment.
    stage.github.state().edit_body(NUMBER, "Fix a typo.");
    stage.happened("edited").expect(0);
    assert!(page(&stage).contains("There is no plan on this pull request"), "{}", page(&stage));
}

/// A head that has the files of a proven result is proven; one that only looks like it is not.
#[test]
fn the_check_is_carried_over_to_a_head_that_has_the_files_of_a_complete_result() {
    let mut jobs = Jobs::begin();
    jobs.run_to_end();
    jobs.act("summarize", &[("branch", "true")]).expect(0);
    let stage = &jobs.stage;
    stage.one_run.set(None);
    let bare = stage.bench.path("remote.git");
    stage.bench.git(["fetch", "--quiet", bare.to_str().unwrap(), "refs/heads/backend-implementer/pr-7"]);
    stage.bench.git(["reset", "--quiet", "--hard", "FETCH_HEAD"]);
    // The same files in a commit of somebody's own, as a squash makes it.
    let same = stage.move_head(&["commit", "--quiet", "--allow-empty", "--message", "squashed"]);
    stage.happened("synchronize").expect(0);
    let newest = |head: &str| {
        let checks = stage.github.checks(head);
        checks.into_iter().rfind(|check| check.name == OVERALL).and_then(|check| check.conclusion)
    };
    assert_eq!(newest(&same).as_deref(), Some("success"), "{}", stage.github.transcript());
    // One more file, and nobody has proven anything.
    let other = stage.push(&[("src/more.py", "x\n")]);
    stage.happened("synchronize").expect(0);
    assert_eq!(newest(&other), None, "{}", stage.github.transcript());
}

#[test]
fn every_merge_group_is_reported() {
    let stage = Stage::new("Fix a typo.", &[]);
    let head = "1".repeat(40);
    stage.act("merge_group", &stage.github.event_merge_group(&head), &[]).expect(0);
    let checks = stage.github.checks(&head);
    assert_eq!((checks[0].name.as_str(), checks[0].conclusion.as_deref()), (OVERALL, Some("success")));
}

#[test]
fn the_plan_is_shown_again_for_whoever_asks_and_what_looks_like_a_command_gets_an_answer() {
    let stage = stage_with_plan();
    stage.say("eve", "/implement plan").expect(0);
    let lock = shown_lock(&page(&stage));
    for wrong in ["/Implement", " /implement", "/implement\u{200b}", "/imple\u{ad}ment cancel"] {
        stage.say("ada", wrong).expect(2);
        assert!(reply(&stage).contains("Nothing was run"), "{}", reply(&stage));
    }
    assert!(check_names(&stage).iter().all(|name| name == "Backend Implementer / plan"), "nothing ran");
    stage.say("ada", &format!("/implement {lock}")).expect(0);

    let stage = Stage::new("Fix a typo.", &[]);
    stage.say("ada", "/implement plan").expect(0);
    assert!(reply(&stage).contains("There is no plan on this pull request"), "{}", reply(&stage));
}

#[test]
fn a_pull_request_that_cannot_be_worked_on_says_why() {
    let stage = stage_with_plan();
    stage.happened("opened").expect(0);
    let lock = shown_lock(&page(&stage));
    let refused = |words: &str| {
        let ran = stage.say("ada", &format!("/implement {lock}")).expect(2);
        assert!(ran.called.stderr.contains(words), "{}", ran.called.stderr);
    };
    // The rules are those of the branch that the pull request goes into, and that moved.
    let config = std::fs::read_to_string(stage.bench.repo().join(".github/backend-implementer.yml")).unwrap();
    let stricter = format!("{config}protected-paths: [secret/**]\n");
    stage.push_to_base(&[(".github/backend-implementer.yml", &stricter)]);
    refused("the agent files or the configuration on the base branch `main` changed");
    stage.push_to_base(&[(".github/backend-implementer.yml", &config)]);

    stage.github.state().faults.push(Fault::status("GET", "/pulls/7", 1, 301));
    let renamed = stage.say("ada", &format!("/implement {lock}")).expect(3);
    assert!(renamed.called.stderr.contains("the repository was renamed or transferred"), "{}", renamed.called.stderr);

    stage.github.state().pulls.get_mut(&NUMBER).unwrap().locked = true;
    refused("the conversation of the pull request is locked");
    let mut state = stage.github.state();
    let pull = state.pulls.get_mut(&NUMBER).unwrap();
    (pull.locked, pull.closed) = (false, true);
    drop(state);
    refused("the pull request is closed");
    let mut state = stage.github.state();
    let pull = state.pulls.get_mut(&NUMBER).unwrap();
    (pull.locked, pull.closed, pull.merged) = (false, true, true);
    drop(state);
    refused("the pull request is merged");
    let comments = stage.github.comments(NUMBER);
    assert!(comments.iter().any(|comment| comment.author == ME && comment.body.contains("merged")));
    assert!(stage.bench.git(["ls-files", PLAN_FILE]).contains(PLAN_FILE));
}
