//! What stands between the first heading and the first section: everything that a person needs in ten seconds.

use super::{
    causes::{Cause, CauseKind, causes},
    entry::{self, Detail},
    gates::standings,
    index::RunIndex,
    next::{self, Named},
    wording,
};
use crate::{
    command,
    findings::Weight,
    gate::CommandReceipt,
    handoff::Status,
    isolation::Isolation,
    provenance::{Provenance, WorkflowRunRef},
    run::GateStanding,
    schedule::Outcome,
    text,
};

/// Root causes that stand open; further ones are folded.
const CAUSES_SHOWN: usize = 5;

/// Lines of a command's output below its cause.
const TAIL_LINES: usize = 20;

/// Warnings that stand on the first screen of a complete run.
const WARNINGS_SHOWN: usize = 2;

/// Failing tests that are named below their cause.
const TESTS_SHOWN: usize = 10;

/// Characters of a command's output below its cause.
const TAIL_CHARS: usize = 2_000;

/// Writes the first heading and the first screen.
pub(super) fn render(page: &mut String, index: &RunIndex<'_>, detail: &Detail) {
    let handoff = index.handoff;
    page.push_str(match handoff.status {
        Status::Complete => "## Backend Implementation Complete\n\n",
        Status::Incomplete | Status::Cancelled => "## Backend Implementation Incomplete\n\n",
    });
    page.push_str(&figures(index));
    plan(page, index, detail);
    gates(page, index, detail);
    // A wall without a hole is as it should be, and is told further below.
    let walled = handoff.isolation.level.is_wall() && handoff.isolation.open.is_empty();
    if !walled {
        isolation(page, &handoff.isolation);
    }
    let causes = if handoff.status == Status::Complete { Vec::new() } else { causes(index) };
    fix(page, index, &causes, detail);
    match handoff.status {
        Status::Complete => watch(page, index, detail),
        Status::Incomplete | Status::Cancelled => rework(page, index),
    }
    next(page, index, &causes, detail);
    page.push_str("<details><summary>About this run: plan, approval, lock, isolation</summary>\n\n");
    provenance(page, index, detail);
    if walled {
        isolation(page, &handoff.isolation);
    }
    page.push_str("</details>\n\n");
    if detail.shortened {
        page.push_str("This text is shortened to fit. `summary.md` and `handoff.json` hold everything.\n\n");
    }
}

/// Says in one line how the run ended, with its figures.
fn figures(index: &RunIndex<'_>) -> String {
    let handoff = index.handoff;
    let mut said: Vec<_> = wording::open(index).iter().map(|open| text::markdown(open)).collect();
    said.extend(wording::passed(index).iter().map(|count| format!("{count} passed")));
    said.extend([
        wording::changed(index),
        wording::duration(handoff.own_ms()),
        handoff
            .cost
            .micro_dollars
            .map_or_else(|| "cost not reported".to_owned(), |micro| text::markdown(&wording::dollars(micro))),
    ]);
    let mark = match handoff.status {
        Status::Complete => "✅",
        Status::Incomplete => "❌",
        Status::Cancelled => "🛑 Cancelled; finished work is kept.",
    };
    format!("{mark} {}\n\n", said.join(" · "))
}

/// Names the plan.
fn plan(page: &mut String, index: &RunIndex<'_>, detail: &Detail) {
    let plan = &index.handoff.plan;
    let title = plan.title.as_deref().map_or_else(String::new, |title| format!("<b>{}</b>, ", detail.sentence(title)));
    page.push_str(&format!("Plan: {title}{}\n\n", detail.code(&plan.source)));
}

/// Says on a complete run what is worth a look all the same: warnings, and who was retried on the way.
fn watch(page: &mut String, index: &RunIndex<'_>, detail: &Detail) {
    let warnings: Vec<_> = index.handoff.findings.iter().filter(|finding| finding.weight == Weight::Warning).collect();
    for finding in warnings.iter().take(WARNINGS_SHOWN) {
        let task = finding.task.as_ref().map(|task| format!("{}: ", text::code(task.as_str()))).unwrap_or_default();
        page.push_str(&format!("⚠️ {task}{}\n\n", detail.prose(&finding.message)));
    }
    if warnings.len() > WARNINGS_SHOWN {
        page.push_str(&format!(
            "⚠️ {} more under Findings.\n\n",
            text::count(warnings.len() - WARNINGS_SHOWN, "warning")
        ));
    }
}

/// Says who was retried in vain, so that nobody tries the same again.
fn rework(page: &mut String, index: &RunIndex<'_>) {
    if let Some(told) = wording::rework(index) {
        page.push_str(&format!("{told}\n\n"));
    }
}

/// Keeps a short text on one line of a table.
fn unbroken(short: &str) -> String {
    short.replace(' ', "\u{a0}")
}

