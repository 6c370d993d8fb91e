//! What all workers of a run share.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use implementer_model::{ids::ObjectId, scope::TreePaths};

use super::{
    error::RunError,
    gates::RanGate,
    working_copy::{SetupPlace, WorkingCopySetup},
    workplace::Workplace,
};
use crate::{
    agent::{Agents, Secrets},
    run_dir::RunDir,
    sandbox::Sandbox,
    workspace::{WorkspaceError, bundle, capture::Captured, slots::SlotPool, store::RunStore},
};

pub(super) struct WorkerContext {
    pub(super) store: RunStore,
    pub(super) pool: SlotPool,
    /// The slots of gates, which no attempt has had.
    pub(super) gate_pool: SlotPool,
    pub(super) processes: Processes,
    pub(super) run_dir: RunDir,
    pub(super) agents: Agents,
    /// What makes working copies ready.
    pub(super) setup: WorkingCopySetup,
    pub(super) clock: RunClock,
    /// What all patches of the run may still have, and all its logs.
    pub(super) limits: RunLimits,
    /// What the tests gate came to on the base, once somebody asked.
    pub(super) base_tests: tokio::sync::OnceCell<RanGate>,
    /// The paths of the tree that a patch was held against last: all patches of a wave have the same base.
    pub(super) tree_paths: Mutex<Option<(ObjectId, Arc<TreePaths>)>>,
}

/// What every process of the run is started with.
pub(super) struct Processes {
    pub(super) sandbox: Sandbox,
    /// The secrets of the whole run.
    pub(super) secrets: Secrets,
    /// Where subagents and gates have their HOME and TMPDIR; outside the repository, gone after the run.
    pub(super) scratch: PathBuf,
    /// Our own environment, from which variables are passed on to gates by name.
    pub(super) environment: BTreeMap<String, String>,
    /// Our own executable, which supervises what we start.
    pub(super) supervisor: PathBuf,
}

/// The most bytes that the contents of all patches may have together: the bundle that holds them has to be one that is read.
const PATCHES_MAX: u64 = bundle::BUNDLE_MAX;

/// The most bytes that the logs of all attempts may have together, and what each may have however little is left.
const LOGS_MAX: u64 = 4 * 1024 * 1024 * 1024;
const LOG_MIN: u64 = 64 * 1024;

/// How much a run may still write.
#[derive(Debug)]
pub(super) struct RunLimits {
    patches: AtomicU64,
    logs: AtomicU64,
}

impl RunLimits {
    pub(super) fn new() -> Self {
        Self { patches: AtomicU64::new(PATCHES_MAX), logs: AtomicU64::new(LOGS_MAX) }
    }

    /// Takes what a patch has; one that does not fit any more is refused.
    pub(super) fn take_patch(&self, captured: Captured) -> Result<Captured, WorkspaceError> {
        let taken = self.patches.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(captured.bytes));
        if taken.is_err() { Err(WorkspaceError::RunTooLarge { limit: PATCHES_MAX }) } else { Ok(captured) }
    }

    /// Returns how much of a log may be kept that may have `most` bytes by itself, and sets it aside.
    pub(super) fn begin_log(&self, most: u64) -> u64 {
        let left = self.logs.load(Relaxed).max(LOG_MIN);
        let kept = most.min(left);
        let _ = self.logs.fetch_update(Relaxed, Relaxed, |left| Some(left.saturating_sub(kept)));
        kept
    }

    /// Gives back what a log did not need.
    pub(super) fn end_log(&self, set_aside: u64, written: u64) {
        self.logs.fetch_add(set_aside.saturating_sub(written), Relaxed);
    }
}

/// The time of a run, counted over all of its processes.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunClock {
    began: Instant,
    /// How long earlier processes of this run were at work, in milliseconds.
    before_ms: u64,
}

impl RunClock {
    pub(super) fn new(began: Instant, before_ms: u64) -> Self {
        Self { began, before_ms }
    }

    fn now_ms(self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(self.before_ms)
    }
}

impl WorkerContext {
    /// Makes a working copy ready for what runs in it.
    pub(super) async fn make_ready(
        &self,
        commit: &ObjectId,
        worktree: &Path,
        scratch: &Path,
        workplace: &Workplace<'_>,
    ) -> Result<(), RunError> {
        let place = SetupPlace {
            store: &self.store,
            commit,
            worktree,
            scratch,
            sandbox: &self.processes.sandbox,
            workplace,
            environment: &self.processes.environment,
            supervisor: &self.processes.supervisor,
        };
        self.setup.make_ready(&place).await
    }

    /// Returns the paths of a tree, from the last call where it was for the same tree.
    pub(super) fn paths_of(&self, tree: &ObjectId) -> Result<Arc<TreePaths>, RunError> {
        let mut last = self.tree_paths.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, paths)) = &*last
            && known == tree
        {
            return Ok(Arc::clone(paths));
        }
        let paths = Arc::new(self.store.tree_paths(tree)?);
        *last = Some((tree.clone(), Arc::clone(&paths)));
        Ok(paths)
    }

    /// Returns the milliseconds since the run began.
    pub(super) fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logs_of_a_run_have_an_end_and_none_is_without_room() {
        let limits = RunLimits::new();
        let first = limits.begin_log(LOGS_MAX);
        assert_eq!(first, LOGS_MAX);
        assert_eq!(limits.begin_log(1 << 20), LOG_MIN);
        limits.end_log(first, LOGS_MAX - 100_000);
        assert_eq!(limits.begin_log(1 << 20), 100_000);
    }

    #[test]
    fn a_patch_that_does_not_fit_into_its_run_is_refused() {
        let id = || ObjectId::new("1".repeat(40)).unwrap();
        let patch = implementer_model::patch::Patch { base: id(), base_tree: id(), tree: id(), changes: Vec::new() };
        let captured = |bytes| Captured { patch: patch.clone(), left_out: Vec::new(), bytes };
        let limits = RunLimits::new();
        limits.take_patch(captured(PATCHES_MAX - 1)).unwrap();
        let error = limits.take_patch(captured(2)).unwrap_err();
        assert!(error.to_string().contains("this one does not fit any more"), "{error}");
        limits.take_patch(captured(1)).unwrap();
    }
}
