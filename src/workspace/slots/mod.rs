//! A pool of folders for subagents, as many as run at once.
//!
//! A checkout is nearly all that a work tree costs, so it is paid once for each slot: from then on a slot is brought
//! from one tree to the next, and what the last subagent left there is removed without exception. Every lease comes
//! with a `.git` folder of its own, made anew, that borrows objects but shares nothing that can be written.

pub mod agent_files;
pub mod capture;

mod fill;
mod ignore;
mod refit;
mod stamp;
mod sweep;
mod waiting;

use std::{
    fs,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

use gix::index::entry::Stat;
use implementer_model::ids::{ObjectId, TaskId};
use tokio::sync::{Notify, Semaphore};

use self::waiting::Asked;
use crate::layout::refs::TASK_BRANCH_PREFIX;
use crate::workspace::{
    Result, WorkspaceError,
    error::IoContext as _,
    folder::{self, Owner},
    slots::{capture::Captured, refit::Holding, stamp::Fence, sweep::Seen},
    store::{Base, RunStore, git_id, repository_files},
};

/// A pool of slots. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SlotPool {
    pool: Arc<Pool>,
}

#[derive(Debug)]
struct Pool {
    store: RunStore,
    dir: PathBuf,
    /// What the names of the slots end with: see [`folder::spread`].
    suffix: String,
    owners: Owners,
    free: Mutex<Vec<Arc<Held>>>,
    abandoned: Mutex<Vec<Abandoned>>,
    /// How many slots were ever begun.
    begun: AtomicUsize,
    /// One for each core: more checkouts at a time only get in each other's way.
    checkouts: Arc<Semaphore>,
    cores: usize,
    /// Told whenever a slot is given back.
    released: Notify,
    /// Whoever begins the first slots holds it.
    beginning: Mutex<()>,
    /// How many leases are asked for, and not there yet.
    asked: AtomicUsize,
    /// How often one was given back.
    releases: AtomicUsize,
    /// Whether it is worth while to wait for a slot to be given back: the last one who did was not disappointed.
    patient: AtomicBool,
    /// How long the last first checkout of a slot took, in microseconds.
    checkout_us: AtomicU64,
}

impl Pool {
    fn owner_of(&self, number: usize) -> Result<Option<Owner>> {
        self.owners.of(number).doing("finding an owner for a slot in", &self.dir)
    }
}

/// Who the slots of a pool belong to: everybody's are ours, unless somebody says otherwise by number.
#[derive(Clone, Default)]
pub struct Owners(Option<Arc<OwnerOf>>);

/// Gives the user and group for the number of a slot.
type OwnerOf = dyn Fn(usize) -> std::io::Result<Option<Owner>> + Send + Sync;

impl Owners {
    /// Makes owners of what gives the user and group for the number of a slot, the same whenever it is asked.
    pub fn new(owner: impl Fn(usize) -> std::io::Result<Option<Owner>> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(owner)))
    }

    fn of(&self, number: usize) -> std::io::Result<Option<Owner>> {
        self.0.as_ref().map_or(Ok(None), |owner| owner(number))
    }
}

impl std::fmt::Debug for Owners {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Owners").field("others", &self.0.is_some()).finish()
    }
}

/// A folder and what is known about it.
#[derive(Debug)]
struct Held {
    number: usize,
    folder: PathBuf,
    holding: Holding,
    /// What was seen in it last, when nobody has had the folder since.
    seen: Mutex<Option<Seen>>,
}

/// A slot that could not be cleaned, and is never used again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abandoned {
    /// Where it is now.
    pub path: PathBuf,
    /// Why it could not be cleaned.
    pub why: String,
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
                released: Notify::new(),
                beginning: Mutex::default(),
                asked: AtomicUsize::new(0),
                releases: AtomicUsize::new(0),
                patient: AtomicBool::new(true),
                checkout_us: AtomicU64::new(0),
            }),
        })
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
        let permit = permit.map_err(|error| aborted("leasing a slot", &error))?;
        let store = pool.store.clone();
        let looking = tokio::task::spawn_blocking(move || {
            let base = store.base_of(&commit)?;
            // Fails here rather than at the cost of a slot.
            store.flat_tree(git_id(&base.tree)?)?;
            Ok::<_, WorkspaceError>(base)
        });
        let base = looking.await.map_err(|error| aborted("leasing a slot", &error))??;
        let released = pool.wait_for_release(git_id(&base.tree)?).await;
        let lease = tokio::task::spawn_blocking(move || {
            let slot = lease(&pool, base, released, branch.as_deref());
            drop((asked, permit));
            slot
        });
        lease.await.map_err(|error| aborted("leasing a slot", &error))?
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
                            let _ = folder::remove(&folder::at(&pool.dir, child.name.as_ref()));
                        }
                    });
                }
            });
            folder::remove(&pool.dir).doing("removing", &pool.dir)
        });
        removal.await.map_err(|error| aborted("removing the slots", &error))?
    }
}

