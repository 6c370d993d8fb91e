//! Code that changes how tests are run, or what an assertion means: hooks that runners load, assertions that are replaced,
//! objects that are equal to everything.

use std::collections::BTreeMap;

use super::{
    super::source::{self, Kind, Language},
    Sign,
    parsed::{Parsed, Side, has},
};
use crate::findings::{FindingCode, Weight};

const CODE: FindingCode = FindingCode::TestsTampered;

pub(super) fn signs(files: &[Parsed<'_>]) -> Vec<Sign> {
    let mut signs = Vec::new();
    for file in files {
        let (Some(language), Some(after)) = (file.language, &file.after) else { continue };
        signs.extend(replaced_assertions(language, file, after));
        signs.extend(hook_functions(language, file, after));
        signs.extend(equal_to_everything(language, file, after));
        signs.extend(skips_from_the_product(language, file, after));
    }
    signs
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
    source::spend(16 * tokens.len());
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
                            | "TestLoader"
                            | "TestSuite"
                            | "TestProgram"
                            | "pytest"
                            | "builtins"
                            | "_pytest"
                            | "TestResult"
                            | "TextTestResult"
                            | "TextTestRunner"
                    )
                    || text(0) == "sys" && matches!(name, "exit" | "excepthook"))
                    || text(0) == "del" && text(2) == "." && text(3).starts_with("test_")
                    || set && name.starts_with("test_") && file.is_test() && text(0) != "self"
                    || matches!(text(0), "setattr" | "delattr")
                        && text(1) == "("
                        && (3..7).any(|offset| text(offset).trim_matches(['"', '\'']).starts_with("test_"))
                        && file.is_test()
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
                    || matches!(text(0), "test" | "it" | "describe")
                        && matches!(name, "test" | "it" | "describe" | "suite" | "only")
                    || matches!(text(0), "global" | "globalThis" | "window")
                        && matches!(name, "expect" | "it" | "test" | "describe" | "assert" | "jest")
                    || text(0) == "Module" && name == "_load"
                    || matches!(text(0), "Object" | "Array" | "JSON" | "Reflect" | "Number")
                        && matches!(name, "is" | "keys" | "entries" | "isArray" | "stringify" | "ownKeys" | "isNaN")
                    // A program that fails says so by another number.
                    || text(0) == "process" && name == "exitCode" && matches!(text(4), "0" | "undefined" | "null")
                    || text(0) == "process" && matches!(name, "exit" | "emit" | "reallyExit"))
                    || text(0) == "process"
                        && text(1) == "."
                        && name == "on"
                        && (matches!(text(4).trim_matches(['\'', '"']), "exit" | "beforeExit")
                            || matches!(text(4).trim_matches(['\'', '"']), "uncaughtException" | "unhandledRejection")
                                && (5..14).any(|offset| text(offset) == "{" && text(offset + 1) == "}"))
                    || matches!(text(0), "defineProperty" | "assign" | "set" | "setPrototypeOf")
                        && text(1) == "("
                        && matches!(text(2), "assert" | "expect")
                    || text(0) == "assert" && text(1) == "[" && text(3) == "]" && text(4) == "="
                    || matches!(text(0), "const" | "let" | "var")
                        && matches!(text(1), "assert" | "expect" | "should")
                        && text(2) == "="
                        && matches!(text(3), "new" | "{" | "(" | "function")
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
        source::spend(body.len());
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

/// Tells whether unittest's `load_tests(loader, tests, pattern)` does something with the tests that were found.
fn uses_what_was_found(tokens: &[source::Token<'_>], function: &source::Function) -> bool {
    let mut parameters = tokens[function.signature.clone()].iter().filter(|token| token.kind == Kind::Word);
    let (loader, found) = (parameters.next(), parameters.next());
    let body = &tokens[function.body.clone()];
    let uses = |name: Option<&source::Token<'_>>| name.is_some_and(|name| body.iter().any(|token| token.is(name.text)));
    uses(loader) || uses(found)
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
    let mut bodies: BTreeMap<String, &[source::Token<'_>]> = BTreeMap::new();
    if let Some(before) = &file.before {
        for function in source::functions(language, &before.tokens) {
            bodies.entry(function.name).or_insert(&before.tokens[function.body]);
        }
    }
    for function in source::functions(language, tokens) {
        let body = &tokens[function.body.clone()];
        source::spend(body.len());
        if bodies.get(&function.name).is_some_and(|before| same_text(before, body)) {
            continue;
        }
        source::spend(body.len());
        let word = |names: &[&str]| body.iter().any(|token| names.contains(&token.text));
        let tampers = match language {
            Language::Python => {
                HOOKS.contains(&function.name.as_str())
                    || function.name == "load_tests" && !uses_what_was_found(tokens, &function)
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

fn same_text(one: &[source::Token<'_>], other: &[source::Token<'_>]) -> bool {
    one.iter().map(|token| token.text).eq(other.iter().map(|token| token.text))
}

fn is_pytest(side: &Side<'_>) -> bool {
    side.text.contains("pytest") || side.text.contains("collect_ignore")
}

/// Code of the product that skips the test which runs it.
fn skips_from_the_product(language: Language, file: &Parsed<'_>, after: &Side<'_>) -> Option<Sign> {
    if file.is_test() || !after.cases.is_empty() {
        return None;
    }
    let words: &[&str] = match language {
        Language::Python => &["SkipTest", "importorskip", "skipTest"],
        Language::Java => &["TestAbortedException", "AssumptionViolatedException", "assumeTrue", "assumeFalse"],
        Language::Go => &["SkipNow"],
        Language::Php => &["markTestSkipped", "SkippedTestError"],
        _ => &[],
    };
    let at = file.new_tokens().into_iter().find(|at| {
        let token = &after.tokens[*at];
        let pytest = language == Language::Python
            && token.is("pytest")
            && after.tokens.get(at + 2).is_some_and(|name| matches!(name.text, "skip" | "xfail" | "exit"));
        token.kind == Kind::Word && (words.contains(&token.text) || pytest)
    })?;
    let message = "code of the product skips the test that runs it";
    Some(Sign::new(CODE, Weight::Blocking, file.path, message).at(after.tokens[at].line))
}

/// A value of the product that says that it is equal to anything.
fn equal_to_everything(language: Language, file: &Parsed<'_>, after: &Side<'_>) -> Vec<Sign> {
    let tokens = &after.tokens;
    // What jest and vitest ask instead of comparing, and Python's comparison as an expression.
    let asked = tokens.iter().enumerate().filter(|(at, token)| match language {
        Language::JavaScript => token.is("asymmetricMatch") && !file.is_test(),
        Language::Python => {
            token.is("__eq__")
                && tokens.get(at + 1).is_some_and(|next| next.is("="))
                && tokens[*at..].iter().take(14).any(|token| token.is("lambda"))
                && tokens[*at..].iter().take(14).any(|token| token.is("True"))
        }
        _ => false,
    });
    let asked = asked.filter(|(_, token)| file.is_new_line(token.line)).map(|(_, token)| {
        let message = format!(
            "`{}` decides by itself whether it is equal, so that a comparison in a test cannot fail",
            token.text
        );
        Sign::new(CODE, Weight::Blocking, file.path, message).at(token.line)
    });
    let asked: Vec<_> = asked.collect();
    asked.into_iter().chain(equal_functions(language, file, after)).collect()
}

fn equal_functions(language: Language, file: &Parsed<'_>, after: &Side<'_>) -> Vec<Sign> {
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
