//! The end of a run: the bundle and every file of the run are written.

use std::collections::BTreeMap;

use implementer_model::{
    findings::Finding,
    handoff::Handoff,
    ids::{ObjectId, TaskId},
    record::Record,
    run::{Bundle, RunEnd},
    summary,
};

use super::{detection, drive::Driver, error::RunError, timeline::Timeline};
use crate::{
    layout::{RunFile, refs},
    workspace::bundle,
};

/// What only whoever ends a run knows.
#[derive(Debug, Default)]
pub(super) struct Noticed {
    pub(super) findings: Vec<Finding>,
    /// The tasks of which an attempt is due that nobody makes any more, and why.
    pub(super) abandoned: BTreeMap<TaskId, String>,
}

/// Makes the hand-off, and writes every file of the run.
pub(super) async fn conclude(driver: &mut Driver, noticed: Noticed) -> Result<Handoff, RunError> {
    let bundle = tokio::task::block_in_place(|| write_bundle(driver))?;
    let run_dir = driver.context.run_dir.clone();
    let mut findings = detection::compare_with_record(&run_dir, driver.run.ledger());
    findings.extend(noticed.findings);
    let handoff = driver.run.conclude(RunEnd {
        generator: concat!("backend-implementer ", env!("CARGO_PKG_VERSION")).to_owned(),
        started: humantime::format_rfc3339_seconds(driver.started).to_string(),
        duration_ms: driver.now_ms(),
        isolation: driver.context.sandbox.isolation().clone(),
        reference: refs::IMPLEMENTATION.to_owned(),
        bundle,
        noticed: findings,
        abandoned: noticed.abandoned,
    });
    run_dir.write_json(RunFile::Handoff, &handoff)?;
    run_dir.write(RunFile::Summary, summary::render(&handoff).as_bytes())?;
    run_dir.write(RunFile::Report, summary::html::report(&handoff).as_bytes())?;
    run_dir.write_json(RunFile::Timeline, &Timeline::new(&handoff, driver.run.ledger().gates()))?;
    driver.sink.append(driver.now_ms(), Record::Concluded { status: handoff.status });
    driver.sink.sync().await?;
    Ok(handoff)
}

/// Packs the implementation and every patch, integrated or not; nothing when nothing was made.
fn write_bundle(driver: &Driver) -> Result<Option<Bundle>, RunError> {
    let (base, head) = (&driver.run.basis().base.commit, &driver.run.head().commit);
    let mut refs: Vec<(String, ObjectId)> = driver.patch_refs.clone();
    if head != base {
        refs.push((refs::IMPLEMENTATION.to_owned(), head.clone()));
    }
    if refs.is_empty() {
        return Ok(None);
    }
    let path = driver.context.run_dir.path(RunFile::Bundle);
    let digest = bundle::write(&driver.context.store, &refs, base, &path)?;
    Ok(Some(Bundle { file: RunFile::Bundle.name().to_owned(), digest }))
}
