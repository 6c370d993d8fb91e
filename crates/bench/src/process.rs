//! Processes that are measured, away from the caller's configuration.

use std::{
    ffi::OsStr,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use wait4::Wait4 as _;

/// What a process took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Took {
    /// From its start to its end.
    pub(crate) wall: Duration,
    /// The most memory that it, or one of those that it waited for, had at a time, in bytes.
    pub(crate) peak: u64,
}

/// Makes a command whose environment is PATH, a home and what is passed on to every opponent alike.
pub(crate) fn command(program: impl AsRef<OsStr>, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("HOME", home).env("TMPDIR", home).stdin(Stdio::null());
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}

/// Makes a git command that runs in `folder`.
pub(crate) fn git_command(folder: &Path) -> Command {
    let mut git = command("git", folder);
    git.current_dir(folder).envs([
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_AUTHOR_NAME", "Bench"),
        ("GIT_AUTHOR_EMAIL", "bench@example.invalid"),
        ("GIT_COMMITTER_NAME", "Bench"),
        ("GIT_COMMITTER_EMAIL", "bench@example.invalid"),
        ("GIT_AUTHOR_DATE", "1700000000 +0000"),
        ("GIT_COMMITTER_DATE", "1700000000 +0000"),
        ("LC_ALL", "C"),
    ]);
    git
}

/// Runs git in `folder` and returns what it says.
pub(crate) fn git<'a>(folder: &Path, arguments: impl IntoIterator<Item = &'a str>) -> Result<String> {
    output(git_command(folder).args(arguments))
}

/// Runs a command that must succeed, and returns what it says.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("{command:?} does not start"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{command:?}: {}\n{}{said}", output.status, String::from_utf8_lossy(&output.stdout));
    }
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}

/// Runs a command that must succeed, and measures it. What it says goes into `log`.
pub(crate) fn measure(command: &mut Command, log: &Path) -> Result<Took> {
    let file = std::fs::File::create(log)?;
    command.stdout(file.try_clone()?).stderr(file);
    let began = Instant::now();
    let child = command.spawn().with_context(|| format!("{command:?} does not start"))?;
    let used = child.wait4()?;
    let wall = began.elapsed();
    if !used.status.success() {
        let said = std::fs::read(log).unwrap_or_default();
        bail!("{command:?}: {}\n{}", used.status, String::from_utf8_lossy(&said));
    }
    Ok(Took { wall, peak: used.rusage.maxrss })
}

/// Tells whether a program can be found.
pub(crate) fn is_there(program: &Path) -> bool {
    Command::new(program).arg("--version").stdin(Stdio::null()).output().is_ok_and(|output| output.status.success())
}

/// Returns the processor time of all processes that were started from here and have ended, with those that they waited
/// for. Whatever else the machine does has little say in it.
pub(crate) fn processor_time() -> Result<Duration> {
    // Linux counts in hundredths of a second here, whatever its own clock does.
    const TICK: Duration = Duration::from_millis(10);
    let stat = std::fs::read_to_string("/proc/self/stat").context("there is no /proc here")?;
    // Behind the name, which may have anything in it: state is field 3, the times of children are 16 and 17.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |field: usize| -> Result<u32> { Ok(fields.get(field - 3).context("a short line")?.parse()?) };
    Ok(TICK * (ticks(16)? + ticks(17)?))
}
