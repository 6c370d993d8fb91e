//! What the tests share: repositories, the scripted subagent, and the program under test in an environment of its own.

pub(crate) mod action;
pub(crate) mod doubles;
pub(crate) mod fan_out;
pub(crate) mod github;
pub(crate) mod imports;
pub(crate) mod model;
mod programs;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::Duration,
};

pub(crate) use programs::path;

use implementer_model::{handoff::Handoff, schedule::Outcome};
use serde_json::{Value, json};

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_backend-implementer");

/// Runs a program, and prints as a last line the largest resident memory of it and of what it waited for, in KiB, and for how
/// long processors were busy with it, in milliseconds.
const MEASURE: &str = "import resource, subprocess, sys\ncode = subprocess.call(sys.argv[1:])\n\
used = resource.getrusage(resource.RUSAGE_CHILDREN)\n\
print(used.ru_maxrss, int((used.ru_utime + used.ru_stime) * 1000), file=sys.stderr)\nsys.exit(code)\n";

/// A folder with a repository, a script for the subagents, and a home for the program under test.
pub(crate) struct Bench {
    folder: tempfile::TempDir,
}

/// A small plan: one task for the feature, one for the CLI, and the gates' commands.
pub(crate) const PLAN: &str = "# Greeting\n\n## Feature\nTouches: src/**\n- say hello\n\n## CLI\nTouches: cli/**\n- greet\n\n\
                        ## Verification\n- tests: `python3 -m unittest -v`\n- validation: `git --version`\n";

/// A test file that passes under `python3 -m unittest`.
pub(crate) const PASSING_TEST: &str =
    "import unittest\n\nclass T(unittest.TestCase):\n    def test_it(self):\n        self.assertEqual(1, 1)\n";

impl Bench {
    /// Makes a repository with a README, a plan, a configuration for the scripted subagent, and a test that passes.
    ///
    /// In memory where there is room: making and removing files is a quarter of what tests need on a disk.
    pub(crate) fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let has_room = rustix::fs::statvfs(memory).is_ok_and(|there| {
            !there.f_flag.contains(rustix::fs::StatVfsMountFlags::NOEXEC) && there.f_bavail * there.f_frsize >= 2 << 30
        });
        if has_room { Self::within(memory) } else { Self::on_disk() }
    }

    /// As [`Self::new`], on a disk: for tests with walls, which keep shared memory from attempts, and for large files.
    pub(crate) fn on_disk() -> Self {
        Self::within(&std::env::temp_dir())
    }

    fn within(parent: &Path) -> Self {
        let bench = Self { folder: tempfile::tempdir_in(parent).expect("a temporary folder") };
        for name in ["home", "tmp", "repo"] {
            fs::create_dir(bench.folder.path().join(name)).expect("a new folder");
        }
        let script = bench.script_path();
        let agent = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/agent.py");
        // Nothing that these subagents write has a test: `evidence` is about what follows from that.
        // What these tests learn from a subagent comes out through files that a wall would keep from it; `red_team` is
        // about the walls.
        let config = format!(
            "isolation: none\nevidence: {{ revert-proof: false }}\nagent:\n  kind: command\n  command: [python3, -I, -S, -B, {}, {}]\n",
            json!(agent),
            json!(script.to_str().expect("UTF-8"))
        );
        bench.write("README.md", "A service\n");
        bench.write("test_base.py", PASSING_TEST);
        bench.write(".gitignore", "__pycache__/\n");
        bench.write(".github/backend-implementer.yml", &config);
        bench.write(".backend-implementer/plan.md", PLAN);
        bench.script(&json!({ "feature": { "write": { "src/hello.py": "print('hello')\n" } },
                              "cli": { "write": { "cli/greet.py": "print('greet')\n" } } }));
        bench.git(["init", "--quiet", "--initial-branch=main"]);
        bench.commit("base");
        bench
    }

    /// Returns the folder of the repository.
    pub(crate) fn repo(&self) -> PathBuf {
        self.folder.path().join("repo")
    }

    /// Returns a path beside the repository.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn script_path(&self) -> PathBuf {
        self.path("script.json")
    }

    /// Says what the subagents do.
    pub(crate) fn script(&self, script: &Value) {
        fs::write(self.script_path(), script.to_string()).expect("the script can be written");
    }

    /// Writes a file of the repository.
    pub(crate) fn write(&self, path: &str, content: &str) {
        let path = self.repo().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a new folder");
        fs::write(path, content).expect("a file");
    }

    /// Commits everything.
    pub(crate) fn commit(&self, message: &str) {
        self.git(["add", "--all"]);
        self.git(["commit", "--quiet", "--message", message]);
    }

    /// Runs git in the repository, away from the user's configuration, and returns what it prints.
    pub(crate) fn git<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> String {
        let output = self
            .command("git")
            .current_dir(self.repo())
            .envs([
                ("GIT_AUTHOR_NAME", "Test"),
                ("GIT_AUTHOR_EMAIL", "test@example.invalid"),
                ("GIT_COMMITTER_NAME", "Test"),
                ("GIT_COMMITTER_EMAIL", "test@example.invalid"),
                ("GIT_AUTHOR_DATE", "2026-01-02T03:04:05Z"),
                ("GIT_COMMITTER_DATE", "2026-01-02T03:04:05Z"),
                ("GIT_CONFIG_GLOBAL", "/dev/null"),
                ("GIT_CONFIG_NOSYSTEM", "1"),
                // A process more for every commit, to find that there is nothing to do.
                ("GIT_CONFIG_PARAMETERS", "'maintenance.auto=false'"),
            ])
            .args(arguments)
            .output()
            .expect("git runs");
        assert!(output.status.success(), "git failed: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8").trim_end().to_owned()
    }

    /// Prepares a command with an environment of its own: PATH, a home and a folder for temporary files.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", path())
            .env("HOME", self.path("home"))
            .env("TMPDIR", self.path("tmp"))
            .stdin(Stdio::null())
            .current_dir(self.repo());
        command
    }

    /// Prepares the program under test.
    pub(crate) fn program<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = self.command(PROGRAM);
        command.args(arguments);
        command
    }

    /// Runs the program under test to its end.
    pub(crate) fn call<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Called {
        Called::of(self.program(arguments).output().expect("the program runs"))
    }

    /// Calls the program, and gives what it needed as well.
    pub(crate) fn measured(&self, arguments: &[&str]) -> (Called, Needed) {
        let mut command = self.command("python3");
        command.args(["-c", MEASURE, PROGRAM]).args(arguments);
        let called = Called::of(command.output().expect("the program runs"));
        let (peak, busy) = called.stderr.lines().last().and_then(|line| line.split_once(' ')).expect("two numbers");
        let busy = Duration::from_millis(busy.parse().expect("a number"));
        let needed = Needed { peak: peak.parse().expect("a number"), busy };
        (called, needed)
    }

    /// Runs the plan into the folder `out` beside the repository, with further arguments.
    pub(crate) fn run<'a>(&self, further: impl IntoIterator<Item = &'a str>) -> Ran {
        let out = self.path("out");
        let out_text = out.to_str().expect("UTF-8").to_owned();
        let mut command = self.program(["run", "--out", &out_text]);
        command.args(further);
        let called = Called::of(command.output().expect("the program runs"));
        Ran { called, out }
    }
}

