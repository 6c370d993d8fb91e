//! The program as a step of GitHub Actions: a pull request on the fake, and a runner around the program.

use std::{
    cell::Cell,
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    Bench, Called, PROGRAM,
    github::{FakeGithub, PullRequest, REPOSITORY},
};

/// The number of the pull request of every test.
pub(crate) const NUMBER: u64 = 7;

/// A repository on the fake GitHub, with a pull request, and a runner.
pub(crate) struct Stage {
    pub(crate) bench: Bench,
    pub(crate) github: FakeGithub,
    runs: Cell<u64>,
    /// The one run that all steps belong to, each in the same workspace; every step is a run of its own without.
    pub(crate) one_run: Cell<Option<u64>>,
    /// The attempt at the run that the steps belong to, and who caused it.
    pub(crate) attempt: Cell<u64>,
    pub(crate) triggering_actor: Cell<&'static str>,
    /// Where the program finds the REST interface; the fake unless a test puts something in front of it.
    pub(crate) api_url: String,
    pub(crate) token: String,
    /// The repository whose workflow the steps belong to.
    pub(crate) repository: Cell<&'static str>,
    pub(crate) launcher: Launcher,
}

/// How the action is started.
pub(crate) enum Launcher {
    /// As a plain process.
    Program,
    /// As the runner does it: a container of this image.
    Image(String),
}

/// What a step came to.
pub(crate) struct Acted {
    pub(crate) called: Called,
    pub(crate) outputs: BTreeMap<String, String>,
    pub(crate) state: BTreeMap<String, String>,
    pub(crate) summary: String,
    pub(crate) run: u64,
    pub(crate) workspace: PathBuf,
}

/// A step that is at work.
pub(crate) struct Acting {
    pub(crate) child: Child,
    pub(crate) run: u64,
    folder: PathBuf,
    container: Option<String>,
}

impl Stage {
    /// Makes a repository whose main branch has configuration and tests, and a pull request on it with `files` and the
    /// description `body`.
    pub(crate) fn new(body: &str, files: &[(&str, &str)]) -> Self {
        Self::with(Bench::new(), body, files)
    }

    /// As [`Self::new`], with a repository that was begun elsewhere.
    pub(crate) fn with(bench: Bench, body: &str, files: &[(&str, &str)]) -> Self {
        bench.git(["rm", "--quiet", ".backend-implementer/plan.md"]);
        bench.commit("no plan yet");
        let bare = bench.path("remote.git");
        bench.git(["clone", "--quiet", "--bare", ".", bare.to_str().expect("UTF-8")]);
        let github = FakeGithub::start(&bare);
        for (login, permission) in [("ada", "admin"), ("grace", "write"), ("eve", "read")] {
            github.state().people.insert(login.to_owned(), permission);
        }
        let base_sha = bench.git(["rev-parse", "main"]);
        bench.git(["checkout", "--quiet", "-b", "topic"]);
        let stage = Self {
            api_url: github.api_url(),
            token: "ghs_workflow".to_owned(),
            repository: Cell::new(REPOSITORY),
            bench,
            github,
            runs: Cell::new(100),
            one_run: Cell::new(None),
            attempt: Cell::new(1),
            triggering_actor: Cell::new("ada"),
            launcher: Launcher::Program,
        };
        let pull = PullRequest {
            number: NUMBER,
            head_sha: base_sha.clone(),
            head_repository: REPOSITORY.to_owned(),
            base_sha,
            body: body.to_owned(),
            author: "grace".to_owned(),
            closed: false,
            merged: false,
            locked: false,
            edited_at: None,
            updated_at: super::github::now(),
        };
        stage.github.state().pulls.insert(NUMBER, pull);
        stage.push(files);
        stage
    }

    /// Pushes a commit with these files onto the pull request. Gives its id.
    pub(crate) fn push(&self, files: &[(&str, &str)]) -> String {
        // Every push is another commit, whatever its files.
        self.runs.set(self.runs.get() + 1);
        self.bench.write("notes.txt", &format!("push {}\n", self.runs.get()));
        for (path, content) in files {
            self.bench.write(path, content);
        }
        self.bench.commit("work on the pull request");
        let head = self.head_moved();
        self.github.state().story.push(format!("--- {} is pushed", &head[..12]));
        head
    }

    /// Lets git make another head of the pull request. Gives its id.
    pub(crate) fn move_head(&self, git: &[&str]) -> String {
        self.bench.git(git.iter().copied());
        self.head_moved()
    }

    /// Publishes the branch, and lets the pull request know its new head. Gives its id.
    fn head_moved(&self) -> String {
        self.publish("topic", &format!("refs/pull/{NUMBER}/head"));
        let head = self.head();
        let mut state = self.github.state();
        let pull = state.pulls.get_mut(&NUMBER).expect("the pull request");
        pull.head_sha.clone_from(&head);
        pull.updated_at = super::github::now();
        head
    }

