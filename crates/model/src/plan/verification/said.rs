//! Commands that check the work where it is said in words: in sentences, in columns of tables, in criteria, and outside of
//! any section of verification.

use std::ops::Range;

use super::{CommandReader, codes_in, scenarios, words};
use crate::{
    gate::GateKind,
    plan::{
        accounting::{Fate, Reason, What},
        blocks::{Block, CodeLine, Item, Row},
        commands, directives, domains,
        inline::Line,
        items,
        sections::Section,
        shape::Rules,
        source::Source,
    },
};

/// Tells whether the head of a column says that the cells below it check each row.
pub(in crate::plan) fn heads_checks(head: &str) -> bool {
    words::says_how_to_check(&format!("{head}:")).is_some()
}

impl CommandReader<'_, '_> {
    /// Takes the commands of a text that stands in no section of verification, where a line or a sentence says that they
    /// check the work: "**Verify with:** `pytest -q`", "To check it, run `pytest -q`." `runs` says that the section is about
    /// tests, so that it is enough to say how they are run.
    pub(in crate::plan) fn in_text(&mut self, range: &Range<usize>, line: &Line, runs: Option<GateKind>) {
        let text = self.source.text;
        let lines = lines(text, range);
        let sentences = sentences(text, range, line);
        let mut taken: Vec<usize> = Vec::new();
        for here in lines.iter().chain(&sentences) {
            let raw = &text[here.clone()];
            if let Some(bare) = words::bare_command(raw).filter(|_| !taken.contains(&here.start)) {
                taken.push(here.start);
                self.command(&raw[bare.clone()], here.start + bare.start, GateKind::Tests);
                continue;
            }
            let codes = codes_in(line, here);
            let labelled = || {
                directives::split_label(raw)
                    .and_then(|(label, at)| Some((domains::gate(&domains::normal(&label))?, at)))
            };
            // "Tests: `npm test`" says of which gate a command is, where nothing else stands there.
            let of_label = || labelled().filter(|(_, at)| words::says_only_checks(&raw[*at..])).map(|(gate, _)| gate);
            let run = || runs.filter(|_| words::says_how_to_run(raw));
            let Some(gate) = words::says_how_to_check(raw).or_else(of_label).or_else(run) else { continue };
            for (at, code) in codes.iter().filter(|(_, code)| commands::checks(code)) {
                if !taken.contains(&at.start) {
                    taken.push(at.start);
                    self.span(at, code, gate);
                }
            }
            // "**Verify:** `python cli.py list`" checks something that only a reader of its output can judge.
            let is_shown = codes.iter().any(|(_, code)| commands::looks_like_one(code))
                && !codes.iter().any(|(_, code)| commands::checks(code));
            if let Some(rest) = directives::split_label(raw)
                .filter(|(label, _)| is_shown && domains::holds("verify|verification", &domains::normal(label)))
                .map(|(_, rest)| raw[rest..].trim())
                .filter(|_| !taken.contains(&codes[0].0.start))
            {
                taken.push(codes[0].0.start);
                self.sentence_by_hand(rest, here.clone());
            }
        }
    }

    /// Takes the commands of a code block that plainly check something, where the last line before it says that it checks
    /// the work: "To verify, run:". Tells whether it says so.
    pub(in crate::plan) fn below_text(&mut self, before: &Range<usize>, lines: &[CodeLine]) -> bool {
        let lead = self.source.text[before.clone()].trim_end().lines().next_back().unwrap_or_default();
        let leads = lead.trim_end_matches(['*', '_']).ends_with([':', '：', '?', '？']);
        let of_label = || domains::gate(&domains::normal(lead));
        let Some(gate) = words::says_how_to_check(lead).or_else(of_label).filter(|_| leads) else { return false };
        for command in commands::of_block(lines.iter().map(|line| line.text.as_str())) {
            if let Some(line) = lines.get(command.line).filter(|_| commands::checks(&command.text)) {
                self.command(&command.text, line.offset + command.skipped, gate);
            }
        }
        true
    }

    /// Takes the commands of a block of which every one checks something.
    pub(in crate::plan) fn mere_checks(&mut self, lines: &[CodeLine], gate: GateKind) {
        if holds_only_checks(lines) {
            self.code(lines, gate);
        }
    }

