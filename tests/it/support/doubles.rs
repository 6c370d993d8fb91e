//! Doubles of GitHub by others, from npm: processes on loopback that end with the test.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::Duration,
};

/// How long a double may take to be there.
const PATIENCE: Duration = Duration::from_secs(60);

/// Returns a file below `tests/doubles`.
#[track_caller]
pub(crate) fn file(name: &str) -> PathBuf {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doubles")).join(name);
    assert!(path.exists(), "{} is missing: run scripts/install-doubles", path.display());
    path
}

/// A double that runs.
pub(crate) struct Double {
    child: Child,
    lines: Arc<(Mutex<Vec<String>>, Condvar)>,
    pub(crate) url: String,
    _home: tempfile::TempDir,
}

impl Double {
    /// Starts `program`, a script of Node's below `node_modules`; `arguments` makes its arguments from a free port. It
    /// is there once it prints `ready`.
    #[track_caller]
    fn start(program: &str, arguments: impl Fn(u16) -> Vec<String>, ready: &str) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port();
        let mut child = Command::new("node")
            .arg(file("node_modules").join(program))
            .args(arguments(port))
            .env_clear()
            .env("PATH", crate::support::path())
            .env("HOME", home.path())
            .env("TMPDIR", home.path())
            .env("CI", "true")
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("node runs");
        let lines = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
        let (stdout, shared) = (child.stdout.take().expect("a pipe"), Arc::clone(&lines));
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                shared.0.lock().expect("no panic").push(line);
                shared.1.notify_all();
            }
        });
        let double = Self { child, lines, url: format!("http://127.0.0.1:{port}"), _home: home };
        let waiting = |lines: &mut Vec<String>| !lines.iter().any(|line| line.contains(ready));
        let guard = double.lines.0.lock().expect("no panic");
        let (guard, timeout) = double.lines.1.wait_timeout_while(guard, PATIENCE, waiting).expect("no panic");
        assert!(!timeout.timed_out(), "{program} never said `{ready}`:\n{}", guard.join("\n"));
        drop(guard);
        double
    }

    /// Starts Prism in front of `upstream`: it holds every request against GitHub's own description.
    #[track_caller]
    pub(crate) fn prism(upstream: &str) -> Self {
        let description = file("node_modules/github.json").to_str().expect("UTF-8").to_owned();
        let arguments = |port: u16| {
            let words = ["proxy", "--host", "127.0.0.1", "--port", &port.to_string(), &description, upstream];
            words.map(str::to_owned).into()
        };
        Self::start("@stoplight/prism-cli/dist/index.js", arguments, "Prism is listening")
    }

    /// Starts `emulate`'s GitHub with what the YAML file says.
    #[track_caller]
    pub(crate) fn emulate(seed: &std::path::Path) -> Self {
        let seed = seed.to_str().expect("UTF-8").to_owned();
        let arguments = |port: u16| {
            let words = ["start", "--service", "github", "--seed", &seed, "--port", &port.to_string()];
            words.map(str::to_owned).into()
        };
        Self::start("emulate/dist/index.js", arguments, "http://localhost:")
    }

    /// Returns what it printed so far.
    pub(crate) fn output(&self) -> Vec<String> {
        self.lines.0.lock().expect("no panic").clone()
    }

    /// Returns what Prism found wrong with requests.
    pub(crate) fn violations(&self) -> Vec<String> {
        self.output().into_iter().filter(|line| line.contains("Violation: request")).collect()
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("=== what the double said\n{}", self.output().join("\n"));
        }
    }
}
