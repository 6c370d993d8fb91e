//! Why a subagent cannot be called.

use std::path::{Path, PathBuf};

use implementer_model::wording::page;

use super::{EnvironmentError, Exit, LaunchError, kinds};

/// Says why a job could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// No program is configured.
    #[error(
        "no agent is configured for `{subagent}`: set `agent.kind` in the configuration to an agent program, or \
         `agent.command` to a program of your own, see {}",
        page("agent-programs.md")
    )]
    NoCommand {
        /// The subagent.
        subagent: String,
    },
    /// The program cannot be run.
    #[error("the subagent `{subagent}` cannot be called")]
    Program {
        /// The subagent.
        subagent: String,
        /// Why.
        source: LaunchError,
    },
    /// There is no such agent.
    #[error("there is no agent `{name}`; there are {}", kinds().join(", "))]
    NoSuchAgent {
        /// What was asked for.
        name: String,
    },
    /// The agent program is missing, or cannot be run.
    #[error("{agent} cannot be called for `{subagent}`")]
    Missing {
        /// The agent.
        agent: &'static str,
        /// The subagent.
        subagent: String,
        /// How it is installed.
        install: &'static str,
        /// Why it cannot be called.
        source: Box<LaunchError>,
    },
    /// The agent program could not be asked for its version.
    #[error("{agent} cannot be asked for its version")]
    Probe {
        /// The agent.
        agent: &'static str,
        /// Why.
        source: LaunchError,
    },
    /// The agent program did not tell its version.
    #[error("`{agent} --version` gives no version ({exit}): {said}")]
    NoVersion {
        /// The agent.
        agent: &'static str,
        /// How it ended.
        exit: Exit,
        /// What it said.
        said: String,
    },
    /// The agent program is older than those that were tested.
    #[error("{agent} {found} is older than {oldest}, the oldest version that was tested with")]
    TooOld {
        /// The agent.
        agent: &'static str,
        /// The version that is there.
        found: String,
        /// The oldest that was tested with.
        oldest: String,
        /// How it is installed.
        install: &'static str,
    },
    /// The agent program is given nothing to identify itself with.
    #[error(
        "{agent} is given no credential: none of {names} is both set and named under `pass-environment` (of \
         `agents.{agent}`, say); subagents have a home of their own, so that a login there does not count"
    )]
    NoCredential {
        /// The agent.
        agent: &'static str,
        /// The variables of which it needs one.
        names: String,
    },
    /// What the agent program costs is limited, and nobody could tell what it costs.
    #[error(
        "{agent} does not tell what it costs, so that a limit could not be kept: set `agents.{agent}.prices` for its \
         model, or for `default`"
    )]
    NoPrice {
        /// The agent.
        agent: &'static str,
    },
    /// What subagents cost is limited, and a command of one's own tells nobody what it costs.
    #[error(
        "what `{subagent}` costs is limited, but a command of one's own tells nobody what it costs: take the limit away, \
         or let an agent program do the work"
    )]
    CommandCost {
        /// The subagent.
        subagent: String,
    },
    /// A variable may not be passed on.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    /// A folder or file of the attempt could not be made.
    #[error("cannot make {}", .path.display())]
    Scratch {
        /// The path.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A path cannot be told to a program.
    #[error("the path {} is not UTF-8: move the repository or the output elsewhere", .0.display())]
    Path(PathBuf),
}

impl AgentError {
    /// Returns what to do about it, where it is not clear from what happened.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { install, .. } => Some(format!("install it by `{install}`")),
            Self::TooOld { agent, install, .. } => Some(format!(
                "install it by `{install}`, or set `agents.{agent}.old-version: true` to use it all the same"
            )),
            Self::NoVersion { agent, said, .. } if is_kept_from_it(said) => Some(format!(
                "what keeps subagents apart does not let it read something that it starts: install that below /opt or \
                 /usr/local, or name the real program by its absolute path in `agents.{agent}.program`"
            )),
            _ => None,
        }
    }
}

/// Tells whether a program says that it may not have something, or misses a file that is there for us.
fn is_kept_from_it(said: &str) -> bool {
    let mut paths = said.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '/'));
    let misses = ["not found", "No such file", "cannot find", "Cannot find"].iter().any(|words| said.contains(words));
    said.contains("ermission denied")
        || (misses && paths.any(|path| path.starts_with('/') && Path::new(path).is_file()))
}
