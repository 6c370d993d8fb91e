//! Artifacts: listed and downloaded as on GitHub, with a redirect to a blob store that knows ranges and no token.

use std::{fs, path::Path};

use implementer_model::ids::Digest;
use serde_json::json;
use wiremock::{Request, ResponseTemplate};

use super::{
    ELSEWHERE, REPOSITORY,
    state::{Fault, State},
};

/// An artifact, and what the blob store does to whoever wants it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stored {
    pub(crate) name: String,
    /// The run that has it; every run, where it is 0.
    pub(crate) run: u64,
    /// The job that uploaded it, as the results service knows jobs.
    pub(crate) job: String,
    pub(crate) zip: Vec<u8>,
    /// After how many bytes the next answers end early; the first is the next.
    pub(crate) breaks: Vec<usize>,
}

/// Answers what is about artifacts; nothing for anything else.
pub(super) fn answer(state: &mut State, url: &str, request: &Request) -> Option<ResponseTemplate> {
    let path = request.url.path().to_owned();
    let authorized = request.headers.contains_key("authorization");
    let reaches = super::routes::identity(state, request).map(|who| who.repository);
    if path.starts_with("/blobs/")
        && let Some(answer) = fail(state, |fault| fault.method == "GET" && fault.path == "/blobs/")
    {
        return Some(answer);
    }
    if let Some(id) = path.strip_prefix("/blobs/") {
        // A signed address needs no token, and must not be given one.
        let status = if authorized { 400 } else { 200 };
        state.record(request, "blob store", status);
        return Some(if authorized { ResponseTemplate::new(400) } else { blob(state, id.parse().ok()?, request) });
    }
    if let Some(response) = service(state, url, &path, request) {
        return Some(response);
    }
    let below = path.strip_prefix("/api/v3").unwrap_or(&path).strip_prefix("/repos/")?;
    let repository = [REPOSITORY, ELSEWHERE].into_iter().find(|name| below.starts_with(name))?;
    let api = below.strip_prefix(repository)?.strip_prefix("/actions/")?.to_owned();
    let meets = |fault: &Fault| request.method.as_str() == fault.method && path.contains(fault.path);
    if let Some(answer) = fail(state, meets) {
        state.record(request, "workflow", 500);
        return Some(answer);
    }
    let authorized = authorized && reaches.is_none_or(|reached| reached == repository);
    let parts: Vec<_> = api.split('/').collect();
    match parts.as_slice() {
        ["artifacts", id, "zip"] => {
            let id: u64 = id.parse().ok()?;
            let there = bytes(state, id).is_some();
            let status = if !authorized {
                401
            } else if there {
                302
            } else {
                404
            };
            state.record(request, "workflow", status);
            let response = ResponseTemplate::new(status);
            Some(if status == 302 {
                response.insert_header("location", format!("{url}/blobs/{id}"))
            } else {
                response.set_body_json(json!({ "message": "Not Found" }))
            })
        }
        ["runs", run, "artifacts"] => {
            let run: u64 = run.parse().ok()?;
            let of_run = state.artifacts.iter().filter(|(_, stored)| [0, run].contains(&stored.run));
            let mut all: Vec<_> = of_run.map(|(id, stored)| (*id, stored.name.clone())).collect();
            let folders = state.artifact_folders.iter().flat_map(|folder| in_folder(folder));
            all.extend(folders.map(|(id, name, _)| (id, name)));
            state.record(request, "workflow", 200);
            let listed: Vec<_> = all
                .iter()
                .map(|(id, name)| {
                    let digest = bytes(state, *id).map(Digest::from_content);
                    json!({ "id": id, "name": name, "size_in_bytes": 1, "expired": false, "digest": digest })
                })
                .collect();
            let first = request.url.query_pairs().all(|(key, value)| key != "page" || value == "1");
            let listed = if first { listed } else { Vec::new() };
            Some(ResponseTemplate::new(200).set_body_json(json!({ "total_count": all.len(), "artifacts": listed })))
        }
        _ => None,
    }
}

/// Answers with the first fault that meets a request, as often as it says.
fn fail(state: &mut State, meets: impl Fn(&Fault) -> bool) -> Option<ResponseTemplate> {
    let fault = state.artifact_faults.iter_mut().find(|fault| fault.times > 0 && meets(fault))?;
    fault.times -= 1;
    let response = ResponseTemplate::new(fault.status).set_body_json(&fault.body);
    Some(fault.headers.iter().fold(response, |response, (name, value)| response.insert_header(*name, value.as_str())))
}

