//! Faults of GitHub in the middle of jobs: whatever fails, what comes out after “Re-run failed jobs” is what the undisturbed
//! run gives. What the platform did is never a task's outcome.

use std::{collections::BTreeMap, fs, process::Command};

use implementer_model::handoff::Handoff;
use serde_json::{Value, json};

use crate::{
    faults::Seeded,
    one_job::OneJob,
    support::{Bench, Called, action::Acted, fan_out::Jobs, github::Fault},
};

/// What subagents do in these runs: one fails for good, so that an outcome is there to be changed.
fn script() -> Value {
    json!({ "feature": { "write": { "src/hello.py": "print('hello')\n" } }, "cli": { "exit": 1 } })
}

/// What a run came to, as far as a fault may not change it.
#[derive(Debug, PartialEq, Eq)]
struct Came {
    status: String,
    commits: usize,
    outcomes: Vec<String>,
}

impl Came {
    fn of(end: &Acted) -> Self {
        let path = end.workspace.join(end.output("handoff-path"));
        let handoff =
            fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}\n{}", path.display(), end.called.stderr));
        let handoff = Handoff::read(&handoff).unwrap();
        let outcomes = handoff.tasks.iter().map(|task| {
            let attempts: Vec<_> = task.attempts.iter().map(|attempt| attempt.outcome.name()).collect();
            format!("{}: {} ({})", task.id, task.outcome.name(), attempts.join(", "))
        });
        Self {
            status: end.output("status").to_owned(),
            outcomes: outcomes.collect(),
            // Not their ids: every run of these has a repository of its own.
            commits: handoff.result.commits.len(),
        }
    }
}

/// A fault that meets some of a step's requests: of REST, or of reading artifacts in either way.
fn disturb(stage: &crate::support::action::Stage, random: &mut Seeded) -> String {
    let (method, path, artifacts) = [
        ("GET", "/artifacts", true),
        ("GET", "/pulls/7", false),
        ("GET", "/issues/7/comments", false),
        ("PATCH", "/issues/comments/", false),
        ("GET", "/check-runs", false),
        ("PATCH", "/check-runs/", false),
        ("POST", "/graphql", false),
    ][random.below(7)];
    // Waits that are longer than a job has are failures at once; the others are waited out.
    let (status, headers, times) = [
        (429, vec![("retry-after", "7200".to_owned())], usize::MAX),
        (403, vec![("retry-after", "7200".to_owned())], usize::MAX),
        (
            403,
            vec![("x-ratelimit-remaining", "0".to_owned()), ("x-ratelimit-reset", "4102444800".to_owned())],
            usize::MAX,
        ),
        (429, vec![("retry-after", "0".to_owned())], 1),
        (502, Vec::new(), 1),
    ][random.below(5)]
    .clone();
    let body = if random.below(2) == 0 { json!("<html>Unicorn!</html>") } else { json!({ "message": "slow down" }) };
    let fault = Fault { headers, body, ..Fault::status(method, path, times, status) };
    let said = format!("{status} for {method} {path}, {times} times");
    let mut state = stage.github.state();
    if artifacts {
        state.artifact_faults.push(fault);
    } else {
        state.faults.push(fault);
    }
    said
}

/// A fault of the blob store or of an upload: what passes is waited out, what is refused stops the step.
fn disturb_blobs(stage: &crate::support::action::Stage, random: &mut Seeded) -> String {
    let (method, path) =
        [("GET", "/blobs/"), ("TWIRP", "CreateArtifact"), ("TWIRP", "/uploads/"), ("TWIRP", "FinalizeArtifact")]
            [random.below(4)];
    let (status, times) = [(403, 1), (500, 1), (503, 1), (429, 1)][random.below(4)];
    let mut state = stage.github.state();
    state.artifact_faults.push(Fault::status(method, path, times, status));
    if random.below(2) == 0 {
        // The next blob is cut off twice, and then the store refuses once.
        state.artifacts.values_mut().for_each(|stored| stored.breaks = vec![1, 40, 0]);
    }
    format!("{status} for {method} {path}")
}

