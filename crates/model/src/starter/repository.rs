//! A repository as it is looked at: names of files, contents of some, and paths as words of commands.

use std::collections::{BTreeMap, BTreeSet};

/// The files that begin a project.
pub(super) const MANIFESTS: [&str; 10] = [
    "package.json",
    "pyproject.toml",
    "setup.py",
    "Pipfile",
    "Cargo.toml",
    "go.mod",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "Gemfile",
];

/// Further files that are looked into.
const FURTHER: [&str; 14] = [
    "Makefile",
    ".python-version",
    ".nvmrc",
    ".node-version",
    ".java-version",
    ".ruby-version",
    "rust-toolchain.toml",
    "rust-toolchain",
    "tox.ini",
    "pytest.ini",
    "compose.yaml",
    "compose.yml",
    "docker-compose.yml",
    "docker-compose.yaml",
];

/// A repository, as it is looked at: the names of its files, and the contents of those that [`is_read`] wants.
#[derive(Debug, Default)]
pub struct Repository {
    /// Its files, with `/` between folders.
    pub paths: BTreeSet<String>,
    /// What stands in some of them.
    pub texts: BTreeMap<String, String>,
}

impl Repository {
    pub(super) fn has(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    pub(super) fn text(&self, path: &str) -> &str {
        self.texts.get(path).map_or("", String::as_str)
    }

    /// Finds the first of these files that a folder has.
    pub(super) fn first_in(&self, folder: &str, names: &[&str]) -> Option<String> {
        names.iter().map(|name| join(folder, name)).find(|path| self.has(path))
    }
}

pub(super) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Tells whether a file is looked into.
#[must_use]
pub fn is_read(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    MANIFESTS.contains(&name) || FURTHER.contains(&name) || (name.starts_with("requirements") && name.ends_with(".txt"))
}

pub(super) fn with_flag(command: &str, flag: &str, folder: &str, file: &str) -> String {
    if folder.is_empty() { command.to_owned() } else { format!("{command} {flag} {}", quoted(&join(folder, file))) }
}

/// Quotes a path for a command that is split as a shell would.
pub(super) fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_');
    if path.chars().all(plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', "'\\''")) }
}
