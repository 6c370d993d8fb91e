//! What a run keeps for a later one: a journal, and a bundle of every patch that it names.
//!
//! Whoever reads it takes records and objects from it and nothing else. The pull request, the approver, the lock and the
//! rules are always those that were approved this time: this was written where subagents ran.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use implementer_model::{
    gate::GateState,
    ids::SubagentName,
    lock::Lock,
    record::{AttemptId, Outcome, Record, Timed},
    schedule::Schedule,
};

use crate::{
    journal::{self, JournalError, Seal},
    layout::{RunFile, StateFile, refs},
    workspace::{WorkspaceError, bundle, message::CommitMessage, store::RunStore},
};

/// What the name of a file ends with that is not whole yet.
const NEXT: &str = ".next";

/// The largest journal that is read, in bytes.
const JOURNAL_MAX: u64 = 256 * 1024 * 1024;

/// Says why what is finished could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// A file could not be written.
    #[error("cannot write {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The journal cannot be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The patches cannot be packed.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
}

/// Says why a kept folder does not count.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// There is no journal in it.
    #[error("it holds no journal")]
    NoJournal,
    /// Its journal cannot be read.
    #[error(transparent)]
    Journal(JournalError),
    /// Its journal does not say of which run it is.
    #[error("its journal does not begin as one")]
    NoBeginning,
    /// It was kept by another run.
    #[error("it is of another run")]
    OtherRun,
    /// It was kept for something else that was approved.
    #[error("it is of another lock")]
    OtherLock,
    /// Nothing beside its journal says of which lock it is.
    #[error("it does not say of which lock it is")]
    NoLock(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Its patches are not taken in.
    #[error(transparent)]
    Patches(#[from] WorkspaceError),
}

impl From<JournalError> for KeptError {
    fn from(error: JournalError) -> Self {
        if error.is_missing() { Self::NoJournal } else { Self::Journal(error) }
    }
}

fn writing(path: &Path) -> impl FnOnce(io::Error) -> KeepError {
    let path = path.to_owned();
    move |source| KeepError::File { path, source }
}

/// Whose work is kept.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The store that has every patch.
    pub store: &'a RunStore,
    /// What was approved.
    pub lock: &'a Lock,
    /// Who does what.
    pub schedule: &'a Schedule,
}

/// Writes what is finished into `folder`. Each file is replaced as a whole, the bundle first: a journal never names a patch
/// that the bundle beside it does not have, whenever the process is killed.
///
/// # Errors
/// When it cannot be written.
pub fn write(subject: &Subject<'_>, records: &[Timed], folder: &Path) -> Result<(), KeepError> {
    let mut wanted = Vec::new();
    for (_, record) in records {
        let Record::Ended(ended) = record else { continue };
        let Some(patch) = ended.attempt.patch.as_ref().filter(|patch| !patch.is_empty()) else { continue };
        let id = ended.id();
        wanted.push((refs::patch(&id), subject.store.patch_commit(patch, &message(subject, &id))?));
    }
    if !wanted.is_empty() {
        let next = folder.join(StateFile::Bundle.name().to_owned() + NEXT);
        bundle::write(subject.store, &wanted, &subject.lock.base, &next)?;
        let bundle = folder.join(StateFile::Bundle);
        fs::rename(&next, &bundle).map_err(writing(&bundle))?;
    }
    let next = folder.join(StateFile::Journal.name().to_owned() + NEXT);
    match fs::remove_file(&next) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(writing(&next)(error)),
        _ => {}
    }
    journal::write(&next, records)?;
    let journal = folder.join(StateFile::Journal);
    fs::rename(&next, &journal).map_err(writing(&journal))
}

/// Writes what a run finished whose folder is `run`, into the new folder `to`.
///
/// # Errors
/// When its journal is not ours, or nothing can be written.
pub fn write_of_run(
    repository: &Path,
    run: &Path,
    lock: &Lock,
    schedule: &Schedule,
    to: &Path,
) -> Result<(), KeepError> {
    let journal = run.join(RunFile::Journal);
    let seal = Seal::own().map_err(writing(&journal))?;
    let records = journal::read_sealed(&journal, &seal)?;
    let store = RunStore::reopen(repository, &run.join(RunFile::Store))?;
    fs::create_dir_all(to).map_err(writing(to))?;
    write(&Subject { store: &store, lock, schedule }, &records, to)
}

/// The message of the commit that carries a patch. Nobody reads it: the integrated commits are made anew.
fn message(subject: &Subject<'_>, id: &AttemptId) -> CommitMessage {
    let AttemptId { task, attempt } = id;
    let nobody = || SubagentName::new("subagent").expect("invariant: a plain word is a name");
    CommitMessage {
        title: format!("Patch of {task}"),
        body: String::new(),
        task: task.clone(),
        subagent: subject.schedule.task(task).map_or_else(nobody, |task| task.subagent.clone()),
        attempt: *attempt,
        lock: subject.lock.digest.clone(),
    }
}

/// Reads the records of a kept folder, and takes its patches into `store`. It must be of the lock, and of the run `run` where
/// one is named. `lock_beside` gives the lock of a folder whose journal holds results alone.
///
/// # Errors
/// When the folder is not what such a run keeps: nothing of it counts.
pub fn read(
    folder: &Path,
    lock: &Lock,
    run: Option<&str>,
    store: &RunStore,
    lock_beside: impl FnOnce() -> Result<Lock, KeptError>,
) -> Result<Vec<Timed>, KeptError> {
    let mut records = journal::read_at_most(&folder.join(StateFile::Journal), JOURNAL_MAX)?.into_iter().peekable();
    match records.next_if(|(_, first)| matches!(first, Record::Begun { .. })) {
        Some((_, Record::Begun { lock: found, run: of, .. })) if found == *lock && run.is_none_or(|run| run == of) => {}
        Some(_) => return Err(KeptError::OtherRun),
        None if run.is_some() => return Err(KeptError::NoBeginning),
        None if lock_beside()? != *lock => return Err(KeptError::OtherLock),
        None => {}
    }
    let bundle = folder.join(StateFile::Bundle);
    if fs::symlink_metadata(&bundle).is_ok_and(|meta| meta.is_file()) {
        bundle::take_patches(store, &bundle)?;
    }
    Ok(records.filter(|(_, record)| is_result(record)).collect())
}

/// Tells whether a record is one that a run is followed by; what else a journal has follows from these.
fn is_result(record: &Record) -> bool {
    matches!(
        record,
        Record::Started(_) | Record::Ended(_) | Record::Judged { .. } | Record::Bisected { .. } | Record::Kept(_)
    )
}

/// Leaves of records what passed.
#[must_use]
pub fn passed(records: Vec<Timed>) -> Vec<Timed> {
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

/// Leaves of the records of the last run what passed, but for the task `again`. Gives how many attempts stay, too.
#[must_use]
pub fn passed_but_for(records: Vec<Timed>, again: Option<&str>) -> (Vec<Timed>, usize) {
    let mut counted = passed(records);
    counted.retain(|(_, record)| match record {
        Record::Started(started) => Some(started.id.task.as_str()) != again,
        Record::Ended(ended) => Some(ended.id().task.as_str()) != again,
        _ => true,
    });
    let count = counted.iter().filter(|(_, record)| matches!(record, Record::Ended(_))).count();
    (counted, count)
}
