//! A supervised process, as the coordinator sees it: what to start, and how it ended.

use std::{
    collections::BTreeSet,
    fmt,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rustix::process::{Pid, Signal};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, Command},
    time::{Instant, sleep_until},
};

use super::{
    GRACE, OUTPUT_CAP,
    answer::AnswerFile,
    descendants,
    protocol::{Ended, GRACE_MAX, LaunchError, Orders, SUPERVISE, Word},
    redaction::secrets_of,
    supervisor::KILL_MAX,
};
use crate::sandbox::{self, Confinement};

/// How much later than its last deadline a supervisor may report, before it is given up.
const REPORT_MARGIN: Duration = Duration::from_secs(5);

/// The most of a failed supervisor's own words that goes into an error, in bytes.
const SUPERVISOR_WORDS_MAX: u64 = 4096;

/// A process to start and supervise.
#[derive(Clone)]
pub struct Launch {
    /// The program and its arguments. A bare name is looked for along the environment's `PATH`; a relative one with a
    /// `/` stands below `directory`.
    pub argv: Vec<String>,
    /// Where it runs.
    pub directory: PathBuf,
    /// Its whole environment: it gets exactly this.
    pub environment: Vec<(String, String)>,
    /// The file that it reads as its standard input; nothing to read when there is none. The input is never left open.
    pub input: Option<PathBuf>,
    /// The file that its output is copied to while it runs.
    pub log: PathBuf,
    /// Where its standard output goes, when that is its answer and no part of the log.
    pub answer: Option<AnswerFile>,
    /// Values that are taken out of the log.
    pub secrets: Vec<String>,
    /// The most output that the log holds, in bytes.
    pub output_cap: u64,
    /// How long it has to end after it was asked to.
    pub grace: Duration,
    /// The executable that can be a supervisor: our own.
    pub supervisor: PathBuf,
    /// What it is confined to; none to run it as we are.
    pub confinement: Option<Confinement>,
}

impl fmt::Debug for Launch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values of the environment may be secrets.
        let names: Vec<_> = self.environment.iter().map(|(name, _)| name).collect();
        f.debug_struct("Launch")
            .field("argv", &self.argv)
            .field("directory", &self.directory)
            .field("environment", &names)
            .field("input", &self.input)
            .field("log", &self.log)
            .field("answer", &self.answer)
            .field("output_cap", &self.output_cap)
            .field("grace", &self.grace)
            .field("supervisor", &self.supervisor)
            .field("confinement", &self.confinement)
            .finish()
    }
}

impl Launch {
    /// Makes one that reads nothing and whose output is all for its log. What looks like a secret in its environment is
    /// taken out of that.
    #[must_use]
    pub fn new(
        argv: Vec<String>,
        directory: &Path,
        environment: Vec<(String, String)>,
        log: &Path,
        supervisor: &Path,
    ) -> Self {
        Self {
            argv,
            directory: directory.to_owned(),
            secrets: secrets_of(&environment).into_values().collect(),
            environment,
            input: None,
            log: log.to_owned(),
            answer: None,
            output_cap: OUTPUT_CAP,
            grace: GRACE,
            supervisor: supervisor.to_owned(),
            confinement: None,
        }
    }

    fn program(&self) -> String {
        self.argv.first().cloned().unwrap_or_default()
    }

    fn failed(&self, why: impl Into<String>) -> LaunchError {
        LaunchError::Supervisor { program: self.program(), why: why.into() }
    }

    /// Writes the orders. The supervisor runs in the root directory, so that it keeps no other one in use.
    fn orders(&self) -> Result<Vec<u8>, LaunchError> {
        let absolute = |path: &Path| {
            std::path::absolute(path).map_err(|error| self.failed(format!("no such path {}: {error}", path.display())))
        };
        let orders = Orders {
            argv: self.argv.clone(),
            directory: absolute(&self.directory)?,
            environment: self.environment.clone(),
            input: self.input.as_deref().map(absolute).transpose()?,
            log: absolute(&self.log)?,
            output_cap: self.output_cap,
            grace: self.grace,
            answer: self
                .answer
                .as_ref()
                .map(|answer| Ok(AnswerFile { path: absolute(&answer.path)?, ..answer.clone() }))
                .transpose()?,
            secrets: self.secrets.clone(),
            confinement: self.confinement.clone(),
        };
        // Only a path that is not UTF-8 cannot be written.
        let mut line = serde_json::to_vec(&orders).map_err(|error| LaunchError::Invalid { what: error.to_string() })?;
        line.push(b'\n');
        Ok(line)
    }
}

