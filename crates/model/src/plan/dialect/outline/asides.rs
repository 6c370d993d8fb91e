//! Sections that are no task: text to read, criteria, commands, lists of files.

use super::{
    OutlineReader,
    prose::{has_boxes, is_metadata, prose},
};
use crate::{
    gate::GateKind,
    plan::{
        accounting::{Fate, Reason, What},
        blocks::Block,
        directives,
        draft::{Owner, TaskDraft},
        sections::Section,
        source::Source,
        tasks, verification,
    },
};

impl<'s> OutlineReader<'_, 's> {
    /// Takes what stands above the first heading or below the title: boxes are work, and so is a list in a plan that was
    /// not written for us.
    pub(super) fn untitled(&mut self, section: &Section<'_>) {
        let has_boxes = section.blocks.iter().any(has_boxes);
        let is_work = has_boxes || (self.rules.lenient && !self.rules.only_boxes && section.has_items());
        let is_metadata = !has_boxes && section.blocks.iter().all(is_metadata);
        if is_work && !is_metadata {
            let at = self.source.position(section.body.start);
            if self.rules.items_are_tasks {
                return self.items_as_tasks(section, None);
            }
            let index = self.draft.tasks.len();
            let title = self.draft.title.clone().unwrap_or_else(|| "Tasks".to_owned());
            let frame = self.frame;
            self.draft.tasks.push(TaskDraft { at, title, owner: Owner::Items, frame, ..TaskDraft::default() });
            let aside =
                (!self.rules.lenient || self.rules.only_boxes).then(|| (Reason::Context, "Introduction".to_owned()));
            self.body(section, index, None, aside);
            // Where all of it is there to be read, it is no task.
            if self
                .draft
                .tasks
                .last()
                .is_some_and(|task| task.requirements.is_empty() && index + 1 == self.draft.tasks.len())
            {
                let notes = self.draft.tasks.pop().map(|task| task.notes);
                self.preamble.extend(notes.filter(|notes| !notes.is_empty()));
            }
            return;
        }
        if self.is_work_as_text(section) && !section.is_bare() {
            let at = self.source.position(section.body.start);
            let index = self.draft.tasks.len();
            self.draft.tasks.push(TaskDraft { at, owner: Owner::Items, frame: self.frame, ..TaskDraft::default() });
            return self.body(section, index, None, None);
        }
        self.place_aside(section, Reason::Context, "Introduction");
        self.free(section, false);
    }

    /// Takes text that belongs to no task into the preamble.
    pub(super) fn free(&mut self, section: &Section<'_>, with_heading: bool) {
        self.frame += 1;
        let level = section.level();
        self.bare_headings.retain(|(outer, _)| *outer < level);
        let range = if with_heading { section.range.clone() } else { section.body.clone() };
        let text = prose(self.source, range, self.comments);
        if section.is_bare() {
            // Above the first heading there is none to remember.
            self.bare_headings.extend(Some((level, text)).filter(|(_, text)| with_heading && !text.is_empty()));
        } else {
            self.preamble.extend(self.bare_headings.drain(..).map(|(_, heading)| heading));
            self.preamble.extend(Some(text).filter(|text| !text.is_empty()));
        }
    }

    pub(super) fn place_aside(&mut self, section: &Section<'_>, reason: Reason, name: &str) {
        let what = What::Aside { reason, section: name.to_owned() };
        self.draft.place(section.range.clone(), what);
    }

    /// Takes a section that is no work; boxes in it are, unless the plan says that it is not to be done.
    pub(super) fn aside(&mut self, section: &Section<'_>, task: Option<usize>, reason: Reason, name: &str) {
        if let Some(index) = task {
            return self.note(section, index, reason, name);
        }
        self.place_aside(section, reason, name);
        if !reason.is_final() && section.blocks.iter().any(has_boxes) {
            let at = self.source.position(section.range.start);
            let index = self.draft.tasks.len();
            let title = name_of(section);
            let frame = self.frame;
            self.draft.tasks.push(TaskDraft { at, title, owner: Owner::Items, frame, ..TaskDraft::default() });
            self.body(section, index, None, Some((reason, name.to_owned())));
        } else if reason.forbids() {
            self.forbid(section);
        } else if !matches!(reason, Reason::Legend | Reason::Record) {
            self.free(section, true);
        }
    }

    /// Takes a section of what is not to be done: it holds for everybody.
    fn forbid(&mut self, section: &Section<'_>) {
        self.frame += 1;
        self.bare_headings.retain(|(outer, _)| *outer < section.level());
        let text = prose(self.source, section.range.clone(), self.comments);
        self.draft.out_of_scope.extend(Some(text).filter(|text| !text.is_empty() && !section.is_bare()));
    }

    /// Takes what the last section of the plan says at its end is not to be done, and returns the section without it: that
    /// is meant for all of the plan. "Not in this round: e-mail."
    pub(super) fn without_ending<'d>(&mut self, section: &Section<'d>) -> Option<Section<'d>> {
        let (end, start, label, reason) = ending(section.blocks, self.source)?;
        // It ends where another line of the paragraph has a label of its own: "To verify: …".
        let mut range = start..section.range.end;
        if let Some(Block::Paragraph { range: paragraph, line }) = section.blocks.get(end)
            && let Some(behind) = next_label(&self.source.text[paragraph.clone()])
        {
            let rest = start + behind..paragraph.end;
            range.end = rest.start;
            let before = self.checks.commands.len() + self.checks.by_hand.len();
            self.commands().in_text(&rest, line, None);
            if self.checks.commands.len() + self.checks.by_hand.len() == before {
                self.preamble.push(prose(self.source, rest, self.comments));
            }
        }
        self.draft.out_of_scope.push(prose(self.source, range.clone(), self.comments));
        self.draft.place(range, What::Aside { reason, section: label });
        Some(Section {
            heading: section.heading.clone(),
            blocks: &section.blocks[..end],
            range: section.range.start..start,
            body: section.body.start..start,
        })
    }

    /// Takes a section that is no work into a task's notes; directives in it count as anywhere in the task.
    pub(super) fn note(&mut self, section: &Section<'_>, index: usize, reason: Reason, name: &str) {
        if let Some(task) = self.draft.tasks.get_mut(index) {
            let heading = section.range.start..section.body.start;
            task.add_note(self.source.visible(heading, self.comments).trim());
        }
        self.body(section, index, None, Some((reason, name.to_owned())));
    }

    /// Takes a list of files: what a task may touch, or what the tasks say themselves.
    pub(super) fn files(&mut self, section: &Section<'_>, task: Option<usize>, name: &str) {
        match task {
            Some(index) => {
                let paths: Vec<String> = crate::plan::mentions::paths(&self.source.text[section.body.clone()]);
                if let Some(task) = self.draft.tasks.get_mut(index).filter(|_| self.rules.lenient) {
                    task.paths.extend(paths);
                }
                self.note(section, index, Reason::Files, name);
            }
            None => self.aside(section, None, Reason::Files, name),
        }
    }

    /// Reads commands for gates.
    pub(super) fn commands(&mut self) -> verification::CommandReader<'_, 's> {
        verification::CommandReader {
            source: self.source,
            problems: self.problems,
            rules: self.rules,
            comments: self.comments,
            checks: &mut self.checks,
            seen: 0,
        }
    }

    pub(super) fn verification(&mut self, section: &Section<'_>, gate: GateKind, count: usize) {
        let mut reader = self.commands();
        reader.blocks(section.blocks, gate);
        let seen = reader.seen;
        let is_text = !self.checks.left.is_empty();
        if let Some(section) = self.checks_seen.get_mut(count) {
            section.checks += seen;
            section.is_text |= is_text;
        }
        self.keep_left(section, seen > 0);
    }

    /// Keeps the text of a section of checks that is none of them: everybody has it to read. Where there is nothing else in
    /// the section, it is left aside as an item.
    fn keep_left(&mut self, section: &Section<'_>, has_checks: bool) {
        let left = std::mem::take(&mut self.checks.left);
        if left.is_empty() {
            return;
        }
        self.frame += 1;
        let heading = section.range.start..section.body.start;
        let ranges = std::iter::once(heading).chain(left.iter().cloned());
        let parts: Vec<String> = ranges.map(|range| prose(self.source, range, self.comments)).collect();
        self.preamble.push(parts.join("\n\n").trim().to_owned());
        for range in left.into_iter().filter(|_| !has_checks) {
            let fate = Fate::Aside { reason: Reason::Context, section: name_of(section) };
            self.draft.place(range, What::Item(fate));
        }
    }

    pub(super) fn acceptance(&mut self, section: &Section<'_>, task: Option<usize>, is_part: bool) {
        let before = self.checks.criteria.len();
        let name = name_of(section);
        let source = self.source;
        let is_aside = |block: &Block| matches!(block, Block::Paragraph { range, .. } if tasks::labels_aside(&source.text[range.clone()]));
        // A heading below that of the section may name a scenario.
        let named = is_part.then(|| verification::scenario_name(&name));
        self.commands().criteria_blocks(section.blocks, named.as_deref(), is_aside);
        match task {
            Some(index) => {
                self.checks.left.clear();
                self.note(section, index, Reason::Context, &name);
            }
            None => self.keep_left(section, self.checks.criteria.len() > before),
        }
    }
}

