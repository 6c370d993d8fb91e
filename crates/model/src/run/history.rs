//! What earlier processes of a run finished, so that it is not done again. A result counts for the attempt that it was
//! made for: same task, same base commit, same brief.

use std::collections::HashMap;

use super::{
    attempt_plan::AttemptPlan,
    gate_job::{GateJob, GateRun},
};
use crate::{
    gate::{GateState, Receipt},
    ids::{Digest, ObjectId, TaskId},
    record::{AttemptEnded, AttemptId, AttemptStarted, Culprits, Outcome, Record, Retried, Status, Timed},
};

/// Who made the records that a run is gone through with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MadeBy {
    /// An earlier process of the same run, which was interrupted.
    EarlierProcess,
    /// The jobs of a workflow.
    Jobs,
}

/// What is known of a run before it is gone through.
#[derive(Debug, Default)]
pub struct History {
    finished: HashMap<AttemptId, (AttemptStarted, AttemptEnded)>,
    /// What gates were judged by, each with the number of the run that judged them: 0 for the first whose work is kept.
    receipts: Vec<(usize, Receipt)>,
    /// Who was found to be to blame on which commit, with the number of the run, too.
    bisected: Vec<(usize, ObjectId, Culprits)>,
    /// Where each run began that keeps the work of those before it.
    retries: Vec<Retried>,
    by_jobs: bool,
    has_records: bool,
    resumptions: u32,
    kept_until_ms: u64,
    replayed: u32,
    until_ms: u64,
}

/// What became of a finished attempt when an attempt was about to start.
#[derive(Debug)]
pub enum Finished {
    /// Nothing is known of it.
    Unknown,
    /// It was finished, but from another commit, with another brief or for another reason.
    Outdated,
    Usable(Box<AttemptEnded>),
}

impl History {
    #[must_use]
    pub fn from_records(records: Vec<Timed>, made_by: MadeBy) -> Self {
        let by_jobs = made_by == MadeBy::Jobs;
        let mut history = Self { has_records: !records.is_empty(), by_jobs, ..Self::default() };
        // Whether this run itself wrote anything: of what it kept it resumes nothing.
        let mut has_own = false;
        let mut started = HashMap::new();
        for (at_ms, record) in records {
            history.until_ms = history.until_ms.max(at_ms);
            has_own = !matches!(record, Record::Kept(_));
            let run = history.retries.len();
            match record {
                Record::Started(start) => drop(started.insert(start.id.clone(), start)),
                Record::Ended(ended) => {
                    // What somebody stopped is half done, whatever it had written.
                    let stopped = matches!(ended.attempt.outcome, Outcome::Cancelled | Outcome::NotRun);
                    if let Some(start) = started.remove(&ended.id()).filter(|_| !stopped) {
                        history.finished.insert(ended.id(), (start, *ended));
                    }
                }
                // The job that judged the gates went to its end; a run that was interrupted may have been stopped
                // before it ran them.
                Record::Judged { receipt } if by_jobs || receipt.state != GateState::NotRun => {
                    history.receipts.push((run, *receipt));
                }
                Record::Bisected { head, found } => history.bisected.push((run, head, found)),
                Record::Resumed => history.resumptions += 1,
                Record::Kept(retried) => {
                    history.kept_until_ms = history.until_ms;
                    history.retries.push(retried);
                }
                Record::Begun { .. } | Record::Judged { .. } | Record::Concluded { .. } => {}
            }
        }
        history.resumptions += u32::from(has_own);
        history
    }

    /// Tells whether something of the run is known: it was resumed, or it keeps what an earlier run finished.
    #[must_use]
    pub fn has_records(&self) -> bool {
        self.has_records
    }

    /// Returns when the run itself began, in milliseconds since the first run whose work it keeps did.
    #[must_use]
    pub fn kept_until_ms(&self) -> u64 {
        self.kept_until_ms
    }

    /// Returns how often the run was resumed. Jobs of a workflow resume nothing.
    #[must_use]
    pub fn resumptions(&self) -> u32 {
        if self.by_jobs { 0 } else { self.resumptions }
    }

    /// Returns how many attempts were taken over from an earlier process.
    #[must_use]
    pub fn replayed(&self) -> u32 {
        if self.by_jobs { 0 } else { self.replayed }
    }

    /// Returns the time of the last record, in milliseconds since the run began.
    #[must_use]
    pub fn until_ms(&self) -> u64 {
        self.until_ms
    }

    /// Goes through the tasks that passed, with the milliseconds that they took.
    pub fn durations(&self) -> impl Iterator<Item = (&TaskId, u64)> {
        let attempts = self.finished.iter().map(|(id, (_, ended))| (&id.task, &ended.attempt));
        attempts
            .filter(|(_, attempt)| attempt.outcome == Outcome::Passed)
            .map(|(task, attempt)| (task, attempt.duration_ms()))
    }

