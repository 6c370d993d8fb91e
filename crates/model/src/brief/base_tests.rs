//! Asks the reviewer about tests that stood in the base and that patches changed: only the reviewer can say that a
//! requirement asks for it, and without that word such a test blocks where it fails.

use std::fmt::Write as _;

use super::{BriefInput, LIST_MAX_BYTES, inline};
use crate::{evidence::restore, roster::Role};

/// Writes the section; nothing where no patch changed a test of the base.
pub(super) fn render(out: &mut String, input: &BriefInput<'_>) {
    if input.task.role != Role::Review {
        return;
    }
    let mut changed: Vec<String> = Vec::new();
    for upstream in &input.upstream {
        for change in upstream.patch.iter().flat_map(|patch| &patch.changes) {
            if change.old.is_some() && restore::belongs_to_tests(&change.path) {
                let what = if change.new.is_some() { "changed" } else { "removed" };
                changed.push(format!("- {} ({what} by task `{}`)\n", inline(&change.path), upstream.task.id));
            }
        }
    }
    if changed.is_empty() {
        return;
    }
    out.push_str(
        "\n## Tests of the base that patches changed\n\n\
         The base's own version of these files runs on the result as well. A test that fails there blocks, unless you confirm \
         that a requirement asks for the new behaviour. Compare both versions. For each test that rightly behaves \
         differently, report a finding with the severity `note` whose message has the full name of the test and the id \
         of the requirement, such as: `test_total` may change, because `feature-2` asks for tax. Whatever was weakened \
         without a requirement is a `blocking` finding with its path.\n\n",
    );
    let mut left = LIST_MAX_BYTES;
    for (at, entry) in changed.iter().enumerate() {
        if entry.len() > left {
            let _ = writeln!(out, "\n{} more did not fit into this brief.", changed.len() - at);
            return;
        }
        left -= entry.len();
        out.push_str(entry);
    }
}
