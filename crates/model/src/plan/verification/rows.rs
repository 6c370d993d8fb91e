//! Commands and criteria in tables and in sections of criteria.

use std::ops::Range;

use super::{CommandReader, scenarios, words};
use crate::{
    gate::GateKind,
    plan::{
        accounting::{Fate, Reason, What},
        blocks::{Block, Item, Row},
        commands, domains,
        inline::Line,
        items,
    },
};

impl CommandReader<'_, '_> {
    /// Reads a row of a table: its command, and what is expected of it beside that it succeeds.
    pub(super) fn row(&mut self, head: &[String], row: &Row, gate: GateKind) {
        const COMMANDS: &str = "command|commands|cmd|run|how|how to run|what to run|befehl|befehle|kommando|commande|commandes|comando|\
             comandos|comandi|команда|命令|コマンド|명령";
        let heads = |at: usize| {
            head.get(at)
                .is_some_and(|head| domains::holds(COMMANDS, &domains::normal(head)) || words::heads_checks(head))
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
                    let has_any = self.checks.scenarios(info.as_deref(), lines, self.source);
                    self.checks.left.extend((!has_any).then(|| range.clone()));
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
}

/// Returns what stands between backticks in a cell.
fn codes_of(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).map(str::trim).filter(|code| !code.is_empty()).collect()
}
