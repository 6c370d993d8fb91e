//! What the working job of the layout `one-job` keeps for the job after it: a journal and a bundle of every patch.
//!
//! Whoever reads it takes records and objects from it and nothing else. The pull request, the approver, the lock and the
//! rules are always those of the state that `plan` froze: this was written where subagents ran.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use implementer_model::{
    gate::GateState,
    handoff::AttemptRecord,
    ids::{SubagentName, TaskId},
    schedule::Outcome,
};

use super::{error::JobError, site::Site, state::write_journal};
use crate::{
    journal::{self, Record},
    layout::{StateFile, refs},
    workspace::{bundle, message::CommitMessage},
};

/// What the name of a file ends with that is not whole yet.
const NEXT: &str = ".next";

/// The largest journal that is read, in bytes.
const JOURNAL_MAX: u64 = 256 * 1024 * 1024;

/// Which records of a kept folder count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    /// All of them.
    All,
    /// What passed. The rest is what a job that is run again is run again for.
    Passed,
}

/// A folder that the working job keeps up to date.
#[derive(Debug)]
pub(super) struct Keeper {
    folder: PathBuf,
    /// How many records the last version had.
    records: usize,
}

impl Keeper {
    pub(super) fn new(folder: &Path) -> Result<Self, JobError> {
        fs::create_dir_all(folder).map_err(JobError::writing(folder))?;
        Ok(Self { folder: folder.to_owned(), records: 0 })
    }

    /// Writes what is finished so far. Each file is replaced as a whole, the bundle first: a journal never names a patch
    /// that the bundle beside it does not have, whenever the process is killed.
    pub(super) async fn keep(&mut self, site: &Site, journal: &Path) -> Result<(), JobError> {
        let records = journal::read(journal)?;
        if records.len() == self.records {
            return Ok(());
        }
        let mut wanted = Vec::new();
        for (_, record) in &records {
            let Record::Ended { task, attempt, .. } = record else { continue };
            let Some(patch) = attempt.patch.as_ref().filter(|patch| !patch.is_empty()) else { continue };
            let commit = site.store.patch_commit(patch, &message(site, task, attempt))?;
            wanted.push((refs::patch(task, attempt.attempt), commit));
        }
        if !wanted.is_empty() {
            let next = self.folder.join(StateFile::Bundle.name().to_owned() + NEXT);
            tokio::task::block_in_place(|| bundle::write(&site.store, &wanted, &site.frozen.base, &next))?;
            let bundle = self.folder.join(StateFile::Bundle);
            fs::rename(&next, &bundle).map_err(JobError::writing(bundle))?;
        }
        let next = self.folder.join(StateFile::Journal.name().to_owned() + NEXT);
        match fs::remove_file(&next) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(JobError::writing(next)(error)),
            _ => {}
        }
        write_journal(&next, &records).await?;
        let journal = self.folder.join(StateFile::Journal);
        fs::rename(&next, &journal).map_err(JobError::writing(journal))?;
        self.records = records.len();
        Ok(())
    }
}

/// The message of the commit that carries a patch. Nobody reads it: the integrated commits are made anew.
fn message(site: &Site, task: &TaskId, attempt: &AttemptRecord) -> CommitMessage {
    let nobody = || SubagentName::new("subagent").expect("a plain word is a name");
    CommitMessage {
        title: format!("Patch of {task}"),
        body: String::new(),
        task: task.clone(),
        subagent: site.intake.schedule.task(task).map_or_else(nobody, |task| task.subagent.clone()),
        attempt: attempt.attempt,
        lock: site.frozen.lock.digest.clone(),
    }
}

impl Site {
    /// Adds what the working job kept in `folder`. Gives how many records counted.
    ///
    /// # Errors
    /// When the folder is not what the working job of this very run keeps. The error is a sentence, and nothing of the
    /// folder counts.
    pub fn add_kept(&mut self, folder: &Path, counting: Counting) -> Result<usize, String> {
        let journal = folder.join(StateFile::Journal);
        let meta = fs::symlink_metadata(&journal).map_err(|_| "it holds no journal".to_owned())?;
        if !meta.is_file() || meta.len() > JOURNAL_MAX {
            return Err(format!("its journal is no plain file of at most {JOURNAL_MAX} bytes"));
        }
        let mut records = journal::read(&journal).map_err(|error| error.to_string())?.into_iter();
        match records.next() {
            Some((_, Record::Begun { lock, run, .. })) if lock == self.frozen.lock && run == self.frozen.run => {}
            Some((_, Record::Begun { .. })) => return Err("it is of another run".to_owned()),
            _ => return Err("its journal does not begin as one".to_owned()),
        }
        let bundle = folder.join(StateFile::Bundle);
        if fs::symlink_metadata(&bundle).is_ok_and(|meta| meta.is_file()) {
            bundle::take_patches(&self.store, &bundle).map_err(|error| error.to_string())?;
        }
        let finished: Vec<_> = records.filter(|(_, record)| is_result(record)).collect();
        let counted: Vec<_> = match counting {
            Counting::All => finished,
            Counting::Passed => passed(finished),
        };
        let count = counted.len();
        self.records.extend(counted);
        Ok(count)
    }
}

/// Tells whether a record is one that a run is followed by; what else a journal has follows from these.
fn is_result(record: &Record) -> bool {
    matches!(record, Record::Started { .. } | Record::Ended { .. } | Record::Judged { .. } | Record::Bisected { .. })
}

fn passed(records: Vec<(u64, Record)>) -> Vec<(u64, Record)> {
    let passed: BTreeSet<(TaskId, u32)> = records
        .iter()
        .filter_map(|(_, record)| match record {
            Record::Ended { task, attempt, .. } if attempt.outcome == Outcome::Passed => {
                Some((task.clone(), attempt.attempt))
            }
            _ => None,
        })
        .collect();
    let counts = |record: &Record| match record {
        Record::Started { task, attempt, .. } => passed.contains(&(task.clone(), *attempt)),
        Record::Ended { task, attempt, .. } => passed.contains(&(task.clone(), attempt.attempt)),
        Record::Judged { receipt } => receipt.state == GateState::Passed,
        _ => false,
    };
    records.into_iter().filter(|(_, record)| counts(record)).collect()
}
