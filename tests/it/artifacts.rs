//! Artifacts on the way: what breaks off is resumed, what is not what it should be has an answer of its own, and the
//! token goes to GitHub alone.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    path::Path,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use backend_implementer::{
    artifacts::{ArtifactService, Packed, UploadError},
    github::{ArtifactError, Github, GithubErrorKind, Settings},
    http::Pace,
};
use implementer_model::{
    github_ids::{ArtifactId, RunId},
    ids::Digest,
};
use serde_json::json;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path, query_param},
};

use crate::support::{
    Bench,
    action::runtime_token,
    github::{FakeGithub, REPOSITORY, artifacts::Stored},
};

/// What the blob store gives a request.
#[derive(Debug, Clone, Copy)]
enum Give {
    /// Everything that is asked for.
    All,
    /// So many bytes, then the connection ends.
    BreakAfter(usize),
    /// A status and nothing else.
    Status(u16),
}

/// A blob store that breaks connections off in the middle, as no well-behaved server in a test would.
struct BlobStore {
    url: String,
    /// The header lines of every request, in lower case.
    requests: Arc<Mutex<Vec<Vec<String>>>>,
}

impl BlobStore {
    fn start(content: Vec<u8>, answers: Vec<Give>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/blob?sig=secret", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            let mut answers = answers.into_iter();
            for stream in listener.incoming().map_while(Result::ok) {
                let lines: Vec<_> = BufReader::new(&stream)
                    .lines()
                    .map_while(Result::ok)
                    .take_while(|line| !line.is_empty())
                    .map(|line| line.to_lowercase())
                    .collect();
                let from =
                    lines.iter().find_map(|line| line.strip_prefix("range: bytes=")?.strip_suffix('-')?.parse().ok());
                seen.lock().unwrap().push(lines);
                let rest = &content[from.unwrap_or(0_usize).min(content.len())..];
                let mut stream = &stream;
                let status = if from.is_some() { "206 Partial Content" } else { "200 OK" };
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", rest.len());
                // Whoever hangs up first does no harm here.
                let _ = match answers.next().unwrap_or(Give::All) {
                    Give::All => stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(rest)),
                    Give::BreakAfter(bytes) => stream
                        .write_all(head.as_bytes())
                        .and_then(|()| stream.write_all(&rest[..bytes.min(rest.len())])),
                    Give::Status(status) => stream.write_all(
                        format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").as_bytes(),
                    ),
                };
            }
        });
        Self { url, requests }
    }
}

fn pace() -> Pace {
    Pace {
        first_wait: Duration::from_millis(1),
        longest_wait: Duration::from_millis(5),
        longest_named_wait: Duration::from_millis(5),
        repetitions: 3,
        timeout: Duration::from_secs(20),
    }
}

/// A GitHub on which artifact 5 lies in a blob store.
async fn github(blobs: &BlobStore) -> (MockServer, Github) {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path(format!("/repos/{REPOSITORY}/actions/artifacts/5/zip")))
        .respond_with(ResponseTemplate::new(302).insert_header("location", blobs.url.as_str()))
        .mount(&server)
        .await;
    let settings = Settings {
        api_url: server.uri(),
        graphql_url: format!("{}/graphql", server.uri()),
        token: "ghs_secret".to_owned().into(),
        repository: REPOSITORY.parse().unwrap(),
        pace: pace(),
    };
    (server, Github::new(settings).unwrap())
}

