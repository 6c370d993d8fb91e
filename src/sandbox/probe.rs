//! Trying what a confinement holds and what it lets through, in a process that enters it.

use std::{
    fs, io,
    os::unix::{fs::FileTypeExt as _, net::UnixStream},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use serde::{Deserialize, Serialize};

use super::confinement::Confinement;

/// The first argument that makes our executable a probe.
pub const PROBE: &str = "__probe";

/// The further argument of a probe that was started inside of new namespaces.
const INSIDE: &str = "inside";

/// What a probe is to find out.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Question {
    /// The confinement to enter; without one the probe stays as it is.
    pub(super) confinement: Option<Confinement>,
    /// Folders that it has to be able to list.
    pub(super) read: Vec<PathBuf>,
    /// Folders that it has to be able to go through.
    pub(super) pass: Vec<PathBuf>,
    /// Folders that it has to be able to write to.
    pub(super) write: Vec<PathBuf>,
    /// What it must not be able to write to, connect to or, of a process, read.
    pub(super) reach: Vec<PathBuf>,
    /// Whether it must not be able to signal its parent.
    pub(super) landlock_scope: bool,
}

/// What a probe found out.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Answer {
    /// Why the confinement cannot be entered.
    pub(super) refused: Option<String>,
    /// What it could not use although it has to.
    pub(super) unusable: Vec<String>,
    /// What it could reach although it must not.
    pub(super) reached: Vec<PathBuf>,
    /// Whether signals and abstract sockets end at the wall.
    pub(super) scoped: bool,
}

impl Answer {
    /// Says why the confinement cannot be used; nothing when it can.
    pub(super) fn why_unusable(&self) -> Option<&str> {
        self.refused.as_ref().or(self.unusable.first()).map(String::as_str)
    }
}

/// Starts a probe and waits for its answer: a matter of milliseconds.
pub(super) fn ask(executable: &Path, question: &Question) -> io::Result<Answer> {
    let question = serde_json::to_vec(question)?;
    let mut probe = Command::new(executable)
        .arg(PROBE)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut input) = probe.stdin.take() {
        // A probe that ended early has no answer, which says so below.
        let _ = io::Write::write_all(&mut input, &question);
    }
    let output = probe.wait_with_output()?;
    serde_json::from_slice(&output.stdout)
        .map_err(|_| io::Error::other(format!("a probe gave no answer ({})", output.status)))
}

/// Runs as a probe: reads a question from standard input and writes the answer to standard output.
#[must_use]
pub fn probe_main() -> ExitCode {
    let mut bytes = Vec::new();
    let question = io::Read::read_to_end(&mut io::stdin().lock(), &mut bytes)
        .ok()
        .and_then(|_| serde_json::from_slice::<Question>(&bytes).ok());
    let Some(question) = question else { return ExitCode::from(2) };
    let inside = std::env::args().nth(2).is_some_and(|argument| argument == INSIDE);
    let answer = match &question.confinement {
        Some(confinement) if confinement.needs_keeper() && !inside => match from_inside(confinement, &bytes) {
            Ok(output) => return if write(&output) { ExitCode::SUCCESS } else { ExitCode::FAILURE },
            Err(error) => Answer { refused: Some(error.to_string()), ..Answer::default() },
        },
        _ => answer(&question),
    };
    let written = serde_json::to_vec(&answer).is_ok_and(|answer| write(&answer));
    if written { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn write(bytes: &[u8]) -> bool {
    io::Write::write_all(&mut io::stdout().lock(), bytes).is_ok()
}

/// Makes the namespaces of a confinement and asks a child inside.
fn from_inside(confinement: &Confinement, question: &[u8]) -> io::Result<Vec<u8>> {
    confinement.unshare()?;
    let mut child = Command::new("/proc/self/exe")
        .args([PROBE, INSIDE])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        io::Write::write_all(&mut input, question)?;
    }
    Ok(child.wait_with_output()?.stdout)
}

fn answer(question: &Question) -> Answer {
    let mut answer = Answer::default();
    let parent = rustix::process::getppid();
    if let Some(confinement) = &question.confinement {
        match confinement.enter() {
            Ok(entered) => answer.scoped = entered.scoped,
            Err(error) => return Answer { refused: Some(error.to_string()), ..answer },
        }
    }
    if question.landlock_scope && parent.is_some_and(|parent| rustix::process::test_kill_process(parent).is_ok()) {
        answer.refused = Some("signals reach processes outside".to_owned());
        return answer;
    }
    for folder in &question.read {
        if let Err(error) = fs::read_dir(folder) {
            answer.unusable.push(format!("{} cannot be read by a subagent: {error}", folder.display()));
        }
    }
    for folder in question.pass.iter().filter(|folder| fs::metadata(folder.join(".")).is_err()) {
        answer.unusable.push(format!("{} cannot be entered by a subagent", folder.display()));
    }
    for folder in &question.write {
        let file = folder.join("probe");
        if let Err(error) = fs::write(&file, "").and_then(|()| fs::remove_file(&file)) {
            answer.unusable.push(format!("{} cannot be written by a subagent: {error}", folder.display()));
        }
    }
    answer.reached = question.reach.iter().filter(|path| can_reach(path)).cloned().collect();
    answer
}

/// Tells whether the calling process can use something that it must not: connect to a socket, read what is said of a
/// process, write to a file, or make one in a folder.
fn can_reach(path: &Path) -> bool {
    let Ok(meta) = fs::metadata(path) else { return false };
    if meta.file_type().is_socket() {
        return UnixStream::connect(path).is_ok();
    }
    if path.starts_with("/proc") {
        return fs::File::open(path).and_then(|mut file| io::Read::read(&mut file, &mut [0; 1])).is_ok();
    }
    if meta.is_dir() {
        return rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok() && {
            let file = path.join(".backend-implementer-probe");
            fs::File::create_new(&file).and_then(|_| fs::remove_file(&file)).is_ok()
        };
    }
    fs::File::options().append(true).open(path).is_ok()
}
