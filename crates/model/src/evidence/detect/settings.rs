//! Files and settings that change which tests are run: what runners load by themselves, their configuration, the scripts
//! that start them, recorded expectations.

use super::{
    super::manifest,
    Author, Sign,
    parsed::{Parsed, Side},
    pytest_options::{folder_left_out, loads_a_module, runs_nothing},
};
use crate::{
    findings::{FindingCode, Weight},
    text,
};

const CODE: FindingCode = FindingCode::TestsTampered;

pub(super) fn signs(author: Author, files: &[Parsed<'_>]) -> Vec<Sign> {
    let mut signs = Vec::new();
    for file in files {
        signs.extend(loaded_by_itself(file));
        signs.extend(settings(author, file));
        signs.extend(snapshot(author, file));
    }
    signs
}

/// Files that a runner or an interpreter loads without being asked, and that shadow a library of tests.
fn loaded_by_itself(file: &Parsed<'_>) -> Option<Sign> {
    file.after.as_ref()?;
    if file.before.is_some() {
        return None;
    }
    let name = file.name();
    let sign = |message: &str| Some(Sign::new(CODE, Weight::Blocking, file.path, message));
    if matches!(name, "sitecustomize.py" | "usercustomize.py") || name.ends_with(".pth") {
        return sign("Python loads this file into every process, those of the test runner included");
    }
    let first = file.path.split('/').next().unwrap_or(name);
    let module = first.strip_suffix(".py").unwrap_or(first);
    if matches!(module, "pytest" | "_pytest" | "unittest" | "pluggy" | "nose2") && file.path.ends_with(".py") {
        return sign("it takes the place of the test library of the same name");
    }
    if file.path.contains("META-INF/services/org.junit") || name == "junit-platform.properties" {
        return sign("JUnit loads this file by itself");
    }
    if ["org/junit/", "org/testng/", "org/assertj/", "org/hamcrest/", "org/mockito/"]
        .iter()
        .any(|package| file.path.contains(package))
    {
        return sign("it takes the place of a class of the test library");
    }
    if file.path.starts_with("node_modules/") || file.path.contains("/node_modules/") {
        return sign("it takes the place of an installed package");
    }
    None
}

/// Libraries by which tests assert, and runners.
const TEST_LIBRARIES: [&str; 16] = [
    "testify",
    "gomega",
    "ginkgo",
    "gotest.tools",
    "go-cmp",
    "\"jest",
    "\"vitest",
    "\"mocha",
    "\"chai",
    "\"ava",
    "\"expect",
    "\"@jest/",
    "pretty_assertions",
    "insta",
    "rstest",
    "proptest",
];

/// Lines of a runner's settings that leave tests out or take failures away.
fn settings(author: Author, file: &Parsed<'_>) -> Vec<Sign> {
    let Some(after) = &file.after else { return Vec::new() };
    let name = file.name();
    let mut signs = Vec::new();
    let mut section = "";
    let ignores_failures = |line: &str| {
        line.contains("test")
            && ["|| true", "|| :", "|| exit 0", "; true", "; exit 0", "||true", "set +e", "; :"]
                .iter()
                .any(|end| line.contains(end))
    };
    // make goes on after a command with a hyphen in front.
    let forgiven = |line: &str| {
        let recipe = line.trim_start_matches('@');
        matches!(name, "Makefile" | "makefile" | "GNUmakefile")
            && recipe.starts_with('-')
            && RUNNERS.iter().any(|runner| recipe.contains(runner))
    };
    let script = matches!(
        name,
        "Makefile"
            | "makefile"
            | "GNUmakefile"
            | "justfile"
            | "Justfile"
            | "noxfile.py"
            | "tox.ini"
            | "package.json"
            | "Taskfile.yml"
            | "composer.json"
            | "Rakefile"
    ) || [".sh", ".mk", ".yml", ".yaml"].iter().any(|end| name.ends_with(end));
    let words: &[&str] = match name {
        "pytest.ini" | "tox.ini" | "setup.cfg" | "pyproject.toml" | ".pytest.ini" | "pytest.toml" | ".pytest.toml" => {
            &[
                "--ignore",
                "--deselect",
                "-k ",
                "-k\"",
                "python_files",
                "python_functions",
                "python_classes",
                "collect_ignore",
                "-p no:python",
                "-p no:unittest",
                "-p no:terminal",
                "-p no:runner",
                "--snapshot-update",
                "--inline-snapshot",
                "norecursedirs",
                "--noconftest",
                "-m \"not",
                "-m 'not",
                "-m not",
                "xfail_strict = false",
                "xfail_strict=false",
                "--runxfail",
                "--suppress-tests-failed-exit-code",
                "--suppress-no-test-exit-code",
                "--last-failed",
                "--lf",
            ]
        }
        "Cargo.toml" => &["test = false", "test=false", "autotests = false", "doctest = false", "harness = false"],
        "config.toml" | "config" if file.path.contains(".cargo/") => &["runner", "test ="],
        "nextest.toml" => &["default-filter", "retries", "filter ="],
        "pom.xml" => &[
            "skipTests",
            "maven.test.skip",
            "maven.test.failure.ignore",
            "testFailureIgnore",
            "<exclude",
            "<skip>",
            "trimStackTrace",
            "<groups>",
            "<excludedGroups>",
            "failIfNoTests",
        ],
        "maven.config" | "jvm.config" | "gradle.properties" => &["skipTests", "test.skip", "failure.ignore"],
        "build.gradle" | "build.gradle.kts" => &[
            "ignoreFailures",
            "excludeTestsMatching",
            "exclude '",
            "exclude(",
            "enabled = false",
            "onlyIf",
            "failOnNoDiscoveredTests",
            "excludeTags",
        ],
        "phpunit.xml" | "phpunit.xml.dist" => &["<exclude", "<file", "stopOn", "failOn"],
        ".rspec" | ".rspec-local" => &["--tag ~", "--exclude-pattern", "--example", "--failure-exit-code", "--dry-run"],
        "bunfig.toml" | "deno.json" | "deno.jsonc" => &["exclude", "preload"],
        _ if name.starts_with("jest.config")
            || name.starts_with("vitest.config")
            || name.starts_with("vite.config")
            || name.starts_with(".mocharc")
            || name.starts_with("ava.config")
            || name.starts_with("playwright.config")
            || name.starts_with("karma.conf") =>
        {
            &[
                "IgnorePatterns",
                "testRunner",
                "passWithNoTests",
                "exclude",
                "ignore",
                "testNamePattern",
                "grep",
                "testMatch",
                "testRegex",
                "dangerouslyIgnoreUnhandledErrors",
                "retry",
                "invert",
                "dry-run",
                "dryRun",
            ]
        }
        _ => &[],
    };
    let pytest = matches!(
        name,
        "pytest.ini" | "tox.ini" | "setup.cfg" | "pyproject.toml" | ".pytest.ini" | "pytest.toml" | ".pytest.toml"
    );
    let old: std::collections::BTreeSet<&str> =
        file.before.iter().flat_map(|side| side.text.lines()).map(str::trim).collect();
    for (number, line) in after.text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('[') {
            section = line;
        }
        if line.is_empty() || old.contains(line) || line.starts_with('#') || line.starts_with("//") {
            continue;
        }
        let number = u32::try_from(number + 1).unwrap_or(u32::MAX);
        let found = words.iter().find(|word| line.contains(**word)).filter(|word| {
            // A benchmark has a harness of its own; a package's own settings are not the runner's.
            let bench = name == "Cargo.toml" && word.contains("harness") && section == "[[bench]]";
            let foreign = name == "pyproject.toml" && !section.contains("pytest")
                || matches!(name, "setup.cfg" | "tox.ini") && !section.contains("pytest");
            !bench && !foreign
        });
        let shadows = |line: &str| {
            // A library of tests that is taken from somewhere else.
            let elsewhere = line.contains("replace ")
                || line.contains("\"file:")
                || line.contains("\"link:")
                || line.contains("path =")
                || line.contains("=>");
            let manifest = matches!(name, "go.mod" | "go.work" | "package.json" | "Cargo.toml" | "pnpm-workspace.yaml");
            manifest && elsewhere && TEST_LIBRARIES.iter().any(|library| line.contains(library))
        };
        let message = match found {
            None if shadows(line) => Some("a library of tests is taken from another place".to_owned()),
            None if name == ".npmrc" && (line.contains("script-shell") || line.contains("node-options")) => {
                Some("the scripts of the package are started by another program".to_owned())
            }
            Some(word) => {
                Some(format!("the settings of the test runner leave tests or failures out: `{}`", word.trim()))
            }
            None if pytest && section.contains("pytest") && loads_a_module(line) => {
                Some("the settings of the test runner load a module into it".to_owned())
            }
            None if pytest && section.contains("pytest") && runs_nothing(line) => {
                Some("the settings of the test runner let it run no test".to_owned())
            }
            None if script && ignores_failures(line) || forgiven(line) => {
                Some("a failure of the tests is taken away where they are started".to_owned())
            }
            None => None,
        };
        if let Some(message) = message {
            signs.push(Sign::new(CODE, author.weight(), file.path, message).at(number));
        }
    }
    if pytest
        && let Some(before) = &file.before
        && let Some((number, gone)) = folder_left_out(before.text, after.text)
    {
        let message = format!("the test runner does not look into `{gone}` any more");
        signs.push(Sign::new(CODE, author.weight(), file.path, message).at(number));
    }
    if name == "package.json" {
        signs.extend(package_script(author, file, after));
    }
    signs
}

