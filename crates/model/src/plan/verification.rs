//! The Verification section of a Markdown plan: which of its lines are commands, and of which gate.

use std::ops::Range;

use crate::{
    command,
    gate::GateKind,
    plan::{
        AcceptanceCriterion, VerificationCommand,
        accounting::{Fate, Placed, What},
        blocks::{Block, CodeLine, Item, nested},
        commands, directives, domains,
        draft::{CommandLine, RequirementDraft},
        inline::Line,
        items,
        shape::Rules,
        source::{Problems, Source},
    },
};

/// What verifies the result: commands, criteria, and what only people or an agent can look at.
#[derive(Debug, Default)]
pub(super) struct Checks {
    pub(super) commands: Vec<VerificationCommand>,
    pub(super) criteria: Vec<AcceptanceCriterion>,
    /// What is no command: work of the validation subagent.
    pub(super) by_hand: Vec<RequirementDraft>,
    /// What became of which stretch of the text.
    pub(super) placed: Vec<Placed>,
}

impl Checks {
    /// Takes items as acceptance criteria.
    pub(super) fn criteria<'i>(&mut self, items: impl IntoIterator<Item = &'i Item>, source: &Source<'_>) {
        for item in items {
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
                self.criteria(nested(&item.blocks).collect::<Vec<_>>(), source);
                continue;
            }
            let text = items::one_line(item);
            if text.is_empty() {
                self.place(item.range.clone(), What::Said);
            } else {
                self.criterion(text, item.range.clone(), source);
            }
        }
    }

    /// Takes one acceptance criterion.
    pub(super) fn criterion(&mut self, text: String, range: Range<usize>, source: &Source<'_>) {
        self.criteria.push(AcceptanceCriterion { text, line: source.position(range.start).line });
        self.place(range, What::Item(Fate::Criterion));
    }

    fn place(&mut self, range: Range<usize>, what: What) {
        self.placed.push(Placed::new(range, what));
    }
}

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
                Block::Code { info, lines, .. } => {
                    if commands::is_shell_block(info.as_deref()) {
                        self.code(lines, current);
                    }
                    current = gate;
                }
                Block::Table { rows, .. } => {
                    for row in rows {
                        let text = items::row_text(&row.cells);
                        let made = items::from_text(&text, 0, row.range.clone(), self.rules, self.source);
                        self.by_hand(made);
                    }
                }
                Block::Heading { .. } | Block::Text { .. } | Block::Other => {}
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
                Some(gate) => drop(self.line(rest, codes, gate, true)),
                None if rest.start < rest.end && self.source.text[rest.clone()].starts_with('`') => {
                    let alone = codes.len() == 1 && codes[0].0.end >= rest.end;
                    if alone {
                        self.line(rest, codes, *current, false);
                    }
                }
                None => {}
            }
        }
    }

    /// Takes the commands of a text that stands in no section of verification, where a line says that they check the work:
    /// "**Verify with:** `pytest -q`", "To check it, run `pytest -q`."
    pub(super) fn in_text(&mut self, range: &Range<usize>, line: &Line) {
        let mut offset = range.start;
        for raw in self.source.text[range.clone()].split_inclusive('\n') {
            let here = offset..offset + raw.len();
            offset += raw.len();
            let Some(gate) = says_how_to_check(raw) else { continue };
            let codes = || line.codes.iter().filter(|(at, _)| here.contains(&at.start));
            for (at, code) in codes().filter(|(_, code)| commands::checks(code)) {
                let inner = self.source.text[at.clone()].find(code.as_str()).unwrap_or(0);
                self.command(code, at.start + inner, gate);
            }
            // "**Verify:** `python cli.py list`" checks something that only a reader of its output can judge.
            let is_shown = codes().any(|(_, code)| commands::looks_like_one(code))
                && !codes().any(|(_, code)| commands::checks(code));
            if let Some(rest) = directives::split_label(raw)
                .filter(|(label, _)| is_shown && domains::holds("verify|verification", &domains::normal(label)))
                .map(|(_, rest)| raw[rest..].trim())
            {
                let mut made = items::from_text(rest, 0, here.clone(), Rules::OURS, self.source);
                made.needs.clear();
                made.paths.clear();
                self.by_hand(made);
            }
        }
    }

    /// Takes the commands of a code block that plainly check something, where the last line before it says that it checks
    /// the work: "To verify, run:".
    pub(super) fn below_text(&mut self, before: &Range<usize>, lines: &[CodeLine]) {
        let lead = self.source.text[before.clone()].trim_end().lines().next_back().unwrap_or_default();
        let leads = lead.trim_end_matches(['*', '_']).ends_with([':', '：', '?', '？']);
        let Some(gate) = says_how_to_check(lead).filter(|_| leads) else { return };
        for command in commands::of_block(lines.iter().map(|line| line.text.as_str())) {
            if let Some(line) = lines.get(command.line).filter(|_| commands::checks(&command.text)) {
                self.command(&command.text, line.offset + command.skipped, gate);
            }
        }
    }

    /// Tells whether an item is nothing but a command that checks something.
    pub(super) fn is_check(item: &Item) -> bool {
        let [(_, code)] = item.line.codes.as_slice() else { return false };
        // The number of an item says nothing about it: "5.2 `pytest -q`".
        let behind = items::split_number_id(&item.line.text).map(|(_, rest)| rest);
        let text = behind.as_deref().unwrap_or(&item.line.text).trim_end_matches(['.', ' ']);
        let text =
            ["Run ", "run ", "Execute ", "execute "].iter().find_map(|lead| text.strip_prefix(lead)).unwrap_or(text);
        item.blocks.is_empty() && text.trim_matches('`').trim() == code.trim() && commands::checks(code)
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
        false
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

    /// Takes a command. One that needs a shell, or that would never end, is no command of a gate: in a plan that was not
    /// written for us it is work for whoever validates.
    fn command(&mut self, text: &str, offset: usize, gate: GateKind) {
        self.seen += 1;
        let line = CommandLine { gate, text, at: self.source.position(offset) };
        if self.rules.may_be_foreign() && (command::split(text).is_err() || commands::stays(text)) {
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

/// Finds that a line says how the work is checked, and for which gate its commands are.
fn says_how_to_check(raw: &str) -> Option<GateKind> {
    const LABELS: &str = "verify with|verify by|verify using|verified by|verified with|check with|check by|checked by|checked with|test with|\
         tested with|test by running|validate with|validated by|run tests|run the tests|to verify|to check|to test|prüfen mit|\
         geprüft mit|vérifier avec|verificar con|verificar com|verificare con|验证方式|验证命令|検証方法";
    const LEADS: [&str; 27] = [
        "how do i know",
        "how do we know",
        "how to verify",
        "how to check",
        "how to test",
        "to check",
        "to verify",
        "to test",
        "to validate",
        "verify with",
        "verify by",
        "verify using",
        "check with",
        "check by",
        "test with",
        "test it with",
        "run the tests with",
        "zum prüfen",
        "zum testen",
        "zur prüfung",
        "prüfen mit",
        "pour vérifier",
        "pour tester",
        "para verificar",
        "para comprobar",
        "para testar",
        "per verificare",
    ];
    let label = directives::split_label(raw).map(|(label, _)| domains::normal(&label));
    let is_check = |label: &str| {
        matches!(domains::fixed(label), Some(domains::Fixed::Verification(_))) || domains::holds(LABELS, label)
    };
    if let Some(label) = label.filter(|label| is_check(label)) {
        return Some(domains::gate(&label).unwrap_or(GateKind::Tests));
    }
    let plain = raw.trim_start_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    (LEADS.iter().any(|lead| plain.starts_with(lead)) || asks_to_run(&plain)).then_some(GateKind::Tests)
}

/// Tells whether a line asks to run something when the work is done: "Run `make test` before you push."
fn asks_to_run(plain: &str) -> bool {
    const REASONS: &str = "before you|before pushing|before committing|before merging|before opening|before each|before every|to verify|\
         to check|to confirm|to make sure|to be sure|when done|when you are done|at the end";
    let behind = ["run `", "execute `", "please run `"].iter().find_map(|lead| plain.strip_prefix(lead));
    let Some((_, behind)) = behind.and_then(|rest| rest.split_once('`')) else { return false };
    REASONS.split('|').any(|reason| behind.trim_start().starts_with(reason.trim_start()))
}
