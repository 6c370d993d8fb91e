//! Between waves: results are downloaded, each only when its job says that it is its own, and taken in.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use implementer_model::{github_ids::ArtifactId, record::AttemptId, text, workflow::matrix::Leg};
use serde_json::Value;

use super::{
    ANNOTATIONS_MAX, Step, StepEnd, StepError,
    gather::{self, Bound, Source},
    job::PREFIX,
    unsettled::Waves,
};
use crate::{
    actions::{Level, annotation},
    errors, execution,
    github::Artifact,
    jobs::{self, Awaited, Brought, StateDir},
};

/// The outputs in which the jobs of a wave say what they uploaded.
pub(super) struct Bindings {
    /// Of those that did the work.
    here: Option<BTreeMap<String, Value>>,
    /// Of those that waited for workflows which did it.
    dispatched: Option<BTreeMap<String, Value>>,
}

impl Bindings {
    /// Takes the outputs of a wave whose work no workflow of its own did.
    pub(super) fn of_wave(outputs: BTreeMap<String, Value>) -> Self {
        Self { here: Some(outputs), dispatched: None }
    }

    /// Tells whether the job of a leg names a result.
    pub(super) fn names(&self, leg: &Leg) -> bool {
        !self.of(leg).is_empty()
    }

    /// Tells whether the jobs found that it was not their turn, and did nothing.
    pub(super) fn is_not_due(&self) -> bool {
        let outputs = self.here.iter().flatten();
        let has_result = |(name, value): (&String, &Value)| name.starts_with("slot-") && value.as_str() != Some("");
        let said = self.here.as_ref().and_then(|outputs| outputs.get("settle")).and_then(Value::as_str);
        self.dispatched.iter().flatten().next().is_none()
            && said == Some("true")
            && !outputs.into_iter().any(has_result)
    }

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
            let mut site = self.site(&scratch.path().join("site")).await?;
            let unsettled = self.add_unsettled(&mut site, Waves::All, &scratch.path().join("waves")).await?;
            let awaited = jobs::awaited(&site).await?;
            let to = StateDir::new(&scratch.path().join("next"));
            let settled = if bindings.is_not_due() {
                // Nobody did anything: what the waves before made is all there is to settle.
                site.write(&to).await?;
                jobs::first(&site).await?
            } else {
                let (found, troubles) = self.gather(&awaited, &bindings, wave, scratch.path()).await?;
                let head = self.runner.input("head").filter(|_| unsettled == 0);
                jobs::settle(&site, awaited, &found, &troubles, head, &to).await?
            };
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

