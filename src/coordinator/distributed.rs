//! A run whose attempts are made by jobs of a workflow, each on a runner of its own.
//!
//! Nothing here decides anything that the loop does not decide in one place. What jobs finished comes in as records, the
//! loop goes through the run from its beginning, as it does when it resumes one that was interrupted, and stops where
//! something is wanted that nobody has done yet. No journal is opened: records stay in memory.

use std::time::SystemTime;

use implementer_model::{
    findings::{Finding, FindingCode, Weight},
    handoff::Handoff,
    record::Timed,
    run::{AttemptPlan, Head, History, MadeBy},
};
use tokio_util::sync::CancellationToken;

use super::{
    conclusion::{self, Noticed},
    drive::{Driver, Due, Work},
    error::RunError,
    progress::Silent,
    setup::Setup,
};
use crate::{journal::Sink, layout::RunFile};

/// What this process does of a run that jobs make, and until when.
#[derive(Debug, Clone)]
pub struct Distribution {
    /// When the run began: its times are counted from here, on whatever machine.
    pub began: SystemTime,
    /// Whether the gates are run here.
    pub gates_here: bool,
    /// How far to go.
    pub until: Until,
    /// Whether the run was cancelled.
    pub cancelled: bool,
    /// What was noticed about results that were not counted.
    pub notes: Vec<String>,
    /// Why tasks that are still open are not done any more.
    pub why_open: String,
}

/// How far a run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// To the first attempts or gates that nothing is known of.
    Open,
    /// To its end: what is not done by now is not done any more. What is still open when the time of the whole run is over
    /// is left undone because of that.
    End,
}

/// How far a run came.
#[derive(Debug)]
pub struct Reached {
    /// The last integrated commit.
    pub head: Head,
    /// The attempts that are to be made now.
    pub open: Vec<AttemptPlan>,
    /// Whether the gates are to be run now.
    pub gates_due: bool,
    /// Whether the time of the whole run is over, so that nothing new is to begin. A job that was begun in time does its part
    /// all the same.
    pub late: bool,
    /// What was recorded here: receipts, culprits, ends that nobody had to make.
    pub made: Vec<Timed>,
    /// The hand-off, when the run went to its end.
    pub handoff: Option<Handoff>,
    /// Milliseconds since the run began.
    pub now_ms: u64,
}

/// Goes through a run with what is known of it.
///
/// # Errors
/// When the outside fails in a way that no state of a task can express: the disk, the object store.
pub async fn follow(
    setup: Setup,
    records: Vec<Timed>,
    distribution: Distribution,
    cancel: CancellationToken,
) -> Result<Reached, RunError> {
    let history = History::from_records(records, MadeBy::Jobs);
    let keep_files = distribution.until == Until::End;
    if keep_files {
        setup.run_dir.write_json(RunFile::Lock, &setup.intake.lock)?;
    }
    let before_ms = elapsed_ms(distribution.began);
    let (run, context) = setup.make_ready(history, MadeBy::Jobs, before_ms)?;
    let work = Work::InJobs { gates_here: distribution.gates_here, keep_files };
    let mut driver = Driver::new(run, context, Sink::Memory(Vec::new()), work, distribution.began);
    let outcome = driver.drive(cancel, &mut Silent).await;
    driver.stop_everything().await;
    let reached = match outcome {
        Ok(()) => reached(&mut driver, distribution).await,
        Err(error) => Err(error),
    };
    let _ = driver.clear_away().await;
    reached
}

async fn reached(driver: &mut Driver, distribution: Distribution) -> Result<Reached, RunError> {
    let handoff = match distribution.until {
        Until::Open => None,
        Until::End => Some(end(driver, distribution).await?),
    };
    let Due { attempts, gates } = std::mem::take(&mut driver.due);
    let made = driver.sink.take_memory();
    let now_ms = driver.now_ms();
    Ok(Reached {
        head: driver.run.head().clone(),
        open: attempts,
        gates_due: gates,
        late: driver.run.is_late(now_ms),
        made,
        handoff,
        now_ms,
    })
}

/// Ends the run: what jobs have not made by now is not made any more.
async fn end(driver: &mut Driver, distribution: Distribution) -> Result<Handoff, RunError> {
    let now_ms = driver.now_ms();
    let is_open = !driver.due.attempts.is_empty() || driver.due.gates;
    if is_open && !driver.run.is_cancelled() && driver.run.is_late(now_ms) {
        // Nothing runs here that would have to be stopped. What was finished before counts.
        drop(driver.run.run_out_of_time(now_ms));
        driver.due = Due::default();
    }
    if distribution.cancelled {
        driver.run.was_cancelled();
    }
    let finding = |weight, message: &str| Finding {
        code: FindingCode::ResultNotCounted,
        weight,
        task: None,
        path: None,
        line: None,
        message: message.to_owned(),
    };
    let is_open = !driver.due.attempts.is_empty() || driver.due.gates;
    let stopped = is_open.then(|| finding(Weight::Blocking, &distribution.why_open));
    let notes = distribution.notes.iter().map(|note| finding(Weight::Warning, note));
    let open = driver.due.attempts.iter().map(|plan| plan.id.task.clone());
    let noticed = Noticed {
        findings: notes.chain(stopped).collect(),
        abandoned: open.map(|task| (task, distribution.why_open.clone())).collect(),
    };
    conclusion::conclude(driver, noticed).await
}

/// Returns how many milliseconds ago a moment was; none at all when the clock was set back since.
fn elapsed_ms(moment: SystemTime) -> u64 {
    moment.elapsed().map_or(0, |elapsed| u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
}
