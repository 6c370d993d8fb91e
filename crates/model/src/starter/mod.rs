//! What a repository needs to begin with: configuration, first plan and secrets, from what stands in it. Nothing is asked;
//! every line that is written says why.

mod detect;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use crate::{config::Layout, environment::routes::Reach};

/// The largest file that is looked into, in bytes.
pub const FILE_MAX_BYTES: u64 = 256 * 1024;

/// The most folders of a repository with projects of their own that are named.
const PROJECTS_MAX: usize = 8;

/// A repository, as it is looked at: the names of its files, and the contents of those that [`is_read`] wants.
#[derive(Debug, Default)]
pub struct Repository {
    /// Its files, with `/` between folders.
    pub paths: BTreeSet<String>,
    /// What stands in some of them.
    pub texts: BTreeMap<String, String>,
}

impl Repository {
    fn has(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    fn text(&self, path: &str) -> &str {
        self.texts.get(path).map_or("", String::as_str)
    }

    /// Finds the first of these files that a folder has.
    fn first_in(&self, folder: &str, names: &[&str]) -> Option<String> {
        names.iter().map(|name| join(folder, name)).find(|path| self.has(path))
    }
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Tells whether a file is looked into.
#[must_use]
pub fn is_read(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    detect::MANIFESTS.contains(&name)
        || detect::is_workflow(path)
        || detect::FURTHER.contains(&name)
        || (name.starts_with("requirements") && name.ends_with(".txt"))
        || detect::is_python_test(path)
}

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
    /// What it is passed.
    pub variables: Variables,
    /// Files and folders that show that a team uses it.
    pub traces: Vec<String>,
}

/// The variables that an agent program is passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variables {
    /// The one with its key.
    pub key: String,
    /// What else is set here, and says how it reaches its model.
    pub further: Vec<String>,
}

impl Variables {
    /// Chooses the key that is set, else the usual one, and what is set beside it.
    pub fn from_reach(reach: &Reach<'_>, is_set: impl Fn(&str) -> bool) -> Self {
        let key =
            reach.keys.iter().copied().find(|key| is_set(key)).or(reach.keys.first().copied()).unwrap_or_default();
        let further = reach.lost(&is_set, |name| name == key).into_iter().map(str::to_owned).collect();
        Self { key: key.to_owned(), further }
    }
}

/// Something that was found, and what follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// What was decided.
    pub what: String,
    /// Why.
    pub because: String,
}

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
