//! The files of the product that a task changed, and each without what the task did to it.

use implementer_model::{
    evidence::{
        mutants, restore,
        scripts::{self, Script},
        source::Language,
    },
    ids::ObjectId,
    patch::{Blob, Change, FileMode},
    run::TaskWork,
};

use crate::workspace::store::RunStore;

/// The largest file that is changed for an experiment, in bytes.
pub(super) const FILE_MAX: usize = 4 * 1024 * 1024;

/// A file of the product that a task changed, as it is on the final tree.
pub(super) struct ProductFile {
    pub(super) path: String,
    pub(super) blob: Blob,
    pub(super) text: String,
    /// Its text before the task.
    pub(super) before: Option<String>,
}

impl ProductFile {
    /// Returns the language of a script, where the file is one that is taken back as a whole.
    pub(super) fn script(&self) -> Option<Script> {
        Script::from_file(&self.path, &self.text).filter(|_| Language::of_path(&self.path).is_none())
    }

    /// Returns its text without what the task did to it, so that everything can still be loaded.
    pub(super) fn undone(&self) -> Option<String> {
        match self.script() {
            Some(script) => script.undone(self.before.as_deref(), &self.text),
            None => mutants::undone(&self.path, self.before.as_deref(), &self.text),
        }
    }
}

/// Whether the work of a task can be proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Provable {
    /// It changes code that can be undone.
    Yes,
    /// It changes programs, all of them in languages that are not read.
    OtherLanguage,
}

/// Tells whether the work of a task is proven; `None` where it changes no code of the product: without tests alone nothing
/// can turn red.
pub(super) fn provable(store: &RunStore, work: &TaskWork<'_>) -> Option<Provable> {
    let kind = |change: &Change| {
        if Language::of_path(&change.path).is_some() {
            return Some(Provable::Yes);
        }
        let blob = change.new.as_ref().or(change.old.as_ref())?;
        let name = change.path.rsplit('/').next().unwrap_or(&change.path);
        // Only without an ending the first line tells what it is.
        let text = if name.contains('.') { None } else { store.read_text(&blob.id, FILE_MAX as u64) };
        let text = text.unwrap_or_default();
        let is_executable = blob.mode == FileMode::Executable;
        if Script::from_file(&change.path, &text).is_some() {
            return Some(Provable::Yes);
        }
        scripts::is_program_of_other_language(&change.path, is_executable, &text).then_some(Provable::OtherLanguage)
    };
    let of_product = work.changes.iter().filter(|change| !restore::belongs_to_tests(&change.path));
    let mut found = None;
    for kind in of_product.filter_map(kind) {
        if kind == Provable::Yes {
            return Some(kind);
        }
        found = Some(kind);
    }
    found
}

/// Returns the text files of the product that a task changed, as they are on the final tree.
pub(super) fn product_files(store: &RunStore, tree: &ObjectId, work: &TaskWork<'_>) -> Vec<ProductFile> {
    let text = |blob: &Blob| store.read_text(&blob.id, FILE_MAX as u64);
    let changes = work.changes.iter().filter(|change| !restore::belongs_to_tests(&change.path));
    let files = changes.filter_map(|change| {
        let blob = change.new.clone()?;
        let bytes = store.read_file(tree, &change.path).ok().flatten()?;
        let now = Some(String::from_utf8_lossy(&bytes).into_owned()).filter(|now| now.len() <= FILE_MAX);
        let before = change.old.as_ref().and_then(text);
        let file = ProductFile { path: change.path.clone(), blob, text: now?, before };
        (Language::of_path(&file.path).is_some() || file.script().is_some()).then_some(file)
    });
    files.collect()
}
