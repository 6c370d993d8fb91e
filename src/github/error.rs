//! What GitHub, or the way to it, answers when something does not work.

use std::time::{Duration, UNIX_EPOCH};

use http::{HeaderMap, StatusCode};
use implementer_model::text;
use serde::Deserialize;

use super::InvalidToken;

/// How many characters of a message of GitHub's are passed on.
const MESSAGE_MAX_CHARS: usize = 400;

/// How long to wait when GitHub refuses for its secondary limits without saying how long. GitHub's documentation of
/// rate limits: "wait for at least one minute before retrying".
const BLIND_WAIT: Duration = Duration::from_secs(60);

/// Says what could not be done on GitHub, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation} failed: {kind}")]
pub struct GithubError {
    /// What was being done, such as `posting the comment`.
    pub operation: &'static str,
    /// Why it did not work.
    pub kind: GithubErrorKind,
}

/// The kinds of failure, as far as somebody would act on them differently.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GithubErrorKind {
    /// The token is none: it was not sent anywhere.
    #[error(transparent)]
    BadToken(#[from] InvalidToken),
    /// 401.
    #[error("GitHub does not accept the token")]
    Unauthorized,
    /// 403 that is no rate limit.
    #[error("GitHub forbids it ({message})")]
    Forbidden {
        /// GitHub's own words.
        message: String,
    },
    /// 404 or 410; GitHub also answers so where the token may not look.
    #[error("GitHub finds nothing there, or the token may not see it")]
    NotFound,
    /// 301, 307 or 308: the repository has another name now.
    #[error("the repository was renamed or transferred")]
    Moved,
    /// Any other 4xx.
    #[error("GitHub refuses it with {status}: {message}")]
    Rejected {
        /// The status code.
        status: u16,
        /// GitHub's own words.
        message: String,
    },
    /// The primary or a secondary rate limit.
    #[error("GitHub's rate limit is used up{}", .wait.map_or_else(String::new, |wait| format!(", for another {} s", wait.as_secs())))]
    RateLimited {
        /// How long to wait, where GitHub says so.
        wait: Option<Duration>,
    },
    /// A 5xx.
    #[error("GitHub answers {status}")]
    Server {
        /// The status code.
        status: u16,
        /// How long to wait, where it says so.
        wait: Option<Duration>,
    },
    /// No connection could be made: nothing was sent.
    #[error("GitHub cannot be reached: {0}")]
    Unreachable(String),
    /// The connection broke, or the answer did not come in time; what was asked for may have happened.
    #[error("the answer did not arrive: {0}")]
    Interrupted(String),
    /// The answer is not what GitHub documents.
    #[error("GitHub's answer cannot be read: {0}")]
    Malformed(String),
}

