//! What keeps a subagent's or a gate's processes from everything but their own slot and scratch folder.
//!
//! A [`Sandbox`] is opened once for a run: it finds out which [`Level`] the machine allows by trying it. For every
//! attempt it gives a [`Confinement`], plain data that travels to the process which enters it. Entering is for processes of one
//! thread: what Linux restricts here, it restricts for one thread and whatever that starts.

mod confinement;
mod context;
mod descriptors;
mod hosted;
#[cfg(target_os = "linux")]
mod landlock;
#[cfg(target_os = "linux")]
mod namespaces;
#[cfg(target_os = "linux")]
mod ownership;
mod probe;
mod program;
mod reading;
#[cfg(target_os = "linux")]
mod resources;
#[cfg(target_os = "linux")]
mod shared_memory;
mod surroundings;
#[cfg(target_os = "linux")]
mod user;
mod users;

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

pub use implementer_model::isolation::{Demand, Isolation, Level};

pub use self::{
    confinement::{Allowed, Confinement},
    descriptors::close_inherited,
    hosted::{become_root_on_hosted_runner, hand_back},
    probe::{PROBE, probe_main},
    program::{first_line, place_in as place_of_program},
    surroundings::Surroundings,
    users::User,
};
use self::{context::doing, probe::Question, reading::Reading, users::Users};

/// What is tried, the strongest first: the level, and whether attempts have mounts of their own. A container may have root
/// and forbid it to mount.
#[cfg(target_os = "linux")]
const WAYS: [(Level, bool); 4] =
    [(Level::Uid, true), (Level::Uid, false), (Level::Namespaces, true), (Level::Landlock, false)];

/// What is said of a machine where users of slots have no mounts of their own.
const WITHOUT_OWN_MOUNTS: &str = "sockets that everybody may use can be reached, and `/tmp` cannot be written, because \
                                  subagents have no mounts of their own here: programs have to use the folder that `TMPDIR` \
                                  names";

/// What is said where users of slots have no shared memory of their own, and what they leave cannot be removed.
const MEMORY_STAYS: &str =
    "shared memory of System V outlives an attempt, because `ipcrm` (util-linux) is not installed";

/// Says why no subagent may be started here.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The configuration requires walls, and there are none.
    #[error(
        "isolation is required, and this machine allows no more than `{found}`: {}. Run as root or where user namespaces \
         are allowed, or write `isolation: best` into the configuration to accept less",
        .why.join("; ")
    )]
    TooWeak {
        /// The strongest level that works.
        found: Level,
        /// Why the stronger ones do not, a sentence for each.
        why: Vec<String>,
    },
    /// A subagent could speak to what is outside its container, or for the job.
    #[error(
        "no subagent is started: it could reach {}. The isolation in force is `{level}`; run the action as root with its \
         default capabilities, so that subagents get user ids of their own",
        .paths.join(", ")
    )]
    Reachable {
        /// The level.
        level: Level,
        /// What it could reach.
        paths: Vec<String>,
    },
    /// The probe itself failed.
    #[error("cannot find out how subagents can be isolated: {0}")]
    Probe(io::Error),
}

/// What isolates the attempts of one run. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

#[derive(Debug, Clone)]
struct Inner {
    isolation: Isolation,
    users: Option<Users>,
    own_mounts: bool,
    reading: Reading,
    executable: PathBuf,
}

impl Sandbox {
    /// Makes one that isolates nothing.
    #[must_use]
    pub fn none() -> Self {
        Self::none_because(Vec::new())
    }

    /// Finds the strongest level that works here, by trying.
    ///
    /// # Errors
    /// When it is less than what is asked for, or a subagent could reach what it never may.
    pub fn open(surroundings: &Surroundings<'_>) -> Result<Self, SandboxError> {
        let sandbox = match surroundings.demand {
            Demand::None => Self::none_because(Vec::new()),
            Demand::Required | Demand::Best => Self::strongest(surroundings)?,
        };
        let level = sandbox.level();
        if !surroundings.demand.is_met_by(level) {
            return Err(SandboxError::TooWeak { found: level, why: sandbox.inner.isolation.passed_over.clone() });
        }
        sandbox.without_what_is_reachable(surroundings)
    }

    fn none_because(passed_over: Vec<String>) -> Self {
        let isolation = Isolation { level: Level::None, open: Vec::new(), passed_over };
        let reading = Reading::default();
        let inner = Inner { isolation, users: None, own_mounts: false, reading, executable: PathBuf::new() };
        Self { inner: Arc::new(inner) }
    }

