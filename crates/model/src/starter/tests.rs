use super::*;
use crate::{
    config::{Config, Layout},
    gate::GateKind,
    roster, workflow,
};

fn repository(files: &[(&str, &str)]) -> Repository {
    let paths = files.iter().map(|(path, _)| (*path).to_owned()).collect();
    let read = files.iter().filter(|(path, _)| is_read(path));
    Repository { paths, texts: read.map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect() }
}

fn wishes() -> Wishes {
    let program = |kind: &str, install: &str, key: &str, trace: &str| Program {
        kind: kind.to_owned(),
        install: install.to_owned(),
        variables: Variables { key: key.to_owned(), further: Vec::new() },
        traces: vec![trace.to_owned()],
    };
    Wishes {
        agent: None,
        layout: Layout::OneJob,
        action: "acme/implementer@0123456789012345678901234567890123456789".to_owned(),
        programs: vec![
            program("claude", "npm install --global claude@1", "CLAUDE_KEY", ".claude"),
            program("codex", "npm install --global codex@1", "CODEX_KEY", ".codex"),
        ],
    }
}

/// Starts, and checks what must hold for every repository: the configuration is read, and a workflow comes of it.
fn started(files: &[(&str, &str)]) -> (Start, Config) {
    started_with(files, &wishes())
}

fn started_with(files: &[(&str, &str)], wishes: &Wishes) -> (Start, Config) {
    let start = start(&repository(files), wishes);
    let config = Config::read("c.yml", &start.configuration, &["command", "claude", "codex"])
        .unwrap_or_else(|wrong| panic!("{wrong:#?}\n{}", start.configuration));
    let loaded = roster::load(&[], &config);
    workflow::workflow(&config, &loaded.roster).unwrap_or_else(|error| panic!("{error}\n{}", start.configuration));
    let steps = config.workflow.setup.iter().map(|step| serde_json::to_value(step).unwrap().get("run").is_some());
    assert!(steps.is_sorted(), "languages come before what is installed with them\n{}", start.configuration);
    (start, config)
}

fn tests_of(config: &Config) -> Vec<String> {
    config.gate_commands(GateKind::Tests).iter().map(|argv| argv.join(" ")).collect()
}

fn setup_of(config: &Config) -> Vec<&str> {
    config.setup.iter().map(|command| command.run.as_str()).collect()
}

fn steps_of(config: &Config) -> String {
    serde_json::to_string(&config.workflow.setup).unwrap()
}

#[test]
fn python_with_requirements_and_pytest() {
    let (start, config) = started(&[
        ("requirements.txt", "flask\n"),
        ("requirements-dev.txt", "pytest==8\n"),
        (".python-version", "3.11\n"),
        ("app/main.py", ""),
        ("tests/test_app.py", ""),
    ]);
    assert_eq!(tests_of(&config), ["python3 -m pytest"]);
    let steps = steps_of(&config);
    assert!(
        steps.contains("actions/checkout@") && steps.contains("\"python-version-file\":\".python-version\""),
        "{steps}"
    );
    assert!(steps.contains("pip install --requirement requirements.txt"), "{steps}");
    assert!(steps.contains("pip install --requirement requirements-dev.txt"), "{steps}");
    assert!(!steps.contains("pip install pytest\""), "a requirements file does it: {steps}");
    assert_eq!(start.secrets, ["CLAUDE_KEY"]);
}

