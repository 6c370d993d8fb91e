//! The shapes in which planners write, each with a reader of its own.
//!
//! A dialect is recognised by its shape, never by the name of a file. Whatever it is, it gives the same: tasks with
//! requirements, criteria, commands, and for everything else the reason why it is no work.

mod bmad;
mod kiro;
mod markdown;
mod openspec;
mod outline;
mod spec_kit;
mod superpowers;
pub(super) mod taskmaster;
#[cfg(test)]
pub(super) mod tests;

use std::fmt;

pub(super) use outline::known;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    blocks::{Block, Document, Item, nested},
    domains::Fixed,
    draft::Draft,
    headings::Heading,
    sections::Section,
    source::{Problems, Source},
};
use crate::roster::Roster;

/// The shape in which a plan is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// Ours, in Markdown or YAML.
    #[default]
    Ours,
    /// `tasks.md` of spec-kit.
    SpecKit,
    /// `tasks.md` of a change of OpenSpec.
    Openspec,
    /// A plan of superpowers.
    Superpowers,
    /// `tasks.md` of a spec of Kiro.
    Kiro,
    /// A story of BMAD.
    Bmad,
    /// `tasks.json` of Taskmaster.
    Taskmaster,
    /// Markdown of any shape, such as that of a plan mode.
    Markdown,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Ours,
        Self::SpecKit,
        Self::Openspec,
        Self::Superpowers,
        Self::Kiro,
        Self::Bmad,
        Self::Taskmaster,
        Self::Markdown,
    ];

    /// Returns the name by which the command line knows it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::SpecKit => "spec-kit",
            Self::Openspec => "openspec",
            Self::Superpowers => "superpowers",
            Self::Kiro => "kiro",
            Self::Bmad => "bmad",
            Self::Taskmaster => "taskmaster",
            Self::Markdown => "markdown",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What distinguishes how a dialect is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rules {
    /// Whether numbers and tags before an item are its id: `T001 …`, `1.2 …`.
    pub(super) numbers_are_ids: bool,
    /// Whether an item at the top level is a task, and the boxes below it are its items.
    pub(super) items_are_tasks: bool,
    /// Whether text behind an item is its body: code, what to run, what to expect.
    pub(super) bodies_follow: bool,
    /// Whether only boxes are work in sections that do not count work.
    pub(super) only_boxes: bool,
    /// Whether an item's own paths and words count more than the heading's.
    pub(super) items_decide: bool,
    /// Whether the plan was written by somebody who does not know us: what it cannot know is no error.
    pub(super) lenient: bool,
}

impl Rules {
    /// Those of our own dialect.
    pub(super) const OURS: Self = Self {
        numbers_are_ids: false,
        items_are_tasks: false,
        bodies_follow: false,
        only_boxes: false,
        items_decide: false,
        lenient: false,
    };

    /// Those that all other dialects begin with.
    pub(super) const FOREIGN: Self = Self { items_decide: true, lenient: true, ..Self::OURS };
}

/// Everything that a reader is given.
pub(super) struct Input<'i, 's> {
    pub(super) document: &'i Document,
    pub(super) sections: &'i [Section<'i>],
    pub(super) roster: &'i Roster,
    pub(super) source: &'i Source<'s>,
}

/// One dialect in Markdown.
pub(super) trait Reader: Sync {
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

/// All dialects in Markdown, in the order in which they are asked: the more telling shapes first.
const READERS: [&dyn Reader; 8] = [
    &markdown::Ours { by_domains: false },
    &superpowers::Superpowers,
    &bmad::Bmad,
    &spec_kit::SpecKit,
    &kiro::Kiro,
    &openspec::OpenSpec,
    &markdown::Ours { by_domains: true },
    &markdown::Markdown,
];

/// Finds the reader of a document: the one that is insisted on, else the first that recognises it.
pub(super) fn reader(input: &Input<'_, '_>, named: Option<Dialect>) -> &'static dyn Reader {
    let is_meant = |reader: &&&dyn Reader| match named {
        Some(dialect) => reader.dialect() == dialect,
        None => reader.recognises(input),
    };
    READERS.iter().find(is_meant).copied().unwrap_or(&markdown::Markdown)
}

/// Goes through every item of a document, the nested ones included.
fn all_items<'d>(blocks: &'d [Block]) -> Vec<&'d Item> {
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
fn boxes(document: &Document) -> impl Iterator<Item = &Item> {
    all_items(&document.blocks).into_iter().filter(|item| item.boxed)
}

/// Tells whether a word is a tag such as `T001`.
fn is_numbered_tag(word: &str, letter: char) -> bool {
    word.strip_prefix(letter)
        .is_some_and(|number| (2..=5).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit()))
}
