//! The folder of one run: what `--out` names. Every file in it is written whole or not at all.

use std::{
    fs, io,
    io::{Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use implementer_model::ids::TaskId;
use serde::Serialize;

use crate::layout::{self, RUNS_DIR, RunFile, TaskFile};

/// Says that something in the run's folder could not be written.
#[derive(Debug, thiserror::Error)]
pub enum RunDirError {
    /// The folder holds a run already.
    #[error("{path} already holds a finished run; name another folder with --out, or remove this one")]
    Taken {
        /// The folder.
        path: PathBuf,
    },
    /// The folder holds what no run has written.
    #[error("{path} is not empty and holds no run: it has `{name}`; name a new or empty folder with --out")]
    NotOurs {
        /// The folder.
        path: PathBuf,
        /// Something that is in it.
        name: String,
    },
    /// Another process is at work in the folder.
    #[error("another process is using {path} ({who}); wait for it, or stop it")]
    AtWork {
        /// The folder.
        path: PathBuf,
        /// What it says of itself.
        who: String,
    },
    /// There is no run to go on with.
    #[error("there is no interrupted run in {path}; leave out `--resume` to start one")]
    NothingToResume {
        /// The folder.
        path: PathBuf,
    },
    /// A file or folder could not be written.
    #[error("cannot write {path}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The folder of one run.
#[derive(Debug, Clone)]
pub struct RunDir {
    root: PathBuf,
    /// Held while the process is at work: the system lets go of it when the process ends, however it ends.
    _lock: Arc<fs::File>,
}

/// Returns the name of something in the folder that no run has written. A run that broke off before its journal may have left
/// files of ours.
fn foreign_entry(root: &Path) -> io::Result<Option<String>> {
    for entry in fs::read_dir(root)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let ours =
            name == layout::TASKS || RunFile::ALL.iter().any(|file| file.name() == name) || layout::is_gates(&name);
        if !ours {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

impl RunDir {
    /// Makes the folder. It may exist, but must hold neither a run nor anything of somebody else.
    ///
    /// # Errors
    /// When it holds something, or cannot be written.
    pub fn create(root: &Path) -> Result<Self, RunDirError> {
        let io_error = |source| RunDirError::Io { path: root.to_owned(), source };
        fs::create_dir_all(root).map_err(io_error)?;
        // Children run in folders of their own: every path that is handed to them has to be absolute.
        let root = root.canonicalize().map_err(io_error)?;
        if root.join(RunFile::Journal).exists() || root.join(RunFile::Store).exists() {
            return Err(RunDirError::Taken { path: root });
        }
        if let Some(name) = foreign_entry(&root).map_err(io_error)? {
            return Err(RunDirError::NotOurs { path: root, name });
        }
        let lock = lock(&root)?;
        Ok(Self { root, _lock: Arc::new(lock) })
    }

    /// Opens the folder of a run that broke off.
    ///
    /// # Errors
    /// When there is none, or another process is at work in it.
    pub fn resume(root: &Path) -> Result<Self, RunDirError> {
        let nothing = || RunDirError::NothingToResume { path: root.to_owned() };
        if !root.join(RunFile::Journal).is_file() {
            return Err(nothing());
        }
        let root = root.canonicalize().map_err(|_| nothing())?;
        let lock = lock(&root)?;
        Ok(Self { root, _lock: Arc::new(lock) })
    }

    /// Lists the folders of runs in the default place below `repository`, the newest first.
    #[must_use]
    pub fn runs(repository: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(repository.join(RUNS_DIR)).into_iter().flatten().flatten();
        let mut runs: Vec<_> =
            entries.map(|entry| entry.path()).filter(|path| path.join(RunFile::Journal).is_file()).collect();
        runs.sort_unstable_by(|a, b| b.cmp(a));
        runs
    }

    /// Lists the folders of other runs in the same place, the newest first; none where the place is not one that only runs
    /// are in.
    #[must_use]
    pub fn earlier(&self) -> Vec<PathBuf> {
        let Some(place) = self.root.parent().filter(|place| place.ends_with(RUNS_DIR)) else { return Vec::new() };
        let repository = place.ancestors().nth(Path::new(RUNS_DIR).components().count());
        let mut runs = repository.map_or_else(Vec::new, Self::runs);
        runs.retain(|run| run != &self.root);
        runs
    }

    /// Makes a new folder for the run `name` in the default place below `repository`, and keeps git from seeing it.
    ///
    /// # Errors
    /// When it cannot be written, or a run of that name is there already.
    pub fn create_default(repository: &Path, name: &str) -> Result<Self, RunDirError> {
        let runs = repository.join(RUNS_DIR);
        fs::create_dir_all(&runs).map_err(|source| RunDirError::Io { path: runs.clone(), source })?;
        let ignore = runs.join(".gitignore");
        if !ignore.exists() {
            fs::write(&ignore, "# Runs of the Backend Implementer are not part of the repository.\n*\n")
                .map_err(|source| RunDirError::Io { path: ignore, source })?;
        }
        Self::create(&runs.join(name))
    }

    /// Returns the folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the path of a file or folder of the run.
    #[must_use]
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root.join(name)
    }

    /// Lists the folders with logs of gates: those of the last gates, and those that rounds of rework have set aside.
    #[must_use]
    pub fn gate_logs(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.root).into_iter().flatten().flatten();
        let of_gates = entries.filter(|entry| entry.file_name().to_str().is_some_and(layout::is_gates));
        let mut folders: Vec<_> = of_gates.map(|entry| entry.path()).collect();
        folders.sort_unstable();
        folders
    }

    /// Returns the folder of a task.
    #[must_use]
    pub fn task_dir(&self, task: &TaskId) -> PathBuf {
        self.root.join(layout::task_dir(task))
    }

    /// Makes the folder of a task ready for an attempt: the files of the attempt before move to `attempt-N`.
    ///
    /// # Errors
    /// When something cannot be moved or made.
    pub fn begin_attempt(&self, task: &TaskId, attempt: u32) -> Result<PathBuf, RunDirError> {
        let dir = self.task_dir(task);
        let make =
            |path: &Path| fs::create_dir_all(path).map_err(|source| RunDirError::Io { path: path.to_owned(), source });
        make(&dir)?;
        // Where the attempt before is aside already, what lies here is what this attempt left when the run broke off.
        let resumed = attempt > 1 && dir.join(layout::attempt_dir(attempt - 1)).exists();
        if attempt == 1 || resumed {
            for &name in TaskFile::ALL {
                match fs::remove_file(dir.join(name)) {
                    Err(source) if source.kind() != io::ErrorKind::NotFound => {
                        return Err(RunDirError::Io { path: dir.join(name), source });
                    }
                    _ => {}
                }
            }
        } else {
            let aside = dir.join(layout::attempt_dir(attempt - 1));
            make(&aside)?;
            for &name in TaskFile::ALL {
                match fs::rename(dir.join(name), aside.join(name)) {
                    Err(source) if source.kind() != io::ErrorKind::NotFound => {
                        return Err(RunDirError::Io { path: aside.join(name), source });
                    }
                    _ => {}
                }
            }
        }
        Ok(dir)
    }

    /// Gives a folder or file of the run another name; nothing when it is not there, or something has that name already,
    /// because the run broke off after this.
    ///
    /// # Errors
    /// When it cannot be moved.
    pub fn set_aside(&self, name: impl AsRef<Path>, aside: impl AsRef<Path>) -> Result<(), RunDirError> {
        let (path, aside) = (self.root.join(name), self.root.join(aside));
        if aside.exists() {
            return Ok(());
        }
        match fs::rename(&path, aside) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(RunDirError::Io { path, source }),
            _ => Ok(()),
        }
    }

    /// Writes a file of the run whole: beside its place first, then moved there.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: impl AsRef<Path>, content: &[u8]) -> Result<(), RunDirError> {
        let path = self.root.join(path);
        let io_error = |source| RunDirError::Io { path: path.clone(), source };
        let folder = path.parent().expect("invariant: a file of the run is below its folder");
        let mut file = tempfile::Builder::new().prefix(".writing-").tempfile_in(folder).map_err(io_error)?;
        io::Write::write_all(&mut file, content).map_err(io_error)?;
        // Temporary files are for their owner alone; these are for whoever may read the folder.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            file.as_file().set_permissions(fs::Permissions::from_mode(0o644)).map_err(io_error)?;
        }
        file.persist(&path).map(drop).map_err(|error| io_error(error.error))
    }

    /// Writes a value as indented JSON with a line break at its end.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_json(&self, path: impl AsRef<Path>, value: &impl Serialize) -> Result<Vec<u8>, RunDirError> {
        let mut text = serde_json::to_vec_pretty(value)
            .map_err(|error| RunDirError::Io { path: self.root.join(&path), source: error.into() })?;
        text.push(b'\n');
        self.write(path, &text)?;
        Ok(text)
    }
}

