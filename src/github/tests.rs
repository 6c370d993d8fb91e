//! The client against a server that fails on purpose.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    time::Duration,
};

use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{header, method, path, query_param},
};

use implementer_model::{
    github_ids::{CommentId, PullRequestNumber},
    ids::ObjectId,
};

use super::*;
use crate::http::Pace;

const QUICK: Pace = Pace {
    first_wait: Duration::from_millis(1),
    longest_wait: Duration::from_millis(50),
    longest_named_wait: Duration::from_millis(50),
    repetitions: 2,
    timeout: Duration::from_secs(5),
};

const NUMBER: PullRequestNumber = PullRequestNumber::new(7);

fn client(url: &str, pace: Pace) -> Github {
    Github::new(Settings {
        api_url: format!("{url}/api/v3"),
        graphql_url: format!("{url}/api/graphql"),
        token: "secret-token".into(),
        repository: "octo/service".parse().unwrap(),
        pace,
    })
    .unwrap()
}

fn comment(id: u64) -> Value {
    json!({ "id": id, "body": "hello", "user": { "login": "ada", "type": "User" },
            "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z" })
}

async fn answers(server: &MockServer, template: ResponseTemplate, times: u64) {
    Mock::given(wiremock::matchers::any()).respond_with(template).up_to_n_times(times).mount(server).await;
}

#[tokio::test]
async fn a_request_is_authenticated_versioned_and_below_the_base() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/api/v3/repos/octo/service/collaborators/dependabot%5Bbot%5D/permission"))
        .and(header("authorization", "Bearer secret-token"))
        .and(header("x-github-api-version", "2022-11-28"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "permission": "write" })))
        .expect(1)
        .mount(&server)
        .await;
    let github = client(&server.uri(), QUICK);
    assert_eq!(github.permission("dependabot[bot]").await.unwrap(), Permission::Write);
    assert_eq!(github.usage().reads, 1);
}

