//! The tasks with their attempts, reports and patches.

use maud::{Markup, html};

use super::{FILES_LISTED, badge, beside, code, diff::Diffs, prose, shown, table};
use crate::{
    handoff::AttemptRecord,
    ids::TaskId,
    patch::{Change, Patch},
    report::{ClaimStatus, Label, Report, ReportStatus},
    session::Session,
    summary::{
        index::{RunIndex, TaskView},
        wording::{self, Look},
    },
};

/// Writes the table of tasks, and each task below it: what did not pass first.
pub(super) fn tasks(index: &RunIndex<'_>, diffs: &Diffs<'_>) -> Markup {
    let waves = index.handoff.schedule.wave_of();
    let (passed, open): (Vec<_>, Vec<_>) = index.tasks().partition(TaskView::passed);
    html! {
        section aria-labelledby="tasks" {
            h2 id="tasks" { "Tasks" }
            form id="filter" hidden {
                label { "Search " input id="filter-words" type="search" autocomplete="off"; }
                " "
                label { "Show " select id="filter-state" {
                    option value="" { "all" } option value="open" { "not passed" } option value="passed" { "passed" }
                } }
                " " output id="filter-told" {}
            }
            div class="scroll" tabindex="0" role="region" aria-label="Table: Tasks" {
                table {
                    thead { tr {
                        @for name in ["Task", "Subagent", "Phase", "Wave", "Outcome", "Attempts", "Time", "Files", "Lines"] {
                            th scope="col" { (name) }
                        }
                    } }
                    tbody { @for view in open.iter().chain(&passed) { (row(view, waves.get(view.id).copied())) } }
                }
            }
            @for view in open.iter().chain(&passed) { (task(index, view, diffs)) }
        }
    }
}

fn row(view: &TaskView<'_>, wave: Option<usize>) -> Markup {
    let work = view.work();
    html! {
        tr data-task={ "task-" (view.id) } {
            th scope="row" { a href={ "#task-" (view.id) } { (code(view.id)) } }
            td { @match view.subagent() { Some(name) => { (code(name)) } None => { "not scheduled" } } }
            td { (view.phase().map_or("–", |phase| phase.name())) }
            td { @match wave { Some(wave) => { (wave) } None => { "–" } } }
            td { (badge(Look::from_outcome(view.outcome()), view.outcome().name())) }
            td { (view.attempts().len()) }
            td { (wording::duration(view.duration_ms())) }
            td { @match &work { Some(work) => { (work.paths.len()) } None => { "–" } } }
            td { @match &work { Some(work) => { (wording::lines(work.added, work.removed)) } None => { "–" } } }
        }
    }
}

fn task(index: &RunIndex<'_>, view: &TaskView<'_>, diffs: &Diffs<'_>) -> Markup {
    let state = if view.passed() { "passed" } else { "open" };
    html! {
        // What went wrong stands open, the rest a click away.
        details id={ "task-" (view.id) } data-state=(state) open[!view.passed()] {
            summary {
                (code(view.id)) " "
                @if let Some(task) = view.task { (shown(&task.title)) " " }
                (badge(Look::from_outcome(view.outcome()), view.outcome().name()))
            }
            @if !view.passed() { p { "Why: " (prose(view.reason())) "." } }
            @if !view.attempts().is_empty() {
                (files(view.id, view))
                (diffs.of(view.id))
            }
            @if let Some(task) = view.task.filter(|task| !task.requirements.is_empty()) {
                h3 { "Requirements" }
                ul { @for requirement in &task.requirements {
                    li {
                        (code(&requirement.id)) " " (shown(&requirement.text))
                        @if requirement.done { " (ticked off by the Planner)" }
                    }
                } }
            }
            @for attempt in view.attempts() { (self::attempt(attempt)) }
            @for commit in index.commits(view.id) {
                p { "Integrated as " (code(&commit.commit)) " (attempt " (commit.attempt) ")." }
                @if !commit.merged.is_empty() {
                    p {
                        "Merged with other patches: "
                        @for (at, merged) in commit.merged.iter().take(FILES_LISTED).enumerate() {
                            @if at > 0 { ", " }
                            (code(&merged.path))
                        }
                    }
                }
            }
        }
    }
}

/// Links to the files of the last attempt; those of earlier ones lie in folders below.
fn files(id: &TaskId, view: &TaskView<'_>) -> Markup {
    let last = view.attempts().last();
    let has = |wanted: bool, name: &str, said: &str| {
        html! { @if wanted { " " (beside(&format!("tasks/{id}/{name}"), said)) } }
    };
    // A task's own gate, else all of them: they judge the tree that its patch is in.
    let gate = view.task.and_then(|task| task.role.gate());
    let receipts = gate.map_or_else(|| "gates".to_owned(), |gate| format!("gate-{gate}"));
    html! {
        p class="files" {
            "Files:"
            (has(true, "brief.md", "brief"))
            (has(last.is_some_and(|attempt| attempt.report.is_some()), "report.json", "report"))
            (has(last.and_then(|attempt| attempt.patch.as_ref()).is_some_and(|patch| !patch.is_empty()), "patch.diff", "diff"))
            (has(true, "log.txt", "log"))
            " " a href={ "#" (receipts) } { "receipts" }
        }
    }
}

