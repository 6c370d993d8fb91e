//! Whether a patch kept to its scope. What passes comes out as a [`CheckedPatch`], and nothing else makes one.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Scope,
    glob::{self, InvalidGlob},
    path::{unsafe_link, unsafe_path},
    portable::{folded as fold, unportable_name, unportable_path},
};
use crate::{
    patch::{Change, FileMode, Patch},
    vocabulary::Access,
};

/// A patch that passed its scope check. Integration takes nothing else, and only the check makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedPatch {
    patch: Patch,
}

impl CheckedPatch {
    /// Returns the patch.
    #[must_use]
    pub fn patch(&self) -> &Patch {
        &self.patch
    }

    /// Gives the patch up, and with it the proof.
    #[must_use]
    pub fn into_patch(self) -> Patch {
        self.patch
    }
}

/// A patch that left its scope, and everything that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct OutOfScope {
    /// The patch, for the record: nothing finished is lost.
    pub patch: Patch,
    /// What is wrong, in the order of the paths; at least one.
    pub violations: Vec<Violation>,
}

impl fmt::Display for OutOfScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut violations = self.violations.iter();
        let Some(first) = violations.next() else { return f.write_str("the patch left its scope") };
        write!(f, "the patch left its scope: {:?}: {}", first.path, first.message)?;
        match violations.len() {
            0 => Ok(()),
            more => write!(f, " (and {more} more)"),
        }
    }
}

/// One thing that a patch may not do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Violation {
    /// The path. Untrusted text.
    pub path: String,
    /// The rule that it breaks.
    pub rule: ViolationRule,
    /// What is wrong, in a sentence without the path. May quote untrusted text.
    pub message: String,
}

/// The rules that every change of a patch must keep to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ViolationRule {
    /// A read-only subagent changed something.
    ReadOnly,
    /// No glob of the scope allows the path.
    NotAllowed,
    /// A glob of the scope denies the path.
    Denied,
    /// The path leaves the work tree, leads into git's own folder, or is one that some file system cannot hold.
    UnsafePath,
    /// A submodule was added, changed or removed.
    Submodule,
    /// A symbolic link leaves the repository.
    SymbolicLink,
    /// Where case, or how accents are written, is ignored, the path is the same as another.
    CaseCollision,
    /// The scope itself cannot be read, so nothing is allowed.
    InvalidScope,
}

/// Checks `patch` against `scope`, and with `tree`, the paths of the patch's base, that no added path differs from one
/// of them in case only. An empty patch always passes.
///
/// # Errors
/// When the patch does anything that the scope, the access or the rules for paths do not allow. Both sides of each
/// change count, and so do both paths of a rename.
pub fn check(
    patch: Patch,
    scope: &Scope,
    access: Access,
    tree: Option<&TreePaths>,
) -> Result<CheckedPatch, OutOfScope> {
    if patch.changes.is_empty() {
        return Ok(CheckedPatch { patch });
    }
    match CompiledScope::new(scope) {
        Ok(compiled) => compiled.check(patch, access, tree),
        Err(error) => {
            let violation = |change: &Change| Violation {
                path: change.path.clone(),
                rule: ViolationRule::InvalidScope,
                message: error.to_string(),
            };
            let violations = patch.changes.iter().map(violation).collect();
            verdict(patch, violations)
        }
    }
}

fn verdict(patch: Patch, violations: Vec<Violation>) -> Result<CheckedPatch, OutOfScope> {
    if violations.is_empty() { Ok(CheckedPatch { patch }) } else { Err(OutOfScope { patch, violations }) }
}

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

    fn find<'a>(entries: &'a HashMap<Box<str>, Option<Box<str>>>, folded: &str) -> Option<&'a str> {
        let (folded, spelling) = entries.get_key_value(folded)?;
        Some(spelling.as_deref().unwrap_or(folded))
    }
}

/// Goes through the folders that a path is in, from the root.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

