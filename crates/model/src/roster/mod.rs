//! The roster: the subagents that can be called, eight built in, overridden or extended by the repository's agent
//! files.
//!
//! `docs/agents.md` documents the format of agent files and what fills what they leave out.

mod definition;
#[cfg(test)]
mod duties;
mod embedded;
mod file;
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

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{Digest, SubagentName};

pub use crate::vocabulary::{Access, Phase, Role};

pub use self::{
    definition::AGENT_FILE_MAX_BYTES,
    file::AgentFile,
    load::{Loaded, builtin, is_agent_file, load},
    terms::{Effort, McpServer, Terms, Transport, Use},
};

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
    #[serde(with = "crate::shared::items")]
    #[schemars(with = "Vec<Subagent>")]
    subagents: Vec<Arc<Subagent>>,
}

impl Roster {
    /// Makes a roster; of two with one name the later wins. They are kept in the order of roles, then of names.
    #[must_use]
    pub fn new(subagents: impl IntoIterator<Item = Subagent>) -> Self {
        let mut by_name = std::collections::BTreeMap::new();
        for subagent in subagents {
            by_name.insert(subagent.name.clone(), Arc::new(subagent));
        }
        let mut subagents: Vec<_> = by_name.into_values().collect();
        subagents.sort_by(|a, b| (a.role, &a.name).cmp(&(b.role, &b.name)));
        Self { subagents }
    }

    /// Finds a subagent by its exact name.
    #[must_use]
    pub fn get(&self, name: &SubagentName) -> Option<&Subagent> {
        self.iter().find(|subagent| &subagent.name == name)
    }

    /// Finds a subagent by its exact name, for whoever keeps it.
    #[must_use]
    pub fn shared(&self, name: &SubagentName) -> Option<Arc<Subagent>> {
        self.subagents.iter().find(|subagent| &subagent.name == name).cloned()
    }

    /// Goes through all subagents, in the order of roles.
    pub fn iter(&self) -> impl Iterator<Item = &Subagent> {
        self.subagents.iter().map(AsRef::as_ref)
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
        Digest::from_content(serde_json::to_vec(self).expect("invariant: plain structs of texts can be written"))
    }
}
