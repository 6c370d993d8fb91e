//! The fifth and sixth section of the summary: how the subagents were coordinated, and what the Submission phase gets.

use super::{
    entry::{self, Detail},
    gates::standings,
    index::{RunIndex, TaskView},
    sections, wording,
};
use crate::{
    findings::FindingCode,
    gate::Receipt,
    handoff::Status,
    ids::{Digest, TaskId},
    report::Label,
    roster::Role,
    text,
};

/// Writes the two sections.
pub(super) fn render(page: &mut String, index: &RunIndex<'_>, detail: &Detail) {
    page.push_str("### Coordination Summary\n\n");
    subagents_executed(page, index, detail);
    parallel(page, index, detail);
    sequential(page, index, detail);
    synthesis(page, index, detail);
    page.push_str("\n### Next Phase Input for Backend Submission\n\n");
    artifacts(page, index, detail);
    entry::label(page, "Deployment Instructions", &deployment_instructions(index, detail), detail);
    evidence(page, index, detail);
    entry::label(page, "Integration Status", &integration(index, detail), detail);
    page.push('\n');
}

fn subagents_executed(page: &mut String, index: &RunIndex<'_>, detail: &Detail) {
    let outcomes = match index.len() {
        0 => "none".to_owned(),
        all => format!("{}: {}", text::count(all, "task"), wording::outcomes(index.tasks().map(|view| view.outcome()))),
    };
    page.push_str(&format!("- **Subagents Executed**: {outcomes}\n\n"));
    let rows: Vec<_> = index.tasks().map(|view| row(&view, detail)).collect();
    let head = ["Task", "Subagent", "Outcome", "Attempts", "Time", "Files", "Lines"];
    if !rows.is_empty() {
        entry::table_folded(page, "  ", "task", &head, &rows, detail, true);
        page.push('\n');
    }
}

fn row(view: &TaskView<'_>, detail: &Detail) -> Vec<String> {
    let (files, lines) = view.work().map_or(("–".to_owned(), "–".to_owned()), |work| {
        (work.paths.len().to_string(), wording::lines(work.added, work.removed))
    });
    let time = if view.attempts().is_empty() { "–".to_owned() } else { wording::duration(view.duration_ms()) };
    vec![
        text::code(view.id.as_str()),
        view.subagent().map_or_else(|| "not scheduled".to_owned(), |name| detail.code(name.as_str())),
        format!("{} {}", wording::Look::from_outcome(view.outcome()).mark(), view.outcome().name()),
        view.attempts().len().to_string(),
        time,
        files,
        lines,
    ]
}

/// Joins task ids as code spans; beyond a handful only counts the rest.
fn ids<'a>(ids: impl IntoIterator<Item = &'a TaskId>) -> String {
    text::listed(ids.into_iter().map(|id| text::code(id.as_str())), 12)
}

fn parallel(page: &mut String, index: &RunIndex<'_>, detail: &Detail) {
    let schedule = &index.handoff.schedule;
    let wide: Vec<_> = schedule.waves.iter().filter(|wave| wave.tasks.len() > 1).collect();
    let line = match wide.len() {
        0 => "No wave had more than one task".to_owned(),
        waves => format!(
            "{} with several tasks at the same time, at most {} at a time",
            text::count(waves, "wave"),
            schedule.concurrency
        ),
    };
    let waves = wide.iter().map(|wave| format!("Wave {} ({}): {}", wave.number, wave.phase.name(), ids(&wave.tasks)));
    let serialised = schedule.serialised.iter().map(|pair| {
        format!(
            "{}, then {}: {}",
            text::code(pair.first.as_str()),
            text::code(pair.then.as_str()),
            detail.sentence(&pair.because)
        )
    });
    let folded: Vec<_> = waves.chain(serialised).collect();
    entry::folded_label(page, "Parallel Coordination", &line, "Waves", &folded, detail);
}

fn sequential(page: &mut String, index: &RunIndex<'_>, detail: &Detail) {
    let waves = &index.handoff.schedule.waves;
    let mut folded = Vec::new();
    let mut repeated = 0;
    for view in index.tasks() {
        if let Some(task) = view.task.filter(|task| !task.needs.is_empty()) {
            folded.push(format!("{} waited for {}", text::code(task.id.as_str()), ids(&task.needs)));
        }
        for attempt in view.attempts().iter().filter(|attempt| attempt.attempt > 1) {
            repeated += 1;
            let because = if attempt.because.trim().is_empty() { "no reason was recorded" } else { &attempt.because };
            folded.push(format!(
                "{} ran again (attempt {}): {}",
                text::code(view.id.as_str()),
                attempt.attempt,
                detail.sentence(because)
            ));
        }
    }
    let again = match repeated {
        0 => String::new(),
        n => format!("; {} repeated", text::count(n, "attempt")),
    };
    let line = format!("{}, each on the integrated result of the ones before{again}", text::count(waves.len(), "wave"));
    entry::folded_label(page, "Sequential Dependencies", &line, "Dependencies and repeated attempts", &folded, detail);
}

