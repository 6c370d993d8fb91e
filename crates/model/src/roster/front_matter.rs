//! The front matter of an agent file: strict YAML where it is, and a reading line by line where it is not.
//!
//! Agent programs have never asked for strict YAML, so files in the wild hold an unquoted `description:` with `: ` in it,
//! `<example>` tags over many lines, tabs and typographic quotes. What they load must load here.

use std::collections::HashMap;

use serde_json::Value;

use super::keys;
use crate::{
    diagnostics::Position,
    yaml::{self, YamlError},
};

/// An agent file taken apart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Document<'a> {
    /// The keys and values of the front matter, in the order of the file; empty when there is none.
    pub(super) entries: Vec<Entry>,
    /// What stands below the front matter.
    pub(super) body: &'a str,
    /// What was found at the top.
    pub(super) form: Form,
}

/// What stands at the top of an agent file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// Front matter in strict YAML.
    Strict,
    /// Front matter that had to be read line by line, and why YAML refused it.
    Lenient(YamlError),
    /// A line `---` that opens front matter which no other one closes.
    Unclosed,
    /// No front matter.
    Absent,
}

/// One key of the front matter.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) value: Value,
    /// Where the key stands in the file.
    pub(super) position: Position,
}

/// Keys of agent files that are also ordinary words, with which a line of a description may begin.
const DESCRIPTION_WORDS: [&str; 6] = ["examples", "emoji", "icon", "prompt", "type", "display_name"];

/// Takes an agent file apart. Never fails: whatever is no front matter is body.
pub(super) fn read(text: &str) -> Document<'_> {
    let Some((front, first_line, body)) = split(text) else {
        let form = if opens(text) { Form::Unclosed } else { Form::Absent };
        return Document { entries: Vec::new(), body: text, form };
    };
    match strict(front, first_line) {
        Ok(entries) => Document { entries, body, form: Form::Strict },
        Err(mut error) => {
            if let Some(position) = &mut error.position {
                position.line = position.line.saturating_add(first_line - 1);
            }
            Document { entries: lenient(front, first_line), body, form: Form::Lenient(error) }
        }
    }
}

fn is_fence(line: &str) -> bool {
    line.trim_end() == "---"
}

fn opens(text: &str) -> bool {
    text.lines().find(|line| !line.trim().is_empty()).is_some_and(is_fence)
}

/// Splits off the front matter: its text, the number of its first line, and the body.
fn split(text: &str) -> Option<(&str, u32, &str)> {
    let mut offset = 0;
    let mut start = None;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let end = offset + line.len();
        match start {
            None if is_fence(line) => start = Some((end, u32::try_from(index + 2).unwrap_or(u32::MAX))),
            None if line.trim().is_empty() => {}
            None => return None,
            Some((from, first_line)) if is_fence(line) => return Some((&text[from..offset], first_line, &text[end..])),
            Some(_) => {}
        }
        offset = end;
    }
    None
}

/// Reads front matter as YAML.
fn strict(front: &str, first_line: u32) -> Result<Vec<Entry>, YamlError> {
    let map = yaml::mapping(front)?;
    let mut lines = HashMap::new();
    for (n, line) in front.lines().enumerate() {
        if let Some((key, _)) = key_of(line) {
            lines.entry(key).or_insert(n);
        }
    }
    let mut entries: Vec<_> = map
        .into_iter()
        .map(|(key, value)| {
            let line = lines.get(key.as_str()).copied().unwrap_or(0);
            Entry { key, value, position: line_position(first_line, line) }
        })
        .collect();
    entries.sort_by_key(|entry| entry.position);
    Ok(entries)
}

fn line_position(first_line: u32, index: usize) -> Position {
    Position { line: first_line.saturating_add(u32::try_from(index).unwrap_or(u32::MAX)), column: 1 }
}

