//! What an earlier process of the same run finished, so that it is not done again. A result counts for the attempt that
//! it was made for: same task, same base commit, same brief; and only when everything of its patch is there.

use std::collections::{BTreeMap, HashMap};

use implementer_model::{
    findings::Finding,
    gate::{GateKind, GateState, Receipt},
    handoff::{AttemptRecord, Status},
    ids::{Digest, ObjectId, TaskId},
    schedule::{Outcome, Task},
    scope,
};

use super::{
    Happened, Run, RunError,
    gates::{GateJob, GateRun, GateRuns},
    judging::AttemptEnd,
};
use crate::journal::{Journal, Record};

/// A run that broke off, with its journal open behind the last record.
#[derive(Debug)]
pub struct Resumed {
    /// The journal.
    pub journal: Journal,
    /// What is in it, each with the milliseconds since the run began.
    pub records: Vec<(u64, Record)>,
}

impl Resumed {
    /// Returns the name of the run; `None` when not even its beginning was written down.
    #[must_use]
    pub fn run(&self) -> Option<&str> {
        self.records.iter().find_map(|(_, record)| match record {
            Record::Begun { run, .. } => Some(run.as_str()),
            _ => None,
        })
    }
}

/// Tells whether a run came to its end: one that was cancelled did not.
#[must_use]
pub fn is_over(records: &[(u64, Record)]) -> bool {
    let last = records.last().map(|(_, record)| record);
    matches!(last, Some(Record::Concluded { status, .. }) if *status != Status::Cancelled)
}

/// The results of earlier processes of this run.
#[derive(Debug, Default)]
pub(super) struct Replay {
    finished: HashMap<(TaskId, u32), Finished>,
    receipts: Vec<Receipt>,
    bisected: HashMap<ObjectId, BTreeMap<GateKind, TaskId>>,
    /// How often the run was resumed.
    pub(super) resumptions: u32,
    /// How many attempts were taken over.
    pub(super) replayed: u32,
    /// The time of the last record, in milliseconds since the run began.
    pub(super) until_ms: u64,
}

#[derive(Debug)]
struct Finished {
    base: ObjectId,
    brief: Digest,
    attempt: AttemptRecord,
    reason: String,
    findings: Vec<Finding>,
    transient: bool,
}

impl Replay {
    /// Goes through what is finished, with the milliseconds that it took.
    pub(super) fn durations(&self) -> impl Iterator<Item = (&TaskId, u64)> {
        let passed = self.finished.iter().filter(|(_, finished)| finished.attempt.outcome == Outcome::Passed);
        passed
            .map(|((task, _), finished)| (task, finished.attempt.ended_ms.saturating_sub(finished.attempt.started_ms)))
    }

    /// Collects what is finished. Receipts of gates that were not run count only when `of_jobs`: the job that judged them
    /// went to its end, while a run that broke off may have been stopped before it ran them.
    pub(super) fn of(records: Vec<(u64, Record)>, of_jobs: bool) -> Self {
        let mut replay = Self { resumptions: u32::from(!records.is_empty()), ..Self::default() };
        let mut started = HashMap::new();
        for (at_ms, record) in records {
            replay.until_ms = replay.until_ms.max(at_ms);
            match record {
                Record::Started { task, attempt, base, brief } => {
                    started.insert((task, attempt), (base, brief));
                }
                Record::Ended { task, attempt, reason, findings, transient } => {
                    // What somebody stopped is half done, whatever it had written.
                    let own = !matches!(attempt.outcome, Outcome::Cancelled | Outcome::NotRun);
                    let key = (task, attempt.attempt);
                    if let Some((base, brief)) = started.remove(&key).filter(|_| own) {
                        let finished = Finished { base, brief, attempt: *attempt, reason, findings, transient };
                        replay.finished.insert(key, finished);
                    }
                }
                Record::Judged { receipt } if of_jobs || receipt.state != GateState::NotRun => {
                    replay.receipts.push(*receipt);
                }
                Record::Bisected { head, culprits } => drop(replay.bisected.insert(head, culprits)),
                Record::Resumed => replay.resumptions += 1,
                Record::Begun { .. } | Record::Judged { .. } | Record::Integrated { .. } | Record::Concluded { .. } => {
                }
            }
        }
        replay
    }

    /// Returns what bisecting on a commit came to.
    pub(super) fn culprits(&mut self, head: &ObjectId) -> Option<BTreeMap<GateKind, TaskId>> {
        self.bisected.remove(head)
    }

    /// Returns what the gates' commands came to on a tree; nothing unless every gate was judged on it with the same
    /// commands.
    pub(super) fn gates(&self, jobs: &[GateJob], tree: &ObjectId, now_ms: u64) -> Option<GateRuns> {
        let of = |job: &GateJob| {
            let asked = |receipt: &&Receipt| {
                receipt.gate == job.gate
                    && receipt.tree == *tree
                    && receipt.commands.iter().map(|command| &command.argv).eq(job.argvs())
            };
            let receipt = self.receipts.iter().rev().find(asked)?;
            // How long it took is part of the evidence, wherever it ran.
            let began_ms = now_ms.saturating_sub(receipt.duration_ms);
            Some(GateRun { gate: job.gate, began_ms, ended_ms: now_ms, commands: receipt.commands.clone() })
        };
        jobs.iter().map(of).collect()
    }
}

impl Run {
    /// Takes over the result of an attempt that an earlier process of this run finished. `false` when there is none, or
    /// not everything of it is there: then it is done again.
    pub(super) fn take_over(
        &mut self,
        task: &Task,
        attempt: u32,
        because: &str,
        brief_text: &str,
    ) -> Result<bool, RunError> {
        let key = (task.id.clone(), attempt);
        let Some(finished) = self.replay.finished.remove(&key) else { return Ok(false) };
        let brief = Digest::of(brief_text);
        if finished.base != self.head.commit || finished.brief != brief || finished.attempt.because != because {
            tracing::info!(task = %task.id, attempt, "what it starts from is another now: it is done again");
            return Ok(false);
        }
        let Finished { attempt: record, reason, findings, transient, .. } = finished;
        // Of jobs, git has taken every object in; of a run that broke off, they may be torn.
        let (store, made_by_jobs) = (&self.shop.store, self.elsewhere.is_some());
        let holds =
            |patch| tokio::task::block_in_place(|| if made_by_jobs { store.lists(patch) } else { store.holds(patch) });
        if record.patch.as_ref().is_some_and(|patch| !holds(patch)) {
            tracing::warn!(task = %task.id, attempt, "not everything of its patch is there: it is done again");
            return Ok(false);
        }
        let accepted = match (&record.patch, record.outcome) {
            (Some(patch), Outcome::Passed) => {
                let adds = patch.changes.iter().any(|change| change.old.is_none());
                let paths = if adds { Some(self.shop.paths_of(&patch.base_tree)?) } else { None };
                match scope::check(patch.clone(), &task.scope, task.access, paths.as_deref()) {
                    Ok(checked) => Some(checked),
                    Err(_) => return Ok(false),
                }
            }
            _ => None,
        };
        self.replay.replayed += 1;
        self.write_files_of(&task.id, brief_text, &record)?;
        let end = AttemptEnd { task: task.id.clone(), record, reason, findings, accepted, transient };
        let _ = self.events.send(Happened::TakenOver { end: Box::new(end) });
        Ok(true)
    }
}
