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
    ids::SubagentName,
    record::{AttemptId, Outcome, Record, Timed},
};

use super::{error::JobError, site::Site, state::StateDir};
use crate::{
    journal,
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
            let Record::Ended(ended) = record else { continue };
            let Some(patch) = ended.attempt.patch.as_ref().filter(|patch| !patch.is_empty()) else { continue };
            let id = ended.id();
            let commit = site.store.patch_commit(patch, &message(site, &id))?;
            wanted.push((refs::patch(&id), commit));
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
        journal::write(&next, &records)?;
        let journal = self.folder.join(StateFile::Journal);
        fs::rename(&next, &journal).map_err(JobError::writing(journal))?;
        self.records = records.len();
        Ok(())
    }
}

/// The message of the commit that carries a patch. Nobody reads it: the integrated commits are made anew.
fn message(site: &Site, id: &AttemptId) -> CommitMessage {
    let AttemptId { task, attempt } = id;
    let nobody = || SubagentName::new("subagent").expect("a plain word is a name");
    CommitMessage {
        title: format!("Patch of {task}"),
        body: String::new(),
        task: task.clone(),
        subagent: site.intake.schedule.task(task).map_or_else(nobody, |task| task.subagent.clone()),
        attempt: *attempt,
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
        let run = self.frozen.run.clone();
        let finished = self.read_kept(folder, Some(&run))?;
        let counted = match counting {
            Counting::All => finished,
            Counting::Passed => passed(finished),
        };
        let count = counted.len();
        self.records.extend(counted);
        Ok(count)
    }

    /// Adds what passed in the last run of the same lock, but for the task `again`. Gives how many attempts counted.
    ///
    /// # Errors
    /// When the folder is not what a run of this lock keeps. The error is a sentence, and nothing of the folder counts.
    pub fn add_kept_by_last_run(&mut self, folder: &Path, again: &str) -> Result<usize, String> {
        let mut counted = passed(self.read_kept(folder, None)?);
        counted.retain(|(_, record)| match record {
            Record::Started(started) => started.id.task.as_str() != again,
            Record::Ended(ended) => ended.id().task.as_str() != again,
            _ => true,
        });
        let count = counted.iter().filter(|(_, record)| matches!(record, Record::Ended(_))).count();
        self.records.extend(counted);
        Ok(count)
    }

    /// Reads the records of a kept folder, and takes its patches into the store. It must be of this lock, and of the run
    /// `run` where one is named.
    fn read_kept(&self, folder: &Path, run: Option<&str>) -> Result<Vec<Timed>, String> {
        let journal = folder.join(StateFile::Journal);
        let meta = fs::symlink_metadata(&journal).map_err(|_| "it holds no journal".to_owned())?;
        if !meta.is_file() || meta.len() > JOURNAL_MAX {
            return Err(format!("its journal is no plain file of at most {JOURNAL_MAX} bytes"));
        }
        let mut records = journal::read(&journal).map_err(|error| error.to_string())?.into_iter().peekable();
        match records.next_if(|(_, first)| matches!(first, Record::Begun { .. })) {
            Some((_, Record::Begun { lock, run: of, .. }))
                if lock == self.frozen.lock && run.is_none_or(|run| run == of) => {}
            Some(_) => return Err("it is of another run".to_owned()),
            None if run.is_some() => return Err("its journal does not begin as one".to_owned()),
            // The journal of a state has only what is finished; what it is of stands in its frozen file.
            None => {
                let frozen = StateDir::new(folder).frozen().map_err(|error| error.to_string())?;
                if frozen.lock != self.frozen.lock {
                    return Err("it is of another lock".to_owned());
                }
            }
        }
        let bundle = folder.join(StateFile::Bundle);
        if fs::symlink_metadata(&bundle).is_ok_and(|meta| meta.is_file()) {
            bundle::take_patches(&self.store, &bundle).map_err(|error| error.to_string())?;
        }
        Ok(records.filter(|(_, record)| is_result(record)).collect())
    }
}

/// Tells whether a record is one that a run is followed by; what else a journal has follows from these.
fn is_result(record: &Record) -> bool {
    matches!(record, Record::Started(_) | Record::Ended(_) | Record::Judged { .. } | Record::Bisected { .. })
}

fn passed(records: Vec<Timed>) -> Vec<Timed> {
    let passed: BTreeSet<AttemptId> = records
        .iter()
        .filter_map(|(_, record)| match record {
            Record::Ended(ended) if ended.attempt.outcome == Outcome::Passed => Some(ended.id()),
            _ => None,
        })
        .collect();
    let counts = |record: &Record| match record {
        Record::Started(started) => passed.contains(&started.id),
        Record::Ended(ended) => passed.contains(&ended.id()),
        Record::Judged { receipt } => receipt.state == GateState::Passed,
        _ => false,
    };
    records.into_iter().filter(|(_, record)| counts(record)).collect()
}
