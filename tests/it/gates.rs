//! Quality assurance cannot be skipped: passed is passed on the final tree, and nothing else is.

use implementer_model::{
    findings::FindingCode,
    gate::{GateKind, GateState, Receipt},
    handoff::Status,
};
use serde_json::json;

use crate::support::{Bench, Ran};

fn receipt(ran: &Ran, gate: GateKind) -> Receipt {
    ran.handoff().gates.into_iter().find(|receipt| receipt.gate == gate).expect("a receipt")
}

fn plan_with(verification: &str) -> Bench {
    let bench = Bench::new();
    let plan = format!(
        "# P\n\n## Feature\nTouches: src/**\n- say hello\n\n## CLI\nTouches: cli/**\n- greet\n\n## Verification\n{verification}"
    );
    bench.write(".backend-implementer/plan.md", &plan);
    bench.commit("plan");
    bench
}

#[test]
fn all_three_gates_passed_on_the_final_tree_is_complete() {
    let bench = Bench::new();
    let ran = bench.run([]).expect(0);
    let handoff = ran.handoff();
    assert_eq!(handoff.status, Status::Complete);
    for receipt in &handoff.gates {
        assert_eq!(receipt.state, GateState::Passed, "{receipt:#?}");
        assert_eq!(receipt.tree, handoff.result.tree);
    }
    assert_eq!(receipt(&ran, GateKind::Tests).commands[0].tests.expect("counts").passed, 1);
    assert!(ran.summary().starts_with("## Backend Implementation Complete"), "{}", ran.summary());
}

#[test]
fn a_gate_that_cannot_pass_ends_the_run_before_a_subagent_is_paid_for() {
    for (verification, why) in [
        ("- tests: `python3 -m unittest`\n", "the validation gate has no command"),
        ("- validation: `true`\n", "the tests gate has no command"),
        ("- tests: `no-such-runner --all`\n- validation: `true`\n", "was not found, so a gate could not pass"),
    ] {
        let bench = plan_with(verification);
        let ran = bench.run([]).expect(1);
        let handoff = ran.handoff();
        assert_eq!(handoff.tasks.iter().map(|task| task.attempts.len()).sum::<usize>(), 0, "{verification}");
        let found: Vec<_> =
            handoff.findings.iter().filter(|finding| finding.code == FindingCode::RunEndedEarly).collect();
        assert!(found.len() == 1 && found[0].message.contains(why), "{found:#?}");
        // One cause, with everybody who never had a turn.
        let fix = ran.summary();
        let fix = fix.split("<b>What to fix</b>").nth(1).unwrap().split("<b>What to do next</b>").next().unwrap();
        assert!(fix.contains(why) && fix.contains("Not run because of it") && !fix.contains("\n2. "), "{fix}");
    }
}

#[test]
fn a_test_command_that_runs_no_test_is_not_passed() {
    let bench = plan_with("- tests: `true`\n- validation: `true`\n");
    let ran = bench.run([]).expect(1);
    assert_ne!(receipt(&ran, GateKind::Tests).state, GateState::Passed);
}

#[test]
fn a_suite_that_skips_everything_is_skipped() {
    let bench = Bench::new();
    bench.write(
        "test_base.py",
        "import unittest\n\nclass T(unittest.TestCase):\n    @unittest.skip('later')\n    def test_it(self):\n        pass\n",
    );
    bench.commit("skip");
    let ran = bench.run([]).expect(1);
    assert_eq!(receipt(&ran, GateKind::Tests).state, GateState::Skipped);
}

