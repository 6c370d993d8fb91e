//! What to fix first: the root causes of an incomplete run, without the failures that only follow from them.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    gates::standings,
    index::{RunIndex, TaskView},
};
use crate::{
    findings::{Finding, FindingCode, Weight},
    gate::{CommandReceipt, GateKind, GateState},
    ids::TaskId,
    run::GateStanding,
    schedule::Outcome,
};

/// One thing that has to be fixed before the implementation can be complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cause<'a> {
    /// What went wrong.
    pub(super) kind: CauseKind<'a>,
    /// The tasks that did not run, or are blocked, because of it.
    pub(super) consequences: Vec<&'a TaskId>,
    /// The gates that are closed because of it.
    pub(super) gates: Vec<GateKind>,
    /// Whether the model or its provider failed, so that nothing of the repository's is to blame.
    pub(super) is_of_the_model: bool,
}

impl<'a> Cause<'a> {
    fn new(kind: CauseKind<'a>) -> Self {
        Self { kind, consequences: Vec::new(), gates: Vec::new(), is_of_the_model: false }
    }

    /// A task that did not pass.
    fn of_task(index: &RunIndex<'a>, view: &TaskView<'a>) -> Self {
        let failed =
            |finding: &Finding| finding.code == FindingCode::ModelFailed && finding.task.as_ref() == Some(view.id);
        let is_of_the_model = index.handoff.findings.iter().any(failed);
        let title = view.task.map(|task| task.title.as_str()).filter(|title| says_more(title, view.id));
        let kind = CauseKind::Task { task: view.id, title, outcome: view.outcome(), reason: view.reason() };
        Self { is_of_the_model, ..Self::new(kind) }
    }
}

/// What helps against a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Remedy {
    /// To try again.
    Retry,
    /// Another plan.
    Plan,
    /// Another configuration.
    Configuration,
    /// Somebody's hands: the subagents have had their tries.
    Hands,
}

impl Cause<'_> {
    /// Returns what helps against it.
    pub(super) fn remedy(&self) -> Remedy {
        match &self.kind {
            CauseKind::Task { outcome, .. } => match outcome {
                Outcome::OutOfScope | Outcome::Conflicted | Outcome::Blocked => Remedy::Plan,
                Outcome::TimedOut | Outcome::BudgetExhausted | Outcome::TurnsExhausted => Remedy::Configuration,
                _ => Remedy::Retry,
            },
            CauseKind::NothingScheduled => Remedy::Plan,
            CauseKind::Cancelled => Remedy::Retry,
            CauseKind::Command { .. } | CauseKind::Gate { .. } | CauseKind::Finding(_) => Remedy::Hands,
        }
    }

    /// Says what a reader can do about it, where the kind of outcome alone tells.
    pub(super) fn advice(&self) -> Option<&'static str> {
        let CauseKind::Task { outcome, .. } = &self.kind else { return None };
        if self.is_of_the_model {
            return Some("The model's provider failed: nothing of yours has to be changed.");
        }
        match outcome {
            Outcome::OutOfScope => Some(
                "If the path belongs to the task, add it to its `Touches:` in the plan; if not, let it try once more.",
            ),
            Outcome::TimedOut => {
                Some("Raise `time-limit-minutes` in the configuration, or split the task in the plan.")
            }
            Outcome::BudgetExhausted => Some("Raise `limits.cost` or `limits.run-cost` in the configuration."),
            Outcome::TurnsExhausted => {
                Some("Raise `limits.turns` in the configuration, or split the task in the plan.")
            }
            Outcome::Failed => Some("If the cause was temporary, nothing has to be changed."),
            Outcome::Conflicted => Some("Let one of the two tasks come after the other: `Needs:` in the plan says so."),
            _ => None,
        }
    }
}

/// Tells whether a title says more than the id that was made from it.
fn says_more(title: &str, id: &TaskId) -> bool {
    let letters =
        |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    !letters(title).ends_with(&letters(id.as_str()))
}

