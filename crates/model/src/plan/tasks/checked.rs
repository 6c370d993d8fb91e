//! How the work of a task is checked: items that are nothing but a check, lines below an item, columns of a table.

use std::ops::Range;

use super::Body;
use crate::{
    gate::GateKind,
    plan::{
        blocks::{Item, Row},
        domains,
        draft::RequirementDraft,
        verification::{self, CommandReader},
    },
};

impl Body<'_, '_> {
    /// Takes an item that is nothing but a command which checks something: nobody can write it.
    pub(super) fn takes_check(&mut self, item: &Item, group: Option<&str>) -> bool {
        let Some(gate) = self.gate_of_check(item, group) else { return false };
        self.commands().items(std::slice::from_ref(item), gate);
        true
    }

    /// Finds the gate of such an item: that whose work the section or the label above it names, or that which the item
    /// itself says it is for.
    fn gate_of_check(&self, item: &Item, group: Option<&str>) -> Option<GateKind> {
        let is_meant = self.checks_are_said() && CommandReader::is_check(item, self.source);
        let who = self.task.who.as_ref().filter(|_| is_meant);
        let role = who.and_then(|who| self.roster.get(&who.name)).map(|subagent| subagent.role);
        let by_group = || domains::role(&domains::normal(group?)).filter(|_| is_meant);
        let of_work = role.and_then(crate::roster::Role::gate).or_else(|| by_group()?.gate());
        of_work.or_else(|| CommandReader::gate_said(item).filter(|_| is_meant))
    }

    /// Tells whether the plan may say in any words how its work is checked.
    fn checks_are_said(&self) -> bool {
        self.rules.may_be_foreign() && !self.rules.bodies_follow
    }

    /// Takes the work of an item, and the commands with which it says that it is checked. A line that Markdown counts to the
    /// item although it stands below the list and says nothing but that is no part of the work.
    pub(super) fn takes_work(&mut self, item: &Item, mut made: RequirementDraft) {
        if self.checks_are_said() {
            self.commands().below_item(item);
            for line in self.commands().behind_first(item) {
                if let Some(text) = made.text.strip_suffix(&line).filter(|text| !text.trim().is_empty()) {
                    made.text = text.trim_end().to_owned();
                }
            }
        }
        self.task.requirements.push(made);
    }

    /// Takes what the columns of a row say that must hold for it, and the commands that check it. `said` is what the row
    /// asks for, where a column is known to say so; else that is in its longest cell.
    pub(super) fn checks_of_row(&mut self, head: &[String], row: &Row, said: Option<&str>, is_done: bool) {
        if !self.checks_are_said() {
            return;
        }
        let speaks_of_checks = |head: &str| verification::heads_checks(head) || verification::is_for_criteria(head);
        let others = head.iter().zip(&row.cells).filter(|(head, _)| !speaks_of_checks(head)).map(|(_, cell)| cell);
        let what =
            said.or_else(|| others.max_by_key(|cell| cell.chars().count()).map(String::as_str)).unwrap_or_default();
        for (head, cell) in head.iter().zip(&row.cells) {
            if !speaks_of_checks(head) || !cell.chars().any(char::is_alphanumeric) {
                continue;
            }
            let range: Range<usize> = row.range.clone();
            let is_command = self.commands().in_cell(cell, &range);
            if !is_command && !is_done && !cell.contains("~~") && cell != what {
                self.checks.shown(format!("{what}: {cell}"), range, self.source);
            }
        }
    }
}
