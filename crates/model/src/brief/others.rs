//! The rest of the plan: what surrounds a subagent's work, for it to know and not to do.

use std::{collections::BTreeSet, fmt::Write as _};

use super::{BriefInput, cut, line};
use crate::{ids::TaskId, plan::PlannedTask, roster::Role, schedule::Outcome};

/// The most bytes about what others do.
const OTHERS_MAX_BYTES: usize = 12 * 1024;

/// How much of each requirement is shown, in bytes: as much as lets all tasks fit.
const SHOWN: [usize; 4] = [600, 240, 120, 60];

/// How much of a title is shown, in bytes.
const TITLE_SHOWN: usize = 200;

/// What a line has around the text of the plan, in bytes: marks, and how much of the text was left out.
const OF_A_LINE: usize = 40;

/// The tasks whose work is in the work tree.
type Done<'a> = BTreeSet<&'a TaskId>;

/// Writes the section; nothing for a plan of one task.
pub(super) fn render(out: &mut String, input: &BriefInput<'_>) {
    // What the plan asks of all of the work the reviewer is told in a section of its own.
    let is_told = |task: &&PlannedTask| task.reviewed && input.task.role == Role::Review;
    let others = input.plan.tasks.iter().filter(|task| task.id != input.task.id && !is_told(task));
    let others: Vec<&PlannedTask> = others.collect();
    if others.is_empty() {
        return;
    }
    out.push_str(
        "\n## What others do\n\nThe rest of the plan, so that you know what surrounds your work; none of it is yours to do. What is \
         marked as done is in your work tree. The rest is made beside you or after you: build so that it fits, and do not make \
         it.\n\n",
    );
    let passed = input.upstream.iter().filter(|upstream| upstream.outcome == Outcome::Passed);
    let done: Done<'_> = passed.map(|upstream| &upstream.task.id).collect();
    if let Some(shown) = SHOWN.into_iter().find(|shown| room(&others, *shown) <= OTHERS_MAX_BYTES) {
        out.extend(others.iter().map(|task| entry(&done, task, shown)));
        return;
    }
    let begin = out.len();
    for (number, task) in others.iter().enumerate() {
        let heading = heading(&done, task);
        if out.len() - begin + heading.len() > OTHERS_MAX_BYTES {
            let _ = writeln!(out, "\n{} more did not fit into this brief.", others.len() - number);
            return;
        }
        out.push_str(&heading);
    }
}

/// Returns how many bytes the tasks take at most, with so much of each requirement: counted and not written, because a run of
/// many tasks has as many briefs.
fn room(others: &[&PlannedTask], shown: usize) -> usize {
    let cut = |text: &str, max: usize| text.len().min(max) + OF_A_LINE;
    let of_task = |task: &&PlannedTask| {
        let items = task.requirements.iter().map(|made| cut(&made.text, shown) + made.id.as_str().len());
        task.id.as_str().len() + cut(&task.title, TITLE_SHOWN) + items.sum::<usize>()
    };
    others.iter().map(of_task).sum()
}

fn entry(done: &Done<'_>, task: &PlannedTask, shown: usize) -> String {
    let items = task.requirements.iter().map(|made| format!("  - `{}` {}\n", made.id, line(&cut(&made.text, shown))));
    heading(done, task) + &items.collect::<String>()
}

fn heading(done: &Done<'_>, task: &PlannedTask) -> String {
    let done = if done.contains(&task.id) { " (done)" } else { "" };
    format!("- Task `{}`{done}: {}\n", task.id, line(&cut(&task.title, TITLE_SHOWN)))
}
