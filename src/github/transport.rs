//! One request at a time: authenticated, timed, bounded, counted, and repeated only where that does no harm.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use ::http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Builder};
use http_body_util::{BodyExt as _, Limited};
use octocrab::Octocrab;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::OnceCell;

use super::{
    GithubError, GithubErrorKind, RepositoryName, Usage,
    token::parse_token,
    usage::{Counter, Counts},
};
use crate::http::{self, Again, Pace, Timeouts};

/// The longest answer that is read, in bytes: a page of 100 comments of 65,536 characters, four bytes each, and room.
const ANSWER_MAX_BYTES: usize = 32 * 1024 * 1024;

/// The most entries that GitHub gives on one page.
pub(super) const PAGE: usize = 100;

/// The most pages that are read of one list: ten thousand entries.
pub(super) const PAGES_MAX: usize = 100;

/// What stands for itself in a path segment or a query value.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Where GitHub is, and who asks.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The base of the REST interface, such as `https://api.github.com`, on GitHub Enterprise Server ending in
    /// `/api/v3`.
    pub api_url: String,
    /// The GraphQL endpoint.
    pub graphql_url: String,
    /// The token.
    pub token: SecretString,
    /// The repository.
    pub repository: RepositoryName,
    /// How failures are waited out.
    pub pace: Pace,
}

/// GitHub, as one token sees one repository. Cheap to clone.
#[derive(Clone)]
pub struct Github {
    inner: Arc<Inner>,
}

struct Inner {
    octocrab: Octocrab,
    settings: Settings,
    counter: Counter,
    /// The client of downloads, once there is one.
    downloads: OnceCell<reqwest::Client>,
    /// The time by GitHub's clock, in its newest answer.
    time: Mutex<Option<SystemTime>>,
    /// Answers by path with their entity tags, for conditional requests.
    known: Mutex<HashMap<String, Known>>,
}

#[derive(Clone)]
struct Known {
    tag: HeaderValue,
    body: Vec<u8>,
}

impl std::fmt::Debug for Github {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Github").field("settings", &self.inner.settings).finish_non_exhaustive()
    }
}

/// A request that is to be made.
pub(super) struct Call<'a> {
    /// What it is for, such as `posting the comment`.
    pub(super) operation: &'static str,
    pub(super) method: Method,
    /// The path below the base of the REST interface, or a full URL.
    pub(super) path: String,
    pub(super) body: Option<&'a serde_json::Value>,
    /// Whether doing it twice is the same as doing it once.
    pub(super) repeatable: bool,
    /// How long its answer is waited for.
    pub(super) patience: Patience,
}

/// How long a request is tried again that GitHub refuses for its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// As long as GitHub says: nothing goes on without the answer.
    Needed,
    /// Not for long: it tells people something that stands in another place, too.
    Told,
    /// Not at all: it is one of many updates, of which only the last matters.
    Live,
}

impl<'a> Call<'a> {
    /// Reads.
    pub(super) fn get(operation: &'static str, path: String) -> Self {
        Self { operation, method: Method::GET, path, body: None, repeatable: true, patience: Patience::Needed }
    }

    /// Makes something new: twice would be two.
    pub(super) fn post(operation: &'static str, path: String, body: &'a serde_json::Value) -> Self {
        Self { operation, method: Method::POST, path, body: Some(body), repeatable: false, patience: Patience::Told }
    }

    /// Sets something that is there to a state.
    pub(super) fn patch(operation: &'static str, path: String, body: &'a serde_json::Value) -> Self {
        Self { operation, method: Method::PATCH, path, body: Some(body), repeatable: true, patience: Patience::Told }
    }
}

/// An answer that is no failure.
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    operation: &'static str,
}

impl Answer {
    /// Reads the answer's JSON.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, GithubError> {
        serde_json::from_slice(&self.body).map_err(|error| GithubError {
            operation: self.operation,
            kind: GithubErrorKind::Malformed(error.to_string()),
        })
    }
}

