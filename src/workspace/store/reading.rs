//! Reading what a store has: files, blobs, trees as they are and as flat lists.

use std::{
    collections::VecDeque,
    sync::{Arc, PoisonError},
};

use gix::bstr::{BStr, ByteSlice as _};
use implementer_model::{ids::ObjectId, scope::TreePaths};

use super::{RunStore, git_id, hashed, tree_index};
use crate::workspace::{Result, WorkspaceError, error::GitContext as _};

/// The largest file that [`RunStore::read_file`] reads: plans, configuration and agent files are far smaller.
pub const READ_LIMIT: u64 = 4 * 1024 * 1024;

/// How many flattened trees are kept: that of the running wave, and those of the next ones while slots are brought over.
const TREES_KEPT: usize = 4;

/// What a tree has at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::workspace) struct TreeEntry {
    /// Its mode.
    pub(in crate::workspace) mode: gix::objs::tree::EntryMode,
    /// Its id.
    pub(in crate::workspace) id: gix::ObjectId,
}

impl RunStore {
    /// Reads the plain file at `path` of `tree`; `None` when there is none, or something else than a plain file.
    ///
    /// # Errors
    /// When it is larger than [`READ_LIMIT`], or the objects cannot be read.
    pub fn read_file(&self, tree: &ObjectId, path: &str) -> Result<Option<Vec<u8>>> {
        let repo = self.repo();
        let Some(entry) = self.entry(&repo, git_id(tree)?, path.as_bytes().as_bstr())? else { return Ok(None) };
        if !entry.mode.is_blob() {
            return Ok(None);
        }
        self.bounded_blob(&repo, entry.id, path).map(Some)
    }

    /// Reads a blob by its id.
    ///
    /// # Errors
    /// When it is larger than [`READ_LIMIT`], or not there.
    pub fn read_blob(&self, id: &ObjectId) -> Result<Vec<u8>> {
        let repo = self.repo();
        self.bounded_blob(&repo, git_id(id)?, id.as_str())
    }

    /// Returns the size of a blob in bytes; nothing when it is not there.
    #[must_use]
    pub fn size_of(&self, id: &ObjectId) -> Option<u64> {
        Some(self.repo().find_header(git_id(id).ok()?).ok()?.size())
    }

    /// Reads a blob; nothing when it is larger than `limit` bytes, or not there. What is larger is not read: pages of a pack
    /// that were read count as memory.
    #[must_use]
    pub fn read_bytes(&self, id: &ObjectId, limit: u64) -> Option<Vec<u8>> {
        if self.size_of(id)? > limit {
            return None;
        }
        self.blob(&self.repo(), git_id(id).ok()?).ok()
    }

