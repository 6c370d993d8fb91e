//! Evidence that cannot be printed: what ends the run of the tests, hides them or empties them is found, and honest work
//! raises nothing.

use implementer_model::{
    evidence::proof::Outcome,
    findings::{Finding, FindingCode, Weight},
    gate::{CountSource, GateKind, GateState, Receipt},
    handoff::Status,
};
use serde_json::json;

use crate::support::{Bench, Ran};

const PLAN: &str = "# Cart\n\n## Feature\nTouches: shop.py\n- total\n\n## Testing\nTouches: test_*.py\n- test it\n\n\
                    ## Verification\n- tests: `python3 -m unittest`\n- validation: `git --version`\n";

const SHOP: &str = "def total(items):\n    return sum(items)\n";

/// A test of what the base has already.
const BASE_TEST: &str = "import unittest\n\nimport shop\n\n\nclass Base(unittest.TestCase):\n    def test_total(self):\n        \
                         self.assertEqual(shop.total([1, 2]), 3)\n";

/// The feature that is asked for, and a test that needs it.
const WITH_TAX: &str =
    "def total(items):\n    return sum(items)\n\n\ndef with_tax(items):\n    return total(items) * 1.5\n";
const TAX_TEST: &str = "import unittest\n\nimport shop\n\n\nclass Tax(unittest.TestCase):\n    def test_tax(self):\n        \
                        self.assertEqual(shop.with_tax([2]), 3.0)\n";

/// Another test of what the base has already.
const MORE_TEST: &str = "import unittest\n\nimport shop\n\n\nclass More(unittest.TestCase):\n    def test_more(self):\n        \
                         self.assertEqual(shop.total([4, 4]), 8)\n";

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write(".backend-implementer/plan.md", PLAN);
    let config = std::fs::read_to_string(bench.repo().join(".github/backend-implementer.yml")).unwrap();
    let config = config.replace("evidence: { revert-proof: false }\n", "");
    let scopes = "subagents:\n  backend-feature-implementer:\n    scope: ['**']\n    exclude: []\n  backend-unit-test-generator:\n    scope: ['test_*.py']\nrework-rounds: 0\n";
    bench.write(".github/backend-implementer.yml", &format!("{config}{scopes}"));
    bench.write("shop.py", SHOP);
    bench.write("test_base.py", BASE_TEST);
    bench.commit("a shop");
    bench
}

fn tests_gate(ran: &Ran) -> Receipt {
    ran.handoff().gates.into_iter().find(|receipt| receipt.gate == GateKind::Tests).expect("a receipt")
}

fn found(ran: &Ran, code: FindingCode) -> Vec<Finding> {
    ran.handoff().findings.into_iter().filter(|finding| finding.code == code).collect()
}

#[test]
fn honest_work_is_counted_from_a_file_proven_and_raises_nothing() {
    let bench = bench();
    bench.script(
        &json!({ "feature": { "write": { "shop.py": WITH_TAX } }, "tests": { "write": { "test_tax.py": TAX_TEST } } }),
    );
    let ran = bench.run([]).expect(0);
    let handoff = ran.handoff();
    assert_eq!(handoff.status, Status::Complete);
    let receipt = tests_gate(&ran);
    let counts = receipt.commands[0].tests.unwrap();
    assert_eq!((counts.passed, counts.source), (2, CountSource::Junit));
    assert_eq!(receipt.evidence.base.unwrap().passed, 1);
    let proof = receipt.evidence.proofs.iter().find(|proof| proof.task.as_str() == "feature").unwrap();
    assert!(
        matches!(&proof.outcome, Outcome::Proven { tests } if tests.iter().any(|test| test.contains("test_tax"))),
        "{proof:?}"
    );
    let loud: Vec<_> = handoff.findings.iter().filter(|finding| finding.weight != Weight::Note).collect();
    assert!(loud.is_empty(), "{loud:#?}");
}

#[test]
fn code_that_prints_the_closing_words_and_exits_is_red() {
    let bench = bench();
    let cheat = "import os\nimport sys\n\nsys.stderr.write('Ran 250 tests in 0.010s\\n\\nOK\\n')\nsys.stderr.flush()\nos._exit(0)\n";
    bench.script(
        &json!({ "feature": { "write": { "shop.py": cheat } }, "tests": { "write": { "test_tax.py": TAX_TEST } } }),
    );
    let ran = bench.run([]).expect(1);
    let receipt = tests_gate(&ran);
    assert_eq!(receipt.state, GateState::Failed, "{receipt:#?}");
    assert_eq!(receipt.commands[0].exit_code, Some(0), "it did exit well");
    assert_eq!(found(&ran, FindingCode::ExitInCode)[0].weight, Weight::Blocking);
    assert_eq!(found(&ran, FindingCode::ForgedResults).len(), 1);
}

