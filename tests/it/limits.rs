//! Limits of time and money that hold for a whole run, and what is said before a run about agent programs that cannot be
//! used.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Stdio};

use backend_implementer::journal::{Journal, Seal};
use implementer_model::{findings::FindingCode, handoff::Status, lock::Lock, record::Record, schedule::Outcome};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::Bench;

/// Puts more into the configuration of the bench, and commits.
fn configure(bench: &Bench, lines: &str) {
    let path = bench.repo().join(".github/backend-implementer.yml");
    let config = fs::read_to_string(path).unwrap();
    bench.write(".github/backend-implementer.yml", &format!("{config}{lines}"));
    bench.commit("limits");
}

#[test]
fn a_run_whose_time_is_up_is_ended_says_so_and_can_be_gone_on_with() {
    let bench = Bench::on_disk();
    configure(&bench, "limits: { run-minutes: 1 }\n");
    let fifo = bench.path("announce");
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
    // One after the other: the second is there once the first is over.
    bench.script(
        &json!({ "feature": { "write": { "src/hello.py": "x\n" } }, "cli": { "hang": true, "announce": fifo } }),
    );
    let out = bench.path("out");
    let mut command = bench.program(["run", "--jobs", "1", "--out", out.to_str().unwrap()]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let _ = fs::read_to_string(&fifo).unwrap();
    kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
    child.wait().unwrap();

    // What is left of the minute is nothing: the journal says that it has been at work for so long.
    let lock: Lock = serde_json::from_slice(&fs::read(out.join("lock.json")).unwrap()).unwrap();
    let seal = Seal::below(&bench.path("home/.local/state")).unwrap();
    let (journal, _) = Journal::resume_sealed(&out.join("journal.jsonl"), &lock, &seal).unwrap();
    journal.append(60_000, Record::Resumed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(journal.sync()).unwrap();
    drop(journal);
    let ran = bench.run(["--resume"]).expect(130);
    let handoff = ran.handoff();
    assert_eq!(handoff.status, Status::Cancelled);
    let told = handoff.findings.iter().find(|finding| finding.code == FindingCode::RunTimedOut).expect("a finding");
    assert!(told.message.starts_with("the run reached its time limit of 1 minute and was ended"), "{}", told.message);
    assert!(ran.summary().contains("run-timed-out"), "{}", ran.summary());
    assert_eq!(ran.outcomes()["feature"], Outcome::Passed, "what was finished is kept");
    assert_ne!(ran.outcomes()["cli"], Outcome::Passed);
}

#[test]
fn a_limit_that_nobody_could_keep_is_refused_before_anything_runs() {
    let bench = Bench::on_disk();
    configure(&bench, "limits: { run-cost: 5 }\n");
    let called = bench.call(["run"]).expect(2);
    assert!(called.stderr.contains("tells nobody what it costs"), "{}", called.stderr);
    assert!(!bench.repo().join(".backend-implementer/runs").exists());
}

/// A bench whose agent is a program that only prints a version.
fn with_version(settings: &Value, version: &str) -> Bench {
    let bench = Bench::on_disk();
    let program = bench.path("claude");
    fs::write(&program, format!("#!/bin/sh\necho '{version}'\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let mut claude = json!({ "program": program, "pass-environment": ["ANTHROPIC_API_KEY"] });
    claude.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    let config = json!({ "agent": { "kind": "claude" }, "agents": { "claude": claude } });
    bench.write(".github/backend-implementer.yml", &config.to_string());
    bench.commit("an agent program");
    bench
}

fn refused(bench: &Bench, code: i32, why: &str) {
    let mut command = bench.program(["run"]);
    let called = crate::support::Called::of(command.env("ANTHROPIC_API_KEY", "k").output().unwrap()).expect(code);
    assert!(called.stderr.contains(why), "{}", called.stderr);
    assert!(!bench.repo().join(".backend-implementer/runs").exists(), "it left something behind");
}

#[test]
fn an_agent_program_that_is_missing_or_too_old_is_told_before_anything_runs() {
    let missing = with_version(&json!({ "program": "/nowhere/claude" }), "");
    refused(&missing, 3, "install it by `npm install --global @anthropic-ai/claude-code@");
    refused(&with_version(&json!({}), "1.0.9 (Claude Code)"), 3, "claude 1.0.9 is older than 2.1.329");
    refused(&with_version(&json!({}), "no version here"), 3, "gives no version (exit code 0): no version here");
    let unnamed = with_version(&json!({ "pass-environment": [] }), "2.1.329");
    refused(&unnamed, 2, "is given no credential");
}

#[test]
fn an_agent_of_no_kind_that_there_is_is_refused_with_those_that_there_are() {
    let called = Bench::on_disk().call(["run", "--agent", "clod"]).expect(2);
    assert!(called.stderr.contains("claude, codex, gemini, opencode"), "{}", called.stderr);
}
