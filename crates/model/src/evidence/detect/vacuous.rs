//! Tests that cannot fail.

use super::{
    super::source::{self, Assertion, Kind, Language, Strength, Token},
    Author, Sign, detached,
    parsed::{Case, Parsed, Side},
    unreached::{leaves_early, never_checked, swallowed, unreachable},
};
use crate::findings::{FindingCode, Weight};

pub(super) fn signs(author: Author, files: &[Parsed<'_>]) -> Vec<Sign> {
    let mut signs = Vec::new();
    for file in files {
        let (Some(language), Some(after)) = (file.language, &file.after) else { continue };
        let helpers = asserting_helpers(language, files);
        for (at, case) in after.cases.iter().enumerate() {
            let old = match &file.before {
                None => None,
                Some(before) => match counterpart(before, after, at, case) {
                    Counterpart::Same => continue,
                    Counterpart::Changed(old) => Some((before, old)),
                    Counterpart::New => None,
                },
            };
            // What the old test was already is not this patch's.
            let was = old.is_some_and(|(before, old)| why(language, before, old, &helpers).is_some());
            let Some((why, line)) = why(language, after, case, &helpers).filter(|_| !was) else { continue };
            let weight = if old.is_some() { author.weight() } else { Weight::Warning };
            let message = format!("`{}` {why}", case.test.name);
            signs.push(Sign::new(FindingCode::VacuousTest, weight, file.path, message).at(line));
        }
    }
    signs
}

/// What a test was before.
enum Counterpart<'c> {
    /// The same, word for word.
    Same,
    /// Another test of its name.
    Changed(&'c Case),
    /// Not there.
    New,
}

/// Finds what the test at `at` was before. Several tests may have one name, in classes of their own: each old one is the
/// counterpart of as many new ones as it is there, and no more.
fn counterpart<'c>(before: &'c Side<'_>, after: &Side<'_>, at: usize, case: &Case) -> Counterpart<'c> {
    let body = |side: &Side<'_>, case: &Case| source::normal(&side.tokens[case.test.body.clone()]);
    let named = |cases: &'c [Case]| cases.iter().filter(|old| old.test.name == case.test.name);
    let own = body(after, case);
    let is_own = |other: &&Case| other.test.name == case.test.name && body(after, other) == own;
    let earlier = after.cases[..at].iter().filter(is_own).count();
    if named(&before.cases).filter(|old| body(before, old) == own).count() > earlier {
        return Counterpart::Same;
    }
    let stays = |old: &Case| {
        let text = body(before, old);
        after.cases.iter().any(|new| new.test.name == case.test.name && body(after, new) == text)
    };
    let changed = named(&before.cases).find(|old| !stays(old)).or_else(|| named(&before.cases).next());
    changed.map_or(Counterpart::New, Counterpart::Changed)
}

/// Says why a test cannot fail, and on which line.
fn why(language: Language, side: &Side<'_>, case: &Case, helpers: &[String]) -> Option<(String, u32)> {
    let body = &side.tokens[case.test.body.clone()];
    if let Some(line) = leaves_early(language, side, case) {
        return Some(("returns before its assertions".to_owned(), line));
    }
    let asserts =
        !case.assertions.is_empty() || calls_helper(language, body, helpers) || fails_otherwise(language, side, case);
    if !asserts {
        return Some(("asserts nothing".to_owned(), case.test.line));
    }
    let held: Vec<_> =
        case.assertions.iter().filter(|assertion| against_itself(side, case, assertion).is_none()).collect();
    if held.is_empty()
        && let Some(first) = case.assertions.first()
    {
        let how = against_itself(side, case, first).unwrap_or("asserts nothing");
        return Some((how.to_owned(), first.line));
    }
    // One assertion against itself among others is worth a look as well.
    if let Some((assertion, how)) = case.assertions.iter().find_map(|one| Some((one, against_itself(side, case, one)?)))
    {
        return Some((how.to_owned(), assertion.line));
    }
    if let Some((how, line)) = never_checked(language, side, case) {
        return Some((how.to_owned(), line));
    }
    if let Some(line) = swallowed(language, side, case) {
        return Some(("catches the failure of its own assertions".to_owned(), line));
    }
    if let Some(line) = detached::all_assertions(language, side, case) {
        return Some(("has its assertions where nothing runs them".to_owned(), line));
    }
    unreachable(language, side, case).map(|line| ("has assertions that are never reached".to_owned(), line))
}

