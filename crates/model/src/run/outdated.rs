//! Whose verdict is about another tree than the one that the gates are judged on.

use std::collections::BTreeSet;

use super::{judgement::verdict_from_record, ledger::Ledger};
use crate::{
    findings::{Finding, FindingCode, Weight},
    ids::{ObjectId, TaskId},
    patch::changes_of,
    record::{IntegratedCommit, Outcome, Request},
    roster::Role,
    schedule::Again,
    text,
};

/// Finds the quality tasks that have to run again on `tree`: the reviewer, because a review counts for the tree that it
/// read, and whoever objected to what was changed since. `asked` are those that were called for this very tree before.
#[must_use]
pub(super) fn outdated_verdicts(ledger: &Ledger, tree: &ObjectId, asked: &BTreeSet<(TaskId, ObjectId)>) -> Vec<Again> {
    let reason_for = |role: Role, id: &TaskId| {
        let record = ledger.record(id).filter(|record| record.outcome == Outcome::Passed)?;
        let patch = record.last()?.patch.as_ref()?;
        let read = &patch.base_tree;
        if read == tree || asked.contains(&(id.clone(), tree.clone())) {
            return None;
        }
        let objected = verdict_from_record(record).is_some_and(|verdict| !verdict.passed);
        match (role, objected) {
            (Role::Review, _) => {
                Some("the tree changed after its review, and a review counts for the tree that it read")
            }
            (_, true) if changed_by_others(ledger, id, &patch.base) => {
                Some("others changed the tree after it had objected")
            }
            (_, true) => None,
            (_, false) => None,
        }
    };
    let quality = ledger.schedule().tasks.iter().filter(|task| task.role.gate().is_some());
    quality
        .filter_map(|task| Some(Again { task: task.id.clone(), because: reason_for(task.role, &task.id)?.to_owned() }))
        .collect()
}

/// The most paths that are named to whoever looks again.
const PATHS_NAMED: usize = 20;

/// Says what is asked of a quality task whose verdict is about another tree: what changed since, and which of its findings it
/// looks at again.
#[must_use]
pub(super) fn look_again(ledger: &Ledger, task: &TaskId) -> Request {
    let read = ledger.record(task).and_then(|record| record.last()?.patch.as_ref());
    let commits = read.map_or(&[][..], |patch| commits_after(ledger, &patch.base));
    let changes = changes_of(commits.iter().filter_map(|commit| ledger.integrated_patch(commit)));
    let mut words = "Look at the tree again: your work tree has it as it is now.".to_owned();
    if !changes.is_empty() {
        let paths = text::listed(changes.into_iter().map(|change| change.path), PATHS_NAMED);
        words.push_str(&format!(" Since you looked, this changed: {paths}."));
    }
    let objected = |finding: &&Finding| finding.code == FindingCode::Reported && finding.weight == Weight::Blocking;
    let findings: Vec<_> = ledger.findings_about(task).iter().filter(objected).map(named).collect();
    if !findings.is_empty() {
        words.push_str(&format!("\nCheck first whether what you objected to still holds:\n{}", findings.join("\n")));
    }
    words.push_str(
        "\nReport under `findings` what is wrong with the tree as it is now. What you leave out counts as solved, and a \
         blocking finding keeps the gate shut.",
    );
    Request { from: "the coordinator".to_owned(), text: words }
}

fn named(finding: &Finding) -> String {
    let place = match (&finding.path, finding.line) {
        (Some(path), Some(line)) => format!("{path}:{line}: "),
        (Some(path), None) => format!("{path}: "),
        (None, _) => String::new(),
    };
    format!("- {place}{}", text::truncate(&finding.message, 500))
}

/// Returns what was integrated after the commit that a task had read.
fn commits_after<'a>(ledger: &'a Ledger, read: &ObjectId) -> &'a [IntegratedCommit] {
    let commits = ledger.commits();
    let since = commits.iter().position(|commit| commit.commit == *read).map_or(0, |at| at + 1);
    &commits[since..]
}

