//! Check runs: one for each subagent, one for the plan, one for the whole.

pub use super::check_page::{
    ANNOTATIONS_PER_REQUEST, Annotation, AnnotationLevel, CheckPage, Conclusion, OUTPUT_MAX_CHARS, batches,
};
use crate::{
    diagnostics::{Diagnostic, Severity},
    findings::{Finding, Weight},
    handoff::{Handoff, Status, TaskRecord},
    ids::{ObjectId, SubagentName},
    lock::Lock,
    schedule::{Outcome, Schedule, Task},
    summary::{self, wording},
    text,
};

/// The most annotations that one check run is given: nobody reads more, and each fifty cost a request.
const ANNOTATIONS_MAX: usize = 200;

/// The most characters of an annotation's message (64 KB in the same page), as far as anybody reads.
const MESSAGE_MAX_CHARS: usize = 4_000;

/// The name of the check run that stands for the whole: the one for branch protection.
pub const OVERALL: &str = "Backend Implementer";

/// The name of the check run that a preview makes.
pub const PLAN: &str = "Backend Implementer / plan";

/// What the name of a subagent's check run begins with. The name must tell enough alone: GitHub shows it among the
/// checks of all other workflows.
pub const SUBAGENT_PREFIX: &str = "Backend Implementer / backend";

/// A task with what became of it.
#[derive(Debug, Clone, Copy)]
pub struct TaskView<'a> {
    /// The task.
    pub task: &'a Task,
    /// What became of it; nothing while it has not ended.
    pub record: Option<&'a TaskRecord>,
    /// What was noticed about it.
    pub findings: &'a [Finding],
}

/// Returns the name of a subagent's check run.
#[must_use]
pub fn subagent_check_name(subagent: &SubagentName) -> String {
    // An extension of the roster may be called anything; the prefix by which ours are found stays.
    let name = subagent.as_str();
    match name.strip_prefix("backend") {
        Some(rest) => format!("{SUBAGENT_PREFIX}{rest}"),
        None => format!("{SUBAGENT_PREFIX}: {name}"),
    }
}

/// Makes the page of a subagent from its tasks.
#[must_use]
pub fn of_subagent(subagent: &SubagentName, views: &[TaskView<'_>]) -> CheckPage {
    let outcomes: Vec<_> =
        views.iter().map(|view| view.record.map_or(Outcome::NotRun, |record| record.outcome)).collect();
    let mut details = String::new();
    for view in views {
        task_details(&mut details, view);
    }
    CheckPage {
        conclusion: conclusion_of(&outcomes),
        title: text::truncate(&text::plain(&title_of(views, &outcomes)), 200),
        summary: format!("{}: {}.", text::code(subagent.as_str()), wording::outcomes(outcomes.iter().copied())),
        text: within(details),
        annotations: annotations(views.iter().flat_map(|view| view.findings)),
    }
}

/// Makes the page of the whole. Anything but complete keeps branch protection shut.
#[must_use]
pub fn overall(handoff: &Handoff) -> CheckPage {
    let (conclusion, title) = match handoff.status {
        Status::Complete => (Conclusion::Success, "The implementation is complete".to_owned()),
        Status::Incomplete => {
            let first = handoff.missing.first().map_or("see the summary", String::as_str);
            let more = handoff.missing.len().saturating_sub(1);
            let more = if more == 0 { String::new() } else { format!(", and {more} more") };
            (Conclusion::Failure, format!("Incomplete: {first}{more}"))
        }
        Status::Cancelled => (Conclusion::Cancelled, "The run was cancelled".to_owned()),
    };
    CheckPage {
        conclusion,
        title: text::truncate(&text::plain(&title), 200),
        summary: format!(
            "{} on {}, ending in {}. Lock `{}`.",
            wording::outcomes(handoff.tasks.iter().map(|task| task.outcome)),
            text::code(handoff.result.base.short()),
            text::code(handoff.result.commit.short()),
            handoff.lock.digest.short(),
        ),
        text: within(summary::render_within(handoff, OUTPUT_MAX_CHARS)),
        annotations: annotations(handoff.findings.iter().filter(|finding| finding.weight == Weight::Blocking)),
    }
}

/// What begins the line of the overall check that names the artifact with what a run finished.
const KEPT_BEGIN: &str = "<!-- kept ";

/// Notes on the overall page of a run which artifact has what it finished, and for which lock.
pub fn note_kept(page: &mut CheckPage, artifact: &str, lock: &Lock) {
    page.summary.push_str(&format!("\n\n{KEPT_BEGIN}{artifact} {} -->", lock.digest.hex()));
}

/// Reads which artifact has what a run of this lock finished, from the summary of its overall check.
#[must_use]
pub fn kept<'a>(summary: &'a str, lock: &Lock) -> Option<&'a str> {
    let line = summary.lines().next_back()?.strip_prefix(KEPT_BEGIN)?.strip_suffix(" -->")?;
    let (artifact, digest) = line.split_once(' ')?;
    (digest == lock.digest.hex()).then_some(artifact)
}

