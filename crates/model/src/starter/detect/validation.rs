//! A first command for the validation gate: one that works with what the repository has, without anything else installed.

use serde_json::Value;

use super::{Repository, Test, node, quoted, with_flag};
use crate::starter::join;

/// Scripts of a manifest that look at the whole product, the most telling first.
const SCRIPTS: [&str; 5] = ["typecheck", "type-check", "check", "build", "lint"];

/// Finds a command that shows that the product of a project holds together.
pub(super) fn validation(repository: &Repository, folder: &str) -> Option<Test> {
    let at = |name: &str| join(folder, name);
    let test = |command: String, because: String| Some(Test { command, because });
    if repository.has(&at("Cargo.toml")) {
        let command = with_flag("cargo check --workspace", "--manifest-path", folder, "Cargo.toml");
        return test(command, "all of it must compile".to_owned());
    }
    if repository.has(&at("go.mod")) {
        let command =
            if folder.is_empty() { "go vet ./...".to_owned() } else { format!("go -C {} vet ./...", quoted(folder)) };
        return test(command, "all of it must compile and hold to the rules of go vet".to_owned());
    }
    if repository.has(&at("package.json")) && folder.is_empty() {
        return of_node(repository);
    }
    if repository.first_in(folder, &["pyproject.toml", "setup.py", "Pipfile", "requirements.txt"]).is_some() {
        let place = if folder.is_empty() { python_folder(repository) } else { folder.to_owned() };
        return test(format!("python3 -m compileall -q {}", quoted(&place)), "all of it must compile".to_owned());
    }
    None
}

fn of_node(repository: &Repository) -> Option<Test> {
    let manifest: Value = serde_json::from_str(repository.text("package.json")).ok()?;
    if let Some(script) = SCRIPTS.iter().find(|script| manifest["scripts"][**script].is_string()) {
        let because = format!("package.json has a script `{script}`");
        let (manager, ..) = node::manager(repository, "", &manifest);
        return Some(Test { command: format!("{manager} run {script}"), because });
    }
    let named = manifest["main"].as_str().map(|main| main.trim_start_matches("./"));
    let usual = ["src/index.js", "src/app.js", "src/server.js", "src/main.js", "index.js", "app.js", "server.js"];
    let entry = named.into_iter().chain(usual).find(|path| repository.has(path) && path.ends_with("js"))?;
    Some(Test {
        command: format!("node --check {}", quoted(entry)),
        because: format!("{entry} must be valid JavaScript"),
    })
}

/// Returns the folder with the code; all of the repository where none is its usual one.
fn python_folder(repository: &Repository) -> String {
    let is_code = |path: &&String| path.starts_with("src/") && path.ends_with(".py");
    if repository.paths.iter().any(|path| is_code(&path)) {
        return "src".to_owned();
    }
    let package = repository.paths.iter().find_map(|path| {
        path.strip_suffix("/__init__.py").filter(|folder| !folder.contains('/') && !folder.starts_with("test"))
    });
    package.unwrap_or(".").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proposed(files: &[(&str, &str)]) -> Option<String> {
        let mut repository = Repository::default();
        for (path, text) in files {
            repository.paths.insert((*path).to_owned());
            repository.texts.insert((*path).to_owned(), (*text).to_owned());
        }
        validation(&repository, "").map(|test| test.command)
    }

    #[test]
    fn what_is_there_says_what_can_be_checked() {
        for (files, command) in [
            (&[("Cargo.toml", "")][..], Some("cargo check --workspace")),
            (&[("go.mod", "")], Some("go vet ./...")),
            (&[("package.json", r#"{"scripts":{"lint":"x","typecheck":"tsc"}}"#)], Some("npm run typecheck")),
            (&[("package.json", r#"{"scripts":{"build":"x"}}"#), ("pnpm-lock.yaml", "")], Some("pnpm run build")),
            (&[("package.json", r#"{"packageManager":"pnpm@9.1.0","scripts":{"build":"x"}}"#)], Some("pnpm run build")),
            (&[("package.json", r#"{"main":"./lib/x.js"}"#), ("lib/x.js", "")], Some("node --check lib/x.js")),
            (&[("package.json", "{}"), ("src/app.js", "")], Some("node --check src/app.js")),
            (&[("package.json", "{}")], None),
            (&[("pyproject.toml", ""), ("shed/__init__.py", "")], Some("python3 -m compileall -q shed")),
            (&[("pyproject.toml", ""), ("src/shed/a.py", "")], Some("python3 -m compileall -q src")),
            (&[("README.md", "")], None),
        ] {
            assert_eq!(proposed(files).as_deref(), command, "{files:?}");
        }
    }
}
