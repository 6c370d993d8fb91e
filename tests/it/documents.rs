//! The documents say what is: every path that they name exists, every command of the help is in the README, no test
//! file is forgotten.

use std::{fs, path::Path};

use crate::support::Bench;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn documents() -> Vec<String> {
    let mut documents: Vec<_> =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"].map(str::to_owned).into();
    for entry in fs::read_dir(Path::new(ROOT).join("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".md") {
            documents.push(format!("docs/{name}"));
        }
    }
    documents
}

#[test]
fn every_link_in_the_documents_leads_somewhere() {
    for document in documents() {
        let text = read(&document);
        let folder = Path::new(ROOT).join(&document).parent().unwrap().to_owned();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            if target.is_empty() || target.contains("://") {
                continue;
            }
            assert!(folder.join(target).exists(), "{document} links to {target}");
        }
    }
}

#[test]
fn every_source_path_that_the_architecture_names_exists() {
    let text = read("ARCHITECTURE.md");
    let mut named = 0;
    for path in text
        .split('`')
        .filter(|word| word.starts_with("src/") || word.starts_with("crates/") || word.starts_with("tests/"))
    {
        assert!(Path::new(ROOT).join(path).exists(), "ARCHITECTURE.md names {path}");
        named += 1;
    }
    assert!(named > 10, "only {named} paths found: is the test still looking at the right thing?");
}

#[test]
fn the_readme_lists_every_command_and_exit_code() {
    let readme = read("README.md");
    let help = Bench::new().call(["--help"]).expect(0).stdout;
    let commands = help.split("Commands:").nth(1).unwrap().split("Options:").next().unwrap();
    let mut found = 0;
    for command in commands.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' ')) {
        let name = command.split_whitespace().next().unwrap_or_default();
        if name.is_empty() {
            continue;
        }
        found += 1;
        assert!(readme.contains(&format!("| `{name}")), "the README does not list `{name}`");
    }
    assert!(found >= 6, "{help}");
    for code in ["| 0 |", "| 1 |", "| 2 |", "| 3 |", "| 130 |"] {
        assert!(readme.contains(code), "{code}");
    }
}

#[test]
fn every_test_and_path_that_the_security_policy_names_exists() {
    let policy = read("SECURITY.md");
    let sources = sources();
    let is_test =
        |word: &&str| word.matches('_').count() >= 3 && word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let words: Vec<&str> = policy.split('`').skip(1).step_by(2).collect();
    let tests: Vec<_> = words.iter().copied().filter(is_test).collect();
    assert!(tests.len() > 20, "only {} tests found: is this still looking at the right thing?", tests.len());
    for test in tests {
        assert!(sources.contains(&format!("fn {test}(")), "SECURITY.md names the test {test}");
    }
    for path in
        words.iter().filter(|word| ["src/", "crates/", "tests/", "fuzz/"].iter().any(|root| word.starts_with(root)))
    {
        assert!(Path::new(ROOT).join(path).exists(), "SECURITY.md names {path}");
    }
}

/// Reads every Rust source of the workspace.
fn sources() -> String {
    let mut folders: Vec<_> = ["src", "crates", "tests"].map(|folder| Path::new(ROOT).join(folder)).into();
    let mut all = String::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap()) {
            let path = entry.path();
            if entry.file_type().unwrap().is_dir() && !path.ends_with("node_modules") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                all += &fs::read_to_string(path).unwrap();
            }
        }
    }
    all
}

#[test]
fn every_kind_of_finding_is_documented() {
    let page = read("docs/findings.md");
    for code in implementer_model::findings::FindingCode::ALL {
        assert!(page.contains(&format!("| `{}` |", code.name())), "docs/findings.md does not list `{}`", code.name());
        // The name is the one in the hand-off.
        assert_eq!(serde_json::to_value(code).unwrap(), code.name());
    }
}

#[test]
fn no_test_file_is_forgotten() {
    let main = read("tests/it/main.rs");
    for entry in fs::read_dir(Path::new(ROOT).join("tests/it")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.strip_suffix(".rs").unwrap_or(&name);
        assert!(module == "main" || main.contains(&format!("mod {module};")), "tests/it/{name} is not compiled");
    }
}

#[test]
fn the_published_schemas_are_those_of_the_program() {
    let bench = Bench::new();
    for of in ["plan", "report", "handoff", "config"] {
        let printed = bench.call(["schema", of]).expect(0).stdout;
        let path = format!("docs/schemas/{of}.json");
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            fs::create_dir_all(Path::new(ROOT).join("docs/schemas")).unwrap();
            fs::write(Path::new(ROOT).join(&path), &printed).unwrap();
        }
        assert_eq!(read(&path), printed, "{path} has drifted: run the tests once with UPDATE_SCHEMAS=1");
    }
}
