//! The conversation on a pull request, as values: what an event asks for, where a plan is, what is said back.
//!
//! Texts are pure functions of what they tell. What comes in is untrusted, whoever wrote it.

mod check_page;
pub mod checks;
pub mod command;
pub mod comment;
pub mod event;
pub mod evidence;
pub mod intent;
pub mod live;
pub mod plan_text;
pub mod preview;
pub mod replies;
pub mod shown;
