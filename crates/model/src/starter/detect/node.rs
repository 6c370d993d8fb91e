//! Node: the package manager, its tests, and the version.

use super::{Found, JobStep, SlotSetup, quoted, versions};
use crate::starter::{Repository, join};

/// Installs Node on the runner.
const SETUP_NODE: &str = "actions/setup-node@6044e13b5dc448c55e2357c09f80417699197238 # v6.2.0";

pub(super) fn node(repository: &Repository, folder: &str, found: &mut Found) {
    let manifest = join(folder, "package.json");
    let json = found.json(repository, &manifest);
    let (manager, install, lock) = manager(repository, folder, &json);
    let because = match &lock {
        Some(lock) => format!("{lock} is there"),
        None => format!("{manifest} has no lock file"),
    };
    let below = !folder.is_empty();
    let flag = match manager {
        "npm" => "--prefix",
        "pnpm" => "--dir",
        _ => "--cwd",
    };
    let placed = |command: &str| match (below, command.split_once(' ')) {
        (true, Some((program, rest))) => format!("{program} {flag} {} {rest}", quoted(folder)),
        _ => command.to_owned(),
    };
    let depends =
        ["dependencies", "devDependencies"].iter().any(|key| json[*key].as_object().is_some_and(|d| !d.is_empty()));
    if depends || lock.is_some() {
        let files = [Some(manifest.clone()), lock].into_iter().flatten().collect();
        found.setup.push(SlotSetup { run: placed(install), files, because: because.clone() });
    }
    let script = json["scripts"]["test"].as_str().unwrap_or_default();
    if !script.is_empty() && !script.contains("no test specified") {
        found.test(&placed(&format!("{manager} test")), format!("{manifest} has a script `test`; {because}"));
    } else if repository.paths.iter().any(|path| path.starts_with(folder) && is_node_test(path)) {
        found.test(
            "node --test",
            format!("{manifest} has no script `test`, and there are test files of Node's own runner"),
        );
    }
    let mut with = Vec::new();
    let why = if let Some(file) = repository
        .first_in(folder, &[".nvmrc", ".node-version"])
        .or_else(|| repository.first_in("", &[".nvmrc", ".node-version"]))
    {
        with.push(("node-version-file".to_owned(), file.clone()));
        format!("{file} names the version")
    } else if json["engines"]["node"].is_string() {
        with.push(("node-version-file".to_owned(), manifest.clone()));
        format!("{manifest} names the version in `engines`")
    } else if let Some((version, because)) = versions::find(repository, "node") {
        with.push(("node-version".to_owned(), version));
        because
    } else {
        with.push(("node-version".to_owned(), "22".to_owned()));
        "nothing names a version of Node; this is the oldest one that is kept up".to_owned()
    };
    found.language(SETUP_NODE, with, why);
    if matches!(manager, "pnpm" | "yarn") {
        let because = format!("the runner has no {manager} of its own");
        found.step(JobStep::Run { command: "corepack enable".to_owned(), because });
    } else if manager == "bun" {
        let because = "the runner has no bun of its own".to_owned();
        found.step(JobStep::Run { command: "npm install --global bun@1".to_owned(), because });
    }
}

/// The package managers, each with the command that installs by its lock, and the names of that.
const MANAGERS: [(&str, &str, &[&str]); 4] = [
    ("pnpm", "pnpm install --frozen-lockfile", &["pnpm-lock.yaml"]),
    ("yarn", "yarn install --immutable", &["yarn.lock"]),
    ("bun", "bun install --frozen-lockfile", &["bun.lock", "bun.lockb"]),
    ("npm", "npm ci", &["package-lock.json", "npm-shrinkwrap.json"]),
];

/// Finds the package manager of a manifest, by its name there or by a lock: its name, how it installs, and the lock.
pub(super) fn manager(
    repository: &Repository,
    folder: &str,
    manifest: &serde_json::Value,
) -> (&'static str, &'static str, Option<String>) {
    let lock = |name: &str| repository.first_in(folder, &[name]).or_else(|| repository.first_in("", &[name]));
    let named = manifest["packageManager"].as_str().unwrap_or_default();
    let by_lock = MANAGERS.iter().find_map(|(name, install, locks)| {
        let lock = locks.iter().find_map(|name| lock(name))?;
        Some((*name, *install, Some(lock)))
    });
    let by_name = MANAGERS
        .iter()
        .find(|(name, ..)| named.split('@').next() == Some(name))
        .map(|(name, install, locks)| (*name, *install, locks.iter().find_map(|name| lock(name))));
    by_name.or(by_lock).unwrap_or(("npm", "npm install", None))
}

fn is_node_test(path: &str) -> bool {
    [".test.js", ".test.mjs", ".test.cjs"].iter().any(|end| path.ends_with(end)) && !path.contains("node_modules/")
}
