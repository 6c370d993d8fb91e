//! What each event asks for, and what happens outside of GitHub Actions.

use serde_json::json;

use super::{ME, PLAN_FILE, check, page, reply, shown_lock, stage_with_plan};
use crate::support::{
    PLAN,
    action::{NUMBER, Stage},
    github::{Identity, REPOSITORY},
};

#[test]
fn a_dispatch_runs_what_is_there_and_holds_a_given_lock_to_it() {
    let stage = stage_with_plan();
    let inputs = json!({ "pr": NUMBER.to_string(), "lock": "0123456789ab" });
    let refused = stage.act("workflow_dispatch", &stage.github.event_dispatch(&inputs, "ada"), &[]).expect(2);
    assert!(refused.called.stderr.contains("the lock 0123456789ab was approved"), "{}", refused.called.stderr);
    let inputs = json!({ "pr": NUMBER.to_string() });
    let ran = stage.act("workflow_dispatch", &stage.github.event_dispatch(&inputs, "ada"), &[]).expect(0);
    assert_eq!(ran.output("status"), "complete");
    let inputs = json!({ "pr": NUMBER.to_string(), "agent": "somebody" });
    let unknown = stage.act("workflow_dispatch", &stage.github.event_dispatch(&inputs, "ada"), &[]).expect(2);
    assert!(unknown.called.stderr.contains("the input `agent` is `somebody`"), "{}", unknown.called.stderr);
    let none = stage.act("workflow_dispatch", &stage.github.event_dispatch(&json!({}), "ada"), &[]).expect(2);
    assert!(none.called.stderr.contains("without a pull request"), "{}", none.called.stderr);
}

#[test]
fn a_label_runs_the_plan_when_the_configuration_names_it() {
    let stage = stage_with_plan();
    let label = |name: &str, sender: &str| stage.github.event_labeled(NUMBER, name, sender);
    let nothing = stage.act("pull_request", &label("implement", "ada"), &[]).expect(0);
    assert_eq!(nothing.output("status"), "nothing");
    let config = stage.bench.git(["show", "main:.github/backend-implementer.yml"]);
    let config = format!("{config}\npull-request:\n  run-label: implement\n");
    stage.push_to_base(&[(".github/backend-implementer.yml", &config)]);
    stage.act("pull_request", &label("implement", "eve"), &[]).expect(2);
    let stale = label("implement", "ada");
    stage.push(&[("more.txt", "x")]);
    let refused = stage.act("pull_request", &stale, &[]).expect(2);
    assert!(refused.called.stderr.contains("changed after the label was set"), "{}", refused.called.stderr);
    let ran = stage.act("pull_request", &label("implement", "ada"), &[]).expect(0);
    assert_eq!(ran.output("status"), "complete");
    assert!(page(&stage).contains("label implement"), "{}", page(&stage));
}

#[test]
fn another_event_needs_the_pull_request_as_an_input() {
    let stage = stage_with_plan();
    let push = json!({ "ref": "refs/heads/main", "sender": { "login": "ada", "type": "User" } });
    let refused = stage.act("push", &push, &[]).expect(2);
    assert!(refused.called.stderr.contains("the event `push` names no pull request"), "{}", refused.called.stderr);
    assert!(refused.called.stdout.contains("::error title=Backend Implementer::"), "{}", refused.called.stdout);
    let number = NUMBER.to_string();
    let shown = stage.act("push", &push, &[("pr", &number)]).expect(0);
    assert_eq!(shown.output("status"), "preview");
    let run = [("pr", number.as_str()), ("command", "run")];
    let refused = stage.act("push", &push, &run).expect(2);
    assert!(refused.called.stderr.contains("must name the lock that it approves"), "{}", refused.called.stderr);
    let lock = shown_lock(&page(&stage));
    stage.act("push", &push, &[run[0], run[1], ("lock", &lock)]).expect(0);
    let target = stage.act("pull_request_target", &push, &run).expect(2);
    assert!(target.called.stderr.contains("beside this repository's secrets"), "{}", target.called.stderr);
}

