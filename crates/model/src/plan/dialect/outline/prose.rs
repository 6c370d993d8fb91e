//! Text that belongs to no item: when it is work, and how it is shown.

use std::ops::Range;

use crate::plan::{
    blocks::Block,
    domains,
    draft::{RequirementDraft, TaskDraft},
    headings, mentions,
    source::Source,
};

/// Characters of a paragraph that still goes into the line of a requirement.
const LINE_CHARS: usize = 300;

/// Makes a requirement of a task's text when it has no item.
pub(in crate::plan) fn prose_is_work(task: &mut TaskDraft) {
    if !task.requirements.is_empty() || (task.notes.is_empty() && !task.is_heading) {
        return;
    }
    let notes = std::mem::take(&mut task.notes);
    let is_text = |part: &str| !part.starts_with("```") && !part.starts_with(['|', '#', '>', '~', '-', ' ', '\t']);
    let asks = |part: &&str| {
        is_text(part) && (domains::may_ask(part) || domains::states_a_duty(part) || domains::asks_elsewhere(part))
    };
    let mut parts = notes.split("\n\n").peekable();
    let first = *parts.peek().expect("invariant: a text that is split has a first part");
    // "**Why:** …" may stand above what is asked for.
    let is_labelled = first.starts_with("**") && !notes.contains("```") && !notes.contains("~~~");
    let first = if is_labelled { parts.find(asks).unwrap_or(first) } else { first };
    let names_itself = task.title.is_empty()
        || domains::role(&domains::normal(&task.title)).is_some()
        || task.who.as_ref().is_some_and(|who| who.name.as_str() == task.title);
    let is_line = is_text(first);
    let line = || first.split_whitespace().collect::<Vec<_>>().join(" ");
    let rest = || notes.replacen(first, "", 1).replace("\n\n\n\n", "\n\n").trim().to_owned();
    let (text, detail) = if names_itself && is_line {
        (line(), rest())
    } else if is_line && says_nothing(&task.title) && is_statement(first) {
        // "Docs" alone says nothing to whoever sees only the line.
        (format!("{}: {}", task.title, line()), rest())
    } else {
        (task.title.clone(), notes)
    };
    if task.title.is_empty() {
        "Tasks".clone_into(&mut task.title);
    }
    let range = 0..0;
    let paths = mentions::paths_outside_code(&format!("{text}\n{detail}"));
    let is_prose = true;
    task.requirements.push(RequirementDraft {
        at: task.at,
        text,
        detail,
        range,
        paths,
        is_prose,
        ..RequirementDraft::default()
    });
}

/// Tells whether a heading is a word or three that ask for nothing.
fn says_nothing(title: &str) -> bool {
    title.split_whitespace().count() <= 3 && !domains::asks(title) && !domains::asks_elsewhere(title)
}

/// Tells whether a paragraph says something by itself, in a line or two, and neither labels nor leads what follows.
fn is_statement(paragraph: &str) -> bool {
    let count = paragraph.chars().count();
    (1..=LINE_CHARS).contains(&count) && !paragraph.starts_with("**") && !paragraph.ends_with([':', '：'])
}

pub(super) fn has_boxes(block: &Block) -> bool {
    matches!(block, Block::List { items } if items.iter().any(|item| item.boxed || item.is_group()))
}

/// Tells whether a block says something about the plan itself, as `- **Owner**: Ada` does, or has no item.
pub(super) fn is_metadata(block: &Block) -> bool {
    if let Block::Table { rows, .. } = block {
        return rows.iter().all(|row| row.cells.len() == 2 && row.cells.first().is_some_and(|label| is_label(label)));
    }
    let Block::List { items } = block else {
        return !matches!(block, Block::Paragraph { line, .. } if headings::leads_a_part(line));
    };
    items.iter().all(|item| {
        let label = item.line.text.split_once(':').map(|(label, _)| label.trim());
        item.blocks.is_empty() && item.number.is_none() && label.is_some_and(is_label)
    })
}

/// Returns a stretch of the source for people: without comments, and without the rules that divide it from what follows.
pub(super) fn prose(source: &Source<'_>, range: Range<usize>, comments: &[Range<usize>]) -> String {
    let visible = source.visible(range, comments);
    let mut text = visible.trim();
    while let Some((before, last)) = text.rsplit_once('\n')
        && last.len() >= 3
        && ["-", "*", "_"].iter().any(|mark| last.replace([' ', '\t'], "").chars().all(|c| mark.contains(c)))
        && before.ends_with('\n')
    {
        text = before.trim_end();
    }
    if matches!(text, "---" | "***" | "___") { String::new() } else { text.to_owned() }
}

/// Tells whether a label says something about the plan itself.
fn is_label(label: &str) -> bool {
    const LABELS: [&str; 38] = [
        "deciders",
        "decision makers",
        "consulted",
        "informed",
        "supersedes",
        "superseded by",
        "tags",
        "category",
        "reporter",
        "assignee",
        "sprint",
        "story points",
        "component",
        "components",
        "fix version",
        "due",
        "owner",
        "author",
        "date",
        "status",
        "created",
        "updated",
        "version",
        "priority",
        "issue",
        "ticket",
        "branch",
        "estimate",
        "effort",
        "epic",
        "spec",
        "type",
        "labels",
        "reviewer",
        "feature",
        "input",
        "prerequisites",
        "last updated",
    ];
    LABELS.contains(&domains::normal(label).as_str())
}
