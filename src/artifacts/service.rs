//! The results service v4, as GitHub's own artifact client speaks to it: Twirp with JSON, and blocks to a signed URL.

use std::{collections::BTreeMap, path::Path, time::Duration};

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use futures_util::future::try_join_all;
use implementer_model::{github_ids::ArtifactId, ids::Digest, text, wording::page};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncSeekExt as _},
    sync::OnceCell,
};

use super::Packed;

mod read;

pub use self::read::{Listed, ReadError};
use crate::http::{self, Again, Pace, Timeouts};

/// How much goes into one block, in bytes: GitHub's own client takes 8 MiB. Azure takes 50,000 blocks of a blob ("Put
/// Block List", learn.microsoft.com), which is 400 GB.
const BLOCK: usize = 8 * 1024 * 1024;

/// How many blocks are on their way at one time.
const BLOCKS_AT_ONCE: usize = 4;

/// The version of artifacts that are whole zips.
const VERSION: u32 = 4;

const SERVICE: &str = "twirp/github.actions.results.api.v1.ArtifactService";

/// The longest answer of the service that is read, in bytes.
const ANSWER_MAX: usize = 1024 * 1024;

/// Says why an artifact was not uploaded.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// There is no service.
    #[error(
        "this runner offers no artifact service v4 (`{0}` is not set). GitHub Enterprise Server has none: there, let the \
         plan run in one job (`command: run`), and keep its files with actions/upload-artifact v3, see {page}. \
         Elsewhere, start this with `uses:`; a `run:` step is given no access to artifacts",
        page = page("jobs.md")
    )]
    NoService(&'static str),
    /// The token does not say which job this is.
    #[error("the runner's token for artifacts cannot be read: {0}")]
    Token(&'static str),
    /// An artifact of that name is there already: artifacts are never written over.
    #[error(
        "the run has an artifact `{0}` already, and artifacts are not written over: another job uploaded it first. If this job \
         was not started twice, something that ran in the other one did that; its result does not count"
    )]
    Exists(String),
    /// The service refused.
    #[error("{doing} the artifact `{name}` failed: {why}")]
    Refused {
        /// What was being done.
        doing: &'static str,
        /// The artifact.
        name: String,
        /// What the service said.
        why: String,
        /// Whether another attempt may help.
        again: bool,
    },
    /// The zip cannot be read.
    #[error("cannot read the artifact's file")]
    File(#[from] std::io::Error),
}

/// An artifact that was uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded {
    /// Its id, as REST knows it.
    pub id: ArtifactId,
    /// The SHA-256 of its zip.
    pub digest: Digest,
}

/// The artifact service of the run that this job belongs to.
#[derive(Debug)]
pub struct ArtifactService {
    client: reqwest::Client,
    url: String,
    token: SecretString,
    run: String,
    job: String,
    pace: Pace,
    /// What the run had when it was first asked for.
    listed: OnceCell<Vec<Listed>>,
}

