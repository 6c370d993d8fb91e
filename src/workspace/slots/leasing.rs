//! Bringing a slot to a commit: one that was given back, or a further one.

use std::{
    fs,
    os::unix::fs::DirBuilderExt as _,
    sync::{Arc, Mutex, atomic::Ordering},
    time::Instant,
};

use super::{
    pool::{Abandoned, Held, Pool, lock},
    refit,
    slot::Slot,
    stamp,
    sweep::Seen,
};
use crate::{
    errors, untrusted,
    workspace::{
        Result, WorkspaceError,
        error::IoContext as _,
        folder,
        store::{Base, git_id, repository_files},
    },
};

/// Brings `released`, another slot that nobody has, or a further one to `base`.
pub(super) fn lease(
    pool: &Arc<Pool>,
    base: Base,
    mut released: Option<Arc<Held>>,
    branch: Option<&str>,
) -> Result<Slot> {
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
        index = stamp::from_metadata(&fs::symlink_metadata(&index_file).doing("looking at", &index_file)?);
    }
    Ok(Slot::new(Arc::clone(pool), held, base, index))
}

/// Begins `count` slots and gives one of them; the others are there for whoever waits.
pub(super) fn begin(pool: &Pool, tree: gix::ObjectId, count: usize, threads: usize) -> Result<Held> {
    let mut begun = begin_in(&[(pool, count)], tree, threads)?.into_iter();
    let ours = begun.next().ok_or_else(|| WorkspaceError::WorktreeGone { path: pool.dir.clone() })?;
    begun.try_for_each(|held| offer(pool, held))?;
    Ok(ours)
}

/// Begins so many slots of each of these pools, which lie on one store, and gives them in that order. Together they cost less
/// than one after the other: what several of them hold is read once.
pub(super) fn begin_in(pools: &[(&Pool, usize)], tree: gix::ObjectId, threads: usize) -> Result<Vec<Held>> {
    let (mut numbers, mut folders, mut fences) = (Vec::new(), Vec::new(), Vec::new());
    for (pool, count) in pools {
        let first = pool.begun.fetch_add(*count, Ordering::Relaxed);
        for number in first..first + count {
            let outer = pool.outer(number);
            let owner = pool.owner_of(number)?;
            // Whose slots are all ours may lend them to others: programs of the repository's own lie in one.
            let mode = if owner.is_some() { 0o700 } else { 0o755 };
            fs::DirBuilder::new().mode(mode).create(&outer).doing("creating", &outer)?;
            if let Some(owner) = owner {
                folder::give(&outer, owner).doing("giving away", &outer)?;
            }
            numbers.push(number);
            folders.push((outer.join(pool.store.repository_name()), owner));
            fences.push(pool.fence_file(number));
        }
    }
    let Some((first, _)) = pools.first() else { return Ok(Vec::new()) };
    let began = Instant::now();
    let holdings = refit::begin(&first.store, &folders, &fences, tree, threads)?;
    let (took, all) = (began.elapsed(), numbers.len());
    pools.iter().for_each(|(pool, _)| pool.turnover.note_checkouts(all, took));
    let begun = numbers.into_iter().zip(folders).zip(holdings);
    Ok(begun.map(|((number, (folder, _)), holding)| Held { number, folder, holding, seen: Mutex::default() }).collect())
}

/// Gives a slot that was just begun to whoever waits for one.
pub(super) fn offer(pool: &Pool, held: Held) -> Result<()> {
    let seen = Seen::as_written(&held.folder, &held.holding)?;
    lock(&pool.free).push(Arc::new(Held { seen: Mutex::new(Some(seen)), ..held }));
    pool.turnover.released.notify_one();
    Ok(())
}

fn reuse(pool: &Pool, held: &Held, tree: gix::ObjectId, threads: usize) -> Result<Held> {
    // Whatever was put beside the folder is a trace as well.
    let outer = pool.outer(held.number);
    for child in folder::children(&outer).doing("listing", &outer)? {
        let place = folder::at(&outer, child.name.as_ref());
        if place != held.folder {
            untrusted::remove(&place).doing("removing", &place)?;
        }
    }
    let fence = pool.fence_file(held.number);
    let seen = lock(&held.seen).take();
    let owner = pool.owner_of(held.number)?;
    let holding = refit::refit(&pool.store, &held.folder, &fence, &held.holding, seen, tree, (threads, owner))?;
    Ok(Held { number: held.number, folder: held.folder.clone(), holding, seen: Mutex::default() })
}

fn abandon(pool: &Pool, held: &Held, error: &WorkspaceError) {
    let outer = pool.outer(held.number);
    let aside = pool.dir.join(format!("abandoned-{}", held.number));
    let path = if fs::rename(&outer, &aside).is_ok() { aside } else { outer };
    let why = errors::chain(error);
    tracing::warn!(path = %path.display(), why, "a slot could not be cleaned and is not used again");
    lock(&pool.abandoned).push(Abandoned { path, why });
}
