//! The conversation on a pull request: what the plan would do, who approves it, what happens, what came of it.
//!
//! The model decides what an event asks for and writes every text; this module asks GitHub, and says what there is to
//! say. It never trusts what it reads: state comes from commits, check runs of our own app and permissions, not from
//! what comments say.

mod approval;
mod claim;
mod cleanup;
mod desk;
mod error;
mod fan_out;
mod live;
mod own_comment;
mod preview;
mod publish;
mod run;
mod setting;
mod source;

pub use self::{
    cleanup::clean_up,
    desk::Desk,
    error::ConversationError,
    fan_out::{Begun, begin, conclude},
    preview::{Previewed, look, preview},
    run::{Came, RunOptions, cancel, run},
    setting::{Setting, SettingOptions},
};
