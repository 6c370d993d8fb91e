//! How many tests a command of a gate ran: from the JUnit files that it wrote, else from what it printed.
//!
//! All of it is read on a thread for blocking work and in bounded memory: a gate runs code of the repository's, which may
//! print and write whatever it likes.

use std::{
    fs,
    io::BufReader,
    path::{Path, PathBuf},
    time::SystemTime,
};

use implementer_model::{
    gate::{
        TestCounts,
        counts::{self, JunitError},
    },
    scope::{CompiledScope, InvalidGlob, Scope},
};

use super::gate_log;
use crate::untrusted::{self, UntrustedError};

/// The largest JUnit file that is read, in bytes.
const JUNIT_MAX: u64 = 16 * 1024 * 1024;

/// The most bytes of JUnit files that one command may write, and the most files and folders that are looked at for them.
const JUNIT_TOTAL_MAX: u64 = 256 * 1024 * 1024;
const ENTRIES_MAX: usize = 2_000_000;

/// The most bytes of a log that are looked at: its cap, and what is said when it is reached.
const LOG_MAX: u64 = 65 * 1024 * 1024;

/// Says why the tests of a command cannot be counted.
#[derive(Debug, thiserror::Error)]
pub(super) enum CountError {
    /// A glob for JUnit files is none.
    #[error(transparent)]
    Globs(#[from] InvalidGlob),
    /// A file or folder cannot be read.
    #[error("cannot read `{path}` of the work tree: {source}")]
    Io { path: String, source: std::io::Error },
    /// A JUnit file is no file that is read.
    #[error("the JUnit file {0}")]
    File(UntrustedError),
    /// A JUnit file is not one.
    #[error("the JUnit file `{path}` does not count: {source}")]
    Junit { path: String, source: JunitError },
    /// There is more than is read.
    #[error("the command left more than {most} {of}, and at most that many are read")]
    TooMuch { most: u64, of: &'static str },
}

/// What is to be counted.
#[derive(Debug)]
pub(super) struct Counting {
    /// Where the command ran.
    pub(super) worktree: PathBuf,
    /// The globs of its JUnit files.
    pub(super) junit: Vec<String>,
    /// When it began: files that were in the tree already say nothing about this run.
    pub(super) since: SystemTime,
    /// What it printed.
    pub(super) log: PathBuf,
}

/// Counts the tests; `None` where nothing tells of any.
///
/// # Errors
/// When a JUnit file cannot be read, or is none.
pub(super) async fn count(counting: Counting) -> Result<Option<TestCounts>, CountError> {
    let counted = tokio::task::spawn_blocking(move || {
        let files = if counting.junit.is_empty() { None } else { of_files(&counting)? };
        Ok(files.or_else(|| of_log(&counting.log)))
    });
    // The thread panics only by a defect, which goes on here.
    counted.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

/// A log that cannot be read tells nothing.
fn of_log(log: &Path) -> Option<TestCounts> {
    let file = untrusted::open(log, LOG_MAX).ok()?;
    let words = gate_log::read(BufReader::new(file), |line| !line.is_empty()).ok()?;
    counts::from_output(&words)
}

fn of_files(counting: &Counting) -> Result<Option<TestCounts>, CountError> {
    let scope = Scope { allow: counting.junit.clone(), deny: Vec::new() };
    let wanted = CompiledScope::new(&scope)?;
    let root = &counting.worktree;
    let shown = |path: &Path| path.strip_prefix(root).unwrap_or(path).display().to_string();
    let mut found: Option<TestCounts> = None;
    let (mut looked_at, mut bytes) = (0, 0);
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|source| CountError::Io { path: shown(&folder), source })?.flatten()
        {
            looked_at += 1;
            if looked_at > ENTRIES_MAX {
                return Err(CountError::TooMuch { most: ENTRIES_MAX as u64, of: "files and folders" });
            }
            let (path, Ok(kind)) = (entry.path(), entry.file_type()) else { continue };
            if kind.is_dir() && entry.file_name() != ".git" {
                folders.push(path);
                continue;
            }
            let Some(relative) = path.strip_prefix(root).ok().and_then(Path::to_str) else { continue };
            let fresh = || entry.metadata().and_then(|meta| meta.modified()).is_ok_and(|at| at >= counting.since);
            if !kind.is_file() || !wanted.allows(relative) || !fresh() {
                continue;
            }
            let file = untrusted::open(&path, JUNIT_MAX).map_err(CountError::File)?;
            bytes += file.size();
            if bytes > JUNIT_TOTAL_MAX {
                return Err(CountError::TooMuch { most: JUNIT_TOTAL_MAX, of: "bytes of JUnit files" });
            }
            let xml = String::from_utf8(file.read_all().map_err(CountError::File)?)
                .map_err(|_| CountError::File(UntrustedError::NotText { path: path.clone() }))?;
            let counted =
                counts::from_junit(&xml).map_err(|source| CountError::Junit { path: relative.to_owned(), source })?;
            found = Some(found.map_or(counted, |sum| sum.plus(counted)));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counting(worktree: &Path, since: SystemTime) -> Counting {
        let junit = vec!["out/**".to_owned()];
        Counting { worktree: worktree.to_owned(), junit, since, log: worktree.join("log.txt") }
    }

    const ONE: &str = "<testsuite><testcase name=\"a\"/></testsuite>";

    #[tokio::test]
    async fn fresh_files_count_together_and_before_what_was_printed() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("out/deep")).unwrap();
        fs::write(folder.path().join("log.txt"), "===== 7 passed in 0.1s =====\n").unwrap();
        let long_ago = SystemTime::UNIX_EPOCH;
        let printed = count(counting(folder.path(), long_ago)).await.unwrap().unwrap();
        assert_eq!(printed.passed, 7, "there is no file");
        fs::write(folder.path().join("out/a.xml"), ONE).unwrap();
        fs::write(folder.path().join("out/deep/b.xml"), ONE).unwrap();
        assert_eq!(count(counting(folder.path(), long_ago)).await.unwrap().unwrap().passed, 2);
        let later = SystemTime::now() + std::time::Duration::from_secs(60);
        assert_eq!(count(counting(folder.path(), later)).await.unwrap().unwrap().passed, 7, "both are old");
    }

    #[tokio::test]
    async fn a_file_that_is_too_large_or_no_text_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("out")).unwrap();
        let file = folder.path().join("out/large.xml");
        fs::File::create(&file).unwrap().set_len(JUNIT_MAX + 1).unwrap();
        let error = count(counting(folder.path(), SystemTime::UNIX_EPOCH)).await.unwrap_err().to_string();
        assert!(error.contains("large.xml") && error.contains("more than"), "{error}");
        fs::write(&file, b"\xff").unwrap();
        let error = count(counting(folder.path(), SystemTime::UNIX_EPOCH)).await.unwrap_err().to_string();
        assert!(error.contains("large.xml") && error.contains("UTF-8"), "{error}");
    }
}
