//! Clearing a folder before it is used again: what can stay stays, everything else goes.

use std::{
    fs::{self, Permissions},
    os::unix::{
        ffi::OsStrExt as _,
        fs::{MetadataExt as _, PermissionsExt as _},
    },
    path::Path,
};

use gix::{
    bstr::{BStr, BString, ByteSlice as _},
    index::{
        Entry, State,
        entry::{Mode, Stat},
    },
};

use crate::{
    untrusted,
    workspace::{
        Result,
        error::IoContext as _,
        folder::{self, Content},
        slots::{
            refit::Holding,
            stamp::{self, Fence},
        },
        store::{RunStore, convert::Checkout},
    },
};

/// What a walk saw that went through a folder after its subagent had ended.
///
/// It spares the next one a look at every file. Folders are looked at again all the same, because they show whether
/// anything in them was made, removed or renamed since. Who still changes the content of a file in place after its
/// subagent has ended with everything that it started, is seen when the next patch is captured, as a change of the next.
#[derive(Debug)]
pub(in crate::workspace) struct Seen {
    /// For each file of the tree that the folder holds: whether it is as it was checked out, beyond doubt.
    unchanged: Vec<bool>,
    /// What has to be looked at, or to go: changed files, and whatever is not of the tree.
    doubtful: Vec<BString>,
    /// The folders of the tree that were looked into, each after the one it is in, as they were before.
    folders: Vec<(BString, Option<Stat>)>,
    /// A moment before the walk.
    fence: Option<Fence>,
}

impl Seen {
    /// Makes one for a tree of `files` files of which nothing was seen yet.
    pub(in crate::workspace) fn nothing(files: usize) -> Self {
        Self { unchanged: vec![false; files], doubtful: Vec::new(), folders: Vec::new(), fence: None }
    }

    /// Makes one for the folder `root` that was just written, and that nobody had yet.
    pub(in crate::workspace) fn as_written(root: &Path, held: &Holding) -> Result<Self> {
        let mut seen = Self::nothing(held.files.entries().len()).since(held.fence);
        seen.unchanged.fill(true);
        let paths = held.files.path_backing();
        let mut last = BString::default();
        let mut look = |dir: &BStr| -> Result<()> {
            let place = folder::at(root, dir);
            let meta = fs::symlink_metadata(&place).doing("looking at", &place)?;
            seen.looked_into(&dir.to_owned(), Some(stamp::from_metadata(&meta)));
            Ok(())
        };
        look(BStr::new(""))?;
        for entry in held.files.entries() {
            let dir = folder::parent(entry.path_in(paths));
            if dir == last {
                continue;
            }
            // The folders that lead to both were looked at before.
            let is_new = |dir: &BStr| !is_below(last.as_ref(), dir) && last != dir;
            for dir in folder::ancestors(dir).chain([dir]).filter(|dir| is_new(dir)) {
                look(dir)?;
            }
            last = dir.to_owned();
        }
        Ok(seen)
    }

    /// Notes that a file is as it was checked out.
    pub(in crate::workspace) fn unchanged(&mut self, index: usize) {
        self.unchanged[index] = true;
    }

    /// Notes that whatever is at `path` has to be looked at.
    pub(in crate::workspace) fn doubt(&mut self, path: &BString) {
        self.doubtful.push(path.clone());
    }

    /// Notes that a folder of the tree was looked into, and what it was like before.
    pub(in crate::workspace) fn looked_into(&mut self, path: &BString, stat: Option<Stat>) {
        self.folders.push((path.clone(), stat));
    }

    /// Says when the walk began.
    pub(in crate::workspace) fn since(self, fence: Fence) -> Self {
        Self { fence: Some(fence), ..self }
    }
}

/// One walk through the folder.
pub(in crate::workspace) struct Sweep<'a> {
    root: &'a Path,
    held: &'a Holding,
    next: &'a State,
    attributes_changed: Vec<BString>,
    checkout: Checkout<'a>,
    /// Places in the next list, with the fingerprint of the file that is there already.
    kept: Vec<(usize, Stat)>,
    /// The folders that were looked into, each after the one it is in.
    folders: Vec<BString>,
}

impl<'a> Sweep<'a> {
    /// Prepares to bring the folder from what it `held` to the files of `next`.
    pub(in crate::workspace) fn new(
        store: &'a RunStore,
        repo: &'a gix::Repository,
        root: &'a Path,
        held: &'a Holding,
        next: &'a State,
    ) -> Result<Self> {
        Ok(Self {
            root,
            held,
            next,
            attributes_changed: changed_attribute_folders(&held.files, next),
            checkout: Checkout::new(store, repo, &held.files)?,
            kept: Vec::new(),
            folders: Vec::new(),
        })
    }

