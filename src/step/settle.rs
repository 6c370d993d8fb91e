//! Between waves: results are downloaded, each only when its job says that it is its own, and taken in.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use implementer_model::{github_ids::ArtifactId, text, workflow::matrix::Leg};
use serde_json::Value;

use super::{
    ANNOTATIONS_MAX, Step, StepEnd, StepError,
    gather::{self, Bound},
};
use crate::{
    actions::{Level, annotation},
    errors, execution,
    github::Github,
    jobs::{self, AttemptName, Awaited, Brought, StateDir},
};

/// The outputs in which the jobs of a wave say what they uploaded.
pub(super) struct Bindings {
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

impl Step<'_> {
    pub(super) fn settle(&self) -> Result<StepEnd, StepError> {
        let service = self.artifacts()?;
        let wave = self.required("wave")?;
        let bindings = self.bindings()?;
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
            Ok(StepEnd::Done)
        })
    }

    /// Reads what the jobs before say that they uploaded.
    pub(super) fn bindings(&self) -> Result<Bindings, StepError> {
        Ok(Bindings { here: self.outputs("results")?, dispatched: self.outputs("dispatched")? })
    }

    /// Reads the outputs of a job, as JSON; none of a job that is not there.
    fn outputs(&self, input: &'static str) -> Result<Option<BTreeMap<String, Value>>, StepError> {
        let Some(json) = self.runner.input(input) else { return Ok(None) };
        let outputs: Option<_> = serde_json::from_str(json).map_err(|source| StepError::Outputs { input, source })?;
        // `null` is what a job has that was skipped.
        Ok(Some(outputs.unwrap_or_default()))
    }

    /// Downloads what the jobs of a wave say that they uploaded. Gives the folders, and for each attempt whose result
    /// cannot be had, why.
    pub(super) async fn gather(
        &self,
        awaited: &Awaited,
        bindings: &Bindings,
        wave: &str,
        scratch: &Path,
    ) -> Result<(Vec<Brought>, BTreeMap<AttemptName, String>), StepError> {
        let gates = Leg::gates();
        let legs = if awaited.gates { std::slice::from_ref(&gates) } else { &awaited.legs };
        let github = self.repository()?.github;
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
        let gathered = gather::gather(&github, &wanted, scratch).await;
        came.extend(gathered.into_iter().map(|(slot, result)| (slot, result.map_err(|error| errors::chain(&error)))));
        let bound: Vec<ArtifactId> = wanted.iter().map(|(_, bound)| bound.id).collect();
        let (mut found, mut troubles) = (Vec::new(), BTreeMap::new());
        for leg in legs {
            match came.remove(&leg.slot) {
                Some(Ok(folder)) => {
                    let leg_of_tasks = (!awaited.gates).then(|| leg.clone());
                    found.push(Brought { job: format!("job {} of {wave}", leg.slot), folder, leg: leg_of_tasks });
                }
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
    async fn name_strangers(&self, github: &Github, wave: &str, bound: &[ArtifactId]) {
        let (Ok(run), Ok(prefix)) = (self.runner.run_id(), self.artifact_name(wave)) else { return };
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
}
