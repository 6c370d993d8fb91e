//! The object store of a run: a bare repository of our own that borrows the user's objects and takes all that we write.

pub mod apply;
pub mod bundle;
pub mod fetch;
pub mod moved;
pub mod new_repository;
pub mod push;

pub(in crate::workspace) mod attributes;
pub(in crate::workspace) mod convert;
pub(in crate::workspace) mod hashed;
pub(in crate::workspace) mod pack_check;
mod reading;
pub(in crate::workspace) mod repository_files;
mod source;
pub(in crate::workspace) mod tree_diff;
pub(in crate::workspace) mod tree_index;
mod tree_size;

use std::{
    collections::VecDeque,
    ffi::OsString,
    fs, io,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use gix::{bstr::BStr, odb::pack::cache::lru::MemoryCappedHashmap};
use implementer_model::ids::ObjectId;

pub use self::reading::READ_LIMIT;
pub(in crate::workspace) use self::{reading::TreeEntry, source::discover};
use self::{
    repository_files::Shared,
    source::{canonical, is_partial, open_isolated, repository_name, require_commit, shared_by},
    tree_diff::TreeDiff,
    tree_size::TreeSizes,
};
use crate::errors;
use crate::workspace::{
    Result, WorkspaceError,
    error::{GitContext as _, IoContext as _},
    git::Git,
};

/// Decoded trees and commits that are kept for one piece of work, in bytes.
const OBJECT_CACHE: usize = 4 * 1024 * 1024;

/// What objects of a pack were put together from that is kept for one piece of work, in bytes. A pack writes similar files one
/// as the difference to another, in chains: without it every link is inflated again for each file that hangs on it.
const PACK_CACHE: usize = 8 * 1024 * 1024;

/// The file in the store that says which repository it borrows from.
const SOURCE_FILE: &str = "source";

/// A commit of the user's repository that work can start from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The commit.
    pub commit: ObjectId,
    /// Its tree.
    pub tree: ObjectId,
    /// When it was committed, in seconds since 1970 UTC.
    pub committed_at: i64,
}

/// The object store of one run. Cheap to clone, and to be used from several threads.
#[derive(Clone)]
pub struct RunStore {
    inner: Arc<Inner>,
}

struct Inner {
    /// The store itself.
    store: gix::ThreadSafeRepository,
    /// Where the store is.
    dir: PathBuf,
    /// The git folder of the user's repository (of the linked work tree, where it is one).
    source: PathBuf,
    /// What the folder of the user's repository is called.
    name: OsString,
    /// Whether the user's repository was cloned without all objects.
    partial: bool,
    /// What repositories that borrow from the user's need.
    shared: Shared,
    /// Trees as flat lists, the one used last at the end.
    trees: Mutex<VecDeque<(gix::ObjectId, Arc<gix::index::State>)>>,
    /// The trees that were found to be ones that can be walked.
    tree_sizes: Mutex<TreeSizes>,
    /// The git process that writes patches as text, once there is one.
    tree_diff: Mutex<Option<TreeDiff>>,
}

impl std::fmt::Debug for RunStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunStore").field("dir", &self.inner.dir).field("source", &self.inner.source).finish()
    }
}

/// Removes the lock files that a process which was killed left beside the refs: nobody else is at work in the store.
fn remove_locks(store_dir: &Path) -> Result<()> {
    let mut folders = vec![store_dir.join("refs")];
    let mut files: Vec<_> = ["HEAD.lock", "packed-refs.lock"].map(|name| store_dir.join(name)).into();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).doing("reading", &folder)?.flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "lock") {
                files.push(path);
            }
        }
    }
    for file in files {
        match fs::remove_file(&file) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(WorkspaceError::Io { doing: "removing", path: file, source });
            }
            _ => {}
        }
    }
    Ok(())
}

