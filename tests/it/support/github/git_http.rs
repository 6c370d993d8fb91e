//! git over HTTP: `git http-backend` as a CGI program.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use wiremock::{Request, ResponseTemplate};

/// Serves a request of git's from the bare repository.
pub(super) fn serve(bare: &Path, request: &Request) -> ResponseTemplate {
    // Whatever the repository is called on GitHub, here it is this folder.
    let tail = ["/info/refs", "/git-upload-pack", "/git-receive-pack"]
        .into_iter()
        .find(|tail| request.url.path().ends_with(tail));
    let Some(tail) = tail else { return ResponseTemplate::new(403) };
    let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("").to_owned();
    let mut child = Command::new("git")
        .args([
            "-c",
            "uploadpack.allowAnySHA1InWant=true",
            "-c",
            "safe.directory=*",
            "-c",
            "http.receivepack=true",
            "http-backend",
        ])
        .env_clear()
        .env("PATH", crate::support::path())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_PROJECT_ROOT", bare)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", tail)
        .env("QUERY_STRING", request.url.query().unwrap_or(""))
        .env("REQUEST_METHOD", request.method.as_str())
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("git http-backend");
    child.stdin.take().expect("a pipe").write_all(&request.body).expect("git reads");
    let output = child.wait_with_output().expect("git ends").stdout;
    let split = output.windows(4).position(|four| four == b"\r\n\r\n").expect("headers of a CGI program");
    let (head, body) = (String::from_utf8_lossy(&output[..split]).into_owned(), output[split + 4..].to_vec());
    let mut status = 200;
    let mut kind = "application/octet-stream".to_owned();
    for line in head.lines() {
        match line.split_once(": ") {
            Some(("Status", value)) => {
                status = value.split(' ').next().and_then(|code| code.parse().ok()).unwrap_or(500);
            }
            Some(("Content-Type", value)) => value.clone_into(&mut kind),
            _ => {}
        }
    }
    ResponseTemplate::new(status).set_body_raw(body, &kind)
}
