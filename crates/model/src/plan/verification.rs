//! The Verification section of a Markdown plan: which of its lines are commands, and of which gate.

mod criteria;
mod rows;
mod said;
mod scenarios;
mod words;

use std::ops::Range;

pub(super) use self::{
    criteria::{Checks, is_for_criteria},
    said::is_only_checks,
    scenarios::name as scenario_name,
    words::heads_checks,
};
use crate::{
    gate::GateKind,
    plan::{
        accounting::{Fate, What},
        blocks::{Block, CodeLine, Item},
        commands, directives, domains,
        draft::{CommandLine, RequirementDraft},
        inline::Line,
        items,
        shape::Rules,
        source::{Problems, Source},
    },
};

/// Reads the blocks of a verification section.
pub(super) struct CommandReader<'r, 's> {
    pub(super) source: &'r Source<'s>,
    pub(super) problems: &'r mut Problems<'s>,
    pub(super) rules: Rules,
    pub(super) comments: &'r [Range<usize>],
    pub(super) checks: &'r mut Checks,
    /// How many lines were meant to verify something, the refused ones included.
    pub(super) seen: usize,
}

impl CommandReader<'_, '_> {
    /// Reads blocks; what has no label of its own belongs to `gate`.
    pub(super) fn blocks(&mut self, blocks: &[Block], gate: GateKind) {
        let mut current = gate;
        for block in blocks {
            match block {
                Block::Paragraph { range, line } => self.paragraph(range, line, &mut current),
                Block::List { items } => {
                    self.items(items, current);
                    current = gate;
                }
                Block::Code { info, lines, range } => {
                    if commands::is_shell_block(info.as_deref()) {
                        self.code(lines, current);
                    } else {
                        self.checks.left.push(range.clone());
                    }
                    current = gate;
                }
                Block::Table { head, rows, .. } => {
                    for row in rows {
                        self.row(head, row, current);
                    }
                }
                Block::Text { range } => self.checks.left.push(range.clone()),
                Block::Heading { .. } | Block::Other => {}
            }
        }
    }

    /// Reads items: commands, and work for whoever validates.
    pub(super) fn items(&mut self, items: &[Item], gate: GateKind) {
        for item in items {
            self.item(item, gate);
        }
    }

    fn by_hand(&mut self, made: RequirementDraft) {
        self.seen += 1;
        self.checks.by_hand.push(made);
    }

    /// Reads a paragraph line by line: `tests: cargo test`, a code span alone, or a label for what follows. What is none of
    /// these is read as sentences.
    fn paragraph(&mut self, range: &Range<usize>, line: &Line, current: &mut GateKind) {
        let mut offset = range.start;
        let mut rest_of_it: Vec<Range<usize>> = Vec::new();
        for raw in self.source.text[range.clone()].split_inclusive('\n') {
            let here = offset..offset + raw.trim_end().len();
            offset += raw.len();
            let codes = codes_in(line, &here);
            let (label, rest) = self.label(&here);
            let is_taken = match label {
                Some(gate) if self.source.text[rest.clone()].trim().is_empty() => {
                    *current = gate;
                    true
                }
                Some(gate) => self.line(rest, codes, gate, true),
                None => {
                    let alone = codes.len() == 1 && codes[0].0.start == rest.start && codes[0].0.end >= rest.end;
                    alone && self.line(rest, codes, *current, false)
                }
            };
            match rest_of_it.last_mut() {
                _ if is_taken => {}
                Some(before) if before.end + 1 >= here.start => before.end = here.end,
                _ => rest_of_it.push(here),
            }
        }
        for range in rest_of_it {
            self.sentences(&range, line, *current);
        }
    }

    fn item(&mut self, item: &Item, gate: GateKind) {
        let (label, rest) = self.label(&item.line.range);
        let gate = label.unwrap_or(gate);
        let is_label = self.source.text[rest.clone()].trim().is_empty();
        // "Run the tests:" above a block of commands says what the block is for.
        let is_shell =
            |block: &Block| matches!(block, Block::Code { info, .. } if commands::is_shell_block(info.as_deref()));
        let introduces = self.rules.may_be_foreign()
            && item.line.codes.is_empty()
            && item.line.text.trim_end_matches(['*', '_']).ends_with([':', '：'])
            && !item.blocks.is_empty()
            && item.blocks.iter().all(is_shell);
        if (is_label || introduces) && !item.blocks.is_empty() {
            self.checks.place(item.range.clone(), What::Said);
            self.blocks(&item.blocks, gate);
            return;
        }
        // What is ticked has been looked at, and is looked at again all the same: the result is another.
        let before = self.checks.commands.len();
        let found = !is_label && self.line(rest, &item.line.codes, gate, label.is_some());
        if found {
            if self.checks.commands.len() > before {
                self.checks.place(item.range.clone(), What::Item(Fate::Command { gate }));
            } else {
                self.checks.place(item.range.clone(), What::Said);
            }
            if !item.is_group() {
                self.blocks(&item.blocks, gate);
                return;
            }
        }
        if item.is_group() {
            self.checks.place(item.line.range.clone(), What::Said);
            for block in &item.blocks {
                self.blocks(std::slice::from_ref(block), gate);
            }
            return;
        }
        if !found {
            let made = items::requirement(item, None, self.rules, self.source, self.comments);
            match made {
                // Whoever validates ticks it off; that somebody else did proves nothing about this result.
                Some(made) => self.by_hand(RequirementDraft { done: false, ..made }),
                None => self.checks.place(item.range.clone(), What::Said),
            }
        }
    }

