//! Runners whose closing words are one line, or a few lines that stand together, written here as they print them.

use super::lines::{NONE, counts, of_total, sum};
use crate::evidence::numbers::TestCounts;

/// Closing lines. `{p}`, `{f}`, `{s}` and `{t}` are the numbers of tests that passed, failed and were skipped, and of all;
/// `{_}` is anything, and `*` the rest of a word. Several blanks are one.
const LINES: &[&str] = &[
    // R's testthat.
    "[ FAIL {f} | WARN {_} | SKIP {s} | PASS {p} ]",
    // Erlang's EUnit and Common Test.
    "Failed: {f}. Skipped: {s}. Passed: {p}.",
    "{_}TEST COMPLETE, {p} ok, {f} failed of {t} test cases",
    "{_}TEST COMPLETE, {p} ok, {f} failed, {s} skipped of {t} test cases",
    // OCaml's Alcotest.
    "Test Successful in {_}s. {p} test* run.",
    "{f} failure*! in {_}s. {t} test* run.",
    // LuaUnit.
    "Ran {t} test* in {_} seconds, {p} success*, {f} failure*",
    "Ran {t} test* in {_} seconds, {p} success*, {f} failure*, {f} error*",
    "Ran {t} test* in {_} seconds, {p} success*, {f} error*",
    // Foundry, Starknet Foundry, Move.
    "Ran {_} test suite* in {_}: {p} test* passed, {f} failed, {s} skipped ({t} total test*)",
    "Tests: {p} passed, {f} failed, {s} ignored, {_} filtered out",
    "Tests: {p} passed, {f} failed, {s} skipped, {s} ignored, {_} filtered out",
    "Test result: {_}. Total tests: {t}; passed: {p}; failed: {f}",
    // node-tap, hapi's lab, Web Test Runner, Nightwatch, Dredd.
    "Asserts: {p} passed, of {t}",
    "Asserts: {f} failed, {p} passed, of {t}",
    "# { total: {t}, pass: {p} }",
    "# { total: {t}, pass: {p}, fail: {f} }",
    "# { total: {t}, pass: {p}, skip: {s} }",
    "# { total: {t}, pass: {p}, fail: {f}, skip: {s} }",
    "{f} of {t} tests failed",
    "{_} test files | {p} passed, {f} failed",
    "{_} test files | {p} passed, {f} failed, {s} skipped",
    "TEST FAILURE: {f} assertion* failed, {p} passed{_}",
    "complete: {p} passing, {f} failing, {f} errors, {s} skipped, {t} total",
    // C and C++: CppUTest, Unity, Criterion.
    "OK ({_} test*, {p} ran, {_} check*, {s} ignored, {_} filtered out, {_} ms)",
    "Errors ({f} failure*, {_} test*, {t} ran, {_} check*, {s} ignored, {_} filtered out, {_} ms)",
    "{t} Tests {f} Failures {s} Ignored",
    "{_}Synthesis: Tested: {t} | Passing: {p} | Failing: {f} | Crashing: {f}",
    // .NET: NUnit's and xUnit's own consoles.
    "Test Count: {t}, Passed: {p}, Failed: {f}, Warnings: {_}, Inconclusive: {_}, Skipped: {s}",
    "{_} Total: {t}, Errors: {f}, Failed: {f}, Skipped: {s}, {_}Time: {_}",
    // Behaviour: Gauge, Karate.
    "Scenarios: {_} executed {p} passed {f} failed {s} skipped",
    "scenarios: {t} | passed: {p} | failed: {f} | {_}",
    // Infrastructure and data: Terraform and OpenTofu, dbt, InSpec, Goss, Buck2, Vader.
    "Success! {p} passed, {f} failed.",
    "Failure! {p} passed, {f} failed.",
    "Success! {p} passed, {f} failed, {s} skipped.",
    "Failure! {p} passed, {f} failed, {s} skipped.",
    "{_}Done. PASS={p} WARN={_} ERROR={f} SKIP={s} {_}",
    "Test Summary: {p} successful, {f} failure*, {s} skipped",
    "Count: {t}, Failed: {f}, Skipped: {s}",
    "Tests finished: Pass {p}. Fail {f}. Fatal {f}. Skip {s}. {_}",
    "Success/Total: {p}/{t}{_}",
    // D's silly.
    "Summary: {p} passed, {f} failed in {_}",
];

