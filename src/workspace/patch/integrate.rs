//! Putting a patch on top of what is integrated so far, in the object store, without a folder and without a process.

mod experiment;

use gix::{
    actor::Signature,
    bstr::{BStr, BString, ByteSlice as _},
    date::Time,
    objs::Commit,
};
use implementer_model::{
    ids::ObjectId,
    patch::{Blob, Conflict, ConflictKind, MergedPath, Patch},
    scope::CheckedPatch,
    text,
};

use crate::workspace::{
    Result, WorkspaceError,
    error::GitContext as _,
    folder,
    patch::{
        diff::{self, Side, blob, entry_kind, file_mode},
        merge::{self, Merged},
        message::CommitMessage,
    },
    store::{
        Base, RunStore, git_id, model_id,
        repository_files::{COORDINATOR_EMAIL, COORDINATOR_NAME},
    },
};

/// What is integrated so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The last commit: the base, to begin with.
    pub commit: ObjectId,
    /// Its tree.
    pub tree: ObjectId,
}

/// A patch that was integrated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integrated {
    /// The new commit.
    pub commit: ObjectId,
    /// Its tree.
    pub tree: ObjectId,
    /// The paths whose content is a merge of this patch and earlier ones.
    pub merged: Vec<MergedPath>,
}

/// Why a patch was not integrated.
#[derive(Debug, thiserror::Error)]
pub enum IntegrateError {
    /// It does not go together with what is integrated already.
    #[error("the patch conflicts with what is integrated already, at {}", describe(.0))]
    Conflict(Vec<Conflict>),
    /// The workspace failed, or the patch is not what it says.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
}

fn describe(conflicts: &[Conflict]) -> String {
    text::listed(conflicts.iter().map(|conflict| format!("`{}`", conflict.path.escape_debug())), 3)
}

impl RunStore {
    /// Returns the patch that leads from the commit `base` to `tree`.
    ///
    /// # Errors
    /// When the objects cannot be read, or a path is not UTF-8.
    pub fn patch_between(&self, base: &Base, tree: &ObjectId) -> Result<Patch> {
        diff::patch_between(self, base, git_id(tree)?)
    }

    /// Puts a patch that kept to its scope on top of `head` as one commit: the same inputs give the same commit.
    ///
    /// # Errors
    /// [`IntegrateError::Conflict`] with all conflicts; or the patch does not describe its own tree.
    pub fn integrate(
        &self,
        head: &Head,
        patch: &CheckedPatch,
        message: &CommitMessage,
    ) -> Result<Integrated, IntegrateError> {
        self.put_on_top(head, patch.patch(), message)
    }

    /// Puts `patch` on top of `head` as one commit.
    ///
    /// A path that only the patch has changed since its base is taken as it is; a path that both changed is merged line
    /// by line, and listed. Nothing is integrated when anything conflicts.
    ///
    /// # Errors
    /// [`IntegrateError::Conflict`] with all conflicts; or the patch does not describe its own tree.
    pub(in crate::workspace) fn put_on_top(
        &self,
        head: &Head,
        patch: &Patch,
        message: &CommitMessage,
    ) -> Result<Integrated, IntegrateError> {
        let repo = self.repo();
        self.check_patch(&repo, patch)?;
        let head_tree = git_id(&head.tree)?;
        let plan = Plan::make(self, &repo, head_tree, patch)?;
        if !plan.conflicts.is_empty() {
            return Err(IntegrateError::Conflict(plan.conflicts));
        }
        let mut editor = repo.edit_tree(head_tree).git_doing("reading the integrated tree")?;
        // Removals first: a file may come where a folder was, and the other way round.
        for path in &plan.remove {
            editor.remove(path.as_str()).git_doing("building the integrated tree")?;
        }
        for (path, (mode, id)) in &plan.set {
            editor.upsert(path.as_str(), entry_kind(*mode), *id).git_doing("building the integrated tree")?;
        }
        let tree = editor.write().git_doing("writing the integrated tree")?.detach();
        let commit = self.commit(&repo, &head.commit, tree, &patch.base, message)?;
        Ok(Integrated { commit, tree: model_id(&tree)?, merged: plan.merged })
    }

