//! Conversations held against what others know of GitHub: GitHub's own description of its interface (through Prism),
//! `emulate`, and the payloads of real webhooks. `scripts/install-doubles` installs them.
//!
//! With `emulate` four things cannot be shown, because it has no part of them: the list of a pull request's files (a
//! stub, so that the plan stands in the description), reactions, workflow runs, and who the token of a workflow is.
//! The fake of our own has them.

use std::{collections::BTreeMap, fs};

use implementer_model::conversation::{
    event,
    intent::{self, ActionCommand, ActionInputs, Intent},
};
use implementer_model::github_ids::PullRequestNumber;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::support::{
    Called, PLAN,
    action::{NUMBER, Stage},
    doubles::{self, Double},
    github::{Fault, Identity, REPOSITORY, Recorded},
};

const PLAN_FILE: &str = ".backend-implementer/plan.md";

fn shown_lock(body: &str) -> String {
    let (_, rest) = body.split_once("\n/implement ").unwrap_or_else(|| panic!("a lock in\n{body}"));
    rest.lines().next().unwrap().to_owned()
}

/// Tells whether a request is the operation, such as `GET /repos/{owner}/{repo}/pulls/{pull_number}`.
fn is(operation: &str, request: &Recorded) -> bool {
    let (method, template) = operation.split_once(' ').unwrap();
    let path = request.path.split('?').next().unwrap();
    let (wanted, given): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    let same = |(wanted, given): (&&str, &&str)| wanted.starts_with('{') || wanted == given;
    method == request.method && wanted.len() == given.len() && wanted.iter().zip(&given).all(same)
}

#[test]
fn every_request_is_as_github_describes_it() {
    let mut stage = Stage::new("Please greet people.", &[(PLAN_FILE, &PLAN.replace("cli/**", "../**"))]);
    let prism = Double::prism(&stage.github.server_url());
    stage.api_url.clone_from(&prism.url);
    let comment = |stage: &Stage| stage.github.only_comment_of(NUMBER, "github-actions[bot]").body;

    // A wrong plan, a right one, another one, a stale approval.
    stage.happened("opened").expect(2);
    stage.push(&[(PLAN_FILE, PLAN)]);
    stage.happened("synchronize").expect(0);
    let stale = shown_lock(&comment(&stage));
    stage.push(&[(PLAN_FILE, &PLAN.replace("say hello", "say hello twice"))]);
    // A list that is behind: the comment that is posted again is deleted again.
    let behind = Fault { body: json!([]), ..Fault::status("GET", "/issues/7/comments", 1, 200) };
    stage.github.state().faults.push(behind);
    stage.happened("synchronize").expect(0);
    let lock = shown_lock(&comment(&stage));
    stage.say("ada", &format!("/implement {stale}")).expect(2);

    // A run with findings that is cancelled, and one that is complete.
    let gate = stage.fifo("gate");
    stage.bench.script(&json!({ "feature": { "wait_for": gate }, "*": {} }));
    let event = stage.github.event_comment(NUMBER, "ada", &format!("/implement {lock}"));
    let running = stage.begin("issue_comment", &event, &[]);
    stage.github.wait_for("a subagent at work", |state| {
        state.checks.iter().any(|check| check.name.contains("/ backend-feature") && check.status == "in_progress")
    });
    stage.say("ada", "/implement cancel").expect(0);
    kill_process(Pid::from_raw(running.child.id().try_into().unwrap()).unwrap(), Signal::TERM).unwrap();
    running.finish(&stage).expect(130);
    let finding = |line| json!({ "severity": "warning", "path": "src/hello.py", "line": line, "message": "look" });
    let findings: Vec<Value> = (1..=60).map(finding).collect();
    stage.bench.script(&json!({
        "feature": { "write": { "src/hello.py": "x\n" } },
        "cli": { "write": { "cli/greet.py": "x\n" } },
        "review": { "report": { "findings": findings } },
    }));
    stage.say("ada", &format!("/implement {lock}")).expect(0);

    // From somebody's own machine.
    stage.github.state().tokens.insert("ghp_ada".to_owned(), Identity::user("ada"));
    let mut command = stage.bench.program(["plan", "--pr", &format!("{REPOSITORY}#{NUMBER}")]);
    command.env("GITHUB_TOKEN", "ghp_ada").env("GITHUB_API_URL", &prism.url);
    command.env("GITHUB_SERVER_URL", stage.github.server_url());
    Called::of(command.output().unwrap()).expect(0);

    assert_eq!(prism.violations(), Vec::<String>::new());
    let mut requests = stage.github.requests();
    requests.retain(|request| request.who != "git" && !request.path.contains("graphql"));
    let operations: Vec<String> = serde_json::from_slice(&fs::read(doubles::file("operations.json")).unwrap()).unwrap();
    for operation in &operations {
        assert!(requests.iter().any(|request| is(operation, request)), "nothing asked for {operation}");
    }
    for request in &requests {
        assert!(operations.iter().any(|operation| is(operation, request)), "{} {}", request.method, request.path);
    }
    // Prism saw what the fake saw.
    let seen = prism.output().iter().filter(|line| line.contains("Request received")).count();
    assert_eq!(seen, requests.len(), "{}", prism.output().join("\n"));
}

