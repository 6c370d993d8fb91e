//! Trees that are never integrated: the result without one patch, or with other contents at some paths. Gates run on
//! them to see what the tests would notice.

use implementer_model::patch::{Blob, Change, FileMode, Patch};

use super::{Head, Plan, entry};
use crate::workspace::{
    Result,
    error::GitContext as _,
    patch::diff::entry_kind,
    store::{
        RunStore, git_id, model_id,
        repository_files::{COORDINATOR_EMAIL, COORDINATOR_NAME},
    },
};

impl RunStore {
    /// Makes the tree of `head` without a patch that is in it. `None` when a later patch builds on the same lines.
    ///
    /// # Errors
    /// When the objects cannot be read or written.
    pub fn without_patch(&self, head: &Head, patch: &Patch) -> Result<Option<Head>> {
        let repo = self.repo();
        let swapped = |change: &Change| {
            let mut change = change.clone();
            std::mem::swap(&mut change.old, &mut change.new);
            change
        };
        let reverse = Patch {
            base: patch.base.clone(),
            base_tree: patch.tree.clone(),
            tree: patch.base_tree.clone(),
            changes: patch.changes.iter().map(swapped).collect(),
        };
        let plan = Plan::make(self, &repo, git_id(&head.tree)?, &reverse)?;
        if !plan.conflicts.is_empty() {
            return Ok(None);
        }
        let mut entries: Vec<_> = plan.remove.into_iter().map(|path| (path, None)).collect();
        entries.extend(plan.set.into_iter().map(|(path, entry)| (path, Some(entry))));
        self.write_experiment(&repo, head, &entries).map(Some)
    }

    /// Makes the tree of `head` with other entries at some paths; `None` takes a path away.
    ///
    /// # Errors
    /// When the objects cannot be read or written.
    pub fn with_entries(&self, head: &Head, entries: &[(String, Option<Blob>)]) -> Result<Head> {
        let entries = entries.iter().map(|(path, blob)| Ok((path.clone(), blob.as_ref().map(entry).transpose()?)));
        let entries = entries.collect::<Result<Vec<_>>>()?;
        self.write_experiment(&self.repo(), head, &entries)
    }

    /// Makes the tree of `head` with other texts in some of its files.
    ///
    /// # Errors
    /// When the objects cannot be read or written.
    pub fn with_texts(&self, head: &Head, texts: &[(&str, FileMode, &str)]) -> Result<Head> {
        let repo = self.repo();
        let entry = |(path, mode, text): &(&str, FileMode, &str)| {
            let id = repo.write_blob(text.as_bytes()).git_doing("writing an experiment")?.detach();
            Ok(((*path).to_owned(), Some((*mode, id))))
        };
        let entries = texts.iter().map(entry).collect::<Result<Vec<_>>>()?;
        self.write_experiment(&repo, head, &entries)
    }

    fn write_experiment(
        &self,
        repo: &gix::Repository,
        head: &Head,
        entries: &[(String, Option<super::merge::Entry>)],
    ) -> Result<Head> {
        let mut editor = repo.edit_tree(git_id(&head.tree)?).git_doing("reading the integrated tree")?;
        // Removals first: a file may come where a folder was, and the other way round.
        for (path, _) in entries.iter().filter(|(_, entry)| entry.is_none()) {
            editor.remove(path.as_str()).git_doing("building an experiment")?;
        }
        for (path, (mode, id)) in entries.iter().filter_map(|(path, entry)| Some((path, (*entry)?))) {
            editor.upsert(path.as_str(), entry_kind(mode), id).git_doing("building an experiment")?;
        }
        let tree = editor.write().git_doing("writing an experiment")?.detach();
        let time = gix::date::Time { seconds: self.base_of(&head.commit)?.committed_at, offset: 0 };
        let signature = gix::actor::Signature { name: COORDINATOR_NAME.into(), email: COORDINATOR_EMAIL.into(), time };
        let commit = gix::objs::Commit {
            tree,
            parents: std::iter::once(git_id(&head.commit)?).collect(),
            author: signature.clone(),
            committer: signature,
            encoding: None,
            message: "An experiment of the coordinator's, never integrated\n".into(),
            extra_headers: Vec::new(),
        };
        let commit = repo.write_object(commit).git_doing("writing an experiment")?;
        Ok(Head { commit: model_id(&commit)?, tree: model_id(&tree)? })
    }
}