impl ArtifactService {
    /// Finds the service in the environment of a step.
    ///
    /// # Errors
    /// When the runner offers none.
    pub fn from_environment(variables: &BTreeMap<String, String>) -> Result<Self, UploadError> {
        let get = |name: &'static str| {
            variables.get(name).filter(|value| !value.is_empty()).ok_or(UploadError::NoService(name))
        };
        let (url, token) = (get("ACTIONS_RESULTS_URL")?.trim(), get("ACTIONS_RUNTIME_TOKEN")?.trim());
        if !token.chars().all(|character| character.is_ascii_graphic()) {
            return Err(UploadError::Token("it holds a character that no token has"));
        }
        let (run, job) = backend_ids(token)?;
        let client = http::client(Timeouts::Silence).map_err(|_| UploadError::Token("no client can be made"))?;
        let url = url.trim_end_matches('/').to_owned();
        Ok(Self {
            client,
            url,
            token: token.to_owned().into(),
            run,
            job,
            pace: Pace { longest_wait: Duration::from_secs(20), repetitions: 4, ..Pace::default() },
            listed: OnceCell::new(),
        })
    }

    /// Makes every wait begin with this one.
    #[must_use]
    pub fn waiting(mut self, first_wait: Duration) -> Self {
        self.pace.first_wait = first_wait;
        self
    }

    /// Uploads a zip under a name that the run does not have yet.
    ///
    /// # Errors
    /// When the name is taken, or the service cannot be reached or refuses.
    pub async fn upload(&self, name: &str, packed: &Packed) -> Result<Uploaded, UploadError> {
        #[derive(Deserialize)]
        struct Created {
            ok: bool,
            // The JSON of protocol buffers may have either spelling; readers take both.
            #[serde(alias = "signedUploadUrl")]
            signed_upload_url: String,
        }
        #[derive(Deserialize)]
        struct Finalized {
            ok: bool,
            #[serde(default, alias = "artifactId")]
            artifact_id: Value,
        }
        let of = json!({ "workflow_run_backend_id": self.run, "workflow_job_run_backend_id": self.job, "name": name });
        let with = |further: Value| {
            let mut body = of.clone();
            if let (Value::Object(body), Value::Object(further)) = (&mut body, further) {
                body.extend(further);
            }
            body
        };
        let doing = "beginning";
        let begin = with(json!({ "version": VERSION }));
        let call = ServiceCall { doing, operation: "CreateArtifact", name, body: &begin };
        let created: Created = self.call(call).await?;
        if !created.ok {
            return Err(refused(doing, name, "the service says no", false));
        }
        self.put_blocks(name, &created.signed_upload_url, packed).await?;
        let doing = "concluding";
        let sum = format!("sha256:{}", packed.digest.hex());
        let end = with(json!({ "size": packed.size.to_string(), "hash": sum }));
        let call = ServiceCall { doing, operation: "FinalizeArtifact", name, body: &end };
        let finalized: Finalized = self.call(call).await?;
        match artifact_id(&finalized.artifact_id) {
            Some(id) if finalized.ok => Ok(Uploaded { id, digest: packed.digest.clone() }),
            _ => Err(refused(doing, name, "the service gives it no id", false)),
        }
    }

    async fn put_blocks(&self, name: &str, url: &str, packed: &Packed) -> Result<(), UploadError> {
        // A signed address usually has a query already.
        let url = format!("{url}{}", if url.contains('?') { '&' } else { '?' });
        let url = url.as_str();
        let count = packed.size.div_ceil(BLOCK as u64).max(1);
        // All ids have the same length, as Azure demands.
        let ids: Vec<_> = (0..count).map(|number| BASE64_STANDARD.encode(format!("block-{number:08}"))).collect();
        for (group, ids) in ids.chunks(BLOCKS_AT_ONCE).enumerate() {
            let blocks = ids.iter().enumerate().map(|(at, id)| {
                let number = (group * BLOCKS_AT_ONCE + at) as u64;
                self.put_block(name, url, &packed.path, number, id)
            });
            // A handful at a time, each of one block: memory stays what it is, however large the artifact.
            try_join_all(blocks).await?;
        }
        let list: String = ids.iter().map(|id| format!("<Latest>{id}</Latest>")).collect();
        let list = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>{list}</BlockList>");
        let put = || async {
            let request = self.client.put(format!("{url}comp=blocklist")).header("content-type", "text/plain");
            let request = request.header("x-ms-blob-content-type", "application/zip");
            stored(request.body(list.clone()).send().await, name)
        };
        self.again(put).await
    }

    async fn put_block(&self, name: &str, url: &str, path: &Path, number: u64, id: &str) -> Result<(), UploadError> {
        let mut file = tokio::fs::File::open(path).await?;
        file.seek(std::io::SeekFrom::Start(number * BLOCK as u64)).await?;
        let mut block = Vec::new();
        file.take(BLOCK as u64).read_to_end(&mut block).await?;
        // In the query of a URL `=` and `+` mean something else.
        let id = id.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        let put = || async {
            let request = self.client.put(format!("{url}comp=block&blockid={id}"));
            stored(request.body(block.clone()).send().await, name)
        };
        self.again(put).await
    }

    /// Calls an operation of the service.
    async fn call<T: DeserializeOwned>(&self, call: ServiceCall<'_>) -> Result<T, UploadError> {
        self.again(|| self.call_once(call)).await
    }

    async fn call_once<T: DeserializeOwned>(&self, call: ServiceCall<'_>) -> Result<T, UploadError> {
        let ServiceCall { doing, operation, name, body } = call;
        let request = self.client.post(format!("{}/{SERVICE}/{operation}", self.url));
        let answer = request.bearer_auth(self.token.expose_secret()).json(body).send().await;
        let answer = answer.map_err(|error| unreachable_service(doing, name, &error))?;
        let status = answer.status();
        let bytes = answer.bytes().await.map_err(|error| unreachable_service(doing, name, &error))?;
        let bytes = &bytes[..bytes.len().min(ANSWER_MAX)];
        if status.is_success() {
            return serde_json::from_slice(bytes)
                .map_err(|error| refused(doing, name, &format!("its answer cannot be read: {error}"), false));
        }
        if status.as_u16() == 409 {
            return Err(UploadError::Exists(name.to_owned()));
        }
        if status.as_u16() == 404 {
            return Err(UploadError::NoService("ACTIONS_RESULTS_URL"));
        }
        let said = text::truncate(&text::terminal(&String::from_utf8_lossy(bytes)), 300);
        let again = status.is_server_error() || status.as_u16() == 429;
        Err(refused(doing, name, &format!("the service answers {status}: {said}"), again))
    }

    async fn again<T, F: Future<Output = Result<T, UploadError>>>(
        &self,
        attempt: impl FnMut() -> F,
    ) -> Result<T, UploadError> {
        let again = |error: &UploadError| match error {
            UploadError::Refused { again: true, .. } => Again::Soon,
            _ => Again::No,
        };
        self.pace.retry(self.pace.longest_named_wait, again, attempt, || ()).await
    }
}

