//! Agent programs as subagents of a fan-out: only the middle part of a job has the key, and what it makes of an answer
//! reaches the end of the run.

use std::{fs, path::Path};

use implementer_model::{handoff::Handoff, schedule::Outcome};
use serde_json::{Value, json};

use super::{KEY, Stand, attempts, done, findings, key_is_nowhere_below};
use crate::support::{
    Called,
    model::{Asked, ScriptedModel, Step},
};

/// Makes the first wave's attempts as jobs, and sums up what came of them.
fn first_wave(stand: &Stand) -> (Handoff, std::path::PathBuf) {
    let bench = &stand.bench;
    let path = |name: &str| bench.path(name).to_str().unwrap().to_owned();
    let (state, results, settled, out) = (path("state"), path("results"), path("settled"), path("out"));
    let begun = bench.call(["plan", "--state", &state]).expect(0);
    let mut next: Value = serde_json::from_str(&begun.stdout).unwrap();
    for leg in next["matrix"].as_array().unwrap().clone() {
        let tasks = leg["tasks"].as_str().unwrap().to_owned();
        let (job, into) = (path(&format!("job-{}", leg["slot"])), format!("{results}/job-{}", leg["slot"]));
        let common = ["--state", &state, "--tasks", &tasks, "--job", &job];
        bench.call(["prepare"].into_iter().chain(common)).expect(0);
        // The key is given to this part alone.
        let work = stand.program(["work"].into_iter().chain(common)).output().unwrap();
        Called::of(work).expect(0);
        let collected = bench.call(["collect"].into_iter().chain(common).chain(["--results", &into]));
        assert!([0, 1].contains(&collected.code), "{}{}", collected.stdout, collected.stderr);
    }
    let head = next["head"].as_str().unwrap().to_owned();
    let settle = ["settle", "--state", &state, "--results", &results, "--out", &settled, "--head", &head];
    next = serde_json::from_str(&bench.call(settle).expect(0).stdout).unwrap();
    let head = next["head"].as_str().unwrap().to_owned();
    bench.call(["summarize", "--state", &settled, "--out", &out, "--head", &head]).expect(1);
    let handoff = Handoff::read(&fs::read(Path::new(&out).join("handoff.json")).unwrap()).unwrap();
    (handoff, out.into())
}

#[test]
fn a_session_is_gone_on_with_in_its_job_and_told_at_the_end_of_the_run() {
    let model = ScriptedModel::start(|asked: &Asked| match (asked.done, asked.repair) {
        (0, _) => Step::Create("src/hello.py".to_owned(), "print('hello')\n".to_owned()),
        (_, false) => Step::Say(format!("Done with {KEY}.")),
        (_, true) => Step::Report(done(&["src/hello.py"])),
    });
    let stand = Stand::prepared("claude", &model, json!({}), |bench| bench.write("CLAUDE.md", "conventions\n"));
    let (handoff, out) = first_wave(&stand);
    let attempt = &attempts(&handoff, "feature")[0];
    assert_eq!(attempt.outcome, Outcome::Passed, "{:?}", findings(&handoff, "feature"));
    let session = attempt.session.as_ref().unwrap();
    assert_eq!((session.agent.as_str(), session.version.as_deref(), session.repairs), ("claude", Some("2.1.329"), 1));
    assert!(session.micro_dollars.is_some_and(|micro| micro > 0) && handoff.cost.micro_dollars.is_some());
    let paths: Vec<_> = attempt.patch.as_ref().unwrap().changes.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(paths, ["src/hello.py"]);
    key_is_nowhere_below(&out);
    key_is_nowhere_below(&stand.bench.path("results"));
}

#[test]
fn a_secret_that_is_written_in_a_job_goes_no_further() {
    let write = Step::Run("mkdir -p src; echo \"key = '$ANTHROPIC_API_KEY'\" >src/settings.py".to_owned());
    let model = ScriptedModel::steps([("feature", vec![write, Step::Report(done(&["src/settings.py"]))])]);
    let stand = Stand::new("claude", &model, json!({}));
    let (handoff, out) = first_wave(&stand);
    assert_eq!(attempts(&handoff, "feature")[0].outcome, Outcome::Failed);
    assert!(findings(&handoff, "feature")[0].starts_with("secret-written: "), "{:?}", findings(&handoff, "feature"));
    key_is_nowhere_below(&out);
    key_is_nowhere_below(&stand.bench.path("results"));
}