fn synthesis(page: &mut String, index: &RunIndex<'_>, detail: &Detail) {
    let mut folded: Vec<_> = index
        .handoff
        .synthesis
        .iter()
        .map(|synthesis| {
            format!(
                "Phase {} ({}): {}; {}, {}; tree {}",
                synthesis.phase.number(),
                synthesis.phase.name(),
                wording::outcomes(synthesis.tasks.values().copied()),
                text::count(synthesis.files_changed, "file"),
                wording::lines(synthesis.lines_added, synthesis.lines_removed),
                text::code(synthesis.tree.short()),
            )
        })
        .collect();
    let rework = index.handoff.rework.len();
    let rounds = if rework == 0 { String::new() } else { format!(", {} of rework", text::count(rework, "round")) };
    let line = match folded.len() {
        0 => format!("Missing: no phase ended{rounds}"),
        phases => format!("{} completed{rounds}", text::count(phases, "phase")),
    };
    folded.extend(self::rework(index, detail));
    entry::folded_label(page, "Synthesis Results", &line, "Phases and rework", &folded, detail);
}

/// Tells the story of what was done again, and of who was called to help.
fn rework(index: &RunIndex<'_>, detail: &Detail) -> Vec<String> {
    let handoff = index.handoff;
    let asked = handoff.escalations.iter().map(|escalation| {
        let head = format!(
            "{} needed {}: {}",
            text::code(escalation.blocked.as_str()),
            detail.code(escalation.specialist.as_str()),
            detail.prose(&escalation.request)
        );
        match &escalation.called {
            Some(task) => {
                let blocked = text::code(escalation.blocked.as_str());
                format!("{head}; {} ran for it, then {blocked} again", text::code(task.as_str()))
            }
            None => format!("{head}; it did not run, because {}", detail.prose(&escalation.refused)),
        }
    });
    let rounds = handoff.rework.iter().map(|round| {
        let because: Vec<_> = round.because.iter().take(4).map(|why| detail.sentence(why)).collect();
        let called: Vec<_> = round
            .called
            .iter()
            .map(|call| format!("{} ({})", text::code(call.task.as_str()), detail.sentence(&call.because)))
            .collect();
        let more = round.because.len().saturating_sub(because.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let called = if called.is_empty() {
            "no task could be repeated".to_owned()
        } else {
            format!("repeated: {}", called.join(", "))
        };
        format!(
            "Rework round {} on tree {}: {}{more}; {called}",
            round.number,
            text::code(round.tree.short()),
            because.join("; ")
        )
    });
    asked.chain(rounds).collect()
}

fn artifacts(page: &mut String, index: &RunIndex<'_>, detail: &Detail) {
    let result = &index.handoff.result;
    let Some(bundle) = &result.bundle else {
        let why = if result.commits.is_empty() {
            "Missing: nothing was integrated, so there is no bundle"
        } else {
            "Missing: the bundle was not written"
        };
        entry::label(page, "Implementation Artifacts", &[why.to_owned()], detail);
        return;
    };
    let digest = result.bundle_digest.as_ref().map_or_else(|| "digest missing".to_owned(), |d| text::code(d.as_str()));
    let line = format!(
        "{}, {} up to {}",
        detail.code(bundle),
        text::count(result.commits.len(), "commit"),
        text::code(result.commit.short())
    );
    let mut folded = vec![
        format!("Bundle {digest}"),
        format!("Ref {}, commit {}", detail.code(&result.reference), text::code(result.commit.as_str())),
        format!("Base {}, final tree {}", text::code(result.base.as_str()), text::code(result.tree.as_str())),
    ];
    if is_ordinary(bundle) && is_ordinary(&result.reference) {
        let refspec = format!("{}:refs/heads/backend-implementation", result.reference);
        folded.push(format!("To fetch it: {}", text::code(&format!("git fetch {bundle} {refspec}"))));
    } else {
        folded.push("Its names are not ones to paste into a shell. Fetch it with care.".to_owned());
    }
    entry::folded_label(page, "Implementation Artifacts", &line, "Digests and how to fetch", &folded, detail);
}

/// Tells whether a name is one that the coordinator gives: plain letters that mean nothing to any shell and begin no
/// option. A hand-off is a file, and people copy the commands that the summary shows.
fn is_ordinary(name: &str) -> bool {
    name.len() <= 200
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'/'))
}

