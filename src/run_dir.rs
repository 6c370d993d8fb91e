//! The folder of one run: what `--out` names. Every file in it is written whole or not at all.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use implementer_model::ids::TaskId;
use serde::Serialize;

/// The folder below the repository in which runs are kept unless `--out` says otherwise.
pub const RUNS_DIR: &str = ".backend-implementer/runs";

/// The files of an attempt that move aside when there is another one.
const ATTEMPT_FILES: [&str; 5] = ["brief.md", "report.json", "report.invalid.json", "patch.diff", "log.txt"];

/// Says that something in the run's folder could not be written.
#[derive(Debug, thiserror::Error)]
pub enum RunDirError {
    /// The folder holds a run already.
    #[error("{path} already holds a run; name another folder with --out, or remove this one")]
    Taken {
        /// The folder.
        path: PathBuf,
    },
    /// A file or folder could not be written.
    #[error("cannot write {path}: {source}")]
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
}

impl RunDir {
    /// Makes the folder. It may exist, but must not hold a run.
    ///
    /// # Errors
    /// When it holds a run, or cannot be written.
    pub fn create(root: &Path) -> Result<Self, RunDirError> {
        let io_error = |source| RunDirError::Io { path: root.to_owned(), source };
        fs::create_dir_all(root).map_err(io_error)?;
        // Children run in folders of their own: every path that is handed to them has to be absolute.
        let root = root.canonicalize().map_err(io_error)?;
        if root.join("journal.jsonl").exists() || root.join("store.git").exists() {
            return Err(RunDirError::Taken { path: root });
        }
        Ok(Self { root })
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
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Returns the folder of a task.
    #[must_use]
    pub fn task_dir(&self, task: &TaskId) -> PathBuf {
        self.root.join("tasks").join(task.as_str())
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
        if attempt > 1 {
            let aside = dir.join(format!("attempt-{}", attempt - 1));
            make(&aside)?;
            for name in ATTEMPT_FILES {
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

    /// Gives a folder or file of the run another name; nothing when it is not there.
    ///
    /// # Errors
    /// When it cannot be moved.
    pub fn set_aside(&self, name: &str, aside: &str) -> Result<(), RunDirError> {
        match fs::rename(self.root.join(name), self.root.join(aside)) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(RunDirError::Io { path: self.root.join(name), source })
            }
            _ => Ok(()),
        }
    }

    /// Writes a file of the run whole: beside its place first, then moved there.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &Path, content: &[u8]) -> Result<(), RunDirError> {
        let path = self.root.join(path);
        let io_error = |source| RunDirError::Io { path: path.clone(), source };
        let folder = path.parent().unwrap_or(&self.root);
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
    pub fn write_json(&self, path: &Path, value: &impl Serialize) -> Result<Vec<u8>, RunDirError> {
        let mut text = serde_json::to_vec_pretty(value)
            .map_err(|error| RunDirError::Io { path: self.root.join(path), source: error.into() })?;
        text.push(b'\n');
        self.write(path, &text)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_holds_a_run_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunDir::create(dir.path()).unwrap();
        run.write(Path::new("journal.jsonl"), b"x").unwrap();
        assert!(matches!(RunDir::create(dir.path()), Err(RunDirError::Taken { .. })));
    }

    #[test]
    fn files_of_an_earlier_attempt_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunDir::create(dir.path()).unwrap();
        let task = TaskId::new("feature").unwrap();
        let folder = run.begin_attempt(&task, 1).unwrap();
        fs::write(folder.join("log.txt"), "first").unwrap();
        run.begin_attempt(&task, 2).unwrap();
        assert_eq!(fs::read_to_string(folder.join("attempt-1/log.txt")).unwrap(), "first");
        assert!(!folder.join("log.txt").exists());
    }

    #[test]
    fn default_runs_are_invisible_to_git() {
        let dir = tempfile::tempdir().unwrap();
        RunDir::create_default(dir.path(), "r1").unwrap();
        let ignore = fs::read_to_string(dir.path().join(RUNS_DIR).join(".gitignore")).unwrap();
        assert!(ignore.lines().any(|line| line == "*"));
    }
}
