//! Rework: who is called again when the gates do not pass, and with which words. The coordinator fixes nothing itself.

use std::collections::{BTreeMap, BTreeSet};

use super::ledger::Ledger;
use crate::{
    findings::{FindingCode, Weight},
    gate::{CommandReceipt, GateKind, GateState, Receipt},
    ids::TaskId,
    record::{IntegratedCommit, Outcome, Request},
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
    /// The task whose patch made a gate's command fail, where bisecting has named one.
    pub culprits: &'a BTreeMap<GateKind, TaskId>,
    /// Tasks that are not called any more, because calling them again has changed nothing.
    pub given_up: &'a BTreeSet<TaskId>,
}

impl<'a> RedGates<'a> {
    fn task(&self, id: &TaskId) -> Option<&'a Task> {
        self.ledger.schedule().task(id)
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
}

impl Calls {
    fn call(&mut self, task: &TaskId, because: impl FnOnce() -> String, request: Request) {
        let (_, requests) = self.calls.entry(task.clone()).or_insert_with(|| (because(), Vec::new()));
        requests.push(request);
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
/// culprit that bisecting has named, else whoever owns most of the paths that the output names, else whoever wrote the
/// features.
#[must_use]
pub(super) fn choose(red: &RedGates<'_>) -> Calls {
    let mut chosen = Calls::default();
    let receipts = red.ledger.gates().iter().map(|judged| &judged.receipt);
    for receipt in receipts.filter(|receipt| receipt.state == GateState::Failed) {
        let gate = receipt.gate;
        if is_red(receipt) {
            red_gate(red, receipt, &mut chosen);
        } else if receipt.evidence.blocking().next().is_some() {
            from_evidence(receipt, &mut chosen);
        } else if gate == GateKind::Tests && receipt.verdict.as_ref().is_some_and(|verdict| verdict.passed) {
            // The commands succeeded, and still it failed: there was no sign of a test.
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
    chosen.calls.retain(|task, _| !red.given_up.contains(task));
    failed_after(red, &mut chosen);
    chosen
}

/// Takes what was found out beside a gate's own run to the tasks that it names. What names nobody blames nobody.
fn from_evidence(receipt: &Receipt, chosen: &mut Calls) {
    for finding in receipt.evidence.blocking() {
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
            let because = || "it failed on a tree that is being mended".to_owned();
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

/// Takes blocking findings of quality subagents to the owners of their paths.
fn objections(red: &RedGates<'_>, chosen: &mut Calls) {
    for finding in red.ledger.task_findings() {
        let Some(reporter) = finding.task.as_ref().and_then(|id| red.task(id)) else { continue };
        let counts = finding.code == FindingCode::Reported && finding.weight == Weight::Blocking;
        if !counts || reporter.role.gate().is_none() {
            continue;
        }
        let place = match (&finding.path, finding.line) {
            (Some(path), Some(line)) => format!("{path}:{line}"),
            (Some(path), None) => path.clone(),
            (None, _) => "no path".to_owned(),
        };
        let words = format!("{place}: {}", text::truncate(&finding.message, 400));
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
    let output = tail(&command.output_tail);
    let request = || Request {
        from: format!("the {} gate", receipt.gate),
        text: format!("{}\n{}: {}\n\n{output}", receipt.reason, "command", crate::command::join(&command.argv)),
    };
    let role = |task: &TaskId| red.task(task).map(|task| task.role);
    let (task, why) = match red.culprits.get(&receipt.gate) {
        // New tests that fail are the tests' fault only after everybody else has had a turn.
        Some(culprit) if role(culprit) != Some(Role::Tests) || red.round > 1 => {
            (Some(culprit), "bisecting the patches names its patch as the first with which it fails")
        }
        _ => match named_most(red, &command.output_tail) {
            Some(task) => (Some(task), "the output of the failed command names what it changed"),
            None => (author_of_features(red), "nothing names a culprit, and it made what the gate looks at"),
        },
    };
    if let Some(task) = task {
        chosen.call(task, || format!("the {} gate failed, and {why}", receipt.gate), request());
    }
    // What is still red after a round may be wrong in the tests themselves.
    if red.round > 1 && receipt.gate == GateKind::Tests {
        for author in red.tests_authors() {
            let because = || "the tests gate is still red after rework: the tests may be wrong".to_owned();
            chosen.call(&author.id, because, request());
        }
    }
}

/// Finds the task of which the output names most paths; tests name themselves always, and do not count.
fn named_most<'a>(red: &RedGates<'a>, output: &str) -> Option<&'a TaskId> {
    let mut named: BTreeMap<&TaskId, usize> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for commit in red.ledger.commits().iter().rev() {
        let task = red.task(&commit.task);
        if task.is_none_or(|task| task.role == Role::Tests) {
            continue;
        }
        for change in red.ledger.integrated_patch(commit).iter().flat_map(|patch| &patch.changes) {
            if seen.insert(&change.path) {
                *named.entry(&commit.task).or_default() += output.matches(change.path.as_str()).count();
            }
        }
    }
    named.into_iter().filter(|(_, count)| *count > 0).max_by_key(|(_, count)| *count).map(|(task, _)| task)
}

/// Finds the task that made what the gates look at, as far as anybody can guess.
fn author_of_features<'a>(red: &RedGates<'a>) -> Option<&'a TaskId> {
    let integrated = |task: &&Task| task.access == Access::Writes && red.ledger.has_integrated(&task.id);
    let of = |wanted: &dyn Fn(&Task) -> bool| {
        red.ledger.schedule().tasks.iter().filter(integrated).find(|task| wanted(task)).map(|task| &task.id)
    };
    of(&|task| task.role == Role::Feature)
        .or_else(|| of(&|task| task.phase() == Phase::Core))
        .or_else(|| of(&|task| task.role != Role::Tests))
        .or_else(|| of(&|_| true))
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
