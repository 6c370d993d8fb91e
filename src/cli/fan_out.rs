//! The jobs of a fan-out as steps of GitHub Actions: what they download, do and upload. Each works on folders through
//! the same functions as the commands of the same names.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};
use implementer_model::{
    conversation::intent::Approval,
    handoff::{Handoff, Status},
    ids::ObjectId,
    schedule::Outcome,
    summary, text,
    workflow::matrix::Leg,
};
use serde_json::Value;

use super::{
    action::{ANNOTATIONS_MAX, Step, desk, desk_at},
    collect,
    dispatch::Assignment,
    exit,
    exit::Failure,
    jobs as names,
};
use crate::{
    actions::{
        self, Level, annotation,
        artifacts::{ArtifactService, pack},
    },
    agent,
    conversation::{self, Desk},
    execution::{self, Executed, blocking},
    gather::{self, Bound},
    github::Github,
    jobs::{self, AttemptName, Awaited, Freezing, Settled, Site, StateDir, Summarizing},
    workspace::{
        fetch::{self, Wanted},
        store::RunStore,
    },
};

/// What the names of all artifacts of ours begin with.
pub(super) const PREFIX: &str = "backend-implementer";

/// The folder of a job, in the workspace; the generated workflow names it, too.
const JOB: &str = ".backend-implementer/job";

/// A job of the fan-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JobCommand {
    Prepare,
    Dispatch,
    Collect,
    Settle,
    Summarize,
}

impl JobCommand {
    /// Returns the job whose name this is.
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            "prepare" => Some(Self::Prepare),
            "dispatch" => Some(Self::Dispatch),
            "collect" => Some(Self::Collect),
            "settle" => Some(Self::Settle),
            "summarize" => Some(Self::Summarize),
            _ => None,
        }
    }
}

/// The outputs in which the jobs of a wave say what they uploaded.
struct Bindings {
    /// Of those that did the work.
    here: Option<BTreeMap<String, Value>>,
    /// Of those that waited for workflows which did it.
    dispatched: Option<BTreeMap<String, Value>>,
}

impl Bindings {
    /// Returns what the job of a leg says; nothing when it says nothing.
    fn of(&self, leg: &Leg) -> &str {
        let outputs = if leg.dispatched { &self.dispatched } else { &self.here };
        let said = outputs.as_ref().and_then(|outputs| outputs.get(&format!("slot-{}", leg.slot)));
        said.and_then(Value::as_str).unwrap_or_default()
    }
}

impl Step {
    /// Does the part of one job of the fan-out.
    pub(super) fn job(&self, command: JobCommand) -> Result<u8, Failure> {
        match command {
            JobCommand::Prepare => self.prepare(),
            JobCommand::Dispatch => self.dispatch(),
            JobCommand::Collect => self.collect(),
            JobCommand::Settle => self.settle(),
            JobCommand::Summarize => self.summarize(),
        }
    }

