//! The last lines of a run on a terminal: verdict, causes, where to look, what to do next. Plain text, never Markdown.

use super::{
    causes::{Cause, CauseKind, causes},
    gates::standings,
    index::RunIndex,
    next::{Named, steps},
    wording,
};
use crate::{
    command,
    findings::FindingCode,
    handoff::{Handoff, Status},
    record::Outcome,
    text,
    wording::{listed, page},
};

/// Root causes that are told before the rest is only counted.
const CAUSES_SHOWN: usize = 4;

/// Failing tests that a cause names.
const TESTS_SHOWN: usize = 2;

/// Characters of one line.
const LINE_CHARS: usize = 320;

/// Where a run is, as whoever reads its last lines can name it.
#[derive(Debug, Clone, Copy)]
pub struct Whereabouts<'a> {
    /// The folder with its files.
    pub folder: &'a str,
    /// How the other commands name it.
    pub run: &'a str,
    /// The command that resumes it.
    pub resume: &'a str,
    /// The branch that its result can be put on, where the usual one cannot be used.
    pub branch: Option<&'a str>,
}

/// Says in a dozen lines how a run ended: verdict, causes, where to look, what to do next. Foreign text in it is one line
/// long and holds nothing that a terminal acts on.
#[must_use]
pub fn closing(handoff: &Handoff, whereabouts: &Whereabouts<'_>) -> String {
    let index = RunIndex::new(handoff);
    let verdict = match handoff.status {
        Status::Complete => "Complete",
        Status::Incomplete => "Incomplete",
        Status::Cancelled => "Cancelled",
    };
    let [first, second] = wording::passed(&index);
    let gates: Vec<_> = standings(handoff)
        .iter()
        .map(|gate| {
            let tests = gate.tests().map(|counts| format!(" ({})", wording::tests_briefly(&counts)));
            format!("{} {}{}", gate.gate, gate.said(), tests.unwrap_or_default())
        })
        .collect();
    let open = wording::open(&index).map(|open| format!(", {}", one_line(&open))).unwrap_or_default();
    let mut lines = vec![
        format!("{verdict}{open}: {first} and {second} passed in {}", wording::duration(handoff.own_ms())),
        format!("  gates    {}", gates.join(", ")),
    ];
    if let Some(micro) = handoff.cost.micro_dollars {
        lines.push(format!("  cost     {}", wording::dollars(micro)));
    }
    let causes = if handoff.status == Status::Complete { Vec::new() } else { causes(&index) };
    if handoff.status != Status::Complete {
        for cause in causes.iter().take(CAUSES_SHOWN) {
            lines.push(format!("  fix      {}", plainly(&said(cause))));
        }
        if causes.len() > CAUSES_SHOWN {
            lines.push(format!("           and {} more in summary.md", causes.len() - CAUSES_SHOWN));
        }
        // The name of a kind stands in the line of its cause.
        let shown = causes.iter().take(CAUSES_SHOWN);
        let has_kind =
            |cause: &Cause<'_>| matches!(&cause.kind, CauseKind::Finding(by) if by.code != FindingCode::Reported);
        if shown.into_iter().any(has_kind) {
            lines.push(format!("  help     {}", page("findings.md")));
        }
    }
    if !handoff.result.commits.is_empty() {
        lines.push(format!(
            "  result   {}, {}..{}; nothing on your branch has changed",
            text::count(handoff.result.commits.len(), "commit"),
            handoff.result.base.short(),
            handoff.result.commit.short()
        ));
    }
    lines.push(format!("  report   {}/report.html", whereabouts.folder));
    let run = command::join(&[whereabouts.run.to_owned()]);
    if let Some(name) = causes.iter().find_map(log_of) {
        lines.push(format!("  log      backend-implementer logs {run} {name}"));
    }
    let steps =
        steps(&index, &causes, &Named { run: Some(&run), resume: whereabouts.resume, branch: whereabouts.branch });
    for (number, step) in (1..).zip(&steps) {
        let label = if number == 1 { "next" } else { "" };
        let number = if steps.len() > 1 { format!("{number}. ") } else { String::new() };
        lines.push(format!("  {label:7}  {number}{}", step.what.replace('`', "")));
        let indent = 11 + number.len();
        let commands = step.command.iter().flat_map(|command| command.lines());
        lines.extend(commands.map(|command| format!("{:indent$}{}", "", one_line(command))));
    }
    lines.join("\n") + "\n"
}