#[tokio::test]
async fn a_comment_is_posted_once_however_the_server_fails() {
    let server = MockServer::start().await;
    answers(&server, ResponseTemplate::new(502), 10).await;
    let github = client(&server.uri(), QUICK);
    let error = github.post_comment(NUMBER, "x").await.unwrap_err();
    assert_eq!(error.kind, GithubErrorKind::Server { status: 502, wait: None });
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_comment_that_was_refused_for_a_limit_is_posted_again() {
    let server = MockServer::start().await;
    answers(&server, ResponseTemplate::new(429).insert_header("retry-after", "0"), 1).await;
    let secondary = json!({ "message": "You have exceeded a secondary rate limit." });
    answers(&server, ResponseTemplate::new(403).insert_header("retry-after", "0").set_body_json(secondary), 1).await;
    answers(&server, ResponseTemplate::new(201).set_body_json(comment(5)), 1).await;
    let github = client(&server.uri(), QUICK);
    assert_eq!(github.post_comment(NUMBER, "x").await.unwrap().id.get(), 5);
    let usage = github.usage();
    assert_eq!((usage.writes, usage.retries), (3, 2));
    insta::assert_snapshot!(usage, @"3 requests to GitHub (0 read, 3 written; 0 unchanged, 2 repeated) and 0 live updates");
}

#[tokio::test]
async fn an_update_is_repeated_after_a_server_error_but_a_live_one_is_not() {
    let server = MockServer::start().await;
    answers(&server, ResponseTemplate::new(500), 1).await;
    answers(&server, ResponseTemplate::new(200).set_body_json(comment(5)), 1).await;
    answers(&server, ResponseTemplate::new(500), 1).await;
    let github = client(&server.uri(), QUICK);
    assert_eq!(github.update_comment(CommentId::new(5), "x", false).await.unwrap().id.get(), 5);
    assert!(github.update_comment(CommentId::new(5), "y", true).await.is_err());
    assert_eq!(github.usage().live, 1);
}

#[tokio::test]
async fn a_wait_beyond_the_bound_is_a_failure_at_once() {
    let server = MockServer::start().await;
    answers(&server, ResponseTemplate::new(429).insert_header("retry-after", "3600"), 10).await;
    let error = client(&server.uri(), QUICK).comments(NUMBER).await.unwrap_err();
    insta::assert_snapshot!(error, @"listing the pull request's comments failed: GitHub's rate limit is used up, for another 3600 s");
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_server_that_says_when_it_is_back_is_asked_then_and_not_before() {
    let server = MockServer::start().await;
    answers(&server, ResponseTemplate::new(503).insert_header("retry-after", "3600"), 10).await;
    let error = client(&server.uri(), QUICK).comments(NUMBER).await.unwrap_err();
    let said = GithubErrorKind::Server { status: 503, wait: Some(Duration::from_secs(3600)) };
    assert_eq!(error.kind, said);
    assert_eq!(server.received_requests().await.unwrap().len(), 1, "an hour is longer than anybody waits");
}

#[tokio::test]
async fn a_limit_without_a_word_how_long_is_a_minute() {
    let server = MockServer::start().await;
    let body = json!({ "message": "You have exceeded a secondary rate limit" });
    answers(&server, ResponseTemplate::new(403).set_body_json(body), 10).await;
    let error = client(&server.uri(), QUICK).comments(NUMBER).await.unwrap_err();
    assert_eq!(error.kind, GithubErrorKind::RateLimited { wait: Some(Duration::from_secs(60)) });
}

#[tokio::test]
async fn what_is_forbidden_is_told_from_a_limit_and_not_repeated() {
    let server = MockServer::start().await;
    let body = json!({ "message": "Resource not accessible by integration" });
    answers(&server, ResponseTemplate::new(403).insert_header("x-ratelimit-remaining", "17").set_body_json(body), 10)
        .await;
    let github = client(&server.uri(), QUICK);
    let error = github.post_comment(NUMBER, "x").await.unwrap_err();
    assert!(error.is_forbidden());
    insta::assert_snapshot!(error.told(), @"posting a comment failed: GitHub forbids it (Resource not accessible by integration). To fix it: give the job the permission in its workflow file, or the token the scope. On a pull request from a fork a workflow's token can only read");
    assert_eq!(github.usage().remaining, Some(17));
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[test]
fn a_hint_is_tied_to_the_cause_that_github_names() {
    let hint = |message: &str| {
        let kind = GithubErrorKind::Forbidden { message: message.to_owned() };
        GithubError { operation: "posting a comment", kind }.hint()
    };
    assert!(hint("Resource not accessible by integration").unwrap().contains("permission"));
    assert!(hint("Unable to create comment because issue is locked.").unwrap().contains("unlock"));
    assert!(hint("Repository was archived so is read-only.").unwrap().contains("archive"));
    assert!(hint("Resource protected by organization SAML enforcement.").unwrap().contains("single sign-on"));
    assert_eq!(hint("Something new."), None, "what nobody knows is not guessed");
}

#[tokio::test]
async fn an_unchanged_pull_request_costs_nothing() {
    let server = MockServer::start().await;
    let pull = json!({ "number": 7, "state": "open", "body": null,
        "user": { "login": "ada", "type": "User" },
        "head": { "sha": "1".repeat(40), "ref": "topic", "repo": { "full_name": "octo/service" } },
        "base": { "sha": "2".repeat(40), "ref": "main", "repo": { "full_name": "octo/service" } } });
    Mock::given(header("if-none-match", "\"one\""))
        .respond_with(ResponseTemplate::new(304))
        .expect(1)
        .mount(&server)
        .await;
    let first = ResponseTemplate::new(200).insert_header("etag", "\"one\"").set_body_json(&pull);
    answers(&server, first, 1).await;
    let github = client(&server.uri(), QUICK);
    let once = github.pull_request(NUMBER).await.unwrap();
    assert_eq!(github.pull_request(NUMBER).await.unwrap(), once);
    assert_eq!(github.usage().unchanged, 1);
    assert!(!once.is_from_fork());
}

#[tokio::test]
async fn a_pull_request_whose_repository_is_gone_counts_as_one_from_a_fork() {
    let branch = |repo| Branch { sha: ObjectId::new("1".repeat(40)).unwrap(), name: "topic".to_owned(), repo };
    let base = serde_json::from_value(json!({ "full_name": "octo/service" })).unwrap();
    let pull = PullRequest {
        node_id: None,
        number: NUMBER,
        state: PullRequestState::Open,
        body: None,
        user: None,
        html_url: String::new(),
        updated_at: None,
        merged: false,
        locked: false,
        head: branch(None),
        base: branch(Some(base)),
    };
    assert!(pull.is_from_fork());
}

#[tokio::test]
async fn lists_are_read_to_their_last_page() {
    let server = MockServer::start().await;
    for (page, count) in [("1", 100), ("2", 100), ("3", 3)] {
        let comments: Vec<_> = (0..count).map(comment).collect();
        Mock::given(query_param("page", page))
            .and(query_param("per_page", "100"))
            .respond_with(ResponseTemplate::new(200).set_body_json(comments))
            .expect(1)
            .mount(&server)
            .await;
    }
    assert_eq!(client(&server.uri(), QUICK).comments(NUMBER).await.unwrap().len(), 203);
}

#[tokio::test]
async fn an_installation_learns_its_login_through_graphql() {
    let server = MockServer::start().await;
    Mock::given(path("/api/graphql"))
        .and(header("authorization", "Bearer ghs_x"))
        .respond_with(
            ResponseTemplate::new(200).set_body_json(json!({ "data": { "viewer": { "login": "team-app[bot]" } } })),
        )
        .expect(1)
        .mount(&server)
        .await;
    let settings = Settings { token: "ghs_x".into(), ..client(&server.uri(), QUICK).settings().clone() };
    assert_eq!(Github::new(settings).unwrap().whoami().await.unwrap(), "team-app[bot]");
}

#[tokio::test]
async fn nobody_there_is_told_from_a_broken_answer() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = client(&format!("http://127.0.0.1:{port}"), QUICK).post_comment(NUMBER, "x").await.unwrap_err();
    assert!(matches!(error.kind, GithubErrorKind::Unreachable(_)), "{error}");

    // An answer that promises more than it brings.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).unwrap();
        stream.write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 1000\r\n\r\n{\"id\": ").unwrap();
    });
    let error = client(&url, QUICK).post_comment(NUMBER, "x").await.unwrap_err();
    assert!(matches!(error.kind, GithubErrorKind::Interrupted(_)), "{error}");
    server.join().unwrap();
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let server = MockServer::start().await;
    answers(&server, ResponseTemplate::new(200).set_delay(Duration::from_secs(600)), 10).await;
    let pace = Pace { timeout: Duration::from_millis(50), repetitions: 1, ..QUICK };
    let error = client(&server.uri(), pace).comments(NUMBER).await.unwrap_err();
    assert!(matches!(error.kind, GithubErrorKind::Interrupted(_)), "{error}");
}

