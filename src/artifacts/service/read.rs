//! Reading artifacts of the same attempt at a run through the results service, as GitHub's own client does: it costs nothing of
//! the 1,000 REST requests that a repository's workflows have in an hour.

use std::path::Path;

use implementer_model::{github_ids::ArtifactId, ids::Digest};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ArtifactService, ServiceCall, UploadError};
use crate::{
    errors,
    http::{
        Again,
        blob::{self, BlobError},
    },
};

/// The largest artifact that is downloaded, in bytes.
const ARTIFACT_MAX_BYTES: u64 = 2 * 1024 * 1024 * 1024;

/// An artifact, as the service lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its id, as REST knows it.
    pub id: ArtifactId,
    /// Its name.
    pub name: String,
    /// Run and job that uploaded it, as the service knows them.
    of: (String, String),
}

/// The job that uploaded an artifact, as the service knows it: its run, and itself within that. The service takes both from
/// the token of whoever uploads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Uploader<'a>(&'a str, &'a str);

/// Says why the service did not give an artifact.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It does not have it, or does not answer. REST may have it: that knows every attempt at a run.
    #[error("the results service does not give the artifact {id}: {why}")]
    NotHere {
        /// Its id.
        id: ArtifactId,
        /// Why.
        why: String,
    },
    /// The blob store does not give it.
    #[error("downloading the artifact {id} broke off after {bytes} bytes: {why}")]
    BrokeOff {
        /// Its id.
        id: ArtifactId,
        /// How much came.
        bytes: u64,
        /// Why.
        why: String,
    },
    /// It is not the one that its job uploaded.
    #[error("the artifact {id} has the digest {found}, and the job that made it says another")]
    Tampered {
        /// Its id.
        id: ArtifactId,
        /// The digest that it has.
        found: Digest,
    },
    /// It is larger than anybody should download.
    #[error("the artifact {0} is larger than {ARTIFACT_MAX_BYTES} bytes")]
    TooLarge(ArtifactId),
    /// The disk failed.
    #[error("cannot write {path}")]
    Io {
        /// The file.
        path: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

// The JSON of protocol buffers may have either spelling; readers take both. 64 bits are text in it.
#[derive(Deserialize)]
struct RawListed {
    #[serde(alias = "workflowRunBackendId")]
    workflow_run_backend_id: String,
    #[serde(alias = "workflowJobRunBackendId")]
    workflow_job_run_backend_id: String,
    #[serde(alias = "databaseId")]
    database_id: Value,
    name: String,
}

impl ArtifactService {
    /// Returns who uploaded an artifact, where the service tells. GitHub's does, and names jobs by UUIDs; what imitates it gives
    /// back the one who asks, or always the same.
    #[must_use]
    pub fn uploader<'a>(&self, listed: &'a Listed) -> Option<Uploader<'a>> {
        let (run, job) = &listed.of;
        (is_uuid(job) && *job != self.job).then_some(Uploader(run, job))
    }

    /// Lists what this attempt at the run had uploaded when it was first asked for.
    ///
    /// # Errors
    /// When the service cannot be asked, or answers something else.
    pub async fn list(&self) -> Result<&[Listed], UploadError> {
        Ok(self.listed.get_or_try_init(|| self.ask_for_list()).await?)
    }

    async fn ask_for_list(&self) -> Result<Vec<Listed>, UploadError> {
        #[derive(Deserialize)]
        struct Answer {
            // Protocol buffers leave out what is empty.
            #[serde(default)]
            artifacts: Vec<RawListed>,
        }
        let body = json!({ "workflow_run_backend_id": self.run, "workflow_job_run_backend_id": self.job });
        let call = ServiceCall { doing: "listing", operation: "ListArtifacts", name: "of the run", body: &body };
        let answer: Answer = self.call_once(call).await?;
        let listed = answer.artifacts.into_iter().map(|raw| {
            let id = super::artifact_id(&raw.database_id)
                .ok_or_else(|| super::refused("listing", &raw.name, "the service gives it no id", false))?;
            let of = (raw.workflow_run_backend_id, raw.workflow_job_run_backend_id);
            Ok(Listed { id, name: raw.name, of })
        });
        listed.collect()
    }

    /// Downloads an artifact of this attempt to the new file `to`. Its digest must be the one that its job said.
    ///
    /// # Errors
    /// When the service does not have it, it is another one, or it cannot be fetched.
    pub async fn download(&self, id: ArtifactId, wanted: &Digest, to: &Path) -> Result<(), ReadError> {
        let not_here = |why: String| ReadError::NotHere { id, why };
        let listed = self.list().await.map_err(|error| not_here(errors::chain(&error)))?;
        let artifact = listed.iter().find(|artifact| artifact.id == id);
        let artifact = artifact.ok_or_else(|| not_here("it lists none of that id".to_owned()))?;
        // What the service itself refuses, REST is asked at once.
        let again = |error: &ReadError| match error {
            ReadError::BrokeOff { .. } => Again::Soon,
            _ => Again::No,
        };
        self.pace.retry(self.pace.longest_named_wait, again, || self.resume(artifact, to), || ()).await?;
        let found = blob::digest(to).await.map_err(|source| ReadError::Io { path: to.to_owned(), source })?;
        if found == *wanted {
            return Ok(());
        }
        // What is not what it should be must not be taken for it later.
        let _ = tokio::fs::remove_file(to).await;
        Err(ReadError::Tampered { id, found })
    }

    /// Downloads what is not there yet.
    async fn resume(&self, artifact: &Listed, to: &Path) -> Result<(), ReadError> {
        #[derive(Deserialize)]
        struct Signed {
            #[serde(alias = "signedUrl")]
            signed_url: String,
        }
        let id = artifact.id;
        let not_here = |why: String| ReadError::NotHere { id, why };
        let (run, job) = &artifact.of;
        let body = json!({ "workflow_run_backend_id": run, "workflow_job_run_backend_id": job, "name": artifact.name });
        let (doing, operation) = ("asking for", "GetSignedArtifactURL");
        let call = ServiceCall { doing, operation, name: &artifact.name, body: &body };
        let signed: Signed = self.call_once(call).await.map_err(|error| not_here(errors::chain(&error)))?;
        blob::download_rest(&self.client, &signed.signed_url, to, ARTIFACT_MAX_BYTES).await.map_err(|error| match error
        {
            BlobError::TooLarge => ReadError::TooLarge(id),
            BlobError::Io { path, source } => ReadError::Io { path, source },
            BlobError::BrokeOff { bytes, why } => ReadError::BrokeOff { id, bytes, why },
            BlobError::Gone => not_here(BlobError::Gone.to_string()),
        })
    }
}

fn is_uuid(id: &str) -> bool {
    let lengths = id.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && id.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}
