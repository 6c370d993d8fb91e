//! Which agent program does the work, how it is called, and what it may spend.

use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::budget::{Dollars, Price};

/// The most turns that may be allowed.
pub const TURNS_MAX: u64 = 10_000;

/// The longest time that a whole run may be given, in minutes: a week.
pub const RUN_MINUTES_MAX: u64 = 7 * 24 * 60;

/// The name of a kind of agent. Which there are, whoever reads the configuration says: a program that can drive another
/// agent needs no other model.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct AgentKind(String);

impl AgentKind {
    /// The kind of any executable that keeps to the documented contract.
    pub const COMMAND: &'static str = "command";

    /// Makes a name of one of `kinds`; `None` when it is none of them.
    #[must_use]
    pub fn parse(name: &str, kinds: &[&str]) -> Option<Self> {
        kinds.contains(&name).then(|| Self(name.to_owned()))
    }

    /// Returns the kind of any executable.
    #[must_use]
    pub fn command() -> Self {
        Self(Self::COMMAND.to_owned())
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AgentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How subagents are run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct AgentConfig {
    /// The kind of agent: an agent program by its name, or `command` for any executable.
    pub kind: Option<AgentKind>,
    /// The program and its arguments, for the kind `command`. A relative program with a `/` is looked up in the
    /// repository at the base commit.
    pub command: Vec<String>,
}

/// How one agent program is called.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct AgentSettings {
    /// The program, when it is not found under its own name along `PATH`. A relative one with a `/` is looked up in the
    /// repository at the base commit.
    pub program: Option<String>,
    /// Further arguments, behind those that this program gives.
    pub arguments: Vec<String>,
    /// The model for subagents that ask for none.
    pub model: Option<String>,
    /// What the models that subagents ask for, such as `opus`, are called by this program.
    pub models: BTreeMap<String, String>,
    /// What keeps the program from doing harm.
    pub permissions: Option<Permissions>,
    /// Whether the settings and hooks that the repository has for the program at the base commit are used; false when
    /// left out.
    pub project_settings: bool,
    /// Whether a version that is older than those it was tested with is used all the same; false when left out.
    pub old_version: bool,
    /// The MCP servers that agent files bring along and that may be started, by their names; none when left out.
    pub mcp_servers: Vec<String>,
    /// Names of environment variables that are passed on to this program, such as that of its key.
    pub pass_environment: Vec<String>,
    /// What the tokens of models cost, by the model's name; for programs that do not tell what they cost. `default` is
    /// every other model.
    pub prices: BTreeMap<String, Price>,
}

/// What keeps an agent program from doing harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Permissions {
    /// Its own sandbox or its own rules, where it has them.
    Own,
    /// Nothing but the container or machine that it runs in.
    Full,
}

impl Permissions {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Own, Self::Full];

    /// Returns the name in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Full => "full",
        }
    }
}

/// What attempts and runs may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Limits {
    /// The most turns of one attempt: 1 to 10000; as many as it likes when left out.
    #[schemars(range(min = 1, max = 10_000))]
    pub turns: Option<u64>,
    /// The most dollars that one attempt may cost.
    pub cost: Option<Dollars>,
    /// The most dollars that the whole run may cost.
    pub run_cost: Option<Dollars>,
    /// The longest that the whole run may take, in minutes: 1 to 10080.
    #[schemars(range(min = 1, max = 10_080))]
    pub run_minutes: Option<u64>,
}
