//! From the folder that a subagent left to a patch.
//!
//! The folder is what counts, whatever was committed, staged, stashed or broken in its `.git`. One walk looks at every
//! file's fingerprint; only what differs from the checkout is read.

mod walk;

use std::{
    fmt, fs,
    os::unix::{ffi::OsStrExt as _, fs::PermissionsExt as _},
    path::Path,
};

use gix::{
    bstr::{BStr, ByteSlice as _},
    filter::plumbing::Pipeline,
    index::{
        State,
        entry::{Mode, Stat},
    },
    objs::tree::EntryKind,
};
use implementer_model::{ids::ObjectId, patch::Patch};

use self::walk::Found;
use crate::workspace::{
    Result, WorkspaceError,
    error::GitContext as _,
    folder::{self, Content},
    patch::diff,
    slots::{refit::Holding, sweep::Seen},
    store::{
        Base, RunStore,
        attributes::Attributes,
        convert::{self, Checkout},
        git_id,
    },
};

/// The largest file that is captured: what GitHub takes in a push
/// (<https://docs.github.com/repositories/working-with-files/managing-large-files/about-large-files-on-github>).
pub const FILE_LIMIT: u64 = 100 * 1024 * 1024;

/// The most files that a patch may change, and the most bytes that they may have together: beyond, somebody forgot to ignore
/// what a build or a package manager makes, or wants to fill the disk.
const PATCH_FILES_MAX: usize = 100_000;
const PATCH_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// The most bytes that the paths of a patch may have together: a record of it is one line of the journal.
const PATCH_PATHS_MAX: usize = 8 * 1024 * 1024;

/// What became of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captured {
    /// What was changed.
    pub patch: Patch,
    /// What is in the folder, but not in the patch.
    pub left_out: Vec<LeftOut>,
    /// How many bytes were read into it.
    pub bytes: u64,
}

/// Something that could not be part of a patch. A file of the base that it stands in for is unchanged in the patch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// Where it is, with what is not UTF-8 replaced.
    pub path: String,
    /// Why it was left out.
    pub why: Why,
}

/// Why something was left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// It is a git repository of its own.
    NestedRepository,
    /// It is inside a submodule.
    Submodule,
    /// It is a socket, a pipe or a device.
    Special,
    /// Its name is not UTF-8.
    NotUtf8,
    /// Its name is one that git refuses, such as `.GIT`.
    RefusedName,
    /// It is larger than [`FILE_LIMIT`].
    TooLarge {
        /// Its size in bytes.
        size: u64,
    },
    /// The patch has as much as a patch may have without it.
    TooMuch,
    /// It could not be read, or not be converted as its attributes say.
    Unreadable {
        /// The reason.
        reason: String,
    },
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NestedRepository => write!(f, "is a git repository of its own"),
            Self::Submodule => write!(f, "is inside a submodule"),
            Self::Special => write!(f, "is a socket, a pipe or a device"),
            Self::NotUtf8 => write!(f, "has a name that is not UTF-8"),
            Self::RefusedName => write!(f, "has a name that git refuses"),
            Self::TooLarge { size } => write!(f, "has {size} bytes, more than the {FILE_LIMIT} that GitHub takes"),
            Self::TooMuch => write!(
                f,
                "is more than a patch may have: {PATCH_FILES_MAX} files, and {} MB together",
                PATCH_BYTES_MAX / (1024 * 1024)
            ),
            Self::Unreadable { reason } => write!(f, "could not be read: {reason}"),
        }
    }
}

/// Captures the patch between `base`, which the folder `root` held, and what is in the folder now. `index` is the
/// fingerprint of the index that was written into its `.git`. Gives also what was seen on the way.
///
/// # Errors
/// When the folder is gone, the object store fails, or the subagent wrote more patterns than are held against its files. What
/// else it did to files is never an error.
pub(in crate::workspace) fn capture(
    store: &RunStore,
    root: &Path,
    held: &Holding,
    index: Stat,
    base: &Base,
) -> Result<(Captured, Seen)> {
    if !fs::symlink_metadata(root).is_ok_and(|meta| meta.is_dir()) {
        return Err(WorkspaceError::WorktreeGone { path: root.to_owned() });
    }
    let Found { accounted, candidates, mut left_out, seen, refused, .. } = walk::walk(root, held, index);
    if let Some(refused) = refused {
        return Err(refused);
    }

    let repo = store.repo();
    let mut editor = repo.edit_tree(git_id(&base.tree)?).git_doing("reading the base tree")?;
    let paths = held.files.path_backing();
    for (entry, _) in held.files.entries().iter().zip(&accounted).filter(|(_, accounted)| !**accounted) {
        let path = entry.path_in(paths);
        if path.to_str().is_err() {
            left_out.push(LeftOut { path: path.to_string(), why: Why::NotUtf8 });
            continue;
        }
        editor.remove(path).git_doing("building the tree of the patch")?;
    }
    let mut reader = ContentReader {
        store,
        repo: &repo,
        root,
        base: &held.files,
        pipeline: convert::pipeline(repo.object_hash()),
        attributes: Attributes::in_folder(root)?,
        checkout: Checkout::new(store, &repo, &held.files)?,
    };
    let (mut files, mut bytes, mut paths) = (0, 0_u64, 0);
    for (path, meta) in &candidates {
        let full = meta.len() <= FILE_LIMIT && bytes.saturating_add(meta.len()) > PATCH_BYTES_MAX;
        if files == PATCH_FILES_MAX || full || paths + path.len() > PATCH_PATHS_MAX {
            left_out.push(LeftOut { path: path.to_string(), why: Why::TooMuch });
            continue;
        }
        match reader.read(path.as_ref(), meta)? {
            Read::Unchanged => {}
            Read::Changed(kind, id) => {
                files += 1;
                paths += path.len();
                bytes = bytes.saturating_add(meta.len());
                let path: &BStr = path.as_ref();
                editor.upsert(path, kind, id).git_doing("building the tree of the patch")?;
            }
            Read::LeftOut(why) => left_out.push(LeftOut { path: path.to_string(), why }),
        }
    }
    let tree = editor.write().git_doing("writing the tree of the patch")?.detach();
    left_out.sort();
    left_out.dedup();
    Ok((Captured { patch: diff::patch_between(store, base, tree)?, left_out, bytes }, seen))
}

