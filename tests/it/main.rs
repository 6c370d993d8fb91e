//! Black-box tests: the program as a user calls it, in a repository, a home and an environment of its own.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod action_metadata;
mod agent_programs;
mod cancel;
mod command_agent;
mod conversation;
mod demo;
mod detectors;
mod documents;
mod doubles;
mod faults;
mod gates;
mod image;
mod init;
mod invariants;
mod limits;
mod outcomes;
mod plan_command;
mod proof;
mod resources;
mod rework;
mod supervision;
mod support;
