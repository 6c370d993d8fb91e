//! What must hold in the end: items, scenarios, rows of tables and paragraphs.

use std::ops::Range;

use super::scenarios;
use crate::plan::{
    AcceptanceCriterion, VerificationCommand,
    accounting::{Fate, Placed, What},
    blocks::{Block, CodeLine, Item, Row, nested},
    dialect::status,
    domains,
    draft::RequirementDraft,
    items,
    source::Source,
};

/// What verifies the result: commands, criteria, and what only people or an agent can look at.
#[derive(Debug, Default)]
pub(in crate::plan) struct Checks {
    pub(in crate::plan) commands: Vec<VerificationCommand>,
    pub(in crate::plan) criteria: Vec<AcceptanceCriterion>,
    /// What is no command: work of the validation subagent.
    pub(in crate::plan) by_hand: Vec<RequirementDraft>,
    /// What became of which stretch of the text.
    pub(in crate::plan) placed: Vec<Placed>,
    /// Text of the section that is being read and that is none of these.
    pub(in crate::plan) left: Vec<Range<usize>>,
}

impl Checks {
    /// Takes items as acceptance criteria. The steps of a scenario are one.
    pub(in crate::plan) fn criteria<'i>(&mut self, items: impl IntoIterator<Item = &'i Item>, source: &Source<'_>) {
        self.criteria_of(&items.into_iter().collect::<Vec<_>>(), None, source);
    }

    /// Takes items as acceptance criteria; scenarios among them have this name.
    pub(super) fn criteria_of(&mut self, items: &[&Item], name: Option<&str>, source: &Source<'_>) {
        let lines: Vec<&str> =
            items.iter().map(|item| if item.is_group() { "" } else { item.line.text.as_str() }).collect();
        let mut rest = items;
        for len in scenarios::divided(&lines) {
            let (part, behind) = rest.split_at(len);
            rest = behind;
            match part {
                [item] => self.criterion_of(item, source),
                [first, .., last] => {
                    let steps: Vec<String> = part.iter().map(|item| items::one_line(item)).collect();
                    let name = name.map(|name| format!("{name}: ")).unwrap_or_default();
                    self.shown(format!("{name}{}", steps.join("; ")), first.range.start..last.range.end, source);
                }
                [] => {}
            }
        }
    }

    fn criterion_of(&mut self, item: &Item, source: &Source<'_>) {
        // Where boxes stand below an item, each is a criterion, and so is what stands beside it.
        if item.is_group() {
            let own = item.blocks.iter().filter_map(|block| match block {
                Block::Paragraph { line, .. } => Some(line.text.as_str()),
                _ => None,
            });
            let parts = std::iter::once(item.line.text.as_str()).chain(own).filter(|part| !part.is_empty());
            let text = parts.collect::<Vec<_>>().join("; ");
            if text.is_empty() {
                self.place(item.line.range.clone(), What::Said);
            } else {
                self.criterion(text, item.line.range.clone(), source);
            }
            let below: Vec<&Item> = nested(&item.blocks).collect();
            return self.criteria_of(&below, Some(&scenarios::name(&item.line.text)), source);
        }
        let text = items::one_line(item);
        if text.is_empty() {
            self.place(item.range.clone(), What::Said);
        } else {
            self.criterion(text, item.range.clone(), source);
        }
    }

    /// Takes one acceptance criterion.
    pub(in crate::plan) fn criterion(&mut self, text: String, range: Range<usize>, source: &Source<'_>) {
        self.criteria.push(AcceptanceCriterion { text, line: source.position(range.start).line });
        self.place(range, What::Item(Fate::Criterion));
    }

    /// Takes a criterion whose text is not the first line of where it stands.
    pub(in crate::plan) fn shown(&mut self, text: String, range: Range<usize>, source: &Source<'_>) {
        let line = source.position(range.start).line;
        let shown = Some((line, text.clone()));
        self.criteria.push(AcceptanceCriterion { text, line });
        self.placed.push(Placed { shown, ..Placed::new(range, What::Item(Fate::Criterion)) });
    }

    /// Leaves out commands that stand twice for the same gate. Of two gates each needs its own.
    pub(in crate::plan) fn without_repeats(&mut self) {
        let mut kept: Vec<VerificationCommand> = Vec::with_capacity(self.commands.len());
        for command in self.commands.drain(..) {
            if !kept.iter().any(|other| other.argv == command.argv && other.gate == command.gate) {
                kept.push(command);
            }
        }
        self.commands = kept;
    }

    /// Takes the rows of a table as criteria: without their numbers, and without how far each is.
    pub(super) fn rows(&mut self, head: &[String], rows: &[Row], source: &Source<'_>) {
        for row in rows.iter().filter(|row| row.cells.iter().any(|cell| !cell.is_empty())) {
            let is_number = |cell: &str| !cell.is_empty() && cell.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            let says = |(at, cell): &(usize, &String)| {
                !is_number(cell) && !head.get(*at).is_some_and(|head| status::is_status(head))
            };
            let said: Vec<String> = row.cells.iter().enumerate().filter(says).map(|(_, cell)| cell.clone()).collect();
            let text = Some(items::row_text(&said)).filter(|text| !text.is_empty());
            self.shown(text.unwrap_or_else(|| items::row_text(&row.cells)), row.range.clone(), source);
        }
    }

    /// Takes the scenarios of a code block; tells whether it has any.
    pub(super) fn scenarios(&mut self, info: Option<&str>, lines: &[CodeLine], source: &Source<'_>) -> bool {
        let found = scenarios::of_block(info, lines);
        let has_any = !found.is_empty();
        for scenario in found {
            let (Some(first), Some(last)) = (lines.get(scenario.first), lines.get(scenario.last)) else { continue };
            let end = (last.offset + last.text.len()).min(source.text.len());
            self.shown(scenario.text, first.offset..end, source);
        }
        has_any
    }

    pub(super) fn place(&mut self, range: Range<usize>, what: What) {
        self.placed.push(Placed::new(range, what));
    }
}

/// Tells whether the head of a column says that the cells below it are what must hold for each row.
pub(in crate::plan) fn is_for_criteria(head: &str) -> bool {
    const HEADS: &str = "criteria|criterion|exit criterion|accepted when|accept when|ready when|finished when|abnahme|kriterium|kriterien|critère|critères|criterio|criterios|critério|critérios|критерий|critério de aceite";
    let head = domains::normal(head);
    domains::holds(HEADS, &head) || domains::fixed(&head) == Some(domains::Fixed::Acceptance)
}
