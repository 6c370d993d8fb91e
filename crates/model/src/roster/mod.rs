//! The roster: the subagents that can be called, eight built in, overridden or extended by the repository's agent
//! files.
//!
//! `docs/agents.md` documents the format of agent files and what fills what they leave out.

mod definition;
#[cfg(test)]
mod duties;
mod embedded;
mod front_matter;
mod keys;
mod load;
pub mod models;
pub mod notes;
mod pipeline;
mod restrictions;
mod roles;
mod terms;
#[cfg(test)]
mod tests;
pub mod tools;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    gate::GateKind,
    ids::{Digest, SubagentName},
};

pub use self::{
    definition::AGENT_FILE_MAX_BYTES,
    load::{AgentFile, Loaded, builtin, is_agent_file, load},
    terms::{Effort, McpServer, Terms, Transport, Use},
};

/// When in the order of the work a subagent has its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Cloud resources, configuration, data types.
    Foundation,
    /// Features and command lines, on top of what the foundation laid.
    Core,
    /// Tests, then review, then validation.
    Quality,
    /// What deployment needs.
    Readiness,
}

impl Phase {
    /// All phases, in order.
    pub const ALL: [Self; 4] = [Self::Foundation, Self::Core, Self::Quality, Self::Readiness];

    /// Returns the phase's number, from 1.
    #[must_use]
    pub fn number(self) -> usize {
        self as usize + 1
    }

    /// Returns the name in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Foundation => "foundation",
            Self::Core => "core",
            Self::Quality => "quality",
            Self::Readiness => "readiness",
        }
    }
}

/// The part that a subagent plays. Plans name it by domain, the summary reports by it, gates belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Cloud resources, templates, service configuration.
    Infrastructure,
    /// Data types, definitions, validation rules.
    DataTypes,
    /// Business logic, endpoints, integrations, data processing.
    Feature,
    /// Commands and their help.
    Cli,
    /// Unit and integration tests.
    Tests,
    /// Standards, security and performance review.
    Review,
    /// Validation against the real stack.
    Validation,
    /// Deployment configuration, environments, scripts.
    Deployment,
}

impl Role {
    /// All roles, in the order of the phases.
    pub const ALL: [Self; 8] = [
        Self::Infrastructure,
        Self::DataTypes,
        Self::Feature,
        Self::Cli,
        Self::Tests,
        Self::Review,
        Self::Validation,
        Self::Deployment,
    ];

    /// Returns the phase that the role belongs to.
    #[must_use]
    pub fn phase(self) -> Phase {
        match self {
            Self::Infrastructure | Self::DataTypes => Phase::Foundation,
            Self::Feature | Self::Cli => Phase::Core,
            Self::Tests | Self::Review | Self::Validation => Phase::Quality,
            Self::Deployment => Phase::Readiness,
        }
    }

    /// Returns where in the order of all work the role has its place: the phase, and within quality its step.
    #[must_use]
    pub fn rank(self) -> u8 {
        match self {
            Self::Infrastructure | Self::DataTypes => 0,
            Self::Feature | Self::Cli => 1,
            Self::Tests => 2,
            Self::Review => 3,
            Self::Validation => 4,
            Self::Deployment => 5,
        }
    }

    /// Returns the name of the built-in subagent that plays the role.
    #[must_use]
    pub fn builtin_name(self) -> &'static str {
        match self {
            Self::Infrastructure => "backend-cloud-infrastructure-architect",
            Self::DataTypes => "backend-datatypes",
            Self::Feature => "backend-feature-implementer",
            Self::Cli => "backend-cli-implementer",
            Self::Tests => "backend-unit-test-generator",
            Self::Review => "backend-code-quality-reviewer",
            Self::Validation => "backend-validation-agent",
            Self::Deployment => "backend-deployment-agent",
        }
    }

    /// Returns the name as agent files and the configuration write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Infrastructure => "infrastructure",
            Self::DataTypes => "data-types",
            Self::Feature => "feature",
            Self::Cli => "cli",
            Self::Tests => "tests",
            Self::Review => "review",
            Self::Validation => "validation",
            Self::Deployment => "deployment",
        }
    }

    /// Returns the role in a word or two, as plans head their sections and the summary names it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Infrastructure => "Infrastructure",
            Self::DataTypes => "Data Types",
            Self::Feature => "Feature",
            Self::Cli => "CLI",
            Self::Tests => "Tests",
            Self::Review => "Review",
            Self::Validation => "Validation",
            Self::Deployment => "Deployment",
        }
    }

    /// Returns the gate that the role's subagent stands for; such a subagent always runs.
    #[must_use]
    pub fn gate(self) -> Option<GateKind> {
        match self {
            Self::Tests => Some(GateKind::Tests),
            Self::Review => Some(GateKind::Review),
            Self::Validation => Some(GateKind::Validation),
            _ => None,
        }
    }
}

