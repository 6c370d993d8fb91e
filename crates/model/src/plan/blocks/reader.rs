//! Reads Markdown into blocks.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, OffsetIter, Options, Parser, Tag, TagEnd};

use super::{Block, CodeLine, Document, Item, Row, boxes, fenced, html, markers, nested, unseen};
use crate::plan::inline::{Line, LineBuilder};

/// How deep lists in lists are taken apart. What lies deeper stays in the detail of the item above it.
const DEPTH_MAX: usize = 6;

/// Takes the part of `text` in `range` apart.
pub(in crate::plan) fn read(text: &str, range: Range<usize>) -> Document {
    // Heading attributes stay off: they would take the `{id}` out of "GET /users/{id}".
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_GFM;
    let from = range.start;
    let masked = markers::masked(&text[range.clone()]);
    let events = Parser::new_ext(&masked, options).into_offset_iter();
    // Nobody sees a definition, or the title of a link.
    let definitions: Vec<_> = events
        .reference_definitions()
        .iter()
        .map(|(_, definition)| definition.span.start + from..definition.span.end + from)
        .collect();
    let text = &text[..range.end];
    let mut reader =
        BlockReader { events, text, from, comments: Vec::new(), quoted: Vec::new(), open: vec![Open::default()] };
    reader.comments.extend(definitions);
    reader.run();
    reader.comments.sort_by_key(|hidden| hidden.start);
    let mut blocks = reader.open.swap_remove(0).blocks;
    boxes::tick_marks(&mut blocks);
    Document { blocks, comments: reader.comments, quoted: reader.quoted, start: range.start, end: range.end }
}

/// A container that is being read: the document, an item of a list, or a quote.
#[derive(Default)]
struct Open {
    kind: Container,
    blocks: Vec<Block>,
    item: Item,
    /// The items of the list that is being read inside this container.
    items: Vec<Item>,
    /// The number of its next item, where it is numbered.
    number: Option<u64>,
    /// The first paragraph of a tight item, whose text comes without a paragraph around it.
    loose_line: LineBuilder,
    has_line: bool,
}

#[derive(Default, PartialEq, Eq)]
enum Container {
    #[default]
    Document,
    Item,
    /// A quote or a footnote, and where it lies. One that is marked as a note asks for nothing but by its boxes.
    Quote {
        range: Range<usize>,
        is_note: bool,
    },
}

impl Open {
    /// Ends text that came without a paragraph around it.
    fn end_line(&mut self) {
        if !self.loose_line.is_started() {
            return;
        }
        let line = std::mem::take(&mut self.loose_line).finish();
        if self.has_line || !self.blocks.is_empty() {
            self.blocks.push(Block::Paragraph { range: line.range.clone(), line });
        } else {
            self.item.line = line;
            self.has_line = true;
        }
    }
}

struct BlockReader<'t> {
    events: OffsetIter<'t, pulldown_cmark::DefaultBrokenLinkCallback>,
    text: &'t str,
    from: usize,
    comments: Vec<Range<usize>>,
    quoted: Vec<Item>,
    /// The document and the items around the current place; never empty.
    open: Vec<Open>,
}

impl<'t> BlockReader<'t> {
    fn next(&mut self) -> Option<(Event<'t>, Range<usize>)> {
        let (event, range) = self.events.next()?;
        let range = range.start + self.from..range.end + self.from;
        self.comments.extend(unseen::of_event(&event, &range, self.text));
        Some((event, range))
    }

