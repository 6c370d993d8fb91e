//! The action's image, run as GitHub's runner runs it. `scripts/test-image` builds it and runs these tests.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
};

use implementer_model::{handoff::Handoff, isolation::Level};
use serde_json::{Value, json};

use crate::support::{
    PLAN,
    action::{Launcher, NUMBER, Stage, engine},
};

const PLAN_FILE: &str = ".backend-implementer/plan.md";

/// The user of the runner, to whom the workspace belongs. A container action runs as root.
const RUNNER: u32 = 1001;

/// A pull request, and the image. A container action starts no subagent without a wall, and behind one it reads nothing of
/// this machine: so the scripted subagent is a program of the repository's own, with what `script` says.
fn stage(variant: &str, script: &Value) -> Stage {
    let image = std::env::var("IMPLEMENTER_TEST_IMAGE").expect("run scripts/test-image: it builds the image");
    let mut stage = Stage::new("Please greet people.", &[(PLAN_FILE, PLAN)]);
    let agent = include_str!("support/agent.py");
    let start = "#!/bin/sh\nhere=$(dirname \"$0\")\nexec python3 -I -S -B \"$here/agent.py\" \"$here/script.json\"\n";
    let config = "isolation: required\nevidence: { revert-proof: false }\nagent:\n  kind: command\n  command: [./agents/run.sh]\n";
    let files = [("agents/agent.py", agent), ("agents/script.json", &script.to_string()), ("agents/run.sh", start)];
    stage.bench.git(["checkout", "--quiet", "main"]);
    for (path, text) in files {
        stage.bench.write(path, text);
    }
    let program = stage.bench.repo().join("agents/run.sh");
    fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
    stage.push_to_base(&[(".github/backend-implementer.yml", config)]);
    stage.launcher = Launcher::Image(format!("{image}{variant}"));
    stage
}

/// Two subagents that do their work.
fn at_work() -> Value {
    json!({ "feature": { "write": { "src/hello.py": "print('hello')\n" } }, "cli": { "write": { "cli/greet.py": "print('greet')\n" } } })
}

/// Runs a program of an image, without anything around it.
fn said(variant: &str, program: &str, arguments: &[&str]) -> String {
    let image = std::env::var("IMPLEMENTER_TEST_IMAGE").expect("run scripts/test-image: it builds the image");
    let mut command = engine();
    command.args(["run", "--rm", "--network=none", "--entrypoint", program, &format!("{image}{variant}")]);
    let output = command.args(arguments).output().expect("the engine runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{program}: {said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

#[test]
fn the_small_image_has_git_a_shell_and_no_distribution() {
    assert!(said("", "/usr/local/bin/backend-implementer", &["--version"]).starts_with("backend-implementer "));
    assert!(said("", "git", &["--version"]).starts_with("git version "));
    let listed =
        said("", "sh", &["-c", "ls -d /tmp /etc/ssl/certs/ca-certificates.crt /usr/bin/* && test ! -e /usr/bin/dpkg"]);
    assert!(
        listed.contains("/tmp") && listed.contains("/usr/bin/ipcrm") && listed.contains("ca-certificates.crt"),
        "{listed}"
    );
    // It takes no agent CLI along for jobs that run none.
    assert!(!listed.contains("node"), "{listed}");
}

#[test]
fn the_image_with_agent_clis_has_them_in_the_pinned_versions() {
    let dockerfile = include_str!("../../Dockerfile");
    for (program, argument) in [("claude", "CLAUDE_CODE_VERSION"), ("codex", "CODEX_VERSION")] {
        let pinned =
            dockerfile.lines().find_map(|line| line.strip_prefix(&format!("ARG {argument}="))).expect(argument);
        let version = said("-agents", program, &["--version"]);
        assert!(version.contains(pinned), "{program} {pinned}: {version}");
    }
    assert!(said("-agents", "git", &["--version"]).starts_with("git version "));
    assert!(said("-agents", "/usr/local/bin/backend-implementer", &["--version"]).starts_with("backend-implementer "));
}

fn shown_lock(stage: &Stage) -> String {
    let page = stage.github.only_comment_of(NUMBER, "github-actions[bot]").body;
    page.split_once("\n/implement ").expect("a lock").1.lines().next().expect("a line").to_owned()
}

#[test]
fn a_preview_needs_nothing_but_the_image() {
    let stage = stage("", &at_work());
    let shown = stage.happened("opened").expect(0);
    assert_eq!(shown.output("status"), "preview");
    assert!(shown.output("lock").contains(&shown_lock(&stage)));
    assert!(shown.summary.contains("## Backend Implementation Plan"), "{}", shown.summary);
}

#[test]
fn an_approved_plan_runs_and_its_files_are_the_runners() {
    let stage = stage("-python", &at_work());
    stage.happened("opened").expect(0);
    let ran = stage.say("ada", &format!("/implement {}", shown_lock(&stage))).expect(0);
    assert_eq!(ran.output("status"), "complete");
    let page = stage.github.only_comment_of(NUMBER, "github-actions[bot]").body;
    assert!(page.contains("## Backend Implementation Complete"), "{page}");
    // Paths mean the same on the host, and what lies there is the user's who runs the next step.
    for output in ["run-path", "summary-path", "handoff-path"] {
        assert!(!ran.output(output).starts_with('/'), "{output}");
        let file = ran.workspace.join(ran.output(output));
        assert_eq!(file.metadata().unwrap_or_else(|error| panic!("{output}: {error}")).uid(), RUNNER, "{output}");
    }
    let handoff = Handoff::read(&fs::read(ran.workspace.join(ran.output("handoff-path"))).unwrap()).unwrap();
    assert_eq!(handoff.isolation.level, Level::Uid, "{:?}", handoff.isolation);
    let token = ran.called.stdout.contains("ghs_workflow") || ran.called.stderr.contains("ghs_workflow");
    assert!(!token, "{}\n{}", ran.called.stdout, ran.called.stderr);
}

#[test]
fn what_a_killed_container_left_open_is_concluded_by_the_next_one() {
    let stage = stage("-python", &json!({ "*": { "hang": true } }));
    stage.happened("opened").expect(0);
    let event = stage.github.event_comment(NUMBER, "ada", &format!("/implement {}", shown_lock(&stage)));
    let running = stage.begin("issue_comment", &event, &[]);
    stage.github.wait_for("a subagent at work", |state| {
        state.checks.iter().any(|check| check.name.contains("/ backend-feature") && check.status == "in_progress")
    });
    running.kill();
    let killed = running.finish(&stage);
    assert_ne!(killed.called.code, 0);
    let after = stage.after(&killed).expect(0);
    assert!(after.stderr.contains("The run was killed"), "{}", after.stderr);
    for check in stage.github.checks(&stage.head()) {
        assert_eq!(check.status, "completed", "{}", check.name);
    }
}

/// Gives everything below a folder to the runner's user, as it is on a real runner.
pub(crate) fn give_to_runner(folder: &std::path::Path) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            give_to_runner(&path);
        }
        chown(&path, Some(RUNNER), Some(RUNNER)).expect("root can give files away");
    }
    chown(folder, Some(RUNNER), Some(RUNNER)).expect("root can give files away");
}
