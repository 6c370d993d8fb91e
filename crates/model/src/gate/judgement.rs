//! Judges a gate: from what ran and what the subagent said to passed, failed, skipped or not run. Fails shut.

use std::collections::BTreeSet;

use super::{
    CommandReceipt, CountSource, GateKind, GateState, Place, Receipt, SubagentVerdict, TestCounts, lacking::lacks,
};
use crate::{
    command,
    evidence::gathered::GateEvidence,
    findings::{Finding, FindingCode, Weight},
    ids::ObjectId,
    isolation::Level,
    text,
};

/// The longest command that a reason shows, in characters.
const SHOWN_COMMAND_MAX: usize = 120;

/// The most tests that a reason names.
const SHOWN_TESTS_MAX: usize = 3;

/// Everything that one gate is judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The gate.
    pub gate: GateKind,
    /// The integrated tree, on which the commands ran.
    pub tree: ObjectId,
    /// The commands that ran, in order.
    pub commands: Vec<CommandReceipt>,
    /// What the gate's subagent had to say, when it said something.
    pub verdict: Option<SubagentVerdict>,
    /// What was found out beside the gate's own run.
    pub evidence: GateEvidence,
    /// The names of files and folders that patches changed: what is missing of those is no fault of the environment.
    pub product: BTreeSet<String>,
    /// Where the commands ran.
    pub place: Place,
    /// What kept them apart.
    pub isolation: Option<Level>,
    /// How long they took, in milliseconds.
    pub duration_ms: u64,
}

/// Judges a gate.
///
/// - Any failed command, any failed test and any objection of the subagent makes it *failed*.
/// - Without a command (review needs none), without the subagent's verdict, or, for the review, with a verdict on
///   another tree, it is *not run*.
/// - Where every test was skipped it is *skipped*.
/// - A tests gate whose commands show no sign of a test that ran is *failed*, however well they exited.
#[must_use]
pub fn judge(case: Case) -> Receipt {
    let (state, reason) =
        decide(case.gate, &case.tree, &case.commands, case.verdict.as_ref(), &case.evidence, &case.product);
    let Case { gate, tree, commands, verdict, evidence, product: _, place, isolation, duration_ms } = case;
    Receipt { gate, tree, state, reason, commands, verdict, evidence, place, isolation, duration_ms }
}

/// Finds the state of a gate and the reason for it.
pub(super) fn decide(
    gate: GateKind,
    tree: &ObjectId,
    commands: &[CommandReceipt],
    verdict: Option<&SubagentVerdict>,
    evidence: &GateEvidence,
    product: &BTreeSet<String>,
) -> (GateState, String) {
    let failed = |reason: String| (GateState::Failed, reason);
    let not_run = |reason: String| (GateState::NotRun, reason);

    // A program that is not there says nothing about anybody's work.
    if let Some(lacking) = commands.iter().find_map(|command| lacks(command, product)) {
        return not_run(lacking);
    }
    // What went wrong outweighs what is missing.
    let bad: Vec<_> = commands.iter().filter(|command| !succeeded(command)).collect();
    if let Some(first) = bad.first() {
        let more = bad.len() - 1;
        let others =
            if more == 0 { String::new() } else { format!(", and {} failed", text::count(more, "other command")) };
        return failed(format!("{} {}{others}", shown(first), trouble(first)));
    }
    let tests = CommandReceipt::total(commands);
    if let Some(tests) = tests
        && tests.failed > 0
    {
        return failed(format!("{} failed, although the command succeeded", text::count(clamp(tests.failed), "test")));
    }
    let against: Vec<_> = evidence.blocking().collect();
    if let Some(first) = against.first() {
        let more = against.len() - 1;
        let others = if more == 0 { String::new() } else { format!(" (and {})", text::count(more, "further finding")) };
        return failed(format!("{}{others}", text::terminal(&first.message)));
    }
    if let Some(verdict) = verdict {
        if verdict.blocking_findings > 0 {
            let problems = text::count(verdict.blocking_findings, "blocking problem");
            let first = if verdict.blocking_findings == 1 { "" } else { "the first is " };
            return failed(format!("`{}` found {problems}: {first}{}", verdict.task, text::line(&verdict.reason)));
        }
        if !verdict.passed {
            return failed(format!("`{}` did not pass: {}", verdict.task, text::terminal(&verdict.reason)));
        }
    }

    if commands.is_empty() && gate != GateKind::Review {
        return not_run(format!(
            "no {gate} command is configured: name one in the plan's Verification section or under `gates` in the configuration"
        ));
    }
    match tests {
        Some(tests) if tests.executed() == 0 && tests.skipped > 0 => {
            let skipped = text::count(clamp(tests.skipped), "test");
            return (GateState::Skipped, format!("nothing was tested: {skipped} skipped, none run"));
        }
        Some(tests) if tests.executed() == 0 => return failed("no test ran: the command reports 0 tests".to_owned()),
        None if gate == GateKind::Tests => {
            return failed(
                "no sign that a test ran: the commands succeeded, but neither their output nor a JUnit file says how many tests they ran"
                    .to_owned(),
            );
        }
        _ => {}
    }
    let Some(verdict) = verdict else {
        return not_run(format!("there is no verdict of the {gate} subagent"));
    };
    if gate == GateKind::Review && verdict.tree != *tree {
        return not_run(format!(
            "`{}` reviewed the tree {}, not the integrated tree {}",
            verdict.task,
            verdict.tree.short(),
            tree.short()
        ));
    }
    (GateState::Passed, passed_reason(commands, tests, verdict))
}

