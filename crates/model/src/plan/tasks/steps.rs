//! Steps that are counted in bold, and labels that say whose the list below them is.

use std::ops::Range;

use super::{Body, Label, found_directive, list_label, names_files};
use crate::plan::{
    blocks::{Block, Item},
    domains::{self, Fixed},
    draft::{Who, Word},
    headings,
    inline::Line,
    items, mentions, owners, waits,
};

impl Body<'_, '_> {
    /// Tells whether a paragraph is a step that is written in bold: `**Step 1: Write the test**`. One that is nothing but a
    /// label for the list behind it is none.
    pub(super) fn is_step(&self, line: &Line, range: &Range<usize>, before_list: bool) -> bool {
        let raw = self.source.text[range.clone()].trim();
        let labels_list =
            || before_list && !self.rules.bodies_follow && !raw.contains('\n') && list_label(raw).is_some();
        self.rules.may_be_foreign() && self.aside.is_none() && headings::leads_a_part(line) && !labels_list()
    }

    /// Finds the paragraphs that ask for something of their own although they stand beside items: a text behind a label in
    /// bold, "**Testing.** Write golden-file tests", and a sentence that neither leads nor introduces a list.
    pub(super) fn asking_beside(&self, blocks: &[Block]) -> Vec<usize> {
        let rules = self.rules;
        if !rules.may_be_foreign() || rules.bodies_follow || rules.only_boxes || self.marks_work || self.aside.is_some()
        {
            return Vec::new();
        }
        let solid: Vec<usize> = (0..blocks.len()).filter(|at| !matches!(blocks[*at], Block::Other)).collect();
        let line_at = |at: usize| match solid.get(at).and_then(|at| blocks.get(*at)) {
            Some(Block::Paragraph { line, .. }) => Some(line),
            _ => None,
        };
        let is_list = |at: usize| matches!(solid.get(at).and_then(|at| blocks.get(*at)), Some(Block::List { .. }));
        let leads = |at: usize| is_list(at + 1);
        let labelled: Vec<usize> = (0..solid.len())
            .filter(|at| {
                let is_label = |line: &Line| self.asks_behind_label(line) && !line.text.trim_end().ends_with(':');
                line_at(*at).is_some_and(is_label)
            })
            .collect();
        let has_list = solid.iter().any(|at| matches!(blocks[*at], Block::List { .. } | Block::Table { .. }));
        // A single label in a text only marks a word.
        if !has_list && labelled.len() < 2 {
            return Vec::new();
        }
        let first_list = (0..solid.len()).find(|at| is_list(*at)).unwrap_or(0);
        let asks = |at: &usize| {
            let Some(line) = line_at(*at).filter(|line| line.strong == 0) else { return false };
            // What stands before the first list introduces it, unless that list has a lead of its own.
            let is_lead = line_at(at + 1).is_some_and(|next| next.text.trim_end().ends_with(':')) && leads(at + 1);
            let stands_alone = *at > first_list || is_lead || !has_list;
            let written = &self.source.text[line.range.clone()];
            stands_alone
                && !leads(*at)
                && !line.text.trim_end().ends_with(':')
                && domains::begins_asking(&line.text)
                && !self.says_of_task(written)
        };
        (0..solid.len()).filter(|at| labelled.contains(at) || asks(at)).map(|at| solid[at]).collect()
    }

    /// Tells whether a paragraph begins with a label in bold behind which something is asked for.
    fn asks_behind_label(&self, line: &Line) -> bool {
        let (Some(lead), Some(behind)) = (line.text.get(..line.strong), line.text.get(line.strong..)) else {
            return false;
        };
        let label = lead.trim_end_matches(['.', ':', ' ']);
        let text = behind.trim_start_matches(['.', ':', '–', '—', '-', ' ']);
        // "**Redis** is used for …" speaks of it, and a label ends in a mark.
        let is_label = label.len() < lead.len() || behind.trim_start().starts_with([':', '.', '–', '—']);
        let phrase = domains::normal(label);
        let is_open = matches!(domains::fixed(&phrase), None | Some(Fixed::Frame | Fixed::CrossCutting));
        let asks = domains::begins_asking(text) || domains::text_asks(text) || domains::asks_elsewhere(text);
        is_label
            && is_open
            && text.contains(' ')
            && !label.is_empty()
            && !lead.contains('?')
            && (asks || domains::role(&phrase).is_some())
            && !self.says_of_task(&line.text)
    }

    /// Tells whether a line says something of all of the task: who does it, what it waits for, its files.
    fn says_of_task(&self, raw: &str) -> bool {
        found_directive(raw).is_some()
            || names_files(raw)
            || waits::statement(raw).is_some()
            || owners::assigned(raw, self.roster).is_some()
            || super::set_aside(raw).is_some()
    }

