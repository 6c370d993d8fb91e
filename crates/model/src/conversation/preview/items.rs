//! The items of a plan in a preview: what each task is asked for, and what is left aside.

use crate::{
    plan::{Fate, Plan},
    schedule::Schedule,
    summary::entry::{self, Detail},
    text,
};

/// How many tasks have their requirements in the comment, which holds 65,536 characters.
const TASKS_UNFOLDED: usize = 24;

/// Lists the requirements of each planned task, and what is left aside, folded.
pub(super) fn write(page: &mut String, plan: &Plan, schedule: &Schedule) {
    for task in schedule.tasks.iter().filter(|task| !task.requirements.is_empty()).take(TASKS_UNFOLDED) {
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
    let more = schedule.tasks.len().saturating_sub(TASKS_UNFOLDED);
    if more > 0 {
        page.push_str(&format!(
            "The items of {} are left out here; the log has them.\n\n",
            text::count(more, "further task")
        ));
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
