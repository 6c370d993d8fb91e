//! What a command of a gate left: results test by test from the files that its runner wrote, and what it printed.
//!
//! All of it is read on a thread for blocking work and in bounded memory: a gate runs code of the repository's, which may
//! print and write whatever it likes.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    time::SystemTime,
};

use implementer_model::{
    evidence::{
        ask::{RECORDER_NOTE, Where},
        formats::{self, FormatError, GoEvents},
        recorded::{self, Found, Recorded},
        results::{Results, TESTS_MAX, TEXT_MAX},
        words,
    },
    scope::{CompiledScope, InvalidGlob, Scope},
};

use super::gate_log;
use crate::{
    errors,
    untrusted::{self, UntrustedError},
};

/// The largest file of results that is read, in bytes.
const FILE_MAX: u64 = 16 * 1024 * 1024;

/// The most bytes of results that one command may write, and the most files and folders that are looked at for them.
const TOTAL_MAX: u64 = 256 * 1024 * 1024;
const ENTRIES_MAX: usize = 2_000_000;

/// The most bytes that the lists and logs of test binaries may have together: they are read as a whole.
const PARTS_MAX: u64 = 64 * 1024 * 1024;

/// The most bytes of a log that are looked at: its cap, and what is said when it is reached.
const LOG_MAX: u64 = 65 * 1024 * 1024;

/// The longest event on one line of a log, in bytes.
const EVENT_MAX: u64 = 64 * 1024;

/// The longest note of a recorder that failed, in bytes.
const NOTE_MAX: u64 = 16 * 1024;

/// Where runners write results by themselves.
const CONVENTIONAL: [&str; 9] = [
    "**/target/surefire-reports/*.xml",
    "**/target/failsafe-reports/*.xml",
    "**/target/test-reports/*.xml",
    "**/target/nextest/**/*.xml",
    "**/build/test-results/**/*.xml",
    "**/TestResults/**/*.trx",
    "**/ctrf/*.json",
    "**/junit.xml",
    "**/test-results/*.xml",
];

/// Folders in which no results of ours lie, and which are large.
const NOT_LOOKED_INTO: [&str; 5] = [".git", "node_modules", ".venv", "venv", ".tox"];