    /// Changes files on the branch that the pull request goes into.
    pub(crate) fn push_to_base(&self, files: &[(&str, &str)]) {
        self.bench.git(["checkout", "--quiet", "main"]);
        for (path, content) in files {
            self.bench.write(path, content);
        }
        self.bench.commit("work on main");
        self.publish("main", "refs/heads/main");
        self.bench.git(["checkout", "--quiet", "topic"]);
    }

    fn publish(&self, branch: &str, reference: &str) {
        let bare = self.bench.path("remote.git");
        self.bench.git(["push", "--quiet", "--force", bare.to_str().expect("UTF-8"), &format!("{branch}:{reference}")]);
    }

    /// Makes a pipe at which a subagent can be held up until [`Self::open`].
    pub(crate) fn fifo(&self, name: &str) -> PathBuf {
        let path = self.bench.path(name);
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).expect("a FIFO");
        path
    }

    /// Lets whoever waits at the pipe go on.
    #[expect(clippy::unused_self, reason = "the other half of `fifo`")]
    pub(crate) fn open(&self, fifo: &Path) {
        fs::write(
            fifo, "go on
",
        )
        .expect("somebody waits");
    }

    /// Returns the commit at the head of the pull request.
    pub(crate) fn head(&self) -> String {
        self.bench.git(["rev-parse", "topic"])
    }

    /// Runs the action for an event.
    pub(crate) fn act(&self, event: &str, payload: &Value, inputs: &[(&str, &str)]) -> Acted {
        self.begin(event, payload, inputs).finish(self)
    }

    /// Lets somebody comment, and runs the action for it.
    pub(crate) fn say(&self, login: &str, body: &str) -> Acted {
        self.act("issue_comment", &self.github.event_comment(NUMBER, login, body), &[])
    }

    /// Runs the action for something that happened to the pull request.
    pub(crate) fn happened(&self, action: &str) -> Acted {
        self.act("pull_request", &self.github.event_pull_request(NUMBER, action), &[])
    }

    /// Begins a step.
    pub(crate) fn begin(&self, event: &str, payload: &Value, inputs: &[(&str, &str)]) -> Acting {
        let run = self.one_run.get().unwrap_or(self.runs.get() + 1);
        self.runs.set(run.max(self.runs.get()));
        let attempt = self.attempt.get();
        {
            let mut state = self.github.state();
            state.runs.insert(run, ("in_progress".to_owned(), attempt));
            state.runs_made.entry(run).or_insert_with(super::github::now);
        }
        let folder = self.bench.path(&format!("run-{run}"));
        for name in ["workspace", "temp", "home"] {
            fs::create_dir_all(folder.join(name)).expect("a folder");
        }
        for name in ["output", "state", "env", "summary.md"] {
            // What an earlier step of the run left; there is none at first.
            let _ = fs::remove_file(folder.join(name));
        }
        fs::write(folder.join("event.json"), payload.to_string()).expect("the event");
        let inputs = inputs.iter().map(|(name, value)| (format!("INPUT_{}", name.to_uppercase()), (*value).to_owned()));
        let mut variables: BTreeMap<String, String> = inputs.collect();
        variables.insert("GITHUB_EVENT_NAME".to_owned(), event.to_owned());
        let (mut command, container) = self.command(&folder, run, variables);
        Acting { child: command.spawn().expect("the program runs"), run, folder, container }
    }

    /// Runs what comes after a step: the same entry point, with what the step saved.
    pub(crate) fn after(&self, acted: &Acted) -> Called {
        let folder = self.bench.path(&format!("run-{}", acted.run));
        let state = acted.state.iter().map(|(name, value)| (format!("STATE_{name}"), value.clone()));
        let (mut command, _) = self.command(&folder, acted.run, state.collect());
        Called::of(command.spawn().and_then(Child::wait_with_output).expect("the program runs"))
    }

    /// Prepares a step. `further` are the variables that tell it from others. Gives the name of its container, too.
    fn command(&self, folder: &Path, run: u64, further: BTreeMap<String, String>) -> (Command, Option<String>) {
        // Where the runner mounts the step's files.
        let inside = match self.launcher {
            Launcher::Program => folder.to_owned(),
            Launcher::Image(_) => PathBuf::from("/github"),
        };
        let file = |name: &str| inside.join(name).to_str().expect("UTF-8").to_owned();
        let mut variables: BTreeMap<String, String> = [
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("CI", "true".to_owned()),
            ("GITHUB_API_URL", self.api_url.clone()),
            ("GITHUB_GRAPHQL_URL", self.github.graphql_url()),
            ("GITHUB_SERVER_URL", self.github.server_url()),
            ("GITHUB_REPOSITORY", self.repository.get().to_owned()),
            ("GITHUB_RUN_ID", run.to_string()),
            ("GITHUB_RUN_ATTEMPT", self.attempt.get().to_string()),
            ("GITHUB_TRIGGERING_ACTOR", self.triggering_actor.get().to_owned()),
            ("GITHUB_WORKFLOW", "Backend Implementer".to_owned()),
            ("GITHUB_EVENT_PATH", file("event.json")),
            ("GITHUB_WORKSPACE", file("workspace")),
            ("GITHUB_OUTPUT", file("output")),
            ("GITHUB_STATE", file("state")),
            ("GITHUB_ENV", file("env")),
            ("GITHUB_STEP_SUMMARY", file("summary.md")),
            ("INPUT_TOKEN", self.token.clone()),
            ("ACTIONS_RESULTS_URL", format!("{}/", self.github.server_url())),
            ("ACTIONS_RUNTIME_TOKEN", runtime_token(&format!("run-{run}"))),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        variables.extend(further);
        let (mut command, container) = match &self.launcher {
            Launcher::Program => {
                let mut command = self.bench.command(PROGRAM);
                command.arg("action").current_dir(file("workspace")).env("RUNNER_TEMP", file("temp")).envs(&variables);
                (command, None)
            }
            Launcher::Image(image) => {
                let name = format!("implementer-{}-{run}", std::process::id());
                (self.container(image, &name, folder, &variables), Some(name))
            }
        };
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        (command, container)
    }

    /// Prepares a container as GitHub's runner would start it.
    fn container(&self, image: &str, name: &str, folder: &Path, variables: &BTreeMap<String, String>) -> Command {
        crate::image::give_to_runner(&folder.join("workspace"));
        let mut command = engine();
        command.args(["run", "--rm", "--network=host", "--workdir=/github/workspace", "--name", name]);
        // What the scripted subagents of the tests are, where the configuration says it is.
        let scripts = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support");
        let bench = self.bench.path("");
        let bench = bench.to_str().expect("UTF-8").trim_end_matches('/');
        for (from, to) in [(folder.to_str().expect("UTF-8"), "/github"), (scripts, scripts), (bench, bench)] {
            command.args(["-v", &format!("{from}:{to}")]);
        }
        for (name, value) in variables {
            command.args(["-e", &format!("{name}={value}")]);
        }
        let entry = "/usr/local/bin/backend-implementer-action";
        command.args(["-e", "HOME=/github/home", "--entrypoint", entry, image]);
        command
    }
}

