//! What decided about who does a task.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What decided about who does a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ownership {
    /// The plan names the subagent or its domain.
    #[default]
    Named,
    /// The paths that it mentions are the subagent's.
    Paths,
    /// Its words speak of the subagent's work.
    Words,
    /// Nothing: it is the default role's.
    Default,
}

impl Ownership {
    /// Says what a guess rests on; `None` for what the plan says itself.
    #[must_use]
    pub fn guess(self) -> Option<&'static str> {
        match self {
            Self::Named => None,
            Self::Paths => Some("by its paths"),
            Self::Words => Some("by its words"),
            Self::Default => Some("the default role"),
        }
    }
}
