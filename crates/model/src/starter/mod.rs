//! What a repository needs to begin with: configuration, first plan and secrets, from what stands in it. Nothing is asked;
//! every line that is written says why.

mod detect;
mod repository;
mod wishes;
mod write;

pub use self::{
    detect::Reason,
    repository::{Repository, is_read},
    wishes::{Program, Wishes},
};

/// The largest file that is looked into, in bytes.
pub const FILE_MAX_BYTES: u64 = 256 * 1024;

/// What a repository begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// The configuration.
    pub configuration: String,
    /// A first plan to try.
    pub plan: String,
    /// The secrets that have to be created.
    pub secrets: Vec<String>,
    /// What was decided, and why.
    pub reasons: Vec<Reason>,
    /// Plans of other planners that are there already.
    pub plans: Vec<String>,
}

/// Looks at a repository, and writes what it begins with.
#[must_use]
pub fn start(repository: &Repository, wishes: &Wishes) -> Start {
    // Names become words of commands and lines of YAML: of a file with a stranger name nothing is made.
    let is_plain = |path: &str| {
        path.chars().all(|c| c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '+' | '@' | ' ' | '\''))
    };
    let repository = Repository {
        paths: repository.paths.iter().filter(|path| is_plain(path)).cloned().collect(),
        texts: repository.texts.clone(),
    };
    let found = detect::detect(&repository, wishes);
    write::write(&found, wishes)
}

#[cfg(test)]
mod tests;