fn content() -> Vec<u8> {
    (0..3_000_000_u32).map(|number| u8::try_from(number % 251).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_breaks_off_is_gone_on_with_and_the_token_stays_with_github() {
    let answers = vec![Give::BreakAfter(1_000_000), Give::Status(503), Give::BreakAfter(7)];
    let blobs = BlobStore::start(content(), answers);
    let (_server, github) = github(&blobs).await;
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("5.zip");
    github.download_artifact(ArtifactId::new(5), &Digest::from_content(content()), &to).await.unwrap();
    assert!(fs::read(&to).unwrap() == content());
    let requests = blobs.requests.lock().unwrap();
    let ranges: Vec<_> =
        requests.iter().map(|lines| lines.iter().find(|line| line.starts_with("range:")).cloned()).collect();
    let range = |from: &str| Some(format!("range: bytes={from}-"));
    assert_eq!(ranges, [None, range("1000000"), range("1000000"), range("1000007")]);
    assert!(requests.iter().flatten().all(|line| !line.contains("authorization") && !line.contains("ghs_secret")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_had_has_an_answer_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("5.zip");
    // Tampered with: the whole of it, but another digest.
    let blobs = BlobStore::start(content(), Vec::new());
    let (_server, client) = github(&blobs).await;
    let error = client.download_artifact(ArtifactId::new(5), &Digest::from_content("other"), &to).await.unwrap_err();
    assert!(matches!(error, ArtifactError::Tampered { .. }), "{error}");
    assert!(error.to_string().contains("it was tampered with"), "{error}");
    assert!(!to.exists(), "nobody can take it for the right one");
    // Lost: there is none.
    let error = client.download_artifact(ArtifactId::new(6), &Digest::from_content(content()), &to).await.unwrap_err();
    assert!(matches!(error, ArtifactError::Lost(_)), "{error}");
    // Gone from the blob store.
    let blobs = BlobStore::start(content(), vec![Give::Status(404)]);
    let (_server, client) = github(&blobs).await;
    let error = client.download_artifact(ArtifactId::new(5), &Digest::from_content(content()), &to).await.unwrap_err();
    assert!(matches!(error, ArtifactError::Lost(_)), "{error}");
    // Truncated for good: every connection breaks.
    let blobs = BlobStore::start(content(), vec![Give::BreakAfter(10); 20]);
    let (_server, client) = github(&blobs).await;
    let error = client.download_artifact(ArtifactId::new(5), &Digest::from_content(content()), &to).await.unwrap_err();
    let ArtifactError::BrokeOff { bytes, .. } = error else { panic!("{error}") };
    assert_eq!(bytes, 60, "it was gone on with five times");
    // The address is signed: nobody may read it in a log.
    assert!(!error.to_string().contains("sig="), "{error}");
    // GitHub says no.
    let mut settings = client.settings().clone();
    let refusing = MockServer::start().await;
    Mock::given(method("GET")).respond_with(ResponseTemplate::new(403)).mount(&refusing).await;
    settings.api_url = refusing.uri();
    let error = Github::new(settings)
        .unwrap()
        .download_artifact(ArtifactId::new(5), &Digest::from_content(""), &to)
        .await
        .unwrap_err();
    assert!(
        matches!(&error, ArtifactError::Github(error) if matches!(error.kind, GithubErrorKind::Forbidden { .. })),
        "{error}"
    );
}

#[test]
fn the_artifacts_of_a_run_can_be_listed() {
    let bench = Bench::new();
    let github = FakeGithub::start(&bench.path("nothing.git"));
    for (id, name) in [(1, "a"), (2, "b")] {
        github.state().artifacts.insert(id, Stored { name: name.to_owned(), ..Stored::default() });
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let listed = runtime.block_on(async {
        let settings = Settings {
            api_url: github.api_url(),
            graphql_url: github.graphql_url(),
            token: "ghs_workflow".to_owned().into(),
            repository: REPOSITORY.parse().unwrap(),
            pace: pace(),
        };
        Github::new(settings).unwrap().artifacts(RunId::new(100)).await.unwrap()
    });
    let named: Vec<_> = listed.iter().map(|artifact| (artifact.id.get(), artifact.name.as_str())).collect();
    assert_eq!(named, [(1, "a"), (2, "b")]);
}

fn service(url: &str) -> ArtifactService {
    let variables: BTreeMap<_, _> =
        [("ACTIONS_RESULTS_URL", url.to_owned()), ("ACTIONS_RUNTIME_TOKEN", runtime_token("run-backend-id"))]
            .map(|(name, value)| (name.to_owned(), value))
            .into();
    ArtifactService::from_environment(&variables).unwrap().waiting(Duration::from_millis(1))
}

fn packed(folder: &Path) -> Packed {
    let path = folder.join("a.zip");
    fs::write(&path, b"zip").unwrap();
    Packed { path, size: 3, digest: Digest::from_content("zip") }
}

const SERVICE: &str = "/twirp/github.actions.results.api.v1.ArtifactService";

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_repeated_where_that_can_help_and_finalized_with_size_and_hash() {
    let server = MockServer::start().await;
    let created = json!({ "ok": true, "signed_upload_url": format!("{}/blob?sig=x", server.uri()) });
    let operation = |name: &str| Mock::given(method("POST")).and(path(format!("{SERVICE}/{name}")));
    operation("CreateArtifact").respond_with(ResponseTemplate::new(503)).up_to_n_times(1).mount(&server).await;
    operation("CreateArtifact").respond_with(ResponseTemplate::new(200).set_body_json(created)).mount(&server).await;
    let blob = |comp: &str| Mock::given(method("PUT")).and(path("/blob")).and(query_param("comp", comp));
    blob("block").respond_with(ResponseTemplate::new(500)).up_to_n_times(2).mount(&server).await;
    blob("block").respond_with(ResponseTemplate::new(201)).mount(&server).await;
    blob("blocklist").respond_with(ResponseTemplate::new(201)).mount(&server).await;
    let finalized = json!({ "ok": true, "artifact_id": "77" });
    operation("FinalizeArtifact")
        .respond_with(ResponseTemplate::new(200).set_body_json(finalized))
        .mount(&server)
        .await;
    let folder = tempfile::tempdir().unwrap();
    let uploaded = service(&server.uri()).upload("name", &packed(folder.path())).await.unwrap();
    assert_eq!((uploaded.id.get(), uploaded.digest), (77, Digest::from_content("zip")));

    let requests = server.received_requests().await.unwrap();
    let body = |name: &str| {
        let request = requests.iter().rfind(|request| request.url.path().ends_with(name)).unwrap();
        serde_json::from_slice::<serde_json::Value>(&request.body).unwrap()
    };
    let of = json!({ "workflow_run_backend_id": "run-backend-id", "workflow_job_run_backend_id": "job-backend-id", "name": "name" });
    let with = |further: serde_json::Value| {
        let mut of = of.as_object().unwrap().clone();
        of.extend(further.as_object().unwrap().clone());
        serde_json::Value::Object(of)
    };
    assert_eq!(body("CreateArtifact"), with(json!({ "version": 4 })));
    assert_eq!(body("FinalizeArtifact"), with(json!({ "size": "3", "hash": Digest::from_content("zip") })));
    // The blob store is somebody else's: the token is none of its business.
    let blobs = requests.iter().filter(|request| request.url.path() == "/blob");
    assert!(blobs.clone().count() == 4 && blobs.clone().all(|request| !request.headers.contains_key("authorization")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_taken_and_a_server_without_the_service_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    for (status, wanted) in [(409, "has an artifact `name` already"), (404, "GitHub Enterprise Server has none")] {
        let server = MockServer::start().await;
        Mock::given(method("POST")).respond_with(ResponseTemplate::new(status)).mount(&server).await;
        let error = service(&server.uri()).upload("name", &packed(folder.path())).await.unwrap_err();
        assert!(error.to_string().contains(wanted), "{error}");
        assert!(matches!(error, UploadError::Exists(_) | UploadError::NoService(_)));
        assert_eq!(server.received_requests().await.unwrap().len(), 1, "asking again would not help");
    }
}
