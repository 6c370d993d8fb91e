//! How many tests a command ran.

use super::{formats, words};
use crate::gate::{CountSource, TestCounts};

pub use super::formats::JunitError;

impl TestCounts {
    /// Returns the number of tests that ran to a result: skipped ones did not.
    #[must_use]
    pub fn executed(&self) -> u64 {
        self.passed.saturating_add(self.failed)
    }

    /// Adds the counts of another file or run. The source stays a file only when both are.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let junit = self.source == CountSource::Junit && other.source == CountSource::Junit;
        Self {
            passed: self.passed.saturating_add(other.passed),
            failed: self.failed.saturating_add(other.failed),
            skipped: self.skipped.saturating_add(other.skipped),
            source: if junit { CountSource::Junit } else { CountSource::Output },
        }
    }
}

/// Counts the test cases of one JUnit XML file.
///
/// # Errors
/// When the file is not well-formed, or not JUnit XML.
pub fn from_junit(xml: &str) -> Result<TestCounts, JunitError> {
    formats::xml(xml.trim_start_matches('\u{feff}')).map(|results| results.counts())
}

/// Counts the tests that known runners say they ran, in what a command printed.
#[must_use]
pub fn from_output(output: &str) -> Option<TestCounts> {
    words::read(output).map(|words| words.counts)
}
