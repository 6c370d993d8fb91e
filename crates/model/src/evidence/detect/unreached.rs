//! Assertions that are not reached, not waited for, or whose failure is caught.

use super::{
    super::source::{self, Assertion, Kind, Language, Token},
    parsed::{Case, Side, has},
};

/// Goes through the tokens of a test in front of its first assertion, each with how many braces are open behind it. Nothing
/// where the test has no assertion or no body.
fn before_assertions<'a>(side: &'a Side<'_>, case: &Case) -> Option<impl Iterator<Item = (usize, &'a Token<'a>, i32)>> {
    let (start, end) = (case.test.body.start, case.assertions.first()?.range.start);
    let mut depth = 0;
    Some((start..end).map(move |at| {
        let token = &side.tokens[at];
        match token.text {
            "{" if token.kind == Kind::Sign => depth += 1,
            "}" if token.kind == Kind::Sign => depth -= 1,
            _ => {}
        }
        (at, token, depth)
    }))
}

/// Finds a return at the outermost level of a test in front of all of its assertions.
pub(super) fn leaves_early(language: Language, side: &Side<'_>, case: &Case) -> Option<u32> {
    let start = case.test.body.start;
    let column = side.tokens.get(start)?.column;
    for (at, token, depth) in before_assertions(side, case)? {
        if token.kind != Kind::Word || token.text != "return" {
            continue;
        }
        let constant_branch = || {
            let before: Vec<&str> = side.tokens[start..at].iter().rev().take(6).map(|token| token.text).collect();
            before.windows(2).any(|pair| {
                matches!(
                    pair,
                    ["True" | "true" | "1", "if" | "("]
                        | ["True" | "true", "or" | "||"]
                        | ["or" | "||", "True" | "true"]
                )
            })
        };
        let outermost = match language {
            Language::Python | Language::Ruby => token.first && token.column <= column,
            Language::JavaScript => depth <= 1 && side.tokens[start].is("{") && !follows_condition(side, start, at),
            _ => depth == 0 && !follows_condition(side, start, at),
        };
        if outermost || constant_branch() {
            return Some(token.line);
        }
    }
    None
}

/// Finds a return under a condition, at the outermost level of a test and in front of all of its assertions: `if …: return`,
/// `if (…) return;`, `if … { return }`.
pub(super) fn leaves_under_a_condition(language: Language, side: &Side<'_>, case: &Case) -> Option<u32> {
    let column = side.tokens.get(case.test.body.start)?.column;
    let outermost_depth = i32::from(language == Language::JavaScript);
    let mut in_condition = false;
    for (at, token, depth) in before_assertions(side, case)? {
        let indented = matches!(language, Language::Python | Language::Ruby);
        let outermost = if indented { token.first && token.column <= column } else { depth == outermost_depth };
        if outermost && token.kind == Kind::Word && (indented || token.first) {
            in_condition = token.is("if") || token.is("unless");
        }
        let next = side.tokens.get(at + 1);
        let nothing = next.is_none_or(|next| next.first || next.is(";") || next.is("}"));
        if in_condition && token.is("return") && nothing {
            return Some(token.line);
        }
    }
    None
}

/// Tells whether a statement without braces hangs on an `if`.
fn follows_condition(side: &Side<'_>, start: usize, at: usize) -> bool {
    at > start && (side.tokens[at - 1].is(")") || side.tokens[at - 1].is("else"))
}

/// Finds a test whose assertions are made and never looked at: a generator, a promise that nobody waits for.
pub(super) fn never_checked(language: Language, side: &Side<'_>, case: &Case) -> Option<(&'static str, u32)> {
    let body = case.test.body.clone();
    match language {
        Language::Python => {
            if let Some(at) = body.clone().find(|at| side.tokens[*at].is("yield")) {
                return Some(("is a generator, of which nothing runs", side.tokens[at].line));
            }
            is_lost_coroutine(side, case).then_some(("is a coroutine, for which nobody waits", case.test.line))
        }
        Language::JavaScript => {
            let waits = |token: &Token<'_>| matches!(token.text, "await" | "return" | "=>" | "(" | "[" | ",");
            let lost = case.assertions.iter().find(|one| {
                let promised = side.tokens[one.range.clone()]
                    .windows(2)
                    .any(|pair| pair[0].is(".") && matches!(pair[1].text, "resolves" | "rejects"));
                let before = one.range.start.checked_sub(1).map(|before| &side.tokens[before]);
                promised && before.is_none_or(|before| !waits(before))
            })?;
            Some(("makes an assertion about a promise and does not wait for it", lost.line))
        }
        _ => None,
    }
}