/// Returns the name under which `logs` finds the log of a cause.
fn log_of(cause: &Cause<'_>) -> Option<String> {
    match &cause.kind {
        CauseKind::Task { task, outcome, .. } if *outcome != Outcome::NotRun => Some(task.to_string()),
        CauseKind::Command { gate, .. } => Some(format!("gate:{gate}")),
        _ => None,
    }
}

fn said(cause: &Cause<'_>) -> String {
    let mut said = match &cause.kind {
        CauseKind::Cancelled => "the run was cancelled".to_owned(),
        CauseKind::NothingScheduled => "no task was scheduled".to_owned(),
        CauseKind::Task { task, title, outcome, reason } => {
            let advice = cause.advice().map(|advice| format!(". {}", advice.trim_end_matches('.'))).unwrap_or_default();
            let title = title.map(|title| format!(" ({title})")).unwrap_or_default();
            format!("{task}{title} {}: {reason}{advice}", outcome.name())
        }
        CauseKind::Command { gate, command } => {
            let failed = command.tests.map(|tests| format!(", {}", wording::tests_briefly(&tests))).unwrap_or_default();
            let ended = match (command.exit_code, &command.trouble) {
                (_, Some(trouble)) => trouble.clone(),
                (Some(code), None) => format!("exit code {code}"),
                (None, None) => "no exit code".to_owned(),
            };
            let failing = command.failing_tests(TESTS_SHOWN).map(|names| format!(", {names}")).unwrap_or_default();
            let error = command.error_line().map(|line| format!(": {line}")).unwrap_or_default();
            format!("gate {gate}: {} ({ended}{failed}){failing}{error}", command::join(&command.argv))
        }
        CauseKind::Gate { reason, .. } => reason.clone(),
        CauseKind::Finding(finding) => {
            let place = match (&finding.path, finding.line) {
                (Some(path), Some(line)) => format!("{path}:{line}: "),
                (Some(path), None) => format!("{path}: "),
                (None, _) => String::new(),
            };
            let who = wording::finder(finding).map(|who| format!("{who}: ")).unwrap_or_default();
            format!("{who}{place}{}", finding.message.trim())
        }
    };
    if !cause.consequences.is_empty() {
        said.push_str(&format!(" (not run because of it: {})", listed(cause.consequences.iter().copied(), 1)));
    }
    said
}

/// What a cause says, on one line, without the marks of Markdown.
fn plainly(foreign: &str) -> String {
    one_line(&foreign.replace('`', ""))
}

