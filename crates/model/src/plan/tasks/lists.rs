//! Lists that are no work, and tables.

use std::ops::Range;

use super::{Body, labels::found_directive};
use crate::plan::{
    accounting::{Placed, Reason, What},
    blocks::{Item, Row, nested},
    dialect::status::{self, State},
    domains::{self, Fixed},
    draft::{self, Word},
    items, mentions, owners, waits,
};

impl Body<'_, '_> {
    /// Takes an item that only heads a list which is no work.
    pub(super) fn labelled(&mut self, fixed: Fixed, item: &Item) {
        self.said(item);
        let name = item.line.text.trim_end_matches(':').to_owned();
        let below: Vec<&Item> = nested(&item.blocks).collect();
        if fixed == Fixed::Acceptance {
            self.checks.criteria(below.iter().copied(), self.source);
            below.iter().for_each(|item| self.commands().in_criteria(std::slice::from_ref(*item)));
        } else {
            let reason = if let Fixed::Aside(reason) = fixed { reason } else { Reason::Context };
            self.placed.push(Placed::new(item.range.clone(), What::Aside { reason, section: name }));
        }
        self.note_list(std::slice::from_ref(item));
    }

    /// Takes an item that says what the others are for: the subagent is to know it.
    pub(super) fn why(&mut self, item: &Item, section: String) {
        self.placed.push(Placed::new(item.range.clone(), What::Aside { reason: Reason::Context, section }));
        self.note_list(std::slice::from_ref(item));
    }

    /// Takes an item of a list of files: what it names may be touched.
    pub(super) fn files(&mut self, item: &Item) {
        let paths = mentions::paths(&item.line.text);
        self.said(item);
        self.task.paths.extend(paths);
        self.note_list(std::slice::from_ref(item));
    }

    /// Takes a list of a section that is no work: a directive counts, everything else is a note.
    pub(super) fn aside_list(&mut self, items: &[Item]) {
        let is_directive = |item: &Item| found_directive(&self.source.text[item.line.range.clone()]).is_some();
        let final_ = self.aside.as_ref().is_some_and(|(reason, _)| reason.is_final());
        let is_work = |item: &Item| is_directive(item) || (!final_ && (item.boxed || item.is_group()));
        let runs: Vec<&[Item]> = items.chunk_by(|one, next| is_work(one) == is_work(next)).collect();
        let are_work: Vec<bool> = runs.iter().map(|run| run.first().is_some_and(is_work)).collect();
        for (run, are_work) in runs.into_iter().zip(are_work) {
            if are_work {
                self.items(run, None);
            } else {
                self.aside_items(run);
                self.note_list(run);
            }
        }
    }

    pub(super) fn aside_items(&mut self, items: &[Item]) {
        if let (Some((reason, section)), Some(first), Some(last)) = (self.aside.clone(), items.first(), items.last()) {
            let range = first.range.start..last.range.end;
            self.placed.push(Placed::new(range, What::Aside { reason, section }));
        }
    }

    pub(super) fn aside_range(&mut self, range: Range<usize>) {
        if let Some((reason, section)) = self.aside.clone() {
            self.placed.push(Placed::new(range.clone(), What::Aside { reason, section }));
        }
        self.note(range, None);
    }

    pub(super) fn note_list(&mut self, items: &[Item]) {
        if let Some(text) = self.list_text(items) {
            self.task.add_note(&text);
        }
    }

    /// Returns items as they are written, without the indentation that they have in common.
    pub(super) fn list_text(&self, items: &[Item]) -> Option<String> {
        let (first, last) = items.first().zip(items.last())?;
        let line_start = self.source.text[..first.range.start].rfind('\n').map_or(0, |at| at + 1);
        Some(items::dedent(&self.source.visible(line_start..last.range.end, self.comments)))
    }

