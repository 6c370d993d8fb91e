//! P7a: many work trees made at the same time, again and again, on the file system of the disk.

use std::{
    collections::BTreeSet,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use backend_implementer::workspace::{slots::SlotPool, store::RunStore};

use crate::{process, repository::Repository};

/// Makes `count` work trees at the same time, all of them held at once, removes them, and says how long making took.
pub(crate) fn once(repository: &Repository, folder: &Path, count: usize) -> Result<Duration> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let run = folder.join("run");
    let store = RunStore::create(&repository.path, &run.join("store.git"))?;
    let base = store.resolve(&repository.head)?.commit;
    let pool = SlotPool::spread(store, &run.join("slots"))?;
    let began = Instant::now();
    let slots = runtime.block_on(async {
        let leases: Vec<_> = (0..count)
            .map(|_| {
                let (pool, base) = (pool.clone(), base.clone());
                tokio::spawn(async move { pool.acquire(&base, None).await })
            })
            .collect();
        let mut slots = Vec::with_capacity(count);
        for lease in leases {
            slots.push(lease.await??);
        }
        anyhow::Ok(slots)
    })?;
    let took = began.elapsed();
    let folders: BTreeSet<_> = slots.iter().map(|slot| slot.path().to_owned()).collect();
    ensure!(folders.len() == count, "{} folders for {count} work trees", folders.len());
    if let Some(last) = folders.last() {
        ensure!(process::git(last, ["status", "--porcelain"])?.is_empty(), "a work tree is not clean");
    }
    drop(slots);
    runtime.block_on(pool.remove())?;
    std::fs::remove_dir_all(run)?;
    Ok(took)
}
