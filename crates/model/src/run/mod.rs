//! The pure core of a run. [`Run`] takes in what happened and says what is to be done; the [`Ledger`] takes down what
//! becomes the hand-off; each decision has a file of its own.

mod action;
mod answers;
mod attempt_plan;
mod attempts;
mod base_moved;
mod basis;
mod bisection;
mod briefing;
mod criteria;
mod escalation;
mod evidence_plan;
mod facts;
mod gate_job;
mod gate_rounds;
mod history;
mod judgement;
mod ledger;
mod outdated;
mod owed;
mod repeat;
mod retry;
mod rework;
mod standing;
mod state;
mod synthesis;
mod task_index;
#[cfg(test)]
pub(crate) mod test_support;

pub use self::{
    action::{AcceptedPatch, Action, CulpritSearch, Notice, RedCommand},
    attempt_plan::{AgentTraits, AttemptLimits, AttemptPlan, JudgedAttempt},
    base_moved::BaseMoved,
    basis::{Basis, Head},
    bisection::Bisection,
    evidence_plan::{Contribution, EvidencePlan, TaskWork},
    facts::{Conclusion, Facts},
    gate_job::{CountedOnly, GateJob, GateRun, asked_for_by, gate_commands},
    history::{Finished, History, MadeBy, is_over, run_name},
    ledger::{Bundle, Ending, JudgedGate, Ledger},
    owed::to_blame,
    repeat::{KeptRecords, Repeat, keep},
    state::{Happened, Integration, Run, RunEnd},
};
pub(crate) use self::{
    standing::{GateStanding, standing, standings},
    task_index::{TaskIndex, TaskView},
};
