//! Between waves: what the jobs made is taken in, integrated, and what comes next is named.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use implementer_model::{
    ids::ObjectId,
    record::{AttemptId, Record, Timed},
    run::AttemptPlan,
    workflow::matrix::{Leg, LegTask, pack},
};

use super::{
    error::JobError,
    gate, results,
    results::{Counted, ResultError},
    site::{Site, describe},
    state::StateDir,
};
use crate::{
    coordinator::{Reached, commit_message},
    errors,
    layout::{self, refs},
    workspace::bundle,
};

/// What follows from a state.
#[derive(Debug)]
pub struct Settled {
    /// The jobs of the next wave; empty when there is none.
    pub legs: Vec<Leg>,
    /// Whether the gates are due.
    pub gates: bool,
    /// The last integrated commit.
    pub head: ObjectId,
    /// What was noticed: results that were lost, or not counted.
    pub notes: Vec<String>,
    /// What comes next, in words.
    pub next: String,
}

impl Settled {
    fn new(site: &Site, reached: &Reached, notes: Vec<String>) -> Self {
        Self {
            legs: legs(site, reached),
            gates: reached.gates_due,
            head: reached.head.commit.clone(),
            notes,
            next: describe(reached),
        }
    }
}

/// What a state waits for.
#[derive(Debug)]
pub struct Awaited {
    /// The jobs of the wave; empty when there is none.
    pub legs: Vec<Leg>,
    /// Whether the gates are due.
    pub gates: bool,
    before: Reached,
}

impl Awaited {
    /// Holds what the job before said against what integration gives here.
    ///
    /// # Errors
    /// When it is something else.
    pub fn check_head(&self, head: Option<&str>) -> Result<(), JobError> {
        let here = &self.before.head.commit;
        match head.filter(|there| *there != here.as_str()) {
            Some(there) => Err(JobError::Diverged { here: here.to_string(), there: there.to_owned() }),
            None => Ok(()),
        }
    }
}

/// Says what a state waits for.
///
/// # Errors
/// When the outside fails.
pub async fn awaited(site: &Site) -> Result<Awaited, JobError> {
    let before = site.look().await?;
    Ok(Awaited { legs: legs(site, &before), gates: before.gates_due, before })
}

/// What one job left.
#[derive(Debug, Clone)]
pub struct Brought {
    /// The job, for messages.
    pub job: String,
    /// The folder with its results.
    pub folder: PathBuf,
    /// The leg of the wave that the job is, where that is known: it can only speak for the attempts of that leg.
    pub leg: Option<Leg>,
}

impl Brought {
    /// Tells whether the job may speak for an attempt.
    fn may_speak_for(&self, attempt: &str) -> bool {
        let folders = |leg: &Leg| {
            leg.tasks
                .split(' ')
                .any(|name| name.parse().is_ok_and(|id: AttemptId| layout::attempt_folder(&id) == attempt))
        };
        self.leg.as_ref().is_none_or(folders)
    }
}

/// Takes the results of a wave, or of the gates, into a state, and writes the next state into the new folder `to`.
///
/// `awaited` is what the state waits for. `found` are the folders of results; `troubles` say
/// why the result of an attempt cannot be fetched, for those where the caller knows. `head` is what the job before said
/// integration gives.
///
/// # Errors
/// When integration gives something else than the job before said, or the outside fails. Results that are missing or
/// wrong are states of their tasks.
pub async fn settle(
    site: &Site,
    awaited: Awaited,
    found: &[Brought],
    troubles: &BTreeMap<AttemptId, String>,
    head: Option<&str>,
    to: &StateDir,
) -> Result<Settled, JobError> {
    awaited.check_head(head)?;
    let Advanced { site: next, reached, notes } = advance(site, awaited, found, troubles).await?;
    to.write(&next.frozen, &next.records, &next.notes)?;
    write_bundle(&next, &reached, to)?;
    Ok(Settled::new(site, &reached, notes))
}

/// A state in which results were taken in.
#[derive(Debug)]
pub struct Advanced {
    /// The state, which nobody has written.
    pub site: Site,
    reached: Reached,
    /// What was noticed: results that were lost, or not counted.
    pub notes: Vec<String>,
}

impl Advanced {
    /// Tells whether anything is left to do before the end.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.reached.open.is_empty() || self.reached.gates_due
    }
}