impl RunStore {
    /// Captures the patch between the commit `base` and what is in the folder `root`, which another process brought to
    /// `base`. Nothing is known of its files, so that every one is read.
    ///
    /// # Errors
    /// When the folder is gone, or the object store fails.
    pub fn capture_folder(&self, root: &Path, base: &ObjectId) -> Result<Captured> {
        let base = self.base_of(base)?;
        let fence = self.dir().join("capture.fence");
        let held = Holding::unknown(self, git_id(&base.tree)?, &fence)?;
        capture(self, root, &held, Stat::default(), &base).map(|(captured, _)| captured)
    }
}

/// Reads what differs, and stores it.
struct ContentReader<'a> {
    store: &'a RunStore,
    repo: &'a gix::Repository,
    root: &'a Path,
    base: &'a State,
    pipeline: Pipeline,
    attributes: Attributes<'a>,
    checkout: Checkout<'a>,
}

/// What reading came to.
enum Read {
    /// It is as in the base after all.
    Unchanged,
    /// It is new or changed.
    Changed(EntryKind, gix::ObjectId),
    /// It stays out of the patch.
    LeftOut(Why),
}

impl ContentReader<'_> {
    fn read(&mut self, path: &BStr, meta: &fs::Metadata) -> Result<Read> {
        let place = folder::at(self.root, path);
        let unreadable = |error: &dyn fmt::Display| Ok(Read::LeftOut(Why::Unreadable { reason: error.to_string() }));
        if meta.is_symlink() {
            return match fs::read_link(&place) {
                Ok(target) => self.link(path, target.as_os_str().as_bytes()),
                Err(error) => unreadable(&error),
            };
        }
        let content = match folder::read_plain(&place, FILE_LIMIT) {
            Ok(Content::Bytes(content)) => content,
            Ok(Content::TooLarge) => return Ok(Read::LeftOut(Why::TooLarge { size: meta.len() })),
            Ok(Content::NotPlain) => return Ok(Read::LeftOut(Why::Special)),
            Err(error) => return unreadable(&error),
        };
        let kind = match meta.permissions().mode() & 0o100 {
            0 => EntryKind::Blob,
            _ => EntryKind::BlobExecutable,
        };
        let old =
            self.base.entry_by_path(path).filter(|entry| entry.mode != Mode::SYMLINK && entry.mode != Mode::COMMIT);
        let (store, repo) = (self.store, self.repo);
        let mut stored = || old.map(|entry| store.blob(repo, entry.id)).transpose();
        // Only a conversion needs the content twice: to see whether it is what a checkout writes.
        let raw = if old.is_some() { content.clone() } else { Vec::new() };
        let for_git = match convert::to_git(&mut self.pipeline, &mut self.attributes, path, content, &mut stored) {
            Ok(for_git) => for_git,
            Err(WorkspaceError::Git { source, .. }) => return unreadable(&source),
            Err(error) => return Err(error),
        };
        let id = match old {
            // What a checkout wrote is what the base has, even where a conversion does not lead back.
            Some(entry) if for_git.converted && self.checkout.content(entry, path)? == raw => entry.id,
            _ => self.repo.write_blob(&for_git.content).git_doing("storing a file")?.detach(),
        };
        Ok(self.compare(path, kind, id))
    }

    fn link(&self, path: &BStr, target: &[u8]) -> Result<Read> {
        let id = self.repo.write_blob(target).git_doing("storing a link")?.detach();
        Ok(self.compare(path, EntryKind::Link, id))
    }

    fn compare(&self, path: &BStr, kind: EntryKind, id: gix::ObjectId) -> Read {
        let same = self
            .base
            .entry_by_path(path)
            .is_some_and(|entry| entry.id == id && entry.mode.to_tree_entry_mode() == Some(kind.into()));
        if same { Read::Unchanged } else { Read::Changed(kind, id) }
    }
}

#[cfg(test)]
mod tests;
