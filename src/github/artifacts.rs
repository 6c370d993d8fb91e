//! Artifacts of a workflow run through REST: listed, and downloaded to the disk.

use std::path::{Path, PathBuf};

use ::http::header;
use implementer_model::{
    github_ids::{ArtifactId, RunId},
    ids::Digest,
};
use secrecy::ExposeSecret as _;
use serde::Deserialize;

use super::{Github, GithubError, GithubErrorKind};
use crate::http::{
    self, Again, Pace, Timeouts,
    blob::{self, BlobError},
};

/// The largest artifact that is downloaded, in bytes.
pub const ARTIFACT_MAX_BYTES: u64 = 2 * 1024 * 1024 * 1024;

/// How often a download is resumed at most.
const RESUMPTIONS: usize = 5;

/// An artifact of a run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Artifact {
    /// Its id.
    pub id: ArtifactId,
    /// Its name.
    pub name: String,
    /// The size of its zip in bytes.
    #[serde(default)]
    pub size_in_bytes: u64,
    /// The digest of its zip as `sha256:…`, where the server tells.
    #[serde(default)]
    pub digest: Option<String>,
    /// Whether it is gone.
    #[serde(default)]
    pub expired: bool,
}

/// Says why an artifact cannot be fetched.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// GitHub could not be asked.
    #[error(transparent)]
    Github(#[from] GithubError),
    /// There is none, or not any more.
    #[error("there is no artifact {0}: it was deleted, has expired, or never was")]
    Lost(ArtifactId),
    /// It is not the one that its job uploaded.
    #[error("the artifact {id} has the digest {found}, and the job that made it says {wanted}: it was tampered with")]
    Tampered {
        /// Its id.
        id: ArtifactId,
        /// The digest that it has.
        found: Digest,
        /// The digest that it should have.
        wanted: Digest,
    },
    /// It is larger than anybody should download.
    #[error("the artifact {id} is larger than {ARTIFACT_MAX_BYTES} bytes")]
    TooLarge {
        /// Its id.
        id: ArtifactId,
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
    /// The disk failed.
    #[error("cannot {doing} {path}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Github {
    /// Lists the artifacts of a workflow run. Needs `actions: read`.
    ///
    /// # Errors
    /// When GitHub cannot be asked.
    pub async fn artifacts(&self, run: RunId) -> Result<Vec<Artifact>, GithubError> {
        #[derive(Deserialize)]
        struct Page {
            artifacts: Vec<Artifact>,
        }
        let path = self.path(&format!("actions/runs/{run}/artifacts"));
        self.fetch_all("listing the run's artifacts", &path, |page: Page| page.artifacts).await
    }

    /// Downloads the zip of an artifact to the new file `to`, piece by piece; what broke off is resumed. Its digest
    /// must be the one that the job said which uploaded it.
    ///
    /// # Errors
    /// When there is none, it is another one, or it cannot be fetched.
    pub async fn download_artifact(&self, id: ArtifactId, wanted: &Digest, to: &Path) -> Result<(), ArtifactError> {
        // One for all downloads: each new one reads the system's certificates, and has no connection yet.
        let client = self
            .downloads()
            .get_or_try_init(async || http::client(Timeouts::Silence).map_err(|error| broken(&error)))
            .await?;
        let pace = Pace { repetitions: RESUMPTIONS, ..self.settings().pace };
        let again = |error: &ArtifactError| match error {
            ArtifactError::BrokeOff { .. } => Again::Soon,
            ArtifactError::Github(GithubError { kind: GithubErrorKind::RateLimited { wait: Some(wait) }, .. }) => {
                Again::After(*wait)
            }
            ArtifactError::Github(error) if error.kind.may_repeat(true) => Again::Soon,
            _ => Again::No,
        };
        pace.retry(pace.longest_named_wait, again, || self.resume(client, id, to), || ()).await?;
        let found = blob::digest(to).await.map_err(|source| ArtifactError::Io {
            doing: "read",
            path: to.to_owned(),
            source,
        })?;
        if found == *wanted {
            return Ok(());
        }
        // What is not what it should be must not be taken for it later.
        let _ = tokio::fs::remove_file(to).await;
        Err(ArtifactError::Tampered { id, found, wanted: wanted.clone() })
    }

    /// Downloads what is not there yet.
    async fn resume(&self, client: &reqwest::Client, id: ArtifactId, to: &Path) -> Result<(), ArtifactError> {
        let url = self.blob_url(client, id).await?;
        blob::download_rest(client, &url, to, ARTIFACT_MAX_BYTES).await.map_err(|error| match error {
            BlobError::Gone => ArtifactError::Lost(id),
            BlobError::TooLarge => ArtifactError::TooLarge { id },
            BlobError::BrokeOff { bytes, why } => ArtifactError::BrokeOff { id, bytes, why },
            BlobError::Io { path, source } => ArtifactError::Io { doing: "write", path, source },
        })
    }

    /// Asks where the zip is. The answer is a signed address, good for minutes, and a secret for as long.
    async fn blob_url(&self, client: &reqwest::Client, id: ArtifactId) -> Result<String, ArtifactError> {
        let operation = "asking for an artifact";
        let api = self.settings().api_url.trim_end_matches('/');
        let url = format!("{api}{}", self.path(&format!("actions/artifacts/{id}/zip")));
        let request = client.get(url).bearer_auth(self.settings().token.expose_secret());
        let request = request.header(header::ACCEPT, "application/vnd.github+json");
        let request = request.header(header::USER_AGENT, "backend-implementer");
        let answer = request.send().await.map_err(|error| broken(&error))?;
        self.count_read();
        let (status, headers) = (answer.status(), answer.headers().clone());
        if status.is_redirection()
            && let Some(to) = headers.get(header::LOCATION).and_then(|to| to.to_str().ok())
        {
            return Ok(to.to_owned());
        }
        let body = answer.bytes().await.unwrap_or_default();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |now| now.as_secs());
        match GithubErrorKind::of_answer(status, &headers, &body, now) {
            GithubErrorKind::NotFound => Err(ArtifactError::Lost(id)),
            kind => Err(GithubError { operation, kind }.into()),
        }
    }
}

fn broken(error: &reqwest::Error) -> GithubError {
    let kind = if error.is_connect() {
        GithubErrorKind::Unreachable("no connection".to_owned())
    } else {
        GithubErrorKind::Interrupted(http::cause(error).to_owned())
    };
    GithubError { operation: "asking for an artifact", kind }
}
