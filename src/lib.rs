//! The Backend Implementer's half that touches the world: processes, git, the runner, GitHub.
//!
//! It is a library so that the tests reach what the executable is made of; the executable's `main` only parses, calls
//! in here and exits. What can be decided without a world is decided in `implementer_model`.

pub mod actions;
pub mod agent;
pub mod cli;
pub mod conversation;
pub mod coordinator;
pub mod dispatched;
pub mod execution;
pub mod gather;
pub mod github;
pub mod intake;
pub mod jobs;
pub mod journal;
pub mod run_dir;
pub mod uncommitted;
pub mod verify;
pub mod workspace;
