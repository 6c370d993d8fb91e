//! The beginning of a job that does work: work trees are checked out and briefs written. What follows runs on the host.

use std::{fs, path::Path};

use implementer_model::workflow::matrix::Leg;

use super::{Step, StepEnd, StepError, job::JOB, one_job::ALL, unsettled::Waves};
use crate::{
    actions::{self, Level, annotation},
    jobs::{self, Site, StateDir},
    untrusted,
};

impl Step<'_> {
    pub(super) fn prepare(&self) -> Result<StepEnd, StepError> {
        if self.required("tasks")? == ALL {
            return self.prepare_in_place();
        }
        let workspace = self.runner.workspace()?;
        let job = workspace.join(JOB);
        // A runner of somebody's own may have what an earlier job left.
        untrusted::remove(&job).map_err(StepError::file("remove what an earlier job left in", &job))?;
        fs::create_dir_all(&job).map_err(StepError::file("make", &job))?;
        let tasks = self.required("tasks")?;
        let prepared = self.runtime.block_on(async {
            let mut site = self.site(&job).await?;
            if self.add_unsettled(&mut site, Waves::All, &job.join("waves")).await? > 0 {
                replace_state(&site, &job).await?;
                if !self.is_due(&site, tasks).await? {
                    return Ok(None);
                }
            }
            if tasks == jobs::GATES {
                if self.runner.input("work").is_some() {
                    self.prepare_gates_again(&mut site, &job).await?;
                }
                return Ok(Some(Vec::new()));
            }
            Ok::<_, StepError>(Some(jobs::prepare(&site, &jobs::parse_attempts(tasks)?, &job).await?))
        })?;
        let Some(prepared) = prepared else {
            self.runner.set_output("due", "false")?;
            let said = "this job has nothing to do: after what the waves before made, something else comes next, and the job \
                        that integrates says what";
            self.log.command(&annotation(Level::Notice, None, "Not due", said));
            return Ok(StepEnd::Done);
        };
        self.leave_program(&job)?;
        // The steps after this one run as the workspace's owner.
        actions::give_to_owner_of(&workspace, &job)
            .map_err(StepError::file("give to the owner of the workspace", &job))?;
        if let Some(first) = prepared.first() {
            self.runner.set_output("tasks", tasks)?;
            self.runner.set_output("folder", &crate::layout::attempt_folder(&first.id))?;
            self.runner.set_output("lock", self.given("lock").unwrap_or_default())?;
        }
        let root = workspace.canonicalize().map_err(StepError::file("find", &workspace))?;
        for attempt in &prepared {
            let worktree = attempt.worktree.strip_prefix(&root);
            let worktree = worktree.unwrap_or(&attempt.worktree).display().to_string();
            self.log.line(&format!("{}: the work tree is {worktree}", attempt.id));
        }
        Ok(StepEnd::Done)
    }
    /// Makes the gates of the final tree due once more, on a machine on which no subagent ever ran.
    async fn prepare_gates_again(&self, site: &mut Site, job: &Path) -> Result<(), StepError> {
        let work = self.add_work(site, &job.join("work")).await?;
        for note in &work.notes {
            self.log.command(&annotation(Level::Warning, None, "Result not counted", note));
        }
        site.repeat_gates().await?;
        replace_state(site, job).await
    }

    /// Tells whether what comes next is what the plan says: the very jobs of this wave, or the gates.
    async fn is_due(&self, site: &Site, tasks: &str) -> Result<bool, StepError> {
        let awaited = jobs::awaited(site).await?;
        if tasks == jobs::GATES {
            return Ok(awaited.gates);
        }
        let planned: Option<Vec<Leg>> = self.runner.input("planned").and_then(|json| serde_json::from_str(json).ok());
        Ok(planned.is_none_or(|planned| planned == awaited.legs))
    }
}

/// Writes the state as it is now where the next steps of the job find it.
async fn replace_state(site: &Site, job: &Path) -> Result<(), StepError> {
    let state = job.join("state");
    fs::remove_dir_all(&state).map_err(StepError::file("remove", &state))?;
    Ok(site.write(&StateDir::new(&state)).await?)
}
