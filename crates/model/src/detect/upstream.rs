//! A task that needs another's work and shows no sign of it.

use crate::{
    findings::{Finding, FindingCode, Weight},
    patch::Patch,
    schedule::Task,
};

/// The shortest name that tells anything.
const NAME_MIN: usize = 4;

/// Finds that neither what a task wrote nor what it reports names any file that a task which it needs has added.
/// `written` is the text of everything that it wrote and reported.
#[must_use]
pub fn ignored_upstream(task: &Task, need: &Task, added: &Patch, written: &str) -> Option<Finding> {
    let names: Vec<&str> = added
        .changes
        .iter()
        .filter(|change| change.old.is_none() && change.new.is_some())
        .filter_map(|change| change.path.rsplit('/').next()?.split('.').next())
        .filter(|name| name.len() >= NAME_MIN)
        .collect();
    if names.is_empty() || names.iter().any(|name| written.contains(name)) {
        return None;
    }
    let message = format!(
        "it needs `{}`, but neither its patch nor its report names anything that that added ({})",
        need.id,
        names.iter().take(4).copied().collect::<Vec<_>>().join(", ")
    );
    Some(Finding::about(&task.id, FindingCode::UpstreamIgnored, Weight::Note, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{roster::Role, summary::fixture};

    #[test]
    fn a_need_whose_files_are_never_named_is_noticed() {
        let (task, need) = (fixture::task("feature", Role::Feature, &[]), fixture::task("types", Role::DataTypes, &[]));
        let added = fixture::patch(&[("types/user_patch.py", 3, 0)]);
        assert_eq!(ignored_upstream(&task, &need, &added, "from types.user_patch import X"), None);
        let finding = ignored_upstream(&task, &need, &added, "nothing of it").unwrap();
        assert!(finding.message.contains("user_patch"), "{}", finding.message);
        // What was only changed, or is called too shortly, tells nothing.
        assert_eq!(ignored_upstream(&task, &need, &fixture::patch(&[("types/user_patch.py", 3, 1)]), ""), None);
        assert_eq!(ignored_upstream(&task, &need, &fixture::patch(&[("a.py", 3, 0)]), ""), None);
    }
}
