//! What a list item says: its id, its one line, and the Markdown below it.

use std::ops::Range;

use super::{
    blocks::{Block, Item, nested},
    division, domains,
    draft::{Part, RequirementDraft, Word},
    mentions,
    shape::Rules,
    source::Source,
    waits,
};

/// Letters which, with a number behind them, are the name of a thing or a priority rather than the id of a requirement.
const NOT_IDS: [&str; 30] = [
    "AES", "AMD", "ARM", "BASE", "CVE", "EC", "ES", "GPT", "H", "HS", "HTTP", "IPV", "ISO", "JAVA", "MD", "NODE", "P",
    "PHP", "Q", "RFC", "RS", "SHA", "TLS", "UTC", "UTF", "UUID", "V", "X", "PS", "TODO",
];

/// Names of that kind which are only taken whole, because their letters do begin ids.
const NOT_IDS_WHOLE: [&str; 3] = ["S3", "R53", "K8"];

/// Makes a requirement of an item, with the heading of its group before the text when there is one.
pub(super) fn requirement(
    item: &Item,
    group: Option<&str>,
    rules: Rules,
    source: &Source<'_>,
    comments: &[Range<usize>],
) -> Option<RequirementDraft> {
    let detail = detail(item, source, comments);
    let text = text_of(item)?;
    let mut draft = from_text(&text, item.line.strong, item.range.clone(), rules, source);
    draft.paths = mentions::changed(&format!("{text}\n{}", prose_of(item)));
    if mentions::changed(&text).is_empty() {
        add_parts(&mut draft.parts, nested(&item.blocks), source);
    }
    if rules.lenient {
        draft.needs.extend(detail_needs(item, source));
    }
    // What a list numbers is an order, and is known by its place.
    draft.keys.extend(item.number.map(|_| place(item.range.start)));
    draft.done = item.done;
    draft.detail = match item.optional {
        true => format!("The plan says that this may be left out.\n\n{detail}").trim_end().to_owned(),
        false => detail,
    };
    if let Some(group) = group {
        draft.under = division::domain_of_labels(group);
        draft.about = Some(std::mem::take(&mut draft.text));
        draft.text = format!("{group}: {}", draft.about.as_deref().unwrap_or_default());
    }
    Some(draft)
}

/// What a numbered item is called by among all items of the plan: where it stands.
pub(super) fn place(start: usize) -> String {
    format!("place {start}")
}

/// Makes a requirement of what an open box asks for beside the boxes below it: of its own line and the plain items there.
/// Traces such as `_Requirements: 1.2_` ask for nothing.
pub(super) fn beside_boxes(
    item: &Item,
    rules: Rules,
    source: &Source<'_>,
    comments: &[Range<usize>],
) -> Option<RequirementDraft> {
    let own: Vec<&Item> = item.own_details().into_iter().filter(|item| !is_trace(item, source)).collect();
    let text = text_of(item).filter(|_| !own.is_empty() && rules.lenient)?;
    let mut draft = from_text(&text, item.line.strong, item.line.range.clone(), rules, source);
    let written: Vec<String> =
        own.iter().map(|item| source.visible(item.range.clone(), comments).trim_end().to_owned()).collect();
    draft.paths = mentions::changed(
        &std::iter::once(text.as_str()).chain(written.iter().map(String::as_str)).collect::<Vec<_>>().join("\n"),
    );
    draft.detail = written.join("\n");
    if mentions::changed(&text).is_empty() {
        add_parts(&mut draft.parts, own, source);
    }
    Some(draft)
}

/// Tells whether an item only says where it comes from, as `_Requirements: 1.2_` does.
fn is_trace(item: &Item, source: &Source<'_>) -> bool {
    let written = source.text[item.line.range.clone()].trim();
    written.starts_with('_') && written.ends_with('_')
}

/// Collects the lines below an item that may ask for something. One that names no path is as many parts as lie below it.
fn add_parts<'i>(parts: &mut Vec<Part>, items: impl IntoIterator<Item = &'i Item>, source: &Source<'_>) {
    for item in items {
        let text = &item.line.text;
        let below: Vec<&Item> = nested(&item.blocks).collect();
        let own = mentions::changed(text);
        if own.is_empty() && !below.is_empty() {
            add_parts(parts, below, source);
        } else if !text.is_empty() && !is_trace(item, source) && !waits::is_no_work(text) {
            parts.push(Part { text: text.clone(), paths: mentions::changed(&format!("{text}\n{}", prose_of(item))) });
        }
    }
}

