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
        ("python3 -m unittest -v", "python3 /h/unittest_recorder.py /r/unittest.json -v", Some("unittest")),
        (
            "poetry run python -m unittest",
            "poetry run python /h/unittest_recorder.py /r/unittest.json",
            Some("unittest"),
        ),
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
