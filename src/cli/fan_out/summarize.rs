//! The end of a fan-out: the writer. Everything is computed again, posted, delivered, and what comes next is started.

use std::path::Path;

use anyhow::anyhow;
use implementer_model::{
    handoff::{Handoff, Status},
    summary,
};

use super::{PREFIX, pack_folder};
use crate::{
    actions::{Level, annotation},
    cli::{
        action::{Step, desk},
        exit::Failure,
    },
    conversation::{self, Desk},
    execution::{self, Executed, blocking},
    jobs::{self, Summarizing},
    workspace::store::RunStore,
};

impl Step {
    pub(super) fn summarize(&self) -> Result<u8, Failure> {
        let workspace = self.runner.workspace()?;
        let scratch = execution::scratch()?;
        let out = match self.runner.input("out") {
            Some(out) => workspace.join(out),
            None => workspace.join(crate::layout::RUNS_DIR).join(format!("run-{}", self.run_number()?)),
        };
        self.log.line(
            "This job checks nothing out and runs nothing of the repository's. Of other programs it calls git alone, on a \
             store of its own.",
        );
        let (handoff, store) = self.runtime.block_on(async {
            let site = self.site(&scratch.path().join("site")).await?;
            let cancelled = self.runner.input("cancelled") == Some("true");
            let summarizing = Summarizing { head: self.runner.input("head"), cancelled, notes: Vec::new() };
            let handoff = jobs::summarize(&site, summarizing, &out, scratch.path()).await?;
            Ok::<_, Failure>((handoff, site.store))
        })?;
        self.runner.append_summary(&summary::render(&handoff))?;
        // The artifact first: the comment says that it is there.
        if let Err(failure) = self.runtime.block_on(self.deliver(&out, scratch.path())) {
            self.log.command(&annotation(Level::Warning, None, "Not uploaded", &failure.to_string()));
        }
        let number = handoff.provenance.pull_request.as_ref().map(|pull| pull.number);
        if let Some(number) = number.filter(|_| self.runner.input("branch") == Some("true"))
            && let Err(failure) = self.runtime.block_on(self.push(&store, &handoff, number))
        {
            self.log.command(&annotation(Level::Warning, None, "Not pushed", &failure.to_string()));
        }
        let complete = handoff.status == Status::Complete;
        let commit = handoff.result.commit.clone();
        let lock = handoff.lock.digest.clone();
        let executed = Executed { handoff, folder: out };
        let Some(number) = number else {
            return Err(Failure::input(anyhow!(
                "the state is of no pull request: there is nowhere to post the summary"
            )));
        };
        let desk: Desk = desk(&self.runner, number)?;
        let came = self.runtime.block_on(conversation::conclude(&desk, executed))?;
        if let Some(workflow) = self.runner.input("on-complete") {
            if complete {
                self.runtime.block_on(self.go_on(
                    &desk,
                    workflow,
                    &[("commit", commit.as_str()), ("lock", lock.as_str())],
                ))?;
            } else {
                self.log.line(&format!("{workflow} is not started: the implementation is not complete"));
            }
        }
        self.tell_usage(&desk);
        self.came(&came, &workspace)
    }

    /// Puts the integrated commits on a branch of our own, never on the pull request's.
    async fn push(&self, store: &RunStore, handoff: &Handoff, number: u64) -> Result<(), Failure> {
        if handoff.result.commit == handoff.result.base {
            self.log.line("Nothing was integrated: no branch is pushed");
            return Ok(());
        }
        let branch = format!("{PREFIX}/pr-{number}");
        let desk = desk(&self.runner, number)?;
        if desk.github.pull_request(number).await?.head.name == branch {
            return Err(Failure::input(anyhow!(
                "`{branch}` is the pull request's own branch, and that is never pushed to"
            )));
        }
        let remote = desk.remote();
        let (store, commit) = (store.clone(), handoff.result.commit.clone());
        let pushed = branch.clone();
        blocking(move || store.push(&remote, &commit, &pushed)).await?;
        self.log.line(&format!(
            "pushed {branch}; a push with this token starts no workflow, so no CI runs on it by itself"
        ));
        Ok(())
    }

    /// Starts the workflow that comes next: nothing that this token does would start it by itself.
    async fn go_on(&self, desk: &Desk, workflow: &str, about: &[(&str, &str)]) -> Result<(), Failure> {
        let (number, run) = (desk.number.to_string(), self.run_number()?.to_string());
        let base = desk.github.pull_request(desk.number).await?.base.name;
        let mut inputs = vec![("pr", number.as_str()), ("run", run.as_str())];
        inputs.extend_from_slice(about);
        let said = match desk.github.dispatch_workflow(workflow, &base, &inputs).await? {
            Some(run) => format!("started {workflow} on {base}: run {} {}", run.id, run.html_url),
            None => format!("started {workflow} on {base}"),
        };
        self.log.line(&said);
        Ok(())
    }

    /// Uploads the run's folder, without the store that it was computed in.
    async fn deliver(&self, out: &Path, scratch: &Path) -> Result<(), Failure> {
        let service = self.artifacts()?;
        let packed =
            pack_folder(out, &scratch.join("run.zip"), |path| path.starts_with(crate::layout::RunFile::Store))?;
        let name = self.artifact_name("run")?;
        service.upload(&name, &packed).await?;
        self.log.line(&format!("uploaded {name} ({} bytes)", packed.size));
        Ok(())
    }
}
