//! A plan in our own dialect, with every assignment explicit and every item in it: for people to correct.

use std::fmt::Write as _;

use super::{
    Fate, Plan, PlannedTask, Requirement,
    accounting::{PlanItem, Reason},
};
use crate::command;

impl Plan {
    /// Writes the plan in our Markdown. Read again, it gives the same tasks.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut out = format!("# {}\n", line(self.title.as_deref().unwrap_or("Plan")));
        if !self.preamble.trim().is_empty() {
            let _ = write!(out, "\n## Context\n\n{}", quoted(&self.preamble));
        }
        for task in &self.tasks {
            write_task(&mut out, task);
        }
        if !self.verification.is_empty() {
            out.push_str("\n## Verification\n\n");
            for command in &self.verification {
                let _ = writeln!(out, "- {}: {}", command.gate, code(&command::join(&command.argv)));
            }
        }
        if !self.acceptance.is_empty() {
            out.push_str("\n## Acceptance criteria\n\n");
            for criterion in &self.acceptance {
                let _ = writeln!(out, "- {}", line(&criterion.text));
            }
        }
        if !self.out_of_scope.is_empty() {
            let _ = write!(out, "\n## Out of scope\n\n{}", quoted(&self.out_of_scope.join("\n\n")));
        }
        self.write_rest(&mut out);
        out
    }

    /// Writes what is no work: it is there, and says why.
    fn write_rest(&self, out: &mut String) {
        let is_in_task = |item: &&PlanItem| {
            let mut made = self.tasks.iter().flat_map(|task| &task.requirements);
            made.any(|made| made.done && made.line == item.line && made.text == item.text)
        };
        let done: Vec<_> =
            self.items.iter().filter(|item| item.fate == Fate::Done).filter(|item| !is_in_task(item)).collect();
        if !done.is_empty() {
            out.push_str("\n## Done already\n\n");
            for item in done {
                let _ = writeln!(out, "- {}", line(&item.text));
            }
        }
        for (heading, is_here) in [("Left aside", true), ("Notes", false)] {
            let aside = |item: &PlanItem| match &item.fate {
                // What stands around a command in a sentence is kept as well.
                Fate::Command { gate } if !is_here && item.text.contains(' ') && !item.text.ends_with('`') => {
                    Some(format!("- {} (command of {gate})\n", line(&item.text)))
                }
                Fate::Aside { reason, section } if (*reason != Reason::Context) == is_here => {
                    Some(format!("- {} ({}, {})\n", line(&item.text), line(section), reason.name()))
                }
                _ => None,
            };
            let asides: String = self.items.iter().filter_map(aside).collect();
            if !asides.is_empty() {
                let _ = write!(out, "\n## {heading}\n\n{asides}");
            }
        }
    }
}

fn write_task(out: &mut String, task: &PlannedTask) {
    let name = task.subagent.as_str();
    let title = task.title.replace('`', "");
    let title = if title.is_empty() || title == name { String::new() } else { format!(": {}", line(&title)) };
    let _ = write!(out, "\n## `{name}`{title} {{#{}}}\n", task.id);
    let mut directive = |name: &str, values: Vec<&str>| {
        if !values.is_empty() {
            let values: Vec<_> = values.into_iter().map(|value| format!("`{value}`")).collect();
            let _ = write!(out, "\n{name}: {}\n", values.join(", "));
        }
    };
    directive("Touches", task.touches.iter().map(String::as_str).collect());
    directive("Needs", task.needs.iter().map(AsRef::as_ref).collect());
    directive("Parallel with", task.parallel_with.iter().map(AsRef::as_ref).collect());
    if !task.notes.trim().is_empty() {
        let _ = write!(out, "\n{}", quoted(&task.notes));
    }
    out.push('\n');
    for made in &task.requirements {
        write_requirement(out, made);
    }
}

fn write_requirement(out: &mut String, made: &Requirement) {
    let tick = if made.done { 'x' } else { ' ' };
    let _ = writeln!(out, "- [{tick}] {} {{#{}}}", line(&made.text), made.id);
    if made.detail.is_empty() {
        return;
    }
    out.push('\n');
    let fenced = has_boxes(&made.detail).then(|| crate::text::fenced(&made.detail, "markdown"));
    for line in fenced.as_deref().unwrap_or(&made.detail).lines() {
        out.push_str(format!("  {line}").trim_end());
        out.push('\n');
    }
    out.push('\n');
}

/// Tells whether a text has boxes of its own, which would be items of the plan.
fn has_boxes(text: &str) -> bool {
    text.lines().map(str::trim_start).any(|line| {
        let behind =
            line.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '-' | '*' | '+' | '.' | ')' | '>'));
        behind.len() < line.len() && behind.trim_start().starts_with('[')
    })
}

/// Writes text as a quote: it is read, and nothing in it is an item.
/// Quotes a text. A heading in it would be one of the plan when it is read again: it is written in bold.
fn quoted(text: &str) -> String {
    let mut fence = None;
    let mut quoted = String::with_capacity(text.len() + 16);
    for line in text.lines() {
        let bare = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| bare.starts_with(mark));
        fence = match (fence, mark) {
            (None, mark) => mark,
            (Some(open), Some(mark)) if open == mark => None,
            (open, _) => open,
        };
        let title = bare.trim_start_matches('#');
        let is_heading = fence.is_none() && title.len() < bare.len() && title.starts_with(' ');
        let shown = match title.trim().trim_end_matches('#').trim() {
            title if is_heading && !title.is_empty() => format!("> **{}**", title.replace("**", "")),
            _ => format!("> {line}"),
        };
        quoted.push_str(shown.trim_end());
        quoted.push('\n');
    }
    quoted
}

fn code(text: &str) -> String {
    crate::text::code(text)
}

/// Escapes a line so that Markdown gives it back as it is; code spans stay.
fn line(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        if c == '`' {
            let run = rest.len() - rest.trim_start_matches('`').len();
            let fence = &rest[..run];
            let closing = find_run(&rest[run..], run);
            let Some(at) = closing else {
                fence.chars().for_each(|_| out.push_str("\\`"));
                rest = &rest[run..];
                continue;
            };
            let end = run + at + run;
            out.push_str(&rest[..end]);
            rest = &rest[end..];
            continue;
        }
        let begins_block = out.is_empty() && matches!(c, '-' | '+' | '>' | '=');
        if begins_block || matches!(c, '\\' | '*' | '_' | '<' | '&' | '[' | ']' | '~' | '#' | '|' | '$') {
            out.push('\\');
        }
        let number = out.bytes().all(|b| b.is_ascii_digit()) && !out.is_empty();
        if number && matches!(c, '.' | ')') {
            out.push('\\');
        }
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    out
}

/// Finds a run of exactly `len` backticks.
fn find_run(text: &str, len: usize) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = text[at..].find('`') {
        let begin = at + found;
        let run = text[begin..].len() - text[begin..].trim_start_matches('`').len();
        if run == len {
            return Some(begin);
        }
        at = begin + run;
    }
    None
}
