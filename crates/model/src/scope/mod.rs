//! Scope: the paths that a subagent may touch, whether a patch kept to them, and whether two tasks could meet.

mod check;
mod exclusions;
mod glob;
mod globs;
mod language;
mod overlap;
mod path;
mod portable;
mod spelling;
mod trie;

use std::sync::Arc;

pub use check::{CheckedPatch, CompiledScope, OutOfScope, Violation, ViolationRule, check};
pub use exclusions::exclusions_that_matter;
pub use glob::{ALTERNATIVES_MAX, GLOB_MAX_BYTES, InvalidGlob, validate_glob};
pub use overlap::{Exclusions, Overlaps, matches_everything, overlap};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
pub use spelling::TreePaths;

/// The paths that a task may touch: at least one glob of `allow` matches, and none of `deny`.
///
/// Globs are matched against whole paths, case counts, and `/` is matched only by `/` and `**`. A trailing `/` means
/// everything below, and a pattern without any wildcard means the path itself and everything below. `{a,b}` stands for
/// two globs, each read by these rules. `?` and `[…]` stand for one byte, which is one character in ASCII.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Scope {
    /// What it may touch.
    pub allow: Vec<String>,
    /// What it may not touch although `allow` matches: the role's exclusions and the protected paths.
    /// One list for all tasks of a subagent: plans have hundreds of them.
    #[serde(with = "crate::shared::list")]
    #[schemars(with = "Vec<String>")]
    pub deny: Arc<[String]>,
}
