//! The tests gate on the commit that work would start from: a run whose tests are red before anything is changed cannot be
//! complete, and whoever asks `doctor` learns that before anybody is paid.

use std::{path::Path, time::SystemTime};

use implementer_model::{
    config::DEFAULT_PLAN_FILE,
    gate::{CommandReceipt, Place},
};
use tokio_util::sync::CancellationToken;

use super::{ExecutionError, run_id};
use crate::{
    agent::{self, Making},
    coordinator::{self, SandboxSite, Setup},
    intake::{self, ConfigSource, IntakeError, PlanText, Sources},
    run_dir::RunDir,
    workspace::store::RunStore,
};

/// A plan that asks for nothing: only the gates of the configuration count.
const NO_WORK: &str = "# Nothing\n\n## Feature\n\n- Nothing\n";

/// Says why the tests could not be run.
#[derive(Debug, thiserror::Error)]
pub enum BaseGatesError {
    /// Configuration or agent files are wrong.
    #[error(transparent)]
    Intake(#[from] IntakeError),
    /// The outside failed.
    #[error(transparent)]
    Execution(#[from] ExecutionError),
}

/// Runs the commands of the tests gate on the last commit of a repository, set up and isolated as in a run. Gives a receipt
/// for each.
///
/// # Errors
/// When they cannot be run. A command that fails is no error.
pub async fn tests_on_last_commit(
    repository: &Path,
    config: &ConfigSource,
    scratch: &Path,
    stop: &CancellationToken,
) -> Result<Vec<CommandReceipt>, BaseGatesError> {
    let folder = scratch.join("base-gates");
    let store = RunStore::create(repository, &folder.join("store.git")).map_err(ExecutionError::from)?;
    let plan = PlanText { name: DEFAULT_PLAN_FILE.to_owned(), bytes: NO_WORK.into(), first_line: 1, dialect: None };
    let sources =
        Sources { base: "HEAD", rules: None, plan: &plan, config, agent: None, concurrency: None, lock: None };
    let intake = intake::take(&store, &sources)?;
    let surroundings = |source| ExecutionError::Surroundings { doing: "find our own executable".to_owned(), source };
    let supervisor = std::env::current_exe().map_err(surroundings)?;
    let environment = agent::own_environment();
    let run_dir = RunDir::create(&folder.join("run")).map_err(ExecutionError::from)?;
    let site = SandboxSite {
        intake: &intake,
        store: &store,
        repository,
        run: run_dir.root(),
        scratch: &folder,
        executable: &supervisor,
        environment: &environment,
    };
    let sandbox = coordinator::open_sandbox(&site).map_err(ExecutionError::from)?;
    let sandbox = sandbox.of_run(run_dir.root(), &store.object_folders());
    // Nobody is called.
    let nowhere = Path::new("/nowhere");
    let making = Making {
        config: &intake.config,
        command: None,
        own_steps: true,
        isolated: false,
        program_root: nowhere,
        supervisor: &supervisor,
        environment: &environment,
    };
    let agents = making.make([]).map_err(ExecutionError::from)?;
    let platform = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
    let run = run_id(SystemTime::now(), intake.lock.digest.short());
    let setup = Setup {
        agents,
        intake,
        store,
        run_dir,
        scratch: folder,
        sandbox,
        environment,
        supervisor,
        place: Place { run, workflow: None, platform, beside_subagents: false },
        revision: None,
    };
    Ok(coordinator::tests_on_base(setup, stop).await.map_err(ExecutionError::from)?)
}
