//! The names of failed tests, as runners print them. What is printed can be made up, and not every runner names all: whoever
//! uses these compares their number with what the runner counts.

use crate::evidence::results::{TestResult, TestState};

/// The most names that are kept.
const NAMES_MAX: usize = 200;

/// Names the tests that failed, in the order in which they were printed. A test is named as often as it is counted.
pub(super) fn names(lines: &[&str]) -> Vec<TestResult> {
    let mut all: Vec<TestResult> = Vec::new();
    for line in lines {
        let Some(Named { name, state, counted_again }) = unittest(line).or_else(|| of_line(line)) else { continue };
        let result = TestResult::new("", &name, state);
        if all.len() < NAMES_MAX && (counted_again || !all.contains(&result)) {
            all.push(result);
        }
    }
    all
}

struct Named {
    name: String,
    state: TestState,
    /// Whether the same name on another line is another failure, as with the subtests of unittest.
    counted_again: bool,
}

/// `FAIL: test_bad (tests.test_a.T.test_bad)`, before Python 3.11 `FAIL: test_bad (tests.test_a.T)`, of a subtest with
/// `(i=1)` behind it.
fn unittest(line: &str) -> Option<Named> {
    let (kind, rest) = line.split_once(": ")?;
    if !matches!(kind, "FAIL" | "ERROR" | "UNEXPECTED SUCCESS") {
        return None;
    }
    let (own, rest) = rest.split_once(" (")?;
    let (path, _) = rest.split_once(')')?;
    let is_path = |text: &str| !text.is_empty() && !text.contains(' ');
    if !is_path(own) || !is_path(path) {
        return None;
    }
    let end = path.rsplit('.').next().unwrap_or(path);
    let name = if end == own { path.to_owned() } else { format!("{path}.{own}") };
    let broken = path.contains("_FailedTest") || matches!(own, "setUpClass" | "setUpModule");
    let state = if broken { TestState::Broken } else { TestState::Failed };
    Some(Named { name, state, counted_again: true })
}

