//! A workflow of its own that does the work of a subagent: started, waited for, ended when nobody waits any more, and its
//! result counted like any other.

use std::{collections::BTreeMap, time::Duration};

use backend_implementer::{
    github::{Github, Settings},
    http::Pace,
    step::dispatched_run::{self, DispatchError, Pauses, Start, Waited},
};
use implementer_model::github_ids::RunId;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::{
    Bench,
    action::{Acting, NUMBER},
    fan_out::{Jobs, RUN},
    github::{Dispatched, ELSEWHERE, FakeGithub, Fault, Identity, REPOSITORY, State, artifacts::Stored},
};

const OWN: &str = "workflow:\n  subagents:\n    backend-cli-implementer: { dispatch: { workflow: cli.yml } }\n";

const OTHER: &str = "workflow:\n  subagents:\n    backend-cli-implementer:\n      dispatch:\n        workflow: cli.yml\n        \
                     repository: octo/labs\n        token: LABS_TOKEN\n        inputs: { size: large }\n";

/// The name of the result's artifact.
const RESULT: &str = "backend-implementer-wave-1-1-attempt-1";

impl Jobs {
    /// Begins the job that waits for the workflow which does the CLI.
    fn begin_dispatch(&self, further: &[(&str, &str)]) -> (Acting, Dispatched) {
        let legs: Vec<Value> = serde_json::from_str(self.output("dispatch")).expect("a matrix");
        let [leg] = legs.as_slice() else { panic!("{legs:#?}") };
        assert_eq!((leg["tasks"].as_str(), leg["slot"].as_u64()), (Some("cli#1"), Some(1)));
        let inputs = [&[("tasks", "cli#1"), ("slot", "1"), ("wave", "wave-1")], further].concat();
        let before = self.stage.github.state().dispatched.len();
        let acting = self.begin_step("dispatch", &inputs);
        self.stage.github.wait_for("a dispatch", |state| state.dispatched.len() > before);
        let dispatched = self.stage.github.state().dispatched[before].clone();
        (acting, dispatched)
    }

    /// Does what the dispatched workflow does, in its own run and repository; `token` is that for the pull request's.
    fn work_elsewhere(&self, dispatched: &Dispatched, token: &str) {
        let job = dispatched.inputs["job"].as_str().expect("an input");
        self.stage.one_run.set(Some(dispatched.run));
        self.stage.repository.set(dispatched.repository);
        let step = |command: &str| {
            let inputs = [("command", command), ("job", job), ("token", token)];
            let payload = json!({ "inputs": dispatched.inputs });
            self.told(self.stage.act("workflow_dispatch", &payload, &inputs).expect(0))
        };
        let prepared = step("prepare");
        assert_eq!((prepared.output("tasks"), prepared.output("folder")), ("cli#1", "cli-1"));
        assert_eq!(prepared.output("lock"), self.lock);
        self.host("work", &["--tasks", prepared.output("tasks")]);
        step("collect");
        self.stage.github.state().runs.insert(dispatched.run, ("completed".to_owned(), 1));
        self.stage.one_run.set(Some(RUN));
        self.stage.repository.set(REPOSITORY);
    }

    fn finish_wave(&mut self, acting: Acting, code: i32) -> String {
        let ended = self.told(acting.finish(&self.stage).expect(code));
        let waited: BTreeMap<_, _> = [("slot-1".to_owned(), ended.output("slot-1").to_owned())].into();
        let said = self.wave();
        self.settle_with(&said, &[("dispatched", &json!(waited).to_string())])
    }
}

