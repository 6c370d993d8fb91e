//! Artifacts of other jobs: downloaded, checked against the digest that their job said, and unpacked, several at a time.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use implementer_model::{
    github_ids::{ArtifactId, RunId},
    ids::Digest,
};
use tokio::task::JoinSet;

use crate::{
    artifacts::{ArtifactService, ExtractError, Limits, Listed, ReadError, Uploaded, extract},
    github::{Artifact, ArtifactError, Github, GithubError},
    runtime::blocking,
};

/// How many artifacts are downloaded at one time.
const AT_ONCE: usize = 8;

/// Where the artifacts of a run are read.
#[derive(Debug, Clone)]
pub struct Source {
    /// REST, which knows every attempt at every run, and counts.
    pub github: Github,
    /// The results service, where it is our own run: it knows what this attempt uploaded, and does not count.
    pub service: Option<Arc<ArtifactService>>,
}

impl Source {
    /// Lists the artifacts of a run. A service that does not answer is no reason to fail: REST knows the same.
    ///
    /// # Errors
    /// When neither can be asked.
    pub async fn list(&self, run: RunId) -> Result<Vec<Artifact>, GithubError> {
        let Some(service) = &self.service else { return self.github.artifacts(run).await };
        match service.list().await {
            Ok(listed) => {
                let known = |listed: &Listed| Artifact {
                    id: listed.id,
                    name: listed.name.clone(),
                    size_in_bytes: 0,
                    digest: None,
                    expired: false,
                };
                Ok(listed.iter().map(known).collect())
            }
            Err(error) => {
                tracing::info!(%error, "the results service does not list artifacts; REST is asked");
                self.github.artifacts(run).await
            }
        }
    }

    async fn download(&self, bound: &Bound, zip: &Path) -> Result<(), ArtifactError> {
        let (id, wanted) = (bound.id, &bound.digest);
        let Some(service) = &self.service else { return self.github.download_artifact(id, wanted, zip).await };
        match service.download(id, wanted, zip).await {
            Ok(()) => Ok(()),
            Err(ReadError::Tampered { id, found }) => {
                Err(ArtifactError::Tampered { id, found, wanted: wanted.clone() })
            }
            Err(ReadError::TooLarge(id)) => Err(ArtifactError::TooLarge { id }),
            Err(ReadError::Io { path, source }) => Err(ArtifactError::Io { doing: "write", path, source }),
            Err(error @ (ReadError::NotHere { .. } | ReadError::BrokeOff { .. })) => {
                tracing::info!(%error, "REST is asked");
                self.github.download_artifact(id, wanted, zip).await
            }
        }
    }
}

/// An artifact as jobs name it to each other: `ID:SHA256`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// Its id.
    pub id: ArtifactId,
    /// The digest of its zip.
    pub digest: Digest,
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.id, self.digest.hex())
    }
}

impl Bound {
    /// Reads what a job says.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (id, hex) = text.split_once(':')?;
        Some(Self { id: id.parse().ok()?, digest: Digest::new(format!("sha256:{hex}")).ok()? })
    }

    /// Says what was uploaded.
    #[must_use]
    pub fn say(uploaded: &Uploaded) -> String {
        format!("{}:{}", uploaded.id, uploaded.digest.hex())
    }
}

/// Says why what another job uploaded cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// It was not downloaded.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// It was not unpacked.
    #[error("the artifact {id} was not unpacked")]
    Unpack {
        /// Its id.
        id: ArtifactId,
        /// Why.
        source: ExtractError,
    },
}

impl DownloadError {
    /// Tells whether it says something about what was uploaded. Everything else is the platform's, and says nothing about
    /// anybody's work.
    #[must_use]
    pub fn is_about_the_content(&self) -> bool {
        match self {
            Self::Artifact(ArtifactError::Tampered { .. } | ArtifactError::TooLarge { .. }) => true,
            Self::Artifact(_) => false,
            Self::Unpack { source, .. } => !matches!(source, ExtractError::Io { .. }),
        }
    }
}

/// Says that what was downloaded is not what it should be. Only this counts against whoever made it.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct BadContent(DownloadError);

/// Downloads an artifact as [`download`] does, into the folder `name` of `folder`. Gives that folder, or why its content
/// counts for nothing.
///
/// # Errors
/// When it may be there and cannot be fetched.
pub async fn download_content(
    source: &Source,
    bound: &Bound,
    folder: &Path,
    name: &str,
) -> Result<Result<PathBuf, BadContent>, DownloadError> {
    let to = folder.join(name);
    match download(source, bound, &folder.join(format!("{name}.zip")), &to).await {
        Ok(()) => Ok(Ok(to)),
        Err(error) if error.is_about_the_content() => Ok(Err(BadContent(error))),
        Err(error) => Err(error),
    }
}

/// Downloads artifacts, each with the number of its slot, and unpacks each into a folder of its own below `to`. Gives
/// for each slot the folder, or why there is none.
pub async fn gather(
    source: &Source,
    wanted: &[(usize, Bound)],
    to: &Path,
) -> BTreeMap<usize, Result<PathBuf, DownloadError>> {
    let mut waiting = wanted.iter().cloned();
    let mut downloads = JoinSet::new();
    let mut came = BTreeMap::new();
    loop {
        while downloads.len() < AT_ONCE
            && let Some((slot, bound)) = waiting.next()
        {
            let source = source.clone();
            let (zip, folder) = (to.join(format!("{slot}.zip")), to.join(format!("slot-{slot}")));
            downloads.spawn(async move { (slot, download(&source, &bound, &zip, &folder).await.map(|()| folder)) });
        }
        match downloads.join_next().await {
            None => return came,
            Some(Ok((slot, result))) => drop(came.insert(slot, result)),
            Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

/// Downloads an artifact to the new file `zip`, and unpacks it into the new folder `to`. The file is removed.
///
/// # Errors
/// When it cannot be fetched, is another one, or is not to be unpacked.
pub async fn download(source: &Source, bound: &Bound, zip: &Path, to: &Path) -> Result<(), DownloadError> {
    source.download(bound, zip).await?;
    let (from, into) = (zip.to_owned(), to.to_owned());
    let unpacked = blocking(move || {
        let result = extract(&from, &into, &Limits::default());
        // What was unpacked is enough; a wave of zips would fill the disk twice.
        let _ = fs::remove_file(&from);
        result
    });
    unpacked.await.map_err(|source| DownloadError::Unpack { id: bound.id, source })
}
