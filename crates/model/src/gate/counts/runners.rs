//! The closing lines of the test runners that are known by them. Each function knows one shape, and no line has two.

use super::super::{CountSource, TestCounts};

/// Counts the tests of one runner in the lines of a plain output, or says that no line is that runner's.
type Count = fn(&[&str]) -> Option<TestCounts>;

/// The runners, by name.
pub(super) const ALL: [(&str, Count); 14] = [
    ("unittest", unittest),
    ("pytest", pytest),
    ("cargo test", cargo_test),
    ("cargo nextest", nextest),
    ("go test", go_test),
    ("jest", jest),
    ("vitest", vitest),
    ("mocha", mocha),
    ("node --test, tape", node_test),
    ("TAP", tap),
    ("RSpec, minitest, ExUnit, Bats", counted_list),
    ("PHPUnit, JUnit 4", phpunit),
    ("Maven Surefire, JUnit console, Gradle", jvm),
    ("dotnet test", dotnet),
];

const NONE: TestCounts = TestCounts { passed: 0, failed: 0, skipped: 0, source: CountSource::Output };

fn counts(passed: u64, failed: u64, skipped: u64) -> TestCounts {
    TestCounts { passed, failed, skipped, ..NONE }
}

/// Makes counts where a runner tells the total instead of what passed.
fn of_total(total: u64, failed: u64, skipped: u64) -> TestCounts {
    counts(total.saturating_sub(failed).saturating_sub(skipped), failed, skipped)
}

fn sum(all: impl Iterator<Item = TestCounts>) -> Option<TestCounts> {
    all.reduce(TestCounts::plus)
}

/// Reads `3 failed, 12 passed` as pairs; `None` when a part does not begin with a number and a word.
fn pairs(text: &str, separator: char) -> Option<Vec<(u64, &str)>> {
    text.split(separator)
        .map(|part| {
            let (number, word) = part.trim().split_once(char::is_whitespace)?;
            Some((number.parse().ok()?, word.trim()))
        })
        .collect()
}

fn total_of(pairs: &[(u64, &str)], words: &[&str]) -> u64 {
    pairs.iter().filter(|(_, word)| words.contains(word)).fold(0, |sum, (number, _)| sum.saturating_add(*number))
}

/// Reads the number behind `label` and any of `: ` and `=`, such as 3 in `Failures:   3, Errors: 0`.
fn labelled(text: &str, label: &str) -> Option<u64> {
    let mut rest = text;
    while let Some(at) = rest.find(label) {
        let begins = rest[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
        rest = &rest[at + label.len()..];
        let digits = rest.trim_start_matches([':', '=', ' ']);
        if begins && digits.len() < rest.len() {
            let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
            if let Ok(number) = digits[..end].parse() {
                return Some(number);
            }
        }
    }
    None
}

/// `Ran 12 tests in 0.003s`, then `OK (skipped=3)`, `FAILED (failures=1, errors=2)` or `NO TESTS RAN`.
fn unittest(lines: &[&str]) -> Option<TestCounts> {
    sum(lines.iter().enumerate().filter_map(|(at, line)| {
        let (number, rest) = line.strip_prefix("Ran ")?.split_once(' ')?;
        if !(rest.starts_with("test in ") || rest.starts_with("tests in ")) {
            return None;
        }
        let verdict = lines[at + 1..].iter().find(|line| !line.is_empty()).copied().unwrap_or_default();
        let verdict = if verdict.starts_with("OK") || verdict.starts_with("FAILED") { verdict } else { "" };
        let failed: u64 = ["failures", "errors", "unexpected successes"]
            .iter()
            .filter_map(|label| labelled(verdict, label))
            .fold(0, u64::saturating_add);
        Some(of_total(number.parse().ok()?, failed, labelled(verdict, "skipped").unwrap_or(0)))
    }))
}

/// `===== 1 failed, 3 passed, 2 skipped in 0.12s =====`, with or without the rules, or `no tests ran in 0.01s`.
fn pytest(lines: &[&str]) -> Option<TestCounts> {
    const PASSED: [&str; 3] = ["passed", "xpassed", "xfailed"];
    const FAILED: [&str; 3] = ["failed", "error", "errors"];
    const OTHER: [&str; 5] = ["skipped", "deselected", "warning", "warnings", "rerun"];
    sum(lines.iter().filter_map(|line| {
        let (what, time) = line.trim_matches(['=', ' ']).rsplit_once(" in ")?;
        if !time.split(' ').next()?.strip_suffix('s')?.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return None;
        }
        if what == "no tests ran" {
            return Some(NONE);
        }
        let pairs = pairs(what, ',')?;
        let known = |word: &&str| PASSED.contains(word) || FAILED.contains(word) || OTHER.contains(word);
        pairs
            .iter()
            .all(|(_, word)| known(word))
            .then(|| counts(total_of(&pairs, &PASSED), total_of(&pairs, &FAILED), total_of(&pairs, &["skipped"])))
    }))
}

