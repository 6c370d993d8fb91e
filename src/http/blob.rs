//! Blobs from signed addresses: to the disk, piece by piece; what broke off is gone on with.

use std::path::{Path, PathBuf};

use ::http::header;
use implementer_model::ids::Digest;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};

/// Says why a blob did not come whole.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BlobError {
    /// It is not there any more.
    #[error("it is not there any more")]
    Gone,
    /// It is larger than anybody should download.
    #[error("it is too large")]
    TooLarge,
    /// The connection or the store failed; another request goes on from there.
    #[error("it broke off after {bytes} bytes: {why}")]
    BrokeOff {
        /// How much came.
        bytes: u64,
        /// Why.
        why: String,
    },
    /// The disk failed.
    #[error("cannot write {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Downloads what the file `to` does not hold yet of a blob of at most `most` bytes. `url` is signed, and a secret while it is good.
pub(crate) async fn download_rest(client: &reqwest::Client, url: &str, to: &Path, most: u64) -> Result<(), BlobError> {
    let io_error = |source| BlobError::Io { path: to.to_owned(), source };
    let there = tokio::fs::metadata(to).await.map_or(0, |meta| meta.len());
    let mut request = client.get(url);
    if there > 0 {
        request = request.header(header::RANGE, format!("bytes={there}-"));
    }
    let off = |bytes, why: &str| BlobError::BrokeOff { bytes, why: why.to_owned() };
    let mut answer = request.send().await.map_err(|error| off(there, super::cause(&error)))?;
    let mut bytes = match answer.status().as_u16() {
        200 => 0,
        206 => there,
        // Nothing is left to come.
        416 if there > 0 => return Ok(()),
        404 | 410 => return Err(BlobError::Gone),
        status => return Err(off(there, &format!("the blob store answers {status}"))),
    };
    let length = answer.content_length().map(|length| length + bytes);
    let mut file = tokio::fs::OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(bytes == 0)
        .append(false)
        .open(to)
        .await
        .map_err(io_error)?;
    file.seek(std::io::SeekFrom::Start(bytes)).await.map_err(io_error)?;
    loop {
        match answer.chunk().await {
            Ok(Some(piece)) => {
                bytes += piece.len() as u64;
                if bytes > most {
                    return Err(BlobError::TooLarge);
                }
                file.write_all(&piece).await.map_err(io_error)?;
            }
            Ok(None) => break,
            Err(error) => {
                file.flush().await.map_err(io_error)?;
                return Err(off(bytes, super::cause(&error)));
            }
        }
    }
    file.flush().await.map_err(io_error)?;
    if length.is_some_and(|length| bytes < length) {
        return Err(off(bytes, "the connection ended early"));
    }
    Ok(())
}

/// Returns the digest of a file.
pub(crate) async fn digest(path: &Path) -> std::io::Result<Digest> {
    let mut file = tokio::fs::File::open(path).await?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer).await? {
            0 => return Ok(Digest::from_sha256(hasher.finalize().as_ref())),
            read => hasher.update(&buffer[..read]),
        }
    }
}
