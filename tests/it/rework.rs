//! What does not pass is called again, a bounded number of times, and the summary tells the story.

use std::{fs, path::Path};

use implementer_model::{
    evidence::proof,
    findings::FindingCode,
    handoff::{Handoff, Status},
    schedule::Outcome,
};
use serde_json::{Value, json};

use crate::support::{Bench, Called, Ran, copy_folder};

/// Adds lines to the configuration of the bench, and commits.
fn configure(bench: &Bench, lines: &str) {
    let config = fs::read_to_string(bench.repo().join(".github/backend-implementer.yml")).unwrap();
    bench.write(".github/backend-implementer.yml", &format!("{config}{lines}"));
    bench.commit("configure");
}

/// Gives what a task wrote into each round of rework as `task: why`.
fn rounds(handoff: &Handoff) -> Vec<Vec<String>> {
    let called = |round: &implementer_model::record::ReworkRound| {
        round.called.iter().map(|call| format!("{}: {}", call.task, call.because)).collect()
    };
    handoff.rework.iter().map(called).collect()
}

fn attempts(handoff: &Handoff, task: &str) -> Vec<Outcome> {
    let record = handoff.tasks.iter().find(|record| record.id.as_str() == task).expect("a record");
    record.attempts.iter().map(|attempt| attempt.outcome).collect()
}

#[track_caller]
fn proven(bench: &Bench, ran: &Ran) {
    bench.call(["verify", ran.out.to_str().unwrap()]).expect(0);
}

fn hello(text: &str) -> Value {
    json!({ "write": { "src/hello.py": text } })
}

/// A test of the base that fails once `src/hello.py` says `bug`.
const GUARD: &str = "import pathlib\nimport unittest\n\nclass Guard(unittest.TestCase):\n    def test_no_bug(self):\n        \
    found = [p for p in pathlib.Path('.').glob('*/*.py') if 'bug' in p.read_text()]\n        self.assertEqual(found, [])\n";

#[test]
fn a_red_gate_is_bisected_to_its_culprit_which_mends_it() {
    let bench = Bench::new();
    bench.write("test_guard.py", GUARD);
    bench.commit("a guard");
    bench.script(&json!({
        "feature#1": hello("bug\n"), "feature#2": hello("mended\n"),
        "cli": { "write": { "cli/greet.py": "x\n" } },
    }));
    let ran = bench.run([]).expect(0);
    let handoff = ran.handoff();
    assert_eq!(handoff.status, Status::Complete);
    assert_eq!(
        rounds(&handoff),
        [["feature: the tests gate failed, and `test_guard.Guard.test_no_bug` fails first with its patch"]]
    );
    assert_eq!(attempts(&handoff, "feature"), [Outcome::Passed, Outcome::Passed]);
    // The reviewer read a tree that is no more, and was asked again.
    assert_eq!(attempts(&handoff, "review").len(), 2);
    assert_eq!(handoff.result.commits.iter().filter(|commit| commit.task.as_str() == "feature").count(), 2);
    let brief = fs::read_to_string(ran.out.join("tasks/feature/brief.md")).unwrap();
    assert!(brief.contains("## What is asked of you now") && brief.contains("From the tests gate"), "{brief}");
    assert!(brief.contains("test_no_bug"), "{brief}");
    let summary = ran.summary();
    assert!(summary.contains("Rework round 1 on tree"), "{summary}");
    assert!(ran.out.join("gates-before-rework-1/tests-1.log").is_file() && ran.out.join("gates/tests-1.log").is_file());
    proven(&bench, &ran);
}

#[test]
fn a_blocking_finding_goes_to_the_owner_of_its_path() {
    let bench = Bench::new();
    let finding = json!({ "severity": "blocking", "path": "cli/greet.py", "line": 1, "message": "a secret" });
    bench.script(&json!({
        "feature": hello("x\n"),
        "cli#1": { "write": { "cli/greet.py": "secret\n" } }, "cli#2": { "write": { "cli/greet.py": "x\n" } },
        "review#1": { "report": { "findings": [finding] } },
    }));
    let ran = bench.run([]).expect(0);
    let handoff = ran.handoff();
    assert_eq!(rounds(&handoff), [["cli: review objects to what it changed: cli/greet.py:1: a secret"]]);
    assert_eq!(attempts(&handoff, "feature").len(), 1, "who is not to blame is left alone");
    assert_eq!(attempts(&handoff, "review").len(), 2);
    assert!(ran.summary().contains("a secret; repeated: `cli`"), "{}", ran.summary());
    proven(&bench, &ran);
}

