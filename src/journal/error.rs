//! What goes wrong with a journal.

use std::{io, path::PathBuf};

use implementer_model::record::JOURNAL_VERSION;

use crate::untrusted::UntrustedError;

/// Says what went wrong with the journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file could not be written.
    #[error("cannot write the journal {path}; is the disk full, or the folder read-only?")]
    Write {
        /// The journal file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What stands in its place is no file that is read, or cannot be opened.
    #[error(transparent)]
    Open(#[from] UntrustedError),
    /// The file could not be read to its end.
    #[error("cannot read the journal {path}")]
    Read {
        /// The journal file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line other than the last is damaged.
    #[error("line {line} of the journal {path} is damaged: {why}")]
    Damaged {
        /// The journal file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Its first line was sealed with another key than this user's.
    #[error(
        "the journal {path} was not written by this user on this machine, so the run is not resumed: what it says could be \
         anybody's. Begin a new run in another folder, or remove this one"
    )]
    Foreign {
        /// The journal file.
        path: PathBuf,
    },
    /// A newer program wrote it.
    #[error(
        "the journal {path} has version {found}, and this program knows {JOURNAL_VERSION}: resume with the newer program"
    )]
    Newer {
        /// The journal file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// It belongs to something else that was approved.
    #[error(
        "the journal {path} belongs to the lock {found}, and the lock is {wanted} now: plan, base or roster changed; begin a new run"
    )]
    OtherLock {
        /// The journal file.
        path: PathBuf,
        /// Its lock.
        found: String,
        /// The lock now.
        wanted: String,
    },
    /// The writer is gone, after it reported an error.
    #[error("the journal {path} was given up after an earlier error")]
    GivenUp {
        /// The journal file.
        path: PathBuf,
    },
}

impl JournalError {
    /// Tells whether there is no journal at all.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Open(error) if error.is_missing())
    }
}