/// What a call of the program needed.
pub(crate) struct Needed {
    /// Its largest resident memory in KiB.
    pub(crate) peak: u64,
    /// How long processors were busy with it.
    pub(crate) busy: Duration,
}

/// What a call of the program gave.
pub(crate) struct Called {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Called {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    /// Checks the exit code, and shows everything when it is another.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }
}

/// A run and the folder that it wrote.
pub(crate) struct Ran {
    pub(crate) called: Called,
    pub(crate) out: PathBuf,
}

impl Ran {
    #[track_caller]
    pub(crate) fn expect(mut self, code: i32) -> Self {
        self.called = self.called.expect(code);
        self
    }

    /// Reads the hand-off.
    #[track_caller]
    pub(crate) fn handoff(&self) -> Handoff {
        Handoff::read(&self.read_bytes("handoff.json")).expect("a hand-off")
    }

    /// Reads the summary.
    #[track_caller]
    pub(crate) fn summary(&self) -> String {
        String::from_utf8(self.read_bytes("summary.md")).expect("UTF-8")
    }

    /// Reads a file of the run.
    #[track_caller]
    pub(crate) fn read_bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.out.join(name)).unwrap_or_else(|error| {
            panic!("{name}: {error}\n--- stdout\n{}\n--- stderr\n{}", self.called.stdout, self.called.stderr)
        })
    }

    /// Returns how each task ended.
    #[track_caller]
    pub(crate) fn outcomes(&self) -> BTreeMap<String, Outcome> {
        self.handoff().tasks.into_iter().map(|task| (task.id.to_string(), task.outcome)).collect()
    }
}

/// Tells whether a process is alive (and not merely waiting to be reaped).
pub(crate) fn is_alive(pid: &str) -> bool {
    fs::read_to_string(Path::new("/proc").join(pid).join("stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with(['Z', 'X'])))
}

/// Copies a folder with everything in it.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a new folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a kind").is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

/// Digests every file below a folder, with modes and links: two equal snapshots mean that nothing was touched.
pub(crate) fn snapshot(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let entry = entry.expect("an entry");
            let (path, metadata) = (entry.path(), entry.metadata().expect("metadata"));
            let what = if metadata.is_dir() {
                folders.push(path.clone());
                "folder".to_owned()
            } else if metadata.is_symlink() {
                format!("link {:?}", fs::read_link(&path).expect("a link"))
            } else {
                let digest = implementer_model::ids::Digest::from_content(fs::read(&path).expect("a file"));
                format!("{:?} {digest}", metadata.permissions())
            };
            files.insert(path, what);
        }
    }
    files
}
