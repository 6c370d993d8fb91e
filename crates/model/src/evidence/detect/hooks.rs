//! What changes how tests are run, or what an assertion means: hooks that runners load, settings of runners, assertions
//! that are replaced, objects that are equal to everything.

use super::{
    super::source::{self, Kind, Language},
    Author, Sign,
    parsed::{Parsed, Side, has},
};
use crate::findings::{FindingCode, Weight};

const CODE: FindingCode = FindingCode::TestsTampered;

pub(super) fn signs(author: Author, files: &[Parsed<'_>]) -> Vec<Sign> {
    let mut signs = Vec::new();
    for file in files {
        signs.extend(loaded_by_itself(file));
        signs.extend(settings(author, file));
        signs.extend(snapshot(author, file));
        let (Some(language), Some(after)) = (file.language, &file.after) else { continue };
        signs.extend(replaced_assertions(language, file, after));
        signs.extend(hook_functions(language, file, after));
        signs.extend(equal_to_everything(language, file, after));
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
        "pytest.ini" | "tox.ini" | "setup.cfg" | "pyproject.toml" | ".pytest.ini" => &[
            "--ignore",
            "--deselect",
            "-k ",
            "-k\"",
            "--collect-only",
            "--co ",
            "python_files",
            "python_functions",
            "python_classes",
            "collect_ignore",
            "-p no:",
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
        ],
        "Cargo.toml" => &["test = false", "test=false", "autotests = false", "doctest = false", "harness = false"],
        "config.toml" | "config" if file.path.contains(".cargo/") => &["runner", "test ="],
        "nextest.toml" => &["default-filter", "retries", "filter ="],
        "pom.xml" => &[
            "skipTests",
            "maven.test.skip",
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
        ".rspec" => &["--tag ~", "--exclude-pattern", "--example", "--failure-exit-code", "--dry-run"],
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
            ]
        }
        _ => &[],
    };
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
        let message = match found {
            Some(word) => {
                Some(format!("the settings of the test runner leave tests or failures out: `{}`", word.trim()))
            }
            None if script && ignores_failures(line) => {
                Some("a failure of the tests is taken away where they are started".to_owned())
            }
            None => None,
        };
        if let Some(message) = message {
            signs.push(Sign::new(CODE, author.weight(), file.path, message).at(number));
        }
    }
    if name == "package.json" {
        signs.extend(package_script(author, file, after));
    }
    signs
}

/// The test script of a package that starts no runner any more, or not all of it.
fn package_script(author: Author, file: &Parsed<'_>, after: &Side<'_>) -> Option<Sign> {
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
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
            "--shard",
        ]
        .iter()
        .any(|word| is.contains(word) && !was.contains(word));
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
    None
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

const UNITTEST: [&str; 18] = [
    "assertEqual",
    "assertNotEqual",
    "assertTrue",
    "assertFalse",
    "assertIs",
    "assertIsNone",
    "assertIsNotNone",
    "assertIn",
    "assertRaises",
    "assertAlmostEqual",
    "assertGreater",
    "assertLess",
    "assertListEqual",
    "assertDictEqual",
    "assertRegex",
    "assertCountEqual",
    "fail",
    "assertMultiLineEqual",
];
const MATCHERS: [&str; 12] = [
    "toBe",
    "toEqual",
    "toStrictEqual",
    "toThrow",
    "toContain",
    "toHaveLength",
    "toMatch",
    "toBeNull",
    "toHaveBeenCalled",
    "toBeTruthy",
    "toBeDefined",
    "toHaveProperty",
];

