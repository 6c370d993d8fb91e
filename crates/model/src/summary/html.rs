//! The report: one self-contained HTML page with everything that people may want to see of a run.
//!
//! The page loads nothing from outside: its content security policy lets in one style sheet and one script of ours, by a
//! nonce made of the digest of the page's own body, which no text inside that body can foretell. maud escapes every value.
//! Links lead only to files beside the page.

mod diff;
mod gates;
mod graph;
mod tasks;
mod timeline;

use std::collections::BTreeMap;

use maud::{DOCTYPE, Markup, PreEscaped, html};

pub use self::diff::diff_room;
use self::{
    diff::Diffs,
    gates::{ended, gates},
};
use super::{
    causes::{Cause, CauseKind, causes},
    index::RunIndex,
    items::became,
    next::{self, Named},
    wording::{self, Look},
};
use crate::{
    command,
    findings::Finding,
    handoff::{Handoff, Status},
    ids::{Digest, TaskId},
    provenance::WorkflowRunRef,
    text,
};

/// The style sheet.
const STYLE: &str = include_str!("report.css");

/// The script: it filters the tasks, and opens what a link leads to. Without it everything is still there.
const SCRIPT: &str = include_str!("report.js");

/// Files of one patch that are listed; the hand-off has them all.
const FILES_LISTED: usize = 500;

/// Items of the plan that are listed; the hand-off has them all.
const ITEMS_LISTED: usize = 2_000;

/// Characters of one foreign text that are shown; the hand-off has them all.
const TEXT_SHOWN: usize = 4_000;

/// Lines of a failed command's output below its cause; all of them are with its gate.
const LINES_SHOWN: usize = 20;

/// The sections that the page's head leads to.
const SECTIONS: [(&str, &str); 7] = [
    ("next", "Next"),
    ("gates", "Gates"),
    ("tasks", "Tasks"),
    ("timeline", "Graph and timeline"),
    ("findings", "Findings"),
    ("items", "Plan"),
    ("criteria", "Criteria"),
];

