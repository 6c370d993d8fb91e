//! Swift, Dart and Flutter.

use super::lines::{counts, of_total, pairs, sum, total_of};
use crate::evidence::numbers::TestCounts;

/// XCTest's `Executed 5 tests, with 1 test skipped and 1 failure (0 unexpected) in 0.1 (0.2) seconds`, once a suite and
/// last for all of them, and Swift Testing's `Test run with 5 tests passed after 0.1 seconds.`
pub(super) fn swift(lines: &[&str]) -> Option<TestCounts> {
    let xctest = |line: &&str| {
        let (total, rest) = line.trim().strip_prefix("Executed ")?.split_once(' ')?;
        let rest = rest.strip_prefix("tests, with ").or_else(|| rest.strip_prefix("test, with "))?;
        let (what, _) = rest.split_once(" (")?;
        let what = what.replace(" and ", ",");
        let pairs = pairs(&what, ',')?;
        let failed = total_of(&pairs, &["failure", "failures"]);
        Some(of_total(total.parse().ok()?, failed, total_of(&pairs, &["test skipped", "tests skipped"])))
    };
    // A test may fail in several places, so that there are more failures than failed tests; cases are told one by one.
    let cases = |verdict: &str| {
        let ended = lines.iter().filter(|line| line.trim_start().starts_with("Test Case "));
        u64::try_from(ended.filter(|line| line.contains(verdict)).count()).unwrap_or(u64::MAX)
    };
    let by_case = counts(cases("' passed ("), cases("' failed ("), cases("' skipped ("));
    let last = lines.iter().rev().find_map(xctest);
    let xctest = last.map(|last| if by_case.executed() + by_case.skipped > 0 { by_case } else { last });
    let testing = sum(lines.iter().filter_map(|line| {
        let (_, rest) = line.split_once("Test run with ")?;
        let (total, rest) = rest.split_once(' ')?;
        let total: u64 = total.parse().ok()?;
        let failed_tests = lines.iter().filter(|line| {
            line.split_once("Test ").is_some_and(|(mark, rest)| {
                mark.trim().chars().count() == 1 && !rest.starts_with("run with ") && rest.contains(" failed after ")
            })
        });
        let skipped = lines.iter().filter(|line| line.contains("Test ") && line.contains(" skipped")).count();
        let failed = u64::try_from(failed_tests.count()).unwrap_or(u64::MAX);
        let failed = if rest.contains("failed after") { failed.max(1) } else { 0 };
        Some(of_total(total, failed, u64::try_from(skipped).unwrap_or(u64::MAX)))
    }));
    match (xctest, testing) {
        // `swift test` runs both, and says `Executed 0 tests` where there is none of the other.
        (Some(one), Some(other)) => Some(one.plus(other)),
        (one, other) => one.or(other),
    }
}

/// `00:03 +12 ~1 -2: Some tests failed.`, `00:03 +12: All tests passed!`: passed, skipped, failed.
pub(super) fn dart(lines: &[&str]) -> Option<TestCounts> {
    let ending = ["All tests passed!", "Some tests failed.", "All tests skipped."];
    sum(lines.iter().filter_map(|line| {
        let (numbers, end) = line.trim().split_once(": ")?;
        ending.contains(&end).then_some(())?;
        let mut words = numbers.split(' ');
        let time = words.next()?;
        (time.len() >= 5 && time.as_bytes().get(2) == Some(&b':')).then_some(())?;
        let mut said = counts(0, 0, 0);
        for word in words {
            let (sign, number) = word.split_at_checked(1)?;
            let number = number.parse().ok()?;
            match sign {
                "+" => said.passed = number,
                "~" => said.skipped = number,
                "-" => said.failed = number,
                _ => return None,
            }
        }
        Some(said)
    }))
    // `dart test --reporter=github` and `flutter test --reporter=github`: `🎉 3 tests passed.`
    .or_else(|| {
        sum(lines.iter().filter_map(|line| {
            let rest = line.strip_prefix("🎉 ").or_else(|| line.strip_prefix("::error::"))?;
            let pairs = pairs(rest.trim_end_matches('.'), ',')?;
            Some(counts(
                total_of(&pairs, &["test passed", "tests passed"]),
                total_of(&pairs, &["failed"]),
                total_of(&pairs, &["skipped"]),
            ))
        }))
    })
}
