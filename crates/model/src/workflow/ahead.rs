//! The waves that a plan needs when everything passes: known when it is approved, so that no job has to say between two of
//! them what comes next.

use super::matrix::{Leg, LegTask, MATRIX_MAX_BYTES, pack};
use crate::{
    config::WorkflowConfig,
    ids::TaskId,
    roster::{Access, Role},
    schedule::Schedule,
};

/// The most results that the jobs of waves which follow each other without a job between them may have to download, all
/// together. A later attempt reads them through REST, of which a repository has 1,000 requests an hour.
pub const RESULTS_AHEAD_MAX: usize = 256;

/// The waves that follow each other without a job between them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ahead {
    /// The jobs of each, from the first wave.
    pub waves: Vec<Vec<Leg>>,
    /// Whether the gates follow the last of them.
    pub then_gates: bool,
}

/// Says which waves follow each other when everything passes. The first is always among them.
#[must_use]
pub fn ahead(schedule: &Schedule, config: &WorkflowConfig) -> Ahead {
    let planned = schedule.waves.iter().map(|wave| legs(schedule, &wave.tasks, 1, config));
    let again = reviews_again(schedule);
    let all: Vec<_> = planned.chain(again.iter().map(|tasks| legs(schedule, tasks, 2, config))).collect();
    let room = usize::try_from(config.waves()).unwrap_or(usize::MAX);
    let (mut results, mut downloads, mut bytes) = (0, 0, 0);
    let mut waves: Vec<Vec<Leg>> = Vec::new();
    // What a workflow of its own does is taken in by a job that knows both kinds of results.
    let dispatches = |legs: &[Leg]| legs.iter().any(|leg| leg.dispatched);
    for legs in all.iter().take(room) {
        downloads += results * legs.len();
        results += legs.len();
        bytes += serde_json::to_string(legs).map_or(usize::MAX, |json| json.len());
        let fits = downloads <= RESULTS_AHEAD_MAX && bytes <= MATRIX_MAX_BYTES;
        if waves.first().is_some_and(|first| dispatches(first) || dispatches(legs) || !fits) {
            break;
        }
        waves.push(legs.clone());
    }
    let then_gates = waves.len() == all.len() && waves.first().is_some_and(|first| !dispatches(first));
    Ahead { waves, then_gates }
}

fn legs(schedule: &Schedule, tasks: &[TaskId], attempt: u32, config: &WorkflowConfig) -> Vec<Leg> {
    let of = |id: &TaskId| {
        let task = schedule.task(id)?;
        let (subagent, time_limit_s) = (task.subagent.clone(), task.time_limit_s);
        Some(LegTask { task: id.clone(), attempt, subagent, time_limit_s })
    };
    pack(&tasks.iter().filter_map(of).collect::<Vec<_>>(), config)
}

/// Finds the reviews that will run again at the end, wave by wave: a review counts for the tree that it read, and a later
/// wave is going to change it.
fn reviews_again(schedule: &Schedule) -> Vec<Vec<TaskId>> {
    let has = |id: &TaskId, wanted: fn(Role, Access) -> bool| {
        schedule.task(id).is_some_and(|task| wanted(task.role, task.access))
    };
    // Whoever validates may leave evidence, and seldom does.
    let writes = |role: Role, access: Access| role != Role::Validation && access == Access::Writes;
    let last_to_write = schedule.waves.iter().rposition(|wave| wave.tasks.iter().any(|id| has(id, writes)));
    let outdated = &schedule.waves[..last_to_write.map_or(0, |at| at + 1)];
    let reviews = outdated.iter().map(|wave| {
        wave.tasks.iter().filter(|id| has(id, |role, _| role == Role::Review)).cloned().collect::<Vec<_>>()
    });
    reviews.filter(|tasks| !tasks.is_empty()).collect()
}

#[cfg(test)]
mod tests;
