//! The operations of the REST interface that the program uses.

use std::{path::Path, process::Command};

use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

use super::{
    ELSEWHERE, REPOSITORY,
    state::{CheckRun, Dispatched, Identity, State, now},
};

/// What an operation answers: a status and a body.
type Answer = (u16, Value);

const FORBIDDEN: &str = "Resource not accessible by integration";

/// Answers a request, and writes it down.
pub(super) fn answer(state: &mut State, bare: &Path, url: &str, request: &Request) -> ResponseTemplate {
    let identity = identity(state, request);
    let who = identity.as_ref().map_or("nobody".to_owned(), |identity| identity.login.clone());
    state.record(request, &who, 0);
    let fault = state.faults.iter_mut().find(|fault| {
        fault.times > 0 && request.method.as_str() == fault.method && request.url.path().contains(fault.path)
    });
    let fault = fault.map(|fault| {
        fault.times -= 1;
        fault.clone()
    });
    let (status, body, unknown) = match (&fault, identity) {
        (Some(fault), Some(identity)) if fault.done => {
            let _ = operate(state, bare, url, request, &identity);
            (fault.status, fault.body.clone(), false)
        }
        (Some(fault), _) => (fault.status, fault.body.clone(), false),
        (None, None) => (401, json!({ "message": "Bad credentials" }), false),
        (None, Some(identity)) => match operate(state, bare, url, request, &identity) {
            Some((status, body)) => (status, body, false),
            None => {
                (404, json!({ "message": "Not Found", "documentation_url": "the fake has no such operation" }), true)
            }
        },
    };
    let tag = format!("\"{}\"", implementer_model::ids::Digest::from_content(body.to_string()).short());
    let unchanged = request.headers.get("if-none-match").is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let status = if unchanged && status == 200 { 304 } else { status };
    if let Some(last) = state.requests.last_mut() {
        last.status = status;
        last.unknown = unknown;
    }
    let mut response = ResponseTemplate::new(status)
        .insert_header("etag", tag)
        .insert_header("x-ratelimit-remaining", (5_000 - state.requests.len()).to_string());
    for (name, value) in fault.iter().flat_map(|fault| &fault.headers) {
        response = response.insert_header(*name, value.as_str());
    }
    if status == 304 || status == 204 { response } else { response.set_body_json(body) }
}

pub(super) fn identity(state: &State, request: &Request) -> Option<Identity> {
    let header = request.headers.get("authorization")?.to_str().ok()?;
    let token = header.strip_prefix("Bearer ").or_else(|| header.strip_prefix("token "))?;
    state.tokens.get(token).cloned()
}

