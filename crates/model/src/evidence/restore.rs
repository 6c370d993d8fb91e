//! The base's own tests, put back into the final tree: what patches changed or removed is as the base had it, and what they
//! added is taken away. With added files left in, a new `conftest.py` keeps a cheat green, and moved tests stand twice.

use super::source;

/// Files that runners load by themselves, or that tell them what to run.
const RUNNERS: [&str; 35] = [
    "conftest.py",
    "pytest.ini",
    ".pytest.ini",
    "pytest.toml",
    ".pytest.toml",
    ".proverc",
    ".taprc",
    "mocha.opts",
    "entry_points.txt",
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

/// Recipes by which tests are started, each kind with the one that is read in place of the others first.
const RECIPES: [&[&str]; 9] = [
    &["GNUmakefile", "makefile", "Makefile"],
    &["justfile", "Justfile", ".justfile"],
    &["rakefile", "Rakefile", "rakefile.rb", "Rakefile.rb"],
    &["noxfile.py"],
    &["tox.ini"],
    &["Taskfile.yml", "taskfile.yml", "Taskfile.yaml", "taskfile.yaml", "Taskfile.dist.yml", "Taskfile.dist.yaml"],
    &["gradlew"],
    &["mvnw"],
    &["Earthfile"],
];

/// Manifests that hold settings or scripts of tests beside those of the product.
const MANIFESTS: [&str; 11] = [
    "package.json",
    "pyproject.toml",
    "setup.cfg",
    "Cargo.toml",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "composer.json",
    "deno.json",
    "go.mod",
    "mix.exs",
];

/// Tells whether a file is a recipe by which tests are started.
#[must_use]
pub fn is_recipe(path: &str) -> bool {
    family(path).is_some() || path.ends_with(".mk")
}

fn family(path: &str) -> Option<&'static [&'static str]> {
    let name = path.rsplit('/').next().unwrap_or(path);
    RECIPES.into_iter().find(|family| family.contains(&name))
}

/// Tells whether a file starts tests: a recipe, or a manifest with scripts or settings of theirs.
#[must_use]
pub fn starts_tests(path: &str) -> bool {
    is_recipe(path) || is_manifest(path)
}

/// Tells whether a file is a manifest of a package: most of it is the product's.
#[must_use]
pub fn is_manifest(path: &str) -> bool {
    MANIFESTS.contains(&path.rsplit('/').next().unwrap_or(path))
}

/// Tells whether a new recipe stands beside another of its kind, so that it may be read in its place.
#[must_use]
pub fn takes_the_place(path: &str, exists: impl Fn(&str) -> bool) -> bool {
    let (folder, own) = path.rfind('/').map_or(("", path), |at| path.split_at(at + 1));
    let beside = |name: &str| name != own && exists(&format!("{folder}{name}"));
    family(path).is_some_and(|family| family.iter().any(|name| beside(name)))
}

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
    is_setting(path) || is_recorded(path) || source::is_test_path(path)
}

/// Tells whether a file is the configuration of a runner, or something that a runner loads by itself.
#[must_use]
pub fn is_setting(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    RUNNERS.contains(&name)
        || RUNNER_STARTS.iter().any(|start| name.starts_with(start))
        || is_in_site(path)
        || path.contains("META-INF/services/org.junit")
        || path.starts_with(".cargo/config")
        || path.starts_with("pytest/")
        || path.starts_with("unittest/")
}

/// Tells whether Python loads a file by itself: a `.pth` in a folder of installed packages. Elsewhere the ending is one of data,
/// such as the weights of a model.
#[must_use]
pub fn is_in_site(path: &str) -> bool {
    path.ends_with(".pth") && path.split('/').any(|folder| matches!(folder, "site-packages" | "dist-packages"))
}

/// Beginnings of names of settings by which sources are built for the product and for its tests alike.
const BUILD_STARTS: [&str; 5] = ["babel.config.", ".babelrc", ".swcrc", "vite.config.", ".nycrc"];

/// Tells whether a file says how sources are built, for the product and for its tests. It is the product's, but tests may
/// depend on it.
#[must_use]
pub fn is_setting_of_build(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    BUILD_STARTS.iter().any(|start| name.starts_with(start)) || path.contains("/.cargo/config")
}

/// Tells whether a file holds expectations that a runner recorded, and writes anew by itself.
fn is_recorded(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    [".snap", ".ambr", ".golden"].iter().any(|end| name.ends_with(end))
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
            "lib/python3.12/site-packages/a.pth",
            "tests/fixtures/users.json",
            ".config/nextest.toml",
            "t/add.t",
            "xt/author/pod.t",
            "scripts/run.bats",
            ".cargo/config.toml",
            "spec/spec_helper.rb",
            "pytest.toml",
            ".proverc",
            "calc.egg-info/entry_points.txt",
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
            "models/net.pth",
            "babel.config.js",
        ] {
            assert!(!belongs_to_tests(path), "{path}");
        }
    }
}