#[test]
fn a_report_that_leaves_a_requirement_open_is_asked_for_once_more() {
    let bench = Bench::new();
    let open = json!([{ "id": "feature-1", "status": "already-done", "note": "it was there" }]);
    let mut first = hello("x\n");
    first["report"] = json!({ "requirements": open });
    bench.script(&json!({ "feature#1": first, "feature#2": {}, "cli": { "write": { "cli/greet.py": "x\n" } } }));
    let ran = bench.run([]).expect(0);
    let handoff = ran.handoff();
    assert_eq!(rounds(&handoff), [["feature: its report leaves 1 requirement open"]]);
    assert!(handoff.tasks.iter().all(|task| task.id.as_str() == "feature" || task.attempts.len() == 1), "nobody else");
    let brief = fs::read_to_string(ran.out.join("tasks/feature/brief.md")).unwrap();
    assert!(brief.contains("with no path or test that shows it: it was there"), "{brief}");
    proven(&bench, &ran);
}

#[test]
fn rounds_are_bounded_and_who_changes_nothing_is_not_called_for_ever() {
    let bench = Bench::new();
    bench.write("test_guard.py", GUARD);
    bench.commit("a guard");
    bench.script(&json!({
        "feature#1": hello("bug\n"), "feature#2": hello("bug 2\n"), "feature": hello("bug 3\n"),
        "cli": { "write": { "cli/greet.py": "x\n" } },
    }));
    let ran = bench.run([]).expect(1);
    let handoff = ran.handoff();
    assert_eq!(handoff.rework.len(), 2);
    assert_eq!(attempts(&handoff, "feature").len(), 3);
    assert!(ran.summary().contains("Rework round 2 on tree"), "{}", ran.summary());
    proven(&bench, &ran);

    let bench = Bench::new();
    bench.write("test_guard.py", GUARD);
    bench.commit("a guard");
    configure(&bench, "rework-rounds: 5\n");
    bench.script(&json!({ "feature": hello("bug\n"), "cli": { "write": { "cli/greet.py": "x\n" } } }));
    let ran = bench.run([]).expect(1);
    let handoff = ran.handoff();
    // The second attempt finds its own text there and changes nothing.
    assert_eq!(attempts(&handoff, "feature").len(), 2, "{:#?}", rounds(&handoff));
    assert!(handoff.rework.len() < 5, "{:#?}", rounds(&handoff));

    let bench = Bench::new();
    bench.write("test_guard.py", GUARD);
    bench.commit("a guard");
    configure(&bench, "rework-rounds: 0\n");
    bench.script(&json!({ "feature": hello("bug\n"), "cli": { "write": { "cli/greet.py": "x\n" } } }));
    assert!(bench.run([]).expect(1).handoff().rework.is_empty());
}

#[test]
fn a_scope_violation_is_explained_once() {
    let bench = Bench::new();
    bench.script(&json!({
        "feature#1": { "write": { "elsewhere.py": "x\n" } }, "feature#2": hello("x\n"),
        "cli": { "write": { "cli/other/../../outside.py": "x\n" } },
    }));
    let ran = bench.run([]).expect(1);
    let handoff = ran.handoff();
    assert_eq!(attempts(&handoff, "feature"), [Outcome::OutOfScope, Outcome::Passed]);
    assert_eq!(attempts(&handoff, "cli"), [Outcome::OutOfScope, Outcome::OutOfScope]);
    let brief = fs::read_to_string(ran.out.join("tasks/feature/brief.md")).unwrap();
    assert!(brief.contains("Attempt 1: out of scope") && brief.contains("elsewhere.py"), "{brief}");
    assert!(handoff.findings.iter().any(|finding| finding.code == FindingCode::SamePatchAgain));
    proven(&bench, &ran);
}

#[test]
fn what_is_transient_is_waited_out_and_what_is_not_is_tried_once_more() {
    let bench = Bench::new();
    bench.script(&json!({
        "feature#1": { "exit": 75 }, "feature#2": hello("x\n"),
        "cli": { "write": { "cli/greet.py": "x\n" }, "exit": 4 },
    }));
    let handoff = bench.run([]).expect(1).handoff();
    assert_eq!(attempts(&handoff, "feature"), [Outcome::Failed, Outcome::Passed]);
    assert_eq!(attempts(&handoff, "cli"), [Outcome::Failed, Outcome::Failed], "once more, and no oftener");
}

