//! Agent programs: Claude Code and its like, driven headless. Each has a file of its own that says how it is called and
//! how it is understood; `agent.rs` has what they have in common. A further one is a further file, and a line in
//! [`DIALECTS`].

mod agent;
mod claude;
mod codex;
mod dialect;
mod gemini;
mod listening;
mod opencode;
mod session_id;
mod version;

use implementer_model::{
    config::AgentKind,
    environment::routes::Reach,
    means::Abilities,
    roster::models::{ModelName, Vendor},
};

pub use self::agent::CliAgent;
pub(super) use self::dialect::Dialect;

/// The agent programs that can be driven.
static DIALECTS: [&dyn Dialect; 4] = [&claude::Claude, &codex::Codex, &gemini::Gemini, &opencode::OpenCode];

/// Returns the program of this kind.
pub(super) fn dialect_of(kind: &str) -> Option<&'static dyn Dialect> {
    DIALECTS.iter().find(|dialect| dialect.name() == kind).copied()
}

/// Returns the kinds of agents that there are: `command`, and every agent program.
#[must_use]
pub fn kinds() -> Vec<&'static str> {
    [AgentKind::COMMAND].into_iter().chain(DIALECTS.iter().map(|dialect| dialect.name())).collect()
}

/// What is known of an agent program without calling it.
#[derive(Debug, Clone, Copy)]
pub struct ProgramInfo {
    /// The kind by which the configuration calls it, which is also the name of its program.
    pub kind: &'static str,
    /// How it is installed.
    pub install: &'static str,
    /// The variables that say how it reaches its model.
    pub reach: Reach<'static>,
}

/// Lists the agent programs.
#[must_use]
pub fn programs() -> Vec<ProgramInfo> {
    let program = |dialect: &&'static dyn Dialect| ProgramInfo {
        kind: dialect.name(),
        install: dialect.install(),
        reach: reach(*dialect),
    };
    DIALECTS.iter().map(program).collect()
}

/// Returns the variables that say how an agent program reaches its model.
fn reach(dialect: &'static dyn Dialect) -> Reach<'static> {
    Reach { keys: dialect.keys(), routes: dialect.routes() }
}

/// Returns what an agent of this kind can hold to, of what agent files say.
#[must_use]
pub fn abilities(kind: &AgentKind) -> Abilities {
    let dialect = dialect_of(kind.as_str());
    dialect.map_or(Abilities::NONE, Dialect::abilities)
}

/// Returns the identifier of a model, unless another vendor than this one makes it.
fn model_of(words: &str, vendor: Vendor) -> Option<String> {
    let name = ModelName::parse(words);
    [vendor, Vendor::Unknown].contains(&name.vendor).then_some(name.id)
}
