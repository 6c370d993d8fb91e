use super::*;
use crate::{
    gate::GateState,
    handoff::{Criterion::*, Handoff},
    run::test_support::conclude,
    summary::fixture,
};

fn status(handoff: &Handoff) -> Status {
    super::status(&Facts::from_handoff(handoff))
}

fn missing(handoff: &Handoff) -> Vec<String> {
    super::missing(&Facts::from_handoff(handoff))
}

fn criteria(handoff: &Handoff) -> Vec<CriterionVerdict> {
    super::criteria(&Facts::from_handoff(handoff))
}

fn met(handoff: &Handoff) -> Vec<Criterion> {
    criteria(handoff).into_iter().filter(|verdict| verdict.met).map(|verdict| verdict.criterion).collect()
}

#[test]
fn a_complete_run_meets_all_seven() {
    let handoff = fixture::complete();
    assert_eq!(status(&handoff), Status::Complete);
    assert_eq!(missing(&handoff), Vec::<String>::new());
    assert_eq!(met(&handoff), Criterion::ALL);
}

#[test]
fn concluding_twice_changes_nothing() {
    for mut handoff in [fixture::complete(), fixture::incomplete(), fixture::minimal(), fixture::cancelled()] {
        conclude(&mut handoff);
        let once = handoff.clone();
        conclude(&mut handoff);
        assert_eq!(handoff, once);
    }
}

#[test]
fn no_gate_state_but_passed_is_complete() {
    for gate in 0..3 {
        for state in [GateState::Failed, GateState::Skipped, GateState::NotRun] {
            let mut handoff = fixture::complete();
            handoff.gates[gate].state = state;
            assert_eq!(status(&handoff), Status::Incomplete, "{gate} {state:?}");
            assert_eq!(missing(&handoff).len(), 1);
            assert!(!met(&handoff).contains(&SubmissionInput));
        }
    }
}

#[test]
fn a_missing_receipt_keeps_its_gate_shut() {
    let mut handoff = fixture::complete();
    handoff.gates.remove(1);
    assert_eq!(missing(&handoff), ["The review gate was not run: there is no receipt for it."]);
    assert_eq!(met(&handoff), [Coordinated, Implemented, Tested, Documented]);
}

#[test]
fn a_receipt_of_another_tree_or_run_or_attempt_is_no_evidence() {
    let mut other_tree = fixture::complete();
    other_tree.gates[0].tree = other_tree.result.base_tree.clone();
    let mut other_run = fixture::complete();
    other_run.gates[0].place.run = "yesterday".to_owned();
    let mut other_attempt = fixture::complete();
    other_attempt.gates[0].place.workflow = Some("77/1".to_owned());
    for handoff in [other_tree, other_run, other_attempt] {
        assert_eq!(status(&handoff), Status::Incomplete);
        assert!(!met(&handoff).contains(&Tested));
    }
}

#[test]
fn of_two_receipts_that_disagree_the_bad_one_counts() {
    for bad_first in [true, false] {
        let mut handoff = fixture::complete();
        let mut bad = handoff.gates[0].clone();
        bad.state = GateState::Failed;
        handoff.gates.insert(usize::from(!bad_first), bad);
        assert_eq!(status(&handoff), Status::Incomplete);
    }
}

#[test]
fn every_outcome_but_passed_is_incomplete() {
    use Outcome::*;
    for outcome in [
        Failed,
        OutOfScope,
        Unproven,
        Unreported,
        Conflicted,
        Blocked,
        TimedOut,
        BudgetExhausted,
        TurnsExhausted,
        NotRun,
    ] {
        let mut handoff = fixture::complete();
        handoff.tasks[0].outcome = outcome;
        assert_eq!(status(&handoff), Status::Incomplete, "{outcome:?}");
        assert!(missing(&handoff)[0].contains(outcome.name()));
    }
}

#[test]
fn a_scheduled_task_without_a_record_is_not_run() {
    let mut handoff = fixture::complete();
    handoff.tasks.remove(0);
    assert!(missing(&handoff)[0].contains("not run"), "{:?}", missing(&handoff));
}

