//! How plans that were not written for us become tasks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::roster::Role;

/// The most open items that one task may be allowed to have.
pub(super) const ITEMS_MAX: u64 = 100;

const DEFAULT_MOST: usize = 12;
const DEFAULT_LEAST: usize = 2;

/// Who does what a plan gives to nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum DefaultRole {
    /// The subagent of this role.
    Role(Role),
    /// Nobody: such an item is an error.
    Nobody(Nobody),
}

/// The word for nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Nobody {
    /// Nobody.
    None,
}

/// How items are put together into tasks where the plan does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Granularity {
    /// The most open items of one task: 1 to 100, 12 when left out. A longer section is cut.
    #[schemars(range(min = 1, max = 100))]
    pub most: Option<usize>,
    /// Neighbours of one subagent with fewer open items than this are one task: 1 to 100, 2 when left out; 1 joins none.
    #[schemars(range(min = 1, max = 100))]
    pub least: Option<usize>,
}

impl Granularity {
    /// Returns the most open items of one task.
    #[must_use]
    pub fn most(&self) -> usize {
        self.most.unwrap_or(DEFAULT_MOST).max(1)
    }

    /// Returns how many open items are enough for a task of their own.
    #[must_use]
    pub fn least(&self) -> usize {
        self.least.unwrap_or(DEFAULT_LEAST).max(1)
    }

    /// Says in one line of plain text how a plan is cut into tasks that does not say so itself.
    #[must_use]
    pub fn line(&self) -> String {
        let joined = match self.least() {
            1 => "neighbours are not joined".to_owned(),
            2 => "neighbours with 1 open item each are joined".to_owned(),
            least => format!("neighbours with fewer than {least} open items are joined"),
        };
        format!("a task has at most {}; {joined}", crate::text::count(self.most(), "open item"))
    }
}
