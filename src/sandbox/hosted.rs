//! In a workflow whose runner lets its user become root without a password, as those that GitHub hosts do: root for as
//! long as subagents run.
//!
//! Such a user is in the group of the container engine, too, so that whatever runs as that user may do everything. Only
//! other users are kept from it, and making those takes root. So the program starts itself once more through `sudo`, in
//! the same process, and gives what it wrote back at the end.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    os::unix::{fs::MetadataExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rustix::process::{getgid, getuid};

/// The commands that start subagents, or gates.
const STARTING: [&str; 4] = ["action", "gate", "run", "work"];

/// The variable that says who is to have the results: `UID:GID`.
const FOR_WHOM: &str = "BACKEND_IMPLEMENTER_FOR";

/// Where root keeps the state of its programs.
const STATE_OF_ROOT: &str = "/root/.local/state";

/// Starts the program once more as root, with the same arguments and environment, where a workflow runs as a user who may
/// become root without a password, and the command starts subagents. Does nothing elsewhere, and goes on as it is where
/// that is refused: what isolation is left is found out later, and said.
pub fn become_root_on_hosted_runner() {
    let command = std::env::args().nth(1);
    let starts = command.is_some_and(|command| STARTING.contains(&command.as_str()));
    let in_workflow = std::env::var("GITHUB_ACTIONS").is_ok_and(|value| value == "true");
    if !starts || !in_workflow || rustix::process::geteuid().is_root() || std::env::var_os(FOR_WHOM).is_some() {
        return;
    }
    let (Ok(executable), true) = (std::env::current_exe(), sudo_asks_nothing()) else { return };
    let error = as_root(&executable).exec();
    tracing::warn!(%error, "subagents are not given users of their own: sudo could not be started");
}

fn sudo_asks_nothing() -> bool {
    let asked = Command::new("sudo").args(["-n", "true"]).stdin(Stdio::null()).output();
    asked.is_ok_and(|asked| asked.status.success())
}

/// Makes the command that is this one, as root.
fn as_root(executable: &Path) -> Command {
    // Named one by one: values stand in no argument, which everybody could read.
    let names: BTreeSet<String> = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect();
    let names: Vec<_> = names.into_iter().filter(|name| !name.starts_with("SUDO_") && !name.contains(',')).collect();
    // `sudo` sets a path of its own, which lacks the tools of the job.
    let mut path = OsString::from("PATH=");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let me = format!("{FOR_WHOM}={}:{}", getuid().as_raw(), getgid().as_raw());
    let mut command = Command::new("sudo");
    command
        .arg("-n")
        .arg(format!("--preserve-env={}", names.join(",")))
        .args(["--", "env"])
        // The key of root's journals is root's: among the user's own files it would be refused.
        .args([path, me.into(), format!("XDG_STATE_HOME={STATE_OF_ROOT}").into()])
        .arg(executable)
        .args(std::env::args_os().skip(1));
    command
}

/// Gives everything that root wrote in the folders of the job back to whoever started the program.
pub fn hand_back() {
    let Ok(owner) = std::env::var(FOR_WHOM) else { return };
    let Some((uid, gid)) = owner.split_once(':').and_then(|(uid, gid)| Some((uid.parse().ok()?, gid.parse().ok()?)))
    else {
        return;
    };
    let named = ["RUNNER_TEMP", "GITHUB_WORKSPACE"].iter().filter_map(std::env::var_os).map(PathBuf::from);
    let arguments = std::env::args_os().skip(2).map(PathBuf::from).filter(|path| path.is_dir());
    let mut pending: Vec<_> = named.chain(arguments).collect();
    while let Some(path) = pending.pop() {
        let Ok(meta) = fs::symlink_metadata(&path) else { continue };
        if meta.uid() == 0 && std::os::unix::fs::lchown(&path, Some(uid), Some(gid)).is_err() {
            continue;
        }
        if meta.is_dir() {
            pending.extend(fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()));
        }
    }
}
