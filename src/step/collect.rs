//! The end of a job that does work: what it made is judged, packed and uploaded.

use std::{collections::BTreeMap, path::Path};

use implementer_model::schedule::Outcome;

use super::{
    Step, StepEnd, StepError,
    gather::Bound,
    job::{JOB, pack_folder},
    unsettled::Waves,
};
use crate::{
    actions::{Level, annotation},
    execution,
    jobs::{self, Brought},
};

impl Step<'_> {
    pub(super) fn collect(&self) -> Result<StepEnd, StepError> {
        if self.runner.input("due") == Some("false") {
            self.log.line("Nothing was done: it was not this job's turn");
            return Ok(self.runner.set_output("settle", "true").map(|()| StepEnd::Done)?);
        }
        let job = self.runner.workspace()?.join(JOB);
        let service = self.artifacts()?;
        let (tasks, wave) = (self.required("tasks")?, self.required("wave")?);
        let slot = self.slot()?;
        let succeeded = self.runner.input("succeeded").is_none_or(|succeeded| succeeded == "true");
        let scratch = execution::scratch()?;
        let results = scratch.path().join("results");
        self.runtime.block_on(async {
            let (lines, end) = if tasks == jobs::GATES {
                jobs::collect_gates(&job, &results)?;
                if self.leave_work(&results, scratch.path()).await? {
                    self.runner.set_output("settle", "true")?;
                }
                (vec!["the receipts of the gates".to_owned()], StepEnd::Done)
            } else {
                // Everything but the work tree is had anew: whatever ran in this job could write to the job's folder.
                let mut site = self.site(&scratch.path().join("site")).await?;
                self.add_unsettled(&mut site, Waves::All, &scratch.path().join("waves")).await?;
                let collected = jobs::collect(&site, &jobs::parse_attempts(tasks)?, &job, &results, succeeded).await?;
                for attempt in collected.iter().filter(|attempt| attempt.outcome != Outcome::Passed) {
                    let said = format!("{} ({}): {}", attempt.id, attempt.outcome.name(), attempt.reason);
                    self.log.command(&annotation(Level::Warning, None, "Not passed", &said));
                }
                let passed = collected.iter().all(|attempt| attempt.outcome == Outcome::Passed);
                let end = if passed { StepEnd::Done } else { StepEnd::Incomplete };
                (collected.iter().map(ToString::to_string).collect(), end)
            };
            for line in lines {
                self.log.line(&line);
            }
            let packed = pack_folder(&results, &scratch.path().join("results.zip"), |_| false)?;
            let name = self.artifact_name(&format!("{wave}-{slot}"))?;
            let uploaded = service.upload(&name, &packed).await?;
            self.runner.set_slot(slot, &Bound::say(&uploaded))?;
            self.log.line(&format!("uploaded {name} ({} bytes)", packed.size));
            Ok(end)
        })
    }

    /// Tells whether anything is left to do after the gates: what they found may call somebody again.
    async fn leave_work(&self, results: &Path, scratch: &Path) -> Result<bool, StepError> {
        if self.runner.input("work").is_some() {
            // The layout `one-job` repeats its gates at the end, after which nobody is called.
            return Ok(false);
        }
        let mut site = self.site(&scratch.join("site")).await?;
        self.add_unsettled(&mut site, Waves::All, &scratch.join("waves")).await?;
        let awaited = jobs::awaited(&site).await?;
        let found = [Brought { job: "this job".to_owned(), folder: results.to_owned(), leg: None }];
        Ok(jobs::advance(&site, awaited, &found, &BTreeMap::new()).await?.is_open())
    }
}
