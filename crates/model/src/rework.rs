//! Rework: who is called again when the gates do not pass, and with which words. The coordinator mends nothing itself.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    findings::{Finding, FindingCode, Weight},
    gate::{CommandReceipt, GateKind, GateState, Receipt},
    handoff::{IntegratedCommit, TaskRecord},
    ids::{ObjectId, SubagentName, TaskId},
    roster::{Access, Phase, Role},
    schedule::{Outcome, Schedule, Task},
    text,
};

/// The most bytes of a command's output that a subagent is shown.
const OUTPUT_SHOWN: usize = 6 * 1024;

/// One round of rework, for the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ReworkRound {
    /// Its number, from 1.
    pub number: u32,
    /// The tree that was not good enough.
    pub tree: ObjectId,
    /// What was wrong with it.
    pub because: Vec<String>,
    /// Who was called again.
    pub called: Vec<Call>,
}

/// A task that was called again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Call {
    /// The task.
    pub task: TaskId,
    /// Why this one.
    pub because: String,
}

/// A specialist that another task turned out to need, for the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Escalation {
    /// The task that could not go on.
    pub blocked: TaskId,
    /// The specialist that it named.
    pub specialist: SubagentName,
    /// What it needs, in its own words. Untrusted text.
    pub request: String,
    /// The specialist's task that was called; none when it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called: Option<TaskId>,
    /// Why it was not called; empty when it was.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub refused: String,
}

/// What a subagent is asked for beside its requirements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who asks: a gate or a task.
    pub from: String,
    /// What for. Untrusted text.
    pub text: String,
}

/// What there is to choose by.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The round that would begin, from 1.
    pub round: u32,
    /// Tasks and waves.
    pub schedule: &'a Schedule,
    /// What became of the tasks.
    pub records: &'a BTreeMap<TaskId, TaskRecord>,
    /// What was integrated, in order.
    pub commits: &'a [IntegratedCommit],
    /// The receipts of the gates on the tree that is not good enough.
    pub receipts: &'a [Receipt],
    /// Everything that was noticed.
    pub findings: &'a [Finding],
    /// The task whose patch made a gate's command fail, where bisecting has named one.
    pub culprits: &'a BTreeMap<GateKind, TaskId>,
    /// Tasks that are not called any more, because calling them again has changed nothing.
    pub given_up: &'a BTreeSet<TaskId>,
}

/// Who is called again, with what they are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choice {
    /// What is wrong.
    pub because: Vec<String>,
    /// Who is called and why, and the requests to each.
    pub calls: BTreeMap<TaskId, (String, Vec<Request>)>,
}

impl Choice {
    fn call(&mut self, task: &TaskId, because: impl FnOnce() -> String, request: Request) {
        let (_, requests) = self.calls.entry(task.clone()).or_insert_with(|| (because(), Vec::new()));
        requests.push(request);
    }
}

/// Tells whether a receipt says that something went wrong that a subagent could mend.
#[must_use]
pub fn is_red(receipt: &Receipt) -> bool {
    receipt.state == GateState::Failed && !receipt.commands.is_empty() && failed_command(receipt).is_some()
}

/// Returns the first command of a gate that failed.
#[must_use]
pub fn failed_command(receipt: &Receipt) -> Option<&CommandReceipt> {
    receipt.commands.iter().find(|command| command.exit_code != Some(0))
}

/// Returns the task whose patch was the last to change a path.
#[must_use]
pub fn owner_of<'a>(
    path: &str,
    commits: &'a [IntegratedCommit],
    records: &BTreeMap<TaskId, TaskRecord>,
) -> Option<&'a TaskId> {
    let has = |commit: &&IntegratedCommit| {
        let attempt = records
            .get(&commit.task)
            .and_then(|record| record.attempts.iter().find(|attempt| attempt.attempt == commit.attempt));
        let patch = attempt.and_then(|attempt| attempt.patch.as_ref());
        patch.is_some_and(|patch| patch.changes.iter().any(|change| change.path == path))
    };
    commits.iter().rev().find(has).map(|commit| &commit.task)
}

/// Chooses who is called again: whose patch owns the path of a blocking finding of a quality subagent; for a red gate the
/// culprit that bisecting has named, else whoever owns most of the paths that the output names, else whoever wrote the
/// features.
#[must_use]
pub fn choose(situation: &Situation<'_>) -> Choice {
    let mut choice = Choice::default();
    for receipt in situation.receipts.iter().filter(|receipt| receipt.state == GateState::Failed) {
        let gate = receipt.gate;
        if is_red(receipt) {
            red_gate(situation, receipt, &mut choice);
        } else if gate == GateKind::Tests && receipt.verdict.as_ref().is_some_and(|verdict| verdict.passed) {
            // The commands succeeded, and still it failed: there was no sign of a test.
            let because = format!("the tests gate failed: {}", receipt.reason);
            choice.because.push(because.clone());
            for task in situation.schedule.tasks.iter().filter(|task| task.role == Role::Tests) {
                let request = Request { from: "the tests gate".to_owned(), text: receipt.reason.clone() };
                choice.call(&task.id, || because.clone(), request);
            }
        }
    }
    objections(situation, &mut choice);
    choice.calls.retain(|task, _| !situation.given_up.contains(task));
    failed_after(situation, &mut choice);
    choice
}