/// How the runners of tests are started.
const RUNNERS: [&str; 22] = [
    "pytest",
    "unittest",
    "nose2",
    "tox",
    "nox",
    "node --test",
    "npm test",
    "npm run test",
    "yarn test",
    "pnpm test",
    "jest",
    "vitest",
    "mocha",
    "go test",
    "cargo test",
    "cargo nextest",
    "mvn",
    "gradle",
    "phpunit",
    "rspec",
    "dotnet test",
    "ctest",
];

/// The test script of a package that starts no runner any more, or not all of it.
fn package_script(author: Author, file: &Parsed<'_>, after: &Side<'_>) -> Option<Sign> {
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text.trim_start_matches('\u{feff}')).ok();
    let (old, new) = (read(file.before.as_ref()?.text)?, read(after.text)?);
    let script =
        |value: &serde_json::Value| value.pointer("/scripts/test").and_then(|test| test.as_str()).map(str::to_owned);
    let sign = |message: String| Some(Sign::new(CODE, author.weight(), file.path, message));
    if let Some(was) = script(&old) {
        let is = script(&new).unwrap_or_default();
        let runner = was.split([' ', '/']).next().unwrap_or(&was);
        let narrowed = [
            "--testNamePattern",
            "-t ",
            "--grep",
            "-g ",
            "--testPathIgnorePatterns",
            "--passWithNoTests",
            "--exclude",
            "|| ",
            "; ",
            "--fgrep",
            "--test-name-pattern",
            "--test-skip-pattern",
            "--test-only",
            "--invert",
            "--ignore",
            "--bail",
            "--shard",
            " -u",
            "--updateSnapshot",
            "--update-snapshots",
            "--update",
        ]
        .iter()
        .any(|word| is.contains(word) && !was.contains(word));
        let loads = |script: &str| {
            let words: Vec<&str> = script.split(|c: char| c.is_whitespace() || "='\"".contains(c)).collect();
            words.windows(2).any(|pair| {
                matches!(pair[0], "--require" | "-r" | "--import" | "--loader" | "--experimental-loader")
                    && pair[1].starts_with(['.', '/'])
            })
        };
        let narrowed = narrowed || loads(&is) && !loads(&was);
        if is != was && (narrowed || !is.contains(runner)) {
            return sign(format!("the script `test` was `{was}` and is `{is}`"));
        }
    }
    for key in ["jest", "mocha", "ava", "vitest", "c8"] {
        let (was, is) = (old.get(key), new.get(key));
        if was != is
            && is.is_some_and(|is| {
                ["IgnorePatterns", "testRunner", "testMatch", "testRegex", "ignore", "grep", "files", "passWithNoTests"]
                    .iter()
                    .any(|word| is.to_string().contains(word))
            })
        {
            return sign(format!("the settings of `{key}` changed which tests are run"));
        }
    }
    let scripts = |value: &serde_json::Value| value.get("scripts").and_then(|scripts| scripts.as_object()).cloned();
    let (old, new) = (scripts(&old).unwrap_or_default(), scripts(&new).unwrap_or_default());
    let beside = new.iter().find(|(name, is)| {
        let was = old.get(*name);
        *name != "test" && was != Some(*is) && manifest::runs_with_tests(name, |name| old.contains_key(name))
    });
    beside.map(|(name, is)| {
        let message = format!(
            "the script `{name}` runs with the tests and is another than before: `{}`",
            text::truncate(&text::terminal(&is.to_string()), 120)
        );
        Sign::new(CODE, Weight::Warning, file.path, message)
    })
}

/// A recorded expectation that was there before and is another now.
fn snapshot(author: Author, file: &Parsed<'_>) -> Option<Sign> {
    let recorded = file.name().ends_with(".snap")
        || ["__snapshots__/", "snapshots/", "/golden/", "/expected/"].iter().any(|folder| file.path.contains(folder))
        || [".golden", ".approved.txt", ".ambr"].iter().any(|end| file.name().ends_with(end));
    if !recorded
        || file.before.is_none()
        || file.before.as_ref().map(|side| side.text) == file.after.as_ref().map(|side| side.text)
    {
        return None;
    }
    let weight = if author == Author::Code { Weight::Warning } else { Weight::Note };
    Some(Sign::new(
        FindingCode::SnapshotChanged,
        weight,
        file.path,
        "a recorded expectation was changed: see that it is what the plan asks for",
    ))
}