/// Does a step under a fault. A step that the fault stopped says so, in words, and is done again.
fn disturbed(stage: &crate::support::action::Stage, random: &mut Seeded, step: &dyn Fn() -> Acted) -> Acted {
    let fault = if random.below(2) == 0 { disturb(stage, random) } else { disturb_blobs(stage, random) };
    let acted = step();
    let mut state = stage.github.state();
    state.faults.clear();
    state.artifact_faults.clear();
    state.artifacts.values_mut().for_each(|stored| stored.breaks.clear());
    drop(state);
    if acted.called.code != 3 {
        return acted;
    }
    let log = &acted.called.stderr;
    assert!(log.contains("Re-run failed jobs") || log.contains("wait until the limit is reset"), "{fault}\n{log}");
    stage.attempt.set(stage.attempt.get() + 1);
    step()
}

/// What is downloaded within one attempt at a run costs nothing of the repository's 1,000 requests an hour. Where the service
/// does not answer, REST does, and nothing else changes.
#[test]
fn artifacts_of_the_same_run_cost_no_request_of_rest_unless_the_service_is_away() {
    let end_of = |away: bool| {
        let run = OneJob::begin(&script());
        if away {
            for operation in ["ListArtifacts", "GetSignedArtifactURL"] {
                run.stage.github.state().artifact_faults.push(Fault::status("TWIRP", operation, usize::MAX, 404));
            }
        }
        run.stage.github.forget_requests();
        run.prepare();
        run.work();
        let end = run.summarize(&run.keep(), "failure");
        let requests = run.stage.github.requests();
        let rest = requests.iter().filter(|request| request.path.contains("/actions/")).count();
        (Came::of(&end), rest)
    };
    let (with_service, none) = end_of(false);
    let (without, some) = end_of(true);
    assert_eq!((with_service, none), (without, 0));
    // The state for each of two jobs, and the work.
    assert_eq!(some, 3);
}

#[test]
fn a_fault_in_the_middle_of_one_job_changes_no_outcome() {
    let end_of = |random: Option<&mut Seeded>| {
        let run = OneJob::begin(&script());
        let Some(random) = random else {
            run.prepare();
            run.work();
            return Came::of(&run.summarize(&run.keep(), "failure"));
        };
        disturbed(&run.stage, random, &|| run.try_prepare()).expect(0);
        run.work();
        let kept = run.keep();
        let end = disturbed(&run.stage, random, &|| run.summarize(&kept, "failure"));
        let checks = run.stage.github.state().checks.clone();
        assert!(checks.iter().all(|check| check.status == "completed"), "{checks:#?}");
        assert!(run.comment().contains("## Backend Implementation Incomplete"), "{}", run.comment());
        Came::of(&end)
    };
    let undisturbed = end_of(None);
    assert_eq!(undisturbed.status, "incomplete");
    let mut random = Seeded(11);
    for number in 0..5 {
        assert_eq!(end_of(Some(&mut random)), undisturbed, "schedule {number}");
    }
}

/// A disk that is full fails whatever runs there, and nobody is to blame for that. Needs a small file system, which only root can
/// make.
#[test]
fn what_fails_on_a_full_disk_is_no_verdict_and_is_done_again() {
    let bench = Bench::new();
    let small = bench.path("small");
    fs::create_dir_all(&small).unwrap();
    let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=16m", "tmpfs"]).arg(&small).output();
    if !mount.is_ok_and(|mounted| mounted.status.success()) {
        eprintln!("SKIPPED what_fails_on_a_full_disk: no file system can be mounted here");
        return;
    }
    let out = bench.path("out");
    let fill = json!(["dd", "if=/dev/zero", "of=big.bin", "bs=64k", "count=1024", "status=none"]);
    bench.script(&json!({ "feature": { "run": fill }, "cli": { "write": { "cli/greet.py": "x\n" } } }));
    let run = || bench.program(["run", "--jobs", "1", "--out", out.to_str().unwrap()]);
    let stopped = Called::of(run().env("TMPDIR", &small).output().unwrap());
    let unmounted = Command::new("umount").arg("--lazy").arg(&small).status().unwrap();
    assert!(unmounted.success());
    let stopped = stopped.expect(3);
    assert!(stopped.stderr.contains("is full, so that what failed there is no verdict"), "{}", stopped.stderr);
    bench.script(
        &json!({ "feature": { "write": { "src/a.py": "x\n" } }, "cli": { "write": { "cli/greet.py": "x\n" } } }),
    );
    run().arg("--resume").output().map(Called::of).unwrap().expect(0);
    let handoff = Handoff::read(&fs::read(out.join("handoff.json")).unwrap()).unwrap();
    let attempts: Vec<_> =
        handoff.tasks.iter().flat_map(|task| &task.attempts).map(|attempt| attempt.outcome.name()).collect();
    assert!(attempts.iter().all(|outcome| ["passed", "interrupted"].contains(outcome)), "{attempts:?}");
}

