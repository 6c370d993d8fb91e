//! Items that are only labels around work of different domains, so that what stands below them are the items.

use super::{
    blocks::{Block, Item, nested},
    domains::{self, Fixed},
    mentions,
};
use crate::{plan::accounting::Reason, roster::Role};

/// Words of a label; what has more says something itself.
const LABEL_WORDS: usize = 5;

/// Tells whether what stands below an item are items of their own: it is a label around work of different domains, or asks
/// for nothing that the lines below it do not ask of different subagents.
pub(super) fn divides(item: &Item) -> bool {
    !item.done && !item.is_group() && (divides_as_label(item) || divides_by_lines(item))
}

/// Tells whether an item is a label around labels that name domains, of which one is another's than the rest. What only frames
/// work asks for nothing itself, whatever stands below it: "Epic B".
fn divides_as_label(item: &Item) -> bool {
    const FRAMES: &str =
        "epic|area|team|track|stream|workstream|phase|stage|milestone|part|theme|group|block|paket|bereich|bloque";
    if !is_label(item) {
        return false;
    }
    let mut roles = Vec::new();
    let mut has_labels = false;
    nested(&item.blocks).for_each(|item| has_labels |= collect(item, None, &mut roles));
    let first = domains::normal(&item.line.text).split(' ').next().unwrap_or_default().to_owned();
    has_labels && (domains::holds(FRAMES, &first) || roles.iter().any(|role| Some(role) != roles.first()))
}

/// Collects the domains of what stands below an item as its labels name them; tells whether one names any.
fn collect(item: &Item, outer: Option<Role>, roles: &mut Vec<Option<Role>>) -> bool {
    if !is_label(item) || read_only(item).is_some() {
        roles.push(outer);
        return false;
    }
    let own = domain(&item.line.text);
    let mut found = own.is_some();
    nested(&item.blocks).for_each(|item| found |= collect(item, own.or(outer), roles));
    found
}

/// Tells whether every line below an item asks for something, and some in a tool or a place of another than the rest.
fn divides_by_lines(item: &Item) -> bool {
    let text = &item.line.text;
    if domains::role_of_words(text).is_some() || !mentions::changed(text).is_empty() {
        return false;
    }
    let lines: Vec<&Item> = lines(item).collect();
    let is_plain = |line: &&Item| {
        let text = &line.line.text;
        let asks = domains::text_asks(text) || domains::begins_asking(text) || domains::asks_elsewhere(text);
        line.blocks.is_empty() && !line.boxed && (asks || domains::role_of_place(text).is_some())
    };
    let roles = || lines.iter().map(|line| domains::role_of_place(&line.line.text));
    let first = roles().next().flatten();
    is_only_lists(item) && lines.len() > 1 && lines.iter().all(is_plain) && roles().any(|role| role != first)
}

/// Goes through the lines below an item that are no traces of where it comes from: `_Requirements: 1.2_`.
pub(super) fn lines(item: &Item) -> impl Iterator<Item = &Item> {
    nested(&item.blocks).filter(|line| !is_trace(line))
}

/// Tells whether a line below an item only says where that comes from.
pub(super) fn is_trace(line: &Item) -> bool {
    let text = line.line.text.trim_matches(['_', '*', ' ']);
    text.split_once(':').is_some_and(|(label, _)| {
        domains::holds("requirements|requirement|refs|ref|traces|validates", &domains::normal(label))
    })
}

fn is_only_lists(item: &Item) -> bool {
    item.blocks.iter().all(|block| matches!(block, Block::List { .. } | Block::Other))
}

/// Tells whether an item is a label for the list below it: a few words that ask for nothing.
pub(super) fn is_label(item: &Item) -> bool {
    let text = item.line.text.trim_end_matches(':');
    // "Carrier" looks like a Spanish verb, so only what is no English text is asked whether it has one.
    let asks =
        || domains::asks(text) || domains::begins_asking(text) || (!text.is_ascii() && domains::asks_elsewhere(text));
    !item.boxed
        && nested(&item.blocks).next().is_some()
        && is_only_lists(item)
        && text.split_whitespace().count() <= LABEL_WORDS
        && !text.ends_with(['.', '!', '?'])
        && (domain(text).is_some() || !asks())
        && mentions::paths(text).is_empty()
}

/// Finds that what stands below a label is there to be read, or that it is put off: by the label, or by all that is below it.
pub(super) fn read_only(item: &Item) -> Option<Reason> {
    match domains::fixed(&domains::normal(&item.line.text)) {
        Some(Fixed::Aside(reason)) => return Some(reason),
        Some(Fixed::Context | Fixed::Files) => return Some(Reason::Context),
        _ => {}
    }
    let mut below = nested(&item.blocks).peekable();
    below.peek()?;
    let put_off: Option<Vec<Reason>> = below.map(|line| in_brackets(&line.line.text)).collect();
    put_off.and_then(|reasons| reasons.first().copied())
}

/// Finds that a line says nothing but that something is put off: "(phase 2, not now)".
fn in_brackets(text: &str) -> Option<Reason> {
    let inner = text.trim().strip_prefix('(')?.strip_suffix(')')?;
    inner.split(',').find_map(|part| domains::puts_off(&domains::normal(part)))
}

/// Finds the domain that a label names, whose work may stand below it. Where something is only looked at, code that does so may
/// be meant.
fn domain(label: &str) -> Option<Role> {
    let phrase = domains::normal(label);
    let role = domains::role(&phrase).or_else(|| domains::role_of_title(&phrase))?;
    (!matches!(role, Role::Review | Role::Validation)).then_some(role)
}

/// Finds the domain of the innermost of some labels that names any: of "Epic A: Ops: Terraform".
pub(super) fn domain_of_labels(group: &str) -> Option<Role> {
    group.rsplit(": ").find_map(domain)
}
