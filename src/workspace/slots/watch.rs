//! Watching some files of a slot while commands run in it: what they are compared with is the commit, and what is looked at
//! is the fingerprint of each, so that a look costs a `stat` a file.

use std::{collections::BTreeSet, fs, mem, os::unix::ffi::OsStrExt as _, path::Path};

use gix::{
    bstr::{BStr, BString, ByteSlice as _},
    index::entry::{Mode, Stat, stat::Time},
};
use implementer_model::evidence::rewritten::Became;
use rustix::{
    fs::{Dir, FileType, OFlags},
    io::Errno,
};

use super::{
    slot::Slot,
    stamp::{self, Fence},
};
use crate::workspace::{
    Result,
    folder::{self, Content},
    store::convert::Checkout,
};

/// The largest file whose new content is compared: one that is larger than this and than it was is another.
const COMPARED_MAX: u64 = 4 * 1024 * 1024;

/// What is watched in a slot, as it was at the last look.
#[derive(Debug)]
pub struct Watch {
    files: Vec<WatchedFile>,
    /// The folders of the commit.
    folders: Vec<BString>,
    /// What lay there beside the files of the commit.
    beside: BTreeSet<String>,
    /// Folders of the commit that could not be listed.
    unseen: BTreeSet<BString>,
    /// A moment after the last look.
    fence: Fence,
}

/// A file that is watched.
#[derive(Debug)]
struct WatchedFile {
    /// Its place in the list of the commit.
    index: usize,
    stat: Option<Stat>,
    /// Whether it was told already that it is another.
    is_other: bool,
}

impl Slot {
    /// Begins to watch the files of the commit for which `has` is so, and what comes to lie beside them for which `intrudes` is
    /// so: a path, whether it is a folder, and whether the commit has a path.
    ///
    /// # Errors
    /// When the time of the file system cannot be taken.
    pub fn watch(&self, has: impl Fn(&str) -> bool, intrudes: &Intrudes<'_>) -> Result<Watch> {
        let files = &self.held().holding.files;
        let paths = files.path_backing();
        let mut folders = BTreeSet::from([BString::default()]);
        let mut watched = Vec::new();
        let mut last: &BStr = "".into();
        for (index, entry) in files.entries().iter().enumerate().filter(|(_, entry)| entry.mode != Mode::COMMIT) {
            let path = entry.path_in(paths);
            let dir = folder::parent(path);
            if dir != last {
                folders.extend(folder::ancestors(dir).chain([dir]).map(ToOwned::to_owned));
                last = dir;
            }
            if path.to_str().is_ok_and(&has) {
                watched.push(WatchedFile { index, stat: self.stat(path), is_other: false });
            }
        }
        let fence = Fence::take(&self.fence_file())?;
        let folders: Vec<_> = folders.into_iter().collect();
        let Beside { found, unseen } = self.beside(&folders, intrudes);
        Ok(Watch { files: watched, folders, beside: found.into_iter().collect(), unseen, fence })
    }

    /// Says what became of what is watched since the last look. Nothing may run there any more.
    ///
    /// # Errors
    /// When the store cannot be read: nothing that a command does to the folder is an error.
    pub fn look_again(&self, watch: &mut Watch, intrudes: &Intrudes<'_>) -> Result<Vec<(String, Became)>> {
        let (store, held) = self.store_and_held();
        let repo = store.repo();
        let files = &held.holding.files;
        let mut checkout = Checkout::new(store, &repo, files)?;
        let Beside { found: beside, unseen } = self.beside(&watch.folders, intrudes);
        let mut found = Vec::new();
        for folder in unseen.difference(&watch.unseen) {
            let shown = if folder.is_empty() { ".".to_owned() } else { folder.to_string() };
            found.push((shown, Became::Other(Vec::new(), None)));
        }
        for WatchedFile { index, stat, is_other } in &mut watch.files {
            let entry = files.entry(*index);
            let path = entry.path_in(files.path_backing());
            // With its folder it is told of it.
            if is_unseen(path, &unseen) {
                continue;
            }
            let now = self.stat(path);
            let same = now == *stat;
            if same && now.as_ref().is_none_or(|now| !watch.fence.is_racy(now)) {
                continue;
            }
            // Another mode, or another owner, is nothing that was written.
            let was_written = written(now.as_ref()) != written(stat.as_ref());
            *stat = now;
            let became = match now {
                None => Some(Became::Gone),
                Some(_) => {
                    let before = checkout.content(entry, path)?;
                    match self.content(path, COMPARED_MAX.max(before.len() as u64)) {
                        Some(after) if after == before => {
                            *is_other = false;
                            was_written.then_some(Became::PutBack)
                        }
                        // Of a file that changed just now the fingerprint does not tell whether it changed again.
                        after => {
                            let known = mem::replace(is_other, true);
                            (!same || !known).then_some(Became::Other(before, after))
                        }
                    }
                }
            };
            found.extend(became.map(|became| (path.to_string(), became)));
        }
        watch.unseen = unseen;
        for path in beside {
            if watch.beside.insert(path.clone()) {
                found.push((path, Became::New));
            }
        }
        watch.fence = Fence::take(&self.fence_file())?;
        Ok(found)
    }