#[test]
fn a_workflow_of_another_repository_does_the_work_and_its_result_counts() {
    let mut jobs = Jobs::begin_with(OTHER);
    let labs = Identity { repository: ELSEWHERE, ..Identity::user("labs") };
    jobs.stage.github.state().tokens.insert("ghp_labs".to_owned(), labs);
    let (acting, dispatched) = jobs.begin_dispatch(&[("dispatch-token", "ghp_labs")]);
    assert_eq!((dispatched.repository, dispatched.file.as_str()), (ELSEWHERE, "cli.yml"));
    assert_eq!(dispatched.reference, "trunk", "its default branch");
    assert_eq!(dispatched.inputs["size"], "large");
    assert_eq!(dispatched.inputs["name"], format!("cli#1 for octo/service ({RUN}/1, wave-1/1)"));
    let told = dispatched.inputs.to_string();
    assert!(told.contains("octo/service") && !told.contains("ghs_") && !told.contains("ghp_"), "{told}");
    jobs.stage.github.state().runs.insert(dispatched.run, ("in_progress".to_owned(), 1));
    jobs.work_elsewhere(&dispatched, "ghs_workflow");

    let log = jobs.finish_wave(acting, 0);
    assert!(!log.contains("Result not counted"), "{log}");
    jobs.run_to_end();
    jobs.act("summarize", &[]).expect(0);
    let comment = jobs.stage.github.only_comment_of(NUMBER, "github-actions[bot]").body;
    assert!(comment.contains("## Backend Implementation Complete"), "{comment}");
    // The result lies in both runs, the same to the byte.
    let state = jobs.stage.github.state();
    let zips: Vec<_> = state.artifacts.values().filter(|stored| stored.name == RESULT).collect();
    assert!(matches!(zips[..], [a, b] if a.run != b.run && a.zip == b.zip));
    // Each token goes to its own repository.
    let of = |who: &str| state.requests.iter().filter(|request| request.who == who).collect::<Vec<_>>();
    assert!(of("labs").iter().all(|request| request.path.contains("/repos/octo/labs")), "{:#?}", of("labs"));
    drop(state);
    let log = jobs.log.borrow();
    assert!(log.contains("works in cli.yml of octo/labs on trunk: ") && !log.contains("ghp_labs"), "{log}");
}

#[test]
fn what_goes_wrong_with_it_is_told_in_the_summary() {
    // There is no such workflow.
    let mut jobs = Jobs::begin_with(OWN);
    let fault = Fault::status("POST", "cli.yml/dispatches", 1, 404);
    jobs.stage.github.state().faults.push(fault);
    let acting = jobs.begin_step("dispatch", &[("tasks", "cli#1"), ("slot", "1"), ("wave", "wave-1")]);
    let log = jobs.finish_wave(acting, 3);
    let why = "cli.yml in octo/service was not started";
    assert!(!log.contains("it is lost"), "{log}");
    assert!(jobs.log.borrow().contains(why) && jobs.log.borrow().contains("on the default branch of its repository"));
    // It failed like any attempt, and is not made again by itself.
    jobs.run_to_end();
    jobs.act("summarize", &[]).expect(1);
    let comment = jobs.stage.github.only_comment_of(NUMBER, "github-actions[bot]").body;
    assert!(comment.contains("## Backend Implementation Incomplete") && comment.contains(why), "{comment}");

    // Its token is not there.
    let jobs = Jobs::begin_with(OTHER);
    let acting = jobs.begin_step("dispatch", &[("tasks", "cli#1"), ("slot", "1"), ("wave", "wave-1")]);
    let ended = jobs.told(acting.finish(&jobs.stage).expect(2));
    assert!(jobs.log.borrow().contains("the secret that `dispatch.token` names is empty"), "{}", jobs.log.borrow());
    assert!(!ended.output("slot-1").is_empty(), "there is a result that says so");

    // It takes other inputs.
    let jobs = Jobs::begin_with(OWN);
    let mut fault = Fault::status("POST", "cli.yml/dispatches", 1, 422);
    fault.body = json!({ "message": "Unexpected inputs provided: [\"job\"]" });
    jobs.stage.github.state().faults.push(fault);
    let acting = jobs.begin_step("dispatch", &[("tasks", "cli#1"), ("slot", "1"), ("wave", "wave-1")]);
    jobs.told(acting.finish(&jobs.stage).expect(3));
    assert!(jobs.log.borrow().contains("to take the inputs `job` and `name`"), "{}", jobs.log.borrow());

    // It ends without a result.
    let jobs = Jobs::begin_with(OWN);
    let (acting, dispatched) = jobs.begin_dispatch(&[]);
    assert_eq!(dispatched.reference, "main", "the branch that the pull request goes into");
    jobs.stage.github.state().conclusions.insert(dispatched.run, "failure".to_owned());
    jobs.stage.github.state().runs.insert(dispatched.run, ("completed".to_owned(), 1));
    let ended = jobs.told(acting.finish(&jobs.stage).expect(3));
    let said = format!("run {} in octo/service ended (failure), and uploaded no artifact `{RESULT}`", dispatched.run);
    assert!(jobs.log.borrow().contains(&said), "{}", jobs.log.borrow());
    assert!(!ended.output("slot-1").is_empty(), "there is a result that says so");
}