    /// Splits a gate's label off the text in `range`: `tests: …`, or the label alone.
    fn label(&self, range: &Range<usize>) -> (Option<GateKind>, Range<usize>) {
        let raw = &self.source.text[range.clone()];
        let blank = raw.len() - raw.trim_start().len();
        if let Some((label, rest)) = directives::split_label(raw)
            && let Some(gate) = domains::gate(&domains::normal(&label))
        {
            return (Some(gate), range.start + rest..range.end);
        }
        if !raw.contains('`')
            && raw.len() <= 64
            && let Some(gate) = domains::gate(&domains::normal(raw))
        {
            return (Some(gate), range.end..range.end);
        }
        (None, range.start + blank..range.end)
    }

    /// Reads what stands behind the label of a line: code spans, or a command without any mark. Tells whether there was
    /// a command.
    fn line(&mut self, rest: Range<usize>, codes: &[(Range<usize>, String)], gate: GateKind, labelled: bool) -> bool {
        let raw = &self.source.text[rest.clone()];
        let bare = raw.trim_start_matches(['*', '_']);
        let lead = ["run ", "execute ", "running "].iter().find(|lead| {
            bare.get(..lead.len()).is_some_and(|start| start.eq_ignore_ascii_case(lead))
                && bare[lead.len()..].starts_with('`')
        });
        let begin = rest.start + (raw.len() - bare.len()) + lead.map_or(0, |lead| lead.len());
        let mut start = begin;
        let mut found = false;
        for (at, code) in codes {
            if at.start < start {
                continue;
            }
            let between = self.source.text[start..at.start].trim();
            let is_next = between.trim_matches([',', ';', '&', ' ']).is_empty()
                || matches!(between, "and" | "then" | ", and" | ", then");
            // Inside a sentence only what is plainly a check is one to be run.
            let is_meant = is_next && (!self.rules.lenient || commands::looks_like_one(code));
            if !(is_meant || commands::checks(code)) {
                continue;
            }
            found = true;
            // The text of a span begins behind its backticks, and behind one blank that pads them.
            let written = &self.source.text[at.clone()];
            let inner = written.find(code.as_str()).unwrap_or(0);
            self.command(code, at.start + inner, gate);
            start = at.end;
        }
        if found {
            return true;
        }
        let plain = raw.split_whitespace().collect::<Vec<_>>().join(" ");
        let is_plain = codes.is_empty() && !plain.starts_with(|c: char| c.is_uppercase());
        if is_plain && (labelled && !self.rules.lenient || commands::looks_like_one(&plain)) {
            self.command(&plain, rest.start, gate);
            return true;
        }
        codes.is_empty() && self.bare_commands(raw, rest.start, gate)
    }

    fn code(&mut self, lines: &[CodeLine], gate: GateKind) {
        for command in commands::of_block(lines.iter().map(|line| line.text.as_str())) {
            if let Some(line) = lines.get(command.line) {
                let start = line.offset + command.skipped;
                let before = self.checks.commands.len();
                self.command(&command.text, start, gate);
                if self.checks.commands.len() > before {
                    let range = start..line.offset + line.text.len();
                    self.checks.place(range, What::Item(Fate::Command { gate }));
                }
            }
        }
    }

    /// Takes a command. One that needs a shell, that would never end or that asks a server which nobody starts is no command
    /// of a gate: in a plan that was not written for us it is work for whoever validates. Of `a && b` each is one.
    fn command(&mut self, text: &str, offset: usize, gate: GateKind) {
        let chain = commands::chained(text);
        if self.rules.may_be_foreign() && chain.len() > 1 && chain.iter().all(|part| commands::suits_a_gate(part)) {
            let mut from = 0;
            for part in chain {
                from += text[from..].find(part).unwrap_or(0);
                self.command(part, offset + from, gate);
                from += part.len();
            }
            return;
        }
        self.seen += 1;
        let line = CommandLine { gate, text, at: self.source.position(offset) };
        if self.rules.may_be_foreign() && !commands::suits_a_gate(text) {
            let range = offset..(offset + text.len()).min(self.source.text.len());
            let mut made = items::from_text(&format!("Run `{text}`"), 0, range, Rules::OURS, self.source);
            made.needs.clear();
            made.paths.clear();
            self.checks.by_hand.push(made);
            return;
        }
        self.checks.commands.extend(commands::split(line, self.problems));
    }
}

/// Returns the code spans of a line that stand in `range`.
fn codes_in<'l>(line: &'l Line, range: &Range<usize>) -> &'l [(Range<usize>, String)] {
    let first = line.codes.partition_point(|(at, _)| at.start < range.start);
    let count = line.codes[first..].partition_point(|(at, _)| at.start < range.end);
    &line.codes[first..first + count]
}
