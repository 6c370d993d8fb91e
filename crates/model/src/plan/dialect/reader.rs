//! What every dialect in Markdown has: a shape by which it is recognised, rules, and words of its own.

use super::outline;
use crate::{
    plan::{
        blocks::{Block, Document, Item, nested},
        domains::Fixed,
        draft::Draft,
        headings::Heading,
        sections::Section,
        shape::{Dialect, Rules},
        source::{Problems, Source},
    },
    roster::Roster,
};

/// Everything that a reader is given.
pub(in crate::plan) struct Input<'i, 's> {
    pub(in crate::plan) document: &'i Document,
    pub(in crate::plan) sections: &'i [Section<'i>],
    pub(in crate::plan) roster: &'i Roster,
    pub(in crate::plan) source: &'i Source<'s>,
    /// What beside the document is work, so that its text need not be.
    pub(in crate::plan) beside: Beside,
}

/// What beside the text of a document is work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::plan) enum Beside {
    /// Nothing.
    Nothing,
    /// A code block may be the plan.
    Quoted,
    /// The front matter lists it.
    Todos,
}

/// One dialect in Markdown.
pub(in crate::plan) trait DialectReader: Sync {
    /// Returns the dialect.
    fn dialect(&self) -> Dialect;

    /// Tells whether a document has its shape.
    fn recognises(&self, input: &Input<'_, '_>) -> bool;

    /// Returns how its items are read.
    fn rules(&self) -> Rules;

    /// Returns what a heading is whose words mean something else in this dialect.
    fn section(&self, _heading: &Heading, _text: &str) -> Option<Fixed> {
        None
    }

    /// Reads the document.
    fn read<'s>(&self, input: &Input<'_, 's>, problems: &mut Problems<'s>) -> Draft {
        outline::read(self.rules(), &|heading, text| self.section(heading, text), input, problems)
    }
}

/// Goes through every item of a document, the nested ones included.
pub(super) fn all_items<'d>(blocks: &'d [Block]) -> Vec<&'d Item> {
    let mut found = Vec::new();
    let mut open: Vec<&'d Item> = nested(blocks).collect();
    open.reverse();
    while let Some(item) = open.pop() {
        found.push(item);
        let mut below: Vec<&'d Item> = nested(&item.blocks).collect();
        below.reverse();
        open.extend(below);
    }
    found
}

/// Goes through the boxes of a document.
pub(super) fn boxes(document: &Document) -> impl Iterator<Item = &Item> {
    all_items(&document.blocks).into_iter().filter(|item| item.boxed)
}

/// Tells whether a word is a tag such as `T001`.
pub(super) fn is_numbered_tag(word: &str, letter: char) -> bool {
    word.strip_prefix(letter)
        .is_some_and(|number| (2..=5).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit()))
}
