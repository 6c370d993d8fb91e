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

/// A report of the feature that says that its work is there already, shown by this.
fn done_already(shown: &serde_json::Value) -> serde_json::Value {
    let mut claim = json!({ "id": "feature-1", "status": "already-done", "note": "it is there" });
    claim.as_object_mut().unwrap().extend(shown.as_object().unwrap().clone());
    json!({ "feature": { "report": { "requirements": [claim] } }, "tests": { "write": { "test_more.py": MORE_TEST } } })
}

#[test]
fn work_that_is_there_already_passes_where_the_base_shows_it_and_not_on_a_word() {
    let shown = json!({ "paths": ["shop.py"], "tests": ["test_base.py::Base::test_total"] });
    for (claim, complete, why) in [
        (shown, true, ""),
        (json!({ "tests": ["test_nothing"] }), false, "no test `test_nothing` ran on the base"),
        (json!({ "paths": ["cart.py"] }), false, "the base has no `cart.py`"),
        (json!({}), false, "changed nothing"),
    ] {
        let bench = bench();
        bench.script(&done_already(&claim));
        let ran = bench.run([]).expect(i32::from(!complete));
        let handoff = ran.handoff();
        let feature = handoff.tasks.iter().find(|task| task.id.as_str() == "feature").unwrap();
        let found = found(&ran, FindingCode::NotAlreadyDone);
        if complete {
            assert!(feature.reason.starts_with("there was nothing to do"), "{}", feature.reason);
            assert!(
                ran.summary().contains("met before the run: `test_base.py::Base::test_total`, `shop.py`"),
                "{}",
                ran.summary()
            );
        }
        assert!(feature.reason.contains(why) || found.iter().any(|one| one.message.contains(why)), "{why}: {found:#?}");
        assert_eq!(found.len(), usize::from(why.contains("the base")), "{found:#?}");
    }
}

#[test]
fn evidence_costs_no_more_than_one_run_of_the_tests_for_each_task_that_writes() {
    let bench = bench();
    let features: String = (1..=7).map(|n| format!("## Feature {{#f{n}}}\nTouches: m{n}.py\n- m{n}\n\n")).collect();
    let verification = "## Verification\n- tests: `python3 -m unittest`\n- validation: `git --version`\n";
    bench.write(
        ".backend-implementer/plan.md",
        &format!("# Eight\n\n{features}## Testing\nTouches: test_*.py\n- test\n\n{verification}"),
    );
    bench.commit("eight tasks");
    let mut script = serde_json::Map::new();
    let mut test = "import unittest\n\n\nclass All(unittest.TestCase):\n".to_owned();
    for n in 1..=7 {
        script.insert(
            format!("f{n}"),
            json!({ "write": { format!("m{n}.py"): format!("def f(x):\n    return x + {n}\n") } }),
        );
        test += &format!(
            "    def test_{n}(self):\n        import m{n}\n        self.assertEqual(m{n}.f(1), {})\n\n",
            n + 1
        );
    }
    script.insert("tests".to_owned(), json!({ "write": { "test_all.py": test } }));
    bench.script(&script.into());
    let ran = bench.run([]).expect(0);
    let receipt = tests_gate(&ran);
    assert_eq!(receipt.evidence.proofs.len(), 7);
    assert!(
        receipt.evidence.proofs.iter().all(|proof| matches!(proof.outcome, Outcome::Proven { .. })),
        "{receipt:#?}"
    );
    let further = std::fs::read_dir(ran.out.join("gates")).unwrap().flatten().filter(|entry| entry.path().is_dir());
    let further: Vec<_> = further.map(|entry| entry.file_name()).collect();
    // The base, and one experiment for each of the seven.
    assert_eq!(further.len(), 8, "{further:?}");
    let begun = |what: &str| ran.read_bytes(what).len();
    assert!(begun("gates/base/tests-1.log") > 0, "the base ran");
    // Each requirement is shown with the test that would notice.
    assert!((1..=7).all(|n| ran.summary().contains(&format!("test_{n}"))), "{}", ran.summary());
}

#[test]
fn the_author_of_tests_is_told_once_what_no_test_notices() {
    let bench = bench();
    let config = std::fs::read_to_string(bench.repo().join(".github/backend-implementer.yml")).unwrap();
    bench.write(".github/backend-implementer.yml", &config.replace("rework-rounds: 0", "rework-rounds: 2"));
    bench.commit("rounds");
    bench.script(&json!({
        "feature": { "write": { "shop.py": WITH_TAX } },
        "tests#1": { "write": { "test_more.py": MORE_TEST } },
        "tests#2": { "write": { "test_tax.py": TAX_TEST } },
    }));
    let ran = bench.run([]).expect(0);
    let handoff = ran.handoff();
    let calls = |task: &str| handoff.tasks.iter().find(|one| one.id.as_str() == task).unwrap().attempts.len();
    assert_eq!((calls("feature"), calls("tests")), (1, 2));
    assert!(found(&ran, FindingCode::NothingProvesIt).is_empty());
    let brief = std::fs::read_to_string(ran.out.join("tasks/tests/brief.md")).unwrap();
    assert!(brief.contains("Write a test that fails without this work") && brief.contains("task feature"), "{brief}");
}

