//! Whole conversations on a pull request, against our own GitHub.

mod agent_files;
mod approvals;
mod events;
mod interruptions;
mod pictures;
mod plan_sources;
mod quiet;
mod reports;

use serde_json::json;

use crate::support::{
    PLAN,
    action::{NUMBER, Stage},
    github::Fault,
};

/// Who the workflow's token acts as.
const ME: &str = "github-actions[bot]";

/// Where the tests put plans.
const PLAN_FILE: &str = ".backend-implementer/plan.md";

/// A pull request with a plan that works.
fn stage_with_plan() -> Stage {
    Stage::new("Please greet people.", &[(PLAN_FILE, PLAN)])
}

/// The lock that the comment of ours shows.
#[track_caller]
fn shown_lock(body: &str) -> String {
    let (_, rest) = body.split_once("\n/implement ").unwrap_or_else(|| panic!("a lock in\n{body}"));
    rest.lines().next().unwrap().to_owned()
}

/// What the comment of ours says now.
#[track_caller]
fn page(stage: &Stage) -> String {
    stage.github.only_comment_of(NUMBER, ME).body
}

/// The newest comment of ours that answers somebody.
#[track_caller]
fn reply(stage: &Stage) -> String {
    let comments = stage.github.comments(NUMBER);
    let reply = comments.iter().rev().find(|comment| comment.author == ME && comment.body.starts_with('@'));
    reply.unwrap_or_else(|| panic!("no answer\n{}", stage.github.transcript())).body.clone()
}