#[test]
fn comments_that_are_no_commands_cost_nothing() {
    let stage = stage_with_plan();
    let ran = stage.say("ada", "Looks good to me").expect(0);
    assert_eq!(ran.output("status"), "nothing");
    assert!(stage.github.requests().is_empty(), "{}", stage.github.transcript());
    stage.say("ada", "/implement now").expect(2);
    assert!(reply(&stage).contains("neither a command nor a lock"), "{}", reply(&stage));
    stage.happened("opened").expect(0);
    stage.say("ada", "/implement retry nothing`x").expect(2);
    assert!(reply(&stage).contains("the plan has no task `nothing'x`"), "{}", reply(&stage));
    assert!(reply(&stage).contains("`feature`"), "{}", reply(&stage));
}

#[test]
fn a_pull_request_from_a_fork_is_shown_and_never_run() {
    let stage = stage_with_plan();
    stage.github.state().pulls.get_mut(&NUMBER).unwrap().head_repository = "eve/service".to_owned();
    let lock = {
        let shown = stage.happened("opened").expect(0);
        assert!(page(&stage).contains("> This pull request comes from a fork"), "{}", page(&stage));
        shown.output("lock").to_owned()
    };
    let refused = stage.say("ada", &format!("/implement {lock}")).expect(2);
    assert_eq!(refused.output("status"), "refused");
    assert!(reply(&stage).contains("pull requests from forks are shown, never run"), "{}", reply(&stage));
}

#[test]
fn a_token_that_can_only_read_leaves_the_step_summary_and_says_so() {
    let stage = stage_with_plan();
    stage.github.state().tokens.insert("ghs_workflow".to_owned(), Identity::read_only());
    let shown = stage.happened("opened").expect(0);
    assert!(shown.summary.contains("## Backend Implementation Plan"), "{}", shown.summary);
    assert!(shown.summary.contains("> Not reported everywhere: "), "{}", shown.summary);
    assert!(shown.called.stdout.contains("::warning title=Not reported everywhere::"), "{}", shown.called.stdout);
    assert!(stage.github.comments(NUMBER).is_empty() && stage.github.checks(&stage.head()).is_empty());
    let inputs = json!({ "pr": NUMBER.to_string() });
    let ran = stage.act("workflow_dispatch", &stage.github.event_dispatch(&inputs, "ada"), &[]).expect(0);
    assert_eq!(ran.output("status"), "complete");
    assert!(ran.summary.contains("## Backend Implementation Complete"), "{}", ran.summary);
    assert!(ran.called.stdout.contains("no check runs: "), "{}", ran.called.stdout);
}

#[test]
fn a_closed_pull_request_is_not_run() {
    let stage = stage_with_plan();
    stage.happened("opened").expect(0);
    let lock = shown_lock(&page(&stage));
    stage.github.state().pulls.get_mut(&NUMBER).unwrap().closed = true;
    stage.say("ada", &format!("/implement {lock}")).expect(2);
    assert!(reply(&stage).contains("the pull request is closed"), "{}", reply(&stage));
}

#[test]
fn outside_of_actions_or_without_what_a_step_has_it_says_so() {
    let stage = stage_with_plan();
    let alone = stage.bench.call(["action"]).expect(2);
    assert!(alone.stderr.contains("this is not a step of GitHub Actions"), "{}", alone.stderr);
    let event = stage.github.event_pull_request(NUMBER, "opened");
    let wrong = stage.act("pull_request", &event, &[("command", "runn")]).expect(2);
    assert!(wrong.called.stderr.contains("the input `command` is `runn`"), "{}", wrong.called.stderr);
    let wrong = stage.act("pull_request", &event, &[("token", "ghs_unknown")]).expect(3);
    assert!(wrong.called.stderr.contains("GitHub does not accept the token"), "{}", wrong.called.stderr);
    let wrong = stage.act("pull_request", &json!({}), &[]).expect(2);
    assert!(wrong.called.stderr.contains("the payload of the event `pull_request` cannot be read"));
}

