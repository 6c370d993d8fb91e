//! A zip that somebody else made, unpacked: whatever would reach outside of the folder, or fill the disk, is refused.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read as _},
    path::{Component, Path, PathBuf},
};

use implementer_model::text;
use zip::{CompressionMethod, ZipArchive, result::ZipError};

/// How much a zip may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most files and folders.
    pub entries: usize,
    /// The most bytes of all files together, unpacked.
    pub bytes: u64,
    /// The most bytes that one packed byte may unpack to, beyond the first megabyte. Deflate itself ends at 1032.
    pub ratio: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { entries: 10_000, bytes: 4 * 1024 * 1024 * 1024, ratio: 200 }
    }
}

/// What is always allowed to unpack, whatever the ratio: small texts of blanks are nothing to worry about.
const RATIO_FREE: u64 = 1024 * 1024;

/// Says why a zip was not unpacked. Nothing of it is to be used then.
#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    /// It is cut off, damaged, or no zip.
    #[error("it is no whole zip: {0}")]
    Damaged(String),
    /// A name would lead outside of the folder, or is none that every system has.
    #[error("it holds the path `{0}`, which does not stay in its folder")]
    Path(String),
    /// An entry is a link or something else that is neither file nor folder.
    #[error("it holds `{0}`, which is neither a file nor a folder")]
    Kind(String),
    /// A name comes twice, or is a file and a folder at once.
    #[error("it holds `{0}` twice")]
    Twice(String),
    /// It is packed or encrypted in a way that nobody here uses.
    #[error("`{0}` is packed in a way that artifacts never are")]
    Method(String),
    /// It holds more than is allowed.
    #[error("it holds too much: {0}")]
    TooMuch(String),
    /// The disk failed.
    #[error("cannot {doing} {path}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Unpacks the zip `from` into the folder `to`, which is made and must not hold anything.
///
/// # Errors
/// When anything about it is not as it should be; what was unpacked until then is of no use.
pub fn extract(from: &Path, to: &Path, limits: &Limits) -> Result<(), ExtractError> {
    let reading = |source| ExtractError::Io { doing: "read", path: from.to_owned(), source };
    let file = File::open(from).map_err(reading)?;
    let packed = file.metadata().map_err(reading)?.len();
    let mut zip = ZipArchive::new(file).map_err(|error| ExtractError::Damaged(error.to_string()))?;
    if zip.len() > limits.entries {
        return Err(ExtractError::TooMuch(format!("{} entries, more than {}", zip.len(), limits.entries)));
    }
    let allowed = limits.bytes.min(RATIO_FREE.saturating_add(packed.saturating_mul(limits.ratio)));
    let mut left = allowed;
    // Compared in lower case: some file systems know no other.
    let (mut taken, mut folders) = (BTreeSet::new(), BTreeSet::new());
    make_dir(to)?;
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).map_err(damaged)?;
        let raw = entry.name_raw().to_vec();
        let name = String::from_utf8(raw).map_err(|_| ExtractError::Path("(not UTF-8)".to_owned()))?;
        let shown = || text::truncate(&text::plain(&name), 120);
        let is_dir = name.ends_with('/');
        let parts = parts(&name).ok_or_else(|| ExtractError::Path(shown()))?;
        // The type that Unix has in the upper bits of the mode; zips made elsewhere have none.
        let kind = entry.unix_mode().map_or(0, |mode| mode & 0o170_000);
        if !(kind == 0 || kind == 0o100_000 && !is_dir || kind == 0o040_000 && is_dir) {
            return Err(ExtractError::Kind(shown()));
        }
        if entry.encrypted() || !matches!(entry.compression(), CompressionMethod::Stored | CompressionMethod::Deflated)
        {
            return Err(ExtractError::Method(shown()));
        }
        let key = parts.join("/").to_lowercase();
        for end in 1..parts.len() {
            let above = parts[..end].join("/").to_lowercase();
            if taken.contains(&above) {
                return Err(ExtractError::Twice(shown()));
            }
            folders.insert(above);
        }
        let path = to.join(parts.iter().collect::<PathBuf>());
        if is_dir {
            if taken.contains(&key) {
                return Err(ExtractError::Twice(shown()));
            }
            folders.insert(key);
            make_dir(&path)?;
            continue;
        }
        if folders.contains(&key) || !taken.insert(key) {
            return Err(ExtractError::Twice(shown()));
        }
        make_dir(path.parent().unwrap_or(to))?;
        let mut file = File::create_new(&path).map_err(|source| ExtractError::Io {
            doing: "write",
            path: path.clone(),
            source,
        })?;
        // What the zip says of its sizes is a claim; what comes out is counted. The reader checks the CRC at the end.
        let copied = io::copy(&mut entry.by_ref().take(left + 1), &mut file).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::Other => ExtractError::Damaged(error.to_string()),
            _ => ExtractError::Io { doing: "write", path: path.clone(), source: error },
        })?;
        if copied > left {
            return Err(ExtractError::TooMuch(format!("more than {allowed} bytes out of {packed}")));
        }
        left -= copied;
    }
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "it is used as a function of an error")]
fn damaged(error: ZipError) -> ExtractError {
    ExtractError::Damaged(error.to_string())
}

fn make_dir(path: &Path) -> Result<(), ExtractError> {
    fs::create_dir_all(path).map_err(|source| ExtractError::Io { doing: "write", path: path.to_owned(), source })
}

/// Takes a name apart; nothing, when it is not a plain path that stays where it is.
fn parts(name: &str) -> Option<Vec<&str>> {
    let path = name.strip_suffix('/').unwrap_or(name);
    if path.is_empty() || path.contains(['\\', '\0', ':']) || path.chars().any(char::is_control) {
        return None;
    }
    let parts: Vec<_> = path.split('/').collect();
    let plain = parts.iter().all(|part| {
        let mut components = Path::new(part).components();
        matches!(components.next(), Some(Component::Normal(_))) && components.next().is_none()
    });
    plain.then_some(parts)
}

#[cfg(test)]
mod tests;
