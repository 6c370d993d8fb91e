//! The working job on a hosted runner: its user may become root without a password, and only root can give every subagent a
//! user of its own. The program is replaced by itself, started by `sudo`, with the variables that are needed and no others.

use std::{
    collections::BTreeSet,
    io,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Command, Stdio},
};

/// Variables of the runner and of the system that the program reads.
const NEEDED: [&str; 14] = [
    "CI",
    "GITHUB_ACTIONS",
    "GITHUB_WORKSPACE",
    "GITHUB_OUTPUT",
    "GITHUB_ENV",
    "GITHUB_STEP_SUMMARY",
    "RUNNER_TEMP",
    "RUNNER_DEBUG",
    "RUST_LOG",
    "TMPDIR",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "LANG",
];

/// Tells whether becoming root is possible here and makes a difference: in a workflow, as an ordinary user of a machine that
/// asks for no password.
pub(super) fn is_worthwhile() -> bool {
    let in_workflow = std::env::var("GITHUB_ACTIONS").is_ok_and(|value| value == "true");
    cfg!(target_os = "linux") && in_workflow && !rustix::process::geteuid().is_root() && sudo_asks_nothing()
}

fn sudo_asks_nothing() -> bool {
    let asked = Command::new("sudo").args(["--non-interactive", "true"]).stdin(Stdio::null()).output();
    asked.is_ok_and(|asked| asked.status.success())
}

/// Replaces this process by the same command as root. Gives why it could not.
pub(super) fn replace_by_root(passed: &BTreeSet<String>) -> io::Error {
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return error,
    };
    let names: Vec<&str> = NEEDED.into_iter().chain(passed.iter().map(String::as_str)).collect();
    let mut command = Command::new("sudo");
    command.arg("--non-interactive").arg(format!("--preserve-env={}", names.join(",")));
    // The search path is not taken over by `--preserve-env` where the system sets one of its own.
    if let Ok(path) = std::env::var("PATH") {
        command.arg("env").arg(format!("PATH={path}"));
    }
    command.arg(program).args(std::env::args_os().skip(1)).exec()
}

/// Gives what was written to whoever owns the folder that it is in: the steps after this one run as that user.
pub(super) fn give_back(out: &Path) -> io::Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    match out.parent() {
        Some(parent) => crate::actions::give_to_owner_of(parent, out),
        None => Ok(()),
    }
}