fn blocked(needs: &str) -> Value {
    let limitation = json!({ "text": "the type Greeting is missing", "needs": needs });
    json!({ "report": { "status": "blocked", "summary": "cannot go on", "limitations": [limitation] } })
}

#[test]
fn a_blocked_subagent_gets_its_specialist_where_the_configuration_consents() {
    let script = json!({
        "feature#1": blocked("backend-datatypes"), "feature#2": hello("x\n"),
        "cli": { "write": { "cli/greet.py": "x\n" } },
        "data-types": { "write": { "types/greeting.py": "x\n" } },
    });
    let bench = Bench::new();
    bench.script(&script);
    let ran = bench.run([]).expect(1);
    let handoff = ran.handoff();
    assert_eq!(attempts(&handoff, "feature"), [Outcome::Blocked]);
    assert!(handoff.findings.iter().any(|finding| finding.code == FindingCode::EscalationRefused));
    assert!(ran.summary().contains("set \\`escalate-beyond-plan\\`") || ran.summary().contains("escalate-beyond-plan"));

    let bench = Bench::new();
    bench.script(&script);
    configure(&bench, "escalate-beyond-plan: true\n");
    let ran = bench.run([]).expect(0);
    let handoff = ran.handoff();
    assert_eq!(attempts(&handoff, "feature"), [Outcome::Blocked, Outcome::Passed]);
    assert_eq!(attempts(&handoff, "data-types"), [Outcome::Passed]);
    let order: Vec<_> = handoff.result.commits.iter().map(|commit| commit.task.as_str()).collect();
    assert_eq!(order, ["cli", "data-types", "feature"]);
    let brief = fs::read_to_string(ran.out.join("tasks/data-types/brief.md")).unwrap();
    assert!(brief.contains("From task feature") && brief.contains("the type Greeting is missing"), "{brief}");
    assert!(ran.summary().contains("`feature` needed `backend-datatypes`"), "{}", ran.summary());
    proven(&bench, &ran);
}

#[test]
fn a_specialist_of_the_plan_is_called_again_and_a_circle_is_seen() {
    let plan =
        crate::support::PLAN.replace("## Feature", "## Data Types\nTouches: types/**\n- a greeting\n\n## Feature");
    let bench = Bench::new();
    bench.write(".backend-implementer/plan.md", &plan);
    bench.commit("a plan");
    bench.script(&json!({
        "data-types#1": { "write": { "types/a.py": "1\n" } }, "data-types#2": { "write": { "types/a.py": "2\n" } },
        "feature#1": blocked("backend-datatypes"), "feature#2": hello("x\n"),
        "cli": { "write": { "cli/greet.py": "x\n" } },
    }));
    let ran = bench.run([]).expect(0);
    assert_eq!(attempts(&ran.handoff(), "data-types").len(), 2);
    proven(&bench, &ran);

    // Each waits for the other; and one names itself.
    let bench = Bench::new();
    bench.write(".backend-implementer/plan.md", &plan);
    bench.commit("a plan");
    bench.script(&json!({
        "data-types#1": { "write": { "types/a.py": "1\n" } }, "data-types": blocked("backend-feature-implementer"),
        "feature": blocked("backend-datatypes"), "cli": blocked("backend-cli-implementer"),
    }));
    let ran = bench.run([]).expect(1);
    let handoff = ran.handoff();
    let refused: Vec<_> =
        handoff.escalations.iter().filter(|e| e.called.is_none()).map(|e| e.refused.as_str()).collect();
    assert!(refused.contains(&"it is the subagent that is blocked"), "{refused:?}");
    assert!(refused.iter().any(|why| why.contains("is itself waiting for")), "{refused:?}");
    assert!(refused.iter().any(|why| why.contains("was called for this task before")), "{refused:?}");
    assert!(attempts(&handoff, "feature").len() <= 3);
}

