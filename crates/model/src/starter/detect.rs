//! What stands in a repository: languages, versions, package managers, test commands, services, agents, plans, owners.

mod java;
mod node;
mod python;
mod validation;
mod versions;

use std::collections::BTreeSet;

use serde_json::Value;

pub(super) use self::{python::is_test as is_python_test, versions::is_workflow};

use super::{PROJECTS_MAX, Program, Reason, Repository, Wishes, join};
use crate::{
    command,
    evidence::ask::{self, Seen},
};

/// The files that begin a project.
pub(super) const MANIFESTS: [&str; 12] = [
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
    "composer.json",
    "mix.exs",
];

/// Further files that are looked into.
pub(super) const FURTHER: [&str; 19] = [
    "Makefile",
    "justfile",
    "Justfile",
    ".tool-versions",
    "mise.toml",
    ".mise.toml",
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

/// Installs Go on the runner.
const SETUP_GO: &str = "actions/setup-go@7a3fe6cf4cb3a834922a1244abfce67bcef6a0c5 # v6.2.0";

/// What stands for the tests of all projects.
const MAKE_TEST: &str = "make test";
const JUST_TEST: &str = "just test";

/// A command that a slot needs before anything runs in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SlotSetup {
    pub(super) run: String,
    pub(super) files: Vec<String>,
    pub(super) because: String,
}

/// A command of the tests gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Test {
    pub(super) command: String,
    pub(super) because: String,
}

/// A step of the working job, before ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum JobStep {
    /// An action with its inputs.
    Uses { action: &'static str, with: Vec<(String, String)>, because: String },
    /// A command.
    Run { command: String, because: String },
}

/// Everything that was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) agent: String,
    pub(super) program: Option<Program>,
    pub(super) tests: Vec<Test>,
    pub(super) validation: Option<Test>,
    /// Whether they stand for all projects.
    tests_stand_for_all: bool,
    pub(super) setup: Vec<SlotSetup>,
    pub(super) steps: Vec<JobStep>,
    pub(super) needs_checkout: bool,
    pub(super) services: Vec<String>,
    pub(super) services_file: String,
    pub(super) reasons: Vec<Reason>,
    pub(super) agent_files: usize,
    pub(super) plans: Vec<String>,
}

