//! TAP, and prove, which runs programs that speak it.

use super::{
    javascript,
    lines::{counts, labelled, labels, sum},
};
use crate::evidence::numbers::TestCounts;

/// `1..3` and `ok 1 - name`, `not ok 2 - name`, `ok 3 # SKIP why`, unless a summary below says it again.
///
/// Tests of the plan that never came are failed, and so is one that bailed out.
pub(super) fn tap(lines: &[&str]) -> Option<TestCounts> {
    if javascript::node(lines).is_some() || !lines.iter().any(|line| plan(line).is_some()) {
        return None;
    }
    sum(lines.iter().filter_map(|line| {
        if plan(line).is_some() {
            let skipped = line.starts_with("1..0") && directive(line, "SKIP");
            return Some(counts(0, 0, u64::from(skipped)));
        }
        if line.starts_with("Bail out!") {
            return Some(counts(0, 1, 0));
        }
        let ok = result(line)?;
        Some(match (ok, directive(line, "SKIP") || (!ok && directive(line, "TODO"))) {
            (_, true) => counts(0, 0, 1),
            (true, false) => counts(1, 0, 0),
            (false, false) => counts(0, 1, 0),
        })
    }))
}

/// Tells of a plan of more tests than came.
pub(super) fn unfinished(lines: &[&str]) -> Option<String> {
    let planned = lines.iter().filter_map(|line| plan(line)).fold(0, u64::saturating_add);
    let came = lines.iter().filter(|line| result(line).is_some()).count();
    // Where prove is, the lines of TAP are only those that were asked for.
    let short = planned > u64::try_from(came).unwrap_or(u64::MAX) && prove(lines).is_none();
    short.then(|| format!("the TAP plan announced {planned} tests, and {came} came"))
}

fn plan(line: &str) -> Option<u64> {
    line.strip_prefix("1..")?.split(' ').next()?.parse().ok()
}

fn directive(line: &str, word: &str) -> bool {
    line.rsplit_once('#').is_some_and(|(_, rest)| rest.trim_start().to_ascii_uppercase().starts_with(word))
}

/// Tells whether a line is a result, and which.
fn result(line: &str) -> Option<bool> {
    let (ok, rest) = match line.strip_prefix("not ok") {
        Some(rest) => (false, rest),
        None => (true, line.strip_prefix("ok")?),
    };
    let number = rest.trim_start().split(' ').next()?;
    let numbered = number.is_empty() || number.bytes().all(|byte| byte.is_ascii_digit());
    // `ok  <tab>package` is Go's, and `ok | 3 passed` Deno's.
    ((rest.is_empty() || rest.starts_with(' ')) && !rest.contains('\t') && (numbered || rest.starts_with(" - ")))
        .then_some(ok)
}

/// `Files=2, Tests=5, …`, with `t/a.t (Wstat: 256 Tests: 4 Failed: 1)` above for each file that was not well.
pub(super) fn prove(lines: &[&str]) -> Option<TestCounts> {
    let total = sum(lines.iter().filter_map(|line| {
        line.starts_with("Files=").then_some(())?;
        Some(counts(labelled(&labels(line), &["Tests"])?, 0, 0))
    }))?;
    let mut failed = 0_u64;
    for line in lines.iter().filter(|line| line.contains(" (Wstat: ")) {
        let number = line.rsplit_once("Failed: ").and_then(|(_, rest)| rest.trim_end_matches(')').parse().ok());
        // A file that ended badly without a failed test is one failure.
        failed = failed.saturating_add(number.filter(|number| *number > 0_u64).unwrap_or(1));
    }
    let skipped = lines.iter().filter(|line| !line.contains("...")).filter_map(|line| {
        let (_, rest) = line.split_once("(less ")?;
        let (number, rest) = rest.split_once(' ')?;
        rest.starts_with("skipped subtest").then(|| number.parse::<u64>().ok())?
    });
    let skipped = skipped.fold(0, u64::saturating_add);
    Some(counts(total.passed.saturating_sub(failed).saturating_sub(skipped), failed, skipped))
}