#[test]
fn patches_that_cannot_be_had_together_are_made_one_after_the_other() {
    let bench = Bench::new();
    let plan = crate::support::PLAN
        .replace("Touches: src/**", "Touches: src/*")
        .replace("Touches: cli/**", "Touches: src/a/**");
    bench.write(".backend-implementer/plan.md", &plan);
    bench.commit("a plan");
    bench.script(&json!({
        "feature": { "write": { "src/a": "a file\n" } },
        "cli#1": { "write": { "src/a/greet.py": "x\n" } },
        "cli": { "exit": 3 },
    }));
    let ran = bench.run([]).expect(1);
    let handoff = ran.handoff();
    assert_eq!(attempts(&handoff, "feature"), [Outcome::Passed]);
    assert_eq!(attempts(&handoff, "cli"), [Outcome::Conflicted, Outcome::Failed, Outcome::Failed]);
    let brief = fs::read_to_string(ran.out.join("tasks/cli/brief.md")).unwrap();
    assert!(brief.contains("conflict in src/a") && brief.contains("Attempt 1: conflict"), "{brief}");
    // It worked on what the other had made.
    let head = &handoff.result.commits[0].commit;
    assert!(brief.contains(&format!("Your work tree stands at: `{head}`")), "{brief}");
    proven(&bench, &ran);
}

/// A Go repository: a store, and an API that uses it.
const GO_STORE: &str = "package store\n\n// Memory keeps links.\ntype Memory struct {\n\tlinks map[string]string\n}\n\n// NewMemory makes an empty store.\n\
    func NewMemory() *Memory { return &Memory{links: map[string]string{}} }\n\n// Put adds a link.\nfunc (m *Memory) Put(code string) { m.links[code] = code }\n";
const GO_API: &str = "package httpapi\n\nimport \"example.com/shortd/internal/store\"\n\n// Create makes a link and returns a status.\n\
    func Create(m *store.Memory, ttl int) int {\n\tm.Put(\"a\")\n\treturn 201\n}\n";
const GO_API_TEST: &str = "package httpapi\n\nimport (\n\t\"testing\"\n\n\t\"example.com/shortd/internal/store\"\n)\n\n\
    func TestCreate(t *testing.T) {\n\tif Create(store.NewMemory(), 1) != 201 {\n\t\tt.Fatal(\"create\")\n\t}\n}\n";

/// Before the store's patch the tests of the API cannot be compiled, so that the first state in which they can fail says nothing.
#[test]
fn a_patch_is_not_blamed_because_the_tests_could_not_be_compiled_before_it() {
    if std::process::Command::new("go").arg("version").output().is_err() {
        eprintln!(
            "SKIPPED a_patch_is_not_blamed_because_the_tests_could_not_be_compiled_before_it: there is no `go` here"
        );
        return;
    }
    let bench = Bench::new();
    let plan = "# Links\n\n## Feature\nTouches: internal/httpapi/api.go\n- `ttl` has an upper limit\n\n\
        ## CLI\nTouches: internal/store/store.go\n- links expire\n\n\
        ## Testing\nTouches: internal/**\n- test it\n\n\
        ## Verification\n- tests: `go test ./...`\n- validation: `git --version`\n";
    bench.write(".backend-implementer/plan.md", plan);
    let config = fs::read_to_string(bench.repo().join(".github/backend-implementer.yml")).unwrap();
    let config = config.replace("evidence: { revert-proof: false }\n", "");
    let scope = |subagent: &str| format!("  {subagent}:\n    scope: ['internal/**']\n    exclude: []\n");
    let scopes = ["backend-feature-implementer", "backend-cli-implementer", "backend-unit-test-generator"].map(scope);
    bench.write(".github/backend-implementer.yml", &format!("{config}subagents:\n{}", scopes.concat()));
    bench.write("go.mod", "module example.com/shortd\n\ngo 1.19\n");
    bench.write("internal/store/store.go", GO_STORE);
    bench.write("internal/httpapi/api.go", GO_API);
    bench.write("internal/httpapi/api_test.go", GO_API_TEST);
    bench.commit("a service");
    let store = GO_STORE
        .replace("type Memory struct {\n", "type Memory struct {\n\tNow func() int\n")
        .replace("return &Memory{links", "return &Memory{Now: func() int { return 0 }, links")
        + "\n// Sweep says how many ended.\nfunc (m *Memory) Sweep() int { return m.Now() }\n";
    let with_limit =
        |limit: &str| GO_API.replace("\tm.Put", &format!("\tif {limit} {{\n\t\treturn 400\n\t}}\n\tm.Put"));
    let ttl_test = "package httpapi\n\nimport (\n\t\"testing\"\n\n\t\"example.com/shortd/internal/store\"\n)\n\n\
        func TestTTLTooLarge(t *testing.T) {\n\tm := store.NewMemory()\n\tm.Now = func() int { return 1 }\n\tif code := Create(m, 1000); code != 400 {\n\t\t\
        t.Errorf(\"ttl of more than a year: %d\", code)\n\t}\n}\n";
    let sweep_test = "package store\n\nimport \"testing\"\n\n\
        func TestSweep(t *testing.T) {\n\tm := NewMemory()\n\tm.Now = func() int { return 7 }\n\tif n := m.Sweep(); n != 7 {\n\t\tt.Errorf(\"Sweep = %d\", n)\n\t}\n}\n";
    bench.script(&json!({
        "cli": { "write": { "internal/store/store.go": store } },
        "feature#1": { "write": { "internal/httpapi/api.go": with_limit("ttl < 0") } },
        "feature#2": { "write": { "internal/httpapi/api.go": with_limit("ttl < 0 || ttl > 365") } },
        "tests": { "write": {
            "internal/httpapi/ttl_test.go": ttl_test, "internal/store/sweep_test.go": sweep_test,
        } },
    }));
    let ran = bench.run([]).expect(0);
    let handoff = ran.handoff();
    let package = "example.com/shortd/internal/httpapi";
    assert_eq!(
        rounds(&handoff),
        [[format!("feature: the tests gate failed, and it alone changed the package of `{package}.TestTTLTooLarge`")]]
    );
    assert_eq!(attempts(&handoff, "cli").len(), 1, "who did nothing wrong is called once");
    // Only what looks at the store's work notices that it is missing; what was there before stays.
    let proofs: Vec<_> = handoff.gates.iter().flat_map(|receipt| &receipt.evidence.proofs).collect();
    let of_store = proofs.iter().find(|proof| proof.task.as_str() == "cli").expect("a proof");
    let sweep = "example.com/shortd/internal/store.TestSweep".to_owned();
    assert_eq!(of_store.outcome, proof::Outcome::Proven { tests: vec![sweep] }, "{proofs:#?}");
    proven(&bench, &ran);
}