    /// Reads sentences of a section of verification: the commands in them that check something. One that shows what only a
    /// reader can judge is work for whoever validates, and the other text is left.
    pub(super) fn sentences(&mut self, range: &Range<usize>, line: &Line, gate: GateKind) {
        let text = self.source.text;
        let mut is_left = false;
        for here in sentences(text, range, line) {
            let raw = &text[here.clone()];
            if let Some(bare) = words::bare_command(raw) {
                self.command(&raw[bare.clone()], here.start + bare.start, gate);
                continue;
            }
            let codes = if words::speaks_against(raw) { &[] } else { codes_in(line, &here) };
            let suits = |code: &str| self.rules.may_be_foreign() || crate::command::split(code).is_ok();
            let checks: Vec<_> = codes.iter().filter(|(_, code)| commands::checks(code) && suits(code)).collect();
            let is_shown = codes.iter().any(|(_, code)| commands::looks_like_one(code) && !commands::checks(code));
            let any = !checks.is_empty();
            for (at, code) in checks {
                self.span(at, code, gate);
            }
            if is_shown && self.rules.may_be_foreign() {
                self.sentence_by_hand(raw.trim(), here);
            } else {
                is_left |= !any && !raw.trim_end_matches(['*', '_', ' ', '\n']).ends_with([':', '：']);
            }
        }
        if is_left {
            self.checks.left.push(range.clone());
        }
    }

    /// Reads a row of a table: its command, and what is expected of it beside that it succeeds.
    pub(super) fn row(&mut self, head: &[String], row: &Row, gate: GateKind) {
        const COMMANDS: &str = "command|commands|cmd|run|how|how to run|what to run|befehl|befehle|kommando|commande|commandes|comando|\
             comandos|comandi|команда|命令|コマンド|명령";
        let heads = |at: usize| {
            head.get(at).is_some_and(|head| domains::holds(COMMANDS, &domains::normal(head)) || heads_checks(head))
        };
        let column = (0..row.cells.len()).find(|at| heads(*at) && !codes_of(&row.cells[*at]).is_empty());
        let is_only_code = |cell: &str| cell.starts_with('`') && words::says_only_checks(cell);
        let column = column.or_else(|| {
            let holds =
                |cell: &String| is_only_code(cell) && codes_of(cell).iter().all(|code| commands::looks_like_one(code));
            row.cells.iter().position(holds)
        });
        let Some(column) = column else {
            let text = items::row_text(&row.cells);
            let made = items::from_text(&text, 0, row.range.clone(), self.rules, self.source);
            return self.by_hand(made);
        };
        let labels = || row.cells.iter().enumerate().filter(|(at, _)| *at != column);
        let gate = labels().find_map(|(_, cell)| domains::gate(&domains::normal(cell))).unwrap_or(gate);
        let before = self.checks.commands.len();
        let written = &self.source.text[row.range.clone()];
        for code in codes_of(&row.cells[column]) {
            let at = row.range.start + written.find(code).unwrap_or(0);
            self.command(code, at, gate);
        }
        let is_taken = self.checks.commands.len() > before;
        let what = if is_taken { What::Item(Fate::Command { gate }) } else { What::Said };
        self.checks.place(row.range.clone(), what);
        // Only what stands behind the command says what comes of it.
        let expected = row.cells.iter().skip(column + 1).filter(|cell| cell.chars().any(char::is_alphanumeric));
        for cell in expected.filter(|cell| is_taken && !words::passes(cell)) {
            self.checks.shown(format!("{}: {cell}", row.cells[column]), row.range.clone(), self.source);
        }
    }

    /// Takes the commands of a cell that says nothing else; tells whether it has any.
    pub(in crate::plan) fn in_cell(&mut self, cell: &str, row: &Range<usize>) -> bool {
        let codes = codes_of(cell);
        let is_check =
            !codes.is_empty() && codes.iter().all(|code| commands::checks(code)) && words::says_only_checks(cell);
        for code in codes.into_iter().filter(|_| is_check) {
            let at = row.start + self.source.text[row.clone()].find(code).unwrap_or(0);
            self.command(code, at, GateKind::Tests);
        }
        is_check
    }

    /// Takes items as criteria, and the commands in them that are to succeed.
    pub(in crate::plan) fn criteria(&mut self, items: &[Item]) {
        self.checks.criteria(items, self.source);
        self.in_criteria(items);
    }

    /// Takes the commands in criteria that are to succeed.
    pub(in crate::plan) fn in_criteria(&mut self, items: &[Item]) {
        for item in items {
            self.in_criterion(&item.line);
            for block in &item.blocks {
                match block {
                    Block::List { items } => self.in_criteria(items),
                    Block::Paragraph { line, .. } => self.in_criterion(line),
                    _ => {}
                }
            }
        }
    }

    fn in_criterion(&mut self, line: &Line) {
        let raw = &self.source.text[line.range.clone()];
        let is_check = words::passes(raw) || words::says_only_checks(raw) || words::says_how_to_check(raw).is_some();
        if self.rules.may_be_foreign() && is_check {
            for (at, code) in line.codes.iter().filter(|(_, code)| commands::checks(code)) {
                self.span(at, code, GateKind::Tests);
            }
        }
    }

