//! What the fake knows.

use std::{collections::BTreeMap, time::SystemTime};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use wiremock::Request;

use super::REPOSITORY;

/// Who a token is, and what it may do.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) login: String,
    /// The app, for tokens of installations.
    pub(crate) app: Option<String>,
    pub(crate) comments: bool,
    pub(crate) checks: bool,
    pub(crate) actions: bool,
    /// The one repository that it reaches.
    pub(crate) repository: &'static str,
}

impl Identity {
    /// A workflow's own token.
    pub(crate) fn workflow() -> Self {
        let (login, app) = ("github-actions[bot]".to_owned(), Some("github-actions".to_owned()));
        Self { login, app, comments: true, checks: true, actions: true, repository: REPOSITORY }
    }

    /// A workflow's token on a pull request from a fork: it can only read.
    pub(crate) fn read_only() -> Self {
        Self { comments: false, checks: false, actions: false, ..Self::workflow() }
    }

    /// Somebody's own token: only apps can make check runs.
    pub(crate) fn user(login: &str) -> Self {
        Self {
            login: login.to_owned(),
            app: None,
            comments: true,
            checks: false,
            actions: true,
            repository: REPOSITORY,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct PullRequest {
    pub(crate) number: u64,
    pub(crate) head_sha: String,
    pub(crate) head_repository: String,
    pub(crate) base_sha: String,
    pub(crate) body: String,
    pub(crate) author: String,
    pub(crate) closed: bool,
    pub(crate) merged: bool,
    pub(crate) locked: bool,
    /// When the description was last edited.
    pub(crate) edited_at: Option<String>,
    /// When anything about it last changed.
    pub(crate) updated_at: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Comment {
    pub(crate) id: u64,
    pub(crate) number: u64,
    pub(crate) author: String,
    pub(crate) body: String,
    /// Every body that it ever had.
    pub(crate) bodies: Vec<String>,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
    /// The last edit: when, and by whom.
    pub(crate) edited: Option<(String, String)>,
    pub(crate) reactions: Vec<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct CheckRun {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) head_sha: String,
    pub(crate) external_id: String,
    pub(crate) app: String,
    pub(crate) status: String,
    pub(crate) conclusion: Option<String>,
    pub(crate) started_at: String,
    pub(crate) completed_at: Option<String>,
    pub(crate) title: String,
    pub(crate) summary: String,
    pub(crate) text: String,
    pub(crate) annotations: Vec<Value>,
    /// Every state that it ever had.
    pub(crate) states: Vec<String>,
}

/// A run that a dispatch started.
#[derive(Debug, Clone)]
pub(crate) struct Dispatched {
    pub(crate) run: u64,
    pub(crate) repository: &'static str,
    pub(crate) file: String,
    pub(crate) reference: String,
    pub(crate) inputs: Value,
}

#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub(crate) who: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) status: u16,
    /// Whether the fake has no such operation.
    pub(crate) unknown: bool,
}

/// Something that goes wrong on purpose.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) method: &'static str,
    /// A part of the path.
    pub(crate) path: &'static str,
    /// How many requests it still meets.
    pub(crate) times: usize,
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Value,
    /// Whether what was asked for is done all the same, and only the answer is lost.
    pub(crate) done: bool,
}

impl Fault {
    pub(crate) fn status(method: &'static str, path: &'static str, times: usize, status: u16) -> Self {
        let body = json!({ "message": "a fault on purpose" });
        Self { method, path, times, status, headers: Vec::new(), body, done: false }
    }

    /// What is asked for is done, once, and a 502 stands in for the answer.
    pub(crate) fn unanswered(method: &'static str, path: &'static str) -> Self {
        Self { done: true, ..Self::status(method, path, 1, 502) }
    }
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) tokens: BTreeMap<String, Identity>,
    /// People with the permission that GitHub would name.
    pub(crate) people: BTreeMap<String, &'static str>,
    pub(crate) pulls: BTreeMap<u64, PullRequest>,
    pub(crate) comments: Vec<Comment>,
    pub(crate) checks: Vec<CheckRun>,
    /// Workflow runs: status and newest attempt.
    pub(crate) runs: BTreeMap<u64, (String, u64)>,
    /// When workflow runs were made.
    pub(crate) runs_made: BTreeMap<u64, String>,
    /// How workflow runs ended; with success, where nothing is said.
    pub(crate) conclusions: BTreeMap<u64, String>,
    /// What was started.
    pub(crate) dispatched: Vec<Dispatched>,
    /// Whether GraphQL says nothing about edits.
    pub(crate) edits_unknown: bool,
    /// Whether started workflows have a `run-name` with their input `name`.
    pub(crate) run_names: bool,
    /// The artifacts of all runs, by id.
    pub(crate) artifacts: BTreeMap<u64, super::artifacts::Stored>,
    /// Folders in which artifact servers keep zips: what is in there can be had as well.
    pub(crate) artifact_folders: Vec<std::path::PathBuf>,
    pub(crate) requests: Vec<Recorded>,
    pub(crate) faults: Vec<Fault>,
    /// What goes wrong with reading artifacts.
    pub(crate) artifact_faults: Vec<Fault>,
    pub(crate) story: Vec<String>,
    next: u64,
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            tokens: BTreeMap::new(),
            people: BTreeMap::new(),
            pulls: BTreeMap::new(),
            comments: Vec::new(),
            checks: Vec::new(),
            runs: BTreeMap::new(),
            runs_made: BTreeMap::new(),
            conclusions: BTreeMap::new(),
            dispatched: Vec::new(),
            edits_unknown: false,
            run_names: true,
            artifacts: BTreeMap::new(),
            artifact_folders: Vec::new(),
            requests: Vec::new(),
            faults: Vec::new(),
            artifact_faults: Vec::new(),
            story: Vec::new(),
            next: 1000,
        }
    }

    pub(super) fn id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(super) fn tell(&mut self, line: impl Into<String>) {
        self.story.push(line.into());
    }

    pub(super) fn record(&mut self, request: &Request, who: &str, status: u16) {
        let path = match request.url.query() {
            Some(query) => format!("{}?{query}", request.url.path()),
            None => request.url.path().to_owned(),
        };
        let method = request.method.to_string();
        self.requests.push(Recorded { who: who.to_owned(), method, path, status, unknown: false });
    }

    /// Writes a comment as somebody.
    pub(crate) fn comment(&mut self, number: u64, author: &str, body: &str) -> u64 {
        let (id, at) = (self.id(), now());
        self.tell(format!("--- {author} comments ({id}):\n{body}"));
        if let Some(pull) = self.pulls.get_mut(&number) {
            pull.updated_at.clone_from(&at);
        }
        self.comments.push(Comment {
            id,
            number,
            author: author.to_owned(),
            body: body.to_owned(),
            bodies: vec![body.to_owned()],
            created_at: at.clone(),
            updated_at: at,
            edited: None,
            reactions: Vec::new(),
        });
        id
    }

    /// Edits the description of a pull request.
    pub(crate) fn edit_body(&mut self, number: u64, body: &str) {
        self.tell(format!("--- the description becomes:\n{body}"));
        let pull = self.pulls.get_mut(&number).expect("the pull request");
        body.clone_into(&mut pull.body);
        pull.updated_at = now();
        pull.edited_at = Some(now());
    }

    /// Deletes a comment.
    pub(crate) fn delete_comment(&mut self, id: u64) {
        self.tell(format!("--- comment {id} is deleted"));
        self.comments.retain(|comment| comment.id != id);
    }

    /// Tells whether a request of git's brings a token that there is.
    pub(super) fn token_of_basic(&self, request: &Request) -> bool {
        let token = || {
            let header = request.headers.get("authorization")?.to_str().ok()?;
            let decoded = BASE64_STANDARD.decode(header.strip_prefix("basic ")?).ok()?;
            String::from_utf8(decoded).ok()?.strip_prefix("x-access-token:").map(str::to_owned)
        };
        token().is_some_and(|token| self.tokens.contains_key(&token))
    }
}

/// The time as GitHub writes it.
pub(crate) fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}
