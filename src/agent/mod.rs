//! Agents: what does the work of a subagent, and the supervised child process that it runs in.
//!
//! An [`Agent`] knows one agent CLI: it turns a [`Job`] into a [`Launch`], and what the process left into a
//! [`Conclusion`]. [`run`] runs the launch; it knows no agent. Everything that comes back is untrusted.

#[cfg(not(unix))]
compile_error!("subagents run in Unix processes: build for Linux or macOS, or use the container");

use std::{collections::BTreeMap, path::Path, time::Duration};

use implementer_model::{
    brief::Manner,
    budget::Dollars,
    ids::{ObjectId, TaskId},
    report::ReadReport,
    roster::{Access, Subagent},
    scope::Scope,
    session::Session,
};

mod agents;
mod answer;
mod cli;
mod command;
mod descendants;
mod ears;
mod environment;
mod error;
mod event_lines;
mod last_step;
mod launcher;
mod new_file;
mod output;
mod process;
mod program;
mod protocol;
mod reaping;
mod redaction;
mod report_file;
mod scratch;
mod secret_forms;
mod starting;
mod supervise;
mod supervisor;

use scratch::Scratch;

pub use agents::{Agents, Making};
pub use answer::{AnswerFile, TurnLimit};
pub use cli::{CliAgent, ProgramInfo, abilities, kinds, programs};
pub use command::CommandAgent;
pub use environment::EnvironmentError;
pub use error::AgentError;
pub use event_lines::LastWord;
pub use last_step::LastStep;
pub use launcher::{LAUNCH, launch_main};
pub use process::{Launch, run};
pub use program::is_found;
pub use protocol::{Ended, Exit, LaunchError, SUPERVISE};
pub use redaction::Secrets;
pub use report_file::{ReportFileError, read_report};
pub use scratch::{own_folders, report_folder};
pub use supervise::supervise_main;

/// How much of a subagent's output its log holds, in bytes.
pub const OUTPUT_CAP: u64 = 16 * 1024 * 1024;

/// The exit code with which an agent says that it failed for a reason that may be gone soon, such as a model that cannot
/// be reached: `EX_TEMPFAIL` of sysexits.h.
pub const EXIT_TRANSIENT: i32 = 75;

/// How long a subagent has to end after it was asked to, before it is killed.
///
/// A cancelled workflow job gets SIGINT, after 7.5 seconds SIGTERM, and 2.5 seconds later it is killed (GitHub's
/// documentation on cancelling a workflow): what was made until then has to be written down in that time.
pub const GRACE: Duration = Duration::from_secs(5);

/// One attempt at one task, ready to be done.
#[derive(Debug, Clone)]
pub struct Job<'a> {
    /// The task.
    pub task: &'a TaskId,
    /// The attempt's number, from 1.
    pub attempt: u32,
    /// Who does it.
    pub subagent: &'a Subagent,
    /// The paths it may touch.
    pub scope: &'a Scope,
    /// Whether it may change anything.
    pub access: Access,
    /// The commit that the whole implementation started from: what a reviewer compares with.
    pub base: &'a ObjectId,
    /// Its work tree, in which it runs.
    pub worktree: &'a Path,
    /// What it is told: a file outside the work tree.
    pub brief: &'a Path,
    /// Where it writes its report: outside the work tree, and not there yet.
    pub report: &'a Path,
    /// Where its output goes.
    pub log: &'a Path,
    /// A folder of this attempt's own, in which it gets its `HOME` and `TMPDIR`.
    pub scratch: &'a Path,
    /// The most turns that it may take; as many as it likes when there is no limit.
    pub turns: Option<u64>,
    /// The most dollars that it may cost.
    pub budget: Option<Dollars>,
    /// How long it may take. Whoever runs the launch sees to it; the subagent is only told.
    pub time_limit: Duration,
    /// Names of the variables that are passed on to it from the coordinator's environment.
    pub pass_environment: &'a [String],
}

/// What does the work of a subagent.
pub trait Agent: std::fmt::Debug + Send + Sync {
    /// Returns the name by which the configuration calls it.
    fn name(&self) -> &'static str;

    /// Returns how it is told its role, and how it reports.
    fn manner(&self) -> Manner {
        Manner::default()
    }

    /// Tells whether the settings, hooks and servers that the repository has for agent programs are there for it.
    fn uses_project_settings(&self) -> bool {
        true
    }

