//! The agents, as the jobs of a fan-out have them. The one place here that knows how they are made.

use std::{collections::BTreeMap, path::Path};

use implementer_model::ids::ObjectId;

use super::error::JobError;
use crate::{
    agent::{AgentError, Agents, Making, own_environment},
    coordinator::Order,
    intake::Intake,
    layout::PROGRAMS,
    workspace::{
        slots::{Slot, SlotPool},
        store::RunStore,
    },
};

/// The agents of a job that runs none: they know how a subagent is told things, and nothing of this machine.
pub(super) fn nobody(intake: &Intake) -> Result<Agents, JobError> {
    let nowhere = Path::new("/nowhere");
    Ok(make(intake, nowhere, nowhere, &BTreeMap::new())?)
}

/// Makes the agents that the configuration names, checks that they can do these attempts, and gives the checkout of the
/// programs of the repository's own, as `rules` has them; it has to be kept as long as the agents are used.
pub(super) async fn of_configuration(
    intake: &Intake,
    orders: &[Order],
    store: &RunStore,
    rules: &ObjectId,
    scratch: &Path,
) -> Result<(Agents, Option<Slot>), JobError> {
    let supervisor = std::env::current_exe().map_err(JobError::reading("our own executable"))?;
    let environment = own_environment();
    let mut checkout = None;
    if making(intake, scratch, &supervisor, &environment).has_relative_program() {
        let pool = SlotPool::new(store.clone(), &scratch.join(PROGRAMS))?;
        checkout = Some(pool.acquire(rules, None).await?);
    }
    let root = checkout.as_ref().map_or(scratch, Slot::path);
    let agents = make(intake, root, &supervisor, &environment)?;
    agents.check(&intake.config, orders.iter().map(|order| &order.subagent), scratch).await?;
    Ok((agents, checkout))
}

fn making<'a>(
    intake: &'a Intake,
    program_root: &'a Path,
    supervisor: &'a Path,
    environment: &'a BTreeMap<String, String>,
) -> Making<'a> {
    Making { config: &intake.config, command: None, own_steps: true, program_root, supervisor, environment }
}

fn make(
    intake: &Intake,
    program_root: &Path,
    supervisor: &Path,
    environment: &BTreeMap<String, String>,
) -> Result<Agents, AgentError> {
    let subagents = intake.roster.iter().map(|subagent| &subagent.name);
    making(intake, program_root, supervisor, environment).make(subagents)
}