/// Takes the results of a wave, or of the gates, into a state, as [`settle`] does, and writes nothing.
///
/// # Errors
/// When the outside fails.
pub async fn advance(
    site: &Site,
    awaited: Awaited,
    found: &[Brought],
    troubles: &BTreeMap<AttemptId, String>,
) -> Result<Advanced, JobError> {
    let Awaited { before, .. } = awaited;
    let awaited: BTreeSet<AttemptId> = before.open.iter().map(|plan| plan.id.clone()).collect();
    let mut records = site.records.clone();
    let mut notes = Vec::new();
    if before.gates_due {
        gate::take_in(site, &before, found, &mut records, &mut notes);
    } else {
        take_in(site, before, found, troubles, &mut records, &mut notes)?;
    }

    let mut next = Site { records, ..site.clone() };
    let mut after = next.look().await?;
    // What was counted and is wanted all the same did not stand the test of the loop: its patch leaves its scope, or not
    // everything of it is there.
    let now_ms = site.now_ms();
    // What the last run of the lock left for an attempt that nobody was asked for yet is no such thing: it was made on
    // something else, and is made anew.
    let is_forgotten = |plan: &AttemptPlan| next.forget(&plan.id) && awaited.contains(&plan.id);
    let (forgotten, open): (Vec<_>, _) = std::mem::take(&mut after.open).into_iter().partition(is_forgotten);
    if forgotten.is_empty() {
        after.open = open;
    } else {
        for plan in forgotten {
            let why = "its patch leaves its scope, or is not whole, although its record says that it passed";
            notes.push(format!("{}: {why}", plan.id));
            next.records.extend(plan.without_result(now_ms, why).into_records().map(|record| (now_ms, record)));
        }
        after = next.look().await?;
    }
    // Nothing new begins.
    if after.late {
        after.open.clear();
        after.gates_due = false;
    }
    next.notes.extend(notes.iter().cloned());
    Ok(Advanced { site: next, reached: after, notes })
}

/// Says what comes first, before anything is done.
///
/// # Errors
/// When the outside fails.
pub async fn first(site: &Site) -> Result<Settled, JobError> {
    Ok(Settled::new(site, &site.look().await?, Vec::new()))
}

fn legs(site: &Site, reached: &Reached) -> Vec<Leg> {
    let task = |plan: &AttemptPlan| LegTask {
        task: plan.id.task.clone(),
        attempt: plan.id.attempt,
        subagent: plan.task.subagent.clone(),
        time_limit_s: plan.task.time_limit_s,
    };
    let tasks: Vec<_> = reached.open.iter().map(task).collect();
    pack(&tasks, &site.intake.config.workflow)
}

fn take_in(
    site: &Site,
    before: Reached,
    found: &[Brought],
    troubles: &BTreeMap<AttemptId, String>,
    records: &mut Vec<Timed>,
    notes: &mut Vec<String>,
) -> Result<(), JobError> {
    let now_ms = site.now_ms();
    let wanted: BTreeSet<String> = before.open.iter().map(|plan| layout::attempt_folder(&plan.id)).collect();
    let settled: BTreeSet<String> = site
        .records
        .iter()
        .filter_map(|(_, record)| match record {
            Record::Ended(ended) => Some(layout::attempt_folder(&ended.id())),
            _ => None,
        })
        .collect();
    // What each folder of results has, by the name of its attempt.
    let mut by_name: BTreeMap<String, Vec<(&str, PathBuf)>> = BTreeMap::new();
    for brought in found {
        let Brought { job: source, folder, .. } = brought;
        for entry in fs::read_dir(folder).map_err(JobError::reading(folder))?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let said = implementer_model::text::plain(&implementer_model::text::truncate(&name, 80));
            if wanted.contains(&name) && !brought.may_speak_for(&name) {
                notes.push(format!("{source}: the result {said} is foreign: another job was given that attempt"));
            } else if wanted.contains(&name) {
                by_name.entry(name).or_default().push((source, entry.path()));
            } else if settled.contains(&name) {
                notes.push(format!("{source}: the result {said} came late: that attempt was settled before"));
            } else {
                notes.push(format!("{source}: the result {said} is foreign: no job of this run was asked for it"));
            }
        }
    }
    // The bundle with all patches so far goes to every job, and has to be one that is read.
    let so_far = site.state.bundle().map_or(0, |bundle| fs::metadata(bundle).map_or(0, |meta| meta.len()));
    let mut room = bundle::BUNDLE_MAX.saturating_sub(so_far);
    for plan in before.open {
        let id = plan.id.clone();
        let sources = by_name.remove(&layout::attempt_folder(&id)).unwrap_or_default();
        let read = match (sources.as_slice(), troubles.get(&id)) {
            ([(_, folder)], _) => count(site, &plan, folder, &mut room),
            ([], Some(trouble)) => Err(ResultError::NotFetched(trouble.clone())),
            ([], None) => Err(ResultError::Lost),
            (several, _) => Err(ResultError::Several(several.iter().map(|(source, _)| (*source).to_owned()).collect())),
        };
        match read {
            Ok(Counted { at_ms, records: both, .. }) => {
                records.extend(both.into_records().map(|record| (at_ms, record)));
            }
            Err(error) => {
                let why = errors::chain(&error);
                notes.push(format!("{id}: {why}"));
                records.extend(plan.without_result(now_ms, &why).into_records().map(|record| (now_ms, record)));
            }
        }
    }
    Ok(())
}