/// Runs a process under a supervisor until nothing of it is left. When `stop` completes, the process is asked to end,
/// and killed after its grace period.
///
/// Dropping the future stops the process in the same way, but nobody waits for it.
///
/// # Errors
/// When the process could not be started, or its supervisor failed.
pub async fn run(launch: &Launch, stop: impl Future<Output = ()>) -> Result<Ended, LaunchError> {
    let orders = launch.orders()?;
    descendants::adopt()
        .map_err(|error| launch.failed(format!("what a lost supervisor leaves cannot be ended: {error}")))?;
    let mut supervisor = Command::new(&launch.supervisor);
    if descendants::group_of(rustix::process::getpid()).is_some() {
        // Ctrl-C on our terminal is for us: a supervisor that does not listen yet would die of it. Where our group is one of
        // another PID namespace it could not come back to it, and so not leave the session.
        supervisor.process_group(0);
    }
    let mut supervisor = supervisor
        .arg(SUPERVISE)
        // A supervisor needs no environment, and what it has could be read by what it starts.
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| launch.failed(format!("cannot start {}: {error}", launch.supervisor.display())))?;
    let (Some(mut control), Some(words)) = (supervisor.stdin.take(), supervisor.stdout.take()) else {
        return Err(launch.failed("its pipes are missing"));
    };
    // It leaves our session when it has its orders, and is known by then.
    let _at_work = AtWork::new(&supervisor);
    // When the supervisor is gone already, its own words say more than "broken pipe".
    let _ = control.write_all(&orders).await;

    let mut words = BufReader::new(words).lines();
    let mut control = Some(control);
    let mut group = None;
    let mut overdue = None;
    tokio::pin!(stop);
    loop {
        tokio::select! {
            line = words.next_line() => match line.ok().flatten().map(|line| serde_json::from_str(&line)) {
                Some(Ok(Word::Started { pid })) => group = Pid::from_raw(pid),
                Some(Ok(Word::Refused(error))) => {
                    let over = is_over(&mut supervisor, false).await;
                    return Err(if over { error } else { lost(launch, supervisor, group).await });
                }
                Some(Ok(Word::Ended(ended))) => {
                    if !is_over(&mut supervisor, true).await {
                        break;
                    }
                    if ended.survivors > 0 {
                        return Err(LaunchError::Survived { program: launch.program(), count: ended.survivors });
                    }
                    return Ok(ended);
                }
                Some(Err(_)) | None => break,
            },
            () = &mut stop, if control.is_some() => {
                control = None;
                overdue = Some(Instant::now() + launch.grace.min(GRACE_MAX) + KILL_MAX + REPORT_MARGIN);
            }
            // Only a supervisor that was itself stopped or killed is late.
            () = sleep_until(overdue.unwrap_or_else(Instant::now)), if overdue.is_some() => break,
        }
    }
    Err(lost(launch, supervisor, group).await)
}

/// The supervisors that are at work, to be told from what lost ones left behind.
static SUPERVISORS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// One of them, for as long as it is.
struct AtWork(Option<i32>);

impl AtWork {
    fn new(supervisor: &Child) -> Self {
        let pid = supervisor.id().and_then(|id| i32::try_from(id).ok());
        supervisors().extend(pid);
        Self(pid)
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        if let Some(pid) = self.0 {
            supervisors().remove(&pid);
        }
    }
}

fn supervisors() -> MutexGuard<'static, BTreeSet<i32>> {
    SUPERVISORS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for a supervisor that has said its last word: it ends at once and as it said, or somebody else spoke for it.
