//! Reads a journal back.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
};

use implementer_model::{
    lock::Lock,
    record::{Record, Timed},
};

use super::{
    JournalError, file,
    lines::{self, Broken, Chain, Lines},
    seal::Seal,
};
use crate::untrusted;

/// The largest journal that is read, and the longest line of one, in bytes: a line has a report and a list of paths.
const JOURNAL_MAX: u64 = 1024 * 1024 * 1024;
const LINE_MAX: u64 = 64 * 1024 * 1024;

/// Reads the records of a journal. A torn last line, as a crash leaves it, is passed over.
///
/// # Errors
/// When the file cannot be read, or a line that is not the last is damaged.
pub fn read(path: &Path) -> Result<Vec<Timed>, JournalError> {
    read_sealed(path, &Seal::open())
}

/// Reads the records of a journal whose lines are bound by `seal`.
///
/// # Errors
/// As [`read`], and when another key sealed it.
pub fn read_sealed(path: &Path, seal: &Seal) -> Result<Vec<Timed>, JournalError> {
    read_lines(path, seal, JOURNAL_MAX).map(|read| read.records)
}

/// Reads the records of a journal that somebody else made, of at most `limit` bytes.
///
/// # Errors
/// As [`read`], and when it is larger.
pub fn read_at_most(path: &Path, limit: u64) -> Result<Vec<Timed>, JournalError> {
    read_lines(path, &Seal::open(), limit).map(|read| read.records)
}

/// Reads the lines of one of our own journals, for whoever appends to it.
pub(super) fn read_own(path: &Path, seal: &Seal) -> Result<Lines, JournalError> {
    read_lines(path, seal, JOURNAL_MAX)
}

fn read_lines(path: &Path, seal: &Seal, limit: u64) -> Result<Lines, JournalError> {
    file::opened(path);
    let file = untrusted::open(path, limit)?;
    let read_error = |source| JournalError::Read { path: path.to_owned(), source };
    let mut file = BufReader::new(file);
    let mut read = Lines { records: Vec::new(), chain: Chain::new(seal.clone()), good_bytes: 0 };
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        let count = file.by_ref().take(LINE_MAX + 1).read_until(b'\n', &mut bytes).map_err(read_error)? as u64;
        if count == 0 {
            break;
        }
        let damaged = |why| JournalError::Damaged { path: path.to_owned(), line, why };
        if count > LINE_MAX {
            return Err(damaged("it is longer than any record"));
        }
        let is_last = file.fill_buf().map_err(read_error)?.is_empty();
        match (read.chain.decode(&String::from_utf8_lossy(&bytes)), lines::newer_version(&read.records)) {
            (Ok(record), _) => {
                read.good_bytes += count;
                read.records.push(record);
            }
            // A newer program's journal may have records that are unknown here; that is what there is to say then.
            (Err(Broken::UnknownRecord), Some(found)) => {
                return Err(JournalError::Newer { path: path.to_owned(), found });
            }
            // A whole record of a kind that is unknown is no torn one: cutting it off would lose what it says.
            (Err(Broken::UnknownRecord), None) => return Err(damaged("the record is not known")),
            (Err(Broken::Seal), _) if line == 1 => return Err(JournalError::Foreign { path: path.to_owned() }),
            (Err(Broken::Line(_) | Broken::Seal), _) if is_last => break,
            (Err(Broken::Seal), _) => return Err(damaged("the checksum is wrong")),
            (Err(Broken::Line(why)), _) => return Err(damaged(why)),
        }
    }
    Ok(read)
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
