//! Every item of a document, whatever its heading and whatever the dialect.

use std::{cmp::Reverse, ops::Range};

use super::{
    accounting::{Fate, Placed, PlanItem, Reason, What},
    blocks::{Block, Document, Item, nested},
    division, items,
    source::{Problems, Source},
};

/// Something in the document that may ask for work.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub(super) range: Range<usize>,
    pub(super) text: String,
    /// Whether it stands in a note or a footnote, which is there to be read.
    pub(super) is_quoted: bool,
}

/// Finds the items of a document, in the order of the text: list items, boxes below them, rows of tables.
///
/// What is nested below an item belongs to it, unless boxes are among it: then each box is an item.
pub(super) fn leaves(document: &Document) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    for block in &document.blocks {
        match block {
            Block::List { items } => items.iter().for_each(|item| leaf(item, &mut leaves)),
            Block::Table { rows, .. } => {
                leaves.extend(
                    rows.iter().filter(|row| row.cells.iter().any(|cell| !cell.is_empty())).map(|row| Leaf {
                        range: row.range.clone(),
                        text: items::row_text(&row.cells),
                        is_quoted: false,
                    }),
                );
            }
            _ => {}
        }
    }
    let first = leaves.len();
    document.quoted.iter().for_each(|item| leaf(item, &mut leaves));
    leaves[first..].iter_mut().for_each(|leaf| leaf.is_quoted = true);
    leaves.sort_by_key(|leaf| leaf.range.start);
    leaves
}

fn leaf(item: &Item, leaves: &mut Vec<Leaf>) {
    if item.is_group() {
        if item.boxed && !item.done && item.all_ticked() {
            leaves.push(Leaf { range: item.line.range.clone(), text: item.line.text.clone(), is_quoted: false });
        }
        nested(&item.blocks).filter(|item| item.boxed || item.is_group()).for_each(|item| leaf(item, leaves));
        return;
    }
    if division::divides(item) && division::is_label(item) {
        return nested(&item.blocks).for_each(|part| leaf_of_label(part, leaves));
    }
    let text = items::text_of(item).unwrap_or_default();
    if !text.is_empty() {
        leaves.push(Leaf { range: item.range.clone(), text, is_quoted: false });
    }
}

/// Goes on below a label whose parts are items of their own.
fn leaf_of_label(item: &Item, leaves: &mut Vec<Leaf>) {
    match division::is_label(item) && division::read_only(item).is_none() {
        true => nested(&item.blocks).for_each(|part| leaf_of_label(part, leaves)),
        false => leaf(item, leaves),
    }
}

/// Holds what the reader made of the text against the items that are in it: returns each with its fate, and tells of
/// those that nobody spoke for.
pub(super) fn close(
    leaves: &[Leaf],
    mut placed: Vec<Placed>,
    source: &Source<'_>,
    problems: &mut Problems<'_>,
) -> Vec<PlanItem> {
    // By beginning, the longer first: the last that holds an item is the smallest.
    placed.sort_by_key(|placed| (placed.range.start, Reverse(placed.range.end)));
    let mut found: Vec<(usize, PlanItem)> = Vec::new();
    let item = |range: &Range<usize>, text: &str, fate: Fate| {
        let line = source.position(range.start).line;
        (range.start, PlanItem { line, text: text.to_owned(), fate })
    };
    let mut open: Vec<&Placed> = Vec::new();
    let mut next = placed.iter().peekable();
    for leaf in leaves {
        while let Some(placed) = next.next_if(|placed| placed.range.start <= leaf.range.start) {
            open.push(placed);
        }
        open.retain(|placed| placed.range.end > leaf.range.start);
        match open.iter().rev().find(|placed| placed.range.end >= leaf.range.end).map(|placed| &placed.what) {
            // Counted below, once, however many items of the text it took in.
            Some(What::Item(_) | What::Said) => {}
            Some(What::Aside { reason, section }) => {
                let fate = Fate::Aside { reason: *reason, section: section.clone() };
                found.push(item(&leaf.range, &leaf.text, fate));
            }
            None if leaf.is_quoted => {
                let fate = Fate::Aside { reason: Reason::Context, section: "Note".to_owned() };
                found.push(item(&leaf.range, &leaf.text, fate));
            }
            None => problems.error(
                "unplaced-item",
                source.position(leaf.range.start),
                format!("no task gets the item `{}`", crate::text::truncate(&leaf.text, 80)),
                "put it below a heading that names a subagent or a domain, such as `## Feature`",
            ),
        }
    }
    for placed in &placed {
        if let What::Item(fate) = &placed.what {
            let written = source.text.get(placed.range.clone()).unwrap_or_default();
            let (start, mut shown) = item(&placed.range, first_line(written), fate.clone());
            if let Some((line, text)) = &placed.shown {
                (shown.line, shown.text) = (*line, text.clone());
            }
            found.push((start, shown));
        }
    }
    found.sort_by_key(|(start, item)| (item.line, *start));
    found.into_iter().map(|(_, item)| item).collect()
}

/// Returns the first line of a stretch of the source, without the marker of a list.
fn first_line(written: &str) -> &str {
    let line = written.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let marker = |c: char| matches!(c, '-' | '*' | '+');
    let line = line.strip_prefix(marker).filter(|rest| rest.starts_with([' ', '\t'])).unwrap_or(line).trim_start();
    ["[ ] ", "[x] ", "[X] "].iter().find_map(|tick| line.strip_prefix(tick)).unwrap_or(line)
}
