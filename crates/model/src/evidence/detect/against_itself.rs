//! Assertions that compare a thing with itself, or that are always true.

use std::collections::{HashMap, HashSet};

use super::{
    super::source::{self, Assertion, Kind, Strength, Token},
    parsed::Side,
};

/// Says how an assertion compares a thing with itself, or why it is always true.
pub(super) fn against_itself(side: &Side<'_>, values: &Values<'_>, assertion: &Assertion) -> Option<&'static str> {
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
    let and_false = whole.windows(2).any(|pair| {
        let word = |at: usize, words: &[&str]| words.contains(&pair[at].text);
        word(0, &["false", "False"]) && word(1, &["&&", "and"])
            || word(0, &["&&", "and"]) && word(1, &["false", "False"])
    });
    if and_false && whole.first().is_some_and(|token| token.is("if")) {
        return Some("asserts something that can never fail");
    }
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
                let value = values.of_name(name);
                if value.is_some_and(|value| value == *other) {
                    return Some("computes what it expects by what it tests");
                }
            }
            // `got, want := f(), f()`.
            if values.are_alike(&a, &b) {
                return Some("compares a thing with itself");
            }
            // `expected = result`.
            for (name, other) in [(&a, &b), (&b, &a)] {
                if !name.contains(' ')
                    && !other.contains(' ')
                    && values.of_name(name).is_some_and(|value| value == *other)
                {
                    return Some("compares a thing with itself");
                }
            }
            // `expected = f(x); got = f(x)`, where one is called expected.
            let values = (values.of_name(&a), values.of_name(&b));
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

/// What the variables of a test are set to, found out once for all of its assertions.
pub(super) struct Values<'a> {
    body: &'a [Token<'a>],
    /// Where each name is set, behind the sign; nothing for one that is set more than once.
    places: HashMap<&'a str, Option<usize>>,
    /// Pairs of names that are set in one statement to the same call.
    alike: HashSet<(&'a str, &'a str)>,
}

impl<'a> Values<'a> {
    pub(super) fn new(body: &'a [Token<'a>]) -> Self {
        let (mut places, mut alike, mut seen) = (HashMap::new(), HashSet::new(), HashSet::new());
        source::spend(2 * body.len());
        let sets = |sign: &Token<'_>| sign.kind == Kind::Sign && matches!(sign.text, "=" | ":=");
        for (at, pair) in body.windows(2).enumerate() {
            if pair[0].kind != Kind::Text && sets(&pair[1]) {
                places.entry(pair[0].text).and_modify(|place| *place = None).or_insert(Some(at + 2));
            }
        }
        for (at, four) in body.windows(4).enumerate() {
            // The first statement that sets both counts.
            let names = (four[0].text, four[2].text);
            if four[1].is(",") && sets(&four[3]) && seen.insert(names) && is_set_alike(body, at + 4) {
                alike.insert(names);
            }
        }
        Self { body, places, alike }
    }

    /// Tells whether two names are set to the same call in one statement: `a, b := f(), f()`.
    fn are_alike(&self, one: &str, other: &str) -> bool {
        self.alike.contains(&(one, other)) || self.alike.contains(&(other, one))
    }

    /// Returns what a variable is set to, where it is set once.
    fn of_name(&self, name: &str) -> Option<String> {
        let begin = self.places.get(name).copied().flatten()?;
        let line = self.body.get(begin)?.line;
        let mut end = begin;
        while let Some(token) = self.body.get(end) {
            if token.is(";") || token.line > line || token.closes() {
                break;
            }
            end = source::behind(self.body, end);
        }
        Some(source::normal(&self.body[begin..end]))
    }
}

/// Tells whether a statement, from behind its sign, sets two names to the same call.
fn is_set_alike(body: &[Token<'_>], begin: usize) -> bool {
    let line = body.get(begin).map_or(0, |token| token.line);
    let ends = |token: &Token<'_>| token.is(";") || token.is("{") || token.line > line;
    let end = body[begin..].iter().position(ends).map_or(body.len(), |end| begin + end);
    let values = source::normal(&body[begin..end]);
    values.len() % 2 == 1 && {
        let half = values.len() / 2;
        // The comma with its blanks stands in the middle.
        let (left, right) = (values.get(..half.saturating_sub(1)), values.get(half + 2..));
        left.is_some() && left == right && values.get(half..=half) == Some(",") && values.contains('(')
    }
}