/// The other runners, one line a test.
fn of_line(line: &str) -> Option<Named> {
    let trimmed = line.trim();
    let failed = |name: &str| {
        let name = name.trim();
        (!name.is_empty()).then(|| Named { name: name.to_owned(), state: TestState::Failed, counted_again: false })
    };
    // pytest: `FAILED tests/test_a.py::T::test_bad - assert 0`.
    for begin in ["FAILED ", "ERROR ", "SUBFAILED"] {
        let Some(rest) = trimmed.strip_prefix(begin) else { continue };
        let rest = if begin == "SUBFAILED" { rest.split_once(") ")?.1 } else { rest };
        let name = rest.split(" - ").next().unwrap_or(rest);
        if name.contains(".py::") {
            return failed(name).map(|named| Named { counted_again: begin == "SUBFAILED", ..named });
        }
        if begin == "ERROR " && name.ends_with(".py") {
            return failed(name).map(|named| Named { state: TestState::Broken, ..named });
        }
    }
    // libtest: `test tests::bad ... FAILED`.
    if let Some(name) = trimmed.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... FAILED")) {
        return failed(name.split(" - should panic").next().unwrap_or(name));
    }
    // go test: `--- FAIL: TestSub/two (0.00s)`.
    if let Some(name) = trimmed.strip_prefix("--- FAIL: ") {
        return failed(name.split(" (").next().unwrap_or(name));
    }
    // TAP: `not ok 2 - bad`; what is still to do may fail.
    if let Some(rest) = trimmed.strip_prefix("not ok ") {
        let (name, directive) = rest.split_once(" # ").unwrap_or((rest, ""));
        let excused = ["TODO", "SKIP"].iter().any(|word| directive.to_uppercase().starts_with(word));
        let name = name.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches([' ', '-']);
        return if excused { None } else { failed(name) };
    }
    // node --test: `✖ bad (1.5ms)`.
    if let Some(rest) = trimmed.strip_prefix("✖ ") {
        let name =
            rest.strip_suffix(')').and_then(|rest| rest.rsplit_once(" (")).filter(|(_, time)| time.ends_with("ms"))?;
        return failed(name.0);
    }
    // jest: `● g › bad`.
    if let Some(name) = trimmed.strip_prefix("● ").filter(|name| !name.starts_with("Console")) {
        return failed(name);
    }
    // vitest: `FAIL  a.test.ts > g > bad`.
    if let Some(name) = trimmed.strip_prefix("FAIL ").filter(|rest| rest.contains(" > ")) {
        return failed(name);
    }
    // cargo nextest: `FAIL [   0.167s] (1/4) users tests::bad`.
    if let Some((_, name)) = trimmed.strip_prefix("FAIL [").and_then(|rest| rest.split_once("] ")) {
        let name = name.strip_prefix('(').and_then(|rest| rest.split_once(") ")).map_or(name, |(_, name)| name);
        return failed(name);
    }
    // GoogleTest: `[  FAILED  ] A.Bad (0 ms)`.
    if let Some(name) = trimmed.strip_prefix("[  FAILED  ] ").filter(|rest| !rest.contains("listed below")) {
        return failed(name.split([' ', ',']).next().unwrap_or(name));
    }
    // RSpec: `rspec ./spec/a_spec.rb:3 # Cart adds`.
    if let Some((_, name)) = trimmed.strip_prefix("rspec ").and_then(|rest| rest.split_once(" # ")) {
        return failed(name);
    }
    // PHPUnit: `1) CartTest::testAdd`.
    let numbered = trimmed.split_once(") ").filter(|(number, _)| number.parse::<u32>().is_ok());
    if let Some((_, name)) = numbered.filter(|(_, name)| name.contains("::") && !name.contains(' ')) {
        return failed(name);
    }
    // dotnet test: `Failed Shop.CartTest.Adds [12 ms]`.
    let timed = trimmed.strip_prefix("Failed ").and_then(|rest| rest.strip_suffix(" ms]"));
    timed.and_then(|rest| rest.rsplit_once(" [")).and_then(|(name, _)| failed(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::words;

    #[test]
    fn runners_name_the_tests_that_failed() {
        for (sample, expected) in [
            (
                include_str!("samples/unittest-mixed.txt"),
                &["test_mixed.T.test_err", "test_mixed.T.test_bad", "test_mixed.T.test_sub", "test_mixed.T.test_xpass"]
                    [..],
            ),
            (
                include_str!("samples/pytest-v.txt"),
                &[
                    "test_mixed.py::T::test_bad",
                    "test_mixed.py::T::test_err",
                    "test_mixed.py::T::test_sub",
                    "test_mixed.py::T::test_xpass",
                ],
            ),
            (include_str!("samples/cargo-mixed.txt"), &["tests::bad"]),
            (include_str!("samples/nextest-mixed.txt"), &["users tests::bad", "tests::bad"]),
            (include_str!("samples/go-mixed.txt"), &["TestSub", "TestSub/two"]),
            (include_str!("samples/node-spec.txt"), &["bad", "g"]),
            (include_str!("samples/node-mixed.txt"), &["bad", "g"]),
            (include_str!("samples/jest-mixed.txt"), &["g › bad"]),
            (include_str!("samples/vitest-mixed.txt"), &["x.test.mjs > g > bad"]),
            (include_str!("samples/gtest-mixed.txt"), &["A.Bad"]),
            (include_str!("samples/unittest-green.txt"), &[]),
        ] {
            let words = words::read(sample).unwrap();
            let names: Vec<&str> = words.failing.iter().map(|test| test.name.as_str()).collect();
            assert_eq!(names, expected);
        }
    }

    #[test]
    fn every_python_writes_the_same_name_and_what_was_not_loaded_is_told_apart() {
        let of = |line: &str| names(&[line]).pop().map(|test| (test.name, test.state));
        let failed = |name: &str| Some((name.to_owned(), TestState::Failed));
        assert_eq!(of("FAIL: test_a (tests.test_x.T.test_a)"), failed("tests.test_x.T.test_a"));
        assert_eq!(of("FAIL: test_a (tests.test_x.T)"), failed("tests.test_x.T.test_a"));
        assert_eq!(of("ERROR: test_a (tests.test_x.T.test_a) (i=1)"), failed("tests.test_x.T.test_a"));
        let broken = of("ERROR: tests.test_x (unittest.loader._FailedTest.tests.test_x)").unwrap();
        assert_eq!(broken.1, TestState::Broken);
        assert_eq!(of("ERROR tests/test_x.py - ImportError: no").unwrap().1, TestState::Broken);
        for line in
            ["FAIL: something else", "ERROR: could not connect (timeout 3 s)", "Failed to open x", "1) first step"]
        {
            assert_eq!(of(line), None, "{line}");
        }
    }
}