/// Makes a requirement of a line of text that lies at `range`: its id and marks are taken off.
pub(super) fn from_text(
    text: &str,
    strong: usize,
    range: Range<usize>,
    rules: Rules,
    source: &Source<'_>,
) -> RequirementDraft {
    let at = source.position(range.start);
    let mut draft = RequirementDraft { at, range: range.clone(), paths: mentions::changed(text), ..Default::default() };
    let place = |id: String| {
        let written = &source.text[range.clone()];
        let offset = written.find(&id).map_or(range.start, |within| range.start + within);
        Word { text: id, at: source.position(offset) }
    };
    let marked = if rules.numbers_are_ids { split_number_id(text) } else { None };
    match marked.or_else(|| split_id(text, strong)) {
        Some((id, rest)) => {
            draft.keys.push(domains::normal(&id));
            draft.keys.extend(id.contains('.').then(|| id.clone()));
            (draft.id, draft.text) = (Some(place(id)), rest);
        }
        None => text.clone_into(&mut draft.text),
    }
    for mark in ["[P]", "[p]", "[Parallel]"] {
        if let Some(rest) = draft.text.strip_prefix(mark) {
            draft.parallel = true;
            draft.text = rest.trim_start().to_owned();
        }
    }
    if rules.lenient
        && let Some(rest) =
            ["Task: ", "TASK: ", "TODO: ", "Todo: "].iter().find_map(|word| draft.text.strip_prefix(word))
    {
        draft.text = rest.trim_start().to_owned();
    }
    let needs = if rules.may_be_foreign() { waits::needs(text) } else { Vec::new() };
    draft.needs = needs.into_iter().map(|(_, text)| Word { text, at }).collect();
    draft
}

/// Finds what the lines below an item say that it waits for: a line that is nothing but that.
fn detail_needs(item: &Item, source: &Source<'_>) -> Vec<Word> {
    let lines = nested(&item.blocks).map(|item| &item.line).chain(item.blocks.iter().filter_map(|block| match block {
        Block::Paragraph { line, .. } => Some(line),
        _ => None,
    }));
    lines
        .flat_map(|line| {
            let at = source.position(line.range.start);
            waits::of_line(&line.text).into_iter().map(move |text| Word { text, at })
        })
        .collect()
}

/// Tells whether all that an item asks for is struck out: `~~Old thing~~ (dropped)`.
pub(super) fn is_struck(text: &str) -> bool {
    let rest = text.strip_prefix("~~").and_then(|inner| inner.split_once("~~")).map(|(_, rest)| rest.trim());
    // What begins like an item of its own stands in its place: `~~Coupons~~ Vouchers`.
    rest.is_some_and(|rest| {
        rest.is_empty()
            || rest.starts_with(['(', '-', '–', '—', '→', '.', ',', ':'])
            || rest.starts_with(char::is_lowercase)
    })
}

/// Returns the text of the paragraphs and items below an item, without its code blocks.
fn prose_of(item: &Item) -> String {
    let mut parts = Vec::new();
    collect_parts(&item.blocks, &mut parts);
    parts.join("\n")
}

/// Returns an item's own line, or the first text below it when it has none.
pub(super) fn text_of(item: &Item) -> Option<String> {
    if item.line.text.is_empty() { first_text(&item.blocks) } else { Some(item.line.text.clone()) }
}

/// Puts the cells of a row into one line.
pub(super) fn row_text(cells: &[String]) -> String {
    cells.iter().filter(|cell| !cell.is_empty()).cloned().collect::<Vec<_>>().join(" · ")
}