#[test]
fn a_run_that_was_cancelled_stays_cancelled() {
    let mut handoff = fixture::complete();
    handoff.status = Status::Cancelled;
    conclude(&mut handoff);
    assert_eq!(handoff.status, Status::Cancelled);
    assert_eq!(handoff.missing, ["The run was cancelled before it had ended."]);
    assert_eq!(status(&fixture::cancelled()), Status::Cancelled);
}

#[test]
fn a_blocking_finding_alone_makes_a_run_incomplete() {
    for code in [FindingCode::Reported, FindingCode::GateNotPassed, FindingCode::SubagentFailed] {
        let mut handoff = fixture::complete();
        let task = handoff.tasks[2].id.clone();
        handoff.findings.push(Finding::about(&task, code, Weight::Blocking, "SQL is put together from input"));
        assert_eq!(status(&handoff), Status::Incomplete, "{code:?}");
        assert!(!met(&handoff).contains(&ProductionReady));
    }
}

#[test]
fn a_claim_without_a_change_covers_no_requirement() {
    let mut handoff = fixture::complete();
    let feature = handoff.tasks.iter_mut().find(|task| task.id.as_str() == "feature").unwrap();
    feature.attempts.last_mut().unwrap().patch.as_mut().unwrap().changes.clear();
    let verdicts = criteria(&handoff);
    let verdict = verdicts.iter().find(|verdict| verdict.criterion == Implemented).unwrap();
    assert!(!verdict.met);
    assert!(verdict.evidence.contains("feature-1"), "{}", verdict.evidence);
}

#[test]
fn documentation_is_met_by_a_changed_file_or_a_backed_claim_only() {
    let verdict = |handoff: &Handoff| criteria(handoff).into_iter().find(|v| v.criterion == Documented).unwrap();
    let mut handoff = fixture::complete();
    let rename = |handoff: &mut Handoff, to: &str| {
        for change in handoff
            .tasks
            .iter_mut()
            .flat_map(|t| &mut t.attempts)
            .flat_map(|a| &mut a.patch)
            .flat_map(|p| &mut p.changes)
        {
            if change.path == "README.md" || change.path.starts_with("renamed") {
                to.clone_into(&mut change.path);
            }
        }
    };
    assert!(verdict(&handoff).met);
    rename(&mut handoff, "renamed.py");
    assert!(!verdict(&handoff).met, "the claim names README.md, which no patch has any more");
    assert_eq!(status(&handoff), Status::Complete, "the criterion informs, it does not decide");
    let reports = handoff.tasks.iter_mut().flat_map(|task| &mut task.attempts).filter_map(|a| a.report.as_mut());
    for item in reports.flat_map(|report| &mut report.items).filter(|item| item.label == Label::Documentation) {
        "The module text of renamed.py says how it is used".clone_into(&mut item.text);
    }
    assert!(verdict(&handoff).met);
}

#[test]
fn prose_for_people_is_documentation_and_tool_settings_are_not() {
    for path in ["README.md", "readme", "docs/openapi.json", "api/doc/x.txt", "CHANGELOG.rst", "a/b.adoc"] {
        assert!(is_documentation(path), "{path}");
    }
    for path in ["src/readme_parser.py", ".claude/agents/a.md", "src/docs.rs", "LICENSE", ".github/x/README.md"] {
        assert!(!is_documentation(path), "{path}");
    }
}

#[test]
fn nothing_integrated_is_no_input_for_submission() {
    let mut handoff = fixture::complete();
    handoff.result.commit = handoff.result.base.clone();
    assert!(!met(&handoff).contains(&SubmissionInput));
    let mut handoff = fixture::complete();
    handoff.result.bundle_digest = None;
    assert!(!met(&handoff).contains(&SubmissionInput));
}

#[test]
fn a_plan_without_infrastructure_and_deployment_can_meet_every_criterion_that_concerns_it() {
    let mut handoff = fixture::minimal();
    conclude(&mut handoff);
    assert_eq!(handoff.status, Status::Complete, "{:?}", handoff.missing);
    assert_eq!(
        met(&handoff),
        [Coordinated, Implemented, Tested, Validated, ProductionReady, SubmissionInput],
        "{:#?}",
        handoff.criteria
    );
}