/// `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s`, once a binary.
fn cargo_test(lines: &[&str]) -> Option<TestCounts> {
    sum(lines.iter().filter_map(|line| {
        let (_, numbers) = line.trim_start().strip_prefix("test result: ")?.split_once(". ")?;
        let numbers = numbers.split("; finished in").next()?;
        let pairs = pairs(numbers, ';')?;
        Some(counts(
            total_of(&pairs, &["passed", "measured"]),
            total_of(&pairs, &["failed"]),
            total_of(&pairs, &["ignored"]),
        ))
    }))
}

/// `Summary [   0.012s] 12 tests run: 11 passed (1 slow), 1 failed, 2 skipped`.
fn nextest(lines: &[&str]) -> Option<TestCounts> {
    sum(lines.iter().filter_map(|line| {
        let (_, rest) = line.trim_start().strip_prefix("Summary [")?.split_once(']')?;
        let (_, numbers) = rest.split_once(" tests run: ").or_else(|| rest.split_once(" test run: "))?;
        let pairs = pairs(&without_parentheses(numbers), ',').map(|pairs| {
            let failed = total_of(&pairs, &["failed", "exec failed", "timed out"]);
            counts(total_of(&pairs, &["passed"]), failed, total_of(&pairs, &["skipped"]))
        });
        pairs.or(Some(NONE))
    }))
}

fn without_parentheses(text: &str) -> String {
    let mut depth = 0_u32;
    text.chars()
        .filter(|c| {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => return depth == 0,
            }
            false
        })
        .collect()
}

/// With `-v` the `--- PASS: TestName` lines of whole tests, not of their parts; without it, where only failures are
/// named, the packages: `ok`, a tab, the package, a tab, the time.
fn go_test(lines: &[&str]) -> Option<TestCounts> {
    let verbose = lines.iter().any(|line| line.starts_with("=== RUN "));
    sum(lines.iter().filter_map(|line| {
        if verbose && line.starts_with("--- ") {
            let verdict = line.strip_prefix("--- ")?;
            return match verdict.split(": ").next()? {
                "PASS" => Some(counts(1, 0, 0)),
                "FAIL" => Some(counts(0, 1, 0)),
                "SKIP" => Some(counts(0, 0, 1)),
                _ => None,
            };
        }
        if line.starts_with("?   \t") && line.ends_with("[no test files]") {
            return Some(NONE);
        }
        if let Some(package) = line.strip_prefix("ok  \t") {
            return Some(if verbose || package.ends_with("[no tests to run]") { NONE } else { counts(1, 0, 0) });
        }
        let package = line.strip_prefix("FAIL\t")?;
        let never_ran = package.ends_with("failed]");
        Some(if verbose && !never_ran { NONE } else { counts(0, 1, 0) })
    }))
}

/// `Tests:       1 failed, 2 skipped, 3 passed, 6 total`.
fn jest(lines: &[&str]) -> Option<TestCounts> {
    sum(lines.iter().filter_map(|line| {
        let pairs = pairs(line.trim_start().strip_prefix("Tests:")?, ',')?;
        pairs.iter().any(|(_, word)| *word == "total").then(|| {
            counts(
                total_of(&pairs, &["passed"]),
                total_of(&pairs, &["failed"]),
                total_of(&pairs, &["skipped", "todo", "pending"]),
            )
        })
    }))
}

/// `Tests  1 failed | 3 passed | 1 skipped (5)`, or `No test files found`.
fn vitest(lines: &[&str]) -> Option<TestCounts> {
    sum(lines.iter().filter_map(|line| {
        let line = line.trim();
        if line.starts_with("No test files found, exiting with code") {
            return Some(NONE);
        }
        let (numbers, total) = line.strip_prefix("Tests ")?.rsplit_once(" (")?;
        total.strip_suffix(')')?.parse::<u64>().ok()?;
        let pairs = pairs(numbers, '|')?;
        Some(counts(
            total_of(&pairs, &["passed", "expected fail"]),
            total_of(&pairs, &["failed"]),
            total_of(&pairs, &["skipped", "todo"]),
        ))
    }))
}

/// `3 passing (12ms)`, `1 pending`, `2 failing`, each on a line.
fn mocha(lines: &[&str]) -> Option<TestCounts> {
    let seen = lines.iter().any(|line| mocha_line(line).is_some_and(|(_, word)| word == "passing"));
    let numbers = lines.iter().filter_map(|line| mocha_line(line)).filter(|_| seen);
    sum(numbers.map(|(number, word)| match word {
        "passing" => counts(number, 0, 0),
        "failing" => counts(0, number, 0),
        _ => counts(0, 0, number),
    }))
}

