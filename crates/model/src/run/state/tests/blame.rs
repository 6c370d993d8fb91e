//! Seeded failures: whoever did nothing wrong is called once. The figure that the list of measures calls P16 is computed
//! here: calls of subagents that were not at fault over all calls.

use std::collections::BTreeMap;

use super::*;

/// Something that goes wrong, and what it leads to.
struct Seed {
    name: &'static str,
    /// Who is at fault: only they may be called more than once.
    at_fault: &'static [&'static str],
    /// The calls of each of them.
    calls: u32,
    /// What becomes of an attempt.
    spoil: fn(&AttemptPlan, &mut AttemptEnded),
    /// The gate that is red as long as `red_until` calls of the first at fault were not made, with its output.
    red: Option<(GateKind, &'static str)>,
    red_until: u32,
    /// What running the command on earlier commits shows.
    found: fn() -> Culprits,
}

fn nothing(_: &AttemptPlan, _: &mut AttemptEnded) {}

fn named(gate: GateKind, task: &str) -> Culprits {
    Culprits { named: [(gate, fixture::id(task))].into(), ..Culprits::default() }
}

fn fails(outcome: Outcome, task: &str, attempts: u32) -> impl Fn(&AttemptPlan, &mut AttemptEnded) {
    move |plan, ended| {
        if plan.id.task.as_str() == task && plan.id.attempt <= attempts {
            ended.attempt.outcome = outcome;
            ended.attempt.patch = None;
        }
    }
}

const CLEAN: Seed =
    Seed { name: "", at_fault: &[], calls: 0, spoil: nothing, red: None, red_until: 0, found: Culprits::default };

fn seeds() -> Vec<Seed> {
    let tests = |output| Some((GateKind::Tests, output));
    vec![
        Seed {
            name: "a crash once",
            at_fault: &["cli"],
            calls: 2,
            spoil: |plan, ended| fails(Outcome::Failed, "cli", 1)(plan, ended),
            ..CLEAN
        },
        Seed {
            name: "a crash for good, and red tests for want of it",
            at_fault: &["datatypes"],
            calls: 2,
            spoil: |plan, ended| fails(Outcome::Failed, "datatypes", 9)(plan, ended),
            red: tests("ModuleNotFoundError: No module named 'app.types'"),
            red_until: 9,
            found: || named(GateKind::Tests, "feature"),
        },
        Seed {
            name: "no report",
            at_fault: &["feature"],
            calls: 2,
            spoil: |plan, ended| fails(Outcome::Unreported, "feature", 1)(plan, ended),
            ..CLEAN
        },
        Seed {
            name: "nothing changed although it says so",
            at_fault: &["cli"],
            calls: 2,
            spoil: |plan, ended| fails(Outcome::Unproven, "cli", 9)(plan, ended),
            ..CLEAN
        },
        Seed {
            name: "a time limit, and red tests for want of the work",
            at_fault: &["feature"],
            calls: 1,
            spoil: |plan, ended| fails(Outcome::TimedOut, "feature", 9)(plan, ended),
            red: tests("AttributeError"),
            red_until: 9,
            found: || named(GateKind::Tests, "cli"),
        },
        Seed {
            name: "a bug that bisecting names",
            at_fault: &["cli"],
            calls: 2,
            red: tests("AssertionError: 2 != 3"),
            red_until: 2,
            found: || named(GateKind::Tests, "cli"),
            ..CLEAN
        },
        Seed {
            name: "a bug, and innocent files in its output",
            at_fault: &["cli"],
            calls: 2,
            red: tests("File \"src/users/patch.rs\", line 3"),
            red_until: 2,
            found: || named(GateKind::Tests, "cli"),
            ..CLEAN
        },
        Seed {
            name: "red on the base already",
            red: tests("AssertionError"),
            red_until: 9,
            found: || Culprits { red_on_base: [GateKind::Tests].into(), ..Culprits::default() },
            ..CLEAN
        },
        Seed { name: "red, and nothing names anybody", red: tests("exit"), red_until: 9, ..CLEAN },
        Seed {
            name: "a validation that is red and names nobody",
            red: Some((GateKind::Validation, "connection refused")),
            red_until: 9,
            ..CLEAN
        },
        Seed { name: "a program that is not there", red: tests("sh: 1: pytest: not found"), red_until: 9, ..CLEAN },
    ]
}

#[test]
fn whoever_did_nothing_wrong_is_called_once_whatever_others_do() {
    let (mut innocent, mut all) = (0, 0);
    for seed in seeds() {
        let mut play = Play::new(|_, _| {});
        let mut calls: BTreeMap<String, u32> = BTreeMap::new();
        for _ in 0..6 {
            let mut number = 0;
            play.pass_with(|plan, ended| {
                number += 1;
                // A review of a tree that changed is no blame.
                let is_blame = !plan.because.contains("a review counts for the tree");
                *calls.entry(plan.id.task.to_string()).or_default() += u32::from(is_blame);
                let writes = plan.task.access == Access::Writes && plan.id.attempt > 1;
                if let Some(patch) = ended.attempt.patch.as_mut().filter(|_| writes) {
                    patch.changes =
                        fixture::patch(&[(&format!("{}/{}.py", plan.id.task, plan.id.attempt), 1, 0)]).changes;
                }
                (seed.spoil)(plan, ended);
            });
            if play.is_over() {
                break;
            }
            let mended = seed.at_fault.first().is_some_and(|task| calls[*task] >= seed.red_until);
            match seed.red.filter(|_| !mended) {
                Some((gate, output)) => play.run_gates(&[gate], output),
                None => play.run_gates(&[], ""),
            }
            if play.is_over() {
                break;
            }
            assert_eq!(play.take(|action| matches!(action, Action::FindCulprits(_))).len(), 1, "{}", seed.name);
            let actions = play.run.culprits_found((seed.found)(), Happened::Now, play.now);
            play.want(actions);
        }
        assert!(play.is_over(), "{}", seed.name);
        for (task, number) in &calls {
            let is_at_fault = seed.at_fault.contains(&task.as_str());
            let expected = if is_at_fault { seed.calls } else { 1 };
            assert_eq!(*number, expected, "`{task}` after {}", seed.name);
            all += number;
            innocent += if is_at_fault { 0 } else { number - 1 };
        }
    }
    assert_eq!(innocent, 0, "of {all} calls");
}
