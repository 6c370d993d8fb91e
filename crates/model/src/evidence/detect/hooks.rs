//! Code that changes how tests are run: hooks that runners load, skips from the product, objects that are equal to everything.

use std::collections::BTreeMap;

use super::{
    super::source::{self, Kind, Language},
    Sign,
    parsed::{Parsed, Side, has},
    replaced,
};
use crate::findings::{FindingCode, Weight};

const CODE: FindingCode = FindingCode::TestsTampered;

pub(super) fn signs(files: &[Parsed<'_>]) -> Vec<Sign> {
    let mut signs = Vec::new();
    for file in files {
        let (Some(language), Some(after)) = (file.language, &file.after) else { continue };
        signs.extend(replaced::signs(language, file, after));
        signs.extend(hook_functions(language, file, after));
        signs.extend(equal_to_everything(language, file, after));
        signs.extend(skips_from_the_product(language, file, after));
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
    // What is told how a test ended may write it down, and decides nothing by that.
    const ONLY_TOLD: [&str; 5] = [
        "pytest_runtest_makereport",
        "pytest_runtest_logreport",
        "pytest_exception_interact",
        "pytest_sessionfinish",
        "pytest_unconfigure",
    ];
    let mut signs = Vec::new();
    if !matches!(language, Language::Python | Language::Go) {
        return signs;
    }
    let tokens = &after.tokens;
    let mut bodies: BTreeMap<&str, &[source::Token<'_>]> = BTreeMap::new();
    if let Some(before) = &file.before {
        for function in &before.functions {
            bodies.entry(&function.name).or_insert(&before.tokens[function.body.clone()]);
        }
    }
    for function in &after.functions {
        let body = &tokens[function.body.clone()];
        source::spend(body.len());
        if bodies.get(function.name.as_str()).is_some_and(|before| same_text(before, body)) {
            continue;
        }
        source::spend(body.len());
        let word = |names: &[&str]| body.iter().any(|token| names.contains(&token.text));
        let tampers = match language {
            Language::Python => {
                HOOKS.contains(&function.name.as_str())
                    || function.name == "load_tests" && !uses_what_was_found(tokens, function)
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
            let is_only_told = ONLY_TOLD.contains(&function.name.as_str()) || !is_loaded(file);
            let surely = language != Language::Python || !is_only_told || sets_an_end(body);
            let (weight, does) = if surely { (Weight::Blocking, "decides") } else { (Weight::Warning, "can decide") };
            let message = format!("`{}` {does} how tests are run or how they ended", function.name);
            signs.push(Sign::new(CODE, weight, file.path, message).at(function.line));
        } else if fixture {
            let message = format!("the fixture `{}` replaces something in every test", function.name);
            signs.push(Sign::new(CODE, Weight::Warning, file.path, message).at(function.line));
        }
    }
    let is_pytest = is_pytest(after);
    for (at, token) in tokens.iter().enumerate() {
        let sets = |name: &str| token.is(name) && tokens.get(at + 1).is_some_and(|next| next.is("="));
        // Of an object of the runner: a variable of this name is nobody's but the function's.
        let sets_of = |name: &str| at > 0 && tokens[at - 1].is(".") && sets(name);
        let outcome = language == Language::Python
            && (sets_of("exitstatus")
                || sets_of("outcome")
                || sets_of("wasxfail")
                || sets("collect_ignore")
                || sets("collect_ignore_glob")
                || token.is("force_result"));
        if outcome
            && file.is_new_line(token.line)
            && (file.name() == "conftest.py" || !file.is_test() || sets_of("exitstatus"))
            && is_pytest
        {
            signs.push(
                Sign::new(CODE, Weight::Blocking, file.path, format!("it sets `{}` of the test run", token.text))
                    .at(token.line),
            );
        }
    }
    signs
}

/// Tells whether pytest loads a file by itself, or with the tests.
fn is_loaded(file: &Parsed<'_>) -> bool {
    file.name() == "conftest.py" || file.is_test()
}

/// Tells whether a hook of pytest sets how something ended.
fn sets_an_end(body: &[source::Token<'_>]) -> bool {
    const ENDS: [&str; 5] = ["outcome", "excinfo", "exitstatus", "wasxfail", "longrepr"];
    body.windows(3).any(|three| three[0].is(".") && ENDS.contains(&three[1].text) && three[2].is("="))
        || body.iter().any(|token| token.is("force_result") || token.is("force_exception"))
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
    asked.into_iter().chain(equal_functions(file, after)).collect()
}

fn equal_functions(file: &Parsed<'_>, after: &Side<'_>) -> Vec<Sign> {
    let tokens = &after.tokens;
    after
        .functions
        .iter()
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
            // A wildcard of the product may be what somebody wants.
            Sign::new(CODE, Weight::Warning, file.path, message).at(function.line)
        })
        .collect()
}
