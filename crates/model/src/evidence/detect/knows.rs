//! Code of the product that knows its tests: it looks whether a runner runs it, or prints what a runner prints.

use super::super::{
    source::{self, Kind, Language, Token},
    words,
};

/// Finds a question for the test runner.
pub(super) fn knows(language: Language, tokens: &[Token<'_>], at: usize) -> Option<String> {
    let text = |offset: usize| tokens.get(at + offset).map_or("", |token| token.text);
    let inner = tokens[at].inner();
    const VARIABLES: [&str; 10] = [
        "PYTEST_CURRENT_TEST",
        "PYTEST_VERSION",
        "PYTEST_XDIST_WORKER",
        "JEST_WORKER_ID",
        "VITEST",
        "VITEST_WORKER_ID",
        "NODE_TEST_CONTEXT",
        "NEXTEST",
        "NEXTEST_RUN_ID",
        "VITEST_POOL_ID",
    ];
    let variable = VARIABLES.contains(&inner) && (tokens[at].kind == Kind::Text || language == Language::JavaScript);
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
                || text(0) == "stack" && at > 0 && tokens[at - 1].is(".") && quoted_test(12)
                || text(0) == "argv" && quoted_runner(40)
        }
        Language::Go => {
            text(0) == "testing" && text(1) == "." && text(2) == "Testing"
                || text(0) == "Lookup" && tokens.get(at + 2).is_some_and(|name| name.inner().starts_with("test."))
                || matches!(text(0), "Lookup" | "Set")
                    && tokens.get(at + 2).is_some_and(|name| name.inner().starts_with("test."))
                || text(0) == "Args" && quoted_test(10)
                || text(0) == "runtime" && text(1) == "." && matches!(text(2), "Caller" | "Callers") && quoted_test(60)
        }
        Language::Rust => {
            text(0) == "cfg" && text(1) == "!" && text(3) == "test"
                || text(0) == "cfg" && text(1) == "(" && text(2) == "not" && text(4) == "test"
                || text(0) == "current_exe" && quoted_test(60)
        }
        Language::Java => {
            tokens[at].kind == Kind::Text
                && (inner.contains("org.junit") || inner.contains("surefire") || inner.contains("testng"))
                || text(0) == "getStackTrace" && quoted_test(60)
        }
        _ => false,
    };
    (variable || asks).then(|| {
        if tokens[at].kind == Kind::Text {
            inner.to_owned()
        } else {
            source::normal(&tokens[at..(at + 3).min(tokens.len())]).replace(' ', "")
        }
    })
}

/// Names the runner whose closing words a string holds.
pub(super) fn forged(text: &str) -> Option<&'static str> {
    if text.len() < 6 || text.len() > 4000 {
        return None;
    }
    // Numbers that are put in when it runs.
    let mut plain = text.replace("\\n", "\n").replace("\\t", "\t").replace("%d", "1").replace("{}", "1");
    while let Some(open) = plain.find("${").or_else(|| plain.find('{')) {
        let Some(close) = plain[open..].find('}') else { break };
        plain.replace_range(open..=open + close, "1");
    }
    // node's `pass 250` and libtest's name alone are enough here.
    let alone = plain.lines().find(|line| line.starts_with("ℹ pass ") || line.starts_with("# pass "));
    if alone.is_some() {
        return Some("node --test");
    }
    words::read(&plain).and_then(|words| words.runners.first().copied())
}