/// Tells whether a test is a coroutine of a class whose runner calls plain methods only.
fn is_lost_coroutine(side: &Side<'_>, case: &Case) -> bool {
    let tokens = &side.tokens;
    let Some(def) = tokens[..case.test.body.start].iter().rposition(|token| token.is("def")) else { return false };
    if def == 0 || !tokens[def - 1].is("async") {
        return false;
    }
    let lines = std::iter::successors(Some(def - 1), |line| side.outer.get(*line).copied().flatten());
    let class = lines.skip(1).find(|line| tokens[*line].is("class"));
    class.is_some_and(|class| {
        let bases = tokens[class..def].iter().take_while(|token| !token.is(":"));
        let bases: Vec<&str> = bases.map(|token| token.text).collect();
        bases.contains(&"TestCase") && !bases.iter().any(|base| base.contains("Async"))
    })
}

/// Finds assertions inside of a `try` whose handler does nothing about them.
pub(super) fn swallowed(language: Language, side: &Side<'_>, case: &Case) -> Option<u32> {
    swallows(language, &side.tokens, case.test.body.clone(), &case.assertions)
}

/// Finds assertions, or whatever stands for them, inside of a `try` whose handler does nothing about them.
pub(super) fn swallows(
    language: Language,
    tokens: &[Token<'_>],
    body: std::ops::Range<usize>,
    assertions: &[Assertion],
) -> Option<u32> {
    match language {
        Language::Python => {
            for at in body.clone().filter(|at| tokens[*at].is("try") && tokens[*at].first) {
                let column = tokens[at].column;
                let except =
                    (at + 1..body.end).find(|other| tokens[*other].first && tokens[*other].column == column)?;
                let inside = assertions.iter().any(|one| one.range.start > at && one.range.end <= except);
                // A return in `finally` drops what was raised.
                let finally = (at + 1..body.end).find(|other| {
                    tokens[*other].first && tokens[*other].column == column && tokens[*other].is("finally")
                });
                let returns = finally.is_some_and(|finally| {
                    let block = (finally + 1..body.end)
                        .take_while(|other| !(tokens[*other].first && tokens[*other].column <= column));
                    block.into_iter().any(|other| tokens[other].is("return"))
                });
                if inside && returns {
                    return Some(tokens[at].line);
                }
                if !inside || !tokens[except].is("except") {
                    continue;
                }
                let colon = (except..body.end).find(|other| tokens[*other].is(":"))?;
                let caught = source::normal(&tokens[except + 1..colon]);
                let broad = caught.is_empty()
                    || ["Exception", "BaseException", "AssertionError"].iter().any(|name| caught.contains(name));
                let handler = (colon + 1..body.end)
                    .take_while(|other| !(tokens[*other].first && tokens[*other].column <= column));
                let mut handler = handler.map(|other| &tokens[other]);
                let quiet = !handler
                    .any(|token| matches!(token.text, "raise" | "fail" | "assert") || token.text.starts_with("assert"));
                if broad && quiet {
                    return Some(tokens[at].line);
                }
            }
            // `with contextlib.suppress(AssertionError):`
            let suppressed = body.clone().find(|at| tokens[*at].is("suppress"))?;
            let broad = tokens[suppressed..]
                .iter()
                .take(8)
                .any(|token| matches!(token.text, "AssertionError" | "Exception" | "BaseException"));
            broad.then(|| tokens[suppressed].line)
        }
        Language::JavaScript | Language::Java | Language::CSharp | Language::Php => {
            // `await assert.rejects(…).catch(() => {})`.
            let caught = assertions.iter().find(|one| {
                let end = (one.range.end + 12).min(tokens.len());
                let rest = &tokens[one.range.start..end];
                let at = rest.windows(3).position(|three| three[0].is(".") && three[1].is("catch") && three[2].is("("));
                at.is_some_and(|at| {
                    let handler = &rest[at..];
                    !handler.iter().any(|token| matches!(token.text, "throw" | "fail" | "done" | "reject"))
                })
            });
            if let Some(caught) = caught.filter(|_| language == Language::JavaScript) {
                return Some(caught.line);
            }
            for at in body.clone().filter(|at| tokens[*at].is("try")) {
                let open = at + 1;
                if !tokens.get(open).is_some_and(|token| token.is("{")) {
                    continue;
                }
                let close = source::closing(tokens, open)?;
                let inside = assertions.iter().any(|one| one.range.start > at && one.range.end <= close);
                let finally = (close + 1..body.end).find(|other| tokens[*other].is("finally"));
                let returns = finally.and_then(|finally| Some((finally + 1, source::closing(tokens, finally + 1)?)));
                if inside && returns.is_some_and(|(open, end)| tokens[open..end].iter().any(|token| token.is("return")))
                {
                    return Some(tokens[at].line);
                }
                if !inside || !tokens.get(close + 1).is_some_and(|token| token.is("catch")) {
                    continue;
                }
                let handler = (close + 1..body.end).find(|other| tokens[*other].is("{"))?;
                let caught = source::normal(&tokens[close + 2..handler]);
                let broad = language == Language::JavaScript
                    || ["Throwable", "AssertionError", "Error", "Exception"]
                        .iter()
                        .any(|name| caught.split(' ').any(|word| word == *name));
                // An assertion failure is no Exception in Java.
                let broad = broad
                    && !(language == Language::Java && caught.contains("Exception") && !caught.contains("Throwable"));
                let end = source::closing(tokens, handler)?;
                let quiet = !tokens[handler..end].iter().any(|token| {
                    matches!(token.text, "throw" | "fail" | "expect" | "done")
                        || token.text.starts_with("assert")
                        || token.is("t")
                });
                if broad && quiet {
                    return Some(tokens[at].line);
                }
            }
            None
        }
        Language::Rust => {
            let at = body.clone().find(|at| tokens[*at].is("catch_unwind"))?;
            let ignored = tokens[body.start..at].iter().rev().take(8).any(|token| token.is("_"));
            let inside = assertions.iter().any(|one| one.range.start > at);
            (ignored && inside).then(|| tokens[at].line)
        }
        Language::Go => {
            // A deferred recover takes a failed assertion's panic, and `t.Fatal` inside a goroutine is lost.
            let at = body.clone().find(|at| tokens[*at].is("recover"))?;
            let quiet = !tokens[at..body.end]
                .iter()
                .take(20)
                .any(|token| matches!(token.text, "Error" | "Errorf" | "Fatal" | "Fatalf" | "panic"));
            let panics = assertions.iter().all(|one| !source::normal(&tokens[one.range.clone()]).contains("t ."));
            (quiet && panics).then(|| tokens[at].line)
        }
        _ => None,
    }
}

/// Finds a test that is run for each row of a table that has none, or that asserts for each part of nothing.
fn without_rows(language: Language, side: &Side<'_>, case: &Case) -> Option<u32> {
    let head = &side.tokens[case.test.head.clone()];
    let body = &side.tokens[case.test.body.clone()];
    let (heads, bodies): (&[&[&str]], &[&[&str]]) = match language {
        Language::JavaScript => (
            &[&["each", "(", "[", "]", ")"], &["for", "(", "[", "]", ")"]],
            &[&["[", "]", ".", "forEach"], &["[", "]", ".", "map"], &["[", "]", ".", "every"]],
        ),
        Language::Python => {
            (&[&["parametrize", "(", "_", ",", "[", "]"]], &[&["in", "[", "]", ")"], &["in", "(", ")", ")"]])
        }
        Language::Java => (
            &[],
            &[
                &["Stream", ".", "of", "(", ")"],
                &["List", ".", "of", "(", ")", "."],
                &["Stream", ".", "empty", "(", ")"],
                &["emptyList", "(", ")", "."],
            ],
        ),
        _ => return None,
    };
    let in_head = heads.iter().find_map(|words| has(head, words));
    // All assertions stand behind it.
    let first = case.assertions.first().map_or(0, |one| one.line);
    in_head.or_else(|| bodies.iter().find_map(|words| has(body, words)).filter(|line| *line <= first))
}

/// Finds assertions behind a condition that is never so: all of them, and not one of several.
pub(super) fn unreachable(language: Language, side: &Side<'_>, case: &Case) -> Option<u32> {
    let first = case.assertions.first()?;
    if let Some(line) = without_rows(language, side, case) {
        return Some(line);
    }
    let tokens = &side.tokens[case.test.body.start..first.range.start];
    let never = |at: usize| match language {
        Language::Python => {
            matches!(tokens[at].text, "if" | "while")
                && tokens.get(at + 2).is_some_and(|token| token.is(":"))
                && tokens.get(at + 1).is_some_and(|token| matches!(token.text, "False" | "0" | "None"))
                || tokens[at].is("for")
                    && tokens[at..]
                        .windows(4)
                        .take(6)
                        .any(|four| four[0].is("in") && four[1].is("[") && four[2].is("]") && four[3].is(":"))
        }
        _ => {
            let empty = |words: &[&str]| {
                tokens[at..]
                    .windows(words.len())
                    .take(10)
                    .any(|window| window.iter().zip(words).all(|(token, word)| *word == "_" || token.is(word)))
            };
            let empty_loop = tokens[at].is("for")
                && (empty(&["range", "[", "]", "_", "{", "}"])
                    || empty(&["of", "[", "]", ")"])
                    || empty(&["in", "[", "]", "{"]));
            empty_loop
                || matches!(tokens[at].text, "if" | "while")
                    && (tokens.get(at + 1).is_some_and(|token| token.is("false"))
                        || tokens.get(at + 1).is_some_and(|token| token.is("("))
                            && tokens.get(at + 2).is_some_and(|token| matches!(token.text, "false" | "0")))
        }
    };
    (0..tokens.len()).find(|at| never(*at)).map(|at| tokens[at].line)
}
