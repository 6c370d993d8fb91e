//! What everybody does: for each task `git worktree add`, the subagent, `git commit`, and a `git merge`.

use std::{
    fs,
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};

use crate::{
    measured_work::{Site, Work},
    process,
};

/// How many tasks are under way at a time, as in our own runs.
const CONCURRENCY: usize = 8;

/// How often a `git worktree add` is tried that failed because of another one beside it.
const TRIES: usize = 10;

/// Runs the loop once, and checks that it came to `tree`. Gives the time and the processor time that it took; removing
/// the work trees again is not counted.
pub(crate) fn once(site: &Site, work: &Work, tree: &str) -> Result<(Duration, Duration)> {
    let trees = site.folder.join("worktrees");
    fs::create_dir(&trees)?;
    let repository = &site.repository;
    process::git(&repository.path, ["checkout", "--quiet", "-B", "bench", &repository.head])?;
    let mut tasks: Vec<&str> = work.tasks.iter().map(String::as_str).collect();
    tasks.push("tests");

    let next = AtomicUsize::new(0);
    let merging = Mutex::new(());
    let before = process::processor_time()?;
    let began = Instant::now();
    let outcome = thread::scope(|scope| {
        let worker = || -> Result<()> {
            while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
                task_in(site, &trees.join(task), task, &merging)?;
            }
            Ok(())
        };
        let workers: Vec<_> = (0..CONCURRENCY).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(|_| bail!("a worker panicked")))
    });
    let took = (began.elapsed(), process::processor_time()?.saturating_sub(before));
    outcome?;
    let found = process::git(&repository.path, ["rev-parse", "HEAD^{tree}"])?;
    ensure!(found == tree, "the loop gave the tree {found} instead of {tree}");

    fs::remove_dir_all(&trees)?;
    process::git(&repository.path, ["worktree", "prune"])?;
    process::git(&repository.path, ["checkout", "--quiet", "main"])?;
    process::git(&repository.path, ["branch", "--quiet", "-D", "bench"])?;
    Ok(took)
}

fn task_in(site: &Site, worktree: &Path, task: &str, merging: &Mutex<()>) -> Result<()> {
    let repository = &site.repository;
    let name = worktree.to_string_lossy();
    let mut tries = 0;
    // Side by side they fail now and then, and one after the other they are slower.
    while let Err(error) =
        process::git(&repository.path, ["worktree", "add", "--quiet", "--detach", &name, &repository.head])
    {
        tries += 1;
        if tries == TRIES {
            return Err(error);
        }
        let _ = fs::remove_dir_all(worktree);
    }
    let mut agent = site.command(&site.agent);
    agent.current_dir(worktree).env("IMPLEMENTER_TASK", task).env("IMPLEMENTER_REPORT", "/dev/null");
    process::output(&mut agent)?;
    process::git(worktree, ["add", "--all"])?;
    process::git(worktree, ["commit", "--quiet", "--message", task])?;
    let commit = process::git(worktree, ["rev-parse", "HEAD"])?;
    let _one_at_a_time = merging.lock().unwrap_or_else(PoisonError::into_inner);
    process::git(&repository.path, ["merge", "--quiet", "--no-edit", &commit])?;
    Ok(())
}
