//! Markers of lists that Markdown does not know: `•`, `a)`, `（1）`, `①`, `1、`, `Step 1:`, `☐`.
//!
//! They are replaced by markers that it knows, byte for byte, so that every place stays where it is.

use std::borrow::Cow;

/// Signs that people write in place of a marker. The later ones are boxes and ticks, too.
const SIGNS: [&str; 29] = [
    "•", "◦", "▪", "▫", "‣", "⁃", "●", "○", "■", "□", "►", "▸", "➤", "➢", "·", "・", "–", "−", "☐", "☑", "☒", "⬜",
    "🔲", "✅", "✔", "✓", "▢", "◻", "⏳",
];

/// The longest number that Markdown takes for the marker of a list.
const DIGITS_MAX: usize = 9;
/// The most blanks between a marker and its text; more would be code.
const BLANKS_MAX: usize = 4;

/// The kinds of markers: one alone may be anything, two are a list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sign,
    Number,
    Letter,
    Counted,
    Meaning,
    /// A number with which Markdown begins no list behind a line of text, since it is not 1.
    Continued,
}

const KINDS: [Kind; 6] = [Kind::Sign, Kind::Number, Kind::Letter, Kind::Counted, Kind::Meaning, Kind::Continued];

struct Found {
    kind: Kind,
    at: usize,
    len: usize,
}

/// Returns `text` with markers that Markdown knows in place of those that it does not.
pub(super) fn masked(text: &str) -> Cow<'_, str> {
    let found = find(text);
    let is_list = |kind: Kind| {
        let mut ours = found.iter().filter(|found| found.kind == kind);
        match kind {
            Kind::Letter => {
                let is = |found: Option<&Found>, letter: u8| {
                    found.is_some_and(|found| text.as_bytes()[found.at].eq_ignore_ascii_case(&letter))
                };
                is(ours.next(), b'a') && is(ours.next(), b'b')
            }
            Kind::Continued => ours.next().is_some(),
            _ => ours.nth(1).is_some(),
        }
    };
    let lists: Vec<Kind> = KINDS.into_iter().filter(|kind| is_list(*kind)).collect();
    let mut masked: Option<String> = None;
    let mut from = 0;
    for found in found.iter().filter(|found| lists.contains(&found.kind)) {
        let end = found.at + found.len;
        let made = match found.kind {
            // The items behind it go on with the same sign.
            Kind::Continued => Some(format!("{:0>len$}{}", 1, &text[end - 1..end], len = found.len - 1)),
            _ => marker(found, text[end..].starts_with(' ')),
        };
        let Some(marker) = made else { continue };
        let out = masked.get_or_insert_with(|| String::with_capacity(text.len()));
        out.push_str(&text[from..found.at]);
        out.push_str(&marker);
        from = end;
    }
    match masked {
        Some(mut out) => {
            out.push_str(&text[from..]);
            Cow::Owned(out)
        }
        None => Cow::Borrowed(text),
    }
}

/// Makes a marker of the same length. Every number is 1: only a list that begins with it may follow a line of text.
fn marker(found: &Found, blank_follows: bool) -> Option<String> {
    if matches!(found.kind, Kind::Sign | Kind::Meaning) && found.len <= BLANKS_MAX {
        return Some(format!("-{}", " ".repeat(found.len - 1)));
    }
    let own_blank = usize::from(!blank_follows);
    let digits = found.len.checked_sub(1 + own_blank)?.min(DIGITS_MAX);
    let blanks = found.len - digits - 1;
    (digits > 0 && blanks < BLANKS_MAX + own_blank).then(|| format!("{:0>digits$}){}", 1, " ".repeat(blanks)))
}

/// Finds the markers outside of code.
fn find(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let mut fence: Option<&str> = None;
    let mut before = "";
    let mut at = 0;
    for raw in text.split_inclusive('\n') {
        let is_outermost = !raw.starts_with([' ', '\t', '>']);
        let line = raw.trim_start_matches([' ', '\t', '>']);
        let start = at + raw.len() - line.len();
        at += raw.len();
        let trimmed = line.trim_end();
        if let Some(mark) = fence {
            if trimmed.starts_with(mark)
                && trimmed
                    .trim_start_matches(mark.chars().next().expect("invariant: a fence has a character"))
                    .is_empty()
            {
                fence = None;
            }
        } else if let Some(mark) = ["```", "~~~"].into_iter().find(|mark| trimmed.starts_with(mark)) {
            let len = trimmed.bytes().take_while(|byte| *byte == mark.as_bytes()[0]).count();
            fence = Some(&trimmed[..len]);
        } else if let Some(len) = continued(trimmed, before).filter(|_| is_outermost) {
            found.push(Found { kind: Kind::Continued, at: start, len });
        } else if let Some((kind, len)) = kind(trimmed, before) {
            found.push(Found { kind, at: start, len });
        } else if before_is_counted(&found, start, before) && is_marked(trimmed) {
            // "Step 1: Storage" above a list is a heading of it.
            found.pop();
        }
        before = trimmed;
    }
    found
}

