//! The items of a plan in a preview: what each task is asked for, and what is left aside.

use crate::{
    plan::{Fate, Plan},
    schedule::Schedule,
    summary::entry::{self, Detail},
    text,
};

/// How many tasks have their requirements in the comment, which holds 65,536 characters.
const TASKS_UNFOLDED: usize = 24;

/// With more tasks than this, all of them are folded together.
const TASKS_APART: usize = 8;

/// Lists the requirements of each planned task, and what is left aside, folded.
pub(super) fn write(page: &mut String, plan: &Plan, schedule: &Schedule) {
    let asked = schedule.tasks.iter().filter(|task| !task.requirements.is_empty());
    let count = asked.clone().count();
    if count > TASKS_APART {
        page.push_str(&format!("<details><summary>What is asked of {}</summary>\n\n", text::count(count, "task")));
    }
    for task in asked.take(TASKS_UNFOLDED) {
        page.push_str(&format!(
            "<details><summary>{}: {}</summary>\n\n",
            task.id,
            text::count(task.requirements.len(), "item")
        ));
        let lines: Vec<_> = task
            .requirements
            .iter()
            .map(|requirement| {
                let done = if requirement.done { " (done already)" } else { "" };
                format!(
                    "{} {}{done} (line {})",
                    text::code(requirement.id.as_str()),
                    Detail::OPEN.sentence(&text::truncate(&requirement.text, 300)),
                    requirement.line
                )
            })
            .collect();
        entry::list(page, "", &lines, &Detail::OPEN);
        page.push_str("\n</details>\n\n");
    }
    let more = count.saturating_sub(TASKS_UNFOLDED);
    if more > 0 {
        page.push_str(&format!(
            "The items of {} are left out here; the log has them.\n\n",
            text::count(more, "further task")
        ));
    }
    if count > TASKS_APART {
        page.push_str("</details>\n\n");
    }
    let aside = plan.items.iter().filter_map(|item| match &item.fate {
        Fate::Aside { reason, section } => Some(format!(
            "{} ({}: {}, line {})",
            Detail::OPEN.sentence(&text::truncate(&item.text, 200)),
            reason.name(),
            text::markdown(&text::truncate(section, 80)),
            item.line
        )),
        _ => None,
    });
    let aside: Vec<_> = aside.collect();
    if !aside.is_empty() {
        page.push_str(&format!("<details><summary>{} left aside</summary>\n\n", text::count(aside.len(), "item")));
        entry::list(page, "", &aside, &Detail::OPEN);
        page.push_str("\n</details>\n\n");
    }
}
