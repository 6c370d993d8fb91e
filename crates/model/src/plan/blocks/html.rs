//! Items that are written in HTML: `<li>`, `<task>`, and the summary of what can be unfolded.

use std::ops::Range;

use super::{Block, Item, unseen};
use crate::plan::inline::Line;

/// Elements each of which is an item.
const ITEMS: [&str; 4] = ["li", "task", "step", "todo"];
/// Elements within an item that say in one line what it is.
const NAMES: [&str; 2] = ["name", "title"];
/// The level of the heading that a summary is.
const SUMMARY_LEVEL: u8 = 6;

/// Reads a block of HTML: items, headings of what can be unfolded, and else text.
pub(super) fn blocks(text: &str, range: Range<usize>) -> Vec<Block> {
    let mut reader = HtmlReader { text, blocks: Vec::new(), items: Vec::new(), open: None, summary: None };
    let mut at = range.start;
    while let Some(tag) = tag(text, at, range.end) {
        at = tag.range.end;
        reader.tag(&tag);
    }
    reader.end_item(range.end);
    reader.end_list();
    if reader.blocks.is_empty() {
        reader.blocks.push(if seen(text, range.clone()).is_empty() { Block::Other } else { Block::Text { range } });
    }
    reader.blocks
}

struct Tag<'t> {
    name: &'t str,
    written: &'t str,
    closes: bool,
    range: Range<usize>,
}

/// Finds the next tag, comments left out.
fn tag(text: &str, mut at: usize, end: usize) -> Option<Tag<'_>> {
    loop {
        let start = at + text[at..end].find('<')?;
        if text[start..end].starts_with("<!--") {
            at = start + text[start..end].find("-->")? + 3;
            continue;
        }
        let close = start + text[start..end].find('>')? + 1;
        let inner = &text[start + 1..close - 1];
        let closes = inner.starts_with('/');
        let name = inner.trim_start_matches('/');
        let name = &name[..name.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).unwrap_or(name.len())];
        if !name.is_empty() {
            return Some(Tag { name, written: inner, closes, range: start..close });
        }
        at = start + 1;
    }
}

/// Returns a stretch of HTML as it is seen, in one line.
pub(super) fn seen(text: &str, range: Range<usize>) -> String {
    let mut shown = String::new();
    let mut from = range.start;
    let mut at = range.start;
    let mut keep = |piece: &str| {
        shown.push(' ');
        shown.push_str(piece);
    };
    while let Some(tag) = tag(text, at, range.end) {
        keep(&without_comments(&text[from..tag.range.start]));
        at = tag.range.end;
        from = at;
    }
    keep(&without_comments(&text[from..range.end]));
    shown.retain(|c| !crate::text::is_hidden(c));
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn without_comments(html: &str) -> String {
    let html = html.replace("&nbsp;", " ");
    unseen::shown(&html)
}

struct HtmlReader<'t> {
    text: &'t str,
    blocks: Vec<Block>,
    items: Vec<Item>,
    open: Option<OpenItem>,
    /// Where the text of a summary begins that is being read.
    summary: Option<usize>,
}

struct OpenItem {
    start: usize,
    content: usize,
    boxed: bool,
    done: bool,
    /// Where the element lies that says in one line what the item is.
    name: Option<Range<usize>>,
}

impl HtmlReader<'_> {
    fn tag(&mut self, tag: &Tag<'_>) {
        let is = |names: &[&str]| names.iter().any(|name| tag.name.eq_ignore_ascii_case(name));
        if is(&ITEMS) {
            self.end_item(tag.range.start);
            if !tag.closes {
                let (start, content) = (tag.range.start, tag.range.end);
                self.open = Some(OpenItem { start, content, boxed: false, done: false, name: None });
            }
        } else if is(&["input"])
            && let Some(open) = &mut self.open
        {
            let words = tag.written.to_ascii_lowercase();
            open.boxed = words.contains("checkbox");
            open.done = words.replace("checkbox", "").contains("checked");
        } else if is(&NAMES)
            && let Some(open) = &mut self.open
        {
            match &mut open.name {
                Some(name) if tag.closes && name.start == name.end => name.end = tag.range.start,
                None if !tag.closes => open.name = Some(tag.range.end..tag.range.end),
                _ => {}
            }
        } else if is(&["summary"]) {
            match self.summary.take() {
                Some(start) if tag.closes => self.heading(start..tag.range.start),
                _ => self.summary = (!tag.closes).then_some(tag.range.end),
            }
        } else if is(&["details"]) && tag.closes {
            // What follows belongs to what is around it again.
            self.heading(tag.range.end..tag.range.end);
        }
    }

    fn heading(&mut self, range: Range<usize>) {
        self.end_item(range.start);
        self.end_list();
        let line = Line { text: seen(self.text, range.clone()), range: range.clone(), ..Line::default() };
        self.blocks.push(Block::Heading { level: SUMMARY_LEVEL, line, range });
    }

    fn end_item(&mut self, end: usize) {
        let Some(open) = self.open.take() else { return };
        let name = open.name.filter(|name| name.start < name.end);
        let line = name.unwrap_or(open.content..end);
        let text = seen(self.text, line.clone());
        if text.is_empty() {
            return;
        }
        let line = Line { text, range: line, ..Line::default() };
        let range = open.start..end;
        self.items.push(Item { range, boxed: open.boxed, done: open.done, line, ..Item::default() });
    }

    fn end_list(&mut self) {
        if !self.items.is_empty() {
            self.blocks.push(Block::List { items: std::mem::take(&mut self.items) });
        }
    }
}
