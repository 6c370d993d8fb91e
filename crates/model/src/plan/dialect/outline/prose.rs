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
    let paths = mentions::changed_outside_code(&format!("{text}\n{detail}"));
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

/// Characters of a value that says something about the plan itself: a name, a date, a version.
const VALUE_CHARS: usize = 60;

/// Tells whether a block says something about the plan itself, as `- **Owner**: Ada` does, or has no item.
///
/// A list of short values behind labels is so as a whole where most of them are known for such, whatever the others are.
pub(super) fn is_metadata(block: &Block) -> bool {
    let pairs: Vec<Option<(&str, &str)>> = match block {
        Block::Table { rows, .. } => rows
            .iter()
            .map(|row| match row.cells.as_slice() {
                [label, value] => Some((label.as_str(), value.as_str())),
                _ => None,
            })
            .collect(),
        Block::List { items } => items
            .iter()
            .map(|item| {
                let is_plain = item.blocks.is_empty() && item.number.is_none() && !item.boxed;
                item.line.text.split_once([':', '：']).filter(|_| is_plain)
            })
            .collect(),
        // A step that is counted in bold is work.
        Block::Paragraph { line, .. } => return !headings::leads_a_part(line),
        _ => return true,
    };
    let Some(pairs) = pairs.into_iter().collect::<Option<Vec<_>>>() else { return false };
    let known = pairs.iter().filter(|(label, value)| is_label(label) || is_datum(value)).count();
    let all_known = pairs.iter().all(|(label, _)| is_label(label));
    let may_be = |(label, value): &(&str, &str)| {
        let is_short = label.split_whitespace().count() <= 4 && value.chars().count() <= VALUE_CHARS;
        let asks = domains::text_asks(value) || domains::asks_elsewhere(value) || domains::states_a_duty(value);
        !asks && (is_label(label) || is_short && domains::role(&domains::normal(label)).is_none())
    };
    all_known || (known * 2 > pairs.len() && pairs.iter().all(may_be))
}

/// Tells whether a value is a date, an address, a number of an issue or a version.
fn is_datum(value: &str) -> bool {
    let value = value.trim_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '_' | '`' | '[' | ']'));
    let is_date = value.len() <= 12
        && value.matches(['-', '.', '/']).count() == 2
        && value.bytes().filter(u8::is_ascii_digit).count() >= 6;
    let number = value.trim_start_matches(['#', 'v', '!']);
    let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    is_date || is_number || value.starts_with("http")
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

/// Tells whether a label says something about the plan itself: by one of its words, where it has few.
fn is_label(label: &str) -> bool {
    const WHOLE: &str = "decision makers|superseded by|story points|fix version|created|updated|version|labels|feature|input|\
         prerequisites|last updated|consulted|informed|type|spec|priority|estimate|effort|sprint|epic|component|components|\
         category|tags|branch|target branch|base branch|repo|repository|project|product|area|language|model|session|generated|\
         generated by|prepared by|created by|written by|approved by|planner|duration|start|end|scope|squad|size|complexity|\
         risk level|risk|confidence|target|kind|id|jira|links|link|related|replaces|supersedes|stand|datum|autor|autorin|\
         verantwortlich|aufwand|priorität|fassung|fecha|estado|autores|responsable|prioridad|versión|auteur|auteurs|statut|\
         priorité|échéance|data|autore|stato|priorità|responsável|versão|作者|日期|状态|负责人|版本|优先级|日付|担当|担当者|作成者|作成日|\
         ステータス|優先度|バージョン";
    const WORDS: &str = "date|author|authors|owner|owners|status|issue|issues|ticket|tickets|pr|prs|mr|release|deadline|due|\
         reviewer|reviewers|approver|approvers|deciders|decider|assignee|assignees|reporter|stakeholder|stakeholders|team|contact|\
         milestone|eta|maintainer|maintainers|sponsor|champion|dri|lead";
    let label = domains::normal(label);
    let mut words = label.split(' ').peekable();
    let is_short = label.split(' ').count() <= 3;
    domains::holds(WHOLE, &label)
        || WHOLE.split('|').any(|known| known.trim_start() == label)
        || (is_short && words.any(|word| domains::holds(WORDS, word)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::blocks;

    #[test]
    fn a_list_of_labels_is_about_the_plan_as_a_whole() {
        for (text, expected) in [
            ("- Start date: 2025-02-01\n- Authors: J. Doe\n- Status: accepted", true),
            ("- RFC PR: #12\n- Target release: 2.3\n- Tracking: none yet", true),
            ("- Datum: 1.2.2025\n- Autorin: Ada", true),
            ("| Owner | Ada |\n|---|---|\n| Status | draft |\n| Date | 1.2.2025 |\n| Runtime | Python 3.12 |", true),
            ("- Status: accepted\n- CLI: list orders", false),
            ("- Timeout: 30 seconds\n- Retries: three", false),
            (
                "- Status: add a column to the table\n- Owner: must be shown\n- Colour: red\n- Size: big\n- Form: round",
                false,
            ),
            ("- Owner: Ada\n- Add the table", false),
            ("- [ ] Owner: Ada", false),
        ] {
            let document = blocks::read(text, 0..text.len());
            assert_eq!(document.blocks.iter().all(is_metadata), expected, "{text}");
        }
    }
}
