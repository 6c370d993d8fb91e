//! Git, as the coordinator needs it: an object store of its own, folders for subagents, patches, integration, bundles.
//!
//! The user's repository is only ever read. What a run writes goes into the [`store::RunStore`], a bare repository that
//! borrows the user's objects; what a subagent sees is a slot of the [`slots::SlotPool`], a repository of its own that
//! borrows from both. A [`capture`] turns the folder that a subagent leaves into a patch, [`integrate`] puts patches
//! on top of each other without ever touching a folder, and [`bundle`] packs the outcome for `git fetch`.
//!
//! No configuration, hook, filter, attribute file or environment variable of the user's has any effect here.

pub mod bundle;
pub mod capture;
pub mod diff;
pub mod error;
pub mod fetch;
pub mod integrate;
pub mod landing;
pub mod message;
pub mod moved;
pub mod new_repository;
pub mod patch_text;
pub mod push;
pub mod slots;
pub mod store;

mod agent_files;
mod attributes;
mod convert;
mod fill;
mod folder;
mod git;
mod ignore;
mod merge;
mod refit;
mod repository_files;
mod stamp;
mod sweep;
mod tree_index;

#[cfg(test)]
mod test_repository;

pub use error::WorkspaceError;

/// What a step of the workspace gives.
pub type Result<T, E = WorkspaceError> = std::result::Result<T, E>;