/// Splits the id of a planner's own numbering off an item: `T001 …`, `1.2 …`, `3. …`.
pub(super) fn split_number_id(text: &str) -> Option<(String, String)> {
    let text = text.trim_start();
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))).unwrap_or(text.len());
    let word = &text[..end];
    let id = word.trim_end_matches(['.', '-']);
    let rest = text[id.len()..].trim_start_matches(['.', ')', ':', '-', '–', '—', ' ']);
    let is_tag = id.starts_with(|c: char| c.is_ascii_uppercase())
        && is_tag(id)
        && id.bytes().filter(u8::is_ascii_digit).count() >= 2;
    let parts: Vec<&str> = id.split('.').collect();
    let is_number = parts.len() <= 5
        && parts.iter().all(|part| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()));
    // "409 after an hour" is no numbering; "3. Check" and "1.2 Check" are.
    let is_marked = parts.len() > 1 || text[id.len()..].starts_with(['.', ')', ':']);
    let is_id = (is_tag || (is_number && is_marked)) && !rest.is_empty() && rest.len() < text[id.len()..].len();
    is_id.then(|| (id.to_owned(), rest.to_owned()))
}

/// Splits a requirement's own id off its text.
///
/// The forms are those of `docs/plan.md`: `{#ID}` at the end takes any id; at the beginning stand `ID:`, `ID -`, `[ID]`,
/// `(ID)` or a strong `ID`, where the id is capital letters and a number, as in `R1`, `FEAT-2`, `REQ-1.2`.
pub(super) fn split_id(text: &str, strong: usize) -> Option<(String, String)> {
    if let Some((rest, id)) = split_braced_id(text) {
        return Some((id.to_owned(), rest.to_owned()));
    }
    let trim_mark = |rest: &str| rest.trim_start().trim_start_matches([':', '-', '–', '—']).trim_start().to_owned();
    let found = |id: &str, rest: &str| {
        let rest = trim_mark(rest);
        (is_tag(id) && !rest.is_empty()).then(|| (id.to_owned(), rest))
    };
    for (open, close) in [('[', ']'), ('(', ')')] {
        if let Some((id, rest)) = text.strip_prefix(open).and_then(|inner| inner.split_once(close)) {
            return found(id, rest);
        }
    }
    let lead = text.get(..strong).unwrap_or_default();
    if let Some(found) = found(lead.trim_matches(['[', ']', '(', ')', ':', '`', ' ']), text.get(strong..)?) {
        return Some(found);
    }
    let (word, rest) = text.split_at(text.find([':', ' '])?);
    // A link to an issue: "BIL-122 (https://…) Introduce `Money`".
    let address = rest.strip_prefix(" (").filter(|rest| rest.starts_with("http")).and_then(|rest| rest.split_once(')'));
    if let Some((_, rest)) = address {
        return found(word, rest);
    }
    let mark = rest.trim_start();
    let marked = rest.starts_with(':') || ["- ", "– ", "— "].iter().any(|dash| mark.starts_with(dash));
    if marked { found(word.trim_matches('`'), rest) } else { None }
}

/// Splits `{#id}` off the end of a heading or an item.
pub(super) fn split_braced_id(text: &str) -> Option<(&str, &str)> {
    let (rest, id) = text.trim_end().strip_suffix('}')?.rsplit_once("{#")?;
    (!id.contains(['{', '}'])).then(|| (rest.trim_end(), id.trim()))
}

/// Tells whether `word` is capital letters and a number, and not the name of something.
fn is_tag(word: &str) -> bool {
    let letters_end = word.find(|c: char| !c.is_ascii_uppercase()).unwrap_or(word.len());
    let (letters, number) = word.split_at(letters_end);
    let number = number.strip_prefix(['-', '_', '.']).unwrap_or(number);
    (1..=8).contains(&letters.len())
        && number.len() <= 12
        && number.split('.').all(|part| (1..=5).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
        && !NOT_IDS.contains(&letters)
        && !NOT_IDS_WHOLE.contains(&word)
}

/// Returns what lies below the item's first paragraph, as Markdown without the item's indentation.
pub(super) fn detail(item: &Item, source: &Source<'_>, comments: &[Range<usize>]) -> String {
    let start = if item.line.text.is_empty() { content_start(item, source) } else { item.line.range.end };
    if start >= item.range.end {
        return String::new();
    }
    let below = source.visible(start..item.range.end, comments);
    if item.line.text.is_empty() { dedent_behind_marker(&below) } else { dedent(&below) }
}

/// Finds where an item's content begins: behind its marker.
fn content_start(item: &Item, source: &Source<'_>) -> usize {
    let written = &source.text[item.range.clone()];
    let marker = written.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '-' | '*' | '+' | '.' | ')'));
    item.range.end - marker.len()
}

