//! Rework: who is called again when the gates do not pass, and with which words. The coordinator fixes nothing itself.

mod blame;

use std::collections::{BTreeMap, BTreeSet};

use super::ledger::Ledger;
use crate::{
    findings::{Finding, FindingCode, Weight},
    gate::{CommandReceipt, GateKind, GateState, Receipt},
    ids::TaskId,
    record::{Culprits, IntegratedCommit, Outcome, Request, TaskRecord},
    report::Report,
    roster::{Access, Phase, Role},
    schedule::Task,
    text,
};

/// The most bytes of a command's output that a subagent is shown.
const OUTPUT_SHOWN: usize = 6 * 1024;

/// What there is to choose by.
#[derive(Debug, Clone, Copy)]
pub(super) struct RedGates<'a> {
    /// The round that would begin, from 1.
    pub round: u32,
    /// What happened so far; its gates are those that are not good enough.
    pub ledger: &'a Ledger,
    /// What running the failed commands on earlier commits showed.
    pub found: &'a Culprits,
    /// Whether making a red base green is the work: then what is red there is somebody's to fix.
    pub base_is_the_work: bool,
    /// Whether the author of tests was told already what no test notices.
    pub tests_asked: bool,
    /// Tasks that were asked already for what their report leaves open.
    pub reports_asked: &'a BTreeSet<TaskId>,
    /// Tasks that are not called any more, because calling them again has changed nothing.
    pub given_up: &'a BTreeSet<TaskId>,
}

impl<'a> RedGates<'a> {
    fn task(&self, id: &TaskId) -> Option<&'a Task> {
        self.ledger.schedule().task(id)
    }

    /// Goes through the blocking findings of quality subagents.
    fn objections(&self) -> impl Iterator<Item = (&'a Task, &'a Finding)> {
        let counts = |finding: &&Finding| finding.code == FindingCode::Reported && finding.weight == Weight::Blocking;
        self.ledger.task_findings().filter(counts).filter_map(|finding| {
            let reporter = finding.task.as_ref().and_then(|id| self.task(id))?;
            reporter.role.gate().is_some().then_some((reporter, finding))
        })
    }

    fn tests_authors(&self) -> impl Iterator<Item = &'a Task> {
        self.ledger.schedule().tasks.iter().filter(|task| task.role == Role::Tests)
    }
}

/// Who is called again, with what they are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Calls {
    /// What is wrong.
    pub because: Vec<String>,
    /// Who is called and why, and the requests to each.
    pub calls: BTreeMap<TaskId, (String, Vec<Request>)>,
    /// Whether the author of tests hears what no test notices.
    pub of_tests: bool,
    /// Who is asked for what their report leaves open.
    pub of_reports: BTreeSet<TaskId>,
}

impl Calls {
    fn call(&mut self, task: &TaskId, because: impl FnOnce() -> String, request: Request) {
        let (_, requests) = self.calls.entry(task.clone()).or_insert_with(|| (because(), Vec::new()));
        requests.push(request);
    }

    /// Calls a task that somebody named, with everything that is open; nothing where it is called already.
    pub(super) fn call_for_what_is_open(&mut self, task: &TaskId, red: &RedGates<'_>) {
        if self.calls.contains_key(task) {
            return;
        }
        let because = "somebody asked for it with `run --retry`";
        self.because.push(format!("{task} is repeated: {because}"));
        let failed = red.ledger.gates().iter().map(|judged| &judged.receipt).filter(|receipt| is_red(receipt));
        let of_gates = failed.filter_map(|receipt| Some(request_of(receipt, failed_command(receipt)?)));
        let objections = red.ledger.task_findings().filter(|finding| {
            finding.code == FindingCode::Reported
                && finding.weight == Weight::Blocking
                && finding.task.as_ref() != Some(task)
        });
        let of_findings = objections.filter_map(|finding| {
            let from = format!("task {}", finding.task.as_ref()?);
            Some(Request { from, text: format!("{}: {}", place_of(finding), text::truncate(&finding.message, 400)) })
        });
        let requests = of_gates.chain(of_findings).collect();
        self.calls.insert(task.clone(), (because.to_owned(), requests));
    }
}

