//! A run in one place: this process makes everything.

use std::time::SystemTime;

use implementer_model::{
    findings::{Finding, FindingCode, Weight},
    handoff::Handoff,
    record::{JOURNAL_VERSION, Record, Timed},
    run::{self, History, MadeBy},
};
use tokio_util::sync::CancellationToken;

use super::{
    conclusion::{self, Noticed},
    detection,
    drive::{Driver, Work},
    error::RunError,
    progress::{Observer, Progress},
    setup::Setup,
};
use crate::{
    errors,
    journal::{Journal, JournalError, Seal, Sink},
    layout::RunFile,
    workspace::WorkspaceError,
};

fn tampered(error: &WorkspaceError) -> Finding {
    let (code, weight) = (FindingCode::StoreTampered, Weight::Blocking);
    Finding { code, weight, task: None, path: None, line: None, message: errors::chain(error) }
}

/// A run that was interrupted, with its journal open behind the last record.
#[derive(Debug)]
pub struct Resumed {
    /// The journal.
    pub journal: Journal,
    /// What is in it.
    pub records: Vec<Timed>,
}

impl Resumed {
    /// Returns the name of the run; `None` when not even its beginning was written down.
    #[must_use]
    pub fn run(&self) -> Option<&str> {
        run::run_name(&self.records)
    }
}

/// Runs a plan from its first task to the hand-off. `cancel` ends what runs and keeps what is finished.
///
/// # Errors
/// When the outside fails in a way that no state of a task can express: the disk, the object store, the journal.
pub async fn run(
    setup: Setup,
    resumed: Option<Resumed>,
    cancel: CancellationToken,
    observer: &mut dyn Observer,
) -> Result<Handoff, RunError> {
    let (journal, records) = match resumed {
        Some(Resumed { journal, records }) => (journal, records),
        None => {
            let path = setup.run_dir.path(RunFile::Journal);
            let seal = Seal::own().map_err(|source| JournalError::Write { path: path.clone(), source })?;
            (Journal::create_sealed(&path, seal)?, Vec::new())
        }
    };
    setup.run_dir.write_json(RunFile::Lock, &setup.intake.lock)?;
    let history = History::from_records(records, MadeBy::EarlierProcess);
    let before_ms = history.until_ms();
    let first = match (history.has_records(), history.resumptions()) {
        (false, _) => {
            let (run, lock) = (setup.place.run.clone(), setup.intake.lock.clone());
            Some(Record::Begun { version: JOURNAL_VERSION, run, lock })
        }
        // What it keeps stands in its journal already.
        (true, 0) => None,
        (true, _) => Some(Record::Resumed),
    };
    let mut sink = Sink::File(journal);
    if let Some(first) = first {
        sink.append(before_ms, first);
    }
    let revision = setup.revision.clone();
    let (run, context) = setup.make_ready(history, MadeBy::EarlierProcess, before_ms)?;
    let mut driver = Driver::new(run, context, sink, Work::Here, SystemTime::now());
    observer.observe(&Progress::Begun { schedule: driver.run.ledger().schedule() });
    let outcome = driver.drive(cancel, observer).await;
    // Whatever happened, nothing of ours keeps running, and the slots go away.
    driver.stop_everything().await;
    // No slot is used any more: they go while the hand-off is put together.
    let cleared = driver.clear_away();
    let handoff = match outcome {
        Ok(()) => {
            let store = &driver.context.store;
            let moved = revision.and_then(|revision| detection::base_moved(store, &driver.run, &revision));
            let noticed = Noticed { findings: moved.into_iter().collect(), ..Noticed::default() };
            conclusion::conclude(&mut driver, noticed).await
        }
        // Nothing that comes after can be relied on. What was judged before is told all the same.
        Err(RunError::Workspace(error @ WorkspaceError::ForgedObject { .. })) => {
            let noticed = Noticed { findings: vec![tampered(&error)], ..Noticed::default() };
            conclusion::conclude(&mut driver, noticed).await
        }
        Err(error) => Err(error),
    };
    // A thread that panicked has said so already.
    let _ = cleared.await;
    handoff
}
