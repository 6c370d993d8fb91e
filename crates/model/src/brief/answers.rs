//! What the plan asks of all of the work, named to the reviewer so that each is answered.

use std::fmt::Write as _;

use super::{BriefInput, LIST_MAX_BYTES, cut, line};
use crate::{plan::Requirement, roster::Role};

/// Writes the section; nothing for anybody else, and where the plan asks nothing of all of the work.
pub(super) fn render(out: &mut String, input: &BriefInput<'_>) {
    let asked = input.plan.tasks.iter().filter(|task| task.reviewed).flat_map(|task| &task.requirements);
    let asked: Vec<&Requirement> = asked.filter(|made| !made.done).collect();
    if input.task.role != Role::Review || asked.is_empty() {
        return;
    }
    out.push_str(
        "\n## What you answer one by one\n\nThe plan asks these of all of the work. Answer each by its id under \
         `requirements` of your report: `done` where it holds, `partial` or `not-done` where it does not, and in `note` where \
         you saw it. Without an answer to each the review does not pass.\n\n",
    );
    let share = (LIST_MAX_BYTES / asked.len()).clamp(64, 1024);
    let mut left = LIST_MAX_BYTES;
    for (at, made) in asked.iter().enumerate() {
        let said = if made.detail.is_empty() { made.text.clone() } else { format!("{}: {}", made.text, made.detail) };
        let entry = format!("- `{}` {}\n", made.id, line(&cut(&said, share)));
        if entry.len() > left {
            let _ = writeln!(out, "\n{} more did not fit into this brief.", asked.len() - at);
            return;
        }
        left -= entry.len();
        out.push_str(&entry);
    }
}
