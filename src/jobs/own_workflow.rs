//! The job of a wave that does nothing itself: a workflow of its own does the work, and is waited for.

use std::path::Path;

use implementer_model::{
    config::WorkflowDispatch, ids::SubagentName, record::AttemptId, workflow::matrix::dispatched_minutes,
};

use super::{error::JobError, results, site::Site};
use crate::layout;

/// What a workflow of its own is to do.
#[derive(Debug, Clone)]
pub struct Assigned {
    /// Whose work it is.
    pub subagent: SubagentName,
    /// The workflow.
    pub dispatch: WorkflowDispatch,
    /// How many minutes it has, from its start to its end.
    pub minutes: u64,
}

/// Finds out who does these attempts. Every one must be one that comes next, and all of one subagent.
///
/// # Errors
/// When an attempt is not due, or the configuration names no workflow for it.
pub async fn assigned(site: &Site, ids: &[AttemptId]) -> Result<Assigned, JobError> {
    let plans = Site::due(site.look().await?, ids)?;
    let mut subagents = plans.iter().map(|plan| &plan.task.subagent);
    let Some(subagent) = subagents.next().cloned() else { return Err(JobError::NothingNamed) };
    if let Some(other) = subagents.find(|other| **other != subagent) {
        return Err(JobError::Mixed(subagent, other.clone()));
    }
    let dispatch = site
        .intake
        .config
        .workflow
        .dispatch(&subagent)
        .cloned()
        .ok_or_else(|| JobError::NotDispatched(subagent.clone()))?;
    let seconds = plans.iter().map(|plan| plan.task.time_limit_s).fold(0, u64::saturating_add);
    Ok(Assigned { subagent, dispatch, minutes: dispatched_minutes(seconds) })
}

/// Writes results that say why nothing came of these attempts, so that the summary tells it.
///
/// # Errors
/// When an attempt is not due, or the outside fails.
pub async fn record_failure(site: &Site, ids: &[AttemptId], why: &str, out: &Path) -> Result<(), JobError> {
    let now_ms = site.now_ms();
    for plan in Site::due(site.look().await?, ids)? {
        let folder = out.join(layout::attempt_folder(&plan.id));
        results::write_records(site, now_ms, plan.without_result(now_ms, why), &folder)?;
    }
    Ok(())
}
