//! How many paths a tree has, told without walking them: of each tree object once, however often it stands in another.
//!
//! Ten tree objects that each name the next ten times are a few hundred bytes and ten thousand million paths. Whatever
//! walks trees asks here first.

use std::collections::{HashMap, HashSet};

use gix::{ObjectId, objs::TreeRefIter};

use super::hashed;
use crate::workspace::{Result, WorkspaceError, error::GitContext as _};

/// The deepest folder of a tree.
const DEPTH_MAX: usize = 512;

/// The longest path, in bytes: what Linux takes.
const PATH_MAX: u64 = 4096;

/// The most paths of a tree.
const PATHS_MAX: u64 = 8_000_000;

/// How many times as many paths a tree may have as its objects have entries, and how many it may always have. Repositories
/// that hold the same folder several times have 2 or 3.
const REPETITION: u64 = 8;
const PATHS_FREE: u64 = 100_000;

/// How many trees are remembered; those of a repository with a million files.
const REMEMBERED: usize = 200_000;

/// What is below a tree object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Below {
    paths: u64,
    /// The bytes of the longest path.
    longest: u64,
}

/// The trees that were looked at.
#[derive(Debug, Default)]
pub(in crate::workspace) struct TreeSizes {
    known: HashMap<ObjectId, Below>,
}

impl TreeSizes {
    /// Checks that a tree is one that can be walked.
    ///
    /// # Errors
    /// When it has too many paths, or is too deep; or when an object of it is missing, or damaged.
    pub(in crate::workspace) fn check(&mut self, repo: &gix::Repository, tree: ObjectId) -> Result<()> {
        if self.known.len() > REMEMBERED {
            self.known.clear();
        }
        let mut walk = Walk { repo, known: &mut self.known, met: HashSet::new(), root: tree, entries: 0 };
        let below = walk.measure(tree, 0)?;
        let allowed = PATHS_MAX.min(PATHS_FREE.max(walk.entries.saturating_mul(REPETITION)));
        if below.paths > allowed {
            let reason = format!(
                "it has {} paths in tree objects with {} entries; at most {allowed} are walked",
                below.paths, walk.entries
            );
            return Err(walk.refused(reason));
        }
        if below.longest > PATH_MAX {
            let reason =
                format!("it has a path of {} bytes; the longest that can be checked out has {PATH_MAX}", below.longest);
            return Err(walk.refused(reason));
        }
        Ok(())
    }
}

struct Walk<'a> {
    repo: &'a gix::Repository,
    known: &'a mut HashMap<ObjectId, Below>,
    /// The trees that this walk has come by: each counts once.
    met: HashSet<ObjectId>,
    root: ObjectId,
    /// The entries of all of them.
    entries: u64,
}

