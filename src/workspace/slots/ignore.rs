//! `.gitignore`, as the subagent left it; no other exclusion has a say.

use std::{path::Path, rc::Rc};

use gix::{
    bstr::{BStr, ByteSlice as _},
    glob::{pattern::Case, search::pattern::List},
    ignore::search::{Ignore, pattern_matching_relative_path},
};

use crate::workspace::{
    folder::{self, Content},
    store::attributes::PATTERN_FILE_LIMIT,
};

/// The ignore files that apply in a folder: its own, and those of the folders above.
#[derive(Debug, Default, Clone)]
pub(in crate::workspace) struct Rules(Option<Rc<Level>>);

#[derive(Debug)]
struct Level {
    patterns: List<Ignore>,
    above: Rules,
}

impl Rules {
    /// Returns the rules in the folder `dir` of the work tree `root`, given those of the folder above.
    ///
    /// A `.gitignore` that is no plain file, or cannot be read, counts for nothing, as in git.
    pub(in crate::workspace) fn enter(&self, root: &Path, dir: &BStr) -> Self {
        let name = folder::join(dir, ".gitignore".into());
        let Ok(Content::Bytes(content)) = folder::read_plain(&folder::at(root, name.as_ref()), PATTERN_FILE_LIMIT)
        else {
            return self.clone();
        };
        let source = folder::at(Path::new(""), name.as_ref());
        match List::from_bytes(&content, source, Some(Path::new("")), Ignore { support_precious: false }) {
            Ok(patterns) => Self(Some(Rc::new(Level { patterns, above: self.clone() }))),
            Err(_) => self.clone(),
        }
    }

    /// Tells whether `path`, in the folder that the rules are for, is ignored. The folder itself must not be.
    pub(in crate::workspace) fn ignores(&self, path: &BStr, is_folder: bool) -> bool {
        let base_name = path.rfind_byte(b'/').map(|at| at + 1);
        let mut level = &self.0;
        while let Some(rules) = level {
            // The innermost file that says anything decides.
            let found =
                pattern_matching_relative_path(&rules.patterns, path, base_name, Some(is_folder), Case::Sensitive);
            if let Some(found) = found {
                return !found.pattern.is_negative();
            }
            level = &rules.above.0;
        }
        false
    }
}
