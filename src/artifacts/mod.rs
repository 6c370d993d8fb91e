//! Artifacts of a workflow run: packed, uploaded through the results service v4, and unpacked again with suspicion.
//!
//! What the same attempt at a run has uploaded is read through the results service, too. Everything else is REST's, which is
//! GitHub's side ([`crate::github`]).

mod extract;
mod pack;
mod service;

pub use self::{
    extract::{ExtractError, Limits, extract},
    pack::{Packed, pack},
    service::{ArtifactService, Listed, ReadError, UploadError, Uploaded},
};
