//! The beginning of a job: work tree and brief of every attempt that it makes.

use std::{
    fs,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use implementer_model::{record::AttemptId, run::AttemptPlan};

use super::{error::JobError, site::Site};
use crate::{
    agent::report_folder,
    layout::{self, AttemptFile, JobFile, TaskFile},
    workspace::{agent_files, slots::SlotPool},
};

/// The folders of an attempt in the folder of its job.
#[derive(Debug, Clone)]
pub(super) struct AttemptDir {
    root: PathBuf,
}

impl AttemptDir {
    pub(super) fn new(job: &Path, id: &AttemptId) -> Self {
        Self { root: job.join(JobFile::Attempts).join(layout::attempt_folder(id)) }
    }

    /// Where the slot with the work tree is.
    fn slots(&self) -> PathBuf {
        self.root.join(AttemptFile::Slots)
    }

    /// Where the program has its home and its files, and finds its brief.
    pub(super) fn scratch(&self) -> PathBuf {
        self.root.join(AttemptFile::Scratch)
    }

    /// Where the work tree is.
    pub(super) fn worktree(&self, repository_name: &Path) -> PathBuf {
        self.slots().join("0").join(repository_name)
    }

    pub(super) fn log(&self) -> PathBuf {
        self.root.join(TaskFile::Log)
    }

    pub(super) fn brief(&self) -> PathBuf {
        self.scratch().join(TaskFile::Brief)
    }

    pub(super) fn report(&self) -> PathBuf {
        report_folder(&self.scratch()).join(TaskFile::Report)
    }

    /// How the process ended, where one of ours ran it.
    pub(super) fn ended(&self) -> PathBuf {
        self.root.join(AttemptFile::Ended)
    }

    /// When the attempt began, in milliseconds since the run began.
    pub(super) fn started(&self) -> PathBuf {
        self.root.join(AttemptFile::Started)
    }
}

/// An attempt that can begin.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// Which it is.
    pub id: AttemptId,
    /// Its work tree.
    pub worktree: PathBuf,
    /// What the subagent is told.
    pub brief: PathBuf,
    /// Where the report goes.
    pub report: PathBuf,
}

/// Checks out the tree of every attempt of a job, and writes its brief, into the folder `job`. Every attempt must be one
/// that comes next.
///
/// # Errors
/// When an attempt is not due, or something cannot be written.
pub async fn prepare(site: &Site, ids: &[AttemptId], job: &Path) -> Result<Vec<Prepared>, JobError> {
    let plans = Site::due(site.look().await?, ids)?;
    let mut prepared = Vec::new();
    for plan in &plans {
        prepared.push(prepare_one(site, plan, job).await?);
    }
    Ok(prepared)
}

async fn prepare_one(site: &Site, plan: &AttemptPlan, job: &Path) -> Result<Prepared, JobError> {
    let dir = AttemptDir::new(job, &plan.id);
    let pool = SlotPool::new(site.store.clone(), &dir.slots())?;
    let slot = pool.acquire(&plan.base, Some(&plan.id.task)).await?;
    let worktree = slot.path().to_owned();
    drop(slot);
    let settings = plan.project_settings;
    agent_files::place_for(&site.store, &worktree, &plan.base, &plan.rules, settings)?;
    make_relative(&worktree.join(".git/objects/info/alternates"), &worktree.join(".git/objects"))?;
    let scratch = dir.scratch();
    fs::create_dir_all(&scratch).map_err(JobError::writing(&scratch))?;
    // A step of the user's own writes its report there, and no agent of ours makes the folder for it.
    let reports = report_folder(&scratch);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&reports).map_err(JobError::writing(&reports))?;
    fs::write(dir.brief(), &plan.brief).map_err(JobError::writing(dir.brief()))?;
    fs::write(dir.started(), site.now_ms().to_string()).map_err(JobError::writing(dir.started()))?;
    Ok(Prepared { id: plan.id.clone(), worktree, brief: dir.brief(), report: dir.report() })
}

/// Rewrites the object folders that a work tree borrows from so that they are found from wherever the job's folder is
/// mounted: a container sees it at another place than the host. A folder outside stays as it is.
fn make_relative(file: &Path, objects: &Path) -> Result<(), JobError> {
    let written = fs::read_to_string(file).map_err(JobError::reading(file))?;
    let objects = objects.canonicalize().map_err(JobError::reading(objects))?;
    let relative = |line: &str| {
        let target = Path::new(line);
        let shared = objects.components().zip(target.components()).take_while(|(a, b)| a == b).count();
        // Quoted names, and folders that have nothing but the root in common.
        if !target.is_absolute() || shared < 2 {
            return line.to_owned();
        }
        let up = objects.components().count() - shared;
        let down: PathBuf = target.components().skip(shared).collect();
        format!("{}{}", "../".repeat(up), down.display())
    };
    let lines: Vec<_> = written.lines().map(relative).collect();
    fs::write(file, lines.join("\n") + "\n").map_err(JobError::writing(file))
}
