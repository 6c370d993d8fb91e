//! Reading and clearing folders that a subagent has had its hands on: no link is ever followed, nothing blocks.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Path, PathBuf},
};

use gix::bstr::{BStr, BString, ByteSlice as _};
use rustix::io::Errno;

use crate::untrusted::{self, UntrustedError};

/// One entry of a folder.
#[derive(Debug)]
pub(super) struct Child {
    /// Its name.
    pub(super) name: BString,
    /// What it is; of a link, the link itself.
    pub(super) meta: Metadata,
}

/// Lists a folder, in no particular order. What vanishes meanwhile is left out.
pub(super) fn children(folder: &Path) -> io::Result<Vec<Child>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.metadata() {
            Ok(meta) => found.push(Child { name: entry.file_name().into_vec().into(), meta }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// What reading a file came to.
#[derive(Debug)]
pub(super) enum Content {
    /// Its content.
    Bytes(Vec<u8>),
    /// It is larger than allowed.
    TooLarge,
    /// It is no plain file.
    NotPlain,
}

/// Reads the plain file at `path` when it has at most `limit` bytes.
pub(super) fn read_plain(path: &Path, limit: u64) -> io::Result<Content> {
    match untrusted::read(path, limit) {
        Ok(content) => Ok(Content::Bytes(content)),
        Err(UntrustedError::TooLarge { .. }) => Ok(Content::TooLarge),
        Err(UntrustedError::NotPlain { .. } | UntrustedError::NotText { .. }) => Ok(Content::NotPlain),
        Err(UntrustedError::Io { source, .. }) => Err(source),
    }
}

/// Opens the plain file at `path`; `None` when it is something else.
pub(super) fn open_plain(path: &Path, options: &mut OpenOptions) -> io::Result<Option<File>> {
    match untrusted::open_plain(path, options) {
        Ok(file) => Ok(Some(file)),
        Err(UntrustedError::Io { source, .. }) => Err(source),
        Err(_) => Ok(None),
    }
}

/// Removes the extended attributes that a user can set on a folder, and its access lists: what is made in it would
/// inherit them.
pub(super) fn clear_attributes(folder: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        const ACCESS_LISTS: [&[u8]; 2] = [b"system.posix_acl_access", b"system.posix_acl_default"];
        let size = match rustix::fs::llistxattr_query(folder) {
            Err(Errno::OPNOTSUPP) | Ok(0) => return Ok(()),
            size => size?,
        };
        let mut names = vec![0; size];
        let size = rustix::fs::llistxattr(folder, &mut names[..])?;
        for name in names[..size].split(|&byte| byte == 0) {
            if name.starts_with(b"user.") || ACCESS_LISTS.contains(&name) {
                rustix::fs::lremovexattr(folder, name)?;
            }
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = folder;
    Ok(())
}

/// Asks the file system to put the folders that will be made in `folder` far away from each other. Where it knows no such
/// thing, nothing happens.
///
/// ext4 does not use an inode again for minutes after it was removed, and looks at each such one of a block group whenever
/// it makes a file there. So where many files were removed just now, making files takes ten times as long; spread over
/// the block groups, by their names, new folders miss the place.
pub(super) fn spread(folder: &Path) {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};
        let flags = File::open(folder).and_then(|file| {
            let flags = ioctl_getflags(&file)?;
            Ok(ioctl_setflags(&file, flags | IFlags::TOPDIR)?)
        });
        if let Err(error) = flags {
            tracing::debug!(%error, folder = %folder.display(), "slots are not spread over the disk");
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = folder;
}

/// A user and a group.
pub(super) type Owner = (u32, u32);

/// Gives whatever is at `path`, with all that is in it, to another owner. No link is followed.
pub(super) fn give(path: &Path, (uid, gid): Owner) -> io::Result<()> {
    let mut pending = vec![path.to_owned()];
    while let Some(path) = pending.pop() {
        std::os::unix::fs::lchown(&path, Some(uid), Some(gid))?;
        if fs::symlink_metadata(&path)?.is_dir() {
            pending.extend(children(&path)?.into_iter().map(|child| at(&path, child.name.as_ref())));
        }
    }
    Ok(())
}

/// Gives what was just made at `path` to the owner of the folder `root` that it is in, with the folders on the way.
pub(super) fn give_like(root: &Path, path: &BStr) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let owner = fs::symlink_metadata(root)?;
    for part in ancestors(path).chain([path]) {
        let place = at(root, part);
        let meta = fs::symlink_metadata(&place)?;
        if (meta.uid(), meta.gid()) != (owner.uid(), owner.gid()) {
            std::os::unix::fs::lchown(&place, Some(owner.uid()), Some(owner.gid()))?;
        }
    }
    Ok(())
}

/// Returns where the repository path `path` is, seen from `root`.
pub(super) fn at(root: &Path, path: &BStr) -> PathBuf {
    if path.is_empty() { root.to_owned() } else { root.join(std::ffi::OsStr::from_bytes(path)) }
}

/// Joins a folder of the repository and a name in it.
pub(super) fn join(folder: &BStr, name: &BStr) -> BString {
    if folder.is_empty() {
        return name.to_owned();
    }
    let mut path = folder.to_owned();
    path.push(b'/');
    path.extend_from_slice(name);
    path
}

/// Returns the folder that `path` is in; empty for the root.
pub(super) fn parent(path: &BStr) -> &BStr {
    path.rfind_byte(b'/').map_or_else(Default::default, |at| path[..at].as_bstr())
}

/// Returns the folders above `path`, outermost first, without the root.
pub(super) fn ancestors(path: &BStr) -> impl Iterator<Item = &BStr> {
    path.find_iter("/").map(|at| path[..at].as_bstr())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_a_pipe_or_a_link_does_not_block_or_follow() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
        assert!(matches!(read_plain(&pipe, 10).unwrap(), Content::NotPlain));
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/etc/hostname", &link).unwrap();
        assert!(matches!(read_plain(&link, 1000).unwrap(), Content::NotPlain));
    }

    #[test]
    fn paths_have_parents_and_ancestors() {
        assert_eq!(parent("a/b/c".into()), "a/b");
        assert_eq!(parent("a".into()), "");
        assert_eq!(ancestors("a/b/c".into()).collect::<Vec<_>>(), ["a", "a/b"]);
    }
}
