//! The clients that requests are made with.

use std::time::Duration;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the other side may say nothing while a blob is on its way.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timeouts {
    /// This long in all: for questions with short answers.
    Whole(Duration),
    /// As long as something comes: for blobs.
    Silence,
}

/// Makes a client. It follows no redirect, which could carry a token elsewhere. It trusts what the system trusts, or the
/// file and folder that `SSL_CERT_FILE` and `SSL_CERT_DIR` name, as git does, and goes through the proxies that the
/// environment names.
///
/// # Errors
/// When TLS cannot be set up.
pub(crate) fn client(timeouts: Timeouts) -> reqwest::Result<reqwest::Client> {
    // Another part of the process may have been first, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder =
        reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT).redirect(reqwest::redirect::Policy::none());
    match timeouts {
        Timeouts::Whole(limit) => builder.timeout(limit),
        Timeouts::Silence => builder.read_timeout(SILENCE_TIMEOUT),
    }
    .build()
}

/// Says what kind of failure it was, without the address: a signed one is as good as a password.
pub(crate) fn cause(error: &reqwest::Error) -> &'static str {
    match error {
        error if error.is_timeout() => "it took too long",
        error if error.is_connect() => "no connection",
        _ => "the connection broke",
    }
}
