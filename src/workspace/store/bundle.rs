//! Bundles: the implementation in one file, from which `git fetch` takes it, and from which it is proved again.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom},
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use gix::{
    bstr::{BString, ByteSlice},
    refs::transaction::PreviousValue,
};
use implementer_model::ids::{Digest, ObjectId};
use sha2::{Digest as _, Sha256};

use crate::workspace::{
    BundleError, Result, WorkspaceError,
    error::{GitContext as _, HeaderError, IoContext as _},
    git::Git,
    store::{RunStore, discover, git_id, model_id, pack_check},
};
use crate::{layout::refs::BUNDLE_MARK, untrusted};

/// The largest bundle that is opened, in bytes: of a run of 256 tasks, each with a patch as large as one may be.
pub const BUNDLE_MAX: u64 = 2 * 1024 * 1024 * 1024;

/// The longest header of a bundle that is read: 256 patches have 257 refs of some hundred bytes.
const HEADER_LIMIT: u64 = 1024 * 1024;

/// The most objects of a pack that are taken in one by one, as git's own `fetch.unpackLimit` has it; and the largest such
/// pack, in bytes. Of each pack that a store keeps, some pages are mapped as soon as anything of it is read.
const UNPACK_OBJECTS: u32 = 100;
const UNPACK_BYTES: u64 = 16 * 1024 * 1024;

/// From this size on a file goes through git piece by piece, and into a bundle whole: looking for deltas would take many
/// such files into memory at once, and most of the time.
const BIG_FILE: &str = "core.bigFileThreshold=512k";

/// How many bundles this process has marked a commit for.
static MARKS: AtomicU64 = AtomicU64::new(0);

/// Writes the commits that `refs` name, without what `exclude` has, to the file `to`, and returns its digest.
///
/// # Errors
/// When a ref is the excluded commit itself, is no ref name, or git fails.
pub fn write(store: &RunStore, refs: &[(String, ObjectId)], exclude: &ObjectId, to: &Path) -> Result<Digest> {
    let repo = store.repo();
    let mut wanted = format!("^{exclude}\n");
    let mut mark = None;
    for (name, id) in refs {
        let invalid = || BundleError::InvalidRef { name: name.clone() };
        if !name.starts_with("refs/") || gix::validate::reference::name(name.as_bytes().as_bstr()).is_err() {
            return Err(invalid().into());
        }
        if id == exclude {
            return Err(BundleError::NothingNew { reference: name.clone() }.into());
        }
        store.set_ref(name, id)?;
        mark = Some(git_id(id)?);
        wanted.push_str(name);
        wanted.push('\n');
    }
    // Its own for every bundle: two may be written at one time.
    let number = MARKS.fetch_add(1, Ordering::Relaxed);
    let mark = mark.map(|id| repo.reference(format!("{BUNDLE_MARK}-{number}"), id, PreviousValue::Any, "bundle"));
    let mark = mark.transpose().git_doing("marking a commit for the bundle")?;
    let to = std::path::absolute(to).doing("looking for", to)?;
    Git::on(store.dir())
        .config(BIG_FILE)
        .args(["bundle", "create", "--quiet"])
        .arg(&to)
        .arg("--stdin")
        .input(wanted.as_bytes())?
        .run()?;
    if let Some(mark) = mark {
        mark.delete().git_doing("removing the mark of the bundle")?;
    }
    digest(&to)
}

