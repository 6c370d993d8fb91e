//! The jobs of a fan-out as steps of GitHub Actions, on our fake: artifacts that are lost, foreign or tampered with, the
//! branch that is delivered, and the workflow that is started at the end.

use std::{collections::BTreeMap, fs};

use implementer_model::ids::Digest;
use serde_json::json;

use crate::support::{
    PLAN,
    action::{NUMBER, Stage},
    fan_out::{Jobs, RUN},
    github::Fault,
};

#[test]
fn the_integrated_commits_are_delivered_and_what_comes_next_is_started() {
    let mut jobs = Jobs::begin();
    jobs.run_to_end();
    let further = [("branch", "true"), ("on-complete", "submission.yml"), ("cancelled", "false")];
    let end = jobs.act("summarize", &further).expect(0);
    assert_eq!(end.output("status"), "complete", "{}", jobs.log.borrow());
    let comment = jobs.stage.github.only_comment_of(NUMBER, "github-actions[bot]").body;
    assert!(comment.contains("## Backend Implementation Complete"), "{comment}");

    // The branch is there, and it is the implementation.
    let bare = jobs.stage.bench.path("remote.git");
    let bare = bare.to_str().unwrap();
    let tip = |branch: &str| jobs.stage.bench.git(["-C", bare, "rev-parse", branch]);
    assert_eq!(tip("refs/heads/backend-implementer/pr-7"), jobs.output("head"));
    assert_eq!(tip("refs/pull/7/head"), jobs.stage.head(), "the pull request's branch is as it was");
    let story = jobs.stage.github.state().story.join("\n");
    let started = format!("starts submission.yml on main: {{\"commit\":\"{}\"", jobs.output("head"));
    assert!(story.contains(&started), "{story}");
    let said = &end.called.stdout;
    assert!(
        said.contains("run 900 https://example.invalid/900") && said.contains("runs nothing of the repository's"),
        "{said}"
    );
    // Everything is concluded, and the run is an artifact.
    let state = jobs.stage.github.state();
    assert!(state.checks.iter().all(|check| check.status == "completed"), "{:#?}", state.checks);
    assert!(state.artifacts.values().any(|stored| stored.name == "backend-implementer-run-attempt-1"));
    drop(state);
    // The token stands in no log and no address.
    assert!(!jobs.log.borrow().contains("ghs_workflow"));

    // Again, with the branch where it is now: a lease that holds.
    jobs.act("summarize", &[("branch", "true"), ("out", "again")]).expect(0);
    assert_eq!(tip("refs/heads/backend-implementer/pr-7"), jobs.output("head"));
}

#[test]
fn a_job_that_took_the_name_of_another_slot_speaks_for_neither() {
    let mut jobs = Jobs::begin();
    let said = jobs.wave();
    let [first, second] = ["slot-0", "slot-1"].map(|slot| jobs.artifact(&said[slot]));
    let uploaded_by = |jobs: &Jobs, id: u64, number: u32| {
        jobs.stage.github.state().artifacts.get_mut(&id).unwrap().job = format!("ca395085-040a-526b-2ce8-{number:012}");
    };
    // The hostile job of the second slot took the name of the first before its own job could.
    uploaded_by(&jobs, first, 2);
    uploaded_by(&jobs, second, 2);
    let log = jobs.settle(&said);
    for task in ["feature#1", "cli#1"] {
        let line = log.lines().find(|line| line.contains(task)).unwrap_or_else(|| panic!("{task}: {log}"));
        assert!(line.contains("is foreign: the job that uploaded it"), "{line}");
    }
    // As it should be: each job uploaded its own, and all count.
    let said = jobs.wave();
    for (number, binding) in (3..).zip(said.values()) {
        uploaded_by(&jobs, jobs.artifact(binding), number);
    }
    let log = jobs.settle(&said);
    assert!(!log.contains("foreign") && !log.contains("Result not counted"), "{log}");
}