async fn is_over(supervisor: &mut Child, well: bool) -> bool {
    let ended = tokio::time::timeout(REPORT_MARGIN, supervisor.wait()).await;
    ended.is_ok_and(|status| status.is_ok_and(|status| status.code().is_some() && status.success() == well))
}

/// Tells whether a supervisor ended by a signal to which it listens before it starts anything. Ctrl-C reaches it in the moment
/// between its beginning and its leaving our process group: then nothing was lost.
fn died_before_it_listened(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    let heard = [Signal::INT, Signal::TERM, Signal::HUP];
    status.signal().is_some_and(|signal| heard.iter().any(|heard| heard.as_raw() == signal))
}

/// Ends everything that a supervisor watched which did not say how its process ended.
async fn lost(launch: &Launch, mut supervisor: Child, group: Option<Pid>) -> LaunchError {
    let _ = supervisor.start_kill();
    if let Some(session) = supervisor.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)) {
        descendants::kill_session(session, group);
    }
    let status = supervisor.wait().await;
    if group.is_none() && status.as_ref().is_ok_and(|status| died_before_it_listened(*status)) {
        return launch.failed("its supervisor was interrupted before it had started anything");
    }
    let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
    let mut said = Vec::new();
    if let Some(words) = supervisor.stderr.take() {
        let mut words = words.take(SUPERVISOR_WORDS_MAX);
        // Whoever holds the other end open is not waited for.
        let _ = tokio::time::timeout(REPORT_MARGIN, words.read_to_end(&mut said)).await;
    }
    let mut left = String::new();
    let ended = tokio::task::spawn_blocking(|| {
        let at_work = supervisors().iter().filter_map(|pid| Pid::from_raw(*pid)).collect();
        descendants::kill_adopted(&at_work, KILL_MAX)
    });
    match ended.await {
        Ok(0) => {}
        Ok(count) => {
            left = format!("; {} of it cannot be ended", implementer_model::text::count(count as usize, "process"));
        }
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
    if let Some(user) = launch.confinement.as_ref().and_then(Confinement::user) {
        let executable = launch.supervisor.clone();
        let ended = tokio::task::spawn_blocking(move || sandbox::end_everything(&executable, user)).await;
        if let Ok(Err(error)) = ended {
            left.push_str(&format!("; {error}"));
        }
    }
    let said = implementer_model::text::plain(&String::from_utf8_lossy(&said));
    let said = said.trim();
    let why = if said.is_empty() { "it did not say how the program ended" } else { said };
    LaunchError::Lost { program: launch.program(), why: format!("{why} ({status}); what it watched was killed{left}") }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    #[test]
    fn a_supervisor_that_ctrl_c_met_as_it_began_is_told_from_one_that_was_lost() {
        for (status, before) in [(2, true), (15, true), (1, true), (9, false), (11, false), (0, false), (2 << 8, false)]
        {
            assert_eq!(died_before_it_listened(ExitStatus::from_raw(status)), before, "{status}");
        }
    }

    #[tokio::test]
    async fn what_a_supervisor_did_not_begin_is_no_loss() {
        let folder = tempfile::tempdir().unwrap();
        let supervisor = folder.path().join("supervisor");
        for (signal, is_loss) in [("INT", false), ("KILL", true)] {
            std::fs::write(&supervisor, format!("#!/bin/sh\nkill -{signal} $$\n")).unwrap();
            std::fs::set_permissions(&supervisor, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
            let launch = Launch {
                argv: vec!["true".to_owned()],
                directory: folder.path().to_owned(),
                environment: Vec::new(),
                input: None,
                log: folder.path().join("log"),
                answer: None,
                secrets: Vec::new(),
                output_cap: 1024,
                grace: Duration::from_secs(1),
                supervisor: supervisor.clone(),
                confinement: None,
            };
            let error = run(&launch, std::future::pending()).await.unwrap_err();
            assert_eq!(error.is_loss(), is_loss, "{signal}: {error}");
        }
    }
}
