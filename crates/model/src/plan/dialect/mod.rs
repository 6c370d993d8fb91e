//! The dialects, each with a reader of its own.
//!
//! A dialect is recognised by its shape, never by the name of a file. Whatever it is, it gives the same: tasks with
//! requirements, criteria, commands, and for everything else the reason why it is no work.

mod bmad;
#[cfg(test)]
mod checks_tests;
pub(super) mod data;
mod kiro;
mod markdown;
mod openspec;
pub(super) mod outline;
#[cfg(test)]
mod own_words_tests;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod prose_tests;
pub(super) mod reader;
mod spec_kit;
pub(super) mod status;
mod superpowers;
pub(super) mod taskmaster;
#[cfg(test)]
pub(super) mod tests;

use self::reader::{DialectReader, Input};
use super::shape::Dialect;

/// All dialects in Markdown, in the order in which they are asked: the more telling shapes first.
const READERS: [&dyn DialectReader; 8] = [
    &markdown::Ours { by_domains: false },
    &bmad::Bmad,
    &superpowers::Superpowers,
    &spec_kit::SpecKit,
    &kiro::Kiro,
    &openspec::OpenSpec,
    &markdown::Ours { by_domains: true },
    &markdown::Markdown,
];

/// Finds the reader of a document: the one that is insisted on, else the first that recognises it.
pub(super) fn find(input: &Input<'_, '_>, named: Option<Dialect>) -> &'static dyn DialectReader {
    let is_meant = |reader: &&&dyn DialectReader| match named {
        Some(dialect) => reader.dialect() == dialect,
        None => reader.recognises(input),
    };
    READERS.iter().find(is_meant).copied().unwrap_or(&markdown::Markdown)
}
