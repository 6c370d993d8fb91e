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
mod version;

use implementer_model::{
    config::AgentKind,
    means::Abilities,
    roster::models::{ModelName, Vendor},
};

pub use self::agent::CliAgent;
use self::dialect::Dialect;

/// The agent programs that can be driven.
static DIALECTS: [&dyn Dialect; 4] = [&claude::Claude, &codex::Codex, &gemini::Gemini, &opencode::OpenCode];

/// Returns the kinds of agents that there are: `command`, and every agent program.
#[must_use]
pub fn kinds() -> Vec<&'static str> {
    [AgentKind::COMMAND].into_iter().chain(DIALECTS.iter().map(|dialect| dialect.name())).collect()
}

/// Returns what an agent of this kind can hold to, of what agent files say.
#[must_use]
pub fn abilities(kind: &AgentKind) -> Abilities {
    let dialect = DIALECTS.iter().find(|dialect| dialect.name() == kind.as_str());
    dialect.map_or(Abilities::NONE, |dialect| dialect.abilities())
}

/// Returns the identifier of a model, unless another vendor than this one makes it.
fn model_of(words: &str, vendor: Vendor) -> Option<String> {
    let name = ModelName::parse(words);
    [vendor, Vendor::Unknown].contains(&name.vendor).then_some(name.id)
}
