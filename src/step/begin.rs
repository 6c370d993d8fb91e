//! The beginning of a fan-out on a pull request.

use implementer_model::conversation::intent::Approval;

use super::{Step, StepEnd, StepError, conversation};
use crate::{
    execution,
    jobs::{self, Freezing, Site, StateDir},
};

impl Step<'_> {
    /// Begins a fan-out on a pull request: approves, claims, freezes, and names the first wave.
    pub(super) fn begin(&self, number: u64, approval: &Approval, retry: Option<&str>) -> Result<StepEnd, StepError> {
        let pull = self.pull_request(number)?;
        let service = self.artifacts()?;
        let options = self.plan_options()?;
        let scratch = execution::scratch()?;
        let claimed = |commit: &str| self.remember_claim(number, commit);
        let began = self.runtime.block_on(async {
            let begun = conversation::begin(&pull, approval, &options, retry, scratch.path(), claimed).await?;
            let freezing = Freezing {
                intake: &begun.intake,
                rules: &begun.rules,
                plan: &begun.plan,
                config: &options.config,
                run: execution::run_id(std::time::SystemTime::now(), begun.intake.lock.digest.short()),
                workflow: self.runner.workflow().map(str::to_owned),
                time_limit_s: self.time_limit()?.map(|limit| limit.as_secs().max(1)),
            };
            let state = StateDir::new(&scratch.path().join("state"));
            jobs::freeze(freezing, &state).await?;
            let site = Site::open(&begun.repository, &state, &scratch.path().join("site"), None)?;
            let settled = jobs::first(&site).await?;
            let waves = begun.intake.schedule.waves.len() as u64;
            let room = begun.intake.config.workflow.waves();
            if waves > room {
                return Err(StepError::TooManyWaves { waves, room });
            }
            self.publish(&service, &state, "plan", &settled, scratch.path()).await?;
            self.runner.set_output("lock", begun.intake.lock.digest.as_str())?;
            self.log.line(&format!("Lock {}", begun.intake.lock.digest));
            Ok::<_, StepError>(())
        });
        match began {
            Ok(()) => {
                // What is claimed is concluded by the last job.
                self.remember_conclusion()?;
                self.runner.set_output("status", "running")?;
                self.tell_usage(pull.github());
                Ok(StepEnd::Done)
            }
            Err(failure) => {
                self.runner.set_output("status", "refused")?;
                Err(failure)
            }
        }
    }
}