impl Walk<'_> {
    fn refused(&self, reason: String) -> WorkspaceError {
        WorkspaceError::UnsafeTree { tree: self.root.to_string(), reason }
    }

    fn measure(&mut self, tree: ObjectId, depth: usize) -> Result<Below> {
        let met = !self.met.insert(tree);
        if let Some(below) = self.known.get(&tree) {
            // What an earlier walk has let pass is as good as so many entries.
            if !met {
                self.entries = self.entries.saturating_add(below.paths);
            }
            return Ok(*below);
        }
        if depth > DEPTH_MAX {
            return Err(self.refused(format!("its folders are more than {DEPTH_MAX} deep")));
        }
        let object = self.repo.find_tree(tree).git_doing("reading a tree")?;
        hashed::check(&tree, gix::objs::Kind::Tree, &object.data)?;
        let mut below = Below::default();
        for entry in TreeRefIter::from_bytes(&object.data, tree.kind()) {
            let entry = entry.git_doing("reading a tree")?;
            self.entries = self.entries.saturating_add(1);
            let name = entry.filename.len() as u64;
            let (paths, longest) = if entry.mode.is_tree() {
                let inner = self.measure(entry.oid.to_owned(), depth + 1)?;
                (inner.paths, (name + 1).saturating_add(inner.longest))
            } else {
                (1, name)
            };
            below.paths = below.paths.saturating_add(paths);
            below.longest = below.longest.max(longest);
        }
        self.known.insert(tree, below);
        Ok(below)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::workspace::test_support::TestRepository;

    /// Writes a tree that names `inner` so many times.
    fn repeating(repo: &gix::Repository, inner: ObjectId, kind: gix::objs::tree::EntryKind, times: u32) -> ObjectId {
        let entries = (0..times)
            .map(|number| gix::objs::tree::Entry {
                mode: kind.into(),
                filename: format!("{number:04}").into(),
                oid: inner,
            })
            .collect();
        repo.write_object(gix::objs::Tree { entries }).unwrap().detach()
    }

    #[test]
    fn a_tree_with_more_paths_than_anybody_wrote_is_refused_at_once() {
        let repository = TestRepository::new();
        let store = repository.store();
        let repo = store.repo();
        let blob = repo.write_blob(b"x").unwrap().detach();
        let mut tree = repeating(&repo, blob, gix::objs::tree::EntryKind::Blob, 10);
        for _ in 0..7 {
            tree = repeating(&repo, tree, gix::objs::tree::EntryKind::Tree, 10);
        }
        let began = Instant::now();
        let mut sizes = TreeSizes::default();
        let error = sizes.check(&repo, tree).unwrap_err().to_string();
        assert!(error.contains("100000000 paths in tree objects with 80 entries"), "{error}");
        // Twice, so that what was refused is not remembered as what was let pass.
        sizes.check(&repo, tree).unwrap_err();
        assert!(began.elapsed().as_secs() < 2);
        for _ in 0..60 {
            tree = repeating(&repo, tree, gix::objs::tree::EntryKind::Tree, 10);
        }
        sizes.check(&repo, tree).unwrap_err();
    }

    #[test]
    fn depth_and_length_of_paths_have_an_end() {
        let repository = TestRepository::new();
        let store = repository.store();
        let repo = store.repo();
        let blob = repo.write_blob(b"x").unwrap().detach();
        let mut tree = repeating(&repo, blob, gix::objs::tree::EntryKind::Blob, 1);
        for _ in 0..400 {
            tree = repeating(&repo, tree, gix::objs::tree::EntryKind::Tree, 1);
        }
        TreeSizes::default().check(&repo, tree).unwrap();
        for _ in 0..200 {
            tree = repeating(&repo, tree, gix::objs::tree::EntryKind::Tree, 1);
        }
        let error = TreeSizes::default().check(&repo, tree).unwrap_err().to_string();
        assert!(error.contains("512 deep"), "{error}");
        let name = "n".repeat(5000);
        let entry =
            gix::objs::tree::Entry { mode: gix::objs::tree::EntryKind::Blob.into(), filename: name.into(), oid: blob };
        let tree = repo.write_object(gix::objs::Tree { entries: vec![entry] }).unwrap().detach();
        let error = TreeSizes::default().check(&repo, tree).unwrap_err().to_string();
        assert!(error.contains("5000 bytes"), "{error}");
    }

    #[test]
    fn a_tree_that_shares_most_with_one_that_passed_passes() {
        let repository = TestRepository::new();
        let store = repository.store();
        let repo = store.repo();
        let blob = repo.write_blob(b"x").unwrap().detach();
        // 200 folders of 1,000 files, all different.
        let folders = (0..200_u32)
            .map(|number| {
                let inner = repeating(
                    &repo,
                    repo.write_blob(number.to_be_bytes()).unwrap().detach(),
                    gix::objs::tree::EntryKind::Blob,
                    1_000,
                );
                gix::objs::tree::Entry {
                    mode: gix::objs::tree::EntryKind::Tree.into(),
                    filename: format!("{number:04}").into(),
                    oid: inner,
                }
            })
            .collect::<Vec<_>>();
        let first = repo.write_object(gix::objs::Tree { entries: folders.clone() }).unwrap().detach();
        let mut sizes = TreeSizes::default();
        sizes.check(&repo, first).unwrap();
        let mut entries = folders;
        entries.push(gix::objs::tree::Entry {
            mode: gix::objs::tree::EntryKind::Blob.into(),
            filename: "new".into(),
            oid: blob,
        });
        let second = repo.write_object(gix::objs::Tree { entries }).unwrap().detach();
        sizes.check(&repo, second).unwrap();
        // A known folder does not become cheap by being known.
        let bomb = repeating(&repo, second, gix::objs::tree::EntryKind::Tree, 100);
        sizes.check(&repo, bomb).unwrap_err();
    }
}