    /// Begins a fan-out on a pull request: approves, claims, freezes, and names the first wave.
    pub(super) fn begin(&self, number: u64, approval: &Approval, retry: Option<&str>) -> Result<u8, Failure> {
        let desk = desk(&self.runner, number)?;
        let service = self.artifacts()?;
        let options = self.setting_options()?;
        let scratch = execution::scratch()?;
        let claimed = |commit: &str| self.remember_claim(number, commit);
        let began = self.runtime.block_on(async {
            let begun = conversation::begin(&desk, approval, &options, retry, scratch.path(), claimed).await?;
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
                return Err(Failure::input(anyhow!(
                    "the plan has {waves} waves, and the workflow has room for {room}: set `workflow.waves` to {waves} or \
                     more and run `backend-implementer generate`"
                )));
            }
            self.publish(&service, &state, "plan", &settled, scratch.path()).await?;
            self.runner.set_output("lock", begun.intake.lock.digest.as_str())?;
            self.log.line(&format!("Lock {}", begun.intake.lock.digest));
            Ok::<_, Failure>(())
        });
        match began {
            Ok(()) => {
                // What is claimed is concluded by the last job.
                self.remember_conclusion()?;
                self.runner.set_output("status", "running")?;
                self.tell_usage(&desk);
                Ok(exit::COMPLETE)
            }
            Err(failure) => {
                self.runner.set_output("status", "refused")?;
                Err(failure)
            }
        }
    }

    fn prepare(&self) -> Result<u8, Failure> {
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
            self.runner.set_output("folder", &first.name.folder())?;
            self.runner.set_output("lock", self.given("lock").unwrap_or_default())?;
        }
        for attempt in &prepared {
            let worktree = attempt.worktree.strip_prefix(workspace.canonicalize().unwrap_or_default());
            let worktree = worktree.unwrap_or(&attempt.worktree).display().to_string();
            self.log.line(&format!("{}: the work tree is {worktree}", attempt.name));
        }
        Ok(exit::COMPLETE)
    }

    fn collect(&self) -> Result<u8, Failure> {
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
                    let said = format!("{} ({}): {}", attempt.name, attempt.outcome.name(), attempt.reason);
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

    fn settle(&self) -> Result<u8, Failure> {
        let service = self.artifacts()?;
        let wave = self.required("wave")?;
        let bindings = Bindings { here: self.outputs("results")?, dispatched: self.outputs("dispatched")? };
        let scratch = execution::scratch()?;
        self.runtime.block_on(async {
            let site = self.site(&scratch.path().join("site")).await?;
            let awaited = jobs::awaited(&site).await?;
            let (found, troubles) = self.gather(&awaited, &bindings, wave, scratch.path()).await?;
            let to = StateDir::new(&scratch.path().join("next"));
            let head = self.runner.input("head");
            let settled = jobs::settle(&site, awaited, &found, &troubles, head, &to).await?;
            for note in settled.notes.iter().take(ANNOTATIONS_MAX) {
                self.log.command(&annotation(Level::Warning, None, "Result not counted", note));
            }
            self.publish(&service, &to, wave, &settled, scratch.path()).await?;
            Ok(exit::COMPLETE)
        })
    }

    /// Reads the outputs of a job, as JSON; none of a job that is not there.
    fn outputs(&self, input: &'static str) -> Result<Option<BTreeMap<String, Value>>, Failure> {
        let Some(json) = self.runner.input(input) else { return Ok(None) };
        let what = || format!("the input `{input}` is not the JSON of a job's outputs");
        // A job that was skipped has none.
        let outputs: Option<_> = serde_json::from_str(json).with_context(what).map_err(Failure::input)?;
        Ok(Some(outputs.unwrap_or_default()))
    }

    /// Downloads what the jobs of a wave say that they uploaded. Gives the folders, and for each attempt whose result
    /// cannot be had, why.
    async fn gather(
        &self,
        awaited: &Awaited,
        bindings: &Bindings,
        wave: &str,
        scratch: &Path,
    ) -> Result<(Vec<(String, PathBuf)>, BTreeMap<AttemptName, String>), Failure> {
        let gates = Leg::gates();
        let legs = if awaited.gates { std::slice::from_ref(&gates) } else { &awaited.legs };
        let github = self.github()?;
        let mut came: BTreeMap<usize, Result<PathBuf, String>> = BTreeMap::new();
        let mut wanted = Vec::new();
        for leg in legs {
            let said = bindings.of(leg);
            match Bound::parse(said) {
                Some(bound) => wanted.push((leg.slot, bound)),
                None => {
                    let why = if said.is_empty() && leg.dispatched && bindings.dispatched.is_none() {
                        "the workflow has no job that starts its own: run `backend-implementer generate`".to_owned()
                    } else if said.is_empty() {
                        "its job ended without a result: it is lost".to_owned()
                    } else {
                        format!("its job names no artifact, but `{}`", text::truncate(&text::plain(said), 80))
                    };
                    came.insert(leg.slot, Err(why));
                }
            }
        }
        came.extend(gather::gather(&github, &wanted, scratch).await);
        let bound: Vec<u64> = wanted.iter().map(|(_, bound)| bound.id).collect();
        let (mut found, mut troubles) = (Vec::new(), BTreeMap::new());
        for leg in legs {
            match came.remove(&leg.slot) {
                Some(Ok(folder)) => found.push((format!("job {} of {wave}", leg.slot), folder)),
                Some(Err(why)) => {
                    let of_leg = leg.tasks.split(' ').filter_map(|name| name.parse().ok());
                    troubles.extend(of_leg.map(|name: AttemptName| (name, why.clone())));
                    if awaited.gates {
                        self.log.command(&annotation(Level::Warning, None, "No receipts", &why));
                    }
                }
                None => {}
            }
        }
        self.name_strangers(&github, wave, &bound).await;
        Ok((found, troubles))
    }

    /// Says which artifacts have names as those of this wave, and were not uploaded by its jobs. They are not looked at.
    async fn name_strangers(&self, github: &Github, wave: &str, bound: &[u64]) {
        let (Ok(run), Ok(prefix)) = (self.run_number(), self.artifact_name(wave)) else { return };
        let Some((prefix, _)) = prefix.rsplit_once("-attempt-") else { return };
        match github.artifacts(run).await {
            Ok(artifacts) => {
                let strange = artifacts.iter().filter(|artifact| {
                    let rest = artifact.name.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-'));
                    let ours = rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
                    ours && rest.is_some_and(|rest| rest.ends_with(&self.attempt_suffix()))
                        && !bound.contains(&artifact.id)
                });
                for artifact in strange.take(ANNOTATIONS_MAX) {
                    let name = text::truncate(&text::plain(&artifact.name), 100);
                    let said = format!(
                        "the artifact {name} ({}) is foreign: no job of {wave} says that it is its own",
                        artifact.id
                    );
                    self.log.command(&annotation(Level::Warning, None, "Foreign artifact", &said));
                }
            }
            Err(error) => tracing::warn!(%error, "the run's artifacts could not be listed"),
        }
    }

    fn summarize(&self) -> Result<u8, Failure> {
        let workspace = self.runner.workspace()?;
        let scratch = execution::scratch()?;
        let out = match self.runner.input("out") {
            Some(out) => workspace.join(out),
            None => workspace.join(crate::run_dir::RUNS_DIR).join(format!("run-{}", self.run_number()?)),
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
        let packed = pack_folder(out, &scratch.join("run.zip"), |path| path.starts_with("store.git"))?;
        let name = self.artifact_name("run")?;
        service.upload(&name, &packed).await?;
        self.log.line(&format!("uploaded {name} ({} bytes)", packed.size));
        Ok(())
    }

    /// Uploads a state and says what comes next.
    async fn publish(
        &self,
        service: &ArtifactService,
        state: &StateDir,
        wave: &str,
        settled: &Settled,
        scratch: &Path,
    ) -> Result<(), Failure> {
        let packed = pack_folder(state.root(), &scratch.join("state.zip"), |_| false)?;
        let uploaded = service.upload(&self.artifact_name(&format!("state-{wave}"))?, &packed).await?;
        self.runner.set_output("state", &Bound::of(&uploaded))?;
        self.runner.set_output("head", settled.head.as_str())?;
        let (dispatched, here): (Vec<_>, Vec<_>) = settled.legs.iter().partition(|leg| leg.dispatched);
        for (name, legs) in [("matrix", here), ("dispatch", dispatched)] {
            // Nothing, where there is no job: a matrix must not be empty.
            let matrix = if legs.is_empty() { Ok(String::new()) } else { serde_json::to_string(&legs) };
            let matrix = matrix.context("the matrix cannot be written").map_err(Failure::outside)?;
            self.runner.set_output(name, &matrix)?;
        }
        self.runner.set_output("gates", if settled.gates { "true" } else { "false" })?;
        self.log.line(&format!("{}; the implementation is at {}", settled.next, settled.head.short()));
        Ok(())
    }

    /// Downloads the state that the job begins with, fetches its commits, and opens it in `folder`.
    pub(super) async fn site(&self, folder: &Path) -> Result<Site, Failure> {
        let said = self.required("state")?;
        let binding = Bound::parse(said).ok_or_else(|| {
            Failure::input(anyhow!("the input `state` names no artifact; it is an output of the job before"))
        })?;
        let (zip, state) = (folder.join("state.zip"), StateDir::new(&folder.join("state")));
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot make {}", folder.display()))
            .map_err(Failure::outside)?;
        let desk = self.origin()?;
        gather::download(&desk.github, &binding, &zip, state.root())
            .await
            .map_err(|why| Failure::outside(anyhow!("the state of the job before cannot be had: {why}")))?;
        let frozen = state.frozen()?;
        let remote = desk.remote();
        let (base, rules): (ObjectId, ObjectId) = (frozen.base.clone(), frozen.rules.clone());
        let into = folder.join("repository.git");
        let repository = blocking(move || {
            let wanted = [
                Wanted { from: base.as_str(), to: "refs/heads/backend-implementer/head" },
                Wanted { from: rules.as_str(), to: "refs/heads/backend-implementer/rules" },
            ];
            // Of a pull request of one commit on itself there is only one to fetch.
            fetch::fetch(&remote, if base == rules { &wanted[..1] } else { &wanted }, &into)
        })
        .await?;
        Ok(Site::open(&repository, &state, &folder.join("site"), self.given("lock"))?)
    }

    pub(super) fn artifacts(&self) -> Result<ArtifactService, Failure> {
        Ok(ArtifactService::of(&agent::own_environment())?)
    }

    fn github(&self) -> Result<Github, Failure> {
        Ok(desk(&self.runner, 0)?.github)
    }

    /// Returns the pull request's repository, which is not that of the workflow where another one started this.
    fn origin(&self) -> Result<Desk, Failure> {
        match &self.assignment {
            Some(assignment) => desk_at(&self.runner, 0, assignment.repository()),
            None => desk(&self.runner, 0),
        }
    }

    /// Returns an input, or what a workflow was told that does the work of a job elsewhere.
    fn given(&self, name: &'static str) -> Option<&str> {
        self.runner.input(name).or_else(|| self.assignment.as_ref()?.get(name))
    }

    pub(super) fn required(&self, name: &'static str) -> Result<&str, Failure> {
        let missing =
            || Failure::input(anyhow!("the input `{name}` is missing; `backend-implementer generate` writes it"));
        self.given(name).ok_or_else(missing)
    }

    /// Returns the number of the job within its matrix.
    pub(super) fn slot(&self) -> Result<u64, Failure> {
        let assigned = self.assignment.as_ref().map(Assignment::slot);
        Ok(self.runner.number("slot")?.or(assigned).unwrap_or(0))
    }

    fn run_number(&self) -> Result<u64, Failure> {
        let key = self.runner.run_key()?;
        let run = key.split_once('/').and_then(|(run, _)| run.parse().ok());
        run.ok_or_else(|| Failure::outside(anyhow!("the runner's `GITHUB_RUN_ID` is no number")))
    }

    fn attempt_suffix(&self) -> String {
        let attempt = self.runner.run_key().ok().and_then(|key| key.split_once('/').map(|(_, n)| n.to_owned()));
        format!("-attempt-{}", attempt.unwrap_or_else(|| "1".to_owned()))
    }

    /// Names an artifact of this attempt at the run: names are never used twice.
    pub(super) fn artifact_name(&self, what: &str) -> Result<String, Failure> {
        Ok(format!("{PREFIX}-{what}{}", self.attempt_suffix()))
    }
}

pub(super) fn pack_folder(
    folder: &Path,
    to: &Path,
    skip: impl Fn(&Path) -> bool,
) -> Result<actions::artifacts::Packed, Failure> {
    pack(folder, to, skip).with_context(|| format!("cannot pack {}", folder.display())).map_err(Failure::outside)
}
