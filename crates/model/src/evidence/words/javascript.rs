//! JavaScript and TypeScript: jest, vitest, mocha, ava, uvu, node's runner and tape, bun, deno, Playwright, Cypress,
//! karma, cucumber.

use super::lines::{NONE, Pair, counts, is_duration, pair, pairs, sum, total_of, without_parentheses};
use crate::evidence::numbers::TestCounts;

/// `Tests:       1 failed, 2 skipped, 3 passed, 6 total`.
pub(super) fn jest(lines: &[&str]) -> Option<TestCounts> {
    let empty = lines.iter().any(|line| line.starts_with("No tests found, exiting with code"));
    // A suite that could not be loaded has no tests to count, and is red.
    let broken = |at: usize| {
        let suites = lines[..at].iter().rev().take(3).find_map(|line| line.trim_start().strip_prefix("Test Suites:"));
        suites.and_then(|suites| pairs(suites, ',')).map_or(0, |suites| total_of(&suites, &["failed"]))
    };
    sum(lines.iter().enumerate().filter_map(|(at, line)| {
        let pairs = pairs(line.trim_start().strip_prefix("Tests:")?, ',')?;
        pairs.iter().any(|(_, word)| *word == "total").then(|| {
            let failed = total_of(&pairs, &["failed"]);
            counts(
                total_of(&pairs, &["passed"]),
                if failed == 0 { broken(at) } else { failed },
                total_of(&pairs, &["skipped", "todo", "pending"]),
            )
        })
    }))
    .or(empty.then_some(NONE))
}

/// `Tests  1 failed | 3 passed | 1 skipped (5)`, or `No test files found`.
pub(super) fn vitest(lines: &[&str]) -> Option<TestCounts> {
    let files = |at: usize| {
        let files = lines[..at].iter().rev().take(2).find_map(|line| line.trim().strip_prefix("Test Files "));
        let files = files.and_then(|files| pairs(files.rsplit_once(" (")?.0, '|'));
        files.map_or(0, |files| total_of(&files, &["failed"]))
    };
    sum(lines.iter().enumerate().filter_map(|(at, line)| {
        let line = line.trim();
        // Files that could not be loaded have no tests to count, and are red.
        if line.strip_prefix("Tests ").is_some_and(|rest| rest.trim() == "no tests") {
            return Some(counts(0, files(at), 0));
        }
        if line.starts_with("No test files found, exiting with code") {
            return Some(NONE);
        }
        let (numbers, total) = line.strip_prefix("Tests ")?.rsplit_once(" (")?;
        total.strip_suffix(')')?.parse::<u64>().ok()?;
        let pairs = pairs(numbers, '|')?;
        // Errors outside of tests stand below.
        let errors = lines[at + 1..].iter().take(2).find_map(|line| line.trim().strip_prefix("Errors "));
        let errors = errors.and_then(pair).map_or(0, |(number, _)| number);
        let failed = total_of(&pairs, &["failed"]);
        let failed = if failed == 0 { files(at) } else { failed };
        Some(counts(
            total_of(&pairs, &["passed", "expected fail"]),
            failed.saturating_add(errors),
            total_of(&pairs, &["skipped", "todo"]),
        ))
    }))
}

/// `3 passing (12ms)`, `1 pending`, `2 failing`, each on a line.
pub(super) fn mocha(lines: &[&str]) -> Option<TestCounts> {
    let seen = lines.iter().any(|line| mocha_line(line).is_some_and(|(_, word)| word == "passing"));
    let numbers = lines.iter().filter_map(|line| mocha_line(line)).filter(|_| seen);
    sum(numbers.map(|(number, word)| match word {
        "passing" => counts(number, 0, 0),
        "failing" => counts(0, number, 0),
        _ => counts(0, 0, number),
    }))
}

fn mocha_line(line: &str) -> Option<Pair<'_>> {
    let (number, rest) = line.trim().split_once(' ')?;
    let (word, time) = rest.split_once(' ').unwrap_or((rest, "()"));
    let known = matches!(word, "passing" | "pending" | "failing") && time.starts_with('(') && time.ends_with(')');
    Some((number.parse().ok()?, word)).filter(|_| known)
}