/// Asks a server that is no GitHub of ours.
struct Client {
    runtime: Runtime,
    client: reqwest::Client,
    base: String,
}

impl Client {
    fn new(base: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        // The double closes connections that are idle: none is kept, so that no request meets one that is being closed.
        let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().expect("a client");
        Self { runtime, client, base: base.to_owned() }
    }

    #[track_caller]
    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.client.request(method, format!("{}{path}", self.base));
        let request = request.header("authorization", "Bearer octo_token").header("content-type", "application/json");
        let (status, text) = self.runtime.block_on(async {
            let response = request.body(body.to_string()).send().await.unwrap();
            (response.status(), response.text().await.unwrap())
        });
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Brings the commits of the pull request over, object by object, under the same ids.
    fn mirror(&self, stage: &Stage) {
        let repository = format!("/repos/{REPOSITORY}");
        let git = |arguments: &[&str]| stage.bench.git(arguments.iter().copied());
        let commits = git(&["rev-list", "--reverse", "topic"]);
        for commit in commits.lines() {
            let tree: Vec<_> = git(&["ls-tree", "-r", commit])
                .lines()
                .map(|line| {
                    let (entry, path) = line.split_once('\t').unwrap();
                    let mut words = entry.split(' ');
                    let (mode, id) = (words.next().unwrap(), words.nth(1).unwrap());
                    // Without its last line break, which `git` cuts off here.
                    let content = format!("{}\n", git(&["cat-file", "blob", id]));
                    json!({ "path": path, "mode": mode, "type": "blob", "content": content })
                })
                .collect();
            let tree = self.call("POST", &format!("{repository}/git/trees"), &json!({ "tree": tree }));
            let parents = git(&["log", "-1", "--format=%P", commit]);
            let who = json!({ "name": "Test", "email": "test@example.invalid", "date": "2026-01-02T03:04:05Z" });
            let body = json!({
                "message": format!("{}\n", git(&["log", "-1", "--format=%B", commit])),
                "tree": tree["sha"], "parents": parents.split_whitespace().collect::<Vec<_>>(),
                "author": who, "committer": who,
            });
            let made = self.call("POST", &format!("{repository}/git/commits"), &body);
            assert_eq!(made["sha"], commit, "emulate gives objects git's ids");
        }
        for (branch, commit) in [("main", git(&["rev-parse", "main"])), ("topic", git(&["rev-parse", "topic"]))] {
            let body = json!({ "ref": format!("refs/heads/{branch}"), "sha": commit });
            self.call("POST", &format!("{repository}/git/refs"), &body);
        }
    }
}