    /// Reads the blocks of a section of criteria.
    pub(in crate::plan) fn criteria_blocks(
        &mut self,
        blocks: &[Block],
        name: Option<&str>,
        is_aside: impl Fn(&Block) -> bool,
    ) {
        let before = self.checks.criteria.len();
        let mut label: Option<(&Range<usize>, String)> = None;
        let mut paragraphs = Vec::new();
        let mut lead = None;
        for block in blocks {
            let named = label.take();
            let of_list = named.as_ref().map(|(_, name)| name.as_str()).or(name);
            match block {
                Block::List { items } if lead.is_some_and(&is_aside) => {
                    for item in items {
                        let what = What::Aside { reason: Reason::OutOfScope, section: "Out of scope".to_owned() };
                        self.checks.place(item.range.clone(), what);
                    }
                }
                Block::List { items } => {
                    self.checks.criteria_of(&items.iter().collect::<Vec<_>>(), of_list, self.source);
                    self.in_criteria(items);
                }
                Block::Table { head, rows, .. } => self.checks.rows(head, rows, self.source),
                Block::Code { info, lines, range } => {
                    if !self.checks.scenarios(info.as_deref(), lines, self.source) {
                        self.checks.left.push(range.clone());
                    }
                }
                Block::Paragraph { range, line } if !line.text.is_empty() => {
                    let is_label = line.strong == line.text.len() || line.text.ends_with([':', '：']);
                    if is_label {
                        label = Some((range, scenarios::name(&line.text)));
                    }
                    paragraphs.push((range, line, is_label, named.map(|(_, name)| name)));
                }
                Block::Text { range } => self.checks.left.push(range.clone()),
                Block::Other => label = named,
                _ => {}
            }
            if !matches!(block, Block::Other) {
                lead = Some(block);
            }
        }
        let has_lists = self.checks.criteria.len() > before;
        for (index, (range, line, is_label, named)) in paragraphs.iter().enumerate() {
            let is_scenario = scenarios::is_one(self.source.text[(*range).clone()].lines());
            // A label of a text belongs to it.
            let heads = *is_label && paragraphs.get(index + 1).is_some_and(|(.., named)| named.is_some());
            if has_lists && !is_scenario {
                if !is_label {
                    self.checks.left.push((*range).clone());
                }
            } else if !heads {
                let named = named.as_deref().or(name.filter(|_| is_scenario));
                match named {
                    Some(named) => {
                        let text = format!("{named}: {}", line.text);
                        self.checks.shown(text, (*range).clone(), self.source);
                    }
                    None => self.checks.criterion(line.text.clone(), (*range).clone(), self.source),
                }
                self.in_criterion(line);
            }
        }
    }

    /// Tells whether an item says nothing but that something is run to check the work, and there is a command for it.
    pub(in crate::plan) fn is_check(item: &Item, source: &Source<'_>) -> bool {
        let raw = &source.text[item.line.range.clone()];
        // The number of an item says nothing about it: "5.2 `pytest -q`".
        let behind = items::split_number_id(&item.line.text).map(|(_, rest)| rest);
        let text = behind.as_deref().unwrap_or(&item.line.text);
        let codes = &item.line.codes;
        let labelled =
            directives::split_label(text).filter(|(label, _)| domains::gate(&domains::normal(label)).is_some());
        let said = labelled.map_or(text, |(_, at)| &text[at..]);
        let is_said =
            !codes.is_empty() && codes.iter().all(|(_, code)| commands::checks(code)) && words::says_only_checks(said);
        item.blocks.is_empty()
            && !words::speaks_against(raw)
            && (is_said
                || words::bare_command(text)
                    .is_some_and(|bare| bare.end + 1 >= text.len() || words::says_only_checks(&text[bare.end..])))
    }

    /// Finds the gate of an item that is a check wherever it stands: it says what the command is for.
    pub(in crate::plan) fn gate_said(item: &Item) -> Option<GateKind> {
        let text = &item.line.text;
        let of_label = || directives::split_label(text).and_then(|(label, _)| domains::gate(&domains::normal(&label)));
        let is_passed = || words::passes(text).then_some(GateKind::Tests);
        let is_bare = || words::bare_command(text).map(|_| GateKind::Tests);
        words::says_how_to_check(text).or_else(of_label).or_else(is_passed).or_else(is_bare)
    }

    /// Takes the commands that the lines below an item of work say to check it with: the item keeps them.
    pub(in crate::plan) fn below_item(&mut self, item: &Item) {
        for block in &item.blocks {
            match block {
                Block::List { items } => {
                    for item in items {
                        self.in_text(&item.line.range, &item.line, None);
                        self.below_item(item);
                    }
                }
                Block::Paragraph { range, line } => self.in_text(range, line, None),
                _ => {}
            }
        }
    }