#[test]
fn nobody_is_asked_to_wait_for_what_the_workflow_does_not_start() {
    let mut jobs = Jobs::begin_with(OWN);
    // As with a workflow that was generated before the configuration said so.
    let said = jobs.wave();
    let log = jobs.settle(&said);
    assert!(
        log.contains("cli#1: the workflow has no job that starts its own: run `backend-implementer generate`"),
        "{log}"
    );
    // And the other way round: what is not dispatched is not.
    let jobs = Jobs::begin();
    let refused = jobs.act("dispatch", &[("tasks", "cli#1"), ("slot", "1"), ("wave", "wave-1")]).expect(2);
    let said = &refused.called.stderr;
    assert!(said.contains("has no workflow of its own") && said.contains("backend-implementer generate"), "{said}");
    let refused =
        jobs.stage.act("workflow_dispatch", &json!({}), &[("command", "prepare"), ("job", "{\"version\":2}")]);
    let said = &refused.expect(2).called.stderr;
    assert!(said.contains("the input `job` is not what `dispatch` tells a workflow"), "{said}");
}

#[test]
fn a_run_whose_start_was_answered_by_nobody_is_found_by_its_name() {
    let jobs = Jobs::begin_with(OWN);
    jobs.stage.github.state().faults.push(Fault::unanswered("POST", "cli.yml/dispatches"));
    let (acting, dispatched) = jobs.begin_dispatch(&[]);
    jobs.work_elsewhere(&dispatched, "ghs_workflow");
    let ended = jobs.told(acting.finish(&jobs.stage).expect(0));
    assert!(!ended.output("slot-1").is_empty());
    assert_eq!(jobs.stage.github.state().dispatched.len(), 1, "twice would be two runs");
}

#[test]
fn a_job_that_is_cancelled_or_killed_ends_the_run_that_it_waits_for() {
    let jobs = Jobs::begin_with(OWN);
    let (acting, dispatched) = jobs.begin_dispatch(&[]);
    let child = rustix::process::Pid::from_child(&acting.child);
    let asked = format!("actions/runs/{}", dispatched.run);
    let waits =
        |state: &State| state.requests.iter().any(|request| request.method == "GET" && request.path.ends_with(&asked));
    jobs.stage.github.wait_for("the first question", waits);
    rustix::process::kill_process(child, rustix::process::Signal::TERM).unwrap();
    let ended = jobs.told(acting.finish(&jobs.stage).expect(130));
    assert!(ended.output("slot-1").is_empty());
    let cancelled = |run: u64| {
        let story = &jobs.stage.github.state().story;
        story.iter().filter(|line| line.ends_with(&format!("cancels run {run}"))).count()
    };
    assert_eq!(cancelled(dispatched.run), 1);
    assert!(jobs.stage.after(&ended).expect(0).stderr.contains("concluded everything itself"));

    // What is killed at once leaves it to the step after it.
    let (mut acting, dispatched) = jobs.begin_dispatch(&[]);
    let asked = format!("actions/runs/{}", dispatched.run);
    let waits =
        |state: &State| state.requests.iter().any(|request| request.method == "GET" && request.path.ends_with(&asked));
    jobs.stage.github.wait_for("the first question", waits);
    acting.child.kill().unwrap();
    let ended = acting.finish(&jobs.stage);
    assert_eq!(cancelled(dispatched.run), 0);
    let after = jobs.stage.after(&ended).expect(0);
    assert!(after.stderr.contains("was cancelled"), "{}", after.stderr);
    assert_eq!(cancelled(dispatched.run), 1);
}

/// A GitHub with one run at work, and pauses that are none.
struct Waiting {
    fake: FakeGithub,
    github: Github,
    _bench: Bench,
}

const PAUSES: Pauses = Pauses { first: Duration::from_millis(1), longest: Duration::from_millis(2) };
const LONG: Duration = Duration::from_secs(60);

impl Waiting {
    async fn new() -> (Self, RunId) {
        let waiting = tokio::task::spawn_blocking(|| {
            let bench = Bench::new();
            let fake = FakeGithub::start(&bench.path("nothing.git"));
            let settings = Settings {
                api_url: fake.api_url(),
                graphql_url: fake.graphql_url(),
                token: "ghs_workflow".to_owned().into(),
                repository: REPOSITORY.parse().unwrap(),
                pace: Pace {
                    first_wait: Duration::from_millis(1),
                    longest_wait: Duration::from_millis(2),
                    ..Pace::default()
                },
            };
            (bench, fake, settings)
        });
        let (bench, fake, settings) = waiting.await.unwrap();
        let waiting = Self { fake, github: Github::new(settings).unwrap(), _bench: bench };
        let start = Start { workflow: "x.yml", reference: "main", inputs: &[("name", "one")], name: "one" };
        let run = dispatched_run::start(&waiting.github, &start, PAUSES).await.unwrap();
        (waiting, run)
    }

