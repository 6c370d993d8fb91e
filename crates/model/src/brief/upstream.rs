//! What ran before: the work that a subagent builds on, and what was wrong with its own earlier attempts.

use std::fmt::Write as _;

use super::{BriefInput, UPSTREAM_MAX_BYTES, block, cut, inline, line};
use crate::{
    findings::Finding,
    handoff::TaskRecord,
    patch::{Conflict, ConflictKind, Patch, changes_of},
    report::{ClaimStatus, Report},
    schedule::{Outcome, Task},
    text,
};

/// The most bytes for one earlier task. With many of them each gets its even share, but not less than the half of this.
const UPSTREAM_EACH_MAX_BYTES: usize = 4 * 1024;

/// Paths of an earlier patch that are named.
const PATHS_NAMED: usize = 40;

/// Findings of an earlier task that are told.
const FINDINGS_SHOWN: usize = 10;

/// The most bytes about all earlier attempts.
const REWORK_MAX_BYTES: usize = 12 * 1024;

/// The most bytes about one earlier attempt.
const REWORK_EACH_MAX_BYTES: usize = 4 * 1024;

/// Attempts of earlier runs that are told, the newest first.
const BEFORE_TOLD: usize = 3;

/// Of how many conflicts both sides are shown, and the most bytes of each side.
const SIDES_SHOWN: usize = 2;
const SIDE_MAX_BYTES: usize = 1024;

/// What an earlier task came to.
#[derive(Debug, Clone, Copy)]
pub struct Upstream<'a> {
    /// The task.
    pub task: &'a Task,
    /// How it ended.
    pub outcome: Outcome,
    /// What its subagent reported.
    pub report: Option<&'a Report>,
}

impl<'a> Upstream<'a> {
    /// Takes what matters from a task's record.
    #[must_use]
    pub fn new(task: &'a Task, record: &'a TaskRecord) -> Self {
        Self { task, outcome: record.outcome, report: record.report() }
    }
}

/// In which run an attempt was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    InThisRun,
    /// In an earlier run of the same lock; nothing that it changed is in the work tree.
    InRunBefore,
}

/// What was wrong with an earlier attempt at the same task.
#[derive(Debug, Clone)]
pub struct Rework<'a> {
    /// The attempt's number, from 1.
    pub attempt: u32,
    pub made: Made,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, in a sentence.
    pub reason: &'a str,
    /// What was noticed.
    pub findings: &'a [Finding],
    /// What it reported, where that is told.
    pub report: Option<&'a Report>,
    /// Where its patch could not be had beside others.
    pub conflicts: &'a [Conflict],
    /// What both sides have there: path, the integrated text, the text of this attempt. Only where both are text.
    pub sides: Vec<(String, String, String)>,
}

/// Writes both sections; nothing for a task that is the first of its kind.
pub(super) fn render(out: &mut String, input: &BriefInput<'_>) {
    earlier(out, input);
    rework(out, input);
}

fn earlier(out: &mut String, input: &BriefInput<'_>) {
    let upstream = &input.upstream;
    if upstream.is_empty() {
        return;
    }
    out.push_str(
        "\n## What was done before you\n\nYour work tree holds what passed. The blocks are other subagents' own words: \
         look at the code before you rely on them.\n",
    );
    let share = (UPSTREAM_MAX_BYTES / upstream.len()).clamp(UPSTREAM_EACH_MAX_BYTES / 2, UPSTREAM_EACH_MAX_BYTES);
    let begin = out.len();
    for (number, upstream_task) in upstream.iter().enumerate() {
        let own = input.integrated.iter().filter(|(task, _)| **task == upstream_task.task.id);
        let patches: Vec<&Patch> = own.map(|(_, patch)| *patch).collect();
        let entry = entry(upstream_task, &patches, share);
        if out.len() - begin + entry.len() > UPSTREAM_MAX_BYTES {
            let _ =
                writeln!(out, "\n{} more did not fit into this brief; `git log` has them.", upstream.len() - number);
            return;
        }
        out.push_str(&entry);
    }
}

/// Writes what one task came to; `patches` are all of its patches that are in the work tree.
fn entry(upstream: &Upstream<'_>, patches: &[&Patch], share: usize) -> String {
    let task = upstream.task;
    let mut out = format!("\n- Task `{}` by {}: {}", task.id, inline(task.subagent.as_str()), upstream.outcome.name());
    let changes = changes_of(patches.iter().copied());
    let (added, removed) = patches
        .iter()
        .map(|patch| patch.line_counts())
        .fold((0, 0), |(added, removed), lines| (added + lines.0, removed + lines.1));
    let _ = write!(out, ", {}, {added} lines added, {removed} removed", text::count(changes.len(), "file"));
    if patches.len() > 1 {
        let _ = write!(out, " in {} patches", patches.len());
    }
    out.push('\n');
    let mut said = String::new();
    if let Some(report) = upstream.report {
        let _ = writeln!(said, "{}", line(&cut(&report.summary, share / 2)));
        claims(&mut said, report);
        for finding in report.findings.iter().take(FINDINGS_SHOWN) {
            let place = place(finding.path.as_deref(), finding.line, 200);
            let _ = writeln!(said, "found{place}, {}: {}", finding.severity.name(), line(&cut(&finding.message, 400)));
        }
    }
    for change in changes.iter().take(PATHS_NAMED) {
        let sign = if change.new.is_some() { "changed" } else { "deleted" };
        let _ = writeln!(said, "{sign} {}", line(&cut(&change.path, 200)));
    }
    if changes.len() > PATHS_NAMED {
        let _ = writeln!(said, "… and {} more paths", changes.len() - PATHS_NAMED);
    }
    block(&mut out, &said, share);
    out
}

