//! How states look, and the words that all pages share.

use std::collections::BTreeSet;

use super::{entry::Detail, gates::standings, index::RunIndex};
pub(crate) use crate::wording::{diffstat, dollars, duration, lines, outcomes, tests};
use crate::{
    findings::{Finding, FindingCode, Weight},
    gate::{CommandReceipt, GateState, TestCounts},
    handoff::Status,
    record::{Call, ReworkRound, TaskRecord},
    schedule::Outcome,
    text,
};

/// Says how many tests there were, without what is zero: `42 passed`, `40 passed, 2 failed`.
pub(super) fn tests_briefly(counts: &TestCounts) -> String {
    let kinds = [(counts.passed, "passed"), (counts.failed, "failed"), (counts.skipped, "skipped")];
    let said: Vec<_> = kinds.iter().filter(|(n, _)| *n > 0).map(|(n, kind)| format!("{n} {kind}")).collect();
    if said.is_empty() { "no test ran".to_owned() } else { said.join(", ") }
}

/// Says how many tasks and gates passed, as two phrases; what is not whole comes first.
pub(super) fn passed(index: &RunIndex<'_>) -> [String; 2] {
    let open = standings(index.handoff).iter().filter(|gate| gate.open()).count();
    let tasks = format!("{} of {}", index.passed(), text::count(index.len(), "task"));
    let gates = format!("{open} of 3 gates");
    if open < 3 && index.passed() == index.len() { [gates, tasks] } else { [tasks, gates] }
}

/// Says why a run is incomplete where all of its tasks and gates passed; nothing where one of them tells enough.
pub(super) fn open(index: &RunIndex<'_>) -> Option<String> {
    let handoff = index.handoff;
    let told = index.passed() < index.len() || standings(handoff).iter().any(|gate| !gate.open());
    if handoff.status != Status::Incomplete || told || index.len() == 0 {
        return None;
    }
    let blocking = handoff.findings.iter().filter(|finding| finding.weight == Weight::Blocking);
    let (open, others): (Vec<_>, Vec<_>) =
        blocking.partition(|finding| finding.code == FindingCode::UncoveredRequirement);
    let count = |n: usize, what: &str, end: &str| (n > 0).then(|| format!("{}{end}", text::count(n, what)));
    let parts = [count(open.len(), "requirement", " open"), count(others.len(), "blocking finding", "")];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    if parts.is_empty() { handoff.missing.first().cloned() } else { Some(parts.join(", ")) }
}

/// Says who found something, or which kind it is: `tests found`, `cli (uncovered-requirement)`. The kinds are listed in the
/// documents, with what to do.
pub(super) fn finder(finding: &Finding) -> Option<String> {
    match (&finding.task, finding.code) {
        (Some(task), FindingCode::Reported) => Some(format!("{} found", text::code(task.as_str()))),
        (Some(task), code) => Some(format!("{} ({})", text::code(task.as_str()), code.name())),
        (None, FindingCode::Reported) => None,
        (None, code) => Some(code.name().to_owned()),
    }
}

/// Says how many files and lines what was integrated changed: `18 files, +765 −15`.
pub(super) fn changed(index: &RunIndex<'_>) -> String {
    let (mut paths, mut added, mut removed) = (BTreeSet::new(), 0, 0);
    for (_, patch) in index.integrated_patches() {
        let (plus, minus) = patch.line_counts();
        added += plus;
        removed += minus;
        paths.extend(patch.changes.iter().map(|change| change.path.as_str()));
    }
    format!("{}, {}", text::count(paths.len(), "file"), lines(added, removed))
}

/// Says who was retried in vain, in Markdown that is safe: task ids are words of ours. Nothing when there was no rework.
pub(super) fn rework(index: &RunIndex<'_>) -> Option<String> {
    let rounds = &index.handoff.rework;
    // A round in which nobody was left to call says nothing.
    let told = |round: &ReworkRound| {
        let tasks: Vec<_> = round.called.iter().take(6).map(|call| text::code(call.task.as_str())).collect();
        format!("{} in round {}", tasks.join(", "), round.number)
    };
    let called: Vec<_> = rounds.iter().filter(|round| !round.called.is_empty()).collect();
    let Some(last) = called.last() else {
        return (!rounds.is_empty()).then(|| "Rework did not fix it: nobody was left to retry.".to_owned());
    };
    let changed = |call: &Call| {
        let record = index.handoff.tasks.iter().find(|record| record.id == call.task);
        record
            .and_then(TaskRecord::last)
            .and_then(|attempt| attempt.patch.as_ref())
            .is_some_and(|patch| !patch.is_empty())
    };
    let idle = if last.called.iter().any(changed) { "" } else { "; the last attempts changed no file" };
    let rounds: Vec<_> = called.iter().map(|round| told(round)).collect();
    Some(format!("Rework did not fix it. Retried: {}{idle}.", rounds.join("; ")))
}

/// Says how a gate's command ended: `ended with exit code 0 (42 passed)`, `failed with exit code 1 (2 failed)`.
pub(super) fn command_outcome(command: &CommandReceipt, detail: &Detail) -> String {
    let mut said = match (command.exit_code, &command.trouble) {
        (Some(0), None) => "ended with exit code 0".to_owned(),
        (Some(code), None) => format!("failed with exit code {code}"),
        (Some(code), Some(trouble)) => format!("ended with exit code {code}, {}", detail.prose(trouble)),
        (None, Some(trouble)) => format!("did not finish: {}", detail.prose(trouble)),
        (None, None) => "left no exit code".to_owned(),
    };
    if let Some(counts) = &command.tests {
        said.push_str(&format!(" ({})", tests_briefly(counts)));
    }
    said
}

/// The looks that a state can have: pictures group the many outcomes by what a reader does about them, and always say
/// the outcome itself in words beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Look {
    /// Nothing to do.
    Passed,
    /// Not judged yet: a preview.
    Planned,
    /// Never begun.
    NotRun,
    /// Stopped by people.
    Cancelled,
    /// Waits for somebody else.
    Blocked,
    /// Ran out of time, money or turns.
    TimedOut,
    /// Went wrong.
    Failed,
}

impl Look {
    /// Returns the look of an outcome.
    pub(super) fn from_outcome(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Passed => Self::Passed,
            Outcome::Failed | Outcome::OutOfScope | Outcome::Unproven | Outcome::Unreported | Outcome::Conflicted => {
                Self::Failed
            }
            Outcome::Blocked => Self::Blocked,
            Outcome::TimedOut | Outcome::BudgetExhausted | Outcome::TurnsExhausted => Self::TimedOut,
            Outcome::Cancelled => Self::Cancelled,
            Outcome::NotRun => Self::NotRun,
        }
    }

    /// Returns the look of a gate's state.
    pub(super) fn of_gate(state: GateState) -> Self {
        match state {
            GateState::Passed => Self::Passed,
            GateState::Failed => Self::Failed,
            GateState::Skipped => Self::Blocked,
            GateState::NotRun => Self::NotRun,
        }
    }

    /// Returns the mark that stands before it in text.
    pub(super) fn mark(self) -> &'static str {
        match self {
            Self::Passed => "✅",
            Self::Failed => "❌",
            Self::TimedOut => "⏱️",
            Self::Blocked => "⛔",
            Self::Cancelled => "🛑",
            Self::NotRun | Self::Planned => "⚪",
        }
    }

    /// Returns the name of its class in pictures and pages.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Planned => "planned",
            Self::NotRun => "notrun",
            Self::Cancelled => "cancelled",
            Self::Blocked => "blocked",
            Self::TimedOut => "timedout",
            Self::Failed => "failed",
        }
    }
}
