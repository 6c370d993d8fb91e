//! Looks at what was made for what nobody reports, and says it as findings.

use std::path::Path;

use implementer_model::{
    detect,
    evidence::detect::FileChange,
    findings::Finding,
    gate::Receipt,
    handoff::Status,
    patch::Blob,
    record::{AttemptId, AttemptRecord, Outcome},
    run::{BaseMoved, Ledger, Run},
};

use super::durations::earlier_handoff;
use crate::{
    errors,
    layout::RUNS_DIR,
    run_dir::RunDir,
    workspace::{moved::Moved, store::RunStore},
};

/// The most files of a patch that are read, and the most bytes of each.
const FILES_READ: usize = 200;
const FILE_READ_MAX: u64 = 512 * 1024;

/// The most hand-offs of earlier runs that are looked into for one that was complete.
const EARLIER_RUNS: usize = 10;

/// Looks at an attempt that ended.
pub(super) fn inspect_attempt(store: &RunStore, ledger: &Ledger, id: &AttemptId) -> Vec<Finding> {
    let schedule = ledger.schedule();
    let attempt = ledger.record(&id.task).and_then(|record| record.last());
    let Some(attempt) = attempt.filter(|attempt| attempt.outcome == Outcome::Passed) else { return Vec::new() };
    let (Some(task), Some(patch)) = (schedule.task(&id.task), &attempt.patch) else { return Vec::new() };
    let texts: Vec<_> = patch
        .changes
        .iter()
        .take(FILES_READ)
        .map(|change| {
            // A moved file is compared with what it was.
            let from = change.renamed_from.as_deref();
            let old = from.and_then(|from| patch.changes.iter().find(|other| other.path == from)?.old.as_ref());
            let before = text_of(store, change.old.as_ref().or(old));
            (change.path.as_str(), before, text_of(store, change.new.as_ref()), from)
        })
        .collect();
    let moved = |path: &str| patch.changes.iter().any(|other| other.renamed_from.as_deref() == Some(path));
    let changes: Vec<_> = texts
        .iter()
        .map(|(path, before, after, moved_from)| FileChange {
            path,
            // What was moved is looked at where it is now.
            before: before.as_deref().filter(|_| after.is_some() || !moved(path)),
            after: after.as_deref(),
            moved_from: *moved_from,
        })
        .collect();
    let mut findings = detect::tampering(task, &changes);
    findings.extend(detect::self_review(task, schedule, ledger.commits()));
    if !patch.is_empty() && !task.needs.is_empty() {
        let written = written_by(store, attempt);
        for need in task.needs.iter().filter_map(|need| schedule.task(need)) {
            let added = ledger.record(&need.id).and_then(|record| record.last()?.patch.as_ref());
            findings.extend(added.and_then(|added| detect::ignored_upstream(task, need, added, &written)));
        }
    }
    findings
}

/// Returns everything that an attempt wrote and reported, as one text.
fn written_by(store: &RunStore, attempt: &AttemptRecord) -> String {
    let report = attempt.report.as_ref();
    let mut written = report
        .map_or_else(String::new, |report| serde_json::to_string(report).expect("invariant: a report is plain data"));
    for change in attempt.patch.iter().flat_map(|patch| &patch.changes).take(FILES_READ) {
        written.push('\n');
        written.push_str(&change.path);
        written.push('\n');
        written.extend(text_of(store, change.new.as_ref()));
    }
    written
}

fn text_of(store: &RunStore, blob: Option<&Blob>) -> Option<String> {
    store.read_text(&blob?.id, FILE_READ_MAX)
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