/// Renders the report. `diffs` are what the tasks changed, as git writes it: of each at most [`diff_room`] is used.
#[must_use]
pub fn report(handoff: &Handoff, diffs: &BTreeMap<TaskId, String>) -> String {
    let index = RunIndex::new(handoff);
    let body = body(&index, &Diffs::new(diffs)).into_string();
    let nonce = Digest::from_content(&body);
    let nonce = nonce.hex();
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'"
    );
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (headline(handoff)) }
                style nonce=(nonce) { (PreEscaped(STYLE)) }
            }
            body {
                (PreEscaped(body))
                script nonce=(nonce) { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

/// What went wrong stands first, evidence and digests last.
fn body(index: &RunIndex<'_>, diffs: &Diffs<'_>) -> Markup {
    let handoff = index.handoff;
    let causes = if handoff.status == Status::Complete { Vec::new() } else { causes(index) };
    html! {
        (header(index))
        main {
            (fix(index, &causes))
            (next(index, &causes))
            (gates(index))
            (tasks::tasks(index, diffs))
            (timeline::timeline(index))
            (findings(handoff))
            (items(index))
            (criteria(handoff))
            (artifacts(handoff))
        }
        footer { "Written by " (shown(&handoff.generator)) "." }
    }
}

/// Bounds foreign text and takes out what acts on a terminal or turns the direction of text; maud escapes it.
fn shown(foreign: &str) -> String {
    text::terminal(&text::truncate(foreign, TEXT_SHOWN))
}

/// Writes a sentence of ours with foreign text in it: what stands between backticks is code.
fn prose(sentence: &str) -> Markup {
    let parts: Vec<String> = shown(sentence).split('`').map(str::to_owned).collect();
    // An odd backtick at the end opens nothing.
    let pairs = (parts.len() - 1) / 2 * 2;
    html! {
        @for (at, part) in parts.iter().enumerate() {
            @if at > pairs { "`" (part) } @else if at % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

fn code(foreign: impl std::fmt::Display) -> Markup {
    html! { code { (shown(&foreign.to_string())) } }
}

fn headline(handoff: &Handoff) -> &'static str {
    match handoff.status {
        Status::Complete => "Backend Implementation Complete",
        Status::Incomplete => "Backend Implementation Incomplete",
        Status::Cancelled => "Backend Implementation Incomplete: cancelled",
    }
}

fn badge(look: Look, said: &str) -> Markup {
    html! { span class={ "badge " (look.class()) } { (said) } }
}

/// Links to a file of the run beside the page. Names of tasks are safe in paths and addresses.
fn beside(path: &str, said: &str) -> Markup {
    html! { a href=(path) { (said) } }
}

fn header(index: &RunIndex<'_>) -> Markup {
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
                @for count in wording::passed(index) { (count) " passed · " }
                (wording::changed(index)) " · " (wording::duration(handoff.duration_ms)) " · " (cost)
            }
            p { "Plan: " (prose(handoff.plan.title.as_deref().unwrap_or("untitled"))) }
            details {
                summary { "About this run: commits, files, isolation" }
                (about(handoff))
            }
            nav aria-label="Sections" {
                @if handoff.status != Status::Complete { a href="#fix" { "What to fix" } }
                @for (id, name) in SECTIONS {
                    a href={ "#" (id) } { (name) }
                }
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

/// Every item of the plan, with what became of it.
fn items(index: &RunIndex<'_>) -> Markup {
    let items = &index.handoff.plan.items;
    html! {
        section aria-labelledby="items" {
            h2 id="items" { "Plan, item by item" }
            @if items.is_empty() { p { "The plan has no items." } } @else {
                details {
                    summary { (text::count(items.len(), "item")) }
                    (table(["Line", "Item", "What became of it"], items.iter().take(ITEMS_LISTED).map(|item| [
                        html! { (item.line) },
                        html! { (prose(&item.text)) },
                        html! { (prose(&became(item, index))) },
                    ])))
                    @if items.len() > ITEMS_LISTED {
                        p { "… and " (items.len() - ITEMS_LISTED) " more in the hand-off." }
                    }
                }
            }
        }
    }
}

/// The root causes; nothing when the run is complete.
fn fix(index: &RunIndex<'_>, causes: &[Cause<'_>]) -> Markup {
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
fn next(index: &RunIndex<'_>, causes: &[Cause<'_>]) -> Markup {
    html! {
        section aria-labelledby="next" {
            h2 id="next" { "What to do next" }
            @if let Some(bundle) = &index.handoff.result.bundle {
                p {
                    (text::count(index.handoff.result.commits.len(), "commit")) " in " (code(bundle))
                    "; nothing on your branch has changed."
                }
            }
            ol { @for step in next::steps(index, causes, &Named::from_handoff(index.handoff)) {
                li {
                    (prose(&step.what))
                    @if let Some(url) = &step.url { " (" (beside(url, "open it")) ")" }
                    "."
                    @if let Some(command) = &step.command { pre tabindex="0" { (text::terminal(command)) } }
                }
            } }
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
            CauseKind::Finding(finding) => { (place(finding)) " " (prose(&finding.message)) }
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

fn criteria(handoff: &Handoff) -> Markup {
    let acceptance = &handoff.plan.acceptance;
    html! {
        section aria-labelledby="criteria" {
            h2 id="criteria" { "Success criteria" }
            (table(["Criterion", "Verdict", "Evidence"], handoff.criteria.iter().map(|verdict| {
                let met = if verdict.met { badge(Look::Passed, "met") } else { badge(Look::Failed, "not met") };
                [html! { (verdict.criterion.title()) }, met, html! { (prose(&verdict.evidence)) }]
            })))
            @if !acceptance.is_empty() {
                h3 { "Acceptance criteria of the plan" }
                p { "For people to judge; the coordinator does not." }
                ul { @for criterion in acceptance {
                    li { (shown(&criterion.text)) " (line " (criterion.line) " of the plan)" }
                } }
            }
        }
    }
}

/// Writes a table; the first cell of each row heads it.
fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [Markup; N]>) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label={ "Table: " (head[0]) } {
            table {
                thead { tr { @for name in head { th scope="col" { (name) } } } }
                tbody {
                    @for row in rows {
                        tr {
                            @for (at, cell) in row.into_iter().enumerate() {
                                @if at == 0 { th scope="row" { (cell) } } @else { td { (cell) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn place(finding: &Finding) -> Markup {
    match (&finding.path, finding.line) {
        (Some(path), Some(line)) => code(format!("{path}:{line}")),
        (Some(path), None) => code(path),
        (None, _) => html! { "–" },
    }
}

fn findings(handoff: &Handoff) -> Markup {
    let mut findings: Vec<&Finding> = handoff.findings.iter().collect();
    findings.sort_by(|a, b| (a.weight, &a.path, a.line, a.code).cmp(&(b.weight, &b.path, b.line, b.code)));
    html! {
        section aria-labelledby="findings" {
            h2 id="findings" { "Findings" }
            @if findings.is_empty() { p { "None." } } @else {
                (table(["Weight", "Code", "Where", "What", "Task"], findings.into_iter().map(|finding| [
                    html! { (finding.weight.name()) },
                    code(finding.code.name()),
                    place(finding),
                    html! { (prose(&finding.message)) },
                    finding.task.as_ref().map_or_else(|| html! { "–" }, code),
                ])))
                p { "Findings with the code " code { "reported" } " are the words of the task's subagent." }
            }
        }
    }
}

fn artifacts(handoff: &Handoff) -> Markup {
    let result = &handoff.result;
    html! {
        section aria-labelledby="artifacts" {
            h2 id="artifacts" { "Implementation" }
            p {
                "Bundle: "
                @match (&result.bundle, &result.bundle_digest) {
                    (Some(bundle), Some(digest)) => { (code(bundle)) " " (code(digest)) }
                    (Some(bundle), None) => { (code(bundle)) " (no digest)" }
                    (None, _) => { "none" }
                }
                ". Ref " (code(&result.reference)) ", tree " (code(&result.tree)) "."
            }
            (table(["Commit", "Task", "Attempt", "Tree", "Merged paths"], result.commits.iter().map(|commit| [
                code(&commit.commit),
                code(&commit.task),
                html! { (commit.attempt) },
                code(commit.tree.short()),
                html! { (commit.merged.len()) },
            ])))
        }
    }
}

#[cfg(test)]
mod tests;
