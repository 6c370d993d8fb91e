//! Networks of companies: a private certificate authority, proxies, addresses below `ghe.com`; and repositories that are not
//! what git makes by default today. REST, GraphQL and git each have to find their way.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::Command,
    sync::Arc,
    thread,
};

use backend_implementer::workspace::fetch::{self, Remote, Wanted};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

use crate::support::{
    Called, PLAN,
    action::{NUMBER, Stage},
    github::{FakeGithub, Identity, REPOSITORY},
};

fn stage() -> Stage {
    let stage = Stage::new("Please.", &[(".backend-implementer/plan.md", PLAN)]);
    stage.github.state().tokens.insert("ghp_ada".to_owned(), Identity::user("ada"));
    stage
}

/// Reads the pull request from a laptop: REST, GraphQL and git. `variables` are those of the environment.
fn look(stage: &Stage, variables: &[(&str, &str)]) -> Called {
    let mut command = stage.bench.program(["plan", "--pr", &format!("{REPOSITORY}#{NUMBER}")]);
    command.env("GITHUB_TOKEN", "ghp_ada").envs(variables.iter().copied());
    Called::of(command.output().unwrap())
}

/// Calls openssl, which comes with the certificates of every distribution.
fn openssl(folder: &Path, arguments: &str) {
    let mut command = Command::new("openssl");
    command.args(arguments.split(' ')).current_dir(folder).env_clear().env("PATH", crate::support::path());
    let output = command.output().expect("openssl is installed");
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Makes an authority that nobody knows, and a certificate of its for this machine: `ca.pem`, `server.pem`, `server.key`.
fn make_certificates(folder: &Path) {
    fs::write(folder.join("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n").unwrap();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(folder, &format!("req -x509 {key} -days 2 -subj /CN=Company -keyout ca.key -out ca.pem"));
    openssl(folder, &format!("req {key} -subj /CN=localhost -keyout server.key -out server.csr"));
    let sign = "-CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names";
    openssl(folder, &format!("x509 -req -in server.csr {sign} -out server.pem"));
}

/// Stands with TLS in front of `upstream`. Gives the port.
fn begin_tls(folder: &Path, upstream: SocketAddr) -> u16 {
    let certificate = CertificateDer::from_pem_file(folder.join("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let config = Arc::clone(&config);
            // Whoever does not trust the certificate breaks off.
            thread::spawn(move || pass_on(stream, config, upstream).is_ok());
        }
    });
    port
}

/// Passes one request on, and its answer back.
fn pass_on(stream: TcpStream, config: Arc<ServerConfig>, upstream: SocketAddr) -> std::io::Result<()> {
    let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut tls = StreamOwned::new(connection, stream);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        tls.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let named = |line: &str, name: &str| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    };
    let length = head.lines().find_map(|line| named(line, "content-length")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    tls.read_exact(&mut body)?;
    let mut plain = TcpStream::connect(upstream)?;
    for line in head.lines().filter(|line| !line.is_empty() && named(line, "connection").is_none()) {
        write!(plain, "{line}\r\n")?;
    }
    write!(plain, "connection: close\r\n\r\n")?;
    plain.write_all(&body)?;
    let mut answer = Vec::new();
    plain.read_to_end(&mut answer)?;
    tls.write_all(&answer)?;
    tls.conn.send_close_notify();
    tls.flush()
}

#[test]
fn one_file_with_a_private_authority_is_enough_for_rest_and_for_git() {
    let stage = stage();
    let folder = tempfile::tempdir().unwrap();
    make_certificates(folder.path());
    let upstream = stage.github.server_url().rsplit_once("//").unwrap().1.parse().unwrap();
    let server = format!("https://localhost:{}", begin_tls(folder.path(), upstream));
    let authority = folder.path().join("ca.pem");
    let trusted = [("GITHUB_SERVER_URL", server.as_str()), ("SSL_CERT_FILE", authority.to_str().unwrap())];
    let shown = look(&stage, &trusted).expect(0);
    assert!(shown.stdout.contains("feature"), "{}", shown.stdout);
    let who: Vec<_> = stage.github.requests().iter().map(|request| request.who.clone()).collect();
    assert!(who.iter().any(|who| who == "git") && who.iter().any(|who| who != "git"), "{who:?}");

    let refused = look(&stage, &[("GITHUB_SERVER_URL", &server)]).expect(3);
    let said = &refused.stderr;
    assert!(said.contains("certificate") && said.contains("SSL_CERT_FILE"), "{said}");
}

#[test]
fn the_proxy_of_the_environment_is_used_for_rest_graphql_and_git_whatever_the_server_is_called() {
    let stage = stage();
    // A token of an installation asks GraphQL who it is.
    let token = stage.token.clone();
    let proxy = stage.github.server_url();
    // Names that nobody can look up: what arrives came through the proxy. The second has its interfaces at `api.`.
    for server in ["http://github.octo.invalid", "http://octo.ghe.com"] {
        stage.github.forget_requests();
        let variables = [("GITHUB_SERVER_URL", server), ("http_proxy", &proxy), ("GITHUB_TOKEN", &token)];
        let shown = look(&stage, &variables).expect(0);
        assert!(shown.stdout.contains("feature"), "{server}: {}", shown.stdout);
        let paths: Vec<_> = stage.github.requests().iter().map(|request| request.path.clone()).collect();
        for part in ["/pulls/7", "/graphql", "/info/refs"] {
            assert!(paths.iter().any(|path| path.contains(part)), "{server} {part}: {paths:?}");
        }
    }
    let around = [("GITHUB_SERVER_URL", "http://octo.ghe.com"), ("http_proxy", &proxy), ("no_proxy", "*")];
    assert!(look(&stage, &around).expect(3).stderr.contains("GitHub cannot be reached"));
}

#[test]
fn what_a_remote_stores_and_how_it_names_it_does_not_matter() {
    for format in ["--ref-format=files", "--ref-format=reftable", "--object-format=sha256"] {
        let stage = Stage::new("Please.", &[]);
        let remote = stage.bench.path("other.git");
        let mut make = stage.bench.command("git");
        let made =
            make.args(["init", "--quiet", "--bare", "--initial-branch=main", format]).arg(&remote).output().unwrap();
        if !made.status.success() {
            let why = String::from_utf8_lossy(&made.stderr).into_owned();
            eprintln!("SKIPPED what_a_remote_stores ({format}): this git cannot make such a repository: {why}");
            continue;
        }
        let work = stage.bench.path("other");
        let run = |arguments: &[&str]| {
            let place = ["-C", work.to_str().unwrap()];
            stage.bench.git(place.iter().chain(arguments).copied())
        };
        stage.bench.git(["clone", "--quiet", remote.to_str().unwrap(), work.to_str().unwrap()]);
        fs::write(work.join("a.txt"), "a\n").unwrap();
        run(&["add", "."]);
        run(&["commit", "--quiet", "-m", "a"]);
        run(&["push", "--quiet", "origin", "HEAD:refs/heads/main"]);
        let head = run(&["rev-parse", "HEAD"]);
        let github = FakeGithub::start(&remote);
        let from = Remote { url: format!("{}/octo/service", github.server_url()), token: Some("ghs_workflow".into()) };
        let wanted = [
            Wanted { from: &head, to: "refs/implementer/head" },
            Wanted { from: "refs/heads/main", to: "refs/implementer/rules" },
        ];
        let fetched = fetch::fetch(&from, &wanted, &stage.bench.path("fetched.git"));
        let fetched = fetched.unwrap_or_else(|error| panic!("{format}: {error}"));
        let place = fetched.to_str().unwrap();
        for reference in ["refs/implementer/head", "refs/implementer/rules"] {
            assert_eq!(stage.bench.git(["-C", place, "rev-parse", reference]), head, "{format}");
        }
    }
}
