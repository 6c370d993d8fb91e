//! Commands that check the work where it is said in words: in sentences, and outside of any section of verification.

use std::ops::Range;

use super::{CommandReader, codes_in, words};
use crate::{
    gate::GateKind,
    plan::{
        blocks::{Block, CodeLine, Item},
        commands, directives, domains,
        inline::Line,
        items,
        sections::Section,
        shape::Rules,
        source::Source,
    },
};

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
            if !taken.contains(&here.start) && self.bare_commands(raw, here.start, GateKind::Tests) {
                taken.push(here.start);
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
            if self.bare_commands(raw, here.start, gate) {
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
        let bare = words::bare_commands(text);
        let is_bare = bare.last().is_some_and(|last| words::says_only_checks(&text[last.end..]));
        item.blocks.is_empty() && !words::speaks_against(raw) && (is_said || is_bare)
    }

    /// Finds the gate of an item that is a check wherever it stands: it says what the command is for.
    pub(in crate::plan) fn gate_said(item: &Item) -> Option<GateKind> {
        let text = &item.line.text;
        let of_label = || directives::split_label(text).and_then(|(label, _)| domains::gate(&domains::normal(&label)));
        let is_passed = || words::passes(text).then_some(GateKind::Tests);
        let is_bare = || (!words::bare_commands(text).is_empty()).then_some(GateKind::Tests);
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

    /// Takes commands without any mark from a line that begins at `offset`; tells whether there are any.
    pub(super) fn bare_commands(&mut self, raw: &str, offset: usize, gate: GateKind) -> bool {
        let found = words::bare_commands(raw);
        for bare in &found {
            self.command(&raw[bare.clone()], offset + bare.start, gate);
        }
        !found.is_empty()
    }

    /// Takes a command that stands in a code span.
    pub(super) fn span(&mut self, at: &Range<usize>, code: &str, gate: GateKind) {
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
