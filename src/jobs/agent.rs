//! The agent, as the jobs of a fan-out have it. The one place here that knows how agents are made.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use implementer_model::ids::ObjectId;

use super::error::JobError;
use crate::{
    agent::{Agent, CommandAgent, own_environment},
    intake::Intake,
    workspace::{
        slots::{Slot, SlotPool},
        store::RunStore,
    },
};

/// The agent of a job that runs none.
pub(super) fn nobody(intake: &Intake) -> Arc<dyn Agent> {
    Arc::new(command_agent(intake, Path::new("/nowhere"), BTreeMap::new()))
}

/// Makes the agent that the configuration names, and the checkout of the programs of the repository's own, as `rules`
/// has them; the checkout has to be kept as long as the agent is used.
pub(super) async fn of_configuration(
    intake: &Intake,
    store: &RunStore,
    rules: &ObjectId,
    scratch: &Path,
) -> Result<(Arc<dyn Agent>, Option<Slot>), JobError> {
    let mut agent = command_agent(intake, store.dir(), own_environment());
    let mut checkout = None;
    if agent.has_relative_program() {
        let pool = SlotPool::new(store.clone(), &scratch.join("programs"))?;
        let slot = pool.acquire(rules, None).await?;
        agent.program_root = slot.path().to_owned();
        checkout = Some(slot);
    }
    Ok((Arc::new(agent), checkout))
}

fn command_agent(intake: &Intake, program_root: &Path, environment: BTreeMap<String, String>) -> CommandAgent {
    let overrides = intake.config.subagents.iter();
    CommandAgent {
        command: intake.config.agent.command.clone(),
        overrides: overrides.filter_map(|(name, config)| Some((name.clone(), config.command.clone()?))).collect(),
        program_root: program_root.to_owned(),
        supervisor: std::env::current_exe().unwrap_or_default(),
        environment,
    }
}
