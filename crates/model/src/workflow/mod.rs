//! The fan-out as jobs of a workflow: the workflow itself, and the matrices of its waves. Text in, text out.

mod generate;
pub mod matrix;
mod stages;

pub use self::{
    generate::{GENERATED, GenerateError, WORKFLOW_MAX_BYTES, WORKFLOW_PATH, workflow},
    stages::{Stage, stages},
};