    #[cfg(not(target_os = "linux"))]
    fn strongest(_: &Surroundings<'_>) -> Result<Self, SandboxError> {
        Ok(Self::none_because(vec!["subagents are isolated on Linux only".to_owned()]))
    }

    #[cfg(target_os = "linux")]
    fn strongest(surroundings: &Surroundings<'_>) -> Result<Self, SandboxError> {
        let reading = Reading::new(surroundings);
        let mut passed_over = Vec::new();
        for (level, own_mounts) in WAYS {
            match Self::at(level, own_mounts, surroundings, &reading, &passed_over) {
                Ok(sandbox) => return Ok(sandbox),
                Err(why) => passed_over.push(format!("`{level}`: {why}")),
            }
            passed_over.dedup();
        }
        Ok(Self::none_because(passed_over))
    }

    /// Tries a level: a process is confined by it, and reads what every attempt has to read.
    #[cfg(target_os = "linux")]
    fn at(
        level: Level,
        own_mounts: bool,
        surroundings: &Surroundings<'_>,
        reading: &Reading,
        passed_over: &[String],
    ) -> io::Result<Self> {
        let users = match level {
            Level::Uid => Some(Users::reserve(surroundings.scratch)?),
            _ => None,
        };
        let mut inner = Inner {
            isolation: Isolation { level, open: Vec::new(), passed_over: passed_over.to_vec() },
            users,
            own_mounts,
            reading: reading.clone(),
            executable: surroundings.executable.to_owned(),
        };
        let user = inner.user_of(0)?;
        let folder = tempfile::Builder::new()
            .prefix("probe-")
            .tempdir_in(surroundings.scratch)
            .map_err(|error| doing(&format!("making a folder in {}", surroundings.scratch.display()), &error))?;
        if let Some(user) = user {
            ownership::give(folder.path(), user).map_err(|error| doing("giving a folder away", &error))?;
        }
        let confinement = inner.confinement(user, &Allowed { write: vec![folder.path().to_owned()], read: Vec::new() });
        // Another user has to get through to the objects that later waves make. With mounts of its own it sees an empty folder in
        // place of a private one, in which the way to what is lent is made anew.
        let on_the_way = surroundings.run.ancestors().find(|folder| folder.is_dir() && user.is_some());
        let pass = on_the_way.filter(|folder| !(inner.own_mounts && inner.reading.hides(folder)));
        let pass = pass.map(Path::to_owned).into_iter().collect();
        let question = Question {
            confinement,
            read: surroundings.objects.to_vec(),
            pass,
            write: vec![folder.path().to_owned()],
            reach: Vec::new(),
            landlock_scope: level == Level::Landlock,
        };
        let answer = probe::ask(surroundings.executable, &question)?;
        if let Some(why) = answer.why_unusable() {
            return Err(io::Error::other(why.to_owned()));
        }
        if level == Level::Uid && !inner.own_mounts {
            inner.isolation.open.push(WITHOUT_OWN_MOUNTS.to_owned());
            if !shared_memory::can_be_removed() {
                inner.isolation.open.push(MEMORY_STAYS.to_owned());
            }
        }
        if !answer.scoped {
            inner
                .isolation
                .open
                .push("abstract sockets of other processes can be reached (kernel before 6.12)".to_owned());
        }
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Tries, from within a confinement, to reach what no subagent may: the container engine, the files by which a step speaks
    /// to the runner, and the environment of the coordinator, which has its token.
    fn without_what_is_reachable(self, surroundings: &Surroundings<'_>) -> Result<Self, SandboxError> {
        let user = self.inner.user_of(0).map_err(SandboxError::Probe)?;
        let reach = forbidden(surroundings.environment);
        let question = Question {
            confinement: self.inner.confinement(user, &Allowed::default()),
            read: Vec::new(),
            pass: Vec::new(),
            write: Vec::new(),
            reach,
            landlock_scope: false,
        };
        let answer = probe::ask(surroundings.executable, &question).map_err(SandboxError::Probe)?;
        if answer.reached.is_empty() {
            return Ok(self);
        }
        let paths: Vec<_> = answer.reached.iter().map(|path| path.display().to_string()).collect();
        if surroundings.container_action {
            return Err(SandboxError::Reachable { level: self.level(), paths });
        }
        // Without isolation everything is open that the user may do: to list some of it would say less, and each job of
        // a run would say something else.
        if self.level() == Level::None {
            return Ok(self);
        }
        let mut isolation = self.inner.isolation.clone();
        let own = own_environment_file();
        isolation.open.extend(answer.reached.iter().map(|path| match path {
            // The number of a process says nothing to whoever reads it later.
            path if *path == own => "the environment of the coordinator can be reached".to_owned(),
            path => format!("{} can be reached", path.display()),
        }));
        Ok(Self { inner: Arc::new(Inner { isolation, ..Inner::clone(&self.inner) }) })
    }

    /// Makes the same sandbox for a run whose folder is there now, and lends the objects of its store.
    #[must_use]
    pub fn of_run(&self, run: &Path, objects: &[PathBuf]) -> Self {
        let mut reading = self.inner.reading.clone();
        reading.add_run(run, objects);
        Self { inner: Arc::new(Inner { reading, ..Inner::clone(&self.inner) }) }
    }

    /// Returns the level in force, and what it leaves open here.
    #[must_use]
    pub fn isolation(&self) -> &Isolation {
        &self.inner.isolation
    }

    /// Returns the level in force.
    #[must_use]
    pub fn level(&self) -> Level {
        self.inner.isolation.level
    }

    /// Returns the user that the slot of this number belongs to; none where all slots are ours. A user is reserved for the
    /// whole run, and nothing of it is alive when it is given out first.
    ///
    /// # Errors
    /// When there is no user left.
    pub fn user_of(&self, slot: usize) -> io::Result<Option<User>> {
        self.inner.user_of(slot)
    }

    /// Makes the confinement of an attempt: what may be written, and what may be read beside the system. None where nothing is
    /// isolated.
    #[must_use]
    pub fn confinement(&self, user: Option<User>, allowed: &Allowed) -> Option<Confinement> {
        self.inner.confinement(user, allowed)
    }

    /// Returns what a command that the configuration names may read of itself: what its program consists of, wherever the
    /// links of the `PATH` lead, and files that are named by their absolute paths, with the folders that they are in where
    /// nothing private is in those.
    #[must_use]
    pub fn readable_of(&self, argv: &[String]) -> Vec<PathBuf> {
        self.inner.reading.of_command(argv)
    }

    /// Gives a folder with everything in it to the user of an attempt.
    ///
    /// # Errors
    /// When that is refused.
    pub fn give(&self, folder: &Path, user: Option<User>) -> io::Result<()> {
        match user {
            #[cfg(target_os = "linux")]
            Some(user) => ownership::give(folder, user),
            _ => Ok(()),
        }
    }

    /// Removes what a user left where other users of slots may write, too. All its processes have ended.
    pub fn remove_shared(&self, user: Option<User>) {
        #[cfg(target_os = "linux")]
        if let Some(user) = user {
            ownership::remove_shared(user);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = user;
    }
}

impl Inner {
    fn user_of(&self, slot: usize) -> io::Result<Option<User>> {
        let clear = |user| {
            #[cfg(target_os = "linux")]
            user::end_everything(&self.executable, user)?;
            Ok(())
        };
        self.users.as_ref().map(|users| users.of_slot(slot, clear)).transpose()
    }

    fn confinement(&self, user: Option<User>, allowed: &Allowed) -> Option<Confinement> {
        let level = self.isolation.level;
        (level != Level::None).then(|| Confinement::new(level, user, self.own_mounts, &self.reading, allowed))
    }
}

/// Ends everything that a user has running.
///
/// # Errors
/// When something could not be ended.
pub fn end_everything(executable: &Path, user: User) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    return user::end_everything(executable, user);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (executable, user);
        Ok(())
    }
}

