//! .NET: `dotnet test` in its three shapes.

use super::lines::{NONE, counts, labelled, labels, sum};
use crate::evidence::numbers::TestCounts;

/// `Passed!  - Failed: 0, Passed: 5, Skipped: 0, Total: 5, …` for each project, `Test summary: total: 5, failed: 0,
/// succeeded: 5, skipped: 0` over all of them, or `Total tests: 5` and lines below it.
pub(super) fn dotnet(lines: &[&str]) -> Option<TestCounts> {
    let summary = |line: &&str| {
        let said = labels(line.trim().strip_prefix("Test summary: ")?);
        let failed = labelled(&said, &["failed"])?;
        Some(counts(labelled(&said, &["succeeded"])?, failed, labelled(&said, &["skipped"]).unwrap_or(0)))
    };
    let project = |line: &&str| {
        let (verdict, numbers) = line.trim().split_once("! ")?;
        matches!(verdict, "Passed" | "Failed" | "Skipped").then_some(())?;
        let said = labels(numbers.trim_start().strip_prefix("- ")?);
        Some(counts(labelled(&said, &["Passed"])?, labelled(&said, &["Failed"])?, labelled(&said, &["Skipped"])?))
    };
    let block = |(at, line): (usize, &&str)| {
        line.trim().strip_prefix("Total tests: ")?.parse::<u64>().ok()?;
        let below: Vec<_> = lines[at + 1..].iter().take(3).map(|line| line.trim()).collect();
        let number = |label: &str| {
            below.iter().find_map(|line| line.strip_prefix(label)?.trim().parse::<u64>().ok()).unwrap_or(0)
        };
        Some(counts(number("Passed:"), number("Failed:"), number("Skipped:")))
    };
    // The platform of .NET 9 says it a line each: `  total: 5`, `  failed: 0`, `  succeeded: 5`, `  skipped: 0`.
    let platform = |(at, line): (usize, &&str)| {
        line.starts_with("Test run summary: ").then_some(())?;
        let below: Vec<_> = lines[at + 1..].iter().take(8).map(|line| line.trim()).collect();
        let number = |label: &str| below.iter().find_map(|line| line.strip_prefix(label)?.trim().parse::<u64>().ok());
        Some(counts(number("succeeded:")?, number("failed:")?, number("skipped:").unwrap_or(0)))
    };
    sum(lines.iter().filter_map(summary))
        .or_else(|| sum(lines.iter().enumerate().filter_map(platform)))
        .or_else(|| sum(lines.iter().filter_map(project)))
        .or_else(|| sum(lines.iter().enumerate().filter_map(block)))
        .or_else(|| lines.iter().any(|line| line.trim().starts_with("No test is available in ")).then_some(NONE))
}
