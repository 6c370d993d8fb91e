//! What a patch shows that nobody reports, over all of its files and by the names of tests: a test that moved, was
//! renamed, split or made a table with the same assertions is no loss. A sign is for somebody to look at, and no proof.

mod against_itself;
mod blocks;
mod commands;
mod detached;
mod doubts;
mod exits;
mod hooks;
mod knows;
mod loaded;
mod lost;
mod mocks;
mod package;
mod parsed;
mod programs;
mod pytest_options;
mod reading;
mod remaining;
mod replaced;
mod settings;
mod skips;
mod undiscovered;
mod unreached;
mod vacuous;

use parsed::Parsed;
pub use reading::{Candidate, Reading, decode, reading, stopped};

use std::collections::BTreeMap;

use super::source;
pub use super::source::Stop;
use crate::findings::{FindingCode, Weight};

/// A changed file with its text on both sides, where it is text.
#[derive(Debug, Clone, Copy, Default)]
pub struct FileChange<'a> {
    /// The path.
    pub path: &'a str,
    /// The text before; none for a new file.
    pub before: Option<&'a str>,
    /// The text after; none for a deleted file.
    pub after: Option<&'a str>,
    /// The path that a new file was moved from.
    pub moved_from: Option<&'a str>,
}

/// Whose work is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// Whoever writes code of the product, and tests at most beside it.
    Code,
    /// Whoever writes the tests.
    Tests,
}

impl Author {
    /// What was done to tests that were there already weighs more where tests are not the author's work.
    fn weight(self) -> Weight {
        match self {
            Self::Code => Weight::Blocking,
            Self::Tests => Weight::Warning,
        }
    }
}

/// Something that a patch shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sign {
    /// The kind.
    pub code: FindingCode,
    /// How much it weighs.
    pub weight: Weight,
    /// The file.
    pub path: String,
    /// The line in the new text, from 1.
    pub line: Option<u32>,
    /// What is there, and why it matters.
    pub message: String,
}

impl Sign {
    fn new(code: FindingCode, weight: Weight, path: &str, message: impl Into<String>) -> Self {
        Self { code, weight, path: path.to_owned(), line: None, message: message.into() }
    }

    fn at(mut self, line: u32) -> Self {
        self.line = Some(line);
        self
    }
}

/// The most signs of one kind in one file that are told.
const TOLD_MAX: usize = 5;

/// Looks at all changes of a patch.
#[must_use]
pub fn signs(author: Author, changes: &[FileChange<'_>]) -> Vec<Sign> {
    signs_until(&Stop::default(), author, changes)
}

/// Looks at all changes of a patch until it is stopped. What is returned then is not all of it.
#[must_use]
pub fn signs_until(stop: &Stop, author: Author, changes: &[FileChange<'_>]) -> Vec<Sign> {
    signs_within(stop, STEPS_MAX, author, changes).0
}

/// The most steps that looking at one patch may take. Ordinary sources take some ten for each of their bytes.
const STEPS_MAX: u64 = 1_000_000_000;

/// Returns what was found, and how many steps are left.
fn signs_within(stop: &Stop, steps: u64, author: Author, changes: &[FileChange<'_>]) -> (Vec<Sign>, u64) {
    let parse = || changes.iter().map(Parsed::new).collect::<Vec<_>>();
    let (parsed, mut left) = source::within_until(stop, steps, parse);
    let mut signs = Vec::new();
    let mut whole = parsed.is_some();
    let parsed = parsed.unwrap_or_default();
    // Those that tell the most come first: what is left for the others may not be enough.
    let detectors: [&dyn Fn() -> Vec<Sign>; 9] = [
        &|| hooks::signs(&parsed),
        &|| settings::signs(author, &parsed),
        &|| loaded::signs(author, &parsed),
        &|| exits::signs(&parsed),
        &|| lost::signs(author, &parsed),
        &|| skips::signs(&parsed),
        &|| vacuous::signs(author, &parsed),
        &|| mocks::signs(&parsed),
        &|| doubts::signs(&parsed),
    ];
    for detector in detectors {
        let (found, rest) = source::within_until(stop, left, detector);
        whole &= found.is_some();
        signs.extend(found.unwrap_or_default());
        left = rest;
    }
    if !whole {
        signs.push(reading::too_intricate(changes));
    }
    let mut told: BTreeMap<(FindingCode, String), Vec<Option<u32>>> = BTreeMap::new();
    signs.retain(|sign| {
        let lines = told.entry((sign.code, sign.path.clone())).or_default();
        let again = sign.line.is_some() && lines.contains(&sign.line);
        let kept = !again && lines.len() < TOLD_MAX;
        if kept {
            lines.push(sign.line);
        }
        kept
    });
    (signs, left)
}

#[cfg(test)]
mod accused;
#[cfg(test)]
mod linear;
#[cfg(test)]
mod matrix;