fn mocha_line(line: &str) -> Option<(u64, &str)> {
    let (number, rest) = line.trim().split_once(' ')?;
    let (word, time) = rest.split_once(' ').unwrap_or((rest, "()"));
    let known = matches!(word, "passing" | "pending" | "failing") && time.starts_with('(') && time.ends_with(')');
    Some((number.parse().ok()?, word)).filter(|_| known)
}

/// `ℹ pass 3` (`# pass 3` as TAP) among `tests`, `fail`, `cancelled`, `skipped` and `todo`.
fn node_test(lines: &[&str]) -> Option<TestCounts> {
    let seen = lines.iter().any(|line| node_line(line).is_some_and(|(word, _)| word == "pass"));
    let numbers = lines.iter().filter_map(|line| node_line(line)).filter(|_| seen);
    sum(numbers.map(|(word, number)| match word {
        "pass" => counts(number, 0, 0),
        "fail" | "cancelled" => counts(0, number, 0),
        _ => counts(0, 0, number),
    }))
}

fn node_line(line: &str) -> Option<(&str, u64)> {
    let (word, number) = line.strip_prefix("ℹ ").or_else(|| line.strip_prefix("# "))?.split_once(' ')?;
    let known = matches!(word, "pass" | "fail" | "cancelled" | "skipped" | "todo");
    Some((word, number.trim().parse().ok()?)).filter(|_| known)
}