/// A call of an operation of the service.
#[derive(Debug, Clone, Copy)]
struct ServiceCall<'a> {
    /// What is being done, for messages.
    doing: &'static str,
    /// The operation, as the service calls it.
    operation: &'static str,
    /// The artifact that it is about, for messages.
    name: &'a str,
    body: &'a Value,
}

/// Reads the id of an artifact: 64 bits are text in the JSON of protocol buffers, and not everybody keeps to it.
fn artifact_id(value: &Value) -> Option<ArtifactId> {
    match value {
        Value::String(id) => id.parse().ok(),
        id => id.as_u64().map(ArtifactId::new),
    }
}

fn refused(doing: &'static str, name: &str, why: &str, again: bool) -> UploadError {
    UploadError::Refused { doing, name: name.to_owned(), why: why.to_owned(), again }
}

fn unreachable_service(doing: &'static str, name: &str, error: &reqwest::Error) -> UploadError {
    refused(doing, name, &format!("the service cannot be reached ({})", http::cause(error)), true)
}

/// Takes the answer of the blob store.
fn stored(answer: Result<reqwest::Response, reqwest::Error>, name: &str) -> Result<(), UploadError> {
    let doing = "uploading";
    let answer = answer.map_err(|error| unreachable_service(doing, name, &error))?;
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let again = status.is_server_error() || matches!(status.as_u16(), 408 | 429);
    Err(refused(doing, name, &format!("the blob store answers {status}"), again))
}

/// Reads the ids of run and job out of the runtime token, whose scopes have them as `Actions.Results:RUN:JOB`.
fn backend_ids(token: &str) -> Result<(String, String), UploadError> {
    #[derive(Deserialize)]
    struct Claims {
        scp: String,
    }
    let payload = token.split('.').nth(1).ok_or(UploadError::Token("it is no JWT"))?;
    let bytes = BASE64_URL_SAFE_NO_PAD
        .decode(payload.trim_end_matches('='))
        .map_err(|_| UploadError::Token("its claims are no base64"))?;
    let claims: Claims = serde_json::from_slice(&bytes).map_err(|_| UploadError::Token("its claims have no scopes"))?;
    let scope = claims.scp.split(' ').find_map(|scope| scope.strip_prefix("Actions.Results:"));
    let ids = scope.and_then(|ids| ids.split_once(':'));
    let (run, job) = ids.ok_or(UploadError::Token("it has no scope for results"))?;
    Ok((run.to_owned(), job.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(scp: &str) -> String {
        let claims = BASE64_URL_SAFE_NO_PAD.encode(json!({ "scp": scp }).to_string());
        format!("x.{claims}.y")
    }

    #[test]
    fn the_token_tells_run_and_job() {
        let ids = backend_ids(&token("Actions.GenericRead:x Actions.Results:run-1:job-2 Actions.UploadArtifacts:z"));
        assert_eq!(ids.unwrap(), ("run-1".to_owned(), "job-2".to_owned()));
        for bad in ["", "a.b", "a.!.c", &token("Actions.Results"), &token("Other:1:2")] {
            assert!(matches!(backend_ids(bad), Err(UploadError::Token(_))), "{bad}");
        }
    }

    #[test]
    fn without_a_service_the_message_says_what_to_do() {
        let error = ArtifactService::from_environment(&BTreeMap::new()).unwrap_err().to_string();
        assert!(error.contains("GitHub Enterprise Server") && error.contains("`command: run`"), "{error}");
    }
}
