//! The beginning of a job that does work: work trees are checked out and briefs written. What follows runs on the host.

use std::fs;

use super::{Step, StepEnd, StepError, job::JOB};
use crate::{
    actions,
    jobs::{self, AttemptName},
};

impl Step<'_> {
    pub(super) fn prepare(&self) -> Result<StepEnd, StepError> {
        let workspace = self.runner.workspace()?;
        let job = workspace.join(JOB);
        // A runner of somebody's own may have what an earlier job left.
        match fs::remove_dir_all(&job) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(StepError::file("remove what an earlier job left in", &job)(error));
            }
            _ => {}
        }
        fs::create_dir_all(job.join("bin")).map_err(StepError::file("make", &job))?;
        let tasks = self.required("tasks")?;
        let prepared = self.runtime.block_on(async {
            let site = self.site(&job).await?;
            if tasks == jobs::GATES {
                return Ok(Vec::new());
            }
            Ok::<_, StepError>(jobs::prepare(&site, &AttemptName::parse_list(tasks)?, &job).await?)
        })?;
        let program = std::env::current_exe()
            .map_err(|source| StepError::Process { doing: "find our own executable", source })?;
        let copy = job.join("bin/backend-implementer");
        fs::copy(program, &copy).map_err(StepError::file("copy the program for the steps on the host to", &copy))?;
        // The steps after this one run as the workspace's owner.
        actions::give_to_owner_of(&workspace, &job)
            .map_err(StepError::file("give to the owner of the workspace", &job))?;
        if let Some(first) = prepared.first() {
            self.runner.set_output("tasks", tasks)?;
            self.runner.set_output("folder", &first.name.folder())?;
            self.runner.set_output("lock", self.given("lock").unwrap_or_default())?;
        }
        for attempt in &prepared {
            let worktree = attempt.worktree.strip_prefix(workspace.canonicalize().unwrap_or_default());
            let worktree = worktree.unwrap_or(&attempt.worktree).display().to_string();
            self.log.line(&format!("{}: the work tree is {worktree}", attempt.name));
        }
        Ok(StepEnd::Done)
    }
}
