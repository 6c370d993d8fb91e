//! Namespaces of an attempt's own: its processes see no others, and empty folders in place of private ones.
//!
//! Two processes do it: whoever calls [`unshare`] makes the namespaces and stays outside of the PID namespace; its child,
//! the first process inside, calls [`settle_in`].

use std::{
    fs, io,
    os::fd::{AsRawFd as _, OwnedFd},
    path::{Path, PathBuf},
};

use nix::sched::CloneFlags;
use rustix::{
    fs::{CWD, Mode, OFlags, StatVfsMountFlags},
    mount::{MountFlags, MountPropagationFlags, mount, mount_bind_recursive, mount_change, mount_remount},
    process::{getegid, geteuid},
    thread::{
        CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set, configure_capability_in_ambient_set,
        set_capabilities, set_no_new_privs,
    },
};

use super::context::doing;

/// Folders that everybody may write to: inside, everybody is one attempt.
pub(super) const SHARED: [&str; 3] = ["/tmp", "/var/tmp", "/dev/shm"];

/// Makes namespaces, with an empty folder in place of each in `hide`, but for what is below it and in `read` or `write`.
pub(super) fn unshare(hide: &[PathBuf], read: &[PathBuf], write: &[PathBuf]) -> io::Result<()> {
    let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
    nix::sched::unshare(
        CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWIPC,
    )
    .map_err(|error| doing("user namespaces are not allowed here", &error.into()))?;
    let map = |name: &str, content: String| {
        fs::write(format!("/proc/self/{name}"), content).map_err(|error| doing("mapping user ids", &error))
    };
    map("setgroups", "deny".to_owned())?;
    map("uid_map", format!("{uid} {uid} 1"))?;
    map("gid_map", format!("{gid} {gid} 1"))?;

    hide_folders(hide, read, write)?;
    // The child has to mount its own view of processes; a program that it starts loses every right again.
    let admin = CapabilitySet::SYS_ADMIN;
    let mut sets = capabilities(None)?;
    sets.inheritable = admin;
    set_capabilities(None, sets)?;
    configure_capability_in_ambient_set(admin, true)?;
    Ok(())
}

/// Makes namespaces of mounts and of shared memory alone, for a process that has the right to and loses it afterwards.
pub(super) fn unshare_mounts(hide: &[PathBuf], read: &[PathBuf], write: &[PathBuf]) -> io::Result<()> {
    nix::sched::unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWIPC)
        .map_err(|error| doing("mounts of its own are not allowed here", &error.into()))?;
    hide_folders(hide, read, write)
}

/// Mounts an empty folder in place of each in `hide` and of those that everybody may write to.
fn hide_folders(hide: &[PathBuf], read: &[PathBuf], write: &[PathBuf]) -> io::Result<()> {
    let write = write.iter().map(|path| Kept { path, writable: true });
    // What may be written comes first, because it may lie in what may be read.
    let keep: Vec<_> = write.chain(read.iter().map(|path| Kept { path, writable: false })).collect();
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .map_err(|error| doing("making mounts private", &error.into()))?;
    let shared = SHARED.iter().map(Path::new).filter(|path| path.is_dir());
    let all = hide.iter().map(PathBuf::as_path).filter(|path| !SHARED.iter().any(|shared| path.starts_with(shared)));
    for folder in all.chain(shared) {
        hide_folder(folder, &keep)?;
    }
    Ok(())
}

/// Takes the first process inside to its own view of processes, and every right from it.
pub(super) fn settle_in() -> io::Result<()> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("proc", "/proc", "proc", flags, None)
        .map_err(|error| doing("processes cannot be hidden here", &error.into()))?;
    clear_ambient_capability_set()?;
    let nothing = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: nothing, permitted: nothing, inheritable: nothing })?;
    set_no_new_privs(true)?;
    Ok(())
}

/// Something that stays visible.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Kept<'a> {
    path: &'a PathBuf,
    writable: bool,
}

/// Mounts an empty folder over `folder`, and in it again what is to be kept. What may only be read is mounted so: the
/// folder around it may be one that can be written to, and Landlock looks at those around.
fn hide_folder(folder: &Path, keep: &[Kept<'_>]) -> io::Result<()> {
    let mut below: Vec<_> =
        keep.iter().filter(|kept| kept.path.starts_with(folder) && kept.path.as_path() != folder).collect();
    // The outer before the inner; of the same, what may be written last, so that it stands on top.
    below.sort_unstable();
    below.dedup();
    let mut places: Vec<(&Kept<'_>, OwnedFd, bool)> = Vec::new();
    for kept in below {
        // What is not there cannot be kept.
        let place = rustix::fs::openat(CWD, kept.path.as_path(), OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
        let Ok(place) = place else { continue };
        places.push((kept, place, kept.path.is_dir()));
    }
    let mode = if SHARED.iter().any(|shared| folder == Path::new(shared)) { c"mode=1777" } else { c"mode=0755" };
    let hiding = || format!("hiding {}", folder.display());
    mount("tmpfs", folder, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, Some(mode))
        .map_err(|error| doing(&hiding(), &error.into()))?;
    for (Kept { path, writable }, place, is_folder) in places {
        // What lies in something that is kept is there by now.
        let made = if path.exists() {
            Ok(())
        } else if is_folder {
            fs::create_dir_all(path)
        } else {
            path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::File::create(path).map(drop))
        };
        made.map_err(|error| doing(&hiding(), &error))?;
        mount_bind_recursive(format!("/proc/self/fd/{}", place.as_raw_fd()), path.as_path())
            .map_err(|error| doing(&hiding(), &error.into()))?;
        if !writable {
            make_read_only(path).map_err(|error| doing(&hiding(), &error))?;
        }
    }
    Ok(())
}

/// Makes a mount read-only. What it was mounted with has to stay: in a user namespace that cannot be taken away.
fn make_read_only(path: &Path) -> io::Result<()> {
    let found = rustix::fs::statvfs(path)?.f_flag;
    let mut flags = MountFlags::BIND | MountFlags::RDONLY;
    for (has, flag) in [
        (StatVfsMountFlags::NODEV, MountFlags::NODEV),
        (StatVfsMountFlags::NOEXEC, MountFlags::NOEXEC),
        (StatVfsMountFlags::NOSUID, MountFlags::NOSUID),
        (StatVfsMountFlags::NOATIME, MountFlags::NOATIME),
        (StatVfsMountFlags::NODIRATIME, MountFlags::NODIRATIME),
        (StatVfsMountFlags::RELATIME, MountFlags::RELATIME),
    ] {
        if found.contains(has) {
            flags |= flag;
        }
    }
    Ok(mount_remount(path, flags, c"")?)
}
