//! The user's repository as a store sees it: found, opened with nothing but its own configuration, and borrowed from.

use std::{
    ffi::OsString,
    fs, io,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Path, PathBuf},
};

use crate::workspace::{
    Result, WorkspaceError,
    error::{GitContext as _, IoContext as _},
    store::repository_files::Shared,
};

/// How many packs a store can have when it is opened: a quarter more than there are, and at least these. A large bundle that is
/// taken in is a pack, and each of a fan-out's 256 tasks sends one to a store that was opened for it. Not more, for a store
/// spends a thousand instructions on every place that it never uses.
const PACKS: gix::odb::store::init::Slots =
    gix::odb::store::init::Slots::AsNeededByDiskState { multiplier: 1.25, minimum: 1_024 };

/// Opens the repository whose git folder is `git_dir`, with nothing but its own configuration.
pub(super) fn open_isolated(git_dir: &Path) -> Result<gix::Repository> {
    // In a container the repository is often somebody else's. That matters for configuration that names programs,
    // which isolation and our own pipelines keep out anyway.
    gix::open::Options::isolated()
        .open_path_as_is(true)
        .object_store_slots(PACKS)
        .open(git_dir)
        .map(gix::ThreadSafeRepository::into)
        .map_err(|source| WorkspaceError::NotARepository { path: git_dir.to_owned(), source: Box::new(source) })
}

pub(in crate::workspace) fn discover(repo_dir: &Path) -> Result<gix::Repository> {
    let folder = canonical(repo_dir)?;
    let options = gix::open::Options::isolated();
    gix::discover_opts(&folder, gix::discover::upwards::Options::default(), options)
        .map_err(|source| WorkspaceError::NotARepository { path: folder, source: Box::new(source) })
}

pub(super) fn require_commit(source: &gix::Repository) -> Result<()> {
    let unborn = source.head().git_doing("reading HEAD")?.is_unborn();
    let refs = source.references().git_doing("reading the refs")?;
    if unborn && refs.all().git_doing("reading the refs")?.next().is_none() {
        let path = source.workdir().unwrap_or_else(|| source.git_dir()).to_owned();
        return Err(WorkspaceError::EmptyRepository { path });
    }
    Ok(())
}

/// Collects what a repository that borrows the objects of `source` has to know.
pub(super) fn shared_by(source: &gix::Repository) -> Result<Shared> {
    let common = canonical(source.common_dir())?;
    let objects = common.join("objects");
    // All of them, flat: git follows alternates of alternates to a depth of five only.
    let further = gix::odb::alternate::resolve(objects.clone(), &common).git_doing("reading the alternates")?;
    let mut alternates = vec![objects];
    for folder in further {
        if let Ok(folder) = fs::canonicalize(&folder)
            && !alternates.contains(&folder)
        {
            alternates.push(folder);
        }
    }
    let file = common.join("shallow");
    let shallow = match fs::read(&file) {
        Ok(content) => Some(content),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(source) => return Err(WorkspaceError::Io { doing: "reading", path: file, source }),
    };
    Ok(Shared { object_hash: source.object_hash(), alternates, shallow })
}

pub(super) fn is_partial(source: &gix::Repository) -> bool {
    let config = source.config_snapshot();
    config.string("extensions.partialClone").is_some()
        || config
            .plumbing()
            .sections_by_name("remote")
            .into_iter()
            .flatten()
            .any(|section| section.value("promisor").is_some() || section.value("partialclonefilter").is_some())
}

pub(super) fn repository_name(source: &gix::Repository) -> OsString {
    let folder = source.workdir().unwrap_or_else(|| source.git_dir());
    let name = fs::canonicalize(folder).ok().and_then(|folder| folder.file_name().map(OsString::from));
    let name = name.map(|name| match name.as_bytes().strip_suffix(b".git") {
        Some(stem) if !stem.is_empty() => OsString::from_vec(stem.to_vec()),
        _ => name,
    });
    name.filter(|name| !name.as_bytes().starts_with(b".")).unwrap_or_else(|| OsString::from("repository"))
}

pub(super) fn canonical(path: &Path) -> Result<PathBuf> {
    fs::canonicalize(path).doing("looking for", path)
}