    fn run(&mut self) {
        while let Some((event, range)) = self.next() {
            let Some(open) = self.open.last_mut() else { return };
            match event {
                Event::Start(Tag::Heading { level, .. }) => {
                    open.end_line();
                    let line = self.line_until(range.clone(), |end| matches!(end, TagEnd::Heading(_)));
                    self.push(Block::Heading { level: level as u8, line, range });
                }
                Event::Start(Tag::Paragraph) => {
                    open.end_line();
                    let line = self.line_until(range.clone(), |end| matches!(end, TagEnd::Paragraph));
                    self.paragraph(range, line);
                }
                Event::Start(Tag::List(number)) => {
                    open.end_line();
                    open.number = number;
                    if self.open.len() > DEPTH_MAX {
                        self.skip();
                    }
                }
                Event::End(TagEnd::List(_)) => {
                    let items = std::mem::take(&mut open.items);
                    open.blocks.push(Block::List { items });
                }
                Event::Start(Tag::Item) => {
                    let number = open.number;
                    open.number = number.map(|number| number.saturating_add(1));
                    let item = Item { range, number, ..Item::default() };
                    self.open.push(Open { kind: Container::Item, item, ..Open::default() });
                }
                Event::End(TagEnd::Item) => self.end_item(),
                Event::Start(Tag::CodeBlock(kind)) => {
                    open.end_line();
                    let info = match kind {
                        CodeBlockKind::Fenced(info) => Some(info.trim().to_owned()),
                        CodeBlockKind::Indented => None,
                    };
                    let lines = self.code_lines();
                    let is_outermost = self.open.len() == 1;
                    match fenced::tasks(info.as_deref(), &lines, self.text).filter(|_| is_outermost) {
                        Some(items) => self.push(Block::List { items }),
                        None => self.push(Block::Code { info, lines, range }),
                    }
                }
                Event::Start(Tag::Table(_)) => {
                    open.end_line();
                    let table = self.table(range);
                    self.push(table);
                }
                Event::Start(Tag::BlockQuote(alert)) => {
                    open.end_line();
                    let kind = Container::Quote { range, is_note: alert.is_some() };
                    self.open.push(Open { kind, ..Open::default() });
                }
                Event::Start(Tag::FootnoteDefinition(_)) => {
                    open.end_line();
                    self.open.push(Open { kind: Container::Quote { range, is_note: true }, ..Open::default() });
                }
                Event::End(TagEnd::BlockQuote(_) | TagEnd::FootnoteDefinition) => self.end_quote(),
                Event::Start(Tag::HtmlBlock) => {
                    open.end_line();
                    self.html_block(range);
                }
                Event::Start(Tag::DefinitionList | Tag::MetadataBlock(_)) => {
                    open.end_line();
                    self.skip();
                    self.push(Block::Other);
                }
                Event::Rule => {
                    open.end_line();
                    self.push(Block::Other);
                }
                Event::TaskListMarker(done) => (open.item.boxed, open.item.done) = (true, done),
                inline => open.loose_line.add(&inline, &range, self.text),
            }
        }
    }

    fn push(&mut self, block: Block) {
        if let Some(open) = self.open.last_mut() {
            open.blocks.push(block);
        }
    }

    fn paragraph(&mut self, range: Range<usize>, line: Line) {
        let Some(open) = self.open.last_mut() else { return };
        if open.kind == Container::Item && !open.has_line && open.blocks.is_empty() {
            open.item.line = line;
            open.has_line = true;
        } else {
            open.blocks.push(Block::Paragraph { range, line });
        }
    }

    fn end_item(&mut self) {
        // The document itself is never an item.
        if self.open.len() < 2 {
            return;
        }
        if let (Some(mut open), Some(outer)) = (self.open.pop(), self.open.last_mut()) {
            open.end_line();
            open.item.blocks = open.blocks;
            // A bracket that is escaped is no box.
            let start = open.item.line.range.start;
            if !self.text[..start].ends_with('\\') {
                let written = &self.text[open.item.range.start..];
                boxes::tick(&mut open.item, written);
            }
            outer.items.push(open.item);
        }
    }

