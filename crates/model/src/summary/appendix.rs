//! What follows the six sections: success criteria, the picture of the run, findings, cost.

use super::{
    entry::{self, Detail},
    index::RunIndex,
    items, mermaid, wording,
};
use crate::{
    evidence::proof::Outcome,
    findings::{Finding, FindingCode},
    handoff::Handoff,
    roster::{Access, Role},
    text,
};

/// Writes all of them.
pub(super) fn render(page: &mut String, index: &RunIndex<'_>, detail: &Detail) {
    success_criteria(page, index, detail);
    requirements_with_tests(page, index, detail);
    run(page, index, detail);
    findings(page, index, detail);
    cost(page, index);
}

fn success_criteria(page: &mut String, index: &RunIndex<'_>, detail: &Detail) {
    page.push_str("### Success Criteria\n\n");
    for verdict in &index.handoff.criteria {
        let tick = if verdict.met { 'x' } else { ' ' };
        page.push_str(&format!("- [{tick}] {}: {}\n", verdict.criterion.title(), detail.prose(&verdict.evidence)));
    }
    if index.handoff.criteria.is_empty() {
        page.push_str("Not judged yet.\n");
    }
    page.push('\n');
    let acceptance = &index.handoff.plan.acceptance;
    if !acceptance.is_empty() {
        page.push_str("Acceptance criteria of the plan, for people to tick:\n\n");
        let lines: Vec<_> = acceptance
            .iter()
            .map(|criterion| format!("[ ] {} (line {} of the plan)", detail.prose(&criterion.text), criterion.line))
            .collect();
        entry::list(page, "", &lines, detail);
        page.push('\n');
    }
    items::render(page, index, detail);
}

/// Says that a run was interrupted and resumed, or keeps what an earlier one finished.
fn resumed(handoff: &Handoff) -> String {
    match handoff.resumptions {
        0 if handoff.earlier_ms > 0 => {
            let kept = text::count(handoff.replayed as usize, "finished attempt");
            format!(" It keeps {kept} of an earlier run of the same lock.")
        }
        0 => String::new(),
        times => format!(
            " It was interrupted {} and resumed; {} reused.",
            if times == 1 { "once".to_owned() } else { format!("{times} times") },
            match handoff.replayed {
                1 => "1 finished attempt was".to_owned(),
                replayed => format!("{replayed} finished attempts were"),
            }
        ),
    }
}

/// The most tests that are named for a requirement.
const TESTS_SHOWN: usize = 3;

/// Shows for the requirements of each task the tests that failed without its patch. All of the patch is taken out at once, so
/// that nobody knows which of a task's requirements a test is about.
fn requirements_with_tests(page: &mut String, index: &RunIndex<'_>, detail: &Detail) {
    let proofs: Vec<_> = index.handoff.gates.iter().flat_map(|receipt| &receipt.evidence.proofs).collect();
    let mut rows: Vec<Vec<String>> = Vec::new();
    for task in
        index.handoff.schedule.tasks.iter().filter(|task| task.access == Access::Writes && task.role != Role::Tests)
    {
        let proof = proofs.iter().find(|proof| proof.task == task.id).map(|proof| &proof.outcome);
        let reports = index.task(&task.id).map_or_else(Vec::new, |view| view.reports());
        for requirement in &task.requirements {
            let mut claims = reports.iter().flat_map(|report| &report.requirements);
            let there = claims.rfind(|claim| claim.id == requirement.id).filter(|claim| claim.is_shown_done_already());
            let noticed = match (there, proof) {
                (Some(claim), _) => format!("met before the run: {}", named(&claim.tests, &claim.paths, detail)),
                (None, Some(Outcome::Proven { tests })) => named(tests, &[], detail),
                (None, Some(Outcome::Nothing)) => "❌ none: every test passes without this work".to_owned(),
                (None, Some(Outcome::NotLoaded)) => "unknown: without this work the tests cannot be loaded".to_owned(),
                (None, Some(Outcome::NotTried { why })) => format!("not tried: {}", detail.prose(why)),
                (None, None) => continue,
            };
            let (task, requirement) = (text::code(task.id.as_str()), text::code(requirement.id.as_str()));
            match rows.last_mut().filter(|row| row[0] == task && row[2] == noticed) {
                Some(row) => row[1] = format!("{}, {requirement}", row[1]),
                None => rows.push(vec![task, requirement, noticed]),
            }
        }
    }
    if !rows.is_empty() {
        page.push_str(
            "Tests that ran and failed without the patch of a task. All of it was taken out at once, so a test may be about any of the task's requirements:\n\n",
        );
        let head = ["Task", "Requirements", "Noticed by"];
        entry::table(page, "", "row", &head, &rows, detail);
        page.push('\n');
    }
}