    /// Looks at everything. Returns the places in the next list of what is there already, each with its fingerprint.
    pub(in crate::workspace) fn everything(mut self) -> Result<Vec<(usize, Stat)>> {
        self.descend(vec![BString::default()])?;
        self.leave_folders()?;
        Ok(self.kept)
    }

    /// Looks only at what a walk that saw everything left in doubt, and at folders that changed since. Returns the same.
    pub(in crate::workspace) fn what_was_seen(mut self, seen: Seen) -> Result<Vec<(usize, Stat)>> {
        let Some(fence) = seen.fence else { return self.everything() };
        let mut look_again = Vec::new();
        let mut metas = Vec::with_capacity(seen.folders.len());
        for (dir, before) in &seen.folders {
            let Ok(meta) = fs::symlink_metadata(folder::at(self.root, dir.as_ref())) else { return self.everything() };
            let now = stamp::from_metadata(&meta);
            if before.as_ref() != Some(&now) {
                return self.everything();
            }
            if fence.is_racy(&now) {
                // What was changed at the tick of the clock at which it was looked into may not have been seen.
                look_again.push(dir.clone());
            }
            metas.push(meta);
        }
        for ((dir, _), meta) in seen.folders.into_iter().zip(metas) {
            self.restore(&folder::at(self.root, dir.as_ref()), &meta)?;
            self.folders.push(dir);
        }
        look_again.sort_unstable();
        self.keep_unchanged(&seen.unchanged, &look_again)?;
        for dir in &look_again {
            // The folders in it have their own turn.
            self.look_into(dir, &mut Vec::new())?;
        }
        let mut pending = Vec::new();
        for path in seen.doubtful {
            let place = folder::at(self.root, path.as_ref());
            if let Ok(meta) = fs::symlink_metadata(&place) {
                self.child(path, &place, &meta, &mut pending)?;
            }
        }
        self.descend(pending)?;
        self.leave_folders()?;
        // What was in doubt for two reasons was looked at twice.
        self.kept.sort_unstable_by_key(|(index, _)| *index);
        self.kept.dedup_by_key(|(index, _)| *index);
        Ok(self.kept)
    }

    /// Keeps the files that a walk found unchanged and that the next tree has alike, and removes those that it has not;
    /// all but those in the folders `but_in`.
    fn keep_unchanged(&mut self, unchanged: &[bool], but_in: &[BString]) -> Result<()> {
        let (old_paths, new_paths) = (self.held.files.path_backing(), self.next.path_backing());
        let new = self.next.entries();
        let mut at = 0;
        // Both lists are in the order of the paths.
        for (old, _) in self.held.files.entries().iter().zip(unchanged).filter(|(_, unchanged)| **unchanged) {
            let path = old.path_in(old_paths);
            while new.get(at).is_some_and(|entry| entry.path_in(new_paths) < path) {
                at += 1;
            }
            if !but_in.is_empty() && but_in.binary_search_by(|dir| dir[..].cmp(folder::parent(path))).is_ok() {
                continue;
            }
            match new.get(at).filter(|entry| entry.path_in(new_paths) == path) {
                Some(entry) if self.is_alike(old, entry, path) => self.kept.push((at, old.stat)),
                _ => {
                    let place = folder::at(self.root, path);
                    untrusted::remove(&place).doing("removing", &place)?;
                }
            }
        }
        Ok(())
    }

    /// Looks into these folders, and the folders of the tree in them.
    fn descend(&mut self, mut pending: Vec<BString>) -> Result<()> {
        while let Some(dir) = pending.pop() {
            self.look_into(&dir, &mut pending)?;
            self.folders.push(dir);
        }
        Ok(())
    }

    fn look_into(&mut self, dir: &BString, pending: &mut Vec<BString>) -> Result<()> {
        let place = folder::at(self.root, dir.as_ref());
        let meta = fs::symlink_metadata(&place).doing("looking at", &place)?;
        self.restore(&place, &meta)?;
        for child in folder::children(&place).doing("listing", &place)? {
            let path = folder::join(dir.as_ref(), child.name.as_ref());
            let place = place.join(std::ffi::OsStr::from_bytes(&child.name));
            self.child(path, &place, &child.meta, pending)?;
        }
        Ok(())
    }

    fn child(&mut self, path: BString, place: &Path, meta: &fs::Metadata, pending: &mut Vec<BString>) -> Result<()> {
        if meta.is_dir() && self.is_tracked_folder(path.as_ref()) {
            pending.push(path);
        } else if let Some(index) = self.can_stay(path.as_ref(), place, meta)? {
            self.kept.push((index, stamp::from_metadata(meta)));
        } else {
            untrusted::remove(place).doing("removing", place)?;
        }
        Ok(())
    }

