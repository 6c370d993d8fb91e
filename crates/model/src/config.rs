//! The configuration: `.github/backend-implementer.yml`.
//!
//! `docs/configuration.md` documents every key for people; [`schema`] gives the same to editors.

pub mod agents;
mod evidence;
mod planning;
mod protected;
mod pull_request;
mod read;
#[cfg(test)]
mod tests;
pub mod values;
mod workflow;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::{
    agents::{AgentConfig, AgentKind, AgentSettings, Limits, Permissions},
    evidence::EvidenceConfig,
    planning::{DefaultRole, Granularity, Nobody},
    protected::{AGENT_INSTRUCTIONS, AGENT_SETTINGS_FILES, DEFAULT_PROTECTED_PATHS, ProtectedPath},
    pull_request::{DEFAULT_PLAN_FILE, PullRequestConfig},
    workflow::{
        DEFAULT_RUNNER, DISPATCH_INPUTS_MAX, DISPATCH_OWN_INPUTS, JOB_MINUTES, Layout, WAVES_MAX, WorkflowConfig,
        WorkflowDispatch, WorkflowSubagent,
    },
};
use crate::{
    budget::Dollars,
    command,
    diagnostics::Diagnostic,
    ids::{Digest, SubagentName},
    isolation::Demand,
    limits::{REWORK_ROUNDS_DEFAULT, REWORK_ROUNDS_MAX, TASKS_MAX},
    vocabulary::{Access, GateKind, Role},
};

/// Where the configuration stands in a repository.
pub const CONFIG_PATH: &str = ".github/backend-implementer.yml";

/// The largest configuration that is read, in bytes.
pub const CONFIG_MAX_BYTES: usize = 256 * 1024;

/// The most subagents that may be asked to run at one time: as many as a plan may have tasks.
pub const CONCURRENCY_MAX: usize = TASKS_MAX;

/// The longest time limit that may be set, in minutes: a day.
pub const TIME_LIMIT_MAX_MINUTES: u64 = 24 * 60;

const DEFAULT_CONCURRENCY: usize = 8;
const DEFAULT_TIME_LIMIT_MINUTES: u64 = 60;
const DEFAULT_GATE_TIME_LIMIT_MINUTES: u64 = 30;

/// The configuration. Every key is optional; a key that is not known is an error.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Config {
    /// The agent CLI that does the work.
    pub agent: AgentConfig,
    /// How single agent programs are called, by their kind.
    pub agents: BTreeMap<AgentKind, AgentSettings>,
    /// Overrides for single subagents, by name.
    pub subagents: BTreeMap<SubagentName, SubagentConfig>,
    /// Globs of paths that no subagent may touch, in place of the built-in list that `docs/configuration.md` shows.
    pub protected_paths: Option<Vec<String>>,
    /// The commands of the gates. They run besides those of the plan.
    #[schemars(extend("propertyNames" = { "enum": ["tests", "review", "validation"] }))]
    pub gates: BTreeMap<GateKind, GateConfig>,
    /// What is asked of the evidence.
    pub evidence: EvidenceConfig,
    /// What every working copy needs before a subagent or a gate runs in it, in this order.
    pub setup: Vec<SetupCommand>,
    /// The most subagents that run at one time: 1 to 256, 8 when left out.
    #[schemars(range(min = 1, max = 256))]
    pub concurrency: Option<usize>,
    /// The time limit of one attempt at a task in minutes, unless its subagent has one of its own: 1 to 1440, 60 when
    /// left out.
    #[schemars(range(min = 1, max = 1440))]
    pub time_limit_minutes: Option<u64>,
    /// What attempts and the run may use.
    pub limits: Limits,
    /// How often the authors of what the gates object to are called again: 0 to 5 rounds, 2 when left out.
    #[schemars(range(max = 5))]
    pub rework_rounds: Option<u32>,
    /// Whether a specialist that the plan does not have may be called when another subagent needs it; false when left
    /// out.
    pub escalate_beyond_plan: bool,
    /// The role that does what a plan gives to nobody; `feature` when left out. `none` makes such an item an error.
    pub default_role: Option<DefaultRole>,
    /// How the items of a plan are put together into tasks where the plan does not say.
    pub granularity: Granularity,
    /// Names of environment variables that are passed on to gates and subagents.
    pub pass_environment: Vec<String>,
    /// How much isolation subagents and gates need; when left out `required` in a workflow, and `best` elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isolation: Option<Demand>,
    /// What happens on pull requests.
    pub pull_request: PullRequestConfig,
    /// What the generated workflow looks like.
    pub workflow: WorkflowConfig,
}

