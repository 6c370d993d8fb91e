//! What stands in a repository: languages, versions, package managers, test commands, services, agents, plans, owners.

mod found;
mod java;
mod node;
mod python;

use std::collections::BTreeSet;

use serde_json::Value;

pub use self::found::Reason;
use self::found::SlotSetup;
pub(super) use self::found::{Found, JobStep};
use super::{
    repository::{MANIFESTS, Repository, join, quoted, with_flag},
    wishes::{Program, Wishes},
};

/// The most folders of a repository with projects of their own that are named.
const PROJECTS_MAX: usize = 8;

/// The runner's step for the language, pinned.
const SETUP_GO: &str = "actions/setup-go@7a3fe6cf4cb3a834922a1244abfce67bcef6a0c5 # v6.2.0";

pub(super) fn detect(repository: &Repository, wishes: &Wishes) -> Found {
    let (agent, program, because) = agent(repository, wishes);
    let mut found = Found {
        reasons: vec![Reason { what: format!("agent {agent}"), because }],
        agent,
        program,
        tests: Vec::new(),
        setup: Vec::new(),
        steps: Vec::new(),
        needs_checkout: false,
        services: Vec::new(),
        services_file: String::new(),
        agent_files: 0,
        plans: Vec::new(),
    };
    if let Some(target) = makefile_test(repository) {
        found.test("make test", target);
    }
    let projects = projects(repository);
    for folder in &projects {
        project(repository, folder, &mut found);
    }
    if found.tests.is_empty() {
        python::loose_tests(repository, &mut found);
    }
    services(repository, &mut found);
    found.agent_files = repository
        .paths
        .iter()
        .filter(|path| {
            (path.starts_with(".claude/agents/") && path.ends_with(".md"))
                || (path.starts_with(".github/agents/") && path.ends_with(".agent.md"))
        })
        .count();
    if let Some(owners) = repository.first_in("", &["CODEOWNERS", ".github/CODEOWNERS", "docs/CODEOWNERS"]) {
        found.because(
            "reviews stay with the owners",
            &format!("{owners} says who reviews what; nothing here changes it"),
        );
    }
    found.plans = plans(repository);
    found
}

fn agent(repository: &Repository, wishes: &Wishes) -> (String, Option<Program>, String) {
    let program = |kind: &str| wishes.programs.iter().find(|program| program.kind == kind).cloned();
    if let Some(kind) = &wishes.agent {
        return (kind.clone(), program(kind), "asked for with --agent".to_owned());
    }
    for candidate in &wishes.programs {
        let trace = candidate
            .traces
            .iter()
            .find(|trace| repository.paths.iter().any(|path| path == *trace || path.starts_with(&format!("{trace}/"))));
        if let Some(trace) = trace {
            return (candidate.kind.clone(), Some(candidate.clone()), format!("{trace} is there"));
        }
    }
    match wishes.programs.first() {
        Some(first) => (first.kind.clone(), Some(first.clone()), "nothing in the repository names another".to_owned()),
        None => ("command".to_owned(), None, "no agent program is known".to_owned()),
    }
}

/// Finds the folders with a project: the top one, or those below it when it has none.
fn projects(repository: &Repository) -> Vec<String> {
    let is_skipped = |folder: &str| {
        folder.split('/').any(|part| {
            matches!(part, "node_modules" | "vendor" | "target" | "dist" | "build" | "fixtures" | "testdata" | ".venv")
                || part.starts_with('.')
        })
    };
    let of = |path: &str| path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
    let all: BTreeSet<String> = repository
        .paths
        .iter()
        .filter(|path| MANIFESTS.contains(&path.rsplit('/').next().unwrap_or(path)) || is_requirements(path))
        .map(|path| of(path))
        .filter(|folder| !is_skipped(folder))
        .collect();
    if all.contains("") {
        // Languages of the folders below belong to it, where the top has a project of the same language.
        let mut folders = vec![String::new()];
        folders.extend(all.into_iter().filter(|folder| !folder.is_empty() && !is_covered(repository, folder)));
        folders.truncate(PROJECTS_MAX);
        return folders;
    }
    all.into_iter().take(PROJECTS_MAX).collect()
}