#[test]
fn a_whole_conversation() {
    // A plan is pushed that has a mistake: the comment says where.
    let stage = Stage::new("Please greet people.", &[(PLAN_FILE, &PLAN.replace("Touches: cli/**", "Touches: ../**"))]);
    let shown = stage.happened("opened").expect(2);
    assert!(page(&stage).contains("**1 problem to fix before anything can run.**"), "{}", page(&stage));
    assert!(page(&stage).contains(&format!("{PLAN_FILE}:8:")), "{}", page(&stage));
    assert!(
        shown.called.stdout.contains(&format!("::error file={PLAN_FILE},line=8,title=")),
        "{}",
        shown.called.stdout
    );
    let checks = stage.github.checks(&stage.head());
    assert_eq!(checks[0].conclusion.as_deref(), Some("failure"));
    assert_eq!(checks[0].annotations[0]["start_line"], 8);

    // It is mended: the same comment shows what would run.
    stage.push(&[(PLAN_FILE, PLAN)]);
    let shown = stage.happened("synchronize").expect(0);
    assert_eq!(shown.output("status"), "preview");
    let stale = shown_lock(&page(&stage));
    assert!(shown.output("lock").starts_with(&format!("sha256:{stale}")), "{:?}", shown.outputs);
    assert!(page(&stage).contains("```mermaid\n") && page(&stage).contains("by grace"), "{}", page(&stage));

    // It is edited, and somebody approves what is not there any more.
    stage.push(&[(PLAN_FILE, &PLAN.replace("say hello", "say hello twice"))]);
    stage.happened("synchronize").expect(0);
    let lock = shown_lock(&page(&stage));
    assert_ne!(lock, stale);
    let refused = stage.say("ada", &format!("/implement {stale}")).expect(2);
    assert_eq!(refused.output("status"), "refused");
    let said = format!(
        "the lock {stale} was approved, and now it is {lock}: the plan changed, and the head of the pull request moved from "
    );
    assert!(reply(&stage).contains(&said), "{}", reply(&stage));
    assert!(reply(&stage).contains(&format!("`/implement {lock}`")), "{}", reply(&stage));
    assert_eq!(reactions(&stage), ["eyes", "confused"]);

    // Somebody approves what is there, but a subagent fails.
    stage.bench.script(&json!({ "feature": { "exit": 1 }, "cli": { "write": { "cli/greet.py": "print('hi')\n" } } }));
    let ran = stage.say("ada", &format!("/implement {lock}")).expect(1);
    assert_eq!(ran.output("status"), "incomplete");
    assert!(page(&stage).contains("## Backend Implementation Incomplete"), "{}", page(&stage));
    assert_eq!(check(&stage, "Backend Implementer").1, "failure");
    assert_eq!(check(&stage, "Backend Implementer / backend-feature-implementer").1, "failure");

    // They have it done again, and it is complete. What passed is not done again: it would fail now. While what the last run
    // finished cannot be downloaded, nothing runs, and nothing stays in progress.
    stage
        .bench
        .script(&json!({ "feature": { "write": { "src/hello.py": "print('hello')\n" } }, "cli": { "exit": 1 } }));
    let wait = vec![("retry-after", "7200".to_owned())];
    let unreachable = Fault { headers: wait, ..Fault::status("GET", "/actions/artifacts/", usize::MAX, 429) };
    stage.github.state().artifact_faults.push(unreachable);
    let ran = stage.say("ada", "/implement retry feature").expect(3);
    assert!(ran.called.stderr.contains("what the last run finished cannot be downloaded"), "{}", ran.called.stderr);
    assert!(stage.github.checks(&stage.head()).iter().all(|check| check.status == "completed"));
    stage.github.state().artifact_faults.clear();
    let ran = stage.say("ada", "/implement retry").expect(0);
    assert_eq!(ran.output("status"), "complete");
    let comment = stage.github.only_comment_of(NUMBER, ME);
    let body = &comment.body;
    assert!(body.contains("## Backend Implementation Complete"), "{body}");
    assert!(body.contains("Approved by ada") && body.contains("by grace"), "{body}");
    assert!(body.contains("- **Implementation Artifacts**"), "{body}");
    assert_eq!(body.matches("**incomplete**, lock").count(), 1, "{body}");
    assert_eq!(body.matches("**complete**, lock").count(), 1, "{body}");
    assert!(comment.bodies.iter().any(|body| body.contains("## Backend Implementation Running")));
    assert_eq!(ran.summary.matches("## Backend Implementation Complete").count(), 1);
    // Its files can be taken from where the comment says.
    let name = "backend-implementer-run-attempt-1";
    let taken = format!("gh run download {} ", ran.run);
    assert!(body.contains(&taken) && body.contains(&format!(" --name {name} ")), "{body}");
    let zip = {
        let state = stage.github.state();
        let stored = state.artifacts.values().find(|stored| stored.run == ran.run && stored.name == name);
        stored.expect("the run is an artifact").zip.clone()
    };
    let mut files = zip::ZipArchive::new(std::io::Cursor::new(zip)).unwrap();
    assert!(files.by_name("handoff.json").is_ok() && files.by_name("implementation.bundle").is_ok());
    for path in ["handoff-path", "summary-path"] {
        assert!(ran.workspace.join(ran.output(path)).is_file(), "{path}");
    }
    assert_eq!(ran.output("comment-id"), comment.id.to_string());
    assert_eq!(check(&stage, "Backend Implementer").1, "success");
    assert!(stage.github.checks(&stage.head()).iter().all(|check| check.status == "completed"));

    // What its subagents used is what the next preview expects.
    assert!(body.contains("<!-- backend-implementer: used "), "{body}");
    stage.push(&[(PLAN_FILE, &PLAN.replace("say hello", "say hello thrice"))]);
    stage.happened("synchronize").expect(0);
    let shown = page(&stage);
    assert!(shown.contains("- Expected: about 5 calls") && shown.contains("from 1 earlier run"), "{shown}");
    assert!(stage.github.unknown_requests().is_empty(), "{:?}", stage.github.unknown_requests());
}

/// The reactions to the newest command.
fn reactions(stage: &Stage) -> Vec<String> {
    let comments = stage.github.comments(NUMBER);
    let command = comments.iter().rev().find(|comment| comment.body.starts_with("/implement")).expect("a command");
    command.reactions.clone()
}

/// The newest check run of a name on the head: its states, and how it stands.
#[track_caller]
fn check(stage: &Stage, name: &str) -> (Vec<String>, String) {
    let checks = stage.github.checks(&stage.head());
    let newest = checks.iter().rev().find(|check| check.name == name);
    let newest = newest.unwrap_or_else(|| panic!("no check run {name}\n{}", stage.github.transcript()));
    (newest.states.clone(), newest.states.last().cloned().unwrap_or_default())
}

#[test]
fn an_approval_without_a_lock_is_for_what_was_shown_before_it() {
    let stage = stage_with_plan();
    // Nothing was shown yet.
    stage.say("ada", "/implement").expect(2);
    assert!(reply(&stage).contains("nothing was shown for this commit before your comment"), "{}", reply(&stage));
    // The plan in the description changes between the preview and the comment, without another preview.
    stage.happened("opened").expect(0);
    stage.push_to_base(&[(".claude/agents/backend-feature-implementer.md", ROLE)]);
    stage.say("ada", "/implement").expect(2);
    assert!(reply(&stage).contains("changed after they were shown to you"), "{}", reply(&stage));
    // Shown again, it runs.
    stage.happened("edited").expect(0);
    stage.say("ada", "/implement\nthanks!").expect(0);
    assert_eq!(reactions(&stage), ["eyes"]);
}

