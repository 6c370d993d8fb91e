//! A changed file, taken apart on both sides.

use std::collections::{BTreeSet, HashSet};

use super::{
    super::source::{self, Assertion, Function, Language, TestCase, Token},
    FileChange,
};

/// One side of a changed file.
pub(super) struct Side<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: Vec<Token<'a>>,
    pub(super) cases: Vec<Case>,
    /// All functions, outer ones before inner ones.
    pub(super) functions: Vec<Function>,
    /// In Python, for each token that begins a line the one that begins the line in which it stands.
    pub(super) outer: Vec<Option<usize>>,
}

/// A test with its assertions.
pub(super) struct Case {
    pub(super) test: TestCase,
    pub(super) assertions: Vec<Assertion>,
}

/// A changed file.
pub(super) struct Parsed<'a> {
    pub(super) path: &'a str,
    pub(super) moved_from: Option<&'a str>,
    pub(super) language: Option<Language>,
    pub(super) before: Option<Side<'a>>,
    pub(super) after: Option<Side<'a>>,
    is_test: bool,
    /// For each line of the new text whether it is not in the old one.
    new_lines: Vec<bool>,
}

impl<'a> Parsed<'a> {
    pub(super) fn new(change: &FileChange<'a>) -> Self {
        let language = Language::of_path(change.path);
        let side = |path: &str, text: Option<&'a str>| text.map(|text| Side::new(language, path, text));
        let old: HashSet<&str> = change.before.into_iter().flat_map(str::lines).collect();
        Self {
            path: change.path,
            moved_from: change.moved_from,
            language,
            before: side(change.moved_from.unwrap_or(change.path), change.before),
            after: side(change.path, change.after),
            is_test: source::is_test_path(change.path),
            new_lines: change.after.into_iter().flat_map(str::lines).map(|line| !old.contains(line)).collect(),
        }
    }

    /// Tells whether the file belongs to the tests, by its name.
    pub(super) fn is_test(&self) -> bool {
        self.is_test
    }

    pub(super) fn name(&self) -> &'a str {
        self.path.rsplit('/').next().unwrap_or(self.path)
    }

    /// Tells whether a line of the new text is not in the old one.
    pub(super) fn is_new_line(&self, line: u32) -> bool {
        self.new_lines.get(line.saturating_sub(1) as usize).is_some_and(|is_new| *is_new)
    }

    /// Returns the words of the lines that are new, with their place in the tokens of the new side.
    pub(super) fn new_tokens(&self) -> Vec<usize> {
        let Some(after) = &self.after else { return Vec::new() };
        (0..after.tokens.len()).filter(|at| self.is_new_line(after.tokens[*at].line)).collect()
    }
}

impl<'a> Side<'a> {
    fn new(language: Option<Language>, path: &str, text: &'a str) -> Self {
        let Some(language) = language else {
            return Self { text, tokens: Vec::new(), cases: Vec::new(), functions: Vec::new(), outer: Vec::new() };
        };
        let tokens = source::tokens(language, text);
        let functions = source::functions(language, &tokens);
        let outer = if language == Language::Python { source::outer_lines(&tokens) } else { Vec::new() };
        let cases = source::test_cases_among(language, path, &tokens, &functions);
        let cases = cases
            .into_iter()
            .map(|test| Case { assertions: source::assertions(language, &tokens, test.body.clone()), test })
            .collect();
        Self { text, tokens, cases, functions, outer }
    }

    /// Returns for each token whether it stands in the body of a test.
    pub(super) fn in_cases(&self) -> Vec<bool> {
        source::spend(self.tokens.len() + self.cases.len());
        let mut changes = vec![0_i32; self.tokens.len() + 1];
        for case in &self.cases {
            changes[case.test.body.start] += 1;
            changes[case.test.body.end] -= 1;
        }
        let mut depth = 0;
        let depths = changes.into_iter().take(self.tokens.len()).map(|change| {
            depth += change;
            depth > 0
        });
        depths.collect()
    }

    /// Returns the names that tests of this file call.
    pub(super) fn called_by_cases(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        for case in &self.cases {
            let calls = self.tokens[case.test.body.clone()].windows(2).filter(|pair| pair[1].is("("));
            names.extend(calls.filter(|pair| pair[0].kind != source::Kind::Text).map(|pair| pair[0].text));
        }
        names
    }

    /// Returns the functions whose bodies hold a place, asked for place after place.
    pub(super) fn innermost(&self) -> Innermost<'_> {
        let mut functions: Vec<&Function> = self.functions.iter().collect();
        functions.sort_by_key(|function| function.body.start);
        Innermost { functions, next: 0, open: Vec::new() }
    }

    /// Writes an assertion so that it is the same in another place.
    pub(super) fn key(&self, assertion: &Assertion) -> String {
        let sides = assertion.sides.iter().map(|side| source::normal(&self.tokens[side.clone()]));
        let sides: Vec<_> = sides.collect();
        if sides.is_empty() { source::normal(&self.tokens[assertion.range.clone()]) } else { sides.join(" == ") }
    }

    /// Tells whether these tokens stand somewhere, one behind the other.
    pub(super) fn has(&self, wanted: &[&str]) -> Option<u32> {
        has(&self.tokens, wanted)
    }
}

/// Finds the innermost function around each place, in one go through a source.
pub(super) struct Innermost<'f> {
    functions: Vec<&'f Function>,
    next: usize,
    open: Vec<&'f Function>,
}

impl<'f> Innermost<'f> {
    /// Returns the innermost function whose body holds a place. Places are asked for in their order.
    pub(super) fn at(&mut self, at: usize) -> Option<&'f Function> {
        while let Some(function) = self.functions.get(self.next).filter(|function| function.body.start <= at) {
            source::spend(1);
            self.open.push(function);
            self.next += 1;
        }
        while self.open.pop_if(|function| function.body.end <= at).is_some() {}
        self.open.last().copied()
    }
}

/// Finds tokens one behind the other, and returns the line of the first.
pub(super) fn has(tokens: &[Token<'_>], wanted: &[&str]) -> Option<u32> {
    source::spend(tokens.len());
    tokens
        .windows(wanted.len().max(1))
        .find(|window| window.iter().zip(wanted).all(|(token, wanted)| *wanted == "_" || token.is(wanted)))
        .map(|window| window[0].line)
}
