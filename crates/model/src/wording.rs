//! Numbers and states in words, the same on every page.

use std::collections::BTreeMap;

use crate::{gate::TestCounts, ids::TaskId, patch::Patch, record::Outcome, text};

/// Says a duration for people: `850 ms`, `12.3 s`, `4 min 5 s`, `2 h 7 min`.
#[must_use]
pub fn duration(ms: u64) -> String {
    match ms {
        0..=999 => format!("{ms} ms"),
        // Whole tenths, rounded down, so that 59,990 ms does not become "60.0 s".
        1_000..=59_999 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        60_000..=3_599_999 => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
        _ => format!("{} h {} min", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}

/// Says an amount of micro-dollars as dollars, rounded down to cents, or more exactly below a dollar.
#[must_use]
pub fn dollars(micro: u64) -> String {
    if micro < 1_000_000 {
        format!("${}.{:04}", micro / 1_000_000, micro % 1_000_000 / 100)
    } else {
        format!("${}.{:02}", micro / 1_000_000, micro % 1_000_000 / 10_000)
    }
}

/// Says how much a patch changes: `3 files, +120 −4`.
#[must_use]
pub fn diffstat(patch: &Patch) -> String {
    let (added, removed) = patch.line_counts();
    format!("{}, {}", text::count(patch.changes.len(), "file"), lines(added, removed))
}

/// Says lines added and removed: `+120 −4`.
#[must_use]
pub fn lines(added: u64, removed: u64) -> String {
    format!("+{added} −{removed}")
}

/// Says how many tests there were: `42 passed, 0 failed, 1 skipped`.
#[must_use]
pub fn tests(counts: &TestCounts) -> String {
    format!("{} passed, {} failed, {} skipped", counts.passed, counts.failed, counts.skipped)
}

/// Joins `names` with commas; beyond `max` only counts the rest.
#[must_use]
pub fn listed<'a>(names: impl IntoIterator<Item = &'a TaskId>, max: usize) -> String {
    text::listed(names.into_iter().map(TaskId::as_str), max)
}

/// Counts outcomes in their order: `7 passed, 1 failed, 1 not run`.
#[must_use]
pub fn outcomes(outcomes: impl IntoIterator<Item = Outcome>) -> String {
    let mut counts: BTreeMap<Outcome, usize> = BTreeMap::new();
    for outcome in outcomes {
        *counts.entry(outcome).or_default() += 1;
    }
    counts.iter().map(|(outcome, n)| format!("{n} {}", outcome.name())).collect::<Vec<_>>().join(", ")
}

/// Returns the address of a page of the documents: whoever has the program alone has no folder `docs`.
#[must_use]
pub fn page(name: &str) -> String {
    format!("{}/blob/main/docs/{name}", env!("CARGO_PKG_REPOSITORY"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_naturally_at_every_size() {
        let said: Vec<_> = [0, 999, 1_000, 59_990, 60_000, 3_599_999, 3_600_000, 90_000_000].map(duration).into();
        assert_eq!(said, ["0 ms", "999 ms", "1.0 s", "59.9 s", "1 min 0 s", "59 min 59 s", "1 h 0 min", "25 h 0 min"]);
    }

    #[test]
    fn small_costs_keep_their_digits() {
        assert_eq!([dollars(0), dollars(123_456), dollars(12_345_678)], ["$0.0000", "$0.1234", "$12.34"]);
    }

    #[test]
    fn outcomes_are_counted_by_name() {
        let counted = outcomes([Outcome::NotRun, Outcome::Passed, Outcome::TimedOut, Outcome::Passed]);
        assert_eq!(counted, "2 passed, 1 timed out, 1 not run");
    }

    #[test]
    fn long_lists_of_names_are_counted() {
        let ids: Vec<_> = ["a", "b", "c"].map(|id| TaskId::new(id).unwrap()).into();
        assert_eq!(listed(&ids, 3), "a, b, c");
        assert_eq!(listed(&ids, 1), "a and 2 more");
    }
}
