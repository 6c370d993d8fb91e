//! Markdown as a flat list of blocks with places, which is all that a plan's structure needs.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, OffsetIter, Options, Parser, Tag, TagEnd};

use super::inline::{Line, LineBuilder, is_comment};

/// How deep lists in lists are taken apart. What lies deeper stays in the detail of the item above it.
const DEPTH_MAX: usize = 6;

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
    /// A quote: text to read, never an item.
    Text { range: Range<usize> },
    /// Anything else: a rule, HTML, a footnote. Never part of the plan.
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
    /// The HTML comments, in the order of the text.
    pub(super) comments: Vec<Range<usize>>,
    /// Where it begins in the source.
    pub(super) start: usize,
    /// Where it ends.
    pub(super) end: usize,
}

/// Takes `text` apart, from byte `from` on.
pub(super) fn read(text: &str, from: usize) -> Document {
    // Heading attributes stay off: they would take the `{id}` out of "GET /users/{id}".
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_GFM;
    let events = Parser::new_ext(&text[from..], options).into_offset_iter();
    // Nobody sees a definition, or the title of a link.
    let definitions: Vec<_> = events
        .reference_definitions()
        .iter()
        .map(|(_, definition)| definition.span.start + from..definition.span.end + from)
        .collect();
    let mut reader = Reader { events, text, from, comments: Vec::new(), open: vec![Open::default()] };
    reader.comments.extend(definitions);
    reader.run();
    reader.comments.sort_by_key(|hidden| hidden.start);
    let blocks = reader.open.into_iter().next().map(|open| open.blocks).unwrap_or_default();
    Document { blocks, comments: reader.comments, start: from, end: text.len() }
}

/// A container that is being read: the document, or an item of a list.
#[derive(Default)]
struct Open {
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

struct Reader<'t> {
    events: OffsetIter<'t, pulldown_cmark::DefaultBrokenLinkCallback>,
    text: &'t str,
    from: usize,
    comments: Vec<Range<usize>>,
    /// The document and the items around the current place; never empty.
    open: Vec<Open>,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Option<(Event<'t>, Range<usize>)> {
        let (event, range) = self.events.next()?;
        let range = range.start + self.from..range.end + self.from;
        if let Event::Html(html) | Event::InlineHtml(html) = &event
            && is_comment(html)
        {
            self.comments.push(range.clone());
        }
        self.comments.extend(hidden(&event, &range, self.text));
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
                    self.open.push(Open { item, ..Open::default() });
                }
                Event::End(TagEnd::Item) => self.end_item(),
                Event::Start(Tag::CodeBlock(kind)) => {
                    open.end_line();
                    let info = match kind {
                        CodeBlockKind::Fenced(info) => Some(info.trim().to_owned()),
                        CodeBlockKind::Indented => None,
                    };
                    let lines = self.code_lines();
                    self.push(Block::Code { info, lines, range });
                }
                Event::Start(Tag::Table(_)) => {
                    open.end_line();
                    let table = self.table(range);
                    self.push(table);
                }
                Event::Start(Tag::BlockQuote(_)) => {
                    open.end_line();
                    self.skip();
                    self.push(Block::Text { range });
                }
                Event::Start(Tag::HtmlBlock) => {
                    open.end_line();
                    self.html_block(range);
                }
                Event::Start(Tag::FootnoteDefinition(_) | Tag::DefinitionList | Tag::MetadataBlock(_)) => {
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
        let is_item = self.open.len() > 1;
        let Some(open) = self.open.last_mut() else { return };
        if is_item && !open.has_line && open.blocks.is_empty() {
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
            if self.text[start..].starts_with('[') && !self.text[..start].ends_with('\\') {
                tick(&mut open.item);
            }
            outer.items.push(open.item);
        }
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

    /// Goes through a block of HTML; when it begins with a comment, all of it is one.
    fn html_block(&mut self, range: Range<usize>) {
        let is_comment = is_comment(&self.text[range.clone()]);
        let comments = self.comments.len();
        self.skip();
        if is_comment {
            self.comments.truncate(comments);
            self.comments.push(range);
        }
        self.push(Block::Other);
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

/// Returns what of an element is in the text and not to be seen: the title of a link or picture, and what stands behind
/// the language of a code block.
fn hidden(event: &Event<'_>, range: &Range<usize>, text: &str) -> Option<Range<usize>> {
    let written = text.get(range.clone())?;
    match event {
        Event::Start(Tag::Link { title, .. } | Tag::Image { title, .. }) if !title.is_empty() => {
            let at = written.rfind(&**title)?;
            Some(range.start + at..range.start + at + title.len())
        }
        Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
            let words = info.trim_start();
            let more = &words[words.find(char::is_whitespace)?..];
            let at = written.find(more)?;
            Some(range.start + at..range.start + at + more.len())
        }
        _ => None,
    }
}

/// Reads the boxes that are none for Markdown: `[ ]*`, `[]`, `[-]`, `[~]`, `[✓]`.
fn tick(item: &mut Item) {
    let text = item.line.text.as_str();
    let Some((mark, rest)) = text.strip_prefix('[').and_then(|inner| inner.split_once(']')) else { return };
    let done = match mark.trim() {
        "" | "-" | "~" | "/" | ">" => false,
        "x" | "X" | "✓" | "✔" | "✅" | "☑" => true,
        _ => return,
    };
    let starred = rest.strip_prefix('*');
    let behind = starred.unwrap_or(rest);
    if item.boxed || !(behind.is_empty() || behind.starts_with(' ')) {
        return;
    }
    (item.boxed, item.done, item.optional) = (true, done, starred.is_some());
    let kept = behind.trim_start().to_owned();
    item.line.strong = item.line.strong.saturating_sub(text.len() - kept.len());
    item.line.text = kept;
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

    /// Tells whether every box below it is ticked.
    pub(super) fn all_ticked(&self) -> bool {
        nested(&self.blocks).all(|item| (!item.boxed || item.done || item.is_group()) && item.all_ticked())
    }
}
