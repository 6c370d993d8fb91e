//! `work`: runs the agent for the attempts of a job that `prepare` has prepared; or, in the layout `one-job`, everything.

use std::{path::PathBuf, time::Duration};

use anyhow::Context as _;
use clap::{ArgGroup, Args};
use tokio_util::sync::CancellationToken;

use super::{exit, exit::Failure, jobs, live::Live, run, show};
use crate::{
    agent, errors,
    jobs::{Counting, KEPT, parse_attempts, run_in_place, work},
    runtime::with_signals,
};

/// Runs the agent for every attempt of a job, or the whole run, on this machine and with its tools.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").required(true).args(["tasks", "out"])))]
pub(super) struct Arguments {
    #[command(flatten)]
    standing: jobs::Standing,
    /// The attempts, as `TASK#ATTEMPT` with blanks between
    #[arg(long, value_name = "NAMES", requires = "job")]
    tasks: Option<String>,
    /// The folder of the job
    #[arg(long, value_name = "DIR")]
    job: Option<PathBuf>,
    /// Run everything in place, and keep what is finished in this folder; new or empty
    #[arg(long, value_name = "DIR", conflicts_with = "job")]
    out: Option<PathBuf>,
    /// A folder that an earlier attempt at this job has kept: what passed there is not done again
    #[arg(long, value_name = "DIR", requires = "out")]
    earlier: Option<PathBuf>,
    /// Stop after this time, such as `330m`, so that what is finished can still be kept
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, requires = "out")]
    end_after: Option<Duration>,
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    // What is started here runs as the same user: it must not read our environment.
    agent::hide_from_other_processes().context("cannot protect this process's memory").map_err(Failure::outside)?;
    match (&arguments.tasks, &arguments.job, &arguments.out) {
        (Some(tasks), Some(job), _) => attempts(arguments, tasks, job),
        (_, _, Some(out)) => in_place(arguments, out),
        _ => unreachable!("the arguments say what to do"),
    }
}

fn attempts(arguments: &Arguments, tasks: &str, job: &std::path::Path) -> Result<u8, Failure> {
    let names = parse_attempts(tasks)?;
    let (site, scratch) = arguments.standing.open_for_now()?;
    run::runtime()?.block_on(with_signals(async |cancelled| {
        work(&site, &names, job, scratch.path(), cancelled.clone()).await?;
        if cancelled.is_cancelled() {
            return Ok(exit::CANCELLED);
        }
        show::note("The next step judges the result.");
        Ok(exit::COMPLETE)
    }))
}

fn in_place(arguments: &Arguments, out: &std::path::Path) -> Result<u8, Failure> {
    let (mut site, scratch) = arguments.standing.open_for_now()?;
    // A job that is run for the first time has nothing to go on with.
    if let Some(earlier) = arguments.earlier.as_deref().filter(|earlier| earlier.is_dir()) {
        match site.add_kept(earlier, Counting::Passed) {
            Ok(_) => show::note("Work that passed in the previous attempt is reused."),
            Err(error) => {
                show::note(&format!("Nothing of the previous attempt is reused: {}", errors::chain(&error)));
            }
        }
    }
    let mut live = Live::new();
    run::runtime()?.block_on(with_signals(async |cancelled| {
        let stop = CancellationToken::new();
        let working = run_in_place(&site, out, scratch.path(), stop.clone(), &mut live);
        let (handoff, late) = until_late(working, stop, cancelled, arguments.end_after).await;
        let handoff = handoff?;
        show::note(&format!("What is finished is in {}.", out.join(KEPT).display()));
        if late {
            show::note("The time of this job ran out. Finished work is kept. Re-run the failed job to continue.");
            return Ok(exit::INCOMPLETE);
        }
        show::note("The job after this one computes everything again and posts the summary.");
        Ok(run::code(&handoff))
    }))
}

/// Waits for `working`, and tells it to stop when it is cancelled or its time is over. Tells which it was, too.
async fn until_late<T>(
    working: impl Future<Output = T>,
    stop: CancellationToken,
    cancelled: CancellationToken,
    limit: Option<Duration>,
) -> (T, bool) {
    let time = async {
        match limit {
            Some(limit) => tokio::time::sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(working);
    let late = tokio::select! {
        ended = &mut working => return (ended, false),
        () = time => true,
        () = cancelled.cancelled() => false,
    };
    stop.cancel();
    (working.await, late)
}
