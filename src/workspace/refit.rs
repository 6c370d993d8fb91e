//! Bringing a folder from the tree that it holds to the next one, writing only what differs and leaving nothing else.

use std::{
    fs::{self, Permissions},
    io::Write as _,
    os::unix::{ffi::OsStrExt as _, fs::PermissionsExt as _},
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use gix::{
    bstr::{BStr, BString, ByteSlice as _},
    index::{
        State,
        entry::{Flags, Mode, Stat},
    },
    worktree::{
        stack::state::{Attributes, attributes::Source},
        state::checkout,
    },
};

use super::{
    Result, WorkspaceError,
    convert::{self, Checkout},
    error::{GitContext as _, IoContext as _},
    folder::{self, Content},
    stamp::{self, Fence},
    store::RunStore,
    tree_index::NAMES,
};

/// What a folder is known to hold. Kept by us, outside of the folder, so that nobody can talk us out of it.
#[derive(Debug)]
pub(super) struct Holding {
    /// The tree.
    pub(super) tree: gix::ObjectId,
    /// Its files, each with the fingerprint that it had after the checkout.
    pub(super) files: State,
    /// A moment after the checkout.
    pub(super) fence: Fence,
    /// The permissions of the folder, and of those in it.
    folder_mode: u32,
}

impl Holding {
    /// Returns what a folder holds that somebody else brought to `tree`: every file of it has to be looked at.
    pub(super) fn unknown(store: &RunStore, tree: gix::ObjectId, fence_file: &Path) -> Result<Self> {
        let mut files = State::clone(&*store.flat_tree(tree)?);
        // The fingerprint of no file.
        files.entries_mut().iter_mut().for_each(|entry| entry.stat = Stat::default());
        Ok(Self { tree, files, fence: Fence::take(fence_file)?, folder_mode: 0 })
    }
}

/// Makes the folder `root` hold exactly `tree`, given what it held before; `None` when that is not known.
///
/// `fence_file` is a file of ours on the same file system, outside of the folder.
///
/// # Errors
/// When something in the folder cannot be removed, or the tree cannot be written. The folder is in no known state then.
pub(super) fn refit(
    store: &RunStore,
    root: &Path,
    fence_file: &Path,
    held: Option<&Holding>,
    tree: gix::ObjectId,
    threads: usize,
) -> Result<Holding> {
    let mut files = State::clone(&*store.flat_tree(tree)?);
    let repo = store.repo();
    let (held, folder_mode) = match held {
        Some(held) if is_folder(root) => (Some(held), held.folder_mode),
        _ => {
            folder::remove(root).doing("removing", root)?;
            fs::create_dir(root).doing("creating", root)?;
            let meta = fs::symlink_metadata(root).doing("looking at", root)?;
            (None, meta.permissions().mode() & 0o7777)
        }
    };
    let mut kept = 0;
    if let Some(held) = held {
        let keep = Sweep {
            root,
            held,
            next: &files,
            attributes_changed: changed_attribute_folders(&held.files, &files),
            checkout: Checkout::of(store, &repo, &held.files)?,
            kept: Vec::new(),
            folders: Vec::new(),
        }
        .run()?;
        kept = keep.len();
        for (index, stat) in keep {
            let entry = &mut files.entries_mut()[index];
            entry.stat = stat;
            // What checkout takes for "not to be written".
            entry.flags.insert(Flags::SKIP_WORKTREE);
        }
    }
    if kept < files.entries().len() {
        check_out(store, &repo, root, &mut files, threads)?;
        for entry in files.entries_mut() {
            entry.flags.remove(Flags::SKIP_WORKTREE);
        }
    } else {
        files.entries_mut().iter_mut().for_each(|entry| entry.flags.remove(Flags::SKIP_WORKTREE));
    }
    Ok(Holding { tree, files, fence: Fence::take(fence_file)?, folder_mode })
}

/// Writes the index file of a repository in the folder, so that git knows every file without reading it, and returns
/// the fingerprint of that file.
pub(super) fn write_index(holding: &Holding, path: &Path) -> Result<Stat> {
    // The checksum is computed over the whole at once: doing it field by field takes longer than all the rest.
    let options = gix::index::write::Options { skip_hash: true, ..Default::default() };
    let mut content = Vec::with_capacity(holding.files.entries().len() * 128);
    gix::index::File::from_state(holding.files.clone(), path)
        .write_to(&mut content, options)
        .git_doing("writing the index")?;
    let hash_kind = holding.files.object_hash();
    content.truncate(content.len().saturating_sub(hash_kind.len_in_bytes()));
    let mut hasher = gix::hash::hasher(hash_kind);
    hasher.update(&content);
    content.extend_from_slice(hasher.try_finalize().git_doing("writing the index")?.as_slice());
    let mut file = fs::File::create_new(path).doing("creating", path)?;
    file.write_all(&content).doing("writing", path)?;
    Ok(stamp::of(&file.metadata().doing("looking at", path)?))
}

fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir())
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

