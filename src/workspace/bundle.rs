//! Bundles: the implementation in one file, from which `git fetch` takes it, and from which it is proved again.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use gix::bstr::{BString, ByteSlice as _};
use implementer_model::ids::{Digest, ObjectId};
use sha2::{Digest as _, Sha256};

use super::{
    Result, WorkspaceError,
    error::{GitContext as _, IoContext as _},
    git::Git,
    store::{RunStore, git_id, model_id},
};

/// The longest header of a bundle that is read: 256 patches have 257 refs of some hundred bytes.
const HEADER_LIMIT: u64 = 1024 * 1024;

/// Says why a bundle cannot be written or used.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// A ref to be bundled has nothing that the base has not.
    #[error("`{reference}` is the base itself: there is nothing to bundle")]
    NothingNew {
        /// The ref.
        reference: String,
    },
    /// A name is no ref.
    #[error("`{}` is not a full ref name", name.escape_debug())]
    InvalidRef {
        /// The name.
        name: String,
    },
    /// The file is no bundle.
    #[error("`{path}` is not a git bundle: {reason}")]
    NotABundle {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The repository does not have the commit that the bundle builds on.
    #[error(
        "the bundle builds on {commit}, which the repository `{repository}` does not have: \
         fetch the base first, with its history if the clone is shallow"
    )]
    MissingBase {
        /// The commit.
        commit: String,
        /// The repository.
        repository: PathBuf,
    },
    /// The bundle's objects are not what its header promises.
    #[error("the bundle `{path}` is damaged or was changed: {detail}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What git said.
        detail: String,
    },
}

/// Writes the commits that `refs` name, without what `exclude` has, to the file `to`, and returns its digest.
///
/// # Errors
/// When a ref is the excluded commit itself, is no ref name, or git fails.
pub fn write(store: &RunStore, refs: &[(String, ObjectId)], exclude: &ObjectId, to: &Path) -> Result<Digest> {
    let repo = store.repo();
    let mut wanted = format!("^{exclude}\n");
    for (name, id) in refs {
        let invalid = || BundleError::InvalidRef { name: name.clone() };
        if !name.starts_with("refs/") || gix::validate::reference::name(name.as_bytes().as_bstr()).is_err() {
            return Err(invalid().into());
        }
        if id == exclude {
            return Err(BundleError::NothingNew { reference: name.clone() }.into());
        }
        repo.reference(name.as_str(), git_id(id)?, gix::refs::transaction::PreviousValue::Any, "bundle")
            .git_doing("naming a commit for the bundle")?;
        wanted.push_str(name);
        wanted.push('\n');
    }
    let to = std::path::absolute(to).doing("looking for", to)?;
    Git::on(store.dir())
        .args(["bundle", "create", "--quiet"])
        .arg(&to)
        .arg("--stdin")
        .input(wanted.as_bytes())?
        .run()?;
    digest(&to)
}

/// Opens `bundle` for a repository that has its base: makes a store in the new folder `into` that borrows from the
/// repository `repo_dir` is in, and takes the bundle's objects and refs in.
///
/// # Errors
/// When the file is no bundle, is damaged, or builds on a commit that the repository does not have.
pub fn open(bundle: &Path, repo_dir: &Path, into: &Path) -> Result<RunStore> {
    let path = std::path::absolute(bundle).doing("looking for", bundle)?;
    let header = read_header(&path)?;
    let store = RunStore::create(repo_dir, into)?;
    take_in(&store, repo_dir, &path, &header, "+refs/*:refs/*")?;
    // The refs that the header promises are what the caller goes by. A bundle that somebody else packed may also name
    // a HEAD, which is nothing that is fetched.
    for (name, id) in header.refs.iter().filter(|(name, _)| name.starts_with("refs/")) {
        // A name that no ref can have is damage too.
        let named = store.find_ref(name).ok().flatten();
        if named.as_ref().map(ObjectId::as_str) != Some(id) {
            let detail = format!("`{}` does not name {id}", name.escape_debug());
            return Err(BundleError::Damaged { path, detail }.into());
        }
    }
    Ok(store)
}

/// Takes the one ref `reference` of a bundle into a store, with its objects. Gives what it names; whatever else the bundle
/// names is left alone, so that it cannot put anything in the place of another.
///
/// # Errors
/// When the file is no bundle, is larger than `limit` bytes, is damaged, does not have the ref, or builds on a commit that
/// the store does not have.
pub fn take_one(store: &RunStore, bundle: &Path, reference: &str, limit: u64) -> Result<ObjectId> {
    let path = std::path::absolute(bundle).doing("looking for", bundle)?;
    let size = std::fs::symlink_metadata(&path).doing("looking at", &path)?.len();
    if size > limit {
        return Err(WorkspaceError::FileTooLarge { path: path.display().to_string(), size, limit });
    }
    let header = read_header(&path)?;
    let not_there =
        || BundleError::NotABundle { path: path.clone(), reason: "it does not have the ref that it should" };
    let (_, id) = header.refs.iter().find(|(name, _)| name == reference).ok_or_else(not_there)?;
    take_in(store, store.dir(), &path, &header, &format!("+{reference}:{reference}"))?;
    match store.find_ref(reference)? {
        Some(named) if named.as_str() == id => Ok(named),
        _ => Err(not_there().into()),
    }
}