/// Ends what is left of a user from a process of one thread that may become it for a moment, when all its processes should
/// be gone. Tells whether they are.
#[must_use]
pub fn is_rest_ended(user: User, reap: impl FnMut()) -> bool {
    #[cfg(target_os = "linux")]
    return user::is_rest_ended(user, reap);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (user, reap);
        true
    }
}

/// Returns the file with the environment of this process.
fn own_environment_file() -> PathBuf {
    PathBuf::from(format!("/proc/{}/environ", std::process::id()))
}

/// Returns what no subagent may reach.
fn forbidden(environment: &BTreeMap<String, String>) -> Vec<PathBuf> {
    let named = ["GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"];
    let files = named.iter().filter_map(|name| environment.get(*name)).map(PathBuf::from);
    let fixed = ["/var/run/docker.sock", "/run/docker.sock", "/run/podman/podman.sock", "/github/file_commands"];
    let mut all: Vec<_> = fixed.into_iter().map(PathBuf::from).chain(files).chain([own_environment_file()]).collect();
    all.retain(|path| path.exists());
    all.sort_unstable();
    all.dedup();
    all
}

/// Ends everything of the user that the first argument after the name names. The process becomes that user to do so.
#[cfg(target_os = "linux")]
pub use user::{END_USER, end_user_main};