fn operate(state: &mut State, bare: &Path, url: &str, request: &Request, who: &Identity) -> Option<Answer> {
    let path = request.url.path();
    let path = path.strip_prefix("/api/v3").unwrap_or(path);
    let method = request.method.as_str();
    let query: std::collections::BTreeMap<String, String> = request.url.query_pairs().into_owned().collect();
    let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
    let forbidden = || Some((403, json!({ "message": FORBIDDEN })));
    if path == "/graphql" || path == "/api/graphql" {
        let nodes: Vec<_> =
            body["variables"]["ids"].as_array().into_iter().flatten().map(|id| last_edit(state, id)).collect();
        let data =
            if nodes.is_empty() { json!({ "viewer": { "login": who.login } }) } else { json!({ "nodes": nodes }) };
        return Some((200, json!({ "data": data })));
    }
    if path == "/user" {
        return if who.app.is_some() { forbidden() } else { Some((200, user(&who.login))) };
    }
    let below = path.strip_prefix("/repos/")?;
    let repository = [REPOSITORY, ELSEWHERE].into_iter().find(|name| below.starts_with(name))?;
    // GitHub does not tell what a token may not see from what is not there.
    if who.repository != repository {
        return Some(not_found());
    }
    let rest = below.strip_prefix(repository)?;
    let Some(rest) = rest.strip_prefix('/') else {
        return Some((200, json!({ "full_name": repository, "default_branch": "trunk" })));
    };
    let parts: Vec<&str> = rest.split('/').collect();
    if repository != REPOSITORY && parts.first() != Some(&"actions") {
        return Some(not_found());
    }
    match (method, parts.as_slice()) {
        ("GET", ["pulls", number]) => {
            let pull = state.pulls.get(&number.parse().ok()?);
            Some(pull.map_or_else(not_found, |pull| (200, super::payloads::pull_request(pull, url))))
        }
        ("GET", ["pulls", number, "files"]) => {
            let pull = state.pulls.get(&number.parse().ok()?)?;
            Some((200, paged(files(bare, &pull.base_sha, &pull.head_sha), &query)))
        }
        ("POST", ["actions", "workflows", file, "dispatches"]) => {
            if !who.actions {
                return forbidden();
            }
            let (run, reference) = (900 + state.dispatched.len() as u64, body["ref"].as_str()?.to_owned());
            state.story.push(format!("{} starts {file} on {reference}: {}", who.login, body["inputs"]));
            let (file, inputs) = ((*file).to_owned(), body["inputs"].clone());
            state.dispatched.push(Dispatched { run, repository, file, reference, inputs });
            state.runs.insert(run, ("queued".to_owned(), 1));
            let page = format!("https://example.invalid/{run}");
            let details = json!({ "workflow_run_id": run, "run_url": "x", "html_url": page });
            Some(if body["return_run_details"] == true { (200, details) } else { (204, Value::Null) })
        }
        ("GET", ["actions", "workflows", file, "runs"]) => {
            let of = state.dispatched.iter().rev().filter(|run| run.file == *file && run.repository == repository);
            let listed: Vec<_> = of.filter_map(|run| workflow_run(state, run.run, url)).collect();
            Some((200, json!({ "total_count": listed.len(), "workflow_runs": listed })))
        }
        ("GET", ["compare", range]) => {
            let (base, head) = range.split_once("...")?;
            let sha = git(bare, &["merge-base", base, head])?;
            Some((200, json!({ "merge_base_commit": { "sha": sha }, "files": [] })))
        }
        ("GET", ["contents", path @ ..]) => {
            let name = format!("{}:{}", query.get("ref")?, path.join("/"));
            let sha = git(bare, &["rev-parse", "--verify", "--quiet", &name]);
            Some(sha.map_or_else(not_found, |sha| (200, json!({ "type": "file", "sha": sha }))))
        }
        ("GET", ["branches", name @ ..]) => Some(branch(bare, &name.join("/")).unwrap_or_else(not_found)),
        ("GET", ["issues", number, "comments"]) => {
            let number: u64 = number.parse().ok()?;
            let comments = state.comments.iter().filter(|comment| comment.number == number);
            Some((200, paged(comments.map(|comment| super::payloads::comment(comment, url)).collect(), &query)))
        }
        ("GET", ["issues", "comments"]) => {
            let newest_first = state.comments.iter().rev();
            let comments = newest_first.map(|comment| super::payloads::comment(comment, url)).collect();
            Some((200, paged(comments, &query)))
        }
        ("POST", ["issues", number, "comments"]) => {
            if !who.comments {
                return forbidden();
            }
            let text = body["body"].as_str()?;
            if let Some(refused) = too_long(text) {
                return Some(refused);
            }
            let id = state.comment(number.parse().ok()?, &who.login, text);
            let comment = state.comments.iter().find(|comment| comment.id == id)?;
            Some((201, super::payloads::comment(comment, url)))
        }
        (_, ["issues", "comments", id]) => comment(state, url, who, method, id.parse().ok()?, &body),
        ("POST", ["issues", "comments", id, "reactions"]) => {
            if !who.comments {
                return forbidden();
            }
            let id: u64 = id.parse().ok()?;
            let content = body["content"].as_str()?.to_owned();
            state.tell(format!("--- {} reacts to {id}: {content}", who.login));
            let Some(comment) = state.comments.iter_mut().find(|comment| comment.id == id) else {
                return Some(not_found());
            };
            comment.reactions.push(content.clone());
            Some((
                201,
                json!({ "id": id, "node_id": "R", "content": content, "created_at": now(), "user": user(&who.login) }),
            ))
        }
        ("GET", ["collaborators", login, "permission"]) => Some(match state.people.get(*login) {
            Some(permission) => {
                (200, json!({ "permission": permission, "role_name": permission, "user": user(login) }))
            }
            None => not_found(),
        }),
        ("POST", ["check-runs"]) => {
            if !who.checks {
                return forbidden();
            }
            Some(create_check(state, who, &body))
        }
        ("PATCH", ["check-runs", id]) => {
            let id: u64 = id.parse().ok()?;
            let app = who.app.clone();
            let Some(check) = state.checks.iter_mut().find(|check| check.id == id) else { return Some(not_found()) };
            if !who.checks || Some(&check.app) != app.as_ref() {
                return forbidden();
            }
            if let Err(refused) = apply(check, &body) {
                return Some(refused);
            }
            let (answer, line) =
                (super::payloads::check_run(check), format!("--- check {}: {}", check.name, state_of(check)));
            state.tell(line);
            Some((200, answer))
        }
        ("GET", ["commits", sha, "check-runs"]) => {
            let named = |check: &&CheckRun| query.get("check_name").is_none_or(|name| *name == check.name);
            let of = state.checks.iter().filter(|check| check.head_sha == *sha).filter(named);
            let all: Vec<_> = of.map(super::payloads::check_run).collect();
            Some((200, json!({ "total_count": all.len(), "check_runs": paged(all, &query) })))
        }
        ("GET", ["actions", "runs", id]) => {
            let id: u64 = id.parse().ok()?;
            Some(workflow_run(state, id, url).map_or_else(not_found, |run| (200, run)))
        }
        ("POST", ["actions", "runs", id, "cancel"]) => {
            if !who.actions {
                return forbidden();
            }
            let id: u64 = id.parse().ok()?;
            let answer = match state.runs.get(&id).map(|(status, _)| status.as_str()) {
                None => not_found(),
                Some("completed") => (409, json!({ "message": "Cannot cancel a workflow run that is completed." })),
                Some(_) => (202, json!({})),
            };
            state.tell(format!("--- {} cancels run {id}", who.login));
            if state.dispatched.iter().any(|run| run.run == id) && answer.0 == 202 {
                state.runs.insert(id, ("completed".to_owned(), 1));
                state.conclusions.insert(id, "cancelled".to_owned());
            }
            Some(answer)
        }
        _ => None,
    }
}

