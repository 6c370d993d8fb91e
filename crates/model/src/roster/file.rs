//! An agent file, before it is read.

/// An agent file of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentFile {
    /// Its path, relative to the root of the repository.
    pub path: String,
    /// Its bytes.
    pub content: Vec<u8>,
}