impl GithubError {
    /// Tells whether the token may not do this: a reason to report in another place, not to give up.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        matches!(self.kind, GithubErrorKind::Forbidden { .. } | GithubErrorKind::Unauthorized)
    }

    /// Tells whether nobody's work is the reason, but GitHub, the way to it, or its limits.
    #[must_use]
    pub fn is_of_the_platform(&self) -> bool {
        matches!(
            self.kind,
            GithubErrorKind::RateLimited { .. }
                | GithubErrorKind::Server { .. }
                | GithubErrorKind::Unreachable(_)
                | GithubErrorKind::Interrupted(_)
                | GithubErrorKind::Malformed(_)
                | GithubErrorKind::Moved
        )
    }

    /// Tells whether it may work at another time, or has worked although no answer came.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        self.kind.may_repeat(true)
    }

    /// Says it with what to do about it, for a note beside something else.
    #[must_use]
    pub fn told(&self) -> String {
        self.hint().map_or_else(|| self.to_string(), |hint| format!("{self}. To fix it: {hint}"))
    }

    /// Returns what to do about it, where GitHub's answer shows the cause.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match &self.kind {
            GithubErrorKind::BadToken(_) => Some(
                "copy the token again; GITHUB_TOKEN, GH_TOKEN or the input `token` has more or less than it".to_owned(),
            ),
            GithubErrorKind::Unauthorized => {
                Some("give a token that is valid as GITHUB_TOKEN, or as the input `token`".to_owned())
            }
            GithubErrorKind::Forbidden { message } => forbidden_hint(message),
            GithubErrorKind::RateLimited { .. } => Some(
                "wait until the limit is reset, then use \u{201c}Re-run failed jobs\u{201d} or repeat the command"
                    .to_owned(),
            ),
            GithubErrorKind::Unreachable(said) if said.contains("certificate") => Some(
                "GitHub's certificate is of an authority that this machine does not trust: name the file with the authority's \
                 certificate in SSL_CERT_FILE"
                    .to_owned(),
            ),
            GithubErrorKind::Server { .. } | GithubErrorKind::Unreachable(_) | GithubErrorKind::Interrupted(_) => {
                Some("use \u{201c}Re-run failed jobs\u{201d} or repeat the command once GitHub answers".to_owned())
            }
            GithubErrorKind::Moved => {
                Some("use the repository's name of today, and start the workflow there".to_owned())
            }
            GithubErrorKind::NotFound | GithubErrorKind::Rejected { .. } | GithubErrorKind::Malformed(_) => None,
        }
    }

    /// Tells whether GitHub does not take the request as it is.
    #[must_use]
    pub fn is_rejected(&self) -> bool {
        matches!(self.kind, GithubErrorKind::Rejected { .. })
    }

    /// Tells whether the thing is not there.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self.kind, GithubErrorKind::NotFound)
    }
}

impl GithubErrorKind {
    /// Makes a failure of an answer. `now` is in seconds since 1970, for the reset time of the rate limit.
    pub(super) fn of_answer(status: StatusCode, headers: &HeaderMap, body: &[u8], now: u64) -> Self {
        let message = message_of(body);
        match status {
            StatusCode::UNAUTHORIZED => Self::Unauthorized,
            StatusCode::NOT_FOUND | StatusCode::GONE => Self::NotFound,
            StatusCode::MOVED_PERMANENTLY | StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => {
                Self::Moved
            }
            StatusCode::TOO_MANY_REQUESTS => Self::RateLimited { wait: wait(headers, now).or(Some(BLIND_WAIT)) },
            StatusCode::FORBIDDEN => match wait(headers, now) {
                Some(wait) => Self::RateLimited { wait: Some(wait) },
                // The only sign of a secondary limit without a header is its text.
                None if tells_of_a_limit(&message) => Self::RateLimited { wait: Some(BLIND_WAIT) },
                None => Self::Forbidden { message },
            },
            status if status.is_server_error() => Self::Server { status: status.as_u16(), wait: wait(headers, now) },
            status => Self::Rejected { status: status.as_u16(), message },
        }
    }

    /// Makes a failure of an answer of GraphQL, which has its failures in answers of 200; nothing of one that has data.
    pub(super) fn of_graphql(headers: &HeaderMap, body: &[u8], now: u64) -> Option<Self> {
        #[derive(Deserialize)]
        struct Body {
            #[serde(default)]
            data: serde_json::Value,
            #[serde(default)]
            errors: Vec<Failure>,
        }
        #[derive(Deserialize)]
        struct Failure {
            #[serde(default, rename = "type")]
            kind: Option<String>,
            #[serde(default)]
            message: String,
            #[serde(default)]
            extensions: serde_json::Value,
        }
        let Body { data, errors } = serde_json::from_slice(body).ok()?;
        let is = |failure: &Failure, kinds: &[&str]| failure.kind.as_deref().is_some_and(|kind| kinds.contains(&kind));
        let first = errors.first()?;
        let message = plain(&first.message);
        if errors.iter().any(|each| is(each, &["RATE_LIMITED", "RATE_LIMIT"]) || tells_of_a_limit(&each.message)) {
            return Some(Self::RateLimited { wait: wait(headers, now).or(Some(BLIND_WAIT)) });
        }
        if !data.is_null() {
            return None;
        }
        if is(first, &["FORBIDDEN", "INSUFFICIENT_SCOPES"]) {
            return Some(Self::Forbidden { message });
        }
        if is(first, &["NOT_FOUND"]) {
            return Some(Self::NotFound);
        }
        // What is wrong with the question has a code: an older server does not know a field. The rest is its own trouble.
        Some(match first.extensions.get("code") {
            Some(_) => Self::Rejected { status: 200, message },
            None => Self::Interrupted(message),
        })
    }

