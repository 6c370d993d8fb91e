//! Files and folders of slots' users.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
};

use super::{shared_memory, users::User};

use crate::untrusted;

/// Folders that all users of slots may write to: what one left there goes when its attempt is over. The second has the message
/// queues of POSIX.
const SHARED: [&str; 2] = ["/dev/shm", "/dev/mqueue"];

/// Lets a group through a folder that nobody else may enter, and that nobody but us may list.
pub(super) fn open_way(folder: &Path, group: u32) -> io::Result<()> {
    std::os::unix::fs::lchown(folder, None, Some(group))?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o710))
}

/// Gives a folder with everything in it to a user. No link is followed.
pub(super) fn give(root: &Path, user: User) -> io::Result<()> {
    let mut pending = vec![root.to_owned()];
    while let Some(path) = pending.pop() {
        std::os::unix::fs::lchown(&path, Some(user.uid), Some(user.gid))?;
        if fs::symlink_metadata(&path)?.is_dir() {
            for entry in fs::read_dir(&path)? {
                pending.push(entry?.path());
            }
        }
    }
    Ok(())
}

/// Removes what a user has where everybody may leave something. It has no process any more.
pub(super) fn remove_shared(user: User) {
    if let Err(error) = shared_memory::remove(user) {
        tracing::warn!(%error, "memory that a subagent shared could not be removed");
    }
    for folder in SHARED {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let Ok(meta) = fs::symlink_metadata(&path) else { continue };
            if meta.uid() != user.uid {
                continue;
            }
            if let Err(error) = untrusted::remove(&path) {
                tracing::warn!(%error, path = %path.display(), "what a subagent left behind could not be removed");
            }
        }
    }
}
