//! The Verification section of a Markdown plan: which of its lines are commands, and of which gate.

use std::ops::Range;

use crate::{
    gate::GateKind,
    plan::{
        VerificationCommand,
        blocks::{Block, CodeLine, Item},
        commands, directives, domains,
        draft::CommandLine,
        inline::Line,
        source::{Problems, Source},
    },
};

/// Reads the blocks of a verification section.
pub(super) struct Reader<'r, 's> {
    pub(super) source: &'r Source<'s>,
    pub(super) problems: &'r mut Problems<'s>,
    pub(super) commands: &'r mut Vec<VerificationCommand>,
    /// How many lines were meant as commands, the refused ones included.
    pub(super) seen: usize,
}

impl Reader<'_, '_> {
    /// Reads blocks; what has no label of its own belongs to `gate`.
    pub(super) fn blocks(&mut self, blocks: &[Block], gate: GateKind) {
        let mut current = gate;
        for block in blocks {
            match block {
                Block::Paragraph { range, line } => self.paragraph(range, line, &mut current),
                Block::List { items } => {
                    for item in items {
                        self.item(item, current);
                    }
                    current = gate;
                }
                Block::Code { info, lines, .. } => {
                    if commands::is_shell_block(info.as_deref()) {
                        self.code(lines, current);
                    }
                    current = gate;
                }
                Block::Heading { .. } | Block::Text { .. } | Block::Other => {}
            }
        }
    }

    /// Reads a paragraph line by line: `tests: cargo test`, a code span alone, or a label for what follows.
    fn paragraph(&mut self, range: &Range<usize>, line: &Line, current: &mut GateKind) {
        let mut offset = range.start;
        for raw in self.source.text[range.clone()].split_inclusive('\n') {
            let here = offset..offset + raw.trim_end().len();
            offset += raw.len();
            let first = line.codes.partition_point(|(at, _)| at.start < here.start);
            let count = line.codes[first..].partition_point(|(at, _)| at.start < here.end);
            let codes = &line.codes[first..first + count];
            let (label, rest) = self.label(&here);
            match label {
                Some(gate) if self.source.text[rest.clone()].trim().is_empty() => *current = gate,
                Some(gate) => self.line(rest, codes, gate, true),
                None if rest.start < rest.end && self.source.text[rest.clone()].starts_with('`') => {
                    let alone = codes.len() == 1 && codes[0].0.end >= rest.end;
                    if alone {
                        self.line(rest, codes, *current, true);
                    }
                }
                None => {}
            }
        }
    }

    fn item(&mut self, item: &Item, gate: GateKind) {
        let (label, rest) = self.label(&item.line.range);
        let gate = label.unwrap_or(gate);
        if !self.source.text[rest.clone()].trim().is_empty() {
            self.line(rest, &item.line.codes, gate, item.blocks.is_empty());
        }
        self.blocks(&item.blocks, gate);
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

    /// Reads what stands behind the label of a line: code spans, or a command without any mark.
    fn line(&mut self, rest: Range<usize>, codes: &[(Range<usize>, String)], gate: GateKind, must_be_command: bool) {
        let raw = &self.source.text[rest.clone()];
        let bare = raw.trim_start_matches(['*', '_']);
        let lead = ["run ", "execute ", "running "].iter().find(|lead| {
            bare.get(..lead.len()).is_some_and(|start| start.eq_ignore_ascii_case(lead))
                && bare[lead.len()..].starts_with('`')
        });
        let mut start = rest.start + (raw.len() - bare.len()) + lead.map_or(0, |lead| lead.len());
        let mut found = false;
        for (at, code) in codes {
            if at.start < start {
                continue;
            }
            let between = self.source.text[start..at.start].trim();
            if !between.trim_matches([',', ';', '&', ' ']).is_empty()
                && !matches!(between, "and" | "then" | ", and" | ", then")
            {
                break;
            }
            found = true;
            // The text of a span begins behind its backticks, and behind one blank that pads them.
            let written = &self.source.text[at.clone()];
            let inner = written.find(code.as_str()).unwrap_or(0);
            self.command(code, at.start + inner, gate);
            start = at.end;
        }
        if found {
            return;
        }
        let plain = raw.split_whitespace().collect::<Vec<_>>().join(" ");
        if codes.is_empty() && !plain.starts_with(|c: char| c.is_uppercase()) {
            self.command(&plain, rest.start, gate);
        } else if must_be_command {
            self.problems.warning(
                "not-a-command",
                self.source.position(rest.start),
                "this line of the verification section is not read as a command",
                "a command stands alone or first, in backticks: - tests: `cargo test`",
            );
        }
    }

    fn code(&mut self, lines: &[CodeLine], gate: GateKind) {
        for command in commands::of_block(lines.iter().map(|line| line.text.as_str())) {
            if let Some(line) = lines.get(command.line) {
                self.command(&command.text, line.offset + command.skipped, gate);
            }
        }
    }

    fn command(&mut self, text: &str, offset: usize, gate: GateKind) {
        self.seen += 1;
        let command = CommandLine { gate, text, at: self.source.position(offset) };
        self.commands.extend(commands::split(command, self.problems));
    }
}
