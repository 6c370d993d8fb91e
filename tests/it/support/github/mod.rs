//! Our own GitHub for the tests: stateful, on loopback, with git behind it. What it answers has the shape of GitHub's
//! REST interface, as far as our requests go; anything else is a 404 that the tests can ask for.

pub(crate) mod artifacts;
mod git_http;
mod payloads;
mod routes;
mod state;

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::runtime::Runtime;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

pub(crate) use self::state::State;
pub(crate) use self::state::{CheckRun, Comment, Dispatched, Fault, Identity, PullRequest, Recorded, now};

/// The repository that the fake has.
pub(crate) const REPOSITORY: &str = "octo/service";

/// Another repository of the same GitHub: it has workflows, and nothing else.
pub(crate) const ELSEWHERE: &str = "octo/labs";

/// How long a test waits for something that has to happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A GitHub of our own.
pub(crate) struct FakeGithub {
    shared: Arc<Shared>,
    url: String,
    // The server must go before its runtime.
    _server: MockServer,
    _runtime: Runtime,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    bare: PathBuf,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Front {
    shared: Arc<Shared>,
    url: Arc<Mutex<String>>,
}

impl Respond for Front {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let url = self.url.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let path = request.url.path();
        let response = if path.contains(".git/")
            || path.contains("/info/refs")
            || path.ends_with("/git-upload-pack")
            || path.ends_with("/git-receive-pack")
        {
            let token = self.shared.lock().token_of_basic(request);
            self.shared.lock().record(request, "git", if token { 200 } else { 401 });
            if token { git_http::serve(&self.shared.bare, request) } else { ResponseTemplate::new(401) }
        } else if let Some(response) = artifacts::answer(&mut self.shared.lock(), &url, request) {
            response
        } else {
            routes::answer(&mut self.shared.lock(), &self.shared.bare, &url, request)
        };
        self.shared.changed.notify_all();
        response
    }
}

impl FakeGithub {
    /// Starts one for the bare repository, with one token, `ghs_workflow`, as the workflows of the repository have it.
    pub(crate) fn start(bare: &Path) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
        let shared =
            Arc::new(Shared { state: Mutex::new(State::new()), changed: Condvar::new(), bare: bare.to_owned() });
        let url = Arc::new(Mutex::new(String::new()));
        let server = runtime.block_on(async {
            let server = MockServer::start().await;
            *url.lock().unwrap() = server.uri();
            let front = Front { shared: Arc::clone(&shared), url: Arc::clone(&url) };
            Mock::given(wiremock::matchers::any()).respond_with(front).mount(&server).await;
            server
        });
        let fake = Self { shared, url: server.uri(), _server: server, _runtime: runtime };
        fake.state().tokens.insert("ghs_workflow".to_owned(), Identity::workflow());
        fake
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.shared.lock()
    }

    /// Returns the base of the REST interface, as on GitHub Enterprise Server.
    pub(crate) fn api_url(&self) -> String {
        format!("{}/api/v3", self.url)
    }

    /// Returns where pages and repositories are; the REST interface is here too, as a proxy needs it.
    pub(crate) fn server_url(&self) -> String {
        self.url.clone()
    }

    /// Returns the GraphQL endpoint.
    pub(crate) fn graphql_url(&self) -> String {
        format!("{}/api/graphql", self.url)
    }

    /// Returns the comments on a pull request.
    pub(crate) fn comments(&self, number: u64) -> Vec<Comment> {
        self.state().comments.iter().filter(|comment| comment.number == number).cloned().collect()
    }

    /// Returns the comment of ours that there has to be exactly one of.
    #[track_caller]
    pub(crate) fn only_comment_of(&self, number: u64, login: &str) -> Comment {
        let mut comments = self.comments(number);
        comments.retain(|comment| comment.author == login && comment.body.starts_with("<!-- backend-implementer -->"));
        assert_eq!(comments.len(), 1, "one comment of ours\n{}", self.transcript());
        comments.remove(0)
    }

    /// Returns the check runs on a commit, with all that was ever said in them.
    pub(crate) fn checks(&self, sha: &str) -> Vec<CheckRun> {
        self.state().checks.iter().filter(|check| check.head_sha == sha).cloned().collect()
    }

    /// Returns all requests that were made.
    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.state().requests.clone()
    }

    /// Returns the requests that the fake has no answer for.
    pub(crate) fn unknown_requests(&self) -> Vec<Recorded> {
        self.requests()
            .into_iter()
            .filter(|request| request.who != "git" && request.status == 404 && request.unknown)
            .collect()
    }

    /// Forgets what was requested so far.
    pub(crate) fn forget_requests(&self) {
        self.state().requests.clear();
    }

    /// Waits until something holds that requests bring about.
    #[track_caller]
    pub(crate) fn wait_for(&self, what: &str, holds: impl Fn(&State) -> bool) {
        let state = self.shared.lock();
        let (state, timeout) = self
            .shared
            .changed
            .wait_timeout_while(state, PATIENCE, |state| !holds(state))
            .unwrap_or_else(PoisonError::into_inner);
        drop(state);
        assert!(!timeout.timed_out(), "waited in vain for {what}\n{}", self.transcript());
    }

    /// Tells the whole conversation, for whoever reads a failing test.
    pub(crate) fn transcript(&self) -> String {
        let state = self.state();
        let mut out = String::from("=== the conversation\n");
        for line in &state.story {
            let _ = writeln!(out, "{line}");
        }
        out.push_str("=== the requests\n");
        for request in &state.requests {
            let _ = writeln!(out, "{} {} {} {}", request.status, request.who, request.method, request.path);
        }
        out
    }
}

impl Drop for FakeGithub {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.transcript());
        }
    }
}
