//! Removing what subagents made, however they made it.
//!
//! `fs::remove_dir_all` goes into folders by calling itself, with a folder open for each level: fifteen thousand folders within
//! each other, made in a second, end the process. Here a few folders are open at a time. What lies deeper is moved up first.

use std::{
    ffi::{CStr, CString},
    fs, io,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::ffi::OsStrExt as _,
    },
    path::Path,
};

use rustix::{
    fs::{self as at, AtFlags, Dir, FileType, Mode, OFlags},
    io::Errno,
};

/// How many folders are open at a time.
const OPEN_MAX: usize = 32;

/// Removes whatever is at `path`, with all that is in it, and follows no link. Folders that their owner may not write to are
/// opened up first. It is no error when there is nothing.
///
/// # Errors
/// The first thing that cannot be removed. All else is.
pub fn remove(path: &Path) -> io::Result<()> {
    let is_folder = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        meta => meta?.is_dir(),
    };
    if !is_folder {
        return fs::remove_file(path);
    }
    let name = CString::new(path.as_os_str().as_bytes())?;
    let mut removal = Removal { open: vec![Open::new(at::CWD, &name)?], moved: 0, first_error: None };
    removal.empty();
    let emptied = removal.first_error.map_or(Ok(()), |error| Err(error.into()));
    drop(removal.open);
    fs::remove_dir(path).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => emptied.and(Err(error)),
    })
}

/// Folders that are being emptied, each within the one before.
struct Removal {
    open: Vec<Open>,
    /// How many folders were moved up.
    moved: usize,
    first_error: Option<Errno>,
}

/// A folder that is being emptied.
struct Open {
    dir: Dir,
    /// Its name in the folder before it.
    name: CString,
    /// Whether something went since it was read from its beginning: then there may be more than was read.
    has_changed: bool,
    is_opened_up: bool,
}

impl Open {
    fn new(parent: impl AsFd, name: &CStr) -> rustix::io::Result<Self> {
        let options = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let open = || at::openat(&parent, name, options, Mode::empty());
        let fd = open().or_else(|error| match error {
            Errno::ACCESS => open_up(parent.as_fd(), name).and_then(|()| open()),
            other => Err(other),
        })?;
        Ok(Self { dir: Dir::new(fd)?, name: name.to_owned(), has_changed: false, is_opened_up: false })
    }

    fn fd(&self) -> rustix::io::Result<BorrowedFd<'_>> {
        self.dir.fd()
    }

    /// Removes an entry, and opens the folder up where that is what it takes.
    fn unlink(&mut self, name: &CStr, flags: AtFlags) -> rustix::io::Result<()> {
        let mut unlinked = at::unlinkat(self.fd()?, name, flags);
        if unlinked == Err(Errno::ACCESS) && !self.is_opened_up {
            self.is_opened_up = true;
            at::fchmod(self.fd()?, Mode::RWXU)?;
            unlinked = at::unlinkat(self.fd()?, name, flags);
        }
        match unlinked {
            Err(Errno::NOENT) => Ok(()),
            Ok(()) => {
                self.has_changed = true;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

/// Gives the owner all rights on a folder, and on nothing that a link leads to.
fn open_up(parent: BorrowedFd<'_>, name: &CStr) -> rustix::io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        let options = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = at::openat(parent, name, options, Mode::empty())?;
        let place = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&fd));
        at::chmod(place, Mode::RWXU)
    }
    #[cfg(not(target_os = "linux"))]
    at::chmodat(parent, name, Mode::RWXU, AtFlags::SYMLINK_NOFOLLOW)
}

impl Removal {
    /// Empties the first of the open folders.
    fn empty(&mut self) {
        while let Some(top) = self.open.last_mut() {
            match top.dir.read() {
                Some(Ok(entry)) if matches!(entry.file_name().to_bytes(), b"." | b"..") => {}
                Some(Ok(entry)) => {
                    let removed = self.take(entry.file_name(), entry.file_type());
                    self.note(removed);
                }
                Some(Err(error)) => {
                    self.note(Err(error));
                    if !self.leave() {
                        return;
                    }
                }
                // What is removed while it is read may keep others from being read.
                None if top.has_changed => {
                    top.has_changed = false;
                    top.dir.rewind();
                }
                None => {
                    if !self.leave() {
                        return;
                    }
                }
            }
        }
    }

