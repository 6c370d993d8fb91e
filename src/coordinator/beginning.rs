//! Everything that a run needs is made ready before its first task.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::{Instant, SystemTime},
};

use implementer_model::{budget::Purse, schedule::Machine};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use super::{
    Elsewhere, Happened, Resumed, Run, RunError, Setup, history,
    quarters::{owners_of_attempts, owners_of_gates},
    replay::Replay,
    setup::WorkingCopySetup,
    worker::Shop,
};
use crate::layout::RunFile;
use crate::{
    journal::{JOURNAL_VERSION, Journal, Record},
    workspace::{integrate::Head, slots::SlotPool},
};

/// Makes everything ready that a run needs. `elsewhere` says what is done in other places.
pub(super) fn begin(
    setup: Setup,
    elsewhere: Option<Elsewhere>,
) -> Result<(Run, mpsc::UnboundedReceiver<Happened>), RunError> {
    let began = Instant::now();
    let Setup { intake, store, run_dir, scratch, agents, sandbox, environment, supervisor, place, revision, resumed } =
        setup;
    let (journal, records) = match resumed {
        Some(Resumed { journal, records }) => (journal, records),
        None => (Journal::create(&run_dir.path(RunFile::Journal))?, Vec::new()),
    };
    let lock = intake.lock.clone();
    run_dir.write_json(RunFile::Lock, &lock)?;
    let mut replay = Replay::of(records, elsewhere.is_some());
    let mut started = SystemTime::now();
    let mut schedule = intake.schedule.clone();
    if let Some(elsewhere) = &elsewhere {
        replay.resumptions = 0;
        started = elsewhere.began;
        replay.until_ms = elapsed_ms(started);
        // What runs at one time is the workflow's business; here a wave is open as a whole.
        schedule.concurrency = usize::MAX;
    } else {
        journal.append(
            replay.until_ms,
            match replay.resumptions {
                0 => Record::Begun { version: JOURNAL_VERSION, run: place.run.clone(), lock },
                _ => Record::Resumed,
            },
        );
    }

    let durations = history::durations(&intake.schedule, &replay, &run_dir);
    let pool = SlotPool::spread_among(store.clone(), &scratch.join("slots"), owners_of_attempts(&sandbox))?;
    let gate_pool = SlotPool::spread_among(store.clone(), &scratch.join("gate-slots"), owners_of_gates(&sandbox))?;
    let config = &intake.config;
    let setup = WorkingCopySetup::new(
        config.setup.clone(),
        config.pass_environment.clone(),
        scratch.join("setup"),
        run_dir.path("setup"),
    );
    let shop = Arc::new(Shop {
        setup,
        store,
        pool,
        gate_pool,
        sandbox,
        run_dir,
        scratch,
        agents,
        environment,
        supervisor,
        began,
        before_ms: replay.until_ms,
        tree_paths: Mutex::default(),
    });
    let (events, inbox) = mpsc::unbounded_channel();
    let run = Run {
        purse: Purse::new(intake.config.limits.run_cost),
        machine: Machine::new(&schedule).expecting(&schedule, &durations),
        head: Head { commit: intake.base.commit.clone(), tree: intake.base.tree.clone() },
        intake,
        shop,
        journal,
        place,
        revision,
        started,
        events,
        workers: JoinSet::new(),
        stops: BTreeMap::new(),
        stop_gates: watch::channel(false).0,
        records: BTreeMap::new(),
        accepted: BTreeMap::new(),
        commits: Vec::new(),
        patch_refs: Vec::new(),
        findings: BTreeMap::new(),
        synthesis: Vec::new(),
        receipts: Vec::new(),
        gate_starts: Vec::new(),
        rework: Vec::new(),
        escalations: Vec::new(),
        replay,
        settled: BTreeMap::new(),
        settled_for: 0,
        requests: BTreeMap::new(),
        given_up: BTreeSet::new(),
        asked_again: BTreeSet::new(),
        cancelled: false,
        out_of_time: None,
        elsewhere,
        open: Vec::new(),
        gates_due: false,
    };
    Ok((run, inbox))
}

/// Returns how many milliseconds ago a moment was.
fn elapsed_ms(moment: SystemTime) -> u64 {
    // A clock that was set back gives no time at all.
    u64::try_from(moment.elapsed().unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}