/// One walk through the folder: what can stay stays, everything else goes.
struct Sweep<'a> {
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

impl Sweep<'_> {
    /// Clears the folder, and returns the places in the next list of what is there already, each with its fingerprint.
    fn run(mut self) -> Result<Vec<(usize, Stat)>> {
        let mut pending = vec![BString::default()];
        while let Some(dir) = pending.pop() {
            let place = folder::at(self.root, dir.as_ref());
            self.restore_mode(&place)?;
            for child in folder::children(&place).doing("listing", &place)? {
                let path = folder::join(dir.as_ref(), child.name.as_ref());
                let place = place.join(std::ffi::OsStr::from_bytes(&child.name));
                if child.meta.is_dir() && self.is_tracked_folder(path.as_ref()) {
                    pending.push(path);
                } else if let Some(index) = self.can_stay(path.as_ref(), &place, &child.meta)? {
                    self.kept.push((index, stamp::of(&child.meta)));
                } else {
                    folder::remove(&place).doing("removing", &place)?;
                }
            }
            self.folders.push(dir);
        }
        // Innermost first.
        for dir in self.folders.iter().rev().filter(|dir| !dir.is_empty()) {
            if !self.next.path_is_directory(dir.as_ref()) {
                let place = folder::at(self.root, dir.as_ref());
                fs::remove_dir(&place).doing("removing", &place)?;
            }
        }
        Ok(self.kept)
    }

    fn restore_mode(&self, place: &Path) -> Result<()> {
        let meta = fs::symlink_metadata(place).doing("looking at", place)?;
        if meta.is_dir() && meta.permissions().mode() & 0o7777 != self.held.folder_mode {
            fs::set_permissions(place, Permissions::from_mode(self.held.folder_mode))
                .doing("restoring the permissions of", place)?;
        }
        Ok(())
    }

    /// Tells whether files of the tree are below `path`. A submodule's folder holds none of them.
    fn is_tracked_folder(&self, path: &BStr) -> bool {
        self.held.files.path_is_directory(path) && self.held.files.entry_by_path(path).is_none()
    }

    /// Returns the place of the file in the next list, when it is there and is as a checkout would write it.
    fn can_stay(&mut self, path: &BStr, place: &Path, meta: &fs::Metadata) -> Result<Option<usize>> {
        let Ok(index) = self.next.entry_index_by_path(path) else { return Ok(None) };
        let Some(old) = self.held.files.entry_by_path(path) else { return Ok(None) };
        let new = self.next.entry(index);
        let unchanged = (old.id, old.mode) == (new.id, new.mode)
            && old.mode != Mode::COMMIT
            && old.stat == stamp::of(meta)
            && !self.attributes_changed.iter().any(|dir| is_below(path, dir.as_ref()));
        if !unchanged {
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

/// Writes all files that are not marked as being there.
fn check_out(store: &RunStore, repo: &gix::Repository, root: &Path, files: &mut State, threads: usize) -> Result<()> {
    let mut collection = gix::attrs::search::MetadataCollection::default();
    let built_in = gix::attrs::Search::new_globals(std::iter::empty::<PathBuf>(), &mut Vec::new(), &mut collection)
        .doing("preparing the checkout in", root)?;
    let mut options = checkout::Options::new(convert::pipeline(repo.object_hash()));
    options.validate = NAMES;
    options.thread_limit = Some(threads.max(1));
    // What is in the way has been removed; whatever still is must not be written over or through.
    options.destination_is_initially_empty = true;
    options.attributes = Attributes::new(built_in, None, Source::IdMapping, collection);
    let outcome = checkout(
        files,
        root,
        repo.objects.clone().into_arc().doing("opening", store.dir())?,
        &gix::progress::Discard,
        &gix::progress::Discard,
        &AtomicBool::new(false),
        options,
    );
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(error) => {
            let missing = files.entries().iter().find(|entry| entry.mode != Mode::COMMIT && !repo.has_object(entry.id));
            return Err(match missing {
                Some(entry) => store.explain(repo, entry.id, "checking out", error),
                None => WorkspaceError::Git { doing: "checking out", source: Box::new(error) },
            });
        }
    };
    match outcome.collisions.first() {
        None => Ok(()),
        Some(collision) => Err(WorkspaceError::UnsafeTree {
            tree: root.display().to_string(),
            reason: format!("something is already at `{}` ({})", collision.path, collision.error_kind),
        }),
    }
}
