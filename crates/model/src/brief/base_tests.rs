//! Asks the reviewer about tests that stood in the base and that patches changed: only the reviewer can say that a
//! requirement asks for it, and without that word such a test blocks where it fails.

use std::fmt::Write as _;

use super::{BriefInput, LIST_MAX_BYTES, inline};
use crate::{
    evidence::restore,
    patch::{Change, Patch, changes_of},
    roster::Role,
};

/// Writes the section; nothing where no patch changed a test of the base.
pub(super) fn render(out: &mut String, input: &BriefInput<'_>) {
    if input.task.role != Role::Review {
        return;
    }
    // What one patch added and another changed is no test of the base; what one undid is not changed.
    let changes = changes_of(input.integrated.iter().map(|(_, patch)| *patch));
    let of_base = |change: &&Change| change.old.is_some() && change.old != change.new;
    let changes = changes.iter().filter(of_base).filter(|change| restore::belongs_to_tests(&change.path));
    let changed: Vec<String> = changes
        .map(|change| {
            let what = if change.new.is_some() { "changed" } else { "removed" };
            let touches = |patch: &Patch| patch.changes.iter().any(|other| other.path == change.path);
            let mut tasks: Vec<String> = Vec::new();
            for (task, _) in input.integrated.iter().filter(|(_, patch)| touches(patch)) {
                let task = format!("`{task}`");
                if !tasks.contains(&task) {
                    tasks.push(task);
                }
            }
            let word = if tasks.len() == 1 { "task" } else { "tasks" };
            format!("- {} ({what} by {word} {})\n", inline(&change.path), tasks.join(" and "))
        })
        .collect();
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
