//! Finds the patch that made a command fail: the command runs on what was integrated up to some patch, and between the
//! last place where it passes and the first where it fails stands the culprit.
//!
//! The tests that fail are followed by name, where their names are known, and every earlier commit has the tests of the
//! result: else whoever broke what a test asked for before that test was changed would be blamed for the change. Which
//! commit is tried next, and what it showed, is decided in the model.

use implementer_model::{
    evidence::{following::StateOutcome, gathered},
    gate::GateKind,
    record::Culprits,
    run::{self, Bisection, CulpritSearch, RedCommand},
};
use tokio_util::sync::CancellationToken;

use super::{
    context::WorkerContext,
    error::RunError,
    gates::{self, GateTarget, RanGate},
};
use crate::workspace::integrate::Head;

/// The longest that a command may have taken, in milliseconds, to be run again for bisecting.
const COMMAND_MAX_MS: u64 = 5 * 60 * 1000;

/// Names the task whose patch is the first with which each command fails. `base` is the commit before everything that was integrated.
/// A command with which tests fail there already names nobody; of one that could not be run there nothing is known.
pub(super) async fn culprits(
    context: &WorkerContext,
    search: CulpritSearch,
    base: &run::Head,
    stop: &CancellationToken,
) -> Result<Culprits, RunError> {
    let mut found = Culprits::default();
    if search.commits.is_empty() {
        return Ok(found);
    }
    for red in search.commands.iter().filter(|red| red.took_ms <= COMMAND_MAX_MS) {
        let gate = red.job.gate;
        let on_base = gates::run_one(context, &red.job, GateTarget::earlier(&base.commit), stop).await?;
        if !on_base.succeeded() && !fails_otherwise(red, &on_base) {
            if gathered::red_base(&on_base.commands).is_some() {
                found.red_on_base.insert(gate);
            }
            continue;
        }
        let mut bisection = Bisection::new(search.commits.len());
        while let Some(commit) = bisection.next_commit().filter(|_| !stop.is_cancelled()) {
            let head = commit.checked_sub(1).map_or(base, |at| &search.commits[at].1);
            let head = with_final_tests(context, &search, gate, head)?;
            let ran = gates::run_one(context, &red.job, GateTarget::earlier(&head.commit), stop).await?;
            bisection.record(red.followed.outcome_in(ran.in_state()));
        }
        if stop.is_cancelled() {
            break;
        }
        bisection.conclude(&search, gate, red.followed.names(), &mut found);
    }
    Ok(found)
}

/// Tells whether the base is red for other tests than those that are followed.
fn fails_otherwise(red: &RedCommand, on_base: &RanGate) -> bool {
    red.followed.has_tests()
        && !on_base.failing.is_empty()
        && red.followed.outcome_in(on_base.in_state()) == StateOutcome::Passes
}

/// Puts the tests of the result into an earlier tree.
fn with_final_tests(
    context: &WorkerContext,
    search: &CulpritSearch,
    gate: GateKind,
    head: &run::Head,
) -> Result<Head, RunError> {
    let head = Head { commit: head.commit.clone(), tree: head.tree.clone() };
    if gate != GateKind::Tests || search.final_tests.is_empty() {
        return Ok(head);
    }
    Ok(tokio::task::block_in_place(|| context.store.with_entries(&head, &search.final_tests))?)
}
