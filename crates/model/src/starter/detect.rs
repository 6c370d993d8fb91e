//! What stands in a repository: languages, versions, package managers, test commands, services, agents, plans, owners.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{PROJECTS_MAX, Program, Reason, Repository, Wishes, join};

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
pub(super) const FURTHER: [&str; 14] = [
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

/// Steps of the runner for a language, pinned.
const SETUP_PYTHON: &str = "actions/setup-python@a309ff8b426b58ec0e2a45f0f869d46889d02405 # v6.2.0";
const SETUP_NODE: &str = "actions/setup-node@6044e13b5dc448c55e2357c09f80417699197238 # v6.2.0";
const SETUP_GO: &str = "actions/setup-go@7a3fe6cf4cb3a834922a1244abfce67bcef6a0c5 # v6.2.0";
const SETUP_JAVA: &str = "actions/setup-java@be666c2fcd27ec809703dec50e508c2fdc7f6654 # v5.2.0";

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
        loose_python(repository, &mut found);
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

impl Found {
    fn test(&mut self, command: &str, because: String) {
        // A target of the Makefile stands for all projects: whoever wrote it knows best.
        if self.tests.first().is_some_and(|first| first.command == "make test") {
            return;
        }
        self.tests.push(Test { command: command.to_owned(), because });
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
        node(repository, folder, found);
    }
    if repository.first_in(folder, &["pyproject.toml", "setup.py", "Pipfile", "requirements.txt"]).is_some() {
        python(repository, folder, found);
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
    java(repository, folder, found);
    if repository.has(&at("Gemfile")) {
        let rspec = repository.paths.iter().any(|path| path.starts_with(&at("spec/")));
        let command = if rspec { "bundle exec rspec" } else { "bundle exec rake test" };
        found.test(command, format!("{} is a Ruby project", at("Gemfile")));
        let files = [at("Gemfile"), at("Gemfile.lock")].into_iter().filter(|path| repository.has(path)).collect();
        let because = "gems are installed for every slot".to_owned();
        found.setup.push(SlotSetup { run: "bundle install".to_owned(), files, because });
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

fn node(repository: &Repository, folder: &str, found: &mut Found) {
    let manifest = join(folder, "package.json");
    let json: Value = serde_json::from_str(repository.text(&manifest)).unwrap_or(Value::Null);
    let lock = |name: &str| repository.first_in(folder, &[name]).or_else(|| repository.first_in("", &[name]));
    let named = json["packageManager"].as_str().unwrap_or_default();
    let managers: [(&str, &str, &[&str]); 4] = [
        ("pnpm", "pnpm install --frozen-lockfile", &["pnpm-lock.yaml"]),
        ("yarn", "yarn install --immutable", &["yarn.lock"]),
        ("bun", "bun install --frozen-lockfile", &["bun.lock", "bun.lockb"]),
        ("npm", "npm ci", &["package-lock.json", "npm-shrinkwrap.json"]),
    ];
    let by_lock = managers.iter().find_map(|(name, install, locks)| {
        let lock = locks.iter().find_map(|name| lock(name))?;
        Some((*name, *install, Some(lock)))
    });
    let by_name = managers
        .iter()
        .find(|(name, ..)| named.split('@').next() == Some(name))
        .map(|(name, install, locks)| (*name, *install, locks.iter().find_map(|name| lock(name))));
    let (manager, install, lock) = by_name.or(by_lock).unwrap_or(("npm", "npm install", None));
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

fn is_node_test(path: &str) -> bool {
    [".test.js", ".test.mjs", ".test.cjs"].iter().any(|end| path.ends_with(end)) && !path.contains("node_modules/")
}

fn python(repository: &Repository, folder: &str, found: &mut Found) {
    let at = |name: &str| join(folder, name);
    let project = repository.text(&at("pyproject.toml"));
    let below = |path: &&String| folder.is_empty() || path.starts_with(&format!("{folder}/"));
    let requirements: Vec<String> = repository
        .paths
        .iter()
        .filter(|path| {
            let name = path.rsplit('/').next().unwrap_or(path);
            **path == join(folder, name) && name.starts_with("requirements") && name.ends_with(".txt")
        })
        .cloned()
        .collect();
    let mentions = |word: &str| {
        project.contains(word)
            || ["tox.ini", "setup.py", "Pipfile"].iter().any(|name| repository.text(&at(name)).contains(word))
            || requirements.iter().any(|path| repository.text(path).contains(word))
    };
    let pytest = mentions("pytest")
        || repository.has(&at("pytest.ini"))
        || repository.paths.iter().filter(below).any(|path| path.ends_with("conftest.py"));
    let (prefix, installed) = if repository.has(&at("uv.lock")) || project.contains("[tool.uv") {
        let files = vec![at("pyproject.toml"), at("uv.lock")];
        let run =
            if folder.is_empty() { "uv sync".to_owned() } else { format!("uv sync --project {}", quoted(folder)) };
        found.setup.push(SlotSetup { run, files, because: format!("{} is there", at("uv.lock")) });
        let because = "the runner has no uv of its own".to_owned();
        found.step(JobStep::Run { command: "python3 -m pip install uv".to_owned(), because });
        ("uv run ", "uv")
    } else if repository.has(&at("poetry.lock")) || project.contains("[tool.poetry") {
        let files = vec![at("pyproject.toml"), at("poetry.lock")];
        let because = format!("{} says so", at("pyproject.toml"));
        found.setup.push(SlotSetup { run: "poetry install".to_owned(), files, because });
        let because = "the runner has no Poetry of its own".to_owned();
        found.step(JobStep::Run { command: "python3 -m pip install poetry".to_owned(), because });
        ("poetry run ", "Poetry")
    } else if repository.has(&at("Pipfile")) {
        let files = [at("Pipfile"), at("Pipfile.lock")].into_iter().filter(|path| repository.has(path)).collect();
        let because = format!("{} is there", at("Pipfile"));
        found.setup.push(SlotSetup { run: "pipenv install --dev".to_owned(), files, because });
        let because = "the runner has no pipenv of its own".to_owned();
        found.step(JobStep::Run { command: "python3 -m pip install pipenv".to_owned(), because });
        ("pipenv run ", "pipenv")
    } else {
        ("", "pip")
    };
    if installed == "pip" {
        for path in &requirements {
            let command = format!("python3 -m pip install --requirement {}", quoted(path));
            found.needs_checkout = true;
            found.step(JobStep::Run { command, because: format!("{path} lists what the tests need") });
        }
        if pytest && !requirements.iter().any(|path| repository.text(path).contains("pytest")) {
            let because = "the tests are written for pytest, and no requirements file installs it".to_owned();
            found.step(JobStep::Run { command: "python3 -m pip install pytest".to_owned(), because });
        }
    }
    let (command, why) = if pytest {
        let place = if folder.is_empty() { String::new() } else { format!(" {}", quoted(folder)) };
        (format!("{prefix}python3 -m pytest{place}"), "the tests are written for pytest")
    } else {
        let place = if folder.is_empty() { String::new() } else { format!(" -s {}", quoted(folder)) };
        (format!("{prefix}python3 -m unittest discover -v{place}"), "nothing names another runner than Python's own")
    };
    let command = if prefix.is_empty() { command } else { command.replace("python3 -m pytest", "pytest") };
    found.test(&command, format!("{why}; installed with {installed}"));
    python_version(repository, folder, project, found);
}

fn python_version(repository: &Repository, folder: &str, project: &str, found: &mut Found) {
    let file =
        repository.first_in(folder, &[".python-version"]).or_else(|| repository.first_in("", &[".python-version"]));
    let (with, why) = if let Some(file) = file {
        (("python-version-file".to_owned(), file.clone()), format!("{file} names the version"))
    } else if project.contains("requires-python") {
        let file = join(folder, "pyproject.toml");
        (("python-version-file".to_owned(), file.clone()), format!("{file} names the version in `requires-python`"))
    } else {
        let why = "nothing names a version of Python".to_owned();
        (("python-version".to_owned(), "3.12".to_owned()), why)
    };
    found.language(SETUP_PYTHON, vec![with], why);
}

/// Tests of Python in a repository that has no project file at all.
fn loose_python(repository: &Repository, found: &mut Found) {
    let test = repository.paths.iter().find(|path| {
        let name = path.rsplit('/').next().unwrap_or(path);
        name.starts_with("test_") && name.ends_with(".py") && !path.starts_with('.')
    });
    if let Some(test) = test {
        found.test("python3 -m unittest discover -v", format!("{test} is there, and nothing names a runner of tests"));
        python_version(repository, "", "", found);
    }
}

fn java(repository: &Repository, folder: &str, found: &mut Found) {
    let at = |name: &str| join(folder, name);
    let maven = repository.has(&at("pom.xml"));
    let gradle = repository.first_in(folder, &["build.gradle", "build.gradle.kts"]);
    let (command, why) = if maven {
        let wrapper = repository.has(&at("mvnw"));
        let program = if wrapper { format!("./{}", at("mvnw")) } else { "mvn".to_owned() };
        (with_flag(&format!("{program} --batch-mode verify"), "--file", folder, "pom.xml"), at("pom.xml"))
    } else if let Some(build) = gradle {
        let wrapper = repository.has(&at("gradlew"));
        let program = if wrapper { format!("./{}", at("gradlew")) } else { "gradle".to_owned() };
        let place = if folder.is_empty() { String::new() } else { format!(" --project-dir {}", quoted(folder)) };
        (format!("{program}{place} test"), build)
    } else {
        return;
    };
    found.test(&command, format!("{why} is a Java project"));
    let (with, because) = match repository.first_in(folder, &[".java-version"]) {
        Some(file) => (("java-version-file".to_owned(), file.clone()), format!("{file} names the version")),
        None => match java_release(repository.text(&at("pom.xml"))) {
            Some(version) => (("java-version".to_owned(), version), format!("{} names the version", at("pom.xml"))),
            None => (("java-version".to_owned(), "21".to_owned()), "nothing names a version of Java".to_owned()),
        },
    };
    found.language(SETUP_JAVA, vec![("distribution".to_owned(), "temurin".to_owned()), with], because);
}

fn java_release(pom: &str) -> Option<String> {
    ["maven.compiler.release", "java.version", "maven.compiler.target"].iter().find_map(|tag| {
        let (_, rest) = pom.split_once(&format!("<{tag}>"))?;
        let version = rest.split('<').next()?.trim().trim_start_matches("1.").to_owned();
        version.bytes().all(|byte| byte.is_ascii_digit()).then_some(version).filter(|version| !version.is_empty())
    })
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
