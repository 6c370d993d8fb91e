//! From errors to exit codes and hints: the one place.

use std::{fmt::Write as _, io::Write as _};

use implementer_model::{diagnostics::Diagnostic, text};

use crate::{
    actions::RunnerError,
    agent::AgentError,
    artifacts::UploadError,
    coordinator::RunError,
    execution::ExecutionError,
    github::{GithubError, GithubErrorKind},
    intake::IntakeError,
    jobs::JobError,
    journal::JournalError,
    run_dir::RunDirError,
    runtime,
    step::{
        StepError,
        conversation::{ConversationError, NotUploaded},
    },
    verify::VerifyError,
    workspace::WorkspaceError,
};

/// The implementation is complete, or what was asked for is done.
pub(super) const COMPLETE: u8 = 0;
/// It ran, but the implementation is not complete.
pub(super) const INCOMPLETE: u8 = 1;
/// Plan, configuration or arguments are wrong.
pub(super) const BAD_INPUT: u8 = 2;
/// Git, the disk, an agent program, or anything else outside failed.
pub(super) const OUTSIDE_FAILED: u8 = 3;
/// The run was cancelled (128 + SIGINT, as a shell would say).
pub(super) const CANCELLED: u8 = runtime::CANCELLED;

/// Why a command could not do what it was asked for.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    error: anyhow::Error,
    diagnostics: Vec<Diagnostic>,
    /// What to do about it.
    hint: Option<String>,
}

impl Failure {
    /// Makes a failure that the user's input is the cause of.
    pub(super) fn input(error: impl Into<anyhow::Error>) -> Self {
        Self { code: BAD_INPUT, error: error.into(), diagnostics: Vec::new(), hint: None }
    }

    /// Makes a failure of problems in a file.
    pub(super) fn diagnosed(diagnostics: Vec<Diagnostic>, what: &str) -> Self {
        let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
        let error =
            anyhow::anyhow!("{what} has {}. Fix what is listed above, then run again", text::count(errors, "problem"));
        Self { code: BAD_INPUT, error, diagnostics, hint: None }
    }

    /// Makes a failure of something that ran, and did not come out as it must.
    pub(super) fn incomplete(error: impl Into<anyhow::Error>) -> Self {
        Self { code: INCOMPLETE, error: error.into(), diagnostics: Vec::new(), hint: None }
    }

    /// Makes a failure that something outside is the cause of.
    pub(super) fn outside(error: impl Into<anyhow::Error>) -> Self {
        Self { code: OUTSIDE_FAILED, error: error.into(), diagnostics: Vec::new(), hint: None }
    }

    /// Returns the exit code.
    #[must_use]
    pub fn code(&self) -> u8 {
        self.code
    }

    /// Says what to do about it, where nothing says so yet.
    pub(super) fn with_hint(mut self, hint: Option<String>) -> Self {
        self.hint = self.hint.or(hint);
        self
    }

    /// Prints to standard error what happened, where, and what to do.
    pub fn print(&self) {
        let mut out = String::new();
        for diagnostic in &self.diagnostics {
            let _ = writeln!(out, "{diagnostic}\n");
        }
        let _ = writeln!(out, "error: {}", shown(&self.error.to_string()));
        // A cause that is said already is not said again.
        let mut said = self.error.to_string();
        for cause in self.error.chain().skip(1) {
            let cause = cause.to_string();
            if !said.contains(&cause) {
                let _ = writeln!(out, "  because: {}", shown(&cause));
                said.push_str(&cause);
            }
        }
        if let Some(hint) = &self.hint {
            let _ = writeln!(out, "  hint: {}", shown(hint));
        }
        // A closed standard error is nothing that could be told anybody.
        let _ = std::io::stderr().write_all(text::terminal(&out).as_bytes());
    }
}

/// The longest message that is printed, in characters.
const SHOWN_MAX: usize = 8_000;

/// Makes a message one that nothing in it can end: its further lines are indented, so that none is taken for ours.
fn shown(message: &str) -> String {
    text::truncate(&text::terminal(message), SHOWN_MAX).replace('\n', "\n    ")
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.error.fmt(f)
    }
}

impl From<IntakeError> for Failure {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Invalid(ref diagnostics) => {
                let diagnostics = diagnostics.clone();
                Self { code: BAD_INPUT, error: error.into(), diagnostics, hint: None }
            }
            IntakeError::Lock(_) => Self::input(error),
            IntakeError::Workspace(error) => error.into(),
        }
    }
}

impl From<WorkspaceError> for Failure {
    fn from(error: WorkspaceError) -> Self {
        // What the user named wrongly is input; what git or the disk did is not.
        match error {
            WorkspaceError::NotARepository { .. }
            | WorkspaceError::EmptyRepository { .. }
            | WorkspaceError::UnknownRevision { .. }
            | WorkspaceError::StoreExists { .. }
            | WorkspaceError::FileTooLarge { .. } => Self::input(error),
            _ => Self::outside(error),
        }
    }
}

