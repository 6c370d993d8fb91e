//! Landing: did what the patches say arrive in the final tree, and did nothing else?

use std::collections::{BTreeMap, BTreeSet};

use implementer_model::{
    ids::ObjectId,
    patch::{Blob, MergedPath, Patch},
};

use crate::workspace::{
    Result,
    patch::diff::{self, blob, file_mode},
    store::{RunStore, git_id},
};

/// Returns the paths of the final tree that are not accounted for, in order.
///
/// A path is accounted for when it is as in the base and no patch touched it, or as the last patch that touched it left
/// it, or as the last merge listed for it says. `patches` and `merged` are in the order of integration.
pub fn unaccounted(
    store: &RunStore,
    base_tree: &ObjectId,
    final_tree: &ObjectId,
    patches: &[&Patch],
    merged: &[MergedPath],
) -> Result<Vec<String>> {
    let repo = store.repo();
    let differing = diff::sides(store, &repo, git_id(base_tree)?, git_id(final_tree)?, None)?;
    let mut promised: BTreeMap<&str, Option<&Blob>> = BTreeMap::new();
    for change in patches.iter().flat_map(|patch| &patch.changes) {
        promised.insert(&change.path, change.new.as_ref());
    }
    let results: BTreeMap<&str, &Blob> = merged.iter().map(|merge| (merge.path.as_str(), &merge.result)).collect();

    let mut missing: BTreeSet<String> =
        differing.keys().filter(|path| !promised.contains_key(path.as_str())).cloned().collect();
    for (path, promise) in promised {
        let found = match store.entry(&repo, git_id(final_tree)?, path.into())? {
            Some(entry) => file_mode(entry.mode).map(|mode| blob((mode, entry.id))).transpose()?,
            None => None,
        };
        let landed = found.as_ref() == promise;
        let merged = found.is_some() && found.as_ref() == results.get(path).copied();
        if !landed && !merged {
            missing.insert(path.to_owned());
        }
    }
    Ok(missing.into_iter().collect())
}
