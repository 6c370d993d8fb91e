//! The quality tasks that run although the plan does not have them, so that a plan can name them all the same.

use std::collections::HashSet;

use crate::{ids::TaskId, roster::Role};

/// Returns the role and id of each quality task that is added to a plan of tasks with these roles and ids, in the order in
/// which they run.
///
/// Its id is the name of its role, with a number behind it where a task of the plan has that id already.
#[must_use]
pub fn implied_tasks(roles: &HashSet<Role>, taken: &HashSet<TaskId>) -> Vec<(Role, TaskId)> {
    let missing = Role::ALL.into_iter().filter(|role| role.gate().is_some() && !roles.contains(role));
    let id = |role: Role| {
        // The names of roles are short task ids and begin differently, so one of these is free and stays so.
        let free = |n: usize| {
            let name = if n == 1 { role.name().to_owned() } else { format!("{}-{n}", role.name()) };
            TaskId::new(name).ok().filter(|id| !taken.contains(id))
        };
        (1..=taken.len() + 1).find_map(free)
    };
    missing.filter_map(|role| Some((role, id(role)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quality_roles_that_a_plan_lacks_are_implied_under_free_ids() {
        let id = |id: &str| TaskId::new(id).unwrap();
        let shown = |planned: &[(Role, TaskId)]| {
            let (roles, taken) = planned.iter().cloned().unzip();
            let implied = implied_tasks(&roles, &taken);
            implied.iter().map(|(role, id)| format!("{}={id}", role.name())).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(shown(&[]), "tests=tests review=review validation=validation");
        assert_eq!(shown(&[(Role::Tests, id("a")), (Role::Validation, id("tests"))]), "review=review");
        let taken = [(Role::Feature, id("tests")), (Role::Cli, id("tests-2")), (Role::Cli, id("review"))];
        assert_eq!(shown(&taken), "tests=tests-3 review=review-2 validation=validation");
    }
}
