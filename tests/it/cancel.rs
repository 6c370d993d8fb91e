//! Time limits and cancels end everything that a subagent started and keep what it had made.

use std::{
    fs,
    io::Read as _,
    process::{Child, Stdio},
};

use implementer_model::{findings::FindingCode, handoff::Status, schedule::Outcome};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::support::{Bench, is_alive};

/// A bench whose feature subagent hangs, deaf to TERM, with a child in a session of its own; it writes the ids of both
/// processes into a FIFO once it is there.
fn hanging() -> (Bench, std::path::PathBuf) {
    let bench = Bench::new();
    let fifo = bench.path("announce");
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).expect("a FIFO");
    bench.script(&json!({
        "feature": { "write": { "src/half.py": "half = True\n" }, "hang": true, "announce": fifo },
        "cli": { "write": { "cli/greet.py": "x\n" } } }));
    (bench, fifo)
}

/// Waits until the subagent has announced itself, and returns the ids of its processes.
fn announced(fifo: &std::path::Path) -> Vec<String> {
    let mut text = String::new();
    fs::File::open(fifo).expect("the FIFO").read_to_string(&mut text).expect("two process ids");
    text.split_whitespace().map(str::to_owned).collect()
}

fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a process id")).expect("a process id");
    kill_process(pid, signal).expect("the signal is delivered");
}

#[test]
fn a_cancelled_run_ends_its_children_keeps_the_patch_and_exits_130() {
    for how in [Signal::INT, Signal::TERM] {
        let (bench, fifo) = hanging();
        let out = bench.path("out");
        let child = bench
            .program(["run", "--out", out.to_str().unwrap()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let processes = announced(&fifo);
        assert_eq!(processes.len(), 2);
        signal(&child, how);
        let status = child.wait_with_output().expect("it ends").status;
        assert_eq!(status.code(), Some(130));
        for process in &processes {
            assert!(!is_alive(process), "process {process} is still there");
        }
        let handoff = implementer_model::handoff::Handoff::read(&fs::read(out.join("handoff.json")).unwrap()).unwrap();
        assert_eq!(handoff.status, Status::Cancelled);
        let feature = handoff.tasks.iter().find(|record| record.id.as_str() == "feature").unwrap();
        assert_eq!(feature.outcome, Outcome::Cancelled);
        assert!(fs::read_to_string(out.join("tasks/feature/patch.diff")).unwrap().contains("half = True"));
        let tests = handoff.tasks.iter().find(|record| record.id.as_str() == "tests").unwrap();
        assert_eq!(tests.outcome, Outcome::NotRun);
        // The partial patch is in the bundle, too.
        bench.call(["verify", out.to_str().unwrap()]).expect(0);
        assert!(fs::read_dir(bench.path("tmp")).unwrap().next().is_none(), "work trees are gone");
    }
}

#[test]
fn a_killed_coordinator_leaves_no_process_behind() {
    let (bench, fifo) = hanging();
    let mut child = bench
        .program(["run", "--out", bench.path("out").to_str().unwrap()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let processes = announced(&fifo);
    signal(&child, Signal::KILL);
    child.wait().expect("it is gone");
    await_end(&processes);
}

/// Waits until processes are gone that lost their coordinator: their supervisor ends them and then itself. A pidfd becomes
/// readable when a process is gone.
fn await_end(processes: &[String]) {
    for process in processes {
        let Some(pid) = process.parse().ok().and_then(Pid::from_raw) else { panic!("{process} is no process id") };
        let Ok(handle) = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) else { continue };
        let limit = rustix::event::Timespec { tv_sec: 30, tv_nsec: 0 };
        let mut wait = [rustix::event::PollFd::new(&handle, rustix::event::PollFlags::IN)];
        assert_eq!(rustix::event::poll(&mut wait, Some(&limit)), Ok(1), "process {process} is still there");
    }
}

#[test]
fn a_hanging_subagent_is_timed_out_and_the_rest_goes_on() {
    let (bench, fifo) = hanging();
    let reader = std::thread::spawn(move || announced(&fifo));
    let out = bench.path("out");
    let output = bench
        .program(["run", "--out", out.to_str().unwrap(), "--time-limit", "2s"])
        .output()
        .expect("the program runs");
    let called = crate::support::Called::of(output).expect(1);
    for process in reader.join().unwrap() {
        assert!(!is_alive(&process), "process {process} is still there");
    }
    let handoff = implementer_model::handoff::Handoff::read(&fs::read(out.join("handoff.json")).unwrap()).unwrap();
    let feature = handoff.tasks.iter().find(|record| record.id.as_str() == "feature").unwrap();
    assert_eq!(feature.outcome, Outcome::TimedOut, "{}", called.stderr);
    assert!(feature.reason.contains("time limit of 2.0 s"), "{}", feature.reason);
    assert!(handoff.findings.iter().any(|finding| finding.code == FindingCode::TimedOut));
    let cli = handoff.tasks.iter().find(|record| record.id.as_str() == "cli").unwrap();
    assert_eq!(cli.outcome, Outcome::Passed);
    assert!(fs::read_to_string(out.join("tasks/feature/patch.diff")).unwrap().contains("half = True"));
}

#[test]
fn a_second_signal_ends_the_program_at_once() {
    // A subagent that is deaf to TERM has five seconds to end; nobody has to wait for that.
    let (bench, fifo) = hanging();
    let out = bench.path("out");
    let mut child = bench
        .program(["run", "--out", out.to_str().unwrap()])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let processes = announced(&fifo);
    signal(&child, Signal::INT);
    // The first was heard once it is told.
    let mut stderr = std::io::BufReader::new(child.stderr.take().expect("a pipe"));
    let mut line = String::new();
    while !line.to_lowercase().contains("cancel") {
        line.clear();
        assert_ne!(std::io::BufRead::read_line(&mut stderr, &mut line).expect("a line"), 0, "it never says so");
    }
    signal(&child, Signal::INT);
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    assert!(!out.join("handoff.json").exists(), "it did not wait for the subagent");
    // The supervisor ends what it supervises all the same, and the run can be gone on with.
    drop(stderr);
    bench.script(
        &json!({ "feature": { "write": { "src/hello.py": "x\n" } }, "cli": { "write": { "cli/greet.py": "x\n" } } }),
    );
    bench.call(["run", "--out", out.to_str().unwrap()]).expect(0);
    await_end(&processes);
}