/// Gives those another try who failed on what is being mended: they came after whoever is called.
fn failed_after(situation: &Situation<'_>, choice: &mut Choice) {
    let waves = situation.schedule.wave_of();
    let Some(first) = choice.calls.keys().filter_map(|task| waves.get(task)).min().copied() else { return };
    for record in situation.records.values() {
        let own = matches!(record.outcome, Outcome::Failed | Outcome::Unproven | Outcome::Unreported);
        let after = waves.get(&record.id).is_some_and(|wave| *wave > first);
        if own && after && !situation.given_up.contains(&record.id) {
            let because = || "it failed on a tree that is being mended".to_owned();
            choice.calls.entry(record.id.clone()).or_insert_with(|| (because(), Vec::new()));
        }
    }
}

/// Takes blocking findings of quality subagents to the owners of their paths.
fn objections(situation: &Situation<'_>, choice: &mut Choice) {
    for finding in situation.findings {
        let Some(reporter) = finding.task.as_ref().and_then(|id| situation.schedule.task(id)) else { continue };
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
        choice.because.push(format!("{} objects: {words}", reporter.id));
        let owner = finding.path.as_deref().and_then(|path| owner_of(path, situation.commits, situation.records));
        if let Some(owner) = owner.filter(|owner| **owner != reporter.id) {
            let because = || format!("{} objects to what it changed: {words}", reporter.id);
            choice.call(owner, because, Request { from: format!("task {}", reporter.id), text: words.clone() });
        }
    }
}

/// Takes a red gate to whoever is to blame, as far as that can be told.
fn red_gate(situation: &Situation<'_>, receipt: &Receipt, choice: &mut Choice) {
    let Some(command) = failed_command(receipt) else { return };
    choice.because.push(format!("the {} gate failed: {}", receipt.gate, text::truncate(&receipt.reason, 400)));
    let output = tail(&command.output_tail);
    let request = || Request {
        from: format!("the {} gate", receipt.gate),
        text: format!("{}\n{}: {}\n\n{output}", receipt.reason, "command", crate::command::join(&command.argv)),
    };
    let role = |task: &TaskId| situation.schedule.task(task).map(|task| task.role);
    let (task, why) = match situation.culprits.get(&receipt.gate) {
        // New tests that fail are the tests' fault only after everybody else has had a turn.
        Some(culprit) if role(culprit) != Some(Role::Tests) || situation.round > 1 => {
            (Some(culprit), "bisecting the patches names its patch as the first with which it fails")
        }
        _ => match named_most(situation, &command.output_tail) {
            Some(task) => (Some(task), "the output of the failed command names what it changed"),
            None => (author_of_features(situation), "nothing names a culprit, and it made what the gate looks at"),
        },
    };
    if let Some(task) = task {
        choice.call(task, || format!("the {} gate failed, and {why}", receipt.gate), request());
    }
    // What is still red after a round may be wrong in the tests themselves.
    if situation.round > 1 && receipt.gate == GateKind::Tests {
        for author in situation.schedule.tasks.iter().filter(|task| task.role == Role::Tests) {
            let because = || "the tests gate is still red after rework: the tests may be wrong".to_owned();
            choice.call(&author.id, because, request());
        }
    }
}

/// Finds the task of which the output names most paths; tests name themselves always, and do not count.
fn named_most<'a>(situation: &Situation<'a>, output: &str) -> Option<&'a TaskId> {
    let mut named: BTreeMap<&TaskId, usize> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for commit in situation.commits.iter().rev() {
        let task = situation.schedule.task(&commit.task);
        let Some(record) = situation.records.get(&commit.task) else { continue };
        if task.is_none_or(|task| task.role == Role::Tests) {
            continue;
        }
        let attempt = record.attempts.iter().find(|attempt| attempt.attempt == commit.attempt);
        for change in attempt.and_then(|attempt| attempt.patch.as_ref()).iter().flat_map(|patch| &patch.changes) {
            if seen.insert(&change.path) {
                *named.entry(&commit.task).or_default() += output.matches(change.path.as_str()).count();
            }
        }
    }
    named.into_iter().filter(|(_, count)| *count > 0).max_by_key(|(_, count)| *count).map(|(task, _)| task)
}

/// Finds the task that made what the gates look at, as far as anybody can guess.
fn author_of_features<'a>(situation: &Situation<'a>) -> Option<&'a TaskId> {
    let integrated =
        |task: &&Task| task.access == Access::Writes && situation.commits.iter().any(|commit| commit.task == task.id);
    let of = |wanted: &dyn Fn(&Task) -> bool| {
        situation.schedule.tasks.iter().filter(integrated).find(|task| wanted(task)).map(|task| &task.id)
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