/// Reads front matter as lines `key: value`, each with the lines that continue it.
fn lenient(front: &str, first_line: u32) -> Vec<Entry> {
    let lines: Vec<&str> = front.lines().collect();
    let in_example = lines_in_examples(&lines);
    let mut starts: Vec<(&str, usize)> = Vec::new();
    for (n, line) in lines.iter().enumerate() {
        // An indented line continues; but when everything is indented, the first key may be as well.
        let candidate = if starts.is_empty() { line.trim_start() } else { line };
        let Some((key, spaced)) = key_of(candidate) else { continue };
        // In a description that spans lines only a key that some program knows ends it: examples hold lines such as
        // `user: "…"`.
        let another_spelling = keys::is_limit_in_another_spelling(key);
        let known = another_spelling || (keys::is_known(key) && !DESCRIPTION_WORDS.contains(&key));
        let in_description = starts.last().is_some_and(|(key, _)| *key == "description");
        if !in_example[n] && (known || (spaced && !in_description)) {
            starts.push((key, n));
        }
    }
    let ends = starts.iter().skip(1).map(|(_, n)| *n).chain([lines.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(&(key, from), to)| Entry {
            key: key.to_owned(),
            value: entry_value(key, &lines[from..to]),
            position: line_position(first_line, from),
        })
        .collect()
}

/// Marks the lines that stand between `<example>` and its end: nothing in there is a key.
fn lines_in_examples(lines: &[&str]) -> Vec<bool> {
    let mut marks = vec![false; lines.len()];
    let mut open: Option<usize> = None;
    for (n, line) in lines.iter().enumerate() {
        let opened = line.rfind("<example");
        let closed = line.rfind("</example");
        if closed.is_some()
            && let Some(from) = open.take()
        {
            marks[from + 1..=n].fill(true);
        }
        if opened.is_some() && opened > closed && open.is_none() {
            open = Some(n);
        }
    }
    marks
}

/// Returns the key that a line begins with, and whether a space or nothing follows its colon as YAML wants.
fn key_of(line: &str) -> Option<(&str, bool)> {
    let (key, rest) = line.split_once(':')?;
    let key = key.trim_end();
    let key = key.strip_prefix('"').and_then(|key| key.strip_suffix('"')).unwrap_or(key);
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    (key.starts_with(|c: char| c.is_ascii_alphabetic()) && key.chars().all(word))
        .then(|| (key, rest.is_empty() || rest.starts_with(char::is_whitespace)))
}

/// Reads the lines of one entry: as YAML when they are, else as text.
fn entry_value(key: &str, lines: &[&str]) -> Value {
    if let Ok(mut map) = yaml::mapping(&lines.join("\n"))
        && map.len() == 1
        && let Some(value) = map.remove(key)
    {
        return value;
    }
    text_value(lines)
}

/// Reads the lines of one entry without YAML: a block, a list, or text.
fn text_value(lines: &[&str]) -> Value {
    let Some((first, more)) = lines.split_first() else { return Value::Null };
    let first = first.split_once(':').map_or("", |(_, value)| value).trim();
    if first.starts_with(['|', '>']) && first.len() <= 3 {
        return Value::String(block(first.starts_with('>'), more));
    }
    let filled = || more.iter().map(|line| line.trim()).filter(|line| !line.is_empty());
    if first.is_empty() && filled().next().is_some() && filled().all(|line| line.starts_with("- ") || line == "-") {
        let items = filled().map(|line| Value::String(unquote(line.trim_start_matches('-')).to_owned()));
        return Value::Array(items.collect());
    }
    let joined = std::iter::once(first).chain(more.iter().map(|line| line.trim())).collect::<Vec<_>>().join("\n");
    let joined = joined.trim();
    if let Some(inner) = joined.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return Value::Array(split_list(inner).into_iter().map(Value::String).collect());
    }
    if joined.is_empty() { Value::Null } else { Value::String(unquote(joined).to_owned()) }
}

