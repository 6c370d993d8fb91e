//! The JVM: Maven Surefire and Failsafe, the JUnit console, Gradle, sbt, ScalaTest.

use super::lines::{NONE, counts, labelled, labels, of_total, pair, pairs, sum, total_of};
use crate::evidence::numbers::TestCounts;

/// `Tests run: 3, Failures: 0, Errors: 0, Skipped: 1` at the end of a module. Each class says it before, with its time.
pub(super) fn surefire(lines: &[&str]) -> Option<TestCounts> {
    let of = |line: &str| {
        let rest = line.trim_start().strip_prefix("Tests run:")?;
        let said = labels(rest.split_once(',')?.1);
        // JUnit 4 alone has no skipped ones.
        let skipped = labelled(&said, &["Skipped"])?;
        let failed = labelled(&said, &["Failures", "Errors"])?;
        Some(of_total(rest.split(',').next()?.trim().parse().ok()?, failed, skipped))
    };
    let of_class = |line: &&&str| line.contains("Time elapsed:");
    let no_class = |line: &&&str| !of_class(line);
    sum(lines.iter().filter(no_class).filter_map(|line| of(line)))
        .or_else(|| sum(lines.iter().filter(of_class).filter_map(|line| of(line.split(", Time elapsed").next()?))))
        .or_else(|| lines.iter().any(|line| line.trim() == "No tests to run.").then_some(NONE))
}

/// `[ 3 tests successful ]`, `[ 1 tests failed ]`, `[ 1 tests skipped ]`.
pub(super) fn console(lines: &[&str]) -> Option<TestCounts> {
    sum(lines.iter().filter_map(|line| {
        let inside = line.trim().strip_prefix('[')?.strip_suffix(']')?;
        match pair(inside)? {
            (number, "tests successful") => Some(counts(number, 0, 0)),
            (number, "tests failed") => Some(counts(0, number, 0)),
            (number, "tests skipped" | "tests aborted") => Some(counts(0, 0, number)),
            _ => None,
        }
    }))
}

/// Gradle's `3 tests completed, 1 failed, 1 skipped`, which it says only when one failed, and what a plugin prints of
/// each test: `UsersTest > patches PASSED`.
pub(super) fn gradle(lines: &[&str]) -> Option<TestCounts> {
    let total = sum(lines.iter().filter_map(|line| {
        let pairs = pairs(line, ',')?;
        let (total, noun) = *pairs.first()?;
        matches!(noun, "test completed" | "tests completed")
            .then(|| of_total(total, total_of(&pairs, &["failed"]), total_of(&pairs, &["skipped"])))
    }));
    // The plugin test-logger: `SUCCESS: Executed 5 tests in 2.1s (1 skipped)`.
    let logged = || {
        sum(lines.iter().filter_map(|line| {
            let (verdict, rest) = line.trim().split_once(": Executed ")?;
            matches!(verdict, "SUCCESS" | "FAILURE").then_some(())?;
            let (total, rest) = rest.split_once(' ')?;
            (rest.starts_with("tests in ") || rest.starts_with("test in ")).then_some(())?;
            let inside = rest.split_once('(').map_or("", |(_, inside)| inside.trim_end_matches(')'));
            let pairs = pairs(inside, ',').unwrap_or_default();
            Some(of_total(total.parse().ok()?, total_of(&pairs, &["failed"]), total_of(&pairs, &["skipped"])))
        }))
    };
    total.or_else(logged).or_else(|| {
        sum(lines.iter().filter_map(|line| {
            let (test, verdict) = line.rsplit_once(' ')?;
            (test.contains(" > ") && !test.starts_with([' ', '>'])).then_some(())?;
            match verdict {
                "PASSED" => Some(counts(1, 0, 0)),
                "FAILED" => Some(counts(0, 1, 0)),
                "SKIPPED" => Some(counts(0, 0, 1)),
                _ => None,
            }
        }))
    })
}

/// `Passed: Total 5, Failed 0, Errors 0, Passed 5, Skipped 1`.
pub(super) fn sbt(lines: &[&str]) -> Option<TestCounts> {
    sum(lines.iter().filter_map(|line| {
        let (verdict, numbers) = line.trim().split_once(": Total ")?;
        matches!(verdict, "Passed" | "Failed" | "Error").then_some(())?;
        let mut parts = numbers.split(',').map(str::trim);
        parts.next()?.parse::<u64>().ok()?;
        let said: Vec<(&str, u64)> =
            parts.filter_map(|part| part.split_once(' ')).filter_map(|(l, n)| Some((l, n.parse().ok()?))).collect();
        let of = |names: &[&str]| labelled(&said, names).unwrap_or(0);
        let failed = of(&["Failed", "Errors"]);
        Some(counts(of(&["Passed"]), failed, of(&["Skipped", "Ignored", "Canceled", "Pending"])))
    }))
}

/// `Tests: succeeded 3, failed 1, canceled 0, ignored 1, pending 0`; munit and specs2 are counted by sbt.
pub(super) fn scalatest(lines: &[&str]) -> Option<TestCounts> {
    sum(lines.iter().filter_map(|line| {
        let numbers = line.trim().strip_prefix("Tests: succeeded ")?;
        let mut parts = numbers.split(',').map(str::trim);
        let succeeded = parts.next()?.parse().ok()?;
        let said: Vec<(&str, u64)> =
            parts.filter_map(|part| part.split_once(' ')).filter_map(|(l, n)| Some((l, n.parse().ok()?))).collect();
        let of = |names: &[&str]| labelled(&said, names).unwrap_or(0);
        Some(counts(succeeded, of(&["failed"]), of(&["canceled", "ignored", "pending"])))
    }))
}
