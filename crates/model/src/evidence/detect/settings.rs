//! Files and settings that change which tests are run: what runners load by themselves, their configuration, the scripts
//! that start them, recorded expectations.

use std::collections::HashMap;

use super::{
    super::restore,
    Author, Sign, blocks,
    commands::{ignores_failures, runs_tests},
    package,
    parsed::{Parsed, Side},
    pytest_options::{folder_left_out, loads_a_module, runs_nothing},
};
use crate::findings::{FindingCode, Weight};

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
    let of_site = restore::is_in_site(file.path) && file.after.as_ref().is_some_and(|after| !after.text.contains('\0'));
    if matches!(name, "sitecustomize.py" | "usercustomize.py") || of_site {
        return sign("Python loads this file into every process, those of the test runner included");
    }
    // Elsewhere it is loaded only once it is installed. Weights of a model have the same ending.
    if name.ends_with(".pth")
        && file.after.as_ref().is_some_and(|after| {
            !after.text.contains('\0')
                && after.text.lines().any(|line| line.starts_with("import ") || line.starts_with("import\t"))
        })
    {
        let message =
            "Python loads this file into every process where it is installed, those of the test runner included";
        return Some(Sign::new(CODE, Weight::Warning, file.path, message));
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
    // make goes on after a command with a hyphen in front.
    let forgiven = |line: &str| {
        let recipe = line.trim_start_matches('@');
        matches!(name, "Makefile" | "makefile" | "GNUmakefile") && recipe.starts_with('-') && runs_tests(recipe)
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
            "<excludedGroups>",
            "<testExclude",
            "failIfNoTests",
        ],
        "maven.config" | "jvm.config" | "gradle.properties" => &["skipTests", "test.skip", "failure.ignore"],
        "build.gradle" | "build.gradle.kts" => &["excludeTestsMatching", "failOnNoDiscoveredTests", "excludeTags"],
        "phpunit.xml" | "phpunit.xml.dist" => &["<exclude", "<file", "stopOn", "failOn"],
        ".rspec" | ".rspec-local" => &["--tag ~", "--exclude-pattern", "--example", "--failure-exit-code", "--dry-run"],
        "bunfig.toml" | "deno.json" | "deno.jsonc" => &["exclude", "preload"],
        _ => &[],
    };
    let in_blocks = in_blocks(name, after);
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
        let in_block = in_blocks.get(&number).copied();
        let found = words.iter().find(|word| line.contains(**word)).copied().or(in_block).filter(|word| {
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
            None if name == ".npmrc" && starts_otherwise(line) => {
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
        signs.extend(package::script(author, file, after));
    }
    signs
}

/// Returns the lines of a file at which a setting leaves tests out by the block in which it stands, or by the key that it is.
fn in_blocks(name: &str, after: &Side<'_>) -> HashMap<u32, &'static str> {
    const OF_JAVASCRIPT: [&str; 18] = [
        "testPathIgnorePatterns",
        "modulePathIgnorePatterns",
        "testRunner",
        "passWithNoTests",
        "exclude",
        "ignore",
        "testIgnore",
        "testNamePattern",
        "grep",
        "fgrep",
        "grepInvert",
        "testMatch",
        "testRegex",
        "dangerouslyIgnoreUnhandledErrors",
        "retry",
        "invert",
        "dry-run",
        "dryRun",
    ];
    let of_lines = |is_about_tests: Vec<bool>, words: &[&'static str]| {
        let lines = after.text.lines().zip(is_about_tests).enumerate().filter(|(_, (_, is))| *is);
        lines
            .filter_map(|(at, (line, _))| {
                let word = words.iter().find(|word| line.contains(**word))?;
                Some((u32::try_from(at + 1).unwrap_or(u32::MAX), *word))
            })
            .collect()
    };
    let starts = |starts: &[&str]| starts.iter().any(|start| name.starts_with(start));
    if name == "pom.xml" {
        return of_lines(blocks::of_maven(after.text), &["<exclude", "<skip>", "trimStackTrace", "<groups>"]);
    }
    if matches!(name, "build.gradle" | "build.gradle.kts") {
        let words = ["ignoreFailures", "exclude '", "exclude \"", "exclude(", "enabled = false", "onlyIf"];
        return of_lines(blocks::of_gradle(after.text), &words);
    }
    if starts(&["vite.config", "vitest.config", "vitest.workspace"]) {
        return blocks::of_vitest(&after.tokens, &OF_JAVASCRIPT);
    }
    if starts(&["jest.config", ".mocharc", "ava.config", "playwright.config", "karma.conf"]) {
        let lines = after.text.lines().enumerate();
        let found = lines.filter_map(|(at, line)| {
            let mut keys = line.split(|c: char| !c.is_alphanumeric() && c != '_');
            let word = keys.find_map(|key| OF_JAVASCRIPT.iter().find(|word| **word == key))?;
            Some((u32::try_from(at + 1).unwrap_or(u32::MAX), *word))
        });
        return found.collect();
    }
    HashMap::new()
}

/// Tells whether a setting of npm starts scripts by another shell than the usual ones, or loads something into them.
fn starts_otherwise(line: &str) -> bool {
    let Some((key, value)) = line.split_once('=') else { return false };
    let value = value.trim().trim_matches(['"', '\'']);
    match key.trim() {
        "script-shell" => {
            let shell = value.rsplit(['/', '\\']).next().unwrap_or(value).trim_end_matches(".exe");
            value.starts_with('.') || !matches!(shell, "sh" | "bash" | "zsh" | "dash" | "cmd" | "pwsh" | "powershell")
        }
        "node-options" => value.split_whitespace().any(|option| {
            let option = option.split('=').next().unwrap_or(option);
            matches!(option, "-r" | "--require" | "--import" | "--loader" | "--experimental-loader")
                || option.starts_with("--test")
        }),
        _ => false,
    }
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