    /// Checks that a subagent can be called at all, before a run begins. `passed` are the names of the variables that it
    /// will be given; `limited_cost` says that what it costs is limited.
    ///
    /// # Errors
    /// When its program is missing, cannot be run, or none is configured; when it has no credential; when a limit could
    /// not be kept.
    fn check(&self, subagent: &Subagent, passed: &[String], limited_cost: bool) -> Result<(), AgentError>;

    /// Names the variables that are set here, say how the program reaches its model, and are not among those that are passed.
    fn lost_variables(&self, passed: &[String]) -> Vec<&'static str> {
        let _ = passed;
        Vec::new()
    }

    /// Prepares the process that asks the program for its version, where it has one that matters.
    ///
    /// # Errors
    /// When its folders cannot be made.
    fn probe(&self, scratch: &Path) -> Result<Option<Launch>, AgentError> {
        let _ = scratch;
        Ok(None)
    }

    /// Takes in what the program said to [`Self::probe`].
    ///
    /// # Errors
    /// When the version cannot be used.
    fn probed(&self, ended: &Ended) -> Result<(), AgentError> {
        let _ = ended;
        Ok(())
    }

    /// Prepares the process for a job: makes its folders, and says what to start.
    ///
    /// # Errors
    /// When something that is needed is missing or forbidden.
    fn prepare(&self, job: &Job<'_>) -> Result<Launch, AgentError>;

    /// Says where the last step of a job is seen while it runs.
    fn last_step(&self, job: &Job<'_>) -> LastStep {
        LastStep::of_log(job.log)
    }

    /// Reads what a job came to from what its process left.
    fn conclude(&self, job: &Job<'_>, ended: &Ended) -> Conclusion;

    /// Prepares the process that asks once more for a report, where the first answer is none and the program can go on
    /// with its session.
    fn repair(&self, job: &Job<'_>, first: &Conclusion) -> Option<Result<Launch, AgentError>> {
        let _ = (job, first);
        None
    }

    /// Reads what a job came to after it was asked once more.
    fn conclude_repair(&self, job: &Job<'_>, first: Conclusion, ended: &Ended) -> Conclusion {
        let _ = (job, ended);
        first
    }
}

/// What a job came to, as far as its process tells. Whether the task passed is decided elsewhere.
#[derive(Debug)]
pub struct Conclusion {
    /// What the agent program says about its session, where there is such a program.
    pub session: Option<Session>,
    /// What it reported: nothing, something that is no report, or a report.
    pub report: Result<Option<ReadReport>, ReportFileError>,
}

impl Conclusion {
    /// Takes secrets out of everything that was said.
    #[must_use]
    pub fn without(self, secrets: &Secrets) -> Self {
        Self {
            session: self.session.map(|session| secrets.taken_out_of(session)),
            report: self.report.and_then(|read| read.map(|read| secrets.taken_out_of_report(read)).transpose()),
        }
    }
}

/// Removes what an interrupted attempt left in place of a report: it would be taken for this one's.
fn clear_report(report: &Path) -> Result<(), AgentError> {
    match std::fs::remove_file(report) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(AgentError::Scratch { path: report.to_owned(), source: error })
        }
        _ => Ok(()),
    }
}

/// Builds the environment of a gate's command: what a subagent gets, without the contract. Its home and its folder for
/// temporary files are made below `scratch`.
///
/// # Errors
/// When a variable may not be passed on, or the folders cannot be made.
pub fn gate_environment(
    own: &BTreeMap<String, String>,
    passed: &[String],
    scratch: &Path,
) -> Result<Vec<(String, String)>, AgentError> {
    let Scratch { home, temporary } = Scratch::make(scratch, "gate")?;
    Ok(environment::build(own, passed, &home, &temporary, [])?)
}

/// Returns this process's environment, as far as it is UTF-8, to pass variables on from by name.
#[must_use]
pub fn own_environment() -> BTreeMap<String, String> {
    let text = |value: std::ffi::OsString| value.into_string().ok();
    std::env::vars_os().filter_map(|(name, value)| Some((text(name)?, text(value)?))).collect()
}

/// Keeps other processes of the same user from reading this process's memory and environment, where the operating
/// system can (Linux: `PR_SET_DUMPABLE`). To be called at the beginning of every command that runs subagents: their
/// own environment has no token, but `/proc/PID/environ` of their coordinator would.
///
/// # Errors
/// When the operating system refuses.
pub fn hide_from_other_processes() -> std::io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{DumpableBehavior, dumpable_behavior};

    #[test]
    fn a_hidden_process_cannot_be_read_by_others() {
        assert_ne!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        super::hide_from_other_processes().unwrap();
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
    }
}