/// Overrides for one subagent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SubagentConfig {
    /// The part it plays; needed for a subagent whose role cannot be told from its name.
    pub role: Option<Role>,
    /// The kind of agent that does its work, in place of the general one.
    pub kind: Option<AgentKind>,
    /// The model.
    pub model: Option<String>,
    /// The globs of the paths it may touch.
    pub scope: Option<Vec<String>>,
    /// The globs of the paths it may not touch.
    pub exclude: Option<Vec<String>>,
    /// Whether it may change files.
    pub access: Option<Access>,
    /// The time limit of one attempt in minutes: 1 to 1440.
    #[schemars(range(min = 1, max = 1440))]
    pub time_limit_minutes: Option<u64>,
    /// The most turns of one attempt: 1 to 10000.
    #[schemars(range(min = 1, max = 10_000))]
    pub turns: Option<u64>,
    /// The most dollars that one attempt may cost.
    pub cost: Option<Dollars>,
    /// The program and its arguments, in place of the agent's.
    pub command: Option<Vec<String>>,
    /// Names of environment variables that are passed on to this subagent alone.
    pub pass_environment: Vec<String>,
}

/// A command that makes a working copy ready: dependencies are installed, code is generated.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SetupCommand {
    /// The command, split into arguments as a shell would, but run without one.
    pub run: String,
    /// The files that decide what it gives, such as lock files: it is run again when one of them changes.
    #[serde(default)]
    pub files: Vec<String>,
    /// Its time limit in minutes: 1 to 1440, 30 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1440))]
    pub time_limit_minutes: Option<u64>,
}

impl SetupCommand {
    /// Returns the program and its arguments.
    ///
    /// # Panics
    /// When it cannot be split: `Config::read` refuses such a command.
    #[must_use]
    pub fn argv(&self) -> Vec<String> {
        command::split(&self.run).expect("invariant: a configuration that was read has only commands that can be split")
    }

    /// Returns its time limit.
    #[must_use]
    pub fn time_limit(&self) -> Duration {
        minutes(self.time_limit_minutes.unwrap_or(DEFAULT_GATE_TIME_LIMIT_MINUTES))
    }
}

/// The commands of one gate.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct GateConfig {
    /// The commands, each split into arguments as a shell would, but run without one.
    pub commands: Vec<String>,
    /// The time limit of one command in minutes: 1 to 1440, 30 when left out.
    #[schemars(range(min = 1, max = 1440))]
    pub time_limit_minutes: Option<u64>,
    /// Globs of JUnit XML files that the commands write.
    pub junit: Vec<String>,
}

impl Config {
    /// Reads the configuration in `text`; `file` is its name in diagnostics, and `kinds` are the agents that can be
    /// called. An empty text is the default.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place: what is not YAML, keys that do not exist, values of the
    /// wrong kind or out of range, broken globs and commands, environment variables that must not be passed on.
    pub fn read(file: &str, text: &str, kinds: &[&str]) -> Result<Self, Vec<Diagnostic>> {
        read::read(file, text, kinds)
    }

    /// Returns the most subagents that run at one time; 8 when the configuration does not say.
    #[must_use]
    pub fn concurrency(&self) -> usize {
        self.concurrency.unwrap_or(DEFAULT_CONCURRENCY).max(1)
    }

    /// Returns how often the authors of what the gates object to are called again.
    #[must_use]
    pub fn rework_rounds(&self) -> u32 {
        self.rework_rounds.unwrap_or(REWORK_ROUNDS_DEFAULT).min(REWORK_ROUNDS_MAX)
    }

    /// Returns the role that does what a plan gives to nobody.
    #[must_use]
    pub fn default_role(&self) -> Option<Role> {
        match self.default_role {
            None => Some(Role::Feature),
            Some(DefaultRole::Role(role)) => Some(role),
            Some(DefaultRole::Nobody(Nobody::None)) => None,
        }
    }

    /// Returns the time limit of one attempt at a task of `subagent`: its own, else the general one, else 60 minutes.
    #[must_use]
    pub fn time_limit(&self, subagent: &SubagentName) -> Duration {
        let own = self.subagents.get(subagent).and_then(|subagent| subagent.time_limit_minutes);
        minutes(own.or(self.time_limit_minutes).unwrap_or(DEFAULT_TIME_LIMIT_MINUTES))
    }

    /// Returns the time limit of one command of a gate, whoever asked for it; 30 minutes when the configuration does
    /// not say.
    #[must_use]
    pub fn gate_time_limit(&self, gate: GateKind) -> Duration {
        let own = self.gates.get(&gate).and_then(|gate| gate.time_limit_minutes);
        minutes(own.unwrap_or(DEFAULT_GATE_TIME_LIMIT_MINUTES))
    }

    /// Returns the commands of a gate, split into arguments. A command that cannot be split is not there: `read` has
    /// refused it.
    #[must_use]
    pub fn gate_commands(&self, gate: GateKind) -> Vec<Vec<String>> {
        let commands = self.gates.get(&gate).map_or(&[][..], |gate| &gate.commands);
        commands.iter().filter_map(|command| command::split(command).ok()).collect()
    }

    /// Returns the program and arguments that run `subagent`: its own, else the agent's; empty when neither is set.
    #[must_use]
    pub fn command(&self, subagent: &SubagentName) -> &[String] {
        let own = self.subagents.get(subagent).and_then(|subagent| subagent.command.as_deref());
        own.unwrap_or(&self.agent.command)
    }

