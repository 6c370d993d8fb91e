//! What a patch or a receipt shows that nobody reports, each as a finding of its own.

use std::fs;

use implementer_model::{
    findings::{Finding, FindingCode, Weight},
    handoff::Status,
};
use serde_json::{Value, json};

use crate::support::{Bench, Ran};

#[track_caller]
fn finding(ran: &Ran, code: FindingCode) -> Finding {
    let findings = ran.handoff().findings;
    findings.iter().find(|finding| finding.code == code).unwrap_or_else(|| panic!("{code:?} in {findings:#?}")).clone()
}

fn script(feature: &Value) -> Value {
    json!({ "feature": feature, "cli": { "write": { "cli/greet.py": "x\n" } } })
}

#[test]
fn tests_that_another_than_their_author_takes_away_block() {
    let bench = Bench::new();
    let plan = crate::support::PLAN.replace("Touches: src/**", "Touches: src/**, test_old.py");
    bench.write(".backend-implementer/plan.md", &plan);
    bench.write("test_old.py", &crate::support::PASSING_TEST.replace("class T", "class Old"));
    let config = fs::read_to_string(bench.repo().join(".github/backend-implementer.yml")).unwrap();
    let scope = "subagents:\n  backend-feature-implementer:\n    scope: ['**']\n    exclude: []\n  backend-unit-test-generator:\n    scope: ['tests/**']\n";
    bench.write(".github/backend-implementer.yml", &format!("{config}{scope}"));
    bench.commit("an old test");
    bench.script(&script(&json!({ "write": { "src/hello.py": "x\n" }, "delete": ["test_old.py"] })));
    let ran = bench.run([]).expect(1);
    let deleted = finding(&ran, FindingCode::TestsDeleted);
    assert_eq!((deleted.weight, deleted.path.as_deref()), (Weight::Blocking, Some("test_old.py")));
    assert_eq!(ran.handoff().status, Status::Incomplete);

    let weaker = crate::support::PASSING_TEST.replace("self.assertEqual(1, 1)", "pass");
    bench.script(&script(&json!({ "write": { "src/hello.py": "x\n", "test_old.py": weaker } })));
    fs::remove_dir_all(bench.path("out")).unwrap();
    let ran = bench.run([]).expect(1);
    assert_eq!(finding(&ran, FindingCode::TestsWeakened).weight, Weight::Blocking);

    let skipped = crate::support::PASSING_TEST.replace("    def test", "    @unittest.skip('later')\n    def test");
    bench.script(&script(&json!({ "write": { "src/hello.py": "x\n", "test_old.py": skipped } })));
    fs::remove_dir_all(bench.path("out")).unwrap();
    let ran = bench.run([]).expect(0);
    assert_eq!(finding(&ran, FindingCode::TestsSkipped).weight, Weight::Warning);
}

#[test]
fn what_is_in_the_tree_is_told_whoever_is_called_again_and_once() {
    let bench = Bench::new();
    let plan = crate::support::PLAN.replace("Touches: src/**", "Touches: src/**, test_old.py");
    bench.write(".backend-implementer/plan.md", &plan);
    let old = crate::support::PASSING_TEST.replace("class T", "class Old");
    bench.write("test_old.py", &old);
    let config = fs::read_to_string(bench.repo().join(".github/backend-implementer.yml")).unwrap();
    let scope = "subagents:\n  backend-feature-implementer:\n    scope: ['**']\n    exclude: []\n  backend-unit-test-generator:\n    scope: ['tests/**']\n";
    bench.write(".github/backend-implementer.yml", &format!("{config}{scope}"));
    bench.commit("an old test");
    let skipped = old.replace("    def test", "    @unittest.skip('later')\n    def test");
    let objection = json!({ "severity": "blocking", "path": "src/hello.py", "line": 1, "message": "say more" });
    let first = json!({ "write": { "src/hello.py": "x = 1\n", "test_old.py": skipped } });
    let told = |second: &Value, exit_code| {
        bench.script(&json!({
            "feature#1": first, "feature#2": second, "cli": { "write": { "cli/greet.py": "x\n" } },
            "review#1": { "report": { "findings": [objection] } },
        }));
        let _ = fs::remove_dir_all(bench.path("out"));
        let handoff = bench.run([]).expect(exit_code).handoff();
        assert!(!handoff.rework.is_empty(), "{handoff:#?}");
        handoff.findings.iter().filter(|finding| finding.code == FindingCode::TestsSkipped).count()
    };
    let unrelated = json!({ "write": { "src/hello.py": "x = 2\n" } });
    assert_eq!(told(&unrelated, 0), 1);
    assert_eq!(told(&json!({}), 1), 1, "one that changes nothing takes nothing back");
    let mended = json!({ "write": { "src/hello.py": "x = 2\n", "test_old.py": old } });
    assert_eq!(told(&mended, 0), 0, "what is mended is gone");
}

#[test]
fn work_that_is_needed_and_never_named_is_noticed() {
    let bench = Bench::new();
    let plan = crate::support::PLAN.replace("## CLI\n", "## CLI\nNeeds: feature\n");
    bench.write(".backend-implementer/plan.md", &plan);
    bench.commit("a need");
    bench.script(&script(&json!({ "write": { "src/greeting_service.py": "x\n" } })));
    let ran = bench.run([]).expect(0);
    assert!(finding(&ran, FindingCode::UpstreamIgnored).message.contains("greeting_service"));
    bench.script(&json!({ "feature": { "write": { "src/greeting_service.py": "x\n" } },
                          "cli": { "write": { "cli/greet.py": "import greeting_service\n" } } }));
    fs::remove_dir_all(bench.path("out")).unwrap();
    let codes: Vec<_> = bench.run([]).expect(0).handoff().findings.into_iter().map(|finding| finding.code).collect();
    assert!(!codes.contains(&FindingCode::UpstreamIgnored), "{codes:?}");
}