    /// Takes the commands of items that are there to be read.
    pub(in crate::plan) fn in_items(&mut self, items: &[Item], runs: Option<GateKind>) {
        for item in items {
            self.in_text(&item.line.range, &item.line, runs);
            for block in &item.blocks {
                if let Block::List { items } = block {
                    self.in_items(items, runs);
                }
            }
        }
    }

    /// Takes the commands of what an item says behind its first line or sentence. Returns the text of the lines that say
    /// nothing else.
    pub(in crate::plan) fn behind_first(&mut self, item: &Item) -> Vec<String> {
        let text = self.source.text;
        let own = &item.line;
        let first = [sentences(text, &own.range, own), lines(text, &own.range)];
        let Some(end) = first.iter().filter_map(|parts| parts.first()).map(|part| part.end).min() else {
            return Vec::new();
        };
        self.in_text(&(end..own.range.end), own, None);
        let behind = lines(text, &own.range).into_iter().skip(1).map(|line| &text[line]);
        let is_check =
            |raw: &&str| raw.contains('`') && words::says_how_to_check(raw).is_some() && words::says_only_checks(raw);
        behind.filter(is_check).map(|raw| raw.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    }

    /// Takes a command that stands in a code span.
    fn span(&mut self, at: &Range<usize>, code: &str, gate: GateKind) {
        // The text of a span begins behind its backticks, and behind one blank that pads them.
        let inner = self.source.text[at.clone()].find(code).unwrap_or(0);
        self.command(code, at.start + inner, gate);
    }

    fn sentence_by_hand(&mut self, text: &str, range: Range<usize>) {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut made = items::from_text(&text, 0, range, Rules::OURS, self.source);
        made.needs.clear();
        made.paths.clear();
        self.by_hand(made);
    }
}

/// Returns the lines of a stretch of the text.
fn lines(text: &str, range: &Range<usize>) -> Vec<Range<usize>> {
    let mut offset = range.start;
    let line = |raw: &str| {
        let here = offset..offset + raw.trim_end().len();
        offset += raw.len();
        here
    };
    text[range.clone()].split_inclusive('\n').map(line).collect()
}

/// Returns the sentences of a stretch of the text. A line that begins with a label begins one, and code belongs to the
/// sentence that it stands in.
fn sentences(text: &str, range: &Range<usize>, line: &Line) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = range.start;
    let mut at = range.start;
    let mut end_at = |start: &mut usize, end: usize| {
        let raw = &text[*start..end];
        let begin = *start + (raw.len() - raw.trim_start().len());
        if begin < end {
            found.push(begin..begin + raw.trim().len());
        }
        *start = end;
    };
    for c in text[range.clone()].chars() {
        let behind = at + c.len_utf8();
        let in_code = line.codes.iter().any(|(code, _)| code.contains(&at));
        let next = || text[behind..range.end].chars().next();
        let ends = match c {
            _ if in_code => false,
            '.' | '!' | '?' => next().is_none_or(char::is_whitespace),
            '。' | '！' | '？' => true,
            '\n' => directives::split_label(text[behind..range.end].lines().next().unwrap_or_default())
                .is_some_and(|(label, _)| label.split_whitespace().count() <= 4),
            _ => false,
        };
        if ends {
            end_at(&mut start, behind);
        }
        at = behind;
    }
    end_at(&mut start, range.end);
    found
}

/// Returns what stands between backticks in a cell.
fn codes_of(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).map(str::trim).filter(|code| !code.is_empty()).collect()
}

/// Tells whether all commands of a block plainly check something.
fn holds_only_checks(lines: &[CodeLine]) -> bool {
    let found = commands::of_block(lines.iter().map(|line| line.text.as_str()));
    !found.is_empty() && found.iter().all(|command| commands::checks(&command.text))
}

/// Tells whether a section says nothing but how its tests are run: blocks of commands that check something, and lines that
/// lead to them or hold such a command themselves.
pub(in crate::plan) fn is_only_checks(section: &Section<'_>, source: &Source<'_>) -> bool {
    let mut has_any = false;
    let all = section.blocks.iter().all(|block| match block {
        Block::Code { info, lines, .. } => {
            let is_check = commands::is_shell_block(info.as_deref()) && holds_only_checks(lines);
            has_any |= is_check;
            is_check
        }
        Block::Paragraph { range, line } => {
            let raw = &source.text[range.clone()];
            let has_check = line.codes.iter().any(|(_, code)| commands::checks(code));
            let is_said = has_check
                && (words::says_only_checks(raw)
                    || words::says_how_to_check(raw).is_some()
                    || words::says_how_to_run(raw));
            has_any |= is_said;
            is_said || (line.codes.is_empty() && line.text.ends_with([':', '：']))
        }
        Block::Other => true,
        _ => false,
    });
    all && has_any
}
