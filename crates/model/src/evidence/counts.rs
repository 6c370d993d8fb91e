//! How many tests a command ran.

use super::{formats, numbers::TestCounts, words};

pub use super::formats::JunitError;

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