/// Tells whether anybody else's patch was integrated after the commit that a task had read.
fn changed_by_others(ledger: &Ledger, task: &TaskId, read: &ObjectId) -> bool {
    commits_after(ledger, read).iter().any(|commit| commit.task != *task)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{handoff::Handoff, report::ReportedFinding, run::test_support, summary::fixture};

    fn outdated(handoff: &Handoff, asked: &[(&str, &ObjectId)]) -> Vec<String> {
        let asked = asked.iter().map(|(task, tree)| (fixture::id(task), (*tree).clone())).collect();
        let found = outdated_verdicts(&test_support::ledger(handoff), &handoff.result.tree, &asked);
        found.into_iter().map(|again| again.task.to_string()).collect()
    }

    fn read(handoff: &mut Handoff, task: &str, tree: &ObjectId) {
        let record = handoff.tasks.iter_mut().find(|record| record.id.as_str() == task).unwrap();
        record.attempts.last_mut().unwrap().patch.as_mut().unwrap().base_tree = tree.clone();
    }

    #[test]
    fn a_review_of_another_tree_is_outdated_and_called_for_each_tree_once() {
        let mut handoff = fixture::complete();
        let tree = handoff.result.tree.clone();
        for task in ["tests", "review", "validation"] {
            read(&mut handoff, task, &tree);
        }
        assert_eq!(outdated(&handoff, &[]), [""; 0]);
        let old = fixture::oid("another tree");
        for task in ["tests", "review", "validation"] {
            read(&mut handoff, task, &old);
        }
        assert_eq!(outdated(&handoff, &[]), ["review"], "the gates run the commands of the others again");
        assert_eq!(outdated(&handoff, &[("review", &tree)]), [""; 0]);
        assert_eq!(outdated(&handoff, &[("review", &old)]), ["review"], "that was for another tree");
    }

    #[test]
    fn whoever_objected_is_outdated_too_unless_it_failed_itself() {
        let mut handoff = fixture::complete();
        let tree = handoff.result.tree.clone();
        for task in ["tests", "review"] {
            read(&mut handoff, task, &tree);
        }
        read(&mut handoff, "validation", &fixture::oid("another tree"));
        let record = handoff.tasks.iter_mut().find(|record| record.id.as_str() == "validation").unwrap();
        let report = record.attempts.last_mut().unwrap().report.as_mut().unwrap();
        report.findings.push(ReportedFinding {
            severity: Weight::Blocking,
            message: "no".to_owned(),
            path: None,
            line: None,
        });
        assert_eq!(outdated(&handoff, &[]), ["validation"]);
        // What changed since is its own patch alone.
        let last = handoff.result.commits.last_mut().unwrap();
        last.task = fixture::id("validation");
        let before = handoff.result.commits.iter().rev().nth(1).unwrap().commit.clone();
        let record = handoff.tasks.iter_mut().find(|record| record.id.as_str() == "validation").unwrap();
        record.attempts.last_mut().unwrap().patch.as_mut().unwrap().base = before;
        assert_eq!(outdated(&handoff, &[]), [""; 0], "nobody else changed anything");
        handoff.result.commits.last_mut().unwrap().task = fixture::id("feature");
        assert_eq!(outdated(&handoff, &[]), ["validation"]);
        handoff.tasks.iter_mut().find(|record| record.id.as_str() == "validation").unwrap().outcome = Outcome::Failed;
        assert_eq!(outdated(&handoff, &[]), [""; 0]);
    }

    #[test]
    fn whoever_looks_again_is_told_what_changed_and_at_which_of_its_findings() {
        let mut handoff = fixture::complete();
        handoff.findings.clear();
        let changed = handoff.result.commits.last().unwrap().task.clone();
        let before = handoff.result.commits.iter().rev().nth(1).unwrap().commit.clone();
        let record = handoff.tasks.iter_mut().find(|record| record.id.as_str() == "review").unwrap();
        record.attempts.last_mut().unwrap().patch.as_mut().unwrap().base = before;
        let asked = look_again(&test_support::ledger(&handoff), &fixture::id("review"));
        let last = handoff.task(&changed).unwrap().last().unwrap().patch.as_ref().unwrap().changes[0].path.clone();
        assert!(asked.text.contains("Look at the tree again") && asked.text.contains(&last), "{}", asked.text);
        assert!(!asked.text.contains("what you objected to"), "{}", asked.text);

        let objection =
            Finding::about(&fixture::id("review"), FindingCode::Reported, Weight::Blocking, "no upper limit");
        handoff.findings.push(Finding { line: Some(53), ..objection.clone().in_path("api.go") });
        handoff.findings.push(Finding { weight: Weight::Note, ..objection });
        let asked = look_again(&test_support::ledger(&handoff), &fixture::id("review")).text;
        assert!(asked.contains("still holds:\n- api.go:53: no upper limit\nReport"), "{asked}");
    }
}
