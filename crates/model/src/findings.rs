//! Findings: what was wrong, as the coordinator noticed it or a reviewer reported it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::TaskId;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// The implementation is not complete while it stands.
    Blocking,
    /// Somebody should look.
    Warning,
    /// Worth knowing.
    Note,
}

impl Weight {
    /// Returns the name in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Blocking => "blocking",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// The kinds of findings. The name is a promise: people filter by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FindingCode {
    /// A reviewer or another subagent reported it.
    Reported,
    /// A subagent changed paths outside its scope; nothing of its patch was integrated.
    ScopeViolation,
    /// Two patches changed the same place in different ways.
    Conflict,
    /// "Done", and nothing was changed.
    ClaimedButUnchanged,
    /// The report claims files that the patch does not have.
    ClaimWithoutChange,
    /// The patch has files that the report does not mention.
    ChangeWithoutClaim,
    /// No report was written.
    NoReport,
    /// The report does not keep to its schema.
    InvalidReport,
    /// A requirement that no report claims and no patch of its task can cover.
    UncoveredRequirement,
    /// The subagent process failed.
    SubagentFailed,
    /// The subagent ran into its time limit.
    TimedOut,
    /// The subagent used up its money.
    BudgetExhausted,
    /// The subagent used up its turns.
    TurnsExhausted,
    /// The model could not be called, or broke off.
    ModelFailed,
    /// The model refused the work.
    ModelRefused,
    /// The agent program's sandbox let no command run.
    SandboxFailed,
    /// A tool that the subagent called was not allowed.
    ToolDenied,
    /// The subagent answered with text that is no report, also after it was asked again.
    UnstructuredReport,
    /// A patch holds the value of a secret that the subagent was given.
    SecretWritten,
    /// Something about the agent program that is worth knowing.
    AgentNote,
    /// The run reached its time limit and was ended.
    RunTimedOut,
    /// The subagent said that it cannot go on, and what it needs.
    SubagentBlocked,
    /// A specialist that a blocked subagent named was not called.
    EscalationRefused,
    /// An attempt changed exactly what an earlier one had changed.
    SamePatchAgain,
    /// A patch deleted tests.
    TestsDeleted,
    /// A patch took assertions out of tests.
    TestsWeakened,
    /// A patch switched tests off.
    TestsSkipped,
    /// A task shows no sign of the work that it needs.
    UpstreamIgnored,
    /// The subagent of a review made a patch that it reviews.
    SelfReview,
    /// A gate was far faster than it ever was.
    GateFasterThanItsRecord,
    /// What the run started from is another commit by now.
    BaseMoved,
    /// A result of another job that was not counted, or work for which the workflow had no job left.
    ResultNotCounted,
    /// Processes of the subagent were still running after it had ended.
    LeftoverProcesses,
    /// Code of the product ends the process, so that a runner cannot tell how its tests ended.
    ExitInCode,
    /// A patch changes how tests are run or what an assertion means.
    TestsTampered,
    /// Tests are still there, but where no runner looks for them.
    TestsUndiscovered,
    /// A test cannot fail: it asserts nothing, or a thing against itself.
    VacuousTest,
    /// A test accepts more than before.
    ToleranceLoosened,
    /// A test looks at a copy or a mock of what it should test.
    TestsACopy,
    /// Code of the product behaves differently under a test runner.
    KnowsTheTests,
    /// A patch prints what a test runner prints at its end.
    ForgedResults,
    /// Nobody looked at something of a patch, because it is too large, too much or no text.
    NotLookedAt,
    /// A test of the base fails on the final tree.
    BaseTestRed,
    /// Tests that ran on the base are gone or switched off.
    FewerTests,
    /// A recorded expectation was changed.
    SnapshotChanged,
    /// A gate is red on the base already.
    RedBase,
    /// The run was ended before its work was done, because it could not have been complete.
    RunEndedEarly,
    /// Work that is said to be there already was not found on the base.
    NotAlreadyDone,
    /// No test turns red without a task's patch.
    NothingProvesIt,
    /// Nobody can tell whether a test notices a task's patch: without it the tests cannot be loaded, and no part of it could
    /// be undone by itself.
    ProofUnknown,
    /// A small change to a line that a patch added turns no test red.
    MutantSurvived,
    /// A gate did not pass.
    GateNotPassed,
    /// A gate's command succeeded without a sign that any test ran.
    NoTestsSeen,
    /// Something in the work tree could not be captured, such as a nested repository or a socket.
    NotCaptured,
    /// The output was longer than what is kept.
    OutputTruncated,
    /// A task could not run because one that it needs did not pass.
    NeedNotMet,
    /// An object of the store is not what its id says: the run was ended.
    StoreTampered,
}