impl RunStore {
    /// Makes a store in the new folder `store_dir` for the repository that `repo_dir` is in.
    ///
    /// # Errors
    /// When `repo_dir` is in no repository, the repository has no commit, git is missing, or `store_dir` holds
    /// something.
    pub fn create(repo_dir: &Path, store_dir: &Path) -> Result<Self> {
        Git::check_installed()?;
        let source = discover(repo_dir)?;
        require_commit(&source)?;
        if fs::read_dir(store_dir).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(WorkspaceError::StoreExists { path: store_dir.to_owned() });
        }
        let shared = shared_by(&source)?;
        repository_files::write_bare(store_dir, &shared)?;
        let file = store_dir.join(SOURCE_FILE);
        let git_dir = canonical(source.git_dir())?;
        fs::write(&file, git_dir.as_os_str().as_bytes()).doing("writing", &file)?;
        Self::assemble(store_dir, &source, shared)
    }

    /// Opens a store that [`create`](Self::create) made.
    ///
    /// # Errors
    /// When there is none, or the repository that it borrows from is gone.
    pub fn open(store_dir: &Path) -> Result<Self> {
        let file = store_dir.join(SOURCE_FILE);
        let git_dir = PathBuf::from(OsString::from_vec(fs::read(&file).doing("reading", &file)?));
        let source = open_isolated(&git_dir)?;
        let shared = shared_by(&source)?;
        Self::assemble(store_dir, &source, shared)
    }

    /// Opens a store that [`create`](Self::create) made and whose process is gone, and lets it borrow from the repository that `repo_dir` is in: on a
    /// pull request that is another one each time, with the same commits.
    ///
    /// # Errors
    /// When there is no store, or no repository.
    pub fn reopen(repo_dir: &Path, store_dir: &Path) -> Result<Self> {
        Git::check_installed()?;
        let source = discover(repo_dir)?;
        require_commit(&source)?;
        let shared = shared_by(&source)?;
        repository_files::write_bare(store_dir, &shared)?;
        let file = store_dir.join(SOURCE_FILE);
        let git_dir = canonical(source.git_dir())?;
        fs::write(&file, git_dir.as_os_str().as_bytes()).doing("writing", &file)?;
        let store = Self::assemble(store_dir, &source, shared)?;
        store.remove_damaged_objects()?;
        remove_locks(&store.inner.dir)?;
        Ok(store)
    }

    /// Removes objects that a crash of the machine left torn: as long as they are there, they would be taken for written.
    fn remove_damaged_objects(&self) -> Result<()> {
        let repo = self.repo();
        let folder = self.inner.dir.join("objects");
        let loose = gix::odb::loose::Store::at(&folder, repo.object_hash());
        let mut buffer = Vec::new();
        for id in loose.iter().filter_map(std::result::Result::ok) {
            let whole = match loose.try_find(&id, &mut buffer) {
                Ok(Some(object)) => {
                    gix::objs::compute_hash(repo.object_hash(), object.kind, object.data).is_ok_and(|found| found == id)
                }
                Ok(None) => true,
                Err(_) => false,
            };
            if !whole {
                let hex = id.to_string();
                let path = folder.join(&hex[..2]).join(&hex[2..]);
                tracing::warn!(path = %path.display(), "a torn object is removed");
                fs::remove_file(&path).doing("removing", &path)?;
            }
        }
        Ok(())
    }

    fn assemble(store_dir: &Path, source: &gix::Repository, shared: Shared) -> Result<Self> {
        let dir = canonical(store_dir)?;
        let store = open_isolated(&dir)?.into_sync();
        Ok(Self {
            inner: Arc::new(Inner {
                store,
                dir,
                source: canonical(source.git_dir())?,
                name: repository_name(source),
                partial: is_partial(source),
                shared,
                trees: Mutex::default(),
                tree_sizes: Mutex::default(),
                tree_diff: Mutex::default(),
            }),
        })
    }

    /// Returns major and minor version of the git that is used.
    ///
    /// # Errors
    /// When there is none.
    pub fn git_version() -> Result<[u32; 2]> {
        Git::version()
    }

    /// Returns where the store is.
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    /// Returns the folders in which the objects are that slots borrow.
    pub fn object_folders(&self) -> Vec<PathBuf> {
        self.borrowed().alternates
    }

    /// Returns what the folder of the user's repository is called; one path component.
    pub fn repository_name(&self) -> &OsString {
        &self.inner.name
    }

    /// Resolves `rev` as in the user's repository: `HEAD`, a branch, a tag, an id, `HEAD~1` and so on.
    ///
    /// # Errors
    /// When it names no commit, looks like an option, or the commit's objects are not there.
    pub fn resolve(&self, rev: &str) -> Result<Base> {
        let unknown = |reason: &str| WorkspaceError::UnknownRevision { rev: rev.to_owned(), reason: reason.to_owned() };
        if rev.is_empty() || rev.len() > 1024 {
            return Err(unknown("a revision has 1 to 1024 bytes"));
        }
        if rev.starts_with('-') {
            return Err(unknown("it looks like an option"));
        }
        if rev.chars().any(char::is_control) {
            return Err(unknown("it has control characters"));
        }
        // Opened anew, because refs may have moved since the last time.
        let source = open_isolated(&self.inner.source)?;
        let commit = source
            .rev_parse_single(BStr::new(rev))
            .and_then(|id| id.object())
            .and_then(gix::Object::peel_to_commit)
            .map_err(|error| unknown(&implementer_model::text::terminal(&errors::chain(&error))))?
            .id;
        self.base(commit)
    }

    /// Removes an object that was written here and must not stay, such as a file with a secret in it. What the store
    /// borrows is not touched.
    ///
    /// # Errors
    /// When it is there and cannot be removed.
    pub fn forget(&self, id: &ObjectId) -> Result<()> {
        let (folder, name) = id.as_str().split_at(2);
        let path = self.dir().join("objects").join(folder).join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).doing("removing", &path),
            _ => Ok(()),
        }
    }

    /// Reads the tree and the time of the commit `id`.
    pub fn base_of(&self, id: &ObjectId) -> Result<Base> {
        self.base(git_id(id)?)
    }

    fn base(&self, id: gix::ObjectId) -> Result<Base> {
        let repo = self.repo();
        self.check_kind(id)?;
        let commit = repo.find_commit(id).map_err(|error| self.explain(&repo, id, "reading a commit", error))?;
        hashed::check(&id, gix::objs::Kind::Commit, &commit.data)?;
        let tree = commit.tree_id().git_doing("reading a commit")?.detach();
        let committed_at = commit.time().git_doing("reading a commit")?.seconds;
        // Here rather than in the middle of the first checkout.
        self.tree(&repo, tree)?;
        Ok(Base { commit: model_id(&id)?, tree: model_id(&tree)?, committed_at })
    }

    /// Returns the place of the process that writes patches as text; who holds it is the only one to ask.
    pub(in crate::workspace) fn tree_diff(&self) -> MutexGuard<'_, Option<TreeDiff>> {
        self.inner.tree_diff.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a handle for this thread.
    pub(in crate::workspace) fn repo(&self) -> gix::Repository {
        let mut repo = self.inner.store.to_thread_local();
        repo.object_cache_size(OBJECT_CACHE);
        repo.objects.set_pack_cache(|| Box::new(MemoryCappedHashmap::new(PACK_CACHE)));
        repo
    }

    /// Returns what repositories that borrow from this one need to know.
    pub(in crate::workspace) fn borrowed(&self) -> Shared {
        let mut shared = self.inner.shared.clone();
        shared.alternates.insert(0, self.inner.dir.join("objects"));
        shared
    }

    /// Fails for an id of another hash function than the repository's: there is no such object here.
    fn check_kind(&self, id: gix::ObjectId) -> Result<()> {
        if id.kind() == self.inner.shared.object_hash {
            Ok(())
        } else {
            Err(WorkspaceError::MissingObject { id: id.to_string(), partial: false })
        }
    }

    /// Checks that a tree is one that can be walked: not one with more paths than anybody has written.
    pub(in crate::workspace) fn check_size(&self, repo: &gix::Repository, tree: gix::ObjectId) -> Result<()> {
        self.inner.tree_sizes.lock().unwrap_or_else(PoisonError::into_inner).check(repo, tree)
    }

    /// Says why the object `id` could not be read.
    pub(in crate::workspace) fn explain(
        &self,
        repo: &gix::Repository,
        id: gix::ObjectId,
        doing: &'static str,
        error: impl Into<gix::Error>,
    ) -> WorkspaceError {
        if repo.has_object(id) {
            WorkspaceError::from_git(doing, error)
        } else {
            WorkspaceError::MissingObject { id: id.to_string(), partial: self.inner.partial }
        }
    }
}

/// Turns an id of ours into one of gix.
pub(in crate::workspace) fn git_id(id: &ObjectId) -> Result<gix::ObjectId> {
    gix::ObjectId::from_hex(id.as_str().as_bytes()).git_doing("reading an object id")
}

/// Turns an id of gix into one of ours.
pub(in crate::workspace) fn model_id(id: &gix::oid) -> Result<ObjectId> {
    Ok(ObjectId::new(id.to_string())?)
}
