//! What a pool of slots knows: its folders, who owns them, which are free, and which could not be cleaned.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicUsize},
};

use tokio::sync::Semaphore;

use super::{refit::Holding, sweep::Seen, waiting::Turnover};
use crate::workspace::{Result, error::IoContext as _, folder::Owner, store::RunStore};

/// Folders with what was checked out into them, and who has them.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) store: RunStore,
    pub(super) dir: PathBuf,
    /// What the names of the slots end with: see [`folder::spread`](crate::workspace::folder::spread).
    pub(super) suffix: String,
    pub(super) owners: Owners,
    pub(super) free: Mutex<Vec<Arc<Held>>>,
    pub(super) abandoned: Mutex<Vec<Abandoned>>,
    /// How many slots were ever begun.
    pub(super) begun: AtomicUsize,
    /// One for each core: more checkouts at a time only get in each other's way.
    pub(super) checkouts: Arc<Semaphore>,
    pub(super) cores: usize,
    /// Whoever begins the first slots holds it.
    pub(super) beginning: Mutex<()>,
    pub(super) turnover: Turnover,
}

impl Pool {
    pub(super) fn owner_of(&self, number: usize) -> Result<Option<Owner>> {
        self.owners.of(number).doing("finding an owner for a slot in", &self.dir)
    }

    /// Returns the folder that the slot's folder is in.
    pub(super) fn outer(&self, number: usize) -> PathBuf {
        self.dir.join(format!("{number}{}", self.suffix))
    }

    pub(super) fn fence_file(&self, number: usize) -> PathBuf {
        self.dir.join(format!("{number}.fence"))
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

    pub(super) fn of(&self, number: usize) -> std::io::Result<Option<Owner>> {
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
pub(super) struct Held {
    pub(super) number: usize,
    pub(super) folder: PathBuf,
    pub(super) holding: Holding,
    /// What was seen in it last, when nobody has had the folder since.
    pub(super) seen: Mutex<Option<Seen>>,
}

/// A slot that could not be cleaned, and is never used again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abandoned {
    /// Where it is now.
    pub path: PathBuf,
    /// Why it could not be cleaned.
    pub why: String,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
