//! Watching some files of a slot while commands run in it: what they are compared with is the commit, and what is looked at
//! is the fingerprint of each, so that a look costs a `stat` a file.

use std::{collections::BTreeSet, fs, mem, os::unix::ffi::OsStrExt as _};

use gix::{
    bstr::{BStr, BString, ByteSlice as _},
    index::entry::{Mode, Stat},
};
use implementer_model::evidence::rewritten::Became;

use super::{
    slot::Slot,
    stamp::{self, Fence},
};
use crate::workspace::{
    Result,
    error::IoContext as _,
    folder::{self, Content},
    store::convert::Checkout,
};

/// The largest file whose new content is compared: a larger one is another.
const COMPARED_MAX: u64 = 4 * 1024 * 1024;

/// What is watched in a slot, as it was at the last look.
#[derive(Debug)]
pub struct Watch {
    files: Vec<WatchedFile>,
    /// The folders of the commit.
    folders: Vec<BString>,
    /// What lay there beside the files of the commit.
    beside: BTreeSet<String>,
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
    /// When the folder cannot be looked at.
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
        let folders = folders.into_iter().collect();
        let mut watch = Watch { files: watched, folders, beside: BTreeSet::new(), fence };
        watch.beside = self.beside(&watch, intrudes)?.into_iter().collect();
        Ok(watch)
    }

    /// Says what became of what is watched since the last look. Nothing may run there any more.
    ///
    /// # Errors
    /// When the folder or the store cannot be read.
    pub fn look_again(&self, watch: &mut Watch, intrudes: &Intrudes<'_>) -> Result<Vec<(String, Became)>> {
        let (store, held) = self.store_and_held();
        let repo = store.repo();
        let files = &held.holding.files;
        let mut checkout = Checkout::new(store, &repo, files)?;
        let mut found = Vec::new();
        for WatchedFile { index, stat, is_other } in &mut watch.files {
            let entry = files.entry(*index);
            let path = entry.path_in(files.path_backing());
            let now = self.stat(path);
            let same = now == *stat;
            if same && now.as_ref().is_none_or(|now| !watch.fence.is_racy(now)) {
                continue;
            }
            *stat = now;
            let became = match now {
                None => Some(Became::Gone),
                Some(_) => {
                    let before = checkout.content(entry, path)?;
                    match self.content(path) {
                        Some(after) if after == before => {
                            *is_other = false;
                            (!same).then_some(Became::PutBack)
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
        for path in self.beside(watch, intrudes)? {
            if watch.beside.insert(path.clone()) {
                found.push((path, Became::New));
            }
        }
        watch.fence = Fence::take(&self.fence_file())?;
        Ok(found)
    }

    fn stat(&self, path: &BStr) -> Option<Stat> {
        fs::symlink_metadata(folder::at(self.path(), path)).ok().map(|meta| stamp::from_metadata(&meta))
    }

    /// Reads a file, or where a link leads; nothing of anything else.
    fn content(&self, path: &BStr) -> Option<Vec<u8>> {
        let place = folder::at(self.path(), path);
        let is_link = self.held().holding.files.entry_by_path(path).is_some_and(|entry| entry.mode == Mode::SYMLINK);
        if is_link {
            return fs::read_link(&place).ok().map(|target| target.as_os_str().as_bytes().to_vec());
        }
        match folder::read_plain(&place, COMPARED_MAX) {
            Ok(Content::Bytes(content)) => Some(content),
            _ => None,
        }
    }

    /// Lists what lies in folders of the commit, is not of the commit, and intrudes.
    fn beside(&self, watch: &Watch, intrudes: &Intrudes<'_>) -> Result<Vec<String>> {
        let files = &self.held().holding.files;
        let exists = |path: &str| files.entry_by_path(path.into()).is_some();
        let mut found = Vec::new();
        for dir in &watch.folders {
            let place = folder::at(self.path(), dir.as_ref());
            let entries = match fs::read_dir(&place) {
                Ok(entries) => entries,
                // Its files are gone, which is told of each.
                Err(error)
                    if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) =>
                {
                    continue;
                }
                Err(error) => return Err(error).doing("listing", &place),
            };
            for entry in entries.flatten() {
                let name = entry.file_name();
                let path = folder::join(dir.as_ref(), name.as_bytes().as_bstr());
                let Ok(path) = String::from_utf8(path.into()) else { continue };
                let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                let of_commit = exists(&path) || files.path_is_directory(path.as_str().into());
                if !of_commit && intrudes(&path, is_folder, &exists) {
                    found.push(path);
                }
            }
        }
        Ok(found)
    }
}

/// Tells whether a path that the commit does not have changes which tests run: whether it is a folder, and what else there is.
pub type Intrudes<'a> = dyn Fn(&str, bool, &dyn Fn(&str) -> bool) -> bool + 'a;
