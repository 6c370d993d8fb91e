//! The pure half of the Backend Implementer: values in, values out.
//!
//! Nothing here reads a file, starts a process, opens a socket or looks at a clock; `clippy.toml` beside the
//! manifest makes that a lint error. What the world has to say arrives as arguments and events, and what is to be done
//! leaves as return values and effects, so every rule of the coordination can be tested without a world.
//!
//! The way the data takes: [`plan`] and [`roster`] (with [`config`]) become a [`schedule`] and a [`lock`]; the schedule
//! asks for tasks, each of which is told its [`brief`] and comes back with a [`report`] and a [`patch`]; the patch is
//! held against its [`scope`]; [`gate`]s are judged on the integrated tree; everything ends in a [`handoff`], of which
//! the [`summary`] is the picture for people. [`run`] decides what comes next at every step.

pub mod brief;
pub mod budget;
pub mod command;
pub mod config;
pub mod conversation;
mod cycles;
pub mod detect;
pub mod diagnostics;
pub mod environment;
pub mod estimate;
pub mod evidence;
pub mod export;
pub mod findings;
pub mod gate;
pub mod github_ids;
pub mod handoff;
pub mod ids;
pub mod isolation;
mod json_size;
pub mod limits;
pub mod lock;
pub mod means;
pub mod patch;
pub mod plan;
pub mod provenance;
pub mod record;
pub mod report;
pub mod roster;
pub mod run;
pub mod schedule;
pub mod scope;
pub mod session;
mod shared;
pub mod starter;
pub mod summary;
pub mod text;
pub mod verdict;
pub mod vocabulary;
pub mod wording;
pub mod workflow;
pub mod yaml;