/// A job that vanished with its machine said nothing. The summary says so, and running the failed jobs again comes to what it
/// would have come to.
#[test]
fn a_runner_that_is_lost_loses_nothing_that_running_again_does_not_bring() {
    let undisturbed = {
        let run = OneJob::begin(&script());
        run.prepare();
        run.work();
        Came::of(&run.summarize(&run.keep(), "failure"))
    };
    let run = OneJob::begin(&script());
    run.prepare();
    let lost = run.summarize("", "cancelled");
    assert!(lost.called.code != 0, "{}", lost.called.stderr);
    assert!(run.comment().contains("ran out of time, or its runner was lost"), "{}", run.comment());
    run.stage.attempt.set(2);
    run.prepare();
    run.work();
    assert_eq!(Came::of(&run.summarize(&run.keep(), "failure")), undisturbed);
}

#[test]
fn a_fault_in_the_middle_of_the_jobs_of_a_matrix_changes_no_outcome() {
    let end_of = |random: Option<&mut Seeded>| {
        let mut jobs = Jobs::begin_with("rework-rounds: 0\n");
        jobs.stage.bench.script(&script());
        let Some(random) = random else {
            jobs.run_to_end();
            return Came::of(&jobs.act("summarize", &[]));
        };
        while !jobs.output("matrix").is_empty() || jobs.output("gates") == "true" {
            jobs.wave += 1;
            let wave = format!("wave-{}", jobs.wave);
            let mut said = BTreeMap::new();
            let gates = json!([{ "tasks": "gates", "slot": 0 }]).to_string();
            let legs = if jobs.output("gates") == "true" { gates } else { jobs.output("matrix").to_owned() };
            for leg in serde_json::from_str::<Vec<Value>>(&legs).unwrap() {
                let (tasks, slot) = (leg["tasks"].as_str().unwrap(), leg["slot"].to_string());
                disturbed(&jobs.stage, random, &|| jobs.act("prepare", &[("tasks", tasks)])).expect(0);
                let work: (&str, &[&str]) =
                    if tasks == "gates" { ("gate", &[]) } else { ("work", &["--tasks", tasks]) };
                jobs.host(work.0, work.1);
                let inputs = [("tasks", tasks), ("slot", slot.as_str()), ("wave", wave.as_str())];
                let collected = disturbed(&jobs.stage, random, &|| jobs.act("collect", &inputs));
                let name = format!("slot-{slot}");
                assert!(!collected.output(&name).is_empty(), "{}", collected.called.stderr);
                said.insert(name.clone(), collected.output(&name).to_owned());
            }
            let results = json!(said).to_string();
            let inputs = [("wave", wave.as_str()), ("results", results.as_str())];
            let settled = disturbed(&jobs.stage, random, &|| jobs.act("settle", &inputs)).expect(0);
            jobs.outputs = settled.outputs;
            assert!(jobs.wave < 20, "it does not end");
        }
        let settled = jobs.output("state").to_owned();
        let end = disturbed(&jobs.stage, random, &|| jobs.act("summarize", &[("settled", &settled)]));
        assert!(end.called.code != 3, "{}", end.called.stderr);
        Came::of(&end)
    };
    let undisturbed = end_of(None);
    let mut random = Seeded(12);
    for number in 0..2 {
        assert_eq!(end_of(Some(&mut random)), undisturbed, "schedule {number}");
    }
}
