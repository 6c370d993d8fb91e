//! What a phase came to.

use std::collections::BTreeSet;

use super::ledger::Ledger;
use crate::{
    ids::ObjectId,
    record::{Outcome, Synthesis},
    roster::Phase,
};

/// Sums up what a phase came to, on the tree that its end left.
#[must_use]
pub(super) fn synthesis(ledger: &Ledger, phase: Phase, tree: &ObjectId) -> Synthesis {
    let tasks: Vec<_> = ledger.schedule().tasks.iter().filter(|task| task.phase() == phase).collect();
    let outcome = |id| ledger.record(id).map_or(Outcome::NotRun, |record| record.outcome);
    let mut synthesis = Synthesis {
        phase,
        tree: tree.clone(),
        tasks: tasks.iter().map(|task| (task.id.clone(), outcome(&task.id))).collect(),
        files_changed: 0,
        lines_added: 0,
        lines_removed: 0,
    };
    let mut paths = BTreeSet::new();
    for commit in ledger.commits().iter().filter(|commit| synthesis.tasks.contains_key(&commit.task)) {
        let Some(patch) = ledger.integrated_patch(commit) else { continue };
        let (added, removed) = patch.line_counts();
        synthesis.lines_added += added;
        synthesis.lines_removed += removed;
        paths.extend(patch.changes.iter().map(|change| change.path.as_str()));
    }
    synthesis.files_changed = paths.len();
    synthesis
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{run::test_support, summary::fixture};

    #[test]
    fn a_phase_counts_its_own_integrated_patches_and_each_path_once() {
        let ledger = test_support::ledger(&fixture::complete());
        let tree = fixture::oid("tree");
        let core = synthesis(&ledger, Phase::Core, &tree);
        let names: Vec<_> = core.tasks.keys().map(crate::ids::TaskId::as_str).collect();
        assert_eq!(names, ["cli", "feature"]);
        let patches: Vec<_> = ["cli", "feature"]
            .map(|id| ledger.record(&fixture::id(id)).unwrap().last().unwrap().patch.clone().unwrap())
            .into();
        let paths: BTreeSet<_> = patches.iter().flat_map(|p| &p.changes).map(|change| &change.path).collect();
        assert_eq!(core.files_changed, paths.len());
        assert_eq!(core.lines_added, patches.iter().map(|patch| patch.line_counts().0).sum::<u64>());
        assert_eq!(core.tree, tree);
    }

    #[test]
    fn what_never_began_is_not_run_and_what_was_not_integrated_is_not_counted() {
        let mut handoff = fixture::complete();
        handoff.tasks.retain(|task| task.id.as_str() != "cli");
        handoff.result.commits.clear();
        let core = synthesis(&test_support::ledger(&handoff), Phase::Core, &fixture::oid("tree"));
        assert_eq!(core.tasks[&fixture::id("cli")], Outcome::NotRun);
        assert_eq!((core.files_changed, core.lines_added, core.lines_removed), (0, 0, 0));
    }
}
