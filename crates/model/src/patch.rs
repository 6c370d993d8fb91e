//! A patch: what a subagent really changed, as a difference of trees against its declared base.

use std::collections::{BTreeMap, BTreeSet};

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

/// Puts patches of one author together, the later ones made on top of the earlier ones: what they change together, of
/// which nothing is left where the last one has what was there before the first.
#[must_use]
pub fn joined(patches: &[&Patch]) -> Vec<Change> {
    if let [one] = patches {
        return one.changes.clone();
    }
    let mut all = changes_of(patches.iter().copied());
    let all_changes = || patches.iter().flat_map(|patch| &patch.changes);
    let last: BTreeMap<&str, &Change> = all_changes().map(|change| (change.path.as_str(), change)).collect();
    // Where what stands at a path came from: a file that was moved twice came from its first place.
    let mut origins: BTreeMap<&str, &str> = BTreeMap::new();
    for change in all_changes() {
        if let Some(from) = change.renamed_from.as_deref() {
            let first = origins.get(from).copied().unwrap_or(from);
            origins.insert(&change.path, first);
        }
    }
    for change in &mut all {
        change.link_target = last.get(change.path.as_str()).and_then(|last| last.link_target.clone());
        let origin = origins.get(change.path.as_str()).filter(|origin| **origin != change.path);
        change.renamed_from = origin.map(|origin| (*origin).to_owned());
    }
    all.retain(|change| change.old != change.new);
    all
}

/// Returns the paths of patches of one author between which somebody else changed the same path.
#[must_use]
pub fn changed_by_others_between<'a>(patches: &[&'a Patch]) -> BTreeSet<&'a str> {
    let mut left: BTreeMap<&str, &Option<Blob>> = BTreeMap::new();
    let mut found = BTreeSet::new();
    for change in patches.iter().flat_map(|patch| &patch.changes) {
        if left.insert(&change.path, &change.new).is_some_and(|left| *left != change.old) {
            found.insert(change.path.as_str());
        }
    }
    found
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::fixture;

    fn blob(content: &str) -> Option<Blob> {
        (!content.is_empty()).then(|| Blob { mode: FileMode::Plain, id: fixture::oid(content) })
    }

    /// A patch that changes paths from one content to another; an empty content is no file.
    fn patch(changes: &[(&str, &str, &str)]) -> Patch {
        let mut patch = fixture::patch(&[]);
        let change = |(path, old, new): &(&str, &str, &str)| Change {
            path: (*path).to_owned(),
            old: blob(old),
            new: blob(new),
            renamed_from: None,
            added: None,
            removed: None,
            link_target: None,
        };
        patch.changes = changes.iter().map(change).collect();
        patch
    }

    /// A change: its path, what was there, what is there, and where it came from.
    type Told = (String, Option<Blob>, Option<Blob>, Option<String>);

    fn told(patches: &[&Patch]) -> Vec<Told> {
        joined(patches).into_iter().map(|change| (change.path, change.old, change.new, change.renamed_from)).collect()
    }

    #[test]
    fn patches_of_one_author_are_one_from_the_first_base_to_the_last_content() {
        let first = patch(&[("a", "1", "2"), ("new", "", "x"), ("back", "b", "c")]);
        let second = patch(&[("a", "2", "3"), ("new", "x", ""), ("back", "c", "b"), ("other", "o", "p")]);
        let both = [("a".to_owned(), blob("1"), blob("3"), None), ("other".to_owned(), blob("o"), blob("p"), None)];
        assert_eq!(told(&[&first, &second]), both);
        assert_eq!(joined(&[&first]), first.changes);
        assert_eq!(joined(&[&first, &patch(&[])]), first.changes, "one that changes nothing takes nothing back");
    }

    #[test]
    fn a_file_that_was_moved_twice_came_from_its_first_place() {
        let mut first = patch(&[("a", "1", ""), ("b", "", "1")]);
        first.changes[1].renamed_from = Some("a".to_owned());
        let mut second = patch(&[("b", "1", ""), ("c", "", "2")]);
        second.changes[1].renamed_from = Some("b".to_owned());
        let moved = [("a".to_owned(), blob("1"), None, None), ("c".to_owned(), None, blob("2"), Some("a".to_owned()))];
        assert_eq!(told(&[&first, &second]), moved);
    }

    #[test]
    fn what_somebody_else_changed_in_between_is_known() {
        let first = patch(&[("a", "1", "2"), ("b", "1", "2")]);
        let second = patch(&[("a", "other", "3"), ("b", "2", "3")]);
        assert_eq!(changed_by_others_between(&[&first, &second]), BTreeSet::from(["a"]));
    }
}
