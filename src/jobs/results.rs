//! What one job made: a folder for each attempt, with a journal of two records, a bundle with the patch, and the files
//! that people read.

use std::{
    fs,
    path::{Path, PathBuf},
};

use implementer_model::{
    ids::Digest,
    record::{AttemptRecords, Record},
    run::AttemptPlan,
};

use super::{error::JobError, site::Site};
use crate::{
    coordinator::commit_message,
    journal,
    layout::{ResultFile, refs},
    workspace::bundle,
};

/// The largest bundle of one attempt's patch that is taken in, in bytes.
pub(super) const PATCH_MAX: u64 = 512 * 1024 * 1024;

/// The largest journal of a result that is read, in bytes: reports are at most 1 MiB, lists of paths the rest.
const RESULT_MAX: u64 = 64 * 1024 * 1024;

/// Writes the result of an attempt into `folder`: its records, and its patch as a bundle on the attempt's base.
pub(super) fn write(
    site: &Site,
    plan: &AttemptPlan,
    at_ms: u64,
    records: AttemptRecords,
    folder: &Path,
) -> Result<(), JobError> {
    fs::create_dir_all(folder).map_err(JobError::writing(folder))?;
    if let Some(patch) = records.patch() {
        let message = commit_message(&site.frozen.lock, &plan.task, plan.id.attempt);
        let commit = site.store.patch_commit(patch, &message)?;
        bundle::write(&site.store, &[(refs::patch(&plan.id), commit)], &plan.base, &folder.join(ResultFile::Patch))?;
    }
    write_records(site, at_ms, records, folder)
}

/// Writes the records of an attempt into `folder`, as the result of one that has no patch.
pub(super) fn write_records(site: &Site, at_ms: u64, records: AttemptRecords, folder: &Path) -> Result<(), JobError> {
    fs::create_dir_all(folder).map_err(JobError::writing(folder))?;
    let records = records.into_records().map(|record| (at_ms, record));
    let records: Vec<_> = std::iter::once((0, site.frozen.begun())).chain(records).collect();
    Ok(journal::write(&folder.join(ResultFile::Records), &records)?)
}

/// A result that was read and belongs to what was asked for.
pub(super) struct Counted {
    /// When the job wrote its records, in milliseconds since the run began.
    pub(super) at_ms: u64,
    pub(super) records: AttemptRecords,
    /// The bundle with the patch, where there is one.
    pub(super) bundle: Option<PathBuf>,
}

/// Reads the result of an attempt. The error is a sentence that says why it does not count.
pub(super) fn read(site: &Site, plan: &AttemptPlan, folder: &Path) -> Result<Counted, String> {
    let path = folder.join(ResultFile::Records);
    let meta = fs::symlink_metadata(&path).map_err(|_| "its result has no record of what happened".to_owned())?;
    if !meta.is_file() || meta.len() > RESULT_MAX {
        return Err(format!("its record is no plain file of at most {RESULT_MAX} bytes"));
    }
    let records = journal::read(&path).map_err(|error| format!("its record is damaged: {error}"))?;
    let [(_, Record::Begun { lock, run, .. }), (_, started), (at_ms, ended)] = <[_; 3]>::try_from(records)
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
    let (Record::Started(started), Record::Ended(ended)) = (started, ended) else {
        return Err("its record is not that of one attempt".to_owned());
    };
    let records =
        AttemptRecords::new(started, *ended).map_err(|_| "its record is not that of one attempt".to_owned())?;
    let started = records.started();
    if started.id != plan.id {
        return Err(format!("it is the result of {}", started.id));
    }
    if started.base != plan.base {
        let (made_on, base) = (started.base.short(), plan.base.short());
        return Err(format!("it was made on {made_on}, and the attempt starts from {base}"));
    }
    if started.brief != Digest::of(&plan.brief) || records.ended().attempt.because != plan.because {
        return Err("it was made with another brief".to_owned());
    }
    let bundle = records.patch().map(|_| folder.join(ResultFile::Patch));
    Ok(Counted { at_ms, records, bundle })
}

fn text(untrusted: &str) -> String {
    implementer_model::text::truncate(&implementer_model::text::plain(untrusted), 80)
}