/// `3 tests passed`, `1 test failed`, `1 known failure`, `1 uncaught exception`, each on a line of its own.
pub(super) fn ava(lines: &[&str]) -> Option<TestCounts> {
    sum(lines.iter().filter_map(|line| {
        let (number, words) =
            pair(line).filter(|_| !line.starts_with(|c: char| c.is_ascii_digit() && line.contains(',')))?;
        let (noun, verdict) = words.split_once(' ')?;
        match (noun, verdict) {
            ("test" | "tests", "passed") | ("known", "failure" | "failures") => Some(counts(number, 0, 0)),
            ("test" | "tests" | "hook" | "hooks", "failed")
            | ("uncaught", "exception" | "exceptions")
            | ("unhandled", "rejection" | "rejections") => Some(counts(0, number, 0)),
            ("test" | "tests", "skipped" | "todo") => Some(counts(0, 0, number)),
            _ => None,
        }
    }))
}

/// `Total:     3`, `Passed:    2`, `Skipped:   1`: the total leaves skipped ones out.
pub(super) fn uvu(lines: &[&str]) -> Option<TestCounts> {
    sum(lines.iter().enumerate().filter_map(|(at, line)| {
        let number = |at: usize, label: &str| lines.get(at)?.trim().strip_prefix(label)?.trim().parse::<u64>().ok();
        line.trim().starts_with("Total:").then_some(())?;
        let (total, passed, skipped) = (number(at, "Total:")?, number(at + 1, "Passed:")?, number(at + 2, "Skipped:")?);
        Some(counts(passed, total.saturating_sub(passed), skipped))
    }))
}

/// `ℹ pass 3` (`# pass 3` as TAP) among `tests`, `fail`, `cancelled`, `skipped` and `todo`.
///
/// The block stands at the end, from `tests` on: what tests printed before has the same shape and does not count.
pub(super) fn node(lines: &[&str]) -> Option<TestCounts> {
    let last = lines.iter().rposition(|line| node_line(line).is_some_and(|(word, _)| word == "pass"))?;
    let begins = |line: &str| node_line(line).is_some_and(|(word, _)| word == "tests");
    let mut all = None;
    let mut at = 0;
    while let Some(from) = lines[at..=last].iter().position(|line| begins(line)).map(|from| at + from) {
        // A block is lines of this shape only.
        let to = lines[from..].iter().position(|line| node_line(line).is_none()).map_or(lines.len(), |to| from + to);
        let block = lines[from..to].iter().filter_map(|line| node_line(line));
        let block: Vec<_> = block.collect();
        if block.iter().any(|(word, _)| *word == "pass") {
            let of = |words: &[&str]| total_of(&block.iter().map(|(w, n)| (*n, *w)).collect::<Vec<_>>(), words);
            let counts = counts(of(&["pass"]), of(&["fail", "cancelled"]), of(&["skipped", "skip", "todo"]));
            let full = block.iter().any(|(word, _)| matches!(*word, "duration_ms" | "cancelled"));
            // A block with its duration is the runner's own end, and the only one of its process.
            all = match all {
                Some((sum, true)) if full => Some((TestCounts::plus(sum, counts), true)),
                Some((sum, was_full)) if was_full == full => Some((TestCounts::plus(sum, counts), full)),
                Some((sum, true)) => Some((sum, true)),
                _ => Some((counts, full)),
            };
        }
        at = to.max(from + 1);
        if at > last {
            break;
        }
    }
    // Without its duration it is what tape and others put below TAP, whose lines say more.
    let tap = lines.iter().any(|line| line.starts_with("1.."));
    all.filter(|(_, full)| *full || !tap).map(|(counts, _)| counts)
}

fn node_line(line: &str) -> Option<(&str, u64)> {
    let (word, number) = line.strip_prefix("ℹ ").or_else(|| line.strip_prefix("# "))?.split_once(' ')?;
    let number = number.trim();
    let known = matches!(
        word,
        "tests" | "suites" | "pass" | "fail" | "cancelled" | "skip" | "skipped" | "todo" | "duration_ms"
    );
    let number = if word == "duration_ms" { number.split('.').next()? } else { number };
    Some((word, number.parse().ok()?)).filter(|_| known)
}

