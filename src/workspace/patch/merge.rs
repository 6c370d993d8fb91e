//! The three-way merge of one path. What does not merge by itself is a conflict; nothing is ever decided for anybody.

use gix::{
    bstr::BStr,
    diff::blob::InternedInput,
    merge::blob::{Resolution, builtin_driver::text},
};
use implementer_model::patch::{ConflictKind, FileMode};

use crate::workspace::{
    Result,
    error::GitContext as _,
    folder,
    patch::diff,
    store::{RunStore, TreeEntry, attributes::Attributes},
};

/// The largest file that is merged line by line; a change to a larger one on both sides is a conflict.
const MERGE_LIMIT: u64 = 8 * 1024 * 1024;

/// A file at a path: its mode and content.
pub(in crate::workspace) type Entry = (FileMode, gix::ObjectId);

/// What a merge came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::workspace) enum Merged {
    /// Our side is right as it is.
    Ours,
    /// Their side is right as it is.
    Theirs,
    /// Something new, made of both.
    Both(Entry),
    /// They do not go together.
    Conflict(ConflictKind),
}

/// Merges what two sides made of `base` at `path`. `ours_tree` is where attributes are looked up.
pub(in crate::workspace) fn merge(
    store: &RunStore,
    repo: &gix::Repository,
    ours_tree: gix::ObjectId,
    path: &BStr,
    [base, ours, theirs]: [Option<Entry>; 3],
) -> Result<Merged> {
    if ours == theirs {
        return Ok(Merged::Ours);
    }
    if ours == base {
        return Ok(Merged::Theirs);
    }
    if theirs == base {
        return Ok(Merged::Ours);
    }
    let (Some(ours), Some(theirs)) = (ours, theirs) else { return Ok(Merged::Conflict(ConflictKind::DeleteModify)) };
    if kind(ours.0) != kind(theirs.0) {
        return Ok(Merged::Conflict(ConflictKind::Mode));
    }
    let Some(base) = base else {
        let kind = if ours.1 == theirs.1 { ConflictKind::Mode } else { ConflictKind::BothAdded };
        return Ok(Merged::Conflict(kind));
    };
    if kind(ours.0) != Kind::File {
        return Ok(Merged::Conflict(ConflictKind::Content));
    }
    if kind(base.0) != Kind::File {
        // Both made a file of what was a link, say: there is nothing to merge their contents against.
        return Ok(Merged::Conflict(ConflictKind::BothAdded));
    }
    // A file is executable or not, so when both sides changed that, they agree.
    let mode = if ours.0 == base.0 { theirs.0 } else { ours.0 };
    let content = if ours.1 == base.1 || ours.1 == theirs.1 {
        theirs.1
    } else if theirs.1 == base.1 {
        ours.1
    } else {
        match content(store, repo, ours_tree, path, [base.1, ours.1, theirs.1])? {
            Some(merged) => merged,
            None => return Ok(Merged::Conflict(ConflictKind::Content)),
        }
    };
    let result = (mode, content);
    Ok(if result == theirs { Merged::Theirs } else { Merged::Both(result) })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Link,
    Submodule,
}

fn kind(mode: FileMode) -> Kind {
    match mode {
        FileMode::Plain | FileMode::Executable => Kind::File,
        FileMode::Symlink => Kind::Link,
        FileMode::Gitlink => Kind::Submodule,
    }
}

/// Merges three contents line by line; `None` when they conflict, or lines mean nothing in them.
fn content(
    store: &RunStore,
    repo: &gix::Repository,
    ours_tree: gix::ObjectId,
    path: &BStr,
    ids: [gix::ObjectId; 3],
) -> Result<Option<gix::ObjectId>> {
    if !may_merge_lines(store, repo, ours_tree, path)? {
        return Ok(None);
    }
    let mut contents = Vec::with_capacity(3);
    for id in ids {
        let size = repo.find_header(id).map_err(|error| store.explain(repo, id, "reading a file", error))?.size();
        if size > MERGE_LIMIT {
            return Ok(None);
        }
        let content = store.blob(repo, id)?;
        if diff::is_binary(&content) {
            return Ok(None);
        }
        contents.push(content);
    }
    let [base, ours, theirs] = contents.as_slice() else { return Ok(None) };
    let mut merged = Vec::new();
    let resolution = text(
        &mut merged,
        &mut InternedInput::default(),
        text::Labels::default(),
        ours,
        base,
        theirs,
        text::Options::default(),
    );
    if resolution != Resolution::Complete {
        return Ok(None);
    }
    Ok(Some(repo.write_blob(&merged).git_doing("storing a merged file")?.detach()))
}

/// Tells whether the `merge` attribute leaves `path` to a merge by lines: `-merge` and `merge=binary` say that files such
/// as lock files must not be.
fn may_merge_lines(store: &RunStore, repo: &gix::Repository, tree: gix::ObjectId, path: &BStr) -> Result<bool> {
    let mut attributes = Attributes::new(Box::new(|dir| {
        match store.entry(repo, tree, folder::join(dir, ".gitattributes".into()).as_ref())? {
            Some(TreeEntry { mode, id }) if mode.is_blob() => store.blob(repo, id).map(Some),
            _ => Ok(None),
        }
    }))?;
    Ok(match attributes.value(path, "merge")? {
        Some(gix::attrs::State::Unset) => false,
        Some(gix::attrs::State::Value(driver)) => driver.as_ref().as_bstr() != "binary",
        _ => true,
    })
}