/// Tells whether the project at the top stands for the one in a folder: a workspace, or a part of the same build.
fn is_covered(repository: &Repository, folder: &str) -> bool {
    let both = |name: &str| repository.has(name) && repository.has(&join(folder, name));
    MANIFESTS.iter().any(|name| both(name))
        || (repository.has("pom.xml") || repository.has("build.gradle") || repository.has("build.gradle.kts"))
            && ["pom.xml", "build.gradle", "build.gradle.kts"].iter().any(|name| repository.has(&join(folder, name)))
        || repository.has("pyproject.toml")
            && repository.paths.iter().any(|path| is_requirements(path))
            && repository.first_in(folder, &MANIFESTS).is_none()
}

fn is_requirements(path: &str) -> bool {
    path.rsplit('/').next() == Some("requirements.txt")
}

fn project(repository: &Repository, folder: &str, found: &mut Found) {
    let at = |name: &str| join(folder, name);
    if repository.has(&at("package.json")) {
        node::project(repository, folder, found);
    }
    if repository.first_in(folder, &["pyproject.toml", "setup.py", "Pipfile", "requirements.txt"]).is_some() {
        python::project(repository, folder, found);
    }
    if repository.has(&at("Cargo.toml")) {
        let command = with_flag("cargo test --workspace", "--manifest-path", folder, "Cargo.toml");
        found.test(&command, format!("{} is a Rust project", at("Cargo.toml")));
    }
    if repository.has(&at("go.mod")) {
        let command =
            if folder.is_empty() { "go test ./...".to_owned() } else { format!("go -C {} test ./...", quoted(folder)) };
        found.test(&command, format!("{} is a Go module", at("go.mod")));
        let with = vec![("go-version-file".to_owned(), at("go.mod"))];
        found.language(SETUP_GO, with, format!("{} names the version", at("go.mod")));
    }
    java::project(repository, folder, found);
    if repository.has(&at("Gemfile")) {
        let rspec = repository.paths.iter().any(|path| path.starts_with(&at("spec/")));
        let command = if rspec { "bundle exec rspec" } else { "bundle exec rake test" };
        found.test(command, format!("{} is a Ruby project", at("Gemfile")));
        let files = [at("Gemfile"), at("Gemfile.lock")].into_iter().filter(|path| repository.has(path)).collect();
        let because = "gems are installed for every slot".to_owned();
        found.setup.push(SlotSetup { run: "bundle install".to_owned(), files, because });
    }
}

fn makefile_test(repository: &Repository) -> Option<String> {
    let target = repository.text("Makefile").lines().any(|line| {
        line.split_once(':').is_some_and(|(names, rest)| {
            !rest.starts_with('=') && !line.starts_with('\t') && names.split_whitespace().any(|name| name == "test")
        })
    });
    target.then(|| "the Makefile has a target `test`".to_owned())
}

fn services(repository: &Repository, found: &mut Found) {
    let names = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
    let Some(file) = repository.first_in("", &names) else { return };
    let Ok(compose) = crate::yaml::mapping(repository.text(&file)) else { return };
    let Some(services) = compose.get("services").and_then(Value::as_object) else { return };
    // What is built from the repository is the team's own; what comes as an image is what it needs.
    let needed: Vec<String> = services
        .iter()
        .filter(|(_, service)| service.get("build").is_none() && service.get("image").is_some())
        .map(|(name, _)| name.clone())
        .filter(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
        .collect();
    if !needed.is_empty() {
        found.services = needed;
        found.services_file = file;
        found.needs_checkout = true;
    }
}

/// Finds what other planners have left.
fn plans(repository: &Repository) -> Vec<String> {
    let is_plan = |path: &str| {
        (path.starts_with("specs/") && (path.ends_with("/tasks.md") || path.ends_with("/plan.md")))
            || (path.starts_with(".kiro/specs/") && path.ends_with("/tasks.md"))
            || (path.starts_with("openspec/changes/") && path.ends_with("/tasks.md"))
            || path.starts_with("docs/superpowers/plans/")
            || path == ".taskmaster/tasks/tasks.json"
            || path == ".backend-implementer/plan.md"
    };
    repository.paths.iter().filter(|path| is_plan(path)).take(5).cloned().collect()
}