/// A folder that holds a commit, for one subagent. It goes back to the pool when it is dropped.
#[derive(Debug)]
pub struct Slot {
    pool: Arc<Pool>,
    held: Arc<Held>,
    base: Base,
    /// The fingerprint of the index in the subagent's repository, as it was written.
    index: Stat,
    /// Why nobody may have it again.
    given_up: Option<String>,
}

impl Slot {
    /// Returns the folder: the subagent's working directory.
    pub fn path(&self) -> &Path {
        &self.held.folder
    }

    /// Returns the number of the slot in its pool, from 0.
    pub fn number(&self) -> usize {
        self.held.number
    }

    /// Gives the slot up, so that nobody has it again: something that ran in it may still be running.
    pub fn give_up(mut self, why: String) {
        self.given_up = Some(why);
    }

    /// Returns the commit that the folder held when it was leased.
    pub fn base(&self) -> &Base {
        &self.base
    }

    /// Places the agent files of the tree `rules` in the folder, in place of its own: with the settings of agent
    /// programs, or without any.
    ///
    /// # Errors
    /// When the tree cannot be read, or the folder cannot be written.
    pub async fn place_agent_files(&self, rules: &ObjectId, settings: bool) -> Result<PlacedAgentFiles> {
        if settings && *rules == self.base.tree {
            return Ok(PlacedAgentFiles::default());
        }
        let (pool, held) = (Arc::clone(&self.pool), Arc::clone(&self.held));
        let (own, rules) = (self.base.tree.clone(), rules.clone());
        let placing =
            tokio::task::spawn_blocking(move || agent_files::place(&pool.store, &held.folder, &own, &rules, settings));
        let placed = placing.await.map_err(|error| aborted("placing agent files", &error))??;
        Ok(PlacedAgentFiles(placed))
    }

    /// Puts the folder's own agent files back. All processes that write there must have ended.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub async fn take_back_agent_files(&self, placed: PlacedAgentFiles) -> Result<()> {
        let held = Arc::clone(&self.held);
        let taking = tokio::task::spawn_blocking(move || agent_files::take_back(&held.folder, &placed.0));
        taking.await.map_err(|error| aborted("putting agent files back", &error))?
    }

    /// Captures what has become of the folder. All processes that write there must have ended.
    ///
    /// # Errors
    /// [`WorkspaceError::WorktreeGone`] when there is no folder any more.
    pub async fn capture(&self) -> Result<Captured> {
        self.look().await.map(|(captured, _)| captured)
    }

    /// Captures what has become of the folder, and gives the slot back at once. Whoever is given it next need not look
    /// at everything again: nothing may be written there any more, by anybody.
    ///
    /// # Errors
    /// [`WorkspaceError::WorktreeGone`] when there is no folder any more.
    pub async fn capture_last(self) -> Result<Captured> {
        let (captured, seen) = self.look().await?;
        *lock(&self.held.seen) = Some(seen);
        Ok(captured)
    }

    async fn look(&self) -> Result<(Captured, Seen)> {
        let (pool, held, base, index) = (Arc::clone(&self.pool), Arc::clone(&self.held), self.base.clone(), self.index);
        let capture = tokio::task::spawn_blocking(move || {
            let before = Fence::take(&fence_file(&pool, held.number))?;
            let (captured, seen) = capture::capture(&pool.store, &held.folder, &held.holding, index, &base)?;
            Ok((captured, seen.since(before)))
        });
        capture.await.map_err(|error| aborted("capturing a patch", &error))?
    }
}

/// The agent files that stand in a slot in place of its own.
#[derive(Debug, Default)]
pub struct PlacedAgentFiles(agent_files::Placed);

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(why) = self.given_up.take() {
            let path = outer(&self.pool, self.held.number);
            lock(&self.pool.abandoned).push(Abandoned { path, why });
            return;
        }
        lock(&self.pool.free).push(Arc::clone(&self.held));
        self.pool.releases.fetch_add(1, Ordering::Relaxed);
        self.pool.patient.store(true, Ordering::Relaxed);
        self.pool.released.notify_one();
    }
}

