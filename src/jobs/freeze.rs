//! The beginning of a fan-out: what was decided is frozen, and the first attempts are named.

use implementer_model::ids::ObjectId;

use super::{
    error::JobError,
    state::{Frozen, StateDir},
};
use crate::intake::{ConfigSource, Intake, PlanText};

/// What a fan-out begins with.
#[derive(Debug)]
pub struct Freezing<'a> {
    /// Plan, roster, configuration, schedule and lock.
    pub intake: &'a Intake,
    /// The commit that configuration and agent files are from.
    pub rules: &'a ObjectId,
    /// The plan as it came in.
    pub plan: &'a PlanText,
    /// Where the configuration comes from.
    pub config: &'a ConfigSource,
    /// The name of the run.
    pub run: String,
    /// The name of the workflow.
    pub workflow: Option<String>,
    /// The time limit of every task in seconds, in place of the configuration's.
    pub time_limit_s: Option<u64>,
}

/// Writes the first state of a fan-out into a new folder.
///
/// # Errors
/// When it cannot be written.
pub fn freeze(freezing: Freezing<'_>, state: &StateDir) -> Result<(), JobError> {
    let Freezing { intake, rules, plan, config, run, workflow, time_limit_s } = freezing;
    let mut frozen = Frozen::new(intake.lock.clone(), rules.clone(), plan, config, run);
    frozen.provenance = intake.provenance.clone();
    // As it was asked for, or as the configuration has it: the lock is over it.
    frozen.agent = intake.config.agent.kind.clone();
    frozen.workflow = workflow;
    frozen.time_limit_s = time_limit_s;
    state.write(&frozen, &[(0, frozen.begun())], &[])
}
