//! Whether two tasks could touch the same path, decided from their scopes alone.

use std::collections::HashMap;

use super::{
    Scope,
    glob::{self, InvalidGlob, Pattern},
    language::covers,
    trie::{Names, Trie, meetings},
};

/// Tells why two scopes may meet; `None` only when no path is in both.
///
/// A path inside both is never missed. The other way round it may say "overlap" where a human sees none, such as where
/// only several exclusions together cover the common paths. It speaks of paths as a whole: a file of one scope where
/// the other has a folder of that name is a conflict that integration finds.
#[must_use]
pub fn overlap(a: &Scope, b: &Scope) -> Option<String> {
    Overlaps::new([a, b]).between(0, 1)
}

/// Exclusions, read once to be held against many globs.
#[derive(Debug)]
pub struct Exclusions<'a> {
    read: Vec<(&'a str, Vec<Pattern>)>,
}

impl<'a> Exclusions<'a> {
    /// Reads exclusions; one that cannot be read excludes nothing here.
    #[must_use]
    pub fn new(deny: &'a [String]) -> Self {
        Self { read: deny.iter().filter_map(|glob| Some((glob.as_str(), glob::parse(glob).ok()?))).collect() }
    }

    /// Finds the exclusion because of which `glob` can never match an allowed path; `None` when it may match one.
    ///
    /// A glob with braces is excluded when each of its alternatives is; the exclusion of the first is returned.
    ///
    /// # Errors
    /// When `glob` cannot be read.
    pub fn of(&self, glob: &str) -> Result<Option<&'a str>, InvalidGlob> {
        let exclusion = |pattern: &Pattern| {
            let excludes = |patterns: &[Pattern]| patterns.iter().any(|wide| covers(wide, pattern));
            self.read.iter().find(|(_, patterns)| excludes(patterns)).map(|(source, _)| *source)
        };
        let exclusions: Option<Vec<&str>> = glob::parse(glob)?.iter().map(exclusion).collect();
        Ok(exclusions.and_then(|exclusions| exclusions.first().copied()))
    }
}

/// Tells whether `glob` matches every path, as `**` does.
#[must_use]
pub fn matches_everything(glob: &str) -> bool {
    glob::parse(glob).is_ok_and(|patterns| patterns.iter().any(Pattern::matches_everything))
}

/// The most steps that one [`Overlaps`] takes to compare its scopes: a fraction of a second. Plans from people and
/// models take a thousandth of it; one that takes more was made to, and its tasks run one after the other.
const STEPS_MAX: u64 = 20_000_000;

/// The comparisons among many scopes, each made once: equal scopes are compared once for all.
#[derive(Debug)]
pub struct Overlaps {
    /// The distinct patterns of all scopes, each with the glob that it came from.
    patterns: Vec<(Pattern, String)>,
    names: Names,
    scopes: Vec<IndexedScope>,
    /// The place in `scopes` of each scope that was given.
    given: Vec<usize>,
    known: HashMap<(usize, usize), Option<String>>,
    /// Which exclusion covers which pattern.
    covered: HashMap<(usize, usize), bool>,
    steps: u64,
    steps_max: u64,
}

#[derive(Debug)]
struct IndexedScope {
    allow: Trie,
    deny: Vec<usize>,
    /// A glob of `allow` that cannot be read; nothing is known about such a scope.
    unreadable: Option<String>,
}

