//! PHP: PHPUnit (and JUnit 4, which says it the same way) and Pest.

use super::lines::{NONE, counts, labelled, labels, of_total, pairs, sum, total_of, without_parentheses};
use crate::evidence::numbers::TestCounts;

/// `OK (3 tests, 5 assertions)`, `Tests: 3, Assertions: 5, Failures: 1, Skipped: 1.`, `No tests executed!`.
pub(super) fn phpunit(lines: &[&str]) -> Option<TestCounts> {
    sum(lines.iter().filter_map(|line| {
        if *line == "No tests executed!" {
            return Some(NONE);
        }
        if let Some(inside) = line.strip_prefix("OK (").and_then(|rest| rest.strip_suffix(')')) {
            let pairs = pairs(inside, ',')?;
            let (total, noun) = *pairs.first()?;
            return matches!(noun, "test" | "tests").then(|| counts(total, 0, 0));
        }
        // `Tests run: 3,  Failures: 1` is JUnit 4.
        let counted = line.starts_with("Tests: ") && line.contains(", Assertions: ");
        if !counted && !line.starts_with("Tests run: ") {
            return None;
        }
        if line.contains("Time elapsed:") || line.contains("Skipped:") && line.starts_with("Tests run: ") {
            return None;
        }
        let said = labels(line);
        let of = |names: &[&str]| labelled(&said, names).unwrap_or(0);
        let total = labelled(&said, &["Tests", "Tests run"])?;
        Some(of_total(total, of(&["Failures", "Errors"]), of(&["Skipped", "Incomplete"])))
    }))
}

/// `  Tests:    1 failed, 2 skipped, 3 passed (5 assertions)`.
pub(super) fn pest(lines: &[&str]) -> Option<TestCounts> {
    sum(lines.iter().filter_map(|line| {
        let numbers = line.trim_start().strip_prefix("Tests:")?;
        numbers.ends_with(" assertions)").then_some(()).or_else(|| numbers.ends_with(" assertion)").then_some(()))?;
        let numbers = without_parentheses(numbers);
        let pairs = pairs(&numbers, ',')?;
        let of = |words: &[&str]| total_of(&pairs, words);
        let passed = of(&["passed", "warning", "warnings", "risky", "deprecated", "notice", "notices"]);
        Some(counts(passed, of(&["failed"]), of(&["skipped", "todo", "todos", "incomplete"])))
    }))
}
