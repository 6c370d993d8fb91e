//! What all workers of a run share.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
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
    workspace::{slots::SlotPool, store::RunStore},
};

pub(super) struct WorkerContext {
    pub(super) store: RunStore,
    pub(super) pool: SlotPool,
    /// The slots of gates, which no attempt has had.
    pub(super) gate_pool: SlotPool,
    pub(super) sandbox: Sandbox,
    /// The secrets of the whole run.
    pub(super) secrets: Secrets,
    pub(super) run_dir: RunDir,
    /// Where subagents and gates have their HOME and TMPDIR; outside the repository, gone after the run.
    pub(super) scratch: PathBuf,
    pub(super) agents: Agents,
    /// Our own environment, from which variables are passed on to gates by name.
    pub(super) environment: BTreeMap<String, String>,
    /// Our own executable, which supervises what we start.
    pub(super) supervisor: PathBuf,
    /// What makes working copies ready.
    pub(super) setup: WorkingCopySetup,
    pub(super) clock: RunClock,
    /// What the tests gate came to on the base, once somebody asked.
    pub(super) base_tests: tokio::sync::OnceCell<RanGate>,
    /// The paths of the tree that a patch was held against last: all patches of a wave have the same base.
    pub(super) tree_paths: Mutex<Option<(ObjectId, Arc<TreePaths>)>>,
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
            sandbox: &self.sandbox,
            workplace,
            environment: &self.environment,
            supervisor: &self.supervisor,
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
