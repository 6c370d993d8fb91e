//! The hand-off is taken up: the steps of examples/workflows/submission.yml as they are, against a remote on this machine and a
//! double of `gh`.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
};

use implementer_model::handoff::Handoff;
use serde_json::{Value, json};

use crate::{
    one_job::OneJob,
    support::{Called, PROGRAM, action::NUMBER, path},
};

const APP: &str = "ghs_app";

/// A finished implementation, and a machine that takes it up.
pub(crate) struct Submission {
    run: OneJob,
    handoff: Handoff,
    steps: Vec<(String, String)>,
}

impl Submission {
    fn new() -> Self {
        let run = OneJob::begin(&Value::Null);
        run.prepare();
        run.work().expect(0);
        run.summarize(&run.keep(), "success").expect(0);
        Self::of(run)
    }

    /// Takes up what a run has delivered.
    pub(crate) fn of(run: OneJob) -> Self {
        let bench = &run.stage.bench;
        let zip = {
            let state = run.stage.github.state();
            let stored = state.artifacts.values().find(|stored| stored.name == "backend-implementer-run-attempt-1");
            stored.expect("the run is an artifact").zip.clone()
        };
        let artifact = bench.path("artifact");
        zip::ZipArchive::new(std::io::Cursor::new(zip)).unwrap().extract(&artifact).unwrap();
        let handoff = Handoff::read(&fs::read(artifact.join("handoff.json")).unwrap()).unwrap();
        let pull = json!({ "head": "topic", "baseRefName": "main", "title": "Please", "body": "", "draft": false });
        let name = "backend-implementer-run-attempt-1";
        let known =
            json!({ "pulls": { NUMBER.to_string(): pull }, "calls": [], "downloads": { "500": { name: artifact } } });
        fs::write(bench.path("gh.json"), known.to_string()).unwrap();
        let bin = bench.path("bin");
        fs::create_dir(&bin).unwrap();
        let double = bin.join("gh");
        fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/gh.py"), &double).unwrap();
        fs::set_permissions(&double, fs::Permissions::from_mode(0o755)).unwrap();
        // The step `setup/` puts it there.
        symlink(PROGRAM, bin.join("backend-implementer")).unwrap();

        let workflow = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/workflows/submission.yml");
        let workflow: serde_yaml::Value = serde_yaml::from_str(&fs::read_to_string(workflow).unwrap()).unwrap();
        let steps = workflow["jobs"]["submit"]["steps"].as_sequence().unwrap();
        let scripts =
            steps.iter().filter_map(|step| Some((step["name"].as_str()?.to_owned(), step["run"].as_str()?.to_owned())));
        let steps = scripts.collect();
        Self { run, handoff, steps }
    }

    /// The checkout that the job begins with.
    fn checkout(&self, name: &str) -> PathBuf {
        let (remote, to) = (self.run.stage.bench.path("remote.git"), self.run.stage.bench.path(name));
        self.run.stage.bench.git(["clone", "--quiet", remote.to_str().unwrap(), to.to_str().unwrap()]);
        to
    }

    /// Runs all steps, and gives the pull request that they open.
    pub(crate) fn submit(&self) -> Value {
        let (step, called) = self.run(&self.checkout("submission"), self.handoff.result.commit.as_str());
        called.expect(0);
        assert!(step.starts_with("Push"), "every step ran");
        self.known()["pulls"]["8"].clone()
    }

    /// Runs the steps up to the first that fails, as the runner does. Gives the name of the last, and what it came to.
    fn run(&self, checkout: &Path, commit: &str) -> (String, Called) {
        let bench = &self.run.stage.bench;
        let mut last = None;
        for (name, script) in &self.steps {
            let file = bench.path("submission-step.sh");
            fs::write(&file, script).unwrap();
            let token = if name.starts_with("Push") { APP } else { "ghs_workflow" };
            let mut shell = bench.command("bash");
            shell.args(["--noprofile", "--norc", "-eo", "pipefail", file.to_str().unwrap()]).current_dir(checkout);
            shell.env("PATH", format!("{}:{}", bench.path("bin").display(), path().display()));
            shell.env("GH_DOUBLE", bench.path("gh.json")).env("GH_TOKEN", token).env("REPOSITORY", "octo/service");
            shell.env("PR", NUMBER.to_string()).env("RUN", "500").env("COMMIT", commit);
            let called = Called::of(shell.env("LOCK", self.handoff.lock.digest.as_str()).output().unwrap());
            let failed = called.code != 0;
            last = Some((name.clone(), called));
            if failed {
                break;
            }
        }
        last.unwrap()
    }

