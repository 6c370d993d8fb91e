//! Git, as the coordinator needs it: an object store of its own, folders for subagents, patches, integration, bundles.
//!
//! The user's repository is only ever read. What a run writes goes into the [`store::RunStore`], a bare repository that
//! borrows the user's objects; what a subagent sees is a slot of the [`slots::SlotPool`], a repository of its own that
//! borrows from both. A [`capture`] turns the folder that a subagent leaves into a patch, [`integrate`] puts patches
//! on top of each other without ever touching a folder, and [`bundle`] packs the outcome for `git fetch`.
//!
//! No configuration, hook, filter, attribute file or environment variable of the user's has any effect here.

mod error;
mod folder;
mod git;
mod patch;
pub mod slots;
pub mod store;

#[cfg(test)]
mod test_support;

pub use self::{
    error::{BundleError, Result, WorkspaceError},
    patch::{diff, integrate, landing, message, text as patch_text},
    slots::{agent_files, capture},
    store::{bundle, fetch, moved, new_repository, push},
};