/// The example with a defect in the feature's patch that only the tests of another subagent find.
#[test]
fn the_example_repairs_an_injected_defect_in_one_round() {
    let bench = Bench::on_disk();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/users-service");
    let folder = bench.path("example");
    copy_folder(&example.join("repository"), &folder);
    let git = |arguments: &[&str]| {
        let mut command = bench.command("git");
        command.current_dir(&folder).args(["-c", "user.name=T", "-c", "user.email=t@example.invalid"]).args(arguments);
        Called::of(command.output().unwrap()).expect(0);
    };
    git(&["init", "--quiet", "--initial-branch=main"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "the service"]);
    let faults = bench.path("faults.json");
    fs::write(&faults, r#"{"feature": "defect"}"#).unwrap();
    let config = fs::read_to_string(folder.join(".github/backend-implementer.yml")).unwrap();
    let entry = example.join("subagents/subagent.py");
    let agent = json!(["python3", "-B", entry.to_str().unwrap()]);
    let config = format!("agent: {{ kind: command, command: {agent} }}\n{}", without_agent(&config));
    let config_file = bench.path("config.yml");
    fs::write(
        &config_file,
        format!("{config}\npass-environment: [SCRIPTED_FAULTS]\nevidence: {{ revert-proof: false }}\n"),
    )
    .unwrap();
    let out = bench.path("out");
    let mut command = bench.program(["run", "--config", config_file.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    command.current_dir(&folder).env("SCRIPTED_FAULTS", &faults);
    let called = Called::of(command.output().unwrap());
    let ran = Ran { called, out }.expect(0);
    let handoff = ran.handoff();
    assert_eq!(handoff.status, Status::Complete);
    assert_eq!(handoff.rework.len(), 1, "{:#?}", rounds(&handoff));
    assert_eq!(attempts(&handoff, "feature"), [Outcome::Passed, Outcome::Passed]);
    let summary = ran.summary();
    assert!(summary.contains("Rework round 1 on tree") && summary.contains("repeated: `feature`"), "{summary}");
    // What an earlier attempt made, and said, is not forgotten for a later one that had less to do.
    let files: Vec<_> = handoff.synthesis.iter().map(|phase| phase.files_changed).collect();
    assert!(files.iter().all(|files| *files > 0), "{files:?}");
    assert!(!summary.contains("Nothing reported by `feature`"), "{summary}");
}

/// Leaves out the section `agent` of a configuration.
fn without_agent(config: &str) -> String {
    let mut inside = false;
    let kept = config.lines().filter(|line| {
        inside = if line.starts_with("agent:") { true } else { inside && (line.starts_with(' ') || line.is_empty()) };
        !inside
    });
    kept.collect::<Vec<_>>().join("\n")
}
