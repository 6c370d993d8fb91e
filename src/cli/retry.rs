//! `run --retry`: what the last run of the same lock finished is kept, the rest is repeated.

use std::path::Path;

use anyhow::anyhow;
use implementer_model::{handoff::Status, run::to_blame, text};

use super::{exit::Failure, run_folder, show};
use crate::{execution::KeptByLastRun, intake::Intake, run_dir::RunDir};

/// Writes what the last run of the intake's lock finished into `scratch`. `again` is a task that is repeated although it
/// passed.
///
/// # Errors
/// When there is no such task, no such run, or nothing to repeat.
pub(super) fn last_run(
    root: &Path,
    intake: &Intake,
    again: Option<&str>,
    scratch: &Path,
) -> Result<KeptByLastRun, Failure> {
    let tasks = || intake.schedule.tasks.iter().map(|task| task.id.as_str());
    if let Some(again) = again.filter(|again| !tasks().any(|task| task == *again)) {
        let hint = match text::nearest(again, tasks()) {
            Some(near) => format!("Did you mean {near}?"),
            None => format!("Its tasks: {}.", tasks().take(20).collect::<Vec<_>>().join(", ")),
        };
        return Err(Failure::input(anyhow!("the plan has no task {again}")).with_hint(Some(hint)));
    }
    let mut ended = RunDir::runs(root).into_iter().filter_map(|run| {
        let handoff = run_folder::handoff(&run).ok()?;
        (handoff.lock == intake.lock).then_some((run, handoff))
    });
    let Some((run, handoff)) = ended.next() else {
        let failure = anyhow!("no run of the lock {} has ended here", intake.lock.digest.short());
        let hint = "Plan, base commit or subagents are others than in the runs before, so that nothing of theirs counts: \
                    run without --retry.";
        return Err(Failure::input(failure).with_hint(Some(hint.to_owned())));
    };
    if handoff.status == Status::Complete && again.is_none() {
        let failure = anyhow!("the last run of this lock is complete: {}", run.display());
        return Err(Failure::input(failure).with_hint(Some("--retry TASK repeats a task all the same.".to_owned())));
    }
    // Who is to blame for what is open goes on from its work, and is told what is open; else a task begins anew.
    let goes_on =
        handoff.status == Status::Incomplete && to_blame(&handoff).iter().any(|task| Some(task.as_str()) == again);
    let last_run = scratch.join("last-run");
    let kept = KeptByLastRun::from_run(root, &run, intake, (again, goes_on), &last_run).map_err(Failure::input)?;
    show::note(&format!("Keeping what passed in {}.", run.display()));
    Ok(kept)
}