/// Makes the overall page of a pull request without a plan: a required check must be reported there, too.
#[must_use]
pub fn no_plan() -> CheckPage {
    let summary = "There is no plan on this pull request, so that there is nothing to implement.";
    short_page(Conclusion::Neutral, "No plan", summary.to_owned())
}

/// Makes the overall page of a plan that was added to a head which had none: it is to be implemented first.
#[must_use]
pub fn plan_waits() -> CheckPage {
    let summary = "The pull request has a plan now, and it was not implemented yet. The comment says how to start it.";
    short_page(Conclusion::ActionRequired, "The plan is not implemented yet", summary.to_owned())
}

/// Makes the overall page of a head that has the very files of a complete implementation.
#[must_use]
pub fn carried_over(result: &ObjectId) -> CheckPage {
    let summary =
        format!("This commit has the very files of {}, the complete implementation.", text::code(result.short()));
    short_page(Conclusion::Success, "The implementation is complete", summary)
}

/// Makes the overall page of the commit of a merge group.
#[must_use]
pub fn merge_group() -> CheckPage {
    let summary = "A merge group: each of its pull requests passed this check on its own head.";
    short_page(Conclusion::Success, "Checked on each pull request", summary.to_owned())
}

fn short_page(conclusion: Conclusion, title: &str, summary: String) -> CheckPage {
    CheckPage { conclusion, title: title.to_owned(), summary, text: String::new(), annotations: Vec::new() }
}

/// Makes the overall page of a run that broke off for `error`.
#[must_use]
pub fn broken_off(error: &str) -> CheckPage {
    CheckPage {
        conclusion: Conclusion::Failure,
        title: "The run was interrupted".to_owned(),
        summary: within(text::fenced(&text::truncate(error, 4_000), "text")),
        text: String::new(),
        annotations: Vec::new(),
    }
}

/// Makes the page of a plan that was looked at: `ready` when it can run. `path` is where the plan lies in the commit,
/// when it is a file.
#[must_use]
pub fn of_plan(diagnostics: &[Diagnostic], path: Option<&str>, ready: Option<(&Lock, &Schedule)>) -> CheckPage {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    let (conclusion, title, summary) = match ready {
        Some((lock, schedule)) => (
            Conclusion::Success,
            format!("Lock {}", lock.digest.short()),
            format!(
                "{} in {}. Comment `/implement {}` to run exactly this.",
                text::count(schedule.tasks.len(), "task"),
                text::count(schedule.waves.len(), "wave"),
                lock.digest.short()
            ),
        ),
        None if errors == 0 => {
            (Conclusion::Neutral, "No plan".to_owned(), "There is no plan on this pull request.".to_owned())
        }
        None => (
            Conclusion::Failure,
            text::count(errors, "problem"),
            format!("Fix {} before anything can run.", text::count(errors, "problem")),
        ),
    };
    let details: String =
        diagnostics.iter().map(|diagnostic| format!("{}\n\n", text::fenced(&diagnostic.to_string(), "text"))).collect();
    let on_plan = |diagnostic: &&Diagnostic| Some(diagnostic.file.as_str()) == path;
    let annotations = diagnostics.iter().filter(on_plan).take(ANNOTATIONS_MAX).map(|diagnostic| {
        let line = diagnostic.position.map_or(1, |position| position.line);
        let hint = diagnostic.hint.as_ref().map(|hint| format!("\n{hint}")).unwrap_or_default();
        Annotation {
            path: diagnostic.file.clone(),
            start_line: line,
            end_line: line,
            level: match diagnostic.severity {
                Severity::Error => AnnotationLevel::Failure,
                Severity::Warning => AnnotationLevel::Warning,
                Severity::Note => AnnotationLevel::Notice,
            },
            title: format!("Plan: {}", diagnostic.code),
            message: message(&format!("{}{hint}", diagnostic.message)),
        }
    });
    CheckPage { conclusion, title, summary, text: within(details), annotations: annotations.collect() }
}

