//! The configuration: `.github/backend-implementer.yml`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    gate::GateKind,
    ids::SubagentName,
    roster::{Access, Role},
};

/// Where the configuration stands in a repository.
pub const CONFIG_PATH: &str = ".github/backend-implementer.yml";

/// The configuration. Every key is optional; a key that is not known is an error.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Config {
    /// The agent CLI that does the work.
    pub agent: AgentConfig,
    /// Overrides for single subagents, by name.
    pub subagents: BTreeMap<SubagentName, SubagentConfig>,
    /// Globs of paths that no subagent may touch, in place of the built-in list.
    pub protected_paths: Option<Vec<String>>,
    /// The commands of the gates. They run besides those of the plan.
    pub gates: BTreeMap<GateKind, GateConfig>,
    /// The most subagents that run at one time.
    pub concurrency: Option<usize>,
    /// The time limit of a task in minutes, unless its subagent has one of its own.
    pub time_limit_minutes: Option<u64>,
    /// Names of environment variables that are passed on to gates and subagents.
    pub pass_environment: Vec<String>,
}

/// How subagents are run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct AgentConfig {
    /// The kind of agent. Today: `command`.
    pub kind: Option<AgentKind>,
    /// The program and its arguments, for the kind `command`. A relative program with a `/` is looked up in the
    /// repository at the base commit.
    pub command: Vec<String>,
}

/// The kinds of agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AgentKind {
    /// Any executable that keeps to the documented contract.
    Command,
}

/// Overrides for one subagent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SubagentConfig {
    /// The part it plays, for a subagent whose role cannot be told from its name.
    pub role: Option<Role>,
    /// The model.
    pub model: Option<String>,
    /// The globs of the paths it may touch.
    pub scope: Option<Vec<String>>,
    /// The globs of the paths it may not touch.
    pub exclude: Option<Vec<String>>,
    /// Whether it may change files.
    pub access: Option<Access>,
    /// The time limit in minutes.
    pub time_limit_minutes: Option<u64>,
    /// The program and its arguments, in place of the agent's.
    pub command: Option<Vec<String>>,
    /// Names of environment variables that are passed on to this subagent alone.
    pub pass_environment: Vec<String>,
}

/// The commands of one gate.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct GateConfig {
    /// The commands, each split into arguments as a shell would, but run without one.
    pub commands: Vec<String>,
    /// The time limit of one command in minutes.
    pub time_limit_minutes: Option<u64>,
    /// Globs of JUnit XML files that the commands write.
    pub junit: Vec<String>,
}
