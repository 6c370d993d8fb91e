//! The end of a fan-out: everything is recomputed from the base and the patches, in a job that runs no code of the
//! repository's, and the hand-off is put together.

use std::path::Path;

use implementer_model::handoff::Handoff;
use tokio::sync::watch;

use super::{error::JobError, site::Site};
use crate::{
    coordinator::{Elsewhere, RunError, Until},
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
    let elsewhere = Elsewhere {
        cancelled,
        notes: site.notes.iter().cloned().chain(notes).collect(),
        ..site.elsewhere(false, Until::End)
    };
    let run_dir = RunDir::create(out)?;
    let (_keep, never) = watch::channel(false);
    let reached = site.follow(&site.records, run_dir, scratch, elsewhere, never).await?;
    if let Some(there) = head.filter(|there| *there != reached.head.commit.as_str()) {
        return Err(JobError::Diverged { here: reached.head.commit.to_string(), there: there.to_owned() });
    }
    let none = || RunError::Defect("a run that went to its end has no hand-off".to_owned());
    Ok(reached.handoff.ok_or_else(none)?)
}