    /// Removes an entry of the last folder, or begins to.
    fn take(&mut self, name: &CStr, file_type: FileType) -> rustix::io::Result<()> {
        let depth = self.open.len();
        let Some(top) = self.open.last_mut() else { return Ok(()) };
        let is_folder = match file_type {
            FileType::Unknown => {
                let stat = at::statat(top.fd()?, name, AtFlags::SYMLINK_NOFOLLOW)?;
                FileType::from_raw_mode(stat.st_mode) == FileType::Directory
            }
            known => known == FileType::Directory,
        };
        if !is_folder {
            return top.unlink(name, AtFlags::empty());
        }
        // Most folders that were seen before are empty by now.
        if top.unlink(name, AtFlags::REMOVEDIR).is_ok() {
            return Ok(());
        }
        if depth < OPEN_MAX {
            let open = Open::new(top.fd()?, name)?;
            self.open.push(open);
            return Ok(());
        }
        self.move_up(name)
    }

    /// Moves a folder that lies too deep to be opened into the first one, where it is found again.
    fn move_up(&mut self, name: &CStr) -> rustix::io::Result<()> {
        let [first, .., top] = self.open.as_mut_slice() else { return Ok(()) };
        self.moved += 1;
        let aside = format!("removed-{}-{}", std::process::id(), self.moved);
        let mut moved = at::renameat(top.fd()?, name, first.fd()?, aside.as_str());
        if moved == Err(Errno::ACCESS) {
            // A folder that goes elsewhere is written to, and so are those that it goes from and to.
            open_up(top.fd()?, name)?;
            at::fchmod(top.fd()?, Mode::RWXU)?;
            at::fchmod(first.fd()?, Mode::RWXU)?;
            moved = at::renameat(top.fd()?, name, first.fd()?, aside.as_str());
        }
        moved?;
        (first.has_changed, top.has_changed) = (true, true);
        Ok(())
    }

    /// Leaves the last folder, which is empty but for what cannot be removed. Tells whether there is another one.
    fn leave(&mut self) -> bool {
        let Some(left) = self.open.pop() else { return false };
        let Some(top) = self.open.last_mut() else { return false };
        let removed = top.unlink(&left.name, AtFlags::REMOVEDIR);
        self.note(removed);
        true
    }

    fn note(&mut self, removed: rustix::io::Result<()>) {
        if let Err(error) = removed {
            self.first_error.get_or_insert(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// Makes so many folders within each other, as no path can name them.
    fn deep(root: &Path, levels: usize) {
        let mut fd = at::open(root, OFlags::DIRECTORY, Mode::empty()).unwrap();
        for _ in 0..levels {
            at::mkdirat(&fd, "d", Mode::RWXU).unwrap();
            at::openat(&fd, "file", OFlags::CREATE | OFlags::WRONLY, Mode::RUSR).unwrap();
            fd = at::openat(&fd, "d", OFlags::DIRECTORY, Mode::empty()).unwrap();
        }
    }

    #[test]
    fn a_link_is_removed_and_its_target_survives() {
        let folder = tempfile::tempdir().unwrap();
        let (outside, inside) = (folder.path().join("outside"), folder.path().join("inside"));
        fs::create_dir_all(outside.join("deep")).unwrap();
        fs::write(outside.join("deep/file"), "kept").unwrap();
        fs::create_dir(&inside).unwrap();
        std::os::unix::fs::symlink(&outside, inside.join("link")).unwrap();
        std::os::unix::fs::symlink(&outside, folder.path().join("itself")).unwrap();
        remove(&inside).unwrap();
        remove(&folder.path().join("itself")).unwrap();
        remove(&folder.path().join("nothing")).unwrap();
        assert!(!inside.exists());
        assert_eq!(fs::read_to_string(outside.join("deep/file")).unwrap(), "kept");
    }

    #[test]
    fn folders_go_however_deep_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        for levels in [0, 1, OPEN_MAX - 1, OPEN_MAX, OPEN_MAX + 1, 5000] {
            fs::create_dir(&root).unwrap();
            deep(&root, levels);
            remove(&root).unwrap();
            assert!(!root.exists(), "{levels}");
        }
    }

    #[test]
    fn folders_that_nobody_may_write_to_or_read_go() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir_all(root.join("shut/in")).unwrap();
        fs::write(root.join("shut/file"), "x").unwrap();
        fs::create_dir_all(root.join("blind/in/it")).unwrap();
        for (place, mode) in [("shut", 0o500), ("blind/in", 0), ("blind", 0)] {
            fs::set_permissions(root.join(place), fs::Permissions::from_mode(mode)).unwrap();
        }
        remove(&root).unwrap();
        assert!(!root.exists());
    }

    #[test]
    fn a_folder_with_many_entries_goes() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        for number in 0..2000 {
            fs::create_dir_all(root.join(format!("{number}/x"))).unwrap();
        }
        remove(&root).unwrap();
        assert!(!root.exists());
    }
}