#[test]
fn python_with_uv_or_poetry_or_nothing() {
    let (_, config) = started(&[
        ("pyproject.toml", "[project]\nrequires-python = '>=3.12'\n[dependency-groups]\ndev=['pytest']\n"),
        ("uv.lock", ""),
    ]);
    assert_eq!(tests_of(&config), ["uv run pytest"]);
    assert_eq!(setup_of(&config), ["uv sync"]);
    assert_eq!(config.setup[0].files, ["pyproject.toml", "uv.lock"]);
    assert!(steps_of(&config).contains("\"python-version-file\":\"pyproject.toml\""));

    let (_, config) = started(&[("pyproject.toml", "[tool.poetry]\n"), ("poetry.lock", ""), ("test_x.py", "")]);
    assert_eq!(tests_of(&config), ["poetry run python3 -m unittest discover -v"]);
    assert_eq!(setup_of(&config), ["poetry install"]);

    let (_, config) = started(&[("service/app.py", ""), ("service/test_app.py", "")]);
    assert_eq!(tests_of(&config), ["python3 -m unittest discover -v -s service"]);
    assert!(config.setup.is_empty());
}

#[test]
fn tests_of_python_are_run_by_the_runner_that_finds_them() {
    let of_class = "import unittest\n\nclass T(unittest.TestCase):\n    def test_a(self): pass\n";
    for (files, command) in [
        (vec![("src/a.py", ""), ("tests/test_a.py", of_class)], "python3 -m unittest discover -v -s tests"),
        (vec![("tests/__init__.py", ""), ("tests/test_a.py", of_class)], "python3 -m unittest discover -v"),
        (vec![("test_a.py", of_class)], "python3 -m unittest discover -v"),
        (vec![("tests/test_a.py", "from src.a import f\n\ndef test_a():\n    assert f()\n")], "python3 -m pytest"),
        (vec![("tests/a_test.py", "import pytest\n")], "python3 -m pytest"),
        (vec![("setup.py", ""), ("tests/test_a.py", "def test_a():\n    pass\n")], "python3 -m pytest"),
    ] {
        let (_, config) = started(&files);
        assert_eq!(tests_of(&config), [command], "{files:?}");
    }
    let (_, config) = started(&[("tests/test_a.py", "def test_a():\n    pass\n")]);
    assert!(steps_of(&config).contains("pip install pytest"), "the runner has no pytest of its own");
}

