//! Black-box tests: the program as a user calls it, in a repository, a home and an environment of its own.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod act;
mod action_metadata;
mod agent_files;
mod agent_programs;
mod artifact_doubles;
mod artifacts;
mod cancel;
mod command_agent;
mod conversation;
mod demo;
mod detectors;
mod dispatched;
mod documents;
mod doubles;
mod fan_out;
mod faults;
mod gates;
mod generate;
mod hostile;
mod image;
mod init;
mod invariants;
mod jobs;
mod jobs_memory;
mod limits;
mod one_job;
mod outcomes;
mod plan_command;
mod proof;
mod resources;
mod rework;
mod rooms;
mod supervision;
mod support;