/// Says why results cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ResultsError {
    /// A glob for result files is none.
    #[error(transparent)]
    Globs(#[from] InvalidGlob),
    /// A file or folder cannot be read.
    #[error("cannot read `{path}` of the work tree")]
    Io { path: String, source: std::io::Error },
    /// A file of results is no file that is read.
    #[error("a file of results does not count")]
    File(#[source] UntrustedError),
    /// A file of results is not one.
    #[error("the JUnit file `{path}` does not count")]
    Format { path: String, source: FormatError },
    /// There is more than is read.
    #[error("the command left more than {most} {of}, and at most that many are read")]
    TooMuch { most: u64, of: &'static str },
}

/// What is to be read.
#[derive(Debug)]
pub(super) struct Left {
    /// Where the command ran.
    pub(super) worktree: PathBuf,
    /// The folder into which its runner was asked to write.
    pub(super) results: PathBuf,
    /// The globs of files that the configuration names.
    pub(super) junit: Vec<String>,
    /// Who was asked.
    pub(super) runner: Option<(&'static str, Where)>,
    /// When it began: files that were in the tree already say nothing about this run.
    pub(super) since: SystemTime,
    /// What it printed.
    pub(super) log: PathBuf,
    /// Whether it succeeded.
    pub(super) succeeded: bool,
}

/// Reads and weighs what a command left.
pub(super) async fn read(left: Left) -> Recorded {
    let read = tokio::task::spawn_blocking(move || {
        let found = find(&left);
        recorded::weigh(left.runner.as_ref().map(|(name, found)| (*name, found)), left.succeeded, found)
    });
    // The thread panics only by a defect, which goes on here.
    read.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

fn find(left: &Left) -> Found {
    let words = words_of(&left.log);
    let recorder = recorder_note(&left.results);
    let result = || -> Result<Option<Results>, ResultsError> {
        if !left.junit.is_empty()
            && let Some(results) = of_tree(left, &left.junit, true)?
        {
            return Ok(Some(results));
        }
        let asked = match left.runner {
            Some((_, Where::Output)) => of_events(&left.log),
            _ => of_folder(&left.results),
        };
        match asked {
            Ok(Some(results)) => return Ok(Some(results)),
            // Of a command that failed half a file is no surprise.
            Err(error) if left.succeeded => return Err(error),
            _ => {}
        }
        let conventional = CONVENTIONAL.map(str::to_owned);
        of_tree(left, &conventional, false).or_else(|error| if left.succeeded { Err(error) } else { Ok(None) })
    };
    match result() {
        Ok(results) => Found { results, words, broken: None, recorder },
        Err(error) => Found { results: None, words, broken: Some(errors::chain(&error)), recorder },
    }
}

/// Reads why a recorder of ours failed, where one did.
fn recorder_note(results: &Path) -> Option<String> {
    let note = untrusted::open(&results.join(RECORDER_NOTE), NOTE_MAX).ok()?;
    Some(String::from_utf8_lossy(&note.read_all().ok()?).into_owned())
}

/// A log that cannot be read tells nothing.
fn words_of(log: &Path) -> Option<words::Words> {
    let file = untrusted::open(log, LOG_MAX).ok()?;
    let printed = gate_log::read(BufReader::new(file), words::relevant).ok()?;
    words::read(&printed)
}

/// Reads the events that a runner prints, a line at a time.
fn of_events(log: &Path) -> Result<Option<Results>, ResultsError> {
    let file = untrusted::open(log, LOG_MAX).map_err(ResultsError::File)?;
    let mut reader = BufReader::new(file);
    let mut events = GoEvents::default();
    let mut line = Vec::new();
    loop {
        line.clear();
        let io = |source| ResultsError::Io { path: log.display().to_string(), source };
        let read = reader.by_ref().take(EVENT_MAX).read_until(b'\n', &mut line).map_err(io)?;
        if read == 0 {
            break;
        }
        events.push(String::from_utf8_lossy(&line).trim_end());
    }
    Ok(events.finish().ok())
}

/// Reads everything that was written into the folder of results.
fn of_folder(folder: &Path) -> Result<Option<Results>, ResultsError> {
    let mut all: Option<Results> = None;
    let mut recorded: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut budget = Budget::default();
    let mut parts_bytes = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        // Nothing was written.
        let Ok(entries) = fs::read_dir(&at) else { continue };
        let mut entries: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        entries.sort_unstable();
        for path in entries {
            budget.entry()?;
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
                continue;
            }
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name == RECORDER_NOTE {
                continue;
            }
            let bytes = budget.read(&path)?;
            if let Some(part) = name.strip_prefix("libtest.") {
                let (id, kind) = part.split_once('.').unwrap_or((part, ""));
                parts_bytes += bytes.len() as u64;
                if parts_bytes > PARTS_MAX {
                    return Err(ResultsError::TooMuch { most: PARTS_MAX, of: "bytes of results of test binaries" });
                }
                let text = String::from_utf8_lossy(&bytes).into_owned();
                recorded.entry(id.to_owned()).or_default().insert(kind.to_owned(), text);
                continue;
            }
            // An empty file that a runner opened is one that it never wrote.
            let results =
                formats::read(&bytes).map_err(|source| ResultsError::Format { path: name.to_owned(), source })?;
            budget.results(&results)?;
            all.get_or_insert_default().add(results);
        }
    }
    for parts in recorded.values() {
        let part = |kind: &str| parts.get(kind).map(String::as_str);
        let (Some(program), Some(list)) = (part(""), part("list")) else { continue };
        let results = recorded::libtest(program, list, part("log"), part("end").is_some());
        budget.results(&results)?;
        all.get_or_insert_default().add(results);
    }
    Ok(all)
}

/// Reads fresh files of the work tree that a glob names. Files of another kind count only when `named`, and nothing else
/// was there: a wide glob finds such files.
fn of_tree(left: &Left, globs: &[String], named: bool) -> Result<Option<Results>, ResultsError> {
    let scope = Scope { allow: globs.to_vec(), deny: [].into() };
    let wanted = CompiledScope::new(&scope)?;
    let root = &left.worktree;
    let shown = |path: &Path| path.strip_prefix(root).unwrap_or(path).display().to_string();
    let mut all: Option<Results> = None;
    let mut foreign = None;
    let mut budget = Budget::default();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).map_err(|source| ResultsError::Io { path: shown(&folder), source })?;
        for entry in entries.flatten() {
            budget.entry()?;
            let (path, Ok(kind)) = (entry.path(), entry.file_type()) else { continue };
            let name = entry.file_name();
            if kind.is_dir() {
                let skipped = if named { &NOT_LOOKED_INTO[..1] } else { &NOT_LOOKED_INTO[..] };
                if !skipped.iter().any(|skipped| name == *skipped) {
                    folders.push(path);
                }
                continue;
            }
            let Some(relative) = path.strip_prefix(root).ok().and_then(Path::to_str) else { continue };
            let fresh = || entry.metadata().and_then(|meta| meta.modified()).is_ok_and(|at| at >= left.since);
            if !kind.is_file() || !wanted.allows(relative) || !fresh() {
                continue;
            }
            match formats::read(&budget.read(&path)?) {
                Ok(results) => {
                    budget.results(&results)?;
                    all.get_or_insert_default().add(results);
                }
                Err(source) if source.is_foreign() => foreign = Some((relative.to_owned(), source)),
                Err(source) => return Err(ResultsError::Format { path: relative.to_owned(), source }),
            }
        }
    }
    match foreign {
        Some((path, source)) if named && all.is_none() => Err(ResultsError::Format { path, source }),
        _ => Ok(all),
    }
}

