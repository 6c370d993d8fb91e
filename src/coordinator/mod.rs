//! The coordinator: it carries out what [`implementer_model::run`] decides. One loop owns the state of a run
//! (`drive.rs`); workers and gates only send what happened.

mod attempt_files;
mod base_tests;
mod bisect;
mod conclusion;
mod context;
mod detection;
mod distributed;
mod drive;
mod durations;
mod error;
mod events;
mod evidence;
mod gate_ask;
mod gate_log;
mod gate_results;
mod gate_tree;
mod gate_watch;
mod gates;
mod integration;
mod judging;
mod local;
pub mod progress;
mod room;
mod setup;
mod starting;
mod worker;
mod working_copy;
mod workplace;

pub use self::{
    attempt_files::AttemptFiles,
    base_tests::tests_on_base,
    distributed::{Distribution, Reached, Until, follow},
    error::RunError,
    integration::commit_message,
    judging::{AttemptProcess, SecretAt, capture_and_judge},
    local::{Resumed, run},
    room::check as check_room,
    setup::Setup,
    worker::concluded,
    working_copy::{SetupPlace, WorkingCopySetup},
    workplace::{Site as SandboxSite, Workplace, open_sandbox, passed_to_anybody},
};