/// Makes the request to whoever is to blame for a red gate.
fn request_of(receipt: &Receipt, command: &CommandReceipt) -> Request {
    let output = tail(&command.output_tail);
    Request {
        from: format!("the {} gate", receipt.gate),
        text: format!("{}\n{}: {}\n\n{output}", receipt.reason, "command", crate::command::join(&command.argv)),
    }
}

/// Tells whether a receipt says that something went wrong that a subagent could fix.
#[must_use]
pub(super) fn is_red(receipt: &Receipt) -> bool {
    receipt.state == GateState::Failed && !receipt.commands.is_empty() && failed_command(receipt).is_some()
}

/// Returns the first command of a gate that failed.
#[must_use]
pub(super) fn failed_command(receipt: &Receipt) -> Option<&CommandReceipt> {
    receipt.commands.iter().find(|command| command.exit_code != Some(0))
}

/// Returns the path and line that a finding names.
fn place_of(finding: &Finding) -> String {
    match (&finding.path, finding.line) {
        (Some(path), Some(line)) => format!("{path}:{line}"),
        (Some(path), None) => path.clone(),
        (None, _) => "no path".to_owned(),
    }
}

/// Returns the task whose patch was the last to change a path.
#[must_use]
pub(super) fn owner_of<'a>(path: &str, ledger: &'a Ledger) -> Option<&'a TaskId> {
    let changed = |commit: &&IntegratedCommit| {
        let patch = ledger.integrated_patch(commit);
        patch.is_some_and(|patch| patch.changes.iter().any(|change| change.path == path))
    };
    ledger.commits().iter().rev().find(changed).map(|commit| &commit.task)
}

/// Chooses who is called again: whose patch owns the path of a blocking finding of a quality subagent; for a red gate the
/// culprit that bisecting has named, else whom other evidence names ([`blame`]); whose report leaves a requirement open, once.
/// Where nothing names anybody, nobody is called. When nothing is red, the author of tests hears once what no
/// test notices.
#[must_use]
pub(super) fn choose(red: &RedGates<'_>) -> Calls {
    let mut chosen = Calls::default();
    // What is red may be red for want of the missing work, and its owner had another attempt already.
    if red.ledger.records().values().any(|record| is_missing_work(red, record)) {
        return chosen;
    }
    let receipts = red.ledger.gates().iter().map(|judged| &judged.receipt);
    for receipt in receipts.filter(|receipt| receipt.state == GateState::Failed) {
        let gate = receipt.gate;
        if is_red(receipt) {
            red_gate(red, receipt, &mut chosen);
        } else if receipt.evidence.blocking().next().is_some() {
            from_evidence(red, receipt, &mut chosen);
        } else if gate == GateKind::Tests && no_test_ran(receipt) {
            // A runner that says nothing of its tests is no fault of theirs; one that found none is.
            let because = format!("the tests gate failed: {}", receipt.reason);
            chosen.because.push(because.clone());
            for task in red.tests_authors() {
                let request = Request { from: "the tests gate".to_owned(), text: receipt.reason.clone() };
                chosen.call(&task.id, || because.clone(), request);
            }
        }
    }
    objections(red, &mut chosen);
    unanswered(red, &mut chosen);
    open_requirements(red, &mut chosen);
    if chosen.because.is_empty() && red.ledger.gates().iter().all(|judged| judged.receipt.state == GateState::Passed) {
        unnoticed(red, &mut chosen);
    }
    chosen.calls.retain(|task, _| !red.given_up.contains(task));
    failed_after(red, &mut chosen);
    chosen
}

/// Tells whether a task has failed whose work the gates look at, so that it is missing there. What comes after the tests,
/// as deployment does, may fail because of what they say.
fn is_missing_work(red: &RedGates<'_>, record: &TaskRecord) -> bool {
    let makes_product = |task: &Task| task.access == Access::Writes && task.phase() < Phase::Quality;
    record.outcome != Outcome::Passed && red.task(&record.id).is_some_and(makes_product)
}

/// Tells whether the runner itself says that it found no test.
fn no_test_ran(receipt: &Receipt) -> bool {
    let counts = CommandReceipt::total(&receipt.commands);
    counts.is_some_and(|counts| counts.executed() == 0)
        && receipt.commands.iter().all(|command| command.trouble.is_none())
}