/// `1..3` and `ok 1 - name`, `not ok 2 - name`, `ok 3 # SKIP why`, unless a summary below says it again.
fn tap(lines: &[&str]) -> Option<TestCounts> {
    let plan = |line: &&str| {
        let number = line.strip_prefix("1..").map(|rest| rest.split(' ').next().unwrap_or_default());
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    if node_test(lines).is_some() || !lines.iter().any(plan) {
        return None;
    }
    sum(lines.iter().filter_map(|line| {
        let directive = line.rsplit_once('#').map(|(_, rest)| rest.trim_start().to_ascii_uppercase());
        let says = |word: &str| directive.as_deref().is_some_and(|directive| directive.starts_with(word));
        if plan(line) {
            return Some(counts(0, 0, u64::from(line.starts_with("1..0") && says("SKIP"))));
        }
        let (ok, rest) = match line.strip_prefix("not ok") {
            Some(rest) => (false, rest),
            None => (true, line.strip_prefix("ok")?),
        };
        if !rest.is_empty() && !rest.starts_with(' ') {
            return None;
        }
        Some(match (ok, says("SKIP") || (!ok && says("TODO"))) {
            (_, true) => counts(0, 0, 1),
            (true, false) => counts(1, 0, 0),
            (false, false) => counts(0, 1, 0),
        })
    }))
}

/// `3 examples, 1 failure, 1 pending`, `3 runs, 5 assertions, 0 failures, 0 errors, 1 skips`, `3 tests, 0 failures`.
fn counted_list(lines: &[&str]) -> Option<TestCounts> {
    const TOTAL: [&str; 6] = ["example", "examples", "test", "tests", "run", "runs"];
    const FAILED: [&str; 4] = ["failure", "failures", "error", "errors"];
    const OUTSIDE: [&str; 2] = ["error occurred outside of examples", "errors occurred outside of examples"];
    const SKIPPED: [&str; 5] = ["pending", "skip", "skips", "skipped", "excluded"];
    sum(lines.iter().filter_map(|line| {
        let mut pairs = pairs(line.trim_end_matches('.'), ',')?;
        // ExUnit counts properties and doctests before the tests, each a test of its own.
        while matches!(pairs.first(), Some((_, "doctest" | "doctests" | "property" | "properties"))) {
            let (number, _) = pairs.remove(0);
            pairs.first_mut()?.0 += number;
        }
        let (total, noun) = *pairs.first()?;
        let failures = pairs.iter().any(|(_, word)| matches!(*word, "failure" | "failures"));
        (TOTAL.contains(&noun) && failures).then(|| {
            let inside = total_of(&pairs, &FAILED);
            let counts = of_total(total, inside, total_of(&pairs, &SKIPPED));
            TestCounts { failed: inside.saturating_add(total_of(&pairs, &OUTSIDE)), ..counts }
        })
    }))
}

/// `OK (3 tests, 5 assertions)`, `Tests: 3, Assertions: 5, Failures: 1, Skipped: 1.`, `No tests executed!`.
fn phpunit(lines: &[&str]) -> Option<TestCounts> {
    sum(lines.iter().filter_map(|line| {
        if *line == "No tests executed!" {
            return Some(NONE);
        }
        if let Some(inside) = line.strip_prefix("OK (").and_then(|rest| rest.strip_suffix(')')) {
            let pairs = pairs(inside, ',')?;
            let (total, noun) = *pairs.first()?;
            return matches!(noun, "test" | "tests").then(|| counts(total, 0, 0));
        }
        if !(line.starts_with("Tests: ") && line.contains(", Assertions: ")) {
            return None;
        }
        let failed = labelled(line, "Failures").unwrap_or(0).saturating_add(labelled(line, "Errors").unwrap_or(0));
        let skipped = labelled(line, "Skipped").unwrap_or(0).saturating_add(labelled(line, "Incomplete").unwrap_or(0));
        Some(of_total(labelled(line, "Tests")?, failed, skipped))
    }))
}

/// Surefire's `Tests run: 3, Failures: 0, Errors: 0, Skipped: 1` at the end of a module (each class says it before,
/// with its time), the console launcher's `[ 3 tests successful ]`, Gradle's `3 tests completed, 1 failed`.
fn jvm(lines: &[&str]) -> Option<TestCounts> {
    let surefire = |line: &str| {
        let line =
            ["[INFO] ", "[WARNING] ", "[ERROR] "].iter().find_map(|level| line.strip_prefix(level)).unwrap_or(line);
        let line = line.trim_start().strip_prefix("Tests run:")?;
        let failed = labelled(line, "Failures")?.saturating_add(labelled(line, "Errors").unwrap_or(0));
        let total = line.trim_start().split(',').next()?.parse().ok()?;
        Some(of_total(total, failed, labelled(line, "Skipped").unwrap_or(0)))
    };
    let of_class = |line: &&&str| line.contains("Time elapsed:");
    sum(lines.iter().filter(|line| !of_class(line)).filter_map(|line| surefire(line)))
        .or_else(|| sum(lines.iter().filter(of_class).filter_map(|line| surefire(line))))
        .or_else(|| sum(lines.iter().filter_map(|line| console_launcher(line))))
        .or_else(|| {
            sum(lines.iter().filter_map(|line| {
                let pairs = pairs(line, ',')?;
                let (total, noun) = *pairs.first()?;
                matches!(noun, "test completed" | "tests completed")
                    .then(|| of_total(total, total_of(&pairs, &["failed"]), total_of(&pairs, &["skipped"])))
            }))
        })
}

fn console_launcher(line: &str) -> Option<TestCounts> {
    let inside = line.trim().strip_prefix('[')?.strip_suffix(']')?;
    match pairs(inside, ',')?.as_slice() {
        [(number, "tests successful")] => Some(counts(*number, 0, 0)),
        [(number, "tests failed")] => Some(counts(0, *number, 0)),
        [(number, "tests skipped")] => Some(counts(0, 0, *number)),
        _ => None,
    }
}

/// `Passed!  - Failed: 0, Passed: 5, Skipped: 0, Total: 5, …` for each project, `Test summary: total: 5, failed: 0,
/// succeeded: 5, skipped: 0` over all of them, or `Total tests: 5` and lines below it.
fn dotnet(lines: &[&str]) -> Option<TestCounts> {
    let summary = |line: &&str| {
        let numbers = line.trim().strip_prefix("Test summary: ")?;
        Some(counts(
            labelled(numbers, "succeeded")?,
            labelled(numbers, "failed")?,
            labelled(numbers, "skipped").unwrap_or(0),
        ))
    };
    let project = |line: &&str| {
        let (verdict, numbers) = line.trim().split_once("! ")?;
        let numbers = numbers.trim_start().strip_prefix("- Failed:")?;
        let failed = numbers.split(',').next()?.trim().parse().ok()?;
        matches!(verdict, "Passed" | "Failed" | "Skipped").then_some(counts(
            labelled(numbers, "Passed")?,
            failed,
            labelled(numbers, "Skipped")?,
        ))
    };
    let block = |(at, line): (usize, &&str)| {
        line.trim().strip_prefix("Total tests: ")?.parse::<u64>().ok()?;
        let below: Vec<_> = lines[at + 1..].iter().take(3).map(|line| line.trim()).collect();
        let number = |label: &str| {
            below.iter().find_map(|line| line.strip_prefix(label)?.trim().parse::<u64>().ok()).unwrap_or(0)
        };
        Some(counts(number("Passed:"), number("Failed:"), number("Skipped:")))
    };
    sum(lines.iter().filter_map(summary))
        .or_else(|| sum(lines.iter().filter_map(project)))
        .or_else(|| sum(lines.iter().enumerate().filter_map(block)))
}
