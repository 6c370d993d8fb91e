//! The fan-out as jobs of a workflow: the workflows themselves, and the matrices of its waves. Text in, text out.

mod ahead;
mod generate;
pub mod matrix;
mod stages;

pub use self::{
    ahead::{Ahead, RESULTS_AHEAD_MAX, ahead},
    generate::{
        GENERATED, GenerateError, PREVIEW_PATH, WORKFLOW_MAX_BYTES, WORKFLOW_PATH, WorkflowFile, holds_both, workflow,
        workflows,
    },
    stages::{Stage, stages},
};