    /// Returns the kind of agent that does the work of `subagent`: its own, else `command` when it has a command of its
    /// own, else the general one. Without any, it is `command`.
    #[must_use]
    pub fn kind(&self, subagent: &SubagentName) -> AgentKind {
        let own = self.subagents.get(subagent);
        let named = own.and_then(|own| own.kind.clone());
        let by_command = || own.and_then(|own| own.command.as_ref()).map(|_| AgentKind::command());
        named.or_else(by_command).or_else(|| self.agent.kind.clone()).unwrap_or_else(AgentKind::command)
    }

    /// Returns how the program of `kind` is called.
    #[must_use]
    pub fn settings(&self, kind: &AgentKind) -> AgentSettings {
        self.agents.get(kind).cloned().unwrap_or_default()
    }

    /// Returns the most turns of one attempt of `subagent`: its own, else the general limit, else none.
    #[must_use]
    pub fn turns(&self, subagent: &SubagentName) -> Option<u64> {
        self.subagents.get(subagent).and_then(|own| own.turns).or(self.limits.turns)
    }

    /// Returns the most dollars that one attempt of `subagent` may cost: its own limit, else the general one, else none.
    #[must_use]
    pub fn cost(&self, subagent: &SubagentName) -> Option<Dollars> {
        self.subagents.get(subagent).and_then(|own| own.cost).or(self.limits.cost)
    }

    /// Returns the names of the environment variables that `subagent` is given: those for all, those of its agent, and
    /// its own.
    #[must_use]
    pub fn environment(&self, subagent: &SubagentName) -> BTreeSet<&str> {
        let own = self.subagents.get(subagent).map(|subagent| subagent.pass_environment.as_slice());
        let agent = self.agents.get(&self.kind(subagent)).map(|settings| settings.pass_environment.as_slice());
        let all = self.pass_environment.iter().chain(agent.unwrap_or_default()).chain(own.unwrap_or_default());
        all.map(String::as_str).collect()
    }

    /// Returns the globs of the paths that no subagent may touch: the configured list, else the built-in one.
    #[must_use]
    pub fn protected_paths(&self) -> Vec<String> {
        self.protected_paths
            .clone()
            .unwrap_or_else(|| DEFAULT_PROTECTED_PATHS.iter().map(|path| path.glob.to_owned()).collect())
    }

    /// Digests what decides who may touch what, what is run in whose name with which secrets, and what verifies it:
    /// the protected paths, the agent's and the subagents' overrides, the gates' commands, the environment.
    ///
    /// Concurrency, limits and rounds of rework are left out: an approval need not be given again because a machine has
    /// more cores.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let untimed = |subagent: &SubagentConfig| SubagentConfig {
            time_limit_minutes: None,
            turns: None,
            cost: None,
            ..subagent.clone()
        };
        let gates =
            self.gates.iter().map(|(&kind, gate)| (kind, GateConfig { time_limit_minutes: None, ..gate.clone() }));
        let decisive = Self {
            agent: self.agent.clone(),
            agents: self.agents.clone(),
            subagents: self.subagents.iter().map(|(name, subagent)| (name.clone(), untimed(subagent))).collect(),
            // The effective list, so that a release with other defaults is another lock.
            protected_paths: Some(self.protected_paths()),
            evidence: self.evidence.clone(),
            gates: gates.collect(),
            setup: self.setup.clone(),
            concurrency: None,
            time_limit_minutes: None,
            limits: Limits::default(),
            rework_rounds: None,
            escalate_beyond_plan: self.escalate_beyond_plan,
            // They decide who is given what, and in how many calls.
            default_role: self.default_role,
            granularity: self.granularity,
            pass_environment: self.pass_environment.clone(),
            isolation: self.isolation,
            // Where plans are found and what is reported decides nothing about what is run.
            pull_request: PullRequestConfig::default(),
            // The workflow that was generated from it is what counts, and it stands beside the configuration.
            workflow: WorkflowConfig::default(),
        };
        Digest::from_content(
            serde_json::to_vec(&decisive).expect("invariant: a configuration is lists and maps with texts as keys"),
        )
    }
}

fn minutes(n: u64) -> Duration {
    // `read` refuses 0; a configuration that was made in another way is not run without any time.
    Duration::from_secs(n.max(1).saturating_mul(60))
}

/// Returns the JSON schema (draft 2020-12) of the configuration, for the agents that can be called.
#[must_use]
pub fn schema(kinds: &[&str]) -> serde_json::Value {
    let mut schema = schemars::schema_for!(Config).to_value();
    if let Some(kind) = schema.pointer_mut("/$defs/AgentKind").and_then(serde_json::Value::as_object_mut) {
        kind.insert("enum".to_owned(), kinds.into());
    }
    let programs = kinds.iter().filter(|kind| **kind != AgentKind::COMMAND).copied().collect::<Vec<_>>();
    if let Some(agents) = schema.pointer_mut("/properties/agents").and_then(serde_json::Value::as_object_mut) {
        agents.insert("propertyNames".to_owned(), serde_json::json!({ "enum": programs }));
    }
    schema
}
