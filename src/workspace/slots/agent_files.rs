//! The files by which agent programs are steered: instructions, settings, hooks, servers. In a subagent's folder they
//! are those of the commit with the rules, whatever a pull request proposes, and they are put back before the folder is
//! captured: what we placed is nobody's change.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::{ffi::OsStrExt as _, fs::OpenOptionsExt as _},
    path::Path,
};

use gix::{
    bstr::{BStr, BString, ByteSlice as _},
    index::{State, entry::Mode},
};
use implementer_model::{
    config::{AGENT_INSTRUCTIONS, AGENT_SETTINGS_FILES},
    ids::ObjectId,
    scope::{CompiledScope, Scope},
};

use crate::{
    untrusted,
    workspace::{
        Result, WorkspaceError,
        error::IoContext as _,
        folder::{self, Content},
        store::{RunStore, convert::Checkout, git_id},
    },
};

/// What was placed in a folder.
#[derive(Debug, Default)]
pub(in crate::workspace) struct Placed {
    files: Vec<PlacedFile>,
}

#[derive(Debug)]
struct PlacedFile {
    path: BString,
    /// What the folder's own tree has there.
    own: Option<OnDisk>,
    /// What stands there in its place.
    placed: Option<OnDisk>,
}

/// A file as a checkout writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum OnDisk {
    File { content: Vec<u8>, executable: bool },
    Link(Vec<u8>),
}

/// Places the agent files of the tree `rules` in the folder, which holds the tree `own`: its instructions, and its
/// settings where `settings` says so. Without them the folder has no settings at all, because programs find ways past
/// the flags that tell them to leave settings alone.
///
/// # Errors
/// When a tree cannot be read, or the folder cannot be written.
pub(in crate::workspace) fn place(
    store: &RunStore,
    root: &Path,
    own: &ObjectId,
    rules: &ObjectId,
    settings: bool,
) -> Result<Placed> {
    let planned = plan(store, own, rules, settings)?;
    for file in &planned.files {
        write(root, file.path.as_ref(), file.placed.as_ref())?;
    }
    Ok(planned)
}

/// Finds what is to be placed.
///
/// # Errors
/// When a tree cannot be read.
pub(in crate::workspace) fn plan(store: &RunStore, own: &ObjectId, rules: &ObjectId, settings: bool) -> Result<Placed> {
    if own == rules && settings {
        return Ok(Placed::default());
    }
    let (own, rules) = (store.flat_tree(git_id(own)?)?, store.flat_tree(git_id(rules)?)?);
    let compiled = |globs: &[&str]| {
        let allow = globs.iter().map(|&glob| glob.to_owned()).collect();
        // The globs are ours, and a test compiles them.
        CompiledScope::new(&Scope { allow, deny: [].into() }).ok()
    };
    let (Some(instructions), Some(of_settings)) = (compiled(AGENT_INSTRUCTIONS), compiled(AGENT_SETTINGS_FILES)) else {
        return Ok(Placed::default());
    };
    // A folder `.Claude` is one of settings where case is ignored; a page `docs/agents.md` is a page.
    let is_setting = |path: &BString| path.to_str().is_ok_and(|path| of_settings.allows_any_spelling(path));
    let is_instruction = |path: &BString| path.to_str().is_ok_and(|path| instructions.allows(path));
    let mut paths = differing(&own, &rules);
    paths.retain(|path| is_instruction(path) || (settings && is_setting(path)));
    if !settings {
        let backing = own.path_backing();
        let all = own.entries().iter().map(|entry| entry.path_in(backing).to_owned());
        paths.extend(all.filter(&is_setting));
    }
    let repo = store.repo();
    let (mut of_own, mut of_rules) = (Checkout::new(store, &repo, &own)?, Checkout::new(store, &repo, &rules)?);
    let mut placed = Placed::default();
    for path in paths {
        let taken =
            if settings || is_instruction(&path) { on_disk(&mut of_rules, &rules, path.as_ref())? } else { None };
        let file = PlacedFile { own: on_disk(&mut of_own, &own, path.as_ref())?, placed: taken, path };
        if file.own != file.placed {
            placed.files.push(file);
        }
    }
    Ok(placed)
}

/// Returns the paths at which two trees differ, by one walk through both lists.
fn differing(one: &State, other: &State) -> Vec<BString> {
    let (mut ours, mut theirs) = (one.entries().iter().peekable(), other.entries().iter().peekable());
    let (backing, other_backing) = (one.path_backing(), other.path_backing());
    let mut paths = Vec::new();
    loop {
        let order = match (ours.peek(), theirs.peek()) {
            (None, None) => return paths,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(our), Some(their)) => our.path_in(backing).cmp(their.path_in(other_backing)),
        };
        let our = (order.is_le()).then(|| ours.next()).flatten();
        let their = (order.is_ge()).then(|| theirs.next()).flatten();
        let same = our.zip(their).is_some_and(|(our, their)| (our.id, our.mode) == (their.id, their.mode));
        if !same {
            let path = our.map(|our| our.path_in(backing)).or(their.map(|their| their.path_in(other_backing)));
            paths.extend(path.map(BStr::to_owned));
        }
    }
}