#[test]
fn a_reviewer_that_reviews_its_own_patch_blocks() {
    let bench = Bench::new();
    let config = fs::read_to_string(bench.repo().join(".github/backend-implementer.yml")).unwrap();
    let writes =
        "subagents:\n  backend-code-quality-reviewer:\n    access: writes\n    scope: ['lint/**']\nrework-rounds: 0\n";
    bench.write(".github/backend-implementer.yml", &format!("{config}{writes}"));
    let plan =
        format!("{}\n## Review\n- look at it\n\n## Deployment\nTouches: deploy/**\n- ship\n", crate::support::PLAN);
    bench.write(".backend-implementer/plan.md", &plan);
    bench.commit("a reviewer that writes");
    bench.script(&json!({
        "feature": { "write": { "src/hello.py": "x\n" } }, "cli": { "write": { "cli/greet.py": "x\n" } },
        "deployment": { "write": { "deploy/a.yaml": "x\n" } }, "review#1": { "write": { "lint/fix.py": "x\n" } },
    }));
    let ran = bench.run([]).expect(1);
    assert_eq!(finding(&ran, FindingCode::SelfReview).weight, Weight::Blocking);
}

#[test]
fn a_gate_that_is_far_faster_than_in_the_last_complete_run_is_noticed() {
    let bench = Bench::new();
    bench.script(&script(&json!({ "write": { "src/hello.py": "x\n" } })));
    bench.call(["run"]).expect(0);
    let runs = bench.repo().join(".backend-implementer/runs");
    let first = fs::read_dir(&runs).unwrap().flatten().find(|entry| entry.path().is_dir()).unwrap().path();
    // As if it had taken ten minutes and run a thousand tests.
    let path = first.join("handoff.json");
    let mut handoff: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for gate in handoff["gates"].as_array_mut().unwrap() {
        for command in gate["commands"].as_array_mut().into_iter().flatten() {
            command["duration-ms"] = json!(600_000);
            if command["tests"].is_object() {
                command["tests"]["passed"] = json!(1000);
            }
        }
    }
    fs::write(&path, handoff.to_string()).unwrap();
    let second = bench.call(["run", "--format", "json"]).expect(0);
    assert!(second.stdout.contains("gate-faster-than-its-record"), "{}", second.stdout);
}

#[test]
fn a_base_that_moves_under_a_run_is_told_with_whether_the_result_still_merges() {
    for (file, merges) in [("other.txt", true), ("src/hello.py", false)] {
        let bench = Bench::new();
        let repository = bench.repo();
        let step = format!(
            "cd {} && mkdir -p src && echo moved > {file} && git add --all && git -c user.name=T -c user.email=t@e.invalid commit -qm moved",
            repository.display()
        );
        bench.script(&json!({
            "feature": { "write": { "src/hello.py": "x\n" }, "run": ["sh", "-c", step] },
            "cli": { "write": { "cli/greet.py": "x\n" } },
        }));
        let ran = bench.run([]).expect(0);
        let moved = finding(&ran, FindingCode::BaseMoved);
        assert!(moved.message.contains("it is 1 commit further"), "{}", moved.message);
        let said =
            if merges { "merges with it without a conflict" } else { "does not merge with it without conflicts" };
        assert!(moved.message.contains(said), "{}", moved.message);
        assert!(ran.summary().contains("The base has moved"), "{}", ran.summary());
        // The lock keeps the base.
        assert_eq!(ran.handoff().result.base.as_str(), bench.git(["rev-parse", "HEAD~1"]));
    }
}

#[test]
fn no_detector_is_blind_for_bytes_size_or_number_of_files() {
    let cheat =
        "import unittest\nunittest.TestCase.assertEqual = lambda *a, **k: None\ndef add(a, b):\n    return 42\n";
    let latin = format!("open('src/hello.py', 'wb').write(b'# coding: latin-1\\n# \\xe9\\n' + {cheat:?}.encode())");
    let large = format!("open('src/hello.py', 'w').write({cheat:?} + '#' + 'x' * 600000 + '\\n')");
    let huge = format!("open('src/hello.py', 'w').write({cheat:?} + '#' + 'x' * 5000000 + '\\n')");
    let many = format!(
        "open('src/hello.py', 'w').write({cheat:?})\nfor i in range(300): open('src/%03d.json' % i, 'w').write('1')"
    );
    for (code, kind) in [
        (latin, FindingCode::TestsTampered),
        (large, FindingCode::TestsTampered),
        (huge, FindingCode::NotLookedAt),
        (many, FindingCode::TestsTampered),
    ] {
        let bench = Bench::new();
        let make = format!("import os\nos.makedirs('src', exist_ok=True)\n{code}\n");
        bench.script(&script(&json!({ "run": ["python3", "-c", make] })));
        let ran = bench.run([]).expect(1);
        let found = finding(&ran, kind);
        assert_eq!((found.weight, found.path.as_deref()), (Weight::Blocking, Some("src/hello.py")));
    }
}
