//! What may be meant well in a test and mostly is not, so that somebody should look: always a warning.

use std::collections::HashSet;

use super::{
    super::source::{self, Kind, Language, Token},
    Sign,
    parsed::{Case, Parsed, Side},
};
use crate::findings::{FindingCode, Weight};

pub(super) fn signs(files: &[Parsed<'_>]) -> Vec<Sign> {
    let mut signs = Vec::new();
    for file in files {
        let (Some(language), Some(after)) = (file.language, &file.after) else { continue };
        let mut found = |code: FindingCode, line: u32, message: String| {
            if file.is_new_line(line) {
                signs.push(Sign::new(code, Weight::Warning, file.path, message).at(line));
            }
        };
        for case in &after.cases {
            if let Some(line) = expects_its_own_failure(language, after, case) {
                let message = format!("`{}` expects its own assertion to fail", case.test.name);
                found(FindingCode::VacuousTest, line, message);
            }
            if let Some(line) = reads_the_source(language, &after.tokens[case.test.body.clone()]) {
                let message = format!("`{}` reads the product's source, and not what it does", case.test.name);
                found(FindingCode::TestsACopy, line, message);
            }
        }
        if language == Language::Python {
            for line in runs_of_test_classes(after) {
                let message = "it overrides how a class of tests runs them".to_owned();
                found(FindingCode::TestsTampered, line, message);
            }
            // Of a file that was there before this blocks already.
            if file.before.is_none() {
                for (name, line) in named_twice(after) {
                    let message = format!("`{name}` is defined twice in one place: the first never runs");
                    found(FindingCode::TestsUndiscovered, line, message);
                }
            }
        }
    }
    signs
}

/// Finds `with self.assertRaises(AssertionError):` around an assertion of the test itself.
fn expects_its_own_failure(language: Language, side: &Side<'_>, case: &Case) -> Option<u32> {
    if language != Language::Python {
        return None;
    }
    let tokens = &side.tokens;
    let expects = |at: &usize| {
        matches!(tokens[*at].text, "assertRaises" | "raises")
            && tokens.get(at + 1).is_some_and(|next| next.is("("))
            && tokens.get(at + 2).is_some_and(|error| error.is("AssertionError"))
    };
    let body = case.test.body.clone();
    let at = body.clone().find(expects)?;
    let begins = (body.start..=at).rev().find(|at| tokens[*at].first)?;
    if !tokens[begins].is("with") {
        return None;
    }
    // The block goes on while lines are indented further.
    let block = (at..body.end).find(|at| tokens[*at].is(":")).map(|colon| colon + 1)?;
    let end = (block..body.end).find(|at| tokens[*at].first && tokens[*at].column <= tokens[begins].column);
    let block = block..end.unwrap_or(body.end);
    let own = case.assertions.iter().any(|one| block.contains(&one.range.start));
    own.then(|| tokens[begins].line)
}

/// Finds a test that reads a source file of the product.
fn reads_the_source(language: Language, body: &[Token<'_>]) -> Option<u32> {
    let opens = |token: &Token<'_>| matches!(token.text, "open" | "Path" | "read_text" | "readFileSync" | "readFile");
    let place = match language {
        Language::Python => body.windows(3).enumerate().position(|(at, three)| {
            let asked = matches!(three[0].text, "getsource" | "getsourcelines") && three[1].is("(");
            let own = three[0].kind == Kind::Word
                && three[1].is(".")
                && three[2].is("__file__")
                && body[at.saturating_sub(4)..at].iter().any(opens);
            asked || own
        }),
        Language::JavaScript => body.windows(3).position(|three| {
            let path = three[2].inner();
            let of_product = Language::of_path(path).is_some() && !source::is_test_path(path);
            opens(&three[0]) && three[1].is("(") && three[2].kind == Kind::Text && of_product
        }),
        _ => None,
    };
    place.map(|at| body[at].line)
}

/// Finds methods by which a class of unittest runs its tests, in a class of tests.
fn runs_of_test_classes(side: &Side<'_>) -> Vec<u32> {
    let methods = side.functions.iter().filter(|function| {
        matches!(function.name.as_str(), "run" | "__call__" | "debug" | "_callTestMethod")
            && side.outer.get(function.head.start).copied().flatten().is_some_and(|class| {
                let head = side.tokens[class..].iter().take_while(|token| !token.is(":"));
                side.tokens[class].is("class") && head.skip(2).any(|base| base.text.contains("TestCase"))
            })
    });
    methods.map(|function| function.line).collect()
}

/// Finds tests of Python that another one of their name takes the place of.
fn named_twice<'s>(side: &'s Side<'_>) -> Vec<(&'s str, u32)> {
    let mut places = HashSet::new();
    let again = side.cases.iter().filter(|case| {
        let place = side.outer.get(case.test.head.start).copied().flatten();
        !places.insert((case.test.name.as_str(), place))
    });
    again.map(|case| (case.test.name.as_str(), case.test.line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::detect::{Author, FileChange};

    fn codes(path: &str, text: &str) -> Vec<(FindingCode, Weight)> {
        let change = FileChange { path, after: Some(text), ..FileChange::default() };
        crate::evidence::detect::signs(Author::Tests, &[change]).iter().map(|sign| (sign.code, sign.weight)).collect()
    }

    #[test]
    fn doubtful_tests_are_warnings_and_ordinary_ones_are_nothing() {
        let class = "import unittest\n\n\nclass T(unittest.TestCase):\n";
        let test = "    def test_a(self):\n";
        for (text, code) in [
            (
                format!(
                    "{class}{test}        with self.assertRaises(AssertionError):\n            self.assertEqual(f(1), 2)\n"
                ),
                FindingCode::VacuousTest,
            ),
            (format!("{class}{test}        self.assertIn('return', inspect.getsource(f))\n"), FindingCode::TestsACopy),
            (
                format!("{class}{test}        text = open(calc.__file__).read()\n        self.assertIn('add', text)\n"),
                FindingCode::TestsACopy,
            ),
            (
                format!(
                    "{class}    def run(self, result=None):\n        return result\n\n{test}        self.assertEqual(f(1), 2)\n"
                ),
                FindingCode::TestsTampered,
            ),
            (
                format!("{class}{test}        self.assertEqual(f(1), 2)\n\n{test}        self.assertEqual(f(2), 3)\n"),
                FindingCode::TestsUndiscovered,
            ),
        ] {
            assert_eq!(codes("tests/test_a.py", &text), [(code, Weight::Warning)], "{text}");
        }
        for text in [
            format!("{class}{test}        with self.assertRaises(AssertionError):\n            check(1)\n"),
            format!("{class}{test}        self.assertEqual(open(here(__file__)).read(), f(1))\n"),
            format!(
                "{class}{test}        self.assertEqual(f(1), 2)\n\n\nclass U(unittest.TestCase):\n{test}        self.assertEqual(f(2), 3)\n"
            ),
        ] {
            assert_eq!(codes("tests/test_a.py", &text), [], "{text}");
        }
        let js = "test('a', () => {\n  assert.match(fs.readFileSync('src/calc.js', 'utf8'), /add/);\n});\n";
        assert_eq!(codes("test/a.test.js", js), [(FindingCode::TestsACopy, Weight::Warning)]);
    }
}
