//! How runs end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether the implementation is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// All tasks passed and all three gates passed on the final tree.
    Complete,
    /// Something is missing; `missing` says what.
    Incomplete,
    /// The run was cancelled.
    Cancelled,
}

impl Status {
    /// Returns the name in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Incomplete => "incomplete",
            Self::Cancelled => "cancelled",
        }
    }
}
