//! From what ran and what the quality subagents said to the receipts of the gates.

use std::collections::BTreeSet;

use super::{
    answers,
    gate_job::GateRun,
    ledger::{JudgedGate, Ledger},
};
use crate::{
    findings::Weight,
    gate::{self, Case, Place, SubagentVerdict},
    ids::{Digest, ObjectId},
    plan::Plan,
    record::{Outcome, TaskRecord},
    report::ReportedFinding,
    roster::Role,
    text,
};

/// The longest path and the longest message of a finding in the reason of a gate, in characters.
const PATH_SHOWN: usize = 160;
const PROBLEM_SHOWN: usize = 300;

/// Says what the last attempt of a quality task contributes to its gate: it agrees when it passed and none of the
/// findings that it reports blocks. `None` when it left no tree to speak of.
#[must_use]
pub(super) fn verdict_from_record(record: &TaskRecord) -> Option<SubagentVerdict> {
    let attempt = record.last()?;
    let tree = attempt.patch.as_ref()?.base_tree.clone();
    let findings = attempt.report.iter().flat_map(|report| &report.findings);
    let blocking: Vec<_> = findings.filter(|finding| finding.severity == Weight::Blocking).collect();
    let blocking_findings = blocking.len();
    let digest = |report| Digest::from_content(serde_json::to_vec(report).expect("invariant: a report is plain data"));
    Some(SubagentVerdict {
        task: record.id.clone(),
        tree,
        passed: record.outcome == Outcome::Passed && blocking_findings == 0,
        // What it found is the reason, and not that it completed its work.
        reason: blocking.first().map_or_else(|| record.reason.clone(), |finding| problem(finding)),
        report_digest: attempt.report.as_ref().map(digest),
        blocking_findings,
    })
}

/// Names a finding in one line: where, and what. It is untrusted text.
fn problem(finding: &ReportedFinding) -> String {
    let path = finding.path.as_deref().map(|path| text::truncate(&text::line(path), PATH_SHOWN));
    let place = match (path, finding.line) {
        (Some(path), Some(line)) => format!("{path}:{line}: "),
        (Some(path), None) => format!("{path}: "),
        (None, _) => String::new(),
    };
    format!("{place}{}", text::truncate(&text::line(&finding.message), PROBLEM_SHOWN))
}

/// Sums up what the subagents of a quality role had to say: all of them have to agree, so the first that does not
/// speaks for all.
#[must_use]
pub(super) fn verdict_of_role(plan: &Plan, ledger: &Ledger, role: Role) -> Option<SubagentVerdict> {
    let tasks = ledger.schedule().tasks.iter().filter(|task| task.role == role);
    let mut verdicts: Vec<_> =
        tasks.filter_map(|task| ledger.record(&task.id)).filter_map(verdict_from_record).collect();
    let refused = verdicts.iter().position(|verdict| !verdict.passed);
    if let Some(at) = refused {
        return Some(verdicts.swap_remove(at));
    }
    let agreed = verdicts.pop()?;
    let missing = if role == Role::Review { answers::missing(plan, ledger) } else { None };
    Some(match missing {
        Some(reason) => SubagentVerdict { passed: false, reason, ..agreed },
        None => agreed,
    })
}

/// Returns the names of the files and folders that integrated patches changed, without what stands behind a dot.
fn names_of_product(ledger: &Ledger) -> BTreeSet<String> {
    let patches = ledger.commits().iter().filter_map(|commit| ledger.integrated_patch(commit));
    let paths = patches.flat_map(|patch| &patch.changes).map(|change| change.path.as_str());
    let names = paths.flat_map(|path| path.split('/')).filter_map(|part| part.split('.').find(|name| !name.is_empty()));
    names.map(str::to_owned).collect()
}

