//! Reads a journal back.

use std::path::Path;

use implementer_model::{
    lock::Lock,
    record::{Record, Timed},
};

use super::{
    JournalError, file,
    lines::{self, Broken, Lines},
};

/// Reads the records of a journal. A torn last line, as a crash leaves it, is passed over.
///
/// # Errors
/// When the file cannot be read, or a line that is not the last is damaged.
pub fn read(path: &Path) -> Result<Vec<Timed>, JournalError> {
    read_lines(path).map(|read| read.records)
}

pub(super) fn read_lines(path: &Path) -> Result<Lines, JournalError> {
    file::opened(path);
    let bytes = std::fs::read(path).map_err(|source| JournalError::Read { path: path.to_owned(), source })?;
    lines::decode_all(&String::from_utf8_lossy(&bytes)).map_err(|(line, broken, before)| {
        let path = path.to_owned();
        match (broken, lines::newer_version(&before)) {
            // A newer program's journal may have records that are unknown here; that is what there is to say then.
            (Broken::UnknownRecord, Some(found)) => JournalError::Newer { path, found },
            (Broken::UnknownRecord, None) => JournalError::Damaged { path, line, why: "the record is not known" },
            (Broken::Line(why), _) => JournalError::Damaged { path, line, why },
        }
    })
}

/// Checks that a journal is one that this program can append to, and of this lock. An empty one is.
pub(super) fn check_lock(path: &Path, records: &[Timed], lock: &Lock) -> Result<(), JournalError> {
    let path = path.to_owned();
    if let Some(found) = lines::newer_version(records) {
        return Err(JournalError::Newer { path, found });
    }
    match records.first() {
        None => Ok(()),
        Some((_, Record::Begun { lock: found, .. })) if found.digest == lock.digest => Ok(()),
        Some((_, Record::Begun { lock: found, .. })) => Err(JournalError::OtherLock {
            path,
            found: found.digest.short().to_owned(),
            wanted: lock.digest.short().to_owned(),
        }),
        Some(_) => Err(JournalError::Damaged { path, line: 1, why: "it does not begin a run" }),
    }
}
