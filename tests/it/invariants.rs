//! The invariants of the design, each with a test that fails when it is broken. Those about gates and proof stand in
//! `gates.rs` and `proof.rs`.

use std::{fs, os::unix::fs::PermissionsExt as _};

use implementer_model::schedule::Outcome;
use serde_json::{Value, json};

use crate::support::{Bench, snapshot};

#[test]
fn the_users_repository_is_not_touched_clean_or_dirty() {
    let bench = Bench::new();
    // Dirty in every way: staged, unstaged, untracked, stashed; and hooks that would leave a trace.
    bench.write("README.md", "stashed\n");
    bench.git(["stash", "--quiet"]);
    bench.write("README.md", "staged\n");
    bench.git(["add", "README.md"]);
    bench.write("README.md", "unstaged\n");
    bench.write("untracked.txt", "mine\n");
    bench.git(["status"]);
    for hook in ["post-checkout", "pre-commit", "post-commit", "reference-transaction", "post-index-change"] {
        let path = bench.repo().join(".git/hooks").join(hook);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("#!/bin/sh\necho {hook} >> {}\n", bench.path("hooks-ran").display())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let before = snapshot(&bench.repo());
    bench.run([]).expect(0);
    assert_eq!(snapshot(&bench.repo()), before);
    assert!(!bench.path("hooks-ran").exists(), "a hook ran");
}

#[test]
fn uncommitted_configuration_has_no_say() {
    let bench = Bench::new();
    bench.write(".github/backend-implementer.yml", "agent:\n  kind: command\n  command: [\"false\"]\n");
    bench.run([]).expect(0);
}

#[test]
fn a_program_of_the_repository_is_the_one_of_the_base_commit() {
    let bench = Bench::new();
    let agent = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/agent.py");
    let script = bench.path("script.json");
    bench.write("tools/agent.sh", &format!("#!/bin/sh\nexec python3 -B {agent} {}\n", script.display()));
    fs::set_permissions(bench.repo().join("tools/agent.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    // What a program of the repository's names is not readable for it otherwise.
    let config = "isolation: none\nagent:\n  kind: command\n  command: [tools/agent.sh]\n";
    bench.write(".github/backend-implementer.yml", config);
    bench.commit("an agent of our own");
    bench.write("tools/agent.sh", "#!/bin/sh\nexit 1\n");
    bench.run([]).expect(0);
}

#[test]
fn a_subagent_sees_no_token_and_nothing_that_it_was_not_given_by_name() {
    let bench = Bench::new();
    let config = fs::read_to_string(bench.repo().join(".github/backend-implementer.yml")).unwrap();
    bench.write(".github/backend-implementer.yml", &format!("{config}pass-environment: [GIVEN]\n"));
    bench.commit("give one");
    let dump = bench.path("environment.json");
    bench.script(&json!({
        "feature": { "write": { "src/hello.py": "x\n" }, "dump_environment": dump },
        "cli": { "write": { "cli/greet.py": "x\n" } } }));
    let out = bench.path("out");
    let output = bench
        .program(["run", "--out", out.to_str().unwrap()])
        .envs([
            ("GIVEN", "yes"),
            ("GITHUB_TOKEN", "ghs_secret"),
            ("GH_TOKEN", "ghs_secret"),
            ("ACTIONS_RUNTIME_TOKEN", "secret"),
            ("INPUT_TOKEN", "secret"),
            ("OTHER", "secret"),
            ("GIT_DIR", "/nowhere"),
        ])
        .output()
        .unwrap();
    crate::support::Called::of(output).expect(0);
    let environment: Value = serde_json::from_slice(&fs::read(dump).unwrap()).unwrap();
    let environment = environment.as_object().unwrap();
    assert_eq!(environment["GIVEN"], "yes");
    for name in ["GITHUB_TOKEN", "GH_TOKEN", "ACTIONS_RUNTIME_TOKEN", "INPUT_TOKEN", "OTHER", "GIT_DIR"] {
        assert!(!environment.contains_key(name), "{name}");
    }
    assert!(!environment.values().any(|value| value.as_str().is_some_and(|value| value.contains("secret"))));
    assert_ne!(environment["HOME"], bench.path("home").to_str().unwrap(), "a home of its own");
}

#[test]
fn a_run_without_the_approved_lock_does_not_start() {
    let bench = Bench::new();
    let preview: Value = serde_json::from_str(&bench.call(["plan", "--format", "json"]).expect(0).stdout).unwrap();
    let lock = preview["lock"]["digest"].as_str().unwrap().to_owned();
    bench.write(".backend-implementer/plan.md", &format!("{}- one more\n", crate::support::PLAN));
    let ran = bench.run(["--lock", &lock]).expect(2);
    assert!(ran.called.stderr.contains(&lock), "{}", ran.called.stderr);
    assert!(!ran.out.exists(), "nothing is left behind");
    bench.write(".backend-implementer/plan.md", crate::support::PLAN);
    bench.run(["--lock", &lock]).expect(0);
}

#[test]
fn the_same_inputs_give_the_same_commit() {
    let (first, second) = (Bench::new(), Bench::new());
    // The script's path is in the configuration, so the bases differ unless it is brought in from outside.
    let config = fs::read_to_string(first.repo().join(".github/backend-implementer.yml")).unwrap();
    for bench in [&first, &second] {
        fs::write(bench.path("config.yml"), &config).unwrap();
        bench.git(["rm", "--quiet", ".github/backend-implementer.yml"]);
        bench.git(["commit", "--quiet", "--amend", "--no-edit"]);
    }
    let run = |bench: &Bench| {
        let config = bench.path("config.yml");
        bench.run(["--config", config.to_str().unwrap()]).expect(0).handoff().result
    };
    let (one, other) = (run(&first), run(&second));
    assert_eq!(one.base, other.base);
    assert_eq!(one.commit, other.commit);
    assert_eq!(one.commits.len(), 2);
}

#[test]
fn hostile_text_stays_text() {
    let bench = Bench::new();
    let hostile = "evil` \n## Injected\n<img src=x onerror=alert(1)> @everyone ::set-output name=x::y \u{1b}[31m";
    let report = json!({
        "summary": hostile,
        "items": [{ "label": "core-functionality", "text": hostile }],
        "findings": [{ "severity": "note", "path": "src/hello.py", "line": 1, "message": hostile }] });
    bench.script(&json!({ "feature": { "write": { "src/hello.py": "x\n" }, "report": report },
                          "cli": { "write": { "cli/greet.py": "x\n" } } }));
    let ran = bench.run([]).expect(0);
    let summary = ran.summary();
    assert!(!summary.lines().any(|line| line.trim_start().starts_with("## Injected")), "{summary}");
    assert!(!summary.contains("<img"), "{summary}");
    assert!(!summary.contains("@everyone"), "{summary}");
    for text in [&summary, &ran.called.stdout, &ran.called.stderr] {
        assert!(!text.contains('\u{1b}'), "{text}");
    }
    let page = String::from_utf8(ran.read_bytes("report.html")).unwrap();
    assert!(!page.contains("<img"), "{page}");
}

#[test]
fn parallel_patches_of_one_wave_start_from_the_same_base() {
    let bench = Bench::new();
    let ran = bench.run([]).expect(0);
    let handoff = ran.handoff();
    let base = |id: &str| {
        let record = handoff.tasks.iter().find(|record| record.id.as_str() == id).unwrap();
        record.last().unwrap().patch.as_ref().unwrap().base.clone()
    };
    assert_eq!(base("feature"), handoff.result.base);
    assert_eq!(base("cli"), handoff.result.base);
    assert_eq!(base("tests"), handoff.result.commit, "the next phase starts from what was integrated");
}

#[test]
fn a_subagent_may_commit_stage_or_leave_things_lying() {
    let bench = Bench::new();
    let git = |arguments: &[&str]| {
        let mut argv = vec!["git"];
        argv.extend(arguments);
        argv.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    bench.script(&json!({
        "feature": { "write": { "src/hello.py": "x\n" }, "run": ["sh", "-c", "git add -A && git commit -qm mine && git log -1 --format=%s && test -z \"$(git status --porcelain)\""] },
        "cli": { "write": { "cli/greet.py": "x\n" }, "run": git(&["add", "--all"]) } }));
    let ran = bench.run([]).expect(0);
    assert!(ran.outcomes().values().all(|outcome| *outcome == Outcome::Passed));
    let log = String::from_utf8(ran.read_bytes("tasks/feature/log.txt")).unwrap();
    assert!(log.contains("mine"), "{log}");
    assert_eq!(ran.handoff().result.commits.len(), 2);
}
