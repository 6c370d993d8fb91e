//! What stands below a task's heading: requirements, notes, directives, lists of files.
mod beside;
mod checked;
mod labels;
mod lists;
mod parts;
mod steps;

use std::ops::Range;

use self::labels::{
    Label, found_directive, is_attribute, item_label, list_label, names_files, only_names_files, says_why, set_aside,
};
pub(super) use self::{
    beside::waited_for,
    labels::{forbidden, labels_aside, labels_no_work},
};
use crate::{
    gate::GateKind,
    plan::{
        accounting::{Placed, Reason, What},
        blocks::{Block, Item, nested},
        directives::{self, Directive},
        domains::Fixed,
        draft::TaskDraft,
        items, mentions, owners,
        shape::Rules,
        source::{Problems, Source},
        verification::{self, Checks},
    },
    roster::Roster,
};

pub(super) struct Body<'r, 's> {
    pub(super) source: &'r Source<'s>,
    pub(super) comments: &'r [Range<usize>],
    pub(super) roster: &'r Roster,
    pub(super) problems: &'r mut Problems<'s>,
    pub(super) rules: Rules,
    pub(super) task: &'r mut TaskDraft,
    pub(super) checks: &'r mut Checks,
    pub(super) placed: &'r mut Vec<Placed>,
    /// Why lists are only there to be read, when the heading says so, and the heading.
    pub(super) aside: Option<(Reason, String)>,
    /// Whether the work of the section that is being read has boxes.
    pub(super) marks_work: bool,
}