    /// Takes out the end of an attempt that is about to start.
    pub fn take_finished(&mut self, plan: &AttemptPlan) -> Finished {
        let Some((started, ended)) = self.finished.remove(&plan.id) else { return Finished::Unknown };
        let same = started.base == plan.base
            && started.brief == Digest::from_content(&plan.brief)
            && ended.attempt.because == plan.because;
        if same { Finished::Usable(Box::new(ended)) } else { Finished::Outdated }
    }

    /// Counts an attempt that was taken over.
    pub fn taken_over(&mut self) {
        self.replayed += 1;
    }

    /// Returns what an earlier run repeats a part of, where that begins after this many rounds of rework: what was open at
    /// the end of the run before it is taken up again.
    pub fn retries_after(&self, rounds: u32) -> impl Iterator<Item = &Retried> {
        self.retries.iter().filter(move |retried| retried.rounds == rounds)
    }

    /// Returns how many rounds of rework there may be, where a run has `own` of them.
    #[must_use]
    pub fn rounds_max(&self, own: u32) -> u32 {
        // Who asks for a repetition asks for a round, whatever the configuration says.
        self.retries.last().map_or(own, |retried| retried.rounds.saturating_add(own.max(1)))
    }

    /// Returns how attempts ended in earlier runs that this one makes again from the attempt `id` on, or made before it.
    pub fn ended_before<'a>(&'a self, id: &'a AttemptId) -> impl Iterator<Item = &'a AttemptEnded> {
        let ended = self.retries.iter().flat_map(|retried| &retried.ended);
        ended.filter(|ended| ended.task == id.task && ended.attempt.attempt <= id.attempt)
    }

    /// Returns which of the runs whose work is kept is gone through after this many rounds of rework.
    fn run_after(&self, rounds: u32) -> usize {
        self.retries.iter().filter(|retried| retried.rounds <= rounds).count()
    }

    /// Takes out what bisecting on a commit came to, after this many rounds of rework. What a run before the one that is
    /// gone through found out is not taken: it ended with that, and the gates ran again since.
    pub fn take_culprits(&mut self, head: &ObjectId, rounds: u32) -> Option<Culprits> {
        let run = self.run_after(rounds);
        let at = self.bisected.iter().position(|(of, on, _)| *of >= run && on == head)?;
        Some(self.bisected.remove(at).2)
    }

    /// Returns what the gates' commands came to on a tree, after this many rounds of rework; nothing unless every gate was
    /// judged on it with the same commands. Red gates with which an earlier run ended are run again: what was wrong may have
    /// been the machine.
    #[must_use]
    pub fn gate_runs(&self, jobs: &[GateJob], tree: &ObjectId, rounds: u32, now_ms: u64) -> Option<Vec<GateRun>> {
        let run = self.run_after(rounds);
        let green = |of: usize, receipt: &Receipt| of < run && receipt.state == GateState::Passed;
        self.runs_where(jobs, tree, now_ms, |of, _| of == run)
            .or_else(|| self.runs_where(jobs, tree, now_ms, |of, _| of > run))
            .or_else(|| self.runs_where(jobs, tree, now_ms, green))
    }

    fn runs_where(
        &self,
        jobs: &[GateJob],
        tree: &ObjectId,
        now_ms: u64,
        counts: impl Fn(usize, &Receipt) -> bool,
    ) -> Option<Vec<GateRun>> {
        let run = |job: &GateJob| {
            let receipts = self.receipts.iter().rev().filter(|(of, receipt)| counts(*of, receipt));
            let mut receipts = receipts.map(|(_, receipt)| receipt).filter(|receipt| receipt.tree == *tree);
            let receipt = receipts.find(|receipt| {
                receipt.gate == job.gate && receipt.commands.iter().map(|command| &command.argv).eq(job.argvs())
            })?;
            // How long it took is part of the evidence, wherever it ran.
            let began_ms = now_ms.saturating_sub(receipt.duration_ms);
            Some(GateRun {
                gate: job.gate,
                began_ms,
                ended_ms: now_ms,
                commands: receipt.commands.clone(),
                evidence: receipt.evidence.clone(),
                isolation: receipt.isolation,
            })
        };
        jobs.iter().map(run).collect()
    }
}

/// Returns the name of the run that records are of; `None` when not even its beginning was written down.
#[must_use]
pub fn run_name(records: &[Timed]) -> Option<&str> {
    records.iter().find_map(|(_, record)| match record {
        Record::Begun { run, .. } => Some(run.as_str()),
        _ => None,
    })
}

/// Tells whether a run came to its end, so that there is nothing to resume. A cancelled one can be resumed.
#[must_use]
pub fn is_over(records: &[Timed]) -> bool {
    let last = records.last().map(|(_, record)| record);
    matches!(last, Some(Record::Concluded { status, .. }) if *status != Status::Cancelled)
}

#[cfg(test)]
mod tests;