#[test]
fn a_whole_conversation_on_emulate_behind_prism() {
    let mut stage = Stage::new("", &[]);
    let seed = stage.bench.path("seed.yaml");
    let owner = REPOSITORY.split('/').next().unwrap();
    fs::write(
        &seed,
        format!(
            "tokens:\n  octo_token:\n    login: {owner}\n    scopes: [repo, user]\n\
             github:\n  users:\n    - login: {owner}\n    - login: ada\n    - login: eve\n  \
             repos:\n    - owner: {owner}\n      name: service\n      auto_init: false\n"
        ),
    )
    .unwrap();
    let emulate = Double::emulate(&seed);
    let prism = Double::prism(&emulate.url);
    let client = Client::new(&emulate.url);
    client.mirror(&stage);
    client.call("PUT", &format!("/repos/{REPOSITORY}/collaborators/ada"), &json!({ "permission": "push" }));
    let plan = |plan: &str| format!("Greets people.\n\n```backend-plan\n{plan}```\n");
    let pull = json!({ "title": "Greet", "head": "topic", "base": "main", "body": plan(PLAN) });
    let pull = client.call("POST", &format!("/repos/{REPOSITORY}/pulls"), &pull);
    let number = pull["number"].as_u64().unwrap();

    stage.api_url.clone_from(&prism.url);
    stage.token = "octo_token".to_owned();
    // git asks the fake, which has to know the token.
    stage.github.state().tokens.insert("octo_token".to_owned(), Identity::user(owner));
    let event =
        |action: &str| json!({ "action": action, "number": number, "pull_request": pull, "sender": pull["user"] });
    let comments = || {
        let all = client.call("GET", &format!("/repos/{REPOSITORY}/issues/{number}/comments"), &Value::Null);
        all.as_array().unwrap().clone()
    };
    let ours = || {
        let body = |comment: &Value| comment["body"].as_str().unwrap().to_owned();
        let ours: Vec<_> =
            comments().iter().map(body).filter(|b| b.starts_with("<!-- backend-implementer -->")).collect();
        assert_eq!(ours.len(), 1, "{ours:?}");
        ours[0].clone()
    };
    let say = |text: &str| {
        let path = format!("/repos/{REPOSITORY}/issues/{number}/comments");
        let mut comment = client.call("POST", &path, &json!({ "body": text }));
        comment["user"] = json!({ "login": "ada", "type": "User" });
        json!({ "action": "created", "issue": { "number": number, "pull_request": {} }, "comment": comment })
    };

    stage.act("pull_request", &event("opened"), &[]).expect(0);
    let stale = shown_lock(&ours());
    let edited = json!({ "body": plan(&PLAN.replace("say hello", "say hello twice")) });
    client.call("PATCH", &format!("/repos/{REPOSITORY}/pulls/{number}"), &edited);
    stage.act("pull_request", &event("edited"), &[]).expect(0);
    let lock = shown_lock(&ours());
    assert_ne!(lock, stale);
    stage.act("issue_comment", &say(&format!("/implement {stale}")), &[]).expect(2);
    let refusal = comments().pop().unwrap()["body"].as_str().unwrap().to_owned();
    assert!(refusal.starts_with("@ada Nothing was run") && refusal.contains(&lock), "{refusal}");

    stage.act("issue_comment", &say(&format!("/implement {lock}")), &[]).expect(0);
    assert!(ours().contains("## Backend Implementation Complete"), "{}", ours());
    let head = stage.head();
    let checks = client.call("GET", &format!("/repos/{REPOSITORY}/commits/{head}/check-runs"), &Value::Null);
    let ended: BTreeMap<_, _> = checks["check_runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| (check["name"].as_str().unwrap(), check["conclusion"].as_str().unwrap_or("open")))
        .collect();
    assert_eq!(ended["Backend Implementer"], "success", "{ended:?}");
    assert_eq!(ended["Backend Implementer / backend-feature-implementer"], "success", "{ended:?}");
    assert!(!ended.values().any(|conclusion| *conclusion == "open"), "{ended:?}");
    assert_eq!(prism.violations(), Vec::<String>::new());
}

/// The payloads of real webhooks: event, action, payload.
fn payloads() -> Vec<(String, String, Value)> {
    let path = doubles::file("node_modules/@octokit/webhooks-examples/api.github.com/index.json");
    let all: Vec<Value> = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let known = ["pull_request", "issue_comment", "workflow_dispatch", "check_run", "workflow_run"];
    let mut payloads = Vec::new();
    for event in all.iter().filter(|event| known.contains(&event["name"].as_str().unwrap())) {
        for payload in event["examples"].as_array().unwrap() {
            let action = payload["action"].as_str().unwrap_or_default();
            payloads.push((event["name"].as_str().unwrap().to_owned(), action.to_owned(), payload.clone()));
        }
    }
    payloads
}

/// What is done about an event, in a word.
fn asked(name: &str, payload: &Value) -> &'static str {
    let event = event::read(name, payload.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}\n{payload}"));
    match intent::intent(&event, &ActionInputs::default()) {
        Intent::ShowAgain { .. } => "show again",
        Intent::ReportMergeGroup { .. } => "report",
        Intent::Preview { .. } => "preview",
        Intent::Run { .. } => "run",
        Intent::Retry { .. } => "retry",
        Intent::Cancel { .. } => "cancel",
        Intent::Nothing { .. } => "nothing",
        Intent::Refused { .. } => "refused",
    }
}

#[test]
fn the_payloads_of_real_webhooks_are_understood() {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (name, action, payload) in payloads() {
        *counts.entry(name.clone()).or_default() += 1;
        let expected = match (name.as_str(), action.as_str()) {
            ("pull_request", "opened" | "reopened" | "synchronize" | "edited" | "ready_for_review") => "preview",
            ("pull_request", "labeled") => "run",
            // On issues all of them; and none of these dispatches names a pull request.
            ("pull_request" | "issue_comment", _) => "nothing",
            _ => "refused",
        };
        assert_eq!(asked(&name, &payload), expected, "{name} {action}\n{payload}");
        // A comment on a pull request and one that is a command: derived, for there are none.
        if name == "issue_comment" && action == "created" {
            let mut derived = payload.clone();
            derived["issue"]["pull_request"] = json!({ "url": "https://example.invalid/pulls/1" });
            assert_eq!(asked(&name, &derived), "nothing");
            derived["comment"]["body"] = json!("/implement cancel\r\nplease");
            assert_eq!(asked(&name, &derived), "cancel");
        }
        if name == "workflow_dispatch" {
            let mut derived = payload.clone();
            derived["inputs"] = json!({ "pr": "12", "lock": "" });
            assert_eq!(asked(&name, &derived), "run");
        }
    }
    assert_eq!(
        counts.keys().collect::<Vec<_>>(),
        ["check_run", "issue_comment", "pull_request", "workflow_dispatch", "workflow_run"]
    );
    assert!(counts["pull_request"] >= 29 && counts["issue_comment"] >= 9, "{counts:?}");
}

