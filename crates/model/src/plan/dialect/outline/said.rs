//! What sections say beside their work: what waits for what, how the result is checked, and that it is not to be done.

use super::{OutlineReader, Place};
use crate::{
    diagnostics::Position,
    gate::GateKind,
    plan::{
        blocks::{Block, Item, nested},
        commands,
        domains::{self, Fixed},
        draft::{OrderLine, Word},
        headings::{Heading, Names},
        sections::Section,
        tasks, verification, waits,
    },
};

/// What a section says that everything below it waits for.
#[derive(Debug, Default, Clone)]
pub(super) struct Waits {
    /// What it names in a line that says nothing else.
    named: Vec<Word>,
    /// What its words speak of.
    spoken: Vec<Word>,
}

/// Finds the gate whose work a heading names.
fn gate_of(heading: &Heading) -> Option<GateKind> {
    let phrase = domains::normal(&heading.title);
    match domains::fixed(&phrase) {
        Some(Fixed::Verification(gate)) => Some(gate.unwrap_or(GateKind::Tests)),
        _ => domains::gate(&phrase),
    }
}

/// Goes through the lines of a section with their places: paragraphs line by line, and every item.
fn lines(blocks: &[Block], source: &str, found: &mut Vec<(usize, String)>) {
    for block in blocks {
        match block {
            Block::Paragraph { range, .. } => {
                let mut offset = range.start;
                for line in source[range.clone()].split_inclusive('\n') {
                    found.push((offset, line.trim_end().to_owned()));
                    offset += line.len();
                }
            }
            Block::List { items } => {
                for item in items {
                    found.push((item.line.range.start, item.line.text.clone()));
                    lines(&item.blocks, source, found);
                }
            }
            _ => {}
        }
    }
}

/// Tells whether a line of code runs a tool of the project, as a list of its commands has them.
fn runs(code: &str) -> bool {
    const TOOLS: &str = "npm|pnpm|yarn|npx|make|cargo|go|python|python3|pytest|mvn|gradle|dotnet|bundle|composer|just|task|docker|node|bun|deno";
    let first = code.split_whitespace().next().unwrap_or_default();
    domains::holds(TOOLS, first) || first.starts_with("./")
}

impl OutlineReader<'_, '_> {
    /// Takes what a section says beside its work. `before` is how many tasks there were before it.
    pub(super) fn said_beside(&mut self, section: &Section<'_>, before: usize) {
        if !self.rules.may_be_foreign() {
            return;
        }
        if !self.is_no_part(section) {
            let is_task = matches!(self.places.last(), Some((_, Place::Task { .. })));
            self.checks_in_text(section, is_task || self.draft.tasks.len() > before);
        }
        self.drop_frame(before);
        let level = section.level();
        self.waits.retain(|(outer, _)| *outer < level);
        for task in &mut self.draft.tasks[before..] {
            for (_, waits) in &self.waits {
                task.needs.extend(waits.named.iter().cloned());
                task.soft_needs.extend(waits.spoken.iter().cloned());
            }
        }
        if self.is_no_part(section) {
            return;
        }
        let is_new = self.draft.tasks.len() > before;
        let task = match self.places.last() {
            Some((_, Place::Task { index, .. })) if !is_new => Some(*index),
            _ => None,
        };
        let own = self.in_heading(section);
        let first = task.unwrap_or(before);
        let count = if task.is_some() { 1 } else { usize::MAX };
        for task in self.draft.tasks.iter_mut().skip(first).take(count) {
            task.soft_needs.extend(own.iter().cloned());
        }
        let is_order = !is_new && self.headings.iter().any(|(_, heading)| waits::heads_order(heading));
        let mut said = Waits::default();
        if is_order {
            said.spoken = self.order(section);
        } else if task.is_none() {
            said = self.statements(section);
        }
        if let Some(task) = task.and_then(|at| self.draft.tasks.get_mut(at)) {
            task.soft_needs.append(&mut said.spoken);
        }
        // A list of dependencies below a heading is that heading's.
        let outer = if is_order { level.saturating_sub(1) } else { level };
        said.spoken.extend(own);
        self.waits.push((outer, said));
    }

    /// Tells whether nothing in a section is about the work of this plan.
    fn is_no_part(&self, section: &Section<'_>) -> bool {
        let is_other = |fixed: Fixed| match fixed {
            Fixed::Verification(_) | Fixed::Acceptance => true,
            Fixed::Aside(reason) => reason.forbids() || reason == crate::plan::Reason::Record,
            _ => false,
        };
        let place = self.places.last().is_some_and(|(_, place)| match place {
            Place::Verification { .. } | Place::Acceptance { .. } => true,
            Place::Aside { reason, .. } => is_other(Fixed::Aside(*reason)),
            _ => false,
        });
        place
            || matches!(&section.heading, Some((.., heading)) if matches!(heading.names, Names::Fixed(fixed) if is_other(fixed)))
    }