/// What GraphQL says about the last edit of a text.
fn last_edit(state: &State, id: &Value) -> Value {
    if state.edits_unknown {
        return Value::Null;
    }
    let pull = state.pulls.values().find(|pull| *id == super::payloads::node_of(pull));
    if let Some(pull) = pull {
        let editor = pull.edited_at.as_ref().map(|_| json!({ "login": pull.author }));
        return json!({ "id": id, "lastEditedAt": pull.edited_at, "editor": editor });
    }
    let comment = state.comments.iter().find(|comment| Some(comment.id.to_string().as_str()) == id.as_str());
    comment.map_or(Value::Null, |comment| {
        // GraphQL leaves out what ends the logins of apps.
        let editor = comment.edited.as_ref().map(|(_, by)| json!({ "login": by.trim_end_matches("[bot]") }));
        let at = comment.edited.as_ref().map(|(at, _)| at);
        json!({ "id": id, "lastEditedAt": at, "editor": editor })
    })
}

fn workflow_run(state: &State, id: u64, url: &str) -> Option<Value> {
    let (status, attempt) = state.runs.get(&id)?;
    let over = status == "completed";
    let conclusion = over.then(|| state.conclusions.get(&id).map_or("success", String::as_str));
    let started = state.dispatched.iter().find(|run| run.run == id);
    let title = match started {
        Some(run) if state.run_names => run.inputs["name"].as_str().unwrap_or_default(),
        _ => "Some workflow",
    };
    let repository = started.map_or(REPOSITORY, |run| run.repository);
    Some(json!({ "id": id, "status": status, "conclusion": conclusion, "run_attempt": attempt, "display_title": title,
        "created_at": state.runs_made.get(&id),
        "html_url": format!("{url}/{repository}/actions/runs/{id}") }))
}

fn comment(state: &mut State, url: &str, who: &Identity, method: &str, id: u64, body: &Value) -> Option<Answer> {
    let Some(at) = state.comments.iter().position(|comment| comment.id == id) else { return Some(not_found()) };
    if method == "GET" {
        return Some((200, super::payloads::comment(&state.comments[at], url)));
    }
    if !who.comments {
        return Some((403, json!({ "message": FORBIDDEN })));
    }
    match method {
        "PATCH" => {
            let text = body["body"].as_str()?;
            if let Some(refused) = too_long(text) {
                return Some(refused);
            }
            state.tell(format!("--- {} changes {id} to:\n{text}", who.login));
            let comment = &mut state.comments[at];
            text.clone_into(&mut comment.body);
            comment.bodies.push(text.to_owned());
            comment.updated_at = now();
            comment.edited = Some((now(), who.login.clone()));
            Some((200, super::payloads::comment(comment, url)))
        }
        "DELETE" => {
            state.delete_comment(id);
            Some((204, Value::Null))
        }
        _ => None,
    }
}

