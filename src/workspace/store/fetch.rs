//! The commits of a pull request, fetched into a repository of our own: no checkout is needed, and none is trusted.

use std::path::{Path, PathBuf};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use implementer_model::ids::ObjectId;
use secrecy::{ExposeSecret as _, SecretString};

use crate::workspace::{Result, WorkspaceError, error::IoContext as _, git::Git};

/// Variables that tell git how to reach a host from here: proxies and certificates. Nothing else is passed on.
const CONNECTION: [&str; 12] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
];

/// Where commits are fetched from.
#[derive(Debug, Clone)]
pub struct Remote {
    /// The repository's address, such as `https://github.com/OWNER/REPO`.
    pub url: String,
    /// The token. It is sent to this address only, and stands in no argument and no file.
    pub token: Option<SecretString>,
}

/// What is fetched: a commit or a ref of the remote's, and the ref under which it is kept.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// A commit id, or a full ref such as `refs/heads/main`.
    pub from: &'a str,
    /// The full ref that names it in the new repository.
    pub to: &'a str,
}

/// Lets a git command speak with the remote, and with the token that is for it.
pub(in crate::workspace) fn authenticated(git: Git, remote: &Remote) -> Git {
    let mut git = git
        .config("protocol.https.allow=always")
        .config("protocol.http.allow=always")
        // A redirect could carry the token to another host.
        .config("http.followRedirects=false")
        // A connection that delivers nothing for a minute is given up.
        .config("http.lowSpeedLimit=1000")
        .config("http.lowSpeedTime=60");
    for name in CONNECTION {
        if let Some(value) = std::env::var_os(name) {
            git = git.env(name, value);
        }
    }
    // git's own library reads another variable than the one by which REST finds its certificates.
    for (ours, theirs) in [("SSL_CERT_FILE", "GIT_SSL_CAINFO"), ("SSL_CERT_DIR", "GIT_SSL_CAPATH")] {
        if std::env::var_os(theirs).is_none()
            && let Some(value) = std::env::var_os(ours)
        {
            git = git.env(theirs, value);
        }
    }
    if let Some(token) = &remote.token {
        let credentials = BASE64_STANDARD.encode(format!("x-access-token:{}", token.expose_secret()));
        git = git
            .env("GIT_CONFIG_COUNT", "1")
            .env("GIT_CONFIG_KEY_0", format!("http.{}.extraHeader", remote.url))
            .env("GIT_CONFIG_VALUE_0", format!("AUTHORIZATION: basic {credentials}"));
    }
    git
}

/// Asks a public repository which commit a tag names; nothing when it has no such tag.
///
/// # Errors
/// When the repository cannot be reached, or git is missing.
pub fn commit_of_tag(url: &str, tag: &str) -> Result<Option<ObjectId>> {
    let remote = Remote { url: url.to_owned(), token: None };
    let name = format!("refs/tags/{tag}");
    // Of an annotated tag, the second is the commit.
    let listed =
        authenticated(Git::bare(), &remote).args(["ls-remote", "--", url, &name, &format!("{name}^{{}}")]).run()?;
    let listed = String::from_utf8_lossy(&listed);
    let commit = listed.lines().last().and_then(|line| line.split_whitespace().next());
    Ok(commit.and_then(|commit| ObjectId::new(commit).ok()))
}

/// Makes a bare repository in the new folder `into` and fetches `wanted` into it, without history.
///
/// # Errors
/// When the remote cannot be reached, does not have what is wanted, or git is missing.
pub fn fetch(remote: &Remote, wanted: &[Wanted<'_>], into: &Path) -> Result<PathBuf> {
    std::fs::create_dir_all(into).doing("making", into)?;
    // A repository has one kind of ids, and git fetches from none that has another.
    let is_long = |from: &str| from.len() == 64 && from.bytes().all(|byte| byte.is_ascii_hexdigit());
    let format = if wanted.iter().any(|wanted| is_long(wanted.from)) { "sha256" } else { "sha1" };
    Git::bare().args(["init", "--quiet", "--bare", &format!("--object-format={format}")]).arg(into).run()?;
    let into = into.canonicalize().doing("looking for", into)?;

    let git = authenticated(Git::on(&into), remote);
    let refspecs = wanted.iter().map(|wanted| format!("+{}:{}", wanted.from, wanted.to));
    let fetched = git
        .args(["fetch", "--quiet", "--depth=1", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--"])
        .arg(&remote.url)
        .args(refspecs)
        .run();
    match fetched {
        Ok(_) => Ok(into),
        Err(WorkspaceError::Command { stderr, .. }) => Err(WorkspaceError::Fetch {
            what: wanted.iter().map(|wanted| wanted.from).collect::<Vec<_>>().join(" and "),
            url: remote.url.clone(),
            reason: stderr.trim_end_matches('.').to_owned(),
        }),
        Err(error) => Err(error),
    }
}
