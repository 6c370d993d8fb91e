//! `verify` passes on every complete run, and fails when anything was changed by hand.

use std::{fs, path::Path};

use implementer_model::{handoff::Handoff, ids::Digest};

use crate::support::{Bench, Called, Ran};

fn complete() -> (Bench, Ran) {
    let bench = Bench::new();
    let ran = bench.run([]).expect(0);
    (bench, ran)
}

fn verify(bench: &Bench, target: &Path) -> Called {
    bench.call(["verify", target.to_str().expect("UTF-8")])
}

fn change(ran: &Ran, change: impl FnOnce(&mut Handoff)) {
    let mut handoff = ran.handoff();
    change(&mut handoff);
    fs::write(ran.out.join("handoff.json"), handoff.write().unwrap()).unwrap();
}

#[test]
fn a_complete_run_is_proven_from_its_folder_and_from_its_handoff() {
    let (bench, ran) = complete();
    verify(&bench, &ran.out).expect(0);
    verify(&bench, &ran.out.join("handoff.json")).expect(0);
}

#[test]
fn an_incomplete_run_is_proven_to_be_incomplete() {
    let bench = Bench::new();
    bench.script(&serde_json::json!({ "feature": { "exit": 1 }, "cli": { "write": { "cli/greet.py": "x\n" } } }));
    let ran = bench.run([]).expect(1);
    assert!(verify(&bench, &ran.out).expect(0).stdout.contains("incomplete"));
}

#[test]
fn every_single_byte_of_the_bundle_counts_even_when_the_digest_is_forged() {
    let (bench, ran) = complete();
    let path = ran.out.join("implementation.bundle");
    let whole = fs::read(&path).unwrap();
    // Every byte is too slow; these are spread over header, pack and trailer.
    for at in (0..whole.len()).step_by(whole.len() / 24 + 1).chain([whole.len() - 1]) {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(&path, &changed).unwrap();
        let called = verify(&bench, &ran.out);
        assert_eq!(called.code, 1, "byte {at}\n{}{}", called.stdout, called.stderr);
        change(&ran, |handoff| handoff.result.bundle_digest = Some(Digest::from_content(&changed)));
        let called = verify(&bench, &ran.out);
        assert_eq!(called.code, 1, "byte {at}, digest forged\n{}{}", called.stdout, called.stderr);
        fs::write(&path, &whole).unwrap();
        change(&ran, |handoff| handoff.result.bundle_digest = Some(Digest::from_content(&whole)));
    }
    verify(&bench, &ran.out).expect(0);
}

#[test]
fn a_commit_that_no_patch_made_is_found() {
    let (bench, ran) = complete();
    // Somebody takes the implementation, adds a line of their own, and packs it again under the same name.
    let clone = bench.path("clone");
    bench.git(["clone", "--quiet", ".", clone.to_str().unwrap()]);
    let bundle = ran.out.join("implementation.bundle");
    let in_clone =
        |arguments: &[&str]| bench.git(["-C", clone.to_str().unwrap()].into_iter().chain(arguments.iter().copied()));
    in_clone(&["fetch", "--quiet", bundle.to_str().unwrap(), "+refs/*:refs/*", "--update-head-ok"]);
    in_clone(&["checkout", "--quiet", "backend-implementer/implementation"]);
    fs::write(clone.join("src/hello.py"), "print('changed by hand')\n").unwrap();
    in_clone(&["commit", "--quiet", "--all", "--amend", "--no-edit"]);
    let base = ran.handoff().result.base.to_string();
    in_clone(&["bundle", "create", "--quiet", bundle.to_str().unwrap(), "--all", "--not", &base]);
    let (commit, tree) = (in_clone(&["rev-parse", "HEAD"]), in_clone(&["rev-parse", "HEAD^{tree}"]));
    change(&ran, |handoff| {
        handoff.result.bundle_digest = Some(Digest::from_content(fs::read(&bundle).unwrap()));
        handoff.result.commit = commit.parse().unwrap();
        handoff.result.tree = tree.parse().unwrap();
        for receipt in &mut handoff.gates {
            receipt.tree = tree.parse().unwrap();
            if let Some(verdict) = &mut receipt.verdict {
                verdict.tree = tree.parse().unwrap();
            }
        }
    });
    let called = verify(&bench, &ran.out).expect(1);
    assert!(called.stdout.contains("FAILED  integration gives the same commits again"), "{}", called.stdout);
}

#[test]
fn a_status_written_by_hand_does_not_stand() {
    let bench = Bench::new();
    bench.script(&serde_json::json!({ "feature": { "exit": 1 }, "cli": { "write": { "cli/greet.py": "x\n" } } }));
    let ran = bench.run([]).expect(1);
    change(&ran, |handoff| {
        handoff.status = implementer_model::handoff::Status::Complete;
        handoff.missing.clear();
    });
    verify(&bench, &ran.out).expect(1);
}

#[test]
fn a_widened_scope_or_another_plan_is_found() {
    let (bench, ran) = complete();
    change(&ran, |handoff| handoff.plan.digest = Digest::from_content("another plan"));
    verify(&bench, &ran.out).expect(1);
    let (bench, ran) = complete();
    change(&ran, |handoff| {
        for task in &mut handoff.schedule.tasks {
            task.scope.allow = vec!["docs/**".to_owned()];
        }
    });
    let called = verify(&bench, &ran.out).expect(1);
    assert!(called.stdout.contains("FAILED  every patch kept to its scope"), "{}", called.stdout);
}

#[test]
fn a_changed_summary_is_found() {
    let (bench, ran) = complete();
    let summary = ran.summary().replace("greet", "gr33t");
    fs::write(ran.out.join("summary.md"), summary + "x").unwrap();
    verify(&bench, &ran.out).expect(1);
}

#[test]
fn what_is_no_run_is_bad_input() {
    let bench = Bench::new();
    let called = verify(&bench, &bench.path("nowhere")).expect(2);
    assert!(called.stderr.contains("nowhere"), "{}", called.stderr);
    fs::write(bench.path("handoff.json"), "{\"version\": 99}").unwrap();
    let called = verify(&bench, &bench.path("handoff.json")).expect(2);
    assert!(called.stderr.contains("99"), "{}", called.stderr);
}

#[test]
fn git_fetch_gives_the_implementation() {
    let (bench, ran) = complete();
    let bundle = ran.out.join("implementation.bundle");
    bench.git(["fetch", "--quiet", bundle.to_str().unwrap(), "backend-implementer/implementation:taken"]);
    assert_eq!(bench.git(["rev-parse", "taken"]), ran.handoff().result.commit.to_string());
    assert_eq!(bench.git(["show", "taken:src/hello.py"]), "print('hello')");
    let messages =
        bench.git(["log", "--format=%(trailers:key=Implementer-Task,valueonly,separator=%x2C)", "main..taken"]);
    let mut tasks: Vec<_> = messages.lines().collect();
    tasks.sort_unstable();
    assert_eq!(tasks, ["cli", "feature"]);
}
