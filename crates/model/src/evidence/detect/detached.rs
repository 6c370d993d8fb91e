//! Parts of a test that nothing runs: a function inside of it that it never calls, and a callback of a timer for which it
//! does not wait.

use std::{collections::HashMap, ops::Range};

use super::{
    super::source::{Kind, Language, Token, behind, spend},
    parsed::{Case, Side},
};

/// Finds a test all of whose assertions stand where nothing runs them.
pub(super) fn all_assertions(language: Language, side: &Side<'_>, case: &Case) -> Option<u32> {
    let first = case.assertions.first()?;
    let parts = never_called(language, side, case)
        .into_iter()
        .chain(timers(language, side, case))
        .chain(background(language, side, case));
    let mut parts: Vec<Range<usize>> = parts.collect();
    parts.sort_by_key(|part| part.start);
    // Both in their order: the furthest end of all parts that have begun tells whether one of them is open.
    let (mut next, mut end) = (0, 0);
    let mut detached = |range: &Range<usize>| {
        while let Some(part) = parts.get(next).filter(|part| part.start <= range.start) {
            end = end.max(part.end);
            next += 1;
        }
        range.start < end
    };
    case.assertions.iter().all(|assertion| detached(&assertion.range)).then_some(first.line)
}

/// Returns the functions inside of a test that have a name which stands nowhere else in it.
fn never_called(language: Language, side: &Side<'_>, case: &Case) -> Vec<Range<usize>> {
    let body = case.test.body.clone();
    let tokens = &side.tokens;
    let mut parts = Vec::new();
    // Where each word stands.
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    for at in body.clone().filter(|at| tokens[*at].kind == Kind::Word) {
        spend(1);
        places.entry(tokens[at].text).or_default().push(at);
    }
    for at in body.clone() {
        let Some((name, part)) = named_function(language, tokens, at, body.end) else { continue };
        let is_used = |other: &usize| {
            spend(1);
            // `_ = check` is how Go is told that a name is not needed.
            let thrown_away = *other > 1 && tokens[other - 1].is("=") && tokens[other - 2].is("_");
            !part.contains(other) && *other != name && !thrown_away
        };
        if !places.get(tokens[name].text).is_some_and(|places| places.iter().any(is_used)) {
            parts.push(part);
        }
    }
    parts
}

/// Reads `def check(…):`, `check = lambda: …`, `const check = (…) => …`, `check := func(…) { … }`, `let check = || …`,
/// `Runnable check = () -> …`: the place of the name, and everything from there to its end.
fn named_function(language: Language, tokens: &[Token<'_>], at: usize, limit: usize) -> Option<(usize, Range<usize>)> {
    let token = &tokens[at];
    if language == Language::Python && token.is("def") {
        let column = if at > 0 && tokens[at - 1].is("async") { tokens[at - 1].column } else { token.column };
        let end = (at + 1..limit).find(|other| tokens[*other].first && tokens[*other].column <= column);
        return Some((at + 1, at..end.unwrap_or(limit)));
    }
    if language == Language::JavaScript && token.is("function") && tokens.get(at + 1)?.kind == Kind::Word {
        return Some((at + 1, at..end_of(tokens, at, limit)));
    }
    let is_set = tokens.get(at + 1).is_some_and(|sign| sign.is("=") || sign.is(":="));
    if token.kind != Kind::Word || !is_set || at > 0 && tokens[at - 1].is(".") {
        return None;
    }
    let value = at + 2;
    let reach = (value..limit.min(value + 12)).take_while(|other| !tokens[*other].is(";"));
    let has = |sign: &str| reach.clone().any(|other| tokens[other].is(sign));
    let begins = |words: &[&str]| tokens.get(value).is_some_and(|token| words.contains(&token.text));
    let is_function = match language {
        Language::Python => begins(&["lambda"]),
        Language::JavaScript => begins(&["function", "async", "("]) && (has("=>") || has("function")),
        Language::Go => begins(&["func"]),
        Language::Rust => begins(&["|", "||", "move"]),
        Language::Java => begins(&["("]) && has("->"),
        _ => false,
    };
    is_function.then(|| (at, at..end_of(tokens, value, limit)))
}

/// Finds the end of a statement: its semicolon, or the last token of its line outside of all brackets.
fn end_of(tokens: &[Token<'_>], from: usize, limit: usize) -> usize {
    let mut at = from;
    while at < limit {
        spend(1);
        let token = &tokens[at];
        if token.text == ";" {
            return at;
        }
        if token.closes() {
            return at + 1;
        }
        let next = behind(tokens, at).min(limit);
        let ends_line = tokens.get(next).is_none_or(|next| next.first);
        if ends_line && next > from + 1 {
            return next;
        }
        at = next;
    }
    limit
}

/// Returns what a test starts beside itself, goroutines and threads, where it waits for nothing.
fn background(language: Language, side: &Side<'_>, case: &Case) -> Vec<Range<usize>> {
    let (begins, waits): (&[&[&str]], &[&str]) = match language {
        Language::Go => (&[&["go", "func"]], &["Wait", "<-", "select", "Sleep", "Eventually", "range", "Done"]),
        Language::Rust => (&[&["spawn", "("]], &["join", "scope", "recv", "await", "wait", "block_on"]),
        Language::Java => (
            &[&["new", "Thread", "("], &["submit", "("], &["runAsync", "("]],
            &["join", "get", "await", "invokeAll", "close"],
        ),
        Language::Python => (&[&["Thread", "("], &["submit", "("]], &["join", "result", "wait", "get"]),
        _ => return Vec::new(),
    };
    let body = case.test.body.clone();
    let tokens = &side.tokens;
    if tokens[body.clone()].iter().any(|token| waits.contains(&token.text)) {
        return Vec::new();
    }
    let starts = |at: &usize| {
        begins
            .iter()
            .any(|words| tokens[*at..].iter().zip(*words).filter(|(token, word)| token.is(word)).count() == words.len())
    };
    body.clone().filter(starts).map(|at| at..end_of(tokens, at, body.end)).collect()
}

/// Returns the callbacks of timers in a test of JavaScript that neither waits for a promise nor for a callback.
fn timers(language: Language, side: &Side<'_>, case: &Case) -> Vec<Range<usize>> {
    if language != Language::JavaScript {
        return Vec::new();
    }
    let body = case.test.body.clone();
    let tokens = &side.tokens;
    let whole = &tokens[case.test.head.start..body.end];
    if whole.iter().any(|token| matches!(token.text, "await" | "Promise" | "done" | "resolve" | "end" | "return")) {
        return Vec::new();
    }
    let is_timer = |at: &usize| {
        matches!(tokens[*at].text, "setTimeout" | "setInterval" | "setImmediate" | "nextTick" | "queueMicrotask")
    };
    // A promise whose answer nobody waits for; what an arrow function without braces makes is given back.
    let gives_back = !tokens[body.start].is("{");
    let is_then = |at: &usize| tokens[*at].is("then") && *at > 0 && tokens[*at - 1].is(".") && !gives_back;
    body.clone().filter(|at| is_timer(at) || is_then(at)).map(|at| at..end_of(tokens, at, body.end)).collect()
}
