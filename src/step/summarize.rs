//! The end of a fan-out: the writer. Everything is computed again, posted, delivered, and what comes next is started.

use std::path::Path;

use implementer_model::{
    github_ids::PullRequestNumber,
    handoff::{Handoff, Status},
    ids::ObjectId,
    summary,
};

use super::{
    ANNOTATIONS_MAX, PullRequestContext, Step, StepEnd, StepError, conversation, gather::Bound, job::pack_folder,
    unsettled::Waves,
};
use crate::{
    actions::{Level, annotation},
    execution::{self, Executed},
    jobs::{self, Site, StateDir, Summarizing},
    layout::RUNS_DIR,
    runtime::blocking,
    workspace::store::RunStore,
};

impl Step<'_> {
    pub(super) fn summarize(&self) -> Result<StepEnd, StepError> {
        let workspace = self.runner.workspace()?;
        let scratch = execution::scratch()?;
        let out = match self.runner.input("out") {
            Some(out) => workspace.join(out),
            // A runner of somebody's own still has the folder of the attempt before.
            None => match self.runner.attempt()? {
                1 => workspace.join(RUNS_DIR).join(format!("run-{}", self.runner.run_id()?)),
                _ => workspace.join(RUNS_DIR).join(format!("run-{}{}", self.runner.run_id()?, self.attempt_suffix()?)),
            },
        };
        self.log.line(
            "This job checks nothing out and runs nothing of the repository's. Of other programs it calls git alone, on a \
             store of its own.",
        );
        let (mut handoff, store, kept) = self.runtime.block_on(async {
            let mut site = match self.site(&scratch.path().join("site")).await {
                Err(error) => {
                    self.conclude_in_words().await;
                    return Err(error);
                }
                Ok(site) => site,
            };
            let mut notes = self.add_settled(&mut site, &scratch.path().join("waves")).await?;
            let waves = self.add_unsettled(&mut site, Waves::Finished, &scratch.path().join("unsettled")).await?;
            let kept = if waves > 0 { self.keep(&site, scratch.path()).await } else { self.kept() };
            let work = self.add_work(&mut site, &scratch.path().join("work")).await?;
            notes.extend(work.notes);
            notes.extend(self.add_gates(&mut site, scratch.path()).await?);
            for note in notes.iter().take(ANNOTATIONS_MAX) {
                self.log.command(&annotation(Level::Warning, None, "Result not counted", note));
            }
            if self.artifacts().is_ok() {
                site.set_artifact(self.artifact_name("run")?);
            }
            let cancelled = self.runner.input("cancelled") == Some("true");
            let head = self.runner.input("head").filter(|_| waves == 0);
            let summarizing = Summarizing { head, cancelled, notes, why_open: work.why_open };
            let handoff = jobs::summarize(&site, summarizing, &out, scratch.path()).await?;
            Ok::<_, StepError>((handoff, site.store, kept))
        })?;
        // The artifact first: the summary says that it is there.
        if let Err(failure) = self.runtime.block_on(self.deliver(&out, scratch.path())) {
            self.log.command(&annotation(Level::Warning, None, "Not uploaded", &failure.told()));
            handoff.provenance.set_artifact(None);
        }
        // Before anything that can fail: the comment refers to it.
        self.runner.append_summary(&summary::render(&handoff))?;
        let about = handoff.provenance.pull_request.clone().ok_or(StepError::NoPullRequest)?;
        let number = PullRequestNumber::new(about.number);
        let pull = self.pull_request(number)?;
        let head = ObjectId::new(about.head).map_err(|_| StepError::NoPullRequest)?;
        if self.runner.input("branch") == Some("true")
            && let Err(failure) = self.runtime.block_on(self.push(&pull, &store, &handoff))
        {
            self.log.command(&annotation(Level::Warning, None, "Not pushed", &failure.told()));
        }
        let complete = handoff.status == Status::Complete;
        let commit = handoff.result.commit.clone();
        let lock = handoff.lock.digest.clone();
        let executed = Executed { handoff, folder: out };
        let reported = self.runtime.block_on(conversation::conclude(&pull, &head, executed, kept.as_ref()))?;
        if let Some(workflow) = self.runner.input("on-complete") {
            if complete {
                self.runtime.block_on(self.start_next(
                    &pull,
                    workflow,
                    &[("commit", commit.as_str()), ("lock", lock.as_str())],
                ))?;
            } else {
                self.log.line(&format!("{workflow} is not started: the implementation is not complete"));
            }
        }
        self.tell_usage(pull.github());
        let end = self.report_run(&reported, &workspace)?;
        // Nothing is lost by it: this job computes everything again, and what it could not post is posted then.
        if reported.may_report_later { Err(StepError::NotReported(reported.degraded)) } else { Ok(end) }
    }

    /// Returns the artifact that has what the run finished: the working job's, else that of the last state.
    fn kept(&self) -> Option<Bound> {
        ["work", "settled", "state"].iter().find_map(|input| Bound::parse(self.given(input)?))
    }

    /// Uploads what the waves made that no job has settled, for whoever runs a task of this plan again.
    /// The summary is posted without it, too.
    async fn keep(&self, site: &Site, scratch: &Path) -> Option<Bound> {
        let kept = async {
            let state = StateDir::new(&scratch.join("kept-state"));
            site.write(&state).await?;
            let packed = pack_folder(state.root(), &scratch.join("kept-state.zip"), |_| false)?;
            Ok::<_, StepError>(self.artifacts()?.upload(&self.artifact_name("state-summarize")?, &packed).await?)
        };
        match kept.await {
            Ok(uploaded) => Some(Bound { id: uploaded.id, digest: uploaded.digest }),
            Err(failure) => {
                self.log.command(&annotation(Level::Warning, None, "Not kept for a retry", &failure.told()));
                self.kept()
            }
        }
    }

    /// Takes in the receipts of the last gates that no job has settled, where there are any. In the layout `one-job` they are
    /// of the job that ran the final gates once more, and its word stands in place of the working job's.
    async fn add_gates(&self, site: &mut Site, scratch: &Path) -> Result<Vec<String>, StepError> {
        if self.runner.input("results").is_none() {
            return Ok(Vec::new());
        }
        if self.runner.input("work").is_some() {
            site.repeat_gates().await?;
        }
        let wave = self.required("wave")?;
        let awaited = jobs::awaited(site).await?;
        if !awaited.gates {
            return Ok(Vec::new());
        }
        let bindings = self.bindings()?;
        let (found, troubles) = if self.left_nothing(&bindings, wave).await? {
            // No later job could have them: that the gates were not run again is what there is to say.
            Default::default()
        } else {
            self.gather(&awaited, &bindings, wave, scratch).await?
        };
        let advanced = jobs::advance(site, awaited, &found, &troubles).await?;
        *site = advanced.site;
        Ok(advanced.notes)
    }

    /// Ends what stands in progress on the pull request when not even what was approved can be read: the event that started
    /// the workflow names it.
    async fn conclude_in_words(&self) {
        let Ok(Some(number)) = self.number_of_event() else { return };
        let concluded = async {
            let pull = self.pull_request(number)?;
            let head = pull.github().pull_request(number).await?.head.sha;
            Ok::<_, StepError>(conversation::clean_up(&pull, &head).await?)
        };
        match concluded.await {
            Ok(count) => tracing::info!(count, "concluded what stood in progress"),
            Err(error) => tracing::warn!(%error, "check runs that are in progress could not be concluded"),
        }
    }

    /// Puts the integrated commits on a branch of our own, never on the pull request's.
    async fn push(&self, pull: &PullRequestContext, store: &RunStore, handoff: &Handoff) -> Result<(), StepError> {
        if handoff.result.commit == handoff.result.base {
            self.log.line("Nothing was integrated: no branch is pushed");
            return Ok(());
        }
        let branch = conversation::result_branch_name(pull.number);
        if pull.github().pull_request(pull.number).await?.head.name == branch {
            return Err(StepError::OwnBranch(branch));
        }
        let remote = pull.repository.remote();
        let (store, commit) = (store.clone(), handoff.result.commit.clone());
        let pushed = branch.clone();
        blocking(move || store.push(&remote, &commit, &pushed)).await?;
        if handoff.status == Status::Complete {
            // Whoever merges the branch has the very commit that was checked.
            conversation::report_result(pull, handoff).await?;
        }
        self.log.line(&format!(
            "pushed {branch}; a push with this token starts no workflow, so no CI runs on it by itself"
        ));
        Ok(())
    }

    /// Starts the workflow that comes next: nothing that this token does would start it by itself.
    async fn start_next(
        &self,
        pull: &PullRequestContext,
        workflow: &str,
        about: &[(&str, &str)],
    ) -> Result<(), StepError> {
        let (number, run) = (pull.number.to_string(), self.runner.run_id()?.to_string());
        let base = pull.github().pull_request(pull.number).await?.base.name;
        let mut inputs = vec![("pr", number.as_str()), ("run", run.as_str())];
        inputs.extend_from_slice(about);
        let said = match pull.github().dispatch_workflow(workflow, &base, &inputs).await? {
            Some(run) => format!("started {workflow} on {base}: run {} {}", run.id, run.html_url),
            None => format!("started {workflow} on {base}"),
        };
        self.log.line(&said);
        Ok(())
    }

    /// Uploads the run's files.
    async fn deliver(&self, out: &Path, scratch: &Path) -> Result<(), StepError> {
        let (service, name) = (self.artifacts()?, self.artifact_name("run")?);
        let packed = conversation::upload_files(&service, &name, out, scratch).await?;
        self.log.line(&format!("uploaded {name} ({} bytes)", packed.size));
        Ok(())
    }
}
