//! Where attacks take place: a run at one level of isolation, whose subagents do what an attacker wants.

use std::{
    fs,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use implementer_model::{
    gate::{GateKind, GateState},
    isolation::Level,
};
use serde_json::{Value, json};

use crate::support::{Bench, Called, PROGRAM, Ran};

/// An ordinary user: no account of the machine has to have this id.
pub(crate) const ORDINARY: u32 = 54_321;

/// What a container engine leaves root by default.
pub(super) const CONTAINER_RIGHTS: &str = "-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,\
                                           +net_bind_service,+net_raw,+sys_chroot,+mknod,+audit_write,+setfcap";

/// One run, attacked.
pub(super) struct Stage {
    pub(super) bench: Bench,
    pub(super) level: Level,
    /// Whether root has no more rights than a container gives it.
    pub(super) container: bool,
    environment: Vec<(String, String)>,
}

/// Runs a test at each level that this machine has, and says which it has not.
pub(super) fn at_each_level(test: impl Fn(Stage)) {
    for (level, container) in
        [(Level::Uid, false), (Level::Uid, true), (Level::Namespaces, false), (Level::Landlock, false)]
    {
        match missing(level) {
            None => test(Stage { container, ..Stage::new(level) }),
            Some(why) => eprintln!("SKIPPED at level {level}: {why}"),
        }
    }
}

/// Says why a level cannot be tried here.
pub(crate) fn missing(level: Level) -> Option<&'static str> {
    let root = rustix::process::geteuid().is_root();
    let unshare = || {
        let mut command = Command::new("unshare");
        command.args(["-U", "true"]).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    match level {
        Level::Uid if !root => Some("the tests do not run as root"),
        Level::Uid | Level::None => None,
        Level::Namespaces | Level::Landlock if !unshare() => Some("user namespaces are not allowed"),
        Level::Namespaces | Level::Landlock => None,
    }
}

/// Says why nothing can be mounted here, not even out of everybody's sight.
pub(super) fn can_mount() -> Option<&'static str> {
    let mut command = Command::new("unshare");
    command.args(["--mount", "mount", "-t", "tmpfs", "none", "/mnt"]).stderr(Stdio::null());
    let mounted = command.status().is_ok_and(|status| status.success());
    (!mounted).then_some("the tests may not mount anything")
}

impl Stage {
    pub(super) fn new(level: Level) -> Self {
        let stage = Self { bench: Bench::on_disk(), level, container: false, environment: Vec::new() };
        stage.configure("");
        stage
    }

    /// Writes the configuration: isolated, with further lines.
    pub(super) fn configure(&self, further: &str) {
        let agent = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/agent.py");
        let script = self.bench.path("script.json");
        let config = format!(
            "isolation: best\nevidence: {{ revert-proof: false }}\nagent:\n  kind: command\n  command: [python3, -B, {}, {}]\n{further}",
            json!(agent),
            json!(script)
        );
        self.bench.write(".github/backend-implementer.yml", &config);
        self.bench.commit("isolated");
    }

