//! A changed file, taken apart on both sides.

use std::collections::BTreeSet;

use super::{
    super::source::{self, Assertion, Language, TestCase, Token},
    FileChange,
};

/// One side of a changed file.
pub(super) struct Side<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: Vec<Token<'a>>,
    pub(super) cases: Vec<Case>,
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
    old_lines: BTreeSet<&'a str>,
    new_lines: Vec<&'a str>,
}

impl<'a> Parsed<'a> {
    pub(super) fn new(change: &FileChange<'a>) -> Self {
        let language = Language::of_path(change.path);
        let side = |path: &str, text: Option<&'a str>| text.map(|text| Side::new(language, path, text));
        Self {
            path: change.path,
            moved_from: change.moved_from,
            language,
            before: side(change.moved_from.unwrap_or(change.path), change.before),
            after: side(change.path, change.after),
            old_lines: change.before.into_iter().flat_map(str::lines).collect(),
            new_lines: change.after.into_iter().flat_map(str::lines).collect(),
        }
    }

    /// Tells whether the file belongs to the tests, by its name.
    pub(super) fn is_test(&self) -> bool {
        source::is_test_path(self.path)
    }

    pub(super) fn name(&self) -> &'a str {
        self.path.rsplit('/').next().unwrap_or(self.path)
    }

    /// Tells whether a line of the new text is not in the old one.
    pub(super) fn is_new_line(&self, line: u32) -> bool {
        let text = self.new_lines.get(line.saturating_sub(1) as usize);
        text.is_some_and(|text| !self.old_lines.contains(text))
    }

    /// Returns the words of the lines that are new, with their place in the tokens of the new side.
    pub(super) fn new_tokens(&self) -> Vec<usize> {
        let Some(after) = &self.after else { return Vec::new() };
        (0..after.tokens.len()).filter(|at| self.is_new_line(after.tokens[*at].line)).collect()
    }
}

impl<'a> Side<'a> {
    fn new(language: Option<Language>, path: &str, text: &'a str) -> Self {
        let Some(language) = language else { return Self { text, tokens: Vec::new(), cases: Vec::new() } };
        let tokens = source::tokens(language, text);
        let cases = source::test_cases(language, path, &tokens);
        let cases = cases
            .into_iter()
            .map(|test| Case { assertions: source::assertions(language, &tokens, test.body.clone()), test })
            .collect();
        Self { text, tokens, cases }
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

/// Finds tokens one behind the other, and returns the line of the first.
pub(super) fn has(tokens: &[Token<'_>], wanted: &[&str]) -> Option<u32> {
    source::spend(tokens.len());
    tokens
        .windows(wanted.len().max(1))
        .find(|window| window.iter().zip(wanted).all(|(token, wanted)| *wanted == "_" || token.is(wanted)))
        .map(|window| window[0].line)
}