/// A scope with its globs compiled.
#[derive(Debug, Clone)]
pub struct CompiledScope {
    allow: Arc<Globs>,
    deny: Arc<Globs>,
}

impl CompiledScope {
    /// Compiles the globs of `scope`.
    ///
    /// # Errors
    /// When one of them cannot be read. A scope that cannot be read allows nothing.
    pub fn new(scope: &Scope) -> Result<Self, InvalidGlob> {
        Ok(Self { allow: Globs::kept_or_new(&scope.allow)?, deny: Globs::kept_or_new(&scope.deny)? })
    }

    /// Tells whether the scope allows `path` and does not deny it. Whether the path is safe is another question.
    #[must_use]
    pub fn allows(&self, path: &str) -> bool {
        self.allow.first_match(path).is_some() && self.deny.first_match(path).is_none()
    }

    /// Checks `patch`, and with `tree`, the paths of the patch's base, that no added path differs from one of them in
    /// case only.
    ///
    /// # Errors
    /// See [`check`].
    pub fn check(&self, patch: Patch, access: Access, tree: Option<&TreePaths>) -> Result<CheckedPatch, OutOfScope> {
        let mut violations = Vec::new();
        let collisions = Collisions::new(&patch, tree);
        for change in &patch.changes {
            let mut violate = |rule, message: String| {
                violations.push(Violation { path: change.path.clone(), rule, message });
            };
            if let Some(why) = unsafe_path(&change.path) {
                // Such a path means nothing to a glob.
                violate(ViolationRule::UnsafePath, why.to_owned());
                continue;
            }
            if let Some(why) = new_and_unportable(change, tree) {
                violate(ViolationRule::UnsafePath, why.to_owned());
            }
            match access {
                Access::ReadOnly => {
                    violate(ViolationRule::ReadOnly, "a read-only subagent changed the path".to_owned());
                }
                Access::Writes => {
                    if let Some(glob) = self.deny.first_match(&change.path) {
                        violate(ViolationRule::Denied, format!("the scope denies `{glob}`"));
                    } else if self.allow.first_match(&change.path).is_none() {
                        violate(ViolationRule::NotAllowed, "no glob of the scope allows the path".to_owned());
                    }
                }
            }
            let has_mode = |mode| [&change.old, &change.new].into_iter().flatten().any(|blob| blob.mode == mode);
            if has_mode(FileMode::Gitlink) {
                violate(ViolationRule::Submodule, "a submodule was added, changed or removed".to_owned());
            }
            if change.new.as_ref().is_some_and(|blob| blob.mode == FileMode::Symlink)
                && let Some(why) = unsafe_link(&change.path, change.link_target.as_deref())
            {
                violate(ViolationRule::SymbolicLink, why.to_owned());
            }
            if let Some(other) = collisions.of(change) {
                let message =
                    format!("where case, or how accents are written, is ignored, the path is the same as `{other}`");
                violate(ViolationRule::CaseCollision, message);
            }
        }
        drop(collisions);
        verdict(patch, violations)
    }
}

/// Says why a path that a change makes is refused because some file system cannot hold it. Files and folders that the base
/// has already are left alone.
fn new_and_unportable(change: &Change, tree: Option<&TreePaths>) -> Option<&'static str> {
    if change.old.is_some() || change.new.is_none() {
        return None;
    }
    let is_there = |folder: &str| {
        tree.and_then(|tree| TreePaths::find(&tree.folders, &fold(folder))).is_some_and(|there| there == folder)
    };
    let path = change.path.as_str();
    let mut begin = 0;
    for folder in ancestors(path) {
        if let Some(why) = unportable_name(&folder[begin..])
            && !is_there(folder)
        {
            return Some(why);
        }
        begin = folder.len() + 1;
    }
    unportable_name(&path[begin..]).or_else(|| unportable_path(path))
}

/// How many lists of globs are kept compiled.
const KEPT_MAX: usize = 32;