/// Whether a subagent may change files at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// It reads; any change is a scope violation.
    ReadOnly,
    /// It writes within its scope.
    Writes,
}

impl Access {
    /// Both, the narrower first.
    pub const ALL: [Self; 2] = [Self::ReadOnly, Self::Writes];

    /// Returns the name as agent files and the configuration write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::Writes => "writes",
        }
    }
}

/// Where a definition came from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// One of the eight that ship with the program.
    BuiltIn,
    /// An agent file of the repository, by its path there.
    File(String),
}

/// One subagent: a named specialist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Subagent {
    /// Its name, unique in the roster.
    pub name: SubagentName,
    /// The part it plays.
    pub role: Role,
    /// What it is for, in a sentence or two.
    pub description: String,
    /// What it is told about itself: the body of its agent file.
    pub prompt: String,
    /// The model it wants, as its file says: an alias or a full name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The tools it is granted, by their names in Claude Code; `None` is what the agent CLI grants by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<String>>,
    /// What its file asks for or forbids beside that.
    #[serde(default, skip_serializing_if = "Terms::is_empty")]
    pub terms: Terms,
    /// Whether it may change files.
    pub access: Access,
    /// The globs of the paths it may touch.
    pub scope: Vec<String>,
    /// The globs of the paths it may not touch, whatever a plan says.
    pub exclude: Vec<String>,
    /// Where the definition came from.
    pub origin: Origin,
}

impl Subagent {
    /// Returns the phase in which it runs.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.role.phase()
    }
}

/// The subagents that can be called, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Roster {
    subagents: Vec<Subagent>,
}

impl Roster {
    /// Makes a roster; of two with one name the later wins. They are kept in the order of roles, then of names.
    #[must_use]
    pub fn new(subagents: impl IntoIterator<Item = Subagent>) -> Self {
        let mut by_name = std::collections::BTreeMap::new();
        for subagent in subagents {
            by_name.insert(subagent.name.clone(), subagent);
        }
        let mut subagents: Vec<_> = by_name.into_values().collect();
        subagents.sort_by(|a, b| (a.role, &a.name).cmp(&(b.role, &b.name)));
        Self { subagents }
    }

    /// Finds a subagent by its exact name.
    #[must_use]
    pub fn get(&self, name: &SubagentName) -> Option<&Subagent> {
        self.subagents.iter().find(|subagent| &subagent.name == name)
    }

    /// Goes through all subagents, in the order of roles.
    pub fn iter(&self) -> impl Iterator<Item = &Subagent> {
        self.subagents.iter()
    }

    /// Finds the subagent that plays a role: the built-in name when the roster has it, else the first of the role that
    /// may be called without being named.
    #[must_use]
    pub fn for_role(&self, role: Role) -> Option<&Subagent> {
        let players = || self.iter().filter(|subagent| subagent.role == role);
        players()
            .find(|subagent| subagent.name.as_str() == role.builtin_name())
            .or_else(|| players().find(|subagent| !subagent.terms.by_name_only))
    }

    /// Digests everything that decides who is told what and may touch what.
    #[must_use]
    pub fn digest(&self) -> Digest {
        // Serialising plain structs of strings cannot fail; an empty text would only make every lock differ.
        Digest::of(serde_json::to_vec(self).unwrap_or_default())
    }
}