/// Reads one result, and takes its patch into the store.
fn count(site: &Site, plan: &AttemptPlan, folder: &Path, room: &mut u64) -> Result<Counted, ResultError> {
    let counted = results::read(site, plan, folder)?;
    fits(size_of(&counted), room)?;
    import(site, plan, &counted)?;
    Ok(counted)
}

/// Returns how large the bundle with a patch is.
fn size_of(counted: &Counted) -> u64 {
    counted.bundle.as_ref().map_or(0, |bundle| fs::symlink_metadata(bundle).map_or(0, |meta| meta.len()))
}

/// Takes the size of a patch from what all patches of a run may still have.
fn fits(size: u64, room: &mut u64) -> Result<(), ResultError> {
    *room = room.checked_sub(size).ok_or(ResultError::NoRoom)?;
    Ok(())
}

/// Takes a patch's objects in, and checks that they are what the record tells of.
fn import(site: &Site, plan: &AttemptPlan, counted: &Counted) -> Result<(), ResultError> {
    let (Some(bundle), Some(patch)) = (&counted.bundle, counted.records.patch()) else { return Ok(()) };
    let reference = refs::patch(&plan.id);
    let found = bundle::take_one(&site.store, bundle, &reference, results::PATCH_MAX)?;
    let message = commit_message(&site.frozen.lock, &plan.task, plan.id.attempt);
    match site.store.patch_commit(patch, &message) {
        Ok(told) if told == found => {}
        Ok(_) => return Err(ResultError::OtherPatch { source: None }),
        Err(error) => return Err(ResultError::OtherPatch { source: Some(error) }),
    }
    Ok(site.store.set_ref(&reference, &found)?)
}

impl Site {
    /// Writes the state as it is now into a new folder.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn write(&self, to: &StateDir) -> Result<(), JobError> {
        to.write(&self.frozen, &self.records, &self.notes)?;
        write_bundle(self, &self.look().await?, to)
    }
}

/// Packs every patch so far, and the last integrated commit, for the next job.
fn write_bundle(site: &Site, reached: &Reached, to: &StateDir) -> Result<(), JobError> {
    let mut refs = Vec::new();
    for (_, record) in &site.records {
        let Record::Ended(ended) = record else { continue };
        let reference = refs::patch(&ended.id());
        if let Some(commit) = site.store.find_ref(&reference)? {
            refs.push((reference, commit));
        }
    }
    if reached.head.commit != site.frozen.base {
        refs.push((refs::IMPLEMENTATION.to_owned(), reached.head.commit.clone()));
    }
    if !refs.is_empty() {
        bundle::write(&site.store, &refs, &site.frozen.base, &to.bundle_path())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_patches_of_a_run_have_an_end_together_and_a_smaller_one_may_still_fit() {
        let mut room = bundle::BUNDLE_MAX;
        fits(bundle::BUNDLE_MAX - 10, &mut room).unwrap();
        let error = fits(11, &mut room).unwrap_err();
        assert_eq!(error.to_string(), "the patches of this run have more than 2147483648 bytes together with it");
        assert_eq!(room, 10, "what does not fit takes nothing");
        fits(10, &mut room).unwrap();
        fits(0, &mut room).unwrap();
        fits(1, &mut room).unwrap_err();
    }
}
