//! Whole runs with a real program as every subagent: files written by its own tools, integrated, gated, summed up.

use std::{collections::HashMap, fs, path::Path, process::Command};

use implementer_model::{
    handoff::{Handoff, Status},
    isolation::Level,
    patch::FileMode,
    schedule::Outcome,
};
use serde_json::{Value, json};

use super::{Setup, Stand, feature, last_session, merge, writes};
use crate::{
    red_team::stage::{ORDINARY, give, missing},
    support::{
        Bench, Called, PROGRAM, Ran,
        model::{ScriptedModel, Step},
    },
};

/// What every attempt of the scripted run of the example did, as steps for a model.
struct Recorded {
    repository: std::path::PathBuf,
    handoff: Handoff,
    steps: HashMap<(String, u32), Vec<Step>>,
}

impl Recorded {
    /// Runs the demo, and takes down what its scripted subagents changed and reported.
    fn of_the_demo(bench: &Bench) -> Self {
        let kept = bench.path("demo");
        bench.call(["demo", "--keep", kept.to_str().unwrap()]).expect(0);
        let repository = kept.join("users-service");
        let runs = repository.join(".backend-implementer/runs");
        let run = fs::read_dir(&runs).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.is_dir()).unwrap();
        let handoff = Handoff::read(&fs::read(run.join("handoff.json")).unwrap()).unwrap();
        let mut steps = HashMap::new();
        for record in &handoff.tasks {
            for attempt in &record.attempts {
                let mut work = Vec::new();
                for change in &attempt.patch.as_ref().unwrap().changes {
                    let quoted = format!("'{}'", change.path);
                    let Some(new) = &change.new else {
                        work.push(Step::Run(format!("rm {quoted}")));
                        continue;
                    };
                    let content = blob(&run.join("store.git"), new.id.as_str());
                    if change.old.is_none() {
                        work.push(Step::Create(change.path.clone(), content));
                    } else {
                        work.push(Step::Run(format!("cat >{quoted} <<'END_OF_FILE'\n{content}END_OF_FILE\n")));
                    }
                    if new.mode == FileMode::Executable {
                        work.push(Step::Run(format!("chmod +x {quoted}")));
                    }
                }
                let report = attempt.report.as_ref().expect("a report");
                work.push(Step::Report(serde_json::to_value(report).unwrap()));
                steps.insert((record.id.to_string(), attempt.attempt), work);
            }
        }
        fs::remove_dir_all(&runs).unwrap();
        Self { repository, handoff, steps }
    }
}