fn attempt(attempt: &AttemptRecord) -> Markup {
    html! {
        h3 { "Attempt " (attempt.attempt) ": " (attempt.outcome.name()) }
        p {
            "From " (wording::duration(attempt.started_ms)) " to " (wording::duration(attempt.ended_ms))
            @if let Some(exit) = attempt.exit_code { ", exit code " (exit) }
            "; brief " (code(attempt.brief_digest.short()))
        }
        @if !attempt.because.trim().is_empty() { p { "Repeated because: " (shown(&attempt.because)) } }
        @if let Some(session) = &attempt.session { (self::session(session)) }
        @match &attempt.report {
            Some(report) => { (reported(report)) }
            None => { p { "No valid report." } }
        }
        @match &attempt.patch {
            Some(patch) => { (changed(patch)) }
            None => { p { "No patch." } }
        }
        @if !attempt.conflicts.is_empty() {
            p {
                "Conflicts: "
                @for (at, conflict) in attempt.conflicts.iter().take(FILES_LISTED).enumerate() {
                    @if at > 0 { ", " }
                    (code(&conflict.path))
                }
            }
        }
    }
}

/// Says what an agent program used, and what it answered in place of a report.
fn session(session: &Session) -> Markup {
    let tokens = &session.tokens;
    html! {
        p {
            (shown(&session.agent))
            @if let Some(version) = &session.version { " " (shown(version)) }
            @if let Some(model) = &session.model { "; model " (code(model)) }
            @if let Some(turns) = session.turns { "; turns: " (turns) }
            @if !tokens.is_none() {
                "; tokens: " (tokens.input) " read, " (tokens.cached_input) " from a cache, " (tokens.output) " written"
            }
            @if let Some(micro) = session.micro_dollars { "; " (wording::dollars(micro)) }
            @if session.repairs > 0 { "; asked for its report once more" }
        }
        @if let Some(answer) = &session.answer {
            figure class="said" {
                figcaption { "It answered, in place of a report" }
                p { (shown(answer)) }
            }
        }
    }
}

fn reported(report: &Report) -> Markup {
    let status = match report.status {
        ReportStatus::Completed => "completed",
        ReportStatus::Blocked => "blocked",
        ReportStatus::Failed => "failed",
    };
    let claimed = |status| match status {
        ClaimStatus::Done => "done",
        ClaimStatus::Partial => "partly done",
        ClaimStatus::NotDone => "not done",
        ClaimStatus::AlreadyDone => "done already",
    };
    html! {
        figure class="said" {
            figcaption { "The subagent reports: " (status) }
            p { (shown(&report.summary)) }
            ul {
                @for claim in &report.requirements { li { (code(&claim.id)) " " (claimed(claim.status)) " " (shown(&claim.note)) } }
                @for item in &report.items { li { (label(item.label)) ": " (shown(&item.text)) } }
                @for evidence in &report.evidence {
                    li {
                        "ran " (code(&evidence.command))
                        @if let Some(exit) = evidence.exit_code { ", exit code " (exit) }
                        " " (shown(&evidence.result))
                    }
                }
                @for limitation in &report.limitations {
                    li {
                        "could not: " (shown(&limitation.text))
                        @if let Some(name) = &limitation.needs { " (needs " (code(name)) ")" }
                    }
                }
            }
        }
    }
}

/// Returns the name of a label in words. The serialised names are words with hyphens.
fn label(label: Label) -> String {
    let name = serde_json::to_value(label).expect("invariant: a label serialises as its name");
    name.as_str().expect("invariant: the name of a label is a string").replace('-', " ")
}

fn changed(patch: &Patch) -> Markup {
    if patch.is_empty() {
        return html! { p { "Changed nothing." } };
    }
    let count = |n: Option<u32>| n.map_or("binary".to_owned(), |n| n.to_string());
    html! {
        details {
            summary { "Patch: " (wording::diffstat(patch)) }
            (table(["Path", "Change", "Added", "Removed"], patch.changes.iter().take(FILES_LISTED).map(|change| [
                html! { (code(&change.path)) @if let Some(to) = &change.link_target { " → " (code(to)) } },
                html! { (kind(change)) @if let Some(from) = &change.renamed_from { " from " (code(from)) } },
                html! { (count(change.added)) },
                html! { (count(change.removed)) },
            ])))
            @if patch.changes.len() > FILES_LISTED {
                p { "… and " (patch.changes.len() - FILES_LISTED) " more in the hand-off." }
            }
        }
    }
}

fn kind(change: &Change) -> &'static str {
    match (&change.old, &change.new) {
        _ if change.renamed_from.is_some() => "moved",
        (None, _) => "new",
        (Some(_), None) => "deleted",
        (Some(old), Some(new)) if old.mode != new.mode => "changed, mode too",
        _ => "changed",
    }
}