const ROLE: &str =
    "---\nname: backend-feature-implementer\ndescription: Implements features.\n---\nImplement it with care.\n";

#[test]
fn only_who_may_push_can_approve() {
    let stage = stage_with_plan();
    stage.happened("opened").expect(0);
    let lock = shown_lock(&page(&stage));
    for login in ["eve", "stranger"] {
        stage.say(login, &format!("/implement {lock}")).expect(2);
        assert!(reply(&stage).contains(&format!("{login} has no write permission")), "{}", reply(&stage));
    }
    // A name that ends in [bot] is no permission.
    stage.say("helper[bot]", &format!("/implement {lock}")).expect(2);
    let comments = stage.github.comments(NUMBER);
    assert!(comments.last().unwrap().body.contains("is not on the list of bots that may approve"));
    assert!(check_names(&stage).iter().all(|name| name == "Backend Implementer / plan"), "nothing ran");

    let config = stage.bench.git(["show", "main:.github/backend-implementer.yml"]);
    let config = format!("{config}\npull-request:\n  bots: ['helper[bot]']\n  checks: false\n");
    stage.push_to_base(&[(".github/backend-implementer.yml", &config)]);
    stage.happened("edited").expect(0);
    // Who may approve is no part of what is approved.
    stage.say("helper[bot]", &format!("/implement {lock}")).expect(0);
    assert!(page(&stage).contains("Approved by helper\\[bot\\]"), "{}", page(&stage));
}

fn check_names(stage: &Stage) -> Vec<String> {
    stage.github.checks(&stage.head()).into_iter().map(|check| check.name).collect()
}

#[test]
fn a_plan_of_eight_subagents_costs_few_requests() {
    let stage = Stage::new("", &[(PLAN_FILE, EIGHT)]);
    stage.happened("opened").expect(0);
    let lock = shown_lock(&page(&stage));
    let writes = |path: &str| json!({ "write": { path: "x\n" } });
    stage.bench.script(&json!({
        "infrastructure": writes("infra/a.yaml"), "data-types": writes("types/a.py"), "feature": writes("src/a.py"),
        "cli": writes("cli/a.py"), "tests": writes("tests/a.txt"), "deployment": writes("deploy/a.yaml"),
    }));
    stage.github.forget_requests();
    let ran = stage.say("ada", &format!("/implement {lock}")).expect(0);
    let requests = stage.github.requests();
    let rest: Vec<_> = requests.iter().filter(|request| request.who != "git").collect();
    let live = rest.iter().filter(|request| request.method == "PATCH" && request.path.contains("/issues/comments/"));
    // The first state and the summary are no live updates.
    let counted = rest.len() - live.count().saturating_sub(2);
    // The benchmark's P11.
    let figures = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("figures");
    std::fs::create_dir_all(&figures).unwrap();
    std::fs::write(figures.join("rest-requests"), format!("{counted}\n")).unwrap();
    assert!(counted <= 40, "{counted} requests\n{}", stage.github.transcript());
    assert_eq!(check_names(&stage).iter().filter(|name| name.contains("/ backend-")).count(), 8);
    let said =
        ran.called.stdout.lines().find(|line| line.starts_with("This run made ")).expect("the log says how many");
    let total: usize = said.split_whitespace().nth(3).unwrap().parse().unwrap();
    let live: usize = said.split(" and ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert_eq!(total + live, rest.len(), "{said}\n{}", stage.github.transcript());
}

const EIGHT: &str = "# All\n\n## Infrastructure\nTouches: infra/**\n- a\n\n## Data Types\nTouches: types/**\n- b\n\n\
    ## Feature\nTouches: src/**\n- c\n\n## CLI\nTouches: cli/**\n- d\n\n## Tests\nTouches: tests/**\n- e\n\n\
    ## Review\n- f\n\n## Validation\n- g\n\n## Deployment\nTouches: deploy/**\n- h\n\n\
    ## Verification\n- tests: `python3 -m unittest -v`\n- validation: `git --version`\n";
