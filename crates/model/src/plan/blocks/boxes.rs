//! Boxes to tick, in all the ways in which people write them: `[ ]`, `[ ]*`, `[-]`, `☐`, `✅`.

use super::{Block, Item};

/// Signs that are a box which is not ticked.
const OPEN_SIGNS: [&str; 12] = ["☐", "⬜", "🔲", "◻️", "◻", "▢", "🗌", "⏳", "🚧", "🔄", "⭕", "🔳"];
/// Signs that are a ticked box.
const TICKED_SIGNS: [&str; 3] = ["☑️", "☑", "🗹"];
/// Signs that tick an item where other items of the plan have open boxes; where none has, they only adorn it.
const TICKS: [&str; 5] = ["✅", "✔️", "✔", "✓", "☒"];

/// Reads the boxes that are none for Markdown. `written` is the item in the source, marker included.
pub(super) fn tick(item: &mut Item, written: &str) {
    if item.boxed {
        return;
    }
    if let Some((done, starred, rest)) = strip_box(&item.line.text) {
        (item.boxed, item.done, item.optional) = (true, done, starred);
        shorten(item, rest.to_owned());
        return;
    }
    // Where the sign stands in place of a marker, the text has lost it.
    for text in [item.line.text.clone(), written.to_owned()] {
        if let Some((done, sign)) = sign(&text) {
            (item.boxed, item.done) = (true, done);
            if let Some(rest) = item.line.text.strip_prefix(sign) {
                shorten(item, rest.trim_start().to_owned());
            }
            return;
        }
    }
}

fn sign(text: &str) -> Option<(bool, &'static str)> {
    let find = |signs: &[&'static str]| signs.iter().copied().find(|sign| text.starts_with(sign));
    find(&OPEN_SIGNS).map(|sign| (false, sign)).or_else(|| find(&TICKED_SIGNS).map(|sign| (true, sign)))
}

/// Takes a box in brackets off the beginning of a text: whether it is ticked, whether a star stands behind it, and the rest.
pub(in crate::plan) fn strip_box(text: &str) -> Option<(bool, bool, &str)> {
    let (mark, rest) = text.strip_prefix('[').and_then(|inner| inner.split_once(']'))?;
    let done = match mark.trim() {
        "" | "-" | "~" | "/" | ">" | "!" | "?" | "*" | "…" => false,
        "x" | "X" | "✓" | "✔" | "✅" | "☑" => true,
        _ => return None,
    };
    let starred = rest.strip_prefix('*');
    let behind = starred.unwrap_or(rest);
    (behind.is_empty() || behind.starts_with(' ')).then(|| (done, starred.is_some(), behind.trim_start()))
}

fn shorten(item: &mut Item, kept: String) {
    item.line.strong = item.line.strong.saturating_sub(item.line.text.len() - kept.len());
    item.line.text = kept;
}

/// Reads `✅` and its kind as ticks in a document in which something else is a box that is not ticked.
pub(super) fn tick_marks(blocks: &mut [Block]) {
    if blocks.iter().any(has_open_box) {
        blocks.iter_mut().for_each(tick_below);
    }
}

fn items(block: &Block) -> &[Item] {
    if let Block::List { items } = block { items } else { &[] }
}

fn has_open_box(block: &Block) -> bool {
    items(block).iter().any(|item| (item.boxed && !item.done) || item.blocks.iter().any(has_open_box))
}

fn tick_below(block: &mut Block) {
    let Block::List { items } = block else { return };
    for item in items {
        let tick = TICKS.iter().find_map(|tick| item.line.text.strip_prefix(tick));
        if let Some(rest) = tick.map(|rest| rest.trim_start().to_owned()).filter(|_| !item.boxed) {
            (item.boxed, item.done) = (true, true);
            shorten(item, rest);
        }
        item.blocks.iter_mut().for_each(tick_below);
    }
}
