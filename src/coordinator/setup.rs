//! What a run needs, and what is made of it before the first task.

use std::{collections::BTreeMap, path::PathBuf, sync::Mutex, time::Instant};

use implementer_model::{
    gate::Place,
    run::{Basis, Head, History, MadeBy, Run},
};

use super::{
    context::{Processes, RunClock, RunLimits, WorkerContext},
    durations,
    error::RunError,
    working_copy::WorkingCopySetup,
    workplace::{owners_of_attempts, owners_of_gates, passed_to_anybody},
};
use crate::{
    agent::{Agents, Secrets},
    intake::Intake,
    run_dir::RunDir,
    sandbox::Sandbox,
    workspace::{
        slots::SlotPool,
        store::{Base, RunStore},
    },
};

/// What a run needs.
#[derive(Debug)]
pub struct Setup {
    /// Plan, roster, configuration, schedule and lock.
    pub intake: Intake,
    /// Where the objects of the run go.
    pub store: RunStore,
    /// Where its files go.
    pub run_dir: RunDir,
    /// A folder outside the repository for work trees, homes and temporary files; the caller removes it.
    pub scratch: PathBuf,
    /// The agents that do the work.
    pub agents: Agents,
    /// What isolates subagents and gates.
    pub sandbox: Sandbox,
    /// Our own environment, from which variables are passed on to gates by name.
    pub environment: BTreeMap<String, String>,
    /// Our own executable, which supervises what we start.
    pub supervisor: PathBuf,
    /// Where the run takes place.
    pub place: Place,
    /// The revision that was asked for as the base, where it may move: a branch, or `HEAD`.
    pub revision: Option<String>,
}

impl Setup {
    /// Makes the state of the run and what its workers share. The clock goes on at `before_ms`.
    pub(super) fn make_ready(
        self,
        history: History,
        made_by: MadeBy,
        before_ms: u64,
    ) -> Result<(Run, WorkerContext), RunError> {
        let began = Instant::now();
        let Self { intake, store, run_dir, scratch, agents, sandbox, environment, supervisor, place, revision: _ } =
            self;
        let secrets = Secrets::from_environment(&environment, &passed_to_anybody(&intake.config, &intake.roster));
        let Intake { base, rules, plan, roster, config, schedule, lock, provenance, warnings: _ } = intake;
        let setup = WorkingCopySetup::new(
            config.setup.clone(),
            config.pass_environment.clone(),
            scratch.join("setup"),
            run_dir.path("setup"),
        );
        let durations = durations::durations(&schedule, &history, &run_dir);
        let Base { commit, tree, committed_at: _ } = base;
        let base = Head { commit, tree };
        let basis = Basis { plan, roster, config, lock, provenance, place, base, rules: rules.tree };
        let context = WorkerContext {
            setup,
            pool: SlotPool::spread_among(store.clone(), &scratch.join("slots"), owners_of_attempts(&sandbox))?,
            gate_pool: SlotPool::spread_among(store.clone(), &scratch.join("gate-slots"), owners_of_gates(&sandbox))?,
            store,
            run_dir,
            agents,
            processes: Processes { sandbox, secrets, scratch, environment, supervisor },
            clock: RunClock::new(began, before_ms),
            limits: RunLimits::new(),
            base_tests: tokio::sync::OnceCell::new(),
            tree_paths: Mutex::default(),
        };
        let run = Run::new(basis, schedule, history, &durations);
        // What runs at one time is the workflow's business; here a wave is open as a whole.
        let run = if made_by == MadeBy::Jobs { run.with_open_waves() } else { run };
        Ok((run, context))
    }
}
