//! What is decided before anything is looked at.

use crate::config::Layout;

/// What is decided already.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// The kind of agent; found in the repository, or the first of `programs`, when left out.
    pub agent: Option<String>,
    /// How the work is spread over jobs.
    pub layout: Layout,
    /// The action, as `OWNER/REPO@COMMIT`.
    pub action: String,
    /// The agent programs that can be called.
    pub programs: Vec<Program>,
}

/// An agent program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Its kind, as the configuration names it.
    pub kind: String,
    /// The command that installs it.
    pub install: String,
    /// The variable with its key.
    pub key: String,
    /// Files and folders that show that a team uses it.
    pub traces: Vec<String>,
}
