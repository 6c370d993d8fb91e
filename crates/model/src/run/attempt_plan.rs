//! An attempt that is to be made, with everything that making it needs; and what it comes to where no process can tell.

use std::sync::Arc;

use crate::{
    brief::Manner,
    budget::{Dollars, Exhausted},
    findings::{Finding, FindingCode, Weight},
    ids::{Digest, ObjectId},
    patch::Patch,
    record::{AttemptEnded, AttemptId, AttemptRecord, AttemptRecords, AttemptStarted, FailureKind, Outcome},
    roster::Subagent,
    schedule::Task,
    scope::CheckedPatch,
};

/// How the agent that makes an attempt works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgentTraits {
    /// How it is told things and tells them.
    pub manner: Manner,
    /// Whether the settings that the repository has for agent programs are there for it.
    pub project_settings: bool,
}

/// What an attempt may use up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AttemptLimits {
    pub turns: Option<u64>,
    /// Set aside for it in the purse of the run.
    pub budget: Option<Dollars>,
}

/// An attempt that is to be made.
#[derive(Debug, Clone)]
pub struct AttemptPlan {
    pub id: AttemptId,
    /// Why there is another attempt; empty for the first.
    pub because: String,
    pub task: Task,
    /// Who does it.
    pub subagent: Arc<Subagent>,
    /// What the subagent is told.
    pub brief: String,
    /// The commit that the work tree stands at.
    pub base: ObjectId,
    /// The commit that the whole implementation started from.
    pub implementation_base: ObjectId,
    /// The tree whose agent files hold.
    pub rules: ObjectId,
    /// The patches of earlier attempts that are integrated, in their order.
    pub integrated: Vec<Patch>,
    pub project_settings: bool,
    /// Names of the variables that the subagent is given.
    pub pass_environment: Vec<String>,
    pub limits: AttemptLimits,
}

/// An attempt that ended and was judged.
#[derive(Debug)]
pub struct JudgedAttempt {
    pub ended: AttemptEnded,
    /// The patch, when the attempt passed: proof that its scope was checked comes with it.
    pub accepted: Option<CheckedPatch>,
}

impl AttemptPlan {
    /// Returns what is recorded when it starts.
    #[must_use]
    pub fn started(&self) -> AttemptStarted {
        AttemptStarted { id: self.id.clone(), base: self.base.clone(), brief: Digest::from_content(&self.brief) }
    }

    /// Ends it without a process.
    #[must_use]
    pub fn without_process(self, now_ms: u64, outcome: Outcome, reason: &str) -> AttemptEnded {
        AttemptEnded {
            attempt: AttemptRecord {
                attempt: self.id.attempt,
                because: self.because,
                outcome,
                started_ms: now_ms,
                ended_ms: now_ms,
                exit_code: None,
                brief_digest: Digest::from_content(&self.brief),
                session: None,
                report: None,
                patch: None,
                isolation: None,
                conflicts: Vec::new(),
            },
            task: self.id.task,
            reason: reason.to_owned(),
            findings: Vec::new(),
            failure: FailureKind::default(),
        }
    }

    /// Ends it because no money is left for it.
    #[must_use]
    pub fn not_affordable(self, now_ms: u64, why: &Exhausted) -> AttemptEnded {
        let reason = format!("{why}; it was not begun");
        self.ended_with(now_ms, Outcome::BudgetExhausted, FindingCode::BudgetExhausted, &reason)
    }

    /// Ends it because nothing usable came of the job that was to make it.
    #[must_use]
    pub fn without_result(self, now_ms: u64, reason: &str) -> AttemptRecords {
        let started = self.started();
        let mut ended = self.ended_with(now_ms, Outcome::Failed, FindingCode::SubagentFailed, reason);
        // The job is run again by whoever runs jobs; a fan-out has no further job for it.
        ended.failure = FailureKind::Final;
        AttemptRecords::new(started, ended).expect("invariant: both are made of the same plan")
    }

    fn ended_with(self, now_ms: u64, outcome: Outcome, code: FindingCode, reason: &str) -> AttemptEnded {
        let mut ended = self.without_process(now_ms, outcome, reason);
        ended.findings.push(Finding::about(&ended.task, code, Weight::Blocking, reason));
        ended
    }
}
