//! Lists of globs, compiled.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError},
};

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

use super::{
    glob::{self, InvalidGlob},
    portable::folded as fold,
};

/// How many lists of globs are kept compiled.
const KEPT_MAX: usize = 32;

/// Lists of globs that were compiled lately. Every attempt and every gate asks for the same few, and a list of the usual
/// length takes milliseconds.
static KEPT: LazyLock<Mutex<Kept>> = LazyLock::new(Mutex::default);

/// What was compiled, by the globs that it was compiled from.
type Kept = HashMap<Box<[String]>, Arc<Globs>>;

/// Compiled globs, and for each the text that it came from.
#[derive(Debug)]
pub(super) struct Globs {
    set: GlobSet,
    sources: Vec<String>,
    /// For each glob of `set`, its place in `sources`: braces make several of one.
    source_of: Vec<usize>,
    /// The same for paths without their spelling. Compiled when it is asked for first: only exclusions need it.
    folded: OnceLock<Option<(GlobSet, Vec<usize>)>>,
}

impl Globs {
    /// Compiles the globs, unless they were compiled lately.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub(super) fn kept_or_new(globs: &[String]) -> Result<Arc<Self>, InvalidGlob> {
        // A panic elsewhere leaves the lists whole: each is put in when it is ready.
        let kept = || KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(compiled) = kept().get(globs) {
            return Ok(Arc::clone(compiled));
        }
        let compiled = Arc::new(Self::new(globs)?);
        let mut kept = kept();
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(globs.into(), Arc::clone(&compiled));
        Ok(compiled)
    }

    fn new(globs: &[String]) -> Result<Self, InvalidGlob> {
        let mut set = GlobSetBuilder::new();
        let mut source_of = Vec::new();
        let refused = |glob: &str| InvalidGlob {
            glob: glob.to_owned(),
            problem: "it is too complex to be compiled",
            hint: "split it into several globs",
        };
        for (at, source) in globs.iter().enumerate() {
            for glob in glob::parse(source)?.iter().flat_map(glob::Pattern::render) {
                set.add(compiled(&glob).map_err(|_| refused(source))?);
                source_of.push(at);
            }
        }
        let set = set.build().map_err(|error| refused(error.glob().unwrap_or("all of them")))?;
        Ok(Self { set, sources: globs.to_vec(), source_of, folded: OnceLock::new() })
    }

    /// Returns the first glob that matches `path`.
    pub(super) fn first_match(&self, path: &str) -> Option<&str> {
        let first = self.set.matches(path).into_iter().min()?;
        Some(&self.sources[self.source_of[first]])
    }

    /// Returns the first glob that matches `path`, or matches it on a file system that ignores case and how accents are
    /// written. There `.Claude/settings.json` is the file that agent programs obey.
    pub(super) fn first_match_of_any_spelling(&self, path: &str) -> Option<&str> {
        let folded = || {
            if self.sources.is_empty() {
                return None;
            }
            let (set, source_of) = self.folded.get_or_init(|| self.fold()).as_ref()?;
            let first = set.matches(fold(path)).into_iter().min()?;
            Some(self.sources[source_of[first]].as_str())
        };
        self.first_match(path).or_else(folded)
    }

    fn fold(&self) -> Option<(GlobSet, Vec<usize>)> {
        let mut set = GlobSetBuilder::new();
        let mut source_of = Vec::new();
        for (at, source) in self.sources.iter().enumerate() {
            let patterns = glob::parse(source).ok()?;
            for glob in patterns.iter().filter_map(glob::Pattern::folded).flat_map(|pattern| pattern.render()) {
                set.add(compiled(&glob).ok()?);
                source_of.push(at);
            }
        }
        Some((set.build().ok()?, source_of))
    }
}

fn compiled(glob: &str) -> Result<Glob, globset::Error> {
    GlobBuilder::new(glob).literal_separator(true).backslash_escape(true).build()
}
