//! Whether a patch kept to its scope. What passes comes out as a [`CheckedPatch`], and nothing else makes one.

use std::{fmt, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Scope,
    glob::InvalidGlob,
    globs::Globs,
    path::{unsafe_link, unsafe_path},
    portable::{unportable_name, unportable_path},
    spelling::{Collisions, TreePaths, ancestors},
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

    /// Tells whether the scope allows `path`, or would where case is ignored, and does not deny it.
    #[must_use]
    pub fn allows_any_spelling(&self, path: &str) -> bool {
        self.allow.first_match_of_any_spelling(path).is_some() && self.deny.first_match_of_any_spelling(path).is_none()
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
                    } else if let Some(glob) = new_and_denied(change, &self.deny) {
                        let message = format!(
                            "the scope denies `{glob}`, which the path is where case, or how accents are written, is ignored"
                        );
                        violate(ViolationRule::Denied, message);
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

/// Finds the glob that denies a path which a change makes, in whatever spelling. What the base has is what it was: its page
/// `docs/agents.md` is no `AGENTS.md`.
fn new_and_denied<'d>(change: &Change, deny: &'d Globs) -> Option<&'d str> {
    deny.first_match_of_any_spelling(&change.path).filter(|_| change.old.is_none())
}

/// Says why a path that a change makes is refused because some file system cannot hold it. Files and folders that the base
/// has already are left alone.
fn new_and_unportable(change: &Change, tree: Option<&TreePaths>) -> Option<&'static str> {
    if change.old.is_some() || change.new.is_none() {
        return None;
    }
    let is_there = |folder: &str| tree.is_some_and(|tree| tree.has_folder(folder));
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

#[cfg(test)]
mod tests;