#[test]
fn artifacts_that_are_lost_foreign_or_tampered_with_have_each_an_answer() {
    let mut jobs = Jobs::begin();
    let said = jobs.wave();
    // One is another than its job said; one that nobody names has a name like theirs.
    let tampered = jobs.artifact(&said["slot-0"]);
    jobs.stage.github.state().artifacts.get_mut(&tampered).unwrap().zip.push(0);
    let mut foreign = jobs.stage.github.state().artifacts[&tampered].clone();
    foreign.name = "backend-implementer-wave-1-9-attempt-1".to_owned();
    jobs.stage.github.state().artifacts.insert(9_999, foreign);
    let log = jobs.settle(&said);
    assert!(log.contains("feature#1: the artifact") && log.contains("it was tampered with"), "{log}");
    assert!(log.contains("the artifact backend-implementer-wave-1-9-attempt-1 (9999) is foreign"), "{log}");

    // The next wave goes on; its artifact is a zip that would write elsewhere.
    let mut said = jobs.wave();
    let id = jobs.artifact(&said["slot-0"]);
    let evil = evil_zip();
    let digest = Digest::from_content(&evil);
    jobs.stage.github.state().artifacts.get_mut(&id).unwrap().zip = evil;
    said.insert("slot-0".to_owned(), format!("{id}:{}", digest.hex()));
    let log = jobs.settle(&said);
    assert!(log.contains("was not unpacked") && log.contains("which does not stay in its folder"), "{log}");
    // And one whose output is no binding at all.
    let said = jobs.wave().into_keys().map(|slot| (slot, "::error::x".to_owned())).collect();
    let log = jobs.settle(&said);
    assert!(log.contains("its job names no artifact, but `"), "{log}");

    // The state itself must be the one that was said.
    let state = jobs.artifact(jobs.output("state"));
    jobs.stage.github.state().artifacts.get_mut(&state).unwrap().zip.push(0);
    let refused = jobs.act("summarize", &[]).expect(3);
    assert!(refused.called.stderr.contains("cannot read the state of the previous job"), "{}", refused.called.stderr);
}

#[test]
fn what_the_platform_does_is_no_verdict_and_the_job_goes_on_when_it_is_run_again() {
    let mut jobs = Jobs::begin();
    let said = jobs.wave();
    let stopped = |jobs: &Jobs, said: &BTreeMap<String, String>, words: &str| {
        let results = json!(said).to_string();
        let settled = jobs.act("settle", &[("wave", "wave-1"), ("results", &results)]).expect(3);
        let log = &settled.called.stderr;
        assert!(log.contains(words) && log.contains("Re-run failed jobs"), "{log}");
        assert!(settled.output("state").is_empty(), "nothing is settled");
    };
    // A job lost its runner.
    let mut lost = said.clone();
    lost.insert("slot-1".to_owned(), String::new());
    let artifact = jobs.artifact(&said["slot-1"]);
    let stored = jobs.stage.github.state().artifacts.remove(&artifact).unwrap();
    stopped(&jobs, &lost, "cli#1: its job ended without a result: it is lost");
    // A job uploaded its result, and GitHub dropped what it said.
    jobs.stage.github.state().artifacts.insert(artifact, stored);
    stopped(&jobs, &lost, "cli#1: its job uploaded a result, and its output is empty: GitHub drops outputs");
    // GitHub fails, and its limits are used up.
    let limit = |seconds: &str| vec![("retry-after", seconds.to_owned())];
    for fault in [
        Fault::status("GET", "/artifacts", usize::MAX, 503),
        Fault { headers: limit("3600"), ..Fault::status("GET", "/artifacts", usize::MAX, 429) },
    ] {
        jobs.stage.github.state().artifact_faults.push(fault);
        stopped(&jobs, &said, "cannot read the state of the previous job");
        jobs.stage.github.state().artifact_faults.clear();
    }
    // Run again, it comes to what it would have come to.
    jobs.stage.attempt.set(2);
    jobs.settle(&said);
    jobs.run_to_end();
    let end = jobs.act("summarize", &[]).expect(0);
    assert_eq!(end.output("status"), "complete", "{}", jobs.log.borrow());
}

#[test]
fn a_later_attempt_brings_its_check_runs_to_what_is_true() {
    let mut jobs = Jobs::begin();
    let said = jobs.wave();
    jobs.settle(&said);
    // Something stopped it, and the summary says so.
    jobs.act("summarize", &[]).expect(1);
    let red = |jobs: &Jobs| {
        let checks = jobs.stage.github.checks(&jobs.stage.head());
        let bad = |check: &&crate::support::github::CheckRun| {
            !["success", "neutral"].contains(&check.conclusion.as_deref().unwrap_or("open"))
        };
        checks.iter().filter(bad).map(|check| check.name.clone()).collect::<Vec<_>>()
    };
    assert!(!red(&jobs).is_empty());
    jobs.stage.attempt.set(2);
    jobs.run_to_end();
    jobs.act("summarize", &[("out", "again")]).expect(0);
    assert_eq!(red(&jobs), Vec::<String>::new());
}

