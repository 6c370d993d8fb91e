//! The example, end to end: what a newcomer sees.

use implementer_model::{
    handoff::{Handoff, Status},
    roster::Role,
    schedule::Outcome,
};

use crate::support::Bench;

#[test]
fn the_demo_gives_a_complete_implementation_that_is_proven_and_can_be_fetched() {
    let bench = Bench::on_disk();
    let kept = bench.path("demo");
    let called = bench.call(["demo", "--keep", kept.to_str().unwrap()]).expect(0);
    assert!(called.stdout.starts_with("## Backend Implementation Complete"), "{}", called.stdout);
    assert!(!called.stdout.contains("Nothing reported"), "every label has something to say: {}", called.stdout);

    let repository = kept.join("users-service");
    let runs = repository.join(".backend-implementer/runs");
    let run = std::fs::read_dir(runs)
        .unwrap()
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .find(|path| path.is_dir())
        .expect("a run");
    let handoff = Handoff::read(&std::fs::read(run.join("handoff.json")).unwrap()).unwrap();
    assert_eq!(handoff.status, Status::Complete);
    assert_eq!(handoff.tasks.len(), 8);
    for role in Role::ALL {
        let record = handoff.tasks_of(role).next().expect("a record");
        assert_eq!(record.outcome, Outcome::Passed, "{}: {}", record.id, record.reason);
    }
    assert!(handoff.criteria.iter().all(|criterion| criterion.met), "{:#?}", handoff.criteria);
    for file in ["summary.md", "implementation.bundle", "lock.json", "timeline.json", "report.html", "journal.jsonl"] {
        assert!(run.join(file).is_file(), "{file}");
    }
    for record in &handoff.tasks {
        for file in ["brief.md", "report.json", "log.txt"] {
            assert!(run.join("tasks").join(record.id.as_str()).join(file).is_file(), "{} {file}", record.id);
        }
    }

    bench.call(["verify", run.to_str().unwrap(), "--repo", repository.to_str().unwrap()]).expect(0);
    let bundle = run.join("implementation.bundle");
    let git = |arguments: &[&str]| {
        bench.git(["-C", repository.to_str().unwrap()].into_iter().chain(arguments.iter().copied()))
    };
    assert_eq!(git(&["status", "--porcelain"]), "", "the checkout is as it was");
    git(&["fetch", "--quiet", bundle.to_str().unwrap(), "backend-implementer/implementation:taken"]);
    assert!(git(&["show", "taken:users_service/api.py"]).contains("PATCH"), "the feature is there");
}

#[test]
fn the_demo_does_not_write_over_anything() {
    let bench = Bench::on_disk();
    let called = bench.call(["demo", "--keep", "."]).expect(2);
    assert!(called.stderr.contains("not empty"), "{}", called.stderr);
}
