//! Finds the patch that made a command fail: the command runs on what was integrated up to some patch, and between the
//! last place where it passes and the first where it fails stands the culprit.
//!
//! The tests that fail are followed by name, where their names are known, and every earlier commit has the tests of the
//! result: else whoever broke what a test asked for before that test was changed would be blamed for the change.

use implementer_model::{
    evidence::{gathered, results},
    gate::GateKind,
    record::Culprits,
    run::{self, CulpritSearch, RedCommand},
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
        let mut narrowing = Search::new(search.commits.len());
        while let Some(commit) = narrowing.next_commit().filter(|_| !stop.is_cancelled()) {
            let head = commit.checked_sub(1).map_or(base, |at| &search.commits[at].1);
            let head = with_final_tests(context, &search, gate, head)?;
            let ran = gates::run_one(context, &red.job, GateTarget::earlier(&head.commit), stop).await?;
            narrowing.heard(if red.failing.is_empty() {
                ran.commands.iter().all(|command| command.exit_code == Some(0))
            } else {
                !results::may_fail(&red.failing, ran.succeeded(), &ran.failing)
            });
        }
        if stop.is_cancelled() {
            break;
        }
        match narrowing.first_failing() {
            Some(number) => {
                found.named.insert(gate, search.commits[number - 1].0.clone());
                if !red.failing.is_empty() {
                    found.tests.insert(gate, red.failing.clone());
                }
            }
            None => drop(found.never_passed.insert(gate)),
        }
    }
    Ok(found)
}

/// Tells whether the base is red for other tests than those that are followed.
fn fails_otherwise(red: &RedCommand, on_base: &RanGate) -> bool {
    !red.failing.is_empty() && !on_base.failing.is_empty() && !results::may_fail(&red.failing, false, &on_base.failing)
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

/// Looks for the first commit with which something fails: between the latest place where it passes and the next where it
/// fails. Number 0 is the base; it fails with the last commit.
#[derive(Debug)]
struct Search {
    /// The latest commit that is known to pass; `None` before one is found.
    passing: Option<usize>,
    /// The earliest commit behind it that is known to fail.
    failing: usize,
    /// How far the next step back goes.
    step: usize,
}

impl Search {
    /// Begins with a number of commits, of which the last fails.
    fn new(commits: usize) -> Self {
        Self { passing: None, failing: commits, step: 1 }
    }

    /// Returns the commit to try next: ever further back until one passes, then halfway.
    fn next_commit(&self) -> Option<usize> {
        match self.passing {
            None => (self.failing > 0).then(|| self.failing.saturating_sub(self.step)),
            Some(passing) => (passing + 1 < self.failing).then(|| passing + (self.failing - passing) / 2),
        }
    }

    /// Takes in how the commit that was to be tried fared.
    fn heard(&mut self, passes: bool) {
        let Some(tried) = self.next_commit() else { return };
        if passes {
            self.passing = Some(tried);
        } else {
            self.failing = tried;
            self.step *= 2;
        }
    }

    /// Returns the commit that was looked for; `None` where it passes nowhere.
    fn first_failing(&self) -> Option<usize> {
        self.passing.map(|_| self.failing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks for the culprit among commits of which these pass, the base first. The last fails.
    fn look(passes: &[bool]) -> (Option<usize>, usize) {
        let (mut search, mut asked) = (Search::new(passes.len() - 1), 0);
        while let Some(commit) = search.next_commit() {
            asked += 1;
            search.heard(passes[commit]);
        }
        (search.first_failing(), asked)
    }

    #[test]
    fn the_culprit_stands_between_the_last_that_passes_and_the_next_that_fails() {
        for (passes, culprit) in [
            (&[true, false][..], Some(1)),
            (&[true, true, false], Some(2)),
            (&[true, false, false], Some(1)),
            // A test of new work fails until that is there.
            (&[false, true, false], Some(2)),
            (&[false, false, true, true, false], Some(4)),
            (&[false, false, false], None),
        ] {
            assert_eq!(look(passes).0, culprit, "{passes:?}");
        }
        let many: Vec<bool> = (0..=256).map(|number| number < 100).collect();
        let (culprit, asked) = look(&many);
        assert!(culprit == Some(100) && asked < 20, "{asked} runs");
    }
}
