//! Becoming the user of a slot, and ending everything that such a user has running.

use std::{
    fs,
    io::{self, Read as _},
    path::Path,
    process::{Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use rustix::{
    process::{Gid, Pid, Signal, Uid, kill_process},
    thread::{
        CapabilitySet, CapabilitySets, remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
        set_thread_groups, set_thread_res_gid, set_thread_res_uid,
    },
};

use super::users::User;

/// The first argument that makes our executable end everything of a user.
pub const END_USER: &str = "__end-user";

/// How long the killed have to be gone.
const GONE_MAX: Duration = Duration::from_secs(10);

/// How long between two looks whether they are.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// Makes the calling process another user's, without groups, capabilities and any way to get them back.
pub(super) fn become_user(user: User) -> io::Result<()> {
    let (uid, gid) = (Uid::from_raw(user.uid), Gid::from_raw(user.gid));
    set_thread_groups(&[])?;
    set_thread_res_gid(gid, gid, gid)?;
    for capability in CapabilitySet::all().iter() {
        // A kernel that does not know one of them cannot give it either.
        let _ = remove_capability_from_bounding_set(capability);
    }
    set_thread_res_uid(uid, uid, uid)?;
    let nothing = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: nothing, permitted: nothing, inheritable: nothing })?;
    set_no_new_privs(true)?;
    Ok(())
}

/// Runs as `END_USER UID GID`: becomes that user and kills everything that it may kill, which is everything of that user
/// and nothing else. Exits with 0 when that could be done.
#[must_use]
pub fn end_user_main() -> ExitCode {
    let mut numbers = std::env::args().skip(2).map(|number| number.parse::<u32>());
    let (Some(Ok(uid)), Some(Ok(gid))) = (numbers.next(), numbers.next()) else { return ExitCode::from(2) };
    // As root the same call would end the machine.
    if uid == 0 || become_user(User { uid, gid }).is_err() || rustix::process::geteuid().as_raw() != uid {
        return ExitCode::from(2);
    }
    if kill_all_mine().is_ok() { ExitCode::SUCCESS } else { ExitCode::from(2) }
}

/// Kills everything that the calling process may signal, but itself. The kernel goes through all processes in one go, so
/// that none can be born meanwhile and be missed. It does not tell whether any was killed.
fn kill_all_mine() -> io::Result<()> {
    match nix::sys::signal::kill(nix::unistd::Pid::from_raw(-1), nix::sys::signal::Signal::SIGKILL) {
        // There is nobody at all but this process and the first one, as in the container of an action whose first process is
        // the coordinator: so nothing is left (kill(2)).
        Ok(()) | Err(nix::errno::Errno::ESRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Kills what is left of a user, as that user, and tells whether it is gone. The calling process has one thread; while it
/// is that user it has no capability, so that it cannot reach anybody else's processes.
pub(super) fn is_rest_ended(user: User, mut reap: impl FnMut()) -> bool {
    let end = Instant::now() + GONE_MAX;
    while kill_as(user).is_ok() {
        reap();
        match running(user.uid) {
            Ok(left) if left.is_empty() => return true,
            Ok(_) if Instant::now() < end => std::thread::sleep(LOOK_AGAIN),
            Ok(_) | Err(_) => return false,
        }
    }
    false
}

/// Becomes the user, kills everything that it has running, and becomes who it was again.
fn kill_as(user: User) -> io::Result<()> {
    let (uid, root) = (Uid::from_raw(user.uid), Uid::from_raw(0));
    set_thread_res_uid(uid, uid, root)?;
    let killed = match rustix::thread::capabilities(None) {
        Ok(sets) if sets.effective.is_empty() => kill_all_mine(),
        // With the rights of root the call would end the machine.
        Ok(_) => Err(io::Error::other("capabilities were kept across a change of users")),
        Err(error) => Err(error.into()),
    };
    set_thread_res_uid(root, root, root)?;
    killed
}

/// Ends everything of a user, and looks whether it is gone.
pub(super) fn end_everything(executable: &Path, user: User) -> io::Result<()> {
    let end = Instant::now() + GONE_MAX;
    loop {
        let left = running(user.uid)?;
        if left.is_empty() {
            return Ok(());
        }
        if Instant::now() >= end {
            return Err(io::Error::other(format!(
                "{} of the user id {} cannot be ended",
                implementer_model::text::count(left.len(), "process"),
                user.uid
            )));
        }
        // As itself, because that misses none; and one by one, because whoever runs as itself can be killed by them.
        let _ = Command::new(executable)
            .args([END_USER, &user.uid.to_string(), &user.gid.to_string()])
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        for pid in left {
            let _ = kill_process(pid, Signal::KILL);
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

/// How much of a process's status is read at once, in bytes. The name, with at most 64 of them, the state and the ids stand
/// first (proc_pid_status(5)), and the kernel writes the whole anew for every further read.
const STATUS_READ: usize = 1024;

/// Lists the processes of a user that run, by any of their ids.
fn running(uid: u32) -> io::Result<Vec<Pid>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw) else {
            continue;
        };
        // One that ends meanwhile has no status any more.
        let mut status = [0; STATUS_READ];
        let read = fs::File::open(entry.path().join("status")).and_then(|mut file| file.read(&mut status));
        let Ok(length) = read else { continue };
        if is_running_as(&String::from_utf8_lossy(&status[..length]), uid) {
            found.push(pid);
        }
    }
    Ok(found)
}

fn is_running_as(status: &str, uid: u32) -> bool {
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name));
    let ids = field("Uid:").unwrap_or_default();
    let dead = field("State:").is_some_and(|state| state.trim_start().starts_with(['Z', 'X']));
    !dead && ids.split_whitespace().any(|id| id.parse() == Ok(uid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_counts_by_each_of_its_ids_while_it_runs() {
        let status = "Name:\tx\nState:\tS (sleeping)\nUid:\t0\t60600\t0\t0\n";
        assert!(is_running_as(status, 60600) && !is_running_as(status, 60601));
        assert!(!is_running_as(&status.replace("S (sleeping)", "Z (zombie)"), 60600));
    }
}
