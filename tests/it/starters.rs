//! `init` in repositories as strangers have them: configuration, workflows, secrets and a first plan that can be run. All
//! workflows are linted together; `scripts/install-tools` installs the linters.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use implementer_model::{config::Config, gate::GateKind};

use crate::support::Bench;

const CONFIG: &str = ".github/backend-implementer.yml";
const PLAN: &str = ".backend-implementer/plan.md";
const ACTION: &str = "acme/implementer@0123456789012345678901234567890123456789";

/// A repository, and what `init` makes of it.
struct Case {
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
    /// The commands of the tests gate.
    tests: &'static [&'static str],
    /// The commands of `setup`.
    setup: &'static [&'static str],
    /// What stands in the steps of the job.
    steps: &'static [&'static str],
    /// What else is said.
    said: &'static [&'static str],
}

const PACKAGE: &str = r#"{"scripts":{"test":"vitest run"},"devDependencies":{"vitest":"3"}}"#;

const CASES: &[Case] = &[
    Case {
        name: "python-pip",
        files: &[("requirements.txt", "flask\npytest\n"), ("app.py", ""), ("tests/test_app.py", "")],
        tests: &["python3 -m pytest"],
        setup: &[],
        steps: &["pip install --requirement requirements.txt", "\"python-version\":\"3.12\""],
        said: &["nothing names a version of Python"],
    },
    Case {
        name: "python-package-with-src",
        files: &[
            (
                "pyproject.toml",
                "[project]\nname = 'x'\nrequires-python = '>=3.11'\n\n[project.optional-dependencies]\ntest = ['pytest']\n",
            ),
            ("src/x/__init__.py", ""),
            ("tests/test_x.py", ""),
        ],
        tests: &["env PYTHONPATH=src python3 -m pytest"],
        setup: &[],
        steps: &["pip install '.[test]'", "\"python-version-file\":\"pyproject.toml\""],
        said: &["pyproject.toml lists what it needs"],
    },
    Case {
        name: "python-uv",
        files: &[
            ("pyproject.toml", "[project]\nname = 'x'\n[dependency-groups]\ndev = ['pytest']\n"),
            ("uv.lock", ""),
            ("mise.toml", "[tools]\npython = \"3.13\"\n"),
        ],
        tests: &["uv run pytest"],
        setup: &["uv sync"],
        steps: &["pip install uv", "\"python-version\":\"3.13\""],
        said: &["mise.toml names the version"],
    },
    Case {
        name: "python-poetry",
        files: &[
            ("pyproject.toml", "[tool.poetry]\nname = 'x'\n[tool.poetry.group.dev.dependencies]\npytest = '*'\n"),
            ("poetry.lock", ""),
            (".python-version", "3.12\n"),
        ],
        tests: &["poetry run pytest"],
        setup: &["poetry install"],
        steps: &["pip install poetry", "\"python-version-file\":\".python-version\""],
        said: &[],
    },
    Case {
        name: "python-hatch",
        files: &[
            ("pyproject.toml", "[project]\nname = 'x'\n[tool.hatch.envs.default]\ndependencies = ['pytest']\n"),
            ("tests/test_x.py", ""),
        ],
        tests: &["hatch test"],
        setup: &[],
        steps: &["pip install hatch"],
        said: &["has environments of Hatch"],
    },
    Case {
        name: "python-tox",
        files: &[
            ("setup.py", ""),
            ("tox.ini", "[tox]\nenvlist = py311\n\n[testenv]\ndeps = pytest\ncommands = pytest\n"),
        ],
        tests: &["tox run -e py"],
        setup: &[],
        steps: &["pip install tox"],
        said: &["tox runs the tests, says tox.ini"],
    },
    Case {
        name: "node-npm",
        files: &[
            ("package.json", PACKAGE),
            ("package-lock.json", "{}"),
            (".nvmrc", "22\n"),
            (".github/CODEOWNERS", "* @acme/backend\n"),
        ],
        tests: &["npm test"],
        setup: &["npm ci"],
        steps: &["\"node-version-file\":\".nvmrc\""],
        said: &[".github/CODEOWNERS says who reviews what"],
    },
    Case {
        name: "node-pnpm-workspace",
        files: &[
            ("package.json", PACKAGE),
            ("pnpm-lock.yaml", ""),
            ("pnpm-workspace.yaml", "packages: [packages/*]\n"),
            ("packages/api/package.json", PACKAGE),
            (".tool-versions", "nodejs 22.3.0\n"),
        ],
        tests: &["pnpm test"],
        setup: &["pnpm install --frozen-lockfile"],
        steps: &["corepack enable", "\"node-version\":\"22.3.0\""],
        said: &[".tool-versions names the version"],
    },
    Case {
        name: "node-yarn",
        files: &[
            ("package.json", PACKAGE),
            ("yarn.lock", ""),
            (".claude/agents/api.md", "---\nname: api\ndescription: Writes the API\n---\nDo.\n"),
        ],
        tests: &["yarn test"],
        setup: &["yarn install --immutable"],
        steps: &["corepack enable"],
        said: &["agent claude: .claude is there"],
    },
    Case {
        name: "node-without-a-test-script",
        files: &[
            ("package.json", r#"{"scripts":{"start":"node ."},"dependencies":{"express":"5"}}"#),
            (
                ".github/workflows/ci.yml",
                "jobs:\n  t:\n    steps:\n      - uses: actions/setup-node@v4\n        with: { node-version: 20 }\n",
            ),
        ],
        tests: &[],
        setup: &["npm install"],
        steps: &["\"node-version\":\"20\""],
        said: &[".github/workflows/ci.yml installs this version"],
    },
    Case {
        name: "rust",
        files: &[("Cargo.toml", "[package]\nname = 'x'\n"), ("Cargo.lock", ""), ("src/lib.rs", "")],
        tests: &["cargo test --workspace"],
        setup: &[],
        steps: &[],
        said: &["Cargo.toml is a Rust project"],
    },
    Case {
        name: "rust-workspace-in-a-folder",
        files: &[
            ("backend/Cargo.toml", "[workspace]\nmembers = ['crates/*']\n"),
            ("backend/crates/a/Cargo.toml", "[package]\n"),
            ("backend/crates/b/Cargo.toml", "[package]\n"),
        ],
        tests: &["cargo test --workspace --manifest-path backend/Cargo.toml"],
        setup: &[],
        steps: &[],
        said: &[],
    },
    Case {
        name: "go",
        files: &[
            ("go.mod", "module x\n\ngo 1.24\n"),
            ("main.go", "package main\n"),
            ("docker-compose.yml", "services:\n  app: { build: . }\n  db: { image: postgres:17 }\n"),
        ],
        tests: &["go test ./..."],
        setup: &[],
        steps: &["\"go-version-file\":\"go.mod\"", "docker compose up --detach --wait db"],
        said: &["services db: docker-compose.yml names them"],
    },
    Case {
        name: "java-maven",
        files: &[
            ("pom.xml", "<project><properties><java.version>17</java.version></properties></project>"),
            ("mvnw", ""),
            ("core/pom.xml", "<project/>"),
        ],
        tests: &["./mvnw --batch-mode verify"],
        setup: &[],
        steps: &["\"java-version\":\"17\""],
        said: &[],
    },
    Case {
        name: "java-gradle-kotlin",
        files: &[
            ("build.gradle.kts", ""),
            ("settings.gradle.kts", ""),
            ("gradlew", ""),
            ("app/build.gradle.kts", ""),
            (".tool-versions", "java temurin-21.0.2+13\n"),
        ],
        tests: &["./gradlew test"],
        setup: &[],
        steps: &["\"java-version\":\"21\""],
        said: &[".tool-versions names the version"],
    },
    Case {
        name: "monorepo",
        files: &[
            ("services/api/go.mod", "module api\n"),
            ("services/web/package.json", PACKAGE),
            ("services/web/package-lock.json", "{}"),
            ("services/jobs/pyproject.toml", "[project]\nname = 'jobs'\n# pytest\n"),
        ],
        tests: &["go -C services/api test ./...", "python3 -m pytest services/jobs", "npm --prefix services/web test"],
        setup: &["npm --prefix services/web ci"],
        steps: &["\"go-version-file\":\"services/api/go.mod\""],
        said: &[],
    },
    Case {
        name: "php",
        files: &[
            ("composer.json", r#"{"require-dev":{"phpunit/phpunit":"^11"}}"#),
            ("composer.lock", "{}"),
            ("phpunit.xml.dist", ""),
        ],
        tests: &["vendor/bin/phpunit"],
        setup: &["composer install --no-interaction"],
        steps: &[],
        said: &["composer.json lists what it needs"],
    },
    Case {
        name: "ruby",
        files: &[("Gemfile", ""), ("Gemfile.lock", ""), ("spec/a_spec.rb", "")],
        tests: &["bundle exec rspec"],
        setup: &["bundle install"],
        steps: &[],
        said: &[],
    },
    Case {
        name: "makefile",
        files: &[("Makefile", "test: build\n\tctest\n\nbuild:\n\tcmake .\n"), ("CMakeLists.txt", "")],
        tests: &["make test"],
        setup: &[],
        steps: &[],
        said: &["the Makefile has a target `test`"],
    },
    Case {
        name: "justfile",
        files: &[("justfile", "default:\n  @just --list\n\ntest filter='':\n  zig build test\n"), ("build.zig", "")],
        tests: &["just test"],
        setup: &[],
        steps: &["pip install rust-just"],
        said: &["justfile has a recipe `test`"],
    },
    Case { name: "none", files: &[("README.md", "Words.\n")], tests: &[], setup: &[], steps: &[], said: &[] },
];

/// A repository with these files and nothing else.
fn repository(files: &[(&str, &str)]) -> Bench {
    let bench = Bench::on_disk();
    for path in [CONFIG, PLAN, "README.md", "test_base.py", ".gitignore"] {
        fs::remove_file(bench.repo().join(path)).unwrap();
    }
    for (path, text) in files {
        bench.write(path, text);
    }
    bench
}

fn tool(name: &str) -> PathBuf {
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/bin").join(name);
    assert!(tool.is_file(), "{} is missing: run scripts/install-tools", tool.display());
    tool
}

#[test]
fn strangers_get_a_configuration_workflows_secrets_and_a_plan_that_can_be_run() {
    let all = tempfile::tempdir().unwrap();
    let mut workflows = Vec::new();
    for Case { name, files, tests, setup, steps, said } in CASES {
        let bench = repository(files);
        let began = bench.call(["init", "--plan", "--action", ACTION]).expect(0).stdout;
        let text = fs::read_to_string(bench.repo().join(CONFIG)).unwrap();
        let config = Config::read(CONFIG, &text, &backend_implementer::agent::kinds())
            .unwrap_or_else(|wrong| panic!("{name}: {wrong:#?}\n{text}"));
        let commands: Vec<_> = config.gate_commands(GateKind::Tests).iter().map(|argv| argv.join(" ")).collect();
        assert_eq!(commands, *tests, "{name}\n{text}");
        assert_eq!(config.setup.iter().map(|setup| &setup.run).collect::<Vec<_>>(), *setup, "{name}\n{text}");
        let of_job = serde_json::to_string(&config.workflow.setup).unwrap();
        for step in *steps {
            assert!(of_job.contains(step), "{name}: {step}\n{of_job}");
        }
        for words in *said {
            assert!(began.contains(words), "{name}: {words}\n{began}");
        }
        assert!(began.contains("gh secret set ANTHROPIC_API_KEY"), "{name}\n{began}");
        assert!(tests.is_empty() == text.contains("No command for tests was found"), "{name}\n{text}");
        bench.call(["generate", "--check"]).expect(0);
        // The first plan can be previewed as it is; without a test command its own is the one.
        bench.commit("init");
        let shown = bench.call(["plan"]).expect(0);
        assert!(shown.stdout.contains("feature"), "{name}\n{}", shown.stdout);
        for file in ["backend-implementer", "backend-implementer-preview"] {
            let to = all.path().join(format!("{name}-{file}.yml"));
            fs::copy(bench.repo().join(format!(".github/workflows/{file}.yml")), &to).unwrap();
            workflows.push(to);
        }
        // The other layout, too.
        bench.write(CONFIG, &text.replacen("layout: one-job", "layout: matrix", 1));
        bench.call(["generate"]).expect(0);
        let to = all.path().join(format!("{name}-matrix.yml"));
        fs::copy(bench.repo().join(".github/workflows/backend-implementer.yml"), &to).unwrap();
        workflows.push(to);
    }
    assert_eq!(workflows.len(), CASES.len() * 3);
    for (linter, arguments) in [
        ("actionlint", &[][..]),
        ("zizmor", &["--offline", "--quiet", "--pedantic"]),
        ("check-jsonschema", &["--builtin-schema", "vendor.github-workflows"]),
    ] {
        let mut command = Command::new(tool(linter));
        command.env_clear().env("PATH", crate::support::path()).env("HOME", all.path()).current_dir(all.path());
        let output = command.args(arguments).args(&workflows).output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{linter}\n{said}");
    }
}
