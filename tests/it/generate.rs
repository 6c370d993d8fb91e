//! The workflow of a fan-out: written, checked for drift, never over somebody's own.

use std::{fs, path::Path};

use crate::support::Bench;

const WORKFLOW: &str = ".github/workflows/backend-implementer.yml";
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn bench() -> Bench {
    let bench = Bench::new();
    let config = fs::read_to_string(Path::new(ROOT).join("examples/fan-out.yml")).unwrap();
    bench.write(".github/backend-implementer.yml", &config);
    bench
}

fn written(bench: &Bench) -> String {
    fs::read_to_string(bench.repo().join(WORKFLOW)).unwrap()
}

#[test]
fn the_example_is_what_is_generated_from_its_configuration() {
    let bench = bench();
    bench.call(["generate"]).expect(0);
    let example = Path::new(ROOT).join("examples/workflows/fan-out.yml");
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        fs::write(&example, written(&bench)).unwrap();
    }
    let example = fs::read_to_string(example).unwrap();
    assert!(example == written(&bench), "examples/workflows/fan-out.yml is out of date: UPDATE_SCHEMAS=1 writes it");
}

#[test]
fn the_ready_workflow_is_what_is_generated_from_the_ready_configuration() {
    let bench = Bench::new();
    let config = fs::read_to_string(Path::new(ROOT).join("examples/backend-implementer.yml")).unwrap();
    bench.write(".github/backend-implementer.yml", &config);
    bench.call(["generate"]).expect(0);
    let example = Path::new(ROOT).join("examples/workflows/backend-implementer.yml");
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        fs::write(&example, written(&bench)).unwrap();
    }
    let example = fs::read_to_string(example).unwrap();
    assert!(
        example == written(&bench),
        "examples/workflows/backend-implementer.yml is out of date: UPDATE_SCHEMAS=1 writes it"
    );
}

#[test]
fn a_hand_edit_is_shown_and_fails_the_check() {
    let bench = bench();
    let missing = bench.call(["generate", "--check"]).expect(1);
    assert!(missing.stderr.contains("is not there"), "{}", missing.stderr);
    assert!(bench.call(["generate"]).expect(0).stdout.contains("wrote"));
    bench.call(["generate", "--check"]).expect(0);
    let first = written(&bench);
    bench.call(["generate"]).expect(0);
    assert_eq!(written(&bench), first, "the text is stable");

    bench.write(WORKFLOW, &first.replacen("contents: read #", "contents: write #", 1));
    let checked = bench.call(["generate", "--check"]).expect(1);
    assert!(checked.stdout.contains("\n-      contents: write # to fetch"), "{}", checked.stdout);
    assert!(checked.stdout.contains("\n+      contents: read # to fetch"), "{}", checked.stdout);
    assert!(checked.stderr.contains("`backend-implementer generate` writes it"), "{}", checked.stderr);

    // So does another configuration.
    bench.write(WORKFLOW, &first);
    let config = fs::read_to_string(bench.repo().join(".github/backend-implementer.yml")).unwrap();
    bench.write(".github/backend-implementer.yml", &config.replace("waves: 7", "waves: 5"));
    bench.call(["generate", "--check"]).expect(1);
}

#[test]
fn what_was_not_generated_is_not_written_over() {
    let bench = bench();
    bench.write(WORKFLOW, "name: mine\n");
    let refused = bench.call(["generate"]).expect(2);
    assert!(refused.stderr.contains("was not generated") && refused.stderr.contains("--force"), "{}", refused.stderr);
    assert_eq!(written(&bench), "name: mine\n");
    bench.call(["generate", "--force"]).expect(0);
    bench.call(["generate", "--check"]).expect(0);
}

#[test]
fn without_an_action_the_message_says_what_to_set() {
    let bench = Bench::new();
    let refused = bench.call(["generate"]).expect(2);
    assert!(refused.stderr.contains("set `workflow.action`"), "{}", refused.stderr);
    bench.write(".github/backend-implementer.yml", "workflow:\n  action: x@v1\n  wave: 3\n");
    let refused = bench.call(["generate"]).expect(2);
    assert!(refused.stderr.contains("all 40 digits") && refused.stderr.contains("did you mean"), "{}", refused.stderr);
}