/// Brings `released`, another slot that nobody has, or a further one to `base`.
fn lease(pool: &Arc<Pool>, base: Base, mut released: Option<Arc<Held>>, branch: Option<&str>) -> Result<Slot> {
    let tree = git_id(&base.tree)?;
    let threads = 1 + pool.checkouts.available_permits();
    let held = loop {
        let held = match released.take().or_else(|| pool.take_free(tree)) {
            Some(held) => held,
            None => {
                // The first ones are begun together: whoever began slots meanwhile may have begun one for us.
                let beginning = lock(&pool.beginning);
                match (pool.take_free(tree), pool.to_begin()) {
                    (Some(held), _) => held,
                    (None, 0) => {
                        drop(beginning);
                        break begin(pool, tree, 1, threads)?;
                    }
                    (None, count) => break begin(pool, tree, count, pool.cores)?,
                }
            }
        };
        match reuse(pool, &held, tree, threads) {
            Ok(held) => break held,
            Err(error) => abandon(pool, &held, &error),
        }
    };
    let git_dir = held.folder.join(".git");
    repository_files::write_worktree(&git_dir, &pool.store.borrowed(), git_id(&base.commit)?, branch)?;
    let index_file = git_dir.join("index");
    let mut index = refit::write_index(&held.holding, &index_file)?;
    if let Some(owner) = pool.owner_of(held.number)? {
        folder::give(&git_dir, owner).doing("giving away", &git_dir)?;
        index = stamp::of(&fs::symlink_metadata(&index_file).doing("looking at", &index_file)?);
    }
    Ok(Slot { pool: Arc::clone(pool), held: Arc::new(held), base, index, given_up: None })
}

/// Begins `count` slots and gives one of them; the others are there for whoever waits. Together they cost less than one
/// after the other.
fn begin(pool: &Pool, tree: gix::ObjectId, count: usize, threads: usize) -> Result<Held> {
    let first = pool.begun.fetch_add(count, Ordering::Relaxed);
    let numbers = first..first + count;
    let (mut folders, mut fences) = (Vec::new(), Vec::new());
    for number in numbers.clone() {
        let outer = outer(pool, number);
        let owner = pool.owner_of(number)?;
        // Whose slots are all ours may lend them to others: programs of the repository's own lie in one.
        let mode = if owner.is_some() { 0o700 } else { 0o755 };
        fs::DirBuilder::new().mode(mode).create(&outer).doing("creating", &outer)?;
        if let Some(owner) = owner {
            folder::give(&outer, owner).doing("giving away", &outer)?;
        }
        folders.push((outer.join(pool.store.repository_name()), owner));
        fences.push(fence_file(pool, number));
    }
    let began = Instant::now();
    let holdings = refit::begin(&pool.store, &folders, &fences, tree, threads)?;
    let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    pool.checkout_us.store(took / count as u64, Ordering::Relaxed);
    let mut ours = None;
    for ((number, (folder, _)), holding) in numbers.zip(folders).zip(holdings) {
        if ours.is_none() {
            ours = Some(Held { number, folder, holding, seen: Mutex::default() });
            continue;
        }
        let seen = Seen::as_written(&folder, &holding)?;
        lock(&pool.free).push(Arc::new(Held { number, folder, holding, seen: Mutex::new(Some(seen)) }));
        pool.released.notify_one();
    }
    ours.ok_or_else(|| WorkspaceError::WorktreeGone { path: pool.dir.clone() })
}

fn reuse(pool: &Pool, held: &Held, tree: gix::ObjectId, threads: usize) -> Result<Held> {
    // Whatever was put beside the folder is a trace as well.
    let outer = outer(pool, held.number);
    for child in folder::children(&outer).doing("listing", &outer)? {
        let place = folder::at(&outer, child.name.as_ref());
        if place != held.folder {
            folder::remove(&place).doing("removing", &place)?;
        }
    }
    let fence = fence_file(pool, held.number);
    let seen = lock(&held.seen).take();
    let owner = pool.owner_of(held.number)?;
    let holding = refit::refit(&pool.store, &held.folder, &fence, &held.holding, seen, tree, (threads, owner))?;
    Ok(Held { number: held.number, folder: held.folder.clone(), holding, seen: Mutex::default() })
}

fn abandon(pool: &Pool, held: &Held, error: &WorkspaceError) {
    let outer = outer(pool, held.number);
    let aside = pool.dir.join(format!("abandoned-{}", held.number));
    let path = if fs::rename(&outer, &aside).is_ok() { aside } else { outer };
    tracing::warn!(path = %path.display(), %error, "a slot could not be cleaned and is not used again");
    lock(&pool.abandoned).push(Abandoned { path, why: error.to_string() });
}

/// Returns the folder that the slot's folder is in.
fn outer(pool: &Pool, number: usize) -> PathBuf {
    pool.dir.join(format!("{number}{}", pool.suffix))
}

fn fence_file(pool: &Pool, number: usize) -> PathBuf {
    pool.dir.join(format!("{number}.fence"))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn aborted(doing: &'static str, error: &dyn std::error::Error) -> WorkspaceError {
    WorkspaceError::Aborted { doing, detail: error.to_string() }
}

#[cfg(test)]
mod first_slots_tests;
#[cfg(test)]
mod reuse_leak_tests;
#[cfg(test)]
mod tests;
