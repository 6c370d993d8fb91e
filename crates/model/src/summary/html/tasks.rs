//! The tasks with their attempts, reports and patches.

use super::{FILES_LISTED, badge, code, esc, table};
use crate::{
    handoff::AttemptRecord,
    patch::{Change, Patch},
    report::{ClaimStatus, Label, Report, ReportStatus},
    session::Session,
    summary::{
        index::{RunIndex, TaskView},
        wording::{self, Look},
    },
};

/// Writes the table of tasks, and each task below it.
pub(super) fn tasks(out: &mut String, index: &RunIndex<'_>) {
    out.push_str("<section aria-labelledby=\"tasks\">\n<h2 id=\"tasks\">Tasks</h2>\n");
    let waves = index.handoff.schedule.wave_of();
    let rows = index.tasks().map(|view| {
        let (files, lines) = view.work().map_or(("–".to_owned(), "–".to_owned()), |work| {
            (work.paths.len().to_string(), wording::lines(work.added, work.removed))
        });
        [
            code(view.id),
            view.subagent().map_or("not scheduled".to_owned(), code),
            view.phase().map_or("–", |phase| phase.name()).to_owned(),
            waves.get(view.id).map_or("–".to_owned(), ToString::to_string),
            badge(Look::of(view.outcome()), view.outcome().name()),
            view.attempts().len().to_string(),
            wording::duration(view.duration_ms()),
            files,
            lines,
        ]
    });
    table(out, ["Task", "Subagent", "Phase", "Wave", "Outcome", "Attempts", "Time", "Files", "Lines"], rows);
    for view in index.tasks() {
        task(out, index, &view);
    }
    out.push_str("</section>\n");
}

fn task(out: &mut String, index: &RunIndex<'_>, view: &TaskView<'_>) {
    let title = view.task.map(|task| esc(&task.title)).unwrap_or_default();
    // What went wrong stands open, the rest a click away.
    let open = if view.passed() { "" } else { " open" };
    out.push_str(&format!(
        "<details{open}>\n<summary>{} {title} {}</summary>\n",
        code(view.id),
        badge(Look::of(view.outcome()), view.outcome().name())
    ));
    if !view.passed() {
        out.push_str(&format!("<p>Why: {}.</p>\n", esc(view.reason())));
    }
    if let Some(task) = view.task
        && !task.requirements.is_empty()
    {
        out.push_str("<h3>Requirements</h3>\n<ul>\n");
        for requirement in &task.requirements {
            let done = if requirement.done { " (ticked off by the Planner)" } else { "" };
            out.push_str(&format!("<li>{} {}{done}</li>\n", code(&requirement.id), esc(&requirement.text)));
        }
        out.push_str("</ul>\n");
    }
    for attempt in view.attempts() {
        self::attempt(out, attempt);
    }
    for commit in index.commits(view.id) {
        out.push_str(&format!("<p>Integrated as {} (attempt {}).</p>\n", code(&commit.commit), commit.attempt));
        if !commit.merged.is_empty() {
            let paths: Vec<_> = commit.merged.iter().take(FILES_LISTED).map(|merged| code(&merged.path)).collect();
            out.push_str(&format!("<p>Merged with other patches: {}</p>\n", paths.join(", ")));
        }
    }
    out.push_str("</details>\n");
}

fn attempt(out: &mut String, attempt: &AttemptRecord) {
    let exit = attempt.exit_code.map(|code| format!(", exit code {code}")).unwrap_or_default();
    out.push_str(&format!(
        "<h3>Attempt {}: {}</h3>\n<p>From {} to {}{exit}; brief {}</p>\n",
        attempt.attempt,
        attempt.outcome.name(),
        wording::duration(attempt.started_ms),
        wording::duration(attempt.ended_ms),
        code(attempt.brief_digest.short()),
    ));
    if !attempt.because.trim().is_empty() {
        out.push_str(&format!("<p>Called again: {}</p>\n", esc(&attempt.because)));
    }
    if let Some(session) = &attempt.session {
        self::session(out, session);
    }
    match &attempt.report {
        Some(report) => reported(out, report),
        None => out.push_str("<p>No valid report.</p>\n"),
    }
    match &attempt.patch {
        Some(patch) => changed(out, patch),
        None => out.push_str("<p>No patch.</p>\n"),
    }
    if !attempt.conflicts.is_empty() {
        let paths: Vec<_> = attempt.conflicts.iter().take(FILES_LISTED).map(|conflict| code(&conflict.path)).collect();
        out.push_str(&format!("<p>Conflicts: {}</p>\n", paths.join(", ")));
    }
}

