//! Looks for the first commit with which something fails: between the latest place where it passes and the next where it
//! fails. Of a place where it could not be loaded nothing is known, so that no patch is to blame because of it.

use std::collections::BTreeSet;

use super::action::CulpritSearch;
use crate::{evidence::following::StateOutcome, gate::GateKind, record::Culprits};

/// The most commits that are tried although nothing is known of their neighbours.
const UNKNOWN_MAX: usize = 12;

/// The search. Number 0 is the base; it fails with the last commit.
#[derive(Debug)]
pub struct Bisection {
    /// The latest commit that is known to pass; `None` before one is found.
    passing: Option<usize>,
    /// The earliest commit behind it that is known to fail.
    failing: usize,
    /// The earliest commit that was tried.
    earliest: usize,
    /// Those that could not be loaded.
    unknown: BTreeSet<usize>,
    /// How far the next step back goes.
    step: usize,
}

impl Bisection {
    /// Begins with a number of commits, of which the last fails.
    #[must_use]
    pub fn new(commits: usize) -> Self {
        Self { passing: None, failing: commits, earliest: commits, unknown: BTreeSet::new(), step: 1 }
    }

    /// Returns the commit to try next: ever further back until one passes, then halfway.
    #[must_use]
    pub fn next_commit(&self) -> Option<usize> {
        let Some(passing) = self.passing else {
            return (self.earliest > 0).then(|| self.earliest.saturating_sub(self.step));
        };
        let middle = passing + (self.failing - passing) / 2;
        let between = (passing + 1..self.failing).filter(|commit| !self.unknown.contains(commit));
        between.min_by_key(|commit| commit.abs_diff(middle)).filter(|_| self.unknown.len() < UNKNOWN_MAX)
    }

    /// Takes in what became of the commit that was to be tried.
    pub fn record(&mut self, outcome: StateOutcome) {
        let Some(tried) = self.next_commit() else { return };
        if self.passing.is_none() {
            self.earliest = tried;
            self.step *= 2;
        }
        match outcome {
            StateOutcome::Passes => self.passing = Some(tried),
            StateOutcome::Fails => self.failing = tried,
            StateOutcome::Unknown => drop(self.unknown.insert(tried)),
        }
    }

    /// Returns the commits one of which it was: more than one where those between could not be loaded. `None` where it
    /// passes nowhere.
    fn suspects(&self) -> Option<std::ops::RangeInclusive<usize>> {
        self.passing.map(|passing| passing + 1..=self.failing)
    }

    /// Says whose patch it was, as far as that can be told.
    pub fn conclude(&self, search: &CulpritSearch, gate: GateKind, tests: Vec<String>, found: &mut Culprits) {
        let Some(suspects) = self.suspects() else {
            found.never_passed.insert(gate);
            return;
        };
        let mut tasks: BTreeSet<_> = suspects.map(|number| search.commits[number - 1].0.clone()).collect();
        if tasks.len() > 1 {
            found.undecided.insert(gate, tasks);
        } else if let Some(task) = tasks.pop_first() {
            found.named.insert(gate, task);
            if !tests.is_empty() {
                found.tests.insert(gate, tests);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{action::CulpritSearch, basis::Head},
        *,
    };
    use crate::summary::fixture;
    use StateOutcome::{Fails as F, Passes as P, Unknown as U};

    /// Looks for the culprit among commits of which this became, the base first. The last fails.
    fn look(outcomes: &[StateOutcome]) -> (Bisection, usize) {
        let (mut search, mut asked) = (Bisection::new(outcomes.len() - 1), 0);
        while let Some(commit) = search.next_commit() {
            asked += 1;
            search.record(outcomes[commit]);
        }
        (search, asked)
    }

    #[test]
    fn the_culprit_stands_between_the_last_that_passes_and_the_next_that_fails() {
        for (outcomes, culprits) in [
            (&[P, F][..], Some(1..=1)),
            (&[P, P, F], Some(2..=2)),
            (&[P, F, F], Some(1..=1)),
            // A test of new work fails until that is there.
            (&[F, P, F], Some(2..=2)),
            (&[F, F, P, P, F], Some(4..=4)),
            (&[F, F, F], None),
        ] {
            assert_eq!(look(outcomes).0.suspects(), culprits, "{outcomes:?}");
        }
        let many: Vec<_> = (0..=256).map(|number| if number < 100 { P } else { F }).collect();
        let (search, asked) = look(&many);
        assert!(search.suspects() == Some(100..=100) && asked < 20, "{asked} runs");
    }

    #[test]
    fn a_patch_is_no_culprit_because_nothing_could_be_loaded_before_it() {
        for (outcomes, culprits) in [
            // The first state that can be built is the first in which the test can fail.
            (&[U, F, F, F][..], None),
            (&[U, U, F], None),
            (&[P, U, F], Some(1..=2)),
            (&[P, P, U, U, F], Some(2..=4)),
            (&[P, U, P, F], Some(3..=3)),
            (&[U, P, F], Some(2..=2)),
        ] {
            assert_eq!(look(outcomes).0.suspects(), culprits, "{outcomes:?}");
        }
        let many: Vec<_> =
            (0..=256).map(|number| [P, U, F][usize::from(number > 0) + usize::from(number > 255)]).collect();
        let (search, asked) = look(&many);
        assert!(search.suspects() == Some(1..=256) && asked < 25, "{asked} runs");
    }

    #[test]
    fn one_task_is_named_and_several_are_left_undecided() {
        let commit = |task: &str| (fixture::id(task), Head { commit: fixture::oid(task), tree: fixture::oid(task) });
        let found = |tasks: [&str; 3], outcomes: &[StateOutcome]| {
            let commits = tasks.map(commit).into();
            let search = CulpritSearch { commands: Vec::new(), commits, final_tests: Vec::new() };
            let mut found = Culprits::default();
            look(outcomes).0.conclude(&search, GateKind::Tests, vec!["t".to_owned()], &mut found);
            found
        };
        let named = found(["feature", "cli", "cli"], &[P, P, U, F]);
        assert_eq!(named.named[&GateKind::Tests], fixture::id("cli"));
        assert_eq!(named.tests[&GateKind::Tests], ["t"]);
        let undecided = found(["feature", "cli", "docs"], &[P, P, U, F]);
        assert!(undecided.named.is_empty() && undecided.tests.is_empty());
        assert_eq!(undecided.undecided[&GateKind::Tests], ["cli", "docs"].map(fixture::id).into());
        assert!(found(["feature", "cli", "docs"], &[U, F, F, F]).never_passed.contains(&GateKind::Tests));
    }
}
