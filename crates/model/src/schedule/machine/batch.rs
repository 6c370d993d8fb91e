//! A wave on its way.

use std::collections::BTreeSet;

/// A wave on its way, or the part of one that runs again.
#[derive(Debug, Clone)]
pub(super) struct Batch {
    pub(super) number: usize,
    /// In the order of integration.
    pub(super) tasks: Vec<usize>,
    /// The same in the order in which they begin.
    pub(super) queue: Vec<usize>,
    /// How many of `queue` were started or found blocked.
    pub(super) begun: usize,
    pub(super) passed: BTreeSet<usize>,
    /// Tasks that wait for another attempt.
    pub(super) retries: Vec<usize>,
}

impl Batch {
    pub(super) fn new(number: usize, tasks: Vec<usize>) -> Self {
        Self { number, queue: tasks.clone(), tasks, begun: 0, passed: BTreeSet::new(), retries: Vec::new() }
    }
}
