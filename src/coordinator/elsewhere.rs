//! A run whose attempts are made elsewhere: as jobs of a workflow, each on a runner of its own.
//!
//! Nothing here decides anything that the loop does not decide in one place. What other jobs finished comes in as
//! records of a journal, the loop goes through the run from its beginning, as it does when it goes on with one that broke
//! off, and stops where something is wanted that nobody has done yet.

use std::time::SystemTime;

use implementer_model::{
    findings::{Finding, FindingCode, Weight},
    handoff::{AttemptRecord, Handoff},
    ids::TaskId,
};
use tokio::sync::{mpsc, watch};

use super::{
    Happened, Order, Run, RunError, Setup, begin,
    progress::{Observer, Silent},
};
use crate::layout::{RunFile, TaskFile};
use crate::{
    journal::{self, Record},
    workspace::{integrate::Head, patch_text},
};

/// What is done here, and until when.
#[derive(Debug, Clone)]
pub struct Elsewhere {
    /// When the run began: its times are counted from here, on whatever machine.
    pub began: SystemTime,
    /// Whether the gates are run here.
    pub gates_here: bool,
    /// How far to go.
    pub until: Until,
    /// Whether the run was cancelled.
    pub cancelled: bool,
    /// What was noticed about results that were not counted.
    pub notes: Vec<String>,
    /// Why tasks that are still open are not done any more.
    pub why_open: String,
}

/// How far a run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// To the first attempts or gates that nothing is known of.
    Open,
    /// To its end: what is not done by now is not done any more. What is still open when the time of the whole run is over
    /// is left undone because of that.
    End,
}

/// How far a run came.
#[derive(Debug)]
pub struct Reached {
    /// The last integrated commit.
    pub head: Head,
    /// The attempts that are to be made now.
    pub open: Vec<Order>,
    /// Whether the gates are to be run now.
    pub gates_due: bool,
    /// Whether the time of the whole run is over, so that nothing new is to begin. A job that was begun in time does its part
    /// all the same.
    pub late: bool,
    /// What was found out here about gates: receipts and culprits.
    pub made: Vec<Record>,
    /// The hand-off, when the run went to its end.
    pub handoff: Option<Handoff>,
    /// Milliseconds since the run began.
    pub now_ms: u64,
}

/// Goes through a run with what is known of it: `setup.resumed` has the records.
///
/// # Errors
/// When the outside fails in a way that no state of a task can express: the disk, the object store, the journal.
pub async fn follow(setup: Setup, elsewhere: Elsewhere, cancel: watch::Receiver<bool>) -> Result<Reached, RunError> {
    let until = elsewhere.until;
    let known = setup.resumed.as_ref().map_or(0, |resumed| resumed.records.len());
    let (mut run, inbox) = begin(setup, Some(elsewhere))?;
    let outcome = run.drive(inbox, cancel, &mut Silent).await;
    run.stop_everything().await;
    let reached = match outcome {
        Ok(()) => run.reached(until, known).await,
        Err(error) => Err(error),
    };
    let _ = run.clear_away().await;
    reached
}

impl Run {
    /// Tells whether nothing goes on here any more: what comes next is done elsewhere.
    pub(super) fn waits_for_elsewhere(&self, inbox: &mpsc::UnboundedReceiver<Happened>) -> bool {
        self.elsewhere.is_some() && self.workers.is_empty() && inbox.is_empty()
    }

    /// Leaves undone what is still open when the time of the whole run is over. What was finished before counts.
    pub(super) fn leave_what_is_late(&mut self, observer: &mut dyn Observer) {
        let to_its_end = self.elsewhere.as_ref().is_some_and(|elsewhere| elsewhere.until == Until::End);
        let open = !self.open.is_empty() || self.gates_due;
        if to_its_end && open && !self.cancelled && self.is_late() {
            let cancel = self.run_out_of_time(observer);
            // Nothing runs here that would have to be stopped.
            let _ = self.machine.handle(cancel, self.shop.now_ms());
            self.open.clear();
            self.gates_due = false;
        }
    }

    /// Tells whether the time of the whole run is over.
    fn is_late(&self) -> bool {
        self.run_ends_ms().is_some_and(|at| at <= self.shop.now_ms())
    }

    async fn reached(&mut self, until: Until, known: usize) -> Result<Reached, RunError> {
        self.journal.sync().await?;
        let records = journal::read(&self.shop.run_dir.path(RunFile::Journal))?;
        let made = records.into_iter().skip(known).map(|(_, record)| record);
        let made = made.filter(|record| matches!(record, Record::Judged { .. } | Record::Bisected { .. })).collect();
        let handoff = match until {
            Until::Open => None,
            Until::End => {
                self.cancelled |= self.elsewhere.as_ref().is_some_and(|elsewhere| elsewhere.cancelled);
                Some(self.conclude().await?)
            }
        };
        Ok(Reached {
            head: self.head.clone(),
            open: std::mem::take(&mut self.open),
            gates_due: self.gates_due,
            late: self.is_late(),
            made,
            handoff,
            now_ms: self.shop.now_ms(),
        })
    }

    /// Says why a task never began, or was called again in vain.
    pub(super) fn why_not_begun(&self, task: &TaskId) -> String {
        match &self.elsewhere {
            Some(elsewhere) if self.open.iter().any(|order| order.task.id == *task) => elsewhere.why_open.clone(),
            _ => "the run ended before its turn".to_owned(),
        }
    }

    /// Turns what was noticed about results of other jobs into findings.
    pub(super) fn noted_elsewhere(&self) -> Vec<Finding> {
        let Some(elsewhere) = &self.elsewhere else { return Vec::new() };
        let finding = |weight, message: &str| Finding {
            code: FindingCode::ResultNotCounted,
            weight,
            task: None,
            path: None,
            line: None,
            message: message.to_owned(),
        };
        let open = !self.open.is_empty() || self.gates_due;
        let stopped = open.then(|| finding(Weight::Blocking, &elsewhere.why_open));
        elsewhere.notes.iter().map(|note| finding(Weight::Warning, note)).chain(stopped).collect()
    }

    /// Writes the files of an attempt that was made elsewhere, when the run's folder is one to keep.
    pub(super) fn write_files_of(&self, task: &TaskId, brief: &str, record: &AttemptRecord) -> Result<(), RunError> {
        if self.elsewhere.as_ref().is_none_or(|elsewhere| elsewhere.until != Until::End) {
            return Ok(());
        }
        let run_dir = &self.shop.run_dir;
        let folder = run_dir.begin_attempt(task, record.attempt)?;
        let write = |name: TaskFile, content: &[u8]| run_dir.write(&folder.join(name), content);
        write(TaskFile::Brief, brief.as_bytes())?;
        if let Some(report) = &record.report {
            run_dir.write_json(&folder.join(TaskFile::Report), report)?;
        }
        if let Some(patch) = record.patch.as_ref().filter(|patch| !patch.is_empty()) {
            tokio::task::block_in_place(|| patch_text::write(&self.shop.store, patch, &folder.join(TaskFile::Patch)))?;
        }
        Ok(())
    }
}