/// Lines that stand together. Each block begins with its first line; the others may be missing.
const BLOCKS: &[&[&str]] = &[
    // Meson, elm-test, Open Policy Agent, plenary, clojure.test, Boost.Test.
    &["Ok: {p}", "Expected Fail: {p}", "Fail: {f}", "Unexpected Pass: {f}", "Skipped: {s}", "Timeout: {f}"],
    &["TEST RUN PASSED", "Duration: {_}", "Passed: {p}", "Failed: {f}"],
    &["TEST RUN FAILED", "Duration: {_}", "Passed: {p}", "Failed: {f}"],
    &["PASS: {p}/{_}", "FAIL: {f}/{_}", "ERROR: {f}/{_}", "SKIPPED: {s}/{_}"],
    &["Success: {p}", "Failed : {f}", "Errors : {f}"],
    &["Ran {t} test* containing {_} assertion*.", "{f} failure*, {f} error*."],
    &["Running {t} test case*...", "*** No errors detected"],
];

/// Blocks that say nothing without their last line.
const WHOLE_BLOCKS: [usize; 2] = [5, 6];

/// Counts the tests of all runners of these tables.
pub(super) fn further(lines: &[&str]) -> Option<TestCounts> {
    let lines: Vec<String> = lines.iter().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let of_lines =
        sum(lines.iter().filter_map(|line| LINES.iter().find_map(|pattern| Some(read(pattern, line)?.counts()))));
    let blocks = BLOCKS.iter().enumerate().filter_map(|(number, block)| of_block(number, block, &lines));
    let all = [of_lines, sum(blocks), boost(&lines), bazel(&lines), julia(&lines)];
    sum(all.into_iter().flatten())
}

/// The numbers that a line gave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Numbers {
    passed: Option<u64>,
    failed: u64,
    skipped: u64,
    total: Option<u64>,
}

impl Numbers {
    fn counts(self) -> TestCounts {
        match (self.passed, self.total) {
            (Some(passed), Some(total)) => {
                let failed = self.failed.max(total.saturating_sub(passed).saturating_sub(self.skipped));
                counts(passed, failed, self.skipped)
            }
            (Some(passed), None) => counts(passed, self.failed, self.skipped),
            (None, Some(total)) => of_total(total, self.failed.min(total), self.skipped),
            (None, None) => counts(0, self.failed, self.skipped),
        }
    }

    fn plus(self, other: Self) -> Self {
        let either = |one: Option<u64>, other: Option<u64>| match (one, other) {
            (Some(one), Some(other)) => Some(one.saturating_add(other)),
            (one, other) => one.or(other),
        };
        Self {
            passed: either(self.passed, other.passed),
            failed: self.failed.saturating_add(other.failed),
            skipped: self.skipped.saturating_add(other.skipped),
            total: either(self.total, other.total),
        }
    }
}

/// Reads a whole line by a pattern.
fn read(pattern: &str, line: &str) -> Option<Numbers> {
    let mut numbers = Numbers::default();
    let (mut pattern, mut line) = (pattern, line);
    loop {
        let next = pattern.char_indices().map(|(at, _)| at).find(|at| {
            let rest = &pattern[*at..];
            // `*` stands for the rest of a word behind a letter; a brace alone is one that is printed.
            rest.starts_with('*') && pattern[..*at].ends_with(char::is_alphabetic)
                || rest.starts_with('{') && rest.get(2..3) == Some("}")
        });
        let Some(at) = next else { return (pattern == line).then_some(numbers) };
        line = line.strip_prefix(&pattern[..at])?;
        let rest = &pattern[at..];
        if let Some(behind) = rest.strip_prefix('*') {
            line = line.trim_start_matches(char::is_alphabetic);
            pattern = behind;
            continue;
        }
        let (kind, behind) = (rest.get(1..2)?, rest.get(3..)?);
        pattern = behind;
        if kind == "_" {
            let end = pattern.find(['{', '*']).unwrap_or(pattern.len());
            let literal = &pattern[..end];
            line = if literal.is_empty() { "" } else { &line[line.find(literal)?..] };
            continue;
        }
        let digits = line.find(|c: char| !c.is_ascii_digit()).unwrap_or(line.len());
        let number: u64 = line[..digits].parse().ok()?;
        line = &line[digits..];
        match kind {
            "p" => numbers.passed = Some(numbers.passed.unwrap_or(0).saturating_add(number)),
            "f" => numbers.failed = numbers.failed.saturating_add(number),
            "s" => numbers.skipped = numbers.skipped.saturating_add(number),
            _ => numbers.total = Some(number),
        }
    }
}

