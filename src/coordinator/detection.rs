//! Looks at what was made for what nobody reports, and says it as findings.

use std::{collections::BTreeSet, path::Path};

use implementer_model::{
    detect,
    evidence::detect::{Candidate, FileChange, Reading, Sign, Stop, decode, reading},
    findings::Finding,
    gate::Receipt,
    handoff::Status,
    patch::{self, Blob, Change, Patch},
    record::{AttemptId, AttemptRecord, Outcome},
    run::{BaseMoved, JudgedAttempt, Ledger, Run},
    schedule::Task,
};

use super::durations::earlier_handoff;
use crate::{
    errors,
    layout::RUNS_DIR,
    run_dir::RunDir,
    workspace::{moved::Moved, store::RunStore},
};

/// The most bytes of what an attempt wrote that are searched for the names of what it needs.
const WRITTEN_MAX: u64 = 16 * 1024 * 1024;

/// The most hand-offs of earlier runs that are looked into for one that was complete.
const EARLIER_RUNS: usize = 10;

/// Looks for cheats in what a task made, until it is stopped: in the patches of earlier attempts that are integrated, and in
/// that of this one where it passed. A finding stands as long as what it is about is in the tree, also when the task is
/// called again.
pub(super) async fn found_in(
    store: &RunStore,
    task: Option<&Task>,
    mut patches: Vec<Patch>,
    judged: &JudgedAttempt,
    stopped: impl Future<Output = ()>,
) -> Vec<Finding> {
    let attempt = &judged.ended.attempt;
    patches.extend(attempt.patch.clone().filter(|_| attempt.outcome == Outcome::Passed));
    let Some(task) = task.filter(|_| !patches.is_empty()) else { return Vec::new() };
    tokio::select! {
        found = tampering(store, task, patches) => found,
        () = stopped => vec![detect::never_looked_at(task)],
    }
}

/// The same for an attempt of an earlier process or another job, from what is taken down of its task.
pub(super) async fn found_before(
    store: &RunStore,
    ledger: &Ledger,
    judged: &JudgedAttempt,
    stopped: impl Future<Output = ()>,
) -> Vec<Finding> {
    let of = &judged.ended.task;
    let integrated = ledger.integrated_patches_of(of).cloned().collect();
    found_in(store, ledger.schedule().task(of), integrated, judged, stopped).await
}

/// Looks for cheats in the work of a task, on a thread of its own. Whatever is not read is among the findings.
async fn tampering(store: &RunStore, task: &Task, patches: Vec<Patch>) -> Vec<Finding> {
    let (store, of, task) = (store.clone(), task.id.clone(), task.clone());
    let stop = StopsWhenDropped(Stop::default());
    let stops = stop.0.clone();
    let looking = tokio::task::spawn_blocking(move || {
        let patches: Vec<&Patch> = patches.iter().collect();
        let found = tampering_of(&store, &task, &patch::joined(&patches), &stops);
        let shared = patch::changed_by_others_between(&patches);
        if shared.is_empty() {
            return found;
        }
        // What somebody else did to a file in between is not this task's doing.
        let alone: Vec<Finding> =
            patches.iter().flat_map(|patch| tampering_of(&store, &task, &patch.changes, &stops)).collect();
        detect::own_of_shared(found, &shared, &alone)
    });
    // The thread panics only by a defect, which goes on here.
    let found = looking.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
    tracing::debug!(task = %of, findings = found.len(), "the work of a task was looked at");
    found
}

/// Ends a look when nobody waits for it any more, so that its thread does not hold the program's end up.
struct StopsWhenDropped(Stop);

impl Drop for StopsWhenDropped {
    fn drop(&mut self) {
        self.0.stop();
    }
}

fn tampering_of(store: &RunStore, task: &Task, all: &[Change], stop: &Stop) -> Vec<Finding> {
    let size = |blob: &Option<Blob>| blob.as_ref().map(|blob| store.size_of(&blob.id).unwrap_or(u64::MAX));
    // A moved file is compared with what it was.
    let was = |change: &Change| {
        let old = || all.iter().find(|other| Some(&other.path) == change.renamed_from.as_ref())?.old.clone();
        change.old.clone().or_else(old)
    };
    let moved: BTreeSet<&str> = all.iter().filter_map(|change| change.renamed_from.as_deref()).collect();
    let candidates: Vec<_> = all
        .iter()
        .map(|change| {
            let was = was(change);
            Candidate {
                path: &change.path,
                before: size(&was),
                after: size(&change.new),
                moved_from: change.renamed_from.as_deref(),
                same: matches!((&was, &change.new), (Some(was), Some(is)) if was.id == is.id),
                moved_away: moved.contains(change.path.as_str()),
                link: change.link_target.as_deref(),
            }
        })
        .collect();
    let Reading { read, mut unread } = reading(&candidates);
    let text = |path: &str, blob: Option<&Blob>| -> Option<(String, Option<Sign>)> {
        let bytes = store.read_bytes(&blob?.id, u64::MAX)?;
        Some(decode(path, &bytes))
    };
    let mut texts: Vec<Option<(Option<String>, Option<String>)>> = vec![None; all.len()];
    for at in read {
        let change = &all[at];
        let before = text(&change.path, was(change).as_ref()).map(|(text, _)| text);
        let (after, opaque) = text(&change.path, change.new.as_ref()).unzip();
        unread.extend(opaque.flatten());
        texts[at] = Some((before, after));
    }
    let changes: Vec<_> = all
        .iter()
        .zip(&texts)
        .map(|(change, texts)| {
            // Of what is not read the path is looked at.
            let there = |blob: &Option<Blob>| blob.as_ref().map(|_| "");
            let (before, after) = match texts {
                Some((before, after)) => (before.as_deref(), after.as_deref()),
                None => (there(&change.old), there(&change.new)),
            };
            FileChange {
                path: &change.path,
                // What was moved is looked at where it is now.
                before: before.filter(|_| after.is_some() || !moved.contains(change.path.as_str())),
                after,
                moved_from: change.renamed_from.as_deref(),
            }
        })
        .collect();
    detect::tampering(task, &changes, unread, stop)
}

