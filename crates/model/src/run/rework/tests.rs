use super::*;
use crate::{findings::Finding, handoff::Handoff, run::test_support, summary::fixture};

/// The complete run of the fixtures, with one gate red.
fn red(gate: GateKind, output: &str) -> Handoff {
    let mut handoff = fixture::complete();
    for receipt in handoff.gates.iter_mut().filter(|receipt| receipt.gate == gate) {
        receipt.state = GateState::Failed;
        receipt.reason = "1 of 1 command failed".to_owned();
        if let Some(command) = receipt.commands.first_mut() {
            command.exit_code = Some(1);
            command.output_tail = output.to_owned();
        }
    }
    handoff
}

fn chosen(handoff: &Handoff, round: u32, culprits: &[(GateKind, &str)], given_up: &[&str]) -> Calls {
    choose(&RedGates {
        round,
        ledger: &test_support::ledger(handoff),
        found: &Culprits {
            named: culprits.iter().map(|(gate, task)| (*gate, fixture::id(task))).collect(),
            ..Culprits::default()
        },
        base_is_the_work: false,
        tests_asked: false,
        reports_asked: &BTreeSet::new(),
        given_up: &given_up.iter().map(|task| fixture::id(task)).collect(),
    })
}

fn called(choice: &Calls) -> Vec<&str> {
    choice.calls.keys().map(TaskId::as_str).collect()
}

fn path_of(handoff: &Handoff, task: &str) -> String {
    let record = handoff.tasks.iter().find(|record| record.id.as_str() == task).unwrap();
    record.last().unwrap().patch.as_ref().unwrap().changes[0].path.clone()
}

#[test]
fn a_red_gate_goes_to_the_culprit_else_to_whom_the_output_names_else_to_nobody() {
    let handoff = red(GateKind::Tests, "assertion failed");
    let choice = chosen(&handoff, 1, &[(GateKind::Tests, "cli")], &[]);
    assert_eq!(called(&choice), ["cli"]);
    insta::assert_snapshot!(choice.calls[&fixture::id("cli")].0, @"the tests gate failed, and bisecting the patches names its patch as the first with which it fails");
    assert!(choice.calls[&fixture::id("cli")].1[0].text.contains("assertion failed"));
    assert!(called(&chosen(&handoff, 1, &[], &[])).is_empty(), "nothing names anybody");
    // Of new tests that fail nobody knows yet whether they are wrong: the one who made the features looks first.
    assert_eq!(called(&chosen(&handoff, 1, &[(GateKind::Tests, "tests")], &[])), ["feature"]);

    // A test that passed nowhere asks for something new, and is followed to its patch by name where it passed before.
    let chosen_for = |found: Culprits| {
        let (ledger, given_up) = (test_support::ledger(&handoff), BTreeSet::new());
        let (round, found, ledger) = (1, &found, &ledger);
        choose(&RedGates {
            round,
            ledger,
            found,
            base_is_the_work: false,
            tests_asked: false,
            reports_asked: &BTreeSet::new(),
            given_up: &given_up,
        })
    };
    let never = Culprits { never_passed: [GateKind::Tests].into(), ..Culprits::default() };
    assert_eq!(called(&chosen_for(never)), ["feature"]);
    let by_name = Culprits {
        named: [(GateKind::Tests, fixture::id("cli"))].into(),
        tests: [(GateKind::Tests, vec!["t.T.test_a".to_owned()])].into(),
        ..Culprits::default()
    };
    let because = chosen_for(by_name).calls[&fixture::id("cli")].0.clone();
    assert_eq!(because, "the tests gate failed, and `t.T.test_a` fails first with its patch");

    let named = path_of(&handoff, "datatypes");
    let handoff = red(GateKind::Tests, &format!("  File \"{named}\", line 3, in check"));
    assert_eq!(called(&chosen(&handoff, 1, &[], &[])), ["datatypes"]);
    // New tests that fail accuse nobody in the first round, and themselves as well in the second.
    assert_eq!(called(&chosen(&handoff, 1, &[(GateKind::Tests, "tests")], &[])), ["datatypes"]);
    assert_eq!(called(&chosen(&handoff, 2, &[], &[])), ["datatypes", "tests"]);
    assert!(called(&chosen(&handoff, 1, &[], &["datatypes"])).is_empty());
}

