//! The gates of a fan-out: run in a job of their own, with the host's tools and nobody's token.

use std::{fs, io, path::Path};

use implementer_model::{
    ids::ObjectId,
    record::{Record, Timed},
};
use tokio_util::sync::CancellationToken;

use super::{
    between_waves::Brought,
    error::JobError,
    site::{Site, describe},
};
use crate::{
    coordinator::{Reached, Until},
    errors,
    journal::{self, JournalError},
    layout::{ResultFile, RunFile},
    run_dir::RunDir,
    untrusted,
};

/// The largest file of receipts that is read, in bytes.
const RECEIPTS_MAX: u64 = 64 * 1024 * 1024;

/// Runs the gates on the integrated tree, looks for the culprits of red ones, and leaves receipts and logs in `job`.
/// Gives a line for each gate.
///
/// # Errors
/// When the gates are not due, or the outside fails. A red gate is no error.
pub async fn gate(site: &Site, job: &Path, scratch: &Path, cancel: CancellationToken) -> Result<Vec<String>, JobError> {
    let before = site.look().await?;
    if !before.gates_due {
        return Err(JobError::NotDue { name: "gates".to_owned(), next: describe(&before) });
    }
    let out = job.join(RunFile::Gates);
    fs::create_dir_all(&out).map_err(JobError::writing(&out))?;
    let run_dir = RunDir::create(&scratch.join("run"))?;
    let kept = run_dir.clone();
    let distribution = site.distribution(true, Until::Open);
    let reached = site.follow(&site.records, run_dir, scratch, distribution, cancel).await?;
    let of_gates = |record: &Record| matches!(record, Record::Judged { .. } | Record::Bisected { .. });
    let made: Vec<_> = reached.made.into_iter().filter(|(_, record)| of_gates(record)).collect();
    let lines = made
        .iter()
        .filter_map(|(_, record)| match record {
            Record::Judged { receipt } => {
                Some(format!("{} {}: {}", receipt.gate, receipt.state.name(), receipt.reason))
            }
            _ => None,
        })
        .collect();
    let records: Vec<_> = std::iter::once((0, site.frozen.begun())).chain(made).collect();
    journal::write(&out.join(ResultFile::Receipts), &records)?;
    keep_logs(&kept, &out);
    Ok(lines)
}

/// Copies the logs of the gates into the folder of the result, whatever round they are of: the loop has set those of red
/// gates aside. Logs of bisecting lie a folder deeper, whose name goes before theirs.
fn keep_logs(run_dir: &RunDir, to: &Path) {
    for folder in run_dir.gate_logs() {
        for entry in entries(&folder) {
            let name = entry.file_name();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                for log in entries(&entry.path()) {
                    let mut name = name.clone();
                    name.push("-");
                    name.push(log.file_name());
                    keep_log(&log, &to.join(name));
                }
            } else {
                keep_log(&entry, &to.join(name));
            }
        }
    }
}

fn entries(folder: &Path) -> impl Iterator<Item = fs::DirEntry> {
    fs::read_dir(folder).into_iter().flatten().flatten()
}

/// Copies one log. Without it the receipts say the same, so that a full disk costs the log and not the gates.
fn keep_log(log: &fs::DirEntry, to: &Path) {
    if log.file_type().is_ok_and(|kind| kind.is_file())
        && let Err(error) = fs::copy(log.path(), to)
    {
        tracing::warn!(%error, log = %log.path().display(), "a log of a gate could not be kept");
    }
}

/// Packs what [`gate`] left in the folder of its job into the folder of results `out`: plain files only.
///
/// # Errors
/// When there is nothing, or it cannot be copied.
pub fn collect_gates(job: &Path, out: &Path) -> Result<(), JobError> {
    let (from, to) = (job.join(RunFile::Gates), out.join(RunFile::Gates));
    // The gates ran code of the repository's: with a link here, files of this process's own would be packed.
    if !fs::symlink_metadata(&from).map_err(JobError::reading(&from))?.is_dir() {
        return Err(JobError::reading(&from)(io::ErrorKind::NotADirectory.into()));
    }
    fs::create_dir_all(&to).map_err(JobError::writing(&to))?;
    for entry in fs::read_dir(&from).map_err(JobError::reading(&from))?.flatten() {
        untrusted::copy_if_plain(&entry.path(), &to.join(entry.file_name()), RECEIPTS_MAX)
            .map_err(JobError::writing(&to))?;
    }
    Ok(())
}

