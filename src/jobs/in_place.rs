//! The working job of the layout `one-job`: the whole run in place, on the state that `plan` froze.
//!
//! The coordinator's loop does all of it, as on a laptop. What is finished is kept in a folder all the while, so that a
//! killed job loses no more than what was running.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use implementer_model::{gate::Place, handoff::Handoff};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{agent, error::JobError, kept::Keeper, site::Site};
use crate::{
    agent::own_environment,
    coordinator::{
        self, Resumed, RunError, Setup,
        progress::{Observer, Progress},
    },
    doctor, errors,
    intake::Intake,
    journal::{self, Journal},
    layout::RunFile,
    run_dir::RunDir,
};

/// The folder below the job's `out` with what the next job needs.
pub const KEPT: &str = "kept";

/// The folder below the job's `out` with what people read: briefs, logs, reports, patches.
pub const RUN: &str = "run";

/// Runs everything that is not finished in `site`, and keeps what is finished below `out`. `cancel` ends what
/// runs.
///
/// # Errors
/// When a program that is needed is missing, or the outside fails. What subagents do wrong is never an error.
pub async fn run_in_place(
    site: &Site,
    out: &Path,
    scratch: &Path,
    cancel: CancellationToken,
    observer: &mut dyn Observer,
) -> Result<Handoff, JobError> {
    let intake = &site.intake;
    let called = intake.schedule.tasks.iter().filter_map(|task| intake.roster.get(&task.subagent));
    let (supervisor, environment) =
        (std::env::current_exe().map_err(JobError::reading("our own executable"))?, own_environment());
    let sandbox = site.open_sandbox(&supervisor, &environment, scratch)?;
    let inside = (&sandbox, scratch);
    let (agents, _programs) =
        agent::of_configuration(intake, called, false, &site.store, &site.frozen.rules, inside).await?;
    check_environment(site, &environment)?;
    let run_dir = RunDir::create(&out.join(RUN))?;
    let sandbox = sandbox.of_run(run_dir.root(), &site.store.object_folders());
    let path = run_dir.path(RunFile::Journal);
    // The times of the run are counted from when it was approved, in whatever job.
    let mut records = site.records.clone();
    if let Some((at_ms, _)) = records.first_mut() {
        *at_ms = site.now_ms();
    }
    journal::write(&path, &records)?;
    let (journal, records) = Journal::resume(&path, &intake.lock)?;
    let platform = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
    let setup = Setup {
        agents,
        intake: intake.as_ref().clone(),
        store: site.store.clone(),
        run_dir,
        scratch: scratch.to_owned(),
        sandbox,
        environment,
        supervisor,
        place: Place {
            run: site.frozen.run.clone(),
            workflow: site.frozen.workflow.clone(),
            platform,
            beside_subagents: true,
        },
        revision: None,
    };
    let mut keeper = Keeper::new(&out.join(KEPT))?;
    keeper.keep(site, &path).await?;
    let news = Arc::new(Notify::new());
    let over = CancellationToken::new();
    // In a task of its own, so that packing never holds up the loop.
    let keeping = tokio::spawn(keep_up(keeper, site.clone(), path.clone(), Arc::clone(&news), over.clone()));
    let ended =
        coordinator::run(setup, Some(Resumed { journal, records }), cancel, &mut Telling { observer, news }).await;
    over.cancel();
    let mut keeper = match keeping.await {
        Ok(keeper) => keeper,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    };
    keeper.keep(site, &path).await?;
    Ok(ended?)
}

/// Refuses to begin when gates or set-up call programs that are not there: nothing has cost anything yet.
fn check_environment(site: &Site, environment: &BTreeMap<String, String>) -> Result<(), JobError> {
    let files = site.store.list_files(&site.intake.base.tree, "")?.into_iter().collect();
    let Intake { config, roster, plan, .. } = site.intake.as_ref();
    let subject = doctor::Subject { config, roster, plan: Some(plan), files: &files, environment };
    let missing: Vec<_> = doctor::look(&subject)
        .into_iter()
        .filter(|check| check.state == doctor::State::Missing)
        .map(|check| format!("{}: {}", check.what, check.said))
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(RunError::Environment(missing.join("\n")).into()) }
}

/// Keeps what is finished whenever there is news, until the run is over.
async fn keep_up(
    mut keeper: Keeper,
    site: Site,
    journal: PathBuf,
    news: Arc<Notify>,
    over: CancellationToken,
) -> Keeper {
    loop {
        tokio::select! {
            () = news.notified() => {}
            () = over.cancelled() => return keeper,
        }
        // The run goes on: what could not be kept now is kept with what comes next.
        if let Err(error) = keeper.keep(&site, &journal).await {
            tracing::warn!(error = %errors::chain(&error), "what is finished so far could not be kept");
        }
    }
}

/// Passes on what happens, and says when there is something to keep.
struct Telling<'a> {
    observer: &'a mut dyn Observer,
    news: Arc<Notify>,
}

impl Observer for Telling<'_> {
    fn observe(&mut self, progress: &Progress<'_>) {
        self.observer.observe(progress);
        // A wave is in the journal when the next one begins.
        if matches!(
            progress,
            Progress::TaskStarted { .. }
                | Progress::Integrated { .. }
                | Progress::PhaseEnded { .. }
                | Progress::GateStarted { .. }
                | Progress::GateJudged { .. }
        ) {
            self.news.notify_one();
        }
    }
}