#[test]
fn a_changed_test_of_the_base_passes_where_the_reviewer_confirms_it_by_name() {
    let bench = bench();
    let taxed = "def total(items):\n    return sum(items) * 2\n";
    let script = |message: &str| {
        let finding = json!({ "severity": "note", "message": message });
        json!({
            "feature": { "write": { "shop.py": taxed } },
            "tests": { "write": { "test_base.py": BASE_TEST.replace("), 3)", "), 6)") } },
            "review": { "report": { "findings": [finding] } },
        })
    };
    bench.script(&script("test_total_of_all may change, because feature-1 asks for it"));
    let ran = bench.run([]).expect(1);
    assert_eq!(found(&ran, FindingCode::BaseTestRed).len(), 1, "another test was confirmed");
    let brief = std::fs::read_to_string(ran.out.join("tasks/review/brief.md")).unwrap();
    assert!(brief.contains("`test_base.py` (changed by task `tests`)"), "{brief}");
    std::fs::remove_dir_all(bench.path("out")).unwrap();
    bench.script(&script("`test_total` may change, because `feature-1` asks for it"));
    let ran = bench.run([]).expect(0);
    assert!(found(&ran, FindingCode::BaseTestRed).is_empty());
}

#[test]
fn behind_a_wrapper_changed_tests_are_confirmed_by_the_names_that_were_written_or_printed() {
    let taxed = "def total(items):\n    return sum(items) * 2\n";
    // What a test keeps in `self` is its own.
    let base_test =
        BASE_TEST.replace("    def test_total", "    def setUp(self):\n        self.id = 7\n\n    def test_total");
    let script = |message: &str| {
        let finding = json!({ "severity": "note", "message": message });
        json!({
            "feature": { "write": { "shop.py": taxed } },
            "tests": { "write": { "test_base.py": base_test.replace("), 3)", "), 6)") } },
            "review": { "report": { "findings": [finding] } },
        })
    };
    let confirmed = script("`test_total` may change, because `feature-1` asks for it");
    // The second takes away what the recorder is found by.
    for (wrapper, source) in [("", CountSource::Junit), ("export PYTHONPATH=.\n", CountSource::Output)] {
        let bench = bench();
        bench.write("test.sh", &format!("{wrapper}exec python3 -m unittest\n"));
        bench.write("test_base.py", &base_test);
        bench.write(".backend-implementer/plan.md", &PLAN.replace("python3 -m unittest", "sh test.sh"));
        let config = std::fs::read_to_string(bench.repo().join(".github/backend-implementer.yml")).unwrap();
        let both = "gates: { tests: { commands: [python3 -m unittest] } }\n";
        let config = if source == CountSource::Junit { format!("{config}{both}") } else { config };
        bench.write(".github/backend-implementer.yml", &config);
        bench.commit("a wrapper");
        if source == CountSource::Output {
            bench.script(&script("all is well"));
            let ran = bench.run([]).expect(1);
            let red = found(&ran, FindingCode::BaseTestRed);
            assert!(red.len() == 1 && red[0].message.contains("`test_base.Base.test_total` fails"), "{red:#?}");
            std::fs::remove_dir_all(bench.path("out")).unwrap();
        }
        bench.script(&confirmed);
        let ran = bench.run([]).expect(0);
        assert!(found(&ran, FindingCode::BaseTestRed).is_empty());
        let receipt = tests_gate(&ran);
        let counts = receipt.commands[0].tests.unwrap();
        assert_eq!((counts.passed, counts.source), (1, source), "{receipt:#?}");
        // What the plan and the configuration both run counts once.
        if let Some(second) = receipt.commands.get(1) {
            assert_eq!(second.own_tests().map(|own| own.executed()), Some(0), "{receipt:#?}");
        }
    }
}

#[test]
fn settings_of_a_runner_in_a_manifest_of_the_product_are_those_of_the_base_when_its_tests_run() {
    let bench = bench();
    let manifest = |settings: &str| format!("[metadata]\nname = shop\n\n[tool:pytest]\n{settings}\n");
    bench.write("setup.cfg", &manifest("addopts = -q"));
    // A runner that reads its settings from the manifest.
    bench.write(
        "runner.py",
        "import configparser, sys, unittest\nc = configparser.ConfigParser()\nc.read('setup.cfg')\n\
         name = 'test_none*.py' if 'none' in c['tool:pytest']['addopts'] else 'test_*.py'\n\
         r = unittest.TextTestRunner().run(unittest.defaultTestLoader.discover('.', name))\n\
         print(f'{r.testsRun} passed in 0.1s' if r.testsRun and r.wasSuccessful() else '1 passed in 0.1s' if not r.testsRun else '1 failed in 0.1s')\n\
         sys.exit(not r.wasSuccessful())\n",
    );
    bench.write(
        ".backend-implementer/plan.md",
        &PLAN.replace("python3 -m unittest", "python3 runner.py").replace("shop.py", "shop.py, setup.cfg"),
    );
    bench.commit("a manifest");
    let broken = "def total(items):\n    return 0\n";
    bench.script(&json!({ "feature": { "write": { "shop.py": broken, "setup.cfg": manifest("addopts = none") } } }));
    let ran = bench.run([]).expect(1);
    assert!(!found(&ran, FindingCode::BaseTestRed).is_empty(), "{:#?}", ran.handoff().findings);
}

