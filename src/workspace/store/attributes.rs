//! `.gitattributes`, read from where we say and from nowhere else.

use std::path::{Path, PathBuf};

use gix::{
    attrs::{
        Search,
        search::{MetadataCollection, Outcome},
    },
    bstr::{BStr, BString},
    glob::pattern::Case,
};

use crate::workspace::{
    Result, WorkspaceError,
    error::IoContext as _,
    folder::{self, Content},
};

/// The largest `.gitattributes` or `.gitignore` of a subagent that is read, in bytes, and the most patterns of one.
pub(in crate::workspace) const PATTERN_FILE_LIMIT: u64 = 1024 * 1024;
const PATTERNS_MAX: usize = 10_000;

/// How much the patterns of a subagent may cost together, each time that one is held against a path: about as many
/// nanoseconds. Where somebody ignores what usual tools make it is a thousandth of that.
const COST_MAX: u64 = 10_000_000_000;

/// What the patterns of files cost that a subagent wrote.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::workspace) struct PatternCost {
    /// The bytes of those that are compared from one end.
    plain: u64,
    /// The bytes of those that may be tried at every place of a path.
    winding: u64,
}

impl PatternCost {
    /// Measures a file of patterns; nothing when it has more of them than are read.
    pub(in crate::workspace) fn from_content(content: &[u8]) -> Option<Self> {
        let mut cost = Self::default();
        for (number, line) in content.split(|byte| *byte == b'\n').enumerate() {
            if number > PATTERNS_MAX {
                return None;
            }
            let winding = line.iter().filter(|byte| matches!(byte, b'*' | b'[')).count() > 1;
            let bytes = if winding { &mut cost.winding } else { &mut cost.plain };
            *bytes += line.len() as u64 + 16;
        }
        Some(cost)
    }

    /// Returns the cost of both.
    pub(in crate::workspace) fn and(self, other: Self) -> Self {
        Self { plain: self.plain + other.plain, winding: self.winding + other.winding }
    }

    /// Adds to `spent` what it costs to match a path with the patterns. Tells whether that is still allowed.
    pub(in crate::workspace) fn spend(self, path: &BStr, spent: &mut u64) -> bool {
        let once = self.plain.saturating_add(self.winding.saturating_mul(path.len() as u64));
        *spent = spent.saturating_add(once);
        *spent <= COST_MAX
    }
}

/// Where the attribute file of a folder comes from; the argument is the folder.
pub(in crate::workspace) type Source<'a> = dyn FnMut(&BStr) -> Result<Option<Vec<u8>>> + 'a;

/// The attribute files that apply at one path, and at its neighbours without reading them again.
pub(in crate::workspace) struct Attributes<'a> {
    source: Box<Source<'a>>,
    search: Search,
    collection: MetadataCollection,
    /// The folders whose files are in `search`, root first.
    folders: Vec<BString>,
    /// Where they are a subagent's: what those in `search` cost, each with those before it, and what was spent on them.
    costs: Option<Vec<PatternCost>>,
    spent: u64,
}

impl<'a> Attributes<'a> {
    /// Makes a set that takes its files from `source`.
    pub(in crate::workspace) fn new(source: Box<Source<'a>>) -> Result<Self> {
        let mut collection = MetadataCollection::default();
        // No files, but git's own macro `binary`.
        let search = Search::new_globals(std::iter::empty::<PathBuf>(), &mut Vec::new(), &mut collection)
            .doing("preparing", Path::new(".gitattributes"))?;
        Ok(Self { source, search, collection, folders: Vec::new(), costs: None, spent: 0 })
    }

    /// Makes a set that takes its files from the folder `root` as it is now. Links and the like count for nothing, as
    /// they do in git.
    pub(in crate::workspace) fn in_folder(root: &'a Path) -> Result<Self> {
        let read = move |dir: &BStr| {
            let path = folder::join(dir, ".gitattributes".into());
            match folder::read_plain(&folder::at(root, path.as_ref()), PATTERN_FILE_LIMIT) {
                Ok(Content::Bytes(content)) => Ok(Some(content)),
                Ok(Content::TooLarge) => Err(WorkspaceError::TooManyPatterns { path: path.to_string() }),
                Ok(Content::NotPlain) | Err(_) => Ok(None),
            }
        };
        Ok(Self { costs: Some(Vec::new()), ..Self::new(Box::new(read))? })
    }

    /// Loads what applies to the file at `path`.
    pub(in crate::workspace) fn move_to(&mut self, path: &BStr) -> Result<()> {
        let wanted: Vec<&BStr> = std::iter::once(BStr::new("")).chain(folder::ancestors(path)).collect();
        let common = self.folders.iter().zip(&wanted).take_while(|(have, want)| have == *want).count();
        for _ in common..self.folders.len() {
            self.search.pop_pattern_list();
        }
        self.folders.truncate(common);
        if let Some(costs) = &mut self.costs {
            costs.truncate(common);
        }
        for dir in &wanted[common..] {
            let content = (self.source)(dir)?.unwrap_or_default();
            let file = folder::at(Path::new(""), folder::join(dir, ".gitattributes".into()).as_ref());
            let too_many = || WorkspaceError::TooManyPatterns { path: file.display().to_string() };
            if let Some(costs) = &mut self.costs {
                let own = PatternCost::from_content(&content).ok_or_else(too_many)?;
                costs.push(costs.last().copied().unwrap_or_default().and(own));
            }
            // An empty list, too, is pushed, so that each folder has exactly one. Macros count in the root only.
            self.search
                .add_patterns_buffer(&content, file.clone(), Some(Path::new("")), &mut self.collection, dir.is_empty())
                .doing("reading", &file)?;
            self.folders.push((*dir).to_owned());
        }
        let cost = self.costs.as_ref().and_then(|costs| costs.last()).copied().unwrap_or_default();
        if !cost.spend(path, &mut self.spent) {
            return Err(WorkspaceError::TooManyPatterns { path: ".gitattributes".to_owned() });
        }
        Ok(())
    }

    /// Adds what applies to `path`, which must be the one given to [`move_to`](Self::move_to), to `out`.
    pub(in crate::workspace) fn matching(&self, path: &BStr, out: &mut Outcome) {
        out.initialize(&self.collection);
        self.search.pattern_matching_relative_path(path, Case::Sensitive, Some(false), out);
    }

    /// Returns the value of the attribute `name` at `path`: `None` when nothing is said about it.
    pub(in crate::workspace) fn value(&mut self, path: &BStr, name: &str) -> Result<Option<gix::attrs::State>> {
        self.move_to(path)?;
        let mut out = Outcome::default();
        out.initialize_with_selection(&self.collection, [name]);
        self.matching(path, &mut out);
        let state = out.iter_selected().next().map(|found| found.assignment.state.to_owned());
        Ok(state.filter(|state| !matches!(state, gix::attrs::State::Unspecified)))
    }
}