#[tokio::test]
async fn the_token_is_in_no_debug_output() {
    let github = client("http://127.0.0.1:1", QUICK);
    assert!(!format!("{github:?}").contains("secret-token"));
}

#[test]
fn names_of_repositories_hold_nothing_that_a_url_would_act_on() {
    assert!("octo/service.rs".parse::<RepositoryName>().is_ok());
    for wrong in ["octo", "octo/", "/x", "a/b/c", "a/..", "a/b?c", "a/b#1", "a b/c", "a/%2e"] {
        assert!(wrong.parse::<RepositoryName>().is_err(), "{wrong}");
    }
}

#[test]
fn the_reset_of_a_used_up_limit_is_waited_for() {
    let mut headers = http::HeaderMap::new();
    headers.insert("x-ratelimit-remaining", "0".parse().unwrap());
    headers.insert("x-ratelimit-reset", "1030".parse().unwrap());
    let kind = GithubErrorKind::of_answer(http::StatusCode::FORBIDDEN, &headers, b"{}", 1000);
    assert_eq!(kind, GithubErrorKind::RateLimited { wait: Some(Duration::from_secs(30)) });
}

/// What GitHub, its servers and what stands in between were seen to answer, and what each is.
#[test]
fn every_kind_of_answer_is_told_from_the_others() {
    let html = "<html><body><h1>502 Bad Gateway</h1></body></html>";
    let secondary = r#"{"message":"You have exceeded a secondary rate limit and have been temporarily blocked from content creation."}"#;
    let abuse = r#"{"message":"You have triggered an abuse detection mechanism. Please wait a few minutes before you try again."}"#;
    for (status, headers, body, said) in [
        (403, &[("retry-after", "7")][..], secondary, "rate limit is used up, for another 7 s"),
        (403, &[], secondary, "rate limit is used up, for another 60 s"),
        (403, &[], abuse, "rate limit is used up, for another 60 s"),
        (403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1010")], "{}", "for another 10 s"),
        // A reset that is over by GitHub's clock, and one that is not the reason.
        (403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "900")], "{}", "for another 1 s"),
        (403, &[("x-ratelimit-remaining", "5"), ("x-ratelimit-reset", "1010")], "{}", "GitHub forbids it"),
        (403, &[("retry-after", "Thu, 01 Jan 1970 00:17:00 GMT")], "{}", "for another 20 s"),
        (403, &[("retry-after", "soon")], secondary, "for another 60 s"),
        (429, &[], html, "for another 60 s"),
        (429, &[("retry-after", "0")], "{}", "for another 0 s"),
        (403, &[], html, "a web page, and no answer of the interface"),
        (407, &[], html, "refuses it with 407: a web page"),
        (502, &[], html, "GitHub answers 502"),
        (503, &[("retry-after", "5")], "{}", "GitHub answers 503"),
        (401, &[], r#"{"message":"Bad credentials"}"#, "does not accept the token"),
        (404, &[], "{}", "finds nothing there, or the token may not see it"),
        (410, &[], "{}", "finds nothing there"),
        (451, &[], r#"{"message":"Repository access blocked"}"#, "refuses it with 451: Repository access blocked"),
        (301, &[], "{}", "was renamed or transferred"),
        (307, &[], "{}", "was renamed or transferred"),
        (308, &[], "{}", "was renamed or transferred"),
        (422, &[], r#"{"message":"Validation Failed","errors":[{"code":"too_long"}]}"#, "Validation Failed: [{"),
    ] {
        let mut map = http::HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        let status = http::StatusCode::from_u16(status).unwrap();
        let kind = GithubErrorKind::of_answer(status, &map, body.as_bytes(), 1000);
        assert!(kind.to_string().contains(said), "{status} {headers:?} {body}: {kind}");
        assert!(!kind.to_string().contains('<'), "{kind}");
    }
}

/// GraphQL has its failures in answers of 200.
#[tokio::test]
async fn what_graphql_could_not_answer_is_no_answer() {
    let limited = |kind: &str| json!({ "errors": [{ "type": kind, "message": "API rate limit already exceeded for installation ID 1." }] });
    let unknown = json!({ "errors": [{ "message": "Field 'lastEditedAt' doesn't exist", "extensions": { "code": "undefinedField" } }] });
    let forbidden = json!({ "data": null, "errors": [{ "type": "FORBIDDEN", "message": "Resource not accessible by integration" }] });
    let broken = json!({ "data": null, "errors": [{ "message": "Something went wrong while executing your query." }] });
    let partly = json!({ "data": { "nodes": [null] }, "errors": [{ "type": "NOT_FOUND", "message": "no node" }] });
    for (answer, edit, me) in [
        (limited("RATE_LIMITED"), "GitHub's rate limit is used up", "GitHub's rate limit is used up"),
        (limited("RATE_LIMIT"), "GitHub's rate limit is used up", "GitHub's rate limit is used up"),
        (unknown, "not said", "github-actions[bot]"),
        (forbidden, "not said", "github-actions[bot]"),
        (broken, "the answer did not arrive: Something went wrong", "the answer did not arrive"),
        (partly, "not said", "cannot be read"),
    ] {
        let server = MockServer::start().await;
        answers(&server, ResponseTemplate::new(200).set_body_json(&answer), 100).await;
        let settings = Settings { token: "ghs_x".into(), ..client(&server.uri(), QUICK).settings().clone() };
        let github = Github::new(settings).unwrap();
        let said = match github.last_edit("IC_1").await {
            Ok(None) => "not said".to_owned(),
            other => format!("{}", other.expect_err("no edit is in it")),
        };
        assert!(said.contains(edit), "{answer}: {said}");
        let said = github.whoami().await.unwrap_or_else(|error| error.to_string());
        assert!(said.contains(me), "{answer}: {said}");
    }
}