/// Says what an agent program used, and what it answered in place of a report.
fn session(out: &mut String, session: &Session) {
    let mut facts = vec![match &session.version {
        Some(version) => format!("{} {}", esc(&session.agent), esc(version)),
        None => esc(&session.agent),
    }];
    facts.extend(session.model.as_ref().map(|model| format!("model {}", code(model))));
    facts.extend(session.turns.map(|turns| format!("turns: {turns}")));
    let tokens = &session.tokens;
    if !tokens.is_none() {
        facts.push(format!(
            "tokens: {} read, {} from a cache, {} written",
            tokens.input, tokens.cached_input, tokens.output
        ));
    }
    facts.extend(session.micro_dollars.map(wording::dollars));
    if session.repairs > 0 {
        facts.push("asked for its report once more".to_owned());
    }
    out.push_str(&format!("<p>{}</p>\n", facts.join("; ")));
    if let Some(answer) = &session.answer {
        out.push_str(&format!(
            "<figure class=\"said\"><figcaption>It answered, in place of a report</figcaption>\n<p>{}</p></figure>\n",
            esc(answer)
        ));
    }
}

fn reported(out: &mut String, report: &Report) {
    let status = match report.status {
        ReportStatus::Completed => "completed",
        ReportStatus::Blocked => "blocked",
        ReportStatus::Failed => "failed",
    };
    out.push_str(&format!(
        "<figure class=\"said\"><figcaption>The subagent reports: {status}</figcaption>\n<p>{}</p>\n",
        esc(&report.summary)
    ));
    let mut lines = Vec::new();
    for claim in &report.requirements {
        let status = match claim.status {
            ClaimStatus::Done => "done",
            ClaimStatus::Partial => "partly done",
            ClaimStatus::NotDone => "not done",
        };
        lines.push(format!("{} {status} {}", code(&claim.id), esc(&claim.note)));
    }
    lines.extend(report.items.iter().map(|item| format!("{}: {}", label(item.label), esc(&item.text))));
    for evidence in &report.evidence {
        let exit = evidence.exit_code.map(|code| format!(", exit code {code}")).unwrap_or_default();
        lines.push(format!("ran {}{exit} {}", code(&evidence.command), esc(&evidence.result)));
    }
    for limitation in &report.limitations {
        let needs = limitation.needs.as_ref().map(|name| format!(" (needs {})", code(name))).unwrap_or_default();
        lines.push(format!("could not: {}{needs}", esc(&limitation.text)));
    }
    if !lines.is_empty() {
        out.push_str("<ul>\n");
        for line in lines {
            out.push_str(&format!("<li>{}</li>\n", line.trim_end()));
        }
        out.push_str("</ul>\n");
    }
    out.push_str("</figure>\n");
}

/// Returns the name of a label in words. The serialised names are words with hyphens.
fn label(label: Label) -> String {
    let name = serde_json::to_value(label).ok().and_then(|value| value.as_str().map(str::to_owned));
    name.unwrap_or_default().replace('-', " ")
}

fn changed(out: &mut String, patch: &Patch) {
    if patch.is_empty() {
        out.push_str("<p>Changed nothing.</p>\n");
        return;
    }
    out.push_str(&format!("<details>\n<summary>Patch: {}</summary>\n", wording::diffstat(patch)));
    let rows = patch.changes.iter().take(FILES_LISTED).map(|change| {
        let count = |n: Option<u32>| n.map_or("binary".to_owned(), |n| n.to_string());
        let link = change.link_target.as_deref().map(|to| format!(" → {}", code(to))).unwrap_or_default();
        let from = change.renamed_from.as_deref().map(|from| format!(" from {}", code(from))).unwrap_or_default();
        [
            format!("{}{link}", code(&change.path)),
            format!("{}{from}", kind(change)),
            count(change.added),
            count(change.removed),
        ]
    });
    table(out, ["Path", "Change", "Added", "Removed"], rows);
    if patch.changes.len() > FILES_LISTED {
        out.push_str(&format!("<p>… and {} more in the hand-off.</p>\n", patch.changes.len() - FILES_LISTED));
    }
    out.push_str("</details>\n");
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