fn conclusion_of(outcomes: &[Outcome]) -> Conclusion {
    let has = |wanted: Outcome| outcomes.contains(&wanted);
    let failed = |outcome: &Outcome| {
        let limited = matches!(outcome, Outcome::TimedOut | Outcome::BudgetExhausted | Outcome::TurnsExhausted);
        !limited && !matches!(outcome, Outcome::Passed | Outcome::NotRun | Outcome::Cancelled)
    };
    if outcomes.iter().any(failed) {
        Conclusion::Failure
    } else if has(Outcome::TimedOut) {
        Conclusion::TimedOut
    } else if has(Outcome::BudgetExhausted) || has(Outcome::TurnsExhausted) {
        // GitHub has no word for it, and "timed out" would send people to the wrong limit.
        Conclusion::Failure
    } else if has(Outcome::Cancelled) {
        Conclusion::Cancelled
    } else if has(Outcome::Passed) && !has(Outcome::NotRun) {
        Conclusion::Success
    } else if has(Outcome::Passed) {
        // Half of what was asked of it: not a success, and nothing of its own went wrong.
        Conclusion::Neutral
    } else {
        Conclusion::Skipped
    }
}

fn title_of(views: &[TaskView<'_>], outcomes: &[Outcome]) -> String {
    match views {
        [only] => match only.record {
            Some(record) => stated(record, str::to_owned),
            None => "not run".to_owned(),
        },
        _ => wording::outcomes(outcomes.iter().copied()),
    }
}

fn task_details(page: &mut String, view: &TaskView<'_>) {
    let TaskView { task, record, findings } = view;
    page.push_str(&format!("### {}\n\n", text::markdown(task.id.as_str())));
    let Some(record) = record else {
        page.push_str("It was not run.\n\n");
        return;
    };
    page.push_str(&format!("- **State**: {}\n", stated(record, prose)));
    page.push_str(&format!("- **Requirements**: {}\n", task.requirements.len()));
    if let Some(attempt) = record.last() {
        let took = wording::duration(attempt.ended_ms.saturating_sub(attempt.started_ms));
        page.push_str(&format!("- **Attempts**: {}, the last took {took}\n", record.attempts.len()));
        if let Some(patch) = attempt.patch.as_ref().filter(|patch| !patch.is_empty()) {
            page.push_str(&format!("- **Patch**: {}\n", wording::diffstat(patch)));
            for change in patch.changes.iter().take(50) {
                page.push_str(&format!("  - {}\n", text::code(&change.path)));
            }
            let more = patch.changes.len().saturating_sub(50);
            if more > 0 {
                page.push_str(&format!("  - … and {more} more\n"));
            }
        }
    }
    if let Some(report) = record.report() {
        page.push_str(&format!("- **Reports**: {}\n", prose(&report.summary)));
    }
    for finding in findings.iter().take(100) {
        let place = match (&finding.path, finding.line) {
            (Some(path), Some(line)) => format!(" {} line {line}:", text::code(path)),
            (Some(path), None) => format!(" {}:", text::code(path)),
            _ => String::new(),
        };
        page.push_str(&format!(
            "- **{}** ({}):{place} {}\n",
            finding.code.name(),
            finding.weight.name(),
            prose(&finding.message)
        ));
    }
    page.push('\n');
}

/// Says how a task ended and why, where there is a why.
fn stated(record: &TaskRecord, shown: impl Fn(&str) -> String) -> String {
    match record.reason.trim() {
        "" => record.outcome.name().to_owned(),
        reason => format!("{}: {}", record.outcome.name(), shown(reason)),
    }
}

fn prose(foreign: &str) -> String {
    text::markdown(&text::truncate(foreign.trim(), 1_000))
}

/// Makes annotations of the findings that have a place.
fn annotations<'a>(findings: impl Iterator<Item = &'a Finding>) -> Vec<Annotation> {
    findings
        .filter_map(|finding| {
            let line = finding.line.unwrap_or(1).max(1);
            Some(Annotation {
                path: finding.path.clone()?,
                start_line: line,
                end_line: line,
                level: match finding.weight {
                    Weight::Blocking => AnnotationLevel::Failure,
                    Weight::Warning => AnnotationLevel::Warning,
                    Weight::Note => AnnotationLevel::Notice,
                },
                title: match &finding.task {
                    Some(task) => format!("{} ({task})", finding.code.name()),
                    None => finding.code.name().to_owned(),
                },
                message: message(&finding.message),
            })
        })
        .take(ANNOTATIONS_MAX)
        .collect()
}

