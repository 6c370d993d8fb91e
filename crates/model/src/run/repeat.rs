//! What a run keeps of the last run of the same lock, of which it repeats a part.
//!
//! It goes through that run once more, so that everything counts that explains why the rest came about: who failed first and
//! passed then, the red gates that called somebody again. Only what is repeated is left out.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    ids::TaskId,
    record::{AttemptEnded, AttemptId, Outcome, Record, Retried, Timed},
};

/// What somebody wants to be repeated, beside what did not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat<'a> {
    /// Nothing.
    Nothing,
    /// This task from its beginning, as if it had never been done.
    Anew(&'a str),
    /// This task from where it came to: something is open that it is to blame for.
    GoingOn(&'a TaskId),
}

/// What a run keeps of an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptRecords {
    pub records: Vec<Timed>,
    /// How many attempts stay.
    pub attempts: usize,
    /// What is made again.
    pub retried: Retried,
}

/// Divides the records of the last run into what stays and what is made again.
#[must_use]
pub fn keep(records: Vec<Timed>, repeat: Repeat<'_>) -> KeptRecords {
    let ends: BTreeMap<AttemptId, AttemptEnded> = records
        .iter()
        .filter_map(|(_, record)| match record {
            Record::Ended(ended) => Some((ended.id(), (**ended).clone())),
            _ => None,
        })
        .collect();
    let again = again(&ends, repeat);
    let told = |ended: &&AttemptEnded| !matches!(ended.attempt.outcome, Outcome::Cancelled | Outcome::NotRun);
    let retried = Retried {
        rounds: rounds(&records),
        task: match repeat {
            Repeat::GoingOn(task) => Some(task.clone()),
            Repeat::Nothing | Repeat::Anew(_) => None,
        },
        ended: again.iter().filter_map(|id| ends.get(id)).filter(told).map(for_brief).collect(),
    };
    let mut kept = records;
    kept.retain(|(_, record)| match record {
        Record::Started(started) => !again.contains(&started.id),
        Record::Ended(ended) => !again.contains(&ended.id()),
        _ => true,
    });
    let attempts = kept.iter().filter(|(_, record)| matches!(record, Record::Ended(_))).count();
    KeptRecords { records: kept, attempts, retried }
}

/// Finds the attempts that are made again: all of a task that begins anew, and of every other those at the end that did not
/// pass. Who was blocked and retried later had got by then what it needed.
fn again(ends: &BTreeMap<AttemptId, AttemptEnded>, repeat: Repeat<'_>) -> BTreeSet<AttemptId> {
    let mut again = BTreeSet::new();
    // From the last attempt to the first: which tasks are looked at no further.
    let mut settled: BTreeSet<&TaskId> = BTreeSet::new();
    let mut seen: BTreeSet<&TaskId> = BTreeSet::new();
    for (id, ended) in ends.iter().rev() {
        let is_last = seen.insert(&id.task);
        let stays = match ended.attempt.outcome {
            Outcome::Passed => true,
            Outcome::Blocked => !is_last,
            _ => false,
        };
        if repeat == Repeat::Anew(id.task.as_str()) {
            again.insert(id.clone());
        } else if stays || settled.contains(&id.task) {
            settled.insert(&id.task);
        } else {
            again.insert(id.clone());
        }
    }
    again
}

/// Leaves of the end of an attempt what a brief tells.
fn for_brief(ended: &AttemptEnded) -> AttemptEnded {
    let mut ended = ended.clone();
    ended.attempt.patch = None;
    ended.attempt.session = None;
    ended
}

/// Counts the rounds of rework in which somebody was called: after each that looked for culprits, attempts started. The
/// last look ends a run when it names nobody.
fn rounds(records: &[Timed]) -> u32 {
    let mut looked = false;
    let mut rounds = 0;
    for (_, record) in records {
        match record {
            Record::Bisected { .. } => looked = true,
            Record::Started(_) if std::mem::take(&mut looked) => rounds += 1,
            // What follows is another run's. Of the rounds before it, attempts may have been left out.
            Record::Kept(retried) => (rounds, looked) = (retried.rounds, false),
            _ => {}
        }
    }
    rounds
}

#[cfg(test)]
mod tests;