    /// Returns a file of the commit as it was written into the folder.
    #[must_use]
    pub fn committed(&self, path: &str) -> Option<Vec<u8>> {
        let (store, held) = self.store_and_held();
        let files = &held.holding.files;
        let entry = files.entry_by_path(path.into())?;
        Checkout::new(store, &store.repo(), files).ok()?.content(entry, path.into()).ok()
    }

    fn stat(&self, path: &BStr) -> Option<Stat> {
        fs::symlink_metadata(folder::at(self.path(), path)).ok().map(|meta| stamp::from_metadata(&meta))
    }

    /// Reads a file of at most so many bytes, or where a link leads; nothing of anything else.
    fn content(&self, path: &BStr, limit: u64) -> Option<Vec<u8>> {
        let place = folder::at(self.path(), path);
        let is_link = self.held().holding.files.entry_by_path(path).is_some_and(|entry| entry.mode == Mode::SYMLINK);
        if is_link {
            return fs::read_link(&place).ok().map(|target| target.as_os_str().as_bytes().to_vec());
        }
        match folder::read_plain(&place, limit) {
            Ok(Content::Bytes(content)) => Some(content),
            _ => None,
        }
    }

    /// Lists what lies in folders of the commit, is not of the commit, and intrudes. No link is followed.
    fn beside(&self, folders: &[BString], intrudes: &Intrudes<'_>) -> Beside {
        let files = &self.held().holding.files;
        let exists = |path: &str| files.entry_by_path(path.into()).is_some();
        let mut beside = Beside::default();
        for dir in folders {
            if is_unseen(dir.as_ref(), &beside.unseen) {
                continue;
            }
            let entries = match listed(&folder::at(self.path(), dir.as_ref())) {
                Ok(entries) => entries,
                // Its files are gone, which is told of each.
                Err(Errno::NOENT) => continue,
                Err(error) => {
                    tracing::debug!(%error, folder = %dir, "a folder of a slot cannot be listed");
                    beside.unseen.insert(dir.clone());
                    continue;
                }
            };
            for (name, is_folder) in entries {
                let path = folder::join(dir.as_ref(), name.as_ref());
                let Ok(path) = String::from_utf8(path.into()) else { continue };
                let of_commit = exists(&path) || files.path_is_directory(path.as_str().into());
                if !of_commit && intrudes(&path, is_folder, &exists) {
                    beside.found.push(path);
                }
            }
        }
        beside
    }
}

/// What lies beside the files of the commit.
#[derive(Debug, Default)]
struct Beside {
    found: Vec<String>,
    /// The outermost folders of the commit that cannot be listed: closed, or another thing now.
    unseen: BTreeSet<BString>,
}

/// Returns which file a fingerprint is of, and when its content was written.
fn written(stat: Option<&Stat>) -> Option<(u32, Time)> {
    stat.map(|stat| (stat.ino, stat.mtime))
}

/// Tells whether a path lies in a folder that cannot be listed.
fn is_unseen(path: &BStr, unseen: &BTreeSet<BString>) -> bool {
    !unseen.is_empty() && (unseen.contains(BStr::new("")) || folder::ancestors(path).any(|dir| unseen.contains(dir)))
}

/// Lists a folder that is no link: the names, and whether each is a folder.
fn listed(place: &Path) -> std::result::Result<Vec<(BString, bool)>, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = rustix::fs::open(place, flags, rustix::fs::Mode::empty())?;
    let mut names = Vec::new();
    for entry in Dir::new(opened)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if !matches!(name, b"." | b"..") {
            names.push((name.into(), entry.file_type() == FileType::Directory));
        }
    }
    Ok(names)
}

/// Tells whether a path that the commit does not have changes which tests run: whether it is a folder, and what else there is.
pub type Intrudes<'a> = dyn Fn(&str, bool, &dyn Fn(&str) -> bool) -> bool + 'a;