/// The kinds of root causes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CauseKind<'a> {
    /// Somebody stopped the run.
    Cancelled,
    /// The schedule is empty.
    NothingScheduled,
    /// A task did not pass, and no other task's failure explains it. The title stands where it says more than the id.
    Task { task: &'a TaskId, title: Option<&'a str>, outcome: Outcome, reason: &'a str },
    /// A command of a gate failed.
    Command { gate: GateKind, command: &'a CommandReceipt },
    /// A gate is closed for another reason, which is a sentence without a full stop. Untrusted text.
    Gate { gate: GateKind, reason: String },
    /// A blocking finding.
    Finding(&'a Finding),
}

/// Finds the root causes, in the order in which people should look at them.
pub(super) fn causes<'a>(index: &RunIndex<'a>) -> Vec<Cause<'a>> {
    let handoff = index.handoff;
    let mut causes: Vec<Cause<'a>> = Vec::new();
    if index.is_cancelled() {
        causes.push(Cause::new(CauseKind::Cancelled));
    }
    if index.len() == 0 {
        causes.push(Cause::new(CauseKind::NothingScheduled));
    }
    let mut of_task: BTreeMap<&TaskId, usize> = BTreeMap::new();
    // What ended the run is told once, with the tasks that never had their turn.
    let ended_by = handoff.findings.iter().find(|finding| ends_the_run(finding));
    let never_ran = |view: &TaskView<'_>| matches!(view.outcome(), Outcome::NotRun | Outcome::Cancelled);
    if let Some(finding) = ended_by {
        let consequences = index.tasks().filter(never_ran).map(|view| view.id).collect();
        causes.push(Cause { consequences, ..Cause::new(CauseKind::Finding(finding)) });
    }
    let told_already =
        |view: &TaskView<'_>| ended_by.is_some_and(|by| never_ran(view) || by.task.as_ref() == Some(view.id));
    let failed: Vec<_> = index.tasks().filter(|view| !view.passed() && !told_already(view)).collect();
    for view in failed.iter().filter(|view| !is_echo(index, view)) {
        of_task.insert(view.id, causes.len());
        causes.push(Cause::of_task(index, view));
    }
    for view in failed.iter().filter(|view| !of_task.contains_key(view.id)) {
        match root_of(index, view, &of_task) {
            Some(root) => causes[root].consequences.push(view.id),
            // Stopped with the run: the first cause says so already.
            None if view.outcome() == Outcome::Cancelled || index.is_cancelled() => {
                causes[0].consequences.push(view.id);
            }
            None => causes.push(Cause::of_task(index, view)),
        }
    }
    let blocking: Vec<&Finding> =
        handoff.findings.iter().filter(|finding| finding.weight == Weight::Blocking).collect();
    // Where the run was ended, a gate that ran nothing only follows from that.
    let ran = |gate: &GateStanding<'_>| gate.receipts.iter().any(|receipt| !receipt.commands.is_empty());
    for gate in standings(handoff).into_iter().filter(|gate| ended_by.is_none() || ran(gate)) {
        add_gate(&mut causes, index, &gate, &blocking);
    }
    let consequences = causes.iter().flat_map(|cause| &cause.consequences);
    let told: BTreeSet<_> = of_task.keys().chain(consequences).copied().collect();
    causes.extend(
        blocking
            .into_iter()
            .filter(|finding| !follows(finding, &told) && ended_by != Some(*finding))
            .filter(|finding| ended_by.is_none_or(|by| by.task.is_none() || finding.task != by.task))
            .map(|finding| Cause::new(CauseKind::Finding(finding))),
    );
    causes.sort_by_key(|cause| rank(&cause.kind));
    causes
}

/// Tells whether a finding says what ended the run before its work was done.
fn ends_the_run(finding: &Finding) -> bool {
    matches!(finding.code, FindingCode::RunEndedEarly | FindingCode::RedBase) && finding.weight == Weight::Blocking
}

/// Orders causes: what went wrong before what merely did not happen.
fn rank(kind: &CauseKind<'_>) -> u8 {
    match kind {
        CauseKind::Cancelled | CauseKind::NothingScheduled => 0,
        CauseKind::Finding(finding) if ends_the_run(finding) => 0,
        CauseKind::Task { outcome: Outcome::NotRun, .. } => 5,
        CauseKind::Task { .. } => 1,
        CauseKind::Command { .. } => 2,
        CauseKind::Finding(_) => 3,
        CauseKind::Gate { .. } => 4,
    }
}

/// Tells whether a task's state only follows from another one's.
fn is_echo(index: &RunIndex<'_>, view: &TaskView<'_>) -> bool {
    match view.outcome() {
        Outcome::Cancelled => true,
        Outcome::NotRun | Outcome::Blocked => {
            index.is_cancelled() || needs(view).any(|need| index.task(need).is_some_and(|need| !need.passed()))
        }
        _ => false,
    }
}

fn needs<'a>(view: &TaskView<'a>) -> impl Iterator<Item = &'a TaskId> {
    view.task.into_iter().flat_map(|task| &task.needs)
}

/// Follows the needs of a task to a root cause.
fn root_of(index: &RunIndex<'_>, view: &TaskView<'_>, of_task: &BTreeMap<&TaskId, usize>) -> Option<usize> {
    let (mut seen, mut open) = (BTreeSet::new(), needs(view).collect::<Vec<_>>());
    while let Some(id) = open.pop() {
        if let Some(&root) = of_task.get(id) {
            return Some(root);
        }
        if let Some(need) = index.task(id).filter(|need| !need.passed() && seen.insert(need.id)) {
            open.extend(needs(&need));
        }
    }
    None
}