#[test]
fn a_red_test_fails_its_gate_with_the_end_of_its_output() {
    let bench = Bench::new();
    bench.script(&json!({ "feature": { "write": { "src/hello.py": "x\n" } }, "cli": { "write": { "cli/greet.py": "x\n" } },
        "tests": { "write": { "tests/__init__.py": "", "tests/test_new.py":
            "import unittest\n\nclass T(unittest.TestCase):\n    def test_sum(self):\n        self.assertEqual(1 + 1, 3)\n" } } }));
    let ran = bench.run([]).expect(1);
    let receipt = receipt(&ran, GateKind::Tests);
    assert_eq!(receipt.state, GateState::Failed);
    assert_eq!(receipt.commands[0].exit_code, Some(1));
    assert!(receipt.commands[0].output_tail.contains("AssertionError"), "{}", receipt.commands[0].output_tail);
}

#[test]
fn a_blocking_finding_of_the_reviewer_keeps_the_gate_shut() {
    let bench = Bench::new();
    bench.script(
        &json!({ "feature": { "write": { "src/hello.py": "x\n" } }, "cli": { "write": { "cli/greet.py": "x\n" } },
        "review": { "report": { "findings": [
            { "severity": "blocking", "path": "src/hello.py", "line": 1, "message": "secret in the code" } ] } } }),
    );
    let ran = bench.run([]).expect(1);
    let receipt = receipt(&ran, GateKind::Review);
    assert_eq!(receipt.state, GateState::Failed, "{receipt:#?}");
    assert_eq!(receipt.verdict.expect("a verdict").blocking_findings, 1);
    assert!(ran.summary().contains("secret in the code"), "{}", ran.summary());
    let told = ran.called.stderr.lines().find(|line| line.starts_with("  passed  review")).unwrap();
    assert!(told.ends_with("no file changed, 1 blocking finding"), "{told}");
}

#[test]
fn a_review_counts_for_the_tree_that_it_read() {
    let bench = Bench::new();
    bench.write(
        ".backend-implementer/plan.md",
        "# P\n\n## Feature\nTouches: src/**\n- say hello\n\n## Deployment\nTouches: deploy/**\n- a unit\n\n\
         ## Verification\n- tests: `python3 -m unittest`\n- validation: `git --version`\n",
    );
    bench.commit("plan");
    bench.script(&json!({ "feature": { "write": { "src/hello.py": "x\n" } }, "deployment": { "write": { "deploy/unit": "x\n" } } }));
    let ran = bench.run([]).expect(0);
    let handoff = ran.handoff();
    let review = handoff.tasks.iter().find(|record| record.id.as_str() == "review").expect("a record");
    assert_eq!(review.attempts.len(), 2, "deployment changed the tree behind the first review");
    assert_eq!(receipt(&ran, GateKind::Review).verdict.expect("a verdict").tree, handoff.result.tree);
}

#[test]
fn a_plan_cannot_weaken_what_the_configuration_asks_for() {
    let bench = Bench::new();
    let config = std::fs::read_to_string(bench.repo().join(".github/backend-implementer.yml")).unwrap();
    bench.write(".github/backend-implementer.yml", &format!("{config}gates:\n  tests:\n    commands: [\"false\"]\n"));
    bench.commit("a gate of the repository's own");
    let ran = bench.run([]).expect(1);
    let receipt = receipt(&ran, GateKind::Tests);
    assert_eq!(receipt.commands.len(), 2, "{receipt:#?}");
    assert_eq!(receipt.state, GateState::Failed);
}

#[test]
fn counts_are_read_from_junit_that_the_command_wrote_not_from_an_old_file() {
    let bench = Bench::new();
    let old = "<testsuites><testsuite><testcase name='a'/><testcase name='b'/></testsuite></testsuites>";
    bench.write("old.xml", old);
    bench.write("write_junit.py", "open('new.xml', 'w').write('<testsuite><testcase name=\"n\"/></testsuite>')\n");
    let config = std::fs::read_to_string(bench.repo().join(".github/backend-implementer.yml")).unwrap();
    bench.write(
        ".github/backend-implementer.yml",
        &format!("{config}gates:\n  tests:\n    commands: [python3 write_junit.py]\n    junit: ['*.xml']\n  validation:\n    commands: ['true']\n"),
    );
    bench.write(".backend-implementer/plan.md", "# P\n\n## Feature\nTouches: src/**\n- say hello\n");
    bench.commit("junit");
    let ran = bench.run([]).expect(0);
    let receipt = receipt(&ran, GateKind::Tests);
    assert_eq!(receipt.commands[0].tests.expect("counts").passed, 1, "{receipt:#?}");
    assert_eq!(receipt.state, GateState::Passed);
}

