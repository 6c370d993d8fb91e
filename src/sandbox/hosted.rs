//! On a runner that GitHub hosts: root for as long as subagents run.
//!
//! The runner's user is in the group of the container engine and may become root without a password, so that whatever runs
//! as that user may, too. Only other users are kept from it, and making those takes root. So the program starts itself
//! once more through `sudo`, in the same process, and gives what it wrote back at the end.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    os::unix::{fs::MetadataExt as _, process::CommandExt as _},
    path::PathBuf,
    process::{Command, Stdio},
};

/// The commands that start subagents, or gates.
const STARTING: [&str; 4] = ["action", "gate", "run", "work"];

/// The variable that says who is to have the results: `UID:GID`.
const FOR_WHOM: &str = "BACKEND_IMPLEMENTER_FOR";

/// Starts the program once more as root, with the same arguments and environment, where this is a runner that GitHub hosts
/// and the command starts subagents. Does nothing elsewhere, and goes on as it is where that is refused: what isolation is
/// left is found out later, and said.
pub fn become_root_on_hosted_runner() {
    let says = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    let mut arguments = std::env::args_os();
    let (_, command) = (arguments.next(), std::env::args().nth(1));
    let starts = command.is_some_and(|command| STARTING.contains(&command.as_str()));
    let hosted = says("GITHUB_ACTIONS", "true") && says("RUNNER_ENVIRONMENT", "github-hosted");
    if !starts || !hosted || rustix::process::geteuid().is_root() || std::env::var_os(FOR_WHOM).is_some() {
        return;
    }
    let allowed = Command::new("sudo").args(["-n", "true"]).stdin(Stdio::null()).stderr(Stdio::null()).status();
    let (Ok(executable), true) = (std::env::current_exe(), allowed.is_ok_and(|status| status.success())) else {
        return;
    };
    // Named one by one: values stand in no argument, which everybody could read.
    let names: BTreeSet<String> = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect();
    let names: Vec<_> = names.into_iter().filter(|name| !name.starts_with("SUDO_") && !name.contains(',')).collect();
    let me = format!("{FOR_WHOM}={}:{}", rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    // `sudo` sets a path of its own, which lacks the tools of the job.
    let mut path = OsString::from("PATH=");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let error = Command::new("sudo")
        .arg("-n")
        .arg(format!("--preserve-env={}", names.join(",")))
        .args(["--", "env"])
        .args([path, me.into()])
        .arg(executable)
        .args(arguments)
        .exec();
    tracing::warn!(%error, "subagents are not given users of their own: sudo could not be started");
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