    /// Downloads what the jobs of a wave say that they uploaded. Gives the folders, and for each attempt whose result does
    /// not count, why.
    ///
    /// What the platform did is no verdict: where a result may be there and cannot be fetched, nothing is settled.
    pub(super) async fn gather(
        &self,
        awaited: &Awaited,
        bindings: &Bindings,
        wave: &str,
        scratch: &Path,
    ) -> Result<(Vec<Brought>, BTreeMap<AttemptId, String>), StepError> {
        let gates = Leg::gates();
        let legs = if awaited.gates { std::slice::from_ref(&gates) } else { &awaited.legs };
        let source = self.source(self.repository()?.github);
        let (mut wanted, mut silent, mut refused) = (Vec::new(), Vec::new(), BTreeMap::new());
        for leg in legs {
            let said = bindings.of(leg);
            match Bound::parse(said) {
                Some(bound) => wanted.push((leg.slot, bound)),
                None if !said.is_empty() => {
                    let why = format!("its job names no artifact, but `{}`", text::truncate(&text::plain(said), 80));
                    refused.insert(leg.slot, why);
                }
                None if leg.dispatched && bindings.dispatched.is_none() => {
                    let why = "the workflow has no job that starts its own: run `backend-implementer generate`";
                    refused.insert(leg.slot, why.to_owned());
                }
                None => silent.push(leg),
            }
        }
        let listed = source.list(self.runner.run_id()?).await?;
        let foreign = self.uploaded_for_others(&source).await;
        let mut of_the_platform = self.silent_jobs(&listed, wave, &silent);
        wanted.retain(|(slot, bound)| match listed.iter().find(|artifact| artifact.id == bound.id) {
            Some(artifact) if foreign.contains(&artifact.id) => {
                let why = format!(
                    "the artifact {} ({}) is foreign: the job that uploaded it uploaded the result of another slot, too, and \
                     which of them is its own cannot be told",
                    text::truncate(&text::plain(&artifact.name), 100),
                    bound.id
                );
                refused.insert(*slot, why);
                false
            }
            Some(artifact) if self.is_of_slot(artifact, wave, *slot) => true,
            Some(_) => {
                let why = format!(
                    "its output names the artifact {}, which is not the one of its slot: it is foreign",
                    bound.id
                );
                refused.insert(*slot, why);
                false
            }
            // Its name is what tells whose it is.
            None => {
                of_the_platform
                    .push(format!("slot {slot}: GitHub does not list its artifact {} in this run", bound.id));
                false
            }
        });
        let (mut found, mut troubles) = (Vec::new(), BTreeMap::new());
        let mut gathered = gather::gather(&source, &wanted, scratch).await;
        for leg in legs {
            let why = match (gathered.remove(&leg.slot), refused.remove(&leg.slot)) {
                (Some(Ok(folder)), _) => {
                    let leg_of_tasks = (!awaited.gates).then(|| leg.clone());
                    found.push(Brought { job: format!("job {} of {wave}", leg.slot), folder, leg: leg_of_tasks });
                    continue;
                }
                (Some(Err(error)), _) if !error.is_about_the_content() => {
                    of_the_platform.push(format!("{}: {}", leg.tasks, errors::chain(&error)));
                    continue;
                }
                (Some(Err(error)), _) => errors::chain(&error),
                (None, Some(why)) => why,
                (None, None) => continue,
            };
            let of_leg = leg.tasks.split(' ').filter_map(|name| name.parse().ok());
            troubles.extend(of_leg.map(|name: AttemptId| (name, why.clone())));
            if awaited.gates {
                self.log.command(&annotation(Level::Warning, None, "No receipts", &why));
            }
        }
        if !of_the_platform.is_empty() {
            return Err(StepError::ResultsNotHere(of_the_platform));
        }
        let bound: Vec<ArtifactId> = wanted.iter().map(|(_, bound)| bound.id).collect();
        self.name_strangers(&listed, wave, &bound);
        Ok((found, troubles))
    }

    /// Tells whether the job of the gates named no result, and uploaded none either.
    pub(super) async fn left_nothing(&self, bindings: &Bindings, wave: &str) -> Result<bool, StepError> {
        let gates = Leg::gates();
        if !bindings.of(&gates).is_empty() {
            return Ok(false);
        }
        let listed = self.source(self.repository()?.github).list(self.runner.run_id()?).await?;
        Ok(!has_uploaded(&listed, wave, &gates))
    }

    /// Tells whether an artifact has the name of a slot. Whatever runs in a job can write outputs, and name another slot in
    /// them; but an artifact of that slot's name is there once, and its own job has uploaded it.
    fn is_of_slot(&self, artifact: &Artifact, wave: &str, slot: usize) -> bool {
        let Ok(expected) = self.artifact_name(&format!("{wave}-{slot}")) else { return false };
        // A job of an earlier attempt of the workflow run still counts.
        let of_slot = |name: &str| name.rsplit_once("-attempt-").map(|(slot, _)| slot.to_owned());
        of_slot(&artifact.name) == of_slot(&expected)
    }

