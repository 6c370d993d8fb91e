//! How long tasks took in earlier runs, so that the longest can begin first where there are fewer slots than tasks.

use std::path::Path;

use implementer_model::{
    handoff::Handoff,
    run::History,
    schedule::{Durations, Schedule},
};

use crate::{layout::RunFile, run_dir::RunDir, untrusted};

/// How many earlier runs are looked at, the newest first.
const RUNS: usize = 3;

/// The largest hand-off that is read for this.
const HANDOFF_MAX: u64 = 16 * 1024 * 1024;

/// Reads the hand-off of an earlier run; nothing where there is none that can be read within bounds.
pub(super) fn earlier_handoff(run: &Path) -> Option<Handoff> {
    Handoff::read(&untrusted::read(&run.join(RunFile::Handoff), HANDOFF_MAX).ok()?).ok()
}

/// Collects what the journal of this run and the hand-offs of earlier ones in the same place say. Where every task of a
/// wave can begin at once, nothing depends on it, and nothing is read.
pub(super) fn durations(schedule: &Schedule, history: &History, run_dir: &RunDir) -> Durations {
    let mut durations = Durations::default();
    if !schedule.is_short_of_slots() {
        return durations;
    }
    for (task, millis) in history.durations() {
        if let Some(task) = schedule.task(task) {
            durations.note(&task.id, &task.subagent, millis);
        }
    }
    for run in run_dir.earlier().iter().take(RUNS) {
        // What cannot be read has nothing to say: the order is a matter of time, not of the result.
        if let Some(handoff) = earlier_handoff(run) {
            durations.learn(&handoff.schedule, &handoff.tasks);
        }
    }
    durations
}
