//! The report: one self-contained HTML page with everything that people may want to see of a run.
//!
//! The page loads nothing from outside: its content security policy lets in one style sheet and one script of ours, by a
//! nonce made of the digest of the page's own body, which no text inside that body can foretell. maud escapes every value.
//! Links lead only to files beside the page.

mod diff;
mod first_screen;
mod gates;
mod graph;
mod tasks;
mod timeline;

use std::collections::BTreeMap;

use maud::{DOCTYPE, Markup, PreEscaped, html};

pub use self::diff::diff_room;
use self::{diff::Diffs, gates::gates};
use super::{
    causes::causes,
    index::RunIndex,
    items::became,
    next::{self, Named},
    wording::Look,
};
use crate::{
    findings::Finding,
    handoff::{Handoff, Status},
    ids::{Digest, TaskId},
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
    let steps = next::steps(index, &causes, &Named::from_handoff(handoff));
    html! {
        (first_screen::header(index, &steps))
        main {
            (first_screen::fix(index, &causes))
            (first_screen::next(index, &steps))
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