#[test]
fn a_task_is_run_again_with_what_the_last_run_finished() {
    let mut jobs = Jobs::begin();
    jobs.stage.bench.script(&json!({ "feature": { "exit": 1 }, "cli": { "write": { "cli/greet.py": "x\n" } } }));
    jobs.run_to_end();
    jobs.act("summarize", &[]).expect(1);

    jobs.stage.bench.script(&json!({ "feature": { "write": { "src/hello.py": "x\n" } } }));
    let payload = jobs.stage.github.event_comment(NUMBER, "ada", "/implement retry feature");
    jobs.stage.one_run.set(Some(RUN + 1));
    jobs.stage.github.forget_requests();
    let begun = jobs.told(jobs.stage.act("issue_comment", &payload, &[("fan-out", "true")]).expect(0));
    let legs: Vec<serde_json::Value> = serde_json::from_str(begun.output("matrix")).unwrap();
    let tasks: Vec<_> = legs.iter().map(|leg| leg["tasks"].as_str().unwrap()).collect();
    assert_eq!(tasks, ["feature#1"], "what passed is not done again\n{}", jobs.log.borrow());
    (jobs.outputs, jobs.payload) = (begun.outputs, payload);
    jobs.wave = 0;
    jobs.run_to_end();
    jobs.act("summarize", &[]).expect(0);
    let comment = jobs.stage.github.only_comment_of(NUMBER, "github-actions[bot]").body;
    assert!(comment.contains("## Backend Implementation Complete"), "{comment}");
}

