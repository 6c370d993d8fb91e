//! Foreign text made safe for mermaid source.

use crate::text;

/// The words that mean something at the beginning of a line or label in one kind of diagram or another.
const KEYWORDS: [&str; 14] = [
    "end",
    "graph",
    "flowchart",
    "subgraph",
    "direction",
    "click",
    "call",
    "href",
    "style",
    "linkstyle",
    "class",
    "classdef",
    "section",
    "default",
];

/// Escapes foreign text for a quoted label.
///
/// Letters, digits, blanks and a few marks inside words stay; everything else becomes an entity code (`#35;`), which
/// mermaid puts aside before it parses anything: there is no quote, bracket, backtick, `%%`, `:`, `;` or line break
/// left. Keywords lose their first letter in the same way, although quotes alone should protect them.
#[must_use]
pub fn escape(foreign: &str) -> String {
    let printable = text::terminal(foreign);
    let mut out = String::with_capacity(printable.len() + 8);
    for word in printable.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        let keyword = KEYWORDS.contains(&word.to_lowercase().as_str());
        let last = word.chars().count() - 1;
        for (i, c) in word.chars().enumerate() {
            // At the edges of words these marks can begin or make Markdown lists.
            let inner_mark = matches!(c, '-' | '_' | '.') && i > 0 && i < last;
            if (c.is_alphanumeric() && !(keyword && i == 0)) || inner_mark {
                out.push(c);
            } else {
                push_entity(&mut out, c);
            }
        }
    }
    out
}

/// Replaces what is not plain in foreign text for a gantt chart, whose grammar has no quotes. The dot in front keeps the
/// text from beginning with a keyword.
pub(super) fn plain(foreign: &str) -> String {
    let mut out = String::from("• ");
    for c in text::terminal(foreign).trim().chars() {
        let plain = c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
        out.push(if plain { c } else { '_' });
    }
    out
}

fn push_entity(out: &mut String, c: char) {
    out.push_str(&format!("#{};", u32::from(c)));
}
