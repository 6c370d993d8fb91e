//! A pool of folders for subagents, as many as run at once.
//!
//! A checkout is nearly all that a work tree costs, so it is paid once for each slot: from then on a slot is brought
//! from one tree to the next, and what the last subagent left there is removed without exception. Every lease comes
//! with a `.git` folder of its own, made anew, that borrows objects but shares nothing that can be written.

pub mod agent_files;
pub mod capture;

mod fill;
mod ignore;
mod leasing;
mod pool;
mod refit;
mod slot;
mod stamp;
mod sweep;
mod waiting;
mod watch;

use std::{
    fs,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use implementer_model::ids::{ObjectId, TaskId};
use tokio::sync::Semaphore;

use self::{
    leasing::lease,
    pool::{Pool, lock},
    waiting::{Asked, Turnover},
};
pub use self::{
    pool::{Abandoned, Owners},
    slot::{PlacedAgentFiles, Slot},
    watch::{Intrudes, Watch},
};
use crate::{
    layout::refs::TASK_BRANCH_PREFIX,
    untrusted,
    workspace::{
        Result, WorkspaceError,
        error::IoContext as _,
        folder,
        store::{RunStore, git_id},
    },
};

/// A pool of slots. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SlotPool {
    pool: Arc<Pool>,
}

impl SlotPool {
    /// Makes a pool in the folder `dir`, which must be empty or not there, and outside of the user's repository. Its slots
    /// are the folders `0`, `1` and so on.
    pub fn new(store: RunStore, dir: &Path) -> Result<Self> {
        Self::made(store, dir, String::new(), Owners::default())
    }

    /// Makes a pool of many slots, whose names nobody has to know: they lie where the file system has not removed as many
    /// just now.
    pub fn spread(store: RunStore, dir: &Path) -> Result<Self> {
        Self::spread_among(store, dir, Owners::default())
    }

    /// Makes a pool as [`Self::spread`] does, whose slots belong to others.
    pub fn spread_among(store: RunStore, dir: &Path, owners: Owners) -> Result<Self> {
        // Without one the slots of one run lie where those of the last did, which is slower, and as good.
        let nonce = getrandom::u32().unwrap_or_default();
        let pool = Self::made(store, dir, format!("-{nonce:08x}"), owners)?;
        folder::spread(&pool.pool.dir);
        Ok(pool)
    }

    fn made(store: RunStore, dir: &Path, suffix: String, owners: Owners) -> Result<Self> {
        fs::create_dir_all(dir).doing("creating", dir)?;
        let dir = fs::canonicalize(dir).doing("looking for", dir)?;
        if fs::read_dir(&dir).doing("listing", &dir)?.next().is_some() {
            return Err(WorkspaceError::StoreExists { path: dir });
        }
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            pool: Arc::new(Pool {
                store,
                dir,
                suffix,
                owners,
                free: Mutex::default(),
                abandoned: Mutex::default(),
                begun: AtomicUsize::new(0),
                checkouts: Arc::new(Semaphore::new(cores)),
                cores,
                beginning: Mutex::default(),
                turnover: Turnover::new(),
            }),
        })
    }

    /// Begins the first slots of this pool and the first one of `other`, which lies on the same store, when both will soon be
    /// asked for slots that hold `commit`: together they cost little more than one. Of this pool as many as are `wanted`, but no
    /// more than there are cores.
    ///
    /// # Errors
    /// As [`Self::acquire`].
    pub async fn begin_beside(&self, wanted: usize, other: &Self, commit: &ObjectId) -> Result<()> {
        let (pool, other, commit) = (Arc::clone(&self.pool), Arc::clone(&other.pool), commit.clone());
        let beginning = tokio::task::spawn_blocking(move || {
            let tree = git_id(&pool.store.base_of(&commit)?.tree)?;
            let pools = [(&*pool, wanted.min(pool.cores)), (&*other, 1)];
            let mut begun = leasing::begin_in(&pools, tree, pool.cores)?.into_iter();
            pools.iter().try_for_each(|(pool, count)| {
                begun.by_ref().take(*count).try_for_each(|held| leasing::offer(pool, held))
            })
        });
        beginning.await.map_err(|error| WorkspaceError::aborted("beginning the first slots", &error))?
    }

    /// Leases a slot that holds `commit`, on a branch of the task's when there is a task.
    ///
    /// # Errors
    /// When the commit's objects are not there, or the folder cannot be written.
    pub async fn acquire(&self, commit: &ObjectId, task: Option<&TaskId>) -> Result<Slot> {
        let pool = Arc::clone(&self.pool);
        let commit = commit.clone();
        let branch = task.map(|task| format!("{TASK_BRANCH_PREFIX}{task}"));
        let asked = Asked::note(&pool);
        let permit = Arc::clone(&pool.checkouts).acquire_owned().await;
        let permit = permit.map_err(|error| WorkspaceError::aborted("leasing a slot", &error))?;
        let store = pool.store.clone();
        let looking = tokio::task::spawn_blocking(move || {
            let base = store.base_of(&commit)?;
            // Fails here rather than at the cost of a slot.
            store.flat_tree(git_id(&base.tree)?)?;
            Ok::<_, WorkspaceError>(base)
        });
        let base = looking.await.map_err(|error| WorkspaceError::aborted("leasing a slot", &error))??;
        let released = pool.wait_for_release(git_id(&base.tree)?).await;
        let lease = tokio::task::spawn_blocking(move || {
            let slot = lease(&pool, base, released, branch.as_deref());
            drop((asked, permit));
            slot
        });
        lease.await.map_err(|error| WorkspaceError::aborted("leasing a slot", &error))?
    }

    /// Returns the slots that could not be cleaned.
    pub fn abandoned(&self) -> Vec<Abandoned> {
        lock(&self.pool.abandoned).clone()
    }

    /// Returns how many slots were begun so far.
    pub fn begun(&self) -> usize {
        self.pool.begun.load(Ordering::Relaxed)
    }

    /// Removes all slots with everything in them. No slot may be in use.
    pub async fn remove(self) -> Result<()> {
        let pool = Arc::clone(&self.pool);
        lock(&pool.free).clear();
        let removal = tokio::task::spawn_blocking(move || {
            let children = folder::children(&pool.dir).doing("listing", &pool.dir)?;
            let next = AtomicUsize::new(0);
            // What one of them cannot remove is found, and said, by the last look at the whole.
            thread::scope(|scope| {
                for _ in 0..pool.cores.min(children.len()) {
                    scope.spawn(|| {
                        while let Some(child) = children.get(next.fetch_add(1, Ordering::Relaxed)) {
                            let _ = untrusted::remove(&folder::at(&pool.dir, child.name.as_ref()));
                        }
                    });
                }
            });
            untrusted::remove(&pool.dir).doing("removing", &pool.dir)
        });
        removal.await.map_err(|error| WorkspaceError::aborted("removing the slots", &error))?
    }
}

#[cfg(test)]
mod first_slots_tests;
#[cfg(test)]
mod reuse_leak_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod watch_tests;