/// ` 3 pass`, ` 1 skip`, ` 1 todo`, ` 2 fail`, then `Ran 7 tests across 2 files.`
pub(super) fn bun(lines: &[&str]) -> Option<TestCounts> {
    let end = |line: &&str| {
        let words = line.trim().strip_prefix("Ran ");
        words.is_some_and(|words| words.contains(" tests across ") || words.contains(" test across "))
    };
    lines.iter().any(end).then_some(())?;
    sum(lines.iter().filter_map(|line| {
        let (number, word) = pair(line)?;
        match word {
            "pass" => Some(counts(number, 0, 0)),
            "fail" | "error" | "errors" => Some(counts(0, number, 0)),
            "skip" | "todo" => Some(counts(0, 0, number)),
            _ => None,
        }
    }))
}

/// `ok | 3 passed (2 steps) | 0 failed | 1 ignored (12ms)`.
pub(super) fn deno(lines: &[&str]) -> Option<TestCounts> {
    sum(lines.iter().filter_map(|line| {
        let (verdict, numbers) = line.trim().split_once(" | ")?;
        matches!(verdict, "ok" | "FAILED").then_some(())?;
        let numbers = without_parentheses(numbers);
        let pairs = pairs(&numbers, '|')?;
        pairs.iter().any(|(_, word)| *word == "failed").then_some(())?;
        Some(counts(total_of(&pairs, &["passed"]), total_of(&pairs, &["failed"]), total_of(&pairs, &["ignored"])))
    }))
}

/// `  1 failed`, `  1 flaky`, `  2 skipped`, `  1 did not run`, `  3 passed (2.1s)`, each on a line of its own.
pub(super) fn playwright(lines: &[&str]) -> Option<TestCounts> {
    let line = |line: &str| -> Option<(u64, String, bool)> {
        let inside = line.strip_prefix("  ")?;
        let (number, rest) = inside.split_once(' ')?;
        let (word, time) = rest.split_once(" (").map_or((rest, None), |(word, time)| (word, time.strip_suffix(')')));
        Some((number.parse().ok()?, word.to_owned(), time.is_some_and(is_duration)))
    };
    let begins = |line: &&str| {
        let words = line.strip_prefix("Running ").and_then(|rest| rest.split_once(" using "));
        words.is_some_and(|(tests, workers)| tests.contains(" test") && workers.contains(" worker"))
    };
    let begun = lines.iter().any(begins);
    let closing = lines.iter().filter_map(|text| line(text)).any(|(_, word, timed)| word == "passed" && timed);
    (begun || closing).then_some(())?;
    let closing_words = lines.iter().filter_map(|text| line(text));
    sum(closing_words.filter_map(|(number, word, _)| match word.as_str() {
        // A flaky test failed, was tried again and passed.
        "passed" | "flaky" => Some(counts(number, 0, 0)),
        "failed" | "interrupted" | "timed out" => Some(counts(0, number, 0)),
        "skipped" | "did not run" => Some(counts(0, 0, number)),
        _ => None,
    }))
}

/// A box a spec: `│ Tests:        3 │`, `│ Passing:      2 │`, `│ Failing:      1 │`, …
pub(super) fn cypress(lines: &[&str]) -> Option<TestCounts> {
    let number = |line: &str, label: &str| {
        line.trim().strip_prefix('│')?.strip_suffix('│')?.trim().strip_prefix(label)?.trim().parse::<u64>().ok()
    };
    if !lines.iter().any(|line| number(line, "Passing:").is_some()) {
        return cypress_table(lines);
    }
    sum(lines.iter().filter_map(|line| {
        let passed = number(line, "Passing:").map(|number| counts(number, 0, 0));
        let failed = || number(line, "Failing:").map(|number| counts(0, number, 0));
        let skipped =
            || number(line, "Pending:").or_else(|| number(line, "Skipped:")).map(|number| counts(0, 0, number));
        passed.or_else(failed).or_else(skipped)
    }))
}

