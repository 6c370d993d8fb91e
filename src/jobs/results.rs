//! What one job made: a folder for each attempt, with a journal of two records, a bundle with the patch, and the files
//! that people read.

use std::{
    fs,
    path::{Path, PathBuf},
};

use implementer_model::{
    ids::{Digest, ObjectId},
    record::{AttemptId, AttemptRecords, Record},
    run::AttemptPlan,
};

use super::{error::JobError, site::Site};
use crate::{
    coordinator::commit_message,
    journal::{self, JournalError},
    layout::{ResultFile, refs},
    workspace::{WorkspaceError, bundle},
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

/// Says why the result of an attempt does not count.
#[derive(Debug, thiserror::Error)]
pub(super) enum ResultError {
    /// Nobody left one.
    #[error("its job left no result: it is lost")]
    Lost,
    /// It could not be fetched, in the words of whoever tried.
    #[error("{0}")]
    NotFetched(String),
    /// Several jobs left one.
    #[error("there are {} results of it, in {}: none of them counts", .0.len(), .0.join(" and "))]
    Several(Vec<String>),
    #[error("its result has no record of what happened")]
    NoRecord,
    #[error("its record is damaged")]
    Record(#[source] JournalError),
    #[error("its record is cut off after {0} of 3 entries")]
    CutOff(usize),
    #[error("its record does not begin as one")]
    NoBeginning,
    #[error("its record is not that of one attempt")]
    NotOneAttempt,
    #[error("it was made for the lock {found}, and this run has {wanted}")]
    OtherLock { found: Digest, wanted: Digest },
    #[error("it was made in the run {found}, and this is {wanted}")]
    OtherRun { found: String, wanted: String },
    #[error("it is the result of {0}")]
    OtherAttempt(AttemptId),
    #[error("it was made on {}, and the attempt starts from {}", found.short(), wanted.short())]
    OtherBase { found: ObjectId, wanted: ObjectId },
    #[error("it was made with another brief")]
    OtherBrief,
    #[error("the patches of this run have more than {} bytes together with it", bundle::BUNDLE_MAX)]
    NoRoom,
    #[error("its patch cannot be read")]
    Patch(#[from] WorkspaceError),
    #[error("its patch is not the one that its record tells of")]
    OtherPatch {
        /// Why the patch of the record cannot be made of what came; nothing when it can, and is another.
        source: Option<WorkspaceError>,
    },
}

impl From<JournalError> for ResultError {
    fn from(error: JournalError) -> Self {
        if error.is_missing() { Self::NoRecord } else { Self::Record(error) }
    }
}

/// Reads the result of an attempt.
///
/// # Errors
/// When it does not count.
pub(super) fn read(site: &Site, plan: &AttemptPlan, folder: &Path) -> Result<Counted, ResultError> {
    let records = journal::read_at_most(&folder.join(ResultFile::Records), RESULT_MAX)?;
    let [(_, Record::Begun { lock, run, .. }), (_, started), (at_ms, ended)] =
        <[_; 3]>::try_from(records).map_err(|records: Vec<_>| ResultError::CutOff(records.len()))?
    else {
        return Err(ResultError::NoBeginning);
    };
    if lock != site.frozen.lock {
        return Err(ResultError::OtherLock { found: lock.digest, wanted: site.frozen.lock.digest.clone() });
    }
    if run != site.frozen.run {
        return Err(ResultError::OtherRun { found: text(&run), wanted: site.frozen.run.clone() });
    }
    let (Record::Started(started), Record::Ended(ended)) = (started, ended) else {
        return Err(ResultError::NotOneAttempt);
    };
    let records = AttemptRecords::new(started, *ended).map_err(|_| ResultError::NotOneAttempt)?;
    let started = records.started();
    if started.id != plan.id {
        return Err(ResultError::OtherAttempt(started.id.clone()));
    }
    if started.base != plan.base {
        return Err(ResultError::OtherBase { found: started.base.clone(), wanted: plan.base.clone() });
    }
    if started.brief != Digest::from_content(&plan.brief) || records.ended().attempt.because != plan.because {
        return Err(ResultError::OtherBrief);
    }
    let bundle = records.patch().map(|_| folder.join(ResultFile::Patch));
    Ok(Counted { at_ms, records, bundle })
}

fn text(untrusted: &str) -> String {
    implementer_model::text::truncate(&implementer_model::text::plain(untrusted), 80)
}