fn deployment_instructions(index: &RunIndex<'_>, detail: &Detail) -> Vec<String> {
    let mut lines: Vec<_> = index
        .of_role(Role::Deployment)
        .filter(TaskView::passed)
        .filter_map(|view| {
            let paths = view.work()?.paths;
            let shown = text::listed(paths.iter().map(|path| detail.code(path)), 6);
            (!paths.is_empty()).then(|| format!("{} changed {shown}", text::code(view.id.as_str())))
        })
        .collect();
    let reported = sections::reported_lines(index, Label::DeploymentInstructions, detail);
    let nobody_said = reported.is_empty();
    lines.extend(reported);
    if nobody_said && index.not_needed(Role::Deployment) {
        lines.push("Not required by the plan".to_owned());
    } else if nobody_said {
        let deployment: Vec<_> = index.of_role(Role::Deployment).collect();
        lines.extend(deployment.iter().filter(|view| !view.passed()).map(|view| {
            format!("{} {}: {}", text::code(view.id.as_str()), view.outcome().name(), detail.prose(view.reason()))
        }));
        let silent: Vec<_> = deployment.iter().filter(|view| view.passed()).map(|view| view.id).collect();
        if !silent.is_empty() {
            lines.push(format!("Nothing reported by {}", ids(silent)));
        }
        if deployment.is_empty() {
            lines.push("Missing: no task was scheduled for Deployment".to_owned());
        }
    }
    lines
}

/// Returns the digest of a receipt: SHA-256 over its compact JSON, in the order of fields that the hand-off has.
pub(super) fn receipt_digest(receipt: &Receipt) -> Option<Digest> {
    serde_json::to_vec(receipt).ok().map(Digest::from_content)
}

fn evidence(page: &mut String, index: &RunIndex<'_>, detail: &Detail) {
    let gates = standings(index.handoff);
    let line: Vec<_> = gates.iter().map(|gate| format!("{} {} {}", gate.mark(), gate.gate, gate.said())).collect();
    let mut folded = Vec::new();
    for gate in gates {
        if gate.receipts.is_empty() {
            folded.push(format!("{}: no receipt", gate.gate));
        }
        for receipt in gate.receipts {
            let digest = receipt_digest(receipt).map(|d| text::code(d.as_str())).unwrap_or_default();
            let tests: Vec<_> = receipt.commands.iter().map(|c| text::code(c.output_digest.short())).collect();
            let outputs = if tests.is_empty() { String::new() } else { format!(", output {}", tests.join(", ")) };
            let platform = detail.code(&receipt.place.platform);
            folded.push(format!(
                "{} {} on tree {}, {platform}, receipt {digest}{outputs}",
                gate.gate,
                receipt.state.name(),
                text::code(receipt.tree.as_str()),
            ));
        }
    }
    entry::folded_label(page, "Validation Evidence", &line.join(", "), "Receipts", &folded, detail);
}

fn integration(index: &RunIndex<'_>, detail: &Detail) -> Vec<String> {
    let handoff = index.handoff;
    let result = &handoff.result;
    let ready = match handoff.status {
        Status::Complete if result.bundle.is_some() => "Ready for submission",
        Status::Complete => "Complete, but there is no bundle to submit",
        Status::Incomplete => "Not ready for submission: see “What to fix” at the top",
        Status::Cancelled => "Not ready for submission: the run was cancelled",
    };
    let merged: usize = result.commits.iter().map(|commit| commit.merged.len()).sum();
    let mut lines = vec![
        ready.to_owned(),
        format!(
            "{} integrated, {} merged",
            match result.commits.len() {
                1 => "1 patch".to_owned(),
                n => format!("{n} patches"),
            },
            text::count(merged, "path")
        ),
    ];
    let moved = handoff.findings.iter().filter(|finding| finding.code == FindingCode::BaseMoved);
    lines.extend(moved.map(|finding| format!("The base has moved: {}", detail.prose(&finding.message))));
    for view in index.tasks().filter(|view| index.commits(view.id).is_empty()) {
        let Some(patch) = view.patch().filter(|patch| !patch.is_empty()) else { continue };
        let id = text::code(view.id.as_str());
        lines.push(format!("Not integrated: {id} ({}): {}", view.outcome().name(), wording::diffstat(patch)));
        for conflict in view.attempts().last().iter().flat_map(|attempt| &attempt.conflicts) {
            lines.push(format!("Conflict of {id} in {}", detail.code(&conflict.path)));
        }
    }
    lines
}