/// Takes receipts in: those for the tree that the gates are due on. Of a job that left none, the gates are not run.
pub(super) fn take_in(
    site: &Site,
    before: &Reached,
    found: &[Brought],
    records: &mut Vec<Timed>,
    notes: &mut Vec<String>,
) {
    let mut taken = false;
    for Brought { job: source, folder, .. } in found {
        let path = folder.join(RunFile::Gates).join(ResultFile::Receipts);
        if taken {
            notes.push(format!("{source}: there are receipts of the gates already: these are not counted"));
            continue;
        }
        match read(site, before, &path) {
            Ok(receipts) => {
                records.extend(receipts);
                taken = true;
            }
            Err(error) => {
                notes.push(format!("{source}: the receipts of the gates do not count: {}", errors::chain(&error)));
            }
        }
    }
    if !taken {
        notes.push("the job of the gates left no receipts: they are not run".to_owned());
    }
}

/// Says why receipts of the gates do not count.
#[derive(Debug, thiserror::Error)]
enum ReceiptsError {
    #[error("there are none")]
    Missing,
    #[error(transparent)]
    Journal(JournalError),
    #[error("they are of another run")]
    OtherRun,
    #[error("they do not begin as such")]
    NoBeginning,
    #[error("they are for the tree {}, and the gates are due on {}", found.short(), due.short())]
    OtherTree { found: ObjectId, due: ObjectId },
    #[error("they hold something else")]
    OtherRecord,
}

impl From<JournalError> for ReceiptsError {
    fn from(error: JournalError) -> Self {
        if error.is_missing() { Self::Missing } else { Self::Journal(error) }
    }
}

fn read(site: &Site, before: &Reached, path: &Path) -> Result<Vec<Timed>, ReceiptsError> {
    let mut records = journal::read_at_most(path, RECEIPTS_MAX)?.into_iter();
    match records.next() {
        Some((_, Record::Begun { lock, run, .. })) if lock == site.frozen.lock && run == site.frozen.run => {}
        Some((_, Record::Begun { .. })) => return Err(ReceiptsError::OtherRun),
        _ => return Err(ReceiptsError::NoBeginning),
    }
    let mut receipts = Vec::new();
    for (at_ms, record) in records {
        match &record {
            Record::Judged { receipt } if receipt.tree != before.head.tree => {
                let (found, due) = (receipt.tree.clone(), before.head.tree.clone());
                return Err(ReceiptsError::OtherTree { found, due });
            }
            Record::Judged { .. } => {}
            Record::Bisected { head, .. } if *head == before.head.commit => {}
            _ => return Err(ReceiptsError::OtherRecord),
        }
        receipts.push((at_ms, record));
    }
    Ok(receipts)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::layout;

    #[test]
    fn logs_are_kept_of_every_round_and_of_bisecting() {
        for round in 1..4 {
            let folder = tempfile::tempdir().unwrap();
            let run_dir = RunDir::create(&folder.path().join("run")).unwrap();
            let bisected = run_dir.path(layout::bisect_logs("0123456789"));
            fs::create_dir_all(&bisected).unwrap();
            fs::write(run_dir.path(RunFile::Gates).join("tests-1.log"), "red").unwrap();
            fs::write(bisected.join("tests-1.log"), "green").unwrap();
            // As the loop does when a round of rework begins.
            run_dir.set_aside(RunFile::Gates, layout::gates_before_rework(round)).unwrap();
            let out = folder.path().join("out");
            fs::create_dir(&out).unwrap();
            keep_logs(&run_dir, &out);
            assert_eq!(fs::read_to_string(out.join("tests-1.log")).unwrap(), "red", "round {round}");
            assert_eq!(fs::read_to_string(out.join("bisect-0123456789-tests-1.log")).unwrap(), "green");
        }
    }

    #[test]
    fn links_in_place_of_receipts_are_never_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (private, job, out) = (folder.path().join("private"), folder.path().join("job"), folder.path().join("out"));
        fs::create_dir_all(&private).unwrap();
        fs::create_dir_all(&job).unwrap();
        fs::write(private.join("environ"), "TOKEN=secret").unwrap();
        symlink(&private, job.join(RunFile::Gates)).unwrap();
        collect_gates(&job, &out).unwrap_err();
        assert!(!out.exists());

        fs::remove_file(job.join(RunFile::Gates)).unwrap();
        fs::create_dir(job.join(RunFile::Gates)).unwrap();
        symlink(private.join("environ"), job.join(RunFile::Gates).join("environ")).unwrap();
        fs::write(job.join(RunFile::Gates).join(ResultFile::Receipts), "{}").unwrap();
        collect_gates(&job, &out).unwrap();
        assert!(!out.join(RunFile::Gates).join("environ").exists());
        assert_eq!(fs::read_to_string(out.join(RunFile::Gates).join(ResultFile::Receipts)).unwrap(), "{}");
    }
}
