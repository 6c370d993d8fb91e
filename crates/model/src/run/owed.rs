//! Who can be retried for what is open at the end of a run.

use std::collections::BTreeSet;

use crate::{
    findings::{Finding, FindingCode, Weight},
    gate::GateState,
    handoff::Handoff,
    ids::TaskId,
    record::{IntegratedCommit, Outcome, TaskRecord},
};

/// Names the tasks that passed and are to blame for what is open: those that a blocking finding is about, those that own the
/// path to which a quality subagent objects, and where no finding names anybody those that a red gate called last. In the
/// order of the schedule.
#[must_use]
pub fn to_blame(handoff: &Handoff) -> Vec<&TaskId> {
    let blocking = handoff.findings.iter().filter(|finding| finding.weight == Weight::Blocking);
    let mut blamed: BTreeSet<&TaskId> = blocking.filter_map(|finding| blamed_by(handoff, finding)).collect();
    if blamed.is_empty() && handoff.gates.iter().any(|receipt| receipt.state == GateState::Failed) {
        blamed.extend(handoff.rework.last().iter().flat_map(|round| &round.called).map(|call| &call.task));
    }
    let passed = |task: &&TaskId| handoff.task(task).is_some_and(|record| record.outcome == Outcome::Passed);
    let tasks = handoff.schedule.tasks.iter().map(|task| &task.id);
    tasks.filter(|task| blamed.contains(task)).filter(passed).collect()
}

fn blamed_by<'a>(handoff: &'a Handoff, finding: &'a Finding) -> Option<&'a TaskId> {
    match finding.code {
        // That no test notices some work is not the fault of whoever did it.
        FindingCode::NothingProvesIt | FindingCode::ProofUnknown | FindingCode::MutantSurvived => None,
        FindingCode::Reported => {
            let reporter = finding.task.as_ref()?;
            let is_quality = handoff.schedule.task(reporter)?.role.gate().is_some();
            owner(handoff, finding.path.as_deref()?).filter(|owner| is_quality && *owner != reporter)
        }
        _ => finding.task.as_ref(),
    }
}

/// Finds the task whose patch was the last to change a path.
fn owner<'a>(handoff: &'a Handoff, path: &str) -> Option<&'a TaskId> {
    let changes = |commit: &&IntegratedCommit| {
        let attempts =
            handoff.task(&commit.task).map(|record: &TaskRecord| record.attempts.as_slice()).unwrap_or_default();
        let made = attempts.iter().find(|attempt| attempt.attempt == commit.attempt);
        let patch = made.and_then(|attempt| attempt.patch.as_ref());
        patch.is_some_and(|patch| patch.changes.iter().any(|change| change.path == path))
    };
    handoff.result.commits.iter().rev().find(changes).map(|commit| &commit.task)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        gate::GateKind,
        record::{Call, ReworkRound},
        summary::fixture,
    };

    fn blamed(handoff: &Handoff) -> Vec<&str> {
        to_blame(handoff).into_iter().map(TaskId::as_str).collect()
    }

    #[test]
    fn findings_name_whom_they_are_about_and_objections_the_owner_of_their_path() {
        let mut handoff = fixture::complete();
        handoff.findings.clear();
        assert_eq!(blamed(&handoff), [""; 0]);
        let about = |task: &str, code| Finding::about(&fixture::id(task), code, Weight::Blocking, "x");
        let owned = handoff.task(&fixture::id("feature")).unwrap().last().unwrap().patch.as_ref().unwrap();
        let path = owned.changes[0].path.clone();
        handoff.findings.push(about("review", FindingCode::Reported).in_path(path.clone()));
        assert_eq!(blamed(&handoff), ["feature"]);
        handoff.findings.push(about("cli", FindingCode::Reported).in_path(path));
        handoff.findings.push(about("review", FindingCode::Reported).in_path("of/nobody"));
        handoff.findings.push(about("cli", FindingCode::NothingProvesIt));
        assert_eq!(blamed(&handoff), ["feature"]);
        handoff.findings.push(about("cli", FindingCode::UncoveredRequirement));
        assert_eq!(blamed(&handoff), ["feature", "cli"]);
        handoff.tasks.iter_mut().find(|record| record.id.as_str() == "cli").unwrap().outcome = Outcome::Failed;
        assert_eq!(blamed(&handoff), ["feature"], "who did not pass is repeated without being named");
    }

    #[test]
    fn a_red_gate_that_no_finding_explains_names_whom_it_called_last() {
        let mut handoff = fixture::complete();
        handoff.findings.clear();
        let call = Call { task: fixture::id("cli"), because: "the tests gate failed".to_owned() };
        let tree = handoff.result.tree.clone();
        handoff.rework.push(ReworkRound { number: 1, tree, because: Vec::new(), called: vec![call] });
        assert_eq!(blamed(&handoff), [""; 0], "every gate passed");
        let tests = handoff.gates.iter_mut().find(|receipt| receipt.gate == GateKind::Tests).unwrap();
        tests.state = GateState::Failed;
        assert_eq!(blamed(&handoff), ["cli"]);
    }
}
