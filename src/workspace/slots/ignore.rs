//! `.gitignore`, as the subagent left it; no other exclusion has a say.

use std::{path::Path, rc::Rc};

use gix::{
    bstr::{BStr, ByteSlice as _},
    glob::{pattern::Case, search::pattern::List},
    ignore::search::{Ignore, pattern_matching_relative_path},
};

use crate::workspace::{
    Result, WorkspaceError,
    folder::{self, Content},
    store::attributes::{PATTERN_FILE_LIMIT, PatternCost},
};

/// The ignore files that apply in a folder: its own, and those of the folders above.
#[derive(Debug, Default, Clone)]
pub(in crate::workspace) struct Rules(Option<Rc<Level>>);

#[derive(Debug)]
struct Level {
    patterns: List<Ignore>,
    /// What these and those above cost.
    cost: PatternCost,
    above: Rules,
}

impl Rules {
    /// Returns the rules in the folder `dir` of the work tree `root`, given those of the folder above.
    ///
    /// A `.gitignore` that is no plain file, or cannot be read, counts for nothing, as in git.
    ///
    /// # Errors
    /// When it has more than is read of one. Not to obey it would take everything for work that it ignores.
    pub(in crate::workspace) fn enter(&self, root: &Path, dir: &BStr) -> Result<Self> {
        let name = folder::join(dir, ".gitignore".into());
        let too_many = || WorkspaceError::TooManyPatterns { path: name.to_string() };
        let content = match folder::read_plain(&folder::at(root, name.as_ref()), PATTERN_FILE_LIMIT) {
            Ok(Content::Bytes(content)) => content,
            Ok(Content::TooLarge) => return Err(too_many()),
            Ok(Content::NotPlain) | Err(_) => return Ok(self.clone()),
        };
        let cost = PatternCost::from_content(&content).ok_or_else(too_many)?.and(self.cost());
        let source = folder::at(Path::new(""), name.as_ref());
        match List::from_bytes(&content, source, Some(Path::new("")), Ignore { support_precious: false }) {
            Ok(patterns) => Ok(Self(Some(Rc::new(Level { patterns, cost, above: self.clone() })))),
            Err(_) => Ok(self.clone()),
        }
    }

    /// Returns what it costs to match one path with all of them.
    pub(in crate::workspace) fn cost(&self) -> PatternCost {
        self.0.as_ref().map_or_else(PatternCost::default, |level| level.cost)
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