    /// Removes the folders that the next tree does not have, which are empty by now.
    fn leave_folders(&self) -> Result<()> {
        // Innermost first.
        let mut folders: Vec<_> = self.folders.iter().filter(|dir| !dir.is_empty()).collect();
        folders.sort_unstable_by(|a, b| b.cmp(a));
        folders.dedup();
        for dir in folders {
            if !self.next.path_is_directory(dir.as_ref()) {
                let place = folder::at(self.root, dir.as_ref());
                fs::remove_dir(&place).doing("removing", &place)?;
            }
        }
        Ok(())
    }

    /// Gives a folder of the tree the owner, the mode and the attributes again that it was made with.
    fn restore(&self, place: &Path, meta: &fs::Metadata) -> Result<()> {
        if !meta.is_dir() {
            return Ok(());
        }
        let (uid, gid) = self.held.folder_owner;
        if (meta.uid(), meta.gid()) != (uid, gid) {
            std::os::unix::fs::lchown(place, Some(uid), Some(gid)).doing("restoring the owner of", place)?;
        }
        if meta.permissions().mode() & 0o7777 != self.held.folder_mode {
            fs::set_permissions(place, Permissions::from_mode(self.held.folder_mode))
                .doing("restoring the permissions of", place)?;
        }
        // Whoever sets an attribute changes the change time.
        if self.held.fence.is_racy(&stamp::from_metadata(meta)) {
            folder::clear_attributes(place).doing("clearing the attributes of", place)?;
        }
        Ok(())
    }

    /// Tells whether files of the tree are below `path`. A submodule's folder holds none of them.
    fn is_tracked_folder(&self, path: &BStr) -> bool {
        self.held.files.path_is_directory(path) && self.held.files.entry_by_path(path).is_none()
    }

    /// Tells whether a checkout writes the same for both.
    fn is_alike(&self, old: &Entry, new: &Entry, path: &BStr) -> bool {
        (old.id, old.mode) == (new.id, new.mode)
            && old.mode != Mode::COMMIT
            && !self.attributes_changed.iter().any(|dir| is_below(path, dir.as_ref()))
    }

    /// Returns the place of the file in the next list, when it is there and is as a checkout would write it.
    fn can_stay(&mut self, path: &BStr, place: &Path, meta: &fs::Metadata) -> Result<Option<usize>> {
        let Ok(index) = self.next.entry_index_by_path(path) else { return Ok(None) };
        let Some(old) = self.held.files.entry_by_path(path) else { return Ok(None) };
        let new = self.next.entry(index);
        if old.stat != stamp::from_metadata(meta) || !self.is_alike(old, new, path) {
            return Ok(None);
        }
        if !self.held.fence.is_racy(&old.stat) {
            return Ok(Some(index));
        }
        let expected = self.checkout.content(old, path)?;
        let found = if meta.is_symlink() {
            fs::read_link(place).map(|target| target.as_os_str().as_bytes().to_vec()).ok()
        } else {
            match folder::read_plain(place, expected.len() as u64) {
                Ok(Content::Bytes(content)) => Some(content),
                _ => None,
            }
        };
        Ok((found.as_ref() == Some(&expected)).then_some(index))
    }
}

fn is_below(path: &BStr, dir: &BStr) -> bool {
    dir.is_empty() || path.strip_prefix(dir.as_bytes()).is_some_and(|rest| rest.starts_with(b"/"))
}

/// Returns the folders whose `.gitattributes` is not the same in both: what is below may have to be written
/// differently although it is stored alike.
fn changed_attribute_folders(old: &State, new: &State) -> Vec<BString> {
    let attribute_files = |state: &State| -> Vec<(BString, gix::ObjectId)> {
        let paths = state.path_backing();
        let named = |path: &BStr| path == ".gitattributes" || path.ends_with(b"/.gitattributes");
        let found = state.entries().iter().map(|entry| (entry.path_in(paths), entry.id));
        found.filter(|(path, _)| named(path)).map(|(path, id)| (path.to_owned(), id)).collect()
    };
    let (old, new) = (attribute_files(old), attribute_files(new));
    let differing = |a: &[(BString, gix::ObjectId)], b: &[(BString, gix::ObjectId)]| -> Vec<BString> {
        a.iter()
            .filter(|file| b.binary_search(file).is_err())
            .map(|(path, _)| folder::parent(path.as_ref()).to_owned())
            .collect()
    };
    let mut folders = differing(&old, &new);
    folders.extend(differing(&new, &old));
    folders
}