    async fn wait(&self, run: RunId, limit: Duration) -> Result<Waited, DispatchError> {
        let cancel = CancellationToken::new();
        dispatched_run::wait(&self.github, run, limit, PAUSES, cancel).await
    }

    /// The server has a runtime of its own, which must not end on this one.
    async fn end(self) {
        tokio::task::spawn_blocking(move || drop(self)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_github_that_is_away_is_waited_for_and_one_that_refuses_is_not() {
    let (waiting, run) = Waiting::new().await;
    waiting.fake.state().runs.insert(run.get(), ("completed".to_owned(), 1));
    waiting.fake.state().faults.push(Fault::status("GET", "actions/runs/", 20, 503));
    let Waited::Over(ended) = waiting.wait(run, LONG).await.unwrap() else { panic!("it is over") };
    assert_eq!(ended.conclusion.as_deref(), Some("success"));

    // The token may not look: the run must not go on with nobody waiting for it.
    waiting.fake.state().runs.insert(run.get(), ("in_progress".to_owned(), 1));
    waiting.fake.state().faults.push(Fault::status("GET", "actions/runs/", 1, 403));
    let error = waiting.wait(run, LONG).await.unwrap_err();
    assert!(matches!(error, DispatchError::OutOfSight { .. }), "{error}");
    assert_eq!(waiting.fake.state().conclusions[&run.get()], "cancelled");
    waiting.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_whose_answer_is_the_same_does_not_count() {
    let (waiting, run) = Waiting::new().await;
    let github = waiting.github.clone();
    let cancel = CancellationToken::new();
    let waits = tokio::spawn(async move { dispatched_run::wait(&github, run, LONG, PAUSES, cancel).await });
    tokio::task::block_in_place(|| {
        let unchanged = |state: &State| state.requests.iter().filter(|request| request.status == 304).count() >= 2;
        waiting.fake.wait_for("two answers that are the same", unchanged);
        waiting.fake.state().runs.insert(run.get(), ("completed".to_owned(), 1));
    });
    assert!(matches!(waits.await.unwrap().unwrap(), Waited::Over(_)));
    waiting.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_takes_too_long_is_told_to_end_and_what_it_made_is_found() {
    let (waiting, run) = Waiting::new().await;
    let Waited::Late(ended) = waiting.wait(run, Duration::ZERO).await.unwrap() else { panic!("it is late") };
    assert_eq!(ended.conclusion.as_deref(), Some("cancelled"), "its last steps were waited for");
    let stored = |name: &str| Stored { name: name.to_owned(), run: run.get(), ..Default::default() };
    waiting.fake.state().artifacts.insert(5, stored("result"));
    let (id, digest) = dispatched_run::result(&waiting.github, &ended, "result").await.unwrap();
    assert_eq!((id.get(), digest), (5, implementer_model::ids::Digest::from_content("")));
    // Two of one name: nobody knows which it is.
    waiting.fake.state().artifacts.insert(6, stored("result"));
    let error = dispatched_run::result(&waiting.github, &ended, "result").await.unwrap_err().to_string();
    assert!(error.contains("ended (cancelled), and uploaded 2 artifacts `result`: none of them counts"), "{error}");
    waiting.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_nobody_can_name_is_not_taken_for_another() {
    let (waiting, first) = Waiting::new().await;
    waiting.fake.state().run_names = false;
    waiting.fake.state().faults.push(Fault::unanswered("POST", "x.yml/dispatches"));
    let start = Start { workflow: "x.yml", reference: "main", inputs: &[("name", "two")], name: "two" };
    let error = dispatched_run::start(&waiting.github, &start, PAUSES).await.unwrap_err();
    assert!(error.to_string().contains("none is named `two`"), "{error}");
    let hint = error.hint().expect("it can be helped");
    assert!(hint.contains("`run-name: ${{ inputs.name }}`"), "{hint}");
    // With names it is found, and not the one before it.
    waiting.fake.state().run_names = true;
    waiting.fake.state().faults.push(Fault::unanswered("POST", "x.yml/dispatches"));
    let start = Start { workflow: "x.yml", reference: "main", inputs: &[("name", "three")], name: "three" };
    let run = dispatched_run::start(&waiting.github, &start, PAUSES).await.unwrap();
    assert!(run > first);
    let started = waiting.fake.state().dispatched.iter().find(|started| started.run == run.get()).cloned().unwrap();
    assert_eq!(started.inputs["name"], "three");
    waiting.end().await;
}
