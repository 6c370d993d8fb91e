//! The work tree that a command of a gate ran in, as far as it tells whether something missing is the repository's own.

use std::path::{Path, PathBuf};

use implementer_model::gate::WorkTree;

use crate::untrusted;

/// The most bytes of a manifest that is read for the name of its package.
const MANIFEST_MAX: u64 = 1 << 20;

/// A work tree after a command has ended in it.
pub(super) struct GateTree {
    root: PathBuf,
    folder: String,
    packages: Vec<String>,
}

impl GateTree {
    pub(super) fn new(root: &Path) -> Self {
        // Node resolves the name of the package itself, too.
        let manifest = untrusted::read_text(&root.join("package.json"), MANIFEST_MAX).ok();
        let manifest: Option<serde_json::Value> = manifest.and_then(|text| serde_json::from_str(&text).ok());
        let package = manifest.as_ref().and_then(|manifest| manifest["name"].as_str()).filter(|name| !name.is_empty());
        Self {
            root: root.to_owned(),
            folder: root.display().to_string(),
            packages: package.map(str::to_owned).into_iter().collect(),
        }
    }
}

impl WorkTree for GateTree {
    fn folder(&self) -> &str {
        &self.folder
    }

    fn has(&self, path: &str) -> bool {
        self.root.join(path).symlink_metadata().is_ok()
    }

    fn packages(&self) -> &[String] {
        &self.packages
    }
}
