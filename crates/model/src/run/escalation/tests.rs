use super::*;
use crate::{
    handoff::Handoff,
    record::Escalation,
    report::Limitation,
    roster::Role,
    run::test_support::{self, basis},
    summary::fixture,
};

fn name(role: Role) -> SubagentName {
    SubagentName::new(role.builtin_name()).unwrap()
}

fn find(handoff: &Handoff, beyond: bool, blocked: &str, specialist: &SubagentName) -> Result<Specialist, Refused> {
    let mut basis = basis(handoff);
    basis.config.escalate_beyond_plan = beyond;
    let ledger = test_support::ledger(handoff);
    specialist_for(&ledger, &basis, &fixture::id(blocked), specialist, "a *table*\nfor carts")
}

fn called(blocked: &str, specialist: &SubagentName, task: Option<&str>) -> Escalation {
    Escalation {
        blocked: fixture::id(blocked),
        specialist: specialist.clone(),
        request: String::new(),
        called: task.map(fixture::id),
        refused: String::new(),
    }
}

#[test]
fn each_specialist_is_wanted_once_with_everything_that_it_is_needed_for() {
    let handoff = fixture::complete();
    let mut report = handoff.tasks[0].report().unwrap().clone();
    let limitation = |needs: Option<Role>, text: &str| Limitation { text: text.to_owned(), needs: needs.map(name) };
    report.limitations = vec![
        limitation(Some(Role::DataTypes), "a type"),
        limitation(None, "slow"),
        limitation(Some(Role::Infrastructure), "a queue"),
        limitation(Some(Role::DataTypes), "another type"),
    ];
    let wanted = wanted(&report);
    let expected = [(name(Role::DataTypes), "a type\nanother type"), (name(Role::Infrastructure), "a queue")];
    assert_eq!(wanted, expected.map(|(name, text)| (name, text.to_owned())));
}

#[test]
fn a_specialist_with_a_task_in_the_plan_is_called_in_it() {
    let handoff = fixture::complete();
    let found = find(&handoff, false, "feature", &name(Role::DataTypes));
    assert_eq!(found, Ok(Specialist::Scheduled(fixture::id("datatypes"))));
}

#[test]
fn who_is_unknown_or_blocked_itself_or_was_called_in_vain_is_not_called() {
    let mut handoff = fixture::complete();
    let unknown = SubagentName::new("nobody").unwrap();
    assert_eq!(find(&handoff, true, "feature", &unknown), Err(Refused::NotInRoster));
    assert_eq!(find(&handoff, true, "feature", &name(Role::Feature)), Err(Refused::Itself));
    let types = name(Role::DataTypes);
    handoff.escalations = vec![called("feature", &types, None)];
    assert!(find(&handoff, true, "feature", &types).is_ok(), "it was wanted before, and not called");
    handoff.escalations = vec![called("feature", &types, Some("datatypes"))];
    assert_eq!(find(&handoff, true, "feature", &types), Err(Refused::CalledBefore));
    assert!(find(&handoff, true, "cli", &types).is_ok(), "that was for another task");
}

#[test]
fn two_tasks_never_wait_for_one_another() {
    let mut handoff = fixture::complete();
    let (types, cli) = (name(Role::DataTypes), name(Role::Cli));
    // The types wait for the CLI, and the CLI waits for the feature.
    handoff.escalations =
        vec![called("datatypes", &cli, Some("cli")), called("cli", &name(Role::Feature), Some("feature"))];
    let waits = Refused::Waits { task: fixture::id("datatypes"), blocked: fixture::id("feature") };
    assert_eq!(find(&handoff, true, "feature", &types), Err(waits));
}

#[test]
fn beyond_the_plan_a_specialist_is_called_only_where_that_is_allowed() {
    let handoff = fixture::minimal();
    let role = handoff.schedule.not_needed[0];
    let blocked = handoff.schedule.tasks[0].id.as_str();
    assert_eq!(find(&handoff, false, blocked, &name(role)), Err(Refused::BeyondPlan));
    let Ok(Specialist::Added(task)) = find(&handoff, true, blocked, &name(role)) else { panic!("it is added") };
    assert_eq!((task.id.as_str(), task.subagent, task.planned), (role.name(), name(role), false));
    assert_eq!(task.requirements[0].text, "a *table* for carts", "one line");
    assert!(task.scope.deny.iter().any(|path| path.contains(".github")), "protected paths stay protected");
}

#[test]
fn an_id_that_is_taken_gets_a_number() {
    let mut handoff = fixture::minimal();
    let role = handoff.schedule.not_needed[0];
    let taken = Task { subagent: name(Role::Feature), ..fixture::task(role.name(), Role::Feature, &[]) };
    handoff.schedule.tasks.push(taken);
    let blocked = handoff.schedule.tasks[0].id.to_string();
    let Ok(Specialist::Added(task)) = find(&handoff, true, &blocked, &name(role)) else { panic!("it is added") };
    assert_eq!(task.id.as_str(), format!("{}-2", role.name()));
}
