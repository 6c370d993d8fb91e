//! Writing the plain files of a tree into new folders: each is read once, whatever the number of folders.
//!
//! What a checkout of many files costs is reading objects and looking up paths. So files are made relative to the folder
//! that they are in, which is held open, and slots that begin at the same time are filled together. Links, submodules and
//! all that is special are left to whoever checks out what is missing.

use std::{
    fs::File,
    io::Write as _,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use gix::{
    bstr::{BStr, BString, ByteSlice as _},
    index::{
        Entry, State,
        entry::{Mode, Stat},
    },
    objs::FindExt as _,
};
use rustix::{
    fs::{self as at, Mode as FileMode, OFlags},
    io::Errno,
};

use crate::workspace::{
    Result, WorkspaceError,
    error::IoContext as _,
    folder::{self, Owner},
    slots::stamp,
    store::{RunStore, convert::Checkout, hashed},
};

/// How many files a thread takes at a time: some folders, so that threads seldom meet in one.
const BATCH: usize = 256;

/// The fingerprints of files that were written, by their place in the list.
pub(in crate::workspace) type Written = Vec<(usize, Stat)>;

/// Writes the plain files of the list `files` into the new, empty folders `roots`, by at most `threads` threads. Gives
/// what was written into each of them.
///
/// # Errors
/// When an object is not there, or a folder cannot be written. The folders are in no known state then.
pub(in crate::workspace) fn fill(
    store: &RunStore,
    files: &State,
    roots: &[(PathBuf, Option<Owner>)],
    threads: usize,
) -> Result<Vec<Written>> {
    let next = AtomicUsize::new(0);
    let threads = threads.clamp(1, files.entries().len() / BATCH + 1);
    let filled = thread::scope(|scope| {
        let further: Vec<_> = (1..threads).map(|_| scope.spawn(|| fill_some(store, files, roots, &next))).collect();
        let mut filled = vec![fill_some(store, files, roots, &next)];
        filled.extend(further.into_iter().map(|thread| match thread.join() {
            Ok(filled) => filled,
            Err(panic) => std::panic::resume_unwind(panic),
        }));
        filled
    });
    let mut all = vec![Vec::with_capacity(files.entries().len()); roots.len()];
    for filled in filled {
        for (all, some) in all.iter_mut().zip(filled?) {
            all.extend(some);
        }
    }
    Ok(all)
}

/// What one thread does: takes files until there are none.
fn fill_some(
    store: &RunStore,
    files: &State,
    roots: &[(PathBuf, Option<Owner>)],
    next: &AtomicUsize,
) -> Result<Vec<Written>> {
    let repo = store.repo();
    let is_attributes =
        |entry: &Entry| entry.path(files).rsplit(|&byte| byte == b'/').next() == Some(b".gitattributes");
    // Without attributes a checkout writes what is stored.
    let mut converted = match files.entries().iter().any(is_attributes) {
        true => Some(Checkout::new(store, &repo, files)?),
        false => None,
    };
    let mut stacks = roots.iter().map(|(root, owner)| Stack::open(root, *owner)).collect::<Result<Vec<_>>>()?;
    let mut written = vec![Vec::new(); roots.len()];
    let mut buffer = Vec::new();
    loop {
        let from = next.fetch_add(BATCH, Ordering::Relaxed);
        let batch = files.entries().iter().enumerate().skip(from).take(BATCH);
        if batch.len() == 0 {
            return Ok(written);
        }
        for (index, entry) in batch {
            if entry.mode != Mode::FILE && entry.mode != Mode::FILE_EXECUTABLE {
                continue;
            }
            let path = entry.path(files);
            let found;
            let content = if let Some(checkout) = &mut converted {
                found = checkout.content(entry, path)?;
                &found
            } else {
                let found = repo.objects.find_blob(&entry.id, &mut buffer);
                let found = found.map_err(|error| store.explain(&repo, entry.id, "checking out", error))?.data;
                hashed::check(&entry.id, gix::objs::Kind::Blob, found)?;
                found
            };
            for (stack, written) in stacks.iter_mut().zip(&mut written) {
                written.push((index, stack.write(path, entry.mode == Mode::FILE_EXECUTABLE, content)?));
            }
        }
    }
}

/// The folders that lead to the file that was written last, each held open.
struct Stack<'a> {
    root: &'a Path,
    owner: Option<Owner>,
    root_fd: OwnedFd,
    /// The folders below the root, with where their names end in `path`.
    open: Vec<(usize, OwnedFd)>,
    path: BString,
}

impl<'a> Stack<'a> {
    fn open(root: &'a Path, owner: Option<Owner>) -> Result<Self> {
        let options = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let root_fd = at::open(root, options, FileMode::empty()).map_err(Into::into).doing("opening", root)?;
        Ok(Self { root, owner, root_fd, open: Vec::new(), path: BString::default() })
    }

    /// Writes a new file, and returns its fingerprint.
    fn write(&mut self, path: &BStr, executable: bool, content: &[u8]) -> Result<Stat> {
        let io_error = |root: &Path| {
            let place = folder::at(root, path);
            move |source| WorkspaceError::Io { doing: "writing", path: place, source }
        };
        self.enter(folder::parent(path)).map_err(|error| io_error(self.root)(error.into()))?;
        let name: &[u8] = &path[path.rfind_byte(b'/').map_or(0, |slash| slash + 1)..];
        let options = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        // As the user's mask has it.
        let mode = FileMode::from_raw_mode(if executable { 0o777 } else { 0o666 });
        let file = at::openat(self.top(), name, options, mode);
        let mut file = File::from(file.map_err(|error| io_error(self.root)(error.into()))?);
        let written = file.write_all(content).and_then(|()| match self.owner {
            // Before its fingerprint is taken, which has the owner in it.
            Some((uid, gid)) => std::os::unix::fs::fchown(&file, Some(uid), Some(gid)),
            None => Ok(()),
        });
        let stat = written.and_then(|()| file.metadata()).map(|meta| stamp::from_metadata(&meta));
        stat.map_err(io_error(self.root))
    }

    fn top(&self) -> &OwnedFd {
        self.open.last().map_or(&self.root_fd, |(_, fd)| fd)
    }

    /// Opens the folder `dir`, and makes it and those that lead to it where they are not there.
    fn enter(&mut self, dir: &BStr) -> rustix::io::Result<()> {
        if self.path == dir {
            return Ok(());
        }
        while let Some((end, _)) = self.open.last() {
            let shared = dir.get(..*end) == self.path.get(..*end) && matches!(dir.get(*end), None | Some(b'/'));
            if shared {
                break;
            }
            self.open.pop();
        }
        let mut from = self.open.last().map_or(0, |(end, _)| end + 1);
        while from < dir.len() {
            let end = dir[from..].find_byte(b'/').map_or(dir.len(), |slash| from + slash);
            let name: &[u8] = &dir[from..end];
            let made = match at::mkdirat(self.top(), name, FileMode::from_raw_mode(0o777)) {
                Ok(()) => true,
                // Another thread was first, or it is from the batch before.
                Err(Errno::EXIST) => false,
                Err(error) => return Err(error),
            };
            let options = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let fd = at::openat(self.top(), name, options, FileMode::empty())?;
            if let Some((uid, gid)) = self.owner.filter(|_| made) {
                at::fchown(&fd, Some(at::Uid::from_raw(uid)), Some(at::Gid::from_raw(gid)))?;
            }
            self.open.push((end, fd));
            from = end + 1;
        }
        self.path = dir.to_owned();
        Ok(())
    }
}
