//! What stands in the text of a plan and is not seen where the plan is shown: nobody approved it.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Tag};

/// Returns what of an element is in the text and not to be seen: the title of a link or picture, what stands behind the
/// language of a code block, comments, and the attributes of HTML.
pub(super) fn of_event(event: &Event<'_>, range: &Range<usize>, text: &str) -> Vec<Range<usize>> {
    let Some(written) = text.get(range.clone()) else { return Vec::new() };
    match event {
        Event::Html(_) | Event::InlineHtml(_) => in_html(written, range.start),
        Event::Start(Tag::Link { title, .. } | Tag::Image { title, .. }) if !title.is_empty() => {
            let at = written.rfind(&**title);
            at.map(|at| range.start + at..range.start + at + title.len()).into_iter().collect()
        }
        Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
            let words = info.trim_start();
            let more = words.find(char::is_whitespace).map(|at| &words[at..]);
            let found = more.and_then(|more| Some((written.find(more)?, more.len())));
            found.map(|(at, len)| range.start + at..range.start + at + len).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// Finds the comments and attributes in a piece of HTML that begins at `start` of the source.
pub(super) fn in_html(html: &str, start: usize) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(open) = html[at..].find('<').map(|open| at + open) {
        let rest = &html[open..];
        let (end, hides) = if rest.starts_with("<!--") {
            (rest.find("-->").map(|end| end + 3), 0)
        } else if rest.starts_with("<!") || rest.starts_with("<?") {
            (rest.find('>').map(|end| end + 1), 0)
        } else if rest[1..].starts_with(|c: char| c.is_ascii_alphabetic()) {
            (
                rest.find('>'),
                rest[1..].find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).map_or(1, |end| end + 1),
            )
        } else {
            at = open + 1;
            continue;
        };
        // What is never closed hides everything behind it.
        let end = end.unwrap_or(rest.len());
        // `<id>` and `<user id>` stand for something; only a value in a tag is out of sight.
        if hides < end && (hides == 0 || rest[hides..end].contains('=')) {
            found.push(start + open + hides..start + open + end);
        }
        at = open + end.max(1);
    }
    found
}

/// Returns inline HTML as it is seen, or as far as it stands for something: without its attributes.
pub(in crate::plan) fn shown(html: &str) -> String {
    let hidden = in_html(html, 0);
    let mut shown = String::with_capacity(html.len());
    let mut from = 0;
    for range in hidden {
        shown.push_str(&html[from..range.start]);
        from = range.end;
    }
    shown.push_str(&html[from..]);
    shown
}
