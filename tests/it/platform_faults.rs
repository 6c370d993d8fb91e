//! Faults of GitHub in the middle of jobs: whatever fails, what comes out after “Re-run failed jobs” is what the undisturbed
//! run gives. What the platform did is never a task's outcome.

use std::{collections::BTreeMap, fs};

use implementer_model::handoff::Handoff;
use serde_json::{Value, json};

use crate::{
    faults::Seeded,
    one_job::OneJob,
    support::{action::Acted, fan_out::Jobs, github::Fault},
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

/// Does a step under a fault. A step that the fault stopped says so, in words, and is done again.
fn disturbed(stage: &crate::support::action::Stage, random: &mut Seeded, step: &dyn Fn() -> Acted) -> Acted {
    let fault = disturb(stage, random);
    let acted = step();
    let mut state = stage.github.state();
    state.faults.clear();
    state.artifact_faults.clear();
    drop(state);
    if acted.called.code != 3 {
        return acted;
    }
    let log = &acted.called.stderr;
    assert!(log.contains("Re-run failed jobs") || log.contains("wait until the limit is reset"), "{fault}\n{log}");
    stage.attempt.set(stage.attempt.get() + 1);
    step()
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
