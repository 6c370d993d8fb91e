use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::{
    config::SubagentConfig,
    ids::SubagentName,
    roster::Origin,
    schedule::testing::{Choices, id, plan, random_plan, roster, strings, subagent, task},
    scope::overlap,
};

fn schedule(plan: &Plan) -> Schedule {
    build(plan, &roster(), &Config::default(), &strings(&[".github/**"]), &[]).unwrap()
}

fn problems(plan: &Plan) -> String {
    let problems = build(plan, &roster(), &Config::default(), &strings(&[".github/**"]), &[]).unwrap_err();
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

/// One line a wave, and one for each pair that was serialised.
fn picture(schedule: &Schedule) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for wave in &schedule.waves {
        let tasks: Vec<&str> = wave.tasks.iter().map(TaskId::as_str).collect();
        writeln!(text, "{} {}: {}", wave.number, wave.phase.name(), tasks.join(" ")).unwrap();
    }
    for Serialised { first, then, because } in &schedule.serialised {
        writeln!(text, "{first} before {then}: {because}").unwrap();
    }
    text
}

fn all_eight() -> Vec<PlannedTask> {
    Role::ALL.into_iter().map(|role| task(TaskId::slug(role.title()).unwrap().as_str(), role)).collect()
}

#[test]
fn the_eight_run_in_the_order_of_the_design() {
    let schedule = schedule(&plan(all_eight()));
    insta::assert_snapshot!(picture(&schedule), @"
    1 foundation: infrastructure data-types
    2 core: feature cli
    3 quality: tests
    4 quality: review
    5 quality: validation
    6 readiness: deployment
    ");
    assert_eq!(schedule.not_needed, []);
    assert_eq!(schedule.concurrency, 8);
}

#[test]
fn the_quality_tasks_always_run_and_other_roles_only_when_planned() {
    let schedule = schedule(&plan([task("users", Role::Feature), task("review", Role::Feature)]));
    insta::assert_snapshot!(picture(&schedule), @"
    1 core: users
    2 core: review
    3 quality: tests
    4 quality: review-2
    5 quality: validation
    users before review: both may touch `**`
    ");
    assert_eq!(schedule.not_needed, [Role::Infrastructure, Role::DataTypes, Role::Cli, Role::Deployment]);
    let tests = schedule.task(&id("tests")).unwrap();
    assert!(!tests.planned && tests.title == "Tests" && tests.subagent.as_str() == "backend-unit-test-generator");
    assert!(schedule.task(&id("users")).unwrap().planned);
}

#[test]
fn several_tasks_of_a_step_all_come_before_the_next_step() {
    let schedule = schedule(&plan([
        task("v", Role::Validation),
        task("t1", Role::Tests).touching(&["tests/a/**"]),
        task("r", Role::Review),
        task("t2", Role::Tests).touching(&["tests/b/**"]),
    ]));
    insta::assert_snapshot!(picture(&schedule), @"
    1 quality: t1 t2
    2 quality: r
    3 quality: v
    ");
}

#[test]
fn a_plan_widens_the_parallelism_between_two_tasks() {
    let schedule = schedule(&plan([
        task("feature", Role::Feature),
        task("deployment", Role::Deployment).beside(&["validation"]),
        task("unit", Role::Tests).beside(&["review"]),
    ]));
    insta::assert_snapshot!(picture(&schedule), @"
    1 core: feature
    2 quality: unit review
    3 readiness: deployment validation
    ");
}

#[test]
fn needs_are_kept_within_a_phase_and_where_a_plan_lifted_the_order() {
    let schedule = schedule(&plan([
        task("cli", Role::Cli).needing(&["feature"]),
        task("feature", Role::Feature),
        task("smoke", Role::Validation).needing(&["deployment"]).beside(&["deployment"]),
        task("deployment", Role::Deployment),
    ]));
    insta::assert_snapshot!(picture(&schedule), @"
    1 core: feature
    2 core: cli
    3 quality: tests
    4 quality: review
    5 readiness: deployment
    6 quality: smoke
    ");
}

#[test]
fn tasks_that_may_touch_the_same_paths_run_one_after_the_other() {
    let schedule = schedule(&plan([
        task("users", Role::Feature).touching(&["src/api/**"]),
        task("orders", Role::Feature).touching(&["src/orders/**", "src/api/routes.py"]),
        task("mail", Role::Feature).touching(&["src/mail/"]),
        task("after-orders", Role::Feature).touching(&["src/x"]).needing(&["orders"]),
    ]));
    insta::assert_snapshot!(picture(&schedule), @"
    1 core: users mail
    2 core: orders
    3 core: after-orders
    4 quality: tests
    5 quality: review
    6 quality: validation
    users before orders: both may touch `src/api/routes.py`
    ");
}

#[test]
fn a_catch_all_leaves_the_specialists_of_its_phase_their_paths() {
    let given = plan([
        task("users", Role::Feature),
        task("commands", Role::Cli).touching(&["src/cli/**", "docs/cli.md"]),
        task("types", Role::DataTypes),
        task("precise", Role::Feature).touching(&["src/mail/**"]),
    ]);
    let schedule = schedule(&given);
    let users = &schedule.task(&id("users")).unwrap().scope;
    assert_eq!(users.allow, ["**"]);
    assert_eq!(
        users.deny[..],
        ["infra/**", "**/*.tf", "src/types/**", "deploy/**", ".github/**", "src/cli/**", "docs/cli.md"]
    );
    insta::assert_snapshot!(picture(&schedule), @"
    1 foundation: types
    2 core: users commands
    3 core: precise
    4 quality: tests
    5 quality: review
    6 quality: validation
    users before precise: both may touch `src/mail/**`
    ");
}

#[test]
fn touches_replace_what_the_role_allows_and_never_what_it_excludes() {
    let schedule = schedule(&plan([
        task("users", Role::Feature).touching(&["src/api/**"]),
        task("look", Role::Review).touching(&["src/**"]),
    ]));
    let users = schedule.task(&id("users")).unwrap();
    assert_eq!(users.scope.allow, ["src/api/**"]);
    assert_eq!(users.scope.deny[..], ["infra/**", "**/*.tf", "src/types/**", "deploy/**", ".github/**"]);
    let look = schedule.task(&id("look")).unwrap();
    assert_eq!((look.access, look.scope.allow.len()), (Access::ReadOnly, 0));
}

#[test]
fn limits_come_from_the_subagent_then_the_configuration_then_the_default() {
    let given = plan([task("feature", Role::Feature), task("cli", Role::Cli)]);
    let own = SubagentConfig { time_limit_minutes: Some(5), ..SubagentConfig::default() };
    let name = SubagentName::new(Role::Feature.builtin_name()).unwrap();
    let config = Config {
        subagents: BTreeMap::from([(name, own)]),
        time_limit_minutes: Some(u64::MAX),
        concurrency: Some(0),
        ..Config::default()
    };
    let schedule = build(&given, &roster(), &config, &[], &[]).unwrap();
    assert_eq!(schedule.task(&id("feature")).unwrap().time_limit_s, 300);
    assert_eq!(schedule.task(&id("cli")).unwrap().time_limit_s, u64::MAX);
    assert_eq!(schedule.concurrency, 1);
    assert_eq!(self::schedule(&given).task(&id("cli")).unwrap().time_limit_s, 3600);
}

#[test]
fn everything_that_is_wrong_is_said_in_one_go() {
    insta::assert_snapshot!(problems(&plan([
        task("feature", Role::Feature).needing(&["tests", "ghost", "fature"]),
        task("feature", Role::Cli),
        PlannedTask { subagent: SubagentName::new("backend-datatype").unwrap(), ..task("types", Role::DataTypes) },
        task("a", Role::Cli).needing(&["b", "types"]),
        task("b", Role::Cli).needing(&["a", "b"]).beside(&["nobody"]),
        task("paths", Role::Feature).touching(&["src/types/**", ".github/workflows/ci.yml", "src/[", "/abs", "src/ok/**"]),
        task("infra", Role::Infrastructure).touching(&["src/{a,b}/x.py"]),
    ])), @"
    plan.md:10:1: error[unknown-need]: `feature` needs `ghost`, which is no task of the plan
    plan.md:10:1: error[unknown-need]: `feature` needs `fature`, which is no task of the plan
      hint: did you mean `feature`?
    plan.md:10:1: error[needs-later-phase]: `feature` needs `tests`, which runs later: quality (tests) comes after core
      hint: the order is foundation, core, quality (tests, review, validation), readiness: drop the need, or give the work to a subagent of a later phase
    plan.md:20:1: error[duplicate-id]: there are two tasks `feature`
      hint: give one of them another id
    plan.md:30:1: error[unknown-subagent]: the roster has no subagent `backend-datatype`
      hint: did you mean `backend-datatypes`?
    plan.md:40:1: error[cycle]: tasks wait for each other: `a -> b -> a`
      hint: each needs the next: drop one of the needs
    plan.md:50:1: error[unknown-parallel-task]: `b` may run beside `nobody`, which is no task of the plan
    plan.md:60:1: error[touches-excluded]: `paths` may not touch `src/types/**`: `src/types/**` is excluded
      hint: these paths are `backend-datatypes`'s: give it a task of its own
    plan.md:60:1: error[touches-excluded]: `paths` may not touch `.github/workflows/ci.yml`: `.github/**` is excluded
      hint: these paths are protected: no subagent may touch them
    plan.md:60:1: error[invalid-glob]: `src/[` is not a glob for paths of a repository: a `[` has no `]`
      hint: `\\[` stands for the bracket itself
    plan.md:60:1: error[invalid-glob]: `/abs` is not a glob for paths of a repository: it begins with `/`
      hint: globs are relative to the root of the repository, such as `src/api/**`
    plan.md:70:1: error[touches-excluded]: `infra` may not touch `src/{a,b}/x.py`: `src/**` is excluded
      hint: these paths are `backend-feature-implementer`'s: give it a task of its own
    ");
}

#[test]
fn a_circle_through_needs_and_phases_is_named() {
    insta::assert_snapshot!(problems(&plan([
        task("infra", Role::Infrastructure).needing(&["deploy"]).beside(&["deploy"]),
        task("feature", Role::Feature),
        task("deploy", Role::Deployment),
    ])), @"
    plan.md:10:1: error[cycle]: tasks wait for each other: `infra -> deploy -> feature -> infra`
      hint: each comes after the next, by a need or by the order of the phases: drop one of the needs
    ");
}

#[test]
fn a_roster_with_gaps_or_broken_globs_is_reported() {
    let mut broken = subagent(Role::Feature, &["src/[a"], &["x//y"]);
    broken.origin = Origin::File(".claude/agents/feature.md".to_owned());
    let roster = Roster::new([broken, subagent(Role::Tests, &["tests/**"], &[])]);
    let problems =
        build(&plan([task("f", Role::Feature)]), &roster, &Config::default(), &strings(&["!x"]), &[]).unwrap_err();
    let problems: String = problems.iter().map(|problem| format!("{problem}\n")).collect();
    insta::assert_snapshot!(problems, @"
    .claude/agents/feature.md: error[invalid-glob]: scope of `backend-feature-implementer`: `src/[a` is not a glob for paths of a repository: a `[` has no `]`
      hint: `\\[` stands for the bracket itself
    .claude/agents/feature.md: error[invalid-glob]: scope of `backend-feature-implementer`: `x//y` is not a glob for paths of a repository: a name in it is empty
      hint: write one `/` between names, and none in front
    .github/backend-implementer.yml: error[invalid-glob]: protected paths: `!x` is not a glob for paths of a repository: it begins with `!`
      hint: a scope has a list of exclusions of its own; a name is `\\!name`
    plan.md: error[no-subagent]: the roster has no subagent for Review, which always runs
    plan.md: error[no-subagent]: the roster has no subagent for Validation, which always runs
    ");
}

#[test]
fn a_schedule_of_256_tasks_with_different_paths_is_built() {
    let globs: Vec<Vec<String>> =
        (0..256).map(|n| (0..30).map(|m| format!("src/part{}/dir{n}/**/file{m}*.py", m % 7)).collect()).collect();
    let tasks = globs
        .iter()
        .enumerate()
        .map(|(n, globs)| PlannedTask { touches: globs.clone(), ..task(&format!("t{n}"), Role::Feature) });
    let schedule = schedule(&plan(tasks));
    assert_eq!(schedule.waves[0].tasks.len(), 256);
    assert_eq!(schedule.serialised, []);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_schedule_keeps_every_promise(numbers in prop::collection::vec(any::<u16>(), 0..400), count in 0_usize..24) {
        let given = random_plan(&mut Choices(numbers.into_iter()), count);
        let built = build(&given, &roster(), &Config::default(), &strings(&[".github/**"]), &[]);
        prop_assert_eq!(&built, &build(&given, &roster(), &Config::default(), &strings(&[".github/**"]), &[]));
        // A need beside a lifted order can make a circle; nothing else can be wrong with these plans.
        let Ok(schedule) = built else {
            prop_assert!(built.unwrap_err().iter().all(|problem| problem.code == "cycle"));
            return Ok(());
        };

        let in_waves: Vec<&TaskId> = schedule.waves.iter().flat_map(|wave| &wave.tasks).collect();
        prop_assert_eq!(in_waves, schedule.tasks.iter().map(|task| &task.id).collect::<Vec<_>>());
        prop_assert!(given.tasks.iter().all(|task| schedule.task(&task.id).is_some()));
        prop_assert!(schedule.waves.iter().enumerate().all(|(at, wave)| wave.number == at + 1 && !wave.tasks.is_empty()));

        let waves = schedule.wave_of();
        let lifted = |a: &TaskId, b: &TaskId| given.tasks.iter().any(|task| {
            (&task.id == a && task.parallel_with.contains(b)) || (&task.id == b && task.parallel_with.contains(a))
        });
        for task in &schedule.tasks {
            prop_assert!(task.needs.iter().all(|need| waves[need] < waves[&task.id]));
            for other in &schedule.tasks {
                if other.phase() < task.phase() && !lifted(&task.id, &other.id) {
                    prop_assert!(waves[&other.id] < waves[&task.id], "{} before {}", other.id, task.id);
                }
                if task.id != other.id && waves[&task.id] == waves[&other.id] {
                    prop_assert_eq!(overlap(&task.scope, &other.scope), None);
                }
            }
        }
        for Serialised { first, then, .. } in &schedule.serialised {
            prop_assert!(waves[first] < waves[then]);
            let scope = |id| &schedule.task(id).unwrap().scope;
            prop_assert!(overlap(scope(first), scope(then)).is_some());
        }
    }

    #[test]
    fn any_plan_is_scheduled_or_refused(
        edges in prop::collection::vec((0_usize..6, 0_usize..7, any::<bool>()), 0..12),
        roles in prop::collection::vec(0_usize..8, 6),
    ) {
        let mut tasks: Vec<PlannedTask> =
            roles.iter().enumerate().map(|(n, role)| task(&format!("t{n}"), Role::ALL[*role])).collect();
        for (from, to, need) in edges {
            let to = id(&format!("t{to}"));
            if need { tasks[from].needs.push(to) } else { tasks[from].parallel_with.push(to) }
        }
        match build(&plan(tasks), &roster(), &Config::default(), &[], &[]) {
            Ok(schedule) => prop_assert!(schedule.tasks.len() >= 6),
            Err(problems) => prop_assert!(problems.iter().any(Diagnostic::is_error)),
        }
    }
}