fn evil_zip() -> Vec<u8> {
    use std::io::Write as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("evil.zip");
    let mut zip = zip::ZipWriter::new(fs::File::create(&path).unwrap());
    zip.start_file("../../escaped", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(b"x").unwrap();
    zip.finish().unwrap();
    fs::read(path).unwrap()
}

#[test]
fn a_workflow_that_was_cancelled_posts_what_there_is() {
    let mut jobs = Jobs::begin();
    let said = jobs.wave();
    jobs.settle(&said);
    let end = jobs.act("summarize", &[("cancelled", "true"), ("on-complete", "submission.yml")]);
    assert_eq!(end.output("status"), "cancelled", "{}", jobs.log.borrow());
    let comment = jobs.stage.github.only_comment_of(NUMBER, "github-actions[bot]").body;
    assert!(comment.contains("feature"), "{comment}");
    assert!(end.called.stdout.contains("submission.yml is not started"), "{}", end.called.stdout);
}

#[test]
fn a_plan_with_more_waves_than_the_workflow_is_refused_before_anything_runs() {
    let stage = Stage::new("Please.", &[(".backend-implementer/plan.md", PLAN)]);
    let config = fs::read_to_string(stage.bench.repo().join(".github/backend-implementer.yml")).unwrap();
    stage.push_to_base(&[(".github/backend-implementer.yml", &format!("{config}workflow:\n  waves: 2\n"))]);
    let payload = stage.github.event_dispatch(&json!({ "pr": NUMBER.to_string() }), "ada");
    let refused = stage.act("workflow_dispatch", &payload, &[("fan-out", "true")]);
    assert_ne!(refused.called.code, 0);
    let said = format!("{}{}", refused.called.stdout, refused.called.stderr);
    assert!(
        said.contains("the plan has 4 waves, and the workflow has room for 2")
            && said.contains("set `workflow.waves` to 4"),
        "{said}"
    );
}

/// The two tasks of the first wave pass, and their patches conflict: something else comes next than the plan says.
const CONFLICT: &str = "# P\n\n## CLI\nTouches: src/a/**\n- greet\n\n## Feature\nTouches: src/*\n- say hello\n\n\
    ## Verification\n- tests: `python3 -m unittest -v`\n- validation: `git --version`\n";

#[test]
fn where_something_else_comes_than_the_plan_says_a_job_settles_and_no_work_is_lost_or_done_twice() {
    let mut jobs = Jobs::begin_plan(CONFLICT, "");
    jobs.stage.bench.script(&json!({
        "cli": { "write": { "src/a/greet.py": "x\n" } },
        "feature#1": { "write": { "src/a": "a file where a folder is\n" } },
        "feature#2": { "write": { "src/hello.py": "hello\n" } },
    }));
    assert_eq!(jobs.output("last"), "wave-4", "{:?}", jobs.outputs);
    let planned = jobs.output("matrix-2").to_owned();
    assert!(planned.contains("tests#1"), "{planned}");
    let first = jobs.wave();
    let unsettled = json!([first]).to_string();

    // The next wave finds that it is not its turn, and does nothing.
    let before = [("unsettled", unsettled.as_str()), ("planned", &planned)];
    let tasks = [("tasks", "tests#1"), ("wave", "wave-2"), ("slot", "0")];
    let prepared = jobs.act("prepare", &[&tasks[..], &before].concat()).expect(0);
    assert_eq!(prepared.output("due"), "false");
    let collected = jobs.act("collect", &[&tasks[..], &before, &[("due", "false")]].concat()).expect(0);
    assert_eq!((collected.output("settle"), collected.output("slot-0")), ("true", ""));

    // The job that settles takes in what was made, and says what really comes next.
    jobs.wave = 2;
    let said = [("settle".to_owned(), "true".to_owned())].into();
    jobs.settle_with(&said, &[("unsettled", &unsettled)]);
    let legs: Vec<serde_json::Value> = serde_json::from_str(jobs.output("matrix")).unwrap();
    let due: Vec<_> = legs.iter().map(|leg| leg["tasks"].as_str().unwrap()).collect();
    assert_eq!(due, ["feature#2"], "what passed stands\n{}", jobs.log.borrow());
    jobs.run_to_end();
    jobs.act("summarize", &[]).expect(0);
    let comment = jobs.stage.github.only_comment_of(NUMBER, "github-actions[bot]").body;
    assert!(comment.contains("## Backend Implementation Complete"), "{comment}");
}

#[test]
fn waves_that_follow_each_other_are_taken_in_by_whoever_comes_next() {
    let mut jobs = Jobs::begin_with("");
    let first = jobs.wave();
    // A result that its job does not name is no reason to do the work once more: the next job stops.
    let mut lost = first.clone();
    lost.insert("slot-1".to_owned(), String::new());
    let planned = jobs.output("matrix-2").to_owned();
    let tasks = [("tasks", "tests#1"), ("wave", "wave-2"), ("slot", "0"), ("planned", planned.as_str())];
    let unsettled = json!([lost]).to_string();
    let stopped = jobs.act("prepare", &[&tasks[..], &[("unsettled", &unsettled)]].concat()).expect(3);
    assert!(stopped.called.stderr.contains("its output is empty"), "{}", stopped.called.stderr);
    // With all of them it has the commit that they give.
    let unsettled = json!([first]).to_string();
    let before = [("unsettled", unsettled.as_str())];
    assert_eq!(jobs.act("prepare", &[&tasks[..], &before].concat()).expect(0).output("due"), "");
    jobs.host("work", &["--tasks", "tests#1"]);
    let collected = jobs.act("collect", &[&tasks[..], &before].concat()).expect(0);
    assert!(!collected.output("slot-0").is_empty() && collected.output("settle").is_empty());
    // The workflow is cancelled: what was finished is in the summary, and is kept for a retry.
    let second = json!({ "slot-0": collected.output("slot-0") });
    let unsettled = json!([first, second, {}]).to_string();
    let further = [("cancelled", "true"), ("unsettled", unsettled.as_str())];
    let end = jobs.act("summarize", &further);
    assert_eq!(end.output("status"), "cancelled", "{}", jobs.log.borrow());
    let state = jobs.stage.github.state();
    assert!(state.artifacts.values().any(|stored| stored.name == "backend-implementer-state-summarize-attempt-1"));
    drop(state);
    jobs.stage.bench.script(&json!({}));
    let payload = jobs.stage.github.event_comment(NUMBER, "ada", "/implement retry");
    jobs.stage.one_run.set(Some(RUN + 1));
    jobs.stage.github.forget_requests();
    let again = [("fan-out", "true"), ("layout", "matrix")];
    let begun = jobs.told(jobs.stage.act("issue_comment", &payload, &again).expect(0));
    assert!(begun.output("matrix").contains("review#1"), "what passed is not done again\n{}", jobs.log.borrow());
}
