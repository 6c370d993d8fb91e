//! Trees as flat lists of files, in the form of git's index.

use std::ops::Range;

use gix::{
    bstr::{BStr, BString, ByteSlice as _},
    index::State,
};

use super::hashed::Hashed;
use crate::workspace::{Result, WorkspaceError, error::GitContext as _};

/// What names in trees must not be: those that mean `.git` on some file system, whatever this machine's is.
pub(in crate::workspace) const NAMES: gix::validate::path::component::Options =
    gix::validate::path::component::Options { protect_windows: cfg!(windows), protect_hfs: true, protect_ntfs: true };

/// Returns the places of all files below the folder `dir`.
pub(in crate::workspace) fn below(files: &State, dir: &BStr) -> Range<usize> {
    if dir.is_empty() {
        return 0..files.entries().len();
    }
    let mut prefix = dir.to_owned();
    prefix.push(b'/');
    files.prefixed_entries_range(prefix.as_ref()).unwrap_or(0..0)
}

/// Returns the place of the file at `path`, which is one of those in `range`. Among the files of a folder that takes a few
/// comparisons; among all of a large tree the paths that begin alike are most of what a walk costs.
pub(in crate::workspace) fn find(files: &State, range: &Range<usize>, path: &BStr) -> Option<usize> {
    let paths = files.path_backing();
    let among = files.entries().get(range.clone())?;
    among.binary_search_by(|entry| entry.path_in(paths).cmp(path)).ok().map(|at| range.start + at)
}

/// Returns the files of `tree` in the order of their paths, without stat data.
///
/// # Errors
/// When an object is missing, or the tree is not one that git would write: a name such as `.git`, a path that is both a
/// file and a folder, entries out of order. A pull request can bring such trees, and checking them out is dangerous.
pub(in crate::workspace) fn flatten(repo: &gix::Repository, tree: gix::ObjectId) -> Result<State> {
    let state = State::from_tree(&tree, Hashed(&repo.objects), NAMES).git_doing("reading the tree")?;
    let paths = state.path_backing();
    let mut last: Option<BString> = None;
    for entry in state.entries() {
        let path = entry.path_in(paths);
        let unsafe_tree = |reason: String| WorkspaceError::UnsafeTree { tree: tree.to_string(), reason };
        if entry.mode.to_tree_entry_mode().is_none_or(|mode| mode.is_tree()) {
            return Err(unsafe_tree(format!("`{path}` is neither a file, a link nor a submodule")));
        }
        if last.as_ref().is_some_and(|last| last >= path) {
            return Err(unsafe_tree(format!("`{path}` is out of order, or there twice")));
        }
        for (at, _) in path.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
            let folder = path[..at].as_bstr();
            let new =
                last.as_ref().is_none_or(|last| !last.starts_with(folder.as_bytes()) || last.get(at) != Some(&b'/'));
            if new && state.entry_by_path(folder).is_some() {
                return Err(unsafe_tree(format!("`{folder}` is both a file and a folder")));
            }
        }
        last = Some(path.to_owned());
    }
    Ok(state)
}