    /// Makes a requirement of each row of a table.
    pub(super) fn rows(&mut self, head: &[String], rows: &[Row], group: Option<&str>) {
        let status = head.iter().position(|name| status::is_status(name)).filter(|_| self.rules.lenient);
        let said_in = head.iter().position(|name| says_what(name)).filter(|_| self.rules.lenient);
        let names_rows = |at: usize| {
            let mut cells = rows
                .iter()
                .filter_map(|row| row.cells.get(at))
                .filter(|cell| cell.contains(char::is_alphanumeric) && !waits::says_nothing(cell))
                .peekable();
            cells.peek().is_some() && cells.all(|cell| waits::is_list(cell))
        };
        let loose: Vec<&str> = (0..head.len())
            .filter(|at| self.rules.may_be_foreign() && waits::may_head(&head[*at]) && names_rows(*at))
            .map(|at| head[at].as_str())
            .collect();
        for row in rows {
            if self.rules.may_be_foreign() && sums_up(&row.cells) {
                let what =
                    What::Aside { reason: Reason::Context, section: group.unwrap_or(&self.task.title).to_owned() };
                self.placed.push(Placed::new(row.range.clone(), what));
                continue;
            }
            let said = said_in.and_then(|at| row.cells.get(at));
            let text = items::row_text(&row.cells);
            if text.is_empty() {
                continue;
            }
            let mut state = status.and_then(|at| row.cells.get(at)).map_or(State::Open, |cell| status::state(cell));
            if state == State::Open && said.is_some_and(|said| items::is_struck(said)) {
                state = State::Aside(Reason::OutOfScope);
            }
            if let State::Aside(reason) = state {
                let what = What::Aside { reason, section: group.unwrap_or(&self.task.title).to_owned() };
                self.placed.push(Placed::new(row.range.clone(), what));
                continue;
            }
            let mut made = items::from_text(&text, 0, row.range.clone(), self.rules, self.source);
            // How a row is checked, and by whom, says nothing about whose work it is.
            let others =
                || head.iter().zip(&row.cells).filter(|(head, _)| !is_beside_the_work(head)).map(|(_, cell)| cell);
            made.paths = mentions::changed(&others().cloned().collect::<Vec<_>>().join(" · "));
            made.about = said.or_else(|| others().max_by_key(|cell| cell.len())).cloned();
            made.done = state == State::Done;
            if let Some(group) = group {
                made.text = format!("{group}: {}", made.text);
            }
            let cells = || head.iter().zip(&row.cells).filter(|(head, cell)| !head.is_empty() && !cell.is_empty());
            made.detail = cells().map(|(head, cell)| format!("- {head}: {cell}")).collect::<Vec<_>>().join("\n");
            if self.rules.lenient {
                if let Some(name) = made.detail.lines().find_map(|line| owners::assigned_to_nobody(line, self.roster)) {
                    let message = format!("there is no subagent `{name}`, so others decide whose this is");
                    let hint = format!("the roster has {}", draft::known(self.roster));
                    self.problems.warning("unknown-subagent", made.at, message, hint);
                }
                let waited = cells().filter(|(head, _)| waits::heads(head) || loose.contains(&head.as_str()));
                let names = waited.flat_map(|(_, cell)| waits::of_line(&format!("depends on {cell}")));
                made.needs.extend(names.map(|text| Word { text, at: made.at }));
                // What stands in a first column of its own is what others call the row by.
                made.keys.extend(row.cells.first().filter(|cell| cell.len() <= 12).map(|cell| domains::normal(cell)));
            }
            self.checks_of_row(head, row, said.map(String::as_str), made.done);
            self.task.requirements.push(made);
        }
    }
}

/// Tells whether a row only adds up the others: "Total", "**Σ** | 9.5d".
fn sums_up(cells: &[String]) -> bool {
    const SUMS: &str = "total|totals|sum|subtotal|grand total|overall|total estimate|total effort|in total|all in all|summe|gesamt|insgesamt|\
         gesamtsumme|gesamtaufwand|somme|suma|totale|soma|合计|總計|合計|итого|합계";
    let mut filled = cells.iter().filter(|cell| !cell.trim().is_empty());
    let Some(first) = filled.next() else { return false };
    let is_sum =
        matches!(first.trim_matches(['*', '_', ' ', ':']), "Σ" | "∑") || domains::holds(SUMS, &domains::normal(first));
    // "Total | show the sum of the cart" is work.
    is_sum && filled.all(|cell| cell.chars().filter(|c| c.is_alphabetic()).count() <= 8)
}

/// Tells whether a column says how something is checked, who does it or when, by its head.
fn is_beside_the_work(head: &str) -> bool {
    const WORDS: &str = "check|checks|checked|verify|verified|verification|validate|validated|validation|proof|acceptance|criteria|criterion|\
         done|evidence|who|owner|assignee|est|estimate|effort|eta|due|after|depends|state|status|prüfung|geprüft|abnahme|wer";
    domains::normal(head).split(' ').any(|word| domains::holds(WORDS, word))
}

/// Tells whether a column says what is to be done, by its head.
fn says_what(head: &str) -> bool {
    const HEADS: [&str; 14] = [
        "item",
        "work item",
        "task",
        "what",
        "description",
        "title",
        "summary",
        "story",
        "requirement",
        "change",
        "deliverable",
        "aufgabe",
        "beschreibung",
        "was",
    ];
    HEADS.contains(&domains::normal(head).as_str())
}
