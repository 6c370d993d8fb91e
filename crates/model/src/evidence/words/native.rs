//! C and C++: ctest, GoogleTest, Catch2, doctest.

use super::lines::{NONE, counts, of_total, pair, pairs, sum, total_of};
use crate::evidence::numbers::TestCounts;

/// `67% tests passed, 1 tests failed out of 3`, then the tests that did not run.
pub(super) fn ctest(lines: &[&str]) -> Option<TestCounts> {
    let mut said = sum(lines.iter().filter_map(|line| {
        if *line == "No tests were found!!!" {
            return Some(NONE);
        }
        let (_, rest) = line.split_once("% tests passed, ")?;
        let (failed, total) =
            rest.split_once(" tests failed out of ").or_else(|| rest.split_once(" test failed out of "))?;
        let (failed, total) = (failed.parse::<u64>().ok()?, total.trim().parse::<u64>().ok()?);
        Some(counts(total.saturating_sub(failed), failed, 0))
    }))?;
    // `3 - slow (Skipped)` is in the total, `4 - off (Disabled)` is not.
    let not_run = |line: &&&str| line.trim_start().starts_with(|c: char| c.is_ascii_digit()) && line.contains(" - ");
    for line in lines.iter().filter(not_run) {
        if line.ends_with("(Skipped)") {
            said = counts(said.passed.saturating_sub(1), said.failed, said.skipped.saturating_add(1));
        } else if line.ends_with("(Disabled)") {
            said.skipped = said.skipped.saturating_add(1);
        }
    }
    Some(said)
}

/// `[  PASSED  ] 3 tests.`, `[  FAILED  ] 1 test, listed below:`, `[  SKIPPED ] 1 test, …`, `YOU HAVE 1 DISABLED TEST`.
pub(super) fn gtest(lines: &[&str]) -> Option<TestCounts> {
    let ran = lines.iter().any(|line| line.starts_with("[==========] ") && line.contains(" ran."));
    let begun = lines.iter().any(|line| line.starts_with("[==========] Running "));
    (ran || begun).then_some(())?;
    let number = |line: &str, label: &str| {
        let (number, noun) = pair(line.strip_prefix(label)?)?;
        (noun.starts_with("test.") || noun.starts_with("tests.") || noun.contains("listed below")).then_some(number)
    };
    let said = sum(lines.iter().filter_map(|line| {
        let passed = number(line, "[  PASSED  ] ").map(|number| counts(number, 0, 0));
        let failed = || number(line, "[  FAILED  ] ").map(|number| counts(0, number, 0));
        let skipped = || number(line, "[  SKIPPED ] ").map(|number| counts(0, 0, number));
        let disabled = || {
            let (number, noun) = pair(line.trim().strip_prefix("YOU HAVE ")?)?;
            noun.starts_with("DISABLED TEST").then(|| counts(0, 0, number))
        };
        passed.or_else(failed).or_else(skipped).or_else(disabled)
    }));
    // It began and never said how it ended: a test ended the process.
    Some(if ran { said.unwrap_or(NONE) } else { said.unwrap_or(NONE).plus(counts(0, 1, 0)) })
}

/// Catch2's `test cases: 3 | 2 passed | 1 failed` and `All tests passed (5 assertions in 3 test cases)`, doctest's
/// `[doctest] test cases: 3 | 3 passed | 0 failed | 0 skipped`.
pub(super) fn catch2(lines: &[&str]) -> Option<TestCounts> {
    sum(lines.iter().filter_map(|line| {
        if let Some(rest) = line.strip_prefix("All tests passed (") {
            let (_, cases) = rest.strip_suffix(')')?.rsplit_once(" in ")?;
            let (number, noun) = pair(cases)?;
            return matches!(noun, "test case" | "test cases").then(|| counts(number, 0, 0));
        }
        if *line == "No tests ran" {
            return Some(NONE);
        }
        let line = line.strip_prefix("[doctest] ").unwrap_or(line);
        let (_, numbers) = line.strip_prefix("test cases:")?.split_once('|')?;
        let pairs = pairs(numbers, '|')?;
        Some(counts(
            total_of(&pairs, &["passed", "failed as expected"]),
            total_of(&pairs, &["failed"]),
            total_of(&pairs, &["skipped"]),
        ))
    }))
}

/// Lua's busted: `2 successes / 1 failure / 1 error / 1 pending : 0.01 seconds`.
pub(super) fn busted(lines: &[&str]) -> Option<TestCounts> {
    sum(lines.iter().filter_map(|line| {
        let (numbers, time) = line.rsplit_once(" : ")?;
        time.ends_with(" seconds").then_some(())?;
        let pairs = pairs(numbers, '/')?;
        matches!(pairs.first()?.1, "success" | "successes").then(|| {
            counts(
                pairs[0].0,
                total_of(&pairs, &["failure", "failures", "error", "errors"]),
                total_of(&pairs, &["pending"]),
            )
        })
    }))
}

/// Haskell's tasty and Zig: `All 3 tests passed (0.00s)`, `1 out of 3 tests failed (0.00s)`, `All 3 tests passed.`,
/// `1 passed; 0 skipped; 1 failed.`
pub(super) fn all_or_some(lines: &[&str]) -> Option<TestCounts> {
    sum(lines.iter().filter_map(|line| {
        let line = line.trim().trim_end_matches('.');
        let line = line.rsplit_once(" (").filter(|(_, time)| time.ends_with("s)")).map_or(line, |(line, _)| line);
        if let Some(rest) = line.strip_prefix("All ") {
            let (number, words) = pair(rest)?;
            return matches!(words, "tests passed" | "test passed").then(|| counts(number, 0, 0));
        }
        if let Some((failed, rest)) = line.split_once(" out of ") {
            let (total, words) = pair(rest)?;
            let failed = failed.parse().ok()?;
            return matches!(words, "tests failed" | "test failed").then(|| of_total(total, failed, 0));
        }
        let pairs = pairs(line, ';')?;
        matches!(pairs.as_slice(), [(_, "passed"), (_, "skipped"), (_, "failed")])
            .then(|| counts(pairs[0].0, pairs[2].0, pairs[1].0))
    }))
}
