//! The numbers of tests: how many there were of each kind, and where that is known from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the counts of a receipt came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CountSource {
    /// JUnit XML that the command wrote.
    Junit,
    /// The closing lines that a known test runner printed.
    Output,
}

/// How many tests a command ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TestCounts {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed or ended in an error.
    pub failed: u64,
    /// Tests that were skipped.
    pub skipped: u64,
    /// Where the numbers came from.
    pub source: CountSource,
}

impl TestCounts {
    /// Returns the number of tests that ran to a result: skipped ones did not.
    #[must_use]
    pub fn executed(&self) -> u64 {
        self.passed.saturating_add(self.failed)
    }

    /// Takes counts away that are part of these.
    #[must_use]
    pub fn minus(self, part: Self) -> Self {
        Self {
            passed: self.passed.saturating_sub(part.passed),
            failed: self.failed.saturating_sub(part.failed),
            skipped: self.skipped.saturating_sub(part.skipped),
            source: self.source,
        }
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
