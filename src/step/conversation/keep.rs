//! What a run in one step keeps for `/implement retry`, as an artifact that its overall check names.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use implementer_model::{conversation::command::Retry, lock::Lock, schedule::Schedule};

use super::{ConversationError, PullRequestContext, distributed::kept_by_last_run};
use crate::{
    artifacts::{ArtifactService, Packed, UploadError, pack},
    errors,
    execution::KeptByLastRun,
    kept,
    layout::RunFile,
    runtime::blocking,
    step::gather::{self, Bound, Source},
};

/// Where a run keeps what it finished, and what it wrote.
#[derive(Debug)]
pub struct Keep {
    /// What takes artifacts of the workflow run.
    pub service: Arc<ArtifactService>,
    /// The name of the artifact with what is finished, which no other of the workflow run has.
    pub name: String,
    /// The name of the artifact with the run's files.
    pub files: String,
}

/// Downloads what the last run of this lock finished. Nothing, when no run kept anything, or it is not what it should be.
///
/// # Errors
/// When it may be there and cannot be fetched: it would be done, and paid for, once more.
pub(super) async fn fetch(
    pull: &PullRequestContext,
    lock: &Lock,
    retry: &Retry,
    scratch: &Path,
) -> Result<Option<KeptByLastRun>, ConversationError> {
    let Some(bound) = kept_by_last_run(pull, lock).await? else {
        tracing::warn!("no run of this lock kept anything: the whole plan runs");
        return Ok(None);
    };
    // It is another workflow run's: the results service knows our own alone.
    let source = Source { github: pull.github().clone(), service: None };
    let downloaded = gather::download_content(&source, &bound, scratch, "last-run").await;
    match downloaded.map_err(ConversationError::KeptNotHere)? {
        Ok(folder) => Ok(Some(KeptByLastRun { folder, again: retry.task.clone(), goes_on: false })),
        Err(error) => {
            let why = errors::chain(&error);
            tracing::warn!("what the last run kept does not count, so the whole plan runs: {why}");
            Ok(None)
        }
    }
}

/// Uploads what a run in `folder` finished. Nothing, with a warning, when that cannot be: the run is what it is.
pub(super) async fn upload(
    keep: &Keep,
    repository: &Path,
    folder: &Path,
    (lock, schedule): (&Lock, &Schedule),
    scratch: &Path,
) -> Option<Bound> {
    let (repository, folder) = (repository.to_owned(), folder.to_owned());
    let (lock, schedule) = (lock.clone(), schedule.clone());
    let (to, zip) = (scratch.join("kept"), scratch.join("kept.zip"));
    let packed = blocking(move || {
        kept::write_of_run(&repository, &folder, &lock, &schedule, &to).map_err(|error| errors::chain(&error))?;
        pack(&to, &zip, |_| false).map_err(|error| errors::chain(&error))
    });
    let uploaded = match packed.await {
        Ok(packed) => keep.service.upload(&keep.name, &packed).await.map_err(|error| errors::chain(&error)),
        Err(why) => Err(why),
    };
    match uploaded {
        Ok(uploaded) => Some(Bound { id: uploaded.id, digest: uploaded.digest }),
        Err(why) => {
            tracing::warn!("what is finished could not be kept, so that a retry would run the whole plan: {why}");
            None
        }
    }
}

/// Why the files of a run are no artifact.
#[derive(Debug, thiserror::Error)]
pub enum NotUploaded {
    /// They cannot be packed.
    #[error("cannot pack {}", .0.display())]
    Pack(PathBuf, #[source] io::Error),
    /// The service does not take them.
    #[error(transparent)]
    Service(#[from] UploadError),
}

/// Uploads the files of a run, without the store that it was computed in.
///
/// # Errors
/// When they cannot be packed, or the service does not take them.
pub async fn upload_files(
    service: &ArtifactService,
    name: &str,
    folder: &Path,
    scratch: &Path,
) -> Result<Packed, NotUploaded> {
    let (from, zip) = (folder.to_owned(), scratch.join("run.zip"));
    let packed = blocking(move || pack(&from, &zip, |path| path.starts_with(RunFile::Store))).await;
    let packed = packed.map_err(|error| NotUploaded::Pack(folder.to_owned(), error))?;
    service.upload(name, &packed).await?;
    Ok(packed)
}