/// Takes the indentation that all lines have in common off every line, and the blank lines off both ends.
pub(super) fn dedent(text: &str) -> String {
    dedent_lines(text, 0)
}

/// Does the same to a text that begins in the middle of a line, so that its first line has no indentation to speak of.
pub(super) fn dedent_behind_marker(text: &str) -> String {
    dedent_lines(text, 1)
}

fn dedent_lines(text: &str, first: usize) -> String {
    let blank = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let lines = || text.lines().map(str::trim_end);
    let indent = lines().skip(first).filter(|line| !line.is_empty()).map(blank).min().unwrap_or(0);
    let mut dedented = String::with_capacity(text.len());
    for (index, line) in lines().enumerate() {
        dedented.push_str(if index < first { line.trim_start() } else { &line[blank(line).min(indent)..] });
        dedented.push('\n');
    }
    dedented.trim_start_matches('\n').trim_end().to_owned()
}

/// Returns the first text of an item that begins with a list or a code block and so has no line of its own.
fn first_text(blocks: &[Block]) -> Option<String> {
    let mut parts = Vec::new();
    collect_parts(blocks, &mut parts);
    let code = blocks.iter().filter_map(|block| match block {
        Block::Code { lines, .. } => lines.iter().map(|line| line.text.trim().to_owned()).find(|line| !line.is_empty()),
        _ => None,
    });
    parts.into_iter().filter(|part| !part.is_empty()).chain(code).next()
}

/// Puts an item with everything below it into one line, its parts divided by semicolons.
pub(super) fn one_line(item: &Item) -> String {
    let mut parts = vec![item.line.text.clone()];
    collect_parts(&item.blocks, &mut parts);
    parts.retain(|part| !part.is_empty());
    let mut line = String::new();
    for part in parts {
        if !line.is_empty() {
            line.push_str(if line.ends_with(':') { " " } else { "; " });
        }
        line.push_str(&part);
    }
    line
}

fn collect_parts(blocks: &[Block], parts: &mut Vec<String>) {
    for block in blocks {
        match block {
            Block::Paragraph { line, .. } => parts.push(line.text.clone()),
            Block::List { items } => {
                for item in items {
                    parts.push(item.line.text.clone());
                    collect_parts(&item.blocks, parts);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_split_off_and_names_of_things_are_not() {
        let split = |text: &str| split_id(text, 0).map(|(id, rest)| format!("{id} | {rest}"));
        for (text, expected) in [
            ("R1: do it", Some("R1 | do it")),
            ("FEAT-2: do it", Some("FEAT-2 | do it")),
            ("`REQ-1.2`: do it", Some("REQ-1.2 | do it")),
            ("[R1] do it", Some("R1 | do it")),
            ("(R1) do it", Some("R1 | do it")),
            ("[R1]: do it", Some("R1 | do it")),
            ("R1 — do it", Some("R1 | do it")),
            ("BIL-122 (https://linear.app/acme/issue/BIL-122) do it", Some("BIL-122 | do it")),
            ("do it {#users.patch_1}", Some("users.patch_1 | do it")),
            ("do it {#no good}", Some("no good | do it")),
            ("R1 do it", None),
            ("R1:", None),
            ("Note: do it", None),
            ("S3: a bucket", None),
            ("EC2: an instance", None),
            ("RFC-7396: merge patch", None),
            ("(P0) do it", None),
            ("SHA256: a digest", None),
            ("[link] text", None),
            ("GET /users/{id}", None),
            ("us-east-1: a region", None),
            ("", None),
        ] {
            assert_eq!(split(text).as_deref(), expected, "{text}");
        }
        assert_eq!(split_id("R1 do it", 2), Some(("R1".to_owned(), "do it".to_owned())));
        assert_eq!(split_id("R1: do it", 3), Some(("R1".to_owned(), "do it".to_owned())));
    }

    #[test]
    fn what_is_nested_loses_the_indentation_of_its_item() {
        assert_eq!(dedent("\n  - a\n    - b\n\n  c\n"), "- a\n  - b\n\nc");
        assert_eq!(dedent("a\n\n    b"), "a\n\n    b");
        assert_eq!(dedent_behind_marker("```\n  x\n  ```\n"), "```\nx\n```");
        assert_eq!(dedent("\n\n"), "");
    }
}