impl From<RunDirError> for Failure {
    fn from(error: RunDirError) -> Self {
        match error {
            RunDirError::Taken { .. } | RunDirError::NotOurs { .. } | RunDirError::NothingToResume { .. } => {
                Self::input(error)
            }
            RunDirError::AtWork { .. } | RunDirError::Io { .. } => Self::outside(error),
        }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Workspace(error) => error.into(),
            RunError::RunDir(error) => error.into(),
            RunError::Agent(error) => error.into(),
            RunError::Journal(JournalError::Newer { .. } | JournalError::OtherLock { .. }) => Self::input(error),
            RunError::Journal(_) | RunError::Defect(_) | RunError::Environment(_) | RunError::Setup(_) => {
                Self::outside(error)
            }
        }
    }
}

impl From<AgentError> for Failure {
    fn from(error: AgentError) -> Self {
        let hint = error.hint();
        let failure = match error {
            AgentError::NoCommand { .. }
            | AgentError::NoSuchAgent { .. }
            | AgentError::NoCredential { .. }
            | AgentError::NoPrice { .. }
            | AgentError::CommandCost { .. }
            | AgentError::Environment(_)
            | AgentError::Path(_) => Self::input(error),
            AgentError::Program { .. }
            | AgentError::Missing { .. }
            | AgentError::Probe { .. }
            | AgentError::NoVersion { .. }
            | AgentError::TooOld { .. }
            | AgentError::Scratch { .. } => Self::outside(error),
        };
        failure.with_hint(hint)
    }
}

impl From<ExecutionError> for Failure {
    fn from(error: ExecutionError) -> Self {
        match error {
            ExecutionError::Surroundings { .. } | ExecutionError::Sandbox(_) => Self::outside(error),
            ExecutionError::Agent(error) => error.into(),
            ExecutionError::Workspace(error) => error.into(),
            ExecutionError::RunDir(error) => error.into(),
            ExecutionError::Run(error) => error.into(),
        }
    }
}

impl From<ConversationError> for Failure {
    fn from(error: ConversationError) -> Self {
        match error {
            ConversationError::Github(error) => error.into(),
            ConversationError::Workspace(error) => error.into(),
            ConversationError::Execution(error) => error.into(),
            ConversationError::Intake(error) => error.into(),
            ConversationError::KeptNotHere(_) => {
                let hint = error.hint();
                Self::outside(error).with_hint(hint)
            }
            _ => {
                let hint = error.hint();
                Self::input(error).with_hint(hint)
            }
        }
    }
}

impl From<GithubError> for Failure {
    fn from(error: GithubError) -> Self {
        let hint = error.hint();
        match error.kind {
            GithubErrorKind::BadToken(_) => Self::input(error),
            _ => Self::outside(error),
        }
        .with_hint(hint)
    }
}

impl From<StepError> for Failure {
    fn from(error: StepError) -> Self {
        let hint = error.hint();
        let failure = match error {
            StepError::Runner(error) => error.into(),
            StepError::Github(error) => error.into(),
            StepError::Conversation(error) => error.into(),
            StepError::Execution(error) => error.into(),
            StepError::Job(error) => error.into(),
            StepError::Upload(error) | StepError::NotUploaded(NotUploaded::Service(error)) => error.into(),
            StepError::Workspace(error) => error.into(),
            StepError::Event(_)
            | StepError::Refused { .. }
            | StepError::Config { .. }
            | StepError::NoToken
            | StepError::Repository(_)
            | StepError::MissingInput(_)
            | StepError::NoState
            | StepError::Outputs { .. }
            | StepError::Assignment(_)
            | StepError::TooManyWaves { .. }
            | StepError::NoPullRequest
            | StepError::OwnBranch(_)
            | StepError::NoDispatchToken => Self::input(error),
            StepError::StateLost(_)
            | StepError::ResultsNotHere(_)
            | StepError::NotUploaded(NotUploaded::Pack(..))
            | StepError::NotReported(_)
            | StepError::SavedState(_)
            | StepError::File { .. }
            | StepError::Process { .. }
            | StepError::Dispatch(_) => Self::outside(error),
        };
        failure.with_hint(hint)
    }
}

impl From<RunnerError> for Failure {
    fn from(error: RunnerError) -> Self {
        match error {
            RunnerError::NotActions | RunnerError::Missing(_) | RunnerError::Input { .. } => Self::input(error),
            RunnerError::File { .. } => Self::outside(error),
        }
    }
}

impl From<UploadError> for Failure {
    fn from(error: UploadError) -> Self {
        match error {
            UploadError::NoService(_) => Self::input(error),
            _ => Self::outside(error),
        }
    }
}

impl From<JobError> for Failure {
    fn from(error: JobError) -> Self {
        match error {
            JobError::File { .. } | JobError::Keep(_) | JobError::Diverged { .. } | JobError::Sandbox(_) => {
                Self::outside(error)
            }
            JobError::State { .. }
            | JobError::NotDue { .. }
            | JobError::NotDispatched(_)
            | JobError::Mixed(..)
            | JobError::Name(_)
            | JobError::NothingNamed => Self::input(error),
            JobError::Intake(error) => error.into(),
            JobError::Workspace(error) => error.into(),
            JobError::Run(error) => error.into(),
            JobError::RunDir(error) => error.into(),
            JobError::Untrusted(_) => Self::input(error),
            JobError::Journal(error) => RunError::from(error).into(),
            JobError::Agent(error) => error.into(),
        }
    }
}

impl From<VerifyError> for Failure {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Workspace(error) => error.into(),
            VerifyError::Read(_) | VerifyError::Handoff { .. } => Self::input(error),
        }
    }
}