/// Names what kept subagents and gates apart: what a verdict is worth depends on it.
fn isolation(page: &mut String, isolation: &Isolation) {
    if !isolation.level.is_wall() {
        page.push_str("⚠️ **This verdict rests on trust in the subagents.** ");
    }
    page.push_str(&format!("Isolation {}: {}.", text::code(isolation.level.name()), isolation.level.meaning()));
    // Of a wall only what this machine lacks is worth a line here; the rest is in the security policy.
    let open = if isolation.level.is_wall() { isolation.open.clone() } else { isolation.left_open() };
    if !open.is_empty() {
        page.push_str(&format!(" Left open: {}.", text::markdown(&open.join("; "))));
    }
    page.push_str("\n\n");
}

fn gates(page: &mut String, index: &RunIndex<'_>, detail: &Detail) {
    let rows: Vec<_> = standings(index.handoff).iter().map(|gate| gate_row(gate, detail)).collect();
    entry::table(page, "", "gate", &["Gate", "Result", "Tests", "Commands"], &rows, detail);
    page.push('\n');
}

fn gate_row(gate: &GateStanding<'_>, detail: &Detail) -> Vec<String> {
    let commands: Vec<&CommandReceipt> = gate.receipts.iter().flat_map(|receipt| &receipt.commands).collect();
    let tests = gate.tests().map_or("–".to_owned(), |counts| wording::tests_briefly(&counts));
    let shown = commands.iter().take(2).map(|command| detail.code(&command::join(&command.argv)));
    let mut shown: Vec<_> = shown.collect();
    if commands.len() > shown.len() {
        shown.push(format!("{} more", commands.len() - shown.len()));
    }
    vec![
        gate.gate.name().to_owned(),
        unbroken(&format!("{} {}", gate.mark(), gate.said())),
        unbroken(&tests),
        if shown.is_empty() { "–".to_owned() } else { shown.join("<br>") },
    ]
}

/// Says what has to be fixed, the root causes first and nothing that only follows from them.
fn fix(page: &mut String, index: &RunIndex<'_>, causes: &[Cause<'_>], detail: &Detail) {
    if causes.is_empty() {
        return;
    }
    // Where the run's folder lies, for whoever has not got it.
    let run = index.handoff.provenance.workflow_run.as_ref().filter(|run| run.artifact.is_some());
    let url = run.and_then(WorkflowRunRef::url);
    let place = url.map(|url| format!(" in the [artifacts of the run]({url})")).unwrap_or_default();
    page.push_str("<b>What to fix</b>\n\n");
    let shown = if causes.len() <= CAUSES_SHOWN + 1 { causes.len() } else { CAUSES_SHOWN };
    for (number, cause) in (1..).zip(&causes[..shown]) {
        write_cause(page, number, cause, (&place, detail));
    }
    let rest = &causes[shown..];
    if !rest.is_empty() {
        page.push_str(&format!("\n<details><summary>{} more to fix</summary>\n\n", rest.len()));
        for (number, cause) in (shown + 1..).zip(rest.iter().take(detail.rows())) {
            write_cause(page, number, cause, (&place, detail));
        }
        if rest.len() > detail.rows() {
            page.push_str(&format!("\n… and {} more in the hand-off\n", rest.len() - detail.rows()));
        }
        page.push_str("\n</details>\n");
    }
    page.push('\n');
}

fn write_cause(page: &mut String, number: usize, cause: &Cause<'_>, (place, detail): (&str, &Detail)) {
    page.push_str(&format!("{number}. {}\n", described(cause, place, detail)));
    let CauseKind::Command { command, .. } = &cause.kind else { return };
    let tail = last_lines(command);
    // Shortened pages have no room for outputs.
    if !tail.is_empty() && detail.picture > 0 {
        let block = format!(
            "<details><summary>Last lines of the output</summary>\n\n{}\n\n</details>\n",
            text::fenced(&tail, "text")
        );
        page.push_str(&format!("\n{}\n", entry::indented(&block, "   ")));
    }
}

