//! The Backend Implementer's half that touches the world: processes, git, the runner, GitHub.
//!
//! It is a library so that the tests reach what the executable is made of; the executable's `main` only parses, calls
//! in here and exits. What can be decided without a world is decided in `implementer_model`.

pub mod actions;
pub mod agent;
pub mod artifacts;
pub mod cli;
pub mod coordinator;
pub mod doctor;
pub(crate) mod errors;
pub mod execution;
pub mod github;
pub mod http;
pub mod intake;
pub mod jobs;
pub mod journal;
pub mod kept;
pub mod layout;
pub mod run_dir;
pub mod runtime;
pub mod sandbox;
pub mod schemas;
pub mod step;
pub mod telemetry;
pub mod uncommitted;
pub mod untrusted;
pub mod verify;
pub mod workspace;
