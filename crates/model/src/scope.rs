//! Scope: the paths that a subagent may touch, and whether a patch kept to them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The paths that a task may touch: at least one glob of `allow` matches, and none of `deny`.
///
/// Globs are matched against whole paths, `/` is matched only by `/` and `**`, a trailing `/` means everything below,
/// and a pattern without any wildcard also means everything below.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Scope {
    /// What it may touch.
    pub allow: Vec<String>,
    /// What it may not touch although `allow` matches: the role's exclusions and the protected paths.
    pub deny: Vec<String>,
}
