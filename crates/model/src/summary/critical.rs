//! The critical path: the attempts that decided how long a run took.

use super::index::RunIndex;
use crate::{ids::TaskId, record::AttemptRecord};

/// One attempt of the path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step<'a> {
    pub(super) task: &'a TaskId,
    pub(super) attempt: &'a AttemptRecord,
}

/// Finds the path, from its first attempt to its last: behind the attempt that ended last, each time the one that ended last
/// before it began. A shorter attempt that is not on it makes no run shorter.
pub(super) fn critical_path<'a>(index: &RunIndex<'a>) -> Vec<Step<'a>> {
    let mut steps: Vec<Step<'a>> = index
        .tasks()
        .flat_map(|view| view.attempts().iter().map(move |attempt| Step { task: view.id, attempt }))
        .collect();
    steps.sort_by_key(|step| (step.attempt.ended_ms, step.attempt.started_ms));
    let mut path: Vec<Step<'a>> = Vec::new();
    // Each one stands before the one after it in this order, so that this ends whatever the times are.
    while let Some(step) = steps.pop() {
        if path.last().is_none_or(|after| step.attempt.ended_ms <= after.attempt.started_ms) {
            path.push(step);
        }
    }
    path.reverse();
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::fixture;

    fn path(handoff: &crate::handoff::Handoff) -> Vec<String> {
        let index = RunIndex::new(handoff);
        critical_path(&index).iter().map(|step| format!("{} {}", step.task, step.attempt.attempt)).collect()
    }

    #[test]
    fn the_path_has_the_longest_of_each_wave_and_what_was_repeated() {
        insta::assert_debug_snapshot!(path(&fixture::complete()), @r#"
        [
            "infrastructure 1",
            "feature 1",
            "feature 2",
            "cli 1",
            "tests 1",
            "review 1",
            "validation 1",
            "deployment 1",
        ]
        "#);
    }

    #[test]
    fn times_that_cannot_be_end_and_leave_a_path_in_order() {
        let mut handoff = fixture::complete();
        for (n, task) in handoff.tasks.iter_mut().enumerate() {
            for attempt in &mut task.attempts {
                (attempt.started_ms, attempt.ended_ms) = if n % 2 == 0 { (5, 5) } else { (u64::MAX, 0) };
            }
        }
        assert!(!path(&handoff).is_empty());
        handoff.tasks.iter_mut().for_each(|task| task.attempts.clear());
        assert_eq!(path(&handoff), [""; 0]);
    }
}