    fn known(&self) -> Value {
        serde_json::from_slice(&fs::read(self.run.stage.bench.path("gh.json")).unwrap()).unwrap()
    }

    fn branch(&self) -> Option<String> {
        let bare = self.run.stage.bench.path("remote.git");
        let listed = self.run.stage.bench.git([
            "-C",
            bare.to_str().unwrap(),
            "for-each-ref",
            "--format=%(objectname)",
            "refs/heads/implementation",
        ]);
        Some(listed).filter(|listed| !listed.is_empty())
    }
}

#[test]
fn the_submission_proves_pushes_opens_updates_and_marks_ready() {
    let submission = Submission::new();
    let commit = submission.handoff.result.commit.to_string();
    let pull = submission.submit();
    assert_eq!(submission.branch().as_deref(), Some(commit.as_str()));
    let known = submission.known();
    assert_eq!(
        (pull["draft"].as_bool(), &pull["baseRefName"], &pull["title"]),
        (Some(false), &json!("main"), &json!("Please"))
    );
    let body = pull["body"].as_str().unwrap();
    assert!(
        body.starts_with("Implements the plan of #7") && body.contains("## Backend Implementation Complete"),
        "{body}"
    );
    // What changes anything is done as the app, so that CI starts; what only reads is not.
    for call in known["calls"].as_array().unwrap() {
        let changes = ["pr create", "pr edit", "pr ready"].contains(&call[0].as_str().unwrap());
        assert!(!changes || call[1] == APP, "{call}");
    }

    // Once more: the pull request is updated, and there is no second one.
    submission.run(&submission.checkout("second"), &commit).1.expect(0);
    let known = submission.known();
    assert_eq!(known["pulls"].as_object().unwrap().len(), 2);
    assert!(known["calls"].as_array().unwrap().iter().any(|call| call[0] == "pr edit"));
}

#[test]
fn what_is_not_what_was_approved_is_never_pushed() {
    let submission = Submission::new();
    let commit = submission.handoff.result.commit.to_string();
    let other = "0".repeat(40);
    let (step, called) = submission.run(&submission.checkout("other-commit"), &other);
    assert!(
        step == "Prove it" && called.code != 0 && called.stderr.contains("not of 000000"),
        "{step}: {}",
        called.stderr
    );

    let file = submission.run.stage.bench.path("artifact/handoff.json");
    let whole = fs::read_to_string(&file).unwrap();
    let said: Value = serde_json::from_str(&whole).unwrap();
    let mut cases = Vec::new();
    for (pointer, value) in [
        ("/status", json!("incomplete")),
        ("/lock/digest", json!(format!("sha256:{}", "0".repeat(64)))),
        ("/pull-request/number", json!(9)),
        // Only `verify` notices these: a gate that passed, which the record does not have, and another tree.
        ("/result/tree", json!(other)),
    ] {
        let mut changed = said.clone();
        *changed.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer} in {whole}")) = value;
        cases.push((pointer, changed));
    }
    for (at, (pointer, changed)) in cases.into_iter().enumerate() {
        fs::write(&file, changed.to_string()).unwrap();
        let (step, called) = submission.run(&submission.checkout(&format!("changed-{at}")), &commit);
        assert!(step == "Prove it" && called.code != 0, "{pointer}: {step}\n{}{}", called.stdout, called.stderr);
    }
    assert_eq!(submission.branch(), None);
    assert_eq!(submission.known()["pulls"].as_object().unwrap().len(), 1);
}
