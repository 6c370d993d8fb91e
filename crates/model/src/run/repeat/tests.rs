use super::*;
use crate::{
    ids::Digest,
    record::{AttemptRecord, AttemptStarted, Culprits, FailureKind},
    summary::fixture,
};

/// Start and end of an attempt, such as `feature#1`.
fn attempt(name: &str, outcome: Outcome) -> Vec<Timed> {
    let id: AttemptId = name.parse().unwrap();
    let handoff = fixture::complete();
    let made = handoff.task(&fixture::id("feature")).unwrap().attempts[0].clone();
    let ended = AttemptEnded {
        task: id.task.clone(),
        attempt: AttemptRecord { attempt: id.attempt, outcome, ..made },
        reason: format!("why {name}"),
        findings: Vec::new(),
        failure: FailureKind::default(),
    };
    let started = AttemptStarted { id, base: fixture::oid("base"), brief: Digest::from_content("brief") };
    vec![(1, Record::Started(started)), (2, Record::Ended(Box::new(ended)))]
}

fn bisected() -> Vec<Timed> {
    vec![(3, Record::Bisected { head: fixture::oid("head"), found: Culprits::default() })]
}

fn kept(records: &[Vec<Timed>], repeat: Repeat<'_>) -> (Vec<String>, KeptRecords) {
    let kept = keep(records.concat(), repeat);
    let ids = kept.records.iter().filter_map(|(_, record)| match record {
        Record::Ended(ended) => Some(ended.id().to_string()),
        _ => None,
    });
    (ids.collect(), kept)
}

fn told(kept: &KeptRecords) -> Vec<String> {
    kept.retried.ended.iter().map(|ended| format!("{} {}", ended.id(), ended.reason)).collect()
}

#[test]
fn what_passed_in_the_end_stays_with_the_failures_before_it() {
    let records = [
        attempt("cli#1", Outcome::Blocked),
        attempt("feature#1", Outcome::Passed),
        attempt("cli#2", Outcome::Passed),
        attempt("types#1", Outcome::Failed),
        attempt("types#2", Outcome::Passed),
    ];
    let (ids, kept) = kept(&records, Repeat::Nothing);
    assert_eq!(ids, ["cli#1", "feature#1", "cli#2", "types#1", "types#2"]);
    assert_eq!((kept.attempts, kept.retried), (5, Retried::default()));
}

#[test]
fn what_did_not_pass_in_the_end_is_made_again_and_told_of() {
    let records = [
        attempt("cli#1", Outcome::Blocked),
        attempt("cli#2", Outcome::Failed),
        attempt("feature#1", Outcome::Passed),
        attempt("feature#2", Outcome::Unproven),
        attempt("feature#3", Outcome::Failed),
        attempt("jobs#1", Outcome::Blocked),
        attempt("types#1", Outcome::Cancelled),
    ];
    let (ids, kept) = kept(&records, Repeat::Nothing);
    assert_eq!(ids, ["cli#1", "feature#1"], "who was blocked had by then what it needed");
    assert_eq!(
        told(&kept),
        ["cli#2 why cli#2", "feature#2 why feature#2", "feature#3 why feature#3", "jobs#1 why jobs#1"]
    );
    assert!(kept.retried.ended.iter().all(|ended| ended.attempt.patch.is_none()), "a brief shows no patch of it");
}

#[test]
fn a_task_that_is_named_begins_anew_or_goes_on() {
    let records = || {
        vec![
            attempt("cli#1", Outcome::Passed),
            attempt("feature#1", Outcome::Passed),
            attempt("feature#2", Outcome::Passed),
        ]
    };
    let (ids, anew) = kept(&records(), Repeat::Anew("feature"));
    assert_eq!(ids, ["cli#1"]);
    assert_eq!((told(&anew).len(), anew.retried.task), (2, None));
    let feature = fixture::id("feature");
    let (ids, going_on) = kept(&records(), Repeat::GoingOn(&feature));
    assert_eq!(ids.len(), 3);
    assert_eq!((told(&going_on).len(), going_on.retried.task), (0, Some(feature)));
}

#[test]
fn rounds_of_rework_are_those_in_which_somebody_was_called() {
    let records = [
        attempt("feature#1", Outcome::Passed),
        bisected(),
        attempt("feature#2", Outcome::Passed),
        bisected(),
        attempt("feature#3", Outcome::Failed),
        bisected(),
    ];
    let first = keep(records.concat(), Repeat::Nothing);
    assert_eq!(first.retried.rounds, 2, "the last look named nobody");
    // The next run goes on behind them, and so does the one after it.
    let mut second = first.records;
    second.push((9, Record::Kept(first.retried)));
    second.extend([attempt("feature#3", Outcome::Passed), bisected(), attempt("cli#2", Outcome::Passed)].concat());
    let third = keep(second, Repeat::Nothing);
    assert_eq!(third.retried.rounds, 3);
    assert_eq!(third.records.iter().filter(|(_, record)| matches!(record, Record::Kept(_))).count(), 1);
}
