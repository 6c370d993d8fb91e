//! The conversation on a pull request: what the plan would do, who approves it, what happens, what came of it.
//!
//! The model decides what an event asks for and writes every text; this module asks GitHub, and says what there is to
//! say. It never trusts what it reads: state comes from commits, check runs of our own app and permissions, not from
//! what comments say.

mod admission;
mod answer;
mod approval;
mod cancel;
mod claim;
mod clean_up;
mod distributed;
mod error;
mod keep;
mod live;
mod merge_group;
mod overall;
mod own_comment;
mod plan_source;
mod preview;
mod publish;
mod run;
mod snapshot;

use implementer_model::github_ids::PullRequestNumber;

use super::PullRequestContext;

pub use self::{
    admission::RunAsked,
    cancel::cancel,
    clean_up::clean_up,
    distributed::{Begun, begin, conclude, kept_by_last_run, report_result},
    error::ConversationError,
    keep::{Keep, NotUploaded, upload_files},
    merge_group::report_merge_group,
    preview::{PlanState, Previewed, look, preview},
    run::{Reported, RunOptions, run},
    snapshot::{PlanOptions, Snapshot},
};

/// Names the branch on which the result for a pull request is delivered.
pub(super) fn result_branch_name(number: PullRequestNumber) -> String {
    format!("backend-implementer/pr-{number}")
}
