//! The fan-out: a plan whose attempts are made as jobs of a workflow, each on a runner of its own.
//!
//! Everything here works on folders, so that it can be tried without a server: a *state* (what was approved, and what is
//! finished so far), *results* (what one job made), and the folder of a job. Whoever calls carries them between jobs as
//! artifacts. What follows from a state is decided by the coordinator's loop and nowhere else (`site.rs`).
//!
//! ```text
//! freeze ─► state ─► prepare ─► work ─► collect ─► results ─┐
//!             ▲                                             │
//!             └──────────────────── settle ◄────────────────┘        … ─► summarize
//! ```

mod agent;
mod attempt_work;
mod between_waves;
mod collect;
mod error;
mod freeze;
mod gate;
mod in_place;
mod kept;
mod own_workflow;
mod prepare;
mod recomputing;
mod results;
mod site;
mod state;

/// What stands for the gates where attempts are named.
pub const GATES: &str = crate::layout::RunFile::Gates.name();

pub use self::{
    attempt_work::work,
    between_waves::{Advanced, Awaited, Brought, Settled, advance, awaited, first, settle},
    collect::{Collected, collect},
    error::JobError,
    freeze::{Freezing, freeze},
    gate::{collect_gates, gate},
    in_place::{KEPT, RUN, run_in_place},
    kept::Counting,
    own_workflow::{Assigned, assigned, record_failure},
    prepare::{Prepared, prepare},
    recomputing::{Summarizing, summarize},
    site::{Site, parse_attempts},
    state::{Frozen, StateDir},
};
