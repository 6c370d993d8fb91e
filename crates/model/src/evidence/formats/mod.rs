//! The files in which runners write their results, one reader a format. Which it is shows in the content.

mod json;
mod lines;
mod xml;

pub use self::{
    json::{ctrf, jest, mocha, rspec},
    lines::{GoEvents, dart, go_json, libtest, tap},
    xml::{JunitError, xml},
};

use super::results::Results;

/// Says why a file holds no results.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// It is XML, but no report that is known.
    #[error(transparent)]
    Junit(#[from] JunitError),
    /// It is JSON, but cannot be read as results.
    #[error("it is no JSON report of a test runner (line {line}): {message}")]
    Json {
        /// The line of the file, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// It has more values than are read.
    #[error("it has more than the {values} values that are read of a JSON report: let the runner write several files")]
    TooMuch {
        /// How many are read.
        values: u64,
    },
    /// Nothing that is known.
    #[error("it is no report of a known kind: neither JUnit XML, CTRF, TAP, nor the JSON of a known runner")]
    Unknown,
}

impl FormatError {
    /// Tells whether the file is a report of another kind, and no broken one: a wide glob finds such files.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        matches!(self, Self::Unknown | Self::Junit(JunitError::OtherRoot { .. }))
    }
}

/// Reads a file of results.
///
/// # Errors
/// When it is none, or is broken.
pub fn read(bytes: &[u8]) -> Result<Results, FormatError> {
    let content = xml::decode(bytes);
    let start = content.trim_start_matches('\u{feff}').trim_start();
    if start.starts_with('<') {
        return Ok(xml(start)?);
    }
    if start.is_empty() {
        return Ok(Results { tests: Vec::new(), unfinished: Some("the file is empty".to_owned()) });
    }
    if start.starts_with(['{', '[']) {
        return json::read(start);
    }
    if start.lines().any(|line| line.starts_with("1..") || line.starts_with("TAP version ")) {
        return Ok(tap(start));
    }
    Err(FormatError::Unknown)
}

#[cfg(test)]
mod tests;
