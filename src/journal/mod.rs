//! The journal: what survives a crash. Append-only JSON lines, each bound to the one before it by a checksum, synced to
//! the disk in batches. A record is durable once [`Journal::sync`] has returned.

mod error;
mod file;
mod lines;
mod read;
mod seal;
mod sink;
#[cfg(test)]
mod tests;

pub use self::{
    error::JournalError,
    file::{Journal, write},
    read::{read, read_at_most, read_sealed},
    seal::Seal,
    sink::Sink,
};