/// The results service v4: artifacts are made, filled and concluded.
fn service(state: &mut State, url: &str, path: &str, request: &Request) -> Option<ResponseTemplate> {
    if let Some(id) = path.strip_prefix("/uploads/") {
        let id: u64 = id.parse().ok()?;
        let is_block = request.url.query_pairs().any(|(key, value)| key == "comp" && value == "block");
        if is_block {
            // Blocks come in order here: the tests upload less than one.
            state.artifacts.get_mut(&id)?.zip.extend_from_slice(&request.body);
        }
        return Some(ResponseTemplate::new(201));
    }
    let operation = path.strip_prefix("/twirp/github.actions.results.api.v1.ArtifactService/")?;
    let body: serde_json::Value = serde_json::from_slice(&request.body).ok()?;
    // Who cannot read artifacts through REST cannot through the service.
    let reads = matches!(operation, "ListArtifacts" | "GetSignedArtifactURL");
    let meets = |fault: &Fault| match fault.method {
        "GET" => reads && !fault.path.starts_with("/blobs/"),
        _ => path.contains(fault.path),
    };
    if let Some(answer) = fail(state, meets) {
        return Some(answer);
    }
    let name = body["name"].as_str().unwrap_or_default().to_owned();
    let run = body["workflow_run_backend_id"].as_str().and_then(|id| id.strip_prefix("run-")?.parse().ok());
    let run: u64 = run.unwrap_or_default();
    let there = state.artifacts.iter().find(|(_, stored)| stored.name == name && stored.run == run).map(|(id, _)| *id);
    Some(match (operation, there) {
        ("CreateArtifact", Some(_)) => ResponseTemplate::new(409),
        ("CreateArtifact", None) => {
            let id = 1_000 + state.artifacts.len() as u64;
            let job = body["workflow_job_run_backend_id"].as_str().unwrap_or_default().to_owned();
            state.artifacts.insert(id, Stored { name, run, job, ..Stored::default() });
            ResponseTemplate::new(200)
                .set_body_json(json!({ "ok": true, "signed_upload_url": format!("{url}/uploads/{id}?sig=x") }))
        }
        ("ListArtifacts", _) => {
            let of_run = state.artifacts.iter().filter(|(_, stored)| [0, run].contains(&stored.run));
            let listed = of_run.map(|(id, stored)| {
                json!({ "workflow_run_backend_id": body["workflow_run_backend_id"], "workflow_job_run_backend_id": stored.job,
                        "database_id": id.to_string(), "name": stored.name, "size": "1" })
            });
            ResponseTemplate::new(200).set_body_json(json!({ "artifacts": listed.collect::<Vec<_>>() }))
        }
        ("GetSignedArtifactURL", _) => {
            let mut stored = state.artifacts.iter().filter(|(_, stored)| [0, run].contains(&stored.run));
            let job = body["workflow_job_run_backend_id"].as_str().unwrap_or_default();
            match stored.find(|(_, stored)| stored.name == name && stored.job == job) {
                Some((id, _)) => {
                    ResponseTemplate::new(200).set_body_json(json!({ "signed_url": format!("{url}/blobs/{id}") }))
                }
                None => ResponseTemplate::new(404),
            }
        }
        ("FinalizeArtifact", Some(id)) => {
            ResponseTemplate::new(200).set_body_json(json!({ "ok": true, "artifact_id": id.to_string() }))
        }
        _ => ResponseTemplate::new(404),
    })
}

fn blob(state: &mut State, id: u64, request: &Request) -> ResponseTemplate {
    let Some(zip) = bytes(state, id) else { return ResponseTemplate::new(404) };
    let range = request.headers.get("range").and_then(|range| range.to_str().ok()).map(str::to_owned);
    let from: usize = range
        .as_deref()
        .and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok())
        .unwrap_or_default();
    if range.is_some() && from >= zip.len() {
        return ResponseTemplate::new(416);
    }
    let rest = &zip[from..];
    let breaks = state.artifacts.get_mut(&id).filter(|stored| !stored.breaks.is_empty());
    let cut = breaks.map(|stored| stored.breaks.remove(0));
    let status = if range.is_some() { 206 } else { 200 };
    match cut {
        // The server cannot break a connection off; what it can do is to give less than it has and then refuse.
        Some(0) => ResponseTemplate::new(503),
        Some(cut) => ResponseTemplate::new(status).set_body_bytes(&rest[..cut.min(rest.len())]),
        None => ResponseTemplate::new(status).set_body_bytes(rest),
    }
}

fn bytes(state: &State, id: u64) -> Option<Vec<u8>> {
    if let Some(stored) = state.artifacts.get(&id) {
        return Some(stored.zip.clone());
    }
    let mut files = state.artifact_folders.iter().flat_map(|folder| in_folder(folder));
    let (_, _, path) = files.find(|(found, ..)| *found == id)?;
    fs::read(path).ok()
}

/// Lists what act's artifact server keeps: a folder a run, in it a folder with a zip an artifact. Its ids are the 32 bits
/// of FNV-1a over the artifact's name.
fn in_folder(folder: &Path) -> Vec<(u64, String, std::path::PathBuf)> {
    let mut found = Vec::new();
    for run in fs::read_dir(folder).into_iter().flatten().flatten() {
        for artifact in fs::read_dir(run.path()).into_iter().flatten().flatten() {
            let name = artifact.file_name().to_string_lossy().into_owned();
            let zip = artifact.path().join(format!("{name}.zip"));
            if zip.is_file() {
                found.push((fnv(&name), name, zip));
            }
        }
    }
    found
}

fn fnv(name: &str) -> u64 {
    let hash = name.bytes().fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    u64::from(hash)
}
