//! Numbers and labels in a line.

use crate::evidence::numbers::{CountSource, TestCounts};

/// A run of no test.
pub(super) const NONE: TestCounts = TestCounts { passed: 0, failed: 0, skipped: 0, source: CountSource::Output };

pub(super) fn counts(passed: u64, failed: u64, skipped: u64) -> TestCounts {
    TestCounts { passed, failed, skipped, ..NONE }
}

/// Makes counts where a runner tells the total instead of what passed.
pub(super) fn of_total(total: u64, failed: u64, skipped: u64) -> TestCounts {
    counts(total.saturating_sub(failed).saturating_sub(skipped), failed, skipped)
}

pub(super) fn sum(all: impl Iterator<Item = TestCounts>) -> Option<TestCounts> {
    all.reduce(TestCounts::plus)
}

/// A number and the words behind it, such as 3 and `expected failures`.
pub(super) type Pair<'a> = (u64, &'a str);

/// Reads `3 failed, 12 passed` as pairs; `None` when a part does not begin with a number and a word.
pub(super) fn pairs(text: &str, separator: char) -> Option<Vec<Pair<'_>>> {
    text.split(separator).map(pair).collect()
}

/// Reads `3 failed` as a pair.
pub(super) fn pair(text: &str) -> Option<Pair<'_>> {
    let (number, word) = text.trim().split_once(char::is_whitespace)?;
    Some((number.parse().ok()?, word.trim()))
}

/// Adds the numbers in front of one of `words`, each matched whole.
pub(super) fn total_of(pairs: &[Pair<'_>], words: &[&str]) -> u64 {
    pairs.iter().filter(|(_, word)| words.contains(word)).fold(0, |sum, (number, _)| sum.saturating_add(*number))
}

/// Reads `Failures: 3, Skipped: 1` or `failures=3, expected failures=1` as labels with their numbers; parts of another
/// shape are left out.
pub(super) fn labels(text: &str) -> Vec<(&str, u64)> {
    let parts = text.split([',', '(', ')', ';']);
    parts
        .filter_map(|part| {
            let (label, number) = part.rsplit_once([':', '='])?;
            let digits = number.trim().trim_end_matches('.');
            Some((label.trim(), digits.parse().ok()?))
        })
        .collect()
}

/// Adds the numbers behind one of `names`, each label matched whole.
pub(super) fn labelled(labels: &[(&str, u64)], names: &[&str]) -> Option<u64> {
    let mut numbers = labels.iter().filter(|(label, _)| names.contains(label)).map(|(_, number)| *number).peekable();
    numbers.peek()?;
    Some(numbers.fold(0, u64::saturating_add))
}

/// Takes everything in parentheses out.
pub(super) fn without_parentheses(text: &str) -> String {
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

/// Tells whether a word is a duration, such as `0.12s`, `12ms` or `1m`.
pub(super) fn is_duration(word: &str) -> bool {
    let number = word.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == 'µ');
    number.len() < word.len() && number.starts_with(|c: char| c.is_ascii_digit()) && number.parse::<f64>().is_ok()
}
