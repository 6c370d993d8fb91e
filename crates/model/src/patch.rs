//! A patch: what a subagent really changed, as a difference of trees against its declared base.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::ObjectId;

/// The mode of a tree entry, as git has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum FileMode {
    /// A plain file.
    #[serde(rename = "100644")]
    Plain,
    /// An executable file.
    #[serde(rename = "100755")]
    Executable,
    /// A symbolic link.
    #[serde(rename = "120000")]
    Symlink,
    /// A commit of another repository (a submodule).
    #[serde(rename = "160000")]
    Gitlink,
}

/// One side of a changed entry.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Blob {
    /// Its mode.
    pub mode: FileMode,
    /// The id of its content.
    pub id: ObjectId,
}

/// One path that differs. Paths are UTF-8; a path that is not is refused when the patch is captured.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Change {
    /// The path, with `/` between its parts.
    pub path: String,
    /// What the base has there; `None` when the path is new.
    pub old: Option<Blob>,
    /// What the patch has there; `None` when the path is gone.
    pub new: Option<Blob>,
    /// The path that this content was moved from, when it is an exact or near copy of a deleted one. For people only:
    /// scope and integration look at both paths on their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renamed_from: Option<String>,
    /// Lines added; `None` for binary content.
    #[serde(default)]
    pub added: Option<u32>,
    /// Lines removed; `None` for binary content.
    #[serde(default)]
    pub removed: Option<u32>,
    /// The target of a new symbolic link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_target: Option<String>,
}

/// What a subagent changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Patch {
    /// The commit that the subagent started from.
    pub base: ObjectId,
    /// The tree of that commit.
    pub base_tree: ObjectId,
    /// The tree as the subagent left it.
    pub tree: ObjectId,
    /// The paths that differ, in the order of the paths.
    pub changes: Vec<Change>,
}

/// Puts the changes of patches together: the first old side and the last new one of each path.
#[must_use]
pub fn changes_of<'a>(patches: impl IntoIterator<Item = &'a Patch>) -> Vec<Change> {
    let mut all: Vec<Change> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for change in patches.into_iter().flat_map(|patch| &patch.changes) {
        match places.get(change.path.as_str()) {
            Some(&at) => all[at].new.clone_from(&change.new),
            None => {
                places.insert(&change.path, all.len());
                all.push(change.clone());
            }
        }
    }
    all
}

impl Patch {
    /// Tells whether nothing was changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Returns the number of lines added and removed in text files.
    #[must_use]
    pub fn line_counts(&self) -> (u64, u64) {
        self.changes.iter().fold((0, 0), |(added, removed), change| {
            (added + u64::from(change.added.unwrap_or(0)), removed + u64::from(change.removed.unwrap_or(0)))
        })
    }
}

/// Where two patches cannot both be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Conflict {
    /// The path.
    pub path: String,
    /// What both started from.
    pub base: Option<Blob>,
    /// What the integrated tree has.
    pub ours: Option<Blob>,
    /// What the later patch has.
    pub theirs: Option<Blob>,
    /// What kind of conflict it is.
    pub kind: ConflictKind,
}

/// The kinds of conflicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ConflictKind {
    /// Both changed the same lines.
    Content,
    /// Both added the path, with different content.
    BothAdded,
    /// One deleted what the other changed.
    DeleteModify,
    /// One has a file where the other has a folder.
    FileDirectory,
    /// Modes or kinds of entry differ.
    Mode,
}

/// A path whose final content is a merge of two patches, listed so that every blob is accounted for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct MergedPath {
    /// The path.
    pub path: String,
    /// What came out.
    pub result: Blob,
}