    /// Takes a quote for what it holds: items are work as anywhere else, and words alone are text to read.
    fn end_quote(&mut self) {
        // The document itself is never a quote.
        if self.open.len() < 2 {
            return;
        }
        let Some(mut quote) = self.open.pop() else { return };
        quote.end_line();
        let Container::Quote { range, is_note } = quote.kind else { return };
        let has_boxes = nested(&quote.blocks).any(|item| item.boxed || item.is_group());
        let has_items = quote.blocks.iter().any(|block| matches!(block, Block::List { .. } | Block::Table { .. }));
        if has_boxes || (has_items && !is_note) {
            if let Some(outer) = self.open.last_mut() {
                outer.blocks.extend(quote.blocks);
            }
            return;
        }
        for block in quote.blocks {
            if let Block::List { items } = block {
                self.quoted.extend(items);
            }
        }
        self.push(Block::Text { range });
    }

    /// Reads inline events up to the end of their element.
    fn line_until(&mut self, range: Range<usize>, is_end: fn(&TagEnd) -> bool) -> Line {
        let mut builder = LineBuilder::default();
        while let Some((event, at)) = self.next() {
            match &event {
                Event::End(end) if is_end(end) => break,
                Event::TaskListMarker(done) => {
                    if let Some(open) = self.open.last_mut() {
                        (open.item.boxed, open.item.done) = (true, *done);
                    }
                }
                _ => builder.add(&event, &at, self.text),
            }
        }
        if builder.is_started() {
            return builder.finish();
        }
        Line { range: range.start..range.start, ..Line::default() }
    }

    /// Reads a table to its end.
    fn table(&mut self, range: Range<usize>) -> Block {
        let (mut head, mut rows, mut cells) = (Vec::new(), Vec::new(), Vec::new());
        while let Some((event, at)) = self.next() {
            match event {
                Event::Start(Tag::TableCell) => {
                    cells.push(self.line_until(at, |end| matches!(end, TagEnd::TableCell)).text);
                }
                Event::End(TagEnd::TableHead) => head = std::mem::take(&mut cells),
                Event::End(TagEnd::TableRow) => rows.push(Row { range: at, cells: std::mem::take(&mut cells) }),
                Event::End(TagEnd::Table) => break,
                _ => {}
            }
        }
        Block::Table { head, rows, range }
    }

    fn code_lines(&mut self) -> Vec<CodeLine> {
        let mut lines = Vec::new();
        let mut line: Option<CodeLine> = None;
        while let Some((event, range)) = self.next() {
            match event {
                Event::Text(text) => {
                    let mut offset = range.start;
                    for piece in text.split_inclusive('\n') {
                        let ends = piece.ends_with('\n');
                        let current = line.get_or_insert_with(|| CodeLine { offset, text: String::new() });
                        current.text.push_str(piece.trim_end_matches(['\n', '\r']));
                        offset = (offset + piece.len()).min(range.end);
                        if ends {
                            lines.extend(line.take());
                        }
                    }
                }
                Event::End(TagEnd::CodeBlock) => break,
                _ => {}
            }
        }
        lines.extend(line);
        lines
    }

    /// Goes through a block of HTML: what is seen of it is text, or items.
    fn html_block(&mut self, range: Range<usize>) {
        let hidden = self.comments.len();
        self.skip();
        // Its lines came one by one, and a comment may go over several.
        self.comments.truncate(hidden);
        self.comments.extend(unseen::in_html(&self.text[range.clone()], range.start));
        let blocks = html::blocks(self.text, range.clone());
        let Some(open) = self.open.last_mut() else { return };
        // An item may begin with a comment: for Markdown its whole first line is HTML then.
        let is_first = open.kind == Container::Item && !open.has_line && open.blocks.is_empty();
        if is_first && matches!(blocks.as_slice(), [Block::Text { .. }]) {
            open.item.line = Line { text: html::seen(self.text, range.clone()), range, ..Line::default() };
            open.has_line = true;
            return;
        }
        open.blocks.extend(blocks);
    }

    /// Reads on to the end of the element that has just begun.
    fn skip(&mut self) {
        let mut depth = 1_usize;
        while depth > 0 {
            match self.next() {
                Some((Event::Start(_), _)) => depth += 1,
                Some((Event::End(_), _)) => depth -= 1,
                Some(_) => {}
                None => return,
            }
        }
    }
}
