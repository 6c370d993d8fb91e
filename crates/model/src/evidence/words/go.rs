//! Go: `go test`, with and without `-v` and `-json`, and gotestsum.

use std::collections::BTreeSet;

use super::{
    super::formats,
    lines::{NONE, counts, of_total, pairs, sum, total_of},
};
use crate::evidence::numbers::{CountSource, TestCounts};

/// With `-v` the `--- PASS: TestName` lines of whole tests, not of their parts; without it, where only failures are
/// named, the packages: `ok`, a tab, the package, a tab, the time.
pub(super) fn go_test(lines: &[&str]) -> Option<TestCounts> {
    let verbose = lines.iter().any(|line| line.starts_with("=== RUN "));
    let mut begun = BTreeSet::new();
    sum(lines.iter().filter_map(|line| {
        if let Some(name) = line.strip_prefix("=== RUN ") {
            begun.insert(name.trim());
        }
        if verbose && line.starts_with("--- ") {
            let (verdict, name) = line.strip_prefix("--- ")?.split_once(": ")?;
            let name = name.split(' ').next()?;
            // A line that no test began is what a test printed.
            if !begun.contains(name) {
                return None;
            }
            return match verdict {
                "PASS" => Some(counts(1, 0, 0)),
                "FAIL" => Some(counts(0, 1, 0)),
                "SKIP" => Some(counts(0, 0, 1)),
                _ => None,
            };
        }
        if line.starts_with("?   \t") && line.ends_with("[no test files]") {
            return Some(NONE);
        }
        // Packages without tests, under `-cover`.
        if line.starts_with('\t') && line.ends_with("coverage: 0.0% of statements") {
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

/// One event a line. Its results are read as those of a file, but what a command prints is no file.
pub(super) fn json(lines: &[&str]) -> Option<TestCounts> {
    let events: Vec<_> =
        lines.iter().filter(|line| line.starts_with('{') && line.contains("\"Action\"")).copied().collect();
    if events.is_empty() {
        return None;
    }
    let results = formats::go_json(&events.join("\n")).ok()?;
    Some(TestCounts { source: CountSource::Output, ..results.counts() })
}

/// `DONE 12 tests, 1 skipped, 2 failures in 0.3s`.
pub(super) fn gotestsum(lines: &[&str]) -> Option<TestCounts> {
    sum(lines.iter().filter_map(|line| {
        let (what, _) = line.strip_prefix("DONE ")?.rsplit_once(" in ")?;
        // Runs again of failed tests: `DONE 2 runs, 13 tests, 1 failure`.
        let what = what.split_once(" runs, ").map_or(what, |(_, rest)| rest);
        let pairs = pairs(what, ',')?;
        let (total, noun) = *pairs.first()?;
        matches!(noun, "test" | "tests").then(|| {
            let failed = total_of(&pairs, &["failure", "failures", "error", "errors"]);
            of_total(total, failed, total_of(&pairs, &["skipped"]))
        })
    }))
    .or_else(|| {
        // Ginkgo: `Ran 3 of 4 Specs in 0.001 seconds`, `FAIL! -- 2 Passed | 1 Failed | 0 Pending | 1 Skipped`.
        sum(lines.iter().filter_map(|line| {
            let (verdict, numbers) = line.split_once("! -- ").or_else(|| line.split_once("!  -- "))?;
            matches!(verdict, "SUCCESS" | "FAIL").then_some(())?;
            let pairs = pairs(numbers, '|')?;
            Some(counts(
                total_of(&pairs, &["Passed"]),
                total_of(&pairs, &["Failed"]),
                total_of(&pairs, &["Pending", "Skipped"]),
            ))
        }))
    })
}