    /// Returns the results of jobs that uploaded more than one: a job has one slot, and whatever else runs in it may take the
    /// name of another's first. As every slot needs a result and every job of a wave has one, nobody can speak for two.
    ///
    /// REST does not tell who uploaded what, so the service is asked at every attempt, for what this attempt uploaded.
    async fn uploaded_for_others(&self, source: &Source) -> BTreeSet<ArtifactId> {
        let service = match &source.service {
            Some(service) => Some(Arc::clone(service)),
            None => self.artifacts().ok().map(Arc::new),
        };
        let Some(service) = service else { return BTreeSet::new() };
        let Ok(listed) = service.list().await else { return BTreeSet::new() };
        let mut results: BTreeMap<_, BTreeSet<ArtifactId>> = BTreeMap::new();
        for artifact in listed.iter().filter(|artifact| is_result(&artifact.name)) {
            if let Some(uploader) = service.uploader(artifact) {
                results.entry(uploader).or_default().insert(artifact.id);
            }
        }
        results.into_values().filter(|ids| ids.len() > 1).flatten().collect()
    }

    /// Says why jobs named no result: each was lost, or GitHub dropped what it said because it holds a secret's value.
    fn silent_jobs(&self, listed: &[Artifact], wave: &str, silent: &[&Leg]) -> Vec<String> {
        let tell = |leg: &&Leg| {
            if has_uploaded(listed, wave, leg) {
                format!(
                    "{}: its job uploaded a result, and its output is empty: GitHub drops outputs that hold the value of a \
                     secret. A secret that is short or all digits is in most texts; give it another value, or take it away",
                    leg.tasks
                )
            } else {
                format!("{}: its job ended without a result: it is lost", leg.tasks)
            }
        };
        silent.iter().map(tell).collect()
    }

    /// Says which artifacts have names as those of this wave, and were not uploaded by its jobs. They are not looked at.
    fn name_strangers(&self, listed: &[Artifact], wave: &str, bound: &[ArtifactId]) {
        let Ok(suffix) = self.attempt_suffix() else { return };
        let prefix = format!("{PREFIX}-{wave}");
        let strange = listed.iter().filter(|artifact| {
            let rest = artifact.name.strip_prefix(&prefix).and_then(|rest| rest.strip_prefix('-'));
            let ours = rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
            ours && rest.is_some_and(|rest| rest.ends_with(&suffix)) && !bound.contains(&artifact.id)
        });
        for artifact in strange.take(ANNOTATIONS_MAX) {
            let name = text::truncate(&text::plain(&artifact.name), 100);
            let said =
                format!("the artifact {name} ({}) is foreign: no job of {wave} says that it is its own", artifact.id);
            self.log.command(&annotation(Level::Warning, None, "Foreign artifact", &said));
        }
    }
}

/// Tells whether a name is that of a result: of a wave or of gates, a slot and an attempt. A state has the name of a wave, too.
fn is_result(name: &str) -> bool {
    let parts = name.strip_prefix(PREFIX).and_then(|rest| rest.rsplit_once("-attempt-")?.0.rsplit_once('-'));
    parts.is_some_and(|(stage, slot)| {
        let of_stage = ["-wave-", "-rework-", "-gates"].iter().any(|kind| stage.starts_with(kind));
        of_stage && !slot.is_empty() && slot.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Tells whether there is an artifact by the name of a job's result. Any job may upload any name, so that the name alone
/// makes no result of it.
fn has_uploaded(listed: &[Artifact], wave: &str, leg: &Leg) -> bool {
    let name = format!("{PREFIX}-{wave}-{}-attempt-", leg.slot);
    listed.iter().any(|artifact| artifact.name.starts_with(&name))
}

#[cfg(test)]
mod tests {
    use super::is_result;

    #[test]
    fn results_are_told_from_everything_else_by_their_names() {
        for result in
            ["wave-1-0-attempt-1", "wave-12-255-attempt-3", "rework-1-wave-2-0-attempt-1", "gates-0-attempt-1"]
        {
            assert!(is_result(&format!("backend-implementer-{result}")), "{result}");
        }
        for other in [
            "state-wave-1-attempt-1",
            "work-attempt-1",
            "run-attempt-1",
            "wave-1-attempt-1",
            "wave-1-x-attempt-1",
            "wave-1-0",
        ] {
            assert!(!is_result(&format!("backend-implementer-{other}")), "{other}");
        }
        assert!(!is_result("wave-1-0-attempt-1"));
    }
}