/// How many lines a block may have.
const BLOCK_MAX: usize = 12;

fn of_block(number: usize, block: &[&str], lines: &[String]) -> Option<TestCounts> {
    let (first, others) = block.split_first()?;
    sum(lines.iter().enumerate().filter_map(|(at, line)| {
        let begun = read(first, line)?;
        let near = &lines[at + 1..(at + BLOCK_MAX).min(lines.len())];
        // Each of the others stands once in a block.
        let found: Vec<Numbers> =
            others.iter().filter_map(|pattern| near.iter().find_map(|line| read(pattern, line))).collect();
        let needed = if WHOLE_BLOCKS.contains(&number) { others.len() } else { others.len().min(1) };
        (found.len() >= needed).then(|| found.into_iter().fold(begun, Numbers::plus).counts())
    }))
}

/// Boost.Test: `Running 3 test cases...`, then `*** 1 failure is detected in the test module "x"`.
fn boost(lines: &[String]) -> Option<TestCounts> {
    let total = lines.iter().find_map(|line| read("Running {t} test case*...", line))?.total?;
    let failed = lines.iter().find_map(|line| read("*** {f} failure* {_} detected in {_}", line))?.failed;
    Some(of_total(total, failed.min(total), 0))
}

/// Bazel: `Executed 2 out of 3 tests: 1 test passes, 1 fails locally and 1 was skipped.`
fn bazel(lines: &[String]) -> Option<TestCounts> {
    sum(lines.iter().filter_map(|line| {
        let (begin, parts) = line.split_once(": ")?;
        read("Executed {_} out of {t} test*", begin)?;
        let parts = parts.trim_end_matches('.').replace(" and ", ", ");
        let mut said = NONE;
        for part in parts.split(", ") {
            let (number, words) = part.split_once(' ')?;
            let number: u64 = number.parse().ok()?;
            let kind = if words.contains("fail") {
                &mut said.failed
            } else if words.contains("pass") {
                &mut said.passed
            } else {
                &mut said.skipped
            };
            *kind = kind.saturating_add(number);
        }
        Some(said)
    }))
}

/// Julia: `Test Summary: | Pass Fail Total Time`, then a row for the outermost set of tests.
fn julia(lines: &[String]) -> Option<TestCounts> {
    sum(lines.windows(2).filter_map(|pair| {
        let names = pair[0].strip_prefix("Test Summary: |")?;
        let (_, values) = pair[1].rsplit_once('|')?;
        let (mut said, mut seen) = (NONE, false);
        for (name, value) in names.split_whitespace().zip(values.split_whitespace()) {
            let Ok(number) = value.parse::<u64>() else { continue };
            seen = true;
            match name {
                "Pass" => said.passed = number,
                "Fail" | "Error" => said.failed = said.failed.saturating_add(number),
                "Broken" => said.skipped = number,
                _ => {}
            }
        }
        seen.then_some(said)
    }))
}