    /// Makes the commit that holds `patch` as the subagent made it, on its own base: the same inputs give the same
    /// commit.
    ///
    /// # Errors
    /// When the patch does not describe its own tree.
    pub fn patch_commit(&self, patch: &Patch, message: &CommitMessage) -> Result<ObjectId> {
        let repo = self.repo();
        self.check_patch(&repo, patch)?;
        self.commit(&repo, &patch.base, git_id(&patch.tree)?, &patch.base, message)
    }

    /// Tells whether everything of a patch is there, whole: trees that differ as it says, and contents that have the
    /// digests that name them. Reads every content.
    #[must_use]
    pub fn holds(&self, patch: &Patch) -> bool {
        self.has_each(patch, |repo, id| {
            let Ok(object) = repo.find_object(id) else { return false };
            gix::objs::compute_hash(repo.object_hash(), object.kind, &object.data).is_ok_and(|found| found == id)
        })
    }

    /// The same for a store that this process has made and into which git took everything: git names objects by what it
    /// read, so that no content can be another, and none is read again.
    #[must_use]
    pub fn lists(&self, patch: &Patch) -> bool {
        self.has_each(patch, gix::Repository::has_object)
    }

    fn has_each(&self, patch: &Patch, has: impl Fn(&gix::Repository, gix::ObjectId) -> bool) -> bool {
        let repo = self.repo();
        self.check_patch(&repo, patch).is_ok()
            && patch
                .changes
                .iter()
                .filter_map(|change| change.new.as_ref())
                .all(|blob| git_id(&blob.id).is_ok_and(|id| has(&repo, id)))
    }

    /// Checks that the patch's list of changes is the difference of its trees, and its base tree that of its base.
    fn check_patch(&self, repo: &gix::Repository, patch: &Patch) -> Result<()> {
        let mismatch = |reason: String| WorkspaceError::PatchMismatch {
            base: patch.base.clone(),
            tree: patch.tree.clone(),
            reason,
        };
        if self.base_of(&patch.base)?.tree != patch.base_tree {
            return Err(mismatch("its base tree is not that of its base".to_owned()));
        }
        let sides = diff::sides(self, repo, git_id(&patch.base_tree)?, git_id(&patch.tree)?, None)?;
        if sides.len() != patch.changes.len() {
            return Err(mismatch(format!("{} paths differ, {} are listed", sides.len(), patch.changes.len())));
        }
        for ((path, Side { old, new, .. }), change) in sides.iter().zip(&patch.changes) {
            let listed = (&change.path, &change.old, &change.new);
            if listed != (path, &old.map(blob).transpose()?, &new.map(blob).transpose()?) {
                return Err(mismatch(format!("`{}` is listed differently", path.escape_debug())));
            }
        }
        Ok(())
    }

    fn commit(
        &self,
        repo: &gix::Repository,
        parent: &ObjectId,
        tree: gix::ObjectId,
        patch_base: &ObjectId,
        message: &CommitMessage,
    ) -> Result<ObjectId> {
        // Not a clock: the base's own time, which every commit of a run inherits from the one before.
        let time = Time { seconds: self.base_of(patch_base)?.committed_at, offset: 0 };
        let signature = |name: String, email: String| Signature { name: name.into(), email: email.into(), time };
        let commit = Commit {
            tree,
            parents: std::iter::once(git_id(parent)?).collect(),
            author: signature(message.author_name(), message.author_email()),
            committer: signature(COORDINATOR_NAME.to_owned(), COORDINATOR_EMAIL.to_owned()),
            encoding: None,
            message: BString::from(message.render(patch_base)),
            extra_headers: Vec::new(),
        };
        let id = repo.write_object(commit).git_doing("writing a commit")?;
        model_id(&id)
    }
}

/// What has to be done to a tree.
#[derive(Debug, Default)]
struct Plan {
    remove: Vec<String>,
    set: Vec<(String, merge::Entry)>,
    merged: Vec<MergedPath>,
    conflicts: Vec<Conflict>,
}

/// What a tree has at a path.
enum Found {
    Nothing,
    File(merge::Entry),
    /// A folder.
    Folder,
    /// Nothing, because this folder on the way is a file.
    Below(BString, merge::Entry),
}