fn passed_reason(commands: &[CommandReceipt], tests: Option<TestCounts>, verdict: &SubagentVerdict) -> String {
    let mut parts = Vec::new();
    if !commands.is_empty() {
        parts.push(format!("{} succeeded", text::count(commands.len(), "command")));
    }
    if let Some(tests) = tests {
        let skipped = if tests.skipped == 0 { String::new() } else { format!(", {} skipped", tests.skipped) };
        // What is printed anything can print.
        let claim = if tests.source == CountSource::Output { " (a claim: counted from what was printed)" } else { "" };
        parts.push(format!("{} passed{skipped}{claim}", text::count(clamp(tests.passed), "test")));
    }
    parts.push(format!("subagent `{}` approves", verdict.task));
    parts.join("; ")
}

/// Lists what a receipt gives people to look at: nothing when its gate passed.
#[must_use]
pub fn findings(receipt: &Receipt) -> Vec<Finding> {
    let evidence = receipt.evidence.findings.clone();
    if receipt.state == GateState::Passed {
        return evidence;
    }
    let finding =
        |code, message: String| Finding { code, weight: Weight::Blocking, task: None, path: None, line: None, message };
    let mut findings = evidence;
    findings.push(finding(
        FindingCode::GateNotPassed,
        format!("the {} gate is {}: {}", receipt.gate, receipt.state.name(), receipt.reason),
    ));
    let unseen = !receipt.commands.is_empty()
        && receipt.commands.iter().all(succeeded)
        && CommandReceipt::total(&receipt.commands).is_none_or(|tests| tests.executed() == 0);
    if receipt.gate == GateKind::Tests && unseen {
        findings.push(finding(
            FindingCode::NoTestsSeen,
            "the test commands succeeded without a sign that any test ran: use a runner that says how many it ran, or name its JUnit XML under `gates.tests.junit`"
                .to_owned(),
        ));
    }
    findings
}

fn succeeded(command: &CommandReceipt) -> bool {
    command.exit_code == Some(0) && command.trouble.is_none()
}

fn shown(command: &CommandReceipt) -> String {
    text::code(&text::truncate(&command::join(&command.argv), SHOWN_COMMAND_MAX))
}

fn trouble(command: &CommandReceipt) -> String {
    let tests = match command.tests {
        Some(tests) if tests.failed > 0 => {
            format!(" ({} of {} tests failed{})", tests.failed, tests.executed(), failing(command))
        }
        _ => String::new(),
    };
    match (&command.trouble, command.exit_code) {
        (Some(trouble), _) => format!("failed: {}{tests}", text::terminal(trouble)),
        (None, Some(code)) => format!("failed with exit code {code}{tests}"),
        (None, None) => format!("did not end normally{tests}"),
    }
}

/// Names the first tests that failed.
fn failing(command: &CommandReceipt) -> String {
    command.failing_tests(SHOWN_TESTS_MAX).map_or_else(String::new, |names| format!(": {names}"))
}

fn clamp(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
