//! Small changes to lines that patches added, to see whether a test notices: operators, constants, results, calls, and
//! whole functions that are emptied. Plain tokens, so that a mutant may not compile; then it says nothing.

mod bodies;

use std::collections::HashMap;

use super::source::{self, Kind, Language, Token};

/// A file as a mutant has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    /// The file.
    pub path: String,
    /// The line that was changed, from 1.
    pub line: u32,
    /// What was changed, for people.
    pub what: String,
    /// The whole new text.
    pub text: String,
}

/// The most steps that one file may take: what takes more is left as it is.
const STEPS_MAX: u64 = 500_000_000;

/// Makes mutants of lines that are new, at most `max`, spread over the lines.
#[must_use]
pub fn of_lines(path: &str, before: Option<&str>, after: &str, max: usize) -> Vec<Mutant> {
    source::within(STEPS_MAX, || lines_changed(path, before, after, max)).0.unwrap_or_default()
}

fn lines_changed(path: &str, before: Option<&str>, after: &str, max: usize) -> Vec<Mutant> {
    let Some(language) = Language::of_path(path).filter(|_| !source::is_test_path(path)) else { return Vec::new() };
    let tokens = source::tokens(language, after);
    let old: std::collections::BTreeSet<&str> = before.into_iter().flat_map(str::lines).map(str::trim).collect();
    let is_new: Vec<bool> = after.lines().map(|line| !old.contains(line.trim())).collect();
    let cases = source::test_cases(language, path, &tokens);
    let mut places: Vec<(u32, usize, usize, String)> = Vec::new();
    let in_tests = in_tests(&tokens, &cases);
    for (at, token) in tokens.iter().enumerate() {
        source::spend(1);
        let is_new = is_new.get(token.line.saturating_sub(1) as usize).copied().unwrap_or(false);
        if !is_new || in_tests[at] || places.last().is_some_and(|(line, ..)| *line == token.line) {
            continue;
        }
        if let Some((from, to, new)) = change(language, &tokens, at) {
            places.push((token.line, from, to, new));
        }
    }
    let mutant = |(line, from, to, new): (u32, usize, usize, String)| {
        let text = format!("{}{new}{}", &after[..from], &after[to..]);
        let what = format!("`{}` became `{new}`", after[from..to].trim());
        Mutant { path: path.to_owned(), line, what, text }
    };
    spread(places, max).into_iter().map(mutant).collect()
}

