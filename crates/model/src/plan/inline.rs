//! One line of text out of Markdown's inline elements.

use std::ops::Range;

use pulldown_cmark::{Event, LinkType, Tag, TagEnd};

use super::blocks;
use crate::text;

/// The first paragraph of an item, or a heading, in one line.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    /// The text: code keeps its backticks, emphasis loses its markers, links keep their address in brackets.
    pub(super) text: String,
    /// How many bytes of the text are one strong run at its beginning.
    pub(super) strong: usize,
    /// The code spans: where they stand in the source, backticks included, and what they hold.
    pub(super) codes: Vec<(Range<usize>, String)>,
    /// Where it stands in the source.
    pub(super) range: Range<usize>,
}

/// Builds a [`Line`] from events.
#[derive(Debug, Default)]
pub(super) struct LineBuilder {
    line: Line,
    /// What closes each open element.
    open: Vec<String>,
    started: bool,
    /// Whether the line began with a strong run that is still open.
    opened_strong: bool,
    /// Where code in HTML begins that is still open: in the source, and in the text.
    html_code: Option<(usize, usize)>,
}

impl LineBuilder {
    /// Tells whether anything has been added.
    pub(super) fn is_started(&self) -> bool {
        self.started
    }

    /// Adds an inline event that stands at `range` of `source`.
    pub(super) fn add(&mut self, event: &Event<'_>, range: &Range<usize>, source: &str) {
        if !self.started {
            self.started = true;
            self.line.range = range.clone();
        }
        self.line.range.end = self.line.range.end.max(range.end);
        match event {
            Event::Text(text) => self.push(text),
            Event::Code(code) => {
                self.line.codes.push((range.clone(), code.to_string()));
                let written = &source[range.clone()];
                self.push(written);
            }
            Event::SoftBreak | Event::HardBreak => self.push(" "),
            Event::InlineHtml(html) | Event::Html(html) => {
                let lower = html.trim().to_ascii_lowercase();
                if lower.starts_with("<br") {
                    self.push(" ");
                } else if is_code_tag(&lower, "<") && self.html_code.is_none() {
                    self.push("`");
                    self.html_code = Some((range.start, self.line.text.len()));
                } else if let Some((start, from)) = self.html_code.filter(|_| is_code_tag(&lower, "</")) {
                    self.html_code = None;
                    let code = self.line.text.get(from..).unwrap_or_default().trim().to_owned();
                    self.line.codes.push((start..range.end, code));
                    self.push("`");
                } else {
                    self.push(&blocks::shown(html));
                }
            }
            Event::InlineMath(text) | Event::DisplayMath(text) => self.push(text),
            Event::FootnoteReference(label) => self.push(&format!("[^{label}]")),
            Event::Start(tag) => self.open(tag, range, source),
            Event::End(end) => self.close(*end),
            Event::Rule | Event::TaskListMarker(_) => {}
        }
    }

    fn open(&mut self, tag: &Tag<'_>, range: &Range<usize>, source: &str) {
        let closing = match tag {
            Tag::Strong | Tag::Emphasis => {
                let is_strong = matches!(tag, Tag::Strong);
                // A sign before it only decorates it: "🔧 **Storage**".
                let is_sign = |c: char| c == ' ' || (!c.is_ascii() && !c.is_alphanumeric());
                self.opened_strong |= is_strong && self.line.text.chars().all(is_sign) && self.open.is_empty();
                let end = range.start + if is_strong { 2 } else { 1 };
                let marker = source.get(range.start..end).unwrap_or_default();
                if is_prose_marker(source, range.start, marker.len()) { String::new() } else { marker.to_owned() }
            }
            Tag::Strikethrough => "~~".to_owned(),
            Tag::Link { link_type, dest_url, .. } if !matches!(link_type, LinkType::Autolink | LinkType::Email) => {
                format!(" ({dest_url})")
            }
            Tag::Image { dest_url, .. } => format!(" ({dest_url})"),
            _ => String::new(),
        };
        if matches!(tag, Tag::Strong | Tag::Emphasis | Tag::Strikethrough) {
            self.push(&closing);
        }
        self.open.push(closing);
    }

    fn close(&mut self, end: TagEnd) {
        let Some(closing) = self.open.pop() else { return };
        self.push(&closing);
        if matches!(end, TagEnd::Strong) && self.open.is_empty() && self.opened_strong {
            self.opened_strong = false;
            self.line.strong = self.line.text.len();
        }
    }

    fn push(&mut self, written: &str) {
        for c in written.chars().filter(|c| !text::is_hidden(*c)) {
            if !c.is_whitespace() {
                self.line.text.push(c);
            } else if !self.line.text.is_empty() && !self.line.text.ends_with(' ') {
                self.line.text.push(' ');
            }
        }
    }

    /// Returns the line.
    pub(super) fn finish(mut self) -> Line {
        if let Some((_, from)) = self.html_code.take() {
            self.line.text.remove(from - 1);
        }
        let end = self.line.text.trim_end().len();
        self.line.text.truncate(end);
        self.line.strong = self.line.strong.min(end);
        self.line
    }
}

/// Tells whether a tag in lower case begins or ends code, as `<code>` and `</kbd>` do.
fn is_code_tag(tag: &str, opening: &str) -> bool {
    let name = tag
        .strip_prefix(opening)
        .map(|rest| &rest[..rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len())]);
    name.is_some_and(|name| ["code", "kbd", "samp", "tt"].contains(&name))
}

/// Tells whether an emphasis marker at `at` is there for emphasis in prose: behind a space or an opening bracket, before
/// a word. Where it is not, it may be a glob such as `src/**/*.rs`, and leaving it out would change what is asked for.
fn is_prose_marker(source: &str, at: usize, len: usize) -> bool {
    let before = source[..at].chars().next_back();
    let after = source[at + len..].chars().next();
    before.is_none_or(|c| c.is_whitespace() || matches!(c, '(' | '[' | '{' | '"' | '\'' | '*' | '_'))
        && after
            .is_some_and(|c| c.is_alphanumeric() || matches!(c, '`' | '"' | '\'' | '(' | '[' | '{' | '#' | '*' | '_'))
}
