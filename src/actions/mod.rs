//! The runner of GitHub Actions: what it tells a step, and what a step tells it.

mod log;
mod ownership;
mod runner;

pub use self::{
    log::{Level, WorkflowLog, annotation},
    ownership::give_to_owner_of,
    runner::{INPUTS, OUTPUTS, Runner, RunnerError, random},
};