/// Looks at what the work of a task is beside that of others.
pub(super) fn beside_others(store: &RunStore, ledger: &Ledger, id: &AttemptId) -> Vec<Finding> {
    let schedule = ledger.schedule();
    let Some((task, record)) = schedule.task(&id.task).zip(ledger.record(&id.task)) else { return Vec::new() };
    let integrated = |attempt: &AttemptRecord| {
        ledger.commits().iter().any(|commit| commit.task == id.task && commit.attempt == attempt.attempt)
    };
    let counts = |attempt: &&AttemptRecord| {
        integrated(attempt) || (attempt.attempt == id.attempt && attempt.outcome == Outcome::Passed)
    };
    let attempts: Vec<&AttemptRecord> = record.attempts.iter().filter(counts).collect();
    if attempts.is_empty() {
        return Vec::new();
    }
    let mut findings: Vec<_> = detect::self_review(task, schedule, ledger.commits()).into_iter().collect();
    let changed = attempts.iter().any(|attempt| attempt.patch.as_ref().is_some_and(|patch| !patch.is_empty()));
    if changed && !task.needs.is_empty() {
        let written = written_by(store, &attempts);
        for need in task.needs.iter().filter_map(|need| schedule.task(need)) {
            let added = ledger.record(&need.id).and_then(|record| record.last()?.patch.as_ref());
            findings.extend(added.and_then(|added| detect::ignored_upstream(task, need, added, &written)));
        }
    }
    findings
}

/// Returns everything that attempts wrote and reported, as one text.
fn written_by(store: &RunStore, attempts: &[&AttemptRecord]) -> String {
    let mut written = String::new();
    let mut left = WRITTEN_MAX;
    for report in attempts.iter().filter_map(|attempt| attempt.report.as_ref()) {
        written.push_str(&serde_json::to_string(report).expect("invariant: a report is plain data"));
        written.push('\n');
    }
    for change in attempts.iter().filter_map(|attempt| attempt.patch.as_ref()).flat_map(|patch| &patch.changes) {
        written.push('\n');
        written.push_str(&change.path);
        written.push('\n');
        if let Some(text) = change.new.as_ref().and_then(|blob| store.read_text(&blob.id, left)) {
            left = left.saturating_sub(text.len() as u64);
            written.push_str(&text);
        }
    }
    written
}

/// Compares the gates with the newest complete run beside this one.
pub(super) fn compare_with_record(run_dir: &RunDir, ledger: &Ledger) -> Vec<Finding> {
    let root = run_dir.root();
    let Some(earlier) = root.parent().and_then(|runs| newest_complete(runs, root)) else { return Vec::new() };
    let receipts: Vec<_> = ledger.gates().iter().map(|judged| judged.receipt.clone()).collect();
    detect::faster_than_its_record(&receipts, &earlier)
}

/// Says how far the revision that the run started from has moved since, and whether the result still merges.
pub(super) fn base_moved(store: &RunStore, run: &Run, revision: &str) -> Option<Finding> {
    let was = &run.basis().base.commit;
    let Moved { to, commits, follows, merges } = match store.moved(revision, was, &run.head().commit) {
        Ok(moved) => moved?,
        Err(error) => {
            tracing::warn!(error = %errors::chain(&error), revision, "the current commit of the base cannot be looked up");
            return None;
        }
    };
    Some(BaseMoved { revision, was, now: &to, ahead: follows.then_some(commits), merges }.finding())
}

/// Returns the receipts of the newest complete run in a folder of runs, other than this one.
fn newest_complete(runs: &Path, this: &Path) -> Option<Vec<Receipt>> {
    // Only the default place holds runs and nothing else: names there begin with the time.
    if !runs.ends_with(RUNS_DIR) {
        return None;
    }
    let mut folders: Vec<_> = std::fs::read_dir(runs).ok()?.flatten().map(|entry| entry.path()).collect();
    folders.sort_unstable_by(|a, b| b.cmp(a));
    let handoffs = folders.iter().filter(|folder| *folder != this).take(EARLIER_RUNS);
    let mut read = handoffs.filter_map(|folder| earlier_handoff(folder));
    read.find(|handoff| handoff.status == Status::Complete).map(|handoff| handoff.gates)
}
