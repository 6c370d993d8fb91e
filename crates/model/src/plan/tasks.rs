//! What stands below a task's heading: requirements, notes and directives.

use std::ops::Range;

use crate::{
    gate::GateKind,
    plan::{
        AcceptanceCriterion, VerificationCommand,
        blocks::{Block, Item},
        directives::{self, Directive},
        domains::{self, Fixed},
        draft::TaskDraft,
        items,
        markdown::criteria,
        source::{Problems, Source},
        verification,
    },
};

/// Reads the body of a task's section.
pub(super) struct Body<'r, 's> {
    pub(super) source: &'r Source<'s>,
    pub(super) comments: &'r [Range<usize>],
    pub(super) problems: &'r mut Problems<'s>,
    pub(super) task: &'r mut TaskDraft,
    pub(super) verification: &'r mut Vec<VerificationCommand>,
    pub(super) acceptance: &'r mut Vec<AcceptanceCriterion>,
    /// Whether lists are only there to be read, because the heading says so.
    pub(super) is_aside: bool,
}

/// What a line before a list makes of the list.
enum Label {
    /// Its items are the values of a directive that stands at this offset.
    Directive(Directive, usize),
    /// Its items are no work, as the label says.
    Fixed(Fixed),
    /// Its items have this in common.
    Group(String),
}

impl Body<'_, '_> {
    /// Reads blocks; `group` goes before the text of every requirement.
    pub(super) fn read(&mut self, blocks: &[Block], group: Option<&str>) {
        let mut label: Option<Label> = None;
        for (index, block) in blocks.iter().enumerate() {
            if let Block::List { items } = block {
                let taken = label.take();
                self.list(items, taken, group, block);
                continue;
            }
            if matches!(block, Block::Other) {
                continue;
            }
            self.unused(label.take().as_ref());
            match block {
                Block::Paragraph { range, .. } => {
                    let before_list = matches!(blocks.get(index + 1), Some(Block::List { .. }));
                    label = self.paragraph(range, before_list);
                }
                Block::Code { range, .. } | Block::Text { range } => self.note(range.clone()),
                Block::Heading { .. } | Block::List { .. } | Block::Other => {}
            }
        }
        self.unused(label.as_ref());
    }

    /// Tells of a directive that nothing followed.
    fn unused(&mut self, label: Option<&Label>) {
        if let Some(&Label::Directive(directive, offset)) = label {
            self.problems.warning(
                "empty-directive",
                self.source.position(offset),
                format!("`{}:` names nothing", directive.name()),
                "name something behind it or in a list below it, or leave it out",
            );
        }
    }

    fn note(&mut self, range: Range<usize>) {
        let text = self.source.visible(range, self.comments);
        self.task.add_note(text.trim_matches('\n').trim_end());
    }

    /// Reads a paragraph line by line; returns what its last line makes of a list behind it.
    fn paragraph(&mut self, range: &Range<usize>, before_list: bool) -> Option<Label> {
        let text = &self.source.text[range.clone()];
        let mut offset = range.start;
        let mut kept = range.start..range.start;
        let mut notes: Vec<String> = Vec::new();
        let mut label = None;
        let mut lines = text.split_inclusive('\n').peekable();
        while let Some(raw) = lines.next() {
            let start = offset;
            offset += raw.len();
            let Some((directive, rest)) = found_directive(raw) else {
                kept.end = offset;
                continue;
            };
            notes.push(self.source.visible(kept.clone(), self.comments));
            let value_start = start + rest;
            // A value goes on over the line's end behind a comma.
            while self.source.text[..offset].trim_end().ends_with(',') && offset > value_start {
                let Some(more) = lines.next_if(|next| found_directive(next).is_none()) else { break };
                offset += more.len();
            }
            kept = offset..offset;
            label = self.directive(directive, start, value_start..offset, lines.peek().is_none());
        }
        notes.push(self.source.visible(kept.clone(), self.comments));
        if before_list && label.is_none() && kept.start < kept.end {
            let last = self.source.text[kept.clone()].trim_end();
            let begin = kept.start + last.rfind('\n').map_or(0, |at| at + 1);
            label = list_label(&self.source.text[begin..kept.start + last.len()]);
            if matches!(label, Some(Label::Group(_))) && !self.is_aside && begin == kept.start {
                // The label goes into the items and would only be repeated.
                notes.pop();
            }
        }
        self.task.add_note(notes.concat().trim());
        label
    }

    /// Takes the value of a directive; without one, a list behind it gives the values.
    fn directive(&mut self, directive: Directive, at: usize, value: Range<usize>, is_last: bool) -> Option<Label> {
        let text = &self.source.text[value.clone()];
        if text.trim().is_empty() {
            let label = Label::Directive(directive, at);
            if is_last {
                return Some(label);
            }
            self.unused(Some(&label));
            return None;
        }
        let words = directives::words(text, value.start, directive, self.source);
        directive.add_to(self.task, words);
        None
    }

