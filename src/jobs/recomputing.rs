//! The end of a fan-out: everything is recomputed from the base and the patches, in a job that runs no code of the
//! repository's, and the hand-off is put together.

use std::path::Path;

use implementer_model::{handoff::Handoff, text};
use tokio_util::sync::CancellationToken;

use super::{error::JobError, site::Site};
use crate::{
    coordinator::{Distribution, Until},
    journal,
    layout::RunFile,
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
    /// Why what is still open is not done any more, where the caller knows better than that no job was left for it.
    pub why_open: Option<String>,
}

/// Goes through the run to its end and writes its folder: integration, scope and landing are computed here again, and
/// nothing that another job says about them counts.
///
/// Integration that gives something else than the job before said is a finding: an output that somebody changed must not
/// keep the summary from being posted.
///
/// # Errors
/// When the outside fails.
pub async fn summarize(
    site: &Site,
    summarizing: Summarizing<'_>,
    out: &Path,
    scratch: &Path,
) -> Result<Handoff, JobError> {
    let Summarizing { head, cancelled, mut notes, why_open } = summarizing;
    if let Some(there) = head {
        let here = site.look().await?.head.commit;
        if here.as_str() != there {
            let there = text::truncate(&text::plain(there), 40);
            notes.push(format!(
                "the job before said that integration gives {there}; it gives {here}, which is what counts"
            ));
        }
    }
    let usual = site.distribution(false, Until::End);
    let distribution = Distribution {
        cancelled,
        notes: site.notes.iter().cloned().chain(notes).collect(),
        why_open: why_open.unwrap_or_else(|| usual.why_open.clone()),
        ..usual
    };
    let run_dir = RunDir::create(out)?;
    let journal_path = run_dir.path(RunFile::Journal);
    let never = CancellationToken::new();
    let reached = site.follow(&site.records, run_dir, scratch, distribution, never).await?;
    let records: Vec<_> = site.records.iter().cloned().chain(reached.made).collect();
    journal::write(&journal_path, &records)?;
    Ok(reached.handoff.expect("invariant: a run that went to its end has a hand-off"))
}