    /// Reads a blob as text, as [`Self::read_bytes`] does; what is no text is replaced. Whoever asks must not be blind for one
    /// byte of another encoding.
    #[must_use]
    pub fn read_text(&self, id: &ObjectId, limit: u64) -> Option<String> {
        self.read_bytes(id, limit).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Reads a blob that was captured, of whatever size.
    ///
    /// # Errors
    /// When it is not there.
    pub fn read_captured(&self, id: &ObjectId) -> Result<Vec<u8>> {
        self.blob(&self.repo(), git_id(id)?)
    }

    fn bounded_blob(&self, repo: &gix::Repository, id: gix::ObjectId, name: &str) -> Result<Vec<u8>> {
        let size = repo.find_header(id).map_err(|error| self.explain(repo, id, "reading a file", error))?.size();
        if size > READ_LIMIT {
            return Err(WorkspaceError::FileTooLarge { path: name.to_owned(), size, limit: READ_LIMIT });
        }
        self.blob(repo, id)
    }

    /// Lists the plain files of `tree` below the folder `prefix` (all of them when it is empty), in the order of their
    /// paths. Paths that are not UTF-8 are left out.
    pub fn list_files(&self, tree: &ObjectId, prefix: &str) -> Result<Vec<String>> {
        let repo = self.repo();
        let prefix = prefix.trim_matches('/');
        let mut root = git_id(tree)?;
        if !prefix.is_empty() {
            match self.entry(&repo, root, prefix.as_bytes().as_bstr())? {
                Some(entry) if entry.mode.is_tree() => root = entry.id,
                _ => return Ok(Vec::new()),
            }
        }
        self.check_size(&repo, root)?;
        let mut paths: Vec<_> = self
            .tree(&repo, root)?
            .traverse()
            .breadthfirst
            .files()
            .git_doing("listing a tree")?
            .into_iter()
            .filter(|entry| entry.mode.is_blob())
            .filter_map(|entry| String::from_utf8(entry.filepath.into()).ok())
            .map(|path| if prefix.is_empty() { path } else { format!("{prefix}/{path}") })
            .collect();
        paths.sort_unstable();
        Ok(paths)
    }

    /// Collects all paths of `tree`, to find new ones that differ from them in case only. Paths that are not UTF-8 are
    /// left out.
    ///
    /// # Errors
    /// When the objects cannot be read.
    pub fn tree_paths(&self, tree: &ObjectId) -> Result<TreePaths> {
        let state = self.flat_tree(git_id(tree)?)?;
        Ok(TreePaths::new(state.entries().iter().filter_map(|entry| entry.path(&state).to_str().ok())))
    }

    /// Reads a tree.
    pub(in crate::workspace) fn tree<'repo>(
        &self,
        repo: &'repo gix::Repository,
        id: gix::ObjectId,
    ) -> Result<gix::Tree<'repo>> {
        self.check_kind(id)?;
        let tree = repo.find_tree(id).map_err(|error| self.explain(repo, id, "reading a tree", error))?;
        hashed::check(&id, gix::objs::Kind::Tree, &tree.data)?;
        Ok(tree)
    }

    /// Reads a blob.
    pub(in crate::workspace) fn blob(&self, repo: &gix::Repository, id: gix::ObjectId) -> Result<Vec<u8>> {
        let mut blob = repo.find_blob(id).map_err(|error| self.explain(repo, id, "reading a file", error))?;
        hashed::check(&id, gix::objs::Kind::Blob, &blob.data)?;
        Ok(blob.take_data())
    }

    /// Looks up what `tree` has at `path`.
    pub(in crate::workspace) fn entry(
        &self,
        repo: &gix::Repository,
        tree: gix::ObjectId,
        path: &BStr,
    ) -> Result<Option<TreeEntry>> {
        // Folder by folder, because each is hashed as it is read.
        let mut names = path.split(|&byte| byte == b'/').peekable();
        let mut folder = tree;
        while let Some(name) = names.next() {
            let found = self
                .tree(repo, folder)?
                .find_entry(name)
                .map(|entry| TreeEntry { mode: entry.mode(), id: entry.object_id() });
            match found {
                Some(entry) if names.peek().is_some() && entry.mode.is_tree() => folder = entry.id,
                found => return Ok(found.filter(|_| names.peek().is_none())),
            }
        }
        Ok(None)
    }

    /// Returns the flat list of `tree`'s files, from the cache where it is in there.
    pub(in crate::workspace) fn flat_tree(&self, tree: gix::ObjectId) -> Result<Arc<gix::index::State>> {
        let cached = |trees: &mut VecDeque<(gix::ObjectId, Arc<gix::index::State>)>| {
            let at = trees.iter().position(|(id, _)| *id == tree)?;
            let entry = trees.remove(at)?;
            let state = Arc::clone(&entry.1);
            trees.push_back(entry);
            Some(state)
        };
        if let Some(state) = cached(&mut self.inner.trees.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(state);
        }
        let repo = self.repo();
        self.check_size(&repo, tree)?;
        let state = Arc::new(tree_index::flatten(&repo, tree)?);
        let mut trees = self.inner.trees.lock().unwrap_or_else(PoisonError::into_inner);
        if trees.len() >= TREES_KEPT {
            trees.pop_front();
        }
        trees.push_back((tree, Arc::clone(&state)));
        Ok(state)
    }
}
