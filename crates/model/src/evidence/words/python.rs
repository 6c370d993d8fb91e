//! Python: unittest (nose2, green, Django), pytest (tox, nox), doctest, behave, Robot Framework.

use super::lines::{NONE, counts, is_duration, labelled, labels, of_total, pair, pairs, sum, total_of};
use crate::evidence::numbers::TestCounts;

/// `Ran 12 tests in 0.003s`, then `OK (skipped=3)`, `FAILED (failures=1, errors=2)` or `NO TESTS RAN`. An expected
/// failure is a test that did what it says.
pub(super) fn unittest(lines: &[&str]) -> Option<TestCounts> {
    sum(lines.iter().enumerate().filter_map(|(at, line)| {
        let (number, rest) = line.strip_prefix("Ran ")?.split_once(' ')?;
        // shunit2 tells no time.
        if !(rest.starts_with("test in ") || rest.starts_with("tests in ") || matches!(rest, "test." | "tests.")) {
            return None;
        }
        let verdict = lines[at + 1..].iter().find(|line| !line.is_empty()).copied().unwrap_or_default();
        let known = ["OK", "FAILED", "PASSED"].iter().any(|word| verdict.starts_with(word));
        let verdict = if known { verdict } else { "" };
        let said = labels(verdict.split_once('(').map_or("", |(_, inside)| inside));
        let of = |names: &[&str]| labelled(&said, names).unwrap_or(0);
        let failed = of(&["failures", "errors", "unexpected successes", "unexpected_successes"]);
        Some(of_total(number.parse().ok()?, failed, of(&["skipped", "skips"])))
    }))
}

/// `===== 1 failed, 3 passed, 2 skipped in 0.12s =====`, with or without the rules, or `no tests ran in 0.01s`.
/// What a test printed is shown below `Captured stdout call` and is no closing line.
pub(super) fn pytest(lines: &[&str]) -> Option<TestCounts> {
    let mut captured = false;
    let mut last = None;
    let all = sum(lines.iter().filter_map(|line| {
        let heading = line.trim_matches(['=', '_', '-', ' ']);
        if line.starts_with("---") && heading.starts_with("Captured ") {
            captured = true;
        } else if line.starts_with("___")
            || (line.starts_with("===")
                && matches!(heading, "short test summary info" | "FAILURES" | "ERRORS" | "PASSES"))
        {
            captured = false;
        }
        let said = pytest_line(line);
        if captured {
            last = said.or(last);
            return None;
        }
        said
    }));
    // Nothing ends what was captured where no summary follows, as under `-rP`: the last line is pytest's own.
    all.or(last)
}

fn pytest_line(line: &str) -> Option<TestCounts> {
    const PASSED: [&str; 3] = ["passed", "xpassed", "xfailed"];
    const FAILED: [&str; 4] = ["failed", "error", "errors", "subtests failed"];
    const OTHER: [&str; 8] = [
        "skipped",
        "deselected",
        "warning",
        "warnings",
        "rerun",
        "subtests passed",
        "subtests skipped",
        "snapshots passed",
    ];
    let (what, time) = line.trim_matches(['=', ' ']).rsplit_once(" in ")?;
    if !is_duration(time.split(' ').next()?) {
        return None;
    }
    if what == "no tests ran" {
        return Some(NONE);
    }
    // `no tests collected (3 deselected)`, `no tests collected, 1 error`.
    let what = what.strip_prefix("no tests collected").map_or(what, |rest| rest.trim_start_matches(", "));
    if what.is_empty() || what.starts_with(" (") {
        return Some(NONE);
    }
    let pairs = pairs(what, ',')?;
    let known = |word: &str| PASSED.contains(&word) || FAILED.contains(&word) || OTHER.contains(&word);
    let failed = total_of(&pairs, &FAILED).max(total_of(&pairs, &["failed", "error", "errors"]));
    // A word of a plugin adds nothing; a line without any word of pytest's own is another program's.
    let own = pairs.iter().any(|(_, word)| known(word));
    own.then(|| counts(total_of(&pairs, &PASSED), failed, total_of(&pairs, &["skipped"])))
}

/// `3 tests in 2 items.`, then `2 passed and 1 failed.`; without `-v` only failures are told:
/// `***Test Failed*** 1 failures.`
pub(super) fn doctest(lines: &[&str]) -> Option<TestCounts> {
    let closing = |line: &&str| {
        let line = line.strip_suffix('.')?;
        let (passed, failed) =
            line.split_once(" passed and ").or_else(|| Some((line.strip_suffix(" passed")?, "0 failed")))?;
        Some(counts(passed.parse().ok()?, failed.strip_suffix(" failed")?.parse().ok()?, 0))
    };
    let verbose = lines.iter().any(|line| {
        line.split_once(" in ").is_some_and(|(tests, items)| {
            pair(tests).is_some_and(|(_, word)| matches!(word, "test" | "tests"))
                && matches!(items.split_once(' '), Some((number, "items." | "item.")) if number.parse::<u64>().is_ok())
        })
    });
    let failures = |line: &&str| {
        let number = line.strip_prefix("***Test Failed*** ")?.split(' ').next()?;
        Some(counts(0, number.parse().ok()?, 0))
    };
    if verbose {
        return sum(lines.iter().filter_map(closing));
    }
    sum(lines.iter().filter_map(failures))
}

/// `3 scenarios passed, 1 failed, 0 skipped`, between the lines of features and steps.
pub(super) fn behave(lines: &[&str]) -> Option<TestCounts> {
    sum(lines.iter().filter_map(|line| {
        let pairs = pairs(line, ',')?;
        matches!(pairs.first()?, (_, "scenario passed" | "scenarios passed")).then(|| {
            let passed = pairs[0].0;
            let failed = total_of(&pairs, &["failed", "error", "errors", "undefined", "hook_error", "cleanup_error"]);
            counts(passed, failed, total_of(&pairs, &["skipped", "untested", "pending"]))
        })
    }))
}

/// `3 tests, 1 passed, 1 failed, 1 skipped`: once a suite, and last for all of them.
pub(super) fn robot(lines: &[&str]) -> Option<TestCounts> {
    let line = lines.iter().rev().find_map(|line| {
        let pairs = pairs(line, ',')?;
        let robot = matches!(pairs.first()?.1, "test" | "tests" | "task" | "tasks")
            && matches!(pairs.get(1)?.1, "passed")
            && matches!(pairs.get(2)?.1, "failed");
        robot.then_some(pairs)
    })?;
    Some(counts(total_of(&line, &["passed"]), total_of(&line, &["failed"]), total_of(&line, &["skipped"])))
}
