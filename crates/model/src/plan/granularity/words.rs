//! What the words of an item say against the subagent that the plan gives it to.

use crate::{
    plan::{
        domains,
        draft::{Owner, RequirementDraft, TaskDraft, Who},
        owners::Owners,
        shape::Rules,
        source::Problems,
    },
    text,
};

/// Takes what asks to write something out of the task of a subagent that may not, where the plan need not have been written
/// for us: "Unit tests for drift" in a section on verification. Returns what is left, and what was taken.
pub(super) fn without_written(
    mut task: TaskDraft,
    owners: &Owners<'_>,
    rules: Rules,
) -> (Option<TaskDraft>, Option<TaskDraft>) {
    let is_reader = task.who.as_ref().is_some_and(|who| !owners.writes(who));
    if !is_reader || !rules.may_be_foreign() {
        return (Some(task), None);
    }
    let (written, rest): (Vec<RequirementDraft>, Vec<RequirementDraft>) =
        std::mem::take(&mut task.requirements).into_iter().partition(|made| domains::asks_to_write(about(made)));
    task.requirements = rest;
    let Some(first) = written.first() else { return (Some(task), None) };
    let taken = TaskDraft {
        at: first.at,
        title: task.title.clone(),
        owner: Owner::Items,
        who: None,
        needs: task.needs.clone(),
        soft_needs: task.soft_needs.clone(),
        headings: task.headings.clone(),
        requirements: written,
        frame: task.frame,
        ..TaskDraft::default()
    };
    ((!task.requirements.is_empty()).then_some(task), Some(taken))
}

/// Returns the words of a requirement that say what is to be done.
pub(super) fn about(made: &RequirementDraft) -> &str {
    made.about.as_deref().unwrap_or(&made.text)
}

/// Tells where the words of an item, or of a line below it, ask for something in a place in which its subagent may change
/// nothing.
pub(super) fn warn_of_words(task: &TaskDraft, who: &Who, owners: &Owners<'_>, problems: &mut Problems<'_>) {
    for made in task.requirements.iter().filter(|made| !made.done && made.paths.is_empty()) {
        let lines = || std::iter::once(about(made)).chain(made.parts.iter().map(|part| part.text.as_str()));
        let found = lines().find_map(|line| Some((line, owners.denied_by_words(who, line)?)));
        if let Some((line, other)) = found {
            problems.warning(
                "place-of-another",
                made.at,
                format!("`{}` may change nothing where `{}` asks for it", who.name, text::truncate(line, 80)),
                format!("give it to `{other}` if it is that subagent's work: head it with its name or domain"),
            );
        }
    }
}
