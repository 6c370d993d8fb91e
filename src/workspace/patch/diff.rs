//! The difference of two trees, as a patch.

use std::collections::BTreeMap;

use gix::{
    bstr::{BStr, ByteSlice as _},
    diff::{
        Rewrites,
        blob::{Algorithm, Diff, InternedInput},
        tree::{Recorder, recorder},
    },
    object::tree::diff::ChangeDetached,
    objs::{
        TreeRefIter,
        tree::{EntryKind, EntryMode},
    },
};
use implementer_model::patch::{Blob, Change, FileMode, Patch};

use crate::workspace::{
    Result, WorkspaceError,
    error::GitContext as _,
    store::{Base, RunStore, git_id, model_id},
};

/// How alike a new file and a deleted one must be to count as moved; git's own default.
const SIMILARITY: f32 = 0.5;

/// How many new and deleted files are compared with each other for likeness, at most; beyond, only exact copies are
/// found. The work grows with the square, and a subagent decides how many files it moves.
const RENAME_LIMIT: usize = 100;

/// The largest file whose lines are counted; larger ones are treated as binary.
const LINE_COUNT_LIMIT: u64 = 8 * 1024 * 1024;

/// How far git looks for a NUL byte to tell binary content from text.
const BINARY_PROBE: usize = 8000;

/// The longest target of a link that is shown, in bytes: what Linux takes for a path.
const LINK_TARGET_LIMIT: usize = 4096;

/// Tells whether git would take the content for binary.
pub(in crate::workspace) fn is_binary(content: &[u8]) -> bool {
    content[..content.len().min(BINARY_PROBE)].contains(&0)
}

/// Returns the patch that leads from `base` to `tree`.
///
/// The lines of a moved file are counted against the file it was moved from, whose deletion then counts none.
pub fn patch_between(store: &RunStore, base: &Base, tree: gix::ObjectId) -> Result<Patch> {
    let repo = store.repo();
    let rewrites = Rewrites { copies: None, percentage: Some(SIMILARITY), limit: RENAME_LIMIT, track_empty: false };
    let sides = sides(store, &repo, git_id(&base.tree)?, tree, Some(rewrites))?;
    let moved_away: Vec<String> = sides.values().filter_map(|side| side.renamed_from.clone()).collect();
    let mut changes = Vec::with_capacity(sides.len());
    for (path, Side { old, new, renamed_from }) in &sides {
        let against = match renamed_from {
            Some(source) => sides.get(source).and_then(|side| side.old),
            None => *old,
        };
        let counted = if moved_away.contains(path) && new.is_none() {
            Some((0, 0))
        } else {
            count_lines(store, &repo, against, *new)?
        };
        let link_target = match new {
            Some((FileMode::Symlink, id)) => Some(link_target(store, &repo, *id)?),
            _ => None,
        };
        changes.push(Change {
            path: path.clone(),
            old: old.map(blob).transpose()?,
            new: new.map(blob).transpose()?,
            renamed_from: renamed_from.clone(),
            added: counted.map(|(added, _)| added),
            removed: counted.map(|(_, removed)| removed),
            link_target,
        });
    }
    Ok(Patch { base: base.commit.clone(), base_tree: base.tree.clone(), tree: model_id(&tree)?, changes })
}

/// Both sides of a path that differs.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(in crate::workspace) struct Side {
    /// What the first tree has.
    pub(in crate::workspace) old: Option<(FileMode, gix::ObjectId)>,
    /// What the second tree has.
    pub(in crate::workspace) new: Option<(FileMode, gix::ObjectId)>,
    /// Where the content was moved from.
    renamed_from: Option<String>,
}

/// Returns the paths at which two trees differ, in the order of the paths.
pub(in crate::workspace) fn sides(
    store: &RunStore,
    repo: &gix::Repository,
    old: gix::ObjectId,
    new: gix::ObjectId,
    rewrites: Option<Rewrites>,
) -> Result<BTreeMap<String, Side>> {
    let mut found: BTreeMap<String, Side> = BTreeMap::new();
    if old == new {
        return Ok(found);
    }
    for tree in [old, new] {
        store.check_size(repo, tree)?;
    }
    let (old, new) = (store.tree(repo, old)?, store.tree(repo, new)?);
    if rewrites.is_none() {
        return plain_sides(repo, &old, &new);
    }
    let options = gix::diff::Options::default().with_rewrites(rewrites);
    let changes = repo.diff_tree_to_tree(Some(&old), Some(&new), options).git_doing("comparing two trees")?;
    for change in changes {
        match change {
            ChangeDetached::Addition { location, entry_mode, id, .. } => {
                set(&mut found, location.as_ref(), |side| &mut side.new, entry_mode, id)?;
            }
            ChangeDetached::Deletion { location, entry_mode, id, .. } => {
                set(&mut found, location.as_ref(), |side| &mut side.old, entry_mode, id)?;
            }
            ChangeDetached::Modification { location, previous_entry_mode, previous_id, entry_mode, id } => {
                set(&mut found, location.as_ref(), |side| &mut side.old, previous_entry_mode, previous_id)?;
                set(&mut found, location.as_ref(), |side| &mut side.new, entry_mode, id)?;
            }
            ChangeDetached::Rewrite {
                source_location, source_entry_mode, source_id, location, entry_mode, id, ..
            } => {
                set(&mut found, source_location.as_ref(), |side| &mut side.old, source_entry_mode, source_id)?;
                set(&mut found, location.as_ref(), |side| &mut side.new, entry_mode, id)?;
                if !entry_mode.is_tree()
                    && let Some(side) = found.get_mut(utf8(location.as_ref())?)
                {
                    side.renamed_from = Some(utf8(source_location.as_ref())?.to_owned());
                }
            }
        }
    }
    Ok(found)
}

