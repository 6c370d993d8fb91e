//! Settings of runners that patches of the product changed, as the base had them, and the test files that patches added.

use std::{borrow::Cow, collections::BTreeSet};

use implementer_model::{
    evidence::{
        base_tests::Changes,
        manifest,
        never_ran::AddedFile,
        restore,
        runner_settings::{self, ChangedSettings},
    },
    patch::{Blob, Change, FileMode},
    roster::Role,
    run::EvidencePlan,
};

use super::undoing::FILE_MAX;
use crate::workspace::store::RunStore;

/// The largest file of settings in which it is looked for what they load: of a larger one it is believed.
const SETTINGS_MAX: usize = 256 * 1024;

/// Settings that patches of the product changed, with what stands in their place for the experiment.
#[derive(Debug, Default)]
pub(super) struct AsOnBase {
    pub(super) settings: Vec<ChangedSettings>,
    pub(super) entries: Vec<(String, Option<Blob>)>,
    pub(super) texts: Vec<(String, FileMode, String)>,
}

impl AsOnBase {
    /// Reads them from the plan of the experiments.
    pub(super) fn read(store: &RunStore, plan: &EvidencePlan) -> Self {
        let text = |blob: &Option<Blob>| store.read_text(&blob.as_ref()?.id, FILE_MAX as u64);
        let paths_of = |tests: bool| -> BTreeSet<&str> {
            let contributions = plan.contributions.iter().filter(|one| (one.role == Role::Tests) == tests);
            contributions.flat_map(|one| &one.patch.changes).map(|change| change.path.as_str()).collect()
        };
        let (of_product, of_tests) = (paths_of(false), paths_of(true));
        let exists = |path: &str| store.read_file(&plan.head.tree, path).is_ok_and(|file| file.is_some());
        let decides = |change: &Change, before: Option<&str>, after: &str| {
            let said = |text| runner_settings::said_about_tests(&change.path, text);
            // What the author of tests changed as well may be needed by those tests.
            !of_tests.contains(change.path.as_str())
                && said(after).is_some_and(|after| {
                    let before: Option<Cow<'_, str>> = before.and_then(said);
                    after.len() > SETTINGS_MAX
                        || runner_settings::decides(&change.path, before.as_deref(), &after, exists)
                })
        };
        let mut all = Self::default();
        for change in plan.changes.iter().filter(|change| of_product.contains(change.path.as_str())) {
            let is_manifest = restore::is_manifest(&change.path) || change.path.ends_with("setup.cfg");
            if !is_manifest && !runner_settings::has_settings(&change.path) {
                continue;
            }
            let (before, after) = (text(&change.old), text(&change.new));
            let decides = decides(change, before.as_deref(), after.as_deref().unwrap_or_default());
            if !is_manifest {
                all.entries.push((change.path.clone(), change.old.clone()));
            } else if let (Some(before), Some(after), Some(new)) = (&before, &after, &change.new)
                && let Some(text) = manifest::with_settings_of(&change.path, before, after)
            {
                all.texts.push((change.path.clone(), new.mode, text));
            } else {
                continue;
            }
            all.settings.push(ChangedSettings { path: change.path.clone(), decides });
        }
        all
    }
}

/// Reads the test files that patches added.
pub(super) fn added_files(store: &RunStore, plan: &EvidencePlan) -> Vec<AddedFile> {
    let added = |change: &Change| {
        let blob = change.new.as_ref().filter(|_| change.old.is_none())?;
        let text = || store.read_text(&blob.id, FILE_MAX as u64);
        restore::belongs_to_tests(&change.path)
            .then(text)
            .flatten()
            .and_then(|text| AddedFile::new(plan.author_of(&change.path), &change.path, &text))
    };
    plan.changes.iter().filter_map(added).collect()
}
