//! Rust: libtest (`cargo test`) and nextest.

use super::lines::{NONE, Pair, counts, pairs, sum, total_of, without_parentheses};
use crate::evidence::numbers::TestCounts;

/// One test binary in the output: what it said that it would run, and what it said at its end.
#[derive(Debug, Default)]
struct Binary {
    announced: Option<u64>,
    ended: Option<TestCounts>,
    /// Whether its end is of as many tests as its beginning.
    whole: bool,
}

/// `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s`, once a binary.
///
/// A binary begins with `running 3 tests`. Among several results the one of that number is its own, and the others are
/// what a test printed.
pub(super) fn libtest(lines: &[&str]) -> Option<TestCounts> {
    let binaries = binaries(lines);
    let ended = binaries.iter().filter_map(|binary| binary.ended);
    sum(ended)
}

/// Tells of a binary that began and never ended, or with the result of another number of tests: something ended its
/// process, and what stands there was printed by somebody else.
pub(super) fn unfinished(lines: &[&str]) -> Option<String> {
    let unfinished = binaries(lines).into_iter().find(|binary| !binary.whole)?;
    let number = unfinished.announced?;
    Some(format!("a test binary began with `running {number} tests` and ended without their result"))
}

fn binaries(lines: &[&str]) -> Vec<Binary> {
    let mut binaries: Vec<Binary> = Vec::new();
    // Within a run of nextest, binaries belong to it.
    let mut nextest = false;
    for line in lines {
        if line.trim_start().starts_with("Nextest run ID ") {
            nextest = true;
        } else if nextest_summary(line).is_some() {
            nextest = false;
        }
        if nextest {
            continue;
        }
        if let Some(number) = announced(line) {
            binaries.push(Binary { announced: Some(number), ended: None, whole: false });
            continue;
        }
        let Some(counts) = result(line) else { continue };
        let total = counts.passed.saturating_add(counts.failed).saturating_add(counts.skipped);
        match binaries.last_mut() {
            Some(open) if open.announced.is_some() => {
                if !open.whole {
                    open.ended = Some(counts);
                    open.whole = open.announced == Some(total);
                }
            }
            // Without a beginning: the end of a long output, or a runner that leaves it out.
            _ => binaries.push(Binary { announced: None, ended: Some(counts), whole: true }),
        }
    }
    binaries
}

fn announced(line: &str) -> Option<u64> {
    let (number, noun) = line.strip_prefix("running ")?.split_once(' ')?;
    matches!(noun, "test" | "tests").then_some(())?;
    number.parse().ok()
}

fn result(line: &str) -> Option<TestCounts> {
    let (_, numbers) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let numbers = numbers.split("; finished in").next()?;
    let pairs = pairs(numbers, ';')?;
    let of = |words: &[&str]| total_of(&pairs, words);
    Some(counts(of(&["passed", "measured"]), of(&["failed"]), of(&["ignored"])))
}

/// `Summary [   0.012s] 12 tests run: 11 passed (1 slow), 1 failed, 2 skipped`.
pub(super) fn nextest(lines: &[&str]) -> Option<TestCounts> {
    sum(lines.iter().filter_map(|line| {
        let numbers = without_parentheses(nextest_summary(line)?);
        let count = |pairs: Vec<Pair<'_>>| {
            let failed = total_of(&pairs, &["failed", "exec failed", "timed out"]);
            counts(total_of(&pairs, &["passed"]), failed, total_of(&pairs, &["skipped"]))
        };
        pairs(&numbers, ',').map(count).or(Some(NONE))
    }))
}

fn nextest_summary(line: &str) -> Option<&str> {
    let (_, rest) = line.trim_start().strip_prefix("Summary [")?.split_once(']')?;
    Some(rest.split_once(" tests run: ").or_else(|| rest.split_once(" test run: "))?.1)
}
