//! The agents of a run: for each subagent the one that does its work.

use std::{collections::BTreeMap, io, path::Path, sync::Arc};

use implementer_model::{
    command,
    config::{AgentKind, Config},
    ids::SubagentName,
    roster::Subagent,
};

use super::{Agent, AgentError, CliAgent, CommandAgent, Ended, Launch, LaunchError, process};
use crate::sandbox::{Allowed, Sandbox};

/// The agents of a run.
#[derive(Debug, Clone)]
pub struct Agents {
    by_kind: BTreeMap<AgentKind, Arc<dyn Agent>>,
    kinds: BTreeMap<SubagentName, AgentKind>,
}

/// What agents are made of.
#[derive(Debug)]
pub struct Making<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The command that does all the work, in place of what the configuration says.
    pub command: Option<Vec<String>>,
    /// Whether subagents for which the workflow has steps of the user's own are worked for by these: then they are told
    /// things as any command is, and report by a file.
    pub own_steps: bool,
    /// Whether what they start is isolated by us.
    pub isolated: bool,
    /// The folder from which relative programs with a `/` are found.
    pub program_root: &'a Path,
    /// Our own executable, which supervises what we start.
    pub supervisor: &'a Path,
    /// The environment of the coordinator.
    pub environment: &'a BTreeMap<String, String>,
}

impl Making<'_> {
    /// Tells whether any program is found in the repository.
    #[must_use]
    pub fn has_relative_program(&self) -> bool {
        let commands = self.config.subagents.values().filter_map(|subagent| subagent.command.as_ref());
        let commands = commands.chain([self.command.as_ref().unwrap_or(&self.config.agent.command)]);
        let programs = self.config.agents.values().filter_map(|settings| settings.program.as_ref());
        commands.filter_map(|command| command.first()).chain(programs).any(|program| command::is_own_path(program))
    }

    /// Makes the agents of these subagents.
    ///
    /// # Errors
    /// When there is no agent of a kind that is asked for.
    pub fn make<'s>(self, subagents: impl IntoIterator<Item = &'s SubagentName>) -> Result<Agents, AgentError> {
        let by_own_steps = |name: &SubagentName| {
            self.own_steps && self.config.workflow.subagents.get(name).is_some_and(|own| !own.work.is_empty())
        };
        let kind = |name: &SubagentName| match self.command {
            None if !by_own_steps(name) => self.config.kind(name),
            _ => AgentKind::command(),
        };
        let kinds: BTreeMap<_, _> = subagents.into_iter().map(|name| (name.clone(), kind(name))).collect();
        let mut by_kind = BTreeMap::new();
        for kind in kinds.values() {
            if !by_kind.contains_key(kind) {
                by_kind.insert(kind.clone(), self.agent(kind)?);
            }
        }
        Ok(Agents { by_kind, kinds })
    }

    fn agent(&self, kind: &AgentKind) -> Result<Arc<dyn Agent>, AgentError> {
        let (root, supervisor) = (self.program_root, self.supervisor);
        if kind.as_str() != AgentKind::COMMAND {
            let agent = CliAgent::new(kind, self.config.settings(kind), root, supervisor, self.environment);
            let agent = agent.ok_or_else(|| AgentError::NoSuchAgent { name: kind.to_string() })?;
            return Ok(Arc::new(agent.isolated(self.isolated)));
        }
        let overrides = self.config.subagents.iter();
        let overrides = overrides.filter_map(|(name, config)| Some((name.clone(), config.command.clone()?)));
        Ok(Arc::new(CommandAgent {
            command: self.command.clone().unwrap_or_else(|| self.config.agent.command.clone()),
            overrides: overrides.collect(),
            program_root: root.to_owned(),
            supervisor: supervisor.to_owned(),
            environment: self.environment.clone(),
        }))
    }
}

impl Agents {
    /// Returns the agent that does the work of a subagent.
    ///
    /// # Errors
    /// For a subagent that the agents were not made for.
    pub fn of(&self, subagent: &SubagentName) -> Result<&Arc<dyn Agent>, AgentError> {
        let agent = self.kinds.get(subagent).and_then(|kind| self.by_kind.get(kind));
        agent.ok_or_else(|| AgentError::NoCommand { subagent: subagent.to_string() })
    }