/// The container engine that `scripts/test-image` has built the image with: podman or docker.
pub(crate) fn engine() -> Command {
    let engine = std::env::var("IMPLEMENTER_CONTAINER_ENGINE").expect("run scripts/test-image: it names the engine");
    let mut command = Command::new(engine);
    command.stdin(Stdio::null());
    command
}

impl Acting {
    /// Kills it at once, as the runner does with what does not end.
    pub(crate) fn kill(&self) {
        let name = self.container.as_ref().expect("a container");
        let killed = engine().args(["kill", "--signal=KILL", name]).output().expect("the engine runs");
        assert!(killed.status.success(), "{}", String::from_utf8_lossy(&killed.stderr));
    }

    /// Waits for the end of the step.
    pub(crate) fn finish(self, stage: &Stage) -> Acted {
        let Self { child, run, folder, container: _ } = self;
        let called = Called::of(child.wait_with_output().expect("the program ends"));
        let mut state = stage.github.state();
        // A run that was dispatched has further steps.
        if state.dispatched.iter().all(|dispatched| dispatched.run != run) {
            state.runs.insert(run, ("completed".to_owned(), stage.attempt.get()));
        }
        drop(state);
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
        Acted {
            called,
            outputs: values(&read("output")),
            state: values(&read("state")),
            summary: read("summary.md"),
            run,
            workspace: folder.join("workspace"),
        }
    }
}

impl Acted {
    #[track_caller]
    pub(crate) fn expect(mut self, code: i32) -> Self {
        self.called = self.called.expect(code);
        self
    }

    /// Returns an output of the step; empty when it was not set.
    pub(crate) fn output(&self, name: &str) -> &str {
        self.outputs.get(name).map_or("", String::as_str)
    }
}

/// Reads a file of values as the runner does: names with values up to a line of their own choosing.
fn values(file: &str) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    let mut lines = file.lines();
    while let Some(line) = lines.next() {
        let (name, delimiter) = line.split_once("<<").expect("a name and a delimiter");
        let value: Vec<_> = lines.by_ref().take_while(|line| *line != delimiter).collect();
        values.insert(name.to_owned(), value.join("\n"));
    }
    values
}

/// The token that a runner would hand out for the artifacts of a run.
pub(crate) fn runtime_token(run: &str) -> String {
    let claims = json!({ "scp": format!("Actions.Results:{run}:job-backend-id"), "exp": 4_102_444_800_u64 });
    format!("x.{}.y", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()))
}