impl<'s> Body<'_, 's> {
    pub(super) fn read(&mut self, blocks: &[Block], group: Option<&str>) {
        let is_box = |item: &Item| item.boxed || item.is_group();
        self.marks_work = self.rules.lenient && nested(blocks).any(is_box);
        let mut label: Option<Label> = None;
        // The requirement that what follows it is the body of.
        let mut bearer: Option<usize> = None;
        let before_list = |index: usize| matches!(blocks.get(index + 1), Some(Block::List { .. }));
        let first = self.task.requirements.len();
        let asking = self.asking_beside(blocks);
        for (index, block) in blocks.iter().enumerate() {
            let before = self.task.requirements.len();
            if let Block::List { items } = block {
                if let Some(step) =
                    bearer.filter(|_| label.is_none() && steps::is_below_step(blocks, index, &asking, self.source.text))
                {
                    self.below_step(items, step);
                    continue;
                }
                let taken = label.take();
                self.list(items, taken, group);
                self.call(before, steps::code_before(blocks, index));
                bearer = self.bearer(before).or(bearer.filter(|_| self.rules.bodies_follow));
                continue;
            }
            if matches!(block, Block::Other) {
                continue;
            }
            self.unused(label.take().as_ref());
            match block {
                Block::Paragraph { range, line }
                    if asking.contains(&index) || self.is_step(line, range, before_list(index)) =>
                {
                    self.step(range, line, group);
                    bearer = self.task.requirements.len().checked_sub(1);
                }
                Block::Paragraph { range, line } => {
                    // What has a label of its own is no body of a step.
                    let bearer = bearer.filter(|_| self.rules.bodies_follow || line.strong == 0);
                    label = self.paragraph(range, before_list(index), bearer);
                }
                Block::Table { head, rows, range } => match self.aside.is_some() {
                    true => self.aside_range(range.clone()),
                    false => self.rows(head, rows, group),
                },
                Block::Code { range, .. } | Block::Text { range } => self.note(range.clone(), bearer),
                Block::Heading { .. } | Block::List { .. } | Block::Other => {}
            }
        }
        self.unused(label.as_ref());
        self.wait_by_number(first);
    }

    /// Returns the last requirement that came in behind the first `before`, where bodies follow their items.
    fn bearer(&self, before: usize) -> Option<usize> {
        let last = self.task.requirements.len().checked_sub(1)?;
        (self.rules.bodies_follow && last >= before).then_some(last)
    }

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

    /// Reads a paragraph line by line; returns what its last line makes of a list behind it.
    fn paragraph(&mut self, range: &Range<usize>, before_list: bool, bearer: Option<usize>) -> Option<Label> {
        let text = &self.source.text[range.clone()];
        let mut offset = range.start;
        let mut kept = range.start..range.start;
        let mut notes: Vec<String> = Vec::new();
        let mut label = None;
        let mut lines = text.split_inclusive('\n').peekable();
        while let Some(raw) = lines.next() {
            let start = offset;
            offset += raw.len();
            if self.rules.lenient && names_files(raw) {
                self.task.paths.extend(mentions::paths(raw));
            }
            if self.rules.may_be_foreign() {
                self.said_of_all(raw, start);
            }
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
            if matches!(label, Some(Label::Group(_))) && self.aside.is_none() && begin == kept.start {
                // The label goes into the items and would only be repeated.
                notes.pop();
            }
        }
        self.add_text(notes.concat().trim(), bearer);
        label
    }

    /// Takes what a line says of all of the task in the words of other planners: who does it, and what it waits for.
    fn said_of_all(&mut self, raw: &str, offset: usize) {
        if let Some(who) = owners::assigned(raw, self.roster).filter(|_| self.rules.lenient) {
            self.task.assigned = Some(who);
        }
        self.waits_by(raw, offset);
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

    fn list(&mut self, items: &[Item], label: Option<Label>, group: Option<&str>) {
        let Some(label) = self.named_label(label, items, group) else { return };
        match label {
            None if self.aside.is_some() => self.aside_list(items),
            None => self.items(items, group),
            Some(Label::Group(_)) if self.aside.is_some() => self.aside_list(items),
            // Where the work has boxes, a list below a label of its own says something about it.
            Some(Label::Group(name))
                if self.marks_work && !name.is_empty() && !items.iter().any(|item| item.boxed || item.is_group()) =>
            {
                self.fixed(Fixed::Context, &name, items);
            }
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
                self.each(items, |body, item| body.values(item, directive), group);
            }
            Some(Label::Fixed(Fixed::Files, _)) => {
                self.each(items, Self::files, group);
            }
            Some(Label::Fixed(fixed, name)) => {
                let final_ = matches!(fixed, Fixed::Aside(reason) if reason.is_final());
                let is_box = |item: &Item| item.boxed || item.is_group();
                if final_ || matches!(fixed, Fixed::Acceptance | Fixed::Verification(_)) || !items.iter().any(is_box) {
                    self.fixed(fixed, &name, items);
                } else {
                    self.each(items, |body, item| body.fixed(fixed, &name, std::slice::from_ref(item)), group);
                }
            }
        }
    }

    /// Takes the items of a list that a label explains; a box among them is work all the same.
    fn each(&mut self, items: &[Item], mut take: impl FnMut(&mut Self, &Item), group: Option<&str>) {
        for item in items {
            if item.boxed || item.is_group() {
                self.items(std::slice::from_ref(item), group);
            } else {
                take(self, item);
            }
        }
    }

    /// Reads commands for gates.
    fn commands(&mut self) -> verification::CommandReader<'_, 's> {
        verification::CommandReader {
            source: self.source,
            problems: self.problems,
            rules: self.rules,
            comments: self.comments,
            checks: self.checks,
            seen: 0,
        }
    }

    /// Takes a list that a label keeps from being work.
    fn fixed(&mut self, fixed: Fixed, name: &str, items: &[Item]) {
        if let Fixed::Verification(gate) = fixed {
            self.commands().items(items, gate.unwrap_or(GateKind::Tests));
            return;
        }
        self.waits_for_items(name, items);
        if fixed == Fixed::Acceptance {
            self.commands().criteria(items);
        } else if let (Some(first), Some(last)) = (items.first(), items.last()) {
            let reason = if let Fixed::Aside(reason) = fixed { reason } else { Reason::Context };
            let what = What::Aside { reason, section: name.to_owned() };
            self.placed.push(Placed::new(first.range.start..last.range.end, what));
        }
        // The subagent is to know them too.
        self.note_list(items);
    }

    pub(super) fn said(&mut self, item: &Item) {
        self.placed.push(Placed::new(item.range.clone(), What::Said));
    }

    pub(super) fn items(&mut self, items: &[Item], group: Option<&str>) {
        for item in items {
            let raw = &self.source.text[item.line.range.clone()];
            if let Some((directive, rest)) = found_directive(raw).filter(|_| !item.boxed) {
                let value = item.line.range.start + rest..item.line.range.end;
                let words = directives::words(&self.source.text[value.clone()], value.start, directive, self.source);
                let is_empty = self.source.text[value].trim().is_empty();
                directive.add_to(self.task, words);
                self.said(item);
                let values: Vec<&Item> = nested(&item.blocks).collect();
                if is_empty && values.is_empty() {
                    self.unused(Some(&Label::Directive(directive, item.range.start)));
                }
                for item in values {
                    self.values(item, directive);
                }
                continue;
            }
            if self.takes_waiting(item, raw) {
                continue;
            }
            if self.rules.lenient
                && !item.boxed
                && let Some(who) = owners::assigned(&item.line.text, self.roster)
            {
                self.task.assigned = Some(who);
                self.said(item);
                self.note_list(std::slice::from_ref(item));
                continue;
            }
            if self.rules.may_be_foreign() && is_attribute(item) {
                self.said(item);
                self.note_list(std::slice::from_ref(item));
                continue;
            }
            if self.rules.lenient && !item.boxed && only_names_files(raw) {
                self.files(item);
                continue;
            }
            if let Some(section) = says_why(item).filter(|_| self.rules.lenient && items.len() > 1) {
                self.why(item, section);
                continue;
            }
            match item_label(item) {
                Some(Fixed::Frame) if self.rules.lenient => {
                    self.said(item);
                    nested(&item.blocks).for_each(|item| self.work(item, group));
                }
                Some(Fixed::Frame) | None => self.work(item, group),
                Some(fixed) => self.labelled(fixed, item),
            }
        }
    }

    /// Makes requirements of an item: of itself, or of the boxes below it.
    fn work(&mut self, item: &Item, group: Option<&str>) {
        if let Some((section, reason)) =
            Some(item).filter(|item| !item.done).and_then(|item| set_aside(&item.line.text))
        {
            self.placed.push(Placed::new(item.range.clone(), What::Aside { reason, section }));
            return;
        }
        if self.takes_check(item, group) || self.takes_parts(item, group) {
            return;
        }
        if !item.is_group() {
            let made = items::requirement(item, group, self.rules, self.source, self.comments);
            match made {
                Some(made) => self.takes_work(item, made),
                None => self.said(item),
            }
            return;
        }
        self.said(item);
        let own = items::text_of(item).unwrap_or_default();
        if item.boxed && !item.done && item.all_ticked() {
            let range = item.line.range.clone();
            let mut made = items::from_text(&own, item.line.strong, range, self.rules, self.source);
            "Everything below it is ticked; the item itself is not.".clone_into(&mut made.detail);
            self.task.requirements.push(made);
        } else if let Some(made) = items::beside_boxes(item, self.rules, self.source, self.comments) {
            self.task.requirements.push(made);
        }
        let name = own.trim_end_matches(':');
        let joined = match group {
            Some(group) if name.is_empty() => group.to_owned(),
            Some(group) => format!("{group}: {name}"),
            None => name.to_owned(),
        };
        let joined = Some(joined.as_str()).filter(|joined| !joined.is_empty());
        self.below(item, joined);
    }

    /// Takes what stands below an item that boxes are below.
    pub(super) fn below(&mut self, item: &Item, group: Option<&str>) {
        for block in &item.blocks {
            match block {
                Block::List { items } => {
                    for item in items {
                        if item.boxed || item.is_group() {
                            self.work(item, group);
                        } else {
                            self.said(item);
                            self.note_list(std::slice::from_ref(item));
                        }
                    }
                }
                Block::Paragraph { range, .. } | Block::Code { range, .. } | Block::Text { range } => {
                    self.note(range.clone(), None);
                }
                Block::Table { range, .. } => self.note(range.clone(), None),
                Block::Heading { .. } | Block::Other => {}
            }
        }
    }

    fn values(&mut self, item: &Item, directive: Directive) {
        self.said(item);
        let range = item.line.range.clone();
        let words = directives::words(&self.source.text[range.clone()], range.start, directive, self.source);
        directive.add_to(self.task, words);
    }
}