fn described(cause: &Cause<'_>, place: &str, detail: &Detail) -> String {
    let mut said = match &cause.kind {
        CauseKind::Cancelled => "The run was cancelled.".to_owned(),
        CauseKind::NothingScheduled => "No task was scheduled, so nothing was implemented.".to_owned(),
        CauseKind::Task { task, title, outcome, reason } => {
            let log = match outcome {
                Outcome::NotRun => String::new(),
                _ => format!(" Log: {}{place}.", text::code(&format!("tasks/{task}/log.txt"))),
            };
            let advice = cause.advice().map(|advice| format!(" {advice}")).unwrap_or_default();
            let title = title.map(|title| format!(" ({})", detail.prose(title))).unwrap_or_default();
            let task = text::code(task.as_str());
            format!("{task}{title} {}: {}.{advice}{log}", outcome.name(), detail.sentence(reason))
        }
        CauseKind::Command { gate, command } => {
            let failing = command.failing_tests(TESTS_SHOWN).map(|names| format!(" Failing: {names}."));
            let error = command.error_line().map(|line| format!(" It says {}.", detail.code(&line)));
            let log = command.log.as_ref().map(|log| format!(" Log: {}{place}.", detail.code(log)));
            format!(
                "Gate {gate}: {} {}.{}{}{}",
                detail.code(&command::join(&command.argv)),
                wording::command_outcome(command, detail),
                failing.unwrap_or_default(),
                error.unwrap_or_default(),
                log.unwrap_or_default(),
            )
        }
        CauseKind::Gate { reason, .. } => format!("{}.", detail.sentence(reason)),
        CauseKind::Finding(finding) => {
            let place = match (&finding.path, finding.line) {
                (Some(path), Some(line)) => format!("{}: ", detail.code(&format!("{path}:{line}"))),
                (Some(path), None) => format!("{}: ", detail.code(path)),
                (None, _) => String::new(),
            };
            let who = wording::finder(finding).map(|who| format!("{who}: ")).unwrap_or_default();
            format!("{who}{place}{}", detail.prose(finding.message.trim()))
        }
    };
    if !cause.consequences.is_empty() {
        let ids = text::listed(cause.consequences.iter().map(|id| text::code(id.as_str())), 6);
        said.push_str(&format!(" Not run because of it: {ids}."));
    }
    said
}

/// Returns the end of an output as far as it is shown.
fn last_lines(command: &CommandReceipt) -> String {
    let tail = command.last_lines(TAIL_LINES);
    let skip = tail.chars().count().saturating_sub(TAIL_CHARS);
    tail.chars().skip(skip).collect()
}

/// Says what exists now, and what the reader does next.
fn next(page: &mut String, index: &RunIndex<'_>, causes: &[Cause<'_>], detail: &Detail) {
    let handoff = index.handoff;
    let result = &handoff.result;
    if let Some(bundle) = &result.bundle {
        let what = if handoff.status == Status::Complete { "" } else { " with what passed," };
        page.push_str(&format!(
            "<b>What exists now</b>: {}{what} on base {}, ending in {}, in {}; nothing on your branch has changed.\n\n",
            text::count(result.commits.len(), "commit"),
            text::code(result.base.short()),
            text::code(result.commit.short()),
            detail.code(bundle),
        ));
    }
    page.push_str("<b>What to do next</b>\n\n");
    for (number, step) in (1..).zip(next::steps(index, causes, &Named::from_handoff(handoff))) {
        let what = detail.sentence(&step.what);
        let link = step.url.map(|url| format!(" ([open it]({url}))")).unwrap_or_default();
        page.push_str(&format!("{number}. {what}{link}.\n"));
        if let Some(command) = &step.command {
            page.push_str(&entry::indented(&text::fenced(command, "sh"), "   "));
        }
    }
    page.push('\n');
}

/// Names source, author and digest of the plan, and who approved it.
fn provenance(page: &mut String, index: &RunIndex<'_>, detail: &Detail) {
    let Provenance { origin, approval, pull_request, workflow_run } = &index.handoff.provenance;
    let plan = &index.handoff.plan;
    let mut lines = Vec::new();
    if !plan.items.is_empty() {
        lines.push(format!("The plan, read as {}, has {}.", plan.dialect, detail.prose(&plan.counts().line())));
    }
    if let Some(origin) = origin {
        let by = origin.author.as_ref().map(|author| format!(" by {}", detail.prose(author))).unwrap_or_default();
        lines.push(format!("Plan from {}{by}, {}.", detail.code(&origin.name), text::code(origin.digest.short())));
    }
    if let Some(approval) = approval {
        let at = approval.at.as_ref().map(|at| format!(" at {}", detail.code(at))).unwrap_or_default();
        lines.push(format!("Approved by {}{at} ({}).", detail.prose(&approval.by), detail.prose(&approval.via)));
    }
    if let Some(pull_request) = pull_request {
        lines.push(format!(
            "Pull request {}, head {}.",
            detail.code(&format!("{}#{}", pull_request.repository, pull_request.number)),
            detail.code(&text::truncate(&pull_request.head, 10))
        ));
    }
    if let Some(url) = workflow_run.as_ref().and_then(WorkflowRunRef::url) {
        lines.push(format!("[Workflow run, with logs and artifacts]({url})."));
    }
    lines.push(format!(
        "The lock {} names plan, base commit and subagents. “reports” marks what a subagent says of its own work; everything \
         else was seen by the Backend Implementer itself.",
        text::code(index.handoff.lock.digest.short())
    ));
    page.push_str(&lines.join(" "));
    page.push_str("\n\n");
}
