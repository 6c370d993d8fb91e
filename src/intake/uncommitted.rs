//! What lies in a checkout and not in the commit that a run starts from, and so has no say.

use std::{fs, path::Path};

use implementer_model::{
    config::CONFIG_PATH,
    diagnostics::{Diagnostic, Severity},
};

use super::roster_files_on_disk;
use crate::workspace::{
    WorkspaceError,
    store::{Base, RunStore},
};

/// Says which agent files, which configuration and which plan are in the checkout at `root` and not, or not so, in
/// `base`. `plan` is the path of the plan in the repository.
///
/// # Errors
/// When the object store cannot be read. What cannot be read in the checkout is told elsewhere.
pub fn notices(
    store: &RunStore,
    base: &Base,
    root: &Path,
    plan: Option<&str>,
) -> Result<Vec<Diagnostic>, WorkspaceError> {
    let mut found = Vec::new();
    let mut look = |path: &str, here: &[u8]| -> Result<(), WorkspaceError> {
        let commit = base.commit.short();
        let message = match store.read_file(&base.tree, path)? {
            None => format!("found in your checkout, not in base {commit}: commit it"),
            Some(there) if there != here => format!("differs in your checkout from base {commit}: commit it"),
            Some(_) => return Ok(()),
        };
        let hint = "a run follows what is committed; what is not has no say in it";
        found.push(Diagnostic::new(Severity::Warning, "uncommitted", path, message).hint(hint));
        Ok(())
    };
    for file in roster_files_on_disk(root).unwrap_or_default() {
        look(&file.path, &file.content)?;
    }
    for path in [CONFIG_PATH].into_iter().chain(plan) {
        if let Ok(here) = fs::read(root.join(path)) {
            look(path, &here)?;
        }
    }
    Ok(found)
}