/// Adds what keeps a gate closed, or names the gate with the cause that it follows from.
fn add_gate<'a>(causes: &mut Vec<Cause<'a>>, index: &RunIndex<'a>, gate: &GateStanding<'a>, blocking: &[&'a Finding]) {
    let Some(reason) = &gate.shut else { return };
    let commands = gate.receipts.iter().flat_map(|receipt| &receipt.commands);
    let mut failed = commands.filter(|command| !succeeded(command)).peekable();
    if gate.state() == GateState::Failed && failed.peek().is_some() {
        causes.extend(failed.map(|command| Cause {
            gates: vec![gate.gate],
            ..Cause::new(CauseKind::Command { gate: gate.gate, command })
        }));
        return;
    }
    // The gate waits for a subagent that did not pass, or that objects.
    let decides = |task: &TaskId| decides(index, task, gate.gate);
    let followed = causes.iter_mut().find(|cause| {
        matches!(&cause.kind, CauseKind::Task { task, .. } if decides(task))
            || cause.consequences.iter().any(|id| decides(id))
    });
    match followed {
        Some(cause) => cause.gates.push(gate.gate),
        // The findings are causes of their own, and say more than the gate does.
        None if blocking.iter().any(|finding| finding.task.as_ref().is_some_and(decides)) => {}
        None => causes.push(Cause {
            gates: vec![gate.gate],
            ..Cause::new(CauseKind::Gate { gate: gate.gate, reason: reason.clone() })
        }),
    }
}

/// Tells whether a task is one of those whose verdict the gate waits for.
fn decides(index: &RunIndex<'_>, task: &TaskId, gate: GateKind) -> bool {
    index.task(task).and_then(|view| view.task).is_some_and(|task| task.role.gate() == Some(gate))
}

fn succeeded(command: &CommandReceipt) -> bool {
    command.exit_code == Some(0) && command.trouble.is_none() && command.tests.is_none_or(|tests| tests.failed == 0)
}

/// Tells whether a task's or a gate's own cause says what the finding says.
fn follows(finding: &Finding, told: &BTreeSet<&TaskId>) -> bool {
    let of_told = finding.task.as_ref().is_some_and(|task| told.contains(task));
    match finding.code {
        FindingCode::GateNotPassed | FindingCode::NoTestsSeen | FindingCode::NeedNotMet => true,
        FindingCode::Reported => false,
        _ => of_told,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::fixture;

    fn told(handoff: &crate::handoff::Handoff) -> Vec<String> {
        let index = RunIndex::new(handoff);
        let say = |cause: &Cause<'_>| {
            let what = match &cause.kind {
                CauseKind::Cancelled => "cancelled".to_owned(),
                CauseKind::NothingScheduled => "nothing scheduled".to_owned(),
                CauseKind::Task { task, outcome, .. } => format!("task {task} {}", outcome.name()),
                CauseKind::Command { gate, command } => format!("command of {gate}: {:?}", command.exit_code),
                CauseKind::Gate { gate, reason } => format!("gate {gate}: {reason}"),
                CauseKind::Finding(finding) => format!("finding {}", finding.code.name()),
            };
            let ids: Vec<_> = cause.consequences.iter().map(|id| id.as_str()).collect();
            let gates: Vec<_> = cause.gates.iter().map(|gate| gate.name()).collect();
            format!("{what} -> [{}] gates [{}]", ids.join(", "), gates.join(", "))
        };
        causes(&index).iter().map(say).collect()
    }

    #[test]
    fn a_complete_run_has_no_causes() {
        assert_eq!(told(&fixture::complete()), [""; 0]);
    }

    #[test]
    fn what_only_follows_stands_behind_its_cause() {
        insta::assert_debug_snapshot!(told(&fixture::incomplete()), @r#"
        [
            "task feature failed -> [] gates []",
            "task cli blocked -> [] gates []",
            "task jobs conflict -> [] gates []",
            "task tests timed out -> [review] gates [review]",
            "command of tests: Some(1) -> [] gates [tests]",
            "command of validation: None -> [] gates [validation]",
            "task validation not run -> [] gates []",
        ]
        "#);
    }

    #[test]
    fn a_title_that_the_id_was_made_from_says_no_more() {
        let more = |title: &str, id: &str| says_more(title, &TaskId::new(id).unwrap());
        assert!(!more("Feature: Feature 7", "feature-7") && !more("Cart", "cart"));
        assert!(more("Cart that adds up", "feature"));
    }

    #[test]
    fn a_cancelled_run_has_one_cause() {
        insta::assert_debug_snapshot!(told(&fixture::cancelled()), @r#"
        [
            "cancelled -> [cli, tests, review, validation, deployment] gates [tests, review, validation]",
        ]
        "#);
    }

    #[test]
    fn who_was_blocked_when_the_run_was_cancelled_is_told_once() {
        let mut handoff = fixture::cancelled();
        handoff.tasks[4].outcome = Outcome::Blocked;
        let message = "it needs `feature`";
        handoff.findings.push(Finding::about(
            &handoff.tasks[3].id,
            FindingCode::SubagentBlocked,
            Weight::Blocking,
            message,
        ));
        assert_eq!(told(&handoff), told(&fixture::cancelled()));
    }
}
