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
    specialist_for(&ledger, &basis, &fixture::id(blocked), specialist, "a *table*\nfor carts", |_| true)
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

/// A schedule with three tasks of the feature role beside `cli`, of which nothing has run.
fn three_features() -> Handoff {
    let mut handoff = fixture::minimal();
    let task = |id: &str, title: &str, items: &[&str]| Task {
        title: title.to_owned(),
        ..fixture::task(id, Role::Feature, items)
    };
    handoff.schedule.tasks = vec![
        task("feature", "Queue", &["The service keeps a queue for each tool"]),
        task(
            "feature-2",
            "HTTP API",
            &["`GET /tools/:id/queue` answers with the queue of a tool", "a route for loans"],
        ),
        task("feature-3", "Documentation", &["README.md describes the service and its queue"]),
        fixture::task("cli", Role::Cli, &["prints the queue of a running server"]),
    ];
    handoff.tasks.clear();
    handoff
}

#[test]
fn of_several_tasks_of_a_specialist_the_one_that_the_request_is_about_is_called() {
    let mut handoff = three_features();
    let feature = name(Role::Feature);
    let ask = |handoff: &Handoff, request: &str, can_begin: &dyn Fn(&Task) -> bool| {
        let found = specialist_for(
            &test_support::ledger(handoff),
            &basis(handoff),
            &fixture::id("cli"),
            &feature,
            request,
            can_begin,
        );
        found.map(|specialist| match specialist {
            Specialist::Scheduled(task) => task.to_string(),
            Specialist::Added(task) => panic!("{task:?}"),
        })
    };
    let request = "No route of the server gives a queue: src/app.js has only /tools and /loans.";
    assert_eq!(ask(&handoff, request, &|_| true).unwrap(), "feature-2");
    assert_eq!(ask(&handoff, request, &|task| task.id.as_str() != "feature-2").unwrap(), "feature", "it can begin");
    assert_eq!(ask(&handoff, "something else", &|_| true).unwrap(), "feature", "the first where nothing tells");
    handoff.escalations = vec![called("cli", &feature, Some("feature-2"))];
    assert_eq!(ask(&handoff, request, &|_| true).unwrap(), "feature", "another one, once");
    handoff.escalations.push(called("cli", &feature, Some("feature")));
    assert_eq!(ask(&handoff, request, &|_| true), Err(Refused::CalledBefore));
}

#[test]
fn whom_the_plan_lets_begin_only_after_the_blocked_task_is_not_called() {
    let mut handoff = three_features();
    handoff.schedule.tasks[3].needs = vec![fixture::id("feature-2")];
    handoff.schedule.tasks[1].needs = vec![fixture::id("feature-3")];
    let refused = find(&handoff, false, "feature-3", &name(Role::Cli)).unwrap_err();
    assert_eq!(refused, Refused::Waits { task: fixture::id("cli"), blocked: fixture::id("feature-3") });
    handoff.schedule.tasks[3].needs = vec![fixture::id("feature-3")];
    let refused = find(&handoff, false, "feature-3", &name(Role::Cli)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "its task `cli` runs only after `feature-3`, so that neither could begin; the plan says who needs whom with `Needs:`"
    );
}

#[test]
fn help_is_wanted_by_whoever_left_something_undone_and_says_whose() {
    let handoff = fixture::complete();
    let task = handoff.schedule.tasks[0].clone();
    let mut report = handoff.tasks[0].report().unwrap().clone();
    report.limitations = vec![Limitation { text: "the store".to_owned(), needs: Some(name(Role::Feature)) }];
    assert!(!wants_help(&task, &report), "everything is done");
    report.requirements[0].status = ClaimStatus::Partial;
    assert!(wants_help(&task, &report));
    assert!(!wants_help(&Task { access: Access::ReadOnly, ..task.clone() }, &report), "a reviewer objects");
    report.limitations[0].needs = None;
    assert!(!wants_help(&task, &report), "nobody is named");
}
