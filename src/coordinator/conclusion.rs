//! The end of a run: the bundle and every file of the run are written.

use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    io::Read as _,
    time::{Duration, UNIX_EPOCH},
};

use implementer_model::{
    export,
    findings::{Finding, FindingCode, Weight},
    handoff::Handoff,
    ids::{ObjectId, TaskId},
    provenance::WorkflowRunRef,
    record::Record,
    run::{Bundle, RunEnd},
    summary,
};

use super::{detection, drive::Driver, error::RunError};
use crate::{
    layout::{RunFile, TaskFile, refs},
    run_dir::RunDir,
    untrusted,
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
    let run_dir = driver.context.run_dir.clone();
    let mut findings = detection::compare_with_record(&run_dir, driver.run.ledger());
    findings.extend(noticed.findings);
    let bundle = tokio::task::block_in_place(|| write_bundle(driver, &mut findings))?;
    let handoff = driver.run.conclude(RunEnd {
        generator: concat!("backend-implementer ", env!("CARGO_PKG_VERSION")).to_owned(),
        started: humantime::format_rfc3339_seconds(driver.started).to_string(),
        duration_ms: driver.now_ms(),
        isolation: driver.context.processes.sandbox.isolation().clone(),
        reference: refs::IMPLEMENTATION.to_owned(),
        bundle,
        noticed: findings,
        abandoned: noticed.abandoned,
    });
    run_dir.write_json(RunFile::Handoff, &handoff)?;
    run_dir.write(RunFile::Summary, summary::render(&handoff).as_bytes())?;
    run_dir.write(RunFile::Report, summary::html::report(&handoff, &diffs(&run_dir, &handoff)).as_bytes())?;
    write_for_machines(driver, &handoff)?;
    driver.sink.append(driver.now_ms(), Record::Concluded { status: handoff.status });
    driver.sink.sync().await?;
    Ok(handoff)
}

/// Reads what the tasks changed, for people to look at; a diff that is not there is not shown.
fn diffs(run_dir: &RunDir, handoff: &Handoff) -> BTreeMap<TaskId, String> {
    let patch = |task: &TaskId| run_dir.task_dir(task).join(TaskFile::Patch);
    let made: Vec<&TaskId> = handoff.tasks.iter().map(|task| &task.id).filter(|task| patch(task).is_file()).collect();
    let room = summary::html::diff_room(made.len());
    let read = |task: &TaskId| {
        let file = untrusted::open_plain(&patch(task), OpenOptions::new().read(true)).ok()?;
        let mut diff = Vec::new();
        file.take(room).read_to_end(&mut diff).ok()?;
        Some((task.clone(), String::from_utf8_lossy(&diff).into_owned()))
    };
    made.into_iter().filter_map(read).collect()
}

/// Writes the same in the formats of other tools.
fn write_for_machines(driver: &Driver, handoff: &Handoff) -> Result<(), RunError> {
    let (run_dir, gates) = (&driver.context.run_dir, driver.run.ledger().gates());
    let since_1970 = driver.started.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let started = u64::try_from(since_1970.as_millis()).expect("invariant: a clock shows fewer than 2^64 milliseconds");
    let url = handoff.provenance.workflow_run.as_ref().and_then(WorkflowRunRef::url);
    run_dir.write_json(RunFile::Timeline, &export::timeline(handoff, gates, started))?;
    run_dir.write_json(RunFile::Trace, &export::otlp(handoff, gates, started, url.as_deref()))?;
    run_dir.write_json(RunFile::Findings, &export::sarif(handoff))?;
    run_dir.write_json(RunFile::GatesCtrf, &export::ctrf(handoff, started))?;
    run_dir.write(RunFile::GatesJunit, export::junit(handoff).as_bytes())?;
    Ok(())
}

/// Packs the implementation and every patch, integrated or not; nothing when nothing was made, or when a secret stands in it:
/// no patch has one as a whole, but what was merged of two may.
fn write_bundle(driver: &Driver, findings: &mut Vec<Finding>) -> Result<Option<Bundle>, RunError> {
    let (base, head) = (&driver.run.basis().base.commit, &driver.run.head().commit);
    let mut refs: Vec<(String, ObjectId)> = driver.patch_refs.clone();
    if head != base {
        refs.push((refs::IMPLEMENTATION.to_owned(), head.clone()));
    }
    if refs.is_empty() {
        return Ok(None);
    }
    let (store, secrets) = (&driver.context.store, &driver.context.processes.secrets);
    if !secrets.is_empty()
        && let Some(name) = bundle::search(store, &refs, base, |object| secrets.find(object).map(str::to_owned))?
    {
        findings.push(secret_in_bundle(&name));
        return Ok(None);
    }
    let path = driver.context.run_dir.path(RunFile::Bundle);
    let digest = bundle::write(store, &refs, base, &path)?;
    Ok(Some(Bundle { file: RunFile::Bundle.name().to_owned(), digest }))
}

fn secret_in_bundle(name: &str) -> Finding {
    let message = format!(
        "the value of `{name}`, a secret, stands in what the patches make together: no bundle was written. Look for it in the \
         files that more than one task changed, and replace the secret"
    );
    let (code, weight) = (FindingCode::SecretWritten, Weight::Blocking);
    Finding { code, weight, task: None, path: None, line: None, message }
}