fn before_is_counted(found: &[Found], start: usize, before: &str) -> bool {
    found.last().is_some_and(|last| last.kind == Kind::Counted && last.at + before.len() < start) && !before.is_empty()
}

fn is_marked(line: &str) -> bool {
    line.starts_with(['-', '*', '+', '•']) || line.starts_with(|c: char| c.is_ascii_digit())
}

/// Tells which marker a line begins with, and how long it is.
fn kind(line: &str, before: &str) -> Option<(Kind, usize)> {
    if let Some(sign) = SIGNS.iter().find(|sign| line.starts_with(**sign)) {
        let rest = line[sign.len()..].trim_start_matches('\u{fe0f}');
        let len = line.len() - rest.len();
        return (!rest.trim().is_empty()).then_some((Kind::Sign, len));
    }
    let mut chars = line.chars();
    let (first, second) = (chars.next()?, chars.next()?);
    if first == ':' && second == ' ' && !before.is_empty() {
        return Some((Kind::Meaning, 1));
    }
    if first.is_ascii_alphabetic() && second == ')' && chars.next() == Some(' ') {
        return Some((Kind::Letter, 2));
    }
    if matches!(first, '①'..='⑳') {
        return Some((Kind::Number, first.len_utf8()));
    }
    numbered(line).map(|len| (Kind::Number, len)).or_else(|| Some((Kind::Counted, counted(line)?)))
}

/// Measures `7. ` and `7) ` behind a line that heads a list.
fn continued(line: &str, before: &str) -> Option<usize> {
    let is_item = ["- ", "* ", "+ ", "#"].iter().any(|mark| before.starts_with(mark))
        || before.starts_with(|c: char| c.is_ascii_digit());
    let heads = !is_item && (before.trim_end_matches(['*', '_', ' ']).ends_with([':', '：']) || before.ends_with("**"));
    let digits = line.find(|c: char| !c.is_ascii_digit()).filter(|end| (1..=3).contains(end))?;
    let is_marker = line[digits..].starts_with(['.', ')']) && line[digits + 1..].starts_with(' ');
    (heads && is_marker && line[..digits].parse() != Ok(1_u16)).then_some(digits + 1)
}

/// Measures `(1)`, `（1）`, `1、`, `１．`, `一、`.
fn numbered(line: &str) -> Option<usize> {
    let open = line.strip_prefix(['(', '（']);
    let inner = open.unwrap_or(line);
    let is_digit = |c: char| c.is_ascii_digit() || ('０'..='９').contains(&c) || "一二三四五六七八九十".contains(c);
    let digits = inner.find(|c: char| !is_digit(c)).filter(|end| *end > 0 && inner[..*end].chars().count() <= 3)?;
    let behind = inner[digits..].chars().next()?;
    let closes = if open.is_some() { matches!(behind, ')' | '）') } else { matches!(behind, '、' | '．' | '）') };
    let len = line.len() - inner.len() + digits + behind.len_utf8();
    (closes && !line[len..].trim().is_empty()).then_some(len)
}

/// Measures `Step 1:`, `Task 2 -` and `步骤 1：`.
fn counted(line: &str) -> Option<usize> {
    const WORDS: [&str; 10] =
        ["Step ", "step ", "Task ", "task ", "STEP ", "Schritt ", "Paso ", "Étape ", "步骤", "ステップ"];
    let rest = WORDS.iter().find_map(|word| line.strip_prefix(word))?.trim_start();
    let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|end| (1..=3).contains(end))?;
    let behind = &rest[digits..];
    let text = [":", "：", ".", " -", " –", " —", ")"].iter().find_map(|mark| behind.strip_prefix(mark))?;
    (text.starts_with([' ', '\t']) || behind.starts_with('：')).then(|| line.len() - text.len())
}
