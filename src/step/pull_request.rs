//! Steps that work on a pull request: the preview, and a run in one place.

use std::{path::Path, sync::Arc};

use implementer_model::{
    conversation::{command::Retry, intent::Approval},
    github_ids::{CommentId, PullRequestNumber},
    ids::ObjectId,
    summary,
};
use serde_json::json;

use super::{
    ANNOTATIONS_MAX, Step, StepEnd, StepError,
    conversation::{self, ConversationError, Keep, PlanState, Reported, RunOptions},
};
use crate::{
    actions::{self, Level, annotation},
    execution::{self, Out, Resume},
    layout::RunFile,
    runtime::with_signals,
};

impl Step<'_> {
    /// Shows what the plan would do; `asked` is the comment that asks for it, and who wrote it.
    pub(super) fn preview(
        &self,
        number: PullRequestNumber,
        asked: Option<(CommentId, &str)>,
    ) -> Result<StepEnd, StepError> {
        let pull = self.pull_request(number)?;
        let options = self.plan_options()?;
        let scratch = execution::scratch()?;
        let shown = self.runtime.block_on(conversation::preview(&pull, &options, scratch.path(), asked))?;
        if let Some(comment) = shown.comment {
            self.runner.set_output("comment-id", &comment.to_string())?;
        }
        self.runner.set_output("status", "preview")?;
        if let Some((lock, schedule)) = &shown.ready {
            self.log.line(&format!("Lock {}", lock.digest));
            self.runner.set_output("lock", lock.digest.as_str())?;
            let waves: Vec<_> = schedule.waves.iter().map(|wave| json!({ "tasks": wave.tasks })).collect();
            self.runner.set_output("waves", &json!(waves).to_string())?;
        }
        // Outputs come first: what is written for people may fail, and later steps need them all the same.
        if shown.plan == PlanState::None {
            self.log.line("There is no plan on this pull request, so that nothing is said");
        } else {
            self.runner.append_summary(&shown.page)?;
        }
        self.annotate_problems(&shown);
        self.degraded(&shown.degraded)?;
        self.tell_usage(pull.github());
        match shown.ready {
            Some(_) => Ok(StepEnd::Done),
            // A pull request without a plan is nothing wrong; one with a wrong plan is.
            None if shown.problems.is_empty() => Ok(StepEnd::Done),
            None => Ok(StepEnd::BadInput),
        }
    }

    pub(super) fn run(
        &self,
        number: PullRequestNumber,
        approval: &Approval,
        retry: Option<Retry>,
    ) -> Result<StepEnd, StepError> {
        let pull = self.pull_request(number)?;
        let workspace = self.runner.workspace()?;
        let out = match self.runner.input("out") {
            Some(out) => Out::Folder(workspace.join(out)),
            None => Out::Below(workspace.clone()),
        };
        let options = RunOptions {
            plan: self.plan_options()?,
            retry,
            allow_red_base: false,
            time_limit: self.time_limit()?,
            out,
            // The workspace may hold what code of an earlier job has written there.
            resume: Resume::Never,
            workflow: self.runner.workflow().map(str::to_owned),
            keep: match self.artifacts() {
                Ok(service) => Some(Keep {
                    service: Arc::new(service),
                    name: self.artifact_name("kept")?,
                    files: self.artifact_name("run")?,
                }),
                Err(error) => {
                    tracing::info!(%error, "nothing is kept for a retry, nor uploaded");
                    None
                }
            },
        };
        let scratch = execution::scratch()?;
        let mut observer = self.observer.borrow_mut();
        let claimed = |commit: &ObjectId| self.remember_claim(number, commit);
        let reported = self.runtime.block_on(with_signals(async |cancelled| {
            conversation::run(&pull, approval, options, scratch.path(), cancelled, &mut **observer, claimed).await
        }));
        self.remember_conclusion()?;
        self.tell_usage(pull.github());
        match reported {
            Ok(reported) => {
                let end = self.report_run(&reported, &workspace)?;
                // Outputs come first: what is written for people may fail, and later steps need them all the same.
                self.runner.append_summary(&summary::render(&reported.executed.handoff))?;
                Ok(end)
            }
            Err(ConversationError::OtherLabel(name)) => {
                self.log.line(&format!("Nothing to do: the label {name} runs nothing"));
                self.runner.set_output("status", "nothing")?;
                Ok(StepEnd::Done)
            }
            Err(error) => {
                self.runner.set_output("status", "refused")?;
                Err(error.into())
            }
        }
    }

    pub(super) fn report_run(&self, reported: &Reported, workspace: &Path) -> Result<StepEnd, StepError> {
        let handoff = &reported.executed.handoff;
        // Later steps run as the workspace's owner, and on the host: paths of this container mean nothing to them.
        if let Err(error) = actions::give_to_owner_of(workspace, &reported.executed.folder) {
            tracing::warn!(%error, "the run's files could not be given to the owner of the workspace");
        }
        let folder = reported.executed.folder.strip_prefix(workspace).unwrap_or(&reported.executed.folder);
        let path = |file: RunFile| folder.join(file).display().to_string();
        self.runner.set_output("status", handoff.status.name())?;
        self.runner.set_output("lock", handoff.lock.digest.as_str())?;
        self.runner.set_output("run-path", &folder.display().to_string())?;
        self.runner.set_output("summary-path", &path(RunFile::Summary))?;
        self.runner.set_output("handoff-path", &path(RunFile::Handoff))?;
        if let Some(comment) = reported.comment {
            self.runner.set_output("comment-id", &comment.to_string())?;
        }
        self.degraded(&reported.degraded)?;
        for missing in handoff.missing.iter().take(ANNOTATIONS_MAX) {
            self.log.command(&annotation(Level::Error, None, "Incomplete", missing));
        }
        self.log.line(&format!("The implementation is {}", handoff.status.name()));
        Ok(handoff.status.into())
    }
}