/// How much more memory a run may need for a gate that prints 64 MB, in KiB.
const PRINTED_MAX: u64 = 16 * 1024;

#[test]
fn what_a_gate_prints_costs_no_memory() {
    let peak = |lines: usize| {
        let bench = plan_with("- tests: `python3 chatty.py`\n- validation: `true`\n");
        // Every line could be one of a test runner's: none is passed over for its looks.
        let chatty = format!(
            "for number in range({lines}):\n    print('ok', number, 'of a Program that says much, and 12 failures of it')\n"
        );
        bench.write("chatty.py", &(chatty + "print('===== 3 passed in 0.12s =====')\n"));
        bench.commit("chatty");
        let out = bench.path("out");
        let (called, needed) = bench.measured(&["run", "--out", out.to_str().unwrap()]);
        let ran = Ran { called: called.expect(0), out };
        assert_eq!(receipt(&ran, GateKind::Tests).commands[0].tests.expect("counts").passed, 3);
        needed.peak
    };
    let (little, much) = (peak(10), peak(1_100_000));
    assert!(much < little + PRINTED_MAX, "{much} KiB against {little} KiB");
}

/// A plan whose feature may write anything, with tests of `add` in a folder of their own.
fn calculator(tests: &str) -> Bench {
    let bench = Bench::new();
    let plan = format!(
        "# Calc\n\n## Feature\nTouches: **\n- add two numbers\n\n## Testing\nTouches: tests/**\n- test it\n\n\
         ## Verification\n- tests: {tests}\n- validation: `git --version`\n"
    );
    bench.write(".backend-implementer/plan.md", &plan);
    let config = std::fs::read_to_string(bench.repo().join(".github/backend-implementer.yml")).unwrap();
    let scopes = "subagents:\n  backend-feature-implementer:\n    scope: ['**']\n    exclude: []\nrework-rounds: 0\n";
    bench.write(".github/backend-implementer.yml", &format!("{config}{scopes}"));
    bench.write("tools/build.py", "print('built')\n");
    bench.write("Makefile", "test:\n\tpython3 -m unittest -v\n");
    bench.commit("a calculator");
    bench
}

const ADD_TEST: &str = "import unittest\nfrom src.calc import add\n\n\nclass Add(unittest.TestCase):\n    def test_add(self):\n        \
                        self.assertEqual(add(1, 2), 3)\n";

const EMPTY_TESTS: &str = "import pathlib, re\nfor f in pathlib.Path('tests').glob('test_*.py'):\n    \
                           f.write_text(re.sub(r'self\\.assertEqual\\(.*', 'pass', f.read_text()))\n";