#[test]
fn a_laptop_sees_and_runs_a_pull_request() {
    let stage = stage_with_plan();
    stage.github.state().tokens.insert("ghp_ada".to_owned(), Identity::user("ada"));
    let name = format!("{REPOSITORY}#{NUMBER}");
    let call = |arguments: &[&str], token: &str| {
        let mut command = stage.bench.program(arguments.iter().copied());
        command.args(["--pr", &name]).env("GITHUB_SERVER_URL", stage.github.server_url());
        if !token.is_empty() {
            command.env("GITHUB_TOKEN", token);
        }
        crate::support::Called::of(command.output().expect("the program runs"))
    };
    let without = call(&["plan"], "").expect(2);
    assert!(without.stderr.contains("`--pr` needs a token"), "{}", without.stderr);

    let shown = call(&["plan"], "ghp_ada").expect(0);
    assert!(shown.stdout.contains("Plan   Greeting"), "{}", shown.stdout);
    assert!(stage.github.requests().iter().all(|request| request.method == "GET" || request.who == "git"));

    let out = stage.bench.path("out");
    let ran = call(&["run", "--out", out.to_str().unwrap()], "ghp_ada").expect(0);
    assert!(ran.stdout.starts_with("Complete: "), "{}", ran.stdout);
    assert!(ran.stderr.contains("Not reported everywhere: no check runs: "), "{}", ran.stderr);
    let comment = stage.github.only_comment_of(NUMBER, "ada");
    assert!(comment.body.contains("Approved by ada"), "{}", comment.body);
    assert!(out.join("implementation.bundle").is_file());
    // A token appears nowhere.
    for entry in std::fs::read_dir(&out).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read(&path).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&text).contains("ghp_ada"), "{}", path.display());
    }
    let conflict = call(&["run", "--base", "HEAD"], "ghp_ada").expect(2);
    assert!(conflict.stderr.contains("--base"), "{}", conflict.stderr);
}

#[test]
fn a_plan_is_run_whose_text_would_be_a_command_of_the_runner() {
    let hostile = PLAN.replace("say hello", "say hello\n- `::set-output name=x::y` and ::add-mask::hello");
    let stage = Stage::new("::error::body", &[(PLAN_FILE, &hostile)]);
    stage.bench.script(&json!({
        "feature": { "write": { "src/hello.py": "x\n" },
                     "report": { "summary": "done\n::set-output name=status::complete\n##[error]x" } },
        "cli": { "write": { "cli/greet.py": "x\n" }, "exit": 3 },
    }));
    let shown = stage.happened("opened").expect(0);
    let ran = stage.say("ada", &format!("/implement {}", shown_lock(&page(&stage)))).expect(1);
    for acted in [&shown, &ran] {
        let output = format!("{}\n{}", acted.called.stdout, acted.called.stderr);
        let mut stopped: Option<&str> = None;
        for line in acted.called.stdout.lines().map(str::trim_start).filter(|line| line.starts_with("::")) {
            match (line.strip_prefix("::stop-commands::"), stopped) {
                (Some(token), None) => stopped = Some(token),
                (None, Some(token)) if line == format!("::{token}::") => stopped = None,
                (None, None) => {
                    let ours = ["::error ", "::warning ", "::notice "];
                    assert!(ours.iter().any(|start| line.starts_with(start)), "{line}\n{output}");
                }
                _ => panic!("a foreign command: {line}\n{output}"),
            }
        }
        assert!(!acted.called.stderr.lines().any(|line| line.trim_start().starts_with("::")), "{output}");
    }
    assert_eq!(ran.output("status"), "incomplete");
    assert_eq!(check(&stage, "Backend Implementer / backend-cli-implementer").1, "failure");
    assert_eq!(stage.github.comments(NUMBER).iter().filter(|comment| comment.author == ME).count(), 1);
}