#[test]
fn the_bases_own_tests_are_held_against_the_result_by_name() {
    let bench = bench();
    let broken = "def total(items):\n    return 0\n";
    let bent = BASE_TEST.replace("), 3)", "), 0)");
    bench.script(
        &json!({ "feature": { "write": { "shop.py": broken } }, "tests": { "write": { "test_base.py": bent } } }),
    );
    let ran = bench.run([]).expect(1);
    let red = found(&ran, FindingCode::BaseTestRed);
    assert_eq!(red.len(), 1, "{red:#?}");
    assert!(red[0].message.contains("test_total"), "{}", red[0].message);
    assert_eq!(
        (red[0].path.as_deref(), red[0].task.as_ref().map(implementer_model::ids::TaskId::as_str)),
        (Some("test_base.py"), Some("tests"))
    );
}

#[test]
fn a_test_that_vanishes_although_nobody_touched_it_blocks() {
    let bench = bench();
    // Unittest asks the module whether it wants to be loaded; the product says no for it.
    let cheat = format!(
        "{SHOP}\n\nimport unittest\n\nunittest.TestLoader.loadTestsFromModule = lambda *a, **k: unittest.TestSuite([unittest.FunctionTestCase(lambda: None)])\n"
    );
    bench.script(&json!({ "feature": { "write": { "shop.py": cheat } } }));
    let ran = bench.run([]).expect(1);
    let fewer = found(&ran, FindingCode::FewerTests);
    let tampered = found(&ran, FindingCode::TestsTampered);
    assert!(!fewer.is_empty() || !tampered.is_empty(), "{:#?}", ran.handoff().findings);
}

#[test]
fn work_that_no_test_notices_is_told_and_blocks_where_that_is_asked_for() {
    let bench = bench();
    bench.script(&json!({ "feature": { "write": { "shop.py": WITH_TAX } }, "tests": { "write": { "test_more.py": MORE_TEST } } }));
    let ran = bench.run([]).expect(0);
    let nothing = found(&ran, FindingCode::NothingProvesIt);
    assert_eq!((nothing.len(), nothing[0].weight), (1, Weight::Warning));
    let config = std::fs::read_to_string(bench.repo().join(".github/backend-implementer.yml")).unwrap();
    bench.write(".github/backend-implementer.yml", &format!("{config}evidence:\n  require-proof: true\n"));
    bench.commit("proof is required");
    std::fs::remove_dir_all(bench.path("out")).unwrap();
    let ran = bench.run([]).expect(1);
    assert_eq!(tests_gate(&ran).state, GateState::Failed);
}

#[test]
fn mutants_that_survive_are_named_with_their_line() {
    let bench = bench();
    let config = std::fs::read_to_string(bench.repo().join(".github/backend-implementer.yml")).unwrap();
    bench.write(".github/backend-implementer.yml", &format!("{config}evidence:\n  mutants: 5\n"));
    bench.commit("mutants");
    let feature = format!("{WITH_TAX}\n\ndef is_free(items):\n    return total(items) == 0\n");
    bench.script(
        &json!({ "feature": { "write": { "shop.py": feature } }, "tests": { "write": { "test_tax.py": TAX_TEST } } }),
    );
    let ran = bench.run([]).expect(0);
    let survived = found(&ran, FindingCode::MutantSurvived);
    assert!(
        survived.iter().any(|finding| finding.line == Some(10) && finding.path.as_deref() == Some("shop.py")),
        "{survived:#?}"
    );
}

#[test]
fn a_red_base_ends_the_run_before_more_is_paid_for() {
    let bench = bench();
    bench.write("test_base.py", &BASE_TEST.replace("), 3)", "), 4)"));
    bench.commit("a red base");
    // The subagent runs until it is stopped.
    bench.script(&json!({ "feature": { "hang": true } }));
    let ran = bench.run([]).expect(1);
    let red = found(&ran, FindingCode::RedBase);
    assert_eq!(red[0].weight, Weight::Blocking);
    assert!(red[0].message.contains("test_total"), "{}", red[0].message);
    assert_eq!(ran.handoff().status, Status::Incomplete);

    let made_green = SHOP.replace("sum(items)", "sum(items) + 1");
    let more = MORE_TEST.replace("), 8)", "), 9)");
    bench.script(
        &json!({ "feature": { "write": { "shop.py": made_green } }, "tests": { "write": { "test_more.py": more } } }),
    );
    std::fs::remove_dir_all(bench.path("out")).unwrap();
    let ran = bench.run(["--allow-red-base"]).expect(0);
    assert_eq!(found(&ran, FindingCode::RedBase)[0].weight, Weight::Warning);
}