impl Overlaps {
    /// Reads the scopes. They are known by their place in the given order from then on.
    #[must_use]
    pub fn new<'a>(scopes: impl IntoIterator<Item = &'a Scope>) -> Self {
        let mut reader = GlobReader::default();
        let mut distinct: HashMap<&Scope, usize> = HashMap::new();
        let mut indexed = Vec::new();
        let mut given = Vec::new();
        for scope in scopes {
            given.push(*distinct.entry(scope).or_insert_with(|| {
                indexed.push(reader.scope(scope));
                indexed.len() - 1
            }));
        }
        let GlobReader { patterns, mut names, .. } = reader;
        names.index();
        indexed.iter_mut().for_each(|scope| scope.allow.index(&names));
        let (known, covered) = (HashMap::new(), HashMap::new());
        Self { patterns, names, scopes: indexed, given, known, covered, steps: 0, steps_max: STEPS_MAX }
    }

    /// Tells why the scopes at two places may meet; `None` only when no path is in both. See [`overlap`].
    ///
    /// # Panics
    /// When a place is not one of the given scopes.
    pub fn between(&mut self, a: usize, b: usize) -> Option<String> {
        let (a, b) = (self.given[a], self.given[b]);
        let key = (a.min(b), a.max(b));
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let answer = self.compare(key.0, key.1);
        self.known.insert(key, answer.clone());
        answer
    }

    fn compare(&mut self, a: usize, b: usize) -> Option<String> {
        let (a, b) = (&self.scopes[a], &self.scopes[b]);
        let nothing = |scope: &IndexedScope| scope.allow.is_empty() && scope.unreadable.is_none();
        if nothing(a) || nothing(b) {
            return None;
        }
        if let Some(glob) = a.unreadable.as_ref().or(b.unreadable.as_ref()) {
            return Some(format!("`{glob}` cannot be read as a glob"));
        }
        let patterns = &self.patterns;
        let mut because = None;
        let outcome = meetings(&a.allow, &b.allow, &mut self.names, &mut self.steps, self.steps_max, |p, q, steps| {
            let covered = &mut self.covered;
            let mut covers = |deny: usize, narrow: usize| {
                *covered.entry((deny, narrow)).or_insert_with(|| {
                    let (deny, narrow) = (&patterns[deny].0, &patterns[narrow].0);
                    *steps += (deny.segments().len() * narrow.segments().len()) as u64;
                    covers(deny, narrow)
                })
            };
            let denied = a.deny.iter().chain(&b.deny).any(|deny| covers(*deny, p) || covers(*deny, q));
            let meets = !denied && !name_other_files(&patterns[p].1, &patterns[q].1);
            if meets {
                because = Some(describe(&patterns[p], &patterns[q]));
            }
            meets
        });
        match outcome {
            Some(_) => because,
            None => Some("there are too many different globs to compare".to_owned()),
        }
    }
}

/// Tells whether two globs end in names of files that are never the same. By the letter they could meet in a folder called
/// `main.rs`, which nobody has.
fn name_other_files(p: &str, q: &str) -> bool {
    let is_wildcard = |c: char| matches!(c, '*' | '?' | '[' | '{');
    let name = |glob: &str| glob.rsplit('/').next().unwrap_or_default().to_owned();
    let begin = |name: &str| name.split(is_wildcard).next().unwrap_or_default().to_owned();
    let (p, q) = (name(p), name(q));
    let is_file = |name: &str| name.trim_start_matches('.').contains('.') && !name.contains(['{', '}', '\\']);
    let (first, second) = (begin(&p), begin(&q));
    let whole = |name: &str| !name.contains(is_wildcard);
    is_file(&p)
        && is_file(&q)
        && match (whole(&p), whole(&q)) {
            (true, true) => p != q,
            _ => !first.starts_with(&second) && !second.starts_with(&first),
        }
}

fn describe(p: &(Pattern, String), q: &(Pattern, String)) -> String {
    if covers(&q.0, &p.0) {
        format!("both may touch `{}`", p.1)
    } else if covers(&p.0, &q.0) {
        format!("both may touch `{}`", q.1)
    } else {
        format!("`{}` and `{}` match common paths", p.1, q.1)
    }
}

/// Collects the distinct patterns of all scopes.
#[derive(Debug, Default)]
struct GlobReader {
    patterns: Vec<(Pattern, String)>,
    names: Names,
    by_glob: HashMap<String, Option<Vec<usize>>>,
}

impl GlobReader {
    fn scope(&mut self, scope: &Scope) -> IndexedScope {
        let mut unreadable = None;
        let mut allow = Vec::new();
        for glob in &scope.allow {
            match self.glob(glob) {
                Some(patterns) => allow.extend(patterns),
                None => unreadable = Some(glob.clone()),
            }
        }
        // An exclusion that cannot be read excludes nothing here: rather an overlap too many.
        let deny = scope.deny.iter().filter_map(|glob| self.glob(glob)).flatten().collect();
        let patterns = &self.patterns;
        let allow = Trie::new(allow.into_iter().map(|at| (at, &patterns[at].0)), &mut self.names);
        IndexedScope { allow, deny, unreadable }
    }

    fn glob(&mut self, glob: &str) -> Option<Vec<usize>> {
        if let Some(known) = self.by_glob.get(glob) {
            return known.clone();
        }
        let read = glob::parse(glob).ok().map(|patterns| {
            let first = self.patterns.len();
            self.patterns.extend(patterns.into_iter().map(|pattern| (pattern, glob.to_owned())));
            (first..self.patterns.len()).collect::<Vec<_>>()
        });
        self.by_glob.insert(glob.to_owned(), read.clone());
        read
    }
}

#[cfg(test)]
mod tests;
