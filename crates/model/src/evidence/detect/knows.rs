//! Code of the product that knows its tests: it looks whether a runner runs it, or prints what a runner prints.

use super::super::{
    source::{self, Kind, Language, Token},
    words,
};

/// Finds a question for the test runner.
pub(super) fn knows(language: Language, tokens: &[Token<'_>], at: usize) -> Option<String> {
    if !matches!(tokens[at].kind, Kind::Word | Kind::Text) {
        return None;
    }
    let text = |offset: usize| tokens.get(at + offset).map_or("", |token| token.text);
    let inner = tokens[at].inner();
    // What runners set for the processes of tests begins with their names.
    const VARIABLES: [&str; 11] = [
        "PYTEST_",
        "JEST_",
        "VITEST",
        "NODE_TEST_",
        "NEXTEST",
        "MOCHA_",
        "SUREFIRE_",
        "BATS_",
        "PHPUNIT_",
        "RSPEC_",
        "TAP_",
    ];
    let is_name = !inner.is_empty() && inner.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    let named = is_name && VARIABLES.iter().any(|start| inner.starts_with(start));
    let variable = named && (tokens[at].kind == Kind::Text || language == Language::JavaScript);
    let around = |words: &[&str], reach: usize| {
        let from = at.saturating_sub(reach);
        tokens[from..(at + reach).min(tokens.len())].iter().any(|token| words.contains(&token.text))
    };
    let quoted_test = |reach: usize| {
        tokens[at..(at + reach).min(tokens.len())]
            .iter()
            .any(|token| token.kind == Kind::Text && token.inner().to_ascii_lowercase().contains("test"))
    };
    let quoted_runner = |reach: usize| {
        let runners = ["mocha", "jest", "vitest", "jasmine", "node:test", "--test", "tap", "ava"];
        tokens[at..(at + reach).min(tokens.len())]
            .iter()
            .any(|token| token.kind == Kind::Text && runners.contains(&token.inner().to_ascii_lowercase().as_str()))
    };
    let about_itself = asks_about_itself(language, tokens, at);
    let asks = match language {
        Language::Python => {
            tokens[at].kind == Kind::Text
                && matches!(inner, "pytest" | "unittest" | "_pytest" | "nose2")
                && around(&["modules", "argv", "__name__"], 8)
                || matches!(text(0), "_getframe" | "currentframe" | "extract_stack")
                || text(0) == "inspect" && text(2) == "stack"
        }
        Language::JavaScript => {
            text(0) == "typeof" && matches!(text(1), "jest" | "describe" | "it" | "vi" | "expect" | "mocha")
                || text(0) == "argv" && quoted_runner(40)
                || text(0) == "NODE_ENV" && answers_for_tests(&tokens[at..])
        }
        Language::Go => {
            text(0) == "testing" && text(1) == "." && text(2) == "Testing"
                || text(0) == "Lookup" && tokens.get(at + 2).is_some_and(|name| name.inner().starts_with("test."))
                || matches!(text(0), "Lookup" | "Set")
                    && tokens.get(at + 2).is_some_and(|name| name.inner().starts_with("test."))
                || text(0) == "Args" && quoted_test(10)
        }
        Language::Rust => {
            text(0) == "cfg" && text(1) == "!" && text(3) == "test"
                || text(0) == "cfg" && text(1) == "(" && text(2) == "not" && text(4) == "test"
                || text(0) == "name" && text(1) == "(" && around(&["current"], 6) && quoted_test(40)
        }
        Language::Java => {
            tokens[at].kind == Kind::Text
                && (inner.contains("org.junit") || inner.contains("surefire") || inner.contains("testng"))
        }
        _ => false,
    };
    (variable || asks || about_itself).then(|| {
        if tokens[at].kind == Kind::Text {
            inner.to_owned()
        } else {
            source::normal(&tokens[at..(at + 3).min(tokens.len())]).replace(' ', "")
        }
    })
}

/// Tells whether a program looks at its own name, its arguments or its callers and compares them with what is a runner's.
fn asks_about_itself(language: Language, tokens: &[Token<'_>], at: usize) -> bool {
    let text = |offset: usize| tokens.get(at + offset).map_or("", |token| token.text);
    let (callers, names): (&[&str], &[&str]) = match language {
        Language::Python => {
            (&["stack", "extract_stack", "_getframe", "walk_stack"], &["argv", "__main__", "executable"])
        }
        Language::JavaScript => {
            (&["stack", "prepareStackTrace", "captureStackTrace"], &["argv", "execArgv", "argv0", "main", "title"])
        }
        Language::Go => (&["Stack", "Caller", "Callers", "CallersFrames"], &["Args", "Executable"]),
        Language::Rust => (&["Backtrace", "force_capture", "current_exe"], &["args", "args_os"]),
        Language::Java | Language::CSharp => {
            (&["getStackTrace", "StackWalker", "StackTrace", "StackFrame"], &["getProperty", "forName", "loadClass"])
        }
        _ => (&[], &[]),
    };
    if tokens[at].kind != Kind::Word {
        return false;
    }
    let text_near = |reach: usize, wanted: fn(&str) -> bool| {
        let near = tokens[at..(at + reach).min(tokens.len())].iter();
        near.filter(|token| token.kind == Kind::Text).any(|token| wanted(&token.inner().to_ascii_lowercase()))
    };
    // A command called `test` is a program's own; `.test`, `_test` and the names of runners are not.
    let of_a_runner = |text: &str| {
        ["pytest", "unittest", "jest", "mocha", "vitest", "junit", "surefire", "testng", "trunner", "--test", "/deps/"]
            .iter()
            .any(|name| text.contains(name))
            || [".test", "_test", "test_", ".spec", "-test", "test/", "tests/", "/test"]
                .iter()
                .any(|part| text.contains(part))
    };
    let of_main = text(0) != "main" || at > 1 && tokens[at - 2].is("require");
    let of_tests =
        if text(0) == "main" { text_near(12, |text| text.contains("test")) } else { text_near(30, of_a_runner) };
    callers.contains(&text(0)) && text_near(60, |text| text.contains("test"))
        || names.contains(&text(0)) && of_main && of_tests
}

/// Tells whether something is given back because `NODE_ENV` is `test`. That a server does not listen then is usual.
fn answers_for_tests(tokens: &[Token<'_>]) -> bool {
    let text = |offset: usize| tokens.get(offset).map_or("", |token| token.text);
    let asked = matches!(text(1), "===" | "==") && tokens.get(2).is_some_and(|value| value.inner() == "test");
    let mut behind = (3..6).map(|offset| (offset, text(offset))).skip_while(|(_, text)| matches!(*text, ")" | "{"));
    asked
        && behind.next().is_some_and(|(at, word)| word == "?" || word == "return" && !matches!(text(at + 1), ";" | "}"))
}

/// Names the runner whose closing words a string holds.
pub(super) fn forged(text: &str) -> Option<&'static str> {
    if text.len() < 6 || text.len() > 4000 {
        return None;
    }
    // Numbers that are put in when it runs.
    source::spend(text.len());
    let filled = text.replace("\\n", "\n").replace("\\t", "\t").replace("%d", "1");
    let mut plain = String::with_capacity(filled.len());
    let mut rest = filled.as_str();
    while let Some((before, behind)) = rest.split_once('{') {
        let Some((_, behind)) = behind.split_once('}') else { break };
        plain.push_str(before.strip_suffix('$').unwrap_or(before));
        plain.push('1');
        rest = behind;
    }
    plain.push_str(rest);
    // node's `pass 250` and libtest's name alone are enough here.
    let alone = plain.lines().find(|line| line.starts_with("ℹ pass ") || line.starts_with("# pass "));
    if alone.is_some() {
        return Some("node --test");
    }
    words::read(&plain).and_then(|words| words.runners.first().copied())
}
