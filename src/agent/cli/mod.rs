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

/// What is known of an agent program without calling it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProgramInfo {
    /// The kind by which the configuration calls it, which is also the name of its program.
    pub kind: &'static str,
    /// How it is installed.
    pub install: &'static str,
    /// The variable with its key; nothing when there are too many ways.
    pub key: Option<&'static str>,
}

/// Lists the agent programs.
#[must_use]
pub fn programs() -> Vec<ProgramInfo> {
    let program = |dialect: &&dyn Dialect| ProgramInfo {
        kind: dialect.name(),
        install: dialect.install(),
        key: dialect.credentials().first().copied(),
    };
    DIALECTS.iter().map(program).collect()
}

/// Tells whether a name is an alias or a model of Anthropic's: agent files of any team are full of them.
fn is_claude_model(model: &str) -> bool {
    matches!(model, "opus" | "sonnet" | "haiku" | "fable" | "opusplan" | "best" | "default") || model.contains("claude")
}
