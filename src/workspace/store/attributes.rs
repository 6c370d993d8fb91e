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
    Result,
    error::IoContext as _,
    folder::{self, Content},
};

/// The largest `.gitattributes` or `.gitignore` that is honoured; git has the same limit for attributes.
pub(in crate::workspace) const PATTERN_FILE_LIMIT: u64 = 100 * 1024 * 1024;

/// Where the attribute file of a folder comes from; the argument is the folder.
pub(in crate::workspace) type Source<'a> = dyn FnMut(&BStr) -> Result<Option<Vec<u8>>> + 'a;

/// The attribute files that apply at one path, and at its neighbours without reading them again.
pub(in crate::workspace) struct Attributes<'a> {
    source: Box<Source<'a>>,
    search: Search,
    collection: MetadataCollection,
    /// The folders whose files are in `search`, root first.
    folders: Vec<BString>,
}

impl<'a> Attributes<'a> {
    /// Makes a set that takes its files from `source`.
    pub(in crate::workspace) fn new(source: Box<Source<'a>>) -> Result<Self> {
        let mut collection = MetadataCollection::default();
        // No files, but git's own macro `binary`.
        let search = Search::new_globals(std::iter::empty::<PathBuf>(), &mut Vec::new(), &mut collection)
            .doing("preparing", Path::new(".gitattributes"))?;
        Ok(Self { source, search, collection, folders: Vec::new() })
    }

    /// Makes a set that takes its files from the folder `root` as it is now. Links and the like count for nothing, as
    /// they do in git.
    pub(in crate::workspace) fn in_folder(root: &'a Path) -> Result<Self> {
        Self::new(Box::new(move |dir| {
            let file = folder::at(root, folder::join(dir, ".gitattributes".into()).as_ref());
            Ok(match folder::read_plain(&file, PATTERN_FILE_LIMIT) {
                Ok(Content::Bytes(content)) => Some(content),
                Ok(Content::NotPlain | Content::TooLarge) | Err(_) => None,
            })
        }))
    }

    /// Loads what applies to the file at `path`.
    pub(in crate::workspace) fn move_to(&mut self, path: &BStr) -> Result<()> {
        let wanted: Vec<&BStr> = std::iter::once(BStr::new("")).chain(folder::ancestors(path)).collect();
        let common = self.folders.iter().zip(&wanted).take_while(|(have, want)| have == *want).count();
        for _ in common..self.folders.len() {
            self.search.pop_pattern_list();
        }
        self.folders.truncate(common);
        for dir in &wanted[common..] {
            let content = (self.source)(dir)?.unwrap_or_default();
            let file = folder::at(Path::new(""), folder::join(dir, ".gitattributes".into()).as_ref());
            // An empty list, too, is pushed, so that each folder has exactly one. Macros count in the root only.
            self.search
                .add_patterns_buffer(&content, file.clone(), Some(Path::new("")), &mut self.collection, dir.is_empty())
                .doing("reading", &file)?;
            self.folders.push((*dir).to_owned());
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
