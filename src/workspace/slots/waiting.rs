//! Whether a lease waits for a slot that is given back, or a further one is begun.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;

use super::pool::{Held, Pool, lock};

/// The longest wait for a slot to be given back before a further one is begun. Subagents take minutes; this is for those
/// that take less time than a checkout.
const PATIENCE_MAX: Duration = Duration::from_secs(2);

/// How slots come and go.
#[derive(Debug)]
pub(super) struct Turnover {
    /// Told whenever a slot is given back.
    pub(super) released: Notify,
    /// How many leases are asked for, and not there yet.
    asked: AtomicUsize,
    /// How often one was given back.
    releases: AtomicUsize,
    /// Whether it is worth while to wait for a slot to be given back: the last one who did was not disappointed.
    patient: AtomicBool,
    /// How long the last first checkout of a slot took, in microseconds.
    checkout_us: AtomicU64,
}

impl Turnover {
    pub(super) fn new() -> Self {
        Self {
            released: Notify::new(),
            asked: AtomicUsize::new(0),
            releases: AtomicUsize::new(0),
            patient: AtomicBool::new(true),
            checkout_us: AtomicU64::new(0),
        }
    }

    /// Tells whether the last one who waited was not disappointed.
    pub(super) fn is_patient(&self) -> bool {
        self.patient.load(Ordering::Relaxed)
    }

    /// Notes that a slot was given back.
    pub(super) fn note_release(&self) {
        self.releases.fetch_add(1, Ordering::Relaxed);
        self.patient.store(true, Ordering::Relaxed);
        self.released.notify_one();
    }

    /// Notes how long the first checkouts of `count` slots took together.
    pub(super) fn note_checkouts(&self, count: usize, took: Duration) {
        let each = u64::try_from(took.as_micros()).unwrap_or(u64::MAX) / count as u64;
        self.checkout_us.store(each, Ordering::Relaxed);
    }
}

/// A lease that is asked for.
pub(super) struct Asked(Arc<Pool>);

impl Asked {
    pub(super) fn note(pool: &Arc<Pool>) -> Self {
        pool.turnover.asked.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(pool))
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.0.turnover.asked.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pool {
    /// Takes a slot that nobody has, or waits for one to be given back: at most as long as beginning a further one would
    /// take, so that nobody waits more than twice as long as without. `None` when one is to be begun: the first ones, one for
    /// each core, are begun at once; and once somebody waited in vain nobody does, until a slot is given back.
    pub(super) async fn wait_for_release(&self, tree: gix::ObjectId) -> Option<Arc<Held>> {
        let patience = Duration::from_micros(self.turnover.checkout_us.load(Ordering::Relaxed)).min(PATIENCE_MAX);
        loop {
            // Taken here and not later: whoever comes after a release would be faster than whoever waited for it.
            if let Some(held) = self.take_free(tree) {
                return Some(held);
            }
            // While the first ones are being begun nobody knows what that takes, and one of them may be for us.
            let first = self.begun.load(Ordering::Relaxed) < self.cores || patience.is_zero();
            if first || !self.turnover.is_patient() {
                return None;
            }
            let before = self.turnover.releases.load(Ordering::Relaxed);
            let in_vain = tokio::time::timeout(patience, self.turnover.released.notified()).await.is_err();
            if in_vain && self.turnover.releases.load(Ordering::Relaxed) == before {
                self.turnover.patient.store(false, Ordering::Relaxed);
            }
        }
    }

    /// Says how many of the first slots to begin: one for each core, where so many are asked for; none when they were.
    pub(super) fn to_begin(&self) -> usize {
        let cores_left = self.cores.saturating_sub(self.begun.load(Ordering::Relaxed));
        self.turnover.asked.load(Ordering::Relaxed).min(cores_left)
    }

    /// Takes a slot that nobody has, one that holds `tree` where there is one.
    pub(super) fn take_free(&self, tree: gix::ObjectId) -> Option<Arc<Held>> {
        let mut free = lock(&self.free);
        let same_tree = free.iter().position(|held| held.holding.tree == tree);
        same_tree.or(free.len().checked_sub(1)).map(|at| free.swap_remove(at))
    }
}
