//! Which file lies at a path of a slot and when its content was last written, and what the commit has there.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

use super::slot::Slot;
use crate::workspace::{folder, store::convert::Checkout};

/// Which file it is and when its content was written: another mode changes nothing of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    inode: u64,
    at: (i64, i64),
}

impl Written {
    fn new(place: &Path) -> Option<Self> {
        let meta = fs::symlink_metadata(place).ok()?;
        Some(Self { inode: meta.ino(), at: (meta.mtime(), meta.mtime_nsec()) })
    }
}

impl Slot {
    /// Says when a file was last written.
    #[must_use]
    pub fn written(&self, path: &str) -> Option<Written> {
        Written::new(&folder::at(self.path(), path.into()))
    }

    /// Returns a file of the commit as it was written into the folder.
    #[must_use]
    pub fn committed(&self, path: &str) -> Option<Vec<u8>> {
        let (store, held) = self.store_and_held();
        let files = &held.holding.files;
        let entry = files.entry_by_path(path.into())?;
        Checkout::new(store, &store.repo(), files).ok()?.content(entry, path.into()).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::PermissionsExt as _, time::SystemTime};

    use super::*;

    #[test]
    fn another_mode_is_not_written_and_the_same_bytes_are() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("mvnw");
        fs::write(&place, "a").unwrap();
        let file = fs::File::options().append(true).open(&place).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        let before = Written::new(&place);
        fs::set_permissions(&place, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(Written::new(&place), before);
        fs::write(&place, "a").unwrap();
        assert_ne!(Written::new(&place), before);
    }
}