fn create_check(state: &mut State, who: &Identity, body: &Value) -> Answer {
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let mut check = CheckRun {
        id: state.id(),
        name: text("name"),
        head_sha: text("head_sha"),
        external_id: text("external_id"),
        app: who.app.clone().unwrap_or_default(),
        status: "queued".to_owned(),
        conclusion: None,
        started_at: text("started_at"),
        completed_at: None,
        title: String::new(),
        summary: String::new(),
        text: String::new(),
        annotations: Vec::new(),
        states: Vec::new(),
    };
    if let Err(refused) = apply(&mut check, body) {
        return refused;
    }
    state.tell(format!("--- check {}: {}", check.name, state_of(&check)));
    let answer = super::payloads::check_run(&check);
    state.checks.push(check);
    (201, answer)
}

/// Does to a check run what a request says, as GitHub does: annotations are appended, and of more than fifty the rest
/// is dropped without a word.
fn apply(check: &mut CheckRun, body: &Value) -> Result<(), Answer> {
    if let Some(status) = body["status"].as_str() {
        status.clone_into(&mut check.status);
        check.conclusion = body["conclusion"].as_str().map(str::to_owned);
        check.completed_at = body["completed_at"].as_str().map(str::to_owned);
        check.states.push(check.conclusion.clone().unwrap_or_else(|| status.to_owned()));
    }
    if let Some(output) = body.get("output") {
        for name in ["summary", "text"] {
            if output[name].as_str().is_some_and(|text| text.chars().count() > 65_535) {
                return Err((422, json!({ "message": format!("{name} exceeds a maximum length of 65535") })));
            }
        }
        output["title"].as_str().unwrap_or_default().clone_into(&mut check.title);
        output["summary"].as_str().unwrap_or_default().clone_into(&mut check.summary);
        output["text"].as_str().unwrap_or_default().clone_into(&mut check.text);
        check.annotations.extend(output["annotations"].as_array().into_iter().flatten().take(50).cloned());
    }
    Ok(())
}

fn state_of(check: &CheckRun) -> String {
    let ended = check.conclusion.as_ref().map(|conclusion| format!(", {conclusion}")).unwrap_or_default();
    format!("{}{ended} “{}”", check.status, check.title)
}

fn paged(all: Vec<Value>, query: &std::collections::BTreeMap<String, String>) -> Value {
    let number = |name: &str, default| query.get(name).and_then(|value| value.parse().ok()).unwrap_or(default);
    let (size, page) = (number("per_page", 30).min(100), number("page", 1).max(1));
    Value::Array(all.into_iter().skip((page - 1) * size).take(size).collect())
}

fn files(bare: &Path, base: &str, head: &str) -> Vec<Value> {
    let output = Command::new("git")
        .env_clear()
        .env("PATH", crate::support::path())
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .arg("--git-dir")
        .arg(bare)
        .args(["diff", "--name-status", "--no-renames", &format!("{base}...{head}")])
        .output()
        .expect("git diff");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    // GitHub lists no more, whatever there is.
    text.lines()
        .take(3_000)
        .filter_map(|line| line.split_once('\t'))
        .map(|(status, name)| {
            let status = match status {
                "A" => "added",
                "D" => "removed",
                _ => "modified",
            };
            json!({ "filename": name, "status": status })
        })
        .collect()
}

/// The commit and the tree at the tip of a branch.
fn branch(bare: &Path, name: &str) -> Option<Answer> {
    let name = percent_encoding::percent_decode_str(name).decode_utf8().ok()?;
    let of = |what: &str| git(bare, &["rev-parse", "--verify", "--quiet", &format!("refs/heads/{name}^{{{what}}}")]);
    let (commit, tree) = (of("commit")?, of("tree")?);
    Some((200, json!({ "name": name, "commit": { "sha": commit, "commit": { "tree": { "sha": tree } } } })))
}

/// What git says about the bare repository in one line; nothing when it says no.
fn git(bare: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .env_clear()
        .env("PATH", std::env::var_os("PATH").expect("a PATH"))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .arg("--git-dir")
        .arg(bare)
        .args(arguments)
        .output()
        .expect("git runs");
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn too_long(text: &str) -> Option<Answer> {
    let message =
        json!({ "message": "Validation Failed", "errors": ["body is too long (maximum is 65536 characters)"] });
    (text.chars().count() > 65_536).then_some((422, message))
}

fn user(login: &str) -> Value {
    super::payloads::user(login)
}

fn not_found() -> Answer {
    (404, json!({ "message": "Not Found" }))
}
