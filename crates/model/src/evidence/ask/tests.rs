use super::*;

fn asked(command: &str) -> (Vec<String>, Option<&'static str>, Vec<(String, String)>) {
    let argv = shlex::split(command).unwrap();
    let package = r#"{"scripts": {"test": "jest --ci", "unit": "node --test test/", "all": "jest && echo", "again": "npm test"}}"#;
    let read = |path: &str| (path == "package.json").then(|| package.to_owned());
    let asked = ask(&argv, Folders { results: "/r", helpers: "/h" }, &read);
    (asked.argv, asked.runner.map(|(name, _)| name), asked.environment)
}

#[test]
fn known_runners_are_asked_for_a_file() {
    for (command, expected, runner) in [
        ("pytest -q", "pytest -q", Some("pytest")),
        ("python3 -m pytest tests", "python3 -m pytest tests", Some("pytest")),
        ("python3 -m unittest -v", "python3 -m unittest -v", Some("unittest")),
        ("poetry run python -m unittest", "poetry run python -m unittest", Some("unittest")),
        (
            "env PYTHONPATH=src python3 -W error -m unittest",
            "env PYTHONPATH=/h/python:src python3 -W error -m unittest",
            Some("unittest"),
        ),
        ("python3 -I -m unittest", "python3 -I -m unittest", None),
        ("env -i PATH=/bin python3 -m unittest", "env -i PATH=/bin python3 -m unittest", None),
        (
            "node --test test/",
            "node --test --test-reporter=junit --test-reporter-destination=/r/node.xml --test-reporter=spec --test-reporter-destination=stdout test/",
            Some("node --test"),
        ),
        ("npx jest", "npx jest --json --outputFile=/r/jest.json", Some("jest")),
        ("npm test", "npm test -- --json --outputFile=/r/jest.json", Some("jest")),
        ("yarn test", "yarn test --json --outputFile=/r/jest.json", Some("jest")),
        ("npm run unit", "npm run unit", Some("node --test")),
        ("npm run all", "npm run all", None),
        ("go test ./...", "go test -json ./...", Some("go test")),
        ("cargo test --workspace", "cargo test --workspace", Some("cargo test")),
        (
            "cargo nextest run -p a",
            "cargo nextest run --tool-config-file implementer:/h/nextest.toml -p a",
            Some("cargo nextest"),
        ),
        ("mvn -B test", "mvn -B test", Some("Maven Surefire")),
        ("./gradlew :api:test", "./gradlew :api:test", Some("Gradle")),
        ("sh -c 'cd api && go test ./...'", "sh -c 'cd api && go test -json ./...'", Some("go test")),
        ("make test", "make test", None),
        ("pytest --junitxml=own.xml", "pytest --junitxml=own.xml", None),
        ("sh -c 'pytest | tee log'", "sh -c 'pytest | tee log'", None),
        (
            "env CI=1 vitest run",
            "env CI=1 vitest run --reporter=default --reporter=junit --outputFile.junit=/r/vitest.xml",
            Some("vitest"),
        ),
    ] {
        let (argv, known, environment) = asked(command);
        assert_eq!((argv, known), (shlex::split(expected).unwrap(), runner), "{command}");
        assert!(
            environment.iter().any(|(name, value)| name == "PYTEST_ADDOPTS" && value == "--junitxml=/r/pytest.xml")
        );
    }
    assert!(
        asked("npm run unit").2.iter().any(|(name, value)| name == "NODE_OPTIONS" && value.contains("/r/node.xml"))
    );
}

#[test]
fn a_runner_behind_a_wrapper_is_asked_by_its_environment() {
    let of = |command: &str, makefile: &str| {
        let read = |path: &str| (path == "Makefile").then(|| format!("test:\n\t{makefile}\n"));
        let asked = ask(&shlex::split(command).unwrap(), Folders { results: "/r", helpers: "/h" }, &read);
        let value =
            |wanted: &str| asked.environment.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
        (value("PYTHONPATH"), value("NODE_OPTIONS").is_some_and(|value| value.contains("/r/node.xml")))
    };
    let recorder = Some("/h/python".to_owned());
    assert_eq!(of("make test", "python3 -m unittest"), (recorder.clone(), false));
    assert_eq!(of("make test", "node --test"), (recorder.clone(), true));
    assert_eq!(of("python3 -m unittest", ""), (recorder, false));
    // What these start is what their tests look at.
    for command in ["cargo test", "go test ./...", "pytest"] {
        assert_eq!(of(command, "").0, None, "{command}");
    }
}

#[test]
fn a_runner_that_refuses_what_it_is_asked_says_so() {
    let argv = shlex::split("npx jest --ci").unwrap();
    let asked = ask(&argv, Folders { results: "/r", helpers: "/h" }, &|_| None);
    for (output, refused) in [
        ("error: unknown option '--outputFile'", Some("--outputFile")),
        ("error: unknown option '--ci'", None),
        ("pytest: error: unrecognized arguments: --junitxml=/r/pytest.xml", Some("--junitxml")),
        ("1 failed", None),
    ] {
        assert_eq!(asked.refused_in(&argv, output).as_deref(), refused, "{output}");
    }
}
