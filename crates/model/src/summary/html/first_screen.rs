//! The first screen of the page: what happened, what to fix, what to do next.

use maud::{Markup, html};

use super::{
    super::{
        causes::{Cause, CauseKind},
        index::RunIndex,
        next::NextStep,
        wording::{self, Look},
    },
    SECTIONS, beside, code,
    gates::ended,
    headline, place, prose, shown,
};
use crate::{
    command,
    handoff::{Handoff, Status},
    provenance::WorkflowRunRef,
    text,
};

/// Lines of a failed command's output below its cause; all of them are with its gate.
const LINES_SHOWN: usize = 20;

/// What happened and what comes next: as much as the first screen of a phone holds.
pub(super) fn header(index: &RunIndex<'_>, steps: &[NextStep]) -> Markup {
    let handoff = index.handoff;
    let look = match handoff.status {
        Status::Complete => Look::Passed,
        Status::Incomplete => Look::Failed,
        Status::Cancelled => Look::Cancelled,
    };
    let cost = handoff.cost.micro_dollars.map_or("cost not reported".to_owned(), wording::dollars);
    html! {
        header class=(look.class()) {
            h1 { (look.mark()) " " (headline(handoff)) }
            p class="figures" {
                @if let Some(open) = wording::open(index) { (shown(&open)) " · " }
                @for count in wording::passed(index) { (count) " passed · " }
                (wording::changed(index)) " · " (wording::duration(handoff.own_ms())) " · " (cost)
            }
            p { "Plan: " (prose(handoff.plan.title.as_deref().unwrap_or("untitled"))) }
            @if let Some(step) = steps.first() {
                p { b { "Next: " } a href="#next" { (prose(&text::uncapitalised(&step.what))) } "." }
                @if let Some(commands) = &step.command { (to_be_copied(commands)) }
            }
            nav aria-label="Sections" {
                @if handoff.status != Status::Complete { a href="#fix" { "What to fix" } }
                @for (id, name) in SECTIONS {
                    a href={ "#" (id) } { (name) }
                }
            }
            details {
                summary { "About this run: commits, files, isolation" }
                (about(handoff))
            }
        }
    }
}

fn about(handoff: &Handoff) -> Markup {
    html! {
        dl {
            div { dt { "Plan" } dd { (code(&handoff.plan.source)) } }
            div { dt { "Commits" } dd {
                (text::count(handoff.result.commits.len(), "commit")) ", base " (code(handoff.result.base.short()))
                " to " (code(handoff.result.commit.short())) ", lock " (code(handoff.lock.digest.short()))
            } }
            div { dt { "Run" } dd {
                (code(&handoff.place.run))
                @if let Some(workflow) = &handoff.place.workflow { ", workflow " (code(workflow)) }
                " on " (code(&handoff.place.platform)) ", begun " (shown(&handoff.started))
            } }
            div { dt { "Isolation" } dd {
                (code(handoff.isolation.level.name())) ": " (shown(handoff.isolation.level.meaning()))
            } }
            div { dt { "Files" } dd {
                (beside("summary.md", "summary")) " · " (beside("handoff.json", "hand-off")) " · "
                (beside("gates.junit.xml", "gates as JUnit")) " · " (beside("findings.sarif", "findings as SARIF")) " · "
                (beside("timeline.json", "trace")) " · " (beside("journal.jsonl", "journal"))
            } }
            @if let Some(url) = handoff.provenance.workflow_run.as_ref().and_then(WorkflowRunRef::url) {
                div { dt { "Workflow" } dd { (beside(&url, "workflow run, with logs and artifacts")) } }
            }
        }
    }
}

/// The root causes; nothing when the run is complete.
pub(super) fn fix(index: &RunIndex<'_>, causes: &[Cause<'_>]) -> Markup {
    if index.handoff.status == Status::Complete {
        return html! {};
    }
    html! {
        section aria-labelledby="fix" {
            h2 id="fix" { "What to fix" }
            ol { @for cause in causes { li { (self::cause(cause)) } } }
            @if let Some(rework) = wording::rework(index) { p { (prose(&rework)) } }
        }
    }
}

/// What the reader does next, each command on a line of its own to be copied.
pub(super) fn next(index: &RunIndex<'_>, steps: &[NextStep]) -> Markup {
    html! {
        section aria-labelledby="next" {
            h2 id="next" { "What to do next" }
            @if let Some(bundle) = &index.handoff.result.bundle {
                p {
                    (text::count(index.handoff.result.commits.len(), "commit")) " in " (code(bundle))
                    "; nothing on your branch has changed."
                }
            }
            ol { @for step in steps {
                li {
                    (prose(&step.what))
                    @if let Some(url) = &step.url { " (" (beside(url, "open it")) ")" }
                    "."
                    @if let Some(commands) = &step.command { (to_be_copied(commands)) }
                }
            } }
        }
    }
}

/// Shows commands, a line each. A word is only broken where it is longer than a line: `--` at the end of one is no command.
fn to_be_copied(commands: &str) -> Markup {
    let commands = text::terminal(commands);
    html! {
        pre tabindex="0" {
            @for (number, line) in commands.lines().enumerate() {
                @if number > 0 { "\n" }
                @for (number, word) in line.split(' ').enumerate() {
                    @if number > 0 { " " }
                    span class="word" { (word) }
                }
            }
        }
    }
}

fn cause(cause: &Cause<'_>) -> Markup {
    html! {
        @match &cause.kind {
            CauseKind::Cancelled => { "The run was cancelled." }
            CauseKind::NothingScheduled => { "No task was scheduled, so nothing was implemented." }
            CauseKind::Task { task, title, outcome, reason } => {
                a href={ "#task-" (task) } { (code(task)) } @if let Some(title) = title { " (" (prose(title)) ")" }
                " " (outcome.name()) ": " (prose(reason)) "."
                @if let Some(advice) = cause.advice() { " " (prose(advice)) }
            }
            CauseKind::Command { gate, command } => {
                "Gate " (gate.name()) ": " (code(command::join(&command.argv))) " failed: " (ended(command)) "."
                @if let Some(failing) = command.failing_tests(10) { " Failing: " (prose(&failing)) "." }
                @let telling = command.telling_lines(LINES_SHOWN);
                @if !telling.is_empty() { pre tabindex="0" { (text::terminal(&telling.join("\n"))) } }
            }
            CauseKind::Gate { reason, .. } => { (prose(reason)) "." }
            CauseKind::Finding(finding) => {
                @if let Some(who) = wording::finder(finding) { (prose(&who)) ": " }
                (place(finding)) " " (prose(&finding.message))
            }
        }
        @if !cause.consequences.is_empty() {
            " Not run because of it: "
            @for (at, id) in cause.consequences.iter().enumerate() {
                @if at > 0 { ", " }
                a href={ "#task-" (id) } { (code(id)) }
            }
            "."
        }
    }
}