#[cfg(test)]
mod tests {
    #[test]
    fn runners_of_other_languages_and_of_infrastructure_are_understood() {
        for (output, expected) in [
            ("[ FAIL 1 | WARN 0 | SKIP 1 | PASS 5 ]", (5, 1, 1)),
            ("  Failed: 1.  Skipped: 0.  Passed: 2.", (2, 1, 0)),
            ("Testing lib.cart: TEST COMPLETE, 2 ok, 1 failed of 3 test cases", (2, 1, 0)),
            ("Test Successful in 0.001s. 3 tests run.", (3, 0, 0)),
            ("1 failure! in 0.001s. 3 tests run.", (2, 1, 0)),
            ("Ran 3 tests in 0.001 seconds, 2 successes, 1 failure", (2, 1, 0)),
            (
                "Ran 1 test suite in 5.31ms (1.2ms CPU time): 2 tests passed, 0 failed, 0 skipped (2 total tests)",
                (2, 0, 0),
            ),
            ("Tests: 2 passed, 1 failed, 0 skipped, 1 ignored, 0 filtered out", (2, 1, 1)),
            ("Test result: OK. Total tests: 3; passed: 3; failed: 0", (3, 0, 0)),
            ("Asserts:  1 failed, 2 passed, of 3", (2, 1, 0)),
            ("# { total: 3, pass: 2, fail: 1 }", (2, 1, 0)),
            ("1 of 3 tests failed", (2, 1, 0)),
            ("Chrome: |██████| 1/1 test files | 2 passed, 1 failed, 1 skipped", (2, 1, 1)),
            ("complete: 2 passing, 1 failing, 0 errors, 0 skipped, 3 total", (2, 1, 0)),
            ("OK (3 tests, 3 ran, 5 checks, 0 ignored, 0 filtered out, 1 ms)", (3, 0, 0)),
            ("Errors (1 failures, 3 tests, 3 ran, 5 checks, 0 ignored, 0 filtered out, 0 ms)", (2, 1, 0)),
            ("3 Tests 1 Failures 1 Ignored \nFAIL", (1, 1, 1)),
            ("[====] Synthesis: Tested: 3 | Passing: 2 | Failing: 1 | Crashing: 0 ", (2, 1, 0)),
            ("  Test Count: 3, Passed: 2, Failed: 1, Warnings: 0, Inconclusive: 0, Skipped: 0", (2, 1, 0)),
            ("   a.dll  Total: 3, Errors: 0, Failed: 1, Skipped: 0, Time: 0.100s", (2, 1, 0)),
            ("Scenarios:\t3 executed\t2 passed\t1 failed\t0 skipped", (2, 1, 0)),
            ("scenarios:  3 | passed:     2 | failed:     1 | time: 0.5", (2, 1, 0)),
            ("Success! 2 passed, 0 failed.", (2, 0, 0)),
            ("12:00:01  Done. PASS=5 WARN=0 ERROR=1 SKIP=0 TOTAL=6", (5, 1, 0)),
            ("Test Summary: 2 successful, 1 failure, 0 skipped", (2, 1, 0)),
            ("Count: 3, Failed: 1, Skipped: 0", (2, 1, 0)),
            ("Tests finished: Pass 3. Fail 1. Fatal 0. Skip 0. Build failure 0", (3, 1, 0)),
            (
                "Ok:                 3   \nExpected Fail:      0   \nFail:               1   \nUnexpected Pass:    0   \nSkipped:            1   \nTimeout:            1   ",
                (3, 2, 1),
            ),
            ("TEST RUN FAILED\n\nDuration: 100 ms\nPassed:   2\nFailed:   1", (2, 1, 0)),
            ("PASS: 2/3\nFAIL: 1/3", (2, 1, 0)),
            ("Success: \t2\nFailed : \t1\nErrors : \t0", (2, 1, 0)),
            ("Ran 3 tests containing 5 assertions.\n1 failures, 1 errors.", (1, 2, 0)),
            ("Running 3 test cases...\n\n*** No errors detected", (3, 0, 0)),
            (
                "Running 3 test cases...\na.cpp(5): error: in \"x\"\n\n*** 1 failure is detected in the test module \"cart\"",
                (2, 1, 0),
            ),
            ("Executed 2 out of 3 tests: 1 test passes, 1 fails locally and 1 was skipped.", (1, 1, 1)),
            ("Executed 1 out of 1 test: 1 test passes.", (1, 0, 0)),
            ("Test Summary: | Pass  Fail  Total  Time\ncart          |    3     1      4  0.1s", (3, 1, 0)),
        ] {
            let said = super::super::read(output).map(|words| words.counts);
            let said = said.map(|counts| (counts.passed, counts.failed, counts.skipped));
            assert_eq!(said, Some(expected), "{output}");
        }
    }

    #[test]
    fn words_that_only_look_alike_say_nothing() {
        for output in [
            "Ran 3 tests containing secrets.",
            "Success! 2 items passed",
            "Ok: 3",
            "Count: 3, Failed: no",
            "Executed 3 out of 4 jobs: done",
            "Passed: 2",
        ] {
            assert_eq!(super::super::read(output), None, "{output}");
        }
    }
}
