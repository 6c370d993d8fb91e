//! Ruby (RSpec, minitest, test-unit), Elixir's mix, Jasmine and Bats: a total, then what was not well.

use super::lines::{counts, of_total, pairs, sum, total_of};
use crate::evidence::numbers::TestCounts;

/// `3 examples, 1 failure, 1 pending`, `3 runs, 5 assertions, 0 failures, 0 errors, 1 skips`, `3 tests, 0 failures`.
pub(super) fn counted_list(lines: &[&str]) -> Option<TestCounts> {
    const TOTAL: [&str; 9] = ["example", "examples", "spec", "specs", "test", "tests", "run", "runs", "tests run"];
    const FAILED: [&str; 5] = ["failure", "failures", "error", "errors", "invalid"];
    const OUTSIDE: [&str; 2] = ["error occurred outside of examples", "errors occurred outside of examples"];
    const SKIPPED: [&str; 10] = [
        "pending",
        "pendings",
        "skip",
        "skips",
        "skipped",
        "omission",
        "omissions",
        "pending spec",
        "pending specs",
        "excluded",
    ];
    let said: Vec<TestCounts> = lines
        .iter()
        .filter_map(|line| {
            let line = line.trim_end_matches('.');
            // `12 tests, 0 failures in 3 seconds`, as Bats counts the time since 1.5.
            let line =
                line.rsplit_once(" in ").filter(|(_, time)| time.ends_with("seconds")).map_or(line, |(line, _)| line);
            let mut pairs = pairs(line, ',')?;
            // ExUnit counts properties and doctests before the tests, each a test of its own.
            while pairs.len() > 1 && matches!(pairs[0].1, "doctest" | "doctests" | "property" | "properties") {
                let (number, _) = pairs.remove(0);
                pairs[0].0 = pairs[0].0.saturating_add(number);
            }
            let (total, noun) = *pairs.first()?;
            let failures = pairs.iter().any(|(_, word)| matches!(*word, "failure" | "failures"));
            (TOTAL.contains(&noun) && failures).then(|| {
                let inside = total_of(&pairs, &FAILED);
                let counts = of_total(total, inside, total_of(&pairs, &SKIPPED));
                TestCounts { failed: inside.saturating_add(total_of(&pairs, &OUTSIDE)), ..counts }
            })
        })
        .collect();
    // Where several processes each said how they ended, parallel_tests says the sum once more, and then how long it took.
    let took = lines.iter().any(|line| line.starts_with("Took ") && line.contains(" second"));
    let parts = said
        .split_last()
        .filter(|(last, parts)| took && parts.len() > 1 && sum(parts.iter().copied()).as_ref() == Some(*last));
    sum(parts.map_or(said.as_slice(), |(_, parts)| parts).iter().copied()).or_else(|| {
        // Rails and minitest with nothing to run.
        lines.contains(&"No examples found.").then(|| counts(0, 0, 0))
    })
}