#[test]
fn tests_that_pass_only_by_settings_that_came_with_the_code_block() {
    let bench = bench();
    let manifest = |options: &str| format!("[metadata]\nname = shop\n\n[tool:pytest]\naddopts = -q{options}\n");
    bench.write("setup.cfg", &manifest(""));
    // A runner that loads what its settings name.
    bench.write(
        "runner.py",
        "import configparser, importlib, sys, unittest\nc = configparser.ConfigParser()\nc.read('setup.cfg')\n\
         words = c['tool:pytest']['addopts'].split()\n\
         [importlib.import_module(words[at + 1]) for at, word in enumerate(words) if word == '-p']\n\
         r = unittest.TextTestRunner().run(unittest.defaultTestLoader.discover('.', 'test_*.py'))\n\
         sys.exit(not r.wasSuccessful())\n",
    );
    let plan =
        PLAN.replace("python3 -m unittest", "python3 runner.py").replace("shop.py", "shop.py, boot.py, setup.cfg");
    bench.write(".backend-implementer/plan.md", &plan);
    bench.commit("a runner with settings");
    let stub = format!("{SHOP}\n\ndef with_tax(items):\n    return 0\n");
    let boot = "import unittest\n\nname = 'assert' + 'Equal'\nvars(unittest)['TestCase'].__dict__\ntype.__setattr__(vars(unittest)['TestCase'], name, lambda *a, **k: None)\n";
    let script = |settings: &str, code: &str| {
        json!({ "feature": { "write": { "shop.py": code, "boot.py": boot, "setup.cfg": manifest(settings) } },
                "tests": { "write": { "test_tax.py": TAX_TEST } } })
    };
    bench.script(&script(" -p boot", &stub));
    let ran = bench.run([]).expect(1);
    let told = found(&ran, FindingCode::TestsTampered);
    let shown =
        told.iter().find(|finding| finding.message.contains("only by settings")).unwrap_or_else(|| panic!("{told:#?}"));
    assert_eq!((shown.weight, shown.path.as_deref()), (Weight::Blocking, Some("setup.cfg")));
    assert_eq!(shown.task.as_ref().map(implementer_model::ids::TaskId::as_str), Some("feature"));

    // Settings on which no test depends keep nobody from being complete.
    bench.script(&script(" -v", WITH_TAX));
    std::fs::remove_dir_all(bench.path("out")).unwrap();
    assert_eq!(found(&bench.run([]).expect(0), FindingCode::TestsTampered), []);
}

#[test]
fn scripts_of_a_shell_are_proven_as_whole_files_and_other_languages_have_a_row() {
    let bench = bench();
    bench.write(".backend-implementer/plan.md", &PLAN.replace("shop.py", "shop.py, bin/**"));
    bench.commit("scripts are in scope");
    let proof = |file: &str, test: &str| {
        bench.script(&json!({ "feature": { "write": { file: "#!/bin/sh\necho 3\n" } }, "tests": { "write": { "test_tax.py": test } } }));
        let _ = std::fs::remove_dir_all(bench.path("out"));
        let receipt = tests_gate(&bench.run([]).expect(0));
        receipt.evidence.proofs.into_iter().find(|proof| proof.task.as_str() == "feature").map(|proof| proof.outcome)
    };
    let test = "import subprocess\nimport unittest\n\n\nclass Tax(unittest.TestCase):\n    def test_tax(self):\n        said = subprocess.run(['sh', 'bin/tax'], capture_output=True, text=True).stdout\n        self.assertEqual(said, '3\\n')\n";
    let proven = proof("bin/tax", test);
    assert!(matches!(proven, Some(Outcome::Proven { .. })), "{proven:?}");
    assert_eq!(proof("bin/tax", MORE_TEST), Some(Outcome::Nothing));
    assert_eq!(proof("bin/tax.lua", MORE_TEST), Some(Outcome::other_language()));
}

#[test]
fn a_test_file_that_was_added_and_never_ran_is_named() {
    let bench = bench();
    let plan = PLAN.replace("python3 -m unittest", "python3 -m unittest test_base");
    bench.write(".backend-implementer/plan.md", &plan);
    bench.commit("one module of tests");
    bench.script(
        &json!({ "feature": { "write": { "shop.py": WITH_TAX } }, "tests": { "write": { "test_tax.py": TAX_TEST } } }),
    );
    let found = found(&bench.run([]).expect(0), FindingCode::TestsUndiscovered);
    let told: Vec<_> = found.iter().map(|finding| (finding.weight, finding.path.as_deref())).collect();
    assert_eq!(told, [(Weight::Warning, Some("test_tax.py"))]);
}
