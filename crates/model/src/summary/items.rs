//! Every item of the plan, and what became of it in the run.

use super::{entry::Detail, index::RunIndex};
use crate::{
    plan::{Fate, PlanItem},
    report::ClaimStatus,
    text,
};

/// The most items that the fullest page lists; the hand-off has all.
const LISTED_MAX: usize = 2_000;

/// Writes the items, folded.
pub(super) fn render(page: &mut String, index: &RunIndex<'_>, detail: &Detail) {
    let items = &index.handoff.plan.items;
    if items.is_empty() {
        return;
    }
    let listed = if detail.shortened { detail.rows() } else { LISTED_MAX };
    page.push_str(&format!(
        "<details><summary>{} of the plan, one by one</summary>\n\n",
        text::count(items.len(), "item")
    ));
    page.push_str("| Line | Item | What became of it |\n| --- | --- | --- |\n");
    for item in items.iter().take(listed) {
        page.push_str(&format!(
            "| {} | {} | {} |\n",
            item.line,
            text::cell(&detail.sentence(&item.text)),
            text::cell(&detail.prose(&became(item, index)))
        ));
    }
    if items.len() > listed {
        page.push_str(&format!("\n… and {} more in the hand-off\n", items.len() - listed));
    }
    page.push_str("\n</details>\n\n");
}

/// Says what became of an item. Foreign text, for a page to escape.
pub(super) fn became(item: &PlanItem, index: &RunIndex<'_>) -> String {
    match &item.fate {
        Fate::Requirement { task, requirement } => {
            let record = index.handoff.tasks.iter().find(|record| record.id == *task);
            let outcome = record.map_or("did not run", |record| record.outcome.name());
            let claims = record.and_then(|record| record.last()?.report.as_ref()).map(|report| &report.requirements);
            let claim = claims.and_then(|claims| claims.iter().find(|claim| claim.id == *requirement));
            let said = match claim.map(|claim| claim.status) {
                Some(ClaimStatus::Done) => ", reports it done",
                Some(ClaimStatus::AlreadyDone) => ", reports that it was there already",
                Some(ClaimStatus::Partial) => ", reports it done in part",
                Some(ClaimStatus::NotDone) => ", reports it not done",
                None => ", does not report it",
            };
            format!("{requirement}: task {task} {outcome}{}", if record.is_some() { said } else { "" })
        }
        Fate::Criterion => "acceptance criterion, for people to tick".to_owned(),
        Fate::Command { gate } => format!("command of the gate {gate}"),
        Fate::Done => "ticked in the plan".to_owned(),
        Fate::Aside { reason, section } if section.is_empty() => format!("left aside: {}", reason.name()),
        Fate::Aside { reason, section } => format!("left aside: {} ({})", reason.name(), section),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{plan::Reason, summary::fixture};

    #[test]
    fn every_item_is_listed_with_what_became_of_it() {
        let mut handoff = fixture::complete();
        let task = handoff.plan.tasks[0].clone();
        let fates = [
            Fate::Requirement { task: task.id.clone(), requirement: task.requirements[0].id.clone() },
            Fate::Criterion,
            Fate::Done,
            Fate::Aside { reason: Reason::OutOfScope, section: "Later | <b>".to_owned() },
        ];
        let items =
            (1..).zip(fates).map(|(line, fate)| PlanItem { line, text: format!("item {line} | <script>"), fate });
        handoff.plan.items = items.collect();
        let mut page = String::new();
        render(&mut page, &RunIndex::new(&handoff), &Detail::FULL);
        for line in 1..=4 {
            assert!(page.contains(&format!("| {line} | item {line} ")), "{page}");
        }
        assert!(page.contains("passed, reports it done") && !page.contains("<script>"), "{page}");
        assert!(page.contains("left aside: out of scope (Later"), "{page}");
        let mut short = String::new();
        render(&mut short, &RunIndex::new(&handoff), &Detail::LEVELS[4]);
        assert!(short.contains("… and 2 more in the hand-off"), "{short}");
    }
}
