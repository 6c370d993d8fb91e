//! The verdict of a gate in words and looks, the same on every page.

use std::collections::BTreeSet;

use super::wording::Look;
use crate::{
    gate::{GateState, Receipt, SubagentVerdict},
    handoff::Handoff,
    run::{Facts, GateStanding},
    text,
};

/// The most tasks that are named as those who changed a tree.
const TASKS_SHOWN: usize = 3;

/// Judges the three gates of a run, in order.
pub(super) fn standings(handoff: &Handoff) -> [GateStanding<'_>; 3] {
    crate::run::standings(&Facts::from_handoff(handoff))
}

/// Says why an approval of an earlier tree counts, and what was integrated since; `None` where it is of the final tree. Gates
/// with commands alone have one: a review has to be of the final tree.
pub(super) fn why_earlier_counts(handoff: &Handoff, receipt: &Receipt, verdict: &SubagentVerdict) -> Option<String> {
    if !verdict.passed || verdict.tree == receipt.tree || receipt.commands.is_empty() {
        return None;
    }
    let commits = &handoff.result.commits;
    let since = commits.iter().rposition(|commit| commit.tree == verdict.tree).map_or(0, |at| at + 1);
    let others: BTreeSet<_> =
        commits[since..].iter().map(|commit| &commit.task).filter(|task| **task != verdict.task).collect();
    let ran = "the commands of the gate ran on the final tree";
    Some(if others.is_empty() {
        format!("It counts, because only its own patch came later and {ran}")
    } else {
        let named = text::listed(others.into_iter().map(ToString::to_string), TASKS_SHOWN);
        format!("It counts although work of {named} came later, because {ran}")
    })
}

impl GateStanding<'_> {
    /// Returns the verdict in words. A receipt that says "passed" for another run or tree must not read as a pass.
    pub(super) fn said(&self) -> &'static str {
        match (self.open(), self.state()) {
            (false, GateState::Passed) => "not accepted",
            (_, state) => state.name(),
        }
    }

    /// Returns the look of the verdict in pictures and pages.
    pub(super) fn look(&self) -> Look {
        match (self.open(), self.state()) {
            (false, GateState::Passed) => Look::Failed,
            (_, state) => Look::of_gate(state),
        }
    }

    /// Returns the mark of the verdict.
    pub(super) fn mark(&self) -> &'static str {
        self.look().mark()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{gate::GateKind, summary::fixture};

    #[test]
    fn an_approval_of_an_earlier_tree_says_what_came_later_and_why_it_counts() {
        let handoff = fixture::complete();
        let commits = &handoff.result.commits;
        let why = |task: &str, tree: &crate::ids::ObjectId| {
            let receipt = handoff.gates.iter().find(|receipt| receipt.gate == GateKind::Tests).unwrap();
            let verdict = handoff.gates.iter().find_map(|receipt| receipt.verdict.clone()).unwrap();
            let verdict = SubagentVerdict { task: fixture::id(task), tree: tree.clone(), passed: true, ..verdict };
            why_earlier_counts(&handoff, receipt, &verdict)
        };
        let last = commits.last().unwrap();
        let before = &commits[commits.len() - 2];
        assert_eq!(
            why(last.task.as_str(), &before.tree).unwrap(),
            "It counts, because only its own patch came later and the commands of the gate ran on the final tree"
        );
        assert_eq!(
            why("validation", &before.tree).unwrap(),
            format!(
                "It counts although work of {} came later, because the commands of the gate ran on the final tree",
                last.task
            )
        );
        assert_eq!(why("validation", &handoff.result.tree), None);
    }
}
