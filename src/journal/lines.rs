//! The lines of a journal: JSON, each bound to the one before it by a checksum.

use implementer_model::record::{JOURNAL_VERSION, Record, Timed};
use serde::{Deserialize, Serialize};

use super::seal::Seal;

/// What stands around checksum and entry in a line: every line is JSON, and the checksum is over the entry as it is
/// written.
const LINE_START: &str = "{\"sum\":\"";
const LINE_MIDDLE: &str = "\",\"entry\":";
const LINE_END: &str = "}\n";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    /// Counts from 1.
    seq: u64,
    /// Milliseconds since the run began.
    at_ms: u64,
    #[serde(flatten)]
    record: Record,
}

/// Where the chain of lines stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Chain {
    /// How many lines there are.
    lines: u64,
    /// The checksum of the last.
    last: String,
    /// What binds them.
    seal: Seal,
}

/// Why a line does not continue a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// It is torn, damaged, or belongs to another place.
    Line(&'static str),
    /// It is whole, and not bound to the one before it as it should be.
    Seal,
    /// It is whole, but holds a record of no known kind.
    UnknownRecord,
}

impl Chain {
    pub(super) fn new(seal: Seal) -> Self {
        Self { seal, ..Self::default() }
    }

    /// Writes a record as the next line.
    pub(super) fn encode(&mut self, at_ms: u64, record: &Record, out: &mut Vec<u8>) {
        self.lines += 1;
        let line = Line { seq: self.lines, at_ms, record: record.clone() };
        let body = serde_json::to_string(&line).expect("invariant: records are plain data with text as keys");
        let sum = self.seal.sum(&self.last, &body);
        for part in [LINE_START, &sum, LINE_MIDDLE, &body, LINE_END] {
            out.extend_from_slice(part.as_bytes());
        }
        self.last = sum;
    }

    /// Reads the next line.
    pub(super) fn decode(&mut self, line: &str) -> Result<Timed, Broken> {
        let line = line.strip_suffix(LINE_END).ok_or(Broken::Line("the line is torn"))?;
        let parts = line.strip_prefix(LINE_START).and_then(|line| line.split_once(LINE_MIDDLE));
        let (sum, body) = parts.ok_or(Broken::Line("there is no checksum"))?;
        if sum != self.seal.sum(&self.last, body) {
            return Err(Broken::Seal);
        }
        let Line { seq, at_ms, record } = serde_json::from_str(body).map_err(|_| Broken::UnknownRecord)?;
        if seq != self.lines + 1 {
            return Err(Broken::Line("the sequence is broken"));
        }
        self.lines = seq;
        sum.clone_into(&mut self.last);
        Ok((at_ms, record))
    }
}

/// Returns the version of a journal that a newer program wrote.
pub(super) fn newer_version(records: &[Timed]) -> Option<u32> {
    match records.first() {
        Some((_, Record::Begun { version, .. })) if *version > JOURNAL_VERSION => Some(*version),
        _ => None,
    }
}

/// A journal as it was read.
#[derive(Debug)]
pub(super) struct Lines {
    pub(super) records: Vec<Timed>,
    pub(super) chain: Chain,
    /// How many bytes the readable lines have.
    pub(super) good_bytes: u64,
}

#[cfg(test)]
pub(super) fn line_of(previous: &str, body: &str) -> (String, String) {
    let sum = Seal::open().sum(previous, body);
    (format!("{LINE_START}{sum}{LINE_MIDDLE}{body}{LINE_END}"), sum)
}
