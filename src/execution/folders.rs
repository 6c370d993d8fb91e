//! The folders of a run: its own, that of one that is resumed, and the one for work trees.

use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

use implementer_model::{
    lock::Lock,
    record::{JOURNAL_VERSION, Record},
    run,
};

use super::{ExecutionError, Out, Resume};
use crate::{
    coordinator::{Resumed, RunError},
    errors,
    journal::{self, Journal, JournalError, Seal},
    layout::RunFile,
    run_dir::{RunDir, RunDirError},
    untrusted,
};

/// Makes the run's folder, or finds that of a run of the same lock that broke off.
pub(super) fn run_folder(
    out: &Out,
    run: &str,
    lock: &Lock,
    resume: Resume,
    seal: &Seal,
) -> Result<(RunDir, Option<Resumed>), ExecutionError> {
    let required = resume == Resume::Required;
    let broke_off = match out {
        _ if resume == Resume::Never => None,
        Out::Folder(folder) if folder.join(RunFile::Journal).is_file() => {
            let fits = resumable(folder, lock, seal)?;
            // Asked for by name, it is an error when it cannot be; else the folder is simply taken.
            if fits || required { Some(folder.clone()) } else { return Ok((RunDir::create(folder)?, None)) }
        }
        Out::Folder(_) => None,
        Out::Below(folder) => RunDir::runs(folder).into_iter().find(|run| match resumable(run, lock, seal) {
            Ok(resumable) => resumable,
            Err(error) => {
                // A run folder that somebody planted is passed over, and named.
                tracing::warn!("{}", errors::chain(&error));
                false
            }
        }),
    };
    let Some(folder) = broke_off else {
        return match out {
            Out::Folder(path) | Out::Below(path) if required => {
                Err(RunDirError::NothingToResume { path: path.clone() }.into())
            }
            Out::Folder(folder) => Ok((RunDir::create(folder)?, None)),
            Out::Below(folder) => Ok((RunDir::create_default(folder, run)?, None)),
        };
    };
    let run_dir = RunDir::resume(&folder)?;
    let (journal, records) =
        Journal::resume_sealed(&run_dir.path(RunFile::Journal), lock, seal).map_err(RunError::from)?;
    if run::is_over(&records) {
        return Err(RunDirError::Taken { path: folder }.into());
    }
    Ok((run_dir, Some(Resumed { journal, records })))
}

/// Tells whether a folder holds a run of this lock that is not over. Fails when somebody else wrote it.
fn resumable(folder: &Path, lock: &Lock, seal: &Seal) -> Result<bool, RunError> {
    let records = match journal::read_sealed(&folder.join(RunFile::Journal), seal) {
        Ok(records) => records,
        Err(error @ JournalError::Foreign { .. }) => return Err(error.into()),
        Err(_) => return Ok(false),
    };
    let same = records.first().is_none_or(|(_, first)| match first {
        Record::Begun { lock: found, version, .. } => found.digest == lock.digest && *version <= JOURNAL_VERSION,
        _ => false,
    });
    Ok(same && !run::is_over(&records))
}

/// A folder for work trees and temporary files. It goes when it is dropped, whatever was made in it.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Returns the folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = untrusted::remove(&self.path) {
            tracing::warn!(%error, path = %self.path.display(), "a folder for work trees could not be removed");
        }
    }
}

/// Makes the folder for work trees and temporary files. It lies outside the repository: build tools look for their
/// workspace in the folders above, and must not find the user's checkout there.
///
/// # Errors
/// When it cannot be made.
pub fn scratch() -> Result<Scratch, ExecutionError> {
    let parent = std::env::var_os("RUNNER_TEMP").map_or_else(std::env::temp_dir, PathBuf::from);
    // For nobody else: what lies here is the work of subagents.
    let for_us = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    let made = tempfile::Builder::new().prefix("backend-implementer-").permissions(for_us).tempdir_in(&parent);
    made.map(|made| Scratch { path: made.keep() }).map_err(|source| {
        let doing = format!("make a folder for work trees in {}; set TMPDIR to a writable folder", parent.display());
        ExecutionError::Surroundings { doing, source }
    })
}

/// Names a run: when it began, and what it was approved for.
#[must_use]
pub fn run_id(started: SystemTime, lock: &str) -> String {
    let time = humantime::format_rfc3339_millis(started).to_string();
    let time: String = time.chars().filter(char::is_ascii_digit).collect();
    format!("{time}-{lock}")
}