    /// Checks that every subagent can be called, and asks every agent program for its version, inside the walls in which an
    /// attempt is made, before a run begins.
    ///
    /// # Errors
    /// When one cannot be used.
    pub async fn check<'s>(
        &self,
        config: &Config,
        subagents: impl IntoIterator<Item = &'s Subagent>,
        (sandbox, scratch): (&Sandbox, &Path),
    ) -> Result<(), AgentError> {
        for subagent in subagents {
            self.check_call(config, subagent)?;
        }
        for kind in self.by_kind.keys() {
            self.check_version(kind, sandbox, scratch).await?;
        }
        Ok(())
    }

    /// Checks that a subagent can be called, without starting anything.
    ///
    /// # Errors
    /// When it cannot.
    pub fn check_call(&self, config: &Config, subagent: &Subagent) -> Result<(), AgentError> {
        let limited_cost = config.limits.run_cost.is_some() || config.cost(&subagent.name).is_some();
        self.of(&subagent.name)?.check(subagent, &passed(config, subagent), limited_cost)
    }

    /// Asks an agent program for its version, where it has one that matters.
    ///
    /// # Errors
    /// When it cannot be started as an attempt is, or its version cannot be used.
    pub async fn check_version(&self, kind: &AgentKind, sandbox: &Sandbox, scratch: &Path) -> Result<(), AgentError> {
        let Some(agent) = self.by_kind.get(kind) else { return Ok(()) };
        let Some(launch) = agent.probe(&scratch.join("versions"))? else { return Ok(()) };
        let ended = probe(launch, sandbox).await;
        agent.probed(&ended.map_err(|source| AgentError::Probe { agent: agent.name(), source })?)
    }

    /// Says which variables are set here, say how an agent program reaches its model, and are not passed to subagents that it
    /// works for: a sentence for each program.
    ///
    /// # Errors
    /// For a subagent that the agents were not made for.
    pub fn lost_variables<'s>(
        &self,
        config: &Config,
        subagents: impl IntoIterator<Item = &'s Subagent>,
    ) -> Result<Vec<String>, AgentError> {
        let mut lost: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for subagent in subagents {
            let agent = self.of(&subagent.name)?;
            let names = lost.entry(agent.name()).or_default();
            for name in agent.lost_variables(&passed(config, subagent)) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        lost.retain(|_, names| !names.is_empty());
        let told = lost.into_iter().map(|(agent, names)| {
            let (is, them) = if names.len() == 1 { ("is", "it") } else { ("are", "them") };
            format!(
                "{} {is} set here and not passed to {agent}, which may not reach its model without {them}: add {them} to \
                 `agents.{agent}.pass-environment`",
                names.join(", ")
            )
        });
        Ok(told.collect())
    }
}

/// Lists the names of the variables that a subagent is given.
fn passed(config: &Config, subagent: &Subagent) -> Vec<String> {
    config.environment(&subagent.name).into_iter().map(str::to_owned).collect()
}

/// Starts a program as an attempt would, for its version.
async fn probe(mut launch: Launch, sandbox: &Sandbox) -> Result<Ended, LaunchError> {
    let folder = launch.directory.clone();
    let failed = |error: io::Error| LaunchError::File {
        path: folder.display().to_string(),
        purpose: "its user".to_owned(),
        why: error.to_string(),
    };
    let user = sandbox.user_of(0).map_err(failed)?;
    sandbox.give(&folder, user).map_err(failed)?;
    let allowed = Allowed { write: vec![folder.clone()], read: sandbox.readable_of(&launch.argv) };
    launch.confinement = sandbox.confinement(user, &allowed);
    let ended = process::run(&launch, tokio::time::sleep(PROBE_MAX)).await;
    sandbox.remove_shared(user);
    ended
}

/// How long an agent program may take to tell its version.
const PROBE_MAX: std::time::Duration = std::time::Duration::from_secs(30);
