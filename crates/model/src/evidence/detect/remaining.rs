//! What is there of tests after a patch, for what was there before it: found out once for all tests of all files.

use std::{
    cell::{OnceCell, RefCell},
    collections::{HashMap, HashSet},
};

use super::{
    super::source::{self, Kind, Strength, Token},
    parsed::{Case, Parsed, Side},
};

/// Texts in which literals are looked for: as they are, as a row of a table that holds them, or as a part.
#[derive(Default)]
pub(super) struct Literals<'a> {
    words: HashSet<&'a str>,
    /// The texts between the commas, bars and semicolons of the words.
    parts: HashSet<&'a str>,
    /// All words one behind the other.
    joined: String,
    /// Literals that were looked for in the joined words already.
    known: RefCell<HashMap<String, bool>>,
}

impl<'a> Extend<&'a str> for Literals<'a> {
    fn extend<T: IntoIterator<Item = &'a str>>(&mut self, words: T) {
        for word in words {
            source::spend(1 + word.len() / 16);
            if self.words.insert(word) {
                self.parts.extend(word.split([',', '|', ';']).map(str::trim));
                self.joined.push_str(word);
                self.joined.push('\0');
            }
        }
    }
}

impl Literals<'_> {
    pub(super) fn has_word(&self, word: &str) -> bool {
        source::spend(1);
        self.words.contains(word)
    }

    /// Tells whether one of the texts is a literal, is a row that holds it, or has it as a part.
    pub(super) fn holds(&self, literal: &str) -> bool {
        source::spend(1 + literal.len() / 16);
        if self.words.contains(literal) || self.parts.contains(literal) {
            return true;
        }
        if literal.len() < 2 {
            return false;
        }
        if let Some(known) = self.known.borrow().get(literal) {
            return *known;
        }
        source::spend(self.joined.len() / 16);
        let found = self.joined.contains(literal);
        self.known.borrow_mut().insert(literal.to_owned(), found);
        found
    }
}

/// What one file has after a patch.
pub(super) struct FileRemains<'f> {
    file: &'f Parsed<'f>,
    cases: HashMap<&'f str, Vec<&'f Case>>,
    literals: OnceCell<Literals<'f>>,
    helpers: OnceCell<HashMap<&'f str, Strength>>,
}

impl<'f> FileRemains<'f> {
    fn new(file: &'f Parsed<'f>) -> Self {
        let mut cases: HashMap<&str, Vec<&Case>> = HashMap::new();
        // Where no runner looks, nothing is kept.
        let is_looked_into = !source::is_test_path(file.path) || source::is_discovered(file.path);
        for case in file.after.iter().filter(|_| is_looked_into).flat_map(|after| &after.cases) {
            cases.entry(&case.test.name).or_default().push(case);
        }
        Self { file, cases, literals: OnceCell::new(), helpers: OnceCell::new() }
    }

    /// Returns the texts and the numbers of the file.
    pub(super) fn literals(&self) -> &Literals<'f> {
        self.literals.get_or_init(|| {
            let mut literals = Literals::default();
            let tokens = self.file.after.iter().flat_map(|after| &after.tokens);
            literals.extend(tokens.filter(|token| matches!(token.kind, Kind::Text | Kind::Number)).map(Token::inner));
            literals
        })
    }

    /// Returns how strictly a function of the file asserts, where it does.
    pub(super) fn asserts(&self, name: &str) -> Option<Strength> {
        let helpers = self.helpers.get_or_init(|| {
            let mut helpers: HashMap<&str, Strength> = HashMap::new();
            let side: Option<&Side<'_>> = self.file.after.as_ref();
            let (Some(language), Some(after)) = (self.file.language, side) else { return helpers };
            for function in &after.functions {
                let found = source::assertions(language, &after.tokens, function.body.clone());
                if let Some(strongest) = found.into_iter().map(|one| one.strength).max() {
                    let strength = helpers.entry(&function.name).or_insert(strongest);
                    *strength = strongest.max(*strength);
                }
            }
            helpers
        });
        helpers.get(name).copied()
    }
}

/// What all files have after a patch.
pub(super) struct Remaining<'f> {
    files: Vec<FileRemains<'f>>,
    /// The places of the files that each file was moved to.
    moved: HashMap<&'f str, Vec<usize>>,
    /// The first test of each name in a file that is new.
    of_new: HashMap<&'f str, (usize, &'f Case)>,
}

impl<'f> Remaining<'f> {
    pub(super) fn new(files: &'f [Parsed<'f>]) -> Self {
        let files: Vec<_> = files.iter().map(FileRemains::new).collect();
        let mut moved: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut of_new: HashMap<&str, (usize, &Case)> = HashMap::new();
        for (at, remains) in files.iter().enumerate() {
            source::spend(1 + remains.cases.len());
            if let Some(from) = remains.file.moved_from {
                moved.entry(from).or_default().push(at);
            }
            if remains.file.before.is_none() {
                for (name, cases) in &remains.cases {
                    of_new.entry(name).or_insert((at, cases[0]));
                }
            }
        }
        Self { files, moved, of_new }
    }

    pub(super) fn of(&self, at: usize) -> &FileRemains<'f> {
        &self.files[at]
    }

    /// Finds the test of the same name: in the same file, in a file that it moved to, or in any new one. Of several tests of
    /// one name in a file it is the one with this number.
    pub(super) fn counterpart(&self, at: usize, name: &str, number: usize) -> Option<(usize, &'f Case)> {
        let find = |at: usize| Some((at, *self.files[at].cases.get(name)?.get(number)?));
        let moved = self.moved.get(self.files[at].file.path).into_iter().flatten();
        find(at).or_else(|| moved.copied().find_map(find)).or_else(|| self.of_new.get(name).copied())
    }
}