/// Reads a block scalar: the common indentation goes, and a folded one joins its lines.
fn block(folded: bool, lines: &[&str]) -> String {
    let indent = |line: &str| line.bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let common = lines.iter().filter(|line| !line.trim().is_empty()).map(|line| indent(line)).min().unwrap_or(0);
    let dedented = lines.iter().map(|line| line.get(common..).unwrap_or_default().trim_end());
    let text = dedented.collect::<Vec<_>>().join("\n");
    let text = text.trim();
    if !folded {
        return text.to_owned();
    }
    let paragraphs = text.split("\n\n").map(|paragraph| paragraph.replace('\n', " "));
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

/// Takes one pair of quotes off a text, typographic ones too.
pub(super) fn unquote(text: &str) -> &str {
    let text = text.trim();
    [('"', '"'), ('\'', '\''), ('“', '”'), ('‘', '’'), ('„', '“'), ('«', '»'), ('`', '`')]
        .iter()
        .find_map(|&(open, close)| {
            let inner = text.strip_prefix(open)?.strip_suffix(close)?;
            (!inner.contains([open, close])).then_some(inner.trim())
        })
        .unwrap_or(text)
}

/// Splits a list at its commas, but for those inside brackets or quotes: `Read, Bash(git log:*, git show:*)` is two
/// items.
pub(super) fn split_list(text: &str) -> Vec<String> {
    let mut items = vec![String::new()];
    let (mut depth, mut quote) = (0_usize, None);
    for c in text.chars() {
        let begins = items.last().is_none_or(|item| item.trim().is_empty());
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) if depth == 0 && begins => quote = Some(c),
            ('(' | '{' | '[', None) => depth += 1,
            (')' | '}' | ']', None) => depth = depth.saturating_sub(1),
            (',' | '\n', None) if depth == 0 => {
                items.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(item) = items.last_mut() {
            item.push(c);
        }
    }
    items.iter().map(|item| unquote(item).to_owned()).filter(|item| !item.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn both(front: &str) -> (Vec<Entry>, Vec<Entry>) {
        (strict(front, 2).unwrap(), lenient(front, 2))
    }

    #[test]
    fn entries_know_their_lines_in_both_readings() {
        let (strict, lenient) = both("name: a\n\ntools:\n  - Read\nmodel: opus\n");
        assert_eq!(strict, lenient);
        let lines: Vec<_> = strict.iter().map(|entry| (entry.key.as_str(), entry.position.line)).collect();
        assert_eq!(lines, [("name", 2), ("tools", 4), ("model", 6)]);
    }

    #[test]
    fn the_first_of_two_keys_comes_first() {
        assert!(strict("a: 1\na: 2\n", 2).is_err());
        let values: Vec<_> = lenient("a: 1\na: 2\n", 2).into_iter().map(|entry| entry.value).collect();
        assert_eq!(values, [Value::from(1), Value::from(2)]);
    }

    #[test]
    fn an_example_that_never_ends_hides_nothing() {
        let keys: Vec<_> = lenient("description: x: <example>\nuser: y\nmodel: opus\n", 2)
            .into_iter()
            .map(|entry| entry.key)
            .collect();
        assert_eq!(keys, ["description", "model"]);
    }

    #[test]
    fn only_a_closed_fence_is_front_matter() {
        assert_eq!(split("---\na: 1\n---\nbody"), Some(("a: 1\n", 2, "body")));
        assert_eq!(split("\n\n--- \r\na: 1\r\n---\r\nbody"), Some(("a: 1\r\n", 4, "body")));
        assert_eq!(split("---\n---"), Some(("", 2, "")));
        assert_eq!(split("---\na: 1\n"), None);
        assert_eq!(split("text\n---\na: 1\n---\n"), None);
        assert_eq!(split("----\na: 1\n----\n"), None);
    }

    proptest! {
        #[test]
        fn simple_values_read_as_text_are_what_yaml_says(
            value in "[A-Za-z][A-Za-z0-9_.()-]{0,10}( [A-Za-z0-9_.()-]{1,8}){0,5}",
            quote in prop::sample::select(vec!["", "'", "\""]),
            items in prop::collection::vec("[A-Za-z][A-Za-z0-9_]{0,8}", 1..4),
        ) {
            // YAML has words of its own for these.
            let special = |word: &str| ["true", "false", "null", "yes", "no", "on", "off"].contains(&word.to_lowercase().as_str());
            prop_assume!(!special(&value) && !items.iter().any(|item| special(item)));
            let line = format!("key: {quote}{value}{quote}");
            prop_assert_eq!(&text_value(&[&line]), &strict(&line, 1).unwrap()[0].value);
            let flow = format!("key: [{}]", items.join(", "));
            prop_assert_eq!(&text_value(&[&flow]), &strict(&flow, 1).unwrap()[0].value);
            let block: Vec<String> = items.iter().map(|item| format!("  - {item}")).collect();
            let lines: Vec<&str> = ["key:"].into_iter().chain(block.iter().map(String::as_str)).collect();
            prop_assert_eq!(&text_value(&lines), &strict(&lines.join("\n"), 1).unwrap()[0].value);
        }

        #[test]
        fn no_text_makes_reading_panic(text in "(?s)(---\n)?.{0,200}(\n---\n)?") {
            read(&text);
        }
    }
}
