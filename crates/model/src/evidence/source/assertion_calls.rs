//! Assertions that are calls of a library: `self.assertEqual(x, y)`, `t.is(x, y)`, `expect(x).toBe(y)`.

use super::{
    assertions::{Assertion, Strength, arguments, condition},
    effort::spend,
    functions::closing,
    tokens::{Kind, Language, Token},
};

const EXACT: [&str; 24] = [
    "assertEqual",
    "assertEquals",
    "assert_eq",
    "assertSame",
    "assertIs",
    "toBe",
    "toEqual",
    "toStrictEqual",
    "equal",
    "strictEqual",
    "deepEqual",
    "deepStrictEqual",
    "Equal",
    "EqualValues",
    "assertListEqual",
    "assertDictEqual",
    "assertArrayEquals",
    "isEqualTo",
    "is",
    "same",
    "eq",
    "assert_equal",
    "AreEqual",
    "assertCountEqual",
];
const ERROR: [&str; 16] = [
    "raises",
    "assertRaises",
    "assertRaisesRegex",
    "toThrow",
    "toThrowError",
    "throws",
    "rejects",
    "assertThrows",
    "Error",
    "ErrorIs",
    "ErrorContains",
    "EqualError",
    "Panics",
    "assert_raises",
    "throwsAsync",
    "expectException",
];
const WEAK: [&str; 17] = [
    "assertTrue",
    "assertIsNotNone",
    "assertNotNull",
    "toBeDefined",
    "toBeTruthy",
    "ok",
    "NotNil",
    "assertIsInstance",
    "truthy",
    "assertNotNone",
    "IsTrue",
    "isNotNull",
    "assertFalse",
    "toBeFalsy",
    "True",
    "notThrows",
    "not_to",
];

