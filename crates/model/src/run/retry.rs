//! Whether an attempt that ended is followed by another at once.

use crate::{
    record::{FailureKind, Outcome, TaskRecord},
    schedule::Millis,
};

/// How often a task is attempted at most when what fails is transient.
const TRANSIENT_ATTEMPTS: u32 = 3;

/// The wait before the second attempt; each further wait is twice as long.
const TRANSIENT_WAIT_MS: Millis = 1_000;

/// Another attempt at the same task, in the same wave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Retry {
    /// Why, for the record.
    pub because: String,
    /// How long to wait before it.
    pub after_ms: Millis,
}

/// Decides what follows from the last attempt of a task: a violation of the scope is explained once, what is transient is
/// waited out, and what failed is tried once more, before its missing work makes others look guilty, where the
/// configuration lets anybody be called twice.
#[must_use]
pub(super) fn after_end(record: &TaskRecord, failure: FailureKind, may_repeat: bool) -> Option<Retry> {
    let last = record.last()?;
    let transient = failure == FailureKind::Transient;
    if last.outcome == Outcome::OutOfScope {
        let violations = record.attempts.iter().filter(|attempt| attempt.outcome == Outcome::OutOfScope).count();
        return (violations == 1)
            .then(|| Retry { because: format!("it left its scope: {}", record.reason), after_ms: 0 });
    }
    // Only attempts that ended alike in a row count together: what passed in between ends the row.
    let row = record.attempts.iter().rev().take_while(|attempt| attempt.outcome == last.outcome);
    let tries = row.fold(0_u32, |tries, _| tries.saturating_add(1));
    if transient {
        return (tries < TRANSIENT_ATTEMPTS).then(|| Retry {
            because: format!("what failed may be gone by now: {}", record.reason),
            after_ms: TRANSIENT_WAIT_MS << (tries - 1),
        });
    }
    let tried = record.attempts.iter().filter(|attempt| failed_by_itself(attempt.outcome)).count();
    (may_repeat && failed_by_itself(last.outcome) && failure == FailureKind::Ordinary && tried == 1)
        .then(|| Retry { because: format!("it failed, and gets one more attempt: {}", record.reason), after_ms: 0 })
}

/// Tells whether an attempt failed by its own fault, and is worth another one.
fn failed_by_itself(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Failed | Outcome::Unproven | Outcome::Unreported)
}

/// Decides whether a task whose patch conflicted is called again on what was integrated: once. Gives the reason.
#[must_use]
pub(super) fn after_conflict(record: &TaskRecord) -> Option<String> {
    let conflicts = record.attempts.iter().filter(|attempt| !attempt.conflicts.is_empty()).count();
    (conflicts == 1).then(|| "its patch conflicts with one that was integrated before it".to_owned())
}

/// An attempt that brought nothing new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repetition {
    /// It changed exactly what an earlier attempt had changed.
    SamePatch,
    /// It was called for rework, and changed nothing.
    NoAnswer,
}

