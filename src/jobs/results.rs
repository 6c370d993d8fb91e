//! What one job made: a folder for each attempt, with a journal of two records, a bundle with the patch, and the files
//! that people read.

use std::{
    fs,
    path::{Path, PathBuf},
};

use implementer_model::{handoff::AttemptRecord, patch::Patch};

use super::{
    error::JobError,
    site::{AttemptName, Site},
    state::write_journal,
};
use crate::{
    coordinator::{Order, commit_message},
    journal::{self, Record},
    layout::{ResultFile, refs},
    workspace::bundle,
};

/// The largest bundle of one attempt's patch that is taken in, in bytes.
pub(super) const PATCH_MAX: u64 = 512 * 1024 * 1024;

/// The largest journal of a result that is read, in bytes: reports are at most 1 MiB, lists of paths the rest.
const RESULT_MAX: u64 = 64 * 1024 * 1024;

/// Writes the result of an attempt into `folder`: its records, and its patch as a bundle on the attempt's base.
pub(super) async fn write(
    site: &Site,
    order: &Order,
    at_ms: u64,
    records: [Record; 2],
    folder: &Path,
) -> Result<(), JobError> {
    fs::create_dir_all(folder).map_err(JobError::writing(folder))?;
    let name = AttemptName::of(order);
    if let Record::Ended { attempt, .. } = &records[1]
        && let Some(patch) = attempt.patch.as_ref().filter(|patch| !patch.is_empty())
    {
        let message = commit_message(&site.frozen.lock, &order.task, order.attempt);
        let commit = site.store.patch_commit(patch, &message)?;
        bundle::write(
            &site.store,
            &[(refs::patch(&name.task, name.attempt), commit)],
            &order.base,
            &folder.join(ResultFile::Patch),
        )?;
    }
    write_records(site, at_ms, records, folder).await
}

/// Writes the records of an attempt into `folder`, as the result of one that has no patch.
pub(super) async fn write_records(
    site: &Site,
    at_ms: u64,
    records: [Record; 2],
    folder: &Path,
) -> Result<(), JobError> {
    fs::create_dir_all(folder).map_err(JobError::writing(folder))?;
    let [started, ended] = records;
    write_journal(&folder.join(ResultFile::Records), &[(0, site.frozen.begun()), (at_ms, started), (at_ms, ended)])
        .await
}

/// A result that was read and belongs to what was asked for.
pub(super) struct Counted {
    pub(super) records: [(u64, Record); 2],
    /// The bundle with the patch, where there is one.
    pub(super) bundle: Option<PathBuf>,
}

impl Counted {
    /// Returns the patch, where there is one with anything in it.
    pub(super) fn patch(&self) -> Option<&Patch> {
        let Record::Ended { attempt, .. } = &self.records[1].1 else { return None };
        attempt.patch.as_ref().filter(|patch| !patch.is_empty())
    }
}

/// Reads the result of an attempt. The error is a sentence that says why it does not count.
pub(super) fn read(site: &Site, order: &Order, folder: &Path) -> Result<Counted, String> {
    let path = folder.join(ResultFile::Records);
    let meta = fs::symlink_metadata(&path).map_err(|_| "its result has no record of what happened".to_owned())?;
    if !meta.is_file() || meta.len() > RESULT_MAX {
        return Err(format!("its record is no plain file of at most {RESULT_MAX} bytes"));
    }
    let records = journal::read(&path).map_err(|error| format!("its record is damaged: {error}"))?;
    let [(_, Record::Begun { lock, run, .. }), started, ended] = <[_; 3]>::try_from(records)
        .map_err(|records: Vec<_>| format!("its record is cut off after {} of 3 entries", records.len()))?
    else {
        return Err("its record does not begin as one".to_owned());
    };
    if lock != site.frozen.lock {
        return Err(format!("it was made for the lock {}, and this run has {}", lock.digest, site.frozen.lock.digest));
    }
    if run != site.frozen.run {
        return Err(format!("it was made in the run {}, and this is {}", text(&run), site.frozen.run));
    }
    let name = AttemptName::of(order);
    match (&started.1, &ended.1) {
        (Record::Started { task, attempt, base, brief }, Record::Ended { task: ended_task, attempt: record, .. })
            if task == ended_task && *attempt == record.attempt =>
        {
            if *task != name.task || *attempt != name.attempt {
                return Err(format!("it is the result of {task}#{attempt}"));
            }
            if *base != order.base {
                return Err(format!(
                    "it was made on {}, and the attempt starts from {}",
                    base.short(),
                    order.base.short()
                ));
            }
            if *brief != implementer_model::ids::Digest::of(&order.brief) || record.because != order.because {
                return Err("it was made with another brief".to_owned());
            }
            let bundle = has_patch(record).then(|| folder.join(ResultFile::Patch));
            Ok(Counted { records: [started, ended], bundle })
        }
        _ => Err("its record is not that of one attempt".to_owned()),
    }
}

fn has_patch(record: &AttemptRecord) -> bool {
    record.patch.as_ref().is_some_and(|patch| !patch.is_empty())
}

fn text(untrusted: &str) -> String {
    implementer_model::text::truncate(&implementer_model::text::plain(untrusted), 80)
}
