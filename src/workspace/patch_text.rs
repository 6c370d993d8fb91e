//! A patch as text, for people and for `git apply`.

use std::{fs::File, path::Path};

use implementer_model::patch::Patch;

use super::{Result, error::IoContext as _, git::Git, store::RunStore};

/// Writes the patch into the new file `to`, as `git diff` does, with binary content and moved files.
///
/// # Errors
/// When git fails, or the file cannot be written.
pub fn write(store: &RunStore, patch: &Patch, to: &Path) -> Result<()> {
    let file = File::create(to).doing("creating", to)?;
    Git::on(store.dir())
        .args(["diff", "--binary", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv"])
        .args(["-M", "-l100", "--submodule=short", "--src-prefix=a/", "--dst-prefix=b/"])
        .args([patch.base_tree.as_str(), patch.tree.as_str()])
        .run_into(file)
}
