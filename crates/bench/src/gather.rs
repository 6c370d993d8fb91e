//! P7: what the jobs of a wave uploaded, downloaded and unpacked, against GitHub's own client. Both have it from the same
//! server on loopback, which keeps the zips in memory and answers as GitHub does: a redirect, and then the blob.

use std::{
    convert::Infallible,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use backend_implementer::{
    artifacts::pack,
    github::{Github, Settings},
    http::Pace,
    runtime,
    step::gather::{self, Bound, Source},
};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, header, service::service_fn};
use hyper_util::rt::TokioIo;
use implementer_model::{github_ids::ArtifactId, ids::Digest};
use serde::{Deserialize, Serialize};
use tokio::{net::TcpListener, runtime::Runtime};

use crate::process;

/// The first argument of the process that gathers our way: it is one of its own so that its peak memory is its own.
pub(crate) const GATHER: &str = "gather";

/// How many different zips there are; they are served again and again under further ids.
const DIFFERENT: usize = 16;

/// What each holds: something like a bundle, which does not pack, and something like logs. Packed it is a megabyte.
const BUNDLE: usize = 750_000;
const LOG: usize = 750_000;

/// An artifact that is to be had.
#[derive(Debug, Serialize, Deserialize)]
struct Wanted {
    id: u64,
    digest: Digest,
}

/// What a process that gathers says in the end.
#[derive(Debug, Serialize, Deserialize)]
struct Said {
    gathered: usize,
    /// The most memory that it had at a time, in bytes.
    peak: u64,
}

/// What gathering once took.
pub(crate) struct Gathered {
    /// The time of the whole process.
    pub(crate) wall: Duration,
    /// The most memory that it had at a time, in bytes.
    pub(crate) peak: u64,
}

/// Artifacts, and a server that has them.
pub(crate) struct Artifacts {
    folder: PathBuf,
    count: usize,
    list: PathBuf,
    url: String,
    /// Serves for as long as it is there.
    _runtime: Runtime,
}

impl Artifacts {
    /// Makes `count` artifacts in the new folder `folder`, and serves them.
    pub(crate) fn serve(folder: &Path, count: usize) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let zips = (0..DIFFERENT.min(count)).map(|number| make(folder, number)).collect::<Result<Vec<_>>>()?;
        let wanted: Vec<_> = (0..count)
            .map(|number| Wanted { id: number as u64 + 1, digest: zips[number % zips.len()].1.clone() })
            .collect();
        let list = folder.join("list.json");
        fs::write(&list, serde_json::to_vec(&wanted)?)?;
        let zips: Vec<_> = zips.into_iter().map(|(zip, _)| zip).collect();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let url = format!("http://{}", listener.local_addr()?);
        runtime.spawn(accept(listener, url.clone(), zips));
        Ok(Self { folder: folder.to_owned(), count, list, url, _runtime: runtime })
    }

    /// Gathers them our way, in a process of its own.
    pub(crate) fn ours(&self) -> Result<Gathered> {
        let mut command = self.command(std::env::current_exe()?);
        // As the program does for itself when it is a step of a workflow: see its `main`.
        self.measure(command.args([GATHER, &self.url]).env("MALLOC_ARENA_MAX", "2"))
    }

    /// Gathers them with GitHub's own client, which is installed below `client`.
    pub(crate) fn theirs(&self, client: &Path) -> Result<Gathered> {
        let mut command = self.command("node");
        command.arg(client.join("gather.mjs")).env("GITHUB_API_URL", &self.url);
        self.measure(&mut command)
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = process::command(program, &self.folder);
        command.env("GITHUB_WORKSPACE", &self.folder);
        command
    }

    fn measure(&self, command: &mut Command) -> Result<Gathered> {
        let (to, log) = (self.folder.join("to"), self.folder.join("gather.log"));
        fs::create_dir(&to)?;
        let wall = process::measure(command.arg(&self.list).arg(&to), &log)?.wall;
        let log = fs::read_to_string(log)?;
        let said: Said = serde_json::from_str(log.lines().last().unwrap_or_default()).context("nothing was said")?;
        ensure!(said.gathered == self.count, "{} artifacts instead of {}", said.gathered, self.count);
        let folders = fs::read_dir(&to)?.collect::<Result<Vec<_>, _>>()?;
        ensure!(folders.len() == self.count, "{} folders instead of {}", folders.len(), self.count);
        for folder in folders {
            for (name, size) in [("implementation.bundle", BUNDLE), ("tasks/log.txt", LOG)] {
                let file = folder.path().join(name);
                ensure!(fs::metadata(&file)?.len() == size as u64, "{} is not whole", file.display());
            }
        }
        fs::remove_dir_all(to)?;
        Ok(Gathered { wall, peak: said.peak })
    }
}

