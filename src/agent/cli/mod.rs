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

use implementer_model::config::AgentKind;

pub use self::agent::CliAgent;
use self::dialect::Dialect;

/// The agent programs that can be driven.
static DIALECTS: [&dyn Dialect; 4] = [&claude::Claude, &codex::Codex, &gemini::Gemini, &opencode::OpenCode];

/// Returns the kinds of agents that there are: `command`, and every agent program.
#[must_use]
pub fn kinds() -> Vec<&'static str> {
    [AgentKind::COMMAND].into_iter().chain(DIALECTS.iter().map(|dialect| dialect.name())).collect()
}

/// Tells whether a name is an alias or a model of Anthropic's: agent files of any team are full of them.
fn is_claude_model(model: &str) -> bool {
    matches!(model, "opus" | "sonnet" | "haiku" | "fable" | "opusplan" | "best" | "default") || model.contains("claude")
}
