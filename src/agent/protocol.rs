//! What the coordinator and a supervisor say to each other: one line of JSON down the supervisor's standard input, and
//! up to two lines back up its standard output.
//!
//! Orders go through a pipe, not through arguments or the environment: those can be read by every process of the same
//! user, and the environment of an agent holds the secrets that it was given by name.

use std::{path::PathBuf, time::Duration};

use implementer_model::ids::Digest;
use serde::{Deserialize, Serialize};

use super::answer::AnswerFile;
use crate::sandbox::Confinement;

/// The first argument that makes the executable a supervisor.
pub const SUPERVISE: &str = "__supervise";

/// The longest line of orders that is read, in bytes: Linux gives arguments and environment together a quarter of the
/// stack limit, 2 MiB by default, and JSON at most sextuples that.
pub(super) const ORDERS_MAX: usize = 16 * 1024 * 1024;

/// The longest grace period; a longer one is cut to it.
pub(super) const GRACE_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// What a supervisor is to do.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Orders {
    pub(super) argv: Vec<String>,
    pub(super) directory: PathBuf,
    pub(super) environment: Vec<(String, String)>,
    pub(super) input: Option<PathBuf>,
    pub(super) log: PathBuf,
    pub(super) output_cap: u64,
    pub(super) grace: Duration,
    pub(super) answer: Option<AnswerFile>,
    pub(super) secrets: Vec<String>,
    /// What the process is confined to; none to start it as we are.
    pub(super) confinement: Option<Confinement>,
}

/// What a supervisor says.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Word {
    /// The process runs, as the leader of a group with this id.
    Started { pid: i32 },
    /// It could not be started.
    Refused(LaunchError),
    /// It has ended, and so has everything that it started.
    Ended(Ended),
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exit {
    /// It returned an exit code.
    Code(i32),
    /// A signal ended it.
    Signal(i32),
}

impl Exit {
    /// Tells whether the exit code is 0.
    #[must_use]
    pub fn success(self) -> bool {
        self == Self::Code(0)
    }

    /// Returns the exit code, when there is one.
    #[must_use]
    pub fn code(self) -> Option<i32> {
        match self {
            Self::Code(code) => Some(code),
            Self::Signal(_) => None,
        }
    }
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => match signal_hook::low_level::signal_name(*signal) {
                Some(name) => write!(f, "signal {signal} ({name})"),
                None => write!(f, "signal {signal}"),
            },
        }
    }
}

/// How a supervised process ended, and what became of what it started and wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Ended {
    /// How the process itself ended. A process that not even KILL could end within ten seconds counts as killed, and
    /// as one of the [`survivors`](Self::survivors).
    pub exit: Exit,
    /// Whether it was asked to stop while it ran: by its time limit, a cancel, or the coordinator's own end.
    pub stopped: bool,
    /// Whether it was stopped because it took more turns than it may.
    pub out_of_turns: bool,
    /// Whether it was ended because it stayed after its last word.
    #[serde(default)]
    pub overstayed: bool,
    /// Whether its answer is not whole.
    pub answer_truncated: bool,
    /// Whether something had to be killed because it did not end when it was asked to.
    pub killed: bool,
    /// Processes that were still running after the process itself had ended. They were asked to end, then killed.
    pub leftovers: u32,
    /// Processes that could not be killed: another user's, or stuck in the kernel.
    pub survivors: u32,
    /// The length of its whole output in bytes: standard output and standard error together, or the latter alone where
    /// the former is its answer.
    pub output_bytes: u64,
    /// Whether the log holds less than that.
    pub truncated: bool,
    /// Why the log is not whole, when writing it failed.
    pub log_trouble: Option<String>,
    /// The digest of its whole output, of what the log does not hold too.
    pub output_digest: Digest,
    /// The end of its output: at most 8 KiB, without escape sequences and control characters.
    pub output_tail: String,
    /// The time from its start until nothing of it was left, in milliseconds.
    pub duration_ms: u64,
}

/// Says why a process could not be started or watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum LaunchError {
    /// What was to be started cannot be a process at all.
    #[error("cannot start a process: {what}")]
    Invalid {
        /// What is wrong.
        what: String,
    },
    /// There is no such program.
    #[error("the program `{program}` was not found{place}: install it, or name it by its absolute path")]
    ProgramNotFound {
        /// The program as it was asked for.
        program: String,
        /// Where it was looked for, with a leading blank.
        place: String,
    },
    /// There is such a file, but it cannot be run.
    #[error("`{program}` cannot be run: {why}")]
    NotExecutable {
        /// The program.
        program: String,
        /// Why, and what to do.
        why: String,
    },
    /// The directory that it was to run in is not there.
    #[error("the working directory {directory} is gone or no directory ({why}): run the task again")]
    DirectoryGone {
        /// The directory.
        directory: String,
        /// What the operating system said.
        why: String,
    },
    /// A file that belongs to it cannot be opened.
    #[error("cannot open {path} for {purpose}: {why}")]
    File {
        /// The path.
        path: String,
        /// What for, such as "the log".
        purpose: String,
        /// What the operating system said.
        why: String,
    },
    /// The operating system refused to start it.
    #[error("`{program}` could not be started: {why}")]
    Start {
        /// The program.
        program: String,
        /// What the operating system said.
        why: String,
    },
    /// The supervisor could not be started, or could not do its work.
    #[error("the supervisor of `{program}` failed: {why}")]
    Supervisor {
        /// The program.
        program: String,
        /// What happened.
        why: String,
    },
    /// The program could not be isolated.
    #[error("`{program}` was not started, because it could not be isolated: {why}")]
    Sandbox {
        /// The program.
        program: String,
        /// What the system said.
        why: String,
    },
    /// The supervisor did not say how the process ended, or did not end after it had said so. Whatever it watched may
    /// have done that: nothing that it left counts.
    #[error("the supervisor of `{program}` was lost, so nothing that the program left counts: {why}")]
    Lost {
        /// The program.
        program: String,
        /// What happened.
        why: String,
    },
    /// Something that the program started could not be ended.
    #[error("{count} processes that `{program}` started could not be ended, so nothing that it left counts")]
    Survived {
        /// The program.
        program: String,
        /// How many there are.
        count: u32,
    },
}

impl LaunchError {
    /// Tells whether the process ran and nothing counts that it left: nobody can say how it ended, or something of it still
    /// runs.
    #[must_use]
    pub fn is_loss(&self) -> bool {
        matches!(self, Self::Lost { .. } | Self::Survived { .. })
    }

    /// Tells whether another attempt may work: what the operating system refuses for want of something, such as memory
    /// or processes, and not what was asked for wrongly. A lost supervisor is an attack, not bad luck.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Start { .. } | Self::Supervisor { .. })
    }
}
