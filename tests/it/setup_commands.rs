//! `setup` in the configuration: every working copy is made ready, once for each state of its lock files, and what the
//! environment lacks is nobody's fault.

use std::fs;

use implementer_model::findings::FindingCode;
use serde_json::json;

use crate::support::Bench;

/// A bench whose set-up installs a dependency, and counts how often.
fn bench(command: &str) -> Bench {
    let bench = Bench::new();
    let path = bench.repo().join(".github/backend-implementer.yml");
    let config = fs::read_to_string(&path).unwrap();
    let setup = json!([{ "run": command, "files": ["deps.lock"], "time-limit-minutes": 1 }]);
    bench.write(".github/backend-implementer.yml", &format!("{config}setup: {setup}\nrework-rounds: 0\n"));
    bench.write(".gitignore", "__pycache__/\nmodules/\n");
    bench.write("deps.lock", "one\n");
    bench
}

/// A command that makes the ignored folder `modules` from the lock file, and leaves a line in it for each call.
const INSTALL: &str = "sh -c 'mkdir -p modules/deep && cp deps.lock modules/deep/made && ln -s deep modules/link && echo ran >> modules/calls'";

#[test]
fn every_slot_and_gate_has_what_the_set_up_made_and_it_is_made_once() {
    let bench = bench(INSTALL);
    let plan = fs::read_to_string(bench.repo().join(".backend-implementer/plan.md")).unwrap();
    let checked = "- validation: `test -f modules/link/made`\n- validation: `grep -c ran modules/calls`\n";
    bench.write(".backend-implementer/plan.md", &plan.replace("- validation: `git --version`\n", checked));
    bench.commit("set-up");
    // A subagent that spoils its own copy spoils nobody else's.
    let spoil = json!(["sh", "-c", "test -f modules/link/made && rm -r modules/deep && echo spoilt > modules/calls"]);
    bench.script(&json!({
        "feature": { "write": { "src/hello.py": "print('hello')\n" }, "run": spoil },
        "cli": { "write": { "cli/greet.py": "print('greet')\n" }, "run": ["test", "-f", "modules/deep/made"] },
        "*": { "run": ["test", "-f", "modules/deep/made"] },
    }));
    let ran = bench.run([]).expect(0);
    let handoff = ran.handoff();
    let said: Vec<_> = handoff
        .gates
        .iter()
        .flat_map(|receipt| &receipt.commands)
        .filter(|command| command.argv[0] == "grep")
        .map(|command| command.output_tail.trim().to_owned())
        .collect();
    assert_eq!(said, ["1"], "the set-up ran once, and every copy says so");
    let changed: Vec<_> = handoff.tasks.iter().filter_map(|task| task.attempts.last()?.patch.as_ref()).collect();
    let paths: Vec<_> = changed.iter().flat_map(|patch| &patch.changes).map(|change| change.path.as_str()).collect();
    assert!(paths.iter().all(|path| !path.starts_with("modules")), "{paths:?}");
    assert!(ran.out.join("setup/setup-1.log").is_file(), "its output is kept");
}

#[test]
fn a_set_up_that_fails_stops_the_run_and_marks_nobody() {
    for (command, said) in [
        ("surely-not-installed --all", "the environment lacks `surely-not-installed`"),
        ("sh -c 'surely-not-installed --all'", "the environment lacks what the set-up"),
        ("./scripts/not-committed.sh", "the repository has no `./scripts/not-committed.sh`, which the set-up"),
        ("sh -c 'echo no such package >&2; exit 3'", "no such package"),
        ("sh -c 'echo x > not-ignored.txt'", "`not-ignored.txt`, which git does not ignore"),
    ] {
        let bench = bench(command);
        bench.commit("set-up");
        let ran = bench.run([]).expect(3);
        assert!(ran.called.stderr.contains(said), "{command}: {}", ran.called.stderr);
        assert!(!ran.out.join("handoff.json").exists(), "no verdict on anybody's work");
    }
}

#[test]
fn a_gate_whose_program_is_not_there_was_not_run_and_is_nobodys_fault() {
    let bench = Bench::new();
    let plan = fs::read_to_string(bench.repo().join(".backend-implementer/plan.md")).unwrap();
    for (command, said) in [
        ("surely-not-installed --all", "the environment lacks `surely-not-installed`"),
        ("sh -c surely-not-installed", "the environment lacks the program `surely-not-installed`"),
        ("python3 -m surely_not_installed", "the environment lacks the module `surely_not_installed`"),
    ] {
        bench.write(".backend-implementer/plan.md", &plan.replace("python3 -m unittest -v", command));
        bench.commit("another gate");
        let out = bench.path("out");
        let _ = fs::remove_dir_all(&out);
        if !command.starts_with("python3") {
            // The base lacks it as well, which ends the run before more is paid for.
            let handoff = bench.run([]).expect(1).handoff();
            let why = handoff.findings.iter().find_map(|finding| match finding.code {
                FindingCode::RedBase => finding.message.contains("cannot be run here").then_some(()),
                FindingCode::RunEndedEarly => finding.message.contains("was not found").then_some(()),
                _ => None,
            });
            assert!(why.is_some(), "{command}: {:#?}", handoff.findings);
            assert!(handoff.rework.is_empty(), "nobody is called again for it");
            fs::remove_dir_all(&out).unwrap();
        }
        let ran = bench.run(["--allow-red-base"]).expect(1);
        let handoff = ran.handoff();
        let tests = handoff.gates.iter().find(|receipt| receipt.gate.name() == "tests").unwrap();
        assert_eq!(tests.state.name(), "not run", "{command}: {}", tests.reason);
        assert!(tests.reason.contains(said), "{command}: {}", tests.reason);
        assert!(handoff.rework.is_empty(), "nobody is called again for it");
    }
}

#[test]
fn a_file_of_the_repository_that_no_task_made_is_no_lack_of_the_environment() {
    let bench = Bench::new();
    let plan = fs::read_to_string(bench.repo().join(".backend-implementer/plan.md")).unwrap();
    for command in ["sh -c ./bin/not-made", "sh -c '\"$PWD/bin/not-made\"'"] {
        bench.write(".backend-implementer/plan.md", &plan.replace("git --version", command));
        bench.commit("another gate");
        let _ = fs::remove_dir_all(bench.path("out"));
        let handoff = bench.run([]).expect(1).handoff();
        let gate = handoff.gates.iter().find(|receipt| receipt.gate.name() == "validation").unwrap();
        assert_eq!(gate.state.name(), "failed", "{command}: {}", gate.reason);
        let own = gate.commands[0].missing_own.as_deref();
        assert!(own.is_some_and(|own| own.ends_with("bin/not-made")), "{own:?}");
    }
}
