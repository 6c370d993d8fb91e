//! The fan-out as jobs of a workflow: the workflow itself, and the matrices of its waves. Text in, text out.

mod ahead;
mod generate;
pub mod matrix;
mod stages;

pub use self::{
    ahead::{Ahead, RESULTS_AHEAD_MAX, ahead},
    generate::{GENERATED, GenerateError, WORKFLOW_MAX_BYTES, WORKFLOW_PATH, workflow},
    stages::{Stage, stages},
};
