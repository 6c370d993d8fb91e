//! Checks in data: commands of gates, and what must hold for an item.

use super::{
    DataReader,
    keys::{self, Key, elements, entries_of, scalar},
    one_line, shown,
};
use crate::{
    gate::GateKind,
    plan::{
        AcceptanceCriterion, commands,
        dialect::status::words,
        draft::{CommandLine, RequirementDraft, TaskDraft, Who},
    },
    roster::Role,
    yaml::tree::Node,
};

/// Returns the commands of a text that is nothing but commands, each for a gate.
pub(in crate::plan) fn commands_of(text: &str) -> Option<Vec<String>> {
    let plain = |line: &str| {
        let line = line.trim().trim_end_matches('.');
        let line = ["Run ", "run ", "Run: ", "run: "].iter().find_map(|lead| line.strip_prefix(lead)).unwrap_or(line);
        let is_code = line.len() > 2 && line.starts_with('`') && line.ends_with('`') && line.matches('`').count() == 2;
        if is_code { line.trim_matches('`').trim().to_owned() } else { line.to_owned() }
    };
    let lines: Vec<String> = text.lines().map(plain).collect();
    let found: Vec<String> = commands::of_block(lines.iter().map(String::as_str))
        .iter()
        .flat_map(|command| commands::chained(&command.text))
        .map(str::to_owned)
        .collect();
    // Words that begin with the name of a program are a sentence all the same.
    let is_command = |text: &String| {
        commands::looks_like_one(text)
            && commands::suits_a_gate(text)
            && !text.ends_with([':', ','])
            && (commands::checks(text) || text.split_whitespace().count() <= 8)
    };
    (!found.is_empty() && found.iter().all(is_command)).then_some(found)
}

/// Returns what a check says: its command where it has a key for that, or all of it.
fn said(node: &Node) -> String {
    const COMMANDS: [&str; 5] = ["command", "cmd", "run", "exec", "script"];
    let of_key = entries_of(node).iter().find(|(key, _)| COMMANDS.contains(&words(&scalar(key)).as_str()));
    of_key.map(|(_, value)| scalar(value)).filter(|text| !text.is_empty()).unwrap_or_else(|| shown(node))
}

/// Goes through the values of a key: those of a list, or the one that there is.
fn values(value: &Node) -> impl Iterator<Item = &Node> {
    std::iter::once(value).filter(|node| elements(node).is_empty()).chain(elements(value))
}

impl DataReader<'_, '_> {
    pub(super) fn criteria(&mut self, value: &Node) {
        for node in values(value) {
            let text = one_line(&shown(node));
            if !text.is_empty() {
                self.criterion(text, node);
            }
        }
    }

    fn criterion(&mut self, text: String, node: &Node) {
        let line = self.text.place(node.position).line;
        self.draft.acceptance.push(AcceptanceCriterion { text, line });
    }

    /// Takes a text for commands when it is nothing else.
    fn takes_commands(&mut self, text: &str, node: &Node, gate: GateKind) -> bool {
        let Some(found) = commands_of(text) else { return false };
        let at = self.text.place(node.position);
        for text in found {
            let line = CommandLine { gate, text: &text, at };
            let made = commands::split(line, self.problems);
            let made = made.filter(|made| self.draft.verification.iter().all(|other| other.argv != made.argv));
            self.draft.verification.extend(made);
        }
        true
    }

    /// Takes commands, and as work for whoever validates what is none.
    pub(super) fn checks(&mut self, value: &Node, gate: GateKind) {
        for node in values(value) {
            let text = said(node);
            if text.is_empty() || self.takes_commands(&text, node, gate) {
                continue;
            }
            let (at, text) = (self.text.place(node.position), one_line(&text));
            let who = Who::of_role(Role::Validation, self.roster);
            let requirements = vec![RequirementDraft { at, text, ..RequirementDraft::default() }];
            let title = "Verification".to_owned();
            self.draft.tasks.push(TaskDraft { at, who, title, requirements, ..TaskDraft::default() });
        }
    }

    /// Takes what an item says of how it is checked: commands of a gate, and criteria that are called by its name.
    pub(super) fn checks_of_item(&mut self, node: &Node, name: &str, is_done: bool) {
        for (key, value) in entries_of(node) {
            let kind = keys::parse(&words(&scalar(key)));
            if !matches!(kind, Key::Check | Key::MayCheck | Key::Criteria) {
                continue;
            }
            for node in values(value) {
                let text = said(node);
                let may_run = kind != Key::Criteria;
                let is_taken = text.is_empty() || may_run && self.takes_commands(&text, node, GateKind::Tests);
                if !is_taken && kind != Key::MayCheck && !is_done {
                    self.criterion(format!("{name}: {}", one_line(&text)), node);
                }
            }
        }
    }
}