/// Finds the block with which the end of a section begins that says what is not to be done, a paragraph behind such a
/// label or a list below one: its number, where it begins, the label, and why.
fn ending(blocks: &[Block], source: &Source<'_>) -> Option<(usize, usize, String, Reason)> {
    let last = blocks.iter().rposition(|block| !matches!(block, Block::Other))?;
    let begin = if matches!(blocks[last], Block::List { .. }) { last.checked_sub(1)? } else { last };
    let Block::Paragraph { range, .. } = &blocks[begin] else { return None };
    let (label, reason) = tasks::forbidden(&source.text[range.clone()])?;
    Some((begin, range.start, label, reason))
}

/// Finds where a line of a paragraph behind its first begins with a label.
fn next_label(paragraph: &str) -> Option<usize> {
    let mut offset = 0;
    let starts = paragraph.split_inclusive('\n').map(|line| {
        offset += line.len();
        (offset - line.len(), line)
    });
    let is_label = |line: &str| {
        directives::split_label(&line.replace('：', ":"))
            .is_some_and(|(label, _)| label.split_whitespace().count() <= 4)
    };
    starts.skip(1).find(|(_, line)| is_label(line)).map(|(start, _)| start)
}

/// Returns the heading of a section that was read for it.
fn name_of(section: &Section<'_>) -> String {
    section.line().expect("invariant: a section without a heading is the introduction").text.clone()
}
