use super::*;
use crate::{
    record::{AttemptRecord, Status},
    run::test_support::{self, basis},
    summary::fixture,
};

fn ending(handoff: &Handoff) -> Ending {
    Ending {
        generator: handoff.generator.clone(),
        started: handoff.started.clone(),
        duration_ms: handoff.duration_ms,
        isolation: handoff.isolation.clone(),
        head: Head { commit: handoff.result.commit.clone(), tree: handoff.result.tree.clone() },
        reference: handoff.result.reference.clone(),
        bundle: handoff
            .result
            .bundle
            .clone()
            .zip(handoff.result.bundle_digest.clone())
            .map(|(file, digest)| Bundle { file, digest }),
        cancelled: false,
        not_begun: BTreeMap::new(),
        noticed: Vec::new(),
        taken_over: TakenOver::default(),
    }
}

#[test]
fn a_run_in_which_all_went_well_is_concluded_as_complete() {
    let wanted = fixture::complete();
    let handoff = test_support::ledger(&wanted).conclude(&basis(&wanted), ending(&wanted));
    assert_eq!((handoff.status, handoff.missing.as_slice()), (Status::Complete, &[][..]));
    assert_eq!(handoff.tasks, wanted.tasks);
    assert_eq!(handoff.gates, wanted.gates);
    assert_eq!(handoff.result, wanted.result);
    assert_eq!(handoff.lock, wanted.lock);
    assert_eq!(handoff.criteria.len(), 7);
}

#[test]
fn gates_that_were_never_judged_were_not_run_and_say_why() {
    let wanted = fixture::complete();
    for (cancelled, reason, status) in [
        (false, "the run ended before this gate could be judged", Status::Incomplete),
        (true, "the run was cancelled before this gate could be judged", Status::Cancelled),
    ] {
        let mut ledger = test_support::ledger(&wanted);
        ledger.gates_judged(Vec::new());
        let handoff = ledger.conclude(&basis(&wanted), Ending { cancelled, ..ending(&wanted) });
        assert_eq!(handoff.gates.len(), 3);
        assert!(handoff.gates.iter().all(|gate| gate.state == GateState::NotRun && gate.reason == reason));
        assert_eq!(handoff.status, status);
    }
}

#[test]
fn a_task_without_a_record_is_there_with_why_it_never_began() {
    let mut wanted = fixture::complete();
    let gone = wanted.tasks.remove(0).id;
    let why = (Outcome::Blocked, "it needs `types`, which is failed".to_owned());
    let not_begun = BTreeMap::from([(gone.clone(), why)]);
    let handoff = test_support::ledger(&wanted).conclude(&basis(&wanted), Ending { not_begun, ..ending(&wanted) });
    let record = handoff.task(&gone).unwrap();
    assert_eq!((record.outcome, record.attempts.len()), (Outcome::Blocked, 0));
    assert!(handoff.missing[0].contains("it needs `types`, which is failed"), "{:?}", handoff.missing);
    assert_eq!(handoff.tasks.len(), handoff.schedule.tasks.len());
}

#[test]
fn findings_come_in_the_order_tasks_gates_end_run_and_a_blocking_one_keeps_the_run_incomplete() {
    let wanted = fixture::complete();
    let mut ledger = test_support::ledger(&wanted);
    let finding = |message: &str| Finding {
        code: FindingCode::RunTimedOut,
        weight: Weight::Blocking,
        task: None,
        path: None,
        line: None,
        message: message.to_owned(),
    };
    ledger.noticed_of_run(finding("of the run"));
    let mut receipt = wanted.gates[0].clone();
    receipt.state = GateState::Failed;
    ledger.gates_judged(vec![JudgedGate { receipt, began_ms: 0 }]);
    let noticed = vec![finding("at the end")];
    let handoff = ledger.conclude(&basis(&wanted), Ending { noticed, ..ending(&wanted) });
    let codes: Vec<_> = handoff.findings.iter().rev().take(3).map(|finding| finding.message.as_str()).collect();
    assert_eq!(codes[0], "of the run");
    assert_eq!(codes[1], "at the end");
    assert!(codes[2].contains("gate is"), "{codes:?}");
    assert_eq!(handoff.status, Status::Incomplete);
}

#[test]
fn the_last_attempt_speaks_for_its_task_and_a_conflict_speaks_against_it() {
    let wanted = fixture::complete();
    let mut ledger = test_support::ledger(&wanted);
    let feature = fixture::id("feature");
    let before = ledger.record(&feature).unwrap().attempts.len();
    let last = ledger.record(&feature).unwrap().last().unwrap().clone();
    ledger.attempt_ended(AttemptEnded {
        task: feature.clone(),
        attempt: AttemptRecord { attempt: last.attempt + 1, ..last },
        reason: "again".to_owned(),
        findings: Vec::new(),
        failure: crate::record::FailureKind::default(),
    });
    assert_eq!(ledger.record(&feature).unwrap().attempts.len(), before + 1);
    assert!(ledger.findings_about(&feature).is_empty(), "what was said of an earlier attempt is gone");
    // A patch that was never integrated is no work of the task.
    let integrated = wanted.result.commits.iter().filter(|commit| commit.task == feature).count();
    assert_eq!(ledger.integrated_patches_of(&feature).count(), integrated);
    let conflicts = fixture::incomplete().tasks.into_iter().flat_map(|task| task.attempts);
    let conflicts = conflicts.map(|attempt| attempt.conflicts).find(|found| !found.is_empty()).unwrap();
    ledger.conflicted(&feature, conflicts.clone());
    let record = ledger.record(&feature).unwrap();
    assert_eq!((record.outcome, record.last().unwrap().outcome), (Outcome::Conflicted, Outcome::Conflicted));
    assert_eq!(record.last().unwrap().conflicts, conflicts);
    assert_eq!(ledger.findings_about(&feature)[0].code, FindingCode::Conflict);
}

#[test]
fn a_phase_that_ran_again_is_summed_up_once() {
    let wanted = fixture::complete();
    let mut ledger = test_support::ledger(&wanted);
    for synthesis in wanted.synthesis.iter().rev().chain(&wanted.synthesis) {
        ledger.phase_ended(synthesis.clone());
    }
    let handoff = ledger.conclude(&basis(&wanted), ending(&wanted));
    assert_eq!(handoff.synthesis, wanted.synthesis);
}

#[test]
fn an_added_task_gets_a_wave_of_its_own_and_its_role_is_needed() {
    let minimal = fixture::minimal();
    let mut ledger = test_support::ledger(&minimal);
    let waves = minimal.schedule.waves.len();
    let role = minimal.schedule.not_needed[0];
    let number = ledger.task_added(fixture::task("more", role, &["x"]));
    assert_eq!(number, minimal.schedule.waves.iter().map(|wave| wave.number).max().unwrap() + 1);
    assert_eq!(ledger.schedule().waves.len(), waves + 1);
    assert!(!ledger.schedule().not_needed.contains(&role));
}
