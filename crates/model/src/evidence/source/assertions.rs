//! Assertions in the body of a test: what they compare, and how strictly.

use super::{
    assertion_calls::call,
    effort::spend,
    functions::{behind, closing},
    normal,
    tokens::{Kind, Language, Token},
};

/// How much an assertion holds its value to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// That there is one, or that it is of a kind.
    Weak,
    /// A relation, a part, a pattern.
    Partial,
    /// One value and no other, or one error.
    Exact,
}

/// An assertion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// Its tokens.
    pub range: std::ops::Range<usize>,
    /// Its line.
    pub line: u32,
    /// What it compares, each as a range of tokens: one for a condition, two for an equation.
    pub sides: Vec<std::ops::Range<usize>>,
    /// How strict it is.
    pub strength: Strength,
    /// Whether it says that something is not so.
    pub negated: bool,
}

/// What an assertion takes of the work that may be done: it stays in memory.
const ASSERTION_STEPS: usize = 200;

/// Finds the assertions in a range of tokens.
#[must_use]
pub fn assertions(language: Language, all: &[Token<'_>], body: std::ops::Range<usize>) -> Vec<Assertion> {
    let mut found: Vec<Assertion> = Vec::new();
    for at in body.clone() {
        spend(1);
        if all[at].kind != Kind::Word || found.last().is_some_and(|last| at < last.range.end) {
            continue;
        }
        let assertion = match language {
            Language::Python if all[at].is("assert") => Some(statement(all, at, body.end)),
            Language::Java | Language::C | Language::Php
                if all[at].is("assert") && !all.get(at + 1).is_some_and(|next| next.is("(")) =>
            {
                Some(statement(all, at, body.end))
            }
            Language::Rust => macro_call(all, at),
            Language::Go => go_check(all, at, &body),
            _ => None,
        };
        let assertion = assertion.or_else(|| call(language, all, at, &body));
        let mut assertion = assertion.filter(|assertion| assertion.range.end <= body.end);
        if let Some(assertion) = &mut assertion
            && assertion.strength == Strength::Exact
            && assertion.sides.iter().any(|side| is_of_a_kind(&all[side.clone()]))
        {
            assertion.strength = Strength::Partial;
        }
        if assertion.is_some() {
            // Tests within tests would be kept as often as they are nested.
            spend(ASSERTION_STEPS);
        }
        found.extend(assertion);
    }
    found
}

/// Tells whether a side of an equation is the kind of a value, or something that is equal to every value.
fn is_of_a_kind(side: &[Token<'_>]) -> bool {
    let text = |at: usize| side.get(at).map_or("", |token| token.text);
    text(0) == "typeof"
        || text(0) == "type" && text(1) == "("
        || matches!(side.last().map(|token| token.text), Some("ANY" | "__class__"))
        || side.windows(3).any(|three| three[0].is("getClass") && three[1].is("(") && three[2].is(")"))
}

/// `assert x == y, "why"`.
fn statement(all: &[Token<'_>], at: usize, limit: usize) -> Assertion {
    let mut end = at + 1;
    while end < limit {
        spend(1);
        let token = &all[end];
        let begins = end > at + 1 && token.first && !matches!(token.text, "and" | "or" | "." | "+");
        if begins || token.text == ";" || token.closes() {
            break;
        }
        end = behind(all, end).min(limit);
    }
    let condition_end = top_level(all, at + 1..end, &[",", ":"]).first().copied().unwrap_or(end);
    let mut assertion = condition(all, at + 1..condition_end);
    assertion.range = at..end;
    assertion.line = all[at].line;
    assertion
}

/// Reads a condition: `x == y`, `x in y`, `x`.
pub(super) fn condition(all: &[Token<'_>], range: std::ops::Range<usize>) -> Assertion {
    let line = all.get(range.start).map_or(0, |token| token.line);
    let equal = top_level(all, range.clone(), &["==", "===", "is"]);
    let related = top_level(all, range.clone(), &["!=", "!==", "<", ">", "<=", ">=", "in", "not"]);
    let (strength, split) = match (equal.first(), related.first()) {
        (Some(at), _) => (Strength::Exact, Some(*at)),
        (None, Some(at)) => (Strength::Partial, Some(*at)),
        (None, None) => (Strength::Weak, None),
    };
    let negated = equal.is_empty() && related.iter().any(|at| matches!(all[*at].text, "!=" | "!==" | "not"));
    let sides = match split {
        // `x is not None` is weak.
        Some(at) => vec![range.start..at, at + 1..range.end],
        None => vec![range.clone()],
    };
    let none = sides.get(1).and_then(|side| all[side.clone()].last()).is_some_and(|last| last.text.ends_with("None"));
    Assertion { range, line, sides, strength: if none { Strength::Weak } else { strength }, negated }
}

/// `assert_eq!(x, y, "why")`, `assert!(x == y)`, `assert!(matches!(…))`.
fn macro_call(all: &[Token<'_>], at: usize) -> Option<Assertion> {
    let name = all.get(at).filter(|token| token.kind == Kind::Word)?;
    all.get(at + 1).filter(|token| token.is("!"))?;
    let asserts = name.text.contains("assert") || matches!(name.text, "panic" | "unreachable" | "todo");
    let open = at + 2;
    if !asserts || !all.get(open)?.text.starts_with(['(', '[', '{']) {
        return None;
    }
    let close = closing(all, open)?;
    let mut assertion = if name.text.ends_with("_eq") || name.text.ends_with("_ne") {
        let sides = arguments(all, open, close);
        Assertion {
            range: at..close + 1,
            line: name.line,
            sides: sides.into_iter().take(2).collect(),
            strength: if name.text.ends_with("_eq") { Strength::Exact } else { Strength::Partial },
            negated: name.text.ends_with("_ne"),
        }
    } else {
        let end = top_level(all, open + 1..close, &[","]).first().copied().unwrap_or(close);
        condition(all, open + 1..end)
    };
    if name.text.contains("snapshot") || matches!(name.text, "panic" | "unreachable" | "todo") {
        assertion.sides.clear();
        assertion.strength = Strength::Exact;
    }
    assertion.range = at..close + 1;
    assertion.line = name.line;
    Some(assertion)
}

/// `if got != want { t.Errorf(…) }`: the condition is what is asserted.
fn go_check(all: &[Token<'_>], at: usize, body: &std::ops::Range<usize>) -> Option<Assertion> {
    all.get(at).filter(|token| token.is("if"))?;
    let open = (at..body.end).find(|at| all[*at].is("{"))?;
    let close = closing(all, open)?;
    let fails = all[open..close].windows(3).any(|tokens| {
        tokens[1].is(".") && matches!(tokens[2].text, "Error" | "Errorf" | "Fatal" | "Fatalf" | "Fail" | "FailNow")
    });
    if !fails {
        return None;
    }
    // `if err := f(); err != nil`.
    let begin = top_level(all, at + 1..open, &[";"]).first().map_or(at + 1, |at| at + 1);
    let mut assertion = condition(all, begin..open);
    let different = top_level(all, begin..open, &["!="]);
    if let [split] = different.as_slice() {
        assertion.sides = vec![begin..*split, *split + 1..open];
        assertion.strength = if normal(&all[*split + 1..open]) == "nil" { Strength::Weak } else { Strength::Exact };
        assertion.negated = false;
    }
    assertion.range = at..close + 1;
    assertion.line = all[at].line;
    Some(assertion)
}

/// Returns the arguments of a call, each as a range.
pub(super) fn arguments(all: &[Token<'_>], open: usize, close: usize) -> Vec<std::ops::Range<usize>> {
    let mut ranges = Vec::new();
    let mut begin = open + 1;
    for comma in top_level(all, open + 1..close, &[","]) {
        ranges.push(begin..comma);
        begin = comma + 1;
    }
    if begin < close {
        ranges.push(begin..close);
    }
    ranges
}

/// Finds words and signs outside of all brackets of a range.
fn top_level(all: &[Token<'_>], range: std::ops::Range<usize>, wanted: &[&str]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut at = range.start;
    while at < range.end {
        spend(1);
        let token = &all[at];
        if token.closes() {
            break;
        }
        if token.kind != Kind::Text && !token.opens() && wanted.contains(&token.text) {
            found.push(at);
        }
        at = behind(all, at);
    }
    found
}

#[cfg(test)]
mod unit {
    use super::{super::tokens, *};

    fn sides(language: Language, source: &str) -> Vec<(Vec<String>, Strength)> {
        let all = tokens(language, source);
        assertions(language, &all, 0..all.len())
            .into_iter()
            .map(|one| (one.sides.into_iter().map(|side| normal(&all[side])).collect(), one.strength))
            .collect()
    }

    #[test]
    fn what_is_compared_is_found_in_every_language() {
        for (language, source, expected) in [
            (Language::Python, "assert f(1) == [2, 3], 'no'\nx = 1", vec!["f ( 1 )", "[ 2 , 3 ]"]),
            (Language::Python, "self.assertEqual(a.b, 2)", vec!["a . b", "2"]),
            (Language::JavaScript, "expect(f(1)).toBe(2);", vec!["f ( 1 )", "2"]),
            (Language::JavaScript, "assert.strictEqual(f(1), 2, 'm');", vec!["f ( 1 )", "2"]),
            (Language::JavaScript, "t.is(f(1), 2);", vec!["f ( 1 )", "2"]),
            (Language::JavaScript, "expect(f(1)).to.equal(2)", vec!["f ( 1 )", "2"]),
            (Language::Go, "if got := F(1); got != 2 { t.Errorf(\"no\") }", vec!["got", "2"]),
            (Language::Go, "assert.Equal(t, 2, F(1))", vec!["2", "F ( 1 )"]),
            (Language::Rust, "assert_eq!(f(1), 2, \"m {}\", 1);", vec!["f ( 1 )", "2"]),
            (Language::Rust, "assert!(f(1) == 2);", vec!["f ( 1 )", "2"]),
            (Language::Java, "assertEquals(2, f(1));", vec!["2", "f ( 1 )"]),
            (Language::Java, "assertThat(f(1)).isEqualTo(2);", vec!["f ( 1 )", "2"]),
            (Language::Ruby, "expect(f(1)).to eq 2\n", vec!["f ( 1 )", "2"]),
        ] {
            assert_eq!(
                sides(language, source),
                [(expected.into_iter().map(str::to_owned).collect(), Strength::Exact)],
                "{source}"
            );
        }
        assert_eq!(sides(Language::Python, "self.assertTrue(x)")[0].1, Strength::Weak);
        assert_eq!(sides(Language::Python, "assert x > 1")[0].1, Strength::Partial);
        assert_eq!(sides(Language::JavaScript, "expect(x); foo(1)"), []);
    }
}
