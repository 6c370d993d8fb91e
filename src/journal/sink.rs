//! Where a run writes its records.

use implementer_model::record::{Record, Timed};

use super::{Journal, JournalError};

/// Where a run writes its records: a file that survives it, or memory, for going through a run that others made.
#[derive(Debug)]
pub enum Sink {
    File(Journal),
    Memory(Vec<Timed>),
}

impl Sink {
    /// Takes a record. Whether it could be kept comes out of the next [`Self::sync`].
    pub fn append(&mut self, at_ms: u64, record: Record) {
        match self {
            Self::File(journal) => journal.append(at_ms, record),
            Self::Memory(records) => records.push((at_ms, record)),
        }
    }

    /// Takes out what memory holds. A file keeps its own records.
    pub fn take_memory(&mut self) -> Vec<Timed> {
        match self {
            Self::File(_) => Vec::new(),
            Self::Memory(records) => std::mem::take(records),
        }
    }

    /// Waits until everything that was appended is kept.
    ///
    /// # Errors
    /// When anything could not be written.
    pub async fn sync(&self) -> Result<(), JournalError> {
        match self {
            Self::File(journal) => journal.sync().await,
            Self::Memory(_) => Ok(()),
        }
    }
}
