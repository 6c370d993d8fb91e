//! What a line or an item says about the list below it.

use crate::plan::{
    accounting::Reason,
    blocks::{Item, nested},
    commands,
    dialect::status::{self, State},
    directives::{self, Directive},
    domains::{self, Fixed},
    headings, items, mentions, waits,
};

/// What a line before a list makes of the list.
pub(super) enum Label {
    /// Its items are the values of a directive that stands at this offset.
    Directive(Directive, usize),
    /// Its items are no work, as the label says.
    Fixed(Fixed, String),
    /// Its items have this in common.
    Group(String),
}

/// Finds a directive at the beginning of a line, and where its value begins.
pub(super) fn found_directive(raw: &str) -> Option<(Directive, usize)> {
    let (label, rest) = directives::split_label(raw)?;
    Some((directives::directive(&label)?, rest))
}

/// Tells whether a line says which files it is about: `**File:** src/a.py`.
pub(super) fn names_files(raw: &str) -> bool {
    const LABELS: [&str; 12] = [
        "file",
        "files",
        "create",
        "modify",
        "update",
        "edit",
        "path",
        "paths",
        "location",
        "target",
        "target files",
        "test",
    ];
    // "**Test:** `pytest tests/test_a.py`" says what is run.
    let is_command = |rest: &str| commands::looks_like_one(rest.trim_start_matches(['`', '*', '_', ' ']));
    directives::split_label(raw)
        .is_some_and(|(label, at)| LABELS.contains(&domains::normal(&label).as_str()) && !is_command(&raw[at..]))
}

/// Tells whether an item only says which files the others are about: `**Files**: src/a.py, src/b.py`.
pub(super) fn only_names_files(raw: &str) -> bool {
    const LABELS: [&str; 8] = ["file", "files", "path", "paths", "location", "文件", "ファイル", "dateien"];
    let raw = raw.replace('：', ":");
    directives::split_label(&raw).is_some_and(|(label, at)| {
        LABELS.contains(&domains::normal(&label).as_str())
            && !mentions::paths(raw.get(at..).unwrap_or_default()).is_empty()
    })
}

/// Finds what an item that only heads a list says about that list, when it keeps it from being work.
pub(super) fn item_label(item: &Item) -> Option<Fixed> {
    // Labels are short; most items are not looked at.
    let label = Some(item.line.text.trim_end_matches(':')).filter(|label| label.len() <= 40 && !item.boxed)?;
    nested(&item.blocks).next()?;
    let fixed = domains::fixed(&domains::normal(label));
    fixed.filter(|fixed| matches!(fixed, Fixed::Acceptance | Fixed::Aside(_) | Fixed::Frame) && !item.is_group())
}

/// Finds the label of an item that says what the items beside it are for: `**Objective**: reach the badge`.
pub(super) fn says_why(item: &Item) -> Option<String> {
    const WORDS: &str =
        "objective|goal|purpose|rationale|why|context|background|motivation|ziel|objetivo|objectif|目标|目的";
    let (label, rest) = item.line.text.split_once([':', '：'])?;
    let label = label.trim_matches(['*', '_', ' ']);
    let says = !item.boxed && item.blocks.is_empty() && !rest.trim().is_empty();
    (says && domains::holds(WORDS, &domains::normal(label))).then(|| label.to_owned())
}

/// Tells whether an item only says something about the others, as `Estimate: 1 d` and `Owner: tom` do.
pub(super) fn is_attribute(item: &Item) -> bool {
    const LABELS: &str = "estimate|estimated effort|estimation|est|effort|owner|owners|assignee|assigned to|assignees|responsible|dri|priority|prio|\
         points|story points|sp|size|t shirt size|complexity|risk|risk level|due|due date|deadline|eta|duration|time|reviewer|reviewers|\
         labels|label|tags|epic|sprint|jira|ticket|issue|milestone|confidence|parallel|parallelizable|status|aufwand|schätzung|\
         verantwortlich|priorität|fällig|responsable|priorité|effort estimé|estimación|prioridad|responsável|stima|priorità";
    let Some((label, value)) = item.line.text.split_once([':', '：']) else { return false };
    let value = value.trim();
    let is_plain = !item.boxed && item.number.is_none() && item.blocks.is_empty();
    is_plain
        && domains::holds(LABELS, &domains::normal(label))
        && (1..=40).contains(&value.chars().count())
        && value.split_whitespace().count() <= 5
        && !domains::text_asks(value)
        && !domains::begins_asking(value)
}