    /// Tells whether another attempt can help and does no harm. `repeatable` is whether doing it twice is the same as
    /// doing it once.
    pub(super) fn may_repeat(&self, repeatable: bool) -> bool {
        match self {
            // Refused before anything was done, or never sent.
            Self::RateLimited { .. } | Self::Unreachable(_) => true,
            Self::Server { .. } | Self::Interrupted(_) => repeatable,
            _ => false,
        }
    }
}

/// Says what to do about a 403, from GitHub's own words: it has many causes, and a wrong guess costs hours.
fn forbidden_hint(message: &str) -> Option<String> {
    let words = message.to_ascii_lowercase();
    let hint = if words.contains("not accessible by") {
        "give the job the permission in its workflow file, or the token the scope. On a pull request from a fork a \
         workflow's token can only read"
    } else if words.contains("locked") {
        "unlock the conversation of the pull request"
    } else if words.contains("archived") {
        "take the repository out of the archive"
    } else if words.contains("saml") || words.contains("single sign-on") {
        "authorize the token for the organization's single sign-on"
    } else if words.contains("ip allow list") {
        "run on a machine whose address the organization allows"
    } else {
        return None;
    };
    Some(hint.to_owned())
}

/// Reads how long GitHub wants us to wait: `Retry-After`, else the reset of a limit that is used up.
fn wait(headers: &HeaderMap, now: u64) -> Option<Duration> {
    let said = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let number = |name: &str| said(name)?.parse::<u64>().ok();
    // Seconds, or the date until which to wait.
    let until = || {
        let date = httpdate::parse_http_date(said("retry-after")?).ok()?;
        let date = date.duration_since(UNIX_EPOCH).ok()?.as_secs();
        Some(date.saturating_sub(now).max(1))
    };
    if let Some(seconds) = number("retry-after").or_else(until) {
        return Some(Duration::from_secs(seconds));
    }
    let used_up = number("x-ratelimit-remaining") == Some(0);
    let reset = number("x-ratelimit-reset").filter(|_| used_up)?;
    Some(Duration::from_secs(reset.saturating_sub(now).max(1)))
}

/// Reads the message out of an error's body, made safe for a terminal and cut.
fn message_of(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Body {
        message: String,
        #[serde(default)]
        errors: serde_json::Value,
    }
    if body.trim_ascii_start().starts_with(b"<") {
        return "a web page, and no answer of the interface: a proxy or a gateway may be in between".to_owned();
    }
    let message = match serde_json::from_slice::<Body>(body) {
        Ok(Body { message, errors: serde_json::Value::Null }) => message,
        Ok(Body { message, errors }) => format!("{message}: {errors}"),
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    plain(&message)
}

/// Makes a message of GitHub's safe for a terminal, one line, and short.
fn plain(message: &str) -> String {
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    text::truncate(&text::terminal(&line), MESSAGE_MAX_CHARS)
}

/// Tells whether GitHub's words name a limit. The secondary limits were called abuse detection once, and still are on servers.
fn tells_of_a_limit(message: &str) -> bool {
    let words = message.to_ascii_lowercase();
    words.contains("rate limit") || words.contains("abuse detection")
}
