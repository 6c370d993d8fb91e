use super::*;
use crate::{
    config::{WorkflowDispatch, WorkflowSubagent},
    ids::SubagentName,
    summary::fixture,
};

/// A schedule of waves, each of tasks with a role.
fn schedule(waves: &[&[(&str, Role)]]) -> Schedule {
    let mut schedule = fixture::complete().schedule;
    schedule.tasks =
        waves.iter().flat_map(|wave| wave.iter()).map(|(name, role)| fixture::task(name, *role, &[])).collect();
    let wave = |(at, tasks): (usize, &&[(&str, Role)])| crate::schedule::Wave {
        number: at + 1,
        phase: tasks[0].1.phase(),
        tasks: tasks.iter().map(|(name, _)| fixture::id(name)).collect(),
    };
    schedule.waves = waves.iter().enumerate().map(wave).collect();
    schedule
}

fn names(ahead: &Ahead) -> Vec<String> {
    ahead.waves.iter().map(|legs| legs.iter().map(|leg| leg.tasks.as_str()).collect::<Vec<_>>().join(" ")).collect()
}

/// What a plan for all eight subagents is like.
fn eight() -> Schedule {
    schedule(&[
        &[("infra", Role::Infrastructure), ("types", Role::DataTypes)],
        &[("feature", Role::Feature), ("cli", Role::Cli)],
        &[("tests", Role::Tests)],
        &[("review", Role::Review)],
        &[("validation", Role::Validation)],
        &[("deployment", Role::Deployment)],
    ])
}

#[test]
fn all_waves_of_eight_subagents_follow_each_other_and_the_review_comes_again() {
    let ahead = ahead(&eight(), &WorkflowConfig::default());
    assert_eq!(
        names(&ahead),
        ["infra#1 types#1", "feature#1 cli#1", "tests#1", "review#1", "validation#1", "deployment#1", "review#2"]
    );
    assert!(ahead.then_gates);
    assert!(names(&super::ahead(&schedule(&[]), &WorkflowConfig::default())).is_empty());
}

#[test]
fn a_review_after_which_nobody_writes_does_not_come_again() {
    let read_after =
        schedule(&[&[("feature", Role::Feature)], &[("review", Role::Review)], &[("check", Role::Validation)]]);
    assert_eq!(names(&ahead(&read_after, &WorkflowConfig::default())), ["feature#1", "review#1", "check#1"]);
    let beside = schedule(&[&[("feature", Role::Feature)], &[("tests", Role::Tests), ("review", Role::Review)]]);
    assert_eq!(names(&ahead(&beside, &WorkflowConfig::default())), ["feature#1", "tests#1 review#1", "review#2"]);
}

#[test]
fn what_would_be_too_much_has_a_job_between_the_waves() {
    // More waves than there is room for.
    let config = WorkflowConfig { waves: Some(3), ..WorkflowConfig::default() };
    let few = ahead(&eight(), &config);
    assert_eq!((few.waves.len(), few.then_gates), (3, false));
    // Every job of the second wave would download everything of the first.
    let ids: Vec<_> = (0..40).map(|at| format!("task-{at}")).collect();
    let all: Vec<_> = ids.iter().map(|id| (id.as_str(), Role::Feature)).collect();
    let wide = schedule(&[&all[..20], &all[20..]]);
    let config = WorkflowConfig { jobs_per_wave: Some(20), ..WorkflowConfig::default() };
    let ahead_of_wide = ahead(&wide, &config);
    assert_eq!(
        (ahead_of_wide.waves.len(), ahead_of_wide.then_gates),
        (1, false),
        "400 are more than {RESULTS_AHEAD_MAX}"
    );
    let config = WorkflowConfig { jobs_per_wave: Some(16), ..WorkflowConfig::default() };
    assert_eq!(ahead(&wide, &config).waves.len(), 2);
}

#[test]
fn what_workflows_of_their_own_do_is_settled_by_a_job() {
    let dispatch: WorkflowDispatch = serde_json::from_str(r#"{"workflow":"x.yml"}"#).unwrap();
    let special = WorkflowSubagent { dispatch: Some(dispatch), ..Default::default() };
    let config = |role: Role| {
        let name = SubagentName::new(role.builtin_name()).unwrap();
        let subagents = [(name, special.clone())].into();
        WorkflowConfig { subagents, ..WorkflowConfig::default() }
    };
    let validation = ahead(&eight(), &config(Role::Validation));
    assert_eq!((validation.waves.len(), validation.then_gates), (4, false));
    let infrastructure = ahead(&eight(), &config(Role::Infrastructure));
    assert_eq!((infrastructure.waves.len(), infrastructure.then_gates), (1, false));
}
