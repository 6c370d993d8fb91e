//! The agents, as the jobs of a fan-out have them. The one place here that knows how they are made.

use std::{collections::BTreeMap, path::Path};

use implementer_model::{ids::ObjectId, roster::Subagent};

use super::error::JobError;
use crate::{
    agent::{AgentError, Agents, Making, own_environment},
    intake::Intake,
    layout::PROGRAMS,
    sandbox::Sandbox,
    workspace::{
        slots::{Slot, SlotPool},
        store::RunStore,
    },
};

/// The agents of a job that runs none: they know how a subagent is told things, and nothing of this machine.
pub(super) fn nobody(intake: &Intake) -> Result<Agents, JobError> {
    let nowhere = Path::new("/nowhere");
    Ok(make(intake, true, nowhere, nowhere, &BTreeMap::new())?)
}

/// Makes the agents that the configuration names, checks that they can be `called`, and gives the checkout of the
/// programs of the repository's own, as `rules` has them; it has to be kept as long as the agents are used. `own_steps` tells
/// whether the workflow may have steps of the user's that do the work of some.
pub(super) async fn of_configuration<'s>(
    intake: &Intake,
    called: impl IntoIterator<Item = &'s Subagent> + Clone,
    own_steps: bool,
    store: &RunStore,
    rules: &ObjectId,
    (sandbox, scratch): (&Sandbox, &Path),
) -> Result<(Agents, Option<Slot>), JobError> {
    let supervisor = std::env::current_exe().map_err(JobError::reading("our own executable"))?;
    let environment = own_environment();
    let mut checkout = None;
    if making(intake, own_steps, scratch, &supervisor, &environment).has_relative_program() {
        let pool = SlotPool::new(store.clone(), &scratch.join(PROGRAMS))?;
        checkout = Some(pool.acquire(rules, None).await?);
    }
    let root = checkout.as_ref().map_or(scratch, Slot::path);
    let agents = make(intake, own_steps, root, &supervisor, &environment)?;
    let lost = agents.lost_variables(&intake.config, called.clone())?;
    lost.iter().for_each(|lost| tracing::warn!("{lost}"));
    agents.check(&intake.config, called, (sandbox, scratch)).await?;
    Ok((agents, checkout))
}

fn making<'a>(
    intake: &'a Intake,
    own_steps: bool,
    program_root: &'a Path,
    supervisor: &'a Path,
    environment: &'a BTreeMap<String, String>,
) -> Making<'a> {
    Making { config: &intake.config, command: None, own_steps, isolated: false, program_root, supervisor, environment }
}

fn make(
    intake: &Intake,
    own_steps: bool,
    program_root: &Path,
    supervisor: &Path,
    environment: &BTreeMap<String, String>,
) -> Result<Agents, AgentError> {
    let subagents = intake.roster.iter().map(|subagent| &subagent.name);
    making(intake, own_steps, program_root, supervisor, environment).make(subagents)
}
