//! The jobs of a fan-out as steps of GitHub Actions, on our fake: artifacts that are lost, foreign or tampered with, the
//! branch that is delivered, and the workflow that is started at the end.

use std::{cell::RefCell, collections::BTreeMap, fs};

use implementer_model::ids::Digest;
use serde_json::{Value, json};

use crate::support::{
    Called, PLAN,
    action::{Acted, NUMBER, Stage},
};

/// The number of the one run.
const RUN: u64 = 500;

/// The jobs of one run, one after another.
struct Jobs {
    stage: Stage,
    payload: Value,
    lock: String,
    /// What the last job that settled something said.
    outputs: BTreeMap<String, String>,
    /// The logs of all jobs.
    log: RefCell<String>,
    wave: usize,
}

impl Jobs {
    fn begin() -> Self {
        let stage = Stage::new("Please.", &[(".backend-implementer/plan.md", PLAN)]);
        stage.happened("opened").expect(0);
        let body = stage.github.only_comment_of(NUMBER, "github-actions[bot]").body;
        let (_, rest) = body.split_once("\n/implement ").expect("a lock");
        let lock = rest.lines().next().unwrap().to_owned();
        let payload = stage.github.event_comment(NUMBER, "ada", &format!("/implement {lock}"));
        stage.one_run.set(Some(RUN));
        let begun = stage.act("issue_comment", &payload, &[("fan-out", "true")]).expect(0);
        assert_eq!(begun.output("status"), "running");
        assert!(stage.github.only_comment_of(NUMBER, "github-actions[bot]").body.contains("Implementation Running"));
        let lock = begun.output("lock").to_owned();
        Self { stage, payload, lock, outputs: begun.outputs, log: RefCell::default(), wave: 0 }
    }

    fn output(&self, name: &str) -> &str {
        self.outputs.get(name).map_or("", String::as_str)
    }

    fn act(&self, command: &str, further: &[(&str, &str)]) -> Acted {
        let (state, head) = (self.output("state").to_owned(), self.output("head").to_owned());
        let mut inputs = vec![("command", command), ("state", &state), ("head", &head), ("lock", &self.lock)];
        inputs.extend_from_slice(further);
        let acted = self.stage.act("issue_comment", &self.payload, &inputs);
        self.log.borrow_mut().push_str(&format!("{}{}", acted.called.stdout, acted.called.stderr));
        acted
    }

    /// Runs a step of the host's: the program that `prepare` left.
    fn host(&self, command: &str, further: &[&str]) {
        let workspace = self.stage.bench.path(&format!("run-{RUN}")).join("workspace");
        let job = ".backend-implementer/job";
        let program = workspace.join(job).join("bin/backend-implementer");
        let mut called = self.stage.bench.command(program.to_str().unwrap());
        let (state, repository) = (format!("{job}/state"), format!("{job}/repository.git"));
        called.current_dir(&workspace).args([command, "--lock", &self.lock, "--job", job, "--state", &state]);
        Called::of(called.args(["--repo", &repository]).args(further).output().expect("it runs")).expect(0);
    }

    /// Makes the jobs of the next wave, and gives what they say in their outputs.
    fn wave(&mut self) -> BTreeMap<String, String> {
        self.wave += 1;
        let wave = format!("wave-{}", self.wave);
        let mut said = BTreeMap::new();
        if self.output("gates") == "true" {
            self.act("prepare", &[("tasks", "gates")]).expect(0);
            self.host("gate", &[]);
            let collected = self.act("collect", &[("tasks", "gates"), ("slot", "0"), ("wave", &wave)]).expect(0);
            said.insert("slot-0".to_owned(), collected.output("slot-0").to_owned());
            return said;
        }
        let legs: Vec<Value> = serde_json::from_str(self.output("matrix")).expect("a matrix");
        for leg in legs {
            let (tasks, slot) = (leg["tasks"].as_str().unwrap(), leg["slot"].to_string());
            self.act("prepare", &[("tasks", tasks)]).expect(0);
            self.host("work", &["--tasks", tasks]);
            let collected = self.act("collect", &[("tasks", tasks), ("slot", &slot), ("wave", &wave)]).expect(0);
            let name = format!("slot-{slot}");
            said.insert(name.clone(), collected.output(&name).to_owned());
        }
        said
    }

    fn settle(&mut self, said: &BTreeMap<String, String>) -> String {
        let wave = format!("wave-{}", self.wave);
        let settled = self.act("settle", &[("wave", &wave), ("results", &json!(said).to_string())]).expect(0);
        self.outputs = settled.outputs;
        settled.called.stdout
    }

    fn run_to_end(&mut self) {
        while !self.output("matrix").is_empty() || self.output("gates") == "true" {
            let said = self.wave();
            self.settle(&said);
            assert!(self.wave < 20, "it does not end");
        }
    }

    fn artifact(&self, said: &str) -> u64 {
        said.split_once(':').expect("a binding").0.parse().expect("an id")
    }
}

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
fn artifacts_that_are_lost_foreign_or_tampered_with_have_each_an_answer() {
    let mut jobs = Jobs::begin();
    let mut said = jobs.wave();
    // One is another than its job said; one is not there; one that nobody names has a name like theirs.
    let tampered = jobs.artifact(&said["slot-0"]);
    jobs.stage.github.state().artifacts.get_mut(&tampered).unwrap().zip.push(0);
    said.insert("slot-1".to_owned(), String::new());
    let mut foreign = jobs.stage.github.state().artifacts[&tampered].clone();
    foreign.name = "backend-implementer-wave-1-9-attempt-1".to_owned();
    jobs.stage.github.state().artifacts.insert(9_999, foreign);
    let log = jobs.settle(&said);
    assert!(log.contains("feature#1: the artifact") && log.contains("it was tampered with"), "{log}");
    assert!(log.contains("cli#1: its job ended without a result: it is lost"), "{log}");
    assert!(log.contains("the artifact backend-implementer-wave-1-9-attempt-1 (9999) is foreign"), "{log}");

    // The next wave goes on; its artifact is a zip that would write elsewhere.
    let mut said = jobs.wave();
    let id = jobs.artifact(&said["slot-0"]);
    let evil = evil_zip();
    let digest = Digest::of(&evil);
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
    assert!(refused.called.stderr.contains("the state of the job before cannot be had"), "{}", refused.called.stderr);
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
        said.contains("the plan has 4 waves, and the workflow has room for 2: set `workflow.waves` to 4"),
        "{said}"
    );
}
