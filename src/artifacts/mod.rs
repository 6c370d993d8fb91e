//! Artifacts of a workflow run: packed, uploaded through the results service v4, and unpacked again with suspicion.
//!
//! Downloading goes through REST and is GitHub's side ([`crate::github`]).

mod extract;
mod pack;
mod service;

pub use self::{
    extract::{ExtractError, Limits, extract},
    pack::{Packed, pack},
    service::{ArtifactService, UploadError, Uploaded},
};