/// Tells whether a finding says that no test notices something.
fn is_unnoticed(finding: &Finding) -> bool {
    matches!(finding.code, FindingCode::NothingProvesIt | FindingCode::MutantSurvived)
}

/// Tells the author of tests, once, what no test notices.
fn unnoticed(red: &RedGates<'_>, chosen: &mut Calls) {
    let Some(author) = red.tests_authors().find(|task| task.access == Access::Writes) else { return };
    if red.tests_asked {
        return;
    }
    let receipts = red.ledger.gates().iter().map(|judged| &judged.receipt);
    for finding in receipts.flat_map(|receipt| &receipt.evidence.findings).filter(|finding| is_unnoticed(finding)) {
        let of = finding.task.as_ref().map_or_else(String::new, |task| format!("task {task}: "));
        let place = match (&finding.path, finding.line) {
            (Some(path), Some(line)) => format!("{path}:{line}: "),
            _ => String::new(),
        };
        let words = format!("{of}{place}{}", finding.message);
        chosen.because.push(words.clone());
        let request = Request {
            from: "the tests gate".to_owned(),
            text: format!("Write a test that fails without this work, or say why none can. {words}"),
        };
        let whose =
            finding.task.as_ref().map_or_else(|| "some of the work".to_owned(), |task| format!("the work of {task}"));
        chosen.call(&author.id, || format!("no test notices {whose}"), request);
        chosen.of_tests = true;
    }
}

/// Takes what was found out beside a gate's own run to the tasks that it names. What names nobody blames nobody.
fn from_evidence(red: &RedGates<'_>, receipt: &Receipt, chosen: &mut Calls) {
    // That no test notices a task's work is not the fault of that task.
    unnoticed(red, chosen);
    for finding in receipt.evidence.blocking().filter(|finding| !is_unnoticed(finding)) {
        chosen.because.push(finding.message.clone());
        if let Some(task) = &finding.task {
            let request = Request { from: format!("the {} gate", receipt.gate), text: finding.message.clone() };
            chosen.call(task, || text::truncate(&finding.message, 200), request);
        }
    }
}

/// Gives those another try who failed on what is being mended: they came after whoever is called.
fn failed_after(red: &RedGates<'_>, chosen: &mut Calls) {
    let waves = red.ledger.schedule().wave_of();
    let Some(first) = chosen.calls.keys().filter_map(|task| waves.get(task)).min().copied() else { return };
    for record in red.ledger.records().values() {
        let own = matches!(record.outcome, Outcome::Failed | Outcome::Unproven | Outcome::Unreported);
        let after = waves.get(&record.id).is_some_and(|wave| *wave > first);
        if own && after && !red.given_up.contains(&record.id) {
            let because = || "it failed on a tree that is being fixed".to_owned();
            chosen.calls.entry(record.id.clone()).or_insert_with(|| (because(), Vec::new()));
        }
    }
}

/// Asks the reviewers again where the review passed but for what they have not answered.
fn unanswered(red: &RedGates<'_>, chosen: &mut Calls) {
    let reviews =
        red.ledger.gates().iter().map(|judged| &judged.receipt).filter(|receipt| receipt.gate == GateKind::Review);
    for verdict in reviews.filter_map(|receipt| receipt.verdict.as_ref()) {
        let passed = red.ledger.record(&verdict.task).is_some_and(|record| record.outcome == Outcome::Passed);
        if passed && !verdict.passed && verdict.blocking_findings == 0 {
            let because = format!("the review is not complete: {}", verdict.reason);
            chosen.because.push(because.clone());
            let request = Request { from: "the review gate".to_owned(), text: verdict.reason.clone() };
            chosen.call(&verdict.task, || because, request);
        }
    }
}