/// Returns the same without looking for moved files, which needs no content.
fn plain_sides(repo: &gix::Repository, old: &gix::Tree<'_>, new: &gix::Tree<'_>) -> Result<BTreeMap<String, Side>> {
    let mut recorder = Recorder::default();
    gix::diff::tree(
        TreeRefIter::from_bytes(&old.data, old.id.kind()),
        TreeRefIter::from_bytes(&new.data, new.id.kind()),
        gix::diff::tree::State::default(),
        &repo.objects,
        &mut recorder,
    )
    .map_err(gix::Error::from_error)
    .git_doing("comparing two trees")?;
    let mut found = BTreeMap::new();
    for change in recorder.records {
        match change {
            recorder::Change::Addition { entry_mode, oid, path, .. } => {
                set(&mut found, path.as_ref(), |side| &mut side.new, entry_mode, oid)?;
            }
            recorder::Change::Deletion { entry_mode, oid, path, .. } => {
                set(&mut found, path.as_ref(), |side| &mut side.old, entry_mode, oid)?;
            }
            recorder::Change::Modification { previous_entry_mode, previous_oid, entry_mode, oid, path } => {
                set(&mut found, path.as_ref(), |side| &mut side.old, previous_entry_mode, previous_oid)?;
                set(&mut found, path.as_ref(), |side| &mut side.new, entry_mode, oid)?;
            }
        }
    }
    Ok(found)
}

fn set(
    found: &mut BTreeMap<String, Side>,
    path: &BStr,
    side: impl FnOnce(&mut Side) -> &mut Option<(FileMode, gix::ObjectId)>,
    mode: EntryMode,
    id: gix::ObjectId,
) -> Result<()> {
    // Folders come and go with what is in them.
    if let Some(mode) = file_mode(mode) {
        *side(found.entry(utf8(path)?.to_owned()).or_default()) = Some((mode, id));
    }
    Ok(())
}

fn utf8(path: &BStr) -> Result<&str> {
    path.to_str().map_err(|_| WorkspaceError::PathNotUtf8 { path: path.to_string() })
}

/// Returns the mode of a file; `None` for a folder.
pub(in crate::workspace) fn file_mode(mode: EntryMode) -> Option<FileMode> {
    match mode.kind() {
        EntryKind::Tree => None,
        EntryKind::Blob => Some(FileMode::Plain),
        EntryKind::BlobExecutable => Some(FileMode::Executable),
        EntryKind::Link => Some(FileMode::Symlink),
        EntryKind::Commit => Some(FileMode::Gitlink),
    }
}

/// Returns the kind of tree entry of a file.
pub(in crate::workspace) fn entry_kind(mode: FileMode) -> EntryKind {
    match mode {
        FileMode::Plain => EntryKind::Blob,
        FileMode::Executable => EntryKind::BlobExecutable,
        FileMode::Symlink => EntryKind::Link,
        FileMode::Gitlink => EntryKind::Commit,
    }
}

pub(in crate::workspace) fn blob((mode, id): (FileMode, gix::ObjectId)) -> Result<Blob> {
    Ok(Blob { mode, id: model_id(&id)? })
}

/// Counts the lines added and removed; `None` when a side is binary, very large, or a submodule.
fn count_lines(
    store: &RunStore,
    repo: &gix::Repository,
    old: Option<(FileMode, gix::ObjectId)>,
    new: Option<(FileMode, gix::ObjectId)>,
) -> Result<Option<(u32, u32)>> {
    let (Some(old), Some(new)) = (text(store, repo, old)?, text(store, repo, new)?) else { return Ok(None) };
    let input = InternedInput::new(old.as_slice(), new.as_slice());
    let diff = Diff::compute(Algorithm::Histogram, &input);
    Ok(Some((diff.count_additions(), diff.count_removals())))
}

/// Reads one side for counting; a side that is not there has no lines.
fn text(store: &RunStore, repo: &gix::Repository, side: Option<(FileMode, gix::ObjectId)>) -> Result<Option<Vec<u8>>> {
    let Some((mode, id)) = side else { return Ok(Some(Vec::new())) };
    if mode == FileMode::Gitlink {
        return Ok(None);
    }
    let size = repo.find_header(id).map_err(|error| store.explain(repo, id, "reading a file", error))?.size();
    if size > LINE_COUNT_LIMIT {
        return Ok(None);
    }
    let content = store.blob(repo, id)?;
    Ok((!is_binary(&content)).then_some(content))
}

fn link_target(store: &RunStore, repo: &gix::Repository, id: gix::ObjectId) -> Result<String> {
    let size = repo.find_header(id).map_err(|error| store.explain(repo, id, "reading a link", error))?.size();
    if size > LINK_TARGET_LIMIT as u64 {
        return Ok(format!("(a target of {size} bytes)"));
    }
    Ok(String::from_utf8_lossy(&store.blob(repo, id)?).into_owned())
}