fn one_line(foreign: &str) -> String {
    let flat = foreign.split_whitespace().collect::<Vec<_>>().join(" ");
    text::truncate(&text::terminal(&flat), LINE_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        findings::{Finding, Weight},
        run::test_support::conclude,
        summary::fixture,
    };

    fn lines(mut handoff: Handoff) -> String {
        conclude(&mut handoff);
        let (folder, resume) = (".backend-implementer/runs/run-1", "backend-implementer run --resume");
        closing(&handoff, &Whereabouts { folder, run: "run-1", resume, branch: None })
    }

    #[test]
    fn a_complete_run_ends_with_what_to_do() {
        insta::assert_snapshot!(lines(fixture::complete()), @"
        Complete: 8 of 8 tasks and 3 of 3 gates passed in 12 min 3 s
          gates    tests passed (42 passed, 1 skipped), review passed, validation passed (12 passed)
          cost     $1.23
          result   6 commits, cae662172f..5adfc7f2eb; nothing on your branch has changed
          report   .backend-implementer/runs/run-1/report.html
          next     Put the 6 commits on the branch backend-implementation, review it there, and push it; your checkout stays as it is
                   backend-implementer apply run-1
        ");
    }

    #[test]
    fn an_incomplete_run_names_its_causes() {
        insta::assert_snapshot!(lines(fixture::incomplete()), @"
        Incomplete: 1 of 7 tasks and 0 of 3 gates passed in 1 h 5 min
          gates    tests failed (40 passed, 2 failed), review not run, validation failed
          fix      feature failed: its process ended with exit code 3. If the cause was temporary, nothing has to be changed
          fix      cli blocked: it needs backend-datatypes: a type for addresses
          fix      jobs (Feature) conflict: users/service.py: both added it, with different content. Let one of the two tasks come after the other: Needs: in the plan says so
          fix      tests timed out: it was stopped after its time limit of 30 min 0 s. Raise time-limit-minutes in the configuration, or split the task in the plan (not run because of it: review)
                   and 3 more in summary.md
          result   1 commit, cae662172f..81d8e0c264; nothing on your branch has changed
          report   .backend-implementer/runs/run-1/report.html
          log      backend-implementer logs run-1 feature
          next     1. First, repeat feature, cli, jobs and 3 more; what passed is kept
                      backend-implementer run --retry
                   2. If cli, jobs, tests fail again, change the plan (docs/plan.md) for cli and jobs, and the configuration for tests, commit it, and begin anew; all 7 tasks run again
                      backend-implementer run
                   3. Or put the commit on the branch backend-implementation, and fix what failed there by hand
                      backend-implementer apply run-1 --incomplete
                      git switch backend-implementation
        ");
    }

    #[test]
    fn a_run_in_which_everything_passed_says_in_its_verdict_why_it_is_incomplete() {
        let mut handoff = fixture::complete();
        let task = handoff.plan.tasks[0].clone();
        let message = format!("{} is reported as done in part: no store", task.requirements[0].named());
        let finding = Finding::about(&task.id, FindingCode::UncoveredRequirement, Weight::Blocking, message);
        handoff.findings.push(finding);
        let told = lines(handoff.clone());
        let told: Vec<_> = told.lines().filter(|line| !line.contains("gates  ") && !line.contains("cost")).collect();
        let last = told[told.len() - 6..].join("\n");
        assert!(last.contains("2. Or let infrastructure try once more; all other work is kept\n"), "{last}");
        assert!(last.contains("backend-implementer run --retry infrastructure\n"), "{last}");
        insta::assert_snapshot!(told[..3].join("\n"), @"
        Incomplete, 1 requirement open: 8 of 8 tasks and 3 of 3 gates passed in 12 min 3 s
          fix      infrastructure (uncovered-requirement): “A table for addresses in the template” (line 11 of the plan, infrastructure-1) is reported as done in part: no store
          help     https://github.com/backend-implementer/backend-implementer/blob/main/docs/findings.md
        ");
        handoff.findings.last_mut().unwrap().code = FindingCode::VacuousTest;
        assert!(lines(handoff).starts_with("Incomplete, 1 blocking finding: 8 of 8"));
    }

    #[test]
    fn the_log_of_a_gate_is_named_apart_from_that_of_the_task() {
        let mut handoff = fixture::incomplete();
        conclude(&mut handoff);
        let index = RunIndex::new(&handoff);
        let named: Vec<_> = causes(&index).iter().filter_map(log_of).collect();
        assert!(named.contains(&"gate:tests".to_owned()) && named.contains(&"tests".to_owned()), "{named:?}");
    }

    #[test]
    fn a_dozen_lines_are_enough_whatever_happened() {
        let runs = [fixture::cancelled(), fixture::large(true), fixture::hostile("\u{1b}[31m\n\n| x\u{202e}")];
        for run in runs {
            let told = lines(run);
            assert!(told.lines().count() <= 17, "{told}");
            assert!(!told.contains('\u{1b}') && !told.contains("```"), "{told}");
        }
    }
}