/// How long a lock is waited for whose process is gone. A child that it was just starting holds the lock until it is the
/// program that it is to be, or ends.
const LEFT_BEHIND: Duration = Duration::from_secs(2);

/// How often it is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Locks a folder for this process, and writes down who that is.
fn lock(root: &Path) -> Result<fs::File, RunDirError> {
    let path = root.join(RunFile::ProcessLock);
    let io_error = |source| RunDirError::Io { path: path.clone(), source };
    let mut file =
        fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(io_error)?;
    let began = Instant::now();
    while let Err(error) = rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        if error != rustix::io::Errno::WOULDBLOCK {
            return Err(io_error(error.into()));
        }
        let mut who = String::new();
        let _ = file.rewind().and_then(|()| (&mut file).take(200).read_to_string(&mut who));
        if !is_gone(&who) || began.elapsed() > LEFT_BEHIND {
            let who = implementer_model::text::terminal(who.trim());
            return Err(RunDirError::AtWork { path: root.to_owned(), who });
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    let since = humantime::format_rfc3339_seconds(std::time::SystemTime::now());
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| write!(file, "process {}, since {since}", std::process::id()))
        .map_err(io_error)?;
    Ok(file)
}

/// Tells whether the process that a lock names is there no more.
fn is_gone(who: &str) -> bool {
    let number = who.strip_prefix("process ").and_then(|rest| rest.split(',').next()?.parse().ok());
    let named = number.and_then(rustix::process::Pid::from_raw);
    named.is_some_and(|named| rustix::process::test_kill_process(named) == Err(rustix::io::Errno::SRCH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_holds_a_run_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunDir::create(dir.path()).unwrap();
        run.write(RunFile::Journal, b"x").unwrap();
        assert!(matches!(RunDir::create(dir.path()), Err(RunDirError::Taken { .. })));
    }

    #[test]
    fn only_a_process_that_is_there_no_more_is_gone() {
        assert!(!is_gone(&format!("process {}, since 2026-01-31T10:00:00Z", std::process::id())));
        // No kernel gives a number above 2^22.
        assert!(is_gone("process 4194305, since 2026-01-31T10:00:00Z"));
        assert!(!is_gone("") && !is_gone("process 0, since x") && !is_gone("somebody"));
    }

    #[test]
    fn files_of_an_earlier_attempt_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunDir::create(dir.path()).unwrap();
        let task = TaskId::new("feature").unwrap();
        let folder = run.begin_attempt(&task, 1).unwrap();
        fs::write(folder.join(TaskFile::Log), "first").unwrap();
        run.begin_attempt(&task, 2).unwrap();
        assert_eq!(fs::read_to_string(folder.join(layout::attempt_dir(1)).join(TaskFile::Log)).unwrap(), "first");
        assert!(!folder.join(TaskFile::Log).exists());
    }

    #[test]
    fn earlier_runs_are_those_in_the_default_place() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        for name in ["r1", "r2"] {
            let run = RunDir::create_default(&root, name).unwrap();
            run.write(RunFile::Journal, b"").unwrap();
        }
        let run = RunDir::create_default(&root, "r3").unwrap();
        let names: Vec<_> = run.earlier().iter().map(|run| run.file_name().unwrap().to_owned()).collect();
        assert_eq!(names, ["r2", "r1"]);
        let elsewhere = RunDir::create(&root.join("out")).unwrap();
        assert_eq!(elsewhere.earlier(), Vec::<PathBuf>::new());
    }

    #[test]
    fn default_runs_are_invisible_to_git() {
        let dir = tempfile::tempdir().unwrap();
        RunDir::create_default(dir.path(), "r1").unwrap();
        let ignore = fs::read_to_string(dir.path().join(RUNS_DIR).join(".gitignore")).unwrap();
        assert!(ignore.lines().any(|line| line == "*"));
    }
}
