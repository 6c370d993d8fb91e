//! The middle of a job: the agent does the work, on the host, with the host's tools.

use std::{fs, path::Path, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::{
    agent,
    error::JobError,
    prepare::AttemptDir,
    site::{AttemptName, Site},
};
use crate::{
    agent::{self as process, Ended, LaunchError},
    coordinator::{Files, Order},
};

/// How a process ended, or why there was none.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct HowItEnded {
    /// How it ended, or why it never began.
    pub(super) process: Result<Ended, LaunchError>,
    /// Whether the job was cancelled.
    pub(super) cancelled: bool,
    /// Milliseconds since the run began.
    pub(super) ended_ms: u64,
}

/// Runs the agent for every attempt of a job, one after another; gives whether all of them ran.
///
/// # Errors
/// When an attempt is not due or not prepared, or its program is missing.
pub async fn work(
    site: &Site,
    names: &[AttemptName],
    job: &Path,
    scratch: &Path,
    cancel: watch::Receiver<bool>,
) -> Result<(), JobError> {
    let orders = Site::due(site.look().await?, names)?;
    let (agent, _programs) = agent::of_configuration(&site.intake()?, &site.store, &site.frozen.rules, scratch).await?;
    for order in &orders {
        if *cancel.borrow() {
            break;
        }
        agent.check(&order.task.subagent)?;
        work_one(site, order, agent.as_ref(), job, cancel.clone()).await?;
    }
    Ok(())
}

async fn work_one(
    site: &Site,
    order: &Order,
    agent: &dyn process::Agent,
    job: &Path,
    mut cancel: watch::Receiver<bool>,
) -> Result<(), JobError> {
    let name = AttemptName::of(order);
    let dir = AttemptDir::of(job, &name);
    let files = files(site, &dir)?;
    fs::write(dir.started(), site.now_ms().to_string()).map_err(JobError::writing(dir.started()))?;
    let launch = agent.prepare(&files.job(order))?;
    let limit = Duration::from_secs(order.task.time_limit_s);
    let end = async {
        tokio::select! {
            () = tokio::time::sleep(limit) => {}
            gone = cancel.wait_for(|cancel| *cancel) => {
                if gone.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        }
    };
    let process = process::run(&launch, end).await;
    if let Err(error) = &process {
        tracing::warn!(%error, %name, "the agent could not be started");
    }
    let how = HowItEnded { process, cancelled: *cancel.borrow(), ended_ms: site.now_ms() };
    let path = dir.ended();
    let json = serde_json::to_vec(&how).map_err(|error| JobError::writing(&path)(error.into()))?;
    fs::write(&path, json).map_err(JobError::writing(path))
}

/// Returns the files of an attempt that was prepared.
pub(super) fn files(site: &Site, dir: &AttemptDir) -> Result<Files, JobError> {
    let worktree = dir.worktree(Path::new(site.store.repository_name()));
    let absolute = |path: &Path| std::path::absolute(path).map_err(JobError::reading(path));
    Ok(Files {
        worktree: absolute(&worktree)?,
        brief: absolute(&dir.brief())?,
        report: absolute(&dir.report())?,
        log: absolute(&dir.log())?,
        scratch: absolute(&dir.scratch())?,
    })
}