/// Puts the folder's own files back where what was placed is as it was. What a subagent has changed there stays, and
/// is captured as its change.
///
/// # Errors
/// When the folder cannot be written.
pub(in crate::workspace) fn take_back(root: &Path, placed: &Placed) -> Result<()> {
    for file in &placed.files {
        if has(root, file.path.as_ref(), file.placed.as_ref()) {
            write(root, file.path.as_ref(), file.own.as_ref())?;
        }
    }
    Ok(())
}

/// Places the agent files of the commit `rules` in a folder that holds the commit `own`, for a subagent that another
/// process will start there.
///
/// # Errors
/// When a tree cannot be read, or the folder cannot be written.
pub fn place_for(store: &RunStore, folder: &Path, own: &ObjectId, rules: &ObjectId, settings: bool) -> Result<()> {
    let own = store.base_of(own)?.tree;
    place(store, folder, &own, rules, settings).map(drop)
}

/// Puts the folder's own agent files back, after another process has placed those of `rules`.
///
/// # Errors
/// When a tree cannot be read, or the folder cannot be written.
pub fn take_back_of(store: &RunStore, folder: &Path, own: &ObjectId, rules: &ObjectId, settings: bool) -> Result<()> {
    let own = store.base_of(own)?.tree;
    take_back(folder, &plan(store, &own, rules, settings)?)
}

fn on_disk(checkout: &mut Checkout<'_>, state: &State, path: &BStr) -> Result<Option<OnDisk>> {
    let Some(entry) = state.entry_by_path(path).filter(|entry| entry.mode != Mode::COMMIT) else { return Ok(None) };
    let content = checkout.content(entry, path)?;
    Ok(Some(match entry.mode {
        Mode::SYMLINK => OnDisk::Link(content),
        mode => OnDisk::File { content, executable: mode == Mode::FILE_EXECUTABLE },
    }))
}

/// Tells whether all folders on the way to `path` are folders, so that no link leads out; those that are not there
/// count where `missing` says so.
fn way_is_clear(root: &Path, path: &BStr, missing: bool) -> bool {
    let mut dir = folder::parent(path);
    while !dir.is_empty() {
        match fs::symlink_metadata(folder::at(root, dir)) {
            Ok(meta) if meta.is_dir() => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound && missing => {}
            _ => return false,
        }
        dir = folder::parent(dir);
    }
    true
}

fn has(root: &Path, path: &BStr, wanted: Option<&OnDisk>) -> bool {
    let place = folder::at(root, path);
    let meta = fs::symlink_metadata(&place);
    match wanted {
        None => way_is_clear(root, path, true) && meta.is_err_and(|error| error.kind() == io::ErrorKind::NotFound),
        Some(OnDisk::Link(target)) => {
            way_is_clear(root, path, false)
                && fs::read_link(&place).is_ok_and(|found| found.as_os_str().as_bytes() == target.as_slice())
        }
        Some(OnDisk::File { content, executable }) => {
            use std::os::unix::fs::PermissionsExt as _;
            way_is_clear(root, path, false)
                && meta.is_ok_and(|meta| meta.is_file() && (meta.permissions().mode() & 0o100 != 0) == *executable)
                && matches!(folder::read_plain(&place, content.len() as u64), Ok(Content::Bytes(found)) if found == *content)
        }
    }
}

/// Makes `path` hold `wanted`. No link is followed on the way.
fn write(root: &Path, path: &BStr, wanted: Option<&OnDisk>) -> Result<()> {
    let place = folder::at(root, path);
    if !way_is_clear(root, path, true) {
        // Something else has taken the place of a folder: what is below is not there, and nothing can be written.
        return match wanted {
            None => Ok(()),
            Some(_) => Err(WorkspaceError::UnsafeTree {
                tree: root.display().to_string(),
                reason: format!("something is in the way of `{path}`"),
            }),
        };
    }
    untrusted::remove(&place).doing("removing", &place)?;
    let Some(wanted) = wanted else { return Ok(()) };
    if let Some(parent) = place.parent() {
        fs::create_dir_all(parent).doing("creating", parent)?;
    }
    match wanted {
        OnDisk::Link(target) => {
            std::os::unix::fs::symlink(std::ffi::OsStr::from_bytes(target), &place).doing("creating", &place)?;
        }
        OnDisk::File { content, executable } => {
            let mode = if *executable { 0o777 } else { 0o666 };
            let mut options = fs::OpenOptions::new();
            let mut file = options.write(true).create_new(true).mode(mode).open(&place).doing("creating", &place)?;
            file.write_all(content).doing("writing", &place)?;
        }
    }
    folder::give_like(root, path).doing("giving away", &place)
}

#[cfg(test)]
mod tests;
