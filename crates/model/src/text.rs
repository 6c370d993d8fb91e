//! Foreign text made safe for where it goes. Every sink has one function here, and no sink takes text without it.

mod commit;
mod unseen;

pub use self::{
    commit::inert,
    unseen::{deceptive, is_hidden, is_invisible, visible},
};

/// Returns the candidate nearest to `word` when it is near enough to have been meant.
///
/// Near enough is a Jaro-Winkler similarity of at least 0.8, or one being the beginning or end of the other, ignoring
/// case.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let score = |candidate: &str| {
        let lower = candidate.to_lowercase();
        let affix = word.len() >= 3 && (lower.starts_with(&word) || lower.ends_with(&word));
        strsim::jaro_winkler(&word, &lower).max(if affix { 0.9 } else { 0.0 })
    };
    candidates
        .into_iter()
        .map(|candidate| (score(candidate), candidate))
        .filter(|(score, _)| *score >= 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// Cuts `text` to at most `max` characters, with an ellipsis where something was cut.
#[must_use]
pub fn truncate(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(max.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// Escapes foreign text for one line of Markdown: no structure, no HTML, no mention, no reference, no autolink.
///
/// Line breaks become spaces; control characters go away. GitHub makes links, notifications and pictures out of
/// `@name`, `#12`, `GH-12`, `://`, `www.` and `:name:` even where CommonMark has no structure: a zero-width non-joiner
/// breaks those, and nothing else, so that routes such as `/users/:id` stay as they are.
#[must_use]
pub fn markdown(text: &str) -> String {
    let chars: Vec<char> = line(text).chars().filter(|c| !c.is_control()).collect();
    let mut out = String::with_capacity(text.len() + 16);
    for (at, &c) in chars.iter().enumerate() {
        let rest = &chars[at + 1..];
        let begins_word = at == 0 || !chars[at - 1].is_alphanumeric();
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            _ => {
                if is_structural(c, &out) {
                    out.push('\\');
                }
                out.push(c);
            }
        }
        let breaks = match c {
            '@' | '#' => true,
            ':' => rest.starts_with(&['/', '/']) || ends_shortcode(rest),
            'w' | 'W' => begins_word && lower(rest, 3) == "ww.",
            'g' | 'G' => begins_word && lower(rest, 2) == "h-" && rest.get(2).is_some_and(char::is_ascii_digit),
            _ => false,
        };
        if breaks && !rest.is_empty() {
            out.push('\u{200c}');
        }
    }
    out
}

/// Tells whether `c` could be structure where it stands. A full stop, a hyphen and the like matter only at the beginning
/// of a line, behind digits or alone: prose stays readable.
fn is_structural(c: char, before: &str) -> bool {
    match c {
        '\\' | '`' | '^' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '$' => true,
        '(' if before.ends_with(']') => true,
        '{' | '}' | '(' | ')' | '+' | '-' | '!' | '=' | '.' => before.bytes().all(|b| b.is_ascii_digit()),
        _ => false,
    }
}

/// Tells whether a colon in front of `rest` begins an emoji shortcode such as `:name:`.
fn ends_shortcode(rest: &[char]) -> bool {
    let name = rest.iter().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '-')).count();
    name > 0 && rest.get(name) == Some(&':')
}

fn lower(chars: &[char], count: usize) -> String {
    chars.iter().take(count).flat_map(|c| c.to_lowercase()).collect()
}

/// Escapes inline Markdown for a cell of a table: a pipe would end the cell, even inside a code span.
#[must_use]
pub fn cell(markdown: &str) -> String {
    // GFM takes the backslash before a pipe away when it splits the row, before anything else is read.
    markdown.replace('|', "\\|")
}

/// Wraps foreign text as a Markdown code span, with a fence longer than any run of backticks inside.
#[must_use]
pub fn code(text: &str) -> String {
    let flat = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !c.is_ascii_control());
    let flat: String = visible(&flat.collect::<String>()).chars().filter(|c| !c.is_control()).collect();
    let flat = flat.trim();
    if flat.is_empty() {
        return "` `".to_owned();
    }
    let fence = "`".repeat(longest_backtick_run(flat) + 1);
    let pad = if flat.starts_with('`') || flat.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{flat}{pad}{fence}")
}

/// Wraps foreign text as a fenced code block that nothing inside can close.
#[must_use]
pub fn fenced(text: &str, language: &str) -> String {
    // Before anything is measured: a character that goes away may part what is a fence without it.
    let body = terminal(text);
    // GFM lets a closing fence be indented, so the longest run anywhere counts, not only at line starts.
    let fence = "`".repeat((longest_backtick_run(&body) + 1).max(3));
    format!("{fence}{language}\n{}\n{fence}", body.trim_end_matches('\n'))
}

/// Makes foreign text printable on a terminal: no escape sequences, no control characters but line break and tab.
#[must_use]
pub fn terminal(text: &str) -> String {
    // What goes away goes first: between two letters it would hide that they are of two alphabets.
    let printable = |c: &char| matches!(c, '\n' | '\t') || !c.is_ascii_control();
    if text.bytes().all(|byte| printable(&char::from(byte))) {
        return visible(text);
    }
    visible(&text.chars().filter(printable).collect::<String>())
}