/// A call by one of the names by which libraries assert: `self.assertEqual(x, y)`, `expect(x).toBe(y)`, `t.is(x, y)`.
pub(super) fn call(
    language: Language,
    all: &[Token<'_>],
    at: usize,
    body: &std::ops::Range<usize>,
) -> Option<Assertion> {
    let name = all.get(at).filter(|token| token.kind == Kind::Word)?;
    let before = at.checked_sub(1).and_then(|before| all.get(before));
    if name.is("expect") && !before.is_some_and(|before| before.is(".")) && language != Language::Rust {
        return expect(all, at, body);
    }
    let open = at + 1;
    if !all.get(open)?.is("(")
        || before.is_some_and(|before| matches!(before.text, "def" | "function" | "fn" | "func" | "new"))
    {
        return None;
    }
    spend(1 + name.text.len() / 16);
    let lower = name.text.to_ascii_lowercase();
    let library =
        lower.starts_with("assert") || matches!(name.text, "fail" | "verify" | "refute" | "verifyNoMoreInteractions");
    let receiver =
        before.filter(|before| before.is(".")).and_then(|_| all.get(at.checked_sub(2)?)).map(|token| token.text);
    // supertest's answers assert by a method of theirs: `request(app).get('/').expect(200)`.
    let of_answer =
        language == Language::JavaScript && name.is("expect") && before.is_some_and(|before| before.is("."));
    if of_answer {
        let end = closing(all, open)? + 1;
        return Some(Assertion {
            range: at..end,
            line: name.line,
            sides: Vec::new(),
            strength: Strength::Exact,
            negated: false,
        });
    }
    let by_receiver = match receiver {
        Some("assert" | "require" | "Assert" | "should" | "chai" | "Assertions" | "assertions") => true,
        // The object that ava, tape, node and Go hand to a test.
        Some("t" | "tt" | "test" | "tb" | "assert_" | "ctx" | "s" | "suite" | "is" | "a")
            if language == Language::JavaScript =>
        {
            EXACT.contains(&name.text)
                || ERROR.contains(&name.text)
                || WEAK.contains(&name.text)
                || matches!(
                    name.text,
                    "not"
                        | "true"
                        | "false"
                        | "pass"
                        | "like"
                        | "snapshot"
                        | "deepEquals"
                        | "notOk"
                        | "isNot"
                        | "regex"
                        | "match"
                        | "end"
                        | "plan"
                        | "equals"
                        | "notEqual"
                        | "notDeepEqual"
                ) && !matches!(name.text, "end" | "plan")
        }
        Some("t" | "tb" | "b" | "f") if language == Language::Go => {
            matches!(name.text, "Error" | "Errorf" | "Fatal" | "Fatalf" | "Fail" | "FailNow")
        }
        Some("pytest") => matches!(name.text, "raises" | "fail" | "warns"),
        Some(_) => matches!(name.text, "assertEqual" | "assert_called_once_with" | "should" | "Should"),
        None => false,
    };
    if !(library || by_receiver) || lower.starts_with("assertj") {
        return None;
    }
    let close = closing(all, open)?;
    let mut sides = arguments(all, open, close);
    let mut strength = if EXACT.contains(&name.text) || ERROR.contains(&name.text) {
        Strength::Exact
    } else if WEAK.contains(&name.text) {
        Strength::Weak
    } else {
        Strength::Partial
    };
    let mut end = close + 1;
    let mut negated = lower.contains("not") || lower.contains("false");
    // `assertThat(x).isEqualTo(y)`, `assert.that(x).equals(y)`.
    while all.get(end).is_some_and(|token| token.is(".")) && all.get(end + 2).is_some_and(|token| token.is("(")) {
        let Some(close) = closing(all, end + 2).filter(|close| *close < body.end) else { break };
        let matcher = all[end + 1].text;
        if EXACT.contains(&matcher) || matcher == "equals" {
            strength = Strength::Exact;
            sides.extend(arguments(all, end + 2, close).into_iter().take(1));
        }
        negated |= matcher.contains("Not");
        end = close + 1;
    }
    let condition_only = matches!(
        lower.as_str(),
        "asserttrue"
            | "assertfalse"
            | "assert"
            | "true"
            | "false"
            | "ok"
            | "istrue"
            | "isfalse"
            | "truthy"
            | "assertthat"
    ) && receiver != Some("verify");
    if condition_only && sides.len() <= 2 {
        // The second argument is what is said when it fails.
        if let Some(first) = sides.first().cloned() {
            let inside = condition(all, first);
            if sides.len() == 1 || lower != "assertthat" {
                strength = inside.strength;
                sides = inside.sides;
                negated |= inside.negated;
            }
        }
    }
    // Go's libraries take the test first.
    if language == Language::Go && sides.first().is_some_and(|side| side.len() == 1 && all[side.start].is("t")) {
        sides.remove(0);
    }
    let takes_two = strength == Strength::Exact && !ERROR.contains(&name.text);
    sides.truncate(if takes_two || strength == Strength::Partial { 2 } else { sides.len().min(2) });
    if ERROR.contains(&name.text) || language == Language::Go && receiver == Some("t") {
        sides.clear();
    }
    Some(Assertion { range: at..end, line: name.line, sides, strength, negated })
}

/// `expect(x).not.toBe(y)`, `expect(x).to.equal(y)`, `expect(x).to eq y`.
fn expect(all: &[Token<'_>], at: usize, body: &std::ops::Range<usize>) -> Option<Assertion> {
    let open = at + 1;
    if !all.get(open)?.is("(") {
        // `expect { … }.to raise_error`.
        return all.get(open).filter(|token| token.is("{")).and_then(|_| {
            let end = closing(all, open)?;
            Some(Assertion {
                range: at..end + 1,
                line: all[at].line,
                sides: Vec::new(),
                strength: Strength::Exact,
                negated: false,
            })
        });
    }
    let close = closing(all, open)?;
    let mut sides: Vec<_> = arguments(all, open, close).into_iter().take(1).collect();
    let (mut end, mut strength, mut negated, mut matched) = (close + 1, Strength::Partial, false, false);
    while end + 1 < body.end && all[end].is(".") {
        let matcher = all[end + 1].text;
        negated |= matches!(matcher, "not" | "not_to" | "to_not");
        strength = if EXACT.contains(&matcher) || ERROR.contains(&matcher) {
            Strength::Exact
        } else if WEAK.contains(&matcher) {
            Strength::Weak
        } else {
            strength
        };
        end += 2;
        if all.get(end).is_some_and(|token| token.is("(")) {
            let close = closing(all, end)?;
            matched = true;
            if !ERROR.contains(&matcher) && sides.len() < 2 {
                sides.extend(arguments(all, end, close).into_iter().take(1));
            }
            end = close + 1;
        } else if all
            .get(end)
            .is_some_and(|token| matches!(token.text, "eq" | "eql" | "be" | "match_array" | "contain_exactly"))
        {
            // RSpec: `expect(x).to eq 1`.
            let line = all[end].line;
            let stop = (end + 1..body.end).find(|at| all[*at].line > line).unwrap_or(body.end);
            strength = Strength::Exact;
            sides.push(end + 1..stop);
            matched = true;
            end = stop;
        }
    }
    // `expect(x).toEqual(expect.anything())` compares with nothing in particular.
    let anything = sides.get(1).is_some_and(|side| {
        let [expect, dot, any] = &all[side.start..side.end.min(side.start + 3)] else { return false };
        expect.is("expect") && dot.is(".") && any.text.starts_with("any")
    });
    if anything {
        strength = Strength::Weak;
    }
    // Chai's properties, such as `.to.be.true`, assert without a call; `expect(x)` alone and `expect(x).toBe` do not.
    let last = all.get(end - 1).map_or("", |token| token.text);
    let called = !(last.starts_with("to") && last.len() > 2);
    let asserted = matched || (end > close + 1 && called);
    asserted.then_some(Assertion { range: at..end, line: all[at].line, sides, strength, negated })
}