impl FindingCode {
    /// All kinds, in the order of their names' table in `docs/findings.md`.
    pub const ALL: [Self; 57] = [
        Self::Reported,
        Self::ScopeViolation,
        Self::Conflict,
        Self::ClaimedButUnchanged,
        Self::ClaimWithoutChange,
        Self::ChangeWithoutClaim,
        Self::NoReport,
        Self::InvalidReport,
        Self::UncoveredRequirement,
        Self::SubagentFailed,
        Self::TimedOut,
        Self::BudgetExhausted,
        Self::TurnsExhausted,
        Self::ModelFailed,
        Self::ModelRefused,
        Self::SandboxFailed,
        Self::ToolDenied,
        Self::UnstructuredReport,
        Self::SecretWritten,
        Self::AgentNote,
        Self::RunTimedOut,
        Self::SubagentBlocked,
        Self::EscalationRefused,
        Self::SamePatchAgain,
        Self::TestsDeleted,
        Self::TestsWeakened,
        Self::TestsSkipped,
        Self::UpstreamIgnored,
        Self::SelfReview,
        Self::GateFasterThanItsRecord,
        Self::BaseMoved,
        Self::ResultNotCounted,
        Self::LeftoverProcesses,
        Self::ExitInCode,
        Self::TestsTampered,
        Self::TestsUndiscovered,
        Self::VacuousTest,
        Self::ToleranceLoosened,
        Self::TestsACopy,
        Self::KnowsTheTests,
        Self::ForgedResults,
        Self::NotLookedAt,
        Self::BaseTestRed,
        Self::FewerTests,
        Self::SnapshotChanged,
        Self::RedBase,
        Self::RunEndedEarly,
        Self::NotAlreadyDone,
        Self::NothingProvesIt,
        Self::ProofUnknown,
        Self::MutantSurvived,
        Self::GateNotPassed,
        Self::NoTestsSeen,
        Self::NotCaptured,
        Self::OutputTruncated,
        Self::NeedNotMet,
        Self::StoreTampered,
    ];

    /// Returns the name as it is serialised.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::ScopeViolation => "scope-violation",
            Self::Conflict => "conflict",
            Self::ClaimedButUnchanged => "claimed-but-unchanged",
            Self::ClaimWithoutChange => "claim-without-change",
            Self::ChangeWithoutClaim => "change-without-claim",
            Self::NoReport => "no-report",
            Self::InvalidReport => "invalid-report",
            Self::UncoveredRequirement => "uncovered-requirement",
            Self::SubagentFailed => "subagent-failed",
            Self::TimedOut => "timed-out",
            Self::BudgetExhausted => "budget-exhausted",
            Self::TurnsExhausted => "turns-exhausted",
            Self::ModelFailed => "model-failed",
            Self::ModelRefused => "model-refused",
            Self::SandboxFailed => "sandbox-failed",
            Self::ToolDenied => "tool-denied",
            Self::UnstructuredReport => "unstructured-report",
            Self::SecretWritten => "secret-written",
            Self::AgentNote => "agent-note",
            Self::RunTimedOut => "run-timed-out",
            Self::SubagentBlocked => "subagent-blocked",
            Self::EscalationRefused => "escalation-refused",
            Self::SamePatchAgain => "same-patch-again",
            Self::TestsDeleted => "tests-deleted",
            Self::TestsWeakened => "tests-weakened",
            Self::TestsSkipped => "tests-skipped",
            Self::UpstreamIgnored => "upstream-ignored",
            Self::SelfReview => "self-review",
            Self::GateFasterThanItsRecord => "gate-faster-than-its-record",
            Self::BaseMoved => "base-moved",
            Self::ResultNotCounted => "result-not-counted",
            Self::LeftoverProcesses => "leftover-processes",
            Self::ExitInCode => "exit-in-code",
            Self::TestsTampered => "tests-tampered",
            Self::TestsUndiscovered => "tests-undiscovered",
            Self::VacuousTest => "vacuous-test",
            Self::ToleranceLoosened => "tolerance-loosened",
            Self::TestsACopy => "tests-a-copy",
            Self::KnowsTheTests => "knows-the-tests",
            Self::ForgedResults => "forged-results",
            Self::NotLookedAt => "not-looked-at",
            Self::BaseTestRed => "base-test-red",
            Self::FewerTests => "fewer-tests",
            Self::SnapshotChanged => "snapshot-changed",
            Self::RedBase => "red-base",
            Self::RunEndedEarly => "run-ended-early",
            Self::NotAlreadyDone => "not-already-done",
            Self::NothingProvesIt => "nothing-proves-it",
            Self::ProofUnknown => "proof-unknown",
            Self::MutantSurvived => "mutant-survived",
            Self::GateNotPassed => "gate-not-passed",
            Self::NoTestsSeen => "no-tests-seen",
            Self::NotCaptured => "not-captured",
            Self::OutputTruncated => "output-truncated",
            Self::NeedNotMet => "need-not-met",
            Self::StoreTampered => "store-tampered",
        }
    }
}

/// Something wrong, with its place where it has one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Finding {
    /// The kind.
    pub code: FindingCode,
    /// How much it weighs.
    pub weight: Weight,
    /// The task that it is about, or, for a reported finding, that reported it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// The path in the tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// What is wrong, and what to do. Untrusted text when it was reported.
    pub message: String,
}

impl Finding {
    /// Makes a finding about a task.
    #[must_use]
    pub fn about(task: &TaskId, code: FindingCode, weight: Weight, message: impl Into<String>) -> Self {
        Self { code, weight, task: Some(task.clone()), path: None, line: None, message: message.into() }
    }

    /// Adds the path that it is about.
    #[must_use]
    pub fn in_path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }
}
