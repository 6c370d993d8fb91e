//! The files and folders of an attempt.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use implementer_model::run::AttemptPlan;

use super::error::RunError;
use crate::{
    agent::{Job, report_folder},
    layout::TaskFile,
    run_dir::RunDirError,
};

/// The files and folders of an attempt.
#[derive(Debug)]
pub struct AttemptFiles {
    /// The work tree.
    pub worktree: PathBuf,
    /// What the subagent is told.
    pub brief: PathBuf,
    /// Where it writes its report.
    pub report: PathBuf,
    /// Where its output goes.
    pub log: PathBuf,
    /// Where it has its home and its temporary files.
    pub scratch: PathBuf,
}

impl AttemptFiles {
    /// Makes the folder and the brief of an attempt.
    ///
    /// # Errors
    /// When one of them cannot be written.
    pub fn create(plan: &AttemptPlan, worktree: &Path, folder: &Path, scratch: &Path) -> Result<Self, RunError> {
        let io_error = |path: &Path| {
            let path = path.to_owned();
            move |source| RunError::RunDir(RunDirError::Io { path, source })
        };
        std::fs::create_dir_all(scratch).map_err(io_error(scratch))?;
        // The subagent gets a copy: what the run keeps is what was said, whatever becomes of the copy.
        let brief = scratch.join(TaskFile::Brief);
        std::fs::write(&brief, &plan.brief).map_err(io_error(&brief))?;
        Ok(Self {
            worktree: worktree.to_owned(),
            brief,
            report: report_folder(scratch).join(TaskFile::Report),
            log: folder.join(TaskFile::Log),
            scratch: scratch.to_owned(),
        })
    }

    /// Returns the job that is to be done with them.
    #[must_use]
    pub fn job<'a>(&'a self, plan: &'a AttemptPlan) -> Job<'a> {
        Job {
            task: &plan.id.task,
            attempt: plan.id.attempt,
            subagent: &plan.subagent,
            scope: &plan.task.scope,
            access: plan.task.access,
            base: &plan.implementation_base,
            worktree: &self.worktree,
            brief: &self.brief,
            report: &self.report,
            log: &self.log,
            scratch: &self.scratch,
            turns: plan.limits.turns,
            budget: plan.limits.budget,
            time_limit: Duration::from_secs(plan.task.time_limit_s),
            pass_environment: &plan.pass_environment,
        }
    }
}