/// Packs an artifact as our jobs do, of contents that depend on its number alone.
fn make(folder: &Path, number: usize) -> Result<(Bytes, Digest)> {
    let (from, zip) = (folder.join("from"), folder.join("made.zip"));
    fs::create_dir_all(from.join("tasks"))?;
    let mut state = 0x2545_f491_4f6c_dd1d_u64 ^ (number as u64 + 1);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let bundle: Vec<u8> = std::iter::repeat_with(|| next().to_le_bytes()).flatten().take(BUNDLE).collect();
    let mut log = String::with_capacity(LOG + 64);
    while log.len() < LOG {
        let random = next();
        let _ = writeln!(log, "test part_{:04} ... ok ({:08x} in {} ms)", random % 10_000, random >> 32, random % 97);
    }
    log.truncate(LOG);
    fs::write(from.join("implementation.bundle"), bundle)?;
    fs::write(from.join("tasks/log.txt"), log)?;
    let packed = pack(&from, &zip, |_| false)?;
    let bytes = fs::read(&zip)?;
    fs::remove_file(zip)?;
    fs::remove_dir_all(from)?;
    Ok((bytes.into(), packed.digest))
}

async fn accept(listener: TcpListener, url: String, zips: Vec<Bytes>) {
    // It ends with the runtime.
    while let Ok((stream, _)) = listener.accept().await {
        let (url, zips) = (url.clone(), zips.clone());
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let response = answer(&request, &url, &zips);
                async { Ok::<_, Infallible>(response) }
            });
            // Who gathers sees for itself when a connection broke.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// Answers as GitHub does when it is asked for an artifact, and as the blob store does that it sends one to.
fn answer(request: &Request<Incoming>, url: &str, zips: &[Bytes]) -> Response<Full<Bytes>> {
    let path = request.uri().path();
    let asked = path.strip_prefix("/repos/bench/bench/actions/artifacts/").and_then(|rest| rest.strip_suffix("/zip"));
    let blob = path.strip_prefix("/blobs/").and_then(|id| id.strip_suffix(".zip")?.parse::<usize>().ok());
    let response = match (asked, blob) {
        (Some(id), _) => {
            let place = format!("{url}/blobs/{id}.zip?signature=secret");
            Response::builder().status(302).header(header::LOCATION, place).body(Full::default())
        }
        (_, Some(id)) => Response::builder()
            .header(header::CONTENT_TYPE, "application/zip")
            .body(zips[id.saturating_sub(1) % zips.len()].clone().into()),
        _ => Response::builder().status(404).body(Full::default()),
    };
    response.unwrap_or_default()
}

/// Gathers our way: the process that [`Artifacts::ours`] starts. Its arguments are the address, the list and the folder.
pub(crate) fn main(arguments: &[String]) -> Result<()> {
    let [url, list, to] = arguments else { bail!("{GATHER} URL LIST FOLDER") };
    let wanted: Vec<Wanted> = serde_json::from_slice(&fs::read(list)?)?;
    let wanted: Vec<_> = wanted
        .into_iter()
        .enumerate()
        .map(|(slot, Wanted { id, digest })| (slot, Bound { id: ArtifactId::new(id), digest }))
        .collect();
    let settings = Settings {
        api_url: url.clone(),
        graphql_url: format!("{url}/graphql"),
        token: "token".into(),
        repository: "bench/bench".parse()?,
        pace: Pace::default(),
    };
    let runtime = runtime::start()?;
    let came = runtime.block_on(async {
        // It needs the runtime to be there.
        let source = Source { github: Github::new(settings)?, service: None };
        anyhow::Ok(gather::gather(&source, &wanted, Path::new(to)).await)
    })?;
    for result in came.values() {
        result.as_ref().map_err(|why| anyhow::anyhow!("{why}"))?;
    }
    let status = fs::read_to_string("/proc/self/status").context("there is no /proc here")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    let peak: u64 = peak.context("the system does not say how much memory there was")?.parse()?;
    let said = Said { gathered: came.len(), peak: peak * 1024 };
    Ok(serde_json::to_writer(std::io::stdout(), &said)?)
}