impl Plan {
    fn make(store: &RunStore, repo: &gix::Repository, head: gix::ObjectId, patch: &Patch) -> Result<Self> {
        let mut plan = Self::default();
        for change in &patch.changes {
            let [base, theirs] = [&change.old, &change.new].map(|side| side.as_ref().map(entry).transpose());
            let (base, theirs) = (base?, theirs?);
            let path: &BStr = change.path.as_bytes().as_bstr();
            let mut conflict = |kind, ours: Option<merge::Entry>| -> Result<()> {
                plan.conflicts.push(Conflict {
                    path: change.path.clone(),
                    base: change.old.clone(),
                    ours: ours.map(blob).transpose()?,
                    theirs: change.new.clone(),
                    kind,
                });
                Ok(())
            };
            let ours = match find(store, repo, head, path)? {
                Found::Nothing => None,
                Found::File(entry) => Some(entry),
                // The patch wants a file: fine when it takes away all that is in the folder.
                Found::Folder if theirs.is_some() && removes_all_below(store, repo, head, patch, path)? => None,
                Found::Folder => {
                    conflict(ConflictKind::FileDirectory, None)?;
                    continue;
                }
                // Gone on both sides.
                Found::Below(..) if theirs.is_none() => continue,
                Found::Below(file, entry) if removes(patch, file.as_ref(), entry)? => None,
                Found::Below(_, entry) => {
                    conflict(ConflictKind::FileDirectory, Some(entry))?;
                    continue;
                }
            };
            match merge::merge(store, repo, head, path, [base, ours, theirs])? {
                Merged::Ours => {}
                Merged::Theirs => match theirs {
                    Some(entry) => plan.set.push((change.path.clone(), entry)),
                    None => plan.remove.push(change.path.clone()),
                },
                Merged::Both(entry) => {
                    plan.merged.push(MergedPath { path: change.path.clone(), result: blob(entry)? });
                    plan.set.push((change.path.clone(), entry));
                }
                Merged::Conflict(kind) => conflict(kind, ours)?,
            }
        }
        Ok(plan)
    }
}

fn entry(side: &Blob) -> Result<merge::Entry> {
    Ok((side.mode, git_id(&side.id)?))
}

/// Looks up `path`, telling why there is nothing when a file is in the way.
fn find(store: &RunStore, repo: &gix::Repository, tree: gix::ObjectId, path: &BStr) -> Result<Found> {
    let mut folder = tree;
    let mut end = 0;
    for part in path.split(|&byte| byte == b'/') {
        end += part.len() + usize::from(end > 0);
        let here = store.entry(repo, folder, part.as_bstr())?;
        match here.map(|found| (file_mode(found.mode), found.id)) {
            None => return Ok(Found::Nothing),
            Some((None, _)) if end == path.len() => return Ok(Found::Folder),
            Some((None, id)) => folder = id,
            Some((Some(mode), id)) if end == path.len() => return Ok(Found::File((mode, id))),
            Some((Some(mode), id)) => return Ok(Found::Below(path[..end].into(), (mode, id))),
        }
    }
    Ok(Found::Nothing)
}

/// Tells whether the patch deletes the file `path` as it is.
fn removes(patch: &Patch, path: &BStr, file: merge::Entry) -> Result<bool> {
    let Ok(at) = patch.changes.binary_search_by(|change| change.path.as_bytes().cmp(path)) else { return Ok(false) };
    let change = &patch.changes[at];
    let old = change.old.as_ref().map(entry).transpose()?;
    Ok(change.new.is_none() && old == Some(file))
}

/// Tells whether the patch deletes every file that `tree` has below the folder `path`, as it is.
fn removes_all_below(
    store: &RunStore,
    repo: &gix::Repository,
    tree: gix::ObjectId,
    patch: &Patch,
    path: &BStr,
) -> Result<bool> {
    let Some(folder) = store.entry(repo, tree, path)? else { return Ok(true) };
    let files = store.tree(repo, folder.id)?.traverse().breadthfirst.files().git_doing("listing a tree")?;
    for file in files {
        let Some(mode) = file_mode(file.mode) else { continue };
        let below = folder::join(path, file.filepath.as_ref());
        if !removes(patch, below.as_ref(), (mode, file.oid))? {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests;
