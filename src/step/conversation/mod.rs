//! The conversation on a pull request: what the plan would do, who approves it, what happens, what came of it.
//!
//! The model decides what an event asks for and writes every text; this module asks GitHub, and says what there is to
//! say. It never trusts what it reads: state comes from commits, check runs of our own app and permissions, not from
//! what comments say.

mod approval;
mod claim;
mod clean_up;
mod distributed;
mod error;
mod live;
mod own_comment;
mod plan_source;
mod preview;
mod publish;
mod run;
mod snapshot;

use super::PullRequestContext;

pub use self::{
    clean_up::clean_up,
    distributed::{Begun, begin, conclude},
    error::ConversationError,
    preview::{Previewed, look, preview},
    run::{Reported, RunOptions, cancel, run},
    snapshot::{PlanOptions, Snapshot},
};