    /// Takes out a task that is only a frame: its section says what the tasks below it wait for, and nothing else.
    fn drop_frame(&mut self, before: usize) {
        let is_open = matches!(self.places.last(), Some((_, Place::Task { index, .. })) if *index >= before);
        let is_frame = |task: &crate::plan::draft::TaskDraft| {
            task.requirements.is_empty() && task.notes.is_empty() && !task.is_heading && !task.needs.is_empty()
        };
        if self.rules.lenient
            && !is_open
            && self.draft.tasks.len() == before + 1
            && self.draft.tasks.last().is_some_and(is_frame)
        {
            self.draft.tasks.pop();
        }
    }

    /// Finds what a heading says that it waits for: `Reports (depends on Phase 6)`.
    fn in_heading(&self, section: &Section<'_>) -> Vec<Word> {
        let Some(line) = section.line() else { return Vec::new() };
        let at = self.source.position(line.range.start);
        waits::needs(&line.text).into_iter().map(|(_, text)| Word { text, at }).collect()
    }

    /// Finds the lines of a section that say nothing but what it waits for.
    fn statements(&self, section: &Section<'_>) -> Waits {
        let mut said = Waits::default();
        for block in section.blocks {
            let (Block::Paragraph { range, .. } | Block::Text { range }) = block else { continue };
            let mut offset = range.start;
            for raw in self.source.text[range.clone()].split_inclusive('\n') {
                let (named, spoken) = tasks::waited_for(raw, offset, true, self.rules, self.source);
                said.named.extend(named);
                said.spoken.extend(spoken);
                offset += raw.len();
            }
        }
        for item in nested(section.blocks).filter(|item: &&Item| !item.boxed && item.blocks.is_empty()) {
            let raw = &self.source.text[item.line.range.clone()];
            if waits::statement(raw).is_some() {
                said.spoken.extend(self.words(waits::of_line(&item.line.text), item.line.range.start));
            }
        }
        said
    }

    fn words(&self, names: Vec<String>, offset: usize) -> Vec<Word> {
        let at = self.source.position(offset);
        names.into_iter().map(|text| Word { text, at }).collect()
    }

    /// Reads a list of dependencies: "Phase 2 depends on Phase 1". Returns what it says without saying of what.
    fn order(&mut self, section: &Section<'_>) -> Vec<Word> {
        let mut said = Vec::new();
        lines(section.blocks, self.source.text, &mut said);
        for block in section.blocks {
            let Block::Table { head, rows, .. } = block else { continue };
            let Some(column) = head.iter().position(|name| waits::heads(name)).filter(|at| *at > 0) else { continue };
            for row in rows {
                if let (Some(who), Some(on)) = (row.cells.first(), row.cells.get(column)) {
                    said.push((row.range.start, format!("{who} depends on {on}")));
                }
            }
        }
        // What a template says in words of its own about every plan is told to nobody.
        let is_told = !self.rules.items_name_files;
        let is_below = section.level() > 2;
        let mut own = Vec::new();
        for (offset, text) in said {
            let at = self.source.position(offset);
            let orders = waits::orders(&text);
            if orders.is_empty() {
                if is_below && waits::is_list(&text) {
                    own.extend(self.words(waits::of_line(&format!("depends on {text}")), offset));
                } else if is_told && waits::is_obscure(&text) {
                    self.obscure(&text, at);
                }
            }
            for order in orders {
                if order.waits.is_empty() {
                    own.extend(self.words(order.on, offset));
                } else {
                    self.draft.order.push(OrderLine { said: order, at, is_told });
                }
            }
        }
        own
    }

    fn obscure(&mut self, text: &str, at: Position) {
        self.problems.warning(
            "unknown-need",
            at,
            format!("it is not clear what waits for what in `{}`", crate::text::truncate(text, 80)),
            "write `Phase 2 depends on Phase 1`, or `Needs: phase-1` in the section that has to wait",
        );
    }

    /// Takes the commands that a sentence says are to be run to check the work: "**Verify with:** `pytest -q`". `is_work` says
    /// that the items of the section are work, so that they have been read for it.
    fn checks_in_text(&mut self, section: &Section<'_>, is_work: bool) {
        if self.rules.bodies_follow {
            return;
        }
        let runs = section.heading.as_ref().and_then(|(.., heading)| gate_of(heading));
        let mut reader = self.commands();
        let mut before = None;
        for block in section.blocks {
            match (block, before.take()) {
                (Block::Paragraph { range, line }, _) => {
                    reader.in_text(range, line, runs);
                    before = Some(range);
                }
                (Block::Code { info, lines, .. }, lead) if commands::is_shell_block(info.as_deref()) => {
                    let is_said = lead.is_some_and(|before| reader.below_text(before, lines));
                    if let Some(gate) = runs.filter(|_| !is_said) {
                        reader.mere_checks(lines, gate);
                    }
                }
                (Block::List { items }, _) if !is_work => reader.in_items(items, runs),
                (Block::Other, lead) => before = lead,
                _ => {}
            }
        }
    }

