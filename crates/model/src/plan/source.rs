//! The text of a plan with its places: offsets to lines and columns in constant time, and the list of what is wrong.

use std::ops::Range;

use crate::{
    diagnostics::{Diagnostic, Position, Severity},
    ids::NAME_MAX,
    text,
};

/// How many bytes lie between two entries of the character index.
const BLOCK: usize = 256;

/// A plan's text, indexed once so that every later look-up of a place is cheap.
pub(super) struct Source<'a> {
    /// The name under which the user knows the plan.
    pub(super) name: &'a str,
    /// The text.
    pub(super) text: &'a str,
    line_starts: Vec<usize>,
    /// How many characters begin before byte `index * BLOCK`.
    characters_before: Vec<u32>,
}

impl<'a> Source<'a> {
    /// Indexes `text`.
    pub(super) fn new(name: &'a str, text: &'a str) -> Self {
        let mut line_starts = vec![0];
        line_starts.extend(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at + 1));
        let mut characters_before = vec![0];
        let mut characters = 0;
        for block in text.as_bytes().chunks(BLOCK) {
            characters += characters_in(block);
            characters_before.push(characters);
        }
        Self { name, text, line_starts, characters_before }
    }

    /// Returns the line and column of byte `offset`; an offset past the end is the end.
    pub(super) fn position(&self, offset: usize) -> Position {
        let offset = offset.min(self.text.len());
        let line = self.line_starts.partition_point(|start| *start <= offset);
        let start = self.line_starts[line - 1];
        Position {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: self.characters_to(offset) - self.characters_to(start) + 1,
        }
    }

    /// Counts the characters that begin before byte `offset`.
    fn characters_to(&self, offset: usize) -> u32 {
        let block = offset / BLOCK;
        self.characters_before[block] + characters_in(&self.text.as_bytes()[block * BLOCK..offset])
    }

    /// Returns where a line lies, without its line break; a line that does not exist is empty.
    fn line_range(&self, line: u32) -> Range<usize> {
        let index = (line as usize).saturating_sub(1);
        let Some(&start) = self.line_starts.get(index) else { return self.text.len()..self.text.len() };
        let end = self.line_starts.get(index + 1).copied().unwrap_or(self.text.len());
        start..start + self.text[start..end].trim_end_matches(['\n', '\r']).len()
    }

    /// Returns a line without its line break; a line that does not exist is empty.
    pub(super) fn line(&self, line: u32) -> &'a str {
        &self.text[self.line_range(line)]
    }

    /// Moves a place into the text, for parsers that point behind its end.
    pub(super) fn clamp(&self, at: Position) -> Position {
        let last = u32::try_from(self.line_starts.len()).unwrap_or(u32::MAX);
        if at.line > last {
            return self.position(self.text.len());
        }
        let line = self.line_range(at.line);
        let width = self.characters_to(line.end) - self.characters_to(line.start);
        Position { line: at.line.max(1), column: at.column.clamp(1, width + 1) }
    }

    /// Returns the text of `range` without the HTML comments that lie in it, with plain line breaks.
    ///
    /// A comment is invisible where a plan is read and approved, so nothing in it may reach a subagent. `comments` is in
    /// the order of the text.
    pub(super) fn visible(&self, range: Range<usize>, comments: &[Range<usize>]) -> String {
        let first = comments.partition_point(|comment| comment.end <= range.start);
        let mut visible = String::with_capacity(range.len());
        let mut from = range.start;
        for comment in comments[first..].iter().take_while(|comment| comment.start < range.end) {
            if from < comment.start {
                visible.push_str(&self.text[from..comment.start]);
            }
            from = from.max(comment.end);
        }
        if from < range.end {
            visible.push_str(&self.text[from..range.end]);
        }
        if visible.contains(text::is_hidden) {
            visible.retain(|c| !text::is_hidden(c));
        }
        if visible.contains('\r') { visible.replace("\r\n", "\n") } else { visible }
    }
}