pub(super) fn detect(repository: &Repository, wishes: &Wishes) -> Found {
    let (agent, program, because) = agent(repository, wishes);
    let mut found = Found {
        reasons: vec![Reason { what: format!("agent {agent}"), because }],
        agent,
        program,
        tests: Vec::new(),
        validation: None,
        tests_stand_for_all: false,
        setup: Vec::new(),
        steps: Vec::new(),
        needs_checkout: false,
        services: Vec::new(),
        services_file: String::new(),
        agent_files: 0,
        plans: Vec::new(),
    };
    if let Some(target) = makefile_test(repository) {
        found.test_of_all(repository, MAKE_TEST, &target);
    } else if let Some(justfile) = just_test(repository) {
        found.test_of_all(repository, JUST_TEST, &format!("{justfile} has a recipe `test`"));
        if found.tests.iter().any(|test| test.command == JUST_TEST) {
            let because = "the runner has no just of its own".to_owned();
            found.step(JobStep::Run { command: "python3 -m pip install rust-just".to_owned(), because });
        }
    }
    let projects = projects(repository);
    for folder in &projects {
        project(repository, folder, &mut found);
        found.validation = found.validation.take().or_else(|| validation::validation(repository, folder));
    }
    if found.tests.is_empty() {
        python::loose(repository, &mut found);
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
    // What is installed with a language goes into the one that the set-up brings, not into the runner's own.
    found.steps.sort_by_key(|step| matches!(step, JobStep::Run { .. }));
    found
}

impl Found {
    /// Adds the command that stands for the tests of all projects: whoever wrote its recipe knows best. Where that is one
    /// command that a runner understands, the runner itself is named, because it then says which tests ran.
    fn test_of_all(&mut self, repository: &Repository, command: &str, because: &str) {
        let read = |path: &str| repository.texts.get(path).cloned();
        let argv: Vec<String> = command.split(' ').map(str::to_owned).collect();
        let runner =
            ask::command_behind(&argv, &read).filter(|words| matches!(ask::seen(words, &read), Seen::ByName(_)));
        let test = match runner {
            Some(words) => Test {
                command: command::join(&words),
                because: format!("{because}, which runs it; named itself, it says which tests ran"),
            },
            None => Test { command: command.to_owned(), because: because.to_owned() },
        };
        self.tests.push(test);
        self.tests_stand_for_all = true;
    }

    fn test(&mut self, command: &str, because: String) {
        if self.tests_stand_for_all {
            return;
        }
        self.tests.push(Test { command: command.to_owned(), because });
    }

    /// Reads a manifest in JSON. Of one that is none nothing is made, and that is said.
    fn json(&mut self, repository: &Repository, manifest: &str) -> Value {
        serde_json::from_str(repository.text(manifest)).unwrap_or_else(|error| {
            self.because(&format!("nothing is taken from {manifest}"), &format!("it is not JSON: {error}"));
            Value::Null
        })
    }

    fn because(&mut self, what: &str, because: &str) {
        self.reasons.push(Reason { what: what.to_owned(), because: because.to_owned() });
    }

    fn step(&mut self, step: JobStep) {
        if !self.steps.contains(&step) {
            self.steps.push(step);
        }
    }

    /// Adds the step that installs a language.
    fn language(&mut self, action: &'static str, with: Vec<(String, String)>, because: String) {
        let there = self.steps.iter().any(|step| matches!(step, JobStep::Uses { action: a, .. } if *a == action));
        if !there {
            self.needs_checkout |= with.iter().any(|(name, _)| name.ends_with("-file"));
            self.step(JobStep::Uses { action, with, because });
        }
    }
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
    // What is a part of a project above it, such as the member of a workspace, is none of its own.
    let is_part =
        |folder: &String| all.iter().any(|above| is_below(folder, above) && is_covered(repository, above, folder));
    let mut folders: Vec<_> = all.iter().filter(|folder| !is_part(folder)).cloned().collect();
    folders.truncate(PROJECTS_MAX);
    folders
}

fn is_below(folder: &str, above: &str) -> bool {
    folder != above && (above.is_empty() || folder.strip_prefix(above).is_some_and(|rest| rest.starts_with('/')))
}

/// Tells whether a project stands for the one in a folder below it: a workspace, or a part of the same build.
fn is_covered(repository: &Repository, above: &str, folder: &str) -> bool {
    let has = |name: &str| repository.has(&join(above, name));
    let both = |name: &str| has(name) && repository.has(&join(folder, name));
    MANIFESTS.iter().any(|name| both(name))
        || ["pom.xml", "build.gradle", "build.gradle.kts"].iter().any(|name| has(name))
            && ["pom.xml", "build.gradle", "build.gradle.kts"].iter().any(|name| repository.has(&join(folder, name)))
        || ["pyproject.toml", "requirements.txt"].iter().any(|name| has(name))
            && repository.first_in(folder, &MANIFESTS).is_none()
}

fn is_requirements(path: &str) -> bool {
    path.rsplit('/').next() == Some("requirements.txt")
}

fn project(repository: &Repository, folder: &str, found: &mut Found) {
    let at = |name: &str| join(folder, name);
    if repository.has(&at("package.json")) {
        node::node(repository, folder, found);
    }
    if repository.first_in(folder, &["pyproject.toml", "setup.py", "Pipfile", "requirements.txt"]).is_some() {
        python::python(repository, folder, found);
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
    java::java(repository, folder, found);
    if repository.has(&at("Gemfile")) {
        let rspec = repository.paths.iter().any(|path| path.starts_with(&at("spec/")));
        let command = if rspec { "bundle exec rspec" } else { "bundle exec rake test" };
        found.test(command, format!("{} is a Ruby project", at("Gemfile")));
        let files = [at("Gemfile"), at("Gemfile.lock")].into_iter().filter(|path| repository.has(path)).collect();
        let because = "gems are installed for every slot".to_owned();
        found.setup.push(SlotSetup { run: "bundle install".to_owned(), files, because });
    }
    if repository.has(&at("composer.json")) {
        php(repository, folder, found);
    }
    if repository.has(&at("mix.exs")) && folder.is_empty() {
        found.test("mix test", "mix.exs is an Elixir project".to_owned());
        let files =
            ["mix.exs", "mix.lock"].into_iter().filter(|path| repository.has(path)).map(str::to_owned).collect();
        let because = "dependencies are fetched for every slot".to_owned();
        found.setup.push(SlotSetup { run: "mix deps.get".to_owned(), files, because });
    }
}

/// PHP and Composer are on GitHub's runners.
fn php(repository: &Repository, folder: &str, found: &mut Found) {
    let manifest = join(folder, "composer.json");
    let place = if folder.is_empty() { String::new() } else { format!(" --working-dir {}", quoted(folder)) };
    let files =
        [manifest.clone(), join(folder, "composer.lock")].into_iter().filter(|path| repository.has(path)).collect();
    let because = format!("{manifest} lists what it needs");
    found.setup.push(SlotSetup { run: format!("composer{place} install --no-interaction"), files, because });
    let json = found.json(repository, &manifest);
    if json["scripts"].get("test").is_some() {
        found.test(&format!("composer{place} test"), format!("{manifest} has a script `test`"));
    } else if folder.is_empty() && repository.first_in("", &["phpunit.xml", "phpunit.xml.dist"]).is_some() {
        found.test("vendor/bin/phpunit", "phpunit.xml is there".to_owned());
    }
}

fn with_flag(command: &str, flag: &str, folder: &str, file: &str) -> String {
    if folder.is_empty() { command.to_owned() } else { format!("{command} {flag} {}", quoted(&join(folder, file))) }
}

/// Quotes a path for a command that is split as a shell would.
fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_');
    if path.chars().all(plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

fn makefile_test(repository: &Repository) -> Option<String> {
    let target = repository.text("Makefile").lines().any(|line| {
        line.split_once(':').is_some_and(|(names, rest)| {
            !rest.starts_with('=') && !line.starts_with('\t') && names.split_whitespace().any(|name| name == "test")
        })
    });
    target.then(|| "the Makefile has a target `test`".to_owned())
}

fn just_test(repository: &Repository) -> Option<&'static str> {
    let is_test = |line: &str| {
        let name = line.trim_start_matches('@').split([' ', ':']).next().unwrap_or_default();
        name == "test" && line.contains(':') && !line.contains(":=")
    };
    ["justfile", "Justfile"].into_iter().find(|path| repository.text(path).lines().any(is_test))
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
