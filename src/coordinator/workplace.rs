//! Where an attempt or a command of a gate is at home: its work tree, its scratch folder, and the confinement around both.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use implementer_model::{config::Config, isolation::Demand, roster::Roster};

use crate::{
    agent::{self, Ended, Launch, LaunchError, Secrets, own_folders},
    errors,
    intake::Intake,
    sandbox::{Allowed, Sandbox, SandboxError, Surroundings, User},
    workspace::{
        slots::{Owners, Slot},
        store::RunStore,
    },
};

/// What is around a run whose attempts are to be isolated.
#[derive(Debug)]
pub struct Site<'a> {
    /// Plan, roster and configuration.
    pub intake: &'a Intake,
    /// A store on the repository.
    pub store: &'a RunStore,
    /// The repository.
    pub repository: &'a Path,
    /// Where the run's folder will be.
    pub run: &'a Path,
    /// The folder for slots and scratch folders.
    pub scratch: &'a Path,
    /// Our own executable.
    pub executable: &'a Path,
    /// Our own environment.
    pub environment: &'a BTreeMap<String, String>,
}

/// Opens the sandbox that the configuration asks for.
///
/// # Errors
/// When the machine does not allow it, or an attempt could reach what it never may.
pub fn open_sandbox(site: &Site<'_>) -> Result<Sandbox, SandboxError> {
    let Site { intake, store, repository, run, scratch, executable, environment } = *site;
    let in_workflow = environment.get("GITHUB_ACTIONS").is_some_and(|value| value == "true");
    let container = environment.get("GITHUB_WORKSPACE").is_some_and(|folder| folder.starts_with("/github/"));
    let passed = passed_to_anybody(&intake.config, &intake.roster);
    Sandbox::open(&Surroundings {
        demand: Demand::or_default(intake.config.isolation, in_workflow),
        executable,
        environment,
        scratch,
        repository,
        run,
        objects: &store.object_folders(),
        passed: &passed,
        container_action: in_workflow && container,
    })
}

/// Returns the names of all variables that subagents or gates are given.
#[must_use]
pub fn passed_to_anybody(config: &Config, roster: &Roster) -> Vec<String> {
    let subagents = roster.iter().flat_map(|subagent| config.environment(&subagent.name));
    subagents.map(str::to_owned).chain(config.pass_environment.iter().cloned()).collect()
}

/// The first number of the users of gates: attempts have those before.
const FIRST_GATE_USER: usize = 1_000_000;

/// Returns whose the slots of attempts are.
pub(super) fn owners_of_attempts(sandbox: &Sandbox) -> Owners {
    owners(sandbox, 0)
}

/// Returns whose the slots of gates are: nobody's who has had an attempt.
pub(super) fn owners_of_gates(sandbox: &Sandbox) -> Owners {
    owners(sandbox, FIRST_GATE_USER)
}

fn owners(sandbox: &Sandbox, first: usize) -> Owners {
    let sandbox = sandbox.clone();
    Owners::new(move |slot| Ok(sandbox.user_of(first + slot)?.map(|user| (user.uid, user.gid))))
}

/// The place of one attempt, or of one command of a gate.
#[derive(Debug)]
pub struct Workplace<'a> {
    sandbox: &'a Sandbox,
    secrets: &'a Secrets,
    user: Option<User>,
    worktree: &'a Path,
    scratch: &'a Path,
    /// Folders in which the program itself lies.
    programs: Option<&'a Path>,
}

impl<'a> Workplace<'a> {
    /// Makes the place of an attempt in a slot of the pool of attempts.
    ///
    /// # Errors
    /// When there is no user for it.
    pub(super) fn of_attempt(
        (sandbox, secrets): (&'a Sandbox, &'a Secrets),
        slot: &'a Slot,
        scratch: &'a Path,
        programs: &'a Path,
    ) -> io::Result<Self> {
        let user = sandbox.user_of(slot.number())?;
        Ok(Self { sandbox, secrets, user, worktree: slot.path(), scratch, programs: Some(programs) })
    }

    /// Makes the place of a command of a gate in a slot of the pool of gates.
    ///
    /// # Errors
    /// When there is no user for it.
    pub(super) fn of_gate(
        (sandbox, secrets): (&'a Sandbox, &'a Secrets),
        slot: usize,
        worktree: &'a Path,
        scratch: &'a Path,
    ) -> io::Result<Self> {
        let user = sandbox.user_of(FIRST_GATE_USER + slot)?;
        Ok(Self { sandbox, secrets, user, worktree, scratch, programs: None })
    }

    /// Makes the place of an attempt in a work tree that another process has prepared, and gives it away until
    /// [`Self::take_back`].
    ///
    /// # Errors
    /// When there is no user for it, or the work tree cannot be given away.
    pub fn of_prepared(
        (sandbox, secrets): (&'a Sandbox, &'a Secrets),
        worktree: &'a Path,
        scratch: &'a Path,
        programs: &'a Path,
    ) -> io::Result<Self> {
        let user = sandbox.user_of(0)?;
        sandbox.give(worktree, user)?;
        Ok(Self { sandbox, secrets, user, worktree, scratch, programs: Some(programs) })
    }

    /// Takes a work tree back that [`Self::of_prepared`] gave away, for whoever captures it.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn take_back(&self) -> io::Result<()> {
        let me = User { uid: rustix::process::geteuid().as_raw(), gid: rustix::process::getegid().as_raw() };
        self.sandbox.give(self.worktree, self.user.map(|_| me))
    }

    /// Gives what was put into the work tree to whoever works in it.
    pub(super) fn give_worktree(&self, sandbox: &Sandbox) -> io::Result<()> {
        sandbox.give(self.worktree, self.user)
    }

    /// Runs what is to be run here, until nothing of it is left. Of the command the first `own` words say what it may read
    /// of itself.
    ///
    /// # Errors
    /// When it could not be started, or not be ended as a whole.
    pub async fn run(
        &self,
        mut launch: Launch,
        own: usize,
        stop: impl Future<Output = ()>,
    ) -> Result<Ended, LaunchError> {
        let own_folders = own_folders(self.scratch);
        for folder in own_folders.iter().filter(|folder| folder.exists()) {
            self.sandbox.give(folder, self.user).map_err(|error| LaunchError::File {
                path: folder.display().to_string(),
                purpose: "its user".to_owned(),
                why: errors::chain(&error),
            })?;
        }
        let mut read = self.sandbox.readable_of(&launch.argv[..own.min(launch.argv.len())]);
        read.push(self.scratch.to_owned());
        read.extend(self.programs.map(Path::to_owned));
        let write: Vec<PathBuf> = [self.worktree.to_owned()].into_iter().chain(own_folders).collect();
        launch.secrets.extend(self.secrets.values());
        launch.confinement = self.sandbox.confinement(self.user, &Allowed { write, read });
        let ended = agent::run(&launch, stop).await;
        self.sandbox.remove_shared(self.user);
        ended
    }
}
