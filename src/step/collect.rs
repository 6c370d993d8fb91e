//! The end of a job that does work: what it made is judged, packed and uploaded.

use implementer_model::schedule::Outcome;

use super::{
    Step, StepEnd, StepError,
    gather::Bound,
    job::{JOB, pack_folder},
};
use crate::{
    actions::{Level, annotation},
    execution, jobs,
};

impl Step<'_> {
    pub(super) fn collect(&self) -> Result<StepEnd, StepError> {
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
                (vec!["the receipts of the gates".to_owned()], StepEnd::Done)
            } else {
                // Everything but the work tree is had anew: whatever ran in this job could write to the job's folder.
                let site = self.site(&scratch.path().join("site")).await?;
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
}
