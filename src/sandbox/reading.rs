//! What attempts may read: the system and its tools, never a home, a checkout or what other runs have.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{program, surroundings::Surroundings};

/// Folders of the system.
const SYSTEM: [&str; 18] = [
    "/bin",
    "/dev",
    "/etc",
    "/gnu",
    "/home/linuxbrew/.linuxbrew",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/nix",
    "/opt",
    "/proc",
    "/run/systemd/resolve",
    "/sbin",
    "/snap",
    "/sys",
    "/usr",
    "/var/lib/alternatives",
];

/// Folders with tools that lie beside private files: only these parts of them are read.
const MIXED: [(&str, &[&str]); 2] = [
    (".cargo", &["bin", "config.toml", "git", "registry"]),
    (".local", &["bin", "lib", "share/claude", "share/fnm", "share/mise", "share/pipx", "share/pnpm", "share/uv"]),
];

/// Folders in which every user keeps private things.
const PRIVATE: [&str; 4] = ["/run", "/tmp", "/var/tmp", "/root"];

/// What attempts of a run may read.
#[derive(Debug, Clone, Default)]
pub(super) struct Reading {
    system: Vec<PathBuf>,
    private: Vec<PathBuf>,
    hidden: Vec<PathBuf>,
    /// The folders in which programs are looked for.
    path: Vec<PathBuf>,
}

impl Reading {
    pub(super) fn new(surroundings: &Surroundings<'_>) -> Self {
        let Surroundings { environment, scratch, repository, run, objects, passed, .. } = surroundings;
        let home = environment.get("HOME").map(PathBuf::from).filter(|home| home.is_absolute() && home.is_dir());
        let own = [*scratch, *repository, *run].map(Path::to_owned);
        let private = PRIVATE.iter().map(PathBuf::from).chain(home).chain(own);
        let private = private.filter_map(|path| path.canonicalize().ok()).filter(|path| path != Path::new("/"));
        let private: Vec<_> = private.collect();
        let hidden = outermost(&private);
        let path = std::env::split_paths(environment.get("PATH").map_or("", String::as_str));
        let path: Vec<_> = path.filter(|folder| folder.is_absolute()).collect();
        let mut reading = Self { system: Vec::new(), private, hidden, path: path.clone() };
        let mut system: Vec<_> = SYSTEM.iter().map(PathBuf::from).collect();
        system.extend(objects.iter().cloned());
        system.extend(path.iter().flat_map(|folder| reading.tools(folder)));
        system.extend(reading.named(environment, passed));
        system.retain(|path| path.exists());
        system.sort_unstable();
        system.dedup();
        reading.system = system;
        reading
    }

    /// Adds the folder of a run, which is private, and what is lent from it.
    pub(super) fn add_run(&mut self, run: &Path, objects: &[PathBuf]) {
        self.private.extend(run.canonicalize());
        self.hidden = outermost(&self.private);
        self.system.extend(objects.iter().cloned());
        self.system.sort_unstable();
        self.system.dedup();
    }

    /// Returns what every attempt may read.
    pub(super) fn system(&self) -> &[PathBuf] {
        &self.system
    }

    /// Returns the folders that are hidden where that is possible.
    pub(super) fn hidden(&self) -> &[PathBuf] {
        &self.hidden
    }

    /// Tells whether a folder is hidden, or lies in one that is, where hiding is possible.
    #[cfg(target_os = "linux")]
    pub(super) fn hides(&self, folder: &Path) -> bool {
        let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let shared = super::namespaces::SHARED.iter().map(Path::new);
        self.hidden.iter().map(PathBuf::as_path).chain(shared).any(|hidden| real.starts_with(hidden))
    }

    /// Returns what belongs to the tools in a folder of the `PATH`: the folder itself, and what is beside it when it is the
    /// `bin` of something.
    fn tools(&self, folder: &Path) -> Vec<PathBuf> {
        let Ok(real) = folder.canonicalize() else { return Vec::new() };
        if real == Path::new("/") {
            return Vec::new();
        }
        let name = real.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(above) = real.parent().filter(|_| ["bin", "sbin", "shims"].contains(&name)) else {
            return vec![real];
        };
        let above_name = above.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some((_, parts)) = MIXED.iter().find(|(mixed, _)| *mixed == above_name) {
            return parts.iter().map(|part| above.join(part)).collect();
        }
        if self.is_harmless(above) { vec![above.to_owned()] } else { vec![real] }
    }

    /// Returns what variables name that are passed on.
    fn named(&self, environment: &BTreeMap<String, String>, passed: &[String]) -> Vec<PathBuf> {
        let values = passed.iter().filter_map(|name| environment.get(name)).map(PathBuf::from);
        let paths = values.filter(|path| path.is_absolute() && self.is_harmless(path));
        paths.collect()
    }

    /// Returns what a command may read of itself.
    pub(super) fn of_command(&self, argv: &[String]) -> Vec<PathBuf> {
        let programs = [argv.first(), argv.get(program::place_in(argv))].into_iter().flatten();
        let mut found: Vec<_> = programs.flat_map(|name| self.of_program(name)).collect();
        for path in argv.iter().map(Path::new).filter(|path| path.is_absolute()) {
            let Ok(real) = path.canonicalize() else { continue };
            found.extend(self.packages_around(&real));
            match real.parent() {
                Some(folder) if real.is_file() && self.is_harmless(folder) => found.push(folder.to_owned()),
                _ if real.is_file() || self.is_harmless(&real) => {}
                _ => continue,
            }
            found.push(real);
        }
        found
    }

    /// Returns what belongs to a program beside the folders of the `PATH`: what it is linked to, and its interpreter, each with
    /// what is beside it as for a folder of the `PATH`, unless something private is there.
    fn of_program(&self, name: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for file in program::files_of(name, &self.path) {
            let beside = file.parent().map(|folder| self.tools(folder)).unwrap_or_default();
            found.extend(beside.into_iter().filter(|folder| self.is_harmless(folder)));
            found.extend(self.packages_around(&file));
            found.push(file);
        }
        found.retain(|path| !self.system.iter().any(|system| path.starts_with(system)));
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Returns the outermost folder with packages that a file is in: npm keeps what a program consists of beside its own.
    fn packages_around(&self, file: &Path) -> Option<PathBuf> {
        let real = file.canonicalize().ok()?;
        let packages = real.ancestors().filter(|folder| folder.file_name().is_some_and(|name| name == "node_modules"));
        packages.last().filter(|packages| self.is_harmless(packages)).map(Path::to_owned)
    }

    /// Tells whether nothing private is below a folder.
    fn is_harmless(&self, folder: &Path) -> bool {
        folder != Path::new("/") && !self.private.iter().any(|private| private.starts_with(folder))
    }
}

/// Leaves out what is below another.
fn outermost(paths: &[PathBuf]) -> Vec<PathBuf> {
    let mut sorted = paths.to_vec();
    sorted.sort_unstable();
    let mut kept: Vec<PathBuf> = Vec::new();
    for path in sorted {
        if !kept.iter().any(|outer| path.starts_with(outer)) {
            kept.push(path);
        }
    }
    kept
}