    pub(super) fn step(&mut self, range: &Range<usize>, line: &Line, group: Option<&str>) {
        let mut step = items::from_text(&line.text, line.strong, range.clone(), self.rules, self.source);
        step.group = group.map(str::to_owned);
        // "**2. Commands** (backend-cli-implementer) …"
        let (lead, behind) = line.text.split_at(line.strong);
        let bracket = behind.trim_start().strip_prefix('(').and_then(|inner| inner.split_once(')'));
        let label = format!("{lead} {}", bracket.map_or("", |(inner, _)| inner));
        step.who = headings::split_subagent(&label, self.roster).map(|(who, _)| who).or_else(|| {
            let role = domains::role(&domains::normal(headings::uncounted(lead).trim_end_matches(['.', ':'])))?;
            Who::of_role(role, self.roster)
        });
        step.keys.extend(headings::code(lead));
        self.task.requirements.push(step);
    }

    /// Takes a list that is indented below a step in bold: it says more about the step.
    pub(super) fn below_step(&mut self, items: &[Item], step: usize) {
        for item in items {
            self.said(item);
        }
        let Some(text) = self.list_text(items) else { return };
        let waited: Vec<Word> = items
            .iter()
            .filter(|item| waits::is_no_work(&item.line.text))
            .flat_map(|item| {
                let at = self.source.position(item.range.start);
                waits::of_line(&item.line.text).into_iter().map(move |text| Word { text, at })
            })
            .collect();
        self.add_text(&text, Some(step));
        if let Some(step) = self.task.requirements.get_mut(step) {
            step.needs.extend(waited);
        }
    }

    /// Takes text that is no item: it belongs to the step before it, or to all of the task.
    pub(super) fn note(&mut self, range: Range<usize>, bearer: Option<usize>) {
        let text = self.source.visible(range, self.comments);
        self.add_text(text.trim_matches('\n').trim_end(), bearer);
    }

    pub(super) fn add_text(&mut self, text: &str, bearer: Option<usize>) {
        match bearer.and_then(|at| self.task.requirements.get_mut(at)) {
            Some(step) if !text.is_empty() => {
                if !step.detail.is_empty() {
                    step.detail.push_str("\n\n");
                }
                step.detail.push_str(text);
                if !self.rules.bodies_follow {
                    step.paths.extend(mentions::changed_outside_code(text));
                }
            }
            _ => self.task.add_note(text),
        }
    }

    /// Gives the requirements that came in behind the first `before` the name that their label has in the plan.
    pub(super) fn call(&mut self, before: usize, name: Option<String>) {
        if let (Some(name), Some(made)) = (name, self.task.requirements.get_mut(before..)) {
            made.iter_mut().for_each(|made| made.keys.push(name.clone()));
        }
    }

    /// Takes a list whose label names a subagent or paths: they are those of its items. Returns the label of any other list.
    pub(super) fn named_label(
        &mut self,
        label: Option<Label>,
        items: &[Item],
        group: Option<&str>,
    ) -> Option<Option<Label>> {
        let name = match &label {
            Some(Label::Group(name)) if self.rules.lenient && self.aside.is_none() => name,
            _ => return Some(label),
        };
        let paths = mentions::paths(name);
        let (who, name) = match headings::split_subagent(name, self.roster) {
            Some((who, name)) => (Some(who), name),
            None if paths.is_empty() => return Some(label),
            None => (None, name.clone()),
        };
        let before = self.task.requirements.len();
        let name = Some(name.as_str()).filter(|name| !name.is_empty());
        let group: Vec<&str> = group.into_iter().chain(name).collect();
        self.items(items, Some(group.join(": ").as_str()).filter(|group| !group.is_empty()));
        for made in &mut self.task.requirements[before..] {
            made.who.clone_from(&who);
            made.paths.extend(paths.iter().cloned());
        }
        None
    }
}

/// Finds what the label before a list is called by: "**B1. Period calculator**" is `b1`.
pub(super) fn code_before(blocks: &[Block], list: usize) -> Option<String> {
    match list.checked_sub(1).and_then(|before| blocks.get(before)) {
        Some(Block::Paragraph { line, .. }) if line.strong > 0 => headings::code(&line.text),
        _ => None,
    }
}

/// Tells whether a block is a list that says more about the step before it.
pub(super) fn is_below_step(blocks: &[Block], list: usize, asking: &[usize], source: &str) -> bool {
    let Some(before) = list.checked_sub(1) else { return false };
    let is_step = match &blocks[before] {
        Block::Paragraph { line, .. } => {
            asking.contains(&before) || (headings::leads_a_part(line) && line.strong < line.text.len())
        }
        _ => false,
    };
    is_step && is_detail(blocks, list, source)
}

/// Tells whether a block is a list that is indented, so that it says more about the text above it.
fn is_detail(blocks: &[Block], at: usize, source: &str) -> bool {
    let Some(Block::List { items }) = blocks.get(at) else { return false };
    let indent = |item: &Item| {
        let begin = source[..item.range.start].rfind('\n').map_or(0, |at| at + 1);
        source[begin..].len() - source[begin..].trim_start_matches(' ').len()
    };
    items.first().is_some_and(|item| indent(item) >= 2 && !item.boxed && !item.is_group())
}