fn characters_in(bytes: &[u8]) -> u32 {
    // Everything but a continuation byte begins a character. A plan is far below 4 GiB.
    bytes.iter().map(|b| u32::from((b & 0xC0) != 0x80)).sum()
}

/// What is wrong with a plan, as far as it has been found.
pub(super) struct Problems<'a> {
    source: &'a Source<'a>,
    found: Vec<Diagnostic>,
    suggested: usize,
}

/// How many suggestions are looked for. Comparing names takes long, and a hostile plan could ask for very many.
const SUGGESTIONS_MAX: usize = 500;

impl<'a> Problems<'a> {
    /// Begins an empty list for `source`.
    pub(super) fn new(source: &'a Source<'a>) -> Self {
        Self { source, found: Vec::new(), suggested: 0 }
    }

    /// Adds an error.
    pub(super) fn error(&mut self, code: &str, at: Position, message: impl Into<String>, hint: impl Into<String>) {
        self.add(Severity::Error, code, at, message.into(), hint.into());
    }

    /// Adds a warning.
    pub(super) fn warning(&mut self, code: &str, at: Position, message: impl Into<String>, hint: impl Into<String>) {
        self.add(Severity::Warning, code, at, message.into(), hint.into());
    }

    /// Looks for the candidate that `word` may have been meant to be.
    pub(super) fn suggest<'c>(&mut self, word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
        self.suggested += 1;
        // Longer words are no names, and comparing them takes long.
        (self.suggested <= SUGGESTIONS_MAX && word.len() <= 2 * NAME_MAX).then(|| text::nearest(word, candidates))?
    }

    fn add(&mut self, severity: Severity, code: &str, at: Position, message: String, hint: String) {
        let at = self.source.clamp(at);
        // Only the line in question is handed over: looking it up in the whole text for every problem would be quadratic.
        let mut diagnostic = Diagnostic::new(severity, code, self.source.name, message)
            .at(self.source.line(at.line), Position { line: 1, column: at.column });
        diagnostic.position = Some(at);
        if !hint.is_empty() {
            diagnostic.hint = Some(hint);
        }
        self.found.push(diagnostic);
    }

    /// Returns how many there are so far.
    pub(super) fn count(&self) -> usize {
        self.found.len()
    }

    /// Forgets all but the first `count`: the text is read once more.
    pub(super) fn forget_from(&mut self, count: usize) {
        self.found.truncate(count);
    }

    /// Tells whether anything so far keeps the plan from being run.
    pub(super) fn has_error(&self) -> bool {
        self.found.iter().any(Diagnostic::is_error)
    }

    /// Returns everything that was found, in the order of the text.
    pub(super) fn into_sorted(self) -> Vec<Diagnostic> {
        let mut found = self.found;
        crate::diagnostics::sort(&mut found);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn the_index_agrees_with_counting(text in "[a-z ä€😀\n]{0,600}", share in 0.0..1.2f64) {
            let offset = (text.len() as f64 * share) as usize;
            let mut boundary = offset.min(text.len());
            while !text.is_char_boundary(boundary) {
                boundary -= 1;
            }
            proptest::prop_assert_eq!(Source::new("p", &text).position(boundary), Position::of_offset(&text, boundary));
        }
    }

    #[test]
    fn comments_are_cut_out_of_what_is_visible() {
        let source = Source::new("p", "0123456789");
        assert_eq!(source.visible(2..8, &[0..1, 1..3, 4..6, 7..10]), "36");
        assert_eq!(source.visible(2..8, &[0..5, 5..10]), "");
        assert_eq!(source.visible(2..8, &[]), "234567");
    }

    #[test]
    fn a_place_behind_the_text_is_moved_into_it() {
        let source = Source::new("p", "ab\ncd");
        assert_eq!(source.clamp(Position { line: 9, column: 9 }), Position { line: 2, column: 3 });
        assert_eq!(source.clamp(Position { line: 1, column: 9 }), Position { line: 1, column: 3 });
    }
}
