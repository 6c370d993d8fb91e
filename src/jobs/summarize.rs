//! The end of a fan-out: everything is recomputed from the base and the patches, in a job that runs no code of the
//! repository's, and the hand-off is put together.

use std::path::Path;

use implementer_model::handoff::Handoff;
use tokio::sync::watch;

use super::{error::JobError, site::Site};
use crate::{
    coordinator::{Distribution, Until},
    journal,
    run_dir::RunDir,
};

/// How the end is put together.
#[derive(Debug, Clone)]
pub struct Summarizing<'a> {
    /// What the job before said integration gives.
    pub head: Option<&'a str>,
    /// Whether the workflow was cancelled.
    pub cancelled: bool,
    /// What else was noticed.
    pub notes: Vec<String>,
}

/// Goes through the run to its end and writes its folder: integration, scope and landing are computed here again, and
/// nothing that another job says about them counts.
///
/// # Errors
/// When integration gives something else than the job before said, or the outside fails.
pub async fn summarize(
    site: &Site,
    summarizing: Summarizing<'_>,
    out: &Path,
    scratch: &Path,
) -> Result<Handoff, JobError> {
    let Summarizing { head, cancelled, notes } = summarizing;
    let distribution = Distribution {
        cancelled,
        notes: site.notes.iter().cloned().chain(notes).collect(),
        ..site.distribution(false, Until::End)
    };
    let run_dir = RunDir::create(out)?;
    let journal_path = run_dir.path("journal.jsonl");
    let (_keep, never) = watch::channel(false);
    let reached = site.follow(&site.records, run_dir, scratch, distribution, never).await?;
    if let Some(there) = head.filter(|there| *there != reached.head.commit.as_str()) {
        return Err(JobError::Diverged { here: reached.head.commit.to_string(), there: there.to_owned() });
    }
    let records: Vec<_> = site.records.iter().cloned().chain(reached.made).collect();
    journal::write(&journal_path, &records)?;
    Ok(reached.handoff.expect("invariant: a run that went to its end has a hand-off"))
}