/// Every payload of every event that GitHub has an example of: read without a panic, refused in words where it names no pull
/// request, and never taken for an approval unless it is one. With the input `pr` only what somebody sent is shown.
#[test]
fn no_event_of_github_is_taken_for_an_approval_that_is_none() {
    let path = doubles::file("node_modules/@octokit/webhooks-examples/api.github.com/index.json");
    let all: Vec<Value> = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let mut seen = 0;
    for event in &all {
        let name = event["name"].as_str().unwrap();
        for payload in event["examples"].as_array().unwrap() {
            seen += 1;
            let bytes = payload.to_string();
            let read = event::read(name, bytes.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
            let action = payload["action"].as_str().unwrap_or_default();
            let alone = intent::intent(&read, &ActionInputs::default());
            let may_run = matches!((name, action), ("pull_request", "labeled"));
            assert_eq!(matches!(alone, Intent::Run { .. } | Intent::Retry { .. }), may_run, "{name} {action}");
            if let Intent::Refused { because, hint, answer } = &alone {
                assert!(answer.is_none() && !because.is_empty() && !hint.is_empty(), "{name}: {because}: {hint}");
            }
            let pull_request = Some(PullRequestNumber::new(NUMBER));
            let given = intent::intent(&read, &ActionInputs { pull_request, ..ActionInputs::default() });
            let is_other = !["pull_request", "issue_comment", "merge_group", "workflow_dispatch"].contains(&name);
            if name.starts_with("pull_request_review") || name == "pull_request_target" {
                assert!(matches!(given, Intent::Refused { .. }), "{name}");
            } else if is_other {
                let shown = matches!(given, Intent::Preview { number } if number.get() == NUMBER);
                // Where nobody caused it, nobody can be asked for a permission.
                let refused =
                    matches!(given, Intent::Refused { .. }) && payload.get("sender").is_none_or(Value::is_null);
                assert!(shown || refused, "{name} {action}: {given:?}");
            }
        }
    }
    assert!(all.len() >= 55 && seen >= 300, "{} events, {seen} payloads", all.len());
    // No webhook is sent for what a timer starts: its payload has the timer and the repository alone.
    let schedule =
        json!({ "schedule": "0 3 * * *", "workflow": ".github/workflows/x.yml", "repository": { "name": "service" } });
    assert_eq!(asked("schedule", &schedule), "refused");
    let bytes = schedule.to_string();
    let read = event::read("schedule", bytes.as_bytes()).unwrap();
    for command in [None, Some(ActionCommand::Run)] {
        let inputs =
            ActionInputs { pull_request: Some(PullRequestNumber::new(NUMBER)), command, ..ActionInputs::default() };
        let Intent::Refused { because, .. } = intent::intent(&read, &inputs) else {
            panic!("nobody approves on a timer")
        };
        assert!(because.contains("schedule"), "{because}");
    }
}

#[test]
fn the_program_takes_the_payload_of_every_event() {
    let stage = Stage::new("", &[(PLAN_FILE, PLAN)]);
    let mut seen: BTreeMap<String, Value> = BTreeMap::new();
    for (name, action, mut payload) in payloads() {
        if name == "pull_request" && action != "opened" || seen.contains_key(&name) {
            continue;
        }
        // The numbers of the stage, in what is otherwise as GitHub sent it.
        let (code, status) = match name.as_str() {
            "pull_request" => {
                payload["number"] = json!(NUMBER);
                (0, "preview")
            }
            "issue_comment" => (0, "nothing"),
            "workflow_dispatch" => {
                payload["inputs"] = json!({ "pr": NUMBER });
                payload["sender"]["login"] = json!("ada");
                (0, "complete")
            }
            _ => (2, "refused"),
        };
        let acted = stage.act(&name, &payload, &[]).expect(code);
        assert_eq!(acted.output("status"), status, "{name}");
        seen.insert(name, payload);
    }
    assert_eq!(seen.len(), 5);
    // A fork, derived: shown, never run.
    stage.github.state().pulls.get_mut(&NUMBER).unwrap().head_repository = "eve/service".to_owned();
    assert_eq!(stage.act("pull_request", &seen["pull_request"], &[]).expect(0).output("status"), "preview");
    let refused = stage.act("workflow_dispatch", &seen["workflow_dispatch"], &[]).expect(2);
    assert!(refused.called.stderr.contains("forks are shown, never run"), "{}", refused.called.stderr);
}
