//! Bringing a folder from the tree that it holds to the next one, writing only what differs and leaving nothing else.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use gix::{
    index::{
        State,
        entry::{Flags, Mode, Stat},
    },
    worktree::{
        stack::state::{Attributes, attributes::Source},
        state::checkout,
    },
};

use crate::{
    untrusted,
    workspace::{
        Result, WorkspaceError,
        error::{GitContext as _, IoContext as _},
        folder::{self, Owner},
        slots::{
            fill,
            stamp::{self, Fence},
            sweep::{Seen, Sweep},
        },
        store::{RunStore, convert, hashed::Hashed, tree_index::NAMES},
    },
};

/// What a folder is known to hold. Kept by us, outside of the folder, so that nobody can talk us out of it.
#[derive(Debug)]
pub(in crate::workspace) struct Holding {
    /// The tree.
    pub(in crate::workspace) tree: gix::ObjectId,
    /// Its files, each with the fingerprint that it had after the checkout.
    pub(in crate::workspace) files: State,
    /// A moment after the checkout.
    pub(in crate::workspace) fence: Fence,
    /// The permissions of the folder, and of those in it.
    pub(in crate::workspace) folder_mode: u32,
    /// Their user and group.
    pub(in crate::workspace) folder_owner: (u32, u32),
}

impl Holding {
    /// Returns what a folder holds that somebody else brought to `tree`: every file of it has to be looked at.
    pub(in crate::workspace) fn unknown(store: &RunStore, tree: gix::ObjectId, fence_file: &Path) -> Result<Self> {
        let mut files = State::clone(&*store.flat_tree(tree)?);
        // The fingerprint of no file.
        files.entries_mut().iter_mut().for_each(|entry| entry.stat = Stat::default());
        Ok(Self { tree, files, fence: Fence::take(fence_file)?, folder_mode: 0, folder_owner: (0, 0) })
    }
}

/// Makes new folders that each hold exactly `tree`, by at most `threads` threads. With each goes a file of ours on the
/// same file system, outside of the folder.
///
/// # Errors
/// When the tree cannot be read or written. The folders are in no known state then.
pub(in crate::workspace) fn begin(
    store: &RunStore,
    roots: &[(PathBuf, Option<Owner>)],
    fence_files: &[PathBuf],
    tree: gix::ObjectId,
    threads: usize,
) -> Result<Vec<Holding>> {
    let flat = store.flat_tree(tree)?;
    let repo = store.repo();
    for (root, owner) in roots {
        untrusted::remove(root).doing("removing", root)?;
        fs::create_dir(root).doing("creating", root)?;
        if let Some(owner) = owner {
            folder::give(root, *owner).doing("giving away", root)?;
        }
    }
    let written = fill::fill(store, &flat, roots, threads)?;
    let places = roots.iter().zip(fence_files);
    places
        .zip(written)
        .map(|(((root, owner), fence_file), written)| {
            let mut files = State::clone(&flat);
            write_rest(store, &repo, root, &mut files, written, (threads, *owner))?;
            let meta = fs::symlink_metadata(root).doing("looking at", root)?;
            Ok(Holding {
                tree,
                files,
                fence: Fence::take(fence_file)?,
                folder_mode: meta.permissions().mode() & 0o7777,
                folder_owner: (meta.uid(), meta.gid()),
            })
        })
        .collect()
}

/// Makes the folder `root` hold exactly `tree`, given what it held before. `seen` is what a capture saw there, after which
/// nobody wrote into it any more; `None` to look at everything.
///
/// `fence_file` is a file of ours on the same file system, outside of the folder.
///
/// # Errors
/// When something in the folder cannot be removed, or the tree cannot be written. The folder is in no known state then.
pub(in crate::workspace) fn refit(
    store: &RunStore,
    root: &Path,
    fence_file: &Path,
    held: &Holding,
    seen: Option<Seen>,
    tree: gix::ObjectId,
    (threads, owner): (usize, Option<Owner>),
) -> Result<Holding> {
    if !is_folder(root) {
        let begun = begin(store, &[(root.to_owned(), owner)], &[fence_file.to_owned()], tree, threads)?;
        return begun.into_iter().next().ok_or_else(|| WorkspaceError::WorktreeGone { path: root.to_owned() });
    }
    let mut files = State::clone(&*store.flat_tree(tree)?);
    let repo = store.repo();
    let sweep = Sweep::new(store, &repo, root, held, &files)?;
    let kept = match seen {
        Some(seen) => sweep.what_was_seen(seen)?,
        None => sweep.everything()?,
    };
    write_rest(store, &repo, root, &mut files, kept, (threads, owner))?;
    let (folder_mode, folder_owner) = (held.folder_mode, held.folder_owner);
    Ok(Holding { tree, files, fence: Fence::take(fence_file)?, folder_mode, folder_owner })
}

/// Notes the fingerprints of files that are there, and writes the others.
fn write_rest(
    store: &RunStore,
    repo: &gix::Repository,
    root: &Path,
    files: &mut State,
    there: Vec<(usize, Stat)>,
    (threads, owner): (usize, Option<Owner>),
) -> Result<()> {
    let is_all = there.len() == files.entries().len();
    for (index, stat) in there {
        let entry = &mut files.entries_mut()[index];
        entry.stat = stat;
        // What checkout takes for "not to be written".
        entry.flags.insert(Flags::SKIP_WORKTREE);
    }
    if !is_all {
        check_out(store, repo, root, files, threads)?;
        if owner.is_some() {
            give_written(root, files)?;
        }
    }
    files.entries_mut().iter_mut().for_each(|entry| entry.flags.remove(Flags::SKIP_WORKTREE));
    Ok(())
}

/// Gives the files that were just written to the owner of the folder, and notes the fingerprints that they have then.
fn give_written(root: &Path, files: &mut State) -> Result<()> {
    let written = |entry: &gix::index::Entry| !entry.flags.contains(Flags::SKIP_WORKTREE);
    let paths: Vec<_> = files
        .entries()
        .iter()
        .enumerate()
        .filter(|(_, entry)| written(entry))
        .map(|(index, entry)| (index, entry.path(files).to_owned()))
        .collect();
    for (index, path) in paths {
        let place = folder::at(root, path.as_ref());
        // A submodule whose folder is not there has no owner.
        if fs::symlink_metadata(&place).is_err() {
            continue;
        }
        folder::give_like(root, path.as_ref()).doing("giving away", &place)?;
        let meta = fs::symlink_metadata(&place).doing("looking at", &place)?;
        let entry = &mut files.entries_mut()[index];
        if entry.mode != Mode::COMMIT {
            entry.stat = stamp::from_metadata(&meta);
        }
    }
    Ok(())
}

/// Writes the index file of a repository in the folder, so that git knows every file without reading it, and returns
/// the fingerprint of that file.
pub(in crate::workspace) fn write_index(holding: &Holding, path: &Path) -> Result<Stat> {
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
    Ok(stamp::from_metadata(&file.metadata().doing("looking at", path)?))
}

fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir())
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
        Hashed(repo.objects.clone().into_arc().doing("opening", store.dir())?),
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
                None => WorkspaceError::from_git("checking out", error),
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
