//! Finds the patch that made a command fail: the command runs on what was integrated up to some patch, and between the
//! last place where it passes and the first where it fails stands the culprit.

use implementer_model::{evidence::gathered, ids::ObjectId, record::Culprits, run::CulpritSearch};
use tokio_util::sync::CancellationToken;

use super::{
    context::WorkerContext,
    error::RunError,
    gates::{self, GateTarget},
};

/// The longest that a command may have taken, in milliseconds, to be run again for bisecting.
const COMMAND_MAX_MS: u64 = 5 * 60 * 1000;

/// Names the task whose patch is the first with which each command fails. `base` is the commit before everything that was integrated.
/// A command with which tests fail there already names nobody; of one that could not be run there nothing is known.
pub(super) async fn culprits(
    context: &WorkerContext,
    search: CulpritSearch,
    base: &ObjectId,
    stop: &CancellationToken,
) -> Result<Culprits, RunError> {
    let CulpritSearch { commands, commits } = search;
    let mut found = Culprits::default();
    for red in commands.into_iter().filter(|red| red.took_ms <= COMMAND_MAX_MS) {
        let passes = async |commit: &ObjectId| -> Result<bool, RunError> {
            let ran = gates::run_one(context, &red.job, GateTarget::earlier(commit), stop).await?;
            Ok(ran.commands.iter().all(|command| command.exit_code == Some(0)))
        };
        if commits.is_empty() {
            continue;
        }
        let on_base = gates::run_one(context, &red.job, GateTarget::earlier(base), stop).await?;
        if !on_base.succeeded() {
            if gathered::red_base(&on_base.commands).is_some() {
                found.red_on_base.insert(red.job.gate);
            }
            continue;
        }
        // It passes before `first`, and fails with the last.
        let (mut first, mut last) = (0, commits.len() - 1);
        while first < last && !stop.is_cancelled() {
            let middle = first + (last - first) / 2;
            if passes(&commits[middle].1).await? {
                first = middle + 1;
            } else {
                last = middle;
            }
        }
        if !stop.is_cancelled() {
            found.named.insert(red.job.gate, commits[first].0.clone());
        }
    }
    Ok(found)
}