#[test]
fn two_whom_the_output_names_alike_are_both_left_alone() {
    let of = |task: &str| path_of(&fixture::complete(), task);
    let handoff = red(GateKind::Tests, &format!("{} and {}", of("datatypes"), of("feature")));
    assert!(called(&chosen(&handoff, 1, &[], &[])).is_empty());
}

/// Chooses in the first round, where no commit is known on which the tests pass.
fn chosen_without_a_culprit(handoff: &Handoff, found: &Culprits) -> Calls {
    choose(&RedGates {
        round: 1,
        ledger: &test_support::ledger(handoff),
        found,
        base_is_the_work: false,
        tests_asked: false,
        given_up: &BTreeSet::new(),
        reports_asked: &BTreeSet::new(),
    })
}

#[test]
fn where_nothing_could_be_loaded_before_other_evidence_decides() {
    let never = Culprits { never_passed: [GateKind::Tests].into(), ..Culprits::default() };
    let mut handoff = red(GateKind::Tests, "    ttl_test.go:50: ttl of more than a year: 201");
    let record = handoff.tasks.iter_mut().find(|record| record.id.as_str() == "cli").unwrap();
    let patch = record.attempts.last_mut().unwrap().patch.as_mut().unwrap();
    patch.changes = fixture::patch(&[("internal/httpapi/api.go", 1, 0)]).changes;
    let package = "example.com/internal/httpapi";
    let failing = crate::evidence::results::TestResult::new(
        "",
        &format!("{package}.TestTTLTooLarge"),
        crate::evidence::results::TestState::Failed,
    );
    let receipt = handoff.gates.iter_mut().find(|receipt| receipt.gate == GateKind::Tests).unwrap();
    receipt.commands[0].failing = vec![failing];
    let choice = chosen_without_a_culprit(&handoff, &never);
    assert_eq!(called(&choice), ["cli"]);
    let because = &choice.calls[&fixture::id("cli")].0;
    assert_eq!(
        *because,
        format!("the tests gate failed, and it alone changed the package of `{package}.TestTTLTooLarge`")
    );

    // What the author of the tests found says more than where the test stands.
    let feature = path_of(&handoff, "feature");
    let finding = Finding::about(&fixture::id("tests"), FindingCode::Reported, Weight::Blocking, "no upper limit");
    handoff.findings = vec![Finding { line: Some(53), ..finding.in_path(&feature) }];
    let choice = chosen_without_a_culprit(&handoff, &never);
    assert_eq!(called(&choice), ["feature"]);
    let (because, requests) = &choice.calls[&fixture::id("feature")];
    assert_eq!(
        *because,
        format!("the tests gate failed, and a blocking finding of tests names what it changed: `{feature}:53`")
    );
    assert_eq!(requests.len(), 2, "the output of the gate and the finding");
}