/// Asks each task once that passed and whose report leaves a requirement open. Who says that somebody else has to act is not
/// asked: that is what specialists are called for.
fn open_requirements(red: &RedGates<'_>, chosen: &mut Calls) {
    for record in red.ledger.records().values().filter(|record| record.outcome == Outcome::Passed) {
        let waits = |report: &Report| report.limitations.iter().any(|limitation| limitation.needs.is_some());
        if red.reports_asked.contains(&record.id) || record.report().is_some_and(waits) {
            continue;
        }
        let open = red.ledger.findings_about(&record.id).iter();
        let open: Vec<_> = open.filter(|finding| finding.code == FindingCode::UncoveredRequirement).collect();
        let blocking = open.iter().filter(|finding| finding.weight == Weight::Blocking).count();
        if blocking == 0 {
            continue;
        }
        let count = text::count(blocking, "requirement");
        let because = format!("its report leaves {count} open");
        chosen.because.push(format!("the report of {} leaves {count} open", record.id));
        let named: Vec<_> = open.iter().map(|finding| format!("- {}", text::truncate(&finding.message, 500))).collect();
        let words = format!(
            "Your report does not show that these requirements are met:\n{}\nDo what is missing, and report each of them again: \
             `done` where the code does it now, with a note that says where; `already-done` only where the base did it before \
             anybody changed anything, with the `paths` where it is and the `tests` that show it. If somebody else has to act, \
             say so in `limitations` and name the subagent in `needs`.",
            named.join("\n")
        );
        chosen.call(&record.id, || because, Request { from: "the coordinator".to_owned(), text: words });
        chosen.of_reports.insert(record.id.clone());
    }
}

/// Takes blocking findings of quality subagents to the owners of their paths.
fn objections(red: &RedGates<'_>, chosen: &mut Calls) {
    for (reporter, finding) in red.objections() {
        let words = format!("{}: {}", place_of(finding), text::truncate(&finding.message, 400));
        chosen.because.push(format!("{} objects: {words}", reporter.id));
        let owner = finding.path.as_deref().and_then(|path| owner_of(path, red.ledger));
        if let Some(owner) = owner.filter(|owner| **owner != reporter.id) {
            let because = || format!("{} objects to what it changed: {words}", reporter.id);
            chosen.call(owner, because, Request { from: format!("task {}", reporter.id), text: words.clone() });
        }
    }
}

/// Takes a red gate to whoever is to blame, as far as that can be told.
fn red_gate(red: &RedGates<'_>, receipt: &Receipt, chosen: &mut Calls) {
    let Some(command) = failed_command(receipt) else { return };
    chosen.because.push(format!("the {} gate failed: {}", receipt.gate, text::truncate(&receipt.reason, 400)));
    let request = || request_of(receipt, command);
    if red.found.red_on_base.contains(&receipt.gate) && !red.base_is_the_work {
        return;
    }
    let is_of_tests = |task: &TaskId| red.task(task).is_some_and(|task| task.role == Role::Tests);
    let culprit = red.found.named.get(&receipt.gate);
    let followed = red.found.tests.get(&receipt.gate).and_then(|tests| tests.first());
    let bisected = followed.map_or_else(
        || "bisecting the patches names its patch as the first with which it fails".to_owned(),
        |test| format!("{} fails first with its patch", text::code(&text::truncate(test, 120))),
    );
    // A new test that fails may be right: the code that it looks at comes first.
    let asks_for_new_work = red.found.never_passed.contains(&receipt.gate) && receipt.gate == GateKind::Tests;
    let first_round_of_tests = red.round == 1 && culprit.map_or(asks_for_new_work, is_of_tests);
    let blamed = match culprit {
        Some(culprit) if !first_round_of_tests => Some((culprit, bisected)),
        _ => blame::by_evidence(red, receipt.gate, command, first_round_of_tests)
            .or_else(|| culprit.map(|culprit| (culprit, bisected))),
    };
    if let Some((task, why)) = blamed {
        chosen.call(task, || format!("the {} gate failed, and {why}", receipt.gate), request());
    }
    // What is still red after a round may be wrong in a test that a patch brought; not where it fails without that patch.
    if red.round > 1 && receipt.gate == GateKind::Tests && culprit.is_none_or(is_of_tests) {
        for author in red.tests_authors().filter(|author| red.ledger.has_integrated(&author.id)) {
            let because = || "the tests gate is still red after rework: the tests may be wrong".to_owned();
            chosen.call(&author.id, because, request());
        }
    }
}

/// Returns the end of an output, whole lines.
fn tail(output: &str) -> &str {
    if output.len() <= OUTPUT_SHOWN {
        return output;
    }
    let from = output.ceil_char_boundary(output.len() - OUTPUT_SHOWN);
    output[from..].split_once('\n').map_or(&output[from..], |(_, rest)| rest)
}

#[cfg(test)]
mod tests;
