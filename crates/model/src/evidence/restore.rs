//! The base's own tests, put back into the final tree: what patches changed or removed is as the base had it, and what they
//! added is taken away. With added files left in, a new `conftest.py` keeps a cheat green, and moved tests stand twice.

use super::source;

/// Files that runners load by themselves, or that tell them what to run.
const RUNNERS: [&str; 29] = [
    "conftest.py",
    "pytest.ini",
    ".pytest.ini",
    "tox.ini",
    "sitecustomize.py",
    "usercustomize.py",
    "pytest.py",
    "unittest.py",
    ".rspec",
    ".rspec-local",
    "spec_helper.rb",
    "test_helper.rb",
    "phpunit.xml",
    "phpunit.xml.dist",
    "Pest.php",
    "junit-platform.properties",
    "setupTests.js",
    "setupTests.ts",
    "jest.setup.js",
    "jest.setup.ts",
    "vitest.setup.ts",
    "vitest.setup.js",
    ".mocharc.js",
    "maven.config",
    "nextest.toml",
    ".runsettings",
    "behave.ini",
    "bunfig.toml",
    "testng.xml",
];

/// Beginnings of names of runners' configuration.
const RUNNER_STARTS: [&str; 10] = [
    "jest.config.",
    "vitest.config.",
    "vitest.workspace.",
    ".mocharc.",
    "ava.config.",
    "playwright.config.",
    "cypress.config.",
    "karma.conf.",
    "cucumber.",
    "jasmine.",
];

/// Tells whether a path belongs to the tests: their sources, snapshots, data, fixtures, the configuration of their runner,
/// or something that a runner loads by itself.
#[must_use]
pub fn belongs_to_tests(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let hook = RUNNERS.contains(&name)
        || RUNNER_STARTS.iter().any(|start| name.starts_with(start))
        || [".pth", ".snap", ".ambr", ".golden"].iter().any(|end| name.ends_with(end))
        || path.contains("META-INF/services/org.junit")
        || path.starts_with(".cargo/config")
        || path.starts_with("pytest/")
        || path.starts_with("unittest/");
    hook || source::is_test_path(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_of_the_tests_is_known_and_nothing_of_the_product() {
        for path in [
            "tests/test_a.py",
            "conftest.py",
            "app/conftest.py",
            "pkg/a_test.go",
            "pkg/testdata/a.json",
            "src/__snapshots__/a.snap",
            "src/a.spec.ts",
            "jest.config.mjs",
            ".mocharc.yml",
            "src/test/java/ATest.java",
            "src/test/resources/META-INF/services/org.junit.jupiter.api.extension.Extension",
            "sitecustomize.py",
            "tests/fixtures/users.json",
            ".config/nextest.toml",
            ".cargo/config.toml",
            "spec/spec_helper.rb",
        ] {
            assert!(belongs_to_tests(path), "{path}");
        }
        for path in [
            "app/cart.py",
            "src/lib.rs",
            "package.json",
            "pom.xml",
            "README.md",
            "src/main/java/Cart.java",
            "contest/a.py",
        ] {
            assert!(!belongs_to_tests(path), "{path}");
        }
    }
}