impl Github {
    /// Makes a client. Sends nothing yet.
    ///
    /// # Errors
    /// When the address is no URL, or TLS cannot be set up.
    pub fn new(mut settings: Settings) -> Result<Self, GithubError> {
        settings.token = parse_token(settings.token.expose_secret())
            .map_err(|error| GithubError { operation: "setting up the connection to GitHub", kind: error.into() })?;
        let malformed = |error: &dyn std::error::Error| GithubError {
            operation: "setting up the connection to GitHub",
            kind: GithubErrorKind::Unreachable(error.to_string()),
        };
        let client = http::client(Timeouts::Whole(settings.pace.timeout)).map_err(|error| malformed(&error))?;
        // The base has no path: octocrab would put it in front of the GraphQL endpoint too, which lies beside it.
        let octocrab = Octocrab::builder()
            .base_uri(origin(&settings.api_url))
            .map_err(|error| malformed(&error))?
            .personal_token(settings.token.clone())
            .build_with_reqwest(client)
            .map_err(|error| malformed(&error))?;
        let inner = Inner {
            octocrab,
            settings,
            counter: Counter::default(),
            downloads: OnceCell::new(),
            time: Mutex::default(),
            known: Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Makes a client for another repository of the same GitHub, with a token of its own.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn elsewhere(&self, repository: RepositoryName, token: SecretString) -> Result<Self, GithubError> {
        Self::new(Settings { repository, token, ..self.inner.settings.clone() })
    }

    /// Returns where GitHub is and who asks.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Returns the place of the client of downloads.
    pub(super) fn downloads(&self) -> &OnceCell<reqwest::Client> {
        &self.inner.downloads
    }

    /// Returns the requests that were made so far.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.inner.counter.snapshot()
    }

    /// Returns the time by GitHub's clock, as its newest answer said it.
    #[must_use]
    pub fn time(&self) -> Option<SystemTime> {
        *self.inner.time.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a read that was made beside this client.
    pub(super) fn count_read(&self) {
        self.inner.counter.request(Counts::Read);
    }

    /// Tells whether the token is one of an app's installation, such as a workflow's own: these have no user.
    pub(super) fn is_installation(&self) -> bool {
        self.inner.settings.token.expose_secret().starts_with("ghs_")
    }

    /// Returns a path below the repository.
    pub(super) fn path(&self, rest: &str) -> String {
        format!("/repos/{}/{rest}", self.inner.settings.repository)
    }

    /// Makes a request and reads the JSON of its answer.
    pub(super) async fn fetch<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T, GithubError> {
        match self.send(call).await?.json() {
            // Something on the way cut it short, or put a page in its place.
            Err(_) if call.repeatable && call.patience != Patience::Live => self.send(call).await?.json(),
            answer => answer,
        }
    }

    /// Reads what may well be unchanged since the last time; GitHub does not count a read that it answers with 304.
    pub(super) async fn fetch_if_changed<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T, GithubError> {
        let known = self.lock_known().get(&call.path).cloned();
        match self.repeat(call, known.as_ref().map(|known| &known.tag)).await? {
            Some(answer) => {
                if let Some(tag) = answer.headers.get(header::ETAG) {
                    let known = Known { tag: tag.clone(), body: answer.body.clone() };
                    self.lock_known().insert(call.path.clone(), known);
                }
                answer.json()
            }
            None => {
                self.inner.counter.unchanged();
                let body = known.map(|known| known.body).unwrap_or_default();
                Answer { headers: HeaderMap::new(), body, operation: call.operation }.json()
            }
        }
    }

    /// Reads a whole list, page by page. `list` takes the entries out of one page. A list that goes on beyond what anybody
    /// reads is an error: half of it would be taken for all.
    pub(super) async fn fetch_all<P: DeserializeOwned, T>(
        &self,
        operation: &'static str,
        path: &str,
        list: impl Fn(P) -> Vec<T>,
    ) -> Result<Vec<T>, GithubError> {
        let mut all = Vec::new();
        let join = if path.contains('?') { '&' } else { '?' };
        for page in 1..=PAGES_MAX {
            let call = Call::get(operation, format!("{path}{join}per_page={PAGE}&page={page}"));
            let answer = self.send(&call).await?;
            let entries = list(answer.json()?);
            // Where there are links, they tell: a page may be short although there is another.
            let last = match answer.headers.get(header::LINK).and_then(|links| links.to_str().ok()) {
                Some(links) => !links.contains("rel=\"next\""),
                None => entries.len() < PAGE,
            };
            all.extend(entries);
            if last {
                return Ok(all);
            }
        }
        let kind = GithubErrorKind::Malformed(format!("the list has more than {} entries", all.len()));
        Err(GithubError { operation, kind })
    }

    /// Makes a request, again where that can help.
    pub(super) async fn send(&self, call: &Call<'_>) -> Result<Answer, GithubError> {
        self.repeat(call, None).await?.ok_or(GithubError {
            operation: call.operation,
            kind: GithubErrorKind::Malformed("304 to a request that was not conditional".to_owned()),
        })
    }

    async fn repeat(&self, call: &Call<'_>, tag: Option<&HeaderValue>) -> Result<Option<Answer>, GithubError> {
        let pace = self.inner.settings.pace;
        let patience = match call.patience {
            Patience::Needed => pace.longest_named_wait,
            Patience::Told => pace.longest_wait,
            Patience::Live => Duration::ZERO,
        };
        let again = |error: &GithubError| match &error.kind {
            _ if call.patience == Patience::Live => Again::No,
            GithubErrorKind::RateLimited { wait: Some(wait) } => Again::After(*wait),
            GithubErrorKind::Server { wait: Some(wait), .. } if call.repeatable => Again::After(*wait),
            kind if kind.may_repeat(call.repeatable) => Again::Soon,
            _ => Again::No,
        };
        pace.retry(patience, again, || self.attempt(call, tag), || self.inner.counter.retry()).await
    }

    async fn attempt(&self, call: &Call<'_>, tag: Option<&HeaderValue>) -> Result<Option<Answer>, GithubError> {
        let fail = |kind| GithubError { operation: call.operation, kind };
        let counts = match (call.patience, &call.method) {
            (Patience::Live, _) => Counts::Live,
            (_, &Method::GET) => Counts::Read,
            (..) => Counts::Write,
        };
        self.inner.counter.request(counts);

        let base = self.inner.settings.api_url.trim_end_matches('/');
        let uri = if call.path.starts_with('/') { format!("{base}{}", call.path) } else { call.path.clone() };
        let mut request = Builder::new().method(call.method.clone()).uri(uri);
        request = request.header(header::ACCEPT, "application/vnd.github+json");
        if let Some(tag) = tag {
            request = request.header(header::IF_NONE_MATCH, tag);
        }
        let octocrab = &self.inner.octocrab;
        let request = octocrab
            .build_request(request, call.body)
            .map_err(|error| fail(GithubErrorKind::Malformed(error.to_string())))?;
        let response = octocrab.execute(request).await.map_err(|error| fail(broken(&error)))?;

        let (parts, body) = response.into_parts();
        self.inner.counter.answer(&parts.headers);
        let date = date_of(&parts.headers);
        if date.is_some() {
            *self.inner.time.lock().unwrap_or_else(PoisonError::into_inner) = date;
        }
        tracing::debug!(method = %call.method, path = call.path, status = parts.status.as_u16(), "GitHub answered");
        if parts.status == StatusCode::NOT_MODIFIED && tag.is_some() {
            return Ok(None);
        }
        let body = Limited::new(body, ANSWER_MAX_BYTES)
            .collect()
            .await
            .map_err(|error| fail(GithubErrorKind::Interrupted(error.to_string())))?
            .to_bytes()
            .to_vec();
        let now = date.unwrap_or_else(SystemTime::now);
        let now = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        if call.path == self.inner.settings.graphql_url
            && parts.status.is_success()
            && let Some(kind) = GithubErrorKind::of_graphql(&parts.headers, &body, now)
        {
            return Err(fail(kind));
        }
        if !parts.status.is_success() {
            return Err(fail(GithubErrorKind::of_answer(parts.status, &parts.headers, &body, now)));
        }
        Ok(Some(Answer { headers: parts.headers, body, operation: call.operation }))
    }

    fn lock_known(&self) -> std::sync::MutexGuard<'_, HashMap<String, Known>> {
        self.inner.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns scheme and host of a URL.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    url[host..].find('/').map_or(url, |at| &url[..host + at])
}

/// Reads when GitHub answered, by its own clock.
pub(super) fn date_of(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(header::DATE)?.to_str().ok()?).ok()
}

/// Escapes a path segment or a query value.
pub(super) fn escaped(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// Makes JSON of a body that cannot fail to be JSON.
pub(super) fn json(operation: &'static str, body: &impl Serialize) -> Result<serde_json::Value, GithubError> {
    serde_json::to_value(body)
        .map_err(|error| GithubError { operation, kind: GithubErrorKind::Malformed(error.to_string()) })
}

/// Tells a connection that never came about, where nothing was sent, from one that broke.
fn broken(error: &octocrab::Error) -> GithubErrorKind {
    let mut said = Vec::new();
    let mut unsent = false;
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<reqwest::Error>() {
            unsent |= error.is_connect();
        }
        let words = implementer_model::text::terminal(&error.to_string());
        if !said.iter().any(|earlier: &String| earlier.contains(&words)) {
            said.push(words);
        }
        cause = error.source();
    }
    let said = implementer_model::text::truncate(&said.join(": "), 300);
    if unsent { GithubErrorKind::Unreachable(said) } else { GithubErrorKind::Interrupted(said) }
}