/// Annotations are plain text; GitHub refuses an empty one.
fn message(foreign: &str) -> String {
    let plain = text::truncate(text::plain(foreign).trim(), MESSAGE_MAX_CHARS);
    if plain.is_empty() { "(no words)".to_owned() } else { plain }
}

/// Cuts Markdown to what a check run takes, at a line, with what was open closed.
fn within(markdown: String) -> String {
    if markdown.chars().count() <= OUTPUT_MAX_CHARS {
        return markdown;
    }
    let note = "\n\nCut here: the rest does not fit into a check run. The step summary has everything.\n";
    let room = OUTPUT_MAX_CHARS - note.len() - 16;
    let end = markdown.char_indices().nth(room).map_or(markdown.len(), |(at, _)| at);
    let cut = markdown[..end].rsplit_once('\n').map_or("", |(lines, _)| lines);
    let fences = cut.lines().filter(|line| line.trim_start().starts_with("```")).count();
    let close = if fences % 2 == 1 { "\n```" } else { "" };
    format!("{cut}{close}{note}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{findings::FindingCode, ids::TaskId, run::test_support::conclude, summary::fixture};

    #[test]
    fn only_a_complete_run_opens_branch_protection() {
        let mut handoff = fixture::complete();
        conclude(&mut handoff);
        assert_eq!(overall(&handoff).conclusion, Conclusion::Success);
        handoff.status = Status::Incomplete;
        handoff.missing = vec!["The tests gate failed".to_owned(), "another".to_owned()];
        let page = overall(&handoff);
        assert_eq!(page.conclusion, Conclusion::Failure);
        assert_eq!(page.title, "Incomplete: The tests gate failed, and 1 more");
        handoff.status = Status::Cancelled;
        assert_eq!(overall(&handoff).conclusion, Conclusion::Cancelled);
    }

    #[test]
    fn each_way_to_end_has_its_conclusion() {
        let of = |outcomes: &[Outcome]| conclusion_of(outcomes).name();
        assert_eq!(of(&[Outcome::Passed]), "success");
        assert_eq!(of(&[Outcome::Passed, Outcome::OutOfScope]), "failure");
        assert_eq!(of(&[Outcome::TimedOut, Outcome::Passed]), "timed_out");
        assert_eq!(of(&[Outcome::Cancelled]), "cancelled");
        assert_eq!(of(&[Outcome::NotRun]), "skipped");
        assert_eq!(of(&[Outcome::Passed, Outcome::NotRun]), "neutral");
        assert_eq!(of(&[Outcome::Blocked]), "failure");
    }

    #[test]
    fn the_page_of_a_subagent_tells_its_tasks_and_findings() {
        let handoff = fixture::complete();
        let task = &handoff.schedule.tasks[0];
        let record = handoff.tasks.iter().find(|record| record.id == task.id);
        let mut finding = Finding::about(&task.id, FindingCode::Reported, Weight::Warning, "# not a *heading*\nat all");
        finding.path = Some("src/a.rs".to_owned());
        finding.line = Some(7);
        let page = of_subagent(&task.subagent, &[TaskView { task, record, findings: &[finding] }]);
        insta::assert_snapshot!(format!("{}\n{}\n\n{}", page.title, page.summary, page.text), @r#"
passed
`backend-cloud-infrastructure-architect`: 1 passed.

### infrastructure

- **State**: passed
- **Requirements**: 1
- **Attempts**: 1, the last took 40.2 s
- **Patch**: 2 files, +46 −2
  - `infra/template.yaml`
  - `infra/grants.yaml`
- **Reports**: Added the table and its grants.
- **reported** (warning): `src/a.rs` line 7: \#‌ not a \*heading\* at all
"#);
        assert_eq!(page.annotations.len(), 1);
        assert_eq!((page.annotations[0].path.as_str(), page.annotations[0].start_line), ("src/a.rs", 7));
    }

    #[test]
    fn a_bad_plan_is_annotated_where_it_is_a_file() {
        let problem = Diagnostic::new(Severity::Error, "unknown-subagent", "plan.md", "there is no such subagent")
            .at("a\nb\n", crate::diagnostics::Position { line: 2, column: 1 });
        let page = of_plan(std::slice::from_ref(&problem), Some("plan.md"), None);
        assert_eq!((page.conclusion, page.title.as_str()), (Conclusion::Failure, "1 problem"));
        assert_eq!(page.annotations[0].start_line, 2);
        assert!(of_plan(&[problem], None, None).annotations.is_empty());
    }

    #[test]
    fn what_is_too_long_is_cut_with_its_fence_closed() {
        let page = within(format!("```text\n{}```\n", "x\n".repeat(OUTPUT_MAX_CHARS)));
        assert!(page.chars().count() <= OUTPUT_MAX_CHARS);
        assert_eq!(page.lines().filter(|line| line.starts_with("```")).count(), 2);
    }

    #[test]
    fn what_a_run_kept_is_found_for_its_own_lock_alone() {
        let handoff = fixture::complete();
        let mut page = overall(&handoff);
        note_kept(&mut page, "7:abc", &handoff.lock);
        assert_eq!(kept(&page.summary, &handoff.lock), Some("7:abc"));
        let other = Lock { digest: crate::ids::Digest::from_content("another"), ..handoff.lock.clone() };
        assert_eq!(kept(&page.summary, &other), None);
        assert_eq!(kept("<!-- kept 7:abc x -->\nno last line", &handoff.lock), None);
    }

    #[test]
    fn annotations_go_in_fifties() {
        let task = TaskId::new("a").unwrap();
        let finding = Finding::about(&task, FindingCode::Reported, Weight::Note, "").in_path("x");
        let many = vec![finding; 120];
        let annotations = annotations(many.iter());
        assert_eq!(batches(&annotations).map(<[_]>::len).collect::<Vec<_>>(), [50, 50, 20]);
        assert_eq!(annotations[0].message, "(no words)");
    }

    #[test]
    fn every_subagent_has_a_name_by_which_it_is_found() {
        for name in ["backend-datatypes", "search-indexer"] {
            let name = subagent_check_name(&SubagentName::new(name).unwrap());
            assert!(name.starts_with(SUBAGENT_PREFIX), "{name}");
        }
        assert!(!PLAN.starts_with(SUBAGENT_PREFIX));
    }
}