    fn list(&mut self, items: &[Item], label: Option<Label>, group: Option<&str>, block: &Block) {
        match label {
            None if self.is_aside => self.aside(items),
            None => self.items(items, group),
            Some(Label::Group(_)) if self.is_aside => self.aside(items),
            Some(Label::Group(name)) => {
                let joined = match (group, name.as_str()) {
                    (Some(group), "") => Some(group.to_owned()),
                    (Some(group), name) => Some(format!("{group}: {name}")),
                    (None, "") => None,
                    (None, name) => Some(name.to_owned()),
                };
                self.items(items, joined.as_deref());
            }
            Some(Label::Directive(directive, _)) => {
                for item in items {
                    self.values(item, directive);
                }
            }
            Some(Label::Fixed(fixed)) => self.fixed(fixed, std::slice::from_ref(block), items),
        }
    }

    /// Takes a list that a label keeps from being work.
    fn fixed(&mut self, fixed: Fixed, blocks: &[Block], items: &[Item]) {
        if let Fixed::Verification(gate) = fixed {
            let mut reader = verification::Reader {
                source: self.source,
                problems: self.problems,
                commands: self.verification,
                seen: 0,
            };
            reader.blocks(blocks, gate.unwrap_or(GateKind::Tests));
            return;
        }
        if fixed == Fixed::Acceptance {
            self.acceptance.extend(criteria(blocks, self.source));
        }
        // The subagent is to know them too.
        self.note_list(items);
    }

    /// Takes a list of a section that is no work: a directive counts, everything else is a note.
    fn aside(&mut self, items: &[Item]) {
        let is_directive = |item: &Item| found_directive(&self.source.text[item.line.range.clone()]).is_some();
        let runs: Vec<&[Item]> = items.chunk_by(|one, next| is_directive(one) == is_directive(next)).collect();
        let are_directives: Vec<bool> = runs.iter().map(|run| run.first().is_some_and(is_directive)).collect();
        for (run, are_directives) in runs.into_iter().zip(are_directives) {
            if are_directives { self.items(run, None) } else { self.note_list(run) }
        }
    }

    fn note_list(&mut self, items: &[Item]) {
        if let (Some(first), Some(last)) = (items.first(), items.last()) {
            let line_start = self.source.text[..first.range.start].rfind('\n').map_or(0, |at| at + 1);
            let text = self.source.visible(line_start..last.range.end, self.comments);
            self.task.add_note(&items::dedent(&text));
        }
    }

    fn items(&mut self, items: &[Item], group: Option<&str>) {
        for item in items {
            let raw = &self.source.text[item.line.range.clone()];
            if let Some((directive, rest)) = found_directive(raw) {
                let value = item.line.range.start + rest..item.line.range.end;
                let words = directives::words(&self.source.text[value.clone()], value.start, directive, self.source);
                let is_empty = self.source.text[value].trim().is_empty();
                directive.add_to(self.task, words);
                let nested = lists(&item.blocks);
                if is_empty && nested.is_empty() {
                    self.unused(Some(&Label::Directive(directive, item.range.start)));
                }
                for item in nested {
                    self.values(item, directive);
                }
                continue;
            }
            match item_label(item) {
                Some(fixed) => self.fixed(fixed, &item.blocks, std::slice::from_ref(item)),
                None => self.task.requirements.extend(items::requirement(item, group, self.source, self.comments)),
            }
        }
    }

    fn values(&mut self, item: &Item, directive: Directive) {
        let range = item.line.range.clone();
        let words = directives::words(&self.source.text[range.clone()], range.start, directive, self.source);
        directive.add_to(self.task, words);
    }
}

/// Returns the items of the lists among blocks.
fn lists(blocks: &[Block]) -> Vec<&Item> {
    blocks
        .iter()
        .filter_map(|block| match block {
            Block::List { items } => Some(items),
            _ => None,
        })
        .flatten()
        .collect()
}

/// Finds a directive at the beginning of a line, and where its value begins.
fn found_directive(raw: &str) -> Option<(Directive, usize)> {
    let (label, rest) = directives::split_label(raw)?;
    Some((directives::directive(&label)?, rest))
}

/// Finds what an item that only heads a list says about that list, when it keeps it from being work.
fn item_label(item: &Item) -> Option<Fixed> {
    // Labels are short; most items are not looked at.
    let label = Some(item.line.text.trim_end_matches(':')).filter(|label| label.len() <= 40)?;
    if lists(&item.blocks).is_empty() {
        return None;
    }
    domains::fixed(&domains::normal(label)).filter(|fixed| matches!(fixed, Fixed::Acceptance | Fixed::Aside))
}

/// Finds what the line before a list says about the list.
fn list_label(line: &str) -> Option<Label> {
    let raw = line.trim();
    let bare = raw.trim_matches(|c: char| matches!(c, '*' | '_') || c.is_whitespace());
    let is_strong =
        ["**", "__"].iter().any(|mark| raw.starts_with(mark)) && raw.trim_end_matches(':').ends_with(['*', '_']);
    if !(bare.ends_with(':') || is_strong) {
        return None;
    }
    let name = bare.trim_end_matches([':', '*', '_']).trim();
    match domains::fixed(&domains::normal(name)) {
        // "Requirements:" says nothing that the items do not.
        Some(Fixed::Frame) => Some(Label::Group(String::new())),
        Some(fixed) => Some(Label::Fixed(fixed)),
        None if is_strong && name.chars().count() <= 80 => Some(Label::Group(name.to_owned())),
        None => None,
    }
}

/// Tells whether the line before a list says that its items are only there to be read.
pub(super) fn labels_aside(line: &str) -> bool {
    matches!(list_label(line), Some(Label::Fixed(Fixed::Aside)))
}