/// Makes foreign text one line of a log: what breaks lines becomes a blank, and nothing else goes unseen.
#[must_use]
pub fn line(text: &str) -> String {
    terminal(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Makes the output of a program plain: escape sequences go away whole, colours and links included, and so do control
/// characters but line break and tab. A carriage return, with which progress is written over, breaks the line.
#[must_use]
pub fn plain(text: &str) -> String {
    let stripped = anstream::adapter::strip_str(text).to_string();
    terminal(&stripped.replace("\r\n", "\n").replace('\r', "\n"))
}

fn longest_backtick_run(text: &str) -> usize {
    let runs = text.match_indices('`').fold((0, 0, 0), |(longest, length, end), (at, _)| {
        let length = if at == end { length + 1 } else { 1 };
        (length.max(longest), length, at + 1)
    });
    runs.0
}

/// Joins words with commas; behind the first `max` it only counts the rest: `a, b and 3 more`.
#[must_use]
pub fn listed<T: AsRef<str>>(words: impl IntoIterator<Item = T>, max: usize) -> String {
    let mut words = words.into_iter();
    let shown: Vec<T> = words.by_ref().take(max).collect();
    let shown = shown.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    match words.count() {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Makes the first letter small, for a sentence that goes behind another.
#[must_use]
pub fn uncapitalised(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// Says `1 task`, `2 tasks`, `3 processes`.
#[must_use]
pub fn count(n: usize, singular: &str) -> String {
    let ending = if singular.ends_with('s') { "es" } else { "s" };
    if n == 1 { format!("1 {singular}") } else { format!("{n} {singular}{ending}") }
}

#[cfg(test)]
mod tests {
    use pulldown_cmark::{Event, Options, Parser, Tag};

    use super::*;

    #[test]
    fn what_is_not_listed_is_counted() {
        assert_eq!(listed(["a", "b", "c"], 3), "a, b, c");
        assert_eq!(listed(["a", "b", "c"], 2), "a, b and 1 more");
        assert_eq!(listed([""; 0], 2), "");
    }

    #[test]
    fn a_control_character_hides_no_letter_of_another_alphabet() {
        assert_eq!(line("p\u{1b}\u{430}ypal"), line("p\u{430}ypal"));
        assert_eq!(line("p\u{1b}\u{430}ypal"), "p‹U+0430›ypal");
        assert_eq!(terminal("a\u{7}\u{9b}b\n"), "a‹U+009B›b\n");
        assert_eq!(markdown("p\u{1b}\u{430}ypal"), "p‹U+0430›ypal");
        assert_eq!(code("p\u{1b}\u{430}ypal"), "`p‹U+0430›ypal`");
    }

    #[test]
    fn nearest_finds_typos_and_short_forms_only() {
        let names = ["backend-feature-implementer", "backend-cli-implementer", "backend-datatypes"];
        assert_eq!(nearest("backend-fature-implementer", names), Some("backend-feature-implementer"));
        assert_eq!(nearest("datatypes", names), Some("backend-datatypes"));
        assert_eq!(nearest("zebra", names), None);
    }

    #[test]
    fn a_fence_holds_whatever_is_inside() {
        for (hostile, fence) in [
            ("a\n   ````\nb\n```\n## Heading", "`````\n"),
            // Without the character that is not shown it would close the block.
            ("a\n``\0`\n## Heading", "````\n"),
            ("a\n`\u{1b}`\u{7}`\n## Heading", "````\n"),
        ] {
            let block = fenced(hostile, "");
            assert!(block.starts_with(fence), "{block}");
            let headings = Parser::new(&block).filter(|event| matches!(event, Event::Start(Tag::Heading { .. })));
            assert_eq!(headings.count(), 0, "{block:?}");
        }
    }

    #[test]
    fn routes_stay_readable_and_what_github_would_link_is_broken() {
        insta::assert_snapshot!(markdown("PATCH /api/users/:id (v1.2) - done!"), @"PATCH /api/users/:id (v1.2) - done!");
        for hostile in ["@team", "#12", "GH-12", "gh-7", "https://x.example", "www.x.example", "see :tada: now"] {
            let escaped = markdown(hostile);
            assert!(escaped.contains('\u{200c}'), "{escaped}");
        }
    }

    #[test]
    fn pipes_do_not_end_a_cell() {
        let row = format!("| a | b |\n|---|---|\n| {} | {} |\n", cell(&markdown("x|y")), cell(&code("x|y")));
        let cells: Vec<_> = Parser::new_ext(&row, Options::ENABLE_TABLES)
            .filter_map(|event| match event {
                Event::Text(text) | Event::Code(text) => Some(text.into_string()),
                _ => None,
            })
            .collect();
        assert_eq!(cells.join(" "), "a b x |y x|y");
    }

    #[test]
    fn what_is_not_what_it_looks_like_is_found() {
        for (text, found) in [
            ("src/**", None),
            ("src/导出/*.py", None),
            ("док/файл.md", None),
            ("src/\u{200b}x", Some(4)),
            ("s\u{441}rc/**", Some(1)),
            ("pytest \u{2013}q", Some(7)),
            ("a\u{e0041}", Some(1)),
            ("sr\u{ad}c", Some(2)),
        ] {
            assert_eq!(deceptive(text).map(|(at, _)| at), found, "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn escaped_text_has_no_structure(text in "[ -~äß\n\t]{0,60}") {
            let line = format!("- x {}\n", markdown(&text));
            for event in Parser::new_ext(&line, Options::all()) {
                match event {
                    Event::Start(Tag::List(_) | Tag::Item | Tag::Paragraph) | Event::End(_) | Event::Text(_) => {}
                    other => proptest::prop_assert!(false, "{other:?} in {line:?}"),
                }
            }
        }

        #[test]
        fn code_spans_hold_their_text(text in "[ -~]{1,40}") {
            let events: Vec<_> = Parser::new(&format!("x {} y", code(&text))).map(|event| matches!(event, Event::Code(_))).collect();
            proptest::prop_assert_eq!(events.iter().filter(|is_code| **is_code).count(), 1);
        }
    }
}
