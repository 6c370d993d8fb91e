//! Paths that are the same where case, or how accents are written, is ignored, as many file systems do.

use std::{
    cell::OnceCell,
    collections::{HashMap, HashSet},
};

use super::portable::folded as fold;
use crate::patch::{Change, Patch};

/// The paths of a tree, to find new paths that differ from one of them in case only.
#[derive(Debug, Clone, Default)]
pub struct TreePaths {
    /// By folded path, the path as it is; `None` when it is the folded one.
    files: HashMap<Box<str>, Option<Box<str>>>,
    /// The same for the folders that the files are in.
    folders: HashMap<Box<str>, Option<Box<str>>>,
}

impl TreePaths {
    /// Collects the paths of a tree's entries (files, links and submodules, not folders).
    #[must_use]
    pub fn new<'a>(paths: impl IntoIterator<Item = &'a str>) -> Self {
        let spelling = |path: &str, folded: &str| (path != folded).then(|| Box::from(path));
        let mut tree = Self::default();
        let mut last_folder = "";
        for path in paths {
            let folded = fold(path);
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            // Trees are walked folder by folder: most files share the folder of the one before.
            if folder != last_folder {
                for folder in ancestors(path) {
                    let folded = fold(folder);
                    let spelling = spelling(folder, &folded);
                    tree.folders.entry(folded.into()).or_insert(spelling);
                }
                last_folder = folder;
            }
            let spelling = spelling(path, &folded);
            tree.files.insert(folded.into(), spelling);
        }
        tree
    }

    /// Tells whether the folder is there, spelled so.
    pub(super) fn has_folder(&self, folder: &str) -> bool {
        Self::find(&self.folders, &fold(folder)).is_some_and(|there| there == folder)
    }

    fn find<'a>(entries: &'a HashMap<Box<str>, Option<Box<str>>>, folded: &str) -> Option<&'a str> {
        let (folded, spelling) = entries.get_key_value(folded)?;
        Some(spelling.as_deref().unwrap_or(folded))
    }
}

/// Goes through the folders that a path is in, from the root.
pub(super) fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

/// The paths that a patch leaves in the tree, by what they are where case is ignored.
pub(super) struct Collisions<'a> {
    kept: HashMap<String, &'a str>,
    gone: HashSet<&'a str>,
    /// The folders of files that the patch adds, each as it was spelled first.
    new_folders: HashMap<String, &'a str>,
    tree: Option<&'a TreePaths>,
    /// The folders that the tree has after the patch, of files that it had before. Found when they are asked for first.
    left: OnceCell<HashSet<&'a str>>,
}

impl<'a> Collisions<'a> {
    pub(super) fn new(patch: &'a Patch, tree: Option<&'a TreePaths>) -> Self {
        let mut kept = HashMap::new();
        let mut gone = HashSet::new();
        let mut new_folders = HashMap::new();
        for Change { path, old, new, .. } in &patch.changes {
            if new.is_none() {
                gone.insert(path.as_str());
                continue;
            }
            kept.entry(fold(path)).or_insert(path.as_str());
            if old.is_none() {
                ancestors(path).for_each(|folder| _ = new_folders.entry(fold(folder)).or_insert(folder));
            }
        }
        Self { kept, gone, new_folders, tree, left: OnceCell::new() }
    }

    /// Finds another path that is the same as that of `change`, or a file or a folder that is the same as one of its folders.
    pub(super) fn of(&self, change: &'a Change) -> Option<&'a str> {
        change.new.as_ref()?;
        let path = change.path.as_str();
        let folded = fold(path);
        let kept = |folded: &str, spelling: &str| self.kept.get(folded).copied().filter(|other| *other != spelling);
        let folders = || ancestors(path).map(|folder| (fold(folder), folder));
        if let Some(other) = kept(&folded, path).or_else(|| folders().find_map(|(folded, name)| kept(&folded, name))) {
            return Some(other);
        }
        // A path that the base has already is no news, whatever it collides with.
        if change.old.is_some() {
            return None;
        }
        if let Some(other) = folders().find_map(|(folded, name)| self.other_folder(&folded, name)) {
            return Some(other);
        }
        let tree = self.tree?;
        let file = |folded: &str, spelling: &str| {
            TreePaths::find(&tree.files, folded).filter(|other| *other != spelling && !self.gone.contains(other))
        };
        file(&folded, path)
            .or_else(|| TreePaths::find(&tree.folders, &folded).filter(|other| *other != path))
            .or_else(|| folders().find_map(|(folded, name)| file(&folded, name)))
    }

    /// Finds another spelling of the folder `name`, which is no news where the tree has that very folder.
    fn other_folder(&self, folded: &str, name: &str) -> Option<&'a str> {
        let of_tree = self.tree.and_then(|tree| TreePaths::find(&tree.folders, folded)).filter(|other| *other != name);
        let of_tree = of_tree.filter(|other| self.left().contains(other));
        let other = of_tree.or_else(|| self.new_folders.get(folded).copied().filter(|other| *other != name));
        other.filter(|_| !self.left().contains(name))
    }

    fn left(&self) -> &HashSet<&'a str> {
        self.left.get_or_init(|| {
            let Some(tree) = self.tree else { return HashSet::new() };
            let files = tree.files.iter().map(|(folded, spelling)| spelling.as_deref().unwrap_or(folded));
            files.filter(|file| !self.gone.contains(file)).flat_map(ancestors).collect()
        })
    }
}
