//! Evidence: what shows that an implementation does what it should, and what is only said.
//!
//! In the order of their weight: results test by test from a file that a runner wrote ([`formats`], [`results`]),
//! held against the base's; tests that turn red without a task's patch; and last the closing words of a runner
//! ([`words`]), which anything can print.

pub mod ask;
pub mod base_tests;
pub mod counts;
pub mod detect;
pub mod following;
pub mod formats;
pub mod gathered;
mod layout;
pub mod loading;
pub mod manifest;
pub mod mutants;
pub mod never_ran;
pub mod numbers;
pub mod proof;
pub mod receipt;
pub mod recipes;
pub mod recorded;
pub mod restore;
pub mod results;
pub mod rewritten;
pub mod runner_settings;
pub mod scripts;
pub mod source;
pub mod words;
