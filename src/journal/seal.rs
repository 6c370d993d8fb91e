//! What binds the lines of a journal to each other: with a key of its owner, nobody else can add a line or write a whole
//! journal that this program would go on with.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use hmac::{Hmac, KeyInit as _, Mac as _};
use implementer_model::ids::Digest;
use sha2::Sha256;

/// Hex digits of the sum that are kept: 64 bits, far more than a torn or damaged line needs to be told, and out of reach
/// for whoever has no key and no way to try.
const DIGITS: usize = 16;

/// The length of a key in bytes.
const KEY_BYTES: usize = 32;

/// Where the key lies below the folder for the state of a user's programs.
const KEY_FILE: &str = "backend-implementer/journal.key";

/// What binds the lines of a journal.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Seal(Option<[u8; KEY_BYTES]>);

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seal").field("has_key", &self.0.is_some()).finish()
    }
}

impl Seal {
    /// Makes one without a key, which everybody can make: for journals that travel between jobs, where an artifact's
    /// digest is what binds them.
    #[must_use]
    pub fn open() -> Self {
        Self(None)
    }

    /// Makes the one of this user, with the key in the folder for the state of programs, which no attempt can read. The
    /// first call on a machine makes the key.
    ///
    /// # Errors
    /// When there is no such folder, or it cannot be written.
    pub fn of_user() -> io::Result<Self> {
        let folder = state_folder().ok_or_else(|| io::Error::other("neither XDG_STATE_HOME nor HOME is set"))?;
        Self::below(&folder)
    }

    /// Makes the one whose key lies in this folder for the state of programs.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn below(state: &Path) -> io::Result<Self> {
        let path = state.join(KEY_FILE);
        match read_key(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => return other.map(|key| Self(Some(key))),
        }
        if let Some(folder) = path.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let mut key = [0; KEY_BYTES];
        getrandom::fill(&mut key).map_err(io::Error::other)?;
        // Whole or not at all: two runs may begin at the same time.
        let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(state))?;
        file.write_all(&key)?;
        match file.persist_noclobber(&path) {
            Ok(_) => Ok(Self(Some(key))),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(Self(Some(read_key(&path)?))),
            Err(error) => Err(error.error),
        }
    }

    /// Makes the one of this user. Where no key can be kept, a run can be made, and not be resumed.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn own() -> io::Result<Self> {
        Self::of_user().or_else(|error| {
            tracing::warn!(%error, "the key for the journal cannot be kept, so an interrupted run cannot be resumed");
            Self::of_process()
        })
    }

    /// Makes one with a key that nobody has afterwards: what it seals can be read by this process only.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn of_process() -> io::Result<Self> {
        let mut key = [0; KEY_BYTES];
        getrandom::fill(&mut key).map_err(io::Error::other)?;
        Ok(Self(Some(key)))
    }

    /// Returns the sum of a line, given that of the line before.
    pub(super) fn sum(&self, previous: &str, body: &str) -> String {
        let Some(key) = &self.0 else {
            return Digest::of_parts([previous.as_bytes(), body.as_bytes()]).hex()[..DIGITS].to_owned();
        };
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
            unreachable!("HMAC takes keys of every length");
        };
        mac.update(&(previous.len() as u64).to_le_bytes());
        mac.update(previous.as_bytes());
        mac.update(body.as_bytes());
        let bytes = mac.finalize().into_bytes();
        bytes.iter().take(DIGITS / 2).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Returns the folder for the state of a user's programs (the XDG base directory specification).
fn state_folder() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))
}

/// Reads a key that is for its owner alone.
fn read_key(path: &Path) -> io::Result<[u8; KEY_BYTES]> {
    use std::os::unix::fs::MetadataExt as _;
    let no_follow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).map_err(io::Error::other)?;
    let mut file = fs::File::options().read(true).custom_flags(no_follow).open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() || meta.mode() & 0o077 != 0 || meta.uid() != rustix::process::geteuid().as_raw() {
        let why =
            format!("{} is not a file of yours that nobody else can read; remove it to get a new key", path.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    }
    let mut key = [0; KEY_BYTES];
    file.read_exact(&mut key)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_key_of_a_user_stays_the_same_and_is_nobody_elses() {
        let state = tempfile::tempdir().unwrap();
        let first = Seal::below(state.path()).unwrap().sum("", "body");
        assert_eq!(Seal::below(state.path()).unwrap().sum("", "body"), first);
        let key = state.path().join(KEY_FILE);
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        assert_ne!(Seal::open().sum("", "body"), first);
        assert_ne!(Seal::of_process().unwrap().sum("", "body"), first);
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(Seal::below(state.path()).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }

    #[test]
    fn a_sum_binds_a_line_to_the_one_before() {
        let seal = Seal::of_process().unwrap();
        assert_eq!(seal.sum("a", "b").len(), DIGITS);
        assert_ne!(seal.sum("a", "b"), seal.sum("ab", ""));
        assert_ne!(seal.sum("a", "b"), seal.sum("", "b"));
    }
}
