//! The two ends of a job that does work: what is prepared, and what is collected. The middle runs on the host.

use std::fs;

use anyhow::Context as _;
use implementer_model::schedule::Outcome;

use super::{JOB, pack_folder};
use crate::{
    actions::{self, Level, annotation},
    cli::{
        action::Step,
        collect,
        exit::{self, Failure},
        jobs as names,
    },
    execution,
    gather::Bound,
    jobs,
};

impl Step {
    pub(super) fn prepare(&self) -> Result<u8, Failure> {
        let workspace = self.runner.workspace()?;
        let job = workspace.join(JOB);
        // A runner of somebody's own may have what an earlier job left.
        match fs::remove_dir_all(&job) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                let what = format!("cannot remove {}, which an earlier job left", job.display());
                return Err(Failure::outside(anyhow::Error::from(error).context(what)));
            }
            _ => {}
        }
        let made = || format!("cannot make {}", job.display());
        fs::create_dir_all(job.join("bin")).with_context(made).map_err(Failure::outside)?;
        let tasks = self.required("tasks")?;
        let prepared = self.runtime.block_on(async {
            let site = self.site(&job).await?;
            if tasks == names::GATES {
                return Ok(Vec::new());
            }
            Ok::<_, Failure>(jobs::prepare(&site, &names::names(tasks)?, &job).await?)
        })?;
        let program = std::env::current_exe().context("cannot find our own executable").map_err(Failure::outside)?;
        fs::copy(program, job.join("bin/backend-implementer"))
            .context("cannot copy the program for the steps on the host")
            .map_err(Failure::outside)?;
        // The steps after this one run as the workspace's owner.
        actions::give_to_owner_of(&workspace, &job)
            .context("the job's folder could not be given to the owner of the workspace")
            .map_err(Failure::outside)?;
        if let Some(first) = prepared.first() {
            self.runner.set_output("tasks", tasks)?;
            self.runner.set_output("folder", &jobs::folder_name(&first.id))?;
            self.runner.set_output("lock", self.given("lock").unwrap_or_default())?;
        }
        for attempt in &prepared {
            let worktree = attempt.worktree.strip_prefix(workspace.canonicalize().unwrap_or_default());
            let worktree = worktree.unwrap_or(&attempt.worktree).display().to_string();
            self.log.line(&format!("{}: the work tree is {worktree}", attempt.id));
        }
        Ok(exit::COMPLETE)
    }

    pub(super) fn collect(&self) -> Result<u8, Failure> {
        let job = self.runner.workspace()?.join(JOB);
        let service = self.artifacts()?;
        let (tasks, wave) = (self.required("tasks")?, self.required("wave")?);
        let slot = self.slot()?;
        let succeeded = self.runner.input("succeeded").is_none_or(|succeeded| succeeded == "true");
        let scratch = execution::scratch()?;
        let results = scratch.path().join("results");
        self.runtime.block_on(async {
            let (lines, code) = if tasks == names::GATES {
                jobs::collect_gates(&job, &results)?;
                (vec!["the receipts of the gates".to_owned()], exit::COMPLETE)
            } else {
                // Everything but the work tree is had anew: whatever ran in this job could write to the job's folder.
                let site = self.site(&scratch.path().join("site")).await?;
                let collected = jobs::collect(&site, &names::names(tasks)?, &job, &results, succeeded).await?;
                for attempt in collected.iter().filter(|attempt| attempt.outcome != Outcome::Passed) {
                    let said = format!("{} ({}): {}", attempt.id, attempt.outcome.name(), attempt.reason);
                    self.log.command(&annotation(Level::Warning, None, "Not passed", &said));
                }
                (collected.iter().map(collect::line).collect(), collect::code(&collected))
            };
            for line in lines {
                self.log.line(line.trim_end());
            }
            let packed = pack_folder(&results, &scratch.path().join("results.zip"), |_| false)?;
            let name = self.artifact_name(&format!("{wave}-{slot}"))?;
            let uploaded = service.upload(&name, &packed).await?;
            self.runner.set_slot(slot, &Bound::of(&uploaded))?;
            self.log.line(&format!("uploaded {name} ({} bytes)", packed.size));
            Ok(code)
        })
    }
}