fn named(tests: &[String], paths: &[String], detail: &Detail) -> String {
    text::listed(tests.iter().chain(paths).map(|name| detail.code(name)), TESTS_SHOWN)
}

fn run(page: &mut String, index: &RunIndex<'_>, detail: &Detail) {
    page.push_str("### Run\n\n");
    let handoff = index.handoff;
    let workflow = handoff.place.workflow.as_ref();
    page.push_str(&format!(
        "Run {}{} on {}, begun {}, by {}.{}\n\n",
        detail.code(&handoff.place.run),
        workflow.map(|workflow| format!(" (workflow {})", detail.code(workflow))).unwrap_or_default(),
        detail.code(&handoff.place.platform),
        detail.code(&handoff.started),
        detail.prose(&handoff.generator),
        resumed(handoff),
    ));
    if detail.picture == 0 {
        page.push_str("The pictures are left out here; the report has them.\n\n");
        return;
    }
    page.push_str("<details><summary>Graph</summary>\n\n");
    page.push_str(&text::fenced(&mermaid::run_graph_within(index, detail.picture), "mermaid"));
    page.push_str("\n\n</details>\n\n");
    if let Some(timeline) = mermaid::timeline_within(index, detail.picture) {
        page.push_str("<details><summary>Timeline</summary>\n\n");
        page.push_str(&text::fenced(&timeline, "mermaid"));
        page.push_str("\n\n</details>\n\n");
    }
}

fn findings(page: &mut String, index: &RunIndex<'_>, detail: &Detail) {
    page.push_str("### Findings\n\n");
    let mut findings: Vec<&Finding> = index.handoff.findings.iter().collect();
    if findings.is_empty() {
        page.push_str("None.\n\n");
        return;
    }
    findings.sort_by(|a, b| (a.weight, &a.path, a.line, a.code).cmp(&(b.weight, &b.path, b.line, b.code)));
    let rows: Vec<_> = findings
        .iter()
        .map(|finding| {
            vec![
                finding.weight.name().to_owned(),
                text::code(finding.code.name()),
                place(finding, detail),
                detail.prose(&finding.message),
                noticed_by(finding),
            ]
        })
        .collect();
    let head = ["Weight", "Code", "Where", "What", "Noticed by"];
    entry::table_folded(page, "", "finding", &head, &rows, detail, true);
    page.push('\n');
}

fn place(finding: &Finding, detail: &Detail) -> String {
    match (&finding.path, finding.line) {
        (Some(path), Some(line)) => detail.code(&format!("{path}:{line}")),
        (Some(path), None) => detail.code(path),
        (None, _) if finding.code != FindingCode::Reported => {
            finding.task.as_ref().map_or("–".to_owned(), |task| format!("task {}", text::code(task.as_str())))
        }
        (None, _) => "–".to_owned(),
    }
}

fn noticed_by(finding: &Finding) -> String {
    match (&finding.task, finding.code) {
        (Some(task), FindingCode::Reported) => format!("{} reports", text::code(task.as_str())),
        (None, FindingCode::Reported) => "a subagent reports".to_owned(),
        _ => "coordinator".to_owned(),
    }
}

fn cost(page: &mut String, index: &RunIndex<'_>) {
    let handoff = index.handoff;
    let attempts: usize = index.tasks().map(|view| view.attempts().len()).sum();
    let money = handoff.cost.micro_dollars.map_or_else(
        || "No agent reported a cost in money.".to_owned(),
        |micro| format!("The agents report a cost of {}.", text::markdown(&wording::dollars(micro))),
    );
    let without = match handoff.cost.without_cost {
        0 => String::new(),
        sessions => format!(" {} reported no cost.", text::count(sessions as usize, "session")),
    };
    let tokens = &handoff.cost.tokens;
    let tokens = if tokens.is_none() {
        String::new()
    } else {
        format!(" Tokens: {} read, {} read from a cache, {} written.", tokens.input, tokens.cached_input, tokens.output)
    };
    page.push_str(&format!(
        "### Cost\n\n{} of subagents in {}, within {} from begin to end. {money}{without}{tokens}\n",
        wording::duration(handoff.cost.subagent_ms),
        text::count(attempts, "attempt"),
        wording::duration(handoff.duration_ms),
    ));
}