/// Takes everything of a bundle of our own into a store.
///
/// # Errors
/// When the file is no bundle, is damaged, or builds on a commit that the store does not have.
pub fn take_all(store: &RunStore, bundle: &Path) -> Result<()> {
    let path = std::path::absolute(bundle).doing("looking for", bundle)?;
    let header = read_header(&path)?;
    take_in(store, store.dir(), &path, &header, "+refs/*:refs/*")
}

fn read_header(path: &Path) -> Result<Header> {
    let mut start = Vec::new();
    let file = File::open(path).doing("opening", path)?;
    file.take(HEADER_LIMIT).read_to_end(&mut start).doing("reading", path)?;
    Ok(Header::parse(&start).map_err(|reason| BundleError::NotABundle { path: path.to_owned(), reason })?)
}

fn take_in(store: &RunStore, repository: &Path, path: &Path, header: &Header, refspec: &str) -> Result<()> {
    let repo = store.repo();
    for commit in &header.prerequisites {
        let here = gix::ObjectId::from_hex(commit.as_bytes())
            .is_ok_and(|id| id.kind() == repo.object_hash() && repo.has_object(id));
        if !here {
            let repository = repository.to_owned();
            return Err(BundleError::MissingBase { commit: commit.clone(), repository }.into());
        }
    }
    let fetched = Git::on(store.dir())
        // The bundle is the one file that is read.
        .config("protocol.file.allow=always")
        // Trees with `.git` in them and the like are refused before anything looks at them.
        .config("fetch.fsckObjects=true")
        .args(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"])
        .arg(path)
        .arg(refspec)
        .run();
    match fetched {
        Ok(_) => Ok(()),
        Err(WorkspaceError::Command { stderr, .. }) => {
            Err(BundleError::Damaged { path: path.to_owned(), detail: stderr }.into())
        }
        Err(error) => Err(error),
    }
}

impl RunStore {
    /// Returns what the ref `name` of the store names; `None` when there is no such ref.
    pub fn find_ref(&self, name: &str) -> Result<Option<ObjectId>> {
        let repo = self.repo();
        let Some(mut reference) = repo.try_find_reference(name).git_doing("reading a ref")? else { return Ok(None) };
        let id = reference.peel_to_id().git_doing("reading a ref")?;
        model_id(&id).map(Some)
    }
}

/// The SHA-256 of a file, read in pieces.
pub fn digest(path: &Path) -> Result<Digest> {
    let mut file = File::open(path).doing("opening", path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(Digest::from_sha256(hasher.finalize().as_ref())),
            Ok(read) => hasher.update(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => return Err(WorkspaceError::Io { doing: "reading", path: path.to_owned(), source }),
        }
    }
}

/// What a bundle says about itself, before its pack (see `gitformat-bundle`).
#[derive(Debug, Default, PartialEq, Eq)]
struct Header {
    /// The commits that a repository must have for the bundle to be of use.
    prerequisites: Vec<String>,
    /// The refs, with what they name.
    refs: Vec<(String, String)>,
}

impl Header {
    fn parse(start: &[u8]) -> Result<Self, &'static str> {
        let mut lines = start
            .split_inclusive(|&byte| byte == b'\n')
            .map(|line| line.strip_suffix(b"\n").ok_or("it ends in the middle of its header"));
        match lines.next() {
            Some(Ok(b"# v2 git bundle" | b"# v3 git bundle")) => {}
            _ => return Err("it does not begin as one"),
        }
        let mut header = Self::default();
        for line in lines {
            let line = BString::from(line?);
            let line = line.to_str().map_err(|_| "a line of its header is not UTF-8")?;
            if line.is_empty() {
                return Ok(header);
            }
            if line.starts_with('@') {
                continue;
            }
            match line.strip_prefix('-') {
                Some(rest) => {
                    header.prerequisites.push(rest.split(' ').next().unwrap_or_default().to_owned());
                }
                None => {
                    let (id, name) = line.split_once(' ').ok_or("a line of its header names no ref")?;
                    header.refs.push((name.to_owned(), id.to_owned()));
                }
            }
        }
        Err("its header does not end")
    }
}

#[cfg(test)]
mod tests;
