//! A folder as a zip, written to the disk piece by piece.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use implementer_model::ids::Digest;
use sha2::{Digest as _, Sha256};
use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

/// A zip on the disk.
#[derive(Debug, Clone)]
pub struct Packed {
    /// The file.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// The SHA-256 of its bytes.
    pub digest: Digest,
}

/// Packs the plain files below `folder` into the new zip `to`; what `skip` says true to stays out. The same files give
/// the same bytes.
///
/// # Errors
/// When a file cannot be read, or the zip cannot be written.
pub fn pack(folder: &Path, to: &Path, skip: impl Fn(&Path) -> bool) -> io::Result<Packed> {
    let mut zip = ZipWriter::new(File::create_new(to)?);
    // No clock: the same content is the same artifact.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(6))
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    for path in files(folder)? {
        let relative = path.strip_prefix(folder).unwrap_or(&path);
        if skip(relative) {
            continue;
        }
        let Some(name) = relative.to_str() else { continue };
        let size = fs::metadata(&path)?.len();
        zip.start_file(name, options.large_file(size >= u64::from(u32::MAX)))?;
        io::copy(&mut File::open(&path)?, &mut zip)?;
    }
    zip.finish()?.flush()?;
    let (digest, size) = digest(to)?;
    Ok(Packed { path: to.to_owned(), size, digest })
}

/// Lists the plain files below a folder, sorted.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Returns the SHA-256 and the size of a file, read in pieces.
fn digest(path: &Path) -> io::Result<(Digest, u64)> {
    let mut file = File::open(path)?;
    let (mut hasher, mut size) = (Sha256::new(), 0);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((Digest::from_sha256(hasher.finalize().as_ref()), size));
        }
        hasher.update(&buffer[..read]);
        size += read as u64;
    }
}