/// Tells whether the last attempt brought nothing new: calling the task for rework again would change nothing.
#[must_use]
pub(super) fn repetition(record: &TaskRecord, called_for_rework: bool) -> Option<Repetition> {
    let last = record.last()?.patch.as_ref()?;
    let mut earlier = record.attempts.iter().rev().skip(1).filter_map(|attempt| attempt.patch.as_ref());
    if earlier.any(|patch| !patch.is_empty() && patch.changes == last.changes) {
        return Some(Repetition::SamePatch);
    }
    (last.is_empty() && record.attempts.len() > 1 && called_for_rework).then_some(Repetition::NoAnswer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{record::AttemptRecord, summary::fixture};

    /// The record of a task with attempts that ended like this, the last with this patch.
    fn record(outcomes: &[Outcome]) -> TaskRecord {
        let mut record = fixture::complete().tasks.into_iter().find(|task| task.id.as_str() == "feature").unwrap();
        let attempt = record.attempts.pop().unwrap();
        let numbered = |(number, outcome): (u32, &Outcome)| AttemptRecord {
            attempt: number,
            outcome: *outcome,
            patch: Some(fixture::patch(&[(&format!("src/{number}.py"), 1, 0)])),
            ..attempt.clone()
        };
        record.attempts = (1..).zip(outcomes).map(numbered).collect();
        record.outcome = *outcomes.last().unwrap();
        record.reason = "why".to_owned();
        record
    }

    #[test]
    fn a_violation_of_the_scope_is_explained_once() {
        let retry = after_end(&record(&[Outcome::OutOfScope]), FailureKind::Ordinary, true).unwrap();
        assert_eq!((retry.because.as_str(), retry.after_ms), ("it left its scope: why", 0));
        assert_eq!(after_end(&record(&[Outcome::OutOfScope, Outcome::OutOfScope]), FailureKind::Ordinary, true), None);
        assert_eq!(
            after_end(
                &record(&[Outcome::OutOfScope, Outcome::Passed, Outcome::OutOfScope]),
                FailureKind::Transient,
                true
            ),
            None
        );
    }

    #[test]
    fn what_is_transient_is_waited_out_twice_as_long_each_time_and_no_more_than_three_times_in_a_row() {
        let wait = |outcomes: &[Outcome]| {
            after_end(&record(outcomes), FailureKind::Transient, true).map(|retry| retry.after_ms)
        };
        assert_eq!(wait(&[Outcome::Failed]), Some(1_000));
        assert_eq!(wait(&[Outcome::Failed; 2]), Some(2_000));
        assert_eq!(wait(&[Outcome::Failed; 3]), None);
        assert_eq!(wait(&[Outcome::Failed, Outcome::Passed, Outcome::Failed]), Some(1_000), "a new row");
    }

    #[test]
    fn what_failed_by_itself_is_tried_once_more_and_nothing_else() {
        let again = |outcomes: &[Outcome], failure, may_repeat| after_end(&record(outcomes), failure, may_repeat);
        for outcome in [Outcome::Failed, Outcome::Unreported, Outcome::Unproven] {
            assert_eq!(
                again(&[outcome], FailureKind::Ordinary, true).map(|retry| retry.after_ms),
                Some(0),
                "{outcome:?}"
            );
            assert_eq!(again(&[outcome; 2], FailureKind::Ordinary, true), None, "{outcome:?}");
            assert_eq!(again(&[outcome], FailureKind::Ordinary, false), None, "nobody may be called twice");
        }
        assert_eq!(again(&[Outcome::Failed, Outcome::Unproven], FailureKind::Ordinary, true), None);
        for failure in [FailureKind::Final, FailureKind::CannotStart] {
            assert_eq!(again(&[Outcome::Failed], failure, true), None, "{failure:?}");
        }
        for outcome in [Outcome::TimedOut, Outcome::Passed, Outcome::Blocked, Outcome::TurnsExhausted] {
            assert_eq!(again(&[outcome], FailureKind::Ordinary, true), None, "{outcome:?}");
        }
        let none = TaskRecord { attempts: Vec::new(), ..record(&[Outcome::Failed]) };
        assert_eq!(after_end(&none, FailureKind::Transient, true), None);
    }

    #[test]
    fn a_conflict_is_retried_once() {
        let mut record = record(&[Outcome::Conflicted, Outcome::Conflicted]);
        assert_eq!(after_conflict(&record), None);
        let conflicts = fixture::incomplete().tasks.into_iter().flat_map(|task| task.attempts);
        let conflicts = conflicts.map(|attempt| attempt.conflicts).find(|found| !found.is_empty()).unwrap();
        record.attempts[0].conflicts = conflicts.clone();
        assert!(after_conflict(&record).is_some());
        record.attempts[1].conflicts = conflicts;
        assert_eq!(after_conflict(&record), None);
    }

    #[test]
    fn the_same_patch_again_and_no_answer_to_a_call_for_rework_are_repetitions() {
        let mut record = record(&[Outcome::Failed, Outcome::Passed]);
        assert_eq!(repetition(&record, true), None);
        record.attempts[1].patch = Some(fixture::patch(&[]));
        assert_eq!(repetition(&record, false), None, "nobody asked for rework");
        assert_eq!(repetition(&record, true), Some(Repetition::NoAnswer));
        record.attempts[1].patch = record.attempts[0].patch.clone();
        assert_eq!(repetition(&record, false), Some(Repetition::SamePatch));
        record.attempts.remove(0);
        assert_eq!(repetition(&record, true), None, "a first attempt repeats nothing");
    }
}