#[test]
fn one_of_several_suspects_is_blamed_only_where_other_evidence_names_it() {
    let of_two = |output: &str| {
        let handoff = red(GateKind::Tests, output);
        let suspects = ["datatypes", "cli"].map(fixture::id).into();
        let found = Culprits { undecided: [(GateKind::Tests, suspects)].into(), ..Culprits::default() };
        called(&chosen_without_a_culprit(&handoff, &found)).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let path = |task: &str| path_of(&fixture::complete(), task);
    assert_eq!(of_two("assert 2 == 3"), [""; 0], "nobody alone");
    assert_eq!(of_two(&format!("File \"{}\", line 3", path("datatypes"))), ["datatypes"]);
    assert_eq!(of_two(&format!("File \"{}\", line 3", path("feature"))), [""; 0], "it passed with that patch");
}

#[test]
fn nobody_is_blamed_for_what_is_red_on_the_base_unless_that_is_the_work() {
    let handoff = red(GateKind::Tests, &format!("File \"{}\"", path_of(&fixture::complete(), "feature")));
    let called_for = |base_is_the_work| {
        let found = Culprits { red_on_base: [GateKind::Tests].into(), ..Culprits::default() };
        let ledger = test_support::ledger(&handoff);
        let given_up = BTreeSet::new();
        let red = RedGates {
            round: 1,
            ledger: &ledger,
            found: &found,
            base_is_the_work,
            tests_asked: false,
            reports_asked: &BTreeSet::new(),
            given_up: &given_up,
        };
        choose(&red).calls.len()
    };
    assert_eq!((called_for(false), called_for(true)), (0, 1));
}

#[test]
fn nobody_is_blamed_while_work_of_the_product_is_missing() {
    let mut handoff = red(GateKind::Tests, "ModuleNotFoundError");
    assert_eq!(called(&chosen(&handoff, 1, &[(GateKind::Tests, "cli")], &[])), ["cli"]);
    for outcome in [Outcome::Failed, Outcome::TimedOut, Outcome::Conflicted, Outcome::OutOfScope, Outcome::Blocked] {
        handoff.tasks.iter_mut().find(|record| record.id.as_str() == "datatypes").unwrap().outcome = outcome;
        assert!(called(&chosen(&handoff, 1, &[(GateKind::Tests, "cli")], &[])).is_empty(), "{outcome:?}");
    }
}

#[test]
fn the_author_of_tests_hears_once_what_no_test_notices() {
    let mut handoff = fixture::complete();
    let finding = |code, task: &str| Finding::about(&fixture::id(task), code, Weight::Warning, "no test would notice");
    handoff.gates[0].evidence.findings =
        vec![finding(FindingCode::NothingProvesIt, "feature"), finding(FindingCode::MutantSurvived, "cli")];
    let choice = chosen(&handoff, 1, &[], &[]);
    assert_eq!(called(&choice), ["tests"]);
    assert_eq!(choice.calls[&fixture::id("tests")].1.len(), 2);
    assert!(choice.of_tests && choice.calls[&fixture::id("tests")].1[0].text.contains("task feature"));
    // Where proof is required the gate is red, and it is the author of tests all the same.
    handoff.gates[0].state = GateState::Failed;
    handoff.gates[0].evidence.findings[0].weight = Weight::Blocking;
    assert_eq!(called(&chosen(&handoff, 1, &[], &[])), ["tests"]);
}

#[test]
fn a_gate_that_is_red_for_want_of_a_count_blames_nobody_and_one_without_any_test_its_author() {
    let mut handoff = fixture::complete();
    let receipt = handoff.gates.iter_mut().find(|receipt| receipt.gate == GateKind::Tests).unwrap();
    receipt.state = GateState::Failed;
    receipt.commands[0].tests = None;
    let mut none = handoff.clone();
    let counts = crate::gate::TestCounts { passed: 0, failed: 0, skipped: 0, source: crate::gate::CountSource::Output };
    none.gates.iter_mut().find(|receipt| receipt.gate == GateKind::Tests).unwrap().commands[0].tests = Some(counts);
    assert!(called(&chosen(&handoff, 1, &[], &[])).is_empty());
    assert_eq!(called(&chosen(&none, 1, &[], &[])), ["tests"]);
}

#[test]
fn a_blocking_finding_goes_to_the_owner_of_its_path() {
    let mut handoff = fixture::complete();
    handoff.findings.clear();
    let mut finding = Finding::about(&fixture::id("review"), FindingCode::Reported, Weight::Blocking, "a secret");
    finding.path = Some(path_of(&handoff, "feature"));
    finding.line = Some(3);
    handoff.findings.push(finding.clone());
    let choice = chosen(&handoff, 1, &[], &[]);
    assert_eq!(called(&choice), ["feature"]);
    assert_eq!(choice.because.len(), 1);
    // A warning, a path of nobody, and another subagent's word call nobody.
    for change in [
        |finding: &mut Finding| finding.weight = Weight::Warning,
        |finding: &mut Finding| finding.path = Some("README".to_owned()),
        |finding: &mut Finding| finding.task = Some(fixture::id("cli")),
    ] {
        let mut other = handoff.clone();
        change(&mut other.findings[0]);
        assert!(called(&chosen(&other, 1, &[], &[])).is_empty());
    }
}

#[test]
fn nothing_is_called_again_when_everything_passed_or_no_command_could() {
    assert_eq!(chosen(&fixture::complete(), 1, &[], &[]).calls.len(), 0);
    let mut handoff = red(GateKind::Validation, "");
    for receipt in &mut handoff.gates {
        receipt.commands.clear();
    }
    assert!(called(&chosen(&handoff, 1, &[], &[])).is_empty());
}

#[test]
fn what_is_shown_of_an_output_is_bounded() {
    let long = "ä".repeat(OUTPUT_SHOWN) + "\nlast line";
    assert!(tail(&long).len() <= OUTPUT_SHOWN && tail(&long).ends_with("last line"));
    let choice = chosen(&red(GateKind::Tests, &"x\n".repeat(100_000)), 1, &[], &[]);
    let size: usize = choice.calls.values().flat_map(|(_, requests)| requests).map(|request| request.text.len()).sum();
    assert!(size < 2 * OUTPUT_SHOWN, "{size}");
}

#[test]
fn whoever_leaves_a_requirement_open_is_asked_once_with_what_is_wrong_with_its_report() {
    let mut handoff = fixture::complete();
    let finding =
        |weight, message: &str| Finding::about(&fixture::id("cli"), FindingCode::UncoveredRequirement, weight, message);
    handoff.findings = vec![finding(Weight::Warning, "R1 is not mentioned in the report")];
    assert!(called(&chosen(&handoff, 1, &[], &[])).is_empty(), "a warning keeps nothing open");
    let open = "R2 is reported as done already, with no path or test that shows it: it was there";
    handoff.findings.push(finding(Weight::Blocking, open));
    let choice = chosen(&handoff, 1, &[], &[]);
    assert_eq!(called(&choice), ["cli"]);
    let (because, requests) = &choice.calls[&fixture::id("cli")];
    assert_eq!(because, "its report leaves 1 requirement open");
    assert!(
        requests[0].text.contains(open) && requests[0].text.contains("R1 is not mentioned"),
        "{}",
        requests[0].text
    );
    assert!(requests[0].text.contains("with the `paths` where it is"), "{}", requests[0].text);
    assert_eq!(choice.of_reports, [fixture::id("cli")].into());

    let ledger = test_support::ledger(&handoff);
    let (found, given_up, reports_asked) = (Culprits::default(), BTreeSet::new(), choice.of_reports.clone());
    let red = RedGates {
        round: 2,
        ledger: &ledger,
        found: &found,
        base_is_the_work: false,
        tests_asked: false,
        reports_asked: &reports_asked,
        given_up: &given_up,
    };
    assert!(called(&choose(&red)).is_empty(), "it was asked before");

    let record = handoff.tasks.iter_mut().find(|record| record.id.as_str() == "cli").unwrap();
    let report = record.attempts.last_mut().unwrap().report.as_mut().unwrap();
    report.limitations.push(crate::report::Limitation {
        text: "the type is missing".to_owned(),
        needs: Some(crate::ids::SubagentName::new("backend-datatypes").unwrap()),
    });
    assert!(called(&chosen(&handoff, 1, &[], &[])).is_empty(), "somebody else has to act");
}