    /// Finds that a section about tests says nothing but how they are run.
    pub(super) fn mere_checks(&self, section: &Section<'_>, heading: &Heading) -> Option<Fixed> {
        let may_be = self.rules.may_be_foreign() && !self.rules.bodies_follow && heading.id.is_none();
        if may_be && self.lists_checks(section) {
            return Some(Fixed::Verification(None));
        }
        let gate = gate_of(heading).filter(|_| may_be && !matches!(heading.names, Names::Fixed(_)))?;
        verification::is_only_checks(section, self.source).then_some(Fixed::Verification(Some(gate)))
    }

    /// Finds that the text of a section says that it is not to be done: "Not part of this iteration."
    pub(super) fn put_off(&self, section: &Section<'_>) -> Option<Fixed> {
        let is_open = matches!(&section.heading, Some((.., heading)) if !matches!(heading.names, Names::Fixed(fixed) if fixed != Fixed::Frame));
        let paragraphs =
            section.blocks.iter().take_while(|block| matches!(block, Block::Paragraph { .. } | Block::Other));
        let found = paragraphs.filter_map(|block| match block {
            Block::Paragraph { range, .. } => Some(&self.source.text[range.clone()]),
            _ => None,
        });
        let reason = found.filter_map(domains::sentence_puts_off).next();
        reason.filter(|_| is_open && self.rules.may_be_foreign()).map(Fixed::Aside)
    }

    /// Tells whether a section that is called "Commands" is no work on the command line, but lists what is run to check.
    fn lists_checks(&self, section: &Section<'_>) -> bool {
        let called = |line: &crate::plan::inline::Line| {
            matches!(domains::normal(&line.text).as_str(), "commands" | "command" | "useful commands" | "dev commands")
        };
        let is_check = |item: &Item| {
            let code = item.line.codes.first().map(|(_, code)| code.as_str());
            !item.boxed && item.line.codes.len() == 1 && code.is_some_and(|code| commands::checks(code) || runs(code))
        };
        let lists: Vec<&Vec<Item>> = section
            .blocks
            .iter()
            .filter_map(|block| match block {
                Block::List { items } => Some(items),
                _ => None,
            })
            .collect();
        section.line().is_some_and(called)
            && !lists.is_empty()
            && lists.iter().all(|items| items.iter().all(is_check))
            && lists.iter().flat_map(|items| items.iter()).any(|item| commands::checks(&item.line.codes[0].1))
    }

    /// Finds the task of an item that a section says more about, as its heading has the item's id: "ORD-203 details". A
    /// section with items of its own is work.
    pub(super) fn details_of(&self, section: &Section<'_>) -> Option<usize> {
        const ABOUT: &str = "details|detail|notes|note|description|in detail|more|spec|specification|acceptance criteria|background|context";
        let line = section.line().filter(|_| self.rules.may_be_foreign())?;
        let text = line.text.trim_start_matches(['[', '(', '`']);
        let end = text.find([' ', ':', ']', ')', '`']).unwrap_or(text.len());
        let id = domains::normal(&text[..end]);
        let rest = domains::normal(&text[end..]);
        let is_id = text[..end].contains(|c: char| c.is_ascii_digit()) && text[..end].contains(char::is_alphabetic);
        let (task, made) = self.draft.tasks.iter().enumerate().filter(|_| is_id).find_map(|(at, task)| {
            let made = task.requirements.iter().find(|made| {
                made.keys.contains(&id) || made.id.as_ref().is_some_and(|word| domains::normal(&word.text) == id)
            })?;
            Some((at, made))
        })?;
        let says_same = || !rest.is_empty() && domains::normal(&made.text).contains(&rest);
        let is_about = rest.is_empty() || domains::holds(ABOUT, &rest) || says_same();
        let mut lists = (0..section.blocks.len())
            .filter(|at| matches!(section.blocks[*at], Block::List { .. } | Block::Table { .. }));
        let is_labelled = |at: usize| match at.checked_sub(1).and_then(|before| section.blocks.get(before)) {
            Some(Block::Paragraph { range, .. }) => tasks::labels_no_work(&self.source.text[range.clone()]),
            _ => false,
        };
        (is_about && lists.all(is_labelled)).then_some(task)
    }

    /// Leaves out a task for a gate of which everything turned out to be a command of that gate.
    pub(super) fn drop_mere_checks(&mut self) {
        if !self.rules.may_be_foreign() || self.checks.commands.is_empty() {
            return;
        }
        let roster = self.roster;
        self.draft.tasks.retain(|task| {
            let gate =
                task.who.as_ref().and_then(|who| roster.get(&who.name)).and_then(|subagent| subagent.role.gate());
            gate.is_none() || task.id.is_some() || !task.requirements.is_empty() || !task.notes.is_empty()
        });
    }
}