fn blob(git_dir: &Path, id: &str) -> String {
    let output = Command::new("git").arg("--git-dir").arg(git_dir).args(["cat-file", "blob", id]).output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// Prepares the program so that its runs are at a level: root's are at `uid`, an ordinary user's at `namespaces`.
fn at_level(level: Level, bench: &Bench) -> Command {
    let root = rustix::process::geteuid().is_root();
    if level != Level::Namespaces || !root {
        return bench.command(PROGRAM);
    }
    give(&bench.path(""), ORDINARY);
    let (user, mut command) = (ORDINARY.to_string(), bench.command("setpriv"));
    command.args(["--reuid", &user, "--regid", &user, "--clear-groups", "--", PROGRAM]);
    command
}

fn the_example_with(kind: &str, level: Level) -> Option<(Handoff, String)> {
    if let Some(why) = missing(level) {
        eprintln!("SKIPPED at level {level}: {why}");
        return None;
    }
    let bench = Bench::on_disk();
    let Recorded { repository, handoff: scripted, steps } = Recorded::of_the_demo(&bench);
    let model = ScriptedModel::start(move |asked| {
        let key = (asked.task.clone(), asked.attempt);
        let steps = steps.get(&key).unwrap_or_else(|| panic!("nothing is scripted for {key:?}"));
        steps[asked.done.min(steps.len() - 1)].clone()
    });
    let Setup { agents, environment } = Setup::new(kind, model.url(), &bench.path("home"));
    let text = fs::read_to_string(repository.join(".github/backend-implementer.yml")).unwrap();
    let mut config: Value = serde_yaml::from_str(&text).unwrap();
    merge(&mut config, json!({ "agent": { "kind": kind }, "agents": agents }));
    let config_file = bench.path("config.yml");
    fs::write(&config_file, config.to_string()).unwrap();
    let out = bench.path("out");
    let mut command = at_level(level, &bench);
    command
        .args(["run", "--agent", kind, "--out"])
        .arg(&out)
        .arg("--config")
        .arg(&config_file)
        .current_dir(&repository)
        .envs(environment);
    Called::of(command.output().unwrap()).expect(0);

    let handoff = Handoff::read(&fs::read(out.join("handoff.json")).unwrap()).unwrap();
    assert_eq!(handoff.status, Status::Complete, "{:#?}", handoff.missing);
    assert_eq!(handoff.isolation.level, level, "{:?}", handoff.isolation);
    assert_eq!(handoff.tasks.len(), 8);
    for record in &handoff.tasks {
        assert_eq!(record.outcome, Outcome::Passed, "{}: {}", record.id, record.reason);
        assert_eq!(record.last().unwrap().session.as_ref().unwrap().agent, kind);
    }
    assert_eq!(handoff.result.base, scripted.result.base);
    assert_eq!(handoff.result.tree, scripted.result.tree, "the same work gives the same tree, whoever does it");
    assert!(handoff.cost.tokens.input > 0, "{:?}", handoff.cost);
    bench.call(["verify", out.to_str().unwrap(), "--repo", repository.to_str().unwrap()]).expect(0);
    Some((handoff, fs::read_to_string(out.join("summary.md")).unwrap()))
}

#[test]
fn claude_as_all_eight_subagents_completes_the_example() {
    let Some((handoff, summary)) = the_example_with("claude", Level::Uid) else { return };
    assert!(handoff.cost.micro_dollars.is_some_and(|micro| micro > 0) && handoff.cost.without_cost == 0);
    assert!(summary.contains("The agents report a cost of \\$0.0"), "{summary}");
    let session = last_session(&handoff, "feature");
    assert_eq!(session.version.as_deref(), Some("2.1.329"));
}

#[test]
fn codex_as_all_eight_subagents_completes_the_example() {
    let Some((handoff, summary)) = the_example_with("codex", Level::Namespaces) else { return };
    assert_eq!(handoff.cost.micro_dollars, None, "it does not tell, and nobody makes it up");
    assert!(summary.contains("reported no cost") && summary.contains("read from a cache"), "{summary}");
}

/// The small plan with one subagent that writes and one that only reads: these programs need seconds to start.
fn the_small_plan_with(kind: &str) {
    let model = feature(writes("src/hello.py", "print('hello')\n"));
    let reviewer = json!({ "subagents": { "backend-code-quality-reviewer": { "kind": kind } } });
    completes(Level::None, &Stand::new(kind, &model, reviewer), &model);
}

/// The small plan with all subagents.
fn the_small_plan_at(level: Level, kind: &str) {
    if let Some(why) = missing(level) {
        eprintln!("SKIPPED at level {level}: {why}");
        return;
    }
    let model = feature(writes("src/hello.py", "print('hello')\n"));
    completes(level, &Stand::whole(kind, &model, json!({ "isolation": "best" })), &model);
}

fn completes(level: Level, stand: &Stand, model: &ScriptedModel) {
    let out = stand.bench.path("out");
    let mut command = at_level(level, &stand.bench);
    command
        .args(["run", "--out"])
        .arg(&out)
        .envs(stand.environment.iter().map(|(name, value)| (*name, value.as_str())));
    let ran = Ran { called: Called::of(command.output().unwrap()), out }.expect(0);
    let handoff = ran.handoff();
    assert_eq!(handoff.isolation.level, level, "{:?}", handoff.isolation);
    assert_eq!(handoff.status, Status::Complete, "{:#?}", handoff.missing);
    let paths = |task: &str| {
        let patch = super::attempts(&handoff, task)[0].patch.as_ref().unwrap();
        patch.changes.iter().map(|change| change.path.clone()).collect::<Vec<_>>()
    };
    assert_eq!([paths("feature"), paths("cli")], [["src/hello.py"], ["cli/greet.py"]]);
    assert!(last_session(&handoff, "feature").tokens.output > 0);
    assert!(model.asked().iter().all(|asked| !asked.repair));
}

#[test]
fn claude_completes_a_plan_in_namespaces() {
    the_small_plan_at(Level::Namespaces, "claude");
}

#[test]
fn codex_completes_a_plan_as_a_user_of_its_own() {
    the_small_plan_at(Level::Uid, "codex");
}

#[test]
fn gemini_completes_a_plan() {
    the_small_plan_with("gemini");
}

#[test]
fn opencode_completes_a_plan() {
    the_small_plan_with("opencode");
}
