//! Markdown as a flat list of blocks with places, which is all that a plan's structure needs.

mod boxes;
mod fenced;
mod html;
mod markers;
mod reader;
#[cfg(test)]
mod tests;
mod unseen;

use std::ops::Range;

pub(super) use self::{boxes::strip_box, reader::read, unseen::shown};
use super::inline::Line;

/// A block at the top level of the document or of a list item.
#[derive(Debug)]
pub(super) enum Block {
    /// A heading; its level counts from 1.
    Heading { level: u8, line: Line, range: Range<usize> },
    /// A paragraph.
    Paragraph { range: Range<usize>, line: Line },
    /// A list.
    List { items: Vec<Item> },
    /// A code block.
    Code { info: Option<String>, lines: Vec<CodeLine>, range: Range<usize> },
    /// A table.
    Table { head: Vec<String>, rows: Vec<Row>, range: Range<usize> },
    /// A quote, a note or HTML: text to read that holds no item.
    Text { range: Range<usize> },
    /// Anything else: a rule, a comment. Never part of the plan.
    Other,
}

/// A row of a table, without its head.
#[derive(Debug)]
pub(super) struct Row {
    /// Where it lies in the source.
    pub(super) range: Range<usize>,
    /// The text of each cell.
    pub(super) cells: Vec<String>,
}

/// One line of a code block.
#[derive(Debug)]
pub(super) struct CodeLine {
    /// Where the line begins in the source, behind the block's own indentation.
    pub(super) offset: usize,
    /// The line without its line break.
    pub(super) text: String,
}

/// A list item.
#[derive(Debug, Default)]
pub(super) struct Item {
    /// The whole item in the source, marker included.
    pub(super) range: Range<usize>,
    /// Whether it has a box to tick, in any of the ways in which people write one.
    pub(super) boxed: bool,
    /// Whether the box is ticked.
    pub(super) done: bool,
    /// Whether the plan says that it may be left out: Kiro's `[ ]*`.
    pub(super) optional: bool,
    /// Its number, in a numbered list.
    pub(super) number: Option<u64>,
    /// Its first paragraph.
    pub(super) line: Line,
    /// The blocks behind the first paragraph.
    pub(super) blocks: Vec<Block>,
}

/// A document as blocks.
pub(super) struct Document {
    pub(super) blocks: Vec<Block>,
    /// What is in the text and cannot be seen where it is shown, in the order of the text.
    pub(super) comments: Vec<Range<usize>>,
    /// The items of notes and footnotes, which are there to be read.
    pub(super) quoted: Vec<Item>,
    /// Where it begins in the source.
    pub(super) start: usize,
    /// Where it ends.
    pub(super) end: usize,
}

/// Returns the items of the lists among blocks.
pub(super) fn nested(blocks: &[Block]) -> impl Iterator<Item = &Item> {
    blocks
        .iter()
        .filter_map(|block| match block {
            Block::List { items } => Some(items),
            _ => None,
        })
        .flatten()
}

impl Item {
    /// Tells whether boxes stand below it, so that they are the work and it is what they have in common.
    pub(super) fn is_group(&self) -> bool {
        nested(&self.blocks).any(|item| item.boxed || item.is_group())
    }

    /// Returns what stands directly below it and is no box, where it is an open box itself: what it asks for beside the boxes.
    pub(super) fn own_details(&self) -> Vec<&Item> {
        let is_open = self.boxed && !self.done;
        nested(&self.blocks).filter(|item| is_open && !item.boxed && !item.is_group()).collect()
    }

    /// Tells whether every box below it is ticked.
    pub(super) fn all_ticked(&self) -> bool {
        nested(&self.blocks).all(|item| (!item.boxed || item.done || item.is_group()) && item.all_ticked())
    }
}