/// How much may be read.
#[derive(Debug, Default)]
struct Budget {
    entries: usize,
    bytes: u64,
    tests: usize,
    text: usize,
}

impl Budget {
    fn entry(&mut self) -> Result<(), ResultsError> {
        self.entries += 1;
        if self.entries > ENTRIES_MAX {
            return Err(ResultsError::TooMuch { most: ENTRIES_MAX as u64, of: "files and folders" });
        }
        Ok(())
    }

    /// Takes in what a file holds: many small files come to as much as a large one.
    fn results(&mut self, results: &Results) -> Result<(), ResultsError> {
        self.tests += results.tests.len();
        self.text += results.text();
        if self.tests > TESTS_MAX {
            return Err(ResultsError::TooMuch { most: TESTS_MAX as u64, of: "results of tests" });
        }
        if self.text > TEXT_MAX {
            return Err(ResultsError::TooMuch { most: TEXT_MAX as u64, of: "bytes of names of tests" });
        }
        Ok(())
    }

    fn read(&mut self, path: &Path) -> Result<Vec<u8>, ResultsError> {
        let file = untrusted::open(path, FILE_MAX).map_err(ResultsError::File)?;
        self.bytes += file.size();
        if self.bytes > TOTAL_MAX {
            return Err(ResultsError::TooMuch { most: TOTAL_MAX, of: "bytes of JUnit files" });
        }
        file.read_all().map_err(ResultsError::File)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(worktree: &Path, since: SystemTime) -> Left {
        Left {
            worktree: worktree.to_owned(),
            results: worktree.join("results"),
            junit: vec!["out/**".to_owned()],
            runner: None,
            since,
            log: worktree.join("log.txt"),
            succeeded: true,
        }
    }

    const ONE: &str = "<testsuite><testcase name=\"a\"/></testsuite>";

    #[tokio::test]
    async fn fresh_files_count_together_and_before_what_was_printed() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("out/deep")).unwrap();
        fs::write(folder.path().join("log.txt"), "===== 7 passed in 0.1s =====\n").unwrap();
        let long_ago = SystemTime::UNIX_EPOCH;
        let passed = |recorded: Recorded| recorded.counts.unwrap().passed;
        assert_eq!(passed(read(left(folder.path(), long_ago)).await), 7, "there is no file");
        fs::write(folder.path().join("out/a.xml"), ONE).unwrap();
        fs::write(folder.path().join("out/deep/b.xml"), ONE.replace("\"a\"", "\"b\"")).unwrap();
        assert_eq!(passed(read(left(folder.path(), long_ago)).await), 2);
        let later = SystemTime::now() + std::time::Duration::from_secs(60);
        assert_eq!(passed(read(left(folder.path(), later)).await), 7, "both are old");
        fs::create_dir(folder.path().join("results")).unwrap();
        fs::write(folder.path().join("results/pytest.xml"), ONE).unwrap();
        assert_eq!(passed(read(left(folder.path(), later)).await), 1, "what the runner was asked for");
    }

    #[tokio::test]
    async fn a_file_that_is_too_large_or_no_report_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("out")).unwrap();
        let file = folder.path().join("out/large.xml");
        fs::File::create(&file).unwrap().set_len(FILE_MAX + 1).unwrap();
        let trouble = read(left(folder.path(), SystemTime::UNIX_EPOCH)).await.trouble.unwrap();
        assert!(trouble.contains("large.xml") && trouble.contains("more than"), "{trouble}");
        fs::write(&file, b"\xff").unwrap();
        let trouble = read(left(folder.path(), SystemTime::UNIX_EPOCH)).await.trouble.unwrap();
        assert!(trouble.contains("large.xml"), "{trouble}");
    }

    #[tokio::test]
    async fn more_tests_than_are_kept_do_not_count_in_one_file_nor_in_many() {
        let folder = tempfile::tempdir().unwrap();
        let results = folder.path().join("results");
        fs::create_dir(&results).unwrap();
        let mut left = left(folder.path(), SystemTime::UNIX_EPOCH);
        left.junit.clear();
        let again = |left: &Left| Left {
            worktree: left.worktree.clone(),
            results: left.results.clone(),
            junit: Vec::new(),
            runner: None,
            log: left.log.clone(),
            ..*left
        };
        let tap = |count: usize| format!("1..{count}\n{}", "ok\n".repeat(count));
        fs::write(results.join("one.tap"), tap(TESTS_MAX + 1)).unwrap();
        let trouble = read(again(&left)).await.trouble.unwrap();
        assert!(trouble.contains("200000 tests") && trouble.contains("split the command"), "{trouble}");
        for name in ["one.tap", "two.tap"] {
            fs::write(results.join(name), tap(TESTS_MAX / 2 + 1)).unwrap();
        }
        let trouble = read(again(&left)).await.trouble.unwrap();
        assert!(trouble.contains("more than 200000 results of tests"), "{trouble}");
        fs::remove_file(results.join("two.tap")).unwrap();
        assert_eq!(read(left).await.counts.unwrap().passed, TESTS_MAX as u64 / 2 + 1);
    }

    #[tokio::test]
    async fn the_recorder_of_cargo_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let results = folder.path().join("results");
        fs::create_dir(&results).unwrap();
        for (name, text) in [
            ("libtest.a1", "/x/deps/cart-0a\n"),
            ("libtest.a1.list", "a: test\nb: test\n"),
            ("libtest.a1.log", "ok a\n"),
        ] {
            fs::write(results.join(name), text).unwrap();
        }
        let mut half = left(folder.path(), SystemTime::UNIX_EPOCH);
        half.junit.clear();
        assert!(read(half).await.trouble.unwrap().contains("never ended"));
    }
}