/// Assertions of a library that are defined anew or set to something else.
fn replaced_assertions(language: Language, file: &Parsed<'_>, after: &Side<'_>) -> Vec<Sign> {
    let mut signs = Vec::new();
    let tokens = &after.tokens;
    let new: std::collections::BTreeSet<usize> = file.new_tokens().into_iter().collect();
    let mut found = |at: usize, message: String| {
        if new.contains(&at) {
            signs.push(Sign::new(CODE, Weight::Blocking, file.path, message).at(tokens[at].line));
        }
    };
    for at in 0..tokens.len() {
        let text = |offset: usize| tokens.get(at + offset).map_or("", |token| token.text);
        // `X.name = …`, of a library of tests.
        let set = text(1) == "." && text(3) == "=" && tokens[at].kind == Kind::Word;
        let name = text(2);
        let replaced = match language {
            Language::Python => {
                set && (text(0) == "TestCase" && name.starts_with("assert")
                    || text(0) == "TestCase" && matches!(name, "run" | "__call__" | "fail" | "debug")
                    || matches!(
                        text(0),
                        "unittest"
                            | "pytest"
                            | "builtins"
                            | "_pytest"
                            | "TestResult"
                            | "TextTestResult"
                            | "TextTestRunner"
                    )
                    || text(0) == "sys" && matches!(name, "exit" | "excepthook"))
                    || text(0) == "setattr"
                        && text(1) == "("
                        && ["unittest", "TestCase", "pytest", "builtins"]
                            .iter()
                            .any(|word| (2..7).any(|offset| text(offset) == *word))
                    || text(0) == "modules"
                        && text(1) == "["
                        && ["unittest", "pytest", "_pytest"].iter().any(|word| text(2).contains(word))
                        && text(4) == "="
            }
            Language::JavaScript => {
                set && (text(0) == "assert" && name != "ok_"
                    || matches!(text(0), "global" | "globalThis" | "window")
                        && matches!(name, "expect" | "it" | "test" | "describe" | "assert" | "jest")
                    || text(0) == "Module" && name == "_load"
                    || text(0) == "process" && matches!(name, "exit" | "exitCode" | "emit" | "reallyExit"))
                    || text(0) == "process"
                        && text(1) == "."
                        && name == "on"
                        && matches!(text(4).trim_matches(['\'', '"']), "exit" | "beforeExit")
                    || text(0) == "require" && text(1) == "." && name == "cache"
                    || text(0) == "extend"
                        && text(1) == "("
                        && (2..60)
                            .any(|offset| MATCHERS.contains(&text(offset)) && matches!(text(offset + 1), ":" | "("))
                    || text(0) == ")"
                        && text(1) == "."
                        && text(3) == "="
                        && at > 2
                        && ["assert", "node:assert", "assert/strict", "node:assert/strict", "node:test"]
                            .iter()
                            .any(|module| tokens[at - 1].inner() == *module)
            }
            Language::Rust => {
                text(0) == "macro_rules"
                    && text(1) == "!"
                    && matches!(name, "assert" | "assert_eq" | "assert_ne" | "panic")
            }
            Language::Java => text(0) == "class" && matches!(text(1), "Assert" | "Assertions" | "Assertion"),
            _ => false,
        };
        if replaced {
            let shown = source::normal(&tokens[at..(at + 5).min(tokens.len())]);
            found(at, format!("it replaces a part of the test library: `{shown}`"));
        }
    }
    // Functions of the names of assertions.
    for function in source::functions(language, tokens) {
        let own = match language {
            Language::Python => UNITTEST.contains(&function.name.as_str()),
            Language::JavaScript => matches!(function.name.as_str(), "expect" | "assert" | "strictEqual" | "deepEqual"),
            Language::Java => matches!(
                function.name.as_str(),
                "assertEquals"
                    | "assertTrue"
                    | "assertFalse"
                    | "assertThrows"
                    | "assertNotNull"
                    | "assertNull"
                    | "assertSame"
            ),
            Language::Go | Language::Rust => {
                file.is_test()
                    && ["assert", "require", "check", "expect", "must"]
                        .iter()
                        .any(|start| function.name.to_ascii_lowercase().starts_with(start))
            }
            _ => false,
        };
        let body = &tokens[function.body.clone()];
        let fails = !source::assertions(language, tokens, function.body.clone()).is_empty()
            || body.iter().any(|token| {
                matches!(
                    token.text,
                    "raise"
                        | "throw"
                        | "panic"
                        | "super"
                        | "Error"
                        | "Errorf"
                        | "Fatal"
                        | "Fatalf"
                        | "unwrap"
                        | "Err"
                        | "Helper"
                ) && token.kind == Kind::Word
            });
        let helper = matches!(language, Language::Go | Language::Rust);
        let at = function.signature.start.saturating_sub(1);
        if own && !(fails && (helper || body.len() > 3)) && (!helper || returns_nothing(language, tokens, &function)) {
            found(at, format!("it defines an assertion of its own that never fails: `{}`", function.name));
        }
    }
    signs
}