    /// Sets a variable of the coordinator's.
    pub(super) fn environment(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Lets the feature's subagent write `files`, then run `attack`, a Python program that may fail at every line, and say
    /// that it is done. The other one does its work.
    #[expect(clippy::needless_pass_by_value, reason = "every caller makes the value for this call")]
    pub(super) fn attack(&self, files: Value, attack: &str) {
        self.bench.script(&json!({
            "feature": { "write": files, "run": ["python3", "-B", "-c", attempts(attack)] },
            "cli": { "write": { "cli/greet.py": "print('greet')\n" } },
        }));
    }

    /// Runs the plan to its end, at the level of the stage.
    pub(super) fn run(&self) -> Ran {
        let out = self.bench.path("out");
        let arguments = ["run", "--jobs", "2", "--out", out.to_str().expect("UTF-8")].map(str::to_owned);
        let called = Called::of(self.command(&arguments).output().expect("the program runs"));
        let ran = Ran { called, out };
        if ran.out.join("handoff.json").is_file() {
            let isolation = ran.handoff().isolation;
            assert_eq!(isolation.level, self.level, "{isolation:?}");
        }
        ran
    }

    /// Prepares the program as the user of the level.
    pub(super) fn command(&self, arguments: &[String]) -> Command {
        let root = rustix::process::geteuid().is_root();
        let mut command = match self.level {
            Level::Namespaces if root => self.as_ordinary_user(&[]),
            // In a user namespace that allows no further ones, Landlock is what is left.
            Level::Landlock => {
                let shell = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$@\"";
                let inside = ["unshare", "-U", "-r", "sh", "-c", shell, "sh"];
                if root {
                    self.as_ordinary_user(&inside)
                } else {
                    let mut command = self.bench.command(inside[0]);
                    command.args(&inside[1..]).arg(PROGRAM);
                    command
                }
            }
            _ if self.container => {
                let mut command = self.bench.command("setpriv");
                command.args(["--bounding-set", CONTAINER_RIGHTS, "--", PROGRAM]);
                command
            }
            _ => self.bench.command(PROGRAM),
        };
        command.args(arguments).envs(self.environment.iter().cloned());
        command
    }

    fn as_ordinary_user(&self, through: &[&str]) -> Command {
        give(&self.bench.path(""), ORDINARY);
        let user = ORDINARY.to_string();
        let mut command = self.bench.command("setpriv");
        command.args(["--reuid", &user, "--regid", &user, "--clear-groups", "--"]).args(through).arg(PROGRAM);
        command
    }

    /// Lists the files of the tree that came out.
    pub(super) fn tree(&self, ran: &Ran) -> Vec<String> {
        let tree = ran.handoff().result.tree.to_string();
        let store = ran.out.join("store.git");
        let listing = self
            .bench
            .command("git")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .args([
                "-c",
                "safe.directory=*",
                "--git-dir",
                store.to_str().expect("UTF-8"),
                "ls-tree",
                "-r",
                "--name-only",
                &tree,
            ])
            .output()
            .expect("git runs");
        assert!(listing.status.success(), "{}", String::from_utf8_lossy(&listing.stderr));
        String::from_utf8(listing.stdout).expect("UTF-8").lines().map(str::to_owned).collect()
    }

    /// Fails when a process is alive that has `mark` among its arguments.
    #[track_caller]
    pub(super) fn expect_nothing_left(&self, mark: &str) {
        let left: Vec<_> = processes().into_iter().filter(|(_, command)| command.contains(mark)).collect();
        assert!(left.is_empty(), "at level {}: {left:?}", self.level);
    }
}

/// Fails unless the gate of the tests failed: the tests of these runs do fail, whatever an attacker says.
#[track_caller]
pub(super) fn expect_failed_tests(ran: &Ran) {
    let handoff = ran.handoff();
    let tests = handoff.gates.iter().find(|receipt| receipt.gate == GateKind::Tests).expect("a receipt");
    assert_ne!(tests.state, GateState::Passed, "{tests:?}\n{}", ran.called.stderr);
    assert_eq!(ran.called.code, 1, "{}", ran.called.stderr);
}

/// Makes a program of lines of which each may fail.
fn attempts(program: &str) -> String {
    format!(
        "import contextlib, glob, os, pathlib, signal, socket, subprocess, sys, time\n\
         def attempt(action):\n    with contextlib.suppress(Exception):\n        return action()\n{program}\n"
    )
}

/// Lists processes with their command lines.
fn processes() -> Vec<(String, String)> {
    let entries = fs::read_dir("/proc").expect("a list of processes").flatten();
    let command = |path: PathBuf| {
        let name = path.file_name()?.to_str()?.to_owned();
        name.parse::<u32>().ok()?;
        Some((name, String::from_utf8_lossy(&fs::read(path.join("cmdline")).ok()?).replace('\0', " ")))
    };
    entries.filter_map(|entry| command(entry.path())).collect()
}

/// Gives a folder with everything in it to a user.
pub(crate) fn give(folder: &Path, user: u32) {
    let mut pending = vec![folder.to_owned()];
    while let Some(path) = pending.pop() {
        let meta = fs::symlink_metadata(&path).expect("metadata");
        if !meta.is_symlink() {
            chown(&path, Some(user), Some(user)).expect("root may give files away");
        }
        if meta.is_dir() {
            pending.extend(fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path()));
        }
    }
}