/// Returns for each token whether it stands in a test.
fn in_tests(tokens: &[Token<'_>], cases: &[source::TestCase]) -> Vec<bool> {
    let mut inside = vec![false; tokens.len()];
    for case in cases {
        source::spend(case.test_range().len());
        inside[case.test_range()].fill(true);
    }
    inside
}

/// Undoes what a patch did to the functions of a file of the product, so that everything can still be loaded: new ones are
/// emptied and keep their names, changed ones get their old bodies. `None` when there is no such function.
#[must_use]
pub fn undone(path: &str, before: Option<&str>, after: &str) -> Option<String> {
    source::within(STEPS_MAX, || functions_undone(path, before, after)).0.flatten()
}

fn functions_undone(path: &str, before: Option<&str>, after: &str) -> Option<String> {
    let language = Language::of_path(path).filter(|_| !source::is_test_path(path))?;
    let tokens = source::tokens(language, after);
    let place = |tokens: &[Token<'_>], body: &std::ops::Range<usize>| {
        let last = &tokens[body.end - 1];
        (tokens[body.start].at, last.at + last.text.len())
    };
    let old_text = before.unwrap_or_default();
    let old_tokens = source::tokens(language, old_text);
    let old = source::functions(language, &old_tokens);
    let cases = source::test_cases(language, path, &tokens);
    let mut places: Vec<(usize, usize, String)> = Vec::new();
    let now = source::functions(language, &tokens);
    let mut of_old: HashMap<&str, Vec<&source::Function>> = HashMap::new();
    for function in old.iter().filter(|old| !old.body.is_empty()) {
        of_old.entry(&function.name).or_default().push(function);
    }
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    for function in &now {
        *numbers.entry(&function.name).or_default() += 1;
    }
    let in_tests = in_tests(&tokens, &cases);
    let mut end = 0;
    for function in &now {
        source::spend(1);
        if function.body.is_empty() || in_tests[function.body.start] {
            continue;
        }
        let mut of_name = of_old.get(function.name.as_str()).into_iter().flatten();
        let is_alone = numbers.get(function.name.as_str()) == Some(&1);
        let instead = match (of_name.next(), of_name.next()) {
            (None, _) => bodies::instead(language, &tokens, after, function),
            (Some(old), None)
                if is_alone
                    && source::normal(&old_tokens[old.body.clone()])
                        != source::normal(&tokens[function.body.clone()]) =>
            {
                let (from, to) = place(&old_tokens, &old.body);
                Some(old_text[from..to].to_owned())
            }
            // Which of several of one name it was nobody can tell.
            _ => None,
        };
        let Some(empty) = instead else { continue };
        let (from, to) = place(&tokens, &function.body);
        // A function inside of one that is emptied goes with it: outer ones come before.
        if from >= end {
            end = to;
            places.push((from, to, empty));
        }
    }
    if places.is_empty() {
        return None;
    }
    places.sort_unstable_by_key(|(from, ..)| std::cmp::Reverse(*from));
    let mut text = after.to_owned();
    for (from, to, empty) in places {
        text.replace_range(from..to, &empty);
    }
    Some(text)
}

/// Finds a change of the token at a place: where it begins and ends, and what stands there then.
fn change(language: Language, tokens: &[Token<'_>], at: usize) -> Option<(usize, usize, String)> {
    let token = &tokens[at];
    let whole = |new: &str| Some((token.at, token.at + token.text.len(), new.to_owned()));
    let before = at.checked_sub(1).map(|before| &tokens[before]);
    let value_before = before.is_some_and(|before| {
        matches!(before.kind, Kind::Number | Kind::Text)
            || (before.kind == Kind::Word && before.text != "return")
            || matches!(before.text, ")" | "]")
    });
    match (token.kind, token.text) {
        (Kind::Sign, "==") => whole("!="),
        (Kind::Sign, "!=") => whole("=="),
        (Kind::Sign, "===") => whole("!=="),
        (Kind::Sign, "!==") => whole("==="),
        (Kind::Sign, "<=") => whole(">"),
        (Kind::Sign, ">=") => whole("<"),
        (Kind::Sign, "&&") => whole("||"),
        (Kind::Sign, "||") => whole("&&"),
        (Kind::Sign, "+=") => whole("-="),
        (Kind::Sign, "-=") => whole("+="),
        (Kind::Sign, "<" | ">") if spaced(tokens, at) && value_before => {
            whole(if token.text == "<" { ">=" } else { "<=" })
        }
        (Kind::Sign, "+") if spaced(tokens, at) && value_before => whole("-"),
        (Kind::Sign, "-") if spaced(tokens, at) && value_before => whole("+"),
        (Kind::Sign, "*") if spaced(tokens, at) && value_before => whole("+"),
        (Kind::Word, "and") if language == Language::Python => whole("or"),
        (Kind::Word, "or") if language == Language::Python => whole("and"),
        (Kind::Word, "True") => whole("False"),
        (Kind::Word, "False") => whole("True"),
        (Kind::Word, "true") => whole("false"),
        (Kind::Word, "false") => whole("true"),
        (Kind::Number, number)
            if !number.contains(['x', '.', '_'])
                && number.bytes().all(|byte| byte.is_ascii_digit())
                && number.len() < 9 =>
        {
            // A version or an index of a type is no value.
            let value: u64 = number.parse().ok()?;
            whole(&(value + 1).to_string())
        }
        (Kind::Word, "raise") if language == Language::Python && token.first => {
            let end =
                tokens[at..].iter().position(|other| other.line > token.line).map_or(tokens.len(), |end| at + end);
            let last = &tokens[end - 1];
            Some((token.at, last.at + last.text.len(), "pass".to_owned()))
        }
        (Kind::Word, "return") if matches!(language, Language::Python | Language::JavaScript) => {
            let next = tokens.get(at + 1).filter(|next| next.line == token.line && !next.is(";"))?;
            let end = tokens[at + 1..]
                .iter()
                .position(|other| other.line > token.line || other.is(";") || other.is("}"))
                .map_or(tokens.len(), |end| at + 1 + end);
            let inside = &tokens[at + 1..end];
            let whole_line = inside.iter().filter(|token| matches!(token.text, "(" | "[" | "{")).count()
                == inside.iter().filter(|token| matches!(token.text, ")" | "]" | "}")).count();
            let already = matches!(next.text, "None" | "undefined" | "null");
            if !whole_line
                || already
                || inside.iter().any(|token| {
                    matches!(token.kind, Kind::Number)
                        || matches!(
                            token.text,
                            "==" | "+"
                                | "-"
                                | "True"
                                | "False"
                                | "true"
                                | "false"
                                | "and"
                                | "or"
                                | "&&"
                                | "||"
                                | "<"
                                | ">"
                                | "<="
                                | ">="
                        )
                })
            {
                return None;
            }
            let last = inside.last()?;
            Some((
                next.at,
                last.at + last.text.len(),
                if language == Language::Python { "None" } else { "undefined" }.to_owned(),
            ))
        }
        _ => None,
    }
}

fn spaced(tokens: &[Token<'_>], at: usize) -> bool {
    let gap = |left: usize, right: usize| {
        tokens.get(right).zip(tokens.get(left)).is_some_and(|(right, left)| right.at > left.at + left.text.len())
    };
    at > 0 && gap(at - 1, at) && gap(at, at + 1)
}

/// Keeps at most `max`, from all over the file.
fn spread<T: Clone>(mutants: Vec<T>, max: usize) -> Vec<T> {
    let number = mutants.len();
    if number <= max || max == 0 {
        return if max == 0 { Vec::new() } else { mutants };
    }
    (0..max).map(|at| mutants[at * number / max].clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_every_language_are_changed_one_at_a_time() {
        for (path, after, expected) in [
            (
                "a.py",
                "def f(x):\n    if x == 1:\n        return x + 2\n    return name\n",
                vec!["`==` became `!=`", "`+` became `-`", "`name` became `None`"],
            ),
            ("a.js", "function f(x) {\n  return x >= 1 && y;\n}\n", vec!["`>=` became `<`"]),
            ("a.go", "func F(x int) int {\n\treturn x * 2\n}\n", vec!["`*` became `+`"]),
            ("a.rs", "fn f(x: Vec<u8>) -> bool {\n    x.len() < 3\n}\n", vec!["`<` became `>=`"]),
            ("A.java", "class A { int f(int x) {\n  return x - 1;\n} }\n", vec!["`-` became `+`"]),
        ] {
            let mutants = of_lines(path, None, after, 10);
            assert_eq!(mutants.iter().map(|mutant| mutant.what.as_str()).collect::<Vec<_>>(), expected, "{path}");
            assert!(mutants.iter().all(|mutant| mutant.text != after));
        }
        assert_eq!(of_lines("a.py", Some("x = a == b\n"), "x = a == b\ny = 1\n", 10).len(), 1, "only new lines");
        assert_eq!(of_lines("tests/test_a.py", None, "x = a == b\n", 10), [], "no tests");
        assert_eq!(of_lines("a.py", None, &"x = a == b\n".repeat(50), 5).len(), 5);
    }

    #[test]
    fn a_new_function_is_emptied_and_a_changed_one_is_as_it_was() {
        for (path, after, expected) in [
            ("a.py", "def f(x):\n    y = x\n    return y\n", "def f(x):\n    return None\n"),
            ("a.js", "const f = (x) => x + 1;\n", "const f = (x) => undefined;\n"),
            ("a.js", "function f(x) { return x + 1; }\n", "function f(x) { return undefined; }\n"),
            (
                "a.go",
                "func F(x int) (n int, err error) { return x, nil }\n",
                "func F(x int) (n int, err error) { return *new(int), *new(error) }\n",
            ),
            (
                "a.go",
                "func F(x int) map[string]int { return m(x) }\n",
                "func F(x int) map[string]int { return *new(map[string]int) }\n",
            ),
            ("a.rs", "fn f(x: u8) -> u8 { x + 1 }\n", "fn f(x: u8) -> u8 { Default::default() }\n"),
            (
                "A.java",
                "class A { public int f(int x) { return x + 1; } }\n",
                "class A { public int f(int x) { return 0; } }\n",
            ),
        ] {
            assert_eq!(undone(path, None, after).as_deref(), Some(expected), "{path}");
        }
        // A constant is another one, since nothing may be what it is already.
        for (path, after, expected) in [
            ("a.rs", "pub fn add(a: i64) -> i64 {\n    0\n}\n", "pub fn add(a: i64) -> i64 {\n    1\n}\n"),
            ("a.rs", "fn is(a: i64) -> bool { true }\n", "fn is(a: i64) -> bool { false }\n"),
            ("a.rs", "fn f(a: i64) -> i64 { a }\n", "fn f(a: i64) -> i64 { Default::default() }\n"),
            ("a.go", "func F() bool { return false }\n", "func F() bool { return true }\n"),
            ("a.js", "const f = () => 0;\n", "const f = () => 1;\n"),
            ("a.py", "def f():\n    return 'x'\n", "def f():\n    return ''\n"),
            ("A.java", "class A { int f() { return 0; } }\n", "class A { int f() { return 1; } }\n"),
        ] {
            assert_eq!(undone(path, None, after).as_deref(), Some(expected), "{path}");
        }
        for (path, after) in [
            ("a.rs", "fn f() -> Option<u8> { None }\n"),
            ("a.rs", "fn f(t: Token) -> Token { t }\n"),
            ("a.py", "def f():\n    pass\n"),
            ("a.py", "def f():\n    return None\n"),
            ("a.py", "def f(): ...\n"),
            ("a.js", "const f = () => undefined;\n"),
        ] {
            assert_eq!(undone(path, None, after), None, "it does nothing already: {after}");
        }
        let before = "def f(x):\n    return x\n";
        assert_eq!(undone("a.py", Some(before), before), None);
        // What was there before stays, whatever types stand before it; of two of one name nobody knows which was there.
        let before = "type M struct{}\n\nfunc NewM() *M { return &M{} }\n";
        let after = "type M struct {\n\tNow func() time.Time\n}\n\nfunc NewM() *M { return &M{Now: time.Now} }\n\nfunc (m *M) Sweep() int { return 1 }\n";
        let expected = "type M struct {\n\tNow func() time.Time\n}\n\nfunc NewM() *M { return &M{} }\n\nfunc (m *M) Sweep() int { return 0 }\n";
        assert_eq!(undone("a.go", Some(before), after).as_deref(), Some(expected));
        let before = "func (a *A) Close() { a.x() }\n";
        assert_eq!(undone("a.go", Some(before), &format!("{before}func (b *B) Close() {{ b.y() }}\n")), None);
        let before = "def f(x):\n    return x\n";
        let both = "def f(x):\n    return x\ndef g(x):\n    return None\n";
        let added = undone("a.py", Some(before), &format!("{before}def g(x):\n    return x + 1\n")).unwrap();
        assert_eq!(added, both);
        let changed = undone("a.py", Some(before), "def f(x):\n    return 2\ndef g(x):\n    return x + 1\n").unwrap();
        assert_eq!(changed, both);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_changed_without_a_panic(text in "(def f\\(x\\):|return |x|[=<>+*-]{1,2}| |\n|[0-9]|\\{|\\}|\\(|\\)|fn |func |é|\"){0,30}") {
            for path in ["a.py", "a.js", "a.go", "a.rs", "A.java", "a.rb", "a.php"] {
                let _ = of_lines(path, None, &text, 10);
                let _ = undone(path, Some("def f(x):\n    return é\n"), &text);
            }
        }
    }
}