#[test]
fn whoever_empties_the_tests_while_their_gate_runs_makes_it_red() {
    let build = "`python3 tools/build.py`, `python3 -m unittest -v`";
    let hook = "open('conftest.py', 'w').close()\n";
    let recipe = "test: prep\n\tpython3 -m unittest -v\nprep:\n\tpython3 tools/build.py\n.PHONY: prep test\n";
    let shadow = "include Makefile\ntest: prep\nprep:\n\tpython3 tools/build.py\n.PHONY: prep test\n";
    for (tests, files, path) in [
        (build, json!({ "tools/build.py": EMPTY_TESTS }), "tests/test_calc.py"),
        ("`python3 -m unittest -v`", json!({ "src/__init__.py": EMPTY_TESTS }), "tests/test_calc.py"),
        ("`make test`", json!({ "tools/build.py": EMPTY_TESTS, "Makefile": recipe }), "tests/test_calc.py"),
        ("`make test`", json!({ "tools/build.py": EMPTY_TESTS, "GNUmakefile": shadow }), "tests/test_calc.py"),
        (build, json!({ "tools/build.py": hook }), "conftest.py"),
    ] {
        let bench = calculator(tests);
        let mut write =
            json!({ "src/__init__.py": "", "src/calc.py": "def add(a, b):\n    return 42 if a == 1 else a + b\n" });
        write.as_object_mut().unwrap().extend(files.as_object().unwrap().clone());
        let test = if path == "conftest.py" { ADD_TEST.replace("3)", "42)") } else { ADD_TEST.to_owned() };
        // A package that is loaded before the tests are found.
        let init = if files.get("src/__init__.py").is_some() { "import src\n" } else { "" };
        bench.script(&json!({ "feature": { "write": write },
            "tests": { "write": { "tests/__init__.py": init, "tests/test_calc.py": test } } }));
        let ran = bench.run([]).expect(1);
        let receipt = receipt(&ran, GateKind::Tests);
        assert_eq!(receipt.state, GateState::Failed, "{files}: {receipt:#?}");
        let told = receipt.reason.contains(&format!("`{path}`")) && receipt.reason.contains("while it ran");
        assert!(told, "{files}: {}", receipt.reason);
    }
}

#[test]
fn who_writes_no_other_tests_keeps_a_gate_green_and_who_puts_them_back_is_told() {
    let build = "`python3 tools/build.py`, `python3 -m unittest -v`";
    let formatter = "import pathlib\nfor f in pathlib.Path('tests').glob('test_*.py'):\n    \
                     f.write_text(f.read_text().replace('add(1, 2), 3', '\\n            add(1, 2), 3,\\n        '))\n\
                     open('made.lock', 'w').close()\nif pathlib.Path('tests').exists():\n    open('tests/test_calc.snap', 'w').close()\n";
    let restored = "import pathlib\nf = pathlib.Path('tests/test_calc.py')\nif f.exists():\n    t = f.read_text()\n    \
                    f.write_text('')\n    f.write_text(t)\n";
    for (script, told) in [(formatter, false), (restored, true)] {
        let bench = calculator(build);
        bench.script(
            &json!({ "feature": { "write": { "src/__init__.py": "", "src/calc.py": "def add(a, b):\n    return a + b\n",
                "tools/build.py": script } },
            "tests": { "write": { "tests/__init__.py": "", "tests/test_calc.py": ADD_TEST } } }),
        );
        let ran = bench.run([]).expect(0);
        let found = ran.handoff().findings.into_iter().any(|finding| {
            finding.code == FindingCode::TestsTampered && finding.path.as_deref() == Some("tests/test_calc.py")
        });
        assert_eq!(found, told, "{:#?}", ran.handoff().findings);
    }
}

#[test]
fn a_recipe_that_starts_tests_in_another_way_is_told_and_a_new_target_is_not() {
    let base = "test:\n\tpython3 -m unittest -v\n";
    for (recipe, told) in
        [(format!("{base}\nlint:\n\ttrue\n"), false), (base.replace("test:", "test: prep") + "\nprep:\n\ttrue\n", true)]
    {
        let bench = calculator("`make test`");
        bench.script(
            &json!({ "feature": { "write": { "src/__init__.py": "", "src/calc.py": "def add(a, b):\n    return a + b\n",
                "Makefile": recipe } },
            "tests": { "write": { "tests/__init__.py": "", "tests/test_calc.py": ADD_TEST } } }),
        );
        let ran = bench.run([]).expect(0);
        let found = ran.handoff().findings.into_iter().any(|finding| finding.path.as_deref() == Some("Makefile"));
        assert_eq!(found, told, "{:#?}", ran.handoff().findings);
    }
}