/// Returns what `find` finds first in an object that a bundle of `refs` without `exclude` would carry: in a file, a tree or a commit.
///
/// # Errors
/// When an object cannot be read, or git fails.
pub fn search<T>(
    store: &RunStore,
    refs: &[(String, ObjectId)],
    exclude: &ObjectId,
    find: impl Fn(&[u8]) -> Option<T>,
) -> Result<Option<T>> {
    let mut wanted = format!("^{exclude}\n");
    for (_, id) in refs {
        wanted.push_str(id.as_str());
        wanted.push('\n');
    }
    let listed = Git::on(store.dir())
        .args(["rev-list", "--objects", "--no-object-names", "--stdin"])
        .input(wanted.as_bytes())?
        .run()?;
    let repo = store.repo();
    for id in ByteSlice::lines(listed.as_slice()) {
        let id = gix::ObjectId::from_hex(id).git_doing("listing the objects of a bundle")?;
        let object = repo.find_object(id).git_doing("reading an object of a bundle")?;
        if let Some(found) = find(&object.data) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Opens `bundle` for a repository that has its base: makes a store in the new folder `into` that borrows from the
/// repository `repo_dir` is in, and takes the bundle's objects and refs in.
///
/// # Errors
/// When the file is no bundle, is damaged, or builds on a commit that the repository does not have.
pub fn open(bundle: &Path, repo_dir: &Path, into: &Path) -> Result<RunStore> {
    let path = std::path::absolute(bundle).doing("looking for", bundle)?;
    let Opened { header, .. } = look_at(&path, BUNDLE_MAX, discover(repo_dir)?.object_hash())?;
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

/// Takes the objects of a bundle into a store, and returns what its ref `reference` names. No ref of the store is set, so
/// that a bundle cannot put anything in the place of another.
///
/// A small bundle is taken in object by object: a pack for each of many results would be a pack to keep mapped for each.
///
/// # Errors
/// When the file is no bundle, is larger than `limit` bytes, is damaged, does not have the ref, or builds on a commit that
/// the store does not have.
pub fn take_one(store: &RunStore, bundle: &Path, reference: &str, limit: u64) -> Result<ObjectId> {
    let path = std::path::absolute(bundle).doing("looking for", bundle)?;
    let Opened { mut file, header, objects, size } = look_at(&path, limit, store.repo().object_hash())?;
    let not_there = || BundleError::NotThere { path: path.clone(), reference: reference.to_owned() };
    let (_, id) = header.refs.iter().find(|(name, _)| name == reference).ok_or_else(not_there)?;
    let id = gix::ObjectId::from_hex(id.as_bytes()).map_err(|_| not_there())?;
    check_prerequisites(store, store.dir(), &header)?;

    file.seek(SeekFrom::Start(header.length)).doing("reading", &path)?;
    let git = Git::on(store.dir()).config(BIG_FILE);
    // Objects that are no sound git objects, such as trees with `.git` in them, are refused before anything looks at them,
    // and so is a pack that is not complete.
    let git = if objects <= UNPACK_OBJECTS && size <= UNPACK_BYTES {
        git.args(["unpack-objects", "-q", "--strict"])
    } else {
        git.args(["index-pack", "--stdin", "--fix-thin", "--strict"])
    };
    taken(git.reading(file).run(), &path)?;
    if store.repo().has_object(id) { model_id(&id) } else { Err(not_there().into()) }
}

/// Takes everything of a bundle of our own into a store.
///
/// # Errors
/// When the file is no bundle, is damaged, or builds on a commit that the store does not have.
pub fn take_all(store: &RunStore, bundle: &Path) -> Result<()> {
    let path = std::path::absolute(bundle).doing("looking for", bundle)?;
    let Opened { header, .. } = look_at(&path, BUNDLE_MAX, store.repo().object_hash())?;
    take_in(store, store.dir(), &path, &header, "+refs/*:refs/*")
}

/// Looks through a bundle as is done before anything of it is taken in, for ids of SHA-1.
///
/// # Errors
/// When it is no bundle, or holds more than is taken in.
pub fn inspect(bundle: &Path) -> Result<()> {
    look_at(bundle, BUNDLE_MAX, gix::hash::Kind::Sha1).map(drop)
}

/// Takes the patches of a bundle that somebody else wrote into a store, and none of its other refs: it cannot put anything
/// in the place of a branch.
///
/// # Errors
/// When the file is no bundle, is damaged, or builds on a commit that the store does not have.
pub fn take_patches(store: &RunStore, bundle: &Path) -> Result<()> {
    let path = std::path::absolute(bundle).doing("looking for", bundle)?;
    let Opened { header, .. } = look_at(&path, BUNDLE_MAX, store.repo().object_hash())?;
    take_in(store, store.dir(), &path, &header, "+refs/implementer/patches/*:refs/implementer/patches/*")
}

/// A bundle that can be taken in.
struct Opened {
    file: File,
    header: Header,
    objects: u32,
    size: u64,
}

/// Opens a bundle that somebody else may have made, and looks through its pack before git does.
fn look_at(path: &Path, limit: u64, ids: gix::hash::Kind) -> Result<Opened> {
    let opened = untrusted::open(path, limit)?;
    let size = opened.size();
    let mut file = BufReader::new(opened);
    let mut start = Vec::new();
    // Up to the first empty line, and not one byte of the pack that comes behind it.
    while !start.ends_with(b"\n\n") {
        let left = HEADER_LIMIT.saturating_sub(start.len() as u64);
        if file.by_ref().take(left).read_until(b'\n', &mut start).doing("reading", path)? == 0 {
            break;
        }
    }
    let header = Header::parse(&start).map_err(|source| BundleError::NotABundle { path: path.to_owned(), source })?;
    let packed = size.saturating_sub(header.length);
    let objects = pack_check::check(&mut file, packed, ids.len_in_bytes())
        .map_err(|source| BundleError::Refused { path: path.to_owned(), source })?;
    Ok(Opened { file: file.into_inner().into_file(), header, objects, size })
}

fn check_prerequisites(store: &RunStore, repository: &Path, header: &Header) -> Result<()> {
    let repo = store.repo();
    for commit in &header.prerequisites {
        let here = gix::ObjectId::from_hex(commit.as_bytes())
            .is_ok_and(|id| id.kind() == repo.object_hash() && repo.has_object(id));
        if !here {
            let repository = repository.to_owned();
            return Err(BundleError::MissingBase { commit: commit.clone(), repository }.into());
        }
    }
    Ok(())
}

fn take_in(store: &RunStore, repository: &Path, path: &Path, header: &Header, refspec: &str) -> Result<()> {
    check_prerequisites(store, repository, header)?;
    let fetched = Git::on(store.dir())
        // The bundle is the one file that is read.
        .config("protocol.file.allow=always")
        // Trees with `.git` in them and the like are refused before anything looks at them.
        .config("fetch.fsckObjects=true")
        .args(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"])
        .arg(path)
        .arg(refspec)
        .run();
    taken(fetched, path)
}

/// Says what it means for a bundle when git could not take it in.
fn taken(result: Result<Vec<u8>>, path: &Path) -> Result<()> {
    match result {
        Ok(_) => Ok(()),
        Err(WorkspaceError::Command { stderr, .. }) => {
            Err(BundleError::Damaged { path: path.to_owned(), detail: stderr }.into())
        }
        Err(error) => Err(error),
    }
}

impl RunStore {
    /// Lets the ref `name` of the store name the commit `id`, whatever it named before.
    ///
    /// # Errors
    /// When it is no ref name, or the ref cannot be written.
    pub fn set_ref(&self, name: &str, id: &ObjectId) -> Result<()> {
        let set = self.repo().reference(name, git_id(id)?, PreviousValue::Any, "").map(drop);
        set.git_doing("naming a commit")
    }

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
    let mut file = untrusted::open(path, BUNDLE_MAX)?;
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
    /// Its own length in bytes: there the pack begins.
    length: u64,
    /// The commits that a repository must have for the bundle to be of use.
    prerequisites: Vec<String>,
    /// The refs, with what they name.
    refs: Vec<(String, String)>,
}

impl Header {
    fn parse(start: &[u8]) -> Result<Self, HeaderError> {
        let mut lines = start
            .split_inclusive(|&byte| byte == b'\n')
            .map(|line| line.strip_suffix(b"\n").ok_or(HeaderError::CutOff));
        match lines.next() {
            Some(Ok(b"# v2 git bundle" | b"# v3 git bundle")) => {}
            _ => return Err(HeaderError::NoBeginning),
        }
        let mut header = Self { length: "# v2 git bundle\n".len() as u64, ..Self::default() };
        for line in lines {
            let line = BString::from(line?);
            header.length += line.len() as u64 + 1;
            let line = line.to_str().map_err(|_| HeaderError::NotText)?;
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
                    let (id, name) = line.split_once(' ').ok_or(HeaderError::NoRef)?;
                    header.refs.push((name.to_owned(), id.to_owned()));
                }
            }
        }
        Err(HeaderError::NoEnd)
    }
}

#[cfg(test)]
mod tests;