#[test]
fn node_with_each_package_manager() {
    let manifest = r#"{"scripts":{"test":"vitest"},"devDependencies":{"vitest":"1"}}"#;
    for (lock, test, install) in [
        ("package-lock.json", "npm test", "npm ci"),
        ("pnpm-lock.yaml", "pnpm test", "pnpm install --frozen-lockfile"),
        ("yarn.lock", "yarn test", "yarn install --immutable"),
        ("bun.lock", "bun test", "bun install --frozen-lockfile"),
    ] {
        let (_, config) = started(&[("package.json", manifest), (lock, ""), (".nvmrc", "22")]);
        assert_eq!(tests_of(&config), [test], "{lock}");
        assert_eq!(setup_of(&config), [install], "{lock}");
        assert_eq!(config.setup[0].files, ["package.json", lock]);
        assert!(steps_of(&config).contains("\"node-version-file\":\".nvmrc\""));
    }
    let (_, config) = started(&[("package.json", r#"{"packageManager":"pnpm@9.1.0","scripts":{"test":"x"}}"#)]);
    assert_eq!(tests_of(&config), ["pnpm test"], "what the manifest says counts");
    // What npm writes into a new manifest is no test.
    let (start, config) =
        started(&[("package.json", r#"{"scripts":{"test":"echo \"Error: no test specified\" && exit 1"}}"#)]);
    assert!(tests_of(&config).is_empty());
    assert!(start.configuration.contains("No command for tests was found"), "{}", start.configuration);
}

#[test]
fn rust_go_and_ruby() {
    let (_, config) = started(&[("Cargo.toml", "[workspace]\n"), ("crates/a/Cargo.toml", "[package]\n")]);
    assert_eq!(tests_of(&config), ["cargo test --workspace"], "members of a workspace are no projects of their own");
    let (_, config) = started(&[("go.mod", "module x\n\ngo 1.24\n"), ("main.go", "")]);
    assert_eq!(tests_of(&config), ["go test ./..."]);
    assert!(steps_of(&config).contains("\"go-version-file\":\"go.mod\""));
    let (_, config) = started(&[("Gemfile", ""), ("Gemfile.lock", ""), ("spec/a_spec.rb", "")]);
    assert_eq!(tests_of(&config), ["bundle exec rspec"]);
    assert_eq!(config.setup[0].files, ["Gemfile", "Gemfile.lock"]);
}

#[test]
fn java_with_maven_and_gradle() {
    let pom = "<project><properties><maven.compiler.release>17</maven.compiler.release></properties></project>";
    let (_, config) = started(&[("pom.xml", pom), ("mvnw", ""), ("core/pom.xml", "")]);
    assert_eq!(tests_of(&config), ["./mvnw --batch-mode verify"], "modules are part of their parent");
    assert!(steps_of(&config).contains("\"java-version\":\"17\""), "{}", steps_of(&config));
    let (_, config) = started(&[("build.gradle.kts", ""), ("gradlew", ""), (".java-version", "21")]);
    assert_eq!(tests_of(&config), ["./gradlew test"]);
    assert!(steps_of(&config).contains("\"java-version-file\":\".java-version\""));
}

#[test]
fn a_repository_of_several_projects() {
    let (_, config) = started(&[
        ("services/api/go.mod", "module api\n"),
        ("services/web/package.json", r#"{"scripts":{"test":"jest"},"dependencies":{"a":"1"}}"#),
        ("services/web/package-lock.json", ""),
        ("services/jobs/pyproject.toml", "[project]\n# pytest\n"),
        ("services/web/node_modules/x/package.json", "{}"),
        ("it's here/Cargo.toml", ""),
    ]);
    assert_eq!(
        tests_of(&config),
        [
            "cargo test --workspace --manifest-path it's here/Cargo.toml",
            "go -C services/api test ./...",
            "python3 -m pytest services/jobs",
            "npm --prefix services/web test",
        ]
    );
    assert_eq!(setup_of(&config), ["npm --prefix services/web ci"]);
}

#[test]
fn a_target_of_the_makefile_stands_for_everything() {
    let (start, config) = started(&[
        ("Makefile", "build: x\n\techo\n\ntest lint: build\n\tgo test ./...\n"),
        ("go.mod", "module x\n"),
        ("package.json", r#"{"scripts":{"test":"jest"}}"#),
    ]);
    assert_eq!(tests_of(&config), ["make test"]);
    assert!(start.reasons.iter().any(|reason| reason.because.contains("target `test`")));
    // Where all that it runs is one runner, that is named itself: then each test is known by name.
    let (start, config) = started(&[("Makefile", ".PHONY: test\ntest:\n\t@go test ./...\n"), ("go.mod", "module x\n")]);
    assert_eq!(tests_of(&config), ["go test ./..."]);
    assert!(start.reasons.iter().any(|reason| reason.because.contains("target `test`, which runs it")));
    let (_, config) = started(&[("Makefile", "export A=1\ntest:\n\tgo test ./...\n"), ("go.mod", "module x\n")]);
    assert_eq!(tests_of(&config), ["make test"], "it hands variables to its recipes");
    let (_, config) = started(&[("Makefile", "test := x\nbuild:\n\ttest: x\n"), ("go.mod", "")]);
    assert_eq!(tests_of(&config), ["go test ./..."], "a variable is no target, and neither is a line of a recipe");
}

#[test]
fn services_agents_plans_and_owners_are_seen() {
    let compose = "services:\n  db: { image: postgres:16 }\n  app: { build: . }\n  cache: { image: redis }\n";
    let (start, config) = started(&[
        ("compose.yaml", compose),
        ("go.mod", "module x\n"),
        (".claude/agents/backend-datatypes.md", ""),
        (".github/CODEOWNERS", "* @acme/backend\n"),
        ("specs/001-users/tasks.md", ""),
    ]);
    let steps = steps_of(&config);
    assert!(steps.contains("docker compose up --detach --wait"), "{steps}");
    assert!(steps.contains("cache") && steps.contains("db") && !steps.contains("wait app"), "{steps}");
    assert!(start.configuration.contains("1 agent file of this repository"), "{}", start.configuration);
    assert_eq!(start.plans, ["specs/001-users/tasks.md"]);
    assert!(start.reasons.iter().any(|reason| reason.because.contains("CODEOWNERS")));
}

#[test]
fn the_agent_is_the_one_that_is_asked_for_or_used_or_the_first() {
    let kind = |start: &Start| start.configuration.lines().find(|line| line.starts_with("  kind:")).unwrap().to_owned();
    assert_eq!(kind(&started(&[]).0), "  kind: claude");
    let (start, _) = started(&[(".codex/config.toml", "")]);
    assert_eq!(kind(&start), "  kind: codex");
    assert_eq!(start.secrets, ["CODEX_KEY"]);
    let asked = Wishes { agent: Some("command".to_owned()), ..wishes() };
    let (start, config) = started_with(&[(".codex/config.toml", "")], &asked);
    assert_eq!(kind(&start), "  kind: command");
    assert!(start.secrets.is_empty() && config.workflow.secrets.is_empty());
}

#[test]
fn an_empty_repository_gets_a_configuration_that_says_what_is_missing() {
    let (start, config) = started(&[]);
    assert!(config.gates.is_empty());
    assert!(start.configuration.contains("the tests gate cannot pass"), "{}", start.configuration);
    assert!(start.plan.contains("## Verification"));
}

#[test]
fn both_layouts_are_written() {
    for layout in Layout::ALL {
        let wishes = Wishes { layout, ..wishes() };
        let (_, config) = started_with(&[("go.mod", "module x\n")], &wishes);
        assert_eq!(config.workflow.layout, layout);
    }
}

#[test]
fn names_and_manifests_of_the_repository_cannot_write_configuration() {
    let (_, config) = started(&[
        ("a: b\n  command: [evil]/package.json", r#"{"scripts":{"test":"x"},"dependencies":{"a":"1"}}"#),
        ("$(evil)/go.mod", ""),
        ("compose.yaml", "services:\n  \"x; evil\": { image: y }\n"),
        ("# x/Cargo.toml", ""),
    ]);
    assert!(config.agent.command.is_empty());
    assert!(!steps_of(&config).contains("evil"), "{}", steps_of(&config));
    assert!(tests_of(&config).iter().all(|test| !test.starts_with("evil")), "{:?}", tests_of(&config));
}

#[test]
fn what_says_how_the_model_is_reached_is_passed_where_it_is_set() {
    use crate::environment::routes::{Reach, Route};
    let routes = [Route { when: &[], names: &["BASE_URL"] }];
    let reach = Reach { keys: &["KEY", "TOKEN"], routes: &routes };
    let of = |set: &[&str]| Variables::from_reach(&reach, |name| set.contains(&name));
    assert_eq!(of(&[]), Variables { key: "KEY".to_owned(), further: Vec::new() });
    assert_eq!(of(&["KEY", "TOKEN"]).further, [""; 0], "one key is enough");
    let behind_a_gateway = of(&["TOKEN", "BASE_URL", "HTTPS_PROXY"]);

    let mut wishes = wishes();
    wishes.programs.truncate(1);
    wishes.programs[0].variables = behind_a_gateway;
    let (start, config) = started_with(&[], &wishes);
    let passed = &config.agents.values().next().unwrap().pass_environment;
    assert_eq!(passed, &["TOKEN", "BASE_URL", "HTTPS_PROXY"]);
    assert_eq!(start.secrets, ["TOKEN"]);
    assert!(start.reasons.iter().any(|reason| reason.what == "pass-environment BASE_URL"), "{:#?}", start.reasons);
}
