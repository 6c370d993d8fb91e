//! A Markdown document, divided at its headings.

use std::ops::Range;

use crate::{
    plan::{
        blocks::{Block, Document},
        domains::Fixed,
        headings::{self, Heading, Names},
        inline::Line,
    },
    roster::Roster,
};

/// A heading and what stands below it, up to the next heading of any level.
pub(super) struct Section<'d> {
    pub(super) heading: Option<(u8, &'d Line, Heading)>,
    pub(super) blocks: &'d [Block],
    /// Where heading and blocks lie.
    pub(super) range: Range<usize>,
    /// Where the blocks lie.
    pub(super) body: Range<usize>,
}

impl Section<'_> {
    /// Returns the heading's level, from 1; 0 above the first heading.
    pub(super) fn level(&self) -> u8 {
        self.heading.as_ref().map_or(0, |(level, ..)| *level)
    }

    /// Returns the heading's line.
    pub(super) fn line(&self) -> Option<&Line> {
        self.heading.as_ref().map(|(_, line, _)| *line)
    }

    /// Tells whether it has a list, a table, or steps that are counted in bold.
    pub(super) fn has_items(&self) -> bool {
        self.has_steps() || self.blocks.iter().any(|block| matches!(block, Block::List { .. } | Block::Table { .. }))
    }

    /// Tells whether it has steps that are counted in bold.
    pub(super) fn has_steps(&self) -> bool {
        self.paragraphs().any(headings::leads_a_part)
    }

    /// Returns the lines of its paragraphs.
    pub(super) fn paragraphs(&self) -> impl Iterator<Item = &Line> {
        self.blocks.iter().filter_map(|block| match block {
            Block::Paragraph { line, .. } => Some(line),
            _ => None,
        })
    }

    /// Tells whether it has nothing that a reader would see as text.
    pub(super) fn is_bare(&self) -> bool {
        self.blocks.iter().all(|block| matches!(block, Block::Other))
    }

    /// Tells whether its heading names a subagent or a role.
    pub(super) fn is_task(&self) -> bool {
        self.heading.as_ref().is_some_and(|(.., heading)| names_task(&heading.names))
    }
}

/// Tells whether a heading begins a task that a subagent of the roster can do.
fn names_task(names: &Names) -> bool {
    matches!(names, Names::Subagent(_) | Names::Role(..))
}

/// Divides a document at its headings.
pub(super) fn sections<'d>(document: &'d Document, roster: &Roster) -> Vec<Section<'d>> {
    let blocks = &document.blocks;
    let texts = blocks.iter().filter_map(|block| match block {
        Block::Heading { line, .. } => Some(line.text.as_str()),
        _ => None,
    });
    let mut reader = headings::HeadingReader::new(roster, texts);
    let mut sections = Vec::new();
    let mut section =
        Section { heading: None, blocks: &[], range: document.start..document.end, body: document.start..document.end };
    let mut start = 0;
    let mut outer = 1;
    for (index, block) in blocks.iter().enumerate() {
        if let Some((level, line, range)) = heading_of(block, outer) {
            if matches!(block, Block::Heading { .. }) {
                outer = level.max(1);
            }
            section.blocks = &blocks[start..index];
            section.range.end = range.start;
            section.body.end = range.start;
            let heading = Some((level, line, reader.read(line)));
            let next =
                Section { heading, blocks: &[], range: range.start..document.end, body: range.end..document.end };
            sections.push(std::mem::replace(&mut section, next));
            start = index + 1;
        }
    }
    section.blocks = &blocks[start..];
    sections.push(section);
    sections
}

/// Returns a block as a heading: its level, its line and where it lies. "**Phase 1: Storage**" alone is one, too.
fn heading_of(block: &Block, outer: u8) -> Option<(u8, &Line, &Range<usize>)> {
    match block {
        Block::Heading { level, line, range } => Some((*level, line, range)),
        Block::Paragraph { range, line } => {
            // "**Phase 2: Storage** ⏳" and "**Phase 2: Storage** (2 days):" are headings, too.
            let behind = line.text[line.strong..].trim_matches([':', '：', ' ']);
            let is_bracket = behind.starts_with('(') && behind.ends_with(')');
            let is_strong = line.strong > 0 && (is_bracket || !behind.contains(char::is_alphanumeric));
            (is_strong && headings::counts_a_phase(&line.text)).then_some((outer.saturating_add(1), line, range))
        }
        _ => None,
    }
}

/// Finds the document's title: its first heading, when it is of the first level as no other is, and names no task; or names
/// one by chance, which is when it has no items of its own and tasks stand below it.
pub(super) fn title(sections: &[Section<'_>]) -> Option<usize> {
    let index = sections.iter().position(|section| section.heading.is_some())?;
    let section = &sections[index];
    let (.., heading) = section.heading.as_ref().filter(|(level, ..)| *level == 1)?;
    let below = &sections[index + 1..];
    if below.iter().any(|section| section.level() == 1) {
        return None;
    }
    let is_title = match heading.names {
        Names::Other | Names::Fixed(Fixed::Frame) => true,
        Names::Role(..) | Names::VacantRole(_) if heading.by_noun => true,
        _ => !section.has_items() && below.iter().any(|below| below.is_task() || below.has_items()),
    };
    is_title.then_some(index)
}

/// Finds the first section with content that would be part of a plan.
pub(super) fn first_plan_section(document: &Document, roster: &Roster) -> Option<usize> {
    sections(document, roster).iter().find_map(|section| {
        let (line, heading) = section.heading.as_ref().map(|(_, line, heading)| (line, heading))?;
        let is_plan = names_task(&heading.names)
            || matches!(heading.names, Names::Fixed(Fixed::Verification(_) | Fixed::Acceptance));
        (is_plan && section.has_items()).then_some(line.range.start)
    })
}
