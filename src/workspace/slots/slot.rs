//! A leased slot: the folder that one subagent works in, and what has become of it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use gix::index::entry::Stat;
use implementer_model::ids::ObjectId;

use super::{
    agent_files,
    capture::{self, Captured},
    pool::{Abandoned, Held, Pool, lock},
    stamp::Fence,
    sweep::Seen,
};
use crate::workspace::{
    Result, WorkspaceError,
    store::{Base, RunStore},
};

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
    pub(super) fn new(pool: Arc<Pool>, held: Held, base: Base, index: Stat) -> Self {
        Self { pool, held: Arc::new(held), base, index, given_up: None }
    }

    /// Returns the folder: the subagent's working directory.
    pub fn path(&self) -> &Path {
        &self.held.folder
    }

    pub(super) fn held(&self) -> &Held {
        &self.held
    }

    pub(super) fn store_and_held(&self) -> (&RunStore, &Held) {
        (&self.pool.store, &self.held)
    }

    pub(super) fn fence_file(&self) -> PathBuf {
        self.pool.fence_file(self.held.number)
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
        let placed = placing.await.map_err(|error| WorkspaceError::aborted("placing agent files", &error))??;
        Ok(PlacedAgentFiles(placed))
    }

    /// Puts the folder's own agent files back. All processes that write there must have ended.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub async fn take_back_agent_files(&self, placed: PlacedAgentFiles) -> Result<()> {
        let held = Arc::clone(&self.held);
        let taking = tokio::task::spawn_blocking(move || agent_files::take_back(&held.folder, &placed.0));
        taking.await.map_err(|error| WorkspaceError::aborted("putting agent files back", &error))?
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
            let before = Fence::take(&pool.fence_file(held.number))?;
            let (captured, seen) = capture::capture(&pool.store, &held.folder, &held.holding, index, &base)?;
            Ok((captured, seen.since(before)))
        });
        capture.await.map_err(|error| WorkspaceError::aborted("capturing a patch", &error))?
    }
}

/// The agent files that stand in a slot in place of its own.
#[derive(Debug, Default)]
pub struct PlacedAgentFiles(agent_files::Placed);

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(why) = self.given_up.take() {
            let path = self.pool.outer(self.held.number);
            lock(&self.pool.abandoned).push(Abandoned { path, why });
            return;
        }
        lock(&self.pool.free).push(Arc::clone(&self.held));
        self.pool.turnover.note_release();
    }
}