/// Lists of globs that were compiled lately. Every attempt and every gate asks for the same few, and a list of the usual
/// length takes milliseconds.
static KEPT: LazyLock<Mutex<Kept>> = LazyLock::new(Mutex::default);

/// What was compiled, by the globs that it was compiled from.
type Kept = HashMap<Box<[String]>, Arc<Globs>>;

/// Compiled globs, and for each the text that it came from.
#[derive(Debug)]
struct Globs {
    set: GlobSet,
    sources: Vec<String>,
    /// For each glob of `set`, its place in `sources`: braces make several of one.
    source_of: Vec<usize>,
}

impl Globs {
    fn kept_or_new(globs: &[String]) -> Result<Arc<Self>, InvalidGlob> {
        // A panic elsewhere leaves the lists whole: each is put in when it is ready.
        let kept = || KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(compiled) = kept().get(globs) {
            return Ok(Arc::clone(compiled));
        }
        let compiled = Arc::new(Self::new(globs)?);
        let mut kept = kept();
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(globs.into(), Arc::clone(&compiled));
        Ok(compiled)
    }

    fn new(globs: &[String]) -> Result<Self, InvalidGlob> {
        let mut set = GlobSetBuilder::new();
        let mut source_of = Vec::new();
        let refused = |glob: &str| InvalidGlob {
            glob: glob.to_owned(),
            problem: "it is too complex to be compiled",
            hint: "split it into several globs",
        };
        for (at, source) in globs.iter().enumerate() {
            for glob in glob::parse(source)?.iter().flat_map(glob::Pattern::render) {
                let glob = GlobBuilder::new(&glob).literal_separator(true).backslash_escape(true).build();
                set.add(glob.map_err(|_| refused(source))?);
                source_of.push(at);
            }
        }
        let set = set.build().map_err(|error| refused(error.glob().unwrap_or("all of them")))?;
        Ok(Self { set, sources: globs.to_vec(), source_of })
    }

    fn first_match(&self, path: &str) -> Option<&str> {
        let first = self.set.matches(path).into_iter().min()?;
        Some(&self.sources[self.source_of[first]])
    }
}

/// The paths that a patch leaves in the tree, by what they are where case is ignored.
struct Collisions<'a> {
    kept: HashMap<String, &'a str>,
    gone: HashSet<&'a str>,
    tree: Option<&'a TreePaths>,
}

impl<'a> Collisions<'a> {
    fn new(patch: &'a Patch, tree: Option<&'a TreePaths>) -> Self {
        let mut kept = HashMap::new();
        let mut gone = HashSet::new();
        for Change { path, new, .. } in &patch.changes {
            if new.is_some() {
                kept.entry(fold(path)).or_insert(path.as_str());
            } else {
                gone.insert(path.as_str());
            }
        }
        Self { kept, gone, tree }
    }

    /// Finds another path that is the same as that of `change`, or a file that is the same as one of its folders.
    fn of(&self, change: &'a Change) -> Option<&'a str> {
        change.new.as_ref()?;
        let path = change.path.as_str();
        let folded = fold(path);
        let kept = |folded: &str, spelling: &str| self.kept.get(folded).copied().filter(|other| *other != spelling);
        let folders = || ancestors(path).map(|folder| (fold(folder), folder));
        if let Some(other) = kept(&folded, path).or_else(|| folders().find_map(|(folded, name)| kept(&folded, name))) {
            return Some(other);
        }
        // A path that the base has already is no news, whatever it collides with.
        let tree = self.tree.filter(|_| change.old.is_none())?;
        let file = |folded: &str, spelling: &str| {
            TreePaths::find(&tree.files, folded).filter(|other| *other != spelling && !self.gone.contains(other))
        };
        file(&folded, path)
            .or_else(|| TreePaths::find(&tree.folders, &folded).filter(|other| *other != path))
            .or_else(|| folders().find_map(|(folded, name)| file(&folded, name)))
    }
}

#[cfg(test)]
mod tests;
