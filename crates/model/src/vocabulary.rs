//! The words that all other modules share: phases, roles, gates, and how tasks end. Imports none of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When in the order of the work a subagent has its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Cloud resources, configuration, data types.
    Foundation,
    /// Features and command lines, on top of what the foundation laid.
    Core,
    /// Tests, then review, then validation.
    Quality,
    /// What deployment needs.
    Readiness,
}

impl Phase {
    /// All phases, in order.
    pub const ALL: [Self; 4] = [Self::Foundation, Self::Core, Self::Quality, Self::Readiness];

    /// Returns the phase's number, from 1.
    #[must_use]
    pub fn number(self) -> usize {
        self as usize + 1
    }

    /// Returns the name in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Foundation => "foundation",
            Self::Core => "core",
            Self::Quality => "quality",
            Self::Readiness => "readiness",
        }
    }
}

/// The part that a subagent plays. Plans name it by domain, the summary reports by it, gates belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Cloud resources, templates, service configuration.
    Infrastructure,
    /// Data types, definitions, validation rules.
    DataTypes,
    /// Business logic, endpoints, integrations, data processing.
    Feature,
    /// Commands and their help.
    Cli,
    /// Unit and integration tests.
    Tests,
    /// Standards, security and performance review.
    Review,
    /// Validation against the real stack.
    Validation,
    /// Deployment configuration, environments, scripts.
    Deployment,
}

impl Role {
    /// All roles, in the order of the phases.
    pub const ALL: [Self; 8] = [
        Self::Infrastructure,
        Self::DataTypes,
        Self::Feature,
        Self::Cli,
        Self::Tests,
        Self::Review,
        Self::Validation,
        Self::Deployment,
    ];

    /// Returns the phase that the role belongs to.
    #[must_use]
    pub fn phase(self) -> Phase {
        match self {
            Self::Infrastructure | Self::DataTypes => Phase::Foundation,
            Self::Feature | Self::Cli => Phase::Core,
            Self::Tests | Self::Review | Self::Validation => Phase::Quality,
            Self::Deployment => Phase::Readiness,
        }
    }

    /// Returns where in the order of all work the role has its place: the phase, and within quality its step.
    #[must_use]
    pub fn rank(self) -> u8 {
        match self {
            Self::Infrastructure | Self::DataTypes => 0,
            Self::Feature | Self::Cli => 1,
            Self::Tests => 2,
            Self::Review => 3,
            Self::Validation => 4,
            Self::Deployment => 5,
        }
    }

    /// Returns the name of the built-in subagent that plays the role.
    #[must_use]
    pub fn builtin_name(self) -> &'static str {
        match self {
            Self::Infrastructure => "backend-cloud-infrastructure-architect",
            Self::DataTypes => "backend-datatypes",
            Self::Feature => "backend-feature-implementer",
            Self::Cli => "backend-cli-implementer",
            Self::Tests => "backend-unit-test-generator",
            Self::Review => "backend-code-quality-reviewer",
            Self::Validation => "backend-validation-agent",
            Self::Deployment => "backend-deployment-agent",
        }
    }

    /// Returns the name as agent files and the configuration write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Infrastructure => "infrastructure",
            Self::DataTypes => "data-types",
            Self::Feature => "feature",
            Self::Cli => "cli",
            Self::Tests => "tests",
            Self::Review => "review",
            Self::Validation => "validation",
            Self::Deployment => "deployment",
        }
    }

    /// Returns the role in a word or two, as plans head their sections and the summary names it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Infrastructure => "Infrastructure",
            Self::DataTypes => "Data Types",
            Self::Feature => "Feature",
            Self::Cli => "CLI",
            Self::Tests => "Tests",
            Self::Review => "Review",
            Self::Validation => "Validation",
            Self::Deployment => "Deployment",
        }
    }

    /// Returns the gate that the role's subagent stands for; such a subagent always runs.
    #[must_use]
    pub fn gate(self) -> Option<GateKind> {
        match self {
            Self::Tests => Some(GateKind::Tests),
            Self::Review => Some(GateKind::Review),
            Self::Validation => Some(GateKind::Validation),
            _ => None,
        }
    }
}

/// Whether a subagent may change files at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// It reads; any change is a scope violation.
    ReadOnly,
    /// It writes within its scope.
    Writes,
}

impl Access {
    /// Both, the narrower first.
    pub const ALL: [Self; 2] = [Self::ReadOnly, Self::Writes];

    /// Returns the name as agent files and the configuration write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::Writes => "writes",
        }
    }
}

/// The three gates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GateKind {
    /// Unit and integration tests.
    Tests,
    /// Code review.
    Review,
    /// Integration and end-to-end validation.
    Validation,
}

impl GateKind {
    /// All gates, in the order in which they are judged.
    pub const ALL: [Self; 3] = [Self::Tests, Self::Review, Self::Validation];

    /// Returns the name in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Tests => "tests",
            Self::Review => "review",
            Self::Validation => "validation",
        }
    }
}

impl std::fmt::Display for GateKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// How a task ended. Each is a state of its own: none of the others is "passed".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It did its work, within its scope, and its patch was integrated.
    Passed,
    /// The process failed, or its report says that the work could not be done.
    Failed,
    /// It changed what it may not touch; nothing of its patch was integrated.
    OutOfScope,
    /// It said that it was done, and had changed nothing.
    Unproven,
    /// It ended without a report, or with one that does not keep to the schema.
    Unreported,
    /// Its patch and one that was integrated before it change the same place in different ways.
    Conflicted,
    /// It said that it needs something that another specialist has to make, or a task that it needs did not pass.
    Blocked,
    /// It ran into its time limit.
    TimedOut,
    /// It used up its money, or the run's was used up before it could begin.
    BudgetExhausted,
    /// It used up its turns.
    TurnsExhausted,
    /// It was running when the run was cancelled.
    Cancelled,
    /// It never began.
    NotRun,
}

impl Outcome {
    /// Returns the state in words, for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::OutOfScope => "out of scope",
            Self::Unproven => "claimed, not done",
            Self::Unreported => "no report",
            Self::Conflicted => "conflict",
            Self::Blocked => "blocked",
            Self::TimedOut => "timed out",
            Self::BudgetExhausted => "budget exhausted",
            Self::TurnsExhausted => "turns exhausted",
            Self::Cancelled => "cancelled",
            Self::NotRun => "not run",
        }
    }
}

/// What the failure of an attempt says about another attempt at the same task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// It is worth one more attempt.
    #[default]
    Ordinary,
    /// Its reason may be gone soon.
    Transient,
    /// Another attempt would end alike.
    Final,
    /// There is no program, key or model: no other subagent could start either.
    CannotStart,
}