/// Finds what the line before a list says about the list.
pub(super) fn list_label(line: &str) -> Option<Label> {
    let colons = line.trim().replace('：', ":");
    // Signs before it only decorate it: "🔧 **Storage**".
    let raw = colons.trim_start_matches(|c: char| c.is_whitespace() || (!c.is_ascii() && !c.is_alphanumeric()));
    let bare = raw.trim_matches(|c: char| matches!(c, '*' | '_') || c.is_whitespace());
    let is_strong = is_strong_label(raw);
    if !(bare.ends_with(':') || is_strong) {
        return None;
    }
    let name = match raw.strip_prefix("**").and_then(|inner| inner.split_once("**")) {
        Some((name, behind)) if is_strong => format!("{}{}", headings::uncounted(name.trim_end_matches(':')), behind),
        _ => headings::uncounted(bare.trim_end_matches([':', '*', '_'])).to_owned(),
    };
    let name = name.trim_end_matches([':', '*', '_']).trim();
    // "Blocked by:" heads no work.
    if waits::heads(name) && domains::role(&domains::normal(name)).is_none() {
        return Some(Label::Fixed(Fixed::Context, name.to_owned()));
    }
    // What stands in brackets only explains what is not to be done: "Won't (this time)".
    let before_bracket = || name.split_once(" (").and_then(|(before, _)| domains::fixed(&domains::normal(before)));
    let not_done = || before_bracket().filter(|fixed| matches!(fixed, Fixed::Aside(reason) if reason.forbids()));
    let put_off = || headings::postponed(name).map(Fixed::Aside);
    match domains::fixed(&domains::normal(name)).or_else(not_done).or_else(put_off) {
        // "Requirements:" says nothing that the items do not.
        Some(Fixed::Frame) => Some(Label::Group(String::new())),
        Some(
            fixed @ (Fixed::Verification(_) | Fixed::Acceptance | Fixed::Aside(_) | Fixed::Context | Fixed::Files),
        ) => Some(Label::Fixed(fixed, name.to_owned())),
        // "Tests:" says whose the items are, bold or not.
        _ if name.chars().count() <= 80 && (is_strong || domains::role(&domains::normal(name)).is_some()) => {
            Some(Label::Group(name.to_owned()))
        }
        _ => None,
    }
}

/// Tells whether a line is a label in bold. What stands behind it in brackets, or as a name behind a dash, belongs to it:
/// `**2. Commands** (backend-cli-implementer)`.
fn is_strong_label(raw: &str) -> bool {
    let Some(mark) = ["**", "__"].into_iter().find(|mark| raw.starts_with(mark)) else { return false };
    let raw = raw.trim_end_matches([':', ' ']);
    let behind = raw[mark.len()..].split_once(mark).map_or("", |(_, behind)| behind.trim());
    let is_bracket = behind.starts_with('(') && behind.ends_with(')');
    let name = behind.trim_start_matches(['-', '–', '—', '→', '>', ':', ' ', '`', '@']);
    let is_name = name.len() < behind.len() && name.contains('-') && !name.contains(char::is_whitespace);
    raw.ends_with(['*', '_']) || is_bracket || is_name
}

/// Tells whether the line before a list says that its items are only there to be read.
pub(in crate::plan) fn labels_aside(line: &str) -> bool {
    matches!(list_label(line), Some(Label::Fixed(Fixed::Aside(_) | Fixed::Context, _)))
}

/// Tells whether the line before a list says that the list is no work: criteria, commands, something to read.
pub(in crate::plan) fn labels_no_work(line: &str) -> bool {
    matches!(list_label(line.lines().last().unwrap_or_default()), Some(Label::Fixed(..)))
}

/// Finds in a paragraph that something is not to be done, behind a label or in a list that follows it: the label, and why.
pub(in crate::plan) fn forbidden(paragraph: &str) -> Option<(String, Reason)> {
    let first = paragraph.lines().next().unwrap_or_default();
    let found = match list_label(first) {
        Some(Label::Fixed(Fixed::Aside(reason), name)) => Some((name, reason)),
        Some(_) => None,
        None => set_aside(first).filter(|_| !items::is_struck(first)),
    };
    found.filter(|(_, reason)| reason.forbids())
}

/// Finds at the end of an item that it is dropped or put off: `Label the button — dropped`, `Export (deferred)`.
fn dropped(text: &str) -> Option<(String, Reason)> {
    let bracket = text.trim_end().strip_suffix(')').and_then(|inner| inner.rsplit_once(" ("));
    let (_, last) = bracket.or_else(|| [" — ", " – "].iter().find_map(|dash| text.rsplit_once(dash)))?;
    match status::state(last) {
        State::Aside(reason) if last.split_whitespace().count() == 1 => Some((last.to_owned(), reason)),
        _ => None,
    }
}

/// Finds what sets an item aside in its own text, that it is struck out or begins with such words as `Out of scope:`, and
/// why.
pub(super) fn set_aside(text: &str) -> Option<(String, Reason)> {
    if items::is_struck(text) {
        return Some(("Struck out".to_owned(), Reason::OutOfScope));
    }
    if let Some(found) = dropped(text) {
        return Some(found);
    }
    let (label, rest) = text.split_once([':', '：'])?;
    let label = label.trim_matches(['*', '_', ' ']);
    match domains::fixed(&domains::normal(label))? {
        Fixed::Aside(reason @ (Reason::OutOfScope | Reason::Deferred)) if !rest.trim().is_empty() => {
            Some((label.to_owned(), reason))
        }
        _ => None,
    }
}