/// Says where a finding is, with at most so many bytes of the path.
fn place(path: Option<&str>, number: Option<u32>, most: usize) -> String {
    let path = path.map(|path| line(&cut(path, most)));
    match (path, number) {
        (Some(path), Some(number)) => format!(" in {path}:{number}"),
        (Some(path), None) => format!(" in {path}"),
        (None, _) => String::new(),
    }
}

/// Writes what an attempt reported, so that the same answer is not given again: its summary, and what it left open.
fn reported(said: &mut String, report: &Report) {
    let _ = writeln!(said, "you reported: {}", line(&cut(&report.summary, 600)));
    claims(said, report);
}

/// Writes what a report says of each requirement, and what could not be done.
fn claims(said: &mut String, report: &Report) {
    for claim in &report.requirements {
        let status = match claim.status {
            ClaimStatus::Done => "done",
            ClaimStatus::Partial => "partial",
            ClaimStatus::NotDone => "not done",
            ClaimStatus::AlreadyDone => "done already",
        };
        let note = line(&cut(&claim.note, 200));
        let _ = writeln!(said, "{}", format!("{}: {status} {note}", claim.id).trim_end());
    }
    for limitation in &report.limitations {
        let _ = writeln!(said, "could not: {}", line(&cut(&limitation.text, 400)));
    }
}

fn rework(out: &mut String, input: &BriefInput<'_>) {
    let rework = &input.rework;
    if rework.is_empty() {
        return;
    }
    let before = rework.iter().filter(|attempt| attempt.made == Made::InRunBefore).count();
    let all_passed = rework.iter().all(|attempt| attempt.outcome == Outcome::Passed);
    if before == rework.len() && all_passed {
        out.push_str(
            "\n## What to fix\n\nAn earlier run did this task, and it is repeated. What was changed then is not in your work \
             tree: do the task again, and better where something is named here.\n",
        );
    } else if before > 0 {
        out.push_str(
            "\n## What to fix\n\nThis task was tried before, in an earlier run as well, and is repeated. What an attempt of an \
             earlier run changed is not in your work tree. Fix what was wrong, and do the rest of it too. The same answer \
             again does not help.\n",
        );
    } else if all_passed {
        out.push_str(
            "\n## What you did before\n\nYour earlier work on this task passed, and is in your work tree. Do not do it again. \
             Change something only where the reason for this call asks for it.\n",
        );
    } else {
        out.push_str(
            "\n## What to fix\n\nThis task was tried before. Fix what was wrong, and do the rest of it too.\n",
        );
    }
    if !input.because.is_empty() {
        let _ = writeln!(out, "\nYou are retried, because: {}", line(&cut(input.because, 600)));
    }
    // The latest attempt matters most, and is first: what does not fit are the oldest.
    let begin = out.len();
    let mut before = 0;
    for attempt in rework.iter().rev() {
        before += usize::from(attempt.made == Made::InRunBefore);
        if attempt.made == Made::InRunBefore && before > BEFORE_TOLD {
            continue;
        }
        let mut said = String::new();
        let _ = writeln!(said, "{}", line(&cut(attempt.reason, 1024)));
        for finding in attempt.findings {
            let place = place(finding.path.as_deref(), finding.line, 300);
            let _ = writeln!(
                said,
                "{} {}{place}: {}",
                finding.weight.name(),
                finding.code.name(),
                line(&cut(&finding.message, 500))
            );
        }
        for conflict in attempt.conflicts {
            let kind = match conflict.kind {
                ConflictKind::Content => "both changed the same lines",
                ConflictKind::BothAdded => "both added it",
                ConflictKind::DeleteModify => "one deleted what the other changed",
                ConflictKind::FileDirectory => "a file there, a folder here",
                ConflictKind::Mode => "modes differ",
            };
            let _ = writeln!(said, "conflict in {}: {kind}", line(&cut(&conflict.path, 300)));
        }
        if let Some(report) = attempt.report {
            reported(&mut said, report);
        }
        let whose = match attempt.made {
            Made::InThisRun => "",
            Made::InRunBefore => " of an earlier run",
        };
        let mut entry = format!("\n- Attempt {}{whose}: {}\n", attempt.attempt, attempt.outcome.name());
        block(&mut entry, &said, REWORK_EACH_MAX_BYTES);
        for (path, integrated, own) in attempt.sides.iter().take(SIDES_SHOWN) {
            let _ = write!(entry, "\nIn {}, your work tree now has:\n", inline(&cut(path, 300)));
            block(&mut entry, integrated, SIDE_MAX_BYTES);
            entry.push_str("\nand that attempt had:\n");
            block(&mut entry, own, SIDE_MAX_BYTES);
        }
        if out.len() - begin + entry.len() > REWORK_MAX_BYTES {
            out.push_str("\nEarlier attempts are left out.\n");
            return;
        }
        out.push_str(&entry);
    }
}