/// The last line of the table of all specs, where there are no boxes: `✔  All specs passed!  00:03  8  8  -  -  -`, with
/// tests, passing, failing, pending and skipped behind the time.
fn cypress_table(lines: &[&str]) -> Option<TestCounts> {
    let line = lines.iter().rev().find_map(|line| line.trim().strip_prefix(['✔', '✖']).map(str::trim_start))?;
    (line.starts_with("All specs passed!") || line.contains(" failed (")).then_some(())?;
    let numbers: Vec<u64> = line
        .split_whitespace()
        .rev()
        .take(5)
        .map_while(|word| if word == "-" { Some(0) } else { word.parse().ok() })
        .collect();
    let [skipped, pending, failing, passing, _] = numbers.as_slice() else { return None };
    Some(counts(*passing, *failing, pending.saturating_add(*skipped)))
}

/// `Chrome 120 (Linux): Executed 3 of 4 (1 FAILED) (skipped 1) (0.01 secs / 0.005 secs)`, written over again and again:
/// the last of each browser counts.
pub(super) fn karma(lines: &[&str]) -> Option<TestCounts> {
    let mut browsers: Vec<(&str, TestCounts)> = Vec::new();
    for line in lines {
        let Some((browser, rest)) = line.split_once(": Executed ") else { continue };
        let Some((executed, rest)) = rest.split_once(" of ") else { continue };
        let (Ok(executed), Some(total)) = (executed.parse::<u64>(), rest.split(' ').next()) else { continue };
        let Ok(total) = total.parse::<u64>() else { continue };
        let inside: Vec<&str> = rest.split(['(', ')']).map(str::trim).collect();
        let failed = inside.iter().find_map(|part| part.strip_suffix(" FAILED")?.parse::<u64>().ok()).unwrap_or(0);
        let skipped = inside.iter().find_map(|part| part.strip_prefix("skipped ")?.parse::<u64>().ok()).unwrap_or(0);
        let broke = ["ERROR", "DISCONNECTED"].iter().any(|word| rest.split([' ', '(']).any(|part| part == *word));
        // A browser that went away ran less than it should have.
        let lost = if broke { total.saturating_sub(executed).saturating_sub(skipped).max(1) } else { 0 };
        let counts = counts(executed.saturating_sub(failed), failed.saturating_add(lost), skipped);
        match browsers.iter_mut().find(|(name, _)| *name == browser) {
            Some((_, last)) => *last = counts,
            None => browsers.push((browser, counts)),
        }
    }
    sum(browsers.into_iter().map(|(_, counts)| counts))
}

/// `4 scenarios (1 failed, 1 undefined, 2 passed)`: cucumber of JavaScript, Ruby and the JVM.
pub(super) fn cucumber(lines: &[&str]) -> Option<TestCounts> {
    sum(lines.iter().filter_map(|line| {
        let (total, rest) = line.trim().split_once(' ')?;
        let total: u64 = total.parse().ok()?;
        let (noun, inside) =
            rest.split_once(" (").map_or((rest, None), |(noun, inside)| (noun, inside.strip_suffix(')')));
        matches!(noun, "scenario" | "scenarios" | "Scenarios" | "Scenario").then_some(())?;
        let Some(inside) = inside else { return (total == 0).then_some(NONE) };
        let pairs = pairs(inside, ',')?;
        Some(counts(
            total_of(&pairs, &["passed"]),
            total_of(&pairs, &["failed", "undefined", "ambiguous", "pending"]),
            total_of(&pairs, &["skipped"]),
        ))
    }))
    .or_else(|| {
        // WebdriverIO: `Spec Files:	 1 passed, 1 failed, 2 total (100% completed)` counts files and not tests.
        let files = lines.iter().filter_map(|line| line.trim().strip_prefix("Spec Files:"));
        sum(files.filter_map(|numbers| {
            let pairs = pairs(numbers.split('(').next()?, ',')?;
            Some(counts(total_of(&pairs, &["passed"]), total_of(&pairs, &["failed"]), total_of(&pairs, &["skipped"])))
        }))
    })
}
