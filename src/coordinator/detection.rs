//! Looks at what was made for what nobody reports, and says it as findings.

use std::path::Path;

use implementer_model::{
    detect::{self, FileChange},
    findings::{Finding, FindingCode, Weight},
    gate::Receipt,
    handoff::{AttemptRecord, Handoff, Status},
    ids::TaskId,
    patch::Blob,
    schedule::Outcome,
    text,
};

use super::Run;
use crate::workspace::moved::Moved;

/// The most files of a patch that are read, and the most bytes of each.
const FILES_READ: usize = 200;
const FILE_READ_MAX: usize = 512 * 1024;

/// The most hand-offs of earlier runs that are looked into for one that was complete.
const EARLIER_RUNS: usize = 10;

impl Run {
    /// Looks at an attempt that passed.
    pub(super) fn detect(&self, id: &TaskId, record: &AttemptRecord) -> Vec<Finding> {
        let schedule = &self.intake.schedule;
        let (Some(task), Some(patch)) = (schedule.task(id), &record.patch) else { return Vec::new() };
        if record.outcome != Outcome::Passed {
            return Vec::new();
        }
        let tests: Vec<_> = patch
            .changes
            .iter()
            .filter(|change| change.old.is_some() && detect::is_test_file(&change.path))
            .take(FILES_READ)
            .map(|change| {
                let moved = patch.changes.iter().any(|other| other.renamed_from.as_deref() == Some(&*change.path));
                (change.path.as_str(), self.text_of(change.old.as_ref()), self.text_of(change.new.as_ref()), moved)
            })
            .collect();
        let changes: Vec<_> = tests
            .iter()
            .map(|(path, before, after, moved)| FileChange {
                path,
                before: before.as_deref(),
                after: after.as_deref(),
                moved: *moved,
            })
            .collect();
        let mut findings = detect::weakened_tests(task, &changes);
        findings.extend(detect::self_review(task, schedule, &self.commits));
        if !patch.is_empty() && !task.needs.is_empty() {
            let written = self.written(record);
            for need in task.needs.iter().filter_map(|need| schedule.task(need)) {
                let added = self.records.get(&need.id).and_then(|record| record.last()?.patch.as_ref());
                findings.extend(added.and_then(|added| detect::ignored_upstream(task, need, added, &written)));
            }
        }
        findings
    }

    /// Returns everything that an attempt wrote and reported, as one text.
    fn written(&self, record: &AttemptRecord) -> String {
        let mut written =
            record.report.as_ref().and_then(|report| serde_json::to_string(report).ok()).unwrap_or_default();
        for change in record.patch.iter().flat_map(|patch| &patch.changes).take(FILES_READ) {
            written.push('\n');
            written.push_str(&change.path);
            written.push('\n');
            written.push_str(&self.text_of(change.new.as_ref()).unwrap_or_default());
        }
        written
    }

    fn text_of(&self, blob: Option<&Blob>) -> Option<String> {
        let bytes = self.shop.store.read_blob(&blob?.id).ok().filter(|bytes| bytes.len() <= FILE_READ_MAX)?;
        String::from_utf8(bytes).ok()
    }

    /// Holds the gates against the newest complete run beside this one.
    pub(super) fn against_the_record(&self) -> Vec<Finding> {
        let root = self.shop.run_dir.root();
        let earlier = root.parent().and_then(|runs| newest_complete(runs, root)).unwrap_or_default();
        detect::faster_than_its_record(&self.receipts, &earlier)
    }

    /// Says how far the revision that the run started from has moved since, and whether the result still merges.
    pub(super) fn base_moved(&self) -> Option<Finding> {
        let revision = self.revision.as_deref()?;
        let moved = self.shop.store.moved(revision, &self.intake.base.commit, &self.head.commit);
        let Moved { to, commits, follows, merges } = match moved {
            Ok(moved) => moved?,
            Err(error) => {
                tracing::warn!(%error, revision, "where the base is now cannot be told");
                return None;
            }
        };
        let how = if follows {
            format!("it is {} further", text::count(commits, "commit"))
        } else {
            "its history was written anew".to_owned()
        };
        let merge = match merges {
            Some(true) => "; the result merges with it without a conflict",
            Some(false) => "; the result does not merge with it without conflicts",
            None => "",
        };
        let message = format!(
            "`{}` was {} when the run began and is {} now: {how}{merge}",
            text::plain(revision),
            self.intake.base.commit.short(),
            to.short()
        );
        let weight = if merges == Some(true) { Weight::Note } else { Weight::Warning };
        Some(Finding { code: FindingCode::BaseMoved, weight, task: None, path: None, line: None, message })
    }
}

/// Returns the receipts of the newest complete run in a folder of runs, other than this one.
fn newest_complete(runs: &Path, this: &Path) -> Option<Vec<Receipt>> {
    // Only the default place holds runs and nothing else: names there begin with the time.
    if !runs.ends_with(crate::layout::RUNS_DIR) {
        return None;
    }
    let mut folders: Vec<_> = std::fs::read_dir(runs).ok()?.flatten().map(|entry| entry.path()).collect();
    folders.sort_unstable_by(|a, b| b.cmp(a));
    let handoffs = folders.iter().filter(|folder| *folder != this).take(EARLIER_RUNS);
    let complete = handoffs
        .filter_map(|folder| Handoff::read(&std::fs::read(folder.join(crate::layout::RunFile::Handoff)).ok()?).ok());
    complete.into_iter().find(|handoff| handoff.status == Status::Complete).map(|handoff| handoff.gates)
}