/// Returns the names of functions of the tests that assert themselves.
fn asserting_helpers(language: Language, files: &[Parsed<'_>]) -> Vec<String> {
    let mut names = Vec::new();
    for file in files.iter().filter(|file| file.language == Some(language)) {
        let Some(after) = &file.after else { continue };
        for function in source::functions(language, &after.tokens) {
            if !source::assertions(language, &after.tokens, function.body).is_empty() {
                names.push(function.name);
            }
        }
    }
    names
}

/// Tells whether a test calls something that may assert for it.
fn calls_helper(language: Language, body: &[Token<'_>], helpers: &[String]) -> bool {
    body.windows(2).any(|pair| {
        let (name, open) = (&pair[0], &pair[1]);
        if name.kind != Kind::Word || !(open.is("(") || open.is("!")) {
            return false;
        }
        let lower = name.text.to_ascii_lowercase();
        helpers.iter().any(|helper| helper == name.text)
            || ["assert", "check", "verify", "expect", "should", "must", "ensure", "require", "compare", "validate"]
                .iter()
                .any(|start| lower.starts_with(start) && lower != "expect")
            || (language == Language::Go
                && body.windows(3).any(|three| three[0].is(name.text) && three[1].is("(") && three[2].is("t")))
    })
}

/// Tells whether a test can fail without an assertion: an expected error, a result that is unwrapped, a done callback.
fn fails_otherwise(language: Language, side: &Side<'_>, case: &Case) -> bool {
    let body = &side.tokens[case.test.body.clone()];
    let head = &side.tokens[case.test.head.clone()];
    let word = |tokens: &[Token<'_>], names: &[&str]| tokens.iter().any(|token| names.contains(&token.text));
    match language {
        Language::Rust => {
            word(head, &["should_panic"]) || word(body, &["unwrap", "expect", "?", "unwrap_err", "proptest"])
        }
        Language::Java | Language::CSharp => word(head, &["expected", "ExpectedException"]),
        // An example's output is compared.
        Language::Go => case.test.name.starts_with("Example") || word(body, &["Run"]),
        Language::JavaScript => word(body, &["rejects", "throw", "done"]) || body.is_empty(),
        Language::Python => word(body, &["raise"]),
        _ => false,
    }
}

/// Says how an assertion holds a thing against itself.
fn against_itself(side: &Side<'_>, case: &Case, assertion: &Assertion) -> Option<&'static str> {
    let tokens = |range: &std::ops::Range<usize>| &side.tokens[range.clone()];
    let text = |range: &std::ops::Range<usize>| source::normal(tokens(range));
    let constant = |tokens: &[Token<'_>]| {
        !tokens.is_empty()
            && tokens.iter().all(|token| {
                matches!(token.kind, Kind::Number | Kind::Text)
                    || matches!(
                        token.text,
                        "True"
                            | "true"
                            | "False"
                            | "false"
                            | "None"
                            | "null"
                            | "nil"
                            | "["
                            | "]"
                            | "("
                            | ")"
                            | ","
                            | "-"
                            | "{"
                            | "}"
                            | ":"
                            | "=="
                            | "==="
                            | "+"
                            | "not"
                            | "!"
                    )
            })
    };
    let whole = tokens(&assertion.range);
    let or_true =
        whole.windows(2).any(|pair| (pair[0].is("or") || pair[0].is("||")) && matches!(pair[1].text, "True" | "true"));
    let both = |one: &str, other: &str| {
        let word = |name: &str| whole.iter().any(|token| token.is(name));
        word(one) && word(other) && whole.iter().any(|token| token.is("||") || token.is("or"))
    };
    let somewhere = |wanted: &[&str]| {
        whole.windows(wanted.len()).any(|window| window.iter().zip(wanted).all(|(token, word)| token.is(word)))
    };
    let none_or_some = somewhere(&["or"]) && somewhere(&["is", "not", "None"]) && somewhere(&["is", "None"]);
    let matches_all = somewhere(&["matches", "!", "("]) && somewhere(&[",", "_", ")"]);
    let always = or_true || both("is_ok", "is_err") || both("is_some", "is_none") || none_or_some || matches_all;
    if always {
        return Some("asserts something that is always so");
    }
    // `assert (x == 1, "why")` is a pair, and a pair is true.
    let pair = whole.first().is_some_and(|token| token.is("assert"))
        && whole.get(1).is_some_and(|token| token.is("("))
        && is_pair(&whole[1..]);
    if pair {
        return Some("asserts a pair, which is always true");
    }
    match assertion.sides.as_slice() {
        [one] if assertion.strength == Strength::Weak => {
            let tokens = tokens(one);
            let negated_false = tokens.len() == 1 && matches!(tokens[0].text, "False" | "false") && assertion.negated;
            let constant = tokens.len() == 1
                && (matches!(tokens[0].text, "True" | "true") || matches!(tokens[0].kind, Kind::Text | Kind::Number));
            if constant || negated_false {
                return Some("asserts a constant");
            }
            if tokens.len() > 2 && !assertion.negated && is_literal_list(tokens) {
                return Some("asserts a list or an object, which is always true");
            }
            None
        }
        [one, other] => {
            let (left, right) = (tokens(one), tokens(other));
            if left.is_empty() || right.is_empty() {
                return None;
            }
            if constant(left) && constant(right) {
                return Some("compares constants with each other");
            }
            let (a, b) = (text(one), text(other));
            let matcher =
                whole.iter().any(|token| matches!(token.text, "assertRegex" | "toMatch" | "match" | "assertMatches"));
            let anything = matches!(right.first().map(Token::inner), Some(".*" | "/.*/" | ""));
            if matcher && right.len() == 1 && anything {
                return Some("matches anything");
            }
            // `assert "" in text`.
            let part_of = side.tokens.get(one.end).is_some_and(|token| token.is("in"));
            if part_of && left.len() == 1 && left[0].kind == Kind::Text && left[0].inner().is_empty() {
                return Some("asserts something that is always so");
            }
            let at_least =
                whole.iter().any(|token| matches!(token.text, "toBeGreaterThanOrEqual" | "assertGreaterEqual"));
            if at_least && b == "0" && (a.contains(". length") || a.starts_with("len (")) {
                return Some("asserts something that is always so");
            }
            if a == b && !assertion.negated {
                return Some("compares a thing with itself");
            }
            // `assert len(x) >= 0`.
            let operator = side.tokens.get(one.end).map_or("", |token| token.text);
            let length =
                a.starts_with("len (") || a.contains(". length") || a.contains(". len (") || a.contains(". size (");
            if operator == ">=" && b == "0" && length {
                return Some("asserts something that is always so");
            }
            let expected = |name: &str| {
                let lower = name.to_ascii_lowercase();
                ["expected", "want", "expect", "wanted", "exp", "result", "actual"]
                    .iter()
                    .any(|word| lower.starts_with(word))
            };
            // `expected = f(x); assert f(x) == expected`.
            for (name, other) in [(&a, &b), (&b, &a)] {
                if !expected(name) || name.contains(' ') || !other.contains('(') {
                    continue;
                }
                let value = initializer(side, case, name);
                if value.is_some_and(|value| value == *other) {
                    return Some("computes what it expects by what it tests");
                }
            }
            // `expected = result`.
            for (name, other) in [(&a, &b), (&b, &a)] {
                if !name.contains(' ')
                    && !other.contains(' ')
                    && initializer(side, case, name).is_some_and(|value| value == *other)
                {
                    return Some("compares a thing with itself");
                }
            }
            // `expected = f(x); got = f(x)`, where one is called expected.
            let values = (initializer(side, case, &a), initializer(side, case, &b));
            let named = ["expected", "want"]
                .iter()
                .any(|word| a.to_ascii_lowercase().starts_with(word) || b.to_ascii_lowercase().starts_with(word));
            match values {
                (Some(one), Some(other)) if one == other && one.contains('(') && named => {
                    Some("computes what it expects by what it tests")
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// Tells whether tokens are one list or object that has something in it.
fn is_literal_list(tokens: &[Token<'_>]) -> bool {
    if !matches!(tokens[0].text, "[" | "{") || tokens[0].kind != Kind::Sign {
        return false;
    }
    let mut depth = 0_i32;
    let end = tokens.iter().position(|token| {
        if token.kind == Kind::Sign {
            match token.text {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                _ => {}
            }
        }
        depth == 0
    });
    // A comprehension may be empty.
    end == Some(tokens.len() - 1) && !tokens.iter().any(|token| token.is("for"))
}

/// Tells whether tokens are one pair of parentheses with a comma directly inside.
fn is_pair(tokens: &[Token<'_>]) -> bool {
    let mut depth = 0_i32;
    let mut comma = false;
    for (at, token) in tokens.iter().enumerate() {
        match token.text {
            "(" | "[" | "{" if token.kind == Kind::Sign => depth += 1,
            ")" | "]" | "}" if token.kind == Kind::Sign => depth -= 1,
            "," if depth == 1 && at + 2 < tokens.len() => comma = true,
            _ => {}
        }
        if depth == 0 {
            return comma && at + 1 == tokens.len();
        }
    }
    false
}

/// Returns what a variable of a test was set to, where it is set once.
fn initializer(side: &Side<'_>, case: &Case, name: &str) -> Option<String> {
    let body = &side.tokens[case.test.body.clone()];
    let mut places =
        body.windows(2).enumerate().filter(|(_, pair)| pair[0].is(name) && (pair[1].is("=") || pair[1].is(":=")));
    let (at, _) = places.next()?;
    if places.next().is_some() {
        return None;
    }
    let begin = at + 2;
    let line = body.get(begin)?.line;
    let mut depth = 0_i32;
    let mut end = begin;
    while let Some(token) = body.get(end) {
        if depth == 0 && (token.is(";") || token.line > line) {
            break;
        }
        match token.text {
            "(" | "[" | "{" if token.kind == Kind::Sign => depth += 1,
            ")" | "]" | "}" if token.kind == Kind::Sign => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            break;
        }
        end += 1;
    }
    Some(source::normal(&body[begin..end]))
}