/// Tells whether a function gives nothing back, so that its name can only mean that it asserts.
fn returns_nothing(language: Language, tokens: &[source::Token<'_>], function: &source::Function) -> bool {
    let signature = &tokens[function.signature.clone()];
    match language {
        Language::Rust => !signature.iter().any(|token| token.is("->")),
        _ => signature.last().is_some_and(|token| token.is(")")),
    }
}

/// Hooks of pytest that decide how a test ended, and a `TestMain` that does.
fn hook_functions(language: Language, file: &Parsed<'_>, after: &Side<'_>) -> Vec<Sign> {
    const HOOKS: [&str; 12] = [
        "pytest_runtest_makereport",
        "pytest_runtest_protocol",
        "pytest_runtest_call",
        "pytest_pyfunc_call",
        "pytest_sessionfinish",
        "pytest_report_teststatus",
        "pytest_ignore_collect",
        "pytest_unconfigure",
        "pytest_runtest_logreport",
        "pytest_exception_interact",
        "pytest_runtestloop",
        "pytest_cmdline_main",
    ];
    let mut signs = Vec::new();
    let tokens = &after.tokens;
    let body_before = |name: &str| {
        let before = file.before.as_ref()?;
        let function =
            source::functions(language, &before.tokens).into_iter().find(|function| function.name == name)?;
        Some(source::normal(&before.tokens[function.body]))
    };
    for function in source::functions(language, tokens) {
        let body = &tokens[function.body.clone()];
        if body_before(&function.name).is_some_and(|before| before == source::normal(body)) {
            continue;
        }
        let word = |names: &[&str]| body.iter().any(|token| names.contains(&token.text));
        let tampers = match language {
            Language::Python => {
                HOOKS.contains(&function.name.as_str())
                    || function.name == "pytest_collection_modifyitems"
                        && (word(&["clear", "remove", "pop", "xfail", "skip", "deselected"])
                            || has(body, &["items", "["]).is_some())
            }
            Language::Go => {
                let exits_well = has(body, &["os", ".", "Exit", "(", "0", ")"]).is_some();
                function.name == "TestMain" && (has(body, &["m", ".", "Run"]).is_none() || exits_well)
            }
            _ => false,
        };
        // A fixture of every test that replaces something of the product.
        let fixture = language == Language::Python
            && tokens[function.head.clone()].windows(3).any(|three| three[0].is("autouse") && three[2].is("True"))
            && word(&["setattr", "patch"]);
        if tampers {
            let message = format!("`{}` decides how tests are run or how they ended", function.name);
            signs.push(Sign::new(CODE, Weight::Blocking, file.path, message).at(function.line));
        } else if fixture {
            let message = format!("the fixture `{}` replaces something in every test", function.name);
            signs.push(Sign::new(CODE, Weight::Warning, file.path, message).at(function.line));
        }
    }
    for (at, token) in tokens.iter().enumerate() {
        let sets = |name: &str| token.is(name) && tokens.get(at + 1).is_some_and(|next| next.is("="));
        let outcome = language == Language::Python
            && (sets("exitstatus")
                || sets("outcome")
                || sets("wasxfail")
                || sets("collect_ignore")
                || sets("collect_ignore_glob")
                || token.is("force_result"));
        if outcome
            && file.is_new_line(token.line)
            && (file.name() == "conftest.py" || !file.is_test() || sets("exitstatus"))
            && is_pytest(after)
        {
            signs.push(
                Sign::new(CODE, Weight::Blocking, file.path, format!("it sets `{}` of the test run", token.text))
                    .at(token.line),
            );
        }
    }
    signs
}

fn is_pytest(side: &Side<'_>) -> bool {
    side.text.contains("pytest") || side.text.contains("collect_ignore")
}

/// A value of the product that says that it is equal to anything.
fn equal_to_everything(language: Language, file: &Parsed<'_>, after: &Side<'_>) -> Vec<Sign> {
    let tokens = &after.tokens;
    source::functions(language, tokens)
        .into_iter()
        .filter(|function| matches!(function.name.as_str(), "__eq__" | "equals" | "eq" | "Equals" | "Equal" | "__ne__"))
        .filter(|function| {
            let body = source::normal(&tokens[function.body.clone()]);
            let always = matches!(
                body.trim_end_matches(" ;"),
                "return True" | "return true" | "true" | "True" | "return not False"
            );
            let never = function.name == "__ne__" && body == "return False";
            (always || never) && file.is_new_line(function.line)
        })
        .map(|function| {
            let message = format!(
                "`{}` says that everything is equal, so that a comparison in a test cannot fail",
                function.name
            );
            Sign::new(CODE, Weight::Blocking, file.path, message).at(function.line)
        })
        .collect()
}