/// Judges the gates whose commands ran on `tree`.
#[must_use]
pub(super) fn judge_gates(
    plan: &Plan,
    ledger: &Ledger,
    runs: Vec<GateRun>,
    tree: &ObjectId,
    place: &Place,
) -> Vec<JudgedGate> {
    let judge = |GateRun { gate, began_ms, ended_ms, commands, evidence, isolation }| {
        let role = Role::ALL.into_iter().find(|role| role.gate() == Some(gate));
        let receipt = gate::judge(Case {
            gate,
            tree: tree.clone(),
            commands,
            verdict: role.and_then(|role| verdict_of_role(plan, ledger, role)),
            evidence,
            product: names_of_product(ledger),
            place: place.clone(),
            isolation,
            duration_ms: ended_ms.saturating_sub(began_ms),
        });
        JudgedGate { receipt, began_ms }
    };
    runs.into_iter().map(judge).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        gate::{GateKind, GateState},
        run::test_support,
        summary::fixture,
    };

    #[test]
    fn one_objection_speaks_for_all_subagents_of_a_role() {
        let mut handoff = fixture::complete();
        let review = handoff.schedule.tasks.iter().find(|task| task.role == Role::Review).unwrap().clone();
        let record = handoff.task(&review.id).unwrap().clone();
        let second = fixture::id("second-review");
        handoff.schedule.tasks.push(crate::schedule::Task { id: second.clone(), ..review.clone() });
        handoff.tasks.push(TaskRecord { id: second.clone(), outcome: Outcome::Failed, ..record });
        let verdict = verdict_of_role(&handoff.plan, &test_support::ledger(&handoff), Role::Review).unwrap();
        assert!(!verdict.passed && verdict.task == second);
        handoff.tasks.last_mut().unwrap().outcome = Outcome::Passed;
        assert!(verdict_of_role(&handoff.plan, &test_support::ledger(&handoff), Role::Review).unwrap().passed);
        handoff.tasks.clear();
        assert_eq!(verdict_of_role(&handoff.plan, &test_support::ledger(&handoff), Role::Review), None);
    }

    #[test]
    fn a_gate_is_judged_by_its_commands_and_its_subagent_on_the_tree_that_they_saw() {
        let handoff = fixture::complete();
        let ledger = test_support::ledger(&handoff);
        let run = |gate, commands| GateRun {
            gate,
            began_ms: 10,
            ended_ms: 35,
            commands,
            evidence: crate::evidence::gathered::GateEvidence::default(),
            isolation: None,
        };
        let tests = handoff.gates.iter().find(|receipt| receipt.gate == GateKind::Tests).unwrap();
        let runs = vec![run(GateKind::Tests, tests.commands.clone()), run(GateKind::Review, Vec::new())];
        let other = fixture::oid("another tree");
        let judged = judge_gates(&handoff.plan, &ledger, runs, &other, &handoff.place);
        let states: Vec<_> = judged.iter().map(|judged| judged.receipt.state).collect();
        assert_eq!(states, [GateState::Passed, GateState::NotRun], "the review read another tree");
        assert_eq!((judged[0].began_ms, judged[0].receipt.duration_ms), (10, 25));
        assert!(judged.iter().all(|judged| judged.receipt.tree == other));
    }

    #[test]
    fn a_quality_task_agrees_when_it_passed_and_none_of_its_findings_blocks() {
        let handoff = fixture::complete();
        let review = handoff.tasks.iter().find(|record| record.id.as_str() == "review").unwrap();
        let verdict = verdict_from_record(review).unwrap();
        assert!(verdict.passed && verdict.report_digest.is_some());
        let mut objecting = review.clone();
        let report = objecting.attempts.last_mut().unwrap().report.as_mut().unwrap();
        let finding = ReportedFinding {
            severity: Weight::Blocking,
            path: Some("internal/httpapi/api.go".to_owned()),
            line: Some(53),
            message: format!("no upper limit\n\u{1b}[31m{}", "x".repeat(1000)),
        };
        report.findings.push(finding);
        let verdict = verdict_from_record(&objecting).unwrap();
        assert_eq!((verdict.passed, verdict.blocking_findings), (false, 1));
        assert!(verdict.reason.starts_with("internal/httpapi/api.go:53: no upper limit "), "{}", verdict.reason);
        assert!(verdict.reason.len() < 500 && !verdict.reason.contains('\u{1b}'), "{}", verdict.reason);
        objecting.attempts.clear();
        assert_eq!(verdict_from_record(&objecting), None);
    }
}
